/*
 * progress - how far a long file was read, as a bar on standard error when that is a terminal.
 *
 * Owner:    a plain value.  Shows itself after a second, and then ten times a second.
 */
#ifndef WEIR_SNIFFER_PROGRESS_IO_H
#define WEIR_SNIFFER_PROGRESS_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"

struct weir_progress {
    const char *what;
    uint64_t total;      /* 0: not known */
    weir_time shown;     /* steady: last, or when it began */
    bool terminal, on;
};

struct weir_progress weir_progress_begin(const char *what, uint64_t total);
void weir_progress_step(struct weir_progress *progress, uint64_t done);

/* Wipes the bar, so that something else can be printed; it comes again with the next step. */
void weir_progress_wipe(struct weir_progress *progress);

#endif
