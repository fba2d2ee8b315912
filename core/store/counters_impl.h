/*
 * counters_impl - what a counter store gives to counters.c, and the arithmetic
 * of forward decay that both share.  For core/store and its tests only.
 */
#ifndef WEIR_STORE_COUNTERS_IMPL_H
#define WEIR_STORE_COUNTERS_IMPL_H

#include "core/base/limits.h"
#include "core/store/counters.h"

/* An entity wanted from a store that holds its numbers together. */
struct weir_counter_find {
    const struct weir_entity *entity;
    const void *record; /* packed (counter_record.h), as long as reading goes on; NULL: none */
    size_t len;
};
#define WEIR_COUNTER_FINDS 64

/* Beyond the variables, a store's own: one of su, gu, in was counted here ("rm"). */
#define WEIR_RARE_MARK WEIR_VARIABLES

/* One stored number: C of one epoch. */
struct weir_counter_slot {
    struct weir_counter counter;
    uint32_t epoch;
    uint64_t value; /* filled by fetch; 0 when there is none */
    bool missing;   /* filled by fetch: the store did not answer */
};

/* One change of one stored number. */
struct weir_counter_change {
    struct weir_counter counter;
    uint32_t epoch;
    uint32_t expires; /* Unix seconds, absolute */
    uint64_t amount;
    bool take_back;   /* subtract, floor at 0, and make nothing new */
    weir_time when;   /* of the event */
};

/* A back end.  self is its own state.  It is read either by fetch, which is told every
 * number that is wanted, or, where an entity's numbers lie together, by begin, find,
 * damaged and end, which give what there is; the others are NULL. */
struct weir_counter_store {
    const char *name;

    /* Fills value and missing of n slots.  Slots of one entity stand together.
     * 1 when all were answered, else 0. */
    int (*fetch)(void *self, struct weir_counter_slot *slot, size_t n);

    /* Stores n changes, those of one counter in the order given; *lost_r is how
     * many could not be.  0 or an error.  NULL in a store that is only read. */
    int (*apply)(void *self, const struct weir_counter_change *change, size_t n, size_t *lost_r);

    void (*tick)(void *self, weir_time now);

    /* Fills what the store knows: store, nodes, node[], entities, bytes. */
    void (*status)(void *self, struct weir_counters_status *status_r);

    void (*free)(void *self);

    /* Begins reading.  1; 0 when nothing is stored at all; an error.  After 1 (only), end.
     * While *generation_r stays, no number has changed. */
    int (*begin)(void *self, uint64_t *generation_r);

    /* Finds n entities, at most WEIR_COUNTER_FINDS.  Neighbours in the order of ids are
     * found quickest when they stand together.  0 or an error. */
    int (*find)(void *self, struct weir_counter_find *find, size_t n);

    /* What find gave was no record. */
    void (*damaged)(void *self);

    void (*end)(void *self);
};

/* Makes the handle around a back end; takes over self (freed also on failure).
 * near = 0: no near cache; it forgets with each new generation.  0 or WEIR_ENOMEM. */
int weir_counters_wrap(const struct weir_counter_store *store, void *self, weir_time near,
                       size_t near_entities, const struct weir_log *log,
                       struct weir_counters **counters_r);

/* Forward decay. --------------------------------------------------------- */

/* Length of an epoch in seconds: 16 half-lives, or 180 days without decay. */
uint64_t weir_decay_epoch_seconds(uint32_t half_life);

/* The epoch of a time; times before 1970 count as 1970. */
uint32_t weir_decay_epoch(weir_time time, uint32_t half_life);

/* What an event of this weight at this time adds to its epoch's number. */
uint64_t weir_decay_amount(weir_time time, uint32_t half_life, double weight);

/* When an epoch's number is no longer needed, Unix seconds: one half-life (or,
 * without decay, one day) after the end of the next epoch, so that clocks may differ a little.
 * WEIR_DECAY_NEVER when that is beyond the year 2106. */
#define WEIR_DECAY_NEVER (UINT32_MAX - 1) /* UINT32_MAX has a meaning of its own in memcached */
uint32_t weir_decay_expires(uint32_t epoch, uint32_t half_life);

/* The factor by which a number of that epoch counts at this time, 2^-12 included. */
double weir_decay_factor(weir_time time, uint32_t epoch, uint32_t half_life);

/* Whether the number of the epoch before still matters at this time.  After 13
 * half-lives of an epoch what came before it has shrunk to 2^-13, which is no
 * more than the rounding of a single event.  (At ten it would be 2^-10, and a
 * steady stream would be 0.1 % short.) */
bool weir_decay_looks_back(weir_time time, uint32_t half_life);

/* What all counters of one half-life have in common at one time.  A counter is
 * (C_e + C_(e-1) * before) * factor; the part in brackets is its number as of the
 * epoch, which stays what it is, however time passes, until an event or until. */
struct weir_decay_plan {
    weir_time now, until; /* epoch and before are the same from now to before until */
    uint32_t half_life;
    uint32_t epoch;
    double before; /* an epoch's 2^-16; 1 without decay; 0 when not looking back */
    double factor;
};

struct weir_decay_plan weir_decay_plan(weir_time now, uint32_t half_life);

/* The key of a slot in memcached, e.g. "v1:su2592000:43:<22 characters base64url>",
 * NUL-terminated.  Returns its length, below WEIR_COUNTER_KEY_MAX. */
size_t weir_counter_key(const struct weir_counter *counter, uint32_t epoch,
                        char key[static WEIR_COUNTER_KEY_MAX]);

#endif
