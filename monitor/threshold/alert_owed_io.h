/*
 * alert_owed - alerts stand in the database until a way has told them (database_owed_io.h).
 *
 *     weir_alerts_owe()   in the transaction of what the alert is about: a row for each way
 *     weir_alerts_turn()  a way that is idle, and whose pace lets it, is given one message of what
 *                         it owes now: what a silence holds for by now is held
 *                         -> handed over -> its rows go, the event is told
 *     weir_owed_look()    what was held is due when no silence holds for it any more
 *     weir_owed_sweep()   the same, where who has seen it says so, and not the time
 *
 * A message that could not be handed over changes nothing: the next one is composed anew.  Killed
 * between handing over and noting it, a monitor tells one message once more; nothing is lost.
 *
 * Acknowledged meanwhile, an alert is not told: the database sees to that, whoever changes it.
 *
 * Owner:    the caller; weir_alerts_owe() begins no transaction.
 * Threads:  with the database's lock; nothing here waits for a way.
 * Errors:   the database's, WEIR_ENOMEM: all of it is tried again at the next turn.
 * Limits:   WEIR_OWED_MAX rows of each way: beyond that its oldest go, which is logged once an hour
 *           with their number; WEIR_OWED_MESSAGE alerts of one message; WEIR_OWED_LOOKS looks in
 *           one turn.
 */
#ifndef WEIR_THRESHOLD_ALERT_OWED_IO_H
#define WEIR_THRESHOLD_ALERT_OWED_IO_H

#include "monitor/database/database_owed_io.h"
#include "monitor/threshold/alert_io.h"

/* What the caller knows of alerts.  Neither may change the database. */
struct weir_owed_about {
    /* The silence that holds for it now, and when to ask again; 0: none does.  Adds the servers
     * that have seen it since to its servers. */
    int64_t (*silence)(void *context, struct weir_alert *alert, weir_time *look_r);
    /* Fills in the names of its servers. */
    void (*name)(void *context, struct weir_alert *alert);
    void *context;
};

/* An alert, new or told again, is owed by all ways there are; its silence is filled in, under which
 * one that is told again is not owed at all.  Its event is noted as alerted, or put off.  0 or an
 * error. */
int weir_alerts_owe(struct weir_alerts *alerts, struct weir_database *database,
                    const struct weir_owed_about *about, struct weir_alert *alert, weir_time now);

enum weir_alerts_turn {
    WEIR_ALERTS_NOTE,             /* only what was handed over */
    WEIR_ALERTS_GO_ON,            /* and more is */
    WEIR_ALERTS_LAST              /* the same, without waiting for its pace */
};

/* Now and then, every second or so.  0, or the first error. */
int weir_alerts_turn(struct weir_alerts *alerts, struct weir_database *database,
                     const struct weir_owed_about *about, weir_time now,
                     enum weir_alerts_turn how);

/* What is due to be looked at again, of what silences hold for any way, is let go, or held on.
 * 0 or an error. */
int weir_owed_look(struct weir_database *database, const struct weir_owed_about *about,
                   weir_time now);

/* All that silences hold, due or not, a part at each call: what none holds for any more is let go,
 * what another does is held by that, and nothing else is written.  *after_r: how far it came, 0 at
 * the beginning, and when all was looked at.  0 or an error. */
int weir_owed_sweep(struct weir_database *database, const struct weir_owed_about *about,
                    weir_time now, int64_t *after_r);

/* The monitor ends: logs what its ways have not told. */
void weir_alerts_tell_untold(struct weir_alerts *alerts, struct weir_database *database);

#endif
