/*
 * view_decision - a decision in words, as far as it is kept.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/engine/info.h"
#include "core/engine/judge.h"
#include "monitor/view/view_decision.h"

static struct weir_found_message a_message(void)
{
    return (struct weir_found_message){
        .verdict = "spam", .score = 7.25, .queue_id = "4X", .action = "reject", .ground = "score",
        .basis = "pair", .probability = 0.93, .confidence = 0.8, .has_limits = true, .unsure = 3,
        .spam = 5, .reject = 15};
}

/* From before anything of it was kept. */
static struct weir_found_message an_old_message(void)
{
    return (struct weir_found_message){.verdict = "spam", .score = 7.25, .queue_id = "",
                                       .action = "", .ground = "", .basis = "", .lacking = -1,
                                       .probability = -1, .confidence = -1};
}

/* The words of one, which is let go, and whether a member is null. */
static void says(json_t *json, const char *words, const char *member, bool null)
{
    const char *got = json_string_value(json_object_get(json, "words"));

    if (!got || !strstr(got, words))
        fail_msg("\"%s\" does not say \"%s\"", got ? got : "", words);
    assert_int_equal(json_is_null(json_object_get(json, member)), null);
    json_decref(json);
}

static void what_is_kept_is_told_with_its_words(void **state)
{
    struct weir_found_message message = a_message();
    json_t *lacking;

    (void)state;
    says(weir_view_decided(&message), "the sum of all points decided; it was refused", "action",
         false);
    says(weir_view_limits(&message), "its 7.25 points are at or above that for spam", "spam",
         false);
    says(weir_view_reputation_then(&message),
         "this address for this domain: spam with 93 % probability, confidence 80 %",
         "probability", false);
    message.score = 4.99;
    says(weir_view_limits(&message), "at or above that for unsure, below that for spam", "spam",
         false);
    message.score = 2.99;
    says(weir_view_limits(&message), "below that for unsure", "spam", false);
    message.score = 15;
    says(weir_view_limits(&message), "at or above that for refusing", "spam", false);
    message.lacking = WEIR_LACKING_REPUTATION | WEIR_LACKING_RULES;
    says(weir_view_reputation_then(&message), "it was not asked", "probability", true);
    lacking = weir_view_lacking(&message);
    assert_int_equal(json_array_size(lacking), 1);
    json_decref(lacking);
    message.ground = "accept";
    message.action = "pass";
    says(weir_view_decided(&message), "acceptable list, which wins over all points; it was "
         "delivered", "ground", false);
}

static void what_is_not_kept_is_said_to_be_so(void **state)
{
    struct weir_found_message message = an_old_message();
    json_t *lacking = weir_view_lacking(&message);

    (void)state;
    assert_true(json_is_null(lacking));
    json_decref(lacking);
    says(weir_view_decided(&message), "not kept", "action", true);
    says(weir_view_decided(&message), "what was done with it is not kept", "ground", true);
    says(weir_view_limits(&message), "not kept", "spam", true);
    says(weir_view_reputation_then(&message), "not kept", "probability", true);
    message.lacking = 0; /* the string tells, the line did not */
    message.probability = 0.5;
    says(weir_view_reputation_then(&message), "its confidence is not kept", "confidence", true);
}

static void every_point_has_a_source(void **state)
{
    static const struct {
        uint32_t id;
        const char *source;
    } cases[] = {{0, "rest"}, {17, "rule"}, {WEIR_POINT_REPUTATION, "reputation"},
                 {WEIR_POINT_BAYES, "bayes"}, {WEIR_POINT_ADDRESS, "address"},
                 {WEIR_POINT_FORGED_INFO, "string"}, {WEIR_POINT_FORGED_DOMAIN, "reputation"},
                 {WEIR_POINT_RULES_CUT, "rules"}};
    const struct weir_found_message message = a_message();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *why = weir_view_point_why(cases[i].id, &message);

        assert_string_equal(weir_view_point_source(cases[i].id), cases[i].source);
        assert_int_equal(weir_view_is_own_point(cases[i].id), cases[i].id != 17);
        assert_int_equal(json_string_length(why) > 0, cases[i].id != 17);
        json_decref(why);
    }
    for (uint32_t id = WEIR_RULE_ID_OWN; id < WEIR_POINT_RESERVED; id++)
        assert_int_equal(weir_view_is_own_point(id), weir_rule_own_name(id) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_told_with_its_words),
        cmocka_unit_test(what_is_not_kept_is_said_to_be_so),
        cmocka_unit_test(every_point_has_a_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
