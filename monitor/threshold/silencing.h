/*
 * silencing - what alerts people are told of, and may silence: which kinds there are, and how much
 * an analyst may hide alone.
 *
 * Owner:    nothing is owned.  Threads: pure.  Errors: none.
 * See also: alert_silence.h (which silence holds for an alert).
 */
#ifndef WEIR_THRESHOLD_SILENCING_H
#define WEIR_THRESHOLD_SILENCING_H

#include <stdbool.h>
#include <stddef.h>

#include "monitor/database/database_silences_io.h"

/* The kinds of alerts that somebody is told of, from 0 on: "threshold" (a limit was passed); NULL:
 * there are no more.  Other kinds of events are recorded alone, so that there is nothing to be
 * silenced. */
const char *weir_alert_kind(size_t number);

/* An analyst's silence lasts so long at most; a minute more, since clocks of those who ask differ
 * from the monitor's. */
#define WEIR_SILENCE_NARROW (30 * WEIR_DAY)
#define WEIR_SILENCE_NARROW_TEXT "30 days"

/* Whether it hides so much that only an administrator may make it: it names no address or network,
 * one that is wide (weir_prefix_wide()), or lasts longer than WEIR_SILENCE_NARROW. */
bool weir_silence_wide(const struct weir_silenced *silence);

#endif
