/*
 * ctl_chart - numbers in a row as a small bar chart of text.
 *
 *      12 |     █
 *         |  ▄  █ ▂
 *       0 |▁ █▁ █ █
 *
 * In blocks of UTF-8, an eighth of a line fine, or in '.', ':' and '#'.  What is more than nothing
 * is always seen.
 *
 * Threads:  pure.
 */
#ifndef WEIR_CTL_CHART_H
#define WEIR_CTL_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define WEIR_CTL_CHART_MARGIN 12 /* characters before the first bar */

struct weir_ctl_chart {
    const double *value;       /* none and what is below 0 count as 0 */
    size_t values;
    unsigned height;           /* lines */
    bool utf8;
    bool wide;                 /* two characters a bar instead of one */
};

void weir_ctl_chart(const struct weir_ctl_chart *chart, FILE *out);

/* A bar that lies, part 0..1 of so many characters; returns buffer, which has room for 3 octets a
 * character and a NUL. */
const char *weir_ctl_bar(double part, unsigned characters, bool utf8, char *buffer);

#endif
