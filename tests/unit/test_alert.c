/*
 * Alerts gathered, paced, and as text (alert.c, alert_text.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "monitor/threshold/alert_text.h"

#define START (1790000000 * WEIR_SECOND)

static struct weir_alert alert_of(const char *prefix, enum weir_response response)
{
    struct weir_alert alert = {
        .time = START, .rate = 12.3, .limit = {.rate = 1, .maximum = 50}, .class_name = "default",
        .names = "mx1, mx2", .response = response, .wanted = response};
    const char *why;

    if (response >= WEIR_RESPONSE_SCORE)
        alert.ends = START + WEIR_HOUR;
    assert_int_equal(weir_prefix_parse(prefix, strlen(prefix), &alert.prefix, &why), 0);
    return alert;
}

static const struct weir_alert_letter letter = {
    .host = "monitor.example", .to = "postmaster@example.org", .console = "", .now = START,
    .number = 3};

/* Groups. ------------------------------------------------------------------ */

static void a_group_keeps_the_first_lines_and_counts_all(void **state)
{
    struct weir_alert_group group = {.count = 0};
    struct weir_alert alert = alert_of("203.0.113.7", WEIR_RESPONSE_ALERT);

    (void)state;
    for (unsigned i = 0; i < WEIR_ALERT_LINES + 5; i++) {
        alert.time = START + (weir_time)i * WEIR_SECOND;
        alert.response = i % 2 ? WEIR_RESPONSE_REJECT : WEIR_RESPONSE_ALERT;
        weir_alert_group_add(&group, &alert);
    }
    assert_int_equal(group.count, WEIR_ALERT_LINES + 5);
    assert_int_equal(group.kept, WEIR_ALERT_LINES);
    assert_int_equal(group.first, START);
    assert_int_equal(group.last, START + (WEIR_ALERT_LINES + 4) * WEIR_SECOND);
    assert_int_equal(group.alert[WEIR_ALERT_LINES - 1].time,
                     START + (WEIR_ALERT_LINES - 1) * WEIR_SECOND);
    assert_int_equal(group.responses[WEIR_RESPONSE_REJECT], 12);
    assert_int_equal(group.responses[WEIR_RESPONSE_ALERT], 13);
}

/* The pace. ---------------------------------------------------------------- */

static void the_first_message_is_due_at_once_and_the_next_after_a_window(void **state)
{
    struct weir_alert_pace pace = {.window = 5 * WEIR_MINUTE, .hour_most = 12};

    (void)state;
    assert_true(weir_alert_pace_due(&pace) <= 0);
    weir_alert_pace_note(&pace, WEIR_HOUR);
    assert_int_equal(weir_alert_pace_due(&pace), WEIR_HOUR + 5 * WEIR_MINUTE);
}

static void no_hour_has_more_messages_than_it_may(void **state)
{
    static const unsigned most[] = {1, 2, 12, WEIR_ALERT_HOUR_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        struct weir_alert_pace pace = {.window = WEIR_SECOND, .hour_most = most[i]};
        weir_time sent[300], now = 0;

        for (unsigned k = 0; k < 300; k++) {
            weir_time due = weir_alert_pace_due(&pace);
            now = due > now ? due : now;
            weir_alert_pace_note(&pace, now);
            sent[k] = now;
            if (k >= most[i])
                assert_true(now - sent[k - most[i]] >= WEIR_HOUR);
            if (k > 0 && k % most[i] != 0) /* nor fewer */
                assert_int_equal(now - sent[k - 1], WEIR_SECOND);
        }
    }
}

/* Lines of the log. -------------------------------------------------------- */

static void the_first_alerts_of_a_window_are_lines_and_the_rest_is_one_line(void **state)
{
    struct weir_alert_lines lines = {.window = 5 * WEIR_MINUTE};
    struct weir_alert alert = alert_of("203.0.113.7", WEIR_RESPONSE_REJECT);
    struct weir_alert_group more;
    weir_time now = WEIR_HOUR;

    (void)state;
    assert_false(weir_alert_lines_end(&lines, now, false, &more));
    for (unsigned window = 0; window < 3; window++, now += 5 * WEIR_MINUTE) {
        for (unsigned i = 0; i < 40000; i++)
            assert_int_equal(weir_alert_lines_add(&lines, &alert, now + i), i < WEIR_ALERT_LINES);
        assert_false(weir_alert_lines_end(&lines, now + 5 * WEIR_MINUTE - 1, false, &more));
        assert_true(weir_alert_lines_end(&lines, now + 5 * WEIR_MINUTE, false, &more));
        assert_int_equal(more.count, 40000 - WEIR_ALERT_LINES);
        assert_int_equal(more.kept, WEIR_ALERT_LINES);
        assert_false(weir_alert_lines_end(&lines, now + 5 * WEIR_MINUTE, false, &more));
    }
}

static void a_window_of_lines_begins_with_its_first_and_may_end_with_nothing_more(void **state)
{
    struct weir_alert_lines lines = {.window = WEIR_MINUTE};
    struct weir_alert alert = alert_of("203.0.113.7", WEIR_RESPONSE_REJECT);
    struct weir_alert_group more;

    (void)state;
    for (unsigned i = 0; i < 100; i++) { /* as few as these never wait */
        weir_time now = WEIR_HOUR + i * WEIR_MINUTE / WEIR_ALERT_LINES;

        assert_false(weir_alert_lines_end(&lines, now, false, &more));
        assert_true(weir_alert_lines_add(&lines, &alert, now));
    }
    assert_false(weir_alert_lines_end(&lines, 2 * WEIR_HOUR, false, &more));
}

static void what_the_log_has_gathered_is_told_when_it_is_to_end(void **state)
{
    struct weir_alert_lines lines = {.window = WEIR_DAY};
    struct weir_alert alert = alert_of("203.0.113.7", WEIR_RESPONSE_REJECT);
    struct weir_alert_group more;

    (void)state;
    for (unsigned i = 0; i < WEIR_ALERT_LINES; i++)
        weir_alert_lines_add(&lines, &alert, WEIR_HOUR);
    assert_false(weir_alert_lines_add(&lines, &alert, WEIR_HOUR));
    assert_true(weir_alert_lines_end(&lines, WEIR_HOUR, true, &more));
    assert_int_equal(more.count, 1);
    assert_false(weir_alert_lines_end(&lines, WEIR_HOUR, true, &more));
}

/* Text. -------------------------------------------------------------------- */

static void A8_A19_A35_sentence_names_address_rate_limit_servers_and_undo(void **state)
{
    struct weir_alert alert = alert_of("203.0.113.7", WEIR_RESPONSE_REJECT);
    char line[WEIR_ALERT_LINE_ROOM];

    (void)state;
    assert_string_equal(
        weir_alert_sentence(&alert, "", line),
        "203.0.113.7: 12.30 connections a second, allowed 50 at once and 1.000 a second (default); "
        "seen by mx1, mx2; response: reject until 2026-09-21T15:13:20Z; to undo it: "
        "weirctl unblock 203.0.113.7");
    alert.response = WEIR_RESPONSE_ALERT;
    alert.ends = 0;
    strcpy(alert.withheld, "it is acceptable");
    weir_alert_sentence(&alert, "", line);
    assert_non_null(strstr(line, "response: alert, reject was withheld: it is acceptable"));
    assert_null(strstr(line, "undo"));
    assert_null(strstr(line, "late"));
    alert.late = START;
    weir_alert_sentence(&alert, "", line);
    assert_non_null(strstr(line, "; told late: a silence held it"));
}

static void a_summary_has_the_number_and_the_first_addresses(void **state)
{
    struct weir_alert_group group = {.count = 0};
    char line[WEIR_ALERT_LINE_ROOM], prefix[32];

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        struct weir_alert alert;

        sprintf(prefix, "198.51.%u.9", i);
        alert = alert_of(prefix, i % 3 ? WEIR_RESPONSE_REJECT : WEIR_RESPONSE_ALERT);
        weir_alert_group_add(&group, &alert);
        if (i == 0)
            assert_string_equal(weir_alert_summary(&group, line),
                                "1 alert from 2026-09-21T14:13:20Z to 2026-09-21T14:13:20Z: "
                                "alert 1; 198.51.0.9");
        if (i == 4)
            assert_non_null(strstr(weir_alert_summary(&group, line), ", 198.51.4.9"));
        if (i == 4)
            assert_null(strstr(line, "more"));
    }
    assert_string_equal(weir_alert_summary(&group, line),
                        "30 alerts from 2026-09-21T14:13:20Z to 2026-09-21T14:13:20Z: "
                        "alert 10 reject 20; 198.51.0.9, 198.51.1.9, 198.51.2.9, 198.51.3.9, "
                        "198.51.4.9 and 25 more");
}

static void mail_has_the_fields_it_needs(void **state)
{
    static const char *const fields[] = {
        "From: Weir <weir-monitor@monitor.example>\n", "\nTo: postmaster@example.org\n",
        "\nSubject: [weir] 203.0.113.7: connections, reject, and 1 more\n",
        "\nDate: Mon, 21 Sep 2026 14:13:20 +0000\n", "\nMessage-ID: <weir.",
        "\nAuto-Submitted: auto-generated\n", "\nMIME-Version: 1.0\n", "\n\n2 alerts from "};
    struct weir_alert alert = alert_of("203.0.113.7", WEIR_RESPONSE_REJECT);
    struct weir_alert_group group = {.count = 0};
    char *mail;

    (void)state;
    weir_alert_group_add(&group, &alert);
    weir_alert_group_add(&group, &alert);
    mail = weir_alert_mail(&group, &letter);
    assert_non_null(mail);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        assert_non_null(strstr(mail, fields[i]));
    assert_true(strncmp(mail, fields[0], strlen(fields[0])) == 0);
    free(mail);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        count++;
    return count;
}

static void hostile_text_forges_no_line(void **state)
{
    struct weir_alert alert = alert_of("203.0.113.7", WEIR_RESPONSE_ALERT);
    struct weir_alert_group group = {.count = 0};
    size_t lines;
    char *mail, *plain;

    (void)state;
    strcpy(alert.withheld, "x");
    weir_alert_group_add(&group, &alert);
    plain = weir_alert_mail(&group, &letter);
    strcpy(group.alert[0].class_name, "a\r\n\r\nBcc: x@y\n.\n");
    strcpy(group.alert[0].withheld, "x\n\nX-Forged: \x1b[2J\xff\n.\n");
    memset(group.alert[0].names, '\n', WEIR_ALERT_NAMES_MAX);
    mail = weir_alert_mail(&group, &letter);
    assert_non_null(mail);
    lines = count_of(plain, "\n");
    assert_int_equal(count_of(mail, "\n"), lines);
    for (const char *at = mail; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
    for (const char *at = mail; *at; at += strcspn(at, "\n") + 1)
        assert_true(strcspn(at, "\n") <= 998);
    free(mail);
    free(plain);
}

static void more_alerts_than_lines_are_told_as_a_number(void **state)
{
    struct weir_alert alert = alert_of("198.51.100.0/24", WEIR_RESPONSE_SCORE);
    struct weir_alert_group group = {.count = 0};
    json_t *json;
    char *text;

    (void)state;
    for (unsigned i = 0; i < WEIR_ALERT_LINES + 3; i++)
        weir_alert_group_add(&group, &alert);
    text = weir_alert_mail(&group, &letter);
    assert_int_equal(count_of(text, ": 12.30 connections"), WEIR_ALERT_LINES);
    assert_non_null(strstr(text, "and 3 more"));
    free(text);
    text = weir_alert_json(&group, &letter);
    json = json_loads(text, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "count")), WEIR_ALERT_LINES + 3);
    assert_int_equal(json_integer_value(json_object_get(json, "more")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "alerts")), WEIR_ALERT_LINES);
    json_decref(json);
    free(text);
}

static void A8_A19_A35_JSON_has_every_part_of_an_alert(void **state)
{
    struct weir_alert alert = alert_of("2001:db8::/64", WEIR_RESPONSE_DEFER);
    struct weir_alert_group group = {.count = 0};
    json_t *json, *first;
    char *text;

    (void)state;
    strcpy(alert.class_name, "\"\xff\n");
    weir_alert_group_add(&group, &alert);
    text = weir_alert_json(&group, &letter);
    json = json_loads(text, 0, NULL);
    first = json_array_get(json_object_get(json, "alerts"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "address")), "2001:db8::/64");
    assert_string_equal(json_string_value(json_object_get(first, "class")), "\"??");
    assert_int_equal(json_array_size(json_object_get(first, "servers")), 2);
    assert_true(json_real_value(json_object_get(first, "rate")) == 12.3);
    assert_string_equal(json_string_value(json_object_get(first, "undo")),
                        "weirctl unblock 2001:db8::/64");
    assert_string_equal(json_string_value(json_object_get(first, "ends")),
                        "2026-09-21T15:13:20Z");
    json_decref(json);
    free(text);
}

static void a_recipient_is_no_option_and_quotes_nothing(void **state)
{
    static const struct {
        const char *text;
        bool fit;
    } cases[] = {{"postmaster@example.org", true}, {"root", true}, {"a+b@x.example", true},
                 {"", false}, {"-t", false}, {"-oQ/tmp@x", false}, {"a b", false},
                 {"a\nb", false}, {"|sh", false}, {"\"a b\"@x", false}, {"<a@b>", false},
                 {"a,b", false}, {"\xc3\xa4@x", false}};
    char text[WEIR_ALERT_RECIPIENT_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(weir_alert_recipient_fit(weir_slice_of(cases[i].text)), cases[i].fit);
    memset(text, 'a', sizeof text);
    assert_true(weir_alert_recipient_fit((struct weir_slice){text, WEIR_ALERT_RECIPIENT_MAX}));
    assert_false(
        weir_alert_recipient_fit((struct weir_slice){text, WEIR_ALERT_RECIPIENT_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_keeps_the_first_lines_and_counts_all),
        cmocka_unit_test(the_first_message_is_due_at_once_and_the_next_after_a_window),
        cmocka_unit_test(no_hour_has_more_messages_than_it_may),
        cmocka_unit_test(the_first_alerts_of_a_window_are_lines_and_the_rest_is_one_line),
        cmocka_unit_test(a_window_of_lines_begins_with_its_first_and_may_end_with_nothing_more),
        cmocka_unit_test(what_the_log_has_gathered_is_told_when_it_is_to_end),
        cmocka_unit_test(a_summary_has_the_number_and_the_first_addresses),
        cmocka_unit_test(A8_A19_A35_sentence_names_address_rate_limit_servers_and_undo),
        cmocka_unit_test(mail_has_the_fields_it_needs),
        cmocka_unit_test(hostile_text_forges_no_line),
        cmocka_unit_test(more_alerts_than_lines_are_told_as_a_number),
        cmocka_unit_test(A8_A19_A35_JSON_has_every_part_of_an_alert),
        cmocka_unit_test(a_recipient_is_no_option_and_quotes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
