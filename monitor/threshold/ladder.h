/*
 * ladder - what is done about a prefix that is over its limit (claims A7-A9, A18-A20, A31,
 * A34-A36): from events and time to decisions.
 *
 *     event raised -> step of its ladder -> spared? -> seen by enough servers? -> caps -> decision
 *
 * The first event of a prefix is answered by the first step of its class's ladder.  The next step
 * is taken by the next event within `memory` after the last one, and when a step has lasted by an
 * event that is still raised and has had charges beyond its limit since the step was taken: what
 * has merely not been cleared, because its bucket fills slowly or nobody is left to tell of it,
 * climbs no further.  Whether it is, and has, the watch is asked each time.  At the last step a
 * block lasts twice as long each time, up to `longest`.  A cleared event ends nothing: what was
 * decided runs to its end.
 *
 * Steps go by the caller's clock, whatever times events claim: a step begins when it is decided,
 * and an event that comes before half of it has gone by, or WEIR_LADDER_WAIT at most, is noted and
 * decides nothing, since the step had no chance to work yet.  So that what came late, or was made
 * up, in one batch does not climb to the top at once.
 *
 * A block - a deferral or rejection - is withheld, and told as an alert with the reason why:
 *   - of an address or network that is acceptable, never to be blocked, or private;
 *   - of a network by the word of fewer than `quorum` servers: an analyst may block it;
 *   - when so many an hour were decided (twice as many in the first one), in all, or by the word of
 *     each of its servers (bucket.h says which they are): so that one stolen identity cannot
 *     block the world.
 * A score is withheld only of private addresses, which are others at another server, and for the
 * last of these reasons, with numbers of its own.
 * Both are withheld of what was raised longer than `memory` ago: it is long over.
 * What was withheld is tried again when the step has lasted and more came beyond the limit, by the
 * word of the servers that account for it then; at the next event that is not too early; and as
 * soon as servers account for it that did not before.
 * An event that is only observed is decided as observed, and told what would have been done.  Where
 * its class does not observe any more, the first step is taken as soon as more comes beyond the
 * limit: of those before none was tried.
 *
 * Ends are spread by a keyed hash, so that what began together does not end together.  The same
 * events, times and key give the same decisions.
 *
 * The clock's times are as the caller has them; where it is put back, what waits begins to wait
 * anew.
 *
 * Owner:    the caller; steps are copied, handlers' contexts must live as long.  The handlers may
 *           not call the ladder.  Threads: one.
 * Errors:   weir_ladder_new(): WEIR_ENOMEM; WEIR_ELIMIT: too many classes or steps; WEIR_EINVAL:
 *           no step, or a number out of its range.
 * Limits:   WEIR_LADDER_CLASSES_MAX ladders of WEIR_LADDER_STEPS_MAX steps; WEIR_LADDER_RECORDS_MAX
 *           prefixes are remembered, and by the word of one server alone no more than leave as
 *           much room for others: half of them at most.  The events of further ones, and of
 *           those the watch does not track, are answered by the first step again and again, and
 *           counted as forgotten.
 */
#ifndef WEIR_THRESHOLD_LADDER_H
#define WEIR_THRESHOLD_LADDER_H

#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "monitor/threshold/watch.h"

#define WEIR_LADDER_WAIT WEIR_MINUTE /* see above */

enum weir_response {
    WEIR_RESPONSE_OBSERVE,  /* noted */
    WEIR_RESPONSE_ALERT,    /* an analyst is told */
    WEIR_RESPONSE_SCORE,    /* the rule of the address has more points */
    WEIR_RESPONSE_DEFER,    /* blocked for a time: 4xx */
    WEIR_RESPONSE_REJECT,   /* on the blacklist for a time: 5xx */
    WEIR_RESPONSES
};

/* "observe", "alert", "score", "defer", "reject". */
const char *weir_response_name(enum weir_response response);

struct weir_ladder_step {
    enum weir_response response;
    double points;    /* of a score: 0..WEIR_RULE_SCORE_MAX */
    weir_time lasts;  /* a second at least */
};

struct weir_ladder_class {
    char name[32];    /* of the watch's class; the ladder without a name is for all others */
    struct weir_ladder_step step[WEIR_LADDER_STEPS_MAX]; /* mildest first */
    size_t steps;
};

struct weir_ladder_options {
    const struct weir_ladder_class *classes;
    size_t class_count;
    weir_time memory;         /* after the last event of a prefix: 1 day */
    weir_time longest;        /* that a block can last: 30 days */
    double jitter;            /* 0..1: ends are later by up to this part of what a step lasts */
    unsigned quorum;          /* servers that must have seen what blocks a network: 2 */
    unsigned blocks_hour;     /* in all: 200 */
    unsigned blocks_server_hour; /* by the word of one server: 50 */
    unsigned scores_hour, scores_server_hour; /* the same for scores: 2000, 500 */
    struct weir_hash_key key;
    /* Whether a prefix must not be blocked, and why (static text); of a network, also when it holds
     * an address that must not be.  May be NULL. */
    bool (*spared)(void *context, weir_time time, const struct weir_prefix *prefix,
                   const char **why_r);
    /* What is raised about a prefix now, as weir_watch_standing().  May be NULL: what was raised
     * and not told to be cleared stands, and goes on. */
    struct weir_watch_standing (*standing)(void *context, const struct weir_prefix *prefix);
    void *context;
};

struct weir_ladder_decision {
    struct weir_prefix prefix;
    enum weir_response response;  /* to be done */
    enum weir_response wanted;    /* the step's; another one than response when it is withheld */
    const char *withheld;         /* why, static text or that of spared(); else NULL */
    double points;                /* when response is a score */
    weir_time time, ends;         /* ends: 0 for what does not last: observe, alert */
    weir_time until;              /* the end of the step, whatever it does */
    weir_time taken;              /* by the caller's clock; time is not before it */
    unsigned step, repeated;      /* of the ladder, from 0; and times at the last step before */
    bool forgotten;               /* there is no record of it */
    uint32_t servers;             /* as the event's */
    const struct weir_watch_event *event; /* the one it answers; ends with the call */
    char reason[WEIR_REASON_MAX + 1];
};

struct weir_ladder_counts {
    uint64_t events, decisions, withheld, forgotten;
    uint64_t early;               /* events that decided nothing: before their step could work */
    uint64_t blocks, scores;      /* decided */
    uint64_t blocks_capped, scores_capped; /* withheld: too many an hour */
    size_t records;               /* now */
};

struct weir_ladder;

/* A ladder that tells decisions to a handler. */
int weir_ladder_new(const struct weir_ladder_options *options,
                    void (*decided)(void *context, const struct weir_ladder_decision *decision),
                    void *context, struct weir_ladder **ladder_r);
void weir_ladder_free(struct weir_ladder **ladder);

/* An event of the watch, which the caller learns of now. */
void weir_ladder_event(struct weir_ladder *ladder, const struct weir_watch_event *event,
                       weir_time now);

/* Time has come so far: events still raised take their next step, and what is past its memory is
 * forgotten.  Looks at every record: about once a second. */
void weir_ladder_advance(struct weir_ladder *ladder, weir_time now);

/* The clock was put back to a time: steps that were taken later were taken then and last as long;
 * blocks and scores count as of then. */
void weir_ladder_rebase(struct weir_ladder *ladder, weir_time now);

/* An analyst undid it: forgets a prefix and all below it, so that they begin at the first step. */
void weir_ladder_undo(struct weir_ladder *ladder, const struct weir_prefix *prefix);

/* What another ladder knew, for one that goes on in its place; decides nothing.  All three change
 * no more than they say, in any order:
 * an event that still stands, whose next step is not taken before `grace`; */
void weir_ladder_stands(struct weir_ladder *ladder, const struct weir_watch_event *event,
                        weir_time grace);

/* where a prefix is, as its last decision said, and when it was last heard of; */
struct weir_ladder_place {
    struct weir_prefix prefix;
    unsigned step, repeated;
    weir_time last, until, taken;
    bool withheld;                /* a block or score was wanted, and an alert decided */
    bool observed;                /* it was only told */
};
void weir_ladder_put(struct weir_ladder *ladder, const struct weir_ladder_place *place);

/* a block or score decided then by the word of these servers; to be told oldest first. */
void weir_ladder_spent(struct weir_ladder *ladder, enum weir_response response, uint32_t servers,
                       weir_time time);

const struct weir_ladder_counts *weir_ladder_counts(const struct weir_ladder *ladder);

#endif
