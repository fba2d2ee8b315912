/*
 * What the monitor says to list: read whole or not at all, and written so that it can be read.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/agent/command.h"

#define SET(list, prefix, ends, more)                                                             \
    "{\"list\":\"" list "\",\"prefix\":\"" prefix "\",\"ends\":" ends more                        \
    ",\"reason\":\"r\",\"origin\":\"monitor\"}"
#define ONE(entry) "{\"generation\":1,\"full\":false,\"set\":[" entry "],\"remove\":[]}"
#define GONE(entry) "{\"generation\":1,\"full\":false,\"set\":[],\"remove\":[" entry "]}"

static int read_text(const char *text, struct weir_command *command_r)
{
    const char *why = NULL;
    int done = weir_command_read(weir_slice_of(text), command_r, &why);

    assert_true(done == 0 || (why && why[0]));
    return done;
}

static void a_command_is_read_as_it_was_said(void **state)
{
    struct weir_command command;
    char prefix[WEIR_PREFIX_TEXT];

    (void)state;
    assert_int_equal(
        read_text("{\"generation\":12,\"full\":true,\"set\":["
                  SET("blacklist", "192.0.2.7", "1795341600", ",\"defer\":true") ","
                  SET("score", "2001:db8::/48", "1795341601", ",\"points\":2.5") ","
                  SET("accept", "198.51.100.0/24", "0", "")
                  "],\"remove\":[{\"list\":\"score\",\"prefix\":\"192.0.2.8\"}],\"new\":1}",
                  &command), 0);
    assert_int_equal(command.generation, 12);
    assert_true(command.full);
    assert_int_equal(command.sets, 3);
    assert_int_equal(command.removes, 1);
    assert_int_equal(command.set[0].list, WEIR_LIST_BLACK);
    assert_true(command.set[0].entry.defer);
    assert_true(command.set[0].entry.ends == 1795341600 * WEIR_SECOND);
    assert_string_equal(command.set[0].entry.reason, "r");
    assert_string_equal(command.set[0].entry.origin, WEIR_COMMAND_ORIGIN);
    assert_true(command.set[1].entry.points == 2.5 && !command.set[1].entry.defer);
    assert_string_equal(weir_prefix_format(&command.set[1].entry.prefix, prefix),
                        "2001:db8::/48");
    assert_true(command.set[2].list == WEIR_LIST_ACCEPT && command.set[2].entry.ends == 0);
    assert_int_equal(command.removed[0].list, WEIR_LIST_SCORE);
    assert_string_equal(weir_prefix_format(&command.removed[0].entry.prefix, prefix), "192.0.2.8");
    weir_command_free(&command);
    weir_command_free(&command);
    assert_null(command.set);
}

static void what_is_not_an_order_is_refused_whole_and_what_just_is_one_is_taken(void **state)
{
    static const struct {
        const char *text;
        int wanted;
    } cases[] = {
        {"", WEIR_EINVAL},
        {"[]", WEIR_EINVAL},
        {"{}", WEIR_EINVAL},
        {ONE("") " x", WEIR_EINVAL},
        {"{\"generation\":-1,\"full\":false,\"set\":[],\"remove\":[]}", WEIR_EINVAL},
        {"{\"generation\":1,\"full\":0,\"set\":[],\"remove\":[]}", WEIR_EINVAL},
        {"{\"generation\":1,\"full\":false,\"set\":{},\"remove\":[]}", WEIR_EINVAL},
        {"{\"generation\":1,\"generation\":2,\"full\":false,\"set\":[],\"remove\":[]}",
         WEIR_EINVAL},
        {"{\"generation\":0,\"full\":false,\"set\":[],\"remove\":[]}", 0},
        {ONE(""), 0},
        {ONE("1"), WEIR_EINVAL},
        {ONE(SET("never", "192.0.2.7", "9", "")), WEIR_EINVAL},
        {ONE(SET("Blacklist", "192.0.2.7", "9", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "192.0.2.7", "9", "")), 0},
        {ONE(SET("blacklist", "192.0.2.7/24", "9", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "mx.example", "9", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "8.0.0.0/8", "9", "")), 0},
        {ONE(SET("blacklist", "8.0.0.0/7", "9", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "0.0.0.0/0", "9", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "2001::/16", "9", "")), 0},
        {ONE(SET("blacklist", "2000::/15", "9", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "::/0", "9", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "192.0.2.7", "0", "")), WEIR_EINVAL},
        {ONE(SET("score", "192.0.2.7", "0", "")), WEIR_EINVAL},
        {ONE(SET("accept", "192.0.2.7", "0", "")), 0},
        {ONE(SET("blacklist", "192.0.2.7", "-1", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "192.0.2.7", "9223372036854", "")), 0},
        {ONE(SET("blacklist", "192.0.2.7", "9223372036855", "")), WEIR_EINVAL},
        {ONE(SET("blacklist", "192.0.2.7", "9223372036854775808", "")), WEIR_EINVAL},
        {ONE(SET("score", "192.0.2.7", "9", ",\"points\":100")), 0},
        {ONE(SET("score", "192.0.2.7", "9", ",\"points\":-100.0")), 0},
        {ONE(SET("score", "192.0.2.7", "9", ",\"points\":100.01")), WEIR_EINVAL},
        {ONE(SET("score", "192.0.2.7", "9", ",\"points\":-100.01")), WEIR_EINVAL},
        {ONE(SET("score", "192.0.2.7", "9", ",\"points\":\"1\"")), WEIR_EINVAL},
        {ONE(SET("blacklist", "192.0.2.7", "9", "") "," SET("x", "192.0.2.8", "9", "")),
         WEIR_EINVAL},
        {GONE("{\"list\":\"blacklist\",\"prefix\":\"192.0.2.7\"}"), 0},
        {GONE("{\"list\":\"blacklist\"}"), WEIR_EINVAL},
        {GONE("{\"list\":\"never\",\"prefix\":\"192.0.2.7\"}"), WEIR_EINVAL},
        {GONE("{\"list\":\"accept\",\"prefix\":\"0.0.0.0/1\"}"), WEIR_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_command command = {.generation = 77};

        if (read_text(cases[i].text, &command) != cases[i].wanted)
            fail_msg("not %d: %s", cases[i].wanted, cases[i].text);
        if (cases[i].wanted < 0)
            assert_true(command.generation == 77 && !command.set);
        else
            weir_command_free(&command);
    }
}

static void a_command_has_so_many_octets_and_entries_and_not_one_more(void **state)
{
    static const char head[] = "{\"generation\":1,\"full\":false,\"set\":[],\"remove\":[";
    static const char entry[] = "{\"list\":\"score\",\"prefix\":\"192.0.2.7\"}";
    size_t room = sizeof head + (WEIR_COMMAND_ENTRIES_MAX + 1) * sizeof entry + 8;
    char *text = malloc(WEIR_COMMAND_MAX + 2), *at;
    struct weir_command command;

    (void)state;
    assert_true(text && room < WEIR_COMMAND_MAX);
    for (size_t more = 0; more < 2; more++) {
        at = stpcpy(text, head);
        for (size_t i = 0; i < WEIR_COMMAND_ENTRIES_MAX + more; i++) {
            at = stpcpy(at, i ? "," : "");
            at = stpcpy(at, entry);
        }
        strcpy(at, "]}");
        assert_int_equal(read_text(text, &command), more ? WEIR_ELIMIT : 0);
        if (!more)
            weir_command_free(&command);
    }
    for (size_t more = 0; more < 2; more++) {
        memset(text, ' ', WEIR_COMMAND_MAX + 1);
        memcpy(text, ONE(""), strlen(ONE("")));
        text[WEIR_COMMAND_MAX + more] = '\0';
        assert_int_equal(read_text(text, &command), more ? WEIR_ELIMIT : 0);
        if (!more)
            weir_command_free(&command);
    }
    free(text);
}

static void a_text_that_is_too_long_for_a_list_is_cut(void **state)
{
    char reason[2 * WEIR_REASON_MAX], text[4 * WEIR_REASON_MAX];
    struct weir_command command;

    (void)state;
    memset(reason, 'a', sizeof reason);
    reason[sizeof reason - 1] = '\0';
    snprintf(text, sizeof text, ONE("{\"list\":\"accept\",\"prefix\":\"192.0.2.7\",\"ends\":0,"
             "\"reason\":\"%s\",\"origin\":\"%.100s\"}"), reason, reason);
    assert_int_equal(read_text(text, &command), 0);
    assert_int_equal(strlen(command.set[0].entry.reason), WEIR_REASON_MAX);
    assert_int_equal(strlen(command.set[0].entry.origin), WEIR_ORIGIN_MAX);
    weir_command_free(&command);
}

/* One entry written, and the whole read again. */
static struct weir_command round_trip(enum weir_list list, const struct weir_list_entry *entry)
{
    json_t *json = json_pack("{s:i, s:b, s:[o], s:[o]}", "generation", 3, "full", 1, "set",
                             weir_command_entry_json(list, entry, false), "remove",
                             weir_command_entry_json(list, entry, true));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    struct weir_command command = {0};

    assert_non_null(text);
    assert_int_equal(read_text(text, &command), 0);
    free(text);
    json_decref(json);
    return command;
}

static void what_is_written_is_read_the_same(void **state)
{
    static const char *const prefixes[] = {"192.0.2.7", "192.0.2.0/24", "2001:db8::/56", "::1"};
    struct weir_list_entry entry = {.ends = 1795341600 * WEIR_SECOND + 5, .defer = true,
                                    .points = -2.25, .reason = "too much \"mail\""};
    const char *why;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(weir_prefix_parse(prefixes[i], strlen(prefixes[i]), &entry.prefix, &why),
                         0);
        struct weir_command command = round_trip(WEIR_LIST_BLACK, &entry);

        assert_memory_equal(&command.set[0].entry.prefix, &entry.prefix, sizeof entry.prefix);
        assert_memory_equal(&command.removed[0].entry.prefix, &entry.prefix, sizeof entry.prefix);
        assert_true(command.set[0].entry.ends == 1795341600 * WEIR_SECOND);
        assert_true(command.set[0].entry.defer && command.set[0].entry.points == -2.25);
        assert_string_equal(command.set[0].entry.reason, entry.reason);
        weir_command_free(&command);
    }
}

static void a_reason_that_is_no_utf_8_does_not_stop_the_command(void **state)
{
    struct weir_list_entry entry = {.ends = WEIR_SECOND, .reason = "caf\xc3\xa9 \xc3 \x01"};
    const char *why;

    (void)state;
    assert_int_equal(weir_prefix_parse("192.0.2.7", 9, &entry.prefix, &why), 0);
    struct weir_command command = round_trip(WEIR_LIST_BLACK, &entry);
    assert_string_equal(command.set[0].entry.reason, "caf?? ? ?");
    weir_command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_read_as_it_was_said),
        cmocka_unit_test(what_is_not_an_order_is_refused_whole_and_what_just_is_one_is_taken),
        cmocka_unit_test(a_command_has_so_many_octets_and_entries_and_not_one_more),
        cmocka_unit_test(a_text_that_is_too_long_for_a_list_is_cut),
        cmocka_unit_test(what_is_written_is_read_the_same),
        cmocka_unit_test(a_reason_that_is_no_utf_8_does_not_stop_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
