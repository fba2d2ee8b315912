/*
 * database_messages - recent messages and what they hit, as SQL and the guard ask for them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/engine/verdict.h"
#include "monitor/database/database_messages_io.h"
#include "tests/unit/database_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

/* Rule 17 gave it all its points but one, which is rule 20's; rule 30 has hit it, too. */
static struct weir_info a_message(uint64_t uid, enum weir_verdict verdict, float score)
{
    struct weir_info info = {.uid = uid, .at = DATABASE_NOW, .server = 3, .has_boundary = true,
                             .boundary = database_address(7), .verdict = (uint8_t)verdict,
                             .score = score, .serial = 5, .rules = 3,
                             .rule = {{17, score - 1}, {20, 1}, {30, 0}}};

    strcpy(info.domain, "example.com");
    return info;
}

static void put(struct database_rig *rig, const struct weir_info *info, int news)
{
    database_must(rig, weir_database_messages_put(rig->database, info, 1), news);
}

static void report(struct database_rig *rig, const struct weir_info *info, const char *said,
                   weir_time time)
{
    database_must(rig, weir_database_message_report(rig->database, info, said, time), 0);
}

struct seen {
    char text[1024];
    size_t len;
};

static int see_good(void *context, const struct weir_guard_message *message)
{
    struct seen *seen = context;

    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len, "%d %.1f:",
                                  (int)message->uid, message->score);
    for (size_t i = 0; i < message->hits; i++)
        seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                      " %u %.1f", (unsigned)message->hit[i].rule,
                                      message->hit[i].points);
    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len, "| ");
    return 0;
}

static int see_blamed(void *context, uint32_t rule, unsigned messages, unsigned people)
{
    struct seen *seen = context;

    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                  people ? "%u %u %u| " : "%u %u| ", (unsigned)rule, messages,
                                  people);
    return 0;
}

static void B24_false_positives_of_a_rule_are_one_question_of_SQL(void **state)
{
    static const char question[] =
        "SELECT count(*) FROM rules JOIN message_hits ON message_hits.rule = rules.id "
        "JOIN messages ON messages.number = message_hits.message WHERE rules.id = 17 "
        "AND messages.verdict = 'spam' AND messages.reported = 'ham' AND points > 0";
    struct database_rig *rig = *state;

    assert_int_equal(weir_database_run(rig->database, "INSERT INTO rules VALUES (17, 'A', 'body', "
        "'', 'active', 1, 1, 0, 0, '', 0, 0, 0, 0)"), 0);
    for (uint64_t i = 0; i < 10; i++) {
        const struct weir_info info = a_message(i, i < 6 ? WEIR_SPAM : WEIR_HAM, i < 6 ? 7 : 2);

        put(rig, &info, 1);
        if (i == 2 || i == 4 || i == 8)
            report(rig, &info, "ham", DATABASE_NOW);
    }
    assert_int_equal(database_number(rig, question), 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM messages WHERE domain = "
                                     "'example.com' AND server = 3 AND serial = 5 AND length"
                                     "(address) = 16"), 10);
}

static void what_comes_again_is_kept_once(void **state)
{
    struct database_rig *rig = *state;
    struct weir_info info[3] = {a_message(UINT64_MAX, WEIR_HAM, 1), a_message(1, WEIR_HAM, 1),
                                a_message(UINT64_MAX, WEIR_SPAM, 9)};

    info[1].has_boundary = false;
    database_must(rig, weir_database_messages_put(rig->database, info, 3), 2);
    database_must(rig, weir_database_messages_put(rig->database, info, 3), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM messages"), 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 6);
    assert_int_equal(database_number(rig, "SELECT length(address) FROM messages WHERE uid = 1"), 0);
}

static void good_mail_is_ham_by_its_verdict_corrected_by_people(void **state)
{
    struct database_rig *rig = *state;
    struct weir_info info[6];
    struct seen seen = {.len = 0};

    for (unsigned i = 0; i < 6; i++)
        info[i] = a_message(i, i < 3 ? WEIR_HAM : i < 5 ? WEIR_SPAM : WEIR_UNSURE, i < 3 ? 2 : 6);
    info[2].rules = 0;
    database_must(rig, weir_database_messages_put(rig->database, info, 6), 6);
    report(rig, &info[0], "spam", DATABASE_NOW);
    report(rig, &info[3], "ham", DATABASE_NOW);
    report(rig, &info[4], "ham", DATABASE_NOW);
    report(rig, &info[4], "", DATABASE_NOW);
    database_must(rig, weir_database_messages_good(rig->database, see_good, &seen), 2);
    assert_string_equal(seen.text, "1 2.0: 17 1.0 20 1.0 30 0.0| 3 6.0: 17 5.0 20 1.0 30 0.0| ");
}

static void a_report_of_what_was_not_sampled_puts_it_there(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_info info = a_message(9, WEIR_SPAM, 8);

    report(rig, &info, "ham", DATABASE_NOW);
    assert_int_equal(database_number(rig, "SELECT reported_at FROM messages WHERE uid = 9 AND "
                                     "reported = 'ham'"), DATABASE_NOW);
    put(rig, &info, 0);
    report(rig, &info, "", DATABASE_NOW + 1);
    assert_int_equal(database_number(rig, "SELECT reported_at FROM messages WHERE uid = 9"), 0);
}

static void B33_rules_are_blamed_for_what_was_reported_lately(void **state)
{
    struct database_rig *rig = *state;
    struct seen seen = {.len = 0};

    for (unsigned i = 0; i < 4; i++) {
        struct weir_info info = a_message(i, i == 3 ? WEIR_BLOCKED : WEIR_SPAM, 6);

        info.rules = i == 1 ? 1 : 3;
        report(rig, &info, "ham", DATABASE_NOW - i * WEIR_DAY);
    }
    database_must(rig, weir_database_messages_blamed(rig->database, DATABASE_NOW - 2 * WEIR_DAY,
                                                     see_blamed, &seen), 2);
    assert_string_equal(seen.text, "17 3| 20 2| ");
    seen = (struct seen){.len = 0};
    database_must(rig, weir_database_messages_blamed(rig->database, 0, see_blamed, &seen), 2);
    assert_string_equal(seen.text, "17 4| 20 3| ");
}

static void the_oldest_go(void **state)
{
    struct database_rig *rig = *state;

    for (unsigned i = 0; i < 20; i++) {
        const struct weir_info info = a_message(i, WEIR_HAM, 2);
        put(rig, &info, 1);
    }
    database_must(rig, weir_database_messages_forget(rig->database, 20), 0);
    database_must(rig, weir_database_messages_forget(rig->database, 19), 1);
    database_must(rig, weir_database_messages_forget(rig->database, 5), 14);
    assert_int_equal(database_number(rig, "SELECT min(uid) * 100 + count(*) FROM messages"), 1505);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 15);
}

static void no_more_than_WEIR_MESSAGES_MAX_are_kept(void **state)
{
    struct database_rig *rig = *state;
    struct weir_info info = a_message(1, WEIR_HAM, 2);

    put(rig, &info, 1);
    assert_int_equal(weir_database_run(rig->database, "UPDATE sqlite_sequence SET seq = 200000 "
                                       "WHERE name = 'messages'"), 0);
    assert_int_equal(WEIR_MESSAGES_MAX, 200000);
    info.uid = 2;
    put(rig, &info, 1);
    assert_int_equal(database_number(rig, "SELECT sum(uid) FROM messages"), 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B24_false_positives_of_a_rule_are_one_question_of_SQL),
        TEST(what_comes_again_is_kept_once),
        TEST(good_mail_is_ham_by_its_verdict_corrected_by_people),
        TEST(a_report_of_what_was_not_sampled_puts_it_there),
        TEST(B33_rules_are_blamed_for_what_was_reported_lately),
        TEST(the_oldest_go),
        TEST(no_more_than_WEIR_MESSAGES_MAX_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
