/*
 * shares - how much of one server's word counts beside the others', at each bound and beyond.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "core/base/slice.h"
#include "monitor/analyzer/shares.h"
#include "tests/unit/seeded.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_about(double is, double wanted)
{
    return fabs(is - wanted) < 1e-9 * (1 + fabs(wanted));
}

/* Two servers that told of so much of each, and a third one. */
static struct weir_weighed beside_two(double most, double each, struct weir_score_counts each_hit,
                                      struct weir_score_counts all, struct weir_score_counts hit)
{
    struct weir_share of[] = {{1, {each, each}, 0}, {2, {each, each}, 0}, {3, all, 0}};
    const struct weir_share told[] = {{1, each_hit, 0}, {2, each_hit, 0}, {3, hit, 0}};
    struct weir_shares shares = {.most = most, .share = of, .shares = COUNT(of)};
    const struct weir_score_counts hits = {2 * each_hit.spam + hit.spam,
                                           2 * each_hit.ham + hit.ham};

    shares.all = (struct weir_score_counts){2 * each + all.spam, 2 * each + all.ham};
    weir_shares_weigh(&shares);
    return weir_shares_rule(&shares, &hits, told, COUNT(told));
}

static void B1_a_servers_word_is_bounded_by_what_the_others_told(void **state)
{
    static const struct {
        double most, each, each_ham, all, ham; /* of two servers; of the third */
        double hits, of;                       /* ham, in all, by which a rule is scored */
        uint32_t server;
    } cases[] = {
        {0.5, 1000, 0, 1000, 10, 10, 3000, 0},
        {0.5, 1000, 0, 1000, 20, 20, 3000, 0},          /* the floor */
        {0.5, 1000, 0, 1000, 21, 20, 2000 + 20000. / 21, 3},
        {0.5, 1000, 0, 1e6, 1e6, 20, 2020, 3},
        {0.5, 1000, 50, 1000, 50, 150, 3000, 0},        /* half of what the others told */
        {0.5, 1000, 50, 1000, 51, 150, 2000 + 50000. / 51, 3},
        {0.5, 1000, 50, 1e6, 1e6, 150, 2050, 3},
        {0.5, 1000, 0, 1001, 0, 0, 3000, 3},            /* the floor of all messages */
        {0.5, 5000, 0, 5000, 0, 0, 15000, 0},
        {0.5, 5000, 0, 5001, 0, 0, 15000, 3},
        {2, 1000, 50, 4000, 200, 300, 6000, 0},
        {2, 1000, 50, 4000, 201, 300, 2000 + 4000. * 200 / 201, 3},
        {0, 1000, 50, 1e6, 1e6, 1e6 + 100, 1002000, 0}, /* all counts */
        {0.5, 50, 0, 1e6, 1e6, 20, 120, 3},             /* others that are just enough */
        {0.5, 49.9, 0, 1e6, 1e6, 1e6, 1000099.8, 0},    /* and that are quiet */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct weir_weighed is = beside_two(cases[i].most, cases[i].each,
            (struct weir_score_counts){10, cases[i].each_ham},
            (struct weir_score_counts){cases[i].all, cases[i].all},
            (struct weir_score_counts){0, cases[i].ham});

        if (!is_about(is.hits.ham, cases[i].hits) || !is_about(is.all.ham, cases[i].of))
            fail_msg("case %zu: %.9g of %.9g", i, is.hits.ham, is.all.ham);
        assert_int_equal(is.bounded > 0 ? is.server : 0, cases[i].server);
    }
}

static void what_a_server_says_of_a_rule_stays_what_it_is_and_weighs_less(void **state)
{
    struct weir_weighed is = beside_two(0.5, 10000, (struct weir_score_counts){100, 1},
                                        (struct weir_score_counts){100000, 100000},
                                        (struct weir_score_counts){1000, 10});
    (void)state;
    assert_true(is_about(is.weight, 0.1) && is.server == 3);
    assert_true(is_about(is.hits.spam, 300) && is_about(is.hits.ham, 3));
    assert_true(is_about(is.all.spam, 30000) && is_about(is.all.ham, 30000));
    assert_true(is_about(is.told.spam, 1000) && is_about(is.told.ham, 10));
}

/* Whatever one server tells, and however much: a rule that the others tell much of keeps its mark,
 * and one they tell nothing of has 20 hits of it. */
static void B1_a_liar_moves_nobodys_score_far(void **state)
{
    struct seeded s = seeded_new(__func__);
    (void)state;
    for (int i = 0; i < 20000; i++) {
        double much = pow(10, seeded_below(&s, 8)), more = pow(10, seeded_below(&s, 8));
        const struct weir_score_counts all = {much, more}, each = {1000, 10},
            hit = {much * seeded_below(&s, 2), more * seeded_below(&s, 2)};
        struct weir_weighed is = beside_two(0.5, 10000, each, all, hit);
        struct weir_score_evidence e = weir_score_evidence(&is.hits, &is.all);

        assert_true(is.hits.spam <= 3000.001 && is.hits.ham <= 40.001);
        assert_true(is.hits.spam >= 999.999 && is.hits.ham >= 9.999); /* two bound each other */
        assert_true(is.all.spam <= 30000.001 && is.all.ham <= 30000.001);
        assert_true(e.least > 2.5 && e.most < 7); /* told by the two alone: 4.2 to 5 */
        is = beside_two(0.5, 10000, (struct weir_score_counts){0, 0}, all, hit);
        assert_true(is.hits.spam <= 20.001 && is.hits.ham <= 20.001);
    }
}

static void one_server_alone_and_what_nobody_knows_who_told_count_whole(void **state)
{
    struct weir_share of[] = {{4, {1e6, 1e6}, 0}};
    const struct weir_share told = {4, {1e5, 10}, 0};
    struct weir_shares shares = {.most = 0.5, .all = {1e6, 1e6}, .share = of, .shares = 1};
    const struct weir_score_counts hits = {1e5, 10}, more = {1.01e5, 10};
    struct weir_weighed is;
    (void)state;
    weir_shares_weigh(&shares);
    is = weir_shares_rule(&shares, &hits, &told, 1);
    assert_true(is.bounded == 0 && is.hits.spam == 1e5 && is.all.spam == 1e6);
    is = weir_shares_rule(&shares, &hits, NULL, 0);
    assert_true(is.bounded == 0 && is.hits.spam == 1e5 && is.all.spam == 1e6);
    shares.all = (struct weir_score_counts){1.02e6, 1.02e6}; /* some before there were accounts */
    weir_shares_weigh(&shares);
    is = weir_shares_rule(&shares, &more, &told, 1);
    assert_true(is.bounded == 1 && is_about(is.weight, 500 / 1e5));
    assert_true(is_about(is.hits.spam, 1500) && is_about(is.all.spam, 25000));
}

static void two_that_lie_are_bounded_by_each_other(void **state)
{
    struct weir_share of[] = {{1, {1e6, 1e6}, 0}, {2, {1e6, 1e6}, 0}, {3, {1000, 1000}, 0}};
    const struct weir_share told[] = {{1, {1e6, 0}, 0}, {2, {1e6, 0}, 0}};
    struct weir_shares shares = {.most = 0.5, .share = of, .shares = 3};
    const struct weir_score_counts hits = {2e6, 0};
    struct weir_weighed is;
    (void)state;
    weir_shares_weigh(&shares);
    is = weir_shares_rule(&shares, &hits, told, 2);
    assert_true(is.bounded == 2 && is_about(is.weight, 0.5) && is_about(is.hits.spam, 1e6));
}

static void B33_one_servers_people_alone_do_not_demote_where_the_others_report(void **state)
{
    static const struct {
        unsigned all, demote;
        struct weir_share_blame by[2];
        size_t servers;
        double most;
        unsigned counted;
    } cases[] = {
        {50, 3, {{1, 50, 3}}, 1, 0.5, 2},
        {50, 3, {{1, 50, 2}}, 1, 0.5, 50}, /* the others report too little to say anything */
        {50, 3, {{1, 50, 3}}, 1, 0, 50},
        {2, 3, {{1, 2, 9}}, 1, 0.5, 2},
        {3, 3, {{1, 3, 9}}, 1, 0.5, 2},
        {51, 3, {{1, 50, 9}, {2, 1, 90}}, 2, 0.5, 3},
        {110, 3, {{1, 100, 9}, {2, 10, 90}}, 2, 0.5, 15},
        {10, 3, {{1, 10, 9}, {2, 10, 90}}, 2, 0.5, 4}, /* the same messages */
        {5, 1, {{1, 5, 9}}, 1, 0.5, 0},
        {5, 0, {{1, 5, 9}}, 1, 0.5, 5},
        {5, 3, {{0, 5, 0}}, 1, 0.5, 5},
        {5, 3, {{0, 0, 0}}, 0, 0.5, 5},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned is = weir_shares_blamed(cases[i].all, cases[i].by, cases[i].servers,
                                         cases[i].demote, cases[i].most);

        if (is != cases[i].counted)
            fail_msg("case %zu: %u", i, is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B1_a_servers_word_is_bounded_by_what_the_others_told),
        cmocka_unit_test(what_a_server_says_of_a_rule_stays_what_it_is_and_weighs_less),
        cmocka_unit_test(B1_a_liar_moves_nobodys_score_far),
        cmocka_unit_test(one_server_alone_and_what_nobody_knows_who_told_count_whole),
        cmocka_unit_test(two_that_lie_are_bounded_by_each_other),
        cmocka_unit_test(B33_one_servers_people_alone_do_not_demote_where_the_others_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
