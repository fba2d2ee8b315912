/*
 * escalation - finds alerts that nobody acknowledged: others are to be told.
 *
 *     unheard for `after` or longer, stands, not acknowledged, told again less than `most` times
 *         -> owed by the ways of those others (alert_owed_io.h), or put off under a silence
 *
 * Each is told `most` times at most, `after` apart; one that was acknowledged or is over before it
 * is handed over is not, and of one that still waits then there is but the last.  A way that tells
 * nothing keeps none from being told by others.
 *
 * Owner:    the caller.  Threads: with the database's lock.
 * Errors:   the database's, WEIR_ENOMEM: nothing has changed, and it is tried again.
 * Limits:   WEIR_ESCALATION_MAX at once; others wait for the next look.
 */
#ifndef WEIR_THRESHOLD_ESCALATION_IO_H
#define WEIR_THRESHOLD_ESCALATION_IO_H

#include "monitor/threshold/alert_owed_io.h"

struct weir_escalation {
    struct weir_alerts *alerts;  /* of those others */
    const struct weir_owed_about *about;
    weir_time after;
    unsigned most;
};

/* Now and then, every second or so: 0 or an error. */
int weir_escalation_look(const struct weir_escalation *escalation, struct weir_database *database,
                         weir_time now);

#endif
