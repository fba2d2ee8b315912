/*
 * content - the texts of a message that rules look at.
 *
 *     body  what a reader reads: the subject as its first line, then the text of
 *           all text parts (HTML rendered) in UTF-8, one line a paragraph, blanks
 *           collapsed, at most WEIR_AREA_LINE_MAX octets and a blank a line.  Text
 *           that HTML hides and invisible characters (invisible.h) are in their places; behind
 *           the part each paragraph that has any comes once more as a reader sees it, so that
 *           hiding helps nobody.  A rule with "tflags multiple" counts what it hits in such a
 *           paragraph for each of both (and in a header likewise, matcher_areas.c)
 *     raw   text parts with the transfer encoding undone, CRLF as LF and nothing else,
 *           in pieces of whole lines, mostly one to two times WEIR_AREA_LINE_MAX long,
 *           as SpamAssassin has it: a rule may look at several lines
 *     html  the markup of HTML parts, in UTF-8, by lines
 *     uri   every link once, one a line: as written, with percent signs undone and
 *           a scheme, without user and usual port, and what is inside a redirector,
 *           where these differ; mail addresses as "mailto:"
 *     full  the message as it stands, up to WEIR_AREA_MAX
 *
 * Attachments that are text are read like text; what is neither text nor message
 * is only counted; what is called .html is HTML.  A message/rfc822 is read like
 * the message it is in, in base64 too.
 *
 * Owner:    all in the caller's arena, taken in a few pieces whose size follows
 *           from the message's; links point into it.
 * Errors:   WEIR_ENOMEM only; defects go to the message.
 * Limits:   WEIR_AREA_MAX for each text (then cut, WEIR_DEFECT_LIMIT),
 *           WEIR_AREA_LINES_MAX, WEIR_LINKS_MAX.  Time is linear.
 */
#ifndef WEIR_MAIL_CONTENT_H
#define WEIR_MAIL_CONTENT_H

#include "core/mail/charset.h"
#include "core/mail/html.h"
#include "core/mail/message.h"

/* A text in lines.  Line i is text[start[i]] up to text[start[i + 1]], its '\n' included
 * (the last may lack it). */
struct weir_area {
    const char *text;
    const uint32_t *start; /* lines + 1 of them; start[0] == 0, start[lines] == length */
    size_t lines;
};

enum weir_area_kind {
    WEIR_AREA_HEADER, /* made by the rules' matcher: one "line" a selector */
    WEIR_AREA_BODY,
    WEIR_AREA_RAW,    /* rules call it rawbody */
    WEIR_AREA_HTML,
    WEIR_AREA_URI,
    WEIR_AREA_FULL,   /* one line: all of it */
    WEIR_AREA_ENVELOPE, /* made by the matcher: one line a value */
    WEIR_AREAS
};

/* "header", "body", "rawbody", "html", "uri", "full", "envelope": the kinds of rules. */
const char *weir_area_name(enum weir_area_kind kind);

static inline size_t weir_area_len(const struct weir_area *area)
{
    return area->lines ? area->start[area->lines] : 0;
}

static inline struct weir_slice weir_area_line(const struct weir_area *area, size_t line)
{
    return (struct weir_slice){area->text + area->start[line],
                               area->start[line + 1] - area->start[line]};
}

struct weir_content {
    struct weir_area area[WEIR_AREAS]; /* BODY .. FULL are filled in here */
    const struct weir_link *link;
    size_t links;
    size_t attachments;   /* parts that are no text or say so, and uuencoded files */
    size_t invisible;     /* invisible characters inside words, of what a reader sees and of Subject
                           * and From */
    unsigned html_facts;  /* bits 1 << enum weir_html_fact */
    bool has_html, has_text;
};

/* Reads all text of a message.  0 or WEIR_ENOMEM. */
int weir_content_read(struct weir_message *message, struct weir_charsets *charsets,
                      struct weir_arena *arena, struct weir_content *content_r);

#endif
