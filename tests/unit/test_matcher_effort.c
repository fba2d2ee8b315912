/*
 * What one message may cost (matcher_effort.c), and what is tried first in a long text
 * (matcher_confirm.c, matcher.c): bounds at their limit and one past it, and filling that must not
 * hide what stands near the ends.  The clock stands still here, in the place of match_clock_io.c's:
 * what counted work decides must not depend on how fast the machine is; test_matcher_clock has the
 * clock.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/evidence/match_clock_io.h"
#include "core/evidence/matcher_effort.h"
#include "tests/unit/rules_rig.h"

#define HEAD "From: a@x.example\nSubject: x\n\n"
#define GTUBE "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"

uint64_t weir_match_used(void)
{
    return 10 * UINT64_C(1000000000);
}

uint64_t weir_match_clock(void)
{
    return weir_match_used();
}

/* counting ----------------------------------------------------------------------- */

static void WEIR_MATCH_WORK_MAXs_are_spent_to_the_last_unit_and_each_alone(void **state)
{
    (void)state;
    static const uint64_t most[WEIR_ROUNDS] = {WEIR_MATCH_FIELDS_WORK_MAX, WEIR_MATCH_ENDS_WORK_MAX,
                                               WEIR_MATCH_REST_WORK_MAX};
    struct weir_effort effort;
    weir_effort_begin(&effort);
    for (unsigned round = 0; round < WEIR_ROUNDS; round++) {
        effort.round = round;
        assert_false(weir_effort_is_over(&effort));
        assert_true(weir_effort_spend(&effort, most[round]));
        assert_false(weir_effort_spend(&effort, 1));
        assert_true(weir_effort_is_over(&effort));
        assert_int_equal(weir_effort_share(&effort), most[round] / WEIR_MATCH_SHARES);
    }
}

static void the_clock_ends_the_rest_of_long_texts_before_all_else(void **state)
{
    (void)state;
    static const struct {
        unsigned milliseconds, compiling;
        bool over[WEIR_ROUNDS];
    } row[] = {{WEIR_MATCH_REST_TIME_MAX - 5, 0, {false, false, false}},
               {WEIR_MATCH_REST_TIME_MAX + 1, 0, {false, false, true}},
               {WEIR_MATCH_TIME_MAX + 1, 0, {true, true, true}},
               {0, WEIR_MATCH_COLD_TIME_MAX - 5, {false, false, false}},
               {0, WEIR_MATCH_COLD_TIME_MAX + 1, {false, false, true}},
               {0, WEIR_MATCH_COLD_ALL_TIME_MAX - 5, {false, false, true}},
               {0, WEIR_MATCH_COLD_ALL_TIME_MAX + 1, {true, true, true}}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct weir_effort effort;
        weir_effort_begin(&effort);
        effort.begun -= row[i].milliseconds * UINT64_C(1000000);
        effort.started -= (row[i].milliseconds + row[i].compiling) * UINT64_C(1000000);
        weir_effort_look(&effort);
        for (unsigned round = 0; round < WEIR_ROUNDS; round++)
            assert_int_equal(effort.over[round], row[i].over[round]);
    }
}

/* ends ----------------------------------------------------------------------------- */

enum { PATTERN = 30000 }; /* octets: so long that a text counts as much work */

/* A rule too much work for all of a long text, but not for its ends; and N, which is tried
 * after it and hits at a 'z'. */
static struct rules_rig *rig_with_hog(void)
{
    static char text[PATTERN + 200];
    int len = sprintf(text, "full H /a(?:");
    memset(text + len, 'x', PATTERN);
    sprintf(text + len + PATTERN, "|a)\\z/\nfull N /z/\n");
    return rules_rig_new(text);
}

/* A mail of so many octets that has one 'z', there. */
static void match_z(struct rules_rig *rig, size_t len, size_t at)
{
    char *mail = malloc(len);
    assert_non_null(mail);
    memset(mail, 'a', len);
    memcpy(mail, HEAD, strlen(HEAD));
    mail[len - 1] = '\n';
    mail[at] = 'z';
    rules_rig_match_octets(rig, mail, len, 0);
    free(mail);
}

static void WEIR_MATCH_HEAD_MAX_and_TAIL_MAX_octets_are_tried_first(void **state)
{
    (void)state;
    struct rules_rig *rig = rig_with_hog();
    const size_t len = WEIR_AREA_MAX;
    const struct {
        size_t at;
        bool hits;
    } row[] = {{WEIR_MATCH_HEAD_MAX - 1, true}, {WEIR_MATCH_HEAD_MAX, false},
               {len - WEIR_MATCH_TAIL_MAX, true}, {len - WEIR_MATCH_TAIL_MAX - 1, false}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        match_z(rig, len, row[i].at);
        assert_int_equal(rules_rig_hit(rig, "N") != NULL, row[i].hits);
        assert_false(rig->result.cut);
        assert_true(rig->result.cut_rest);
        assert_int_equal(rig->result.faileds, row[i].hits ? 1 : 2);
    }
    rules_rig_free(rig);
}

static void texts_up_to_WEIR_MATCH_WHOLE_MAX_have_no_rest(void **state)
{
    (void)state;
    struct rules_rig *rig = rig_with_hog();
    match_z(rig, WEIR_MATCH_WHOLE_MAX, WEIR_MATCH_WHOLE_MAX / 2);
    assert_true(rig->result.cut);
    assert_false(rig->result.cut_rest);
    match_z(rig, WEIR_MATCH_WHOLE_MAX + 1, WEIR_MATCH_WHOLE_MAX / 2);
    assert_false(rig->result.cut);
    assert_true(rig->result.cut_rest);
    assert_non_null(rules_rig_hit(rig, "N")); /* another rule's share is not its own */
    assert_int_equal(rig->result.faileds, 1);
    rules_rig_free(rig);
}

static void a_rule_that_counts_counts_all_of_a_long_text_once(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("rawbody C /needle/\ntflags C multiple\n"
                                          "body D /needle/\n");
    size_t len = 3 * WEIR_MATCH_WHOLE_MAX, places[] = {100, len / 2, len / 2 + 100, len - 100};
    char *mail = malloc(len);
    assert_non_null(mail);
    for (size_t i = 0; i < len; i++)
        mail[i] = i % 50 == 49 ? '\n' : 'a';
    memcpy(mail, HEAD, strlen(HEAD));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        memcpy(mail + places[i] / 50 * 50 + 5, "needle", 6);
    rules_rig_match_octets(rig, mail, len, 0);
    assert_int_equal(rules_rig_hit(rig, "C")->times, 4);
    assert_non_null(rules_rig_hit(rig, "D"));
    assert_false(rig->result.cut || rig->result.cut_rest);
    free(mail);
    rules_rig_free(rig);
}

/* filling ------------------------------------------------------------------------------ */

enum { RULES = 300, TIMES = 8, TIMES_WARM = 4 };

/* Rules to all of which an ordinary word is a candidate. */
static struct rules_rig *rig_about_accounts(void)
{
    static char text[RULES * 100 + 200];
    int len = sprintf(text, "body GTUBE /XJS\\*C4JDBQADN1\\.NSBN3\\*2IDNEN\\*GTUBE/\n");
    for (unsigned i = 0; i < RULES; i++)
        len += sprintf(text + len, "%s R%u /\\baccount\\b.{0,40}(?:clos|suspend)%u/i\n",
                       i % 2 ? "body" : "rawbody", i, i);
    return rules_rig_new(text);
}

static char *padded(size_t before, size_t behind, size_t *len_r)
{
    static const char word[] = "account ";
    char *mail = malloc(before + behind + sizeof(HEAD GTUBE)), *at = mail;
    assert_non_null(mail);
    at += sprintf(at, HEAD);
    for (size_t i = 0; i < before; i++)
        *at++ = i % 993 == 992 || i + 1 == before ? '\n' : word[i % 993 % 8];
    at += sprintf(at, GTUBE);
    for (size_t i = 0; i < behind; i++)
        *at++ = i % 993 == 992 ? '\n' : word[i % 993 % 8];
    *len_r = (size_t)(at - mail);
    return mail;
}

struct failed {
    bool known;
    size_t n;
    uint32_t rule[RULES + 1];
};

/* The same rules failed as in the first message that was not cut. */
static void require_same_failed(const struct rules_rig *rig, struct failed *first)
{
    const size_t size = rig->result.faileds * sizeof(*first->rule);
    assert_true(rig->result.faileds <= RULES + 1);
    if (!first->known) {
        first->n = rig->result.faileds;
        memcpy(first->rule, rig->result.failed, size);
        first->known = true;
    }
    assert_int_equal(rig->result.faileds, first->n);
    assert_memory_equal(rig->result.failed, first->rule, size);
}

static void filling_behind_or_in_front_hides_nothing_near_the_ends(void **state)
{
    (void)state;
    static const struct {
        size_t before, behind;
    } row[] = {{0, 30000}, {20000, 20000}, {0, 100000}, {0, 450000}, {0, 5000000}, {100000, 0},
               {450000, 0}, {500000, 0}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rules_rig *rig = NULL;
        struct failed first = {.known = false};
        size_t len;
        char *mail = padded(row[i].before, row[i].behind, &len);
        for (unsigned times = 0; times < TIMES; times++) {
            if (times % TIMES_WARM == 0) { /* nothing is compiled yet */
                if (rig)
                    rules_rig_free(rig);
                rig = rig_about_accounts();
            }
            assert_string_equal(rules_rig_match_octets(rig, mail, len, 0), "GTUBE");
            assert_false(rig->result.cut);
            assert_true(!rig->result.cut_rest || len > WEIR_MATCH_WHOLE_MAX);
            if (!rig->result.cut_rest)
                require_same_failed(rig, &first);
        }
        free(mail);
        rules_rig_free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(WEIR_MATCH_WORK_MAXs_are_spent_to_the_last_unit_and_each_alone),
        cmocka_unit_test(the_clock_ends_the_rest_of_long_texts_before_all_else),
        cmocka_unit_test(WEIR_MATCH_HEAD_MAX_and_TAIL_MAX_octets_are_tried_first),
        cmocka_unit_test(texts_up_to_WEIR_MATCH_WHOLE_MAX_have_no_rest),
        cmocka_unit_test(a_rule_that_counts_counts_all_of_a_long_text_once),
        cmocka_unit_test(filling_behind_or_in_front_hides_nothing_near_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
