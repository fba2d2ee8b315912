/*
 * reputation_world - mail comes in, is judged, is voted upon: the whole way
 * plan -> store -> judge -> learn over the model store, with a clock the test
 * moves.
 */
#ifndef WEIR_TESTS_REPUTATION_WORLD_H
#define WEIR_TESTS_REPUTATION_WORLD_H

#include "core/evidence/reputation.h"
#include "tests/unit/memory_counters.h"

struct world {
    struct memory_counters *counters;
    struct weir_reputation_settings settings;
    struct weir_hash_key key;
    weir_time now;
    bool authenticated; /* of the mail that comes next */
};

void world_open(struct world *world);
void world_close(struct world *world);

/* What is thought of mail from this address for this domain. */
struct weir_reputation world_judge(struct world *world, const char *address, const char *domain);

/* So many votes on mail from there, all at this moment. */
void world_vote(struct world *world, const char *address, const char *domain,
                enum weir_vote_verdict verdict, enum weir_vote_voter voter, unsigned times);

/* Takes one vote back that was cast at this time. */
void world_take_back(struct world *world, weir_time when, const char *address, const char *domain,
                     enum weir_vote_verdict verdict, enum weir_vote_voter voter);

/* The same, by users, in fewer words. */
void world_spam(struct world *world, const char *address, const char *domain, unsigned times);
void world_good(struct world *world, const char *address, const char *domain, unsigned times);

#endif
