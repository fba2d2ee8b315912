/*
 * named: which names stand in formulas (named.c), and that a run of the analyzer leaves those rules
 * alone (analyzer_io.c, analyze.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/slice.h"
#include "monitor/analyzer/analyzer_io.h"
#include "monitor/analyzer/named.h"
#include "monitor/database/database_rules_io.h"
#include "tests/unit/database_rig.h"

static void words_of_formulas_are_names(void **state)
{
    static const char *const lines[] = {
        "meta ONE !UNSUB && (CHEAP + 2*LOUD > 1)\ndescribe ONE it names TALK and SUCH\nscore ONE 3",
        "body TWO /meta NOT_THIS/\nmeta\nmeta \nmeta THREE\nmetaphor FOUR FIVE",
        "", "\n\n", "meta SIX\t__SEVEN||\n", "meta EIGHT AT_THE_END"};
    static const struct {
        const char *name;
        bool named;
    } cases[] = {{"UNSUB", true}, {"CHEAP", true}, {"LOUD", true}, {"__SEVEN", true},
                 {"AT_THE_END", true}, {"ONE", false}, {"TALK", false}, {"NOT_THIS", false},
                 {"THREE", false}, {"FIVE", false}, {"SIX", false}, {"UNSU", false}, {"", false}};
    char longest[2 * WEIR_RULE_NAME_MAX] = "meta X ";
    struct weir_named *named = NULL;
    size_t at = strlen(longest);

    (void)state;
    assert_int_equal(weir_named_new(&named), 0);
    assert_false(weir_named_has(named, "UNSUB"));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(weir_named_add(named, weir_slice_of(lines[i])), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (weir_named_has(named, cases[i].name) != cases[i].named)
            fail_msg("%s", cases[i].name);
    for (size_t more = 0; more < 2; more++) { /* the longest name, and one that is none */
        memset(longest + at, 'A', WEIR_RULE_NAME_MAX + more);
        longest[at + WEIR_RULE_NAME_MAX + more] = '\0';
        assert_int_equal(weir_named_add(named, weir_slice_of(longest)), 0);
        assert_int_equal(weir_named_has(named, longest + at), !more);
    }
    weir_named_free(&named);
    weir_named_free(&named);
}

static void put(struct database_rig *rig, uint32_t id, const char *text, enum weir_rule_state is)
{
    const struct weir_rule_change change = {.who = "test", .why = "", .time = DATABASE_NOW};
    char name[16];
    const struct weir_kept_rule rule = {
        .id = id, .name = name, .kind = strncmp(text, "meta", 4) ? WEIR_RULE_BODY : WEIR_RULE_META,
        .text = text, .state = is, .score = 1, .base = 1, .author = "test", .approved = true};

    snprintf(name, sizeof name, "R%u", (unsigned)id);
    database_must(rig, weir_database_rule_put(rig->database, &rule, &change), 1);
}

/* "!R1" is another formula when R1 is there no more. */
static void B7_an_idle_rule_stays_while_a_formula_at_work_names_it(void **state)
{
    struct database_rig *rig = *state;
    struct weir_analysis_options options = {
        .settings = {.life = weir_life_defaults(), .spam_score = 5}, .who = "uid 0",
        .now = DATABASE_NOW + 31 * WEIR_DAY};

    put(rig, 1, "body R1 /x/", WEIR_RULE_ACTIVE);
    put(rig, 2, "body R2 /y/", WEIR_RULE_ACTIVE);
    put(rig, 3, "meta R3 !R1 && R4", WEIR_RULE_LOCKED);
    put(rig, 4, "body R4 /z/", WEIR_RULE_TEST);
    put(rig, 5, "meta R5 R2", WEIR_RULE_RETIRED);
    for (int run = 0; run < 2; run++) {
        struct weir_analysis *analysis = NULL;

        database_must(rig, weir_analysis_new(rig->database, &options, &analysis), 0);
        database_must(rig, weir_analysis_store(analysis, rig->database), 0);
        weir_analysis_free(&analysis);
        options.now += WEIR_DAY;
        assert_int_equal(database_number(rig, "SELECT sum(id) FROM rules WHERE state = 'retired'"),
                         run ? 15 : 2 + 5);
        if (run == 0)
            put(rig, 3, "meta R3 !R1 && R4", WEIR_RULE_RETIRED);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_formulas_are_names),
        TEST(B7_an_idle_rule_stays_while_a_formula_at_work_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
