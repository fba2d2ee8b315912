/*
 * What is asked of the store and told to it, and judging whatever it answers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "tests/unit/reputation_world.h"
#include "tests/unit/seeded.h"

struct plan {
    struct weir_reading reading[WEIR_REPUTATION_READINGS];
    size_t n;
};

static struct plan plan(const struct world *w, const char *address, const char *domain)
{
    struct plan plan;
    struct weir_reputation_query query = {.domain = domain, .with_rates = true};
    assert_int_equal(weir_address_parse(address, strlen(address), &query.address), 0);
    plan.n = weir_reputation_plan(&w->settings, &w->key, &query, plan.reading);
    return plan;
}

static bool same_entity(const struct weir_reading *a, const struct weir_reading *b)
{
    return memcmp(&a->counter.entity, &b->counter.entity, sizeof(struct weir_entity)) == 0;
}

static bool same_counter(const struct weir_reading *a, const struct weir_reading *b)
{
    return same_entity(a, b) && a->counter.variable == b->counter.variable &&
           a->counter.half_life == b->counter.half_life;
}

/* How many counters of one plan are in the other, too. */
static size_t shared(const struct plan *a, const struct plan *b)
{
    size_t both = 0;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            both += same_counter(&a->reading[i], &b->reading[j]);
    return both;
}

static void a_plan_asks_each_counter_once_and_entities_together(void **state)
{
    struct plan p = plan(*state, "198.51.100.7", "shop.example");
    size_t entities = 1;
    assert_int_equal(p.n, 41);
    assert_int_equal(shared(&p, &p), p.n);
    for (size_t i = 1; i < p.n; i++) {
        if (same_entity(&p.reading[i], &p.reading[i - 1]))
            continue;
        entities++;
        for (size_t j = 0; j < i; j++)
            assert_false(same_entity(&p.reading[i], &p.reading[j]));
    }
    assert_int_equal(entities, 7);
    assert_int_equal(plan(*state, "198.51.100.7", "").n, 22);
}

static void without_rates_a_plan_is_two_counters_shorter(void **state)
{
    struct world *w = *state;
    struct weir_reputation_query query = {.domain = "shop.example"};
    struct plan with = plan(w, "::", "shop.example"), without;
    struct weir_reputation r;
    without.n = weir_reputation_plan(&w->settings, &w->key, &query, without.reading);
    assert_int_equal(without.n, with.n - 2);
    assert_int_equal(shared(&with, &without), without.n);
    for (size_t i = 0; i < without.n; i++) {
        without.reading[i].missing = false;
        without.reading[i].value = 7;
    }
    weir_reputation_judge(&w->settings, &query, without.reading, &r);
    assert_false(r.partial);
    assert_float_equal(r.cell[WEIR_BASIS_DOMAIN].good_user, 7, 0);
    assert_float_equal(r.spam_rate, 0, 0);
}

static void a_counter_nobody_answered_for_is_missing(void **state)
{
    struct world *w = *state;
    struct weir_reputation_query query = {.domain = "shop.example", .with_rates = true};
    struct plan p = plan(w, "0.0.0.0", "shop.example");
    struct weir_reputation r;
    weir_reputation_judge(&w->settings, &query, p.reading, &r); /* planned, never read */
    assert_true(r.partial);
}

static void neighbours_share_what_is_their_networks(void **state)
{
    static const struct {
        const char *address, *domain;
        size_t shared;
    } cases[] = {
        /* with 198.51.100.7 and shop.example; all mail and strangers are 10 */
        {"198.51.100.7", "shop.example", 41},
        {"::ffff:198.51.100.7", "shop.example", 41},
        {"198.51.100.200", "shop.example", 10 + 6 + 7 + 6}, /* network, domain, group */
        {"198.51.100.200", "other.example", 10 + 6},
        {"198.51.100.7", "other.example", 10 + 6 + 7},      /* network, address */
        {"198.51.101.7", "shop.example", 10 + 7},           /* domain */
        {"198.51.101.7", "other.example", 10},
        {"198.51.100.7", "", 10 + 5 + 7},
    };
    struct world *w = *state;
    struct plan here = plan(w, "198.51.100.7", "shop.example");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct plan there = plan(w, cases[i].address, cases[i].domain);
        assert_int_equal(shared(&here, &there), cases[i].shared);
    }
    struct plan six = plan(w, "2001:db8:0:1::1", ""), near = plan(w, "2001:db8:0:1:ff::9", "");
    struct plan far = plan(w, "2001:db8:0:2::1", "");
    assert_int_equal(shared(&six, &near), 10 + 5);
    assert_int_equal(shared(&six, &far), 10);
    w->settings.ipv6_bits = 48;
    six = plan(w, "2001:db8:0:1::1", "");
    far = plan(w, "2001:db8:0:2::1", "");
    assert_int_equal(shared(&six, &far), 10 + 5);
}

static void another_key_or_network_length_makes_other_entities(void **state)
{
    struct world *w = *state;
    struct plan before = plan(w, "198.51.100.0", "shop.example"), after;
    w->settings.ipv4_bits = 22; /* 198.51.100.0/22 has the same octets as the /24 */
    after = plan(w, "198.51.100.0", "shop.example");
    assert_int_equal(shared(&before, &after), before.n - 6 - 6);
    w->key.octet[0] ^= 1;
    after = plan(w, "198.51.100.0", "shop.example");
    assert_int_equal(shared(&before, &after), 0);
}

static void a_domain_may_have_WEIR_DOMAIN_MAX_octets_and_more_are_cut(void **state)
{
    char longest[WEIR_DOMAIN_MAX + 1], longer[WEIR_DOMAIN_MAX + 2];
    struct world *w = *state;
    memset(longest, 'a', sizeof(longest));
    memset(longer, 'a', sizeof(longer));
    longest[WEIR_DOMAIN_MAX] = longer[WEIR_DOMAIN_MAX + 1] = '\0';
    struct plan a = plan(w, "198.51.100.7", longest), b = plan(w, "198.51.100.7", longer);
    assert_int_equal(shared(&a, &b), a.n);
    longest[WEIR_DOMAIN_MAX - 1] = 'b';
    b = plan(w, "198.51.100.7", longest);
    assert_int_equal(shared(&a, &b), 10 + 5 + 1 + 7);
}

static void a_vote_adds_one_to_each_counter_it_concerns(void **state)
{
    static const struct {
        enum weir_vote_verdict verdict;
        const char *domain;
        bool known; /* its group and network had good mail before */
        size_t additions;
    } cases[] = {
        /* six entities; spam: two rates; good: group and domain; firsts: 2; stranger: 1 */
        {WEIR_VOTE_SPAM, "shop.example", true, 6 + 2},
        {WEIR_VOTE_SPAM, "shop.example", false, 6 + 2 + 1},
        {WEIR_VOTE_GOOD, "shop.example", true, 6 + 2},
        {WEIR_VOTE_GOOD, "shop.example", false, 6 + 2 + 2 + 1},
        {WEIR_VOTE_UNSURE, "shop.example", true, 6},
        {WEIR_VOTE_UNSURE, "shop.example", false, 6 + 1},
        {WEIR_VOTE_SPAM, "", true, 3 + 2},
        {WEIR_VOTE_GOOD, "", true, 3},
        {WEIR_VOTE_GOOD, "", false, 3 + 1},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
        struct weir_reputation_query query = {.domain = cases[i].domain, .with_rates = true};
        struct plan p = plan(w, "0.0.0.0", cases[i].domain);
        for (size_t j = 0; j < p.n; j++) {
            p.reading[j].missing = false;
            p.reading[j].value = cases[i].known ? 3 : 0;
        }
        for (int voter = 0; voter < 2; voter++) {
            struct weir_vote vote = {cases[i].verdict, (enum weir_vote_voter)voter};
            size_t n = weir_reputation_learn(&w->settings, &w->key, &query, p.reading, vote,
                                             addition);
            assert_int_equal(n, cases[i].additions);
            for (size_t j = 0; j < n; j++)
                assert_float_equal(addition[j].weight, 1, 0);
        }
    }
}

static void a_vote_touches_only_counters_that_are_asked_for(void **state)
{
    struct world *w = *state;
    struct plan p = plan(w, "198.51.100.7", "shop.example");
    world_good(w, "198.51.100.7", "shop.example", 1);
    world_spam(w, "198.51.100.7", "shop.example", 1);
    world_vote(w, "198.51.100.7", "shop.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 1);
    world_vote(w, "198.51.100.7", "shop.example", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 1);
    world_vote(w, "198.51.100.7", "shop.example", WEIR_VOTE_UNSURE, WEIR_VOTE_COMPUTER, 1);
    memory_counters_read(w->counters, w->now, p.reading, p.n);
    size_t touched = 0;
    for (size_t i = 0; i < p.n; i++)
        touched += p.reading[i].value > 0;
    assert_int_equal(touched, memory_counters_count(w->counters));
    assert_int_equal(touched, 6 * 5 + 6 + 1); /* of strangers the first vote alone */
}

static bool in_order(const struct weir_reputation *r)
{
    bool fine = r->probability > 0 && r->probability < 1 && r->confidence >= 0 &&
                r->confidence <= 1 && fabs(r->points) <= 2.8 + 1e-9 && r->prior > 0 &&
                r->prior < 1 && r->elsewhere > 0 && r->elsewhere < 1 && r->novelty >= 0 &&
                r->novelty <= 1 && r->spam_rate >= 0 && isfinite(r->spam_rate) &&
                r->spam_rate_now >= 0 && isfinite(r->spam_rate_now) &&
                isfinite(r->elsewhere_n);
    for (size_t i = 0; i < WEIR_BASES; i++)
        fine = fine && r->cell[i].probability > 0 && r->cell[i].probability < 1 &&
               r->cell[i].confidence >= 0 && r->cell[i].confidence <= 1;
    return fine;
}

static void whatever_a_store_answers_the_judgement_is_in_order(void **state)
{
    const double nasty[] = {0,     1,         -1,       0.1,    1e-300, 1e12, 1e300,
                            4e18, INFINITY, -INFINITY, NAN, 149,    5e-324};
    struct world *w = *state;
    struct seeded seed = seeded_new("whatever_a_store_answers_the_judgement_is_in_order");
    struct weir_reputation_query query = {.domain = "shop.example", .with_rates = true};
    for (unsigned run = 0; run < 20000; run++) {
        struct plan p = plan(w, "0.0.0.0", query.domain);
        struct weir_reputation r;
        unsigned kinds = 1 + seeded_below(&seed, sizeof(nasty) / sizeof(*nasty));
        for (size_t i = 0; i < p.n; i++) {
            p.reading[i].value = nasty[seeded_below(&seed, kinds)];
            p.reading[i].missing = seeded_below(&seed, 50) == 0;
        }
        query.authenticated = run % 2;
        weir_reputation_judge(&w->settings, &query, p.reading, &r);
        if (!in_order(&r))
            fail_msg("run %u: probability %g, points %g", run, r.probability, r.points);
    }
}

static void settings_at_their_edges_are_borne(void **state)
{
    const double edge[] = {0, 1e-9, 1, 1e9, INFINITY, NAN, -1};
    struct world *w = *state;
    world_spam(w, "198.51.100.7", "shop.example", 3);
    world_good(w, "192.0.2.10", "shop.example", 3);
    for (size_t i = 0; i < sizeof(edge) / sizeof(*edge); i++) {
        w->settings.strength_pair = w->settings.strength_address = edge[i];
        w->settings.strength_network = w->settings.strength_domain = edge[i];
        w->settings.weight_user = w->settings.weight_computer = edge[i];
        w->settings.prior_least = w->settings.prior_most = edge[i];
        w->settings.half_life_rate = 0;
        struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
        if (!in_order(&r))
            fail_msg("edge %g: probability %g", edge[i], r.probability);
    }
}

static void a_vote_never_moves_its_pair_the_wrong_way(void **state)
{
    static const char *const address[] = {"198.51.100.7", "198.51.100.8", "192.0.2.10"};
    static const char *const domain[] = {"a.example", "b.example", ""};
    struct seeded seed = seeded_new("a_vote_never_moves_its_pair_the_wrong_way");
    for (unsigned run = 0; run < 200; run++) {
        struct world *w = *state;
        world_close(w);
        world_open(w);
        for (unsigned i = 0; i < 60; i++) {
            const char *a = address[seeded_below(&seed, 3)], *d = domain[seeded_below(&seed, 3)];
            bool spam = seeded_below(&seed, 2);
            enum weir_vote_voter voter = seeded_below(&seed, 2) ? WEIR_VOTE_USER
                                                                : WEIR_VOTE_COMPUTER;
            w->now += seeded_below(&seed, 100) * WEIR_HOUR;
            double before = world_judge(w, a, d).probability;
            world_vote(w, a, d, spam ? WEIR_VOTE_SPAM : WEIR_VOTE_GOOD, voter, 1);
            double after = world_judge(w, a, d).probability;
            if (spam ? after < before - 1e-12 : after > before + 1e-12)
                fail_msg("run %u, vote %u, %s: from %g to %g", run, i, spam ? "spam" : "good",
                         before, after);
        }
    }
}

static int begin(void **state)
{
    static struct world world;
    world_open(&world);
    *state = &world;
    return 0;
}

static int end(void **state)
{
    world_close(*state);
    return 0;
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_plan_asks_each_counter_once_and_entities_together),
        test(without_rates_a_plan_is_two_counters_shorter),
        test(a_counter_nobody_answered_for_is_missing),
        test(neighbours_share_what_is_their_networks),
        test(another_key_or_network_length_makes_other_entities),
        test(a_domain_may_have_WEIR_DOMAIN_MAX_octets_and_more_are_cut),
        test(a_vote_adds_one_to_each_counter_it_concerns),
        test(a_vote_touches_only_counters_that_are_asked_for),
        test(whatever_a_store_answers_the_judgement_is_in_order),
        test(settings_at_their_edges_are_borne),
        test(a_vote_never_moves_its_pair_the_wrong_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
