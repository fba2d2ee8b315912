/*
 * line - one line of text, built piece by piece, never too long.
 *
 * For what is made for every request: log lines, answers, headers.  Pieces that
 * come from outside go through weir_line_foreign(), so that they cannot forge a
 * second line, a second field or a terminal sequence.
 *
 * Owner:    the caller's buffer.  What does not fit is left out, and cut is set;
 *           the text is NUL-terminated after weir_line_end().
 */
#ifndef WEIR_BASE_LINE_H
#define WEIR_BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/cursor.h"

struct weir_line {
    char *start, *at, *end;
    bool cut;
};

/* A line in size octets of buffer (at least 1). */
struct weir_line weir_line(char *buffer, size_t size);

/* len octets of ours, as they stand. */
static inline void weir_line_octets(struct weir_line *line, const char *octets, size_t len)
{
    size_t room = (size_t)(line->end - line->at);

    if (len > room) {
        line->cut = true;
        len = room;
    }
    memcpy(line->at, octets, len);
    line->at += len;
}

/* Text of ours, as it stands.  Here, so that the length of a literal is known
 * when compiling: a log line has some forty of them. */
static inline void weir_line_text(struct weir_line *line, const char *text)
{
    weir_line_octets(line, text, strlen(text));
}

/* Text from outside: octets other than visible ASCII become '?'; blanks become
 * '_' unless they are to be kept. */
void weir_line_foreign(struct weir_line *line, struct weir_slice text, bool keep_blanks);

/* A number with so many digits (0..6) behind the point; not finite: "-". */
void weir_line_number(struct weir_line *line, double number, unsigned digits);

void weir_line_count(struct weir_line *line, uint64_t count);

/* Ends the text with a NUL and returns it. */
const char *weir_line_end(struct weir_line *line);

#endif
