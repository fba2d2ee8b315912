/* Which node an entity lives on: shares by weight, least movement, any order. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/keyed_hash.h"
#include "core/store/rendezvous.h"
#include "tests/unit/seeded.h"

#define IDS 30000

static void add(struct weir_rendezvous *set, const char *name, unsigned weight)
{
    assert_int_equal(weir_rendezvous_add(set, name, weight), 0);
}

/* How many of the ids each node gets, and all choices. */
static void choose_all(const struct weir_rendezvous *set, struct seeded seed, size_t *choice,
                       size_t *count)
{
    uint8_t id[16];
    memset(count, 0, WEIR_NODES_MAX * sizeof *count);
    for (size_t i = 0; i < IDS; i++) {
        seeded_fill(&seed, id, sizeof id);
        choice[i] = weir_rendezvous_choose(set, id);
        assert_true(choice[i] < set->nodes);
        count[choice[i]]++;
    }
}

static void shares_follow_the_weights(void **state)
{
    static const struct {
        size_t nodes;
        unsigned weight[5];
    } cases[] = {
        {1, {1}}, {2, {1, 1}}, {3, {1, 1, 1}}, {3, {1, 2, 3}}, {4, {100, 1, 50, 50}},
        {5, {7, 7, 7, 7, 7}},
    };
    static size_t choice[IDS];
    size_t count[WEIR_NODES_MAX];
    (void)state;
    struct seeded seed = seeded_new("shares_follow_the_weights");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct weir_rendezvous set = {0};
        double sum = 0;
        for (size_t i = 0; i < cases[c].nodes; i++) {
            char name[32];
            snprintf(name, sizeof name, "mc%zu:11211", i);
            add(&set, name, cases[c].weight[i]);
            sum += cases[c].weight[i];
        }
        choose_all(&set, seed, choice, count);
        for (size_t i = 0; i < cases[c].nodes; i++) {
            double want = IDS * cases[c].weight[i] / sum;
            double five_sigma = 5 * sqrt(want * (1 - want / IDS)) + 1;
            if (fabs((double)count[i] - want) > five_sigma)
                fail_msg("case %zu, node %zu: got %zu, want %.0f", c, i, count[i], want);
        }
    }
}

/* Ids that differ in a few bits only, as made-up ones in tests do. */
static void plain_numbers_spread_as_well(void **state)
{
    struct weir_rendezvous set = {0};
    size_t count[4] = {0};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        add(&set, (const char *[]){"a:1", "b:1", "c:1", "d:1"}[i], 1);
    for (uint32_t i = 0; i < IDS; i++) {
        uint8_t id[16] = {0};
        memcpy(id + i % 3 * 6, &i, sizeof i);
        count[weir_rendezvous_choose(&set, id)]++;
    }
    for (size_t i = 0; i < 4; i++)
        assert_in_range(count[i], IDS / 4 - 500, IDS / 4 + 500);
}

static void a_node_that_comes_takes_only_its_own_share(void **state)
{
    static size_t before[IDS], after[IDS];
    size_t count[WEIR_NODES_MAX];
    (void)state;
    struct seeded seed = seeded_new("a_node_that_comes_takes_only_its_own_share");
    for (unsigned weight = 1; weight <= 4; weight += 3) { /* even and uneven sets */
        struct weir_rendezvous set = {0};
        add(&set, "a:1", 1);
        add(&set, "b:1", 1);
        add(&set, "c:1", weight);
        choose_all(&set, seed, before, count);
        add(&set, "d:1", weight);
        choose_all(&set, seed, after, count);
        for (size_t i = 0; i < IDS; i++)
            assert_true(after[i] == before[i] || after[i] == 3);
        assert_true(count[3] > 0);
    }
}

static void a_node_that_goes_leaves_the_others_theirs(void **state)
{
    static size_t before[IDS], after[IDS];
    size_t count[WEIR_NODES_MAX];
    (void)state;
    struct seeded seed = seeded_new("a_node_that_goes_leaves_the_others_theirs");
    struct weir_rendezvous all = {0};
    struct weir_rendezvous rest = {0};
    for (size_t i = 0; i < 5; i++) {
        const char *name = (const char *[]){"a:1", "b:1", "c:1", "d:1", "e:1"}[i];
        add(&all, name, 1 + (unsigned)i);
        if (i != 2)
            add(&rest, name, 1 + (unsigned)i);
    }
    choose_all(&all, seed, before, count);
    choose_all(&rest, seed, after, count);
    for (size_t i = 0; i < IDS; i++)
        if (before[i] != 2)
            assert_int_equal(after[i], before[i] > 2 ? before[i] - 1 : before[i]);
}

static void the_order_of_the_nodes_does_not_matter(void **state)
{
    static const char *const name[4] = {"a:1", "b:1", "c:1", "d:1"};
    static size_t forward[IDS], backward[IDS];
    size_t count[WEIR_NODES_MAX];
    (void)state;
    struct seeded seed = seeded_new("the_order_of_the_nodes_does_not_matter");
    for (unsigned uneven = 0; uneven < 2; uneven++) {
        struct weir_rendezvous one = {0};
        struct weir_rendezvous other = {0};
        for (unsigned i = 0; i < 4; i++) {
            add(&one, name[i], 1 + uneven * i);
            add(&other, name[3 - i], 1 + uneven * (3 - i));
        }
        choose_all(&one, seed, forward, count);
        choose_all(&other, seed, backward, count);
        for (size_t i = 0; i < IDS; i++)
            assert_int_equal(forward[i], 3 - backward[i]);
    }
}

/* All servers, of any version, must choose the same: these never change. */
static void choices_are_the_same_for_ever(void **state)
{
    struct weir_rendezvous set = {0};
    char got[33] = "";
    (void)state;
    add(&set, "mc1:11211", 1);
    add(&set, "mc2:11211", 2);
    add(&set, "mc3:11211", 1);
    for (uint8_t i = 0; i < 32; i++) {
        uint8_t id[16] = {i, [9] = (uint8_t)(7 * i)};
        got[i] = (char)('1' + weir_rendezvous_choose(&set, id));
    }
    assert_string_equal(got, "12111211313122313323321222221233");
}

static void bad_nodes_are_refused(void **state)
{
    struct weir_rendezvous set = {0};
    char name[32];
    (void)state;
    assert_int_equal(weir_rendezvous_add(&set, "a:1", 0), WEIR_EINVAL);
    assert_int_equal(weir_rendezvous_add(&set, "a:1", WEIR_NODE_WEIGHT_MAX + 1), WEIR_EINVAL);
    assert_int_equal(weir_rendezvous_add(&set, "a:1", WEIR_NODE_WEIGHT_MAX), 0);
    assert_int_equal(weir_rendezvous_add(&set, "a:1", 1), WEIR_EINVAL);
    for (size_t i = 1; i < WEIR_NODES_MAX; i++) {
        snprintf(name, sizeof name, "mc%zu:11211", i);
        add(&set, name, 1);
    }
    assert_int_equal(weir_rendezvous_add(&set, "b:1", 1), WEIR_ELIMIT);
    assert_int_equal(set.nodes, WEIR_NODES_MAX);
}

static void an_empty_set_chooses_nothing_and_harms_nobody(void **state)
{
    const struct weir_rendezvous set = {0};
    const uint8_t id[16] = {1};
    (void)state;
    assert_int_equal(weir_rendezvous_choose(&set, id), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_the_weights),
        cmocka_unit_test(plain_numbers_spread_as_well),
        cmocka_unit_test(a_node_that_comes_takes_only_its_own_share),
        cmocka_unit_test(a_node_that_goes_leaves_the_others_theirs),
        cmocka_unit_test(the_order_of_the_nodes_does_not_matter),
        cmocka_unit_test(choices_are_the_same_for_ever),
        cmocka_unit_test(bad_nodes_are_refused),
        cmocka_unit_test(an_empty_set_chooses_nothing_and_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
