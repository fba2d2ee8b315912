/*
 * database_decisions, database_events - what was decided reaches every server that asks for what
 * changed, and events stand until they are cleared.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_retention_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/seeded.h"

#define NOW DATABASE_NOW

static struct weir_prefix prefix_of(unsigned address)
{
    return (struct weir_prefix){.address = database_address(address), .bits = 128};
}

static int64_t decide(struct database_rig *rig, const char *list, unsigned address, weir_time ends,
                      uint64_t *generation_r)
{
    struct weir_database_decision decision = {.made = NOW, .event = 3, .list = list,
                                     .prefix = prefix_of(address), .ends = ends, .defer = true,
                                     .points = 2.5, .reason = "too much", .origin = "monitor"};
    int64_t number = 0;

    database_must(rig, weir_database_decision_add(rig->database, &decision, &number,
                                                  generation_r), 0);
    return number;
}

struct seen {
    unsigned rows;
    struct weir_database_decision last; /* its texts are gone */
    char text[400], undone_by[40];
};

static int see(void *context, const struct weir_database_decision *decision)
{
    struct seen *seen = context;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof seen->text - len, "%d%s ",
             decision->prefix.address.octet[15], decision->undone > 0 ? "-" : "");
    seen->last = *decision;
    snprintf(seen->undone_by, sizeof seen->undone_by, "%s", decision->undone_by);
    seen->rows++;
    return 0;
}

static void a_decision_is_kept_as_it_was_made(void **state)
{
    struct database_rig *rig = *state;
    struct seen seen = {.rows = 0};
    struct weir_prefix seventh = prefix_of(7);
    uint64_t generation;
    int64_t number = decide(rig, "blacklist", 7, NOW + WEIR_HOUR, &generation);

    database_must(rig, database_open(rig), 0);
    assert_int_equal(weir_database_decisions_about(rig->database, &seventh, "score", NOW, see,
                                                   &seen), 0);
    assert_int_equal(weir_database_decisions_about(rig->database, &seventh, "blacklist",
                                                   NOW + WEIR_HOUR, see, &seen), 0); /* it ended */
    assert_int_equal(weir_database_decisions_about(rig->database, &seventh, "blacklist",
                                                   NOW + WEIR_HOUR - 1, see, &seen), 1);
    assert_int_equal(seen.last.number, number);
    assert_true(seen.last.made == NOW && seen.last.ends == NOW + WEIR_HOUR && seen.last.defer);
    assert_true(seen.last.generation == generation && seen.last.changed == generation);
    assert_true(seen.last.event == 3 && seen.last.points == 2.5 && seen.last.undone == 0);
    assert_memory_equal(&seen.last.prefix, &seventh, sizeof seventh);
}

static void servers_learn_what_changed_since_their_generation(void **state)
{
    struct database_rig *rig = *state;
    struct weir_prefix eighth = prefix_of(8);
    uint64_t first, generation;
    struct seen seen = {.rows = 0};
    int64_t number;

    assert_int_equal(weir_database_generation(rig->database, &generation), 0);
    assert_int_equal(generation, 0);
    number = decide(rig, "blacklist", 7, 0, &first);
    decide(rig, "score", 8, 0, &generation);
    decide(rig, "blacklist", 8, 0, &generation);
    assert_int_equal(generation, first + 2);
    assert_int_equal(weir_database_decision_undo(rig->database, number, "ann", NOW, &generation),
                     1);
    assert_int_equal(generation, first + 3);
    assert_int_equal(weir_database_decision_undo(rig->database, number, "ann", NOW, &generation),
                     0);
    assert_int_equal(weir_database_decisions_since(rig->database, 0, see, &seen), 3);
    assert_string_equal(seen.text, "8 8 7- ");
    assert_string_equal(seen.undone_by, "ann");
    seen = (struct seen){.rows = 0};
    assert_int_equal(weir_database_decisions_since(rig->database, first + 2, see, &seen), 1);
    assert_string_equal(seen.text, "7- ");
    assert_int_equal(weir_database_decisions_undo(rig->database, &eighth, "score", "bob", NOW,
                                                  &generation), 1);
    assert_int_equal(weir_database_decisions_undo(rig->database, &eighth, NULL, "bob", NOW,
                                                  &generation), 1);
    assert_int_equal(generation, first + 5);
    assert_int_equal(weir_database_decisions_undo(rig->database, &eighth, NULL, "bob", NOW,
                                                  &generation), 0);
    assert_int_equal(weir_database_decisions_since(rig->database, UINT64_MAX, see, &seen), 0);
}

static void decisions_stand_until_they_end_or_are_undone(void **state)
{
    struct database_rig *rig = *state;
    struct seen seen = {.rows = 0};
    uint64_t generation;
    int64_t undone = decide(rig, "blacklist", 1, 0, &generation);

    decide(rig, "blacklist", 2, NOW + 1, &generation);
    decide(rig, "blacklist", 3, NOW, &generation);
    decide(rig, "blacklist", 4, 0, &generation);
    weir_database_decision_undo(rig->database, undone, "ann", NOW, &generation);
    assert_int_equal(weir_database_decisions_active(rig->database, NOW, see, &seen), 2);
    assert_string_equal(seen.text, "2 4 ");
}

/* The stupid model: each decision is looked at. */
static void an_undo_below_a_prefix_takes_what_is_there_and_nothing_else(void **state)
{
    static const char *const prefixes[] = {
        "192.0.2.7", "192.0.2.8/29", "192.0.2.0/24", "192.0.0.0/16", "0.0.0.0/0", "2001:db8::1",
        "2001:db8::/64", "2001:db8::/32", "::/0", "203.0.113.0/24",
    };
    static const char *const lists[] = {"blacklist", "score", "accept"};
    static const weir_time ends[] = {0, NOW - 1, NOW, NOW + 1};
    enum { ALL = sizeof prefixes / sizeof prefixes[0] };
    struct database_rig *rig = *state;
    uint64_t generation = 0, before;

    for (size_t below = 0; below < ALL; below++) {
        struct weir_prefix wide = {.bits = 0}, narrow;
        const char *why;
        int64_t number, left;
        int wanted = 0;

        assert_int_equal(weir_database_run(rig->database, "DELETE FROM decisions"), 0);
        weir_prefix_parse(prefixes[below], strlen(prefixes[below]), &wide, &why);
        for (size_t i = 0; i < ALL * 3 * 4; i++) {
            struct weir_database_decision decision = {
                .made = NOW - 5, .list = lists[i / 4 % 3], .ends = ends[i % 4],
                .reason = "", .origin = "monitor"};

            weir_prefix_parse(prefixes[i / 12], strlen(prefixes[i / 12]), &narrow, &why);
            decision.prefix = narrow;
            database_must(rig, weir_database_decision_add(rig->database, &decision, &number,
                                                          &before), 0);
            wanted += i / 4 % 3 < 2 && (i % 4 == 0 || i % 4 == 3) && narrow.bits >= wide.bits &&
                      weir_prefix_contains(&wide, &narrow.address);
        }
        assert_int_equal(weir_database_decisions_undo_below(rig->database, &wide, "ann", NOW,
                                                            &generation), wanted);
        assert_true(wanted > 0);
        assert_int_equal(generation, before + 1);
        left = database_number(rig, "SELECT count(*) FROM decisions WHERE undone = 0");
        assert_int_equal(left, ALL * 3 * 4 - wanted);
        assert_int_equal(weir_database_decisions_undo_below(rig->database, &wide, "ann", NOW,
                                                            &before), 0);
        assert_int_equal(weir_database_decisions_restore(rig->database, &wide, NOW - 1, NOW,
                                                         &before), 0); /* not at that time */
        assert_int_equal(weir_database_decisions_restore(rig->database, &wide, NOW, NOW,
                                                         &before), wanted);
        assert_int_equal(before, generation + 1);
        assert_int_equal(database_number(rig, "SELECT count(*) FROM decisions WHERE undone = 0"),
                         ALL * 3 * 4);
        assert_int_equal(weir_database_decisions_restore(rig->database, &wide, NOW, NOW,
                                                         &before), 0); /* it stands already */
    }
}

static void an_undo_of_many_is_several_changes(void **state)
{
    struct database_rig *rig = *state;
    struct weir_prefix all = {.bits = 96};
    uint64_t generation, after = 0;

    memset(all.address.octet + 10, 0xff, 2);
    for (unsigned i = 0; i < 2 * WEIR_UNDONE_AT_ONCE + 1; i++)
        decide(rig, "blacklist", i, 0, &generation);
    assert_int_equal(weir_database_decisions_undo_below(rig->database, &all, "ann", NOW, &after),
                     2 * WEIR_UNDONE_AT_ONCE + 1);
    assert_int_equal(after, generation + 3);
    assert_int_equal(database_number(rig, "SELECT max(n) FROM (SELECT count(*) AS n "
                                     "FROM decisions GROUP BY changed)"), WEIR_UNDONE_AT_ONCE);
    assert_int_equal(database_number(rig, "SELECT min(changed) FROM decisions"), generation + 1);
    assert_int_equal(database_number(rig, "SELECT max(changed) FROM decisions"), after);
    assert_int_equal(weir_database_generation(rig->database, &generation), 0);
    assert_int_equal(generation, after);
    assert_int_equal(weir_database_decisions_restore(rig->database, &all, NOW, NOW, &after),
                     2 * WEIR_UNDONE_AT_ONCE + 1);
    assert_int_equal(after, generation + 3);
    assert_int_equal(database_number(rig, "SELECT count(DISTINCT changed) FROM decisions "
                                     "WHERE undone = 0"), 3);
}

/* Whether SQLite would look through the whole table for a statement. */
static bool looks_through(struct database_rig *rig, const char *sql)
{
    char text[2000];
    sqlite3_stmt *plan;
    bool found = false;

    snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(sqlite3_prepare_v2(rig->database->sqlite, text, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(plan, 3);

        if (strstr(line, "SCAN decisions"))
            found = true;
        if (found)
            print_message("%s: %s\n", line, sql);
    }
    sqlite3_finalize(plan);
    return found;
}

static void no_question_looks_through_all_decisions(void **state)
{
    const struct weir_retention keep = {.decisions = WEIR_DAY, .rows = 10};
    struct database_rig *rig = *state;
    struct weir_prefix prefix = prefix_of(7);
    struct weir_forgotten forgotten;
    struct seen seen = {.rows = 0};
    uint64_t generation;
    int64_t number = decide(rig, "blacklist", 7, 0, &generation);
    size_t statements = 0;

    weir_database_decisions_active(rig->database, NOW, see, &seen);
    weir_database_decisions_since(rig->database, 0, see, &seen);
    weir_database_decisions_about(rig->database, &prefix, "x", NOW, see, &seen);
    weir_database_decision_undo(rig->database, number, "x", NOW, &generation);
    weir_database_decisions_undo(rig->database, &prefix, NULL, "x", NOW, &generation);
    weir_database_decisions_undo_below(rig->database, &prefix, "x", NOW, &generation);
    database_must(rig, weir_database_retain(rig->database, &keep, NOW, &forgotten), 0);
    for (size_t i = 0; i < WEIR_DATABASE_STATEMENTS; i++) {
        const char *sql = rig->database->prepared[i].sql;

        if (!sql || !strstr(sql, "decisions") || strncmp(sql, "INSERT", 6) == 0)
            continue;
        assert_false(looks_through(rig, sql));
        statements++;
    }
    assert_int_equal(statements, 7);
}

static void what_servers_could_not_keep_is_refused(void **state)
{
    struct database_rig *rig = *state;
    char text[WEIR_REASON_MAX + 2];
    struct weir_database_decision decision = {
        .list = "blacklist", .reason = text, .origin = "monitor"};
    uint64_t generation = 0;
    int64_t number;

    memset(text, 'x', sizeof text);
    text[WEIR_REASON_MAX] = '\0';
    assert_int_equal(weir_database_decision_add(rig->database, &decision, &number, &generation),
                     0);
    text[WEIR_REASON_MAX] = 'x';
    text[WEIR_REASON_MAX + 1] = '\0';
    assert_int_equal(weir_database_decision_add(rig->database, &decision, &number, &generation),
                     WEIR_ELIMIT);
    decision.reason = "";
    text[WEIR_ORIGIN_MAX + 1] = '\0';
    decision.origin = text;
    assert_int_equal(weir_database_decision_add(rig->database, &decision, &number, &generation),
                     WEIR_ELIMIT);
    decision.origin = "";
    decision.list = "greylist";
    assert_int_equal(weir_database_decision_add(rig->database, &decision, &number, &generation),
                     WEIR_EINVAL);
    assert_int_equal(weir_database_generation(rig->database, &generation), 0);
    assert_int_equal(generation, 1);
}

/* A server that asks now and then, against all there is. */
static int apply(void *context, const struct weir_database_decision *decision)
{
    bool *has = context;

    has[decision->prefix.address.octet[15]] = decision->undone == 0;
    return 0;
}

static void a_server_that_asks_now_and_then_has_what_stands(void **state)
{
    struct database_rig *rig = *state;
    struct seeded seed = seeded_new("decisions");
    bool server[20] = {false}, model[20] = {false};
    uint64_t applied = 0, generation = 0;

    for (int i = 0; i < 400; i++) {
        unsigned address = seeded_below(&seed, 20);
        struct weir_prefix prefix = prefix_of(address);

        if (!model[address])
            decide(rig, "blacklist", address, 0, &generation);
        else
            assert_int_equal(weir_database_decisions_undo(rig->database, &prefix, "blacklist",
                                                          "x", NOW, &generation), 1);
        model[address] = !model[address];
        if (seeded_below(&seed, 10) > 0)
            continue;
        assert_true(weir_database_decisions_since(rig->database, applied, apply, server) > 0);
        applied = generation;
        assert_memory_equal(server, model, sizeof model);
    }
}

/* Events. ------------------------------------------------------------------------------- */

static int see_event(void *context, const struct weir_event *event)
{
    struct seen *seen = context;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof seen->text - len, "%s/%d ", event->text,
             (int)event->number);
    if (event->has_prefix && strcmp(event->kind, "threshold") == 0)
        assert_true(event->servers == UINT64_MAX && event->limit_rate == 0.5 &&
                    event->limit_maximum == 50 && event->rate == 3 && event->tokens == -7 &&
                    event->children == 4 && event->observed &&
                    strcmp(event->quantity, "messages") == 0 &&
                    strcmp(event->class_name, "default") == 0);
    return 0;
}

static char *events(struct database_rig *rig, const struct weir_event_filter *filter,
                    struct seen *seen)
{
    *seen = (struct seen){.rows = 0};
    assert_true(weir_database_events(rig->database, filter, see_event, seen) >= 0);
    return seen->text;
}

static void events_are_listed_by_what_is_asked(void **state)
{
    struct database_rig *rig = *state;
    struct weir_prefix prefix = prefix_of(7);
    struct weir_event event = {
        .raised = NOW, .kind = "threshold", .has_prefix = true, .prefix = prefix, .observed = true,
        .quantity = "messages", .class_name = "default", .limit_rate = 0.5, .limit_maximum = 50,
        .rate = 3, .tokens = -7, .children = 4, .servers = UINT64_MAX, .text = "a"};
    struct seen seen;
    int64_t number;

    assert_int_equal(weir_database_event_add(rig->database, &event, &number), 0);
    assert_int_equal(number, 1);
    event.prefix.bits = 120;
    event.text = "b";
    event.raised = NOW + 5;
    assert_int_equal(weir_database_event_add(rig->database, &event, &number), 0);
    event = (struct weir_event){.raised = NOW + 9, .kind = "instance", .server = 3, .text = "c"};
    assert_int_equal(weir_database_event_add(rig->database, &event, &number), 0);
    assert_int_equal(weir_database_event_clear(rig->database, 2, NOW + 20), 1);
    assert_int_equal(weir_database_event_clear(rig->database, 2, NOW + 30), 0);

    struct weir_event_filter filter = {.open = false};
    assert_string_equal(events(rig, &filter, &seen), "c/3 b/2 a/1 ");
    filter.most = 2;
    assert_string_equal(events(rig, &filter, &seen), "c/3 b/2 ");
    filter.before = 2;
    assert_string_equal(events(rig, &filter, &seen), "a/1 ");
    filter = (struct weir_event_filter){.open = true};
    assert_string_equal(events(rig, &filter, &seen), "c/3 a/1 ");
    filter.since = NOW + 1;
    assert_string_equal(events(rig, &filter, &seen), "c/3 ");
    filter = (struct weir_event_filter){.prefix = &prefix};
    assert_string_equal(events(rig, &filter, &seen), "a/1 ");
}

static void texts_of_events_have_a_limit(void **state)
{
    struct database_rig *rig = *state;
    char text[WEIR_DATABASE_TEXT_MAX + 2];
    struct weir_event event = {.raised = NOW, .kind = "blind", .text = text};
    int64_t number;

    memset(text, 'x', sizeof text);
    text[WEIR_DATABASE_TEXT_MAX] = '\0';
    assert_int_equal(weir_database_event_add(rig->database, &event, &number), 0);
    text[WEIR_DATABASE_TEXT_MAX] = 'x';
    text[WEIR_DATABASE_TEXT_MAX + 1] = '\0';
    assert_int_equal(weir_database_event_add(rig->database, &event, &number), WEIR_ELIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_decision_is_kept_as_it_was_made),
        TEST(servers_learn_what_changed_since_their_generation),
        TEST(decisions_stand_until_they_end_or_are_undone),
        TEST(an_undo_below_a_prefix_takes_what_is_there_and_nothing_else),
        TEST(an_undo_of_many_is_several_changes),
        TEST(no_question_looks_through_all_decisions),
        TEST(what_servers_could_not_keep_is_refused),
        TEST(a_server_that_asks_now_and_then_has_what_stands),
        TEST(events_are_listed_by_what_is_asked),
        TEST(texts_of_events_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
