/*
 * counters_key - whether counters were made with the key that is here.
 *
 * Entities are hashes keyed by counters.key: with another key nothing of what was counted is found
 * again, and nothing says so.  So a store has a mark with the key's fingerprint, which is looked at
 * by whoever shows how the store is.
 *
 * The mark is two counters of an entity that no key makes: one says that there is a mark, the
 * other has the fingerprint as its half-life, years that hardly fade.
 *
 * Threads:  as the counters handle.
 */
#ifndef WEIR_STORE_COUNTERS_KEY_H
#define WEIR_STORE_COUNTERS_KEY_H

#include "core/base/keyed_hash.h"
#include "core/store/counters.h"

/* Of a key, as a number that tells nothing of it: never 0. */
uint32_t weir_counters_fingerprint(const struct weir_hash_key *key);

enum weir_counters_key {
    WEIR_COUNTERS_KEY_OURS,
    WEIR_COUNTERS_KEY_NONE,    /* there is no mark */
    WEIR_COUNTERS_KEY_OTHER,   /* it was made with another key */
    WEIR_COUNTERS_KEY_UNKNOWN, /* the store does not answer */
};

/* "ours", "none", "other", "unknown". */
const char *weir_counters_key_name(enum weir_counters_key state);

/* What the mark says. */
enum weir_counters_key weir_counters_key_look(struct weir_counters *counters,
                                              const struct weir_hash_key *key, weir_time now);

/* Marks a store that has none; the same state as before it. */
enum weir_counters_key weir_counters_key_mark(struct weir_counters *counters,
                                              const struct weir_hash_key *key, weir_time now);

#endif
