/* facts: each has a name of its own and a sentence, and a message's own are set. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/evidence/facts.h"
#include "core/mail/content.h"

static void every_fact_has_a_name_and_a_sentence_and_is_found_by_its_name(void **state)
{
    (void)state;
    for (unsigned fact = 0; fact < WEIR_FACTS; fact++) {
        const char *name = weir_fact_name(fact);
        assert_non_null(name);
        assert_non_null(weir_fact_sentence(fact));
        assert_int_equal(weir_fact_named(name, strlen(name)), (int)fact);
    }
    assert_null(weir_fact_name(WEIR_FACTS));
    assert_null(weir_fact_sentence(WEIR_FACTS));
    assert_int_equal(weir_fact_named("DEFECT_NUL_", 11), -1);
    assert_int_equal(weir_fact_named("DEFECT_NU", 9), -1);
    assert_int_equal(weir_fact_named("", 0), -1);
}

static void defects_and_html_facts_bear_the_names_of_their_modules(void **state)
{
    (void)state;
    char want[80];
    for (unsigned i = 0; i < WEIR_DEFECTS; i++) {
        snprintf(want, sizeof(want), "DEFECT_%s", weir_defect_name((enum weir_defect)i));
        assert_string_equal(weir_fact_name(WEIR_FACT_DEFECT + i), want);
    }
    for (unsigned i = 0; i < WEIR_HTML_FACTS; i++) {
        snprintf(want, sizeof(want), "HTML_%s", weir_html_fact_name((enum weir_html_fact)i));
        assert_string_equal(weir_fact_name(WEIR_FACT_HTML + i), want);
    }
}

static void facts_of_a_message_are_set_and_others_left(void **state)
{
    (void)state;
    float fact[WEIR_FACTS] = {[WEIR_FACT_FORGED_DOMAIN] = 1, [WEIR_FACT_HTML] = 1};
    struct weir_message message = {.parts = 3};
    struct weir_content content = {.links = 5, .attachments = 2, .has_text = true};
    weir_message_note(&message, WEIR_DEFECT_NUL);
    content.html_facts = 1u << WEIR_HTML_FORM;
    weir_facts_of_message(&message, &content, fact);
    for (unsigned i = 0; i < WEIR_FACTS; i++) {
        float want = i == WEIR_FACT_PARTS ? 3 : i == WEIR_FACT_LINKS ? 5
                     : i == WEIR_FACT_ATTACHMENTS ? 2
                     : i == WEIR_FACT_HAS_TEXT || i == WEIR_FACT_FORGED_DOMAIN ||
                       i == WEIR_FACT_DEFECT + WEIR_DEFECT_NUL ||
                       i == WEIR_FACT_HTML + WEIR_HTML_FORM;
        if (fact[i] != want)
            fail_msg("%s is %g", weir_fact_name(i), (double)fact[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_has_a_name_and_a_sentence_and_is_found_by_its_name),
        cmocka_unit_test(defects_and_html_facts_bear_the_names_of_their_modules),
        cmocka_unit_test(facts_of_a_message_are_set_and_others_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
