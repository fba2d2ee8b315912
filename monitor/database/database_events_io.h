/*
 * Events: a limit was passed and is not any more, a server fell silent, a second agent was refused.
 *
 * See database_io.h for owner, threads, errors and rows.  Limits: WEIR_DATABASE_TEXT_MAX octets of
 * each text (WEIR_ELIMIT).
 */
#ifndef WEIR_DATABASE_EVENTS_IO_H
#define WEIR_DATABASE_EVENTS_IO_H

#include "core/base/address.h"
#include "monitor/database/database_io.h"

struct weir_event {
    int64_t number;           /* given when it is added */
    weir_time raised, cleared; /* cleared: 0 while it stands */
    const char *kind;         /* "threshold", "instance", "blind", ... */
    bool has_prefix;
    struct weir_prefix prefix; /* whom it is about */
    uint32_t server;          /* which one, or 0 */
    const char *quantity;     /* "connections", ... or "" */
    const char *class_name;
    bool observed;            /* its class only observes */
    double limit_rate, limit_maximum; /* as applied */
    double rate, tokens;      /* as measured */
    uint32_t children;        /* offenders below, for a network */
    uint64_t servers;         /* that charged: bits of server numbers modulo 64 */
    uint64_t word;            /* the same of those by whose word it is (bucket.h) */
    const char *text;
    weir_time acknowledged;   /* when somebody said that he knows of it, or 0 */
    const char *acknowledged_by, *note; /* who, and what he noted; "" */
    weir_time told;           /* when analysts were told of it last, or 0 */
    unsigned told_again;      /* how often since nobody acknowledged it */
    int64_t silence;          /* under which nobody was told of it last, or 0 */
    weir_time silenced;       /* until then; 0: somebody ended it, or there is none */
};

/* Which events: all those where nothing is said. */
struct weir_event_filter {
    bool open;                /* only those that stand */
    weir_time since;          /* raised then or later */
    int64_t before;           /* numbers below this one: to go on with a list; 0: all */
    const struct weir_prefix *prefix; /* exactly this one */
    unsigned most;            /* 0: all */
};

/* Adds an event, which nobody has acknowledged; texts may be NULL.  0 or an error. */
int weir_database_event_add(struct weir_database *database, const struct weir_event *event,
                            int64_t *number_r);

/* Notes that it does not stand any more, and drops what is held of it (database_owed_io.h): 1; 0
 * when it did not; an error. */
int weir_database_event_clear(struct weir_database *database, int64_t number, weir_time now);

/* The same where nobody saw it end: the reason is added to its text.  1, 0, or an error. */
int weir_database_event_close(struct weir_database *database, int64_t number, weir_time now,
                              const char *reason);

/* Somebody knows of it; of several the last counts.  What is owed of it is held meanwhile.  1, 0
 * when there is none, or an error. */
int weir_database_event_acknowledge(struct weir_database *database, int64_t number, weir_time now,
                                    const char *by, const char *note);

/* Nobody does after all: what is to be told of it begins anew.  1, 0 when nobody did, or an
 * error. */
int weir_database_event_unacknowledge(struct weir_database *database, int64_t number,
                                      weir_time now);

/* There is an alert of it, of which analysts are to be told; or are not, since a silence stands
 * (0: none does).  From the first one on it is unheard.  0 or an error. */
int weir_database_event_alerted(struct weir_database *database, int64_t number, weir_time now,
                                int64_t silence);

/* A silence holds for it, too: what waits is held when it is looked at.  0 or an error. */
int weir_database_event_silenced(struct weir_database *database, int64_t number, int64_t silence);

/* No silence holds for it any more, and servers have seen it: it is unheard from now on.  0 or an
 * error. */
int weir_database_event_unsilenced(struct weir_database *database, int64_t number, weir_time now,
                                   uint32_t servers);

/* Analysts were told of it, for the first time (again: 0) or so often since nobody acknowledged it.
 * Told twice, by another way, the first counts.  0 or an error. */
int weir_database_event_told(struct weir_database *database, int64_t number, weir_time now,
                             unsigned again);

/* It is unheard from now on only: since that is about to be told, or is not, for a silence stands
 * (0: none does).  0 or an error. */
int weir_database_event_put_off(struct weir_database *database, int64_t number, weir_time now,
                                int64_t silence);

/* At most so many that stand, are not only observed, are unheard since then or before, and were
 * told again fewer than `again` times since nobody acknowledged them; those first that wait
 * longest. */
int weir_database_events_unheard(struct weir_database *database, weir_time since, unsigned again,
                                 unsigned most,
                                 int (*row)(void *context, const struct weir_event *event),
                                 void *context);

/* Its class only observes now, or does not any more.  0 or an error. */
int weir_database_event_observed(struct weir_database *database, int64_t number, bool observed);

/* Events, newest first. */
int weir_database_events(struct weir_database *database, const struct weir_event_filter *filter,
                         int (*row)(void *context, const struct weir_event *event),
                         void *context);

#endif
