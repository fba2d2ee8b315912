/*
 * content_impl - what the files that make text of a message share.
 *
 *     content.c       the walk over the parts, memory, attachments
 *     content_text.c  one text part: decoded, in UTF-8, rendered
 *     content_body.c  blanks collapsed, texts cut into lines
 *     content_uri.c   the links, in the forms rules ask for
 */
#ifndef WEIR_MAIL_CONTENT_IMPL_H
#define WEIR_MAIL_CONTENT_IMPL_H

#include "core/base/limits.h"
#include "core/mail/content.h"

/* Blanks that were met and are not written yet. */
struct weir_gap {
    bool open;
    unsigned line_ends;
    bool before, after; /* other blanks before the first line end, behind the last one */
};

/* The pieces of a text that is cut while it is made. */
struct weir_cuts {
    uint32_t *start;
    size_t lines, room;
};

struct weir_reading {
    struct weir_message *message;   /* whose parts are read */
    struct weir_message *outermost; /* whose defects are noted */
    struct weir_charsets *charsets;
    struct weir_arena *arena;
    struct weir_content *content;
    struct weir_line body, raw, markup;
    struct weir_line decoded, utf8;         /* of one part, used again by the next */
    struct weir_line visible, all, targets; /* of all HTML: links point into them */
    struct weir_line again;                 /* of one HTML part */
    struct weir_html html;
    struct weir_gap gap;
    struct weir_cuts raw_cuts;
    bool inner;    /* a message in base64 is being read */
    bool any;      /* of the body was fed */
};

/* A line of room octets, at most WEIR_AREA_MAX: 0 or WEIR_ENOMEM. */
int weir_reading_line(struct weir_arena *arena, size_t room, struct weir_line *line_r);

/* What lies between a line's offset and its end. */
static inline struct weir_slice weir_line_from(const struct weir_line *line, size_t offset)
{
    return (struct weir_slice){line->start + offset,
                               (size_t)(line->at - line->start) - offset};
}

/* Adds text in UTF-8 to the body; its blanks run together with those before it. */
void weir_body_feed(struct weir_reading *reading, struct weir_slice text);
/* Feeds the body's paragraphs from an offset on once more, those that have invisible characters,
 * without them. */
void weir_body_again(struct weir_reading *reading, size_t from);
/* Writes what blanks are left. */
void weir_body_end(struct weir_reading *reading);

/* Adds a part's octets to the raw text, CRLF as LF, and cuts them. */
void weir_raw_add(struct weir_reading *reading, struct weir_slice octets);

/* Cuts a text into lines of at most WEIR_AREA_LINE_MAX octets, at blanks where there are
 * some: 0 or WEIR_ENOMEM.  *cut_r: there were more lines than WEIR_AREA_LINES_MAX. */
int weir_area_cut(struct weir_arena *arena, struct weir_slice text, struct weir_area *area_r,
                  bool *cut_r);

/* Reads one text part. */
void weir_text_read(struct weir_reading *reading, const struct weir_part *part, bool html);

/* Counts an attachment, up to WEIR_PARTS_MAX: a text can have many uuencoded ones. */
static inline void weir_attachment_count(struct weir_reading *reading)
{
    if (reading->content->attachments < WEIR_PARTS_MAX)
        reading->content->attachments++;
    else
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
}

/* Makes the uri text of content's links: 0 or WEIR_ENOMEM. */
int weir_uris_read(struct weir_reading *reading);

#endif
