/*
 * The last resort of matching, the clock (matcher_effort.c, matcher_confirm.c, matcher.c), with a
 * clock of our own in the place of match_clock_io.c: each call of an expression takes as long as
 * the test says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/evidence/match_clock_io.h"
#include "tests/unit/rules_rig.h"

#define MILLISECOND UINT64_C(1000000)
#define HEAD "From: a@x.example\nSubject: x\n\n"

enum { CALLS_BETWEEN_LOOKS = 16, RULES = 30, LINES = 500 };

static uint64_t now, half_a_call;
static unsigned readings;

uint64_t weir_match_used(void)
{
    return now;
}

/* Profiles read it before each call and behind it. */
uint64_t weir_match_clock(void)
{
    readings++;
    return now += half_a_call;
}

/* Matches with calls of so many microseconds each; returns how many there were. */
static unsigned match(struct rules_rig *rig, const char *mail, unsigned microseconds)
{
    now = readings = 0;
    half_a_call = microseconds * MILLISECOND / 1000 / 2;
    rules_rig_match_octets(rig, mail, strlen(mail), WEIR_MATCH_PROFILE);
    return readings / 2;
}

/* So many rules that are tried wherever "word" stands and never hit, and one more line. */
static struct rules_rig *rig_of_words(const char *area, unsigned rules, const char *more)
{
    char text[RULES * 60 + 200];
    int len = 0;
    for (unsigned i = 0; i < rules; i++)
        len += sprintf(text + len, "%s R%u%s /\\bworde\\b.{0,40}[p-t]%u/\n", area, i,
                       strcmp(area, "header") == 0 ? " Subject =~" : "", i);
    sprintf(text + len, "%s", more);
    return rules_rig_new(text);
}

static const char *lines_of_words(void)
{
    static char mail[LINES * 7 + 100];
    int len = sprintf(mail, HEAD);
    for (unsigned i = 0; i < LINES; i++)
        len += sprintf(mail + len, "worde\n\n");
    return mail;
}

static void a_rule_is_given_up_when_its_short_calls_take_WEIR_MATCH_RULE_TIME_MAX(void **state)
{
    (void)state;
    struct rules_rig *rig = rig_of_words("body", 1, "");
    unsigned calls = match(rig, lines_of_words(), 1000);
    assert_in_range(calls, WEIR_MATCH_RULE_TIME_MAX, WEIR_MATCH_RULE_TIME_MAX +
                                                     CALLS_BETWEEN_LOOKS);
    assert_int_equal(rig->result.faileds, 1);
    assert_true(rig->result.cut);
    assert_int_equal(match(rig, lines_of_words(), WEIR_MATCH_RULE_TIME_MAX * 1000 / LINES),
                     LINES);
    assert_int_equal(rig->result.faileds, 0);
    assert_false(rig->result.cut);
    match(rig, lines_of_words(), WEIR_MATCH_RULE_TIME_MAX * 1000 / LINES + 1);
    assert_int_equal(rig->result.faileds, 1);
    rules_rig_free(rig);
}

static void short_calls_of_all_rules_end_with_WEIR_MATCH_TIME_MAX(void **state)
{
    (void)state;
    struct rules_rig *rig = rig_of_words("body", RULES, "");
    unsigned calls = match(rig, lines_of_words(), 1000);
    assert_in_range(calls, WEIR_MATCH_TIME_MAX, WEIR_MATCH_TIME_MAX + CALLS_BETWEEN_LOOKS);
    rules_rig_free(rig);
}

static void no_rule_is_given_up_for_the_time_of_the_one_before(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("body A /\\bwordx\\b.{0,40}[p-t]1/\n"
                                          "body B /\\blineb\\b.{0,40}[p-t]2/\n");
    char mail[1000];
    int len = sprintf(mail, HEAD);
    for (unsigned i = 0; i < 12; i++)
        len += sprintf(mail + len, "%s", i < 10 ? "wordx\n\nlineb\n\n" : "wordx\n\n");
    assert_int_equal(match(rig, mail, 1000), 22);
    assert_int_equal(rig->result.faileds, 0);
    rules_rig_free(rig);
}

static void a_negated_header_rule_hits_unless_the_time_was_over_with_the_fields(void **state)
{
    (void)state;
    const char *negated = "header N Subject !~ /never/\n";
    struct rules_rig *rig = rig_of_words("body", RULES, negated);
    match(rig, lines_of_words(), 1000);
    assert_true(rig->result.cut);
    assert_string_equal(rig->hits, "N");
    rules_rig_free(rig);
    rig = rig_of_words("header", RULES, negated);
    match(rig, "From: a@x.example\nSubject: worde\n\nx\n", 10000);
    assert_true(rig->result.cut);
    assert_string_equal(rig->hits, "");
    rules_rig_free(rig);
}

static void lines_are_tried_in_pieces_of_WEIR_MATCH_PIECE_MAX(void **state)
{
    (void)state;
    enum { WHOLE = 4096 }; /* octets, of which each is a place */
    assert_int_equal(WHOLE * WHOLE, WEIR_MATCH_PIECE_MAX);
    struct rules_rig *rig = rules_rig_new("full A /[0-9]{3}\\z/\n");
    char mail[WHOLE + 2];
    for (unsigned more = 0; more <= 1; more++) {
        memset(mail, 'a', sizeof(mail));
        memcpy(mail, HEAD, strlen(HEAD));
        strcpy(mail + WHOLE + more - 1, "\n");
        assert_int_equal(match(rig, mail, 1), 1 + more);
    }
    rules_rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_rule_is_given_up_when_its_short_calls_take_WEIR_MATCH_RULE_TIME_MAX),
        cmocka_unit_test(short_calls_of_all_rules_end_with_WEIR_MATCH_TIME_MAX),
        cmocka_unit_test(lines_are_tried_in_pieces_of_WEIR_MATCH_PIECE_MAX),
        cmocka_unit_test(no_rule_is_given_up_for_the_time_of_the_one_before),
        cmocka_unit_test(a_negated_header_rule_hits_unless_the_time_was_over_with_the_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
