/* view_rules - whatever a server's agent says of a report, there is a row of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "monitor/view/view_rules.h"

static struct weir_database_report report(void)
{
    return (struct weir_database_report){
        .number = 1, .time = WEIR_SECOND, .name = "ann", .told = "from", .way = "attached",
        .state = "valid", .came = "counted", .verdict = "", .address = "", .domain = "",
        .info = ""};
}

static void words_of_an_agent_that_are_no_text_are_shown_as_such(void **state)
{
    static const size_t words[] = {
        offsetof(struct weir_database_report, name), offsetof(struct weir_database_report, told),
        offsetof(struct weir_database_report, way), offsetof(struct weir_database_report, state),
        offsetof(struct weir_database_report, came)};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct weir_database_report one = report();
        const char *octets = "\xff";
        json_t *json;

        memcpy((char *)&one + words[i], &octets, sizeof octets);
        json = weir_view_report(&one, "mx1");
        assert_non_null(json);
        json_decref(json);
    }
}

static void a_row_says_what_was_told(void **state)
{
    struct weir_database_report one = report();
    json_t *json = weir_view_report(&one, "mx1");
    (void)state;
    assert_string_equal(json_string_value(json_object_get(json, "told")), "from");
    assert_string_equal(json_string_value(json_object_get(json, "way")), "attached");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_an_agent_that_are_no_text_are_shown_as_such),
        cmocka_unit_test(a_row_says_what_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
