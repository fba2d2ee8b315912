/*
 * line - one line of text, built piece by piece.  Plain copying, because it is
 * done for every request; what comes from outside is made harmless on the way.
 */
#include "core/base/line.h"

#include <math.h>
#include <string.h>

struct weir_line weir_line(char *buffer, size_t size)
{
    /* The last octet stays free for the NUL. */
    return (struct weir_line){.start = buffer, .at = buffer, .end = buffer + size - 1};
}

void weir_line_foreign(struct weir_line *line, struct weir_slice text, bool keep_blanks)
{
    size_t room = (size_t)(line->end - line->at);
    size_t len = text.len < room ? text.len : room;

    line->cut |= len < text.len;
    for (size_t i = 0; i < len; i++) {
        char c = text.at[i];
        if (c == ' ' && !keep_blanks)
            c = '_';
        else if (c < ' ' || c > '~')
            c = '?';
        *line->at++ = c;
    }
}

void weir_line_count(struct weir_line *line, uint64_t count)
{
    char digit[20];
    char *at = digit + sizeof digit;

    do {
        *--at = (char)('0' + count % 10);
        count /= 10;
    } while (count > 0);
    weir_line_octets(line, at, (size_t)(digit + sizeof digit - at));
}

void weir_line_number(struct weir_line *line, double number, unsigned digits)
{
    static const double scale[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double whole, scaled;

    if (digits > 6)
        digits = 6;
    scaled = floor(fabs(number) * scale[digits] + 0.5);
    if (!(scaled < 1e18)) { /* also NaN */
        weir_line_text(line, "-");
        return;
    }
    if (number < 0 && scaled > 0)
        weir_line_text(line, "-");
    whole = floor(scaled / scale[digits]);
    weir_line_count(line, (uint64_t)whole);
    if (digits == 0)
        return;
    weir_line_text(line, ".");
    scaled -= whole * scale[digits];
    for (unsigned d = digits; d-- > 1 && scaled < scale[d];)
        weir_line_text(line, "0");
    weir_line_count(line, (uint64_t)scaled);
}

const char *weir_line_end(struct weir_line *line)
{
    *line->at = '\0';
    return line->start;
}
