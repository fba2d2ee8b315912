/*
 * ledger - what messages and people's votes change in the numbers of counters
 * (core/store/counters.h), gathered in memory until it is kept.
 *
 * The same numbers as the servers have: of the same strings, by the same code
 * (weir_reputation_message, forward decay), so that what a store lost can be put back as it was.
 * A message's changes are as of its own time, or of now when that lies in the future, so that no
 * server's clock makes votes heavier.  What has faded already is left out.
 *
 * Owner:    the caller.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM, WEIR_ELIMIT, and some of a message's changes may be in it.
 * Limits:   WEIR_LEDGER_MAX changes; the caller keeps and clears them once a second.
 */
#ifndef WEIR_ANALYZER_LEDGER_H
#define WEIR_ANALYZER_LEDGER_H

#include "core/engine/info.h"
#include "core/evidence/reputation.h"

struct weir_ledger;

/* What is to be added to the stored number of a counter and an epoch; less than 0: taken back. */
struct weir_ledger_change {
    struct weir_counter counter;
    uint32_t epoch;
    int64_t amount;
};

/* key: that of the servers' counters; both are copied.  0 or WEIR_ENOMEM. */
int weir_ledger_new(const struct weir_reputation_settings *settings,
                   const struct weir_hash_key *key, struct weir_ledger **ledger_r);
void weir_ledger_free(struct weir_ledger **ledger);

/* A decision, which was read and verified; one that was not counted changes nothing. */
int weir_ledger_take(struct weir_ledger *ledger, const struct weir_info *info, weir_time now);

/* What people say of one, from one opinion to another. */
int weir_ledger_move(struct weir_ledger *ledger, const struct weir_info *info, enum weir_said from,
                    enum weir_said to, weir_time now);

/* An entity as a number that is its place among all: what one address, or one network, does for its
 * domains stands together.  Two entities with one number do not happen. */
int64_t weir_ledger_place(const struct weir_entity *entity);

/* All changes since it was cleared, by their entities' places; until the next call. */
const struct weir_ledger_change *weir_ledger_changes(struct weir_ledger *ledger, size_t *changes_r);

/* How many they are. */
size_t weir_ledger_size(const struct weir_ledger *ledger);

void weir_ledger_clear(struct weir_ledger *ledger);

#endif
