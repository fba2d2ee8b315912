/*
 * Lists of the database: who is called for each row can say that it has failed, and then the list
 * has (database_io.h, Rows).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_servers_io.h"
#include "monitor/database/database_thresholds_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define MINUTE (NOW / WEIR_MINUTE)

/* One row of each table. */
static int setup(void **state)
{
    static const struct weir_stream stream = {1, "a.log", 100, 5};
    const struct weir_minute_row row = database_row(7, MINUTE, 1, 10);
    const struct weir_database_batch batch = {.row = &row, .rows = 1, .stream = &stream,
                                              .streams = 1, .position = 1};
    const struct weir_event event = {.raised = NOW, .kind = "threshold"};
    const struct weir_database_decision decision = {.made = NOW, .list = "blacklist",
                                                    .reason = "", .origin = "x"};
    const struct weir_audit audit = {.time = NOW, .who = "", .what = "", .detail = ""};
    const struct weir_ladder_row place = {.last = NOW};
    const struct weir_threshold threshold = {.name = "a", .prefixes = "", .ladder = ""};
    const uint8_t hash[WEIR_SECRET_HASH] = {0};
    const struct weir_database_report report = {.time = NOW, .vote = true};
    const struct weir_kept_rule rule = {.id = 1, .name = "A", .text = "", .author = ""};
    const struct weir_rule_change change = {.who = "", .why = "", .time = NOW};
    struct database_rig *rig;
    uint64_t generation;
    uint32_t server;
    int64_t number;

    assert_int_equal(database_setup(state), 0);
    rig = *state;
    database_must(rig, weir_database_traffic(rig->database, &batch), 0);
    database_must(rig, weir_database_event_add(rig->database, &event, &number), 0);
    database_must(rig, weir_database_decision_add(rig->database, &decision, &number, &generation),
                  0);
    database_must(rig, weir_database_audit_add(rig->database, &audit), 0);
    database_must(rig, weir_database_ladder_put(rig->database, &place), 0);
    database_must(rig, weir_database_threshold_put(rig->database, &threshold), 0);
    database_must(rig, weir_database_server_add(rig->database, "mx1", hash, NOW, &server), 0);
    database_must(rig, weir_database_report_add(rig->database, &report, &number), 0);
    database_must(rig, weir_database_report_count(rig->database, 1, "a", 0), 0);
    database_must(rig, weir_database_rule_put(rig->database, &rule, &change), 1);
    return 0;
}

/* What the rows are answered with. */
static int answer;

static int on_stream(void *context, const struct weir_stream *row)
{
    return (void)context, (void)row, answer;
}

static int on_minute(void *context, const struct weir_minute_row *row)
{
    return (void)context, (void)row, answer;
}

static int on_address(void *context, const struct weir_address_row *row)
{
    return (void)context, (void)row, answer;
}

static int on_event(void *context, const struct weir_event *row)
{
    return (void)context, (void)row, answer;
}

static int on_decision(void *context, const struct weir_database_decision *row)
{
    return (void)context, (void)row, answer;
}

static int on_audit(void *context, const struct weir_audit *row)
{
    return (void)context, (void)row, answer;
}

static int on_place(void *context, const struct weir_ladder_row *row)
{
    return (void)context, (void)row, answer;
}

static int on_listed(void *context, bool score, weir_time made, uint64_t servers)
{
    return (void)context, (void)score, (void)made, (void)servers, answer;
}

static int on_threshold(void *context, const struct weir_threshold *row)
{
    return (void)context, (void)row, answer;
}

static int on_server(void *context, const struct weir_server *row)
{
    return (void)context, (void)row, answer;
}

static int on_report(void *context, const struct weir_database_report *row)
{
    return (void)context, (void)row, answer;
}

static int on_total(void *context, const char *what, uint64_t count)
{
    return (void)context, (void)what, (void)count, answer;
}

static int on_rule(void *context, const struct weir_kept_rule *row)
{
    return (void)context, (void)row, answer;
}

static int on_change(void *context, const struct weir_rule_changed *row)
{
    return (void)context, (void)row, answer;
}

static void a_row_that_fails_is_a_list_that_fails(void **state)
{
    static const int answers[][2] = {{0, 1}, {1, 1}, {WEIR_ENOMEM, WEIR_ENOMEM}}; /* and then */
    struct database_rig *rig = *state;
    struct weir_database *database = rig->database;
    const struct weir_event_filter all = {.open = false};
    const struct weir_address seventh = database_address(7);
    const struct weir_prefix none = {.bits = 0};
    const struct weir_report_choice reports = {.most = 5};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        answer = answers[i][0];
        const int told[] = {
            weir_database_streams(database, on_stream, NULL),
            weir_database_minutes(database, MINUTE, MINUTE, on_minute, NULL),
            weir_database_history(database, &seventh, MINUTE, MINUTE, on_minute, NULL),
            weir_database_top(database, MINUTE, MINUTE, 0, 5, on_address, NULL),
            weir_database_events(database, &all, on_event, NULL),
            weir_database_decisions_active(database, NOW, on_decision, NULL),
            weir_database_decisions_since(database, 0, on_decision, NULL),
            weir_database_decisions_about(database, &none, "blacklist", 0, on_decision, NULL),
            weir_database_audits(database, &(struct weir_audit_choice){.most = 5}, on_audit,
                                 NULL),
            weir_database_ladder(database, 0, on_place, NULL),
            weir_database_listed(database, "x", 0, on_listed, NULL),
            weir_database_thresholds(database, on_threshold, NULL),
            weir_database_servers(database, on_server, NULL),
            weir_database_reports(database, &reports, on_report, NULL),
            weir_database_report_totals(database, "", on_total, NULL),
            weir_database_rules(database, 0, on_rule, NULL),
            weir_database_rule_changes(database, 0, 0, 5, on_change, NULL),
        };
        for (size_t j = 0; j < sizeof told / sizeof told[0]; j++)
            if (told[j] != answers[i][1])
                fail_msg("list %zu answered %d gives %d", j, answer, told[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_that_fails_is_a_list_that_fails, setup,
                                        database_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
