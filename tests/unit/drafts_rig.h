/*
 * drafts_rig - a database with a campaign of missed spam that people reported, and a run over it.
 */
#ifndef WEIR_TESTS_DRAFTS_RIG_H
#define WEIR_TESTS_DRAFTS_RIG_H

#include "core/base/slice.h"
#include "monitor/analyzer/drafts_io.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/database/database_drafts_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_texts_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define CAMPAIGN "your parcel number %u waits at the depot, pay the small fee of %u dollars at " \
    "once or it goes back to the sender, this is the last notice we send you before that"

static const struct weir_hash_key token_key = {{9}};

struct world {
    struct database_rig *rig;
    struct weir_arena *arena;
    uint64_t uid;
    struct weir_drafts_options options;
};

static inline int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *rig;

    if (!world || database_setup(&rig) != 0)
        return -1;
    world->rig = rig;
    world->arena = weir_arena_new(1u << 20);
    world->uid = 100;
    world->options = (struct weir_drafts_options){
        .settings = {.reports = 3, .users = 3, .domains = 2, .ham_least = 0, .left = 8,
                     .left_server = 8},
        .token_key = token_key, .suffixes = "", .spam_score = 5, .now = NOW, .who = "analyzer"};
    *state = world;
    return 0;
}

static inline int teardown(void **state)
{
    struct world *world = *state;
    void *rig = world->rig;

    weir_arena_free(&world->arena);
    free(world);
    return database_teardown(&rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static inline void sql(struct world *world, const char *text)
{
    database_must(world->rig, weir_database_run(world->rig->database, text), 0);
}

static inline int64_t number(struct world *world, const char *text)
{
    return database_number(world->rig, text);
}

/* A text that people said something of; text NULL: one of the campaign. */
static inline uint64_t put_text(struct world *world, const char *text, const char *effect)
{
    unsigned n = (unsigned)(world->uid % 50);
    const char *campaign = weir_arena_printf(world->arena, CAMPAIGN, 100 + n, n);
    const char *mail = weir_arena_printf(world->arena, "Subject: no %u\n\n%s\n", n,
                                         text ? text : campaign);
    const struct weir_reported_text told = {.spam = effect[0] == 's'};
    struct weir_database_text row = {.uid = world->uid++, .proven = true, .state = "valid",
                                     .time = NOW, .server = 1};

    assert_int_equal(weir_reported_text_pack(&told, weir_slice_of(mail), world->arena,
                                             &row.octets), 0);
    assert_int_equal(weir_database_text_put(world->rig->database, &row), 1);
    sql(world, weir_arena_printf(world->arena, "INSERT INTO reported (uid, effect, changed) "
                                 "VALUES (%llu, '%s', 1)",
                                 (unsigned long long)row.uid, effect));
    return row.uid;
}

static inline void vote(struct world *world, uint64_t uid, int user, const char *domain,
                 const char *verdict)
{
    sql(world, weir_arena_printf(world->arena, "INSERT INTO reports (time, server, user, name, "
        "told, way, kind, state, came, vote, weight, uid, verdict, score, address, domain, info) "
        "VALUES (1, 1, %d, 'u%d@%s', '', '', 'spam', 'valid', 'counted', 1, 1, %llu, '%s', 0, '', "
        "'', '')", user, user, domain, (unsigned long long)uid, verdict));
}

/* So many messages of the campaign, each of a person of his own in one of three domains. */
static inline void put_campaign(struct world *world, int messages)
{
    static const char *const domain[] = {"one.example", "two.example", "three.example"};

    for (int i = 0; i < messages; i++)
        vote(world, put_text(world, NULL, "spam"), i, domain[i % 3], "ham");
}

static inline struct weir_drafts *run(struct world *world)
{
    struct weir_drafts *drafts = NULL;

    database_must(world->rig, weir_drafts_new(world->rig->database, &world->options, &drafts), 0);
    return drafts;
}

static inline void put_rule(struct world *world, const char *name, const char *text, double score)
{
    const struct weir_rule_change change = {.who = "w", .why = "", .time = NOW};
    const struct weir_kept_rule rule = {
        .id = weir_rule_id(weir_slice_of(name)), .name = name,
        .kind = text[0] == 'm' ? WEIR_RULE_META : WEIR_RULE_BODY,
        .text = text, .state = WEIR_RULE_ACTIVE, .score = score, .base = score, .author = "w"};

    database_must(world->rig, weir_database_rule_put(world->rig->database, &rule, &change), 1);
}

#endif
