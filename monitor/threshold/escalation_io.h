/*
 * escalation - tells others of alerts that nobody acknowledged.
 *
 *     told, `after` ago or more, stands, not acknowledged, under no silence
 *         -> one message of all of them -> handed over -> noted in the database
 *
 * Each is told `most` times at most, `after` apart; one that was acknowledged, is over, silenced,
 * or only observed now, is not.  It is noted when the first of mail and webhook has taken it, so
 * that what a monitor that was killed had not noted is told once more, and nothing is lost.
 *
 * Owner:    the caller; the options' texts are copied.  Threads: one, with the database's lock for
 *           what takes a database.
 * Errors:   as weir_alerts_open(); the database's, and it is tried again at the next turn.
 * Limits:   WEIR_ESCALATION_MAX alerts of one message; others wait for the next.
 */
#ifndef WEIR_THRESHOLD_ESCALATION_IO_H
#define WEIR_THRESHOLD_ESCALATION_IO_H

#include "monitor/database/database_events_io.h"
#include "monitor/threshold/alert_io.h"

struct weir_escalation;

struct weir_escalation_options {
    struct weir_alerts_options alerts; /* to whom, how often, ... */
    weir_time after;
    unsigned most;
    /* The silence that stands about an event, 0: none; and the names of its servers. */
    int64_t (*silence)(void *context, const struct weir_event *event);
    void (*servers)(void *context, const struct weir_event *event,
                    char names_r[static WEIR_ALERT_NAMES_MAX + 1]);
    void *context;
};

/* Nothing is told yet.  0 or an error. */
int weir_escalation_open(const struct weir_escalation_options *options, const struct weir_log *log,
                         struct weir_escalation **escalation_r);

/* What is due is told, and what was told is noted: now and then, every second or so. */
int weir_escalation_turn(struct weir_escalation *escalation, struct weir_database *database,
                         weir_time now, weir_time steady);

/* What was added and handed over; also while a turn is under way. */
void weir_escalation_count(struct weir_escalation *escalation,
                           struct weir_alerts_counts *counts_r);

/* Hands over what waits, for WEIR_ALERT_CLOSING at most: without the database's lock.  Then what
 * came of it is noted, and it is freed; NULL is accepted. */
void weir_escalation_stop(struct weir_escalation *escalation);
void weir_escalation_close(struct weir_escalation **escalation, struct weir_database *database,
                           weir_time now);

#endif
