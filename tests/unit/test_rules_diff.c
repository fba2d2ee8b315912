/*
 * What differs between two rule sets (monitor/analyzer/rules_diff.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/analyzer/rules_diff.h"

static char told[4096];

static int tell(void *context, const struct weir_rules_differ *differ)
{
    const struct weir_rule_source *rule = differ->new ? differ->new : differ->old;
    size_t used = strlen(told);
    int *left = context;

    snprintf(told + used, sizeof told - used, "%.*s %s [%s] [%s]\n", (int)rule->name.len,
             rule->name.at, weir_rule_difference_name(differ->difference), differ->was,
             differ->is);
    return left && --*left == 0 ? 7 : 0;
}

static void differ(const char *old, const char *new, int differences, const char *text)
{
    told[0] = '\0';
    assert_int_equal(weir_rules_diff(weir_slice_of(old), weir_slice_of(new), tell, NULL),
                     differences);
    assert_string_equal(told, text);
}

#define A "body A /a/\nscore A 1\nid A 7\n"
#define B "body B /b/\nscore B 2\nid B 9\n"

static void the_same_rules_in_another_order_and_spelling_do_not_differ(void **state)
{
    (void)state;
    differ(A B, A B, 0, "");
    differ(A B, "score B 2.00\nid B 9\nbody   B /b/\n# a remark\n" A, 0, "");
    differ(A, A "base A 2\nbounds A -1 1\napproved A no\n", 0, "");
    differ("", "", 0, "");
}

static void rules_come_and_go(void **state)
{
    (void)state;
    differ(A, A B, 1, "B added [] [body B /b/]\n");
    differ(A B, A, 1, "B gone [body B /b/] []\n");
    differ(A, B, 2, "A gone [body A /a/] []\nB added [] [body B /b/]\n");
    differ("", A B, 2, "A added [] [body A /a/]\nB added [] [body B /b/]\n");
}

static void each_change_is_told_by_itself(void **state)
{
    (void)state;
    differ(A, "body A /a/\nscore A 1.5\nid A 7\n", 1, "A score [1.00] [1.50]\n");
    differ(A, A "state A locked\n", 1, "A state [active] [locked]\n");
    differ(A, "body A /c/i\nscore A 1\nid A 7\n", 1, "A test [body A /a/] [body A /c/i]\n");
    differ(A, A "tflags A multiple\n", 1,
           "A test [body A /a/] [body A /a/\ntflags A multiple]\n");
    differ(A, "uri A /a/\nscore A 1\nid A 7\n", 1, "A test [body A /a/] [uri A /a/]\n");
    differ(A, A "describe A what it is\n", 1, "A description [] [what it is]\n");
    differ(A, "body C /a/\nscore C 1\nid C 7\n", 1, "C name [A] [C]\n");
    differ(A, "body A /c/\nscore A -1\nid A 7\nstate A test\n", 3,
           "A test [body A /a/] [body A /c/]\nA score [1.00] [-1.00]\nA state [active] [test]\n");
}

static void a_row_can_end_it(void **state)
{
    int left = 1;

    (void)state;
    told[0] = '\0';
    assert_int_equal(weir_rules_diff(weir_slice_of(""), weir_slice_of(A B), tell, &left), 7);
    assert_string_equal(told, "A added [] [body A /a/]\n");
}

static void a_text_that_is_no_rule_set_is_refused(void **state)
{
    (void)state;
    assert_int_equal(weir_rules_diff(weir_slice_of("nonsense\n"), weir_slice_of(A), NULL, NULL),
                     WEIR_EINVAL);
    assert_int_equal(weir_rules_diff(weir_slice_of(A), weir_slice_of("score A 1\n"), NULL, NULL),
                     WEIR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_rules_in_another_order_and_spelling_do_not_differ),
        cmocka_unit_test(rules_come_and_go),
        cmocka_unit_test(each_change_is_told_by_itself),
        cmocka_unit_test(a_row_can_end_it),
        cmocka_unit_test(a_text_that_is_no_rule_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
