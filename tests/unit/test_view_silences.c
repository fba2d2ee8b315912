/*
 * view_silences - which are wide, at the limit and one past it, and those that stand in words.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "monitor/threshold/silencing.h"
#include "monitor/view/view_silences.h"

#define NOW (1790000000 * WEIR_SECOND) /* 2026-09-21T14:13:20Z */

static struct weir_silenced about(const char *prefix, weir_time span)
{
    struct weir_silenced silence = {.number = 1, .made = NOW, .ends = NOW + span,
                                    .has_prefix = prefix != NULL};
    const char *why;

    if (prefix)
        assert_int_equal(weir_prefix_parse(prefix, strlen(prefix), &silence.prefix, &why), 0);
    return silence;
}

static void what_is_wide(void **state)
{
    static const struct {
        const char *prefix;
        weir_time span;
        bool wide;
    } cases[] = {
        {"192.0.2.7", WEIR_HOUR, false},
        {"192.0.2.7", WEIR_SILENCE_NARROW + WEIR_MINUTE, false},
        {"192.0.2.7", WEIR_SILENCE_NARROW + WEIR_MINUTE + 1, true},
        {"172.16.0.0/16", WEIR_HOUR, false},
        {"172.16.0.0/15", WEIR_HOUR, true},
        {"2001:db8::/32", WEIR_HOUR, false},
        {"2001:db8::/31", WEIR_HOUR, true},
        {NULL, WEIR_HOUR, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_silenced silence = about(cases[i].prefix, cases[i].span);

        assert_int_equal(weir_silence_wide(&silence), cases[i].wide);
    }
}

static void stands(const struct weir_silenced *silences, size_t count, uint64_t alerts,
                   json_int_t wide, const char *text)
{
    json_t *json = weir_view_standing(silences, count, NOW, &alerts);

    assert_string_equal(json_string_value(json_object_get(json, "text")), text);
    assert_int_equal(json_integer_value(json_object_get(json, "wide")), wide);
    assert_int_equal(json_integer_value(json_object_get(json, "alerts")), alerts);
    json_decref(json);
}

static void those_that_stand_are_named_the_wide_ones_first(void **state)
{
    struct weir_silenced all[WEIR_VIEW_SILENCES_NAMED + 1] = {{.number = 0}};

    (void)state;
    stands(all, 0, 0, 0, "");
    for (size_t i = 0; i <= WEIR_VIEW_SILENCES_NAMED; i++)
        all[i] = about("203.0.113.0/24", WEIR_HOUR);
    stands(all, 1, 1, 0, "1 silence stands, nobody is told of alerts about address 203.0.113.0/24 "
           "until 2026-09-21T15:13:20Z; 1 alert is under it");
    all[0].ends = NOW; /* over */
    all[1].ended = NOW - 1;
    stands(all, 2, 0, 0, "");
    all[2] = about(NULL, 2 * WEIR_HOUR);
    strcpy(all[2].kind, "threshold");
    strcpy(all[2].server, "mx1");
    stands(all, 4, 14, 1, "2 silences stand, nobody is told of alerts about server mx1, kind "
           "threshold until 2026-09-21T16:13:20Z; address 203.0.113.0/24 until "
           "2026-09-21T15:13:20Z; 14 alerts are under them");
}

static void the_longest_names_fit_and_of_many_the_number_is_told(void **state)
{
    struct weir_silenced all[WEIR_VIEW_SILENCES_NAMED + 1] = {{.number = 0}};
    json_t *json;
    const char *text;

    (void)state;
    for (size_t i = 0; i <= WEIR_VIEW_SILENCES_NAMED; i++) {
        all[i] = about("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", WEIR_HOUR);
        memset(all[i].threshold, 't', sizeof all[i].threshold - 1);
        memset(all[i].kind, 'k', sizeof all[i].kind - 1);
        memset(all[i].server, 's', sizeof all[i].server - 1);
    }
    json = weir_view_standing(all, WEIR_VIEW_SILENCES_NAMED + 1, NOW, NULL);
    assert_true(json_is_null(json_object_get(json, "alerts")));
    text = json_string_value(json_object_get(json, "text"));
    assert_string_equal(strstr(text, "; and "), "; and 1 more; how many alerts are under them "
                        "is not known");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wide),
        cmocka_unit_test(those_that_stand_are_named_the_wide_ones_first),
        cmocka_unit_test(the_longest_names_fit_and_of_many_the_number_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
