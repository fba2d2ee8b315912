/*
 * Reputation from votes to judgement.  Wanted numbers are worked out by hand
 * from the formulas of the design, the steps beside them; a user's vote weighs
 * 5, a program's 1, and strengths are net 2, address 1, domain 2, pair 1/2.
 *
 * Throughout: pi = (S + 10) / (S + G + 20), the share of spam in all mail with
 * 20 votes of one half behind it; ps, the same of networks when they were new,
 * with 20 votes of pi behind it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/unit/reputation_world.h"

#define near(got, want) assert_float_equal(got, want, 5e-7)

static void a_fresh_store_knows_nothing_and_says_so(void **state)
{
    struct weir_reputation r = world_judge(*state, "198.51.100.7", "shop.example");
    near(r.probability, 0.5);
    near(r.confidence, 0);
    near(r.points, 0);
    assert_int_equal(r.basis, WEIR_BASIS_PRIOR);
    assert_int_equal(r.association, WEIR_ASSOCIATION_UNKNOWN);
    assert_false(r.forged || r.partial);
}

static void C1_one_domain_at_a_good_and_a_bad_address(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "shop.example", 10);
    world_spam(w, "198.51.100.7", "shop.example", 10);
    assert_true(world_judge(w, "192.0.2.10", "shop.example").probability < 0.05);
    assert_true(world_judge(w, "198.51.100.7", "shop.example").probability > 0.95);
}

static void C4_mail_at_other_addresses_of_the_domain_is_consulted(void **state)
{
    struct world *w = *state;
    world_spam(w, "198.51.100.7", "shop.example", 1);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.elsewhere, 0.6); /* pi = 15/25 */
    near(r.elsewhere_n, 0);
    world_good(w, "192.0.2.10", "shop.example", 3);
    r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.elsewhere, 0.0441176); /* pi = 15/40; (0 + 2 pi) / (15 + 2) */
    near(r.elsewhere_n, 15);
}

static void C5_addresses_of_one_domain_have_cells_of_their_own(void **state)
{
    static const char *const address[] = {"192.0.2.10", "198.51.100.7", "2001:db8::25"};
    struct world *w = *state;
    for (unsigned i = 0; i < 3; i++)
        world_spam(w, address[i], "shop.example", i + 1);
    for (unsigned i = 0; i < 3; i++) {
        struct weir_reputation r = world_judge(w, address[i], "shop.example");
        near(r.cell[WEIR_BASIS_PAIR].spam_user, i + 1);
        near(r.cell[WEIR_BASIS_DOMAIN].spam_user, 6);
    }
}

static void C6_domains_at_one_address_have_cells_of_their_own(void **state)
{
    static const char *const domain[] = {"a.example", "b.example", "c.example"};
    struct world *w = *state;
    for (unsigned i = 0; i < 3; i++)
        world_good(w, "192.0.2.10", domain[i], i + 1);
    for (unsigned i = 0; i < 3; i++) {
        struct weir_reputation r = world_judge(w, "192.0.2.10", domain[i]);
        near(r.cell[WEIR_BASIS_PAIR].good_user, i + 1);
        near(r.cell[WEIR_BASIS_ADDRESS].good_user, 6);
        near(r.cell[WEIR_BASIS_DOMAIN].good_user, i + 1);
    }
}

static void C17_after_twenty_reports_the_next_mail_is_spam(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "shop.example", 50);   /* the domain is good elsewhere */
    world_good(w, "198.51.100.7", "other.example", 50); /* and the address for others */
    world_spam(w, "198.51.100.7", "shop.example", 20);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    assert_true(r.probability > 0.95);
    assert_true(r.confidence > 0.96);
    assert_int_equal(r.basis, WEIR_BASIS_PAIR);
}

static void C18_the_probability_of_a_scripted_history(void **state)
{
    struct world *w = *state;
    /* S = 15, G = 5, all of it this pair's, so no wider level has votes beside
     * it.  pi = 25/40; the first vote met a stranger: ps = (5 + 12.5) / 25 = 0.7;
     * p = (15 + 0.5 * 0.7) / 20.5. */
    world_spam(w, "198.51.100.7", "shop.example", 3);
    world_good(w, "198.51.100.7", "shop.example", 1);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.prior, 0.625);
    near(r.prior_stranger, 0.7);
    near(r.probability, 0.7487805);
    near(r.confidence, 0.9756098); /* 20 / 20.5 */
    near(r.points, 0.4069052);     /* 0.7 (ln(15.35 / 5.15) - ln(5 / 3)) */
}

static void C19_the_ratio_of_thirty_spam_and_ten_good(void **state)
{
    struct world *w = *state;
    /* S = 150, G = 50: pi = 160/220, ps = (5 + 20 pi) / 25 = 0.7818182,
     * p = (150 + 0.5 ps) / 200.5. */
    world_spam(w, "198.51.100.7", "shop.example", 30);
    world_good(w, "198.51.100.7", "shop.example", 10);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.probability, 0.7500793);
    near(r.cell[WEIR_BASIS_PAIR].spam, 150);
    near(r.cell[WEIR_BASIS_PAIR].good, 50);
}

static void spam_at(struct world *w, unsigned a_minute, unsigned minutes)
{
    for (unsigned i = 0; i < a_minute * minutes; i++) {
        world_vote(w, "198.51.100.7", "", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 1);
        w->now += WEIR_MINUTE / a_minute;
    }
}

static void C20_ten_a_minute_for_four_hours_is_ten_a_minute(void **state)
{
    struct world *w = *state;
    spam_at(w, 10, 240);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    assert_in_range((unsigned)(r.spam_rate * 1000), 9000, 11000);
    assert_in_range((unsigned)(r.spam_rate_now * 1000), 9000, 11000);
    w->now += WEIR_HOUR;
    assert_true(world_judge(w, "198.51.100.7", "").spam_rate_now < 2);
    assert_true(world_judge(w, "198.51.100.8", "").spam_rate < 1e-9);
}

static void C21_a_step_to_fifty_a_minute_is_seen_within_half_an_hour(void **state)
{
    struct world *w = *state;
    spam_at(w, 1, 360);
    spam_at(w, 50, 30);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "");
    assert_true(r.spam_rate_now > 40);
    assert_true(r.spam_rate < 20);
}

static void C22_cells_halve_after_their_half_lives(void **state)
{
    struct world *w = *state;
    world_spam(w, "198.51.100.7", "shop.example", 8);
    w->now += 30 * WEIR_DAY;
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.cell[WEIR_BASIS_PAIR].spam_user, 4);
    near(r.cell[WEIR_BASIS_NETWORK_DOMAIN].spam_user, 4);
    near(r.cell[WEIR_BASIS_DOMAIN].spam_user, 4);
    near(r.cell[WEIR_BASIS_ADDRESS].spam_user, 1); /* 10 d: three half-lives */
    near(r.cell[WEIR_BASIS_NETWORK].spam_user, 1);
}

static void C23_weights_change_the_ratio_of_what_is_already_counted(void **state)
{
    struct world *w = *state;
    world_vote(w, "198.51.100.7", "shop.example", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 2);
    world_good(w, "198.51.100.7", "shop.example", 1);
    /* S = 2, G = 5: pi = 12/27, ps = (1 + 20 pi) / 21, p = (2 + 0.5 ps) / 7.5 */
    near(world_judge(w, "198.51.100.7", "shop.example").probability, 0.2980600);
    w->settings.weight_computer = 10;
    /* S = 20, G = 5: pi = 30/45, ps = (10 + 20 pi) / 30, p = (20 + 0.5 ps) / 25.5 */
    near(world_judge(w, "198.51.100.7", "shop.example").probability, 0.7995643);
}

static void C24_one_user_outweighs_one_computer(void **state)
{
    struct world *w = *state;
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 1);
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_GOOD, WEIR_VOTE_USER, 1);
    /* S = 1, G = 5: pi = 11/26, ps = (1 + 20 pi) / 21, p = (1 + 0.5 ps) / 6.5 */
    near(world_judge(w, "198.51.100.7", "a.example").probability, 0.1885037);
    world_vote(w, "192.0.2.10", "b.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 1);
    world_vote(w, "192.0.2.10", "b.example", WEIR_VOTE_SPAM, WEIR_VOTE_USER, 1);
    assert_true(world_judge(w, "192.0.2.10", "b.example").probability > 0.75);
}

static void C25_four_indeterminate_votes_count_as_one_good(void **state)
{
    struct world *w = *state;
    world_good(w, "198.51.100.1", "known.example", 5); /* no strangers from here on */
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_UNSURE, WEIR_VOTE_COMPUTER, 4);
    world_vote(w, "198.51.100.8", "b.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 1);
    struct weir_reputation unsure = world_judge(w, "198.51.100.7", "a.example");
    struct weir_reputation good = world_judge(w, "198.51.100.8", "b.example");
    near(unsure.cell[WEIR_BASIS_PAIR].indeterminate, 4);
    near(unsure.cell[WEIR_BASIS_PAIR].good, 1);
    near(unsure.cell[WEIR_BASIS_PAIR].spam, 0);
    near(unsure.probability, good.probability);
    near(unsure.confidence, good.confidence);
}

static void C26_C27_a_cell_holds_the_five_variables_of_its_pair(void **state)
{
    struct world *w = *state;
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_SPAM, WEIR_VOTE_USER, 1);
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_GOOD, WEIR_VOTE_USER, 2);
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 3);
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 4);
    world_vote(w, "198.51.100.7", "a.example", WEIR_VOTE_UNSURE, WEIR_VOTE_COMPUTER, 5);
    for (int level = 0; level < WEIR_BASES; level++) {
        const struct weir_reputation r = world_judge(w, "198.51.100.7", "a.example");
        const struct weir_cell *cell = &r.cell[level];
        near(cell->spam_user, 1);
        near(cell->good_user, 2);
        near(cell->spam_computer, 3);
        near(cell->good_computer, 4);
        near(cell->indeterminate, 5);
        near(cell->spam, 8);      /* 5 + 3 */
        near(cell->good, 15.25);  /* 10 + 4 + 5/4 */
    }
    near(world_judge(w, "198.51.100.7", "b.example").cell[WEIR_BASIS_PAIR].spam_user, 0);
    near(world_judge(w, "198.51.100.8", "a.example").cell[WEIR_BASIS_PAIR].spam_user, 0);
}

/* 10 good votes far away, and 4 spam votes: S = 20, G = 50, pi = 30/90 = 1/3.
 * One stranger was good, one spam: ps = (5 + 20/3) / 30 = 7/18. */
static void background(struct world *w, const char *address, const char *domain)
{
    world_good(w, "203.0.113.1", "known.example", 10);
    world_spam(w, address, domain, 4);
}

static void C30_C33_an_unseen_domain_is_judged_by_its_address(void **state)
{
    struct world *w = *state;
    background(w, "198.51.100.7", "bad.example");
    struct weir_reputation r = world_judge(w, "198.51.100.7", "new.example");
    near(r.prior, 1.0 / 3);
    near(r.prior_stranger, 7.0 / 18);
    near(r.probability, 0.9708995); /* (20 + ps) / 21 */
    near(r.confidence, 0.9523810);  /* 20 / 21 */
    assert_int_equal(r.basis, WEIR_BASIS_ADDRESS);
    r = world_judge(w, "198.51.100.7", "");
    near(r.probability, 0.9708995);
    near(r.cell[WEIR_BASIS_ADDRESS].probability, 0.9708995);
    near(r.cell[WEIR_BASIS_ADDRESS].spam, 20);
    near(r.cell[WEIR_BASIS_ADDRESS].good, 0);
}

static void C31_C34_an_unseen_address_is_judged_by_its_domain(void **state)
{
    struct world *w = *state;
    background(w, "198.51.100.7", "bad.example");
    /* p_d = (20 + 2/3) / 22 = 31/33; the network is a stranger: odds
     * (7/11) (31/2) 2 = 217/11 */
    struct weir_reputation r = world_judge(w, "192.0.2.10", "bad.example");
    near(r.probability, 0.9517544);
    near(r.confidence, 0.9090909); /* 20 / 22 */
    near(r.cell[WEIR_BASIS_DOMAIN].probability, 0.9393939);
    near(r.cell[WEIR_BASIS_DOMAIN].spam, 20);
    assert_int_equal(r.basis, WEIR_BASIS_DOMAIN);
}

static void an_unseen_address_is_judged_by_its_network(void **state)
{
    struct world *w = *state;
    background(w, "198.51.100.7", "bad.example");
    struct weir_reputation r = world_judge(w, "198.51.100.200", "new.example");
    near(r.probability, 0.9444444); /* (20 + 2 * 7/18) / 22 = 17/18 */
    near(r.confidence, 0.9090909);
    near(r.points, 2.4684524);      /* 0.7 (ln 17 + ln 2) */
    assert_int_equal(r.basis, WEIR_BASIS_NETWORK);
}

static void a_stranger_is_what_strangers_were_and_gets_no_points_for_it(void **state)
{
    struct world *w = *state;
    background(w, "198.51.100.7", "bad.example");
    struct weir_reputation r = world_judge(w, "192.0.2.10", "new.example");
    near(r.probability, 7.0 / 18);
    near(r.points, 0);
    assert_int_equal(r.basis, WEIR_BASIS_PRIOR);
    /* more mail from networks that are no longer new changes pi alone */
    world_spam(w, "198.51.100.7", "bad.example", 2);
    r = world_judge(w, "192.0.2.10", "new.example");
    near(r.prior, 0.4);              /* (30 + 10) / (80 + 20) */
    near(r.prior_stranger, 13.0 / 30); /* (5 + 20 * 0.4) / 30 */
}

static void a_domain_of_both_kinds_makes_one_vote_say_less(void **state)
{
    struct world *w = *state;
    world_spam(w, "198.51.100.7", "freemail.example", 4);
    world_good(w, "192.0.2.10", "freemail.example", 4);
    world_spam(w, "203.0.113.1", "freemail.example", 1);
    /* S = 25, G = 20: pi = 35/65; three strangers, one good: ps = (10 + 20 pi) / 35 =
     * 0.5934066.  Elsewhere 20 of each: strength 0.5 + 0.2 * 20 = 4.5; its p_d
     * is below pi, so its name does not count: p = (5 + 4.5 ps) / 9.5. */
    struct weir_reputation r = world_judge(w, "203.0.113.1", "freemail.example");
    near(r.probability, 0.8074031);
    near(r.confidence, 0.5263158); /* 5 / 9.5 */
}

static void basis_is_the_narrowest_level_that_was_seen(void **state)
{
    static const struct {
        const char *address, *domain;
        enum weir_basis basis;
    } steps[] = {
        /* each adds spam from there; then 198.51.100.7 for shop.example is judged */
        {"192.0.2.10", "other.example", WEIR_BASIS_PRIOR},
        {"198.51.100.99", "other.example", WEIR_BASIS_NETWORK},
        {"192.0.2.10", "shop.example", WEIR_BASIS_DOMAIN},
        {"198.51.100.7", "third.example", WEIR_BASIS_ADDRESS},
        {"198.51.100.50", "shop.example", WEIR_BASIS_NETWORK_DOMAIN},
        {"198.51.100.7", "shop.example", WEIR_BASIS_PAIR},
    };
    struct world *w = *state;
    world_good(w, "203.0.113.1", "known.example", 10);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        world_spam(w, steps[i].address, steps[i].domain, 4);
        struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
        assert_string_equal(weir_basis_name(r.basis), weir_basis_name(steps[i].basis));
        near(r.confidence, i == 0 ? 0 : r.cell[r.basis].confidence);
    }
    assert_string_equal(weir_basis_name((enum weir_basis)99), "prior");
}

static void between_address_and_domain_the_one_that_moved_more_decides(void **state)
{
    struct world *w = *state;
    world_good(w, "203.0.113.1", "known.example", 10);
    world_vote(w, "198.51.100.7", "x.example", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 1);
    world_spam(w, "192.0.2.10", "shop.example", 20);
    assert_int_equal(world_judge(w, "198.51.100.7", "shop.example").basis, WEIR_BASIS_DOMAIN);
    world_spam(w, "198.51.100.7", "x.example", 40);
    assert_int_equal(world_judge(w, "198.51.100.7", "shop.example").basis, WEIR_BASIS_ADDRESS);
}

static void a_good_name_proves_nothing_from_a_strange_address(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "shop.example", 40);
    struct weir_reputation stranger = world_judge(w, "198.51.100.7", "unheard.example");
    struct weir_reputation borrowed = world_judge(w, "198.51.100.7", "shop.example");
    near(borrowed.probability, stranger.probability);
    assert_int_equal(borrowed.basis, WEIR_BASIS_PRIOR);
    w->authenticated = true;
    struct weir_reputation vouched = world_judge(w, "198.51.100.7", "shop.example");
    assert_true(vouched.probability < stranger.probability / 5);
    assert_int_equal(vouched.basis, WEIR_BASIS_DOMAIN);
}

static void without_a_domain_address_and_network_alone_are_asked_and_taught(void **state)
{
    struct world *w = *state;
    world_spam(w, "198.51.100.7", "", 4);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "");
    near(r.cell[WEIR_BASIS_PAIR].spam, 0);
    near(r.cell[WEIR_BASIS_DOMAIN].spam, 0);
    near(r.cell[WEIR_BASIS_ADDRESS].spam, 20);
    near(r.cell[WEIR_BASIS_NETWORK].spam, 20);
    near(r.cell[WEIR_BASIS_PRIOR].spam, 20);
    assert_int_equal(r.basis, WEIR_BASIS_ADDRESS);
    assert_true(r.probability > 0.9);
    near(world_judge(w, "192.0.2.10", "").cell[WEIR_BASIS_DOMAIN].spam, 0);
}

static void a_spammer_who_changes_domains_is_known_by_his_address(void **state)
{
    static const char *const domain[] = {"a.example", "b.example", "c.example", "d.example"};
    struct world *w = *state;
    world_good(w, "203.0.113.1", "known.example", 50);
    for (size_t i = 0; i < 4; i++)
        world_vote(w, "198.51.100.7", domain[i], WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 2);
    assert_true(world_judge(w, "198.51.100.7", "e.example").probability > 0.85);
}

static void a_spammer_who_changes_addresses_is_known_by_his_network(void **state)
{
    static const char *const address[] = {"198.51.100.1", "198.51.100.2", "198.51.100.3",
                                          "198.51.100.4", "198.51.100.5"};
    struct world *w = *state;
    world_good(w, "203.0.113.1", "known.example", 50);
    for (size_t i = 0; i < 5; i++)
        world_vote(w, address[i], "", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 2);
    assert_true(world_judge(w, "198.51.100.6", "new.example").probability > 0.85);
    assert_true(world_judge(w, "198.51.101.6", "new.example").probability < 0.5);
}

static void good_mail_for_one_domain_does_not_wash_another(void **state)
{
    struct world *w = *state;
    world_vote(w, "198.51.100.7", "white.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 300);
    world_spam(w, "198.51.100.7", "black.example", 20);
    assert_true(world_judge(w, "198.51.100.7", "black.example").probability > 0.98);
    assert_true(world_judge(w, "198.51.100.7", "white.example").probability < 0.05);
}

static void forgers_do_not_hurt_a_domain_at_home(void **state)
{
    struct world *w = *state;
    char address[WEIR_ADDRESS_TEXT];
    world_good(w, "192.0.2.10", "bank.example", 200);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(address, sizeof(address), "10.%u.1.1", i);
        world_spam(w, address, "bank.example", 3);
    }
    assert_true(world_judge(w, "192.0.2.10", "bank.example").probability < 0.01);
    assert_true(world_judge(w, "192.0.2.11", "bank.example").probability < 0.01);
}

static bool mute_all(const struct weir_counter *counter)
{
    (void)counter;
    return true;
}

static bool mute_good(const struct weir_counter *counter)
{
    return counter->variable == WEIR_GOOD_USER;
}

static void a_silent_store_leads_to_the_prior(void **state)
{
    struct world *w = *state;
    world_spam(w, "198.51.100.7", "shop.example", 50);
    memory_counters_mute(w->counters, mute_all);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.probability, 0.5);
    near(r.points, 0);
    assert_true(r.partial);
    assert_int_equal(r.basis, WEIR_BASIS_PRIOR);
    assert_true(weir_reputation_honours_whitelist(&r));
}

static void half_a_cell_is_none(void **state)
{
    struct world *w = *state;
    world_good(w, "198.51.100.7", "shop.example", 50);
    world_spam(w, "198.51.100.7", "shop.example", 1);
    memory_counters_mute(w->counters, mute_good);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.probability, 0.5);
    assert_true(r.partial);
}

static bool mute_ten_days(const struct weir_counter *counter)
{
    return counter->half_life == 10 * 86400; /* address and network */
}

static void who_did_not_answer_is_no_stranger(void **state)
{
    struct world *w = *state;
    world_good(w, "203.0.113.1", "known.example", 10);
    world_spam(w, "198.51.100.7", "a.example", 1);
    world_spam(w, "192.0.2.10", "b.example", 1);
    memory_counters_mute(w->counters, mute_ten_days);
    /* S = 10, G = 50: pi = 20/80; of strangers two of three were spam */
    struct weir_reputation r = world_judge(w, "198.51.100.7", "shop.example");
    near(r.prior, 0.25);
    near(r.probability, 0.25);
    near(r.points, 0);
    memory_counters_mute(w->counters, NULL);
    near(world_judge(w, "10.1.1.1", "shop.example").probability, 15.0 / 35); /* (10 + 5) / 35 */
}

static void a_vote_taken_back_leaves_the_judgement_as_it_was(void **state)
{
    static const enum weir_vote_verdict verdict[] = {WEIR_VOTE_SPAM, WEIR_VOTE_GOOD,
                                                     WEIR_VOTE_UNSURE};
    struct world *w = *state;
    background(w, "198.51.100.7", "shop.example");
    world_good(w, "198.51.100.7", "shop.example", 1);
    for (size_t i = 0; i < 3; i++) {
        struct weir_reputation before = world_judge(w, "198.51.100.7", "shop.example");
        weir_time then = w->now;
        world_vote(w, "198.51.100.7", "shop.example", verdict[i], WEIR_VOTE_COMPUTER, 1);
        w->now += WEIR_DAY;
        world_take_back(w, then, "198.51.100.7", "shop.example", verdict[i], WEIR_VOTE_COMPUTER);
        w->now = then;
        struct weir_reputation after = world_judge(w, "198.51.100.7", "shop.example");
        near(after.probability, before.probability);
        near(after.group_good, before.group_good);
        near(after.spam_rate, before.spam_rate);
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
        test(a_fresh_store_knows_nothing_and_says_so),
        test(C1_one_domain_at_a_good_and_a_bad_address),
        test(C4_mail_at_other_addresses_of_the_domain_is_consulted),
        test(C5_addresses_of_one_domain_have_cells_of_their_own),
        test(C6_domains_at_one_address_have_cells_of_their_own),
        test(C17_after_twenty_reports_the_next_mail_is_spam),
        test(C18_the_probability_of_a_scripted_history),
        test(C19_the_ratio_of_thirty_spam_and_ten_good),
        test(C20_ten_a_minute_for_four_hours_is_ten_a_minute),
        test(C21_a_step_to_fifty_a_minute_is_seen_within_half_an_hour),
        test(C22_cells_halve_after_their_half_lives),
        test(C23_weights_change_the_ratio_of_what_is_already_counted),
        test(C24_one_user_outweighs_one_computer),
        test(C25_four_indeterminate_votes_count_as_one_good),
        test(C26_C27_a_cell_holds_the_five_variables_of_its_pair),
        test(C30_C33_an_unseen_domain_is_judged_by_its_address),
        test(C31_C34_an_unseen_address_is_judged_by_its_domain),
        test(an_unseen_address_is_judged_by_its_network),
        test(a_stranger_is_what_strangers_were_and_gets_no_points_for_it),
        test(a_domain_of_both_kinds_makes_one_vote_say_less),
        test(basis_is_the_narrowest_level_that_was_seen),
        test(between_address_and_domain_the_one_that_moved_more_decides),
        test(a_good_name_proves_nothing_from_a_strange_address),
        test(without_a_domain_address_and_network_alone_are_asked_and_taught),
        test(a_spammer_who_changes_domains_is_known_by_his_address),
        test(a_spammer_who_changes_addresses_is_known_by_his_network),
        test(good_mail_for_one_domain_does_not_wash_another),
        test(forgers_do_not_hurt_a_domain_at_home),
        test(a_silent_store_leads_to_the_prior),
        test(half_a_cell_is_none),
        test(who_did_not_answer_is_no_stranger),
        test(a_vote_taken_back_leaves_the_judgement_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
