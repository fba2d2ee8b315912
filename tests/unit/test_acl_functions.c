/*
 * acl_functions_io - what ACLs are told about addresses, and that nothing stops them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exim-module/acl_functions_io.h"
#include "tests/unit/lists_rig.h"

#define LISTED "203.0.113.7"

static struct weir_exim_process process;
static unsigned logged;

static void count_line(void *context, enum weir_log_level level, const char *line)
{
    (void)context;
    (void)line;
    logged += level == WEIR_LOG_INFO;
}

static void use(struct lists_rig *rig, const char *mode)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof path, "%s", scratch_path(rig->scratch, "weir.conf"));
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "[weir]\nstate_directory = %s\nlists_file = %s\nmode = %s\n",
            rig->scratch->directory, rig->path, mode);
    fclose(file);
    assert_int_equal(weir_exim_process_use(&process, path), 0);
}

static int set_up(void **state)
{
    int done = lists_rig_setup(state);
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);

    rig_add(lists, WEIR_LIST_BLACK, LISTED, 0);
    rig_add(lists, WEIR_LIST_BLACK, "2001:db8:7::/48", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "2001:db8:7::7", 0);
    weir_lists_free(&lists);
    logged = 0;
    process = (struct weir_exim_process){.log = {.write = count_line, .most = WEIR_LOG_INFO}};
    return done;
}

static int tear_down(void **state)
{
    weir_exim_process_end(&process);
    weir_arena_free(&process.arena);
    return lists_rig_teardown(state);
}

static void A2_a_listed_address_is_refused_and_no_other_one(void **state)
{
    static const struct {
        const char *client;
        bool listed;
    } table[] = {
        {LISTED, true},           {"203.0.113.8", false},  {"::ffff:203.0.113.7", true},
        {"2001:db8:7::1", true},  {"2001:db8:7::7", false}, /* acceptable */
        {"2001:db8:8::1", false}, {"", false},             {"mx.example", false},
        {"203.0.113.7 ", false},  {NULL, false},
    };

    use(*state, "enforce");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (weir_acl_blacklisted(&process, table[i].client) != table[i].listed)
            fail_msg("%s", table[i].client);
    assert_int_equal(logged, 3);
}

static void in_mode_observe_nobody_is_refused_and_the_log_tells(void **state)
{
    char text[WEIR_ACL_TEXT];
    const struct weir_acl_question question = {.client = LISTED, .sender = "a@example.org",
                                               .recipient = "u@test.example"};

    use(*state, "observe");
    assert_false(weir_acl_blacklisted(&process, LISTED));
    assert_int_equal(logged, 1);
    weir_acl_reputation(&process, &question, text);
    assert_non_null(strstr(text, "verdict=blocked"));
    assert_non_null(strstr(text, " action=pass intended=reject"));
    assert_null(strstr(text, "reply="));
}

static void what_is_known_is_said_in_words_for_extract(void **state)
{
    const struct weir_acl_question question = {
        .client = LISTED, .sender = "a\"b ${if}\\@example.org", .recipient = "u@test.example",
        .helo = "x", .client_name = ""};
    char text[WEIR_ACL_TEXT], *reply;

    use(*state, "enforce");
    weir_acl_reputation(&process, &question, text);
    assert_non_null(strstr(text, "verdict=blocked"));
    assert_non_null(strstr(text, " action=reject"));
    reply = strstr(text, " reply=\"550 5.7.1 Refused: " LISTED " is listed");
    assert_non_null(reply);
    assert_ptr_equal(strchr(reply + strlen(" reply=\""), '"'), text + strlen(text) - 1);
    assert_null(strchr(text, '\\'));
}

static void before_the_recipient_only_lists_are_asked(void **state)
{
    const struct weir_acl_question question = {.client = "203.0.113.8", .sender = "a@example.org"};
    char text[WEIR_ACL_TEXT];

    use(*state, "enforce");
    weir_acl_reputation(&process, &question, text);
    assert_null(strstr(text, "probability="));
}

static void of_what_is_no_address_nothing_is_known(void **state)
{
    static const char *const client[] = {NULL, "", "nonsense", "999.1.1.1"};
    char text[WEIR_ACL_TEXT];

    use(*state, "enforce");
    for (size_t i = 0; i < sizeof client / sizeof client[0]; i++) {
        const struct weir_acl_question question = {.client = client[i], .recipient = ""};

        weir_acl_reputation(&process, &question, text);
        assert_memory_equal(text, "verdict=ham ", 12);
        assert_non_null(strstr(text, " action=pass "));
    }
    assert_int_equal(logged, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(A2_a_listed_address_is_refused_and_no_other_one),
        TEST(in_mode_observe_nobody_is_refused_and_the_log_tells),
        TEST(what_is_known_is_said_in_words_for_extract),
        TEST(before_the_recipient_only_lists_are_asked),
        TEST(of_what_is_no_address_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
