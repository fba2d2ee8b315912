/*
 * database_messages - recent messages and what they hit, as SQL and the guard ask for them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "core/engine/verdict.h"
#include "monitor/analyzer/life.h"
#include "monitor/database/database_found_io.h"
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
    database_must(rig, database_put_message(rig->database, info), news);
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

    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                  "%d %.1f%s:", (int)message->uid, message->score,
                                  message->unsure ? "?" : "");
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
    for (size_t i = 0; i < 6; i++)
        put(rig, &info[i % 3], i < 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM messages"), 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 6);
    assert_int_equal(database_number(rig, "SELECT length(address) FROM messages WHERE uid = 1"), 0);
}

static void what_is_not_known_to_be_spam_goes_by_verdict_and_by_people(void **state)
{
    struct database_rig *rig = *state;
    struct weir_info info[8];
    struct seen seen = {.len = 0};

    for (unsigned i = 0; i < 8; i++)
        info[i] = a_message(i, i < 3 ? WEIR_HAM : i < 5 ? WEIR_SPAM : WEIR_UNSURE,
                            i < 3 ? 2 : i < 5 ? 6 : 4);
    info[2].rules = 0;
    for (size_t i = 0; i < 8; i++)
        put(rig, &info[i], 1);
    report(rig, &info[0], "spam", DATABASE_NOW);
    report(rig, &info[3], "ham", DATABASE_NOW);
    report(rig, &info[4], "ham", DATABASE_NOW);
    report(rig, &info[4], "", DATABASE_NOW);
    report(rig, &info[6], "spam", DATABASE_NOW);
    report(rig, &info[7], "ham", DATABASE_NOW);
    database_must(rig, weir_database_messages_good(rig->database, see_good, &seen), 4);
    assert_string_equal(seen.text, "1 2.0: 17 1.0 20 1.0 30 0.0| 3 6.0: 17 5.0 20 1.0 30 0.0| "
                                   "5 4.0?: 17 3.0 20 1.0 30 0.0| 7 4.0: 17 3.0 20 1.0 30 0.0| ");
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
    assert_int_equal(database_number(rig, "SELECT reported_at FROM messages WHERE uid = 9 AND "
                                     "reported = ''"), DATABASE_NOW + 1);
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
    database_must(rig, weir_database_messages_forget(rig->database, 20, DATABASE_NOW), 0);
    database_must(rig, weir_database_messages_forget(rig->database, 19, DATABASE_NOW), 1);
    database_must(rig, weir_database_messages_forget(rig->database, 5, DATABASE_NOW), 14);
    assert_int_equal(database_number(rig, "SELECT min(uid) * 100 + count(*) FROM messages"), 1505);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 15);
}

static void what_was_reported_within_a_week_stays(void **state)
{
    static const weir_time now = DATABASE_NOW + WEIR_LIFE_REPORTS;
    struct database_rig *rig = *state;
    struct seen seen = {.len = 0};

    for (unsigned i = 0; i < 20; i++) {
        const struct weir_info info = a_message(i, WEIR_SPAM, 6);

        put(rig, &info, 1);
        if (i == 3 || i == 4)
            report(rig, &info, "ham", DATABASE_NOW - (i == 3));
        if (i == 5) { /* taken back: it stays as long, and counts for nothing */
            report(rig, &info, "ham", DATABASE_NOW);
            report(rig, &info, "", DATABASE_NOW);
        }
    }
    database_must(rig, weir_database_messages_forget(rig->database, 10, now - 1), 7);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits JOIN messages "
                                     "ON message = number WHERE uid = 4"),
                     3);
    database_must(rig, weir_database_messages_forget(rig->database, 10, now), 1);
    database_must(rig, weir_database_messages_blamed(rig->database, DATABASE_NOW, see_blamed,
                                                     &seen), 2);
    assert_string_equal(seen.text, "17 1| 20 1| ");
    database_must(rig, weir_database_messages_forget(rig->database, 10, now + 1), 2);
    assert_int_equal(database_number(rig, "SELECT min(uid) * 100 + count(*) FROM messages"), 1010);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 30);
}

/* The next message's number. */
static void go_on_at(struct database_rig *rig, const char *sql)
{
    assert_int_equal(weir_database_run(rig->database, sql), 0);
}

static void no_more_than_are_wanted_are_kept(void **state)
{
    struct database_rig *rig = *state;
    struct weir_info info = a_message(1, WEIR_HAM, 2);

    put(rig, &info, 1);
    go_on_at(rig, "UPDATE sqlite_sequence SET seq = 999 WHERE name = 'messages'");
    info.uid = 2;
    put(rig, &info, 1);
    assert_int_equal(database_number(rig, "SELECT sum(uid) FROM messages"), 3);
    info.uid = 3;
    put(rig, &info, 1);
    assert_int_equal(database_number(rig, "SELECT sum(uid) FROM messages"), 5);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 6);
}

/* Of as many as can be wanted. */
static int keep_many(struct database_rig *rig, const struct weir_info *info, size_t count)
{
    struct weir_record record[4];

    for (size_t i = 0; i < count; i++)
        record[i] = (struct weir_record){info[i], weir_record_beside_nothing(), false};
    return weir_database_messages_put(rig->database, record, count, WEIR_MESSAGES_MAX,
                                      DATABASE_NOW);
}

static void many_go_a_piece_at_a_time(void **state)
{
    struct database_rig *rig = *state;
    struct weir_info info[4];

    for (unsigned i = 0; i < 4; i++)
        info[i] = a_message(i + 1, WEIR_HAM, 2);
    assert_int_equal(WEIR_MESSAGES_AT_ONCE, 20000);
    put(rig, info, 1);
    go_on_at(rig, "UPDATE messages SET number = 20000; UPDATE message_hits SET message = 20000;"
             "UPDATE sqlite_sequence SET seq = 20000 WHERE name = 'messages'");
    database_must(rig, keep_many(rig, info + 1, 1), 1);
    go_on_at(rig, "UPDATE sqlite_sequence SET seq = 30000 WHERE name = 'messages'");
    put(rig, info + 2, 1);
    assert_int_equal(database_number(rig, "SELECT sum(uid) FROM messages"), 5);
    put(rig, info + 3, 1);
    assert_int_equal(database_number(rig, "SELECT sum(uid) FROM messages"), 7);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 6);
}

static void scores_are_tried_on_the_last_and_on_what_people_said_anything_of(void **state)
{
    struct database_rig *rig = *state;
    struct weir_info info[4];
    struct seen seen = {.len = 0};

    for (unsigned i = 0; i < 4; i++)
        info[i] = a_message(i + 1, WEIR_HAM, 2);
    database_must(rig, keep_many(rig, info, 2), 2);
    report(rig, &info[0], "ham", DATABASE_NOW);
    assert_int_equal(WEIR_MESSAGES_TRIED, 200000);
    go_on_at(rig, "UPDATE sqlite_sequence SET seq = 200001 WHERE name = 'messages'");
    database_must(rig, keep_many(rig, info + 2, 1), 1);
    database_must(rig, weir_database_messages_good(rig->database, see_good, &seen), 2);
    database_must(rig, keep_many(rig, info + 3, 1), 1);
    seen.len = 0;
    database_must(rig, weir_database_messages_good(rig->database, see_good, &seen), 3);
}

static int see_found(void *context, const struct weir_found_message *message)
{
    struct seen *seen = context;

    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                  "%d@%u %s %s %s %.2f %.0f| ", (int)message->uid,
                                  (unsigned)message->server, message->queue_id, message->action,
                                  message->ground, message->confidence,
                                  message->has_limits ? message->spam : -1);
    return 0;
}

/* What is found, newest first; rule 0: any. */
static const char *found(struct database_rig *rig, const char *queue_id, const char *servers,
                         uint32_t rule)
{
    static struct seen seen;
    const struct weir_found_choice choice = {.queue_id = queue_id, .servers = servers,
                                             .rule = rule, .most = 10};

    struct weir_found_end end;

    seen = (struct seen){.len = 0};
    if (weir_database_found(rig->database, &choice, see_found, &seen, &end) < 0)
        fail_msg("%s", weir_database_why(rig->database));
    return seen.text;
}

static void a_queue_id_finds_exactly_the_messages_of_all_servers_that_used_it(void **state)
{
    struct database_rig *rig = *state;
    struct weir_record record = {.beside = {.queue_id = "4XYZ", .action = "reject",
                                            .ground = "score", .basis = "pair",
                                            .confidence = 0.5, .has_limits = true, .unsure = 3,
                                            .spam = 5, .reject = 15}};
    struct weir_info info = a_message(9, WEIR_HAM, 1);

    for (unsigned i = 1; i <= 3; i++) {
        record.info = a_message(i, WEIR_SPAM, 7);
        record.info.server = i;
        strcpy(record.beside.queue_id, i == 3 ? "4XYZ1" : "4XYZ");
        database_must(rig, weir_database_messages_put(rig->database, &record, 1, 1000,
                                                      DATABASE_NOW), 1);
    }
    put(rig, &info, 1);
    assert_string_equal(found(rig, "4XYZ", "", 0), "2@2 4XYZ reject score 0.50 5| "
                        "1@1 4XYZ reject score 0.50 5| ");
    assert_string_equal(found(rig, "4XYZ", ",1,3,", 0), "1@1 4XYZ reject score 0.50 5| ");
    assert_string_equal(found(rig, "4XYZ1", NULL, 17), "3@3 4XYZ1 reject score 0.50 5| ");
    assert_string_equal(found(rig, "4XYZ1", NULL, 18), "");
    assert_string_equal(found(rig, "4xyz", "", 0), "");
    assert_string_equal(found(rig, "", ",3,1,", 0), "9@3    -1.00 -1| "
                        "3@3 4XYZ1 reject score 0.50 5| 1@1 4XYZ reject score 0.50 5| ");
    assert_int_equal(database_number(rig, "SELECT count(*) FROM messages INDEXED BY "
                                     "messages_queue WHERE queue_id = '4XYZ' "
                                     "AND queue_id <> ''"), 2);
}

/* A place by number is one of a rule's hits, and leads nowhere without a rule. */
static void a_place_that_no_way_goes_on_from_is_refused(void **state)
{
    struct database_rig *rig = *state;
    struct weir_found_choice choice = {.after = {.by_number = true, .number = 5}, .most = 10};
    struct seen seen = {.len = 0};
    struct weir_found_end end;

    assert_int_equal(weir_database_found(rig->database, &choice, see_found, &seen, &end),
                     WEIR_EINVAL);
    choice.verdict = "spam";
    assert_int_equal(weir_database_found(rig->database, &choice, see_found, &seen, &end),
                     WEIR_EINVAL);
    choice.rule = 17;
    database_must(rig, weir_database_found(rig->database, &choice, see_found, &seen, &end), 0);
}

static void what_a_report_told_first_learns_its_queue_id_from_its_line_once(void **state)
{
    struct database_rig *rig = *state;
    struct weir_record record = {.info = a_message(1, WEIR_SPAM, 7),
                                 .beside = {.queue_id = "4XYZ", .action = "pass",
                                            .ground = "score", .basis = "", .confidence = -1}};

    report(rig, &record.info, "ham", DATABASE_NOW);
    assert_string_equal(found(rig, "", "", 0), "1@3    -1.00 -1| ");
    for (int i = 0; i < 2; i++) {
        database_must(rig, weir_database_messages_put(rig->database, &record, 1, 1000,
                                                      DATABASE_NOW), 0);
        assert_string_equal(found(rig, "4XYZ", "", 0), "1@3 4XYZ pass score -1.00 -1| ");
        strcpy(record.beside.queue_id, "OTHER");
    }
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 3);
}

static void what_was_counted_before_and_let_go_does_not_come_again(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_record record = {.info = a_message(1, WEIR_SPAM, 7), .again = true,
                                       .beside = {.queue_id = "4XYZ", .action = "pass",
                                                  .ground = "score", .basis = ""}};

    database_must(rig, weir_database_messages_put(rig->database, &record, 1, 1000,
                                                      DATABASE_NOW), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM messages"), 0);
}

/* What a migration sums up is what is summed up as it comes. */
static void messages_are_summed_up_by_time_verdict_and_score(void **state)
{
    static const float scores[] = {-300, -20.5f, -20, -0.5f, 0, 0.99f, 5, 19.5f, 20, 300};
    struct database_rig *rig = *state;
    int64_t sum;

    for (unsigned i = 0; i < 10; i++) {
        struct weir_info info = a_message(i + 1, (enum weir_verdict)(i % 4), scores[i]);

        info.at = DATABASE_NOW - i * 17 * WEIR_MINUTE;
        put(rig, &info, 1);
    }
    assert_int_equal(database_number(rig, "SELECT sum(count) FROM message_sums"), 40);
    assert_int_equal(database_number(rig, "SELECT count FROM message_sums WHERE what = 24 - 20 "
                                     "AND span = 300000000 ORDER BY begins LIMIT 1"), 1);
    assert_int_equal(database_number(rig, "SELECT sum(count) FROM message_sums WHERE what = 24 - "
                                     "20"), 2 * 3);
    assert_int_equal(database_number(rig, "SELECT sum(count) FROM message_sums WHERE what = 24 + "
                                     "19"), 2 * 3);
    assert_int_equal(database_number(rig, "SELECT sum(count) FROM message_sums WHERE what = 24"),
                     2 * 2);
    sum = database_number(rig, "SELECT sum(span / 300000000 * (begins / 1000000 % 99991) * "
                          "(what + 7) * count) FROM message_sums");
    assert_int_equal(weir_database_run(rig->database, "DROP TABLE message_sums;"
                     "DROP TABLE minute_sums; DROP INDEX messages_verdict;"
                     "DROP INDEX messages_said; DROP INDEX events_about;"
                     "DROP INDEX events_unheard; ALTER TABLE events DROP COLUMN unheard;"
                     "DROP TABLE owed; DROP INDEX events_silenced; PRAGMA user_version = 23"), 0);
    database_must(rig, database_open(rig), 0);
    assert_int_equal(database_number(rig, "SELECT sum(span / 300000000 * (begins / 1000000 % "
                                     "99991) * (what + 7) * count) FROM message_sums"), sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B24_false_positives_of_a_rule_are_one_question_of_SQL),
        TEST(what_comes_again_is_kept_once),
        TEST(what_is_not_known_to_be_spam_goes_by_verdict_and_by_people),
        TEST(a_report_of_what_was_not_sampled_puts_it_there),
        TEST(B33_rules_are_blamed_for_what_was_reported_lately),
        TEST(a_queue_id_finds_exactly_the_messages_of_all_servers_that_used_it),
        TEST(a_place_that_no_way_goes_on_from_is_refused),
        TEST(what_a_report_told_first_learns_its_queue_id_from_its_line_once),
        TEST(what_was_counted_before_and_let_go_does_not_come_again),
        TEST(the_oldest_go),
        TEST(what_was_reported_within_a_week_stays),
        TEST(no_more_than_are_wanted_are_kept),
        TEST(many_go_a_piece_at_a_time),
        TEST(messages_are_summed_up_by_time_verdict_and_score),
        TEST(scores_are_tried_on_the_last_and_on_what_people_said_anything_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
