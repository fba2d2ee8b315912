/*
 * record - which lines of a server's log are its own decisions.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/slice.h"
#include "monitor/analyzer/record.h"

#define FRONT "at=2026-11-20T10:00:00Z program=weir-milter queue_id=4X listener=25 " \
    "hops=203.0.113.9 name=- dkim=- recipients=1 verdict=spam score=7.25 action=pass " \
    "boundary=203.0.113.9 hop=0:connect domain=d.example rules=A id=1 sender=<a@d.example> " \
    "recipient=<u@test.example>"

static const struct weir_info_keys keys = {.key = {{.id = 7, .octet = {1, 2, 3}}}, .keys = 1};

/* The line of a decision of a server, signed by keys. */
static struct weir_slice line_by(uint64_t server, const struct weir_info_keys *signing,
                                 bool sealed)
{
    static char line[sizeof FRONT + WEIR_INFO_TEXT_MAX + 20];
    const struct weir_info_rule rule = {17, 1.5f};
    const struct weir_info info = {.server = server, .at = 1795000000 * WEIR_SECOND, .uid = 99,
                                   .binding = 42, .verdict = 2, .score = 7.25f, .serial = 5};
    char text[WEIR_INFO_TEXT_MAX + 1];

    assert_int_equal(weir_info_make(&info, &rule, 1, signing, sealed, text), 0);
    memmove(text + 3, text + 4, strlen(text + 4) + 1); /* "v1;..." */
    snprintf(line, sizeof line, FRONT " info=%s", text);
    return weir_slice_of(line);
}

static struct weir_slice line_of(const struct weir_info_keys *signing, bool sealed)
{
    return line_by(3, signing, sealed);
}

static void B15_a_servers_own_decision_is_read_sealed_or_not(void **state)
{
    struct weir_record record;
    (void)state;
    for (int sealed = 0; sealed <= 1; sealed++) {
        assert_int_equal(weir_record_read(line_of(&keys, sealed), 3, &keys, &record),
                         WEIR_RECORD_GOOD);
        assert_int_equal(record.info.uid, 99);
        assert_int_equal(record.info.rules, 1);
        assert_int_equal(record.info.rule[0].id, 17);
        assert_true(record.info.rule[0].points == 1.5f);
    }
}

static void a_decision_of_another_server_is_foreign(void **state)
{
    struct weir_record record;
    (void)state;
    assert_int_equal(weir_record_read(line_of(&keys, false), 4, &keys, &record),
                     WEIR_RECORD_FOREIGN);
    assert_int_equal(weir_record_read(line_by(0, &keys, false), 4, &keys, &record),
                     WEIR_RECORD_GOOD);
}

static void B20_what_is_not_signed_by_us_is_not_believed(void **state)
{
    const struct weir_info_keys other = {.key = {{.id = 8, .octet = {1, 2, 3}}}, .keys = 1},
                                same_id = {.key = {{.id = 7, .octet = {9}}}, .keys = 1};
    struct weir_record record;
    struct weir_slice line;
    (void)state;
    assert_int_equal(weir_record_read(line_of(&other, false), 3, &keys, &record),
                     WEIR_RECORD_UNKNOWN_KEY);
    assert_int_equal(weir_record_read(line_of(&same_id, false), 3, &keys, &record),
                     WEIR_RECORD_BAD);
    line = line_of(&keys, false);
    for (size_t len = sizeof FRONT + 6; len < line.len; len++)
        assert_int_not_equal(weir_record_read((struct weir_slice){line.at, len}, 3, &keys, &record),
                             WEIR_RECORD_GOOD);
}

/* The same decision, its line with these words in front. */
static struct weir_record_beside beside_of(const char *words)
{
    static char line[sizeof FRONT + WEIR_INFO_TEXT_MAX + 400];
    struct weir_record record;
    struct weir_slice rest = line_of(&keys, false);

    snprintf(line, sizeof line, "at=x hops=192.0.2.1 %s %s", words, strstr(rest.at, "info="));
    assert_int_equal(weir_record_read(weir_slice_of(line), 3, &keys, &record), WEIR_RECORD_GOOD);
    return record.beside;
}

static void what_is_beside_the_string_is_told_as_far_as_it_makes_sense(void **state)
{
    struct weir_record_beside beside = beside_of(
        "queue_id=4XYZ limits=3.00,5.00,15.00 action=reject ground=blacklist confidence=0.85 "
        "basis=pair");

    (void)state;
    assert_string_equal(beside.queue_id, "4XYZ");
    assert_string_equal(beside.action, "reject");
    assert_string_equal(beside.ground, "blacklist");
    assert_string_equal(beside.basis, "pair");
    assert_true(beside.confidence == 0.85 && beside.has_limits);
    assert_true(beside.unsure == 3 && beside.spam == 5 && beside.reject == 15);
    beside = beside_of("queue_id=4X<b> limits=3,5 action=<b> ground=x confidence=2 basis=");
    assert_string_equal(beside.queue_id, "");
    assert_string_equal(beside.action, "");
    assert_string_equal(beside.ground, "");
    assert_string_equal(beside.basis, "");
    assert_true(beside.confidence < 0 && !beside.has_limits);
    static const char *const limits[] = {"limits=nan,5,15", "limits=1,2,3,4", "limits=1,,3",
                                         "limits=1,2,inf", "limits=1,2,3x", "older=1"};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        assert_false(beside_of(limits[i]).has_limits);
}

static void lines_of_other_kinds_are_passed_over(void **state)
{
    static const char *const lines[] = {"", "dropped=5", FRONT, FRONT " info=-",
                                        "info=v1;AAAA", "at=2026-11-20T10:00:00Z syns=5"};
    struct weir_record record;
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(weir_record_read(weir_slice_of(lines[i]), 3, &keys, &record),
                         WEIR_RECORD_OTHER);
    assert_int_equal(weir_record_read(weir_slice_of(FRONT " info=v1;AAAA"), 3, &keys, &record),
                     WEIR_RECORD_BAD);
    assert_string_equal(weir_record_state_name(WEIR_RECORD_BAD), "bad");
    assert_string_equal(weir_record_state_name(WEIR_RECORD_STATES), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B15_a_servers_own_decision_is_read_sealed_or_not),
        cmocka_unit_test(a_decision_of_another_server_is_foreign),
        cmocka_unit_test(B20_what_is_not_signed_by_us_is_not_believed),
        cmocka_unit_test(what_is_beside_the_string_is_told_as_far_as_it_makes_sense),
        cmocka_unit_test(lines_of_other_kinds_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
