/*
 * bucket - token buckets of millions of addresses in bounded memory (claims A10, A11, A12).
 *
 * Each entry holds the buckets of one address (or network), one for each quantity, as what is
 * missing in them (the deficit) and the time of the last charge:
 *
 *     tokens = min(maximum, tokens + rate * seconds since then)
 *     exceeded if tokens < n;  tokens = max(-maximum, tokens - n)
 *
 * Since Weir observes and does not admit, what exceeds is charged, too, down to -maximum: the
 * alarm lasts as long as the excess, and ends 2 * maximum/rate seconds after it at the latest.  For
 * a fixed limit this is the GCRA's theoretical arrival time in other words, and unlike that it
 * knows a rate of 0 (A11: so many in all) and limits that change.  A bucket with a rate of 0 is
 * full again WEIR_BUCKET_HELD after its last charge.
 *
 * An entry whose buckets are all full says nothing, so that its place is free without loss.  The
 * table has two sets of eight places for each address, by a keyed hash; where both are full, an
 * entry is moved to its other set, and where that is full, too, the entry that is nearest to full
 * gives way, counted as evicted; one that is over its limit goes last.  A 64-bit keyed hash stands
 * for the address: in ten million addresses two share one with a chance of 3 in a million, and
 * nobody can aim at it.
 *
 * Limits are kept by the number of a class, so that an entry is judged by its own limits whoever
 * looks for a place.
 *
 * Time is the event's, not the clock's: a charge from before the last one does not turn it back.
 * It takes its tokens in full if it comes at most WEIR_BUCKET_LATE late, and no later than half of
 * the bucket takes to fill up; from one that is later, what the bucket would have got back in the
 * time beyond that is taken off, and each moment's share of it once: a mark says up to when it has
 * been set against what came late.  So a server that was cut off and tells its last hour convicts
 * nobody whom another server has seen meanwhile and who kept his limits, and him who went beyond
 * twice his rate.  Who went beyond by less may get off: what the bucket got back in that time may
 * have been used by charges told before, and is taken off what is told later all the same.
 * Marks are few - one for every 128 addresses - and where they do not suffice, the oldest go.
 * What is full is kept for WEIR_BUCKET_LATE more as long as there is room, for charges that arrive
 * out of order.
 * Where one server alone has charged a quarter of a maximum since half, more than all others, it is
 * by that one's word, whoever else charged a little: else one that lies could make others its
 * witnesses by a single good mail each.  The others join it when all of them together have charged
 * a quarter, too, and beyond what comes back meanwhile.  That is no more than they need to go
 * beyond the limit without it, so that one that lies shelters nobody from their word; and whoever
 * keeps the limit with them makes them nobody's witnesses, however long it lies.  Where nobody has
 * so much, all that charged since account for it together.  Of those that have not yet, a row
 * follows the one that is ahead of the rest, as in a vote by majority; right on average, to a 31st
 * of the quarter.
 * Deficits are single precision: right to a ten-millionth of the deficit a charge, and what is
 * less than a millionth of the maximum beyond it does not count as beyond.
 *
 * Owner:    the caller owns the table.  Threads: one.
 * Errors:   weir_buckets_new(): WEIR_ENOMEM, WEIR_EINVAL (no address, or more than
 *           WEIR_BUCKET_ADDRESSES_MAX).
 * Limits:   40 octets for each of `addresses` entries and 12,000 for limits, all told; see
 *           weir_buckets_octets().
 */
#ifndef WEIR_THRESHOLD_BUCKET_H
#define WEIR_THRESHOLD_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/keyed_hash.h"
#include "core/base/limits.h"

#define WEIR_BUCKET_HELD WEIR_DAY
#define WEIR_BUCKET_LATE WEIR_MINUTE

enum weir_quantity {
    WEIR_QUANTITY_CONNECTIONS,
    WEIR_QUANTITY_MESSAGES,
    WEIR_QUANTITY_RECIPIENTS,
    WEIR_QUANTITIES
};

/* "connections", "messages", "recipients". */
const char *weir_quantity_name(enum weir_quantity quantity);

/* The one of that name; false, and nothing is given, when there is none. */
bool weir_quantity_find(const char *name, enum weir_quantity *quantity_r);

struct weir_limit {
    double rate;     /* tokens a second, 0..WEIR_BUCKET_TOKENS_MAX */
    double maximum;  /* tokens, 1..WEIR_BUCKET_TOKENS_MAX; 0: not limited, nothing is charged */
};

/* The limits of one class of addresses. */
struct weir_limits {
    struct weir_limit of[WEIR_QUANTITIES];
};

/* What is charged to one prefix. */
struct weir_cost {
    weir_time time;              /* of the event, at its server; 1970..2540, else the nearest */
    unsigned class_number;       /* whose limits hold */
    uint32_t quantity[WEIR_QUANTITIES];
    uint32_t server;             /* number of the mail server */
};

/* What a bucket says after a charge. */
struct weir_level {
    bool exceeded;   /* the charge found fewer tokens than it costs */
    bool raised;     /* exceeded, and was not since it was last at half or above: tell somebody */
    bool cleared;    /* was raised, and had half of its tokens again before the charge */
    bool over;       /* raised now or earlier, and not cleared since */
    double tokens;   /* left: -maximum..maximum; 0 where it is not limited */
};

struct weir_levels {
    struct weir_level of[WEIR_QUANTITIES];
    bool made;         /* the entry is new: the buckets were full, or had given way */
    weir_time time;    /* of the latest charge, this one included */
    weir_time since;   /* all buckets were last seen at half or above; to 131 ms */
    uint32_t seen;     /* bits of the numbers, modulo 32, of the servers that charged since then */
    uint32_t servers;  /* of those by whose word it is: see above */
};

struct weir_buckets;

struct weir_buckets_counts {
    uint64_t charges, made, evicted; /* evicted: not full when they gave way */
    size_t used, places;             /* used: not free as far as is known without a sweep */
};

/* A table with room for so many addresses at once; no class has a limit yet. */
int weir_buckets_new(size_t addresses, const struct weir_hash_key *key,
                     struct weir_buckets **buckets_r);
void weir_buckets_free(struct weir_buckets **buckets);

/* Sets the limits of a class; what was charged stays charged.  0, or WEIR_EINVAL: a number not
 * below WEIR_BUCKET_CLASSES_MAX, or a limit out of its range; then nothing is changed. */
int weir_buckets_limit(struct weir_buckets *buckets, unsigned class_number,
                       const struct weir_limits *limits);

/* What stands for a prefix in the functions below: its hash, and perhaps where it lies. */
struct weir_spot {
    uint64_t name;  /* never 0 */
    size_t place;   /* a guess */
};

/* Names a prefix and asks for its places in the table; weir_buckets_near(), some charges later,
 * asks for its row.  A charge some charges later still need not wait for the memory. */
struct weir_spot weir_buckets_spot(const struct weir_buckets *buckets,
                                   const struct weir_prefix *prefix);
void weir_buckets_near(const struct weir_buckets *buckets, struct weir_spot *spot);

/* Charges all quantities to a prefix.  True when there is anything to look at in levels_r: a
 * bucket over, raised or cleared, or an entry made. */
bool weir_buckets_charge(struct weir_buckets *buckets, const struct weir_spot *spot,
                         const struct weir_cost *cost, struct weir_levels *levels_r);

/* From now on it is by the word of these servers: of one alone, or of all. */
void weir_buckets_vouch(struct weir_buckets *buckets, const struct weir_spot *spot,
                        uint32_t servers);

/* Charges what was charged before by a table that is gone: never beyond a maximum, so that nothing
 * is raised. */
void weir_buckets_restore(struct weir_buckets *buckets, const struct weir_spot *spot,
                          const struct weir_cost *cost);

/* What a charge of nothing would say, but that nothing is raised; makes no entry.  The second one
 * says it for good: what is cleared is cleared. */
void weir_buckets_look(const struct weir_buckets *buckets, const struct weir_spot *spot,
                       weir_time time, unsigned class_number, struct weir_levels *levels_r);
void weir_buckets_settle(struct weir_buckets *buckets, const struct weir_spot *spot,
                         weir_time time, unsigned class_number, struct weir_levels *levels_r);

/* Fills the buckets of a prefix up: an analyst said so. */
void weir_buckets_reset(struct weir_buckets *buckets, const struct weir_spot *spot);

/* Takes over what a table with the same key holds, which stays as it is, into one that holds
 * nothing yet: for other limits.  What was of class c is of class_of[c] until it is charged again.
 * Looks at all rows; where there is room for fewer, those nearest to full give way. */
void weir_buckets_take_over(struct weir_buckets *buckets, const struct weir_buckets *from,
                            const uint8_t class_of[static WEIR_BUCKET_CLASSES_MAX]);

/* The clock was put back to a time: what was charged later was charged then.  Looks at all rows. */
void weir_buckets_rebase(struct weir_buckets *buckets, weir_time now);

const struct weir_buckets_counts *weir_buckets_counts(const struct weir_buckets *buckets);

/* Octets the table takes. */
size_t weir_buckets_octets(const struct weir_buckets *buckets);

#endif
