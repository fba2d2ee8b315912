/*
 * ctl_input - lines of a file or of the standard input, one after the other.
 *
 * Reads as it comes, so that a pipe is answered while it lasts.  A line ends
 * with LF or the end of the file; it may hold any octets.
 *
 * Owner:    the caller owns the input; a line lives until the next one is read.
 * Limits:   a longer line than agreed is skipped and told.
 */
#ifndef WEIR_CTL_INPUT_IO_H
#define WEIR_CTL_INPUT_IO_H

#include <stdint.h>

#include "core/base/cursor.h"
#include "monitor/ctl/ctl.h"

struct weir_ctl_input;

/* Whether a file, or "-", is there to be read: 0 or EX_NOINPUT. */
int weir_ctl_input_check(struct weir_ctl *ctl, const char *path);

/* Opens a file, "-" for the standard input; lines of at most line_most octets.  0
 * or EX_NOINPUT, EX_OSERR. */
int weir_ctl_input_open(struct weir_ctl *ctl, const char *path, size_t line_most,
                        struct weir_ctl_input **input_r);
void weir_ctl_input_free(struct weir_ctl_input **input);

/* 1 and a line without its LF; 0 at the end; WEIR_ELIMIT for a line that was
 * too long; WEIR_EIO with errno. */
int weir_ctl_input_line(struct weir_ctl_input *input, struct weir_slice *line_r);

/* Whether the next line is there already, so that nobody waits for it. */
bool weir_ctl_input_ready(const struct weir_ctl_input *input);

/* Of the line last read, from 1 on. */
unsigned long weir_ctl_input_number(const struct weir_ctl_input *input);

/* As shown in messages: "-" is "stdin". */
const char *weir_ctl_input_name(const struct weir_ctl_input *input);

/* "file:line: reason" on standard error, about the line last read. */
void weir_ctl_error_at(struct weir_ctl *ctl, const struct weir_ctl_input *input, const char *why);

/* Octets read, and how many there are in all (0: not known). */
uint64_t weir_ctl_input_done(const struct weir_ctl_input *input);
uint64_t weir_ctl_input_total(const struct weir_ctl_input *input);

#endif
