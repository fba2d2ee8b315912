/*
 * responder_impl - the responder from inside: the queue and the turn (responder_io.c), what a turn
 * writes (responder_write_io.c), what another one left (responder_resume_io.c), and what analysts
 * do (responder_analyst_io.c).
 */
#ifndef WEIR_THRESHOLD_RESPONDER_IMPL_H
#define WEIR_THRESHOLD_RESPONDER_IMPL_H

#include <pthread.h>

#include "monitor/threshold/allowance.h"
#include "monitor/threshold/responder_io.h"

#define WEIR_RESPONDER_ORIGIN "monitor"

struct responder_queued {
    struct weir_watch_event event;
    uint64_t position;           /* of the journal, behind what raised it */
};

/* Events that one server alone saw. */
struct responder_alone {
    unsigned most;               /* an hour */
    struct weir_allowance of[32]; /* by number modulo 32 */
};

/* An event, or a decision and the event it answers: to be written. */
struct responder_item {
    bool is_decision;
    bool answers;                /* the event of the item before */
    struct weir_watch_event event;
    char class_name[32];         /* its class */
    struct weir_ladder_decision decision;
    bool again;                  /* an event that stood already */
    bool needless;               /* a decision: what stands does as much and lasts longer */
    int64_t number;              /* a decision: of the event it answers, or 0 */
    int64_t silence;             /* under which nobody is told of it, or 0 */
};

/* What is withheld or left out is told once an hour. */
struct responder_capped {
    uint64_t told;               /* of all */
    weir_time last;
};

struct weir_responder {
    struct weir_responder_options options;
    const struct weir_log *log;
    struct weir_ladder *ladder;
    pthread_mutex_t lock;        /* of the queue, and of what says who may come into it */
    struct responder_queued *queue;
    size_t first, count;
    weir_time clock;             /* as the caller said it last */
    struct responder_alone alone;
    struct responder_item *item; /* what is gathered and not yet written */
    size_t items, room;
    bool answering;              /* the ladder is told an event */
    uint64_t answered;           /* events up to here are in the database or in items */
    bool noted;                  /* it is in the database */
    bool replaying;
    weir_time memory;            /* of the ladder */
    struct weir_responder_counts counts;
    struct responder_capped blocks, scores, left_out, lost;
    struct weir_log_gate events_gate, decisions_gate; /* of their lines in the log */
    weir_time now;
    uint64_t generation;         /* of the last change in this turn, or 0 */
};

/* Writes all items in one transaction; then, and only then, they are told and gone.  0, or an error
 * and they stay. */
int weir_responder_write(struct weir_responder *responder);

/* Tells what was withheld and left out since it was told last, an hour ago or more. */
void weir_responder_tell_capped(struct weir_responder *responder);

/* Puts an entry on a list because of an event (0: of none), and a line into the audit; both belong
 * into a transaction of the caller.  0 or an error. */
int weir_responder_list(struct weir_responder *responder, const char *name,
                        const struct weir_list_entry *entry, const char *origin, int64_t event);
int weir_responder_audit(struct weir_responder *responder, const char *who, const char *what,
                         const char *detail);

#endif
