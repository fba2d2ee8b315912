/*
 * revive - rules that the analyzer retired come back to the test by what people report.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/drafts_rig.h"

static int retire(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    rule->state = WEIR_RULE_RETIRED;
    return 0;
}

static void retire_rule(struct world *world, const char *name, const char *who)
{
    const struct weir_rule_change by = {.who = who, .why = "", .time = world->options.now};

    database_must(world->rig, weir_database_rule_edit(world->rig->database, weir_rule_id(
        weir_slice_of(name)), retire, NULL, &by), 1);
}

/* What goes back to the test; stored. */
static size_t revived(struct world *world)
{
    struct weir_drafts *drafts = run(world);
    const char *why;
    size_t count = 0;

    for (; weir_drafts_revived(drafts, count, &why); count++)
        assert_non_null(strstr(why, "4 messages that were missed, of which 4 reports by 3 people"));
    database_must(world->rig, weir_drafts_store(drafts, world->rig->database), 0);
    weir_drafts_free(&drafts);
    return count;
}

static void B7_what_the_analyzer_retired_comes_back_by_reports_of_missed_spam(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"PARCEL", "BYHAND", "NAMED", "OTHER"};

    world->options.idle = 30 * WEIR_DAY;
    for (size_t i = 0; i < 4; i++) {
        put_rule(world, names[i], weir_arena_printf(world->arena, "body %s /%s/i\n", names[i],
                                                    i < 3 ? "parcel number" : "no such"), 3);
        retire_rule(world, names[i], i == 1 ? "uid 0" : "analyzer");
    }
    put_rule(world, "NOT", "meta NOT !NAMED\n", -1);
    put_campaign(world, 2);
    assert_int_equal(revived(world), 0); /* two people */
    put_campaign(world, 2);
    assert_int_equal(revived(world), 0); /* the same two */
    sql(world, "DELETE FROM reported_texts");
    put_campaign(world, 4);
    assert_int_equal(revived(world), 1);
    assert_int_equal(number(world, "SELECT state = 'test' AND score = 3 FROM rules WHERE name = "
                                   "'PARCEL'"), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM rules WHERE state = 'retired'"), 3);
    assert_int_equal(number(world, "SELECT count(*) FROM rule_changes WHERE old = 'retired' AND "
                                   "new = 'test' AND who = 'analyzer' AND why <> ''"), 1);
    retire_rule(world, "PARCEL", "analyzer");
    world->options.now += 6 * WEIR_DAY;
    assert_int_equal(revived(world), 0); /* it was back, and nothing hit it */
    sql(world, "INSERT INTO hits (rule, first_hit, last_hit, hits, spam, ham, false_positives, "
               "spam_decayed, ham_decayed, at) SELECT id, 1, since + 1, 1, 0, 0, 0, 0, 0, 1 "
               "FROM rules WHERE name = 'PARCEL'");
    assert_int_equal(revived(world), 1);
    retire_rule(world, "PARCEL", "analyzer");
    sql(world, "UPDATE hits SET last_hit = 9223372036854775807");
    world->options.now += 2 * WEIR_DAY;
    assert_int_equal(revived(world), 0); /* that was reported more than 7 days ago */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B7_what_the_analyzer_retired_comes_back_by_reports_of_missed_spam),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
