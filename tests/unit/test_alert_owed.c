/*
 * Messages composed of what is owed, with sendmail(8) in the place of programs that do no more than
 * end: what they take is told, and what they do not stays owed (alert_owed_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "monitor/database/database_events_io.h"
#include "monitor/threshold/alert_owed_io.h"
#include "monitor/threshold/escalation_io.h"
#include "tests/unit/database_rig.h"

struct rig {
    struct database_rig *database;
    struct weir_alerts *alerts, *again;
    struct weir_owed_about about;
    struct weir_log log;
    char lines[4096];
    int64_t silence;             /* that holds for all, or 0 */
    unsigned named;
};

static void note_line(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;
    size_t len = strlen(rig->lines);

    (void)level;
    snprintf(rig->lines + len, sizeof rig->lines - len, "%s\n", line);
}

static int64_t silence_of(void *context, struct weir_alert *alert, weir_time *look_r)
{
    struct rig *rig = context;

    alert->servers |= 4;
    *look_r = DATABASE_NOW + WEIR_MINUTE;
    return rig->silence;
}

static void name(void *context, struct weir_alert *alert)
{
    struct rig *rig = context;

    rig->named++;
    strcpy(alert->names, "mx1");
}

/* Mails are handed to a program; "" for no mail. */
static void open_ways(struct rig *rig, const char *program, const char *others)
{
    struct weir_alerts_options options = {
        .what = "alerts", .setting = "alert", .mail = program[0] ? "root" : "",
        .sendmail = program, .webhook = "", .console = "", .window = 1, .hour_most = 60,
        .wake = -1};

    weir_alerts_close(&rig->alerts);
    weir_alerts_close(&rig->again);
    assert_int_equal(weir_alerts_open(&options, &rig->log, &rig->alerts), 0);
    options.what = "others";
    options.way = 2;
    options.mail = others[0] ? "root" : "";
    options.sendmail = others;
    assert_int_equal(weir_alerts_open(&options, &rig->log, &rig->again), 0);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_int_equal(database_setup((void **)&rig->database), 0);
    rig->log = (struct weir_log){note_line, rig, WEIR_LOG_WARNING};
    rig->about = (struct weir_owed_about){silence_of, name, rig};
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_alerts_close(&rig->alerts);
    weir_alerts_close(&rig->again);
    database_teardown((void **)&rig->database);
    free(rig);
    return 0;
}

static int64_t owe(struct rig *rig, weir_time now)
{
    const struct weir_event event = {.raised = now, .kind = "threshold",
                                     .quantity = "connections"};
    struct weir_alert alert = {.time = now, .quantity = WEIR_QUANTITY_CONNECTIONS,
                               .response = WEIR_RESPONSE_ALERT, .class_name = "default",
                               .servers = 2};
    struct weir_database *database = rig->database->database;

    database_must(rig->database, weir_database_event_add(database, &event, &alert.event), 0);
    database_must(rig->database, weir_alerts_owe(rig->alerts, database, &rig->about, &alert, now),
                  0);
    assert_int_equal(alert.silence, rig->silence);
    return alert.event;
}

/* A turn of both, and what comes of what they hand over. */
static void turn(struct rig *rig, weir_time now)
{
    struct weir_database *database = rig->database->database;
    struct weir_alerts *of[] = {rig->alerts, rig->again};

    database_must(rig->database, weir_owed_look(database, &rig->about, now), 0);
    for (size_t i = 0; i < 2; i++) {
        database_must(rig->database, weir_alerts_turn(of[i], database, &rig->about, now,
                                                      WEIR_ALERTS_LAST), 0);
        weir_alerts_wait(of[i]);
        database_must(rig->database, weir_alerts_turn(of[i], database, &rig->about, now,
                                                      WEIR_ALERTS_NOTE), 0);
    }
}

static int64_t number(struct rig *rig, const char *sql)
{
    return database_number(rig->database, sql);
}

static uint64_t messages(struct weir_alerts *alerts)
{
    struct weir_alerts_counts counts;

    weir_alerts_count(alerts, &counts);
    return counts.messages;
}

static void what_was_handed_over_is_told_and_owed_no_more(void **state)
{
    struct rig *rig = *state;

    open_ways(rig, "/bin/true", "");
    for (unsigned i = 0; i < 2 * WEIR_ALERT_LINES; i++)
        owe(rig, DATABASE_NOW + i);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 2 * WEIR_ALERT_LINES);
    turn(rig, DATABASE_NOW + 100);
    assert_int_equal(messages(rig->alerts), 1);
    assert_int_equal(rig->named, WEIR_ALERT_LINES);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 0);
    assert_int_equal(number(rig, "SELECT count(*) FROM events WHERE told = unheard AND told > 0"),
                     2 * WEIR_ALERT_LINES);
    turn(rig, DATABASE_NOW + 200);
    assert_int_equal(messages(rig->alerts), 1);
}

static void what_could_not_be_handed_over_stays_owed(void **state)
{
    struct rig *rig = *state;

    open_ways(rig, "/bin/false", "");
    owe(rig, DATABASE_NOW);
    turn(rig, DATABASE_NOW);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 1);
    assert_int_equal(number(rig, "SELECT told FROM events"), 0);
    assert_non_null(strstr(rig->lines, "alerts by mail cannot be told, and wait: /bin/false"));
    weir_alerts_tell_untold(rig->alerts, rig->database->database);
    assert_non_null(strstr(rig->lines, "1 alerts were not told by mail"));
    open_ways(rig, "/bin/true", "");
    turn(rig, DATABASE_NOW);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 0);
}

static void where_there_is_no_way_the_log_has_told_it(void **state)
{
    struct rig *rig = *state;

    open_ways(rig, "", "");
    owe(rig, DATABASE_NOW);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 0);
    assert_int_equal(number(rig, "SELECT told FROM events"), DATABASE_NOW);
}

static void what_a_way_owed_that_is_gone_is_dropped_and_logged(void **state)
{
    struct rig *rig = *state;

    open_ways(rig, "/bin/false", "");
    owe(rig, DATABASE_NOW);
    owe(rig, DATABASE_NOW);
    open_ways(rig, "", "");
    turn(rig, DATABASE_NOW);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 0);
    assert_non_null(strstr(rig->lines, "2 alerts that waited for mail are told no more: [monitor] "
                           "alert_mail is not set any more\n"));
}

static void what_a_silence_holds_is_told_when_none_does(void **state)
{
    struct rig *rig = *state;

    open_ways(rig, "/bin/true", "");
    owe(rig, DATABASE_NOW);
    rig->silence = 7;
    owe(rig, DATABASE_NOW);
    turn(rig, DATABASE_NOW); /* the first one's came before it was told */
    assert_int_equal(messages(rig->alerts), 0);
    assert_int_equal(number(rig, "SELECT sum(silence) FROM events"), 14);
    rig->silence = 8; /* which takes its place */
    turn(rig, DATABASE_NOW + WEIR_MINUTE - 1);
    assert_int_equal(number(rig, "SELECT sum(held) FROM owed"), 14);
    turn(rig, DATABASE_NOW + WEIR_MINUTE);
    assert_int_equal(number(rig, "SELECT sum(held) FROM owed"), 16);
    rig->silence = 0;
    database_must(rig->database, weir_database_owed_look(rig->database->database, 8), 0);
    turn(rig, DATABASE_NOW + WEIR_HOUR);
    assert_int_equal(messages(rig->alerts), 1);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 0);
    assert_int_equal(number(rig, "SELECT count(*) FROM events WHERE silence = 0 AND servers = 6"),
                     2);
}

static void sweep(struct rig *rig, int64_t *after)
{
    database_must(rig->database, weir_owed_sweep(rig->database->database, &rig->about,
                                                 DATABASE_NOW + 1, after), 0);
}

static void a_sweep_writes_only_what_has_changed(void **state)
{
    struct rig *rig = *state;
    int64_t after = 0, written;

    open_ways(rig, "/bin/true", "");
    rig->silence = 7;
    database_must(rig->database, weir_database_begin(rig->database->database), 0);
    for (unsigned i = 0; i <= WEIR_OWED_LOOKS; i++)
        owe(rig, DATABASE_NOW);
    database_must(rig->database, weir_database_commit(rig->database->database), 0);
    written = number(rig, "SELECT total_changes()");
    sweep(rig, &after);
    assert_int_equal(after, WEIR_OWED_LOOKS);
    sweep(rig, &after);
    assert_int_equal(after, 0);
    assert_int_equal(number(rig, "SELECT total_changes()"), written);
    rig->silence = 8;
    sweep(rig, &after);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed WHERE held = 8"), WEIR_OWED_LOOKS);
    rig->silence = 0;
    sweep(rig, &after);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed WHERE held = 0 AND late > 0"), 1);
    assert_int_equal(number(rig, "SELECT count(*) FROM events WHERE silence = 0"), 1);
}

static void of_too_many_a_way_loses_its_own_and_says_so(void **state)
{
    struct rig *rig = *state;

    open_ways(rig, "/bin/false", "/bin/false");
    assert_int_equal(weir_database_run(rig->database->database, "WITH RECURSIVE n (n) AS (VALUES "
        "(1) UNION ALL SELECT n + 1 FROM n WHERE n < 100000) INSERT INTO owed (way, event, again, "
        "time, ends, address, bits, quantity, rate, limit_rate, limit_maximum, class, servers, "
        "response, wanted, withheld, held, look, late) SELECT way, 0, 0, 1, 0, zeroblob(16), 128, "
        "'connections', 2, 1, 50, 'default', 2, 'alert', 'alert', '', 0, 0, 0 FROM n, "
        "(SELECT 2 AS way UNION SELECT 0)"), 0);
    owe(rig, DATABASE_NOW);
    turn(rig, DATABASE_NOW);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed WHERE way = 0"), WEIR_OWED_MAX);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed WHERE way = 2"), WEIR_OWED_MAX);
    assert_non_null(strstr(rig->lines, "1 alerts are not told by mail, the oldest: more than "
                           "100000 waited for it\n"));
    assert_null(strstr(rig->lines, "others are not told"));
}

static void look(struct rig *rig, weir_time now)
{
    const struct weir_escalation escalation = {
        .alerts = rig->again, .about = &rig->about, .after = WEIR_MINUTE, .most = 2};

    database_must(rig->database, weir_escalation_look(&escalation, rig->database->database, now),
                  0);
}

static void what_nobody_acknowledged_is_told_to_others_as_often_as_it_may(void **state)
{
    struct rig *rig = *state;

    open_ways(rig, "/bin/false", "/bin/true");
    owe(rig, DATABASE_NOW); /* which those before never take */
    look(rig, DATABASE_NOW + WEIR_MINUTE - 1);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed WHERE way = 2"), 0);
    for (int n = 1; n <= 4; n++) {
        look(rig, DATABASE_NOW + n * WEIR_MINUTE);
        look(rig, DATABASE_NOW + n * WEIR_MINUTE); /* not twice */
        turn(rig, DATABASE_NOW + n * WEIR_MINUTE);
        assert_int_equal(messages(rig->again), n < 2 ? n : 2);
        assert_int_equal(number(rig, "SELECT told_again FROM events"), n < 2 ? n : 2);
    }
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 1);
}

static void what_takes_longer_than_it_is_until_the_next_time_is_told_once(void **state)
{
    struct rig *rig = *state;
    struct weir_database *database = rig->database->database;

    open_ways(rig, "", "/bin/true");
    owe(rig, DATABASE_NOW);
    look(rig, DATABASE_NOW + WEIR_MINUTE);
    database_must(rig->database, weir_alerts_turn(rig->again, database, &rig->about, DATABASE_NOW,
                                                  WEIR_ALERTS_LAST), 0);
    look(rig, DATABASE_NOW + 2 * WEIR_MINUTE); /* before it is noted */
    assert_int_equal(number(rig, "SELECT count(*) FROM owed WHERE again = 1"), 1);
    weir_alerts_wait(rig->again);
    database_must(rig->database, weir_alerts_turn(rig->again, database, &rig->about,
                                                  DATABASE_NOW + 2 * WEIR_MINUTE,
                                                  WEIR_ALERTS_NOTE), 0);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 0);
    assert_int_equal(number(rig, "SELECT told_again FROM events"), 1);
}

static void of_what_others_were_not_told_there_is_but_the_last(void **state)
{
    struct rig *rig = *state;
    int64_t event;

    open_ways(rig, "", "/bin/false");
    event = owe(rig, DATABASE_NOW);
    for (int n = 1; n <= 3; n++) {
        look(rig, DATABASE_NOW + n * WEIR_MINUTE);
        turn(rig, DATABASE_NOW + n * WEIR_MINUTE);
    }
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 1);
    assert_int_equal(number(rig, "SELECT told_again FROM events"), 0);
    rig->silence = 7; /* made meanwhile */
    turn(rig, DATABASE_NOW + 4 * WEIR_MINUTE);
    assert_int_equal(number(rig, "SELECT held FROM owed"), 7);
    look(rig, DATABASE_NOW + 5 * WEIR_MINUTE); /* put off */
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 1);
    assert_int_equal(weir_database_event_clear(rig->database->database, event, DATABASE_NOW), 1);
    assert_int_equal(number(rig, "SELECT count(*) FROM owed"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_handed_over_is_told_and_owed_no_more),
        TEST(what_could_not_be_handed_over_stays_owed),
        TEST(where_there_is_no_way_the_log_has_told_it),
        TEST(what_a_way_owed_that_is_gone_is_dropped_and_logged),
        TEST(what_a_silence_holds_is_told_when_none_does),
        TEST(a_sweep_writes_only_what_has_changed),
        TEST(of_too_many_a_way_loses_its_own_and_says_so),
        TEST(what_takes_longer_than_it_is_until_the_next_time_is_told_once),
        TEST(what_nobody_acknowledged_is_told_to_others_as_often_as_it_may),
        TEST(of_what_others_were_not_told_there_is_but_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
