/*
 * message_impl - what the files that take a message apart share.
 *
 *     message.c        the walk from part to part, and the arrays
 *     message_field.c  one header block
 *     message_lines.c  what is wrong with the lines of the whole
 *     mime_type.c      what the Content-... fields of a part say
 *     multipart.c      the boundary lines of open multiparts
 */
#ifndef WEIR_MAIL_MESSAGE_IMPL_H
#define WEIR_MAIL_MESSAGE_IMPL_H

#include "core/base/limits.h"
#include "core/mail/message.h"

/* The first of each that a part has; at == NULL: it has none. */
struct weir_mime_fields {
    struct weir_slice type, transfer, disposition;
};

/* A multipart whose boundary lines are looked for. */
struct weir_open_multipart {
    uint16_t part;
    bool digest; /* its parts are messages unless they say otherwise, RFC 2046 5.1.5 */
    size_t len;
    char boundary[WEIR_BOUNDARY_MAX + 1];
};

struct weir_parse {
    struct weir_message *message;
    struct weir_arena *arena;
    const char *at, *end; /* at is always the start of a line */
    size_t fields_room, parts_room;
    size_t unended;       /* the part at which a chain of parts without an end begins */
    size_t opens;
    struct weir_open_multipart open[WEIR_PART_DEPTH_MAX];
};

/* Where a boundary line was found. */
struct weir_delimiter {
    const char *body_end; /* of what stands before it; its line end belongs to the boundary */
    const char *next;     /* the line behind it */
    size_t level;         /* of open[] */
    bool closing;
};

/* Reads the header block at parse->at, leaves it at the body.  0 or WEIR_ENOMEM. */
int weir_head_read(struct weir_parse *parse, struct weir_part *part,
                   struct weir_mime_fields *mime_r);

/* What RFC 5322 says about the fields of the message itself. */
void weir_head_check(struct weir_message *message);

/* NUL, CR, mixed line ends, long lines. */
void weir_lines_check(struct weir_message *message);

/* Sets media, transfer, type, ... of a part from its fields.  0 or WEIR_ENOMEM. */
int weir_part_describe(struct weir_parse *parse, struct weir_part *part,
                       const struct weir_mime_fields *mime, bool digest);

/* A parameter that was found, as weir_parameter() gives it. */
struct weir_parameter {
    struct weir_slice value, charset;
    bool bad;
};

/* weir_parameter() for what is kept: in its place where it stands there as it is meant, else in
 * the arena.  1; 0 with empty slices; WEIR_ENOMEM. */
int weir_parameter_take(struct weir_slice parameters, const char *name, struct weir_arena *arena,
                        struct weir_parameter *found_r);

/* The first word of a Content-... value, blanks and comments before it left out; *value is
 * then what is behind it. */
struct weir_slice weir_mime_word(struct weir_slice *value);

/* Makes a multipart the innermost open one: false when it has no usable boundary. */
bool weir_multipart_open(struct weir_parse *parse, size_t part);

/* The next boundary line of an open multipart at or behind parse->at. */
bool weir_multipart_find(const struct weir_parse *parse, struct weir_delimiter *delimiter_r);

/* Whether there is one right at line, the start of a line. */
bool weir_multipart_is_boundary(const struct weir_parse *parse, const char *line);

#endif
