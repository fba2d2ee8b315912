/*
 * analyzer - a run over a rulebook in a database: what is stored, what is refused, and that it is
 * all or nothing, whoever runs beside it or is killed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "core/engine/verdict.h"
#include "monitor/analyzer/analyzer_io.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_rules_io.h"
#include "tests/unit/database_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)
#define DAY(n) (DATABASE_NOW + (n) * WEIR_DAY)

/* A rule called R<id>, active at a score since DATABASE_NOW. */
static void add_rule(struct database_rig *rig, uint32_t id, double score)
{
    static const struct weir_rule_change change = {.who = "test", .why = "", .time = DATABASE_NOW};
    char name[16];
    const struct weir_kept_rule rule = {.id = id, .name = name, .kind = WEIR_RULE_BODY, .text = "x",
                                        .state = WEIR_RULE_ACTIVE, .score = score, .base = score,
                                        .author = "test", .approved = true};

    snprintf(name, sizeof name, "R%u", (unsigned)id);
    database_must(rig, weir_database_rule_put(rig->database, &rule, &change), 1);
}

/* So much spam and ham of 10,000 each as of DATABASE_NOW, which is the last hit. */
static void add_hits(struct database_rig *rig, uint32_t id, double spam, double ham)
{
    char sql[300];

    snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO hits VALUES (%u, 1, %lld, 9, 9, 9, 0, %.17g, "
             "%.17g, %lld); INSERT OR REPLACE INTO hits_all VALUES (1, 10000, 10000, %lld)",
             (unsigned)id, (long long)DATABASE_NOW, spam, ham, (long long)DATABASE_NOW,
             (long long)DATABASE_NOW);
    assert_int_equal(weir_database_run(rig->database, sql), 0);
}

static struct weir_analysis *analysis_at(struct database_rig *rig, weir_time now)
{
    const struct weir_analysis_options options = {
        .settings = {.life = weir_life_defaults(), .spam_score = 5, .share = 0.5}, .now = now,
        .who = "uid 0"};
    struct weir_analysis *analysis = NULL;

    database_must(rig, weir_analysis_new(rig->database, &options, &analysis), 0);
    return analysis;
}

static struct weir_analysis_counts run(struct database_rig *rig, weir_time now)
{
    struct weir_analysis *analysis = analysis_at(rig, now);
    struct weir_analysis_counts counts;

    database_must(rig, weir_analysis_store(analysis, rig->database), 0);
    counts = weir_analysis_counts(analysis);
    weir_analysis_free(&analysis);
    return counts;
}

/* A rule's score in hundredths; its state is the active one. */
static int64_t score_of(struct database_rig *rig, const char *name)
{
    char sql[120];

    snprintf(sql, sizeof sql, "SELECT round(score * 100) FROM rules WHERE name = '%s' AND state = "
             "'active'", name);
    return database_number(rig, sql);
}

static void B1_scores_move_by_what_was_hit_and_history_says_why(void **state)
{
    struct database_rig *rig = *state;

    add_rule(rig, 1, 0.5);
    add_rule(rig, 2, 0.5);
    add_rule(rig, 3, 1); /* nothing is known of it */
    add_hits(rig, 1, 100, 0);
    add_hits(rig, 2, 1000, 50);
    for (int i = 1; i <= 4; i++)
        assert_int_equal(run(rig, DATABASE_NOW).changed, i < 4 ? 2 : 1);
    assert_int_equal(run(rig, DATABASE_NOW).changed, 0);
    assert_int_equal(score_of(rig, "R1"), 208);
    assert_int_equal(score_of(rig, "R2"), 193);
    assert_int_equal(score_of(rig, "R3"), 100);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes WHERE name = 'R1' "
        "AND what = 'score' AND who = 'uid 0' AND why = 'it hit 100 of 10000 spam and 0 of 10000 "
        "good messages lately, which is worth 2.08 to 5.34; its author gave it 0.50'"), 4);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes WHERE name = 'R1' "
                                     "AND old = '1.50' AND new = '2.00'"), 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM audit WHERE what = 'analyze'"), 4);
}

static void B7_B8_idle_rules_are_retired_after_30_days_and_stay_in_the_book(void **state)
{
    struct database_rig *rig = *state;

    add_rule(rig, 1, 1);
    add_hits(rig, 1, 3, 0);
    add_rule(rig, 2, 1);
    assert_int_equal(run(rig, DAY(29)).changed, 0);
    assert_int_equal(run(rig, DAY(31)).changed, 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rules WHERE state = 'retired' AND "
                                     "score = 1"), 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes WHERE what = 'state' "
        "AND new = 'retired' AND why LIKE '%31 days since the last hit'"), 1);
    assert_int_equal(run(rig, DAY(62)).changed, 0);
}

/* Spam that a rule gave its points, reported as good by people in turn. */
static void add_false_positives(struct database_rig *rig, uint32_t id, unsigned reports,
                                unsigned people)
{
    for (uint64_t i = 0; i < reports; i++) {
        int64_t number;
        const struct weir_info info = {.uid = id * 1000 + i, .at = DATABASE_NOW, .score = 6,
                                       .verdict = WEIR_SPAM, .rules = 2,
                                       .rule = {{id, 2}, {777, 4}}};

        database_must(rig, weir_database_message_report(rig->database, &info, "ham",
                                                        DATABASE_NOW), 0);
        const struct weir_database_report vote = {.time = DATABASE_NOW, .server = 1,
                                                  .user = i % people, .uid = info.uid,
                                                  .vote = true, .weighs = true};
        database_must(rig, weir_database_report_add(rig->database, &vote, &number), 0);
    }
}

static void B33_reported_false_positives_put_a_rule_to_the_test(void **state)
{
    struct database_rig *rig = *state;

    add_rule(rig, 1, 2);
    add_rule(rig, 2, 2);
    add_rule(rig, 3, 2);
    add_false_positives(rig, 1, 2, 2);
    add_false_positives(rig, 2, 3, 2);
    add_false_positives(rig, 3, 50, 1); /* one alone may be the spammer */
    assert_int_equal(run(rig, DAY(8)).changed, 0); /* too long ago */
    assert_int_equal(run(rig, DAY(6)).changed, 1);
    assert_int_equal(database_number(rig, "SELECT id FROM rules WHERE state = 'test'"), 2);
    assert_int_equal(database_number(rig, "SELECT approved FROM rules WHERE id = 2"), 0);
}

/* Three servers, the third of which tells what it likes of rule 1. */
static void add_liar(struct database_rig *rig, double spam, double ham)
{
    char sql[1200];

    snprintf(sql, sizeof sql, "DELETE FROM hits; DELETE FROM hits_all; DELETE FROM hits_servers;"
        "INSERT OR IGNORE INTO servers (number, name, secret_hash, added)"
        " VALUES (1, 'mx1', x'', 1), (2, 'mx2', x'', 1), (3, 'mx3', x'', 1);"
        "INSERT INTO hits_servers SELECT -1, number, 10000, 10000, %1$lld FROM servers;"
        "INSERT INTO hits_servers VALUES (1, 1, 500, 1, %1$lld), (1, 2, 500, 1, %1$lld),"
        " (1, 3, %2$f, %3$f, %1$lld);"
        "UPDATE hits_servers SET spam_decayed = 10000 + %2$f, ham_decayed = 10000 + %3$f"
        " WHERE server = 3 AND rule = -1;"
        "INSERT INTO hits SELECT 1, 1, at, 9, 9, 9, 0, sum(spam_decayed), sum(ham_decayed), at"
        " FROM hits_servers WHERE rule = 1;"
        "INSERT INTO hits_all SELECT 1, sum(spam_decayed), sum(ham_decayed), at"
        " FROM hits_servers WHERE rule = -1", (long long)DATABASE_NOW, spam, ham);
    assert_int_equal(weir_database_run(rig->database, sql), 0);
}

static void B1_a_server_that_lies_does_not_move_a_score_the_others_bear_out(void **state)
{
    struct database_rig *rig = *state;

    add_rule(rig, 1, 2.5);
    add_liar(rig, 500, 1);
    assert_int_equal(run(rig, DATABASE_NOW).changed, 1);
    assert_int_equal(score_of(rig, "R1"), 300);
    add_rule(rig, 1, 3);
    add_liar(rig, 500, 1e6); /* it hit good mail, says one */
    assert_int_equal(run(rig, DATABASE_NOW).changed, 1);
    assert_int_equal(run(rig, DATABASE_NOW).changed, 0);
    assert_int_equal(score_of(rig, "R1"), 290);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes WHERE why LIKE "
        "'it hit 1000 of 20000 spam and 22 of 20020 good messages lately, as far as the word of "
        "mx3 counts, which is worth 2.41 to 2.90; its author gave it 3.00'"), 1);
    assert_int_equal(database_number(rig, "SELECT ham_decayed FROM hits WHERE rule = 1"), 1000002);
}

static size_t would_change(struct database_rig *rig, weir_time now)
{
    struct weir_analysis *analysis = analysis_at(rig, now);
    size_t changed = weir_analysis_counts(analysis).changed;

    weir_analysis_free(&analysis);
    return changed;
}

static void B33_one_servers_people_do_not_demote_what_the_others_never_reported(void **state)
{
    struct database_rig *rig = *state;

    add_rule(rig, 1, 2);
    add_rule(rig, 2, 2);
    add_rule(rig, 3, 2);
    add_false_positives(rig, 1, 50, 9);
    assert_int_equal(weir_database_run(rig->database, "UPDATE reports SET server = 2"), 0);
    add_false_positives(rig, 2, 2, 2);
    assert_int_equal(would_change(rig, DAY(1)), 1); /* two of another's say too little */
    add_false_positives(rig, 3, 1, 1);
    assert_int_equal(would_change(rig, DAY(1)), 0);
    assert_int_equal(weir_database_run(rig->database, "UPDATE reports SET server = 1 "
                                       "WHERE number = 7"), 0);
    assert_int_equal(run(rig, DAY(1)).changed, 1); /* one of them bears it out */
    assert_int_equal(database_number(rig, "SELECT id FROM rules WHERE state = 'test'"), 1);
}

static void change_as(struct database_rig *rig, const char *who,
                      int (*edit)(void *context, struct weir_kept_rule *rule), weir_time time)
{
    const struct weir_rule_change by = {.who = who, .why = "", .time = time};

    database_must(rig, weir_database_rule_edit(rig->database, 1, edit, NULL, &by), 1);
}

static int put_to_work(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    rule->state = WEIR_RULE_ACTIVE;
    rule->approved = true;
    return 0;
}

static int put_to_the_test(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    rule->state = WEIR_RULE_TEST;
    rule->approved = false;
    return 0;
}

static void B33_reports_from_before_a_person_decided_do_not_overrule_him(void **state)
{
    struct database_rig *rig = *state;

    add_rule(rig, 1, 2);
    add_false_positives(rig, 1, 3, 2);
    assert_int_equal(run(rig, DAY(1)).changed, 1);
    change_as(rig, "uid 0", put_to_work, DAY(1));
    assert_int_equal(run(rig, DAY(2)).changed, 0);
    change_as(rig, "analyzer for uid 0", put_to_the_test, DAY(2)); /* that is no person's word */
    assert_int_equal(weir_database_run(rig->database, "UPDATE rules SET state = 'active'; "
                                       "UPDATE messages SET time = time + 2 * 86400000000"), 0);
    assert_int_equal(run(rig, DAY(3)).changed, 1); /* what came since does count */
    change_as(rig, "uid 0", put_to_work, DAY(3));
    assert_int_equal(weir_database_run(rig->database, "UPDATE messages SET serial = 3, "
                                       "time = time + 2 * 86400000000"), 0);
    assert_int_equal(run(rig, DAY(5)).changed, 1);
    change_as(rig, "uid 0", put_to_work, DAY(3)); /* but not if an older set judged it */
    assert_int_equal(weir_database_run(rig->database, "INSERT INTO rule_sets (serial, made, who, "
        "what, why, rules, octets, file) VALUES (3, 1, '', '', '', 1, 1, x'')"), 0);
    assert_int_equal(run(rig, DAY(5)).changed, 0);
}

static void B16_what_would_make_good_mail_spam_is_refused_and_told(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_info good = {.uid = 4711, .at = DATABASE_NOW, .score = 4.7f,
                                   .verdict = WEIR_HAM, .rules = 2, .rule = {{1, 1}, {9, 3.7f}}};
    const struct weir_analysis_change *change;
    struct weir_analysis *analysis;

    add_rule(rig, 1, 1);
    add_rule(rig, 2, 1);
    add_hits(rig, 1, 100, 0);
    add_hits(rig, 2, 100, 0);
    database_must(rig, weir_database_messages_put(rig->database, &good, 1, 1000, DATABASE_NOW),
                  1);
    analysis = analysis_at(rig, DATABASE_NOW);
    assert_int_equal(weir_analysis_counts(analysis).messages, 1);
    change = weir_analysis_get(analysis, 0);
    assert_true(change->id == 1 && change->fate == WEIR_ANALYSIS_REFUSED &&
                change->message == 4711);
    assert_int_equal(weir_analysis_get(analysis, 1)->fate, WEIR_ANALYSIS_CHANGED);
    assert_null(weir_analysis_get(analysis, 2));
    database_must(rig, weir_analysis_store(analysis, rig->database), 0);
    weir_analysis_free(&analysis);
    assert_int_equal(score_of(rig, "R1"), 100);
    assert_int_equal(score_of(rig, "R2"), 150);
    database_must(rig, weir_database_message_report(rig->database, &good, "spam", DATABASE_NOW), 0);
    assert_int_equal(run(rig, DATABASE_NOW).refused, 0);
    assert_int_equal(score_of(rig, "R1"), 150);
}

/* So many delivered messages of 4.7 points, nearly spam, with rule 1. */
static void deliver(struct database_rig *rig, uint64_t first, int count)
{
    struct weir_info info = {.uid = first, .at = DATABASE_NOW, .score = 4.7f,
                             .verdict = WEIR_UNSURE, .rules = 2, .rule = {{1, 1}, {9, 3.7f}}};

    for (int i = 0; i < count; i++, info.uid++)
        database_must(rig, weir_database_messages_put(rig->database, &info, 1, 1000, DATABASE_NOW),
                      1);
}

static void B16_delivered_mail_that_was_unsure_counts_unless_a_person_said_so(void **state)
{
    struct database_rig *rig = *state;

    add_rule(rig, 1, 1);
    add_hits(rig, 1, 105, 0);
    deliver(rig, 1, 10);
    assert_int_equal(run(rig, DATABASE_NOW).refused, 0);
    add_rule(rig, 1, 1);
    deliver(rig, 11, 1);
    assert_int_equal(run(rig, DATABASE_NOW).refused, 1);
    assert_int_equal(score_of(rig, "R1"), 100);
    assert_int_equal(weir_database_run(rig->database, "UPDATE rules SET state = 'test'"), 0);
    assert_int_equal(run(rig, DAY(2)).refused, 0); /* approved */
    assert_int_equal(score_of(rig, "R1"), 150);
}

static void two_runs_at_once_exclude_each_other(void **state)
{
    struct database_rig *rig = *state;
    struct weir_analysis *one, *other;

    add_rule(rig, 1, 0.5);
    add_hits(rig, 1, 100, 0);
    one = analysis_at(rig, DATABASE_NOW);
    other = analysis_at(rig, DATABASE_NOW);
    database_must(rig, weir_analysis_store(one, rig->database), 0);
    database_must(rig, weir_analysis_store(other, rig->database), WEIR_EDOWN);
    assert_int_equal(score_of(rig, "R1"), 100);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes"), 2);
    weir_analysis_free(&one);
    weir_analysis_free(&other);
}

static void what_somebody_changed_meanwhile_is_passed_over(void **state)
{
    struct database_rig *rig = *state;
    struct weir_analysis *analysis;

    add_rule(rig, 1, 0.5);
    add_rule(rig, 2, 0.5);
    add_hits(rig, 1, 100, 0);
    add_hits(rig, 2, 100, 0);
    analysis = analysis_at(rig, DATABASE_NOW);
    add_rule(rig, 1, 3);
    database_must(rig, weir_analysis_store(analysis, rig->database), 0);
    assert_int_equal(weir_analysis_get(analysis, 0)->fate, WEIR_ANALYSIS_PASSED);
    assert_int_equal(weir_analysis_counts(analysis).passed, 1);
    assert_int_equal(weir_analysis_counts(analysis).changed, 1);
    assert_int_equal(score_of(rig, "R1"), 300);
    weir_analysis_free(&analysis);
}

static int approve(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    rule->approved = true;
    return 0;
}

static int bound(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    rule->low = -0.5;
    rule->high = 0.5;
    return 0;
}

static int reword(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    rule->text = "y";
    return 0;
}

static void whatever_a_person_decides_during_a_run_stays(void **state)
{
    static int (*const cases[])(void *context, struct weir_kept_rule *rule) = {approve, bound,
                                                                               reword};
    static const struct weir_rule_change by = {.who = "uid 0", .why = "", .time = DATABASE_NOW};
    struct database_rig *rig = *state;
    struct weir_analysis *analysis;

    for (uint32_t id = 1; id <= 3; id++) {
        add_rule(rig, id, 0.5);
        add_hits(rig, id, 100, 0);
    }
    assert_int_equal(weir_database_run(rig->database, "UPDATE rules SET state = 'test', "
                                       "approved = 0 WHERE id = 1"), 0);
    analysis = analysis_at(rig, DATABASE_NOW);
    assert_int_equal(weir_analysis_counts(analysis).changed, 3);
    for (uint32_t id = 1; id <= 3; id++)
        database_must(rig, weir_database_rule_edit(rig->database, id, cases[id - 1], NULL, &by),
                      1);
    database_must(rig, weir_analysis_store(analysis, rig->database), 0);
    assert_int_equal(weir_analysis_counts(analysis).passed, 3);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rules WHERE score = 0.5"), 3);
    assert_int_equal(database_number(rig, "SELECT approved FROM rules WHERE id = 1"), 1);
    weir_analysis_free(&analysis);
}

/* Dies in its n-th statement. */
static int die(unsigned mask, void *context, void *statement, void *unused)
{
    int *left = context;

    (void)mask, (void)statement, (void)unused;
    if (--*left == 0)
        raise(SIGKILL);
    return 0;
}

static void a_run_that_is_killed_leaves_all_old_or_all_new(void **state)
{
    struct database_rig *rig = *state;
    bool old = false, new = false;

    for (uint32_t id = 1; id <= 5; id++) {
        add_rule(rig, id, 0.5);
        add_hits(rig, id, 100, 0);
    }
    weir_database_free(&rig->database);
    for (int left = 5; !new; left += 3) {
        int64_t moved;
        int status;
        pid_t child = fork();

        if (child == 0) {
            if (database_open(rig) < 0)
                _exit(1);
            sqlite3_trace_v2(rig->database->sqlite, SQLITE_TRACE_STMT, die, &left);
            (void)run(rig, DATABASE_NOW);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        database_must(rig, database_open(rig), 0);
        moved = database_number(rig, "SELECT count(*) FROM rules WHERE score = 1");
        assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes "
                                         "WHERE what = 'score'"), moved);
        assert_true(moved == 0 || moved == 5);
        old |= moved == 0 && WIFSIGNALED(status);
        new = moved == 5;
        weir_database_free(&rig->database);
        assert_true(left < 300);
    }
    assert_true(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B1_scores_move_by_what_was_hit_and_history_says_why),
        TEST(B7_B8_idle_rules_are_retired_after_30_days_and_stay_in_the_book),
        TEST(B33_reported_false_positives_put_a_rule_to_the_test),
        TEST(B1_a_server_that_lies_does_not_move_a_score_the_others_bear_out),
        TEST(B33_one_servers_people_do_not_demote_what_the_others_never_reported),
        TEST(B33_reports_from_before_a_person_decided_do_not_overrule_him),
        TEST(B16_what_would_make_good_mail_spam_is_refused_and_told),
        TEST(B16_delivered_mail_that_was_unsure_counts_unless_a_person_said_so),
        TEST(two_runs_at_once_exclude_each_other),
        TEST(what_somebody_changed_meanwhile_is_passed_over),
        TEST(whatever_a_person_decides_during_a_run_stays),
        TEST(a_run_that_is_killed_leaves_all_old_or_all_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
