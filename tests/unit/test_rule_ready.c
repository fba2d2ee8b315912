/* rules_build_ready.c, rule_regex.c, rule_file_io.c: expressions that an image holds compiled are
 * used where the image is trusted, hit what compiled ones hit, and are compiled where they are
 * damaged, another PCRE2's or too long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/evidence/rules_impl.h"
#include "core/evidence/rules_io.h"
#include "tests/unit/rules_rig.h"
#include "tests/unit/scratch.h"

static const char set[] =
    "body A /won(der|ful)/i\nscore A 1\n"
    "body B /(?<!x)mon[e3]y\\b.{0,20}(?:now|to ?day)/\nscore B 1\n"
    "header C Subject =~ /^re: [[:upper:]]{3}/m\nscore C 1\n"
    "body D /^\\s*(?:a+b)*c\\s*$/\nscore D 1\n"
    "full F /\\x{7f}|boundary=(['\"]?)\\w+\\1/s\nscore F 1\n"
    "body G /h(?=ello)h?ello(?<n>w)orld\\k<n>/\nscore G 1\n";

static const char *const mail[] = {
    "From: a@example.com\nSubject: re: ABC\n\nwonder, money is here today\n\naabc\n",
    "From: a@example.com\nSubject: re: abc\n\nxmoney now\nhellowworldw helloworldw\n\nc\n",
    "From: a@example.com\nX-Type: x/y; boundary='abc'\n\nWONFUL money to day aaabaabc\n",
};

static struct rules_rig *new_rig(const char *text)
{
    struct rules_rig *rig = rules_rig_new(text);
    assert_string_equal(rig->told, "");
    assert_int_equal(rig->built, 0);
    return rig;
}

/* The image again, as it is now, used or not. */
static bool attach_again(struct rules_rig *rig, bool trusting)
{
    weir_matcher_free(&rig->matcher);
    weir_rules_free(&rig->rules);
    assert_int_equal(weir_rules_attach(rig->octets, rig->len, false, &rig->rules), 0);
    bool trusted = trusting && weir_rules_trust(rig->rules);
    assert_int_equal(weir_matcher_new(rig->rules, &rig->matcher), 0);
    return trusted;
}

static void hits_of_all(struct rules_rig *rig, char hits_r[static 4096])
{
    hits_r[0] = '\0';
    for (size_t i = 0; i < sizeof(mail) / sizeof(mail[0]); i++) {
        strcat(hits_r, rules_rig_match(rig, mail[i]));
        strcat(hits_r, "|");
    }
}

static void assert_same_hits(struct rules_rig *rig, const char *expected)
{
    char hits[4096];
    hits_of_all(rig, hits);
    assert_string_equal(hits, expected);
}

static void ready_made_expressions_hit_what_compiled_ones_hit(void **state)
{
    (void)state;
    char compiled[4096];
    struct rules_rig *rig = new_rig(set);
    hits_of_all(rig, compiled);
    assert_string_equal(compiled, "A B C D|D G|A B F|");
    assert_true(attach_again(rig, true));
    for (size_t i = 0; i < weir_rules_count(rig->rules); i++)
        assert_true(weir_rules_regex(rig->rules, i).ready.own.len > 0);
    for (unsigned times = 0; times < 30; times++) /* until some are machine code */
        assert_same_hits(rig, compiled);
    rules_rig_free(rig);
}

static void an_image_is_not_trusted_unasked(void **state)
{
    (void)state;
    struct rules_rig *rig = new_rig(set);
    assert_int_equal(weir_rules_regex(rig->rules, 0).ready.own.len, 0);
    rules_rig_free(rig);
}

static uint8_t *ready_octets(struct rules_rig *rig)
{
    return (uint8_t *)rig->octets +
           (rig->rules->image.ready_octets - (const uint8_t *)rig->octets);
}

static void a_damaged_ready_made_expression_is_compiled(void **state)
{
    (void)state;
    char compiled[4096];
    struct rules_rig *rig = new_rig(set);
    hits_of_all(rig, compiled);
    size_t len = rig->rules->image.count[WEIR_IMAGE_READY_OCTETS];
    for (size_t at = 0; at < len; at += 3) {
        ready_octets(rig)[at] ^= 0x41;
        (void)attach_again(rig, true);
        assert_same_hits(rig, compiled);
        ready_octets(rig)[at] ^= 0x41;
    }
    rules_rig_free(rig);
}

static void spans_that_lead_outside_are_no_expressions(void **state)
{
    (void)state;
    char compiled[4096];
    struct rules_rig *rig = new_rig(set);
    hits_of_all(rig, compiled);
    const struct weir_image_span bad[] = {{UINT32_MAX, 8}, {0, UINT32_MAX}, {8, 0}, {8, 64}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct weir_image_ready *ready = (void *)((uint8_t *)rig->octets +
            ((const uint8_t *)rig->rules->image.ready - (const uint8_t *)rig->octets));
        struct weir_image_span good = ready[0].own;
        ready[0].own = bad[i];
        assert_true(attach_again(rig, true));
        assert_same_hits(rig, compiled);
        ready[0].own = good;
        struct weir_image_ready_head head, *at = (void *)ready_octets(rig);
        head = *at;
        at->common = bad[i];
        assert_false(attach_again(rig, true));
        assert_same_hits(rig, compiled);
        *(struct weir_image_ready_head *)(void *)ready_octets(rig) = head;
    }
    rules_rig_free(rig);
}

static void what_another_pcre2_compiled_is_not_used(void **state)
{
    (void)state;
    char compiled[4096];
    struct rules_rig *rig = new_rig(set);
    hits_of_all(rig, compiled);
    ready_octets(rig)[offsetof(struct weir_image_ready_head, maker)] ^= 1;
    assert_false(attach_again(rig, true));
    assert_int_equal(weir_rules_regex(rig->rules, 0).ready.own.len, 0);
    assert_same_hits(rig, compiled);
    rules_rig_free(rig);
}

/* A set of one short expression and one with n letters; how long the latter's code is. */
static size_t own_of(size_t n)
{
    char *text = malloc(n + 200), *letters = malloc(n + 1);
    memset(letters, 'q', n);
    letters[n] = '\0';
    snprintf(text, n + 200, "body A /^a.c/\nscore A 1\nbody L /zz|%s/\nscore L 1\n", letters);
    struct rules_rig *rig = new_rig(text);
    assert_true(attach_again(rig, true));
    size_t len = rig->rules->image.ready[1].own.len;
    assert_string_equal(rules_rig_match(rig, "From: a@b.example\nSubject: x\n\nzz\n"), "L");
    rules_rig_free(rig);
    free(text);
    free(letters);
    return len;
}

static void WEIR_RULE_READY_MAX_octets_are_kept_and_no_more(void **state)
{
    (void)state;
    size_t some = own_of(1000), more = own_of(2000);
    size_t each = (more - some) / 1000, n = 1000 + (WEIR_RULE_READY_MAX - some) / each;
    assert_true(some > 0 && each > 0 && n < WEIR_RULE_PATTERN_MAX);
    assert_true(own_of(n) > WEIR_RULE_READY_MAX - each);
    assert_int_equal(own_of(n + 1), 0);
}

static void WEIR_RULES_READY_MAX_octets_are_kept_of_all(void **state)
{
    (void)state;
    enum { RULES = 9000 };
    char *text = malloc(RULES * 64);
    size_t len = 0;
    for (unsigned i = 0; i < RULES; i++)
        len += (size_t)sprintf(text + len, "body R%u /wor[dk] %u\\b/\nscore R%u 1\n", i, i, i);
    struct rules_rig *rig = new_rig(text);
    assert_true(attach_again(rig, true));
    assert_true(weir_rules_regex(rig->rules, 0).ready.own.len > 0);
    assert_int_equal(weir_rules_regex(rig->rules, RULES - 1).ready.own.len, 0);
    assert_true(rig->rules->image.count[WEIR_IMAGE_READY_OCTETS] < WEIR_RULES_READY_MAX);
    assert_string_equal(rules_rig_match(rig, "From: a@b.example\nSubject: x\n\nwork 7\n"), "R7");
    assert_string_equal(rules_rig_match(rig, "From: a@b.example\nSubject: x\n\nword 8999\n"),
                        "R8999");
    rules_rig_free(rig);
    free(text);
}

/* Whether a short-lived (or not) process takes ready-made code out of this file. */
static bool is_taken_when(const char *path, bool full, bool trust_folder)
{
    const struct weir_rule_file_options options = {.full = full, .trust_folder = trust_folder};
    const struct weir_log log = {.write = NULL};
    struct weir_rule_file *file;
    const char *why;
    assert_int_equal(weir_rule_file_open(path, &options, &log, &file, &why), 0);
    struct weir_matcher *matcher = weir_rule_file_take(file, 0);
    assert_non_null(matcher);
    bool taken = weir_matcher_rules(matcher)->common.len > 0;
    weir_rule_file_give(file, &matcher);
    weir_rule_file_free(&file);
    return taken;
}

static bool is_taken(const char *path, bool full)
{
    return is_taken_when(path, full, false);
}

static void only_a_file_that_nobody_else_can_write_is_trusted(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    const char *path = scratch_path(s, "rules.image");
    struct rules_rig *rig = new_rig(set);
    assert_int_equal(weir_rules_write_image(path, rig->octets, rig->len), 0);
    assert_true(is_taken(path, false));
    assert_false(is_taken(path, true)); /* a daemon has time to compile */
    assert_int_equal(chmod(path, 0664), 0);
    assert_false(is_taken(path, false));
    assert_int_equal(chmod(path, 0646), 0);
    assert_false(is_taken(path, false));
    assert_int_equal(chmod(path, 0444), 0);
    assert_true(is_taken(path, false));
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_false(is_taken(path, false));
        assert_false(is_taken_when(path, false, true)); /* the folder is root's */
        assert_int_equal(chown(s->directory, 12345, 0), 0);
        assert_false(is_taken(path, false));
        assert_true(is_taken_when(path, false, true));
    }
    rules_rig_free(rig);
    scratch_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_made_expressions_hit_what_compiled_ones_hit),
        cmocka_unit_test(an_image_is_not_trusted_unasked),
        cmocka_unit_test(a_damaged_ready_made_expression_is_compiled),
        cmocka_unit_test(spans_that_lead_outside_are_no_expressions),
        cmocka_unit_test(what_another_pcre2_compiled_is_not_used),
        cmocka_unit_test(WEIR_RULE_READY_MAX_octets_are_kept_and_no_more),
        cmocka_unit_test(WEIR_RULES_READY_MAX_octets_are_kept_of_all),
        cmocka_unit_test(only_a_file_that_nobody_else_can_write_is_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
