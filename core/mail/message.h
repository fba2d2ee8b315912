/*
 * message - the structure of a mail message: where its fields and parts are.
 *
 * One walk over the octets, offsets instead of copies, no memory but two arrays
 * (fields, parts) out of the caller's arena, which double as they grow.  Never fails on
 * hostile input:
 * whatever is wrong is noted as a defect, which rules can test, and what a lenient
 * mail reader would make of it is what is found here.
 *
 *     part 0 is the message itself; its fields come first.  A multipart's children
 *     and what is in a message/rfc822 follow their parent (depth first).
 *
 * Lines end in LF or CRLF, mixed as they come; an mbox "From " line in front is skipped
 * ("From : a@b" is a field).
 *
 * Owner:    the message points into the caller's octets and arena, which must
 *           outlive it.
 * Errors:   WEIR_ENOMEM only.
 * Limits:   WEIR_MESSAGE_MAX, WEIR_FIELDS_MAX, WEIR_HEAD_MAX, WEIR_PARTS_MAX,
 *           WEIR_PART_DEPTH_MAX, WEIR_BOUNDARY_MAX; past each, the rest is not
 *           taken apart and WEIR_DEFECT_LIMIT is set.  Time is linear in the octets
 *           (see message.c).
 * See also: RFC 5322, 2045, 2046; content.h makes text of it.
 */
#ifndef WEIR_MAIL_MESSAGE_H
#define WEIR_MAIL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/cursor.h"
#include "core/base/line.h"
#include "core/mail/transfer.h"

/* What is wrong with a message.  Names for rules: weir_defect_name(). */
enum weir_defect {
    WEIR_DEFECT_LIMIT,             /* a named limit: parts of it were not looked at */
    WEIR_DEFECT_NO_HEAD,           /* it has no header fields at all */
    WEIR_DEFECT_BAD_FIELD,         /* a line in the header that is no field */
    WEIR_DEFECT_NO_SEPARATOR,      /* the body begins without an empty line */
    WEIR_DEFECT_NUL,               /* a NUL octet */
    WEIR_DEFECT_BARE_CR,           /* a CR without LF */
    WEIR_DEFECT_MIXED_LINE_ENDS,   /* CRLF here, LF there */
    WEIR_DEFECT_LONG_LINE,         /* a line over 998 octets, RFC 5322 2.1.1 */
    WEIR_DEFECT_8BIT_HEAD,         /* octets over 127 in the header that are not UTF-8 */
    WEIR_DEFECT_DUPLICATE_FIELD,   /* two of a field RFC 5322 3.6 allows once */
    WEIR_DEFECT_NO_DATE,
    WEIR_DEFECT_NO_FROM,
    WEIR_DEFECT_NO_MESSAGE_ID,
    WEIR_DEFECT_NO_BOUNDARY,       /* a multipart without a boundary */
    WEIR_DEFECT_BOUNDARY_UNUSED,   /* a multipart in which its boundary never comes */
    WEIR_DEFECT_UNCLOSED,          /* a multipart without its closing line */
    WEIR_DEFECT_BAD_TYPE,          /* a Content-Type that cannot be read */
    WEIR_DEFECT_BAD_ENCODING,      /* an unknown Content-Transfer-Encoding, or one on a multipart */
    WEIR_DEFECT_BAD_BASE64,
    WEIR_DEFECT_BAD_QUOTED,
    WEIR_DEFECT_BAD_UUENCODE,
    WEIR_DEFECT_BAD_CHARSET,       /* unknown, or not what the text is in */
    WEIR_DEFECT_BAD_WORD,          /* an encoded word that cannot be decoded, RFC 2047 */
    WEIR_DEFECT_BAD_PARAMETER,     /* RFC 2231 pieces missing or doubled */
    WEIR_DEFECT_PARTIAL,           /* message/partial or external-body: content elsewhere */
    WEIR_DEFECTS
};

/* "LIMIT", "NO_HEAD", ...: rules know them as DEFECT_<name>.  Static text. */
const char *weir_defect_name(enum weir_defect defect);

struct weir_field {
    struct weir_slice name;  /* as written, without the colon and blanks before it; any
                              * length, and of a broken line (message_field.c) any octets */
    struct weir_slice value; /* behind the colon, with its folding, without its last line end */
    uint32_t hash;           /* of the name in lower case: weir_field_hash() */
};

enum weir_media {
    WEIR_MEDIA_PLAIN,     /* text/plain, and whatever says nothing */
    WEIR_MEDIA_HTML,      /* text/html, application/xhtml+xml */
    WEIR_MEDIA_TEXT,      /* other text; delivery reports and the like (message/...) */
    WEIR_MEDIA_MULTIPART, /* its parts follow; it has none where no boundary was met */
    WEIR_MEDIA_MESSAGE,   /* message/rfc822, message/global: its content is the next part,
                           * unless it is in base64 */
    WEIR_MEDIA_OTHER,
};

struct weir_part {
    uint32_t field, fields;       /* its own fields: index of the first, and how many */
    uint16_t parent;              /* its multipart or message; 0 for part 0 itself */
    uint16_t depth;               /* 0 for part 0 */
    enum weir_media media;
    enum weir_transfer transfer;
    bool attachment;              /* Content-Disposition: attachment, or a file name and no text */
    struct weir_slice type;       /* "text/plain" as written, without parameters; may be empty */
    struct weir_slice parameters; /* of Content-Type, as written, behind the type */
    struct weir_slice disposition;/* the value of Content-Disposition as written */
    struct weir_slice charset;    /* "" when not said */
    struct weir_slice name;       /* of a file: "filename", else "name", as weir_parameter()
                                   * gives it; "" when not said */
    struct weir_slice name_charset; /* what RFC 2231 says it is in, or "" */
    struct weir_slice head;       /* its header block, without the empty line; at most
                                   * WEIR_HEAD_MAX */
    struct weir_slice body;       /* as it stands: encoded; of a multipart all of it */
};

struct weir_message {
    struct weir_slice whole;      /* without an mbox line; at most WEIR_MESSAGE_MAX */
    struct weir_field *field;
    size_t fields;
    struct weir_part *part;       /* at least one */
    size_t parts;
    uint64_t defects;             /* bits 1 << enum weir_defect */
};

/* Takes len octets apart.  0 or WEIR_ENOMEM. */
int weir_message_parse(const char *octets, size_t len, struct weir_arena *arena,
                       struct weir_message *message_r);

/* Hash of a field's name, any case. */
uint32_t weir_field_hash(const char *name, size_t len);

/* The next field of a part with this name (any case), at or behind *from (0 for the first,
 * then what it was left at): the field, or NULL. */
const struct weir_field *weir_message_field(const struct weir_message *message, size_t part,
                                            const char *name, size_t *from);

/* Sets the bit of a defect. */
static inline void weir_message_note(struct weir_message *message, enum weir_defect defect)
{
    message->defects |= UINT64_C(1) << defect;
}

/* A parameter of a value ("; name=value; ..."), quoted strings and comments taken off,
 * RFC 2231 pieces joined, percent signs undone; not yet converted: *charset_r is what RFC 2231
 * says it is in, or empty.  Appended to out.  1, 0 when there is none; *bad_r says
 * that it is not as it should be. */
int weir_parameter(struct weir_slice parameters, const char *name, struct weir_line *out,
                   struct weir_slice *charset_r, bool *bad_r);

#endif
