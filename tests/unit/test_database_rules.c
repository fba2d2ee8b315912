/*
 * database_rules - the rulebook: what is put comes out, every change has its line of history, and
 * both are there or neither.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_rules_io.h"
#include "tests/unit/database_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

static const struct weir_rule_change by_somebody = {
    .who = "uid 0", .why = "it was asked for", .time = DATABASE_NOW};

static struct weir_kept_rule a_rule(uint32_t id, const char *name)
{
    return (struct weir_kept_rule){.id = id, .name = name, .kind = WEIR_RULE_BODY,
                                   .text = "body A /cheap/\n", .state = WEIR_RULE_TEST,
                                   .score = 1.5, .base = 1.5, .low = -2, .high = 3,
                                   .author = "import"};
}

static int put_at(struct database_rig *rig, const struct weir_kept_rule *rule, weir_time time)
{
    struct weir_rule_change change = by_somebody;

    change.time = time;
    return weir_database_rule_put(rig->database, rule, &change);
}

static int put(struct database_rig *rig, const struct weir_kept_rule *rule)
{
    return put_at(rig, rule, DATABASE_NOW);
}

/* What was asked for, as text. */
struct seen {
    char text[4096];
    size_t len;
    int stop;
};

static int see_rule(void *context, const struct weir_kept_rule *r)
{
    struct seen *seen = context;

    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
        "%u %s %s %s %.2f %.2f [%.2f %.2f] %s %d %d %d %s| ", (unsigned)r->id, r->name,
        weir_rule_kind_name(r->kind), weir_rule_state_name(r->state), r->score, r->base, r->low,
        r->high, r->author, (int)((r->created - DATABASE_NOW) / WEIR_SECOND),
        (int)((r->updated - DATABASE_NOW) / WEIR_SECOND),
        (int)((r->since - DATABASE_NOW) / WEIR_SECOND), r->approved ? "approved " : "");
    return seen->stop;
}

static int see_change(void *context, const struct weir_rule_changed *c)
{
    struct seen *seen = context;

    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
        "%d %u %s %s %s: %s -> %s (%s)| ", (int)((c->time - DATABASE_NOW) / WEIR_SECOND),
        (unsigned)c->rule, c->name, c->who, c->what, c->old, c->new, c->why);
    return seen->stop;
}

static void book_is(struct database_rig *rig, unsigned states, int rules, const char *text)
{
    struct seen seen = {.len = 0};

    database_must(rig, weir_database_rules(rig->database, states, see_rule, &seen), rules);
    assert_string_equal(seen.text, text);
}

static void history_is(struct database_rig *rig, uint32_t rule, int changes, const char *text)
{
    struct seen seen = {.len = 0};

    database_must(rig, weir_database_rule_changes(rig->database, rule, 0, 100, see_change, &seen),
                  changes);
    assert_string_equal(seen.text, text);
}

static void B2_a_rule_comes_out_of_its_table_as_it_went_in(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A");
    struct seen seen = {.len = 0};

    rule.approved = true;
    database_must(rig, put(rig, &rule), 1);
    database_must(rig, database_open(rig), 0);
    book_is(rig, 0, 1, "1001 A body test 1.50 1.50 [-2.00 3.00] import 0 0 0 approved | ");
    database_must(rig, weir_database_rule(rig->database, "A", 0, see_rule, &seen), 1);
    database_must(rig, weir_database_rule(rig->database, NULL, 1001, see_rule, &seen), 1);
    database_must(rig, weir_database_rule(rig->database, "a", 0, see_rule, &seen), 0);
    database_must(rig, weir_database_rule(rig->database, NULL, 1002, see_rule, &seen), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rules WHERE name = 'A' "
                                     "AND text = 'body A /cheap/' || char(10)"), 1);
}

static void B2_every_change_is_a_line_of_history(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A");

    database_must(rig, put(rig, &rule), 1);
    rule.score = 2;
    rule.state = WEIR_RULE_ACTIVE;
    database_must(rig, put_at(rig, &rule, DATABASE_NOW + 60 * WEIR_SECOND), 1);
    rule.text = "body A /dear/\n";
    rule.high = 4;
    rule.base = 1;
    rule.approved = true;
    rule.kind = WEIR_RULE_HTML;
    rule.author = "somebody else"; /* who made it stays who made it */
    database_must(rig, put_at(rig, &rule, DATABASE_NOW + 120 * WEIR_SECOND), 1);
    book_is(rig, 0, 1, "1001 A html active 2.00 1.00 [-2.00 4.00] import 0 120 60 approved | ");
    history_is(rig, 1001, 8,
               "120 1001 A uid 0 approved: no -> yes (it was asked for)| "
               "120 1001 A uid 0 bounds: -2.00 to 3.00 -> -2.00 to 4.00 (it was asked for)| "
               "120 1001 A uid 0 base: 1.50 -> 1.00 (it was asked for)| "
               "120 1001 A uid 0 text: body A /cheap/\n -> body A /dear/\n (it was asked for)| "
               "120 1001 A uid 0 kind: body -> html (it was asked for)| "
               "60 1001 A uid 0 score: 1.50 -> 2.00 (it was asked for)| "
               "60 1001 A uid 0 state: test -> active (it was asked for)| "
               "0 1001 A uid 0 added:  -> body A /cheap/\n (it was asked for)| ");
}

static void nothing_different_writes_nothing(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A");

    database_must(rig, put(rig, &rule), 1);
    database_must(rig, put_at(rig, &rule, DATABASE_NOW + WEIR_SECOND), 0);
    rule.score = 1.5004; /* the same to 1/100 */
    database_must(rig, put_at(rig, &rule, DATABASE_NOW + WEIR_SECOND), 0);
    rule.low = 0;
    rule.high = -0.0;
    database_must(rig, put(rig, &rule), 1);
    rule.low = -0.0;
    database_must(rig, put_at(rig, &rule, DATABASE_NOW + WEIR_SECOND), 0);
    book_is(rig, 0, 1, "1001 A body test 1.50 1.50 [0.00 0.00] import 0 0 0 | ");
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes"), 2);
}

static void rules_are_listed_by_state(void **state)
{
    struct database_rig *rig = *state;
    struct seen seen = {.stop = 1};

    for (unsigned i = 0; i <= WEIR_RULE_LOCKED; i++) {
        char name[2] = {(char)('A' + i), 0};
        struct weir_kept_rule rule = a_rule(2000 - i, name);

        rule.state = (enum weir_rule_state)i;
        database_must(rig, put(rig, &rule), 1);
    }
    database_must(rig, weir_database_rules(rig->database, 0, see_rule, &seen), 1);
    seen = (struct seen){.len = 0};
    database_must(rig, weir_database_rules(rig->database, 0, see_rule, &seen), 5);
    for (unsigned i = 0; i <= WEIR_RULE_LOCKED; i++) {
        seen = (struct seen){.len = 0};
        database_must(rig, weir_database_rules(rig->database, 1u << i, see_rule, &seen), 1);
        assert_int_equal(seen.text[5], 'A' + i);
    }
    book_is(rig, 1u << WEIR_RULE_ACTIVE | 1u << WEIR_RULE_LOCKED, 2,
            "1996 E body locked 1.50 1.50 [-2.00 3.00] import 0 0 0 | "
            "2000 A body active 1.50 1.50 [-2.00 3.00] import 0 0 0 | ");
}

static void B5_a_name_and_a_number_belong_to_one_rule_for_ever(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A");

    database_must(rig, put(rig, &rule), 1);
    rule.id = 1002;
    database_must(rig, put(rig, &rule), WEIR_EINVAL);
    assert_non_null(strstr(weir_database_why(rig->database), "A is the name of rule 1001"));
    rule = a_rule(1001, "B");
    database_must(rig, put(rig, &rule), WEIR_EINVAL);
    assert_non_null(strstr(weir_database_why(rig->database), "1001 is the number of rule A"));
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rules"), 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes"), 1);
}

static void what_is_no_rule_is_refused(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule wrong[9];

    for (size_t i = 0; i < 9; i++)
        wrong[i] = a_rule(1001, "A");
    wrong[0].score = NAN;
    wrong[1].base = INFINITY;
    wrong[2].score = WEIR_RULE_SCORE_MAX + 0.01;
    wrong[3].low = 0.01;
    wrong[4].high = -0.01;
    wrong[5].id = 0;
    wrong[6].id = WEIR_RULE_ID_MAX + 1;
    wrong[7].name = "";
    wrong[8].state = (enum weir_rule_state)(WEIR_RULE_LOCKED + 1);
    for (size_t i = 0; i < 9; i++)
        database_must(rig, put(rig, &wrong[i]), WEIR_EINVAL);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes"), 0);
}

/* len octets and a NUL. */
static char *text_of(size_t len)
{
    char *text = calloc(1, len + 1);

    return memset(text, 'x', len);
}

static void texts_are_as_long_as_their_limits(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A"), other = a_rule(1002, "B");
    struct weir_rule_change change = by_somebody;
    char *text = text_of(WEIR_RULE_TEXT_MAX + 1), *name = text_of(WEIR_RULE_NAME_MAX + 1);
    char *why = text_of(WEIR_DATABASE_TEXT_MAX + 1);

    rule.text = text;
    rule.name = name;
    database_must(rig, put(rig, &rule), WEIR_ELIMIT);
    text[WEIR_RULE_TEXT_MAX] = 0;
    database_must(rig, put(rig, &rule), WEIR_ELIMIT);
    name[WEIR_RULE_NAME_MAX] = 0;
    database_must(rig, put(rig, &rule), 1);
    change.why = why;
    database_must(rig, weir_database_rule_put(rig->database, &other, &change), WEIR_ELIMIT);
    why[WEIR_DATABASE_TEXT_MAX] = 0;
    database_must(rig, weir_database_rule_put(rig->database, &other, &change), 1);
    free(text);
    free(name);
    free(why);
}

static void no_more_rules_than_WEIR_RULES_MAX(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1, "A"), other = a_rule(2, "B");

    database_must(rig, put(rig, &rule), 1);
    database_must(rig, weir_state_put(rig->database, "rules", WEIR_RULES_MAX), 0);
    database_must(rig, put(rig, &other), WEIR_ELIMIT);
    rule.score = 0;
    database_must(rig, put(rig, &rule), 1);
    database_must(rig, weir_state_put(rig->database, "rules", WEIR_RULES_MAX - 1), 0);
    database_must(rig, put(rig, &other), 1);
}

static void a_rule_and_its_history_are_written_together_or_not_at_all(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A"), other = a_rule(1002, "B");

    database_must(rig, put(rig, &rule), 1);
    database_must(rig, weir_database_begin(rig->database), 0);
    rule.score = 2;
    database_must(rig, put(rig, &rule), 1);
    database_must(rig, put(rig, &other), 1);
    weir_database_abandon(rig->database);
    book_is(rig, 0, 1, "1001 A body test 1.50 1.50 [-2.00 3.00] import 0 0 0 | ");
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes"), 1);
    assert_int_equal(database_number(rig, "SELECT value FROM state WHERE name = 'rules'"), 1);
}

static void history_is_read_newest_first_by_pages_and_never_changed(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A"), other = a_rule(1002, "B");
    struct seen seen = {.len = 0};

    database_must(rig, put(rig, &rule), 1);
    database_must(rig, put(rig, &other), 1);
    for (int i = 2; i < 6; i++) {
        rule.score = i;
        database_must(rig, put_at(rig, &rule, DATABASE_NOW + i * WEIR_SECOND), 1);
    }
    database_must(rig, weir_database_rule_changes(rig->database, 0, 6, 2, see_change, &seen), 2);
    assert_string_equal(seen.text, "4 1001 A uid 0 score: 3.00 -> 4.00 (it was asked for)| "
                        "3 1001 A uid 0 score: 2.00 -> 3.00 (it was asked for)| ");
    history_is(rig, 1002, 1, "0 1002 B uid 0 added:  -> body A /cheap/\n (it was asked for)| ");
    assert_int_equal(weir_database_run(rig->database, "UPDATE rule_changes SET who = 'nobody'"),
                     WEIR_EINVAL);
    assert_int_equal(weir_database_run(rig->database, "DELETE FROM rule_changes"), WEIR_EINVAL);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes"), 6);
}

static int note_id(void *context, const struct weir_kept_rule *rule)
{
    *(uint32_t *)context = rule->id;
    return 0;
}

static void a_rule_is_called_by_its_name_or_number(void **state)
{
    static const struct {
        const char *called;
        uint32_t number; /* 0: it is none */
        uint32_t found;
    } cases[] = {{"CHEAP", 0, 101}, {"101", 101, 101}, {"000101", 101, 101}, {"102", 102, 0},
                 {"4294967295", UINT32_MAX, 0}, {"4294967296", 0, 0}, {"99999999999", 0, 0},
                 {"0", 0, 0}, {"", 0, 0}, {"+101", 0, 0}, {" 101", 0, 0}, {"101x", 0, 0},
                 {"-1", 0, 0}};
    struct database_rig *rig = *state;
    const struct weir_kept_rule rule = a_rule(101, "CHEAP");

    assert_int_equal(put_at(rig, &rule, DATABASE_NOW), 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t number = 0, found = 0;

        assert_int_equal(weir_rule_number_read(cases[i].called, &number), cases[i].number > 0);
        assert_int_equal(number, cases[i].number);
        assert_int_equal(weir_database_rule_called(rig->database, cases[i].called, note_id, &found),
                         cases[i].found > 0);
        assert_int_equal(found, cases[i].found);
    }
}

static void a_state_that_is_none_is_damage(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A");
    struct seen seen = {.len = 0};

    database_must(rig, put(rig, &rule), 1);
    database_must(rig, weir_database_run(rig->database, "UPDATE rules SET state = 'lost'"), 0);
    database_must(rig, weir_database_rules(rig->database, 0, see_rule, &seen), WEIR_ECORRUPT);
}

static int raise_score(void *context, struct weir_kept_rule *rule)
{
    rule->score += 1;
    return *(int *)context;
}

static void a_rule_is_changed_in_its_place_or_left_alone(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A");
    static const struct {
        int says, result;
    } cases[] = {{0, 1}, {1, 0}, {WEIR_ENOMEM, WEIR_ENOMEM}};

    database_must(rig, put(rig, &rule), 1);
    for (size_t i = 0; i < 3; i++) {
        int says = cases[i].says;

        database_must(rig, weir_database_rule_edit(rig->database, 1001, raise_score, &says,
                                                   &by_somebody), cases[i].result);
    }
    database_must(rig, weir_database_rule_edit(rig->database, 7, raise_score, &(int){0},
                                               &by_somebody), 0);
    book_is(rig, 0, 1, "1001 A body test 2.50 1.50 [-2.00 3.00] import 0 0 0 | ");
}

static void a_run_that_was_not_alone_is_refused(void **state)
{
    struct database_rig *rig = *state;
    weir_time last = 1;
    uint64_t runs = 1;

    database_must(rig, weir_database_runs(rig->database, &runs, &last), 0);
    assert_true(runs == 0 && last == 0);
    database_must(rig, weir_database_run_put(rig->database, 0, DATABASE_NOW), 0);
    database_must(rig, weir_database_run_put(rig->database, 0, DATABASE_NOW + 1), WEIR_EDOWN);
    database_must(rig, weir_database_runs(rig->database, &runs, &last), 0);
    assert_true(runs == 1 && last == DATABASE_NOW);
}

/* Dies in the middle of a change of two rules, then just behind it. */
static void change_two_and_die(struct database_rig *rig, bool commit)
{
    struct weir_kept_rule rule = a_rule(1001, "A"), other = a_rule(1002, "B");

    rule.score = 2;
    if (database_open(rig) != 0 || weir_database_begin(rig->database) != 0 ||
        put(rig, &rule) != 1 || put(rig, &other) != 1)
        _exit(1);
    if (commit && weir_database_commit(rig->database) != 0)
        _exit(1);
    raise(SIGKILL);
}

static void a_kill_leaves_all_old_or_all_new(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_rule rule = a_rule(1001, "A");

    database_must(rig, put(rig, &rule), 1);
    weir_database_free(&rig->database);
    for (int commit = 0; commit <= 1; commit++) {
        int status;
        pid_t child = fork();

        if (child == 0)
            change_two_and_die(rig, commit);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        database_must(rig, database_open(rig), 0);
        database_must(rig, weir_database_check(rig->database), 0);
        assert_int_equal(database_number(rig, "SELECT count(*) FROM rules"), 1 + commit);
        assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes"), 1 + 2 * commit);
        assert_int_equal(database_number(rig, "SELECT score * 10 FROM rules WHERE id = 1001"),
                         commit ? 20 : 15);
        weir_database_free(&rig->database);
    }
}

/* A score that somebody changes on a day. */
static void change_score(struct database_rig *rig, const char *who, int day, double score)
{
    struct weir_kept_rule rule = a_rule(1, "A");
    const struct weir_rule_change change = {.who = who, .why = "",
                                            .time = DATABASE_NOW + day * WEIR_DAY};

    rule.score = score;
    database_must(rig, weir_database_rule_put(rig->database, &rule, &change), 1);
}

static int64_t lines_of(struct database_rig *rig, const char *who)
{
    char sql[160];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM rule_changes WHERE who = '%s'", who);
    return database_number(rig, sql);
}

static void B17_what_programs_changed_long_ago_is_thinned_and_what_people_did_stays(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_kept_rule rule = a_rule(1, "A");
    weir_time before = DATABASE_NOW + 300 * WEIR_DAY;
    bool more = true;

    database_must(rig, put(rig, &rule), 1);
    for (int day = 0; day < 400; day++) /* a person's every fortieth day */
        change_score(rig, day % 40 == 0 ? "uid 0" : day % 2 ? "analyzer" : "analyzer for uid 0",
                     day, 1 + day / 100.0);
    assert_int_equal(lines_of(rig, "uid 0"), 11); /* the first put it */
    for (int i = 0; i < 9 && more; i++)
        assert_true(weir_database_rules_thin(rig->database, before, 100, &more) >= 0);
    assert_false(more);
    assert_int_equal(lines_of(rig, "uid 0"), 11);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes WHERE what = 'score' "
                                     "AND who <> 'uid 0' AND old >= '4.00'"), 97);
    assert_in_range(database_number(rig, "SELECT count(*) FROM rule_changes WHERE "
                                    "who <> 'uid 0' AND new < '4.00'"), 10, 16);
    assert_int_equal(weir_database_rules_thin(rig->database, before, 100, &more), 0);
}

static void B17_history_that_is_young_or_a_persons_cannot_be_deleted(void **state)
{
    static const char *const wheres[] = {"who = 'uid 0'", "time >= 1795518400000000",
                                         "what = 'added'"};
    const struct weir_kept_rule rule = a_rule(1, "A");
    struct database_rig *rig = *state;
    bool more;

    database_must(rig, put(rig, &rule), 1);
    for (int day = 1; day < 9; day++)
        change_score(rig, day % 4 ? "analyzer" : "uid 0", day, day);
    database_must(rig, weir_database_rules_thin(rig->database, DATABASE_NOW + 5 * WEIR_DAY, 100,
                                                &more), 2);
    for (size_t i = 0; i < sizeof wheres / sizeof wheres[0]; i++) {
        char sql[120];

        snprintf(sql, sizeof sql, "DELETE FROM rule_changes WHERE %s", wheres[i]);
        assert_true(weir_database_run(rig->database, sql) < 0);
        assert_non_null(strstr(weir_database_why(rig->database), "history is not changed"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B2_a_rule_comes_out_of_its_table_as_it_went_in),
        TEST(B2_every_change_is_a_line_of_history),
        TEST(nothing_different_writes_nothing),
        TEST(rules_are_listed_by_state),
        TEST(B5_a_name_and_a_number_belong_to_one_rule_for_ever),
        TEST(what_is_no_rule_is_refused),
        TEST(texts_are_as_long_as_their_limits),
        TEST(no_more_rules_than_WEIR_RULES_MAX),
        TEST(a_rule_and_its_history_are_written_together_or_not_at_all),
        TEST(history_is_read_newest_first_by_pages_and_never_changed),
        TEST(a_rule_is_called_by_its_name_or_number),
        TEST(a_state_that_is_none_is_damage),
        TEST(a_rule_is_changed_in_its_place_or_left_alone),
        TEST(a_run_that_was_not_alone_is_refused),
        TEST(a_kill_leaves_all_old_or_all_new),
        TEST(B17_what_programs_changed_long_ago_is_thinned_and_what_people_did_stays),
        TEST(B17_history_that_is_young_or_a_persons_cannot_be_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
