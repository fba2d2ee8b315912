/*
 * training - lessons of servers, people's votes and an operator's messages (training_io.c) against
 * a plain account of what each message is; kept in the database (database_lessons_io.c), so that
 * nothing is lost or counted twice; how much one server, or all, can teach in a day; and what a
 * word list (word_list.c) is made of.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/engine/verdict.h"
#include "core/evidence/rule_source.h"
#include "monitor/analyzer/training_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/seeded.h"

#define NOW DATABASE_NOW
#define SURE 12  /* points of rules */
#define SERVER_DAY 20
#define DAY 50

static const struct weir_info_keys keys = {.key = {{.id = 7, .octet = {1, 2, 3}}}, .keys = 1};
static const struct weir_info_keys others = {.key = {{.id = 7, .octet = {4}}}, .keys = 1};

struct world {
    struct database_rig *rig;
    struct weir_training *training;
    struct weir_arena *arena;
};

static const struct weir_training_settings settings = {
    .learn_spam = 10, .learn_ham = -0.5, .server_day = SERVER_DAY, .day = DAY, .told_day = 1000,
    .report_weight = 3, .tokens = 1000, .least = 2};

static void start(struct world *world)
{
    weir_training_free(&world->training);
    assert_int_equal(weir_training_open(world->rig->database, &settings, &keys, NULL,
                                        &world->training), 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *rig;

    if (!world || database_setup(&rig) != 0)
        return -1;
    world->rig = rig;
    world->arena = weir_arena_new(4096);
    start(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *rig = world->rig;

    weir_training_free(&world->training);
    weir_arena_free(&world->arena);
    free(world);
    return database_teardown(&rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Lessons. ------------------------------------------------------------------------- */

/* A message; zero is one of server 1, told by it just after it was decided. */
struct told {
    uint64_t uid;
    double points;             /* of rules; 0: as many as are sure */
    double own;                /* of reputation and the classifier */
    uint32_t server;           /* that decided and tells; 0: 1 */
    uint32_t teller;           /* another server than the one that decided */
    bool reported, unbound, other_key;
    uint8_t lacking;
    enum weir_verdict verdict; /* 0, ham: as the points say */
    weir_time age;
    const struct weir_info_keys *keys;
};

/* Five words, of which two are every message's, and one is its own. */
static struct weir_slice tokens_of(struct world *world, uint64_t uid)
{
    struct weir_bayes_token *token = weir_arena_zero(world->arena, 5, sizeof *token);
    const struct weir_bayes_tokens tokens = {.token = token, .tokens = 5};
    const struct weir_lesson lesson = {.tokens = 0};
    struct weir_slice octets;

    for (size_t i = 0; i < 5; i++)
        token[i].hash = i < 2 ? i + 1 : i < 4 ? 100 + (uid * i) % 13 + 20 * i : 1000 + uid;
    assert_int_equal(weir_lesson_write(&lesson, &tokens, world->arena, &octets), 0);
    return weir_slice_behind(octets, WEIR_LESSON_HEAD);
}

static struct weir_slice lesson_of(struct world *world, const struct told *told)
{
    double points = told->points != 0 ? told->points : SURE, score = points + told->own;
    const struct weir_info_rule rule[] = {{17, (float)points},
                                          {WEIR_RULE_ID_OWN + 3, (float)told->own}};
    const struct weir_info info = {
        .server = told->server ? told->server : 1, .at = NOW - told->age, .uid = told->uid,
        .binding = told->uid ^ 5,
        .verdict = told->verdict ? told->verdict : score >= 5 ? WEIR_SPAM : WEIR_HAM,
        .score = (float)score, .lacking = told->lacking};
    char text[WEIR_INFO_TEXT_MAX + 1];
    struct weir_slice tokens = tokens_of(world, told->uid), octets;
    struct weir_bayes_token token[5];
    struct weir_lesson lesson = {
        .reported = told->reported,
        .key = weir_lesson_key(weir_training_key(world->training)) + told->other_key,
        .binding = told->uid ^ (told->unbound ? 6 : 5)};

    assert_int_equal(weir_info_make(&info, rule, 2, told->keys ? told->keys : &keys, true, text),
                     0);
    lesson.info = weir_slice_of(text);
    for (size_t i = 0; i < 5; i++)
        token[i].hash = weir_lesson_token((const uint8_t *)tokens.at, i);
    assert_int_equal(weir_lesson_write(&lesson, &(struct weir_bayes_tokens){token, 5, false, 0},
                                       world->arena, &octets), 0);
    return octets;
}

static void settle(struct world *world, bool kept)
{
    if (kept)
        assert_int_equal(weir_database_commit(world->rig->database), 0);
    else
        weir_database_abandon(world->rig->database);
    weir_training_settle(world->training, kept);
}

static uint64_t came(struct world *world, enum weir_training_came word)
{
    return weir_training_state(world->training).came[word];
}

/* Tells, in a transaction of its own; expects what comes of it. */
static void tell(struct world *world, struct told told, enum weir_training_came want)
{
    uint64_t before = came(world, want);
    uint32_t server = told.server ? told.server : 1, teller = told.teller ? told.teller : server;

    assert_int_equal(weir_database_begin(world->rig->database), 0);
    assert_int_equal(weir_training_take(world->training, teller, lesson_of(world, &told), NOW),
                     0);
    settle(world, true);
    assert_int_equal(came(world, want), before + 1);
}

/* What people's votes make of a message, as reports_io.h has it. */
static void say(struct world *world, uint64_t uid, enum weir_reported said)
{
    assert_int_equal(weir_database_begin(world->rig->database), 0);
    assert_int_equal(weir_database_reported_put(world->rig->database, uid, said, NOW), 0);
    assert_int_equal(weir_training_said(world->training, uid, said, NOW), 0);
    settle(world, true);
}

static int teach(struct world *world, uint64_t uid, enum weir_reported as)
{
    int rc;

    assert_int_equal(weir_database_begin(world->rig->database), 0);
    rc = weir_training_corpus(world->training, uid, as, tokens_of(world, uid), NOW);
    settle(world, true);
    return rc;
}

static void check_learned(struct world *world, uint64_t spam, uint64_t ham)
{
    struct weir_bayes_learner_state state = weir_training_state(world->training).learner;

    assert_int_equal(state.spam, spam);
    assert_int_equal(state.ham, ham);
}

/* The counts as a table: the same counts give the same octets. */
static struct weir_slice table_of(struct world *world)
{
    struct weir_words words;
    struct weir_slice table;
    void *octets;

    assert_int_equal(weir_training_words(world->training, &words), 0);
    assert_int_equal(weir_word_list_build(&words, SIZE_MAX, &octets, &table.len), 0);
    table.at = weir_arena_copy(world->arena, octets, table.len);
    assert_non_null(table.at);
    weir_words_free(&words);
    free(octets);
    return table;
}

static void check_same(struct weir_slice a, struct weir_slice b)
{
    assert_true(weir_slice_same(a, b));
}

/* Tests. --------------------------------------------------------------------------- */

static void C29_a_sure_verdict_is_learned_once(void **state)
{
    struct world *world = *state;

    tell(world, (struct told){.uid = 1}, WEIR_TRAINING_LEARNED);
    tell(world, (struct told){.uid = 1}, WEIR_TRAINING_AGAIN);
    tell(world, (struct told){.uid = 2, .points = -1}, WEIR_TRAINING_LEARNED);
    check_learned(world, 1, 1);
}

static void C29_what_is_not_sure_by_rules_alone_teaches_nothing(void **state)
{
    static const struct told unsure[] = {
        {.uid = 1, .points = 9.99},
        {.uid = 2, .points = 6, .own = 20},
        {.uid = 3, .points = -0.49},
        {.uid = 4, .points = 0.1, .own = -20},
        {.uid = 5, .lacking = WEIR_LACKING_RULES},
        {.uid = 6, .lacking = WEIR_LACKING_CUT},
        {.uid = 7, .points = -3, .verdict = WEIR_BLOCKED},
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof unsure / sizeof unsure[0]; i++)
        tell(world, unsure[i], WEIR_TRAINING_UNSURE);
    check_learned(world, 0, 0);
}

static void what_is_not_proven_teaches_nothing(void **state)
{
    struct world *world = *state;
    static const char junk[] = "junk that is no lesson at all, whoever sent it";

    tell(world, (struct told){.uid = 1, .teller = 2}, WEIR_TRAINING_FOREIGN);
    tell(world, (struct told){.uid = 1, .keys = &others}, WEIR_TRAINING_BAD);
    tell(world, (struct told){.uid = 1, .unbound = true}, WEIR_TRAINING_BAD);
    tell(world, (struct told){.uid = 1, .other_key = true}, WEIR_TRAINING_OTHER_KEY);
    tell(world, (struct told){.uid = 1, .age = WEIR_TRAINING_OLDEST + WEIR_SECOND},
         WEIR_TRAINING_TOO_OLD);
    assert_int_equal(weir_training_take(world->training, 1, weir_slice_of(junk), NOW), 0);
    weir_training_settle(world->training, true);
    assert_int_equal(came(world, WEIR_TRAINING_BAD), 3);
    check_learned(world, 0, 0);
    assert_int_equal(database_number(world->rig, "SELECT count(*) FROM lessons"), 0);
}

static void C29_a_server_and_all_teach_so_many_a_day_of_each_kind(void **state)
{
    struct world *world = *state;
    const struct told spam = {.uid = 100};

    for (uint64_t uid = 1; uid <= SERVER_DAY; uid++)
        tell(world, (struct told){.uid = uid}, WEIR_TRAINING_LEARNED);
    tell(world, spam, WEIR_TRAINING_SERVER_CAP);
    for (uint64_t uid = 201; uid <= 200 + SERVER_DAY; uid++) /* ham has a share of its own */
        tell(world, (struct told){.uid = uid, .points = -1}, WEIR_TRAINING_LEARNED);
    check_learned(world, SERVER_DAY, SERVER_DAY);
    say(world, 1, WEIR_REPORTED_HAM); /* and people may say more */
    check_learned(world, SERVER_DAY - 1, SERVER_DAY + 3);
}

static void C29_many_servers_together_teach_no_more_than_the_day_has(void **state)
{
    struct world *world = *state;

    for (uint32_t i = 0; i < DAY; i++)
        tell(world, (struct told){.uid = i + 1, .server = 1 + i / SERVER_DAY},
             WEIR_TRAINING_LEARNED);
    tell(world, (struct told){.uid = DAY + 1, .server = 9}, WEIR_TRAINING_DAY_CAP);
    tell(world, (struct told){.uid = DAY + 2, .server = 9, .points = -1}, WEIR_TRAINING_LEARNED);
    check_learned(world, DAY, 1);
}

static void C29_reports_win_against_verdicts_and_weigh_more(void **state)
{
    struct world *world = *state;
    struct weir_slice before;

    for (uint64_t uid = 1; uid <= 6; uid++)
        tell(world, (struct told){.uid = uid, .points = uid % 2 ? SURE : -1},
             WEIR_TRAINING_LEARNED);
    before = table_of(world);
    say(world, 1, WEIR_REPORTED_HAM);
    check_learned(world, 2, 3 + 3);
    say(world, 1, WEIR_REPORTED_SPAM);
    check_learned(world, 2 + 3, 3);
    say(world, 1, WEIR_REPORTED_NOTHING);
    check_same(table_of(world), before);
}

static void a_report_before_its_tokens_counts_when_they_come(void **state)
{
    struct world *world = *state;

    say(world, 9, WEIR_REPORTED_SPAM);
    check_learned(world, 0, 0);
    tell(world, (struct told){.uid = 9, .points = 1, .reported = true, .teller = 5},
         WEIR_TRAINING_LEARNED);
    check_learned(world, 3, 0);
    tell(world, (struct told){.uid = 10, .points = 1, .reported = true}, WEIR_TRAINING_KEPT);
    check_learned(world, 3, 0);
    say(world, 10, WEIR_REPORTED_HAM);
    check_learned(world, 3, 3);
}

static void C29_an_operators_word_taken_back_leaves_the_verdicts(void **state)
{
    struct world *world = *state;

    tell(world, (struct told){.uid = 1}, WEIR_TRAINING_LEARNED);
    assert_int_equal(teach(world, 1, WEIR_REPORTED_HAM), 1);
    check_learned(world, 0, 1);
    assert_int_equal(teach(world, 1, WEIR_REPORTED_NOTHING), 1);
    check_learned(world, 1, 0);
    say(world, 1, WEIR_REPORTED_HAM);
    assert_int_equal(teach(world, 1, WEIR_REPORTED_SPAM), 0);
    assert_int_equal(teach(world, 1, WEIR_REPORTED_NOTHING), 0);
    say(world, 1, WEIR_REPORTED_NOTHING);
    check_learned(world, 1, 0);
}

static void C29_a_report_before_the_verdict_makes_no_difference(void **state)
{
    struct world *world = *state;
    struct weir_slice before;

    tell(world, (struct told){.uid = 1}, WEIR_TRAINING_LEARNED);
    tell(world, (struct told){.uid = 2}, WEIR_TRAINING_LEARNED);
    before = table_of(world);
    say(world, 3, WEIR_REPORTED_HAM);
    tell(world, (struct told){.uid = 3, .reported = true}, WEIR_TRAINING_LEARNED);
    check_learned(world, 2, 3);
    tell(world, (struct told){.uid = 3}, WEIR_TRAINING_LEARNED);
    tell(world, (struct told){.uid = 3}, WEIR_TRAINING_AGAIN);
    check_learned(world, 2, 3);
    say(world, 3, WEIR_REPORTED_NOTHING);
    check_learned(world, 3, 0);
    say(world, 3, WEIR_REPORTED_SPAM);
    say(world, 3, WEIR_REPORTED_NOTHING);
    tell(world, (struct told){.uid = 4, .points = 1, .reported = true}, WEIR_TRAINING_KEPT);
    say(world, 1, WEIR_REPORTED_HAM);
    say(world, 1, WEIR_REPORTED_NOTHING);
    check_learned(world, 3, 0);
    assert_false(weir_slice_same(table_of(world), before));
}

static void what_an_operator_teaches_is_unlearned_exactly(void **state)
{
    struct world *world = *state;
    struct weir_slice before;

    tell(world, (struct told){.uid = 1}, WEIR_TRAINING_LEARNED);
    before = table_of(world);
    assert_int_equal(teach(world, 50, WEIR_REPORTED_SPAM), 1);
    assert_int_equal(teach(world, 50, WEIR_REPORTED_SPAM), 0);
    assert_int_equal(teach(world, 51, WEIR_REPORTED_HAM), 1);
    assert_int_equal(teach(world, 51, WEIR_REPORTED_SPAM), 1);
    check_learned(world, 3, 0);
    assert_int_equal(teach(world, 50, WEIR_REPORTED_NOTHING), 1);
    assert_int_equal(teach(world, 51, WEIR_REPORTED_NOTHING), 1);
    assert_int_equal(teach(world, 51, WEIR_REPORTED_NOTHING), 0);
    assert_int_equal(teach(world, 1, WEIR_REPORTED_NOTHING), 0); /* a verdict's stays */
    assert_int_equal(teach(world, 77, WEIR_REPORTED_NOTHING), 0);
    check_same(table_of(world), before);
}

static void a_transaction_that_fails_changes_nothing(void **state)
{
    struct world *world = *state;
    const struct told told = {.uid = 2};
    struct weir_slice before;

    tell(world, (struct told){.uid = 1}, WEIR_TRAINING_LEARNED);
    before = table_of(world);
    assert_int_equal(weir_database_begin(world->rig->database), 0);
    assert_int_equal(weir_training_take(world->training, 1, lesson_of(world, &told), NOW), 0);
    assert_int_equal(weir_training_said(world->training, 1, WEIR_REPORTED_HAM, NOW), 0);
    settle(world, false);
    check_same(table_of(world), before);
    tell(world, told, WEIR_TRAINING_LEARNED);
    check_learned(world, 2, 0);
}

/* What a message is by a plain account: by people, else by who taught it last. */
struct account {
    enum weir_reported label[40], said[40];
};

static void do_anything(struct world *world, struct seeded *s, struct account *account)
{
    uint64_t uid = 1 + seeded_below(s, 39);
    enum weir_reported as = seeded_below(s, 3);

    switch (seeded_below(s, 4)) {
    case 0:
        say(world, uid, as);
        account->said[uid] = as;
        break;
    case 1:
        assert_int_equal(weir_training_keep(world->training, NOW, seeded_below(s, 2)), 0);
        break;
    case 2: /* as after kill -9 */
        start(world);
        break;
    default:
        (void)teach(world, uid, as);
        account->label[uid] = as;
    }
}

static void C29_counts_are_those_of_a_plain_account_whatever_happens(void **state)
{
    struct world *world = *state;
    struct seeded s = seeded_new(__func__);
    struct account account = {{0}, {0}};
    uint64_t spam = 0, ham = 0;

    for (int i = 0; i < 400; i++)
        do_anything(world, &s, &account);
    for (uint64_t uid = 1; uid < 40; uid++) {
        enum weir_reported is = account.said[uid] ? account.said[uid] : account.label[uid];
        char sql[80];

        snprintf(sql, sizeof sql, "SELECT count(*) FROM lessons WHERE uid = %u", (unsigned)uid);
        if (database_number(world->rig, sql) == 0)
            continue; /* people spoke of a message that nobody knows */
        spam += is == WEIR_REPORTED_SPAM ? (account.said[uid] ? 3 : 1) : 0;
        ham += is == WEIR_REPORTED_HAM ? (account.said[uid] ? 3 : 1) : 0;
    }
    check_learned(world, spam, ham);
    for (uint64_t uid = 1; uid < 40; uid++) {
        say(world, uid, WEIR_REPORTED_NOTHING);
        (void)teach(world, uid, WEIR_REPORTED_NOTHING);
    }
    check_learned(world, 0, 0);
    assert_int_equal(weir_training_state(world->training).learner.tokens, 0);
}

static void counts_survive_the_key_and_a_restart(void **state)
{
    struct world *world = *state;
    const struct weir_hash_key key = *weir_training_key(world->training);
    struct weir_slice before;

    for (uint64_t uid = 1; uid <= 5; uid++)
        tell(world, (struct told){.uid = uid}, WEIR_TRAINING_LEARNED);
    before = table_of(world);
    start(world);
    check_same(table_of(world), before);
    assert_int_equal(weir_training_keep(world->training, NOW, true), 0);
    assert_int_equal(database_number(world->rig, "SELECT count(*) FROM lesson_changes"), 0);
    start(world);
    check_same(table_of(world), before);
    assert_memory_equal(weir_training_key(world->training), &key, sizeof key);
    say(world, 3, WEIR_REPORTED_HAM);
    say(world, 3, WEIR_REPORTED_NOTHING);
    check_same(table_of(world), before);
}

static void words_that_few_had_long_ago_are_forgotten(void **state)
{
    struct world *world = *state;

    for (uint64_t uid = 1; uid <= 5; uid++)
        tell(world, (struct told){.uid = uid}, WEIR_TRAINING_LEARNED);
    assert_true(weir_training_state(world->training).learner.tokens > 5);
    assert_int_equal(weir_training_prune(world->training, NOW + 89 * WEIR_DAY), 0);
    assert_true(weir_training_state(world->training).learner.tokens > 5);
    assert_int_equal(weir_training_prune(world->training, NOW + 91 * WEIR_DAY), 0);
    assert_in_range(weir_training_state(world->training).learner.tokens, 2, 4);
    start(world);
    check_learned(world, 5, 0);
}

/* The list made of what was learned; its octets are the arena's. */
static struct weir_bayes_table list_of(struct world *world)
{
    struct weir_slice octets = table_of(world);
    struct weir_bayes_table list;

    assert_int_equal(weir_bayes_table_attach(octets.at, octets.len, true, &list), 0);
    return list;
}

static void C28_weights_come_of_the_lessons_that_are_kept_and_of_no_others(void **state)
{
    struct world *world = *state;
    struct weir_bayes_count found;
    struct weir_slice before;
    uint64_t uid = 1;

    for (; uid <= 3; uid++)
        tell(world, (struct told){.uid = uid}, WEIR_TRAINING_LEARNED);
    tell(world, (struct told){.uid = uid++, .points = -3}, WEIR_TRAINING_LEARNED);
    assert_false(list_of(world).weighed); /* too little ham */
    assert_int_equal(teach(world, uid++, WEIR_REPORTED_HAM), 1);
    assert_true(list_of(world).weighed);
    struct weir_bayes_table list = list_of(world);
    assert_int_equal(weir_bayes_table_find(&list, 1001, &found), 1);
    assert_true(found.weight > 0);
    assert_int_equal(weir_bayes_table_find(&list, 1004, &found), 1);
    assert_true(found.weight < 0);
    before = table_of(world);
    assert_int_equal(teach(world, uid, WEIR_REPORTED_SPAM), 1);
    assert_false(weir_slice_same(table_of(world), before));
    assert_int_equal(teach(world, uid, WEIR_REPORTED_NOTHING), 1);
    check_same(table_of(world), before); /* as if it had never been there */
    say(world, 4, WEIR_REPORTED_SPAM);
    assert_false(list_of(world).weighed); /* only one is ham now */
    say(world, 4, WEIR_REPORTED_NOTHING);
    start(world);
    check_same(table_of(world), before);
}

static void damaged_counts_are_refused(void **state)
{
    struct world *world = *state;
    struct weir_training *other = NULL;

    assert_int_equal(weir_database_run(world->rig->database, "UPDATE bayes_counts SET counts = "
                                       "x'00'"), 0);
    assert_true(weir_training_open(world->rig->database, &settings, &keys, NULL, &other) < 0);
    assert_null(other);
}

static void who_begins_anew_has_no_lessons_of_the_old_key(void **state)
{
    struct world *world = *state;

    tell(world, (struct told){.uid = 1}, WEIR_TRAINING_LEARNED);
    tell(world, (struct told){.uid = 2, .points = -1}, WEIR_TRAINING_LEARNED);
    assert_int_equal(weir_database_run(world->rig->database, "DELETE FROM bayes_counts"), 0);
    start(world);
    check_learned(world, 0, 0);
    assert_int_equal(database_number(world->rig, "SELECT count(*) FROM lessons"), 0);
    say(world, 1, WEIR_REPORTED_HAM);
    check_learned(world, 0, 0);
    tell(world, (struct told){.uid = 2, .points = -1}, WEIR_TRAINING_LEARNED);
    start(world);
    check_learned(world, 0, 1);
    assert_int_equal(database_number(world->rig, "SELECT count(*) FROM lessons"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C29_a_sure_verdict_is_learned_once),
        TEST(C29_what_is_not_sure_by_rules_alone_teaches_nothing),
        TEST(what_is_not_proven_teaches_nothing),
        TEST(C29_a_server_and_all_teach_so_many_a_day_of_each_kind),
        TEST(C29_many_servers_together_teach_no_more_than_the_day_has),
        TEST(C29_reports_win_against_verdicts_and_weigh_more),
        TEST(a_report_before_its_tokens_counts_when_they_come),
        TEST(C29_an_operators_word_taken_back_leaves_the_verdicts),
        TEST(C29_a_report_before_the_verdict_makes_no_difference),
        TEST(what_an_operator_teaches_is_unlearned_exactly),
        TEST(a_transaction_that_fails_changes_nothing),
        TEST(C29_counts_are_those_of_a_plain_account_whatever_happens),
        TEST(counts_survive_the_key_and_a_restart),
        TEST(words_that_few_had_long_ago_are_forgotten),
        TEST(C28_weights_come_of_the_lessons_that_are_kept_and_of_no_others),
        TEST(damaged_counts_are_refused),
        TEST(who_begins_anew_has_no_lessons_of_the_old_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
