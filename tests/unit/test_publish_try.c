/*
 * publish_try - what differs between two sets is tried on kept decisions, and new expressions on
 * the texts that people reported as good.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/verdict.h"
#include "monitor/analyzer/publish_try_io.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_texts_io.h"
#include "tests/unit/database_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

static const char win[] = "body WIN /win/\nscore WIN 1\nid WIN 7\n";
static char why[WEIR_DATABASE_WHY];

static int try(struct database_rig *rig, const char *before, const char *next)
{
    const struct weir_publish_trial trial = {.before = weir_slice_of(before),
                                             .next = weir_slice_of(next), .spam_score = 5,
                                             .now = DATABASE_NOW};

    why[0] = '\0';
    return weir_publish_try(rig->database, &trial, why);
}

/* A message of so many points, one of them by rule 7. */
static void put(struct database_rig *rig, uint64_t uid, enum weir_verdict verdict, float score)
{
    const struct weir_info info = {.uid = uid, .at = DATABASE_NOW, .verdict = (uint8_t)verdict,
                                   .score = score, .rules = 2,
                                   .rule = {{7, 1}, {9, score - 1}}};

    database_must(rig, weir_database_messages_put(rig->database, &info, 1, 1000, DATABASE_NOW), 1);
}

static const char *win_at(char *text, size_t room, double score)
{
    snprintf(text, room, "body WIN /win/\nscore WIN %.2f\nid WIN 7\n", score);
    return text;
}

static void B16_a_score_that_would_make_good_mail_spam_is_refused(void **state)
{
    struct database_rig *rig = *state;
    char text[100];

    put(rig, 0x4711, WEIR_HAM, 2);
    put(rig, 2, WEIR_SPAM, 9);
    assert_int_equal(try(rig, win, win), 0);
    assert_int_equal(try(rig, win, win_at(text, sizeof text, 3.98)), 0);
    assert_int_equal(try(rig, win, win_at(text, sizeof text, 4)), WEIR_EINVAL);
    assert_string_equal(why, "with 4.00 points WIN would make message 0000000000004711 spam, and "
                             "nobody said it is; --force publishes it");
    assert_int_equal(try(rig, win, win_at(text, sizeof text, -4)), 0);
    assert_int_equal(try(rig, win, ""), 0);
    assert_int_equal(weir_database_run(rig->database, "UPDATE messages SET reported = 'spam'"), 0);
    assert_int_equal(try(rig, win, win_at(text, sizeof text, 4)), 0);
}

static void B16_delivered_mail_that_was_unsure_needs_ten_times_as_much_spam(void **state)
{
    struct database_rig *rig = *state;
    char text[100];

    put(rig, 1, WEIR_UNSURE, 4.5f);
    put(rig, 2, WEIR_UNSURE, 4.5f);
    assert_int_equal(try(rig, win, win_at(text, sizeof text, 2)), WEIR_EINVAL);
    assert_int_equal(weir_database_run(rig->database, "INSERT INTO hits SELECT 7, 1, 1, 9, 9, 9, "
                                       "0, 21, 0, max(time) FROM messages"), 0);
    assert_int_equal(try(rig, win, win_at(text, sizeof text, 2)), 0);
    put(rig, 3, WEIR_UNSURE, 4.5f);
    assert_int_equal(try(rig, win, win_at(text, sizeof text, 2)), WEIR_EINVAL);
    /* A person let it go to work, which it did not before. */
    assert_int_equal(try(rig, "body WIN /win/\nid WIN 7\nstate WIN test\nscore WIN 2\n",
                         win_at(text, sizeof text, 2)), 0);
}

static void put_text(struct database_rig *rig, uint64_t uid, const char *effect, const char *mail)
{
    struct weir_arena *arena = weir_arena_new(1u << 16);
    const struct weir_reported_text told = {.spam = false};
    struct weir_database_text row = {.uid = uid, .proven = true, .state = "valid",
                                     .time = DATABASE_NOW, .server = 1};
    char sql[120];

    assert_int_equal(weir_reported_text_pack(&told, weir_slice_of(mail), arena, &row.octets), 0);
    assert_int_equal(weir_database_text_put(rig->database, &row), 1);
    snprintf(sql, sizeof sql, "INSERT INTO reported (uid, effect, changed) VALUES (%u, '%s', 1); "
             "UPDATE messages SET reported = '%s' WHERE uid = %u", (unsigned)uid, effect, effect,
             (unsigned)uid);
    assert_int_equal(weir_database_run(rig->database, sql), 0);
    weir_arena_free(&arena);
}

static void put_rule(struct database_rig *rig, const char *text, double score)
{
    static const struct weir_rule_change change = {.who = "w", .why = "", .time = DATABASE_NOW};
    const struct weir_kept_rule rule = {
        .id = 8, .name = "ALL", .kind = WEIR_RULE_BODY, .text = text, .state = WEIR_RULE_ACTIVE,
        .score = score, .base = score, .author = "w"};

    database_must(rig, weir_database_rule_put(rig->database, &rule, &change), 1);
}

static void B16_a_new_expression_in_mail_that_is_reported_as_good_is_refused(void **state)
{
    static const char mail[] = "From: a@b.example\nSubject: x\n\nlunch on friday?\n";
    static const char all[] = "body ALL /./\nscore ALL 99\nid ALL 8\n";
    struct database_rig *rig = *state;
    char both[200];

    snprintf(both, sizeof both, "%s%s", win, all);
    put_rule(rig, "body ALL /./\n", 99);
    put(rig, 5, WEIR_HAM, 1);
    assert_int_equal(try(rig, win, both), 0); /* nobody knows */
    put_text(rig, 5, "ham", mail);
    assert_int_equal(try(rig, win, both), WEIR_EINVAL);
    assert_string_equal(why, "by its text message 0000000000000005 would be spam, and people say "
                             "that it is good; --force publishes it");
    assert_int_equal(try(rig, both, both), 0); /* nothing is new */
    put_rule(rig, "body ALL /never seen/\n", 99);
    assert_int_equal(try(rig, win, both), 0);
}

static void what_is_spam_already_hinders_no_new_expression(void **state)
{
    static const char next[] = "body WIN /win/\nscore WIN 1\nid WIN 7\n"
                               "body ALL /lunch/\nscore ALL 5\nid ALL 8\n";
    struct database_rig *rig = *state;

    put_rule(rig, "body ALL /lunch/\n", 5);
    put(rig, 5, WEIR_SPAM, 9);
    put_text(rig, 5, "ham", "From: a@b.example\n\nlunch on friday?\n");
    assert_int_equal(try(rig, win, next), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B16_a_score_that_would_make_good_mail_spam_is_refused),
        TEST(B16_delivered_mail_that_was_unsure_needs_ten_times_as_much_spam),
        TEST(B16_a_new_expression_in_mail_that_is_reported_as_good_is_refused),
        TEST(what_is_spam_already_hinders_no_new_expression),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
