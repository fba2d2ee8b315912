/*
 * Thresholds made ready: what the policy takes, the watch and the ladder take, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/threshold/policy.h"

#define LADDER "alert 10m, reject 4h"

static struct weir_policy begin(void)
{
    static const struct weir_config config = {.connections_rate = 2, .connections_most = 20,
                                              .messages_rate = 1, .messages_most = 10,
                                              .recipients_rate = 3, .recipients_most = 30,
                                              .threshold_ladder = LADDER};
    struct weir_policy policy;
    const char *why;

    assert_int_equal(weir_policy_begin(&config, &policy, &why), 0);
    return policy;
}

static struct weir_threshold threshold(const char *name, const char *prefixes)
{
    return (struct weir_threshold){.name = name, .prefixes = prefixes, .rate = {1, 1, 1},
                                   .maximum = {5, 5, 5}, .ladder = LADDER};
}

static bool no_event(void *context, const struct weir_watch_event *event)
{
    (void)context, (void)event;
    return true;
}

/* The watch takes it, and has this limit for an address's messages. */
static double limit_of(const struct weir_policy *policy, const char *address)
{
    const struct weir_watch_options options = {.classes = policy->watch,
                                               .class_count = policy->classes, .wider = 8,
                                               .children = 3, .addresses = 100};
    struct weir_watch *watch = NULL;
    struct weir_prefix prefix;
    struct weir_limit limit;
    const char *why;

    assert_int_equal(weir_prefix_parse(address, strlen(address), &prefix, &why), 0);
    assert_int_equal(weir_watch_new(&options, no_event, NULL, &watch), 0);
    weir_watch_charge(watch, &(struct weir_charge){WEIR_DAY, prefix.address, {1, 1, 1}, 1});
    weir_watch_look(watch, WEIR_DAY, &prefix, WEIR_QUANTITY_MESSAGES, &limit);
    weir_watch_free(&watch);
    return limit.maximum;
}

static void the_longest_prefix_of_all_thresholds_says_the_limit(void **state)
{
    struct weir_policy policy = begin();
    struct weir_threshold one = threshold("one", "192.0.2.0/24 198.51.100.7");
    struct weir_threshold two = threshold("two", " 192.0.2.128/25\n2001:db8::/32 ");
    struct weir_threshold all = threshold("default", "");
    const char *why;

    (void)state;
    two.maximum[1] = 7;
    all.maximum[1] = 9;
    assert_true(limit_of(&policy, "203.0.113.1") == 10);
    assert_int_equal(weir_policy_add(&policy, &one, &why), 0);
    assert_int_equal(weir_policy_add(&policy, &two, &why), 0);
    assert_true(limit_of(&policy, "203.0.113.1") == 10);
    assert_int_equal(weir_policy_add(&policy, &all, &why), 0);
    assert_int_equal(policy.classes, 3);
    assert_true(limit_of(&policy, "203.0.113.1") == 9);
    assert_true(limit_of(&policy, "192.0.2.1") == 5);
    assert_true(limit_of(&policy, "192.0.2.129") == 7);
    assert_true(limit_of(&policy, "198.51.100.7") == 5);
    assert_string_equal(policy.ladder[2].name, "two");
    assert_int_equal(policy.ladder[2].steps, 2);
    weir_policy_free(&policy);
    weir_policy_free(&policy);
}

static void a_threshold_has_a_plain_name(void **state)
{
#define TEN "abcdefghij"
    static const struct {
        const char *name;
        bool fit;
    } cases[] = {
        {"x", true}, {"default", true}, {"A-b_c.9", true}, {"-x", true}, {".", true},
        {TEN TEN TEN "k", true}, {TEN TEN TEN "kl", false}, {"", false}, {"two words", false},
        {"a:b", false}, {"a,b", false}, {"a/b", false}, {"a\n", false}, {"\x7f", false},
        {"p\xc3\xa4rtner", false}, {"@", false}, {"[", false}, {"`", false}, {"{", false},
        {"$(id)", false},
    };
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_default = strcmp(cases[i].name, "default") == 0;
        struct weir_threshold it = threshold(cases[i].name, is_default ? "" : "192.0.2.1");

        if (weir_threshold_name_fit(weir_slice_of(cases[i].name)) != cases[i].fit ||
            (weir_policy_check(&it, &why) == 0) != cases[i].fit)
            fail_msg("\"%s\"", cases[i].name);
    }
    assert_false(weir_threshold_name_fit((struct weir_slice){"a\0b", 3}));
}

static void what_a_threshold_may_say(void **state)
{
    static const struct {
        const char *name, *prefixes;
        double rate, maximum;
        const char *ladder;
        int wanted;
    } cases[] = {
        {"x", "192.0.2.1", 0, 0, LADDER, 0},
        {"x", "192.0.2.1 192.0.2.1", 1, 1, LADDER, 0},
        {"x", "192.0.2.1", 1, 0.99, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1", 1, -1, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1", 1, NAN, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1", 1, WEIR_BUCKET_TOKENS_MAX, LADDER, 0},
        {"x", "192.0.2.1", 1, WEIR_BUCKET_TOKENS_MAX + 1, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1", WEIR_BUCKET_TOKENS_MAX, 1, LADDER, 0},
        {"x", "192.0.2.1", WEIR_BUCKET_TOKENS_MAX + 1, 1, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1", -1, 1, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1", NAN, 1, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1", 1, 1, "", WEIR_EINVAL},
        {"x", "192.0.2.1/24", 1, 1, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1,192.0.2.2", 1, 1, LADDER, WEIR_EINVAL},
        {"x", "192.0.2.1 2001:db8:1:2::/64", 1, 1, LADDER, 0},
        {"x", "192.0.2.1 2001:db8:1:2::/65", 1, 1, LADDER, WEIR_EINVAL},
        {"x", "2001:db8:1:2::25", 1, 1, LADDER, WEIR_EINVAL},
        {"x", "", 1, 1, LADDER, WEIR_EINVAL},
        {"x", " \t", 1, 1, LADDER, WEIR_EINVAL},
        {"default", "", 1, 1, LADDER, 0},
        {"default", "  ", 1, 1, LADDER, 0},
        {"default", "192.0.2.1", 1, 1, LADDER, WEIR_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_threshold it = threshold(cases[i].name, cases[i].prefixes);
        struct weir_policy policy = begin();
        const char *why = NULL;

        it.rate[1] = cases[i].rate;
        it.maximum[1] = cases[i].maximum;
        it.ladder = cases[i].ladder;
        if (weir_policy_check(&it, &why) != cases[i].wanted ||
            weir_policy_add(&policy, &it, &why) != cases[i].wanted)
            fail_msg("case %zu: %s", i, why ? why : "taken");
        assert_true(cases[i].wanted == 0 || (why && why[0]));
        assert_true(limit_of(&policy, "203.0.113.1") > 0);
        weir_policy_free(&policy);
    }
}

static void what_is_refused_leaves_the_others_as_they_were(void **state)
{
    struct weir_threshold one = threshold("one", "192.0.2.0/24");
    struct weir_threshold twice = threshold("twice", "198.51.100.1 192.0.2.0/24");
    struct weir_threshold bad = threshold("bad", NULL), three = threshold("three", "198.51.100.1");
    struct weir_policy policy = begin();
    char text[4096], *at = text;
    const char *why;

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        at += sprintf(at, "203.0.113.%u ", i);
    strcpy(at, "nobody");
    bad.prefixes = text;
    three.maximum[1] = 3;
    assert_int_equal(weir_policy_add(&policy, &one, &why), 0);
    assert_int_equal(weir_policy_add(&policy, &bad, &why), WEIR_EINVAL);
    assert_true(limit_of(&policy, "192.0.2.7") == 5);
    assert_int_equal(weir_policy_add(&policy, &twice, &why), WEIR_EINVAL);
    assert_true(limit_of(&policy, "198.51.100.1") == 10);
    assert_int_equal(weir_policy_add(&policy, &three, &why), 0);
    assert_true(limit_of(&policy, "198.51.100.1") == 3);
    assert_true(limit_of(&policy, "192.0.2.7") == 5);
    weir_policy_free(&policy);
}

static void there_are_so_many_thresholds_and_not_one_more(void **state)
{
    struct weir_policy policy = begin();
    struct weir_threshold all = threshold("default", "");
    char name[16], prefix[32];
    const char *why;

    (void)state;
    for (unsigned i = 1; i <= WEIR_WATCH_CLASSES_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        snprintf(prefix, sizeof prefix, "192.0.2.%u", i);
        struct weir_threshold it = threshold(name, prefix);

        assert_int_equal(weir_policy_add(&policy, &it, &why),
                         i < WEIR_WATCH_CLASSES_MAX ? 0 : WEIR_ELIMIT);
    }
    assert_int_equal(weir_policy_add(&policy, &all, &why), 0);
    assert_true(limit_of(&policy, "192.0.2.1") == 5);
    weir_policy_free(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_of_all_thresholds_says_the_limit),
        cmocka_unit_test(a_threshold_has_a_plain_name),
        cmocka_unit_test(what_a_threshold_may_say),
        cmocka_unit_test(what_is_refused_leaves_the_others_as_they_were),
        cmocka_unit_test(there_are_so_many_thresholds_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
