/*
 * verbs - what operators do, as JSON: asked by weirctl over the monitor's socket
 * (monitor_admin_io.h) and by the console (console_io.h), so that both do the same and leave the
 * same line in the audit.
 *
 *     {"do": "server add", "name": "mx1"}
 *
 *     server add NAME          a new identity: its text for the server's file, told this once
 *     server revoke NAME
 *     threshold set            name, prefixes, rate[3], maximum[3], observe, ladder
 *     threshold remove NAME
 *     threshold try            the same as set, hours (24, at most 168): whom it would have caught
 *                              in recorded traffic (view_trial.h), within some seconds; one at a
 *                              time
 *     undo PREFIX [accept]     takes back what was decided, fills its buckets, and accepts it from
 *                              now on where that is asked for; "at" in the answer is when
 *     restore PREFIX           at: puts back what undo took back then, as far as it would still
 *                              stand
 *     unaccept PREFIX          takes back that exactly this one is accepted; what the acceptance
 *                              took back stands again
 *     block PREFIX             list, ends, defer, points, reason: an analyst's own decision
 *     events acknowledge NUMBER [note]  somebody knows of what was noticed
 *     events unacknowledge NUMBER       nobody does after all
 *     silence add              prefix, threshold, server, kind (one at least), ends, reason: nobody
 *                              is told of such alerts until then
 *     silence end NUMBER       before its time
 *     publish [dry]            makes the rulebook the newest rule set, or tells what that would
 *                              change
 *     rollback SERIAL [dry]    publishes what an earlier set had, under a new serial
 *                              (publish, rollback: was: serial and change that it is based on)
 *     rules ..., analyze       monitor_rulebook_io.h
 *     user ..., token ...      monitor_accounts_io.h
 *     counters forget          what is known of reputation
 *     counters rebuilt DETAIL  a line in the audit: weirctl has filled a store again
 *     status                   counts, and what cannot be written now
 *
 * Owner:    the answer is the caller's.
 * What is done and its line in the audit are one transaction; of decisions about reports they are
 * two (monitor_desk_io.h).
 *
 * Threads:  any, several at once; each verb takes the locks it needs.
 * Errors:   NULL, question->why, and question->code, a status of HTTP: 400: it cannot be done; 403:
 *           it is wide (narrow below); 404: there is no such server, threshold, acceptance, event,
 *           kind of events or silence; 409: not now; 500:
 *           trouble, as with the database; 503: it is locked or full.
 */
#ifndef WEIR_MONITOR_MONITOR_VERBS_IO_H
#define WEIR_MONITOR_MONITOR_VERBS_IO_H

#include <jansson.h>

#include "core/base/clock.h"
#include "monitor/database/database_io.h"

struct weir_monitor;

struct weir_question {
    struct weir_monitor *monitor;
    json_t *json;               /* what is asked, an object; a verb may change it */
    const char *who;            /* "uid 0", "user anna" */
    weir_time now;              /* wall */
    bool narrow;                /* who asks may not accept or silence what is wide: an analyst */
    char why[WEIR_DATABASE_WHY]; /* of an error */
    unsigned code;              /* the same for programs */
};

/* Does it: what came of it, or NULL. */
json_t *weir_verb_run(struct weir_question *question);

/* NULL, after why was noted with 400. */
json_t *weir_verb_refuse(struct weir_question *question, const char *why);

#endif
