/*
 * Which alerts a silence holds for, and what alerts link to (alert_silence.c, alert_link.c,
 * database_silences_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "monitor/threshold/alert_link.h"
#include "monitor/threshold/alert_silence.h"
#include "tests/unit/database_rig.h"

static struct weir_prefix prefix_of(const char *text)
{
    struct weir_prefix prefix;
    const char *why;

    assert_int_equal(weir_prefix_parse(text, strlen(text), &prefix, &why), 0);
    return prefix;
}

static void a_silence_holds_for_what_all_that_it_names_fits(void **state)
{
    static const struct {
        const char *prefix, *threshold, *kind, *server; /* of the silence */
        const char *of, *class_name, *servers;          /* of the alert */
        bool holds;
    } cases[] = {
        {"203.0.113.0/24", "", "", "", "203.0.113.7", "default", "mx1", true},
        {"203.0.113.0/24", "", "", "", "203.0.113.0/24", "default", "mx1", true},
        {"203.0.113.0/24", "", "", "", "203.0.112.0/23", "default", "mx1", false},
        {"203.0.113.7", "", "", "", "203.0.113.0/24", "default", "mx1", false},
        {"203.0.113.7", "", "", "", "203.0.113.8", "default", "mx1", false},
        {"2001:db8::/32", "", "", "", "2001:db8:1::/64", "default", "mx1", true},
        {"0.0.0.0/0", "", "", "", "2001:db8:1::/64", "default", "mx1", false},
        {"", "partners", "", "", "203.0.113.7", "partners", "", true},
        {"", "partners", "", "", "203.0.113.7", "default", "", false},
        {"", "", "threshold", "", "203.0.113.7", "default", "", true},
        {"", "", "instance", "", "203.0.113.7", "default", "", false},
        {"", "", "", "mx1", "203.0.113.7", "default", "mx1", true},
        {"", "", "", "mx1", "203.0.113.7", "default", "mx1, mx2", false},
        {"", "", "", "mx1", "203.0.113.7", "default", "", false},
        {"203.0.113.0/24", "partners", "", "mx1", "203.0.113.7", "partners", "mx1", true},
        {"203.0.113.0/24", "partners", "", "mx1", "203.0.113.7", "partners", "mx2", false},
        {"203.0.113.0/24", "partners", "", "mx1", "198.51.100.7", "partners", "mx1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_prefix of = prefix_of(cases[i].of);
        struct weir_silenced silence = {.number = 1, .ends = DATABASE_NOW};
        const struct weir_alert_silences silences = {&silence, 1};
        const struct weir_alert_about about = {&of, cases[i].class_name, "threshold",
                                               cases[i].servers};

        silence.has_prefix = cases[i].prefix[0] != '\0';
        if (silence.has_prefix)
            silence.prefix = prefix_of(cases[i].prefix);
        strcpy(silence.threshold, cases[i].threshold);
        strcpy(silence.kind, cases[i].kind);
        strcpy(silence.server, cases[i].server);
        if ((weir_alert_silence_find(&silences, &about, DATABASE_NOW - 1) != NULL) !=
            cases[i].holds)
            fail_msg("case %zu", i);
        assert_null(weir_alert_silence_find(&silences, &about, DATABASE_NOW));
    }
}

static void silences_are_stored_and_stand_until_they_end(void **state)
{
    struct database_rig *rig = *state;
    struct weir_alert_silences silences = {.count = 0};
    struct weir_silenced silence = {.made = DATABASE_NOW, .ends = DATABASE_NOW + WEIR_HOUR,
                                    .has_prefix = true, .threshold = "partners",
                                    .server = "mx1", .kind = "threshold", .reason = "known",
                                    .who = "user anna"};
    int64_t number = 0;

    silence.prefix = prefix_of("2001:db8::/32");
    database_must(rig, weir_database_silence_add(rig->database, &silence, &number), 0);
    database_must(rig, weir_alert_silences_read(rig->database, DATABASE_NOW, &silences), 0);
    assert_int_equal(silences.count, 1);
    silence.number = number;
    assert_memory_equal(&silences.silence[0].prefix, &silence.prefix, sizeof silence.prefix);
    assert_string_equal(silences.silence[0].server, "mx1");
    assert_string_equal(silences.silence[0].who, "user anna");
    assert_int_equal(weir_database_silence_end(rig->database, number + 1, "x", DATABASE_NOW), 0);
    assert_int_equal(weir_database_silence_end(rig->database, number, "user bob",
                                               DATABASE_NOW + 1), 1);
    assert_int_equal(weir_database_silence_end(rig->database, number, "user bob",
                                               DATABASE_NOW + 2), 0);
    database_must(rig, weir_alert_silences_read(rig->database, DATABASE_NOW, &silences), 0);
    assert_int_equal(silences.count, 0);
    weir_alert_silences_free(&silences);
}

static void no_more_stand_than_may(void **state)
{
    struct database_rig *rig = *state;
    struct weir_silenced silence = {.made = DATABASE_NOW, .ends = DATABASE_NOW + 1,
                                    .kind = "threshold"};
    int64_t number = 0;

    for (unsigned i = 0; i < WEIR_SILENCES_MAX; i++)
        database_must(rig, weir_database_silence_add(rig->database, &silence, &number), 0);
    assert_int_equal(weir_database_silence_add(rig->database, &silence, &number), WEIR_ELIMIT);
    silence.made = DATABASE_NOW + 1; /* those before are over */
    database_must(rig, weir_database_silence_add(rig->database, &silence, &number), 0);
}

static int count_rows(void *context, const struct weir_event *event)
{
    unsigned *rows = context;

    *rows = *rows * 10 + (unsigned)event->number;
    return 0;
}

static unsigned unheard(struct database_rig *rig, weir_time told, unsigned again)
{
    unsigned rows = 0;

    assert_true(weir_database_events_unheard(rig->database, told, again, 10, count_rows,
                                             &rows) >= 0);
    return rows;
}

static void what_nobody_acknowledged_is_found_until_it_was_told_often_enough(void **state)
{
    struct database_rig *rig = *state;
    struct weir_event event = {.raised = DATABASE_NOW, .kind = "threshold"};
    int64_t number;

    for (unsigned i = 0; i < 3; i++)
        database_must(rig, weir_database_event_add(rig->database, &event, &number), 0);
    assert_int_equal(unheard(rig, INT64_MAX, 9), 0); /* nobody was told of any */
    for (int64_t i = 1; i <= 2; i++)
        database_must(rig, weir_database_event_alerted(rig->database, i, DATABASE_NOW - i, 0), 0);
    database_must(rig, weir_database_event_silenced(rig->database, 3, 7), 0); /* of no alert */
    assert_int_equal(unheard(rig, INT64_MAX, 9), 21);
    database_must(rig, weir_database_event_alerted(rig->database, 1, DATABASE_NOW + 50, 0), 0);
    assert_int_equal(unheard(rig, DATABASE_NOW - 1, 9), 21); /* the first time counts */
    assert_int_equal(unheard(rig, DATABASE_NOW - 2, 9), 2);
    database_must(rig, weir_database_event_told(rig->database, 2, DATABASE_NOW + 5, 1), 0);
    database_must(rig, weir_database_event_told(rig->database, 2, DATABASE_NOW + 90, 1), 0);
    assert_int_equal(unheard(rig, DATABASE_NOW + 5, 2), 12);
    assert_int_equal(unheard(rig, DATABASE_NOW + 5, 1), 1);
    assert_int_equal(weir_database_event_acknowledge(rig->database, 1, 1, "anna", ""), 1);
    assert_int_equal(unheard(rig, INT64_MAX, 9), 2);
    assert_int_equal(weir_database_event_unacknowledge(rig->database, 1, DATABASE_NOW + 9), 1);
    assert_int_equal(weir_database_event_unacknowledge(rig->database, 1, DATABASE_NOW + 9), 0);
    assert_int_equal(unheard(rig, INT64_MAX, 9), 21);
    assert_int_equal(weir_database_event_clear(rig->database, 2, DATABASE_NOW), 1);
    assert_int_equal(unheard(rig, INT64_MAX, 9), 1);
}

static void the_console_is_where_it_is_said_to_be_or_where_it_listens(void **state)
{
    static const struct {
        const char *url, *listen;
        bool secure;
        const char *wanted;
    } cases[] = {
        {"", "", false, ""}, {"https://weir.example", "", true, ""},
        {"https://weir.example", "inet:127.0.0.1:8426", false, "https://weir.example"},
        {"", "inet:127.0.0.1:8426", false, "http://127.0.0.1:8426"},
        {"", "inet:127.0.0.1:8426", true, "https://127.0.0.1:8426"},
        {"", "inet:[2001:db8::7]:8426", true, "https://[2001:db8::7]:8426"},
        {"", "inet:0.0.0.0:8426", false, "http://monitor:8426"},
        {"", "inet:[::]:8426", false, "http://monitor:8426"},
        {"", "inet:127.0.0.1:0", false, ""},
    };
    char buffer[WEIR_ALERT_CONSOLE_MAX + 1], url[WEIR_ALERT_CONSOLE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(weir_alert_console(cases[i].url, cases[i].listen, cases[i].secure,
                                               "monitor", buffer), cases[i].wanted);
    memset(url, 'x', sizeof url);
    url[WEIR_ALERT_CONSOLE_MAX + 1] = '\0';
    assert_string_equal(weir_alert_console(url, "inet:[::]:1", false, "m", buffer), "");
    url[WEIR_ALERT_CONSOLE_MAX] = '\0';
    assert_string_equal(weir_alert_console(url, "inet:[::]:1", false, "m", buffer), url);
}

static void an_alert_links_to_its_page_or_its_address(void **state)
{
    struct weir_alert alert = {.event = 17};
    char link[WEIR_ALERT_LINK_ROOM];

    (void)state;
    alert.prefix = prefix_of("2001:db8::/64");
    assert_string_equal(weir_alert_link("http://c", &alert, link), "http://c/#/alerts/17");
    assert_string_equal(weir_alert_link("http://c", NULL, link), "http://c/#/alerts");
    assert_string_equal(weir_alert_link("", &alert, link), "");
    alert.event = 0;
    assert_string_equal(weir_alert_link("http://c", &alert, link),
                        "http://c/#/addresses/2001:db8::%2F64");
    alert.prefix = prefix_of("203.0.113.7");
    assert_string_equal(weir_alert_link("http://c", &alert, link),
                        "http://c/#/addresses/203.0.113.7");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silence_holds_for_what_all_that_it_names_fits),
        TEST(silences_are_stored_and_stand_until_they_end),
        TEST(no_more_stand_than_may),
        TEST(what_nobody_acknowledged_is_found_until_it_was_told_often_enough),
        cmocka_unit_test(the_console_is_where_it_is_said_to_be_or_where_it_listens),
        cmocka_unit_test(an_alert_links_to_its_page_or_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
