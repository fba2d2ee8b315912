/*
 * One model store, one clock, the default settings.  An address that does not
 * parse is a fault in the test and aborts.
 */
#include "tests/unit/reputation_world.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/address.h"

void world_open(struct world *world)
{
    *world = (struct world){.counters = memory_counters_new(),
                            .settings = weir_reputation_defaults(),
                            .now = 20000 * WEIR_DAY};
    memcpy(world->key.octet, "a test's own key", WEIR_HASH_KEY);
}

void world_close(struct world *world)
{
    memory_counters_free(&world->counters);
}

static struct weir_reputation_query query_of(const struct world *world, const char *address,
                                             const char *domain)
{
    struct weir_reputation_query query = {.domain = domain, .with_rates = true,
                                          .authenticated = world->authenticated};
    if (weir_address_parse(address, strlen(address), &query.address) != 0)
        abort();
    return query;
}

static void read_plan(struct world *world, const struct weir_reputation_query *query,
                      struct weir_reading reading[static WEIR_REPUTATION_READINGS])
{
    size_t n = weir_reputation_plan(&world->settings, &world->key, query, reading);
    memory_counters_read(world->counters, world->now, reading, n);
}

struct weir_reputation world_judge(struct world *world, const char *address, const char *domain)
{
    struct weir_reading reading[WEIR_REPUTATION_READINGS];
    struct weir_reputation_query query = query_of(world, address, domain);
    struct weir_reputation reputation;
    read_plan(world, &query, reading);
    weir_reputation_judge(&world->settings, &query, reading, &reputation);
    return reputation;
}

void world_vote(struct world *world, const char *address, const char *domain,
                enum weir_vote_verdict verdict, enum weir_vote_voter voter, unsigned times)
{
    struct weir_reading reading[WEIR_REPUTATION_READINGS];
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    struct weir_reputation_query query = query_of(world, address, domain);
    for (unsigned i = 0; i < times; i++) {
        read_plan(world, &query, reading);
        size_t n = weir_reputation_learn(&world->settings, &world->key, &query, reading,
                                         (struct weir_vote){verdict, voter}, addition);
        for (size_t a = 0; a < n; a++)
            memory_counters_add(world->counters, world->now, &addition[a].counter,
                                addition[a].weight);
    }
}

void world_take_back(struct world *world, weir_time when, const char *address, const char *domain,
                     enum weir_vote_verdict verdict, enum weir_vote_voter voter)
{
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    struct weir_reputation_query query = query_of(world, address, domain);
    size_t n = weir_reputation_learn(&world->settings, &world->key, &query, NULL,
                                     (struct weir_vote){verdict, voter}, addition);
    for (size_t a = 0; a < n; a++)
        memory_counters_take_back(world->counters, when, &addition[a].counter,
                                  addition[a].weight);
}

void world_spam(struct world *world, const char *address, const char *domain, unsigned times)
{
    world_vote(world, address, domain, WEIR_VOTE_SPAM, WEIR_VOTE_USER, times);
}

void world_good(struct world *world, const char *address, const char *domain, unsigned times)
{
    world_vote(world, address, domain, WEIR_VOTE_GOOD, WEIR_VOTE_USER, times);
}
