/*
 * line_words - "name=value" words of the spool's lines whose order is fixed (report_line.h,
 * part_line.h), told apart by blanks: the writer lets no value have one.
 *
 * Owner:    slices point into the line.  Threads: pure functions.
 */
#ifndef WEIR_STORE_LINE_WORDS_H
#define WEIR_STORE_LINE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/cursor.h"
#include "core/base/line.h"

#define WEIR_WORD_HEX 16 /* digits of a number of 64 bits */

/* Takes the next word off a line, which must have this name ("uid="): its value. */
bool weir_word_take(struct weir_slice *text, const char *name, struct weir_slice *value_r);

/* The same for a number in WEIR_WORD_HEX digits, small letters. */
bool weir_word_take_hex(struct weir_slice *text, const char *name, uint64_t *number_r);

/* Appends a name (" uid=") and such a number. */
void weir_word_put_hex(struct weir_line *line, const char *name, uint64_t number);

#endif
