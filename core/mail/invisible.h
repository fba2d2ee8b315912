/*
 * invisible - characters of a text in UTF-8 that nobody sees.
 *
 * Soft hyphens, zero-width blanks and joiners, direction marks, variation selectors, tags: a
 * reader sees "free" where U+200B stands between each two of its letters, an expression
 * does not.  So rules are shown such text once more without them.
 *
 * They have honest uses, too: joiners in Persian, in Indic scripts and in emoji, the padding
 * behind the first line of a newsletter, hyphenation.  So what is counted is only those
 * between two Latin, Greek or Cyrillic letters, and of soft hyphens only those behind a single
 * letter, where no dictionary puts one.
 *
 * Errors:   none.  Octets that are no UTF-8 are text.
 * Limits:   none needed: constant memory, linear time.
 */
#ifndef WEIR_MAIL_INVISIBLE_H
#define WEIR_MAIL_INVISIBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/cursor.h"
#include "core/base/line.h"

/* What a text has of them. */
struct weir_invisible {
    size_t in_words; /* between two letters */
    bool matters;    /* without them rules might find something else: not where they only
                      * stand between characters of other scripts */
};

struct weir_invisible weir_invisible_scan(struct weir_slice text);

/* The text up to the next one, which is taken off the front of *rest with all that follow it
 * directly: for loops while rest->len > 0. */
struct weir_slice weir_invisible_next(struct weir_slice *rest);

/* Appends the text without them. */
void weir_invisible_strip(struct weir_slice text, struct weir_line *out);

#endif
