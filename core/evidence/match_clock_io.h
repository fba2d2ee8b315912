/*
 * match_clock - how long matching takes: for the bound on it and for profiles.
 */
#ifndef WEIR_EVIDENCE_MATCH_CLOCK_IO_H
#define WEIR_EVIDENCE_MATCH_CLOCK_IO_H

#include <stdint.h>

/* Nanoseconds of the processor that this thread has used: no busy machine makes it run faster. */
uint64_t weir_match_used(void);

/* Nanoseconds of the steady clock: cheap enough to be read around every expression. */
uint64_t weir_match_clock(void);

#endif
