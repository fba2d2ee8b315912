/*
 * Which networks are common for a domain, what is forged, and when a white
 * list entry holds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/reputation_world.h"
#include "tests/unit/seeded.h"

#define near(got, want) assert_float_equal(got, want, 5e-7)

static enum weir_association association(struct world *w, const char *address, const char *domain)
{
    return world_judge(w, address, domain).association;
}

static void vote_from_networks(struct world *w, const char *domain,
                               enum weir_vote_verdict verdict, unsigned networks, unsigned each)
{
    char address[WEIR_ADDRESS_TEXT];
    for (unsigned i = 0; i < networks; i++) {
        snprintf(address, sizeof(address), "10.%u.%u.1", i / 256, i % 256);
        world_vote(w, address, domain, verdict, WEIR_VOTE_USER, each);
    }
}

static void C3_two_hundred_good_from_x_and_three_from_y_make_z_uncommon(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 200);
    world_good(w, "203.0.113.5", "bank.example", 3);
    assert_int_equal(association(w, "192.0.2.77", "bank.example"), WEIR_ASSOCIATION_COMMON);
    assert_int_equal(association(w, "203.0.113.6", "bank.example"), WEIR_ASSOCIATION_COMMON);
    struct weir_reputation z = world_judge(w, "198.51.100.7", "bank.example");
    assert_int_equal(z.association, WEIR_ASSOCIATION_UNCOMMON);
    near(z.domain_good, 203); /* mails, whatever a vote weighs */
    near(z.group_good, 0);
    near(z.novelty, 3.0 / 223); /* (2 new groups + 1) / (203 + 20) */
    assert_int_equal(association(w, "198.51.100.7", "other.example"), WEIR_ASSOCIATION_UNKNOWN);
}

static void C3_a_domain_of_sixty_networks_roams(void **state)
{
    struct world *w = *state;
    vote_from_networks(w, "isp.example", WEIR_VOTE_GOOD, 60, 4);
    struct weir_reputation z = world_judge(w, "198.51.100.7", "isp.example");
    assert_int_equal(z.association, WEIR_ASSOCIATION_ROAM);
    near(z.novelty, 61.0 / 260);
    assert_int_equal(association(w, "10.0.3.9", "isp.example"), WEIR_ASSOCIATION_COMMON);
    /* as soon as it has more new groups than an old domain may have: 8 of 149 */
    vote_from_networks(w, "young.example", WEIR_VOTE_GOOD, 7, 1);
    assert_int_equal(association(w, "198.51.100.7", "young.example"), WEIR_ASSOCIATION_UNKNOWN);
    vote_from_networks(w, "roamer.example", WEIR_VOTE_GOOD, 8, 1);
    assert_int_equal(association(w, "198.51.100.7", "roamer.example"), WEIR_ASSOCIATION_ROAM);
}

static void C3_a_domain_must_have_149_good_mails_to_be_known(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 148);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNKNOWN);
    world_good(w, "192.0.2.10", "bank.example", 1);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNCOMMON);
    w->now += 30 * WEIR_DAY;
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNKNOWN);
    assert_int_equal(association(w, "192.0.2.10", "bank.example"), WEIR_ASSOCIATION_COMMON);
}

static void one_good_mail_makes_no_group_common_two_do(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 200);
    world_good(w, "198.51.100.7", "bank.example", 1);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNCOMMON);
    world_good(w, "198.51.100.8", "bank.example", 1);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_COMMON);
}

static void spam_makes_no_association(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 200);
    world_spam(w, "198.51.100.7", "bank.example", 300);
    world_vote(w, "198.51.100.7", "bank.example", WEIR_VOTE_UNSURE, WEIR_VOTE_COMPUTER, 9);
    vote_from_networks(w, "bank.example", WEIR_VOTE_SPAM, 60, 5);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "bank.example");
    assert_int_equal(r.association, WEIR_ASSOCIATION_UNCOMMON);
    near(r.group_good, 0);
    near(r.domain_good, 200);
    near(r.novelty, 2.0 / 220);
}

static void spam_that_slipped_through_makes_no_association(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 200);
    world_vote(w, "198.51.100.7", "bank.example", WEIR_VOTE_SPAM, WEIR_VOTE_COMPUTER, 20);
    world_vote(w, "198.51.100.7", "bank.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 19);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNCOMMON);
    world_vote(w, "198.51.100.7", "bank.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 1);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_COMMON);
}

static bool mute_groups(const struct weir_counter *counter)
{
    return counter->variable == WEIR_GROUP_GOOD && counter->half_life == 0;
}

static void an_outage_makes_nothing_new_and_nothing_uncommon(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 200);
    memory_counters_mute(w->counters, mute_groups);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNKNOWN);
    world_good(w, "192.0.2.10", "bank.example", 100);
    memory_counters_mute(w->counters, NULL);
    near(world_judge(w, "198.51.100.7", "bank.example").novelty, 2.0 / 320);
}

static void a_network_of_fifty_good_domains_is_shared_and_proves_nothing(void **state)
{
    struct world *w = *state;
    char domain[32];
    world_good(w, "192.0.2.10", "bank.example", 200);
    for (unsigned i = 0; i < 49; i++) {
        snprintf(domain, sizeof(domain), "customer%u.example", i);
        world_good(w, "198.51.100.1", domain, 1 + i % 3);
    }
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNCOMMON);
    world_good(w, "198.51.100.2", "customer49.example", 1);
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNKNOWN);
    world_spam(w, "198.51.100.3", "", 200); /* 50 domains of old do not excuse this */
    assert_int_equal(association(w, "198.51.100.7", "bank.example"), WEIR_ASSOCIATION_UNCOMMON);
}

static void C32_a_banks_name_from_a_spammy_network_is_forged(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 300);
    world_spam(w, "198.51.100.7", "pills.example", 5);
    struct weir_reputation r = world_judge(w, "198.51.100.7", "bank.example");
    assert_true(r.forged);
    assert_int_equal(r.association, WEIR_ASSOCIATION_UNCOMMON);
    assert_true(r.elsewhere < 0.01);
    assert_true(world_judge(w, "198.51.100.8", "bank.example").forged);

    assert_false(world_judge(w, "203.0.113.9", "bank.example").forged);  /* strange, no more */
    assert_false(world_judge(w, "192.0.2.10", "bank.example").forged);   /* itself */
    assert_false(world_judge(w, "198.51.100.7", "shop.example").forged); /* unknown domain */
    assert_false(world_judge(w, "198.51.100.7", "").forged);
    w->authenticated = true; /* genuine: vouched for, from a new address */
    r = world_judge(w, "198.51.100.7", "bank.example");
    assert_false(r.forged);
    assert_int_equal(r.association, WEIR_ASSOCIATION_AUTH);
}

static void C32_a_bad_year_alone_makes_no_stranger_a_forger(void **state)
{
    struct world *w = *state;
    world_good(w, "192.0.2.10", "bank.example", 200);
    vote_from_networks(w, "pills.example", WEIR_VOTE_SPAM, 200, 10); /* priors at their most */
    struct weir_reputation r = world_judge(w, "203.0.113.9", "bank.example");
    near(r.prior_stranger, 0.8);
    assert_false(r.forged);
    world_vote(w, "203.0.113.8", "shop.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 1);
    r = world_judge(w, "203.0.113.9", "bank.example");
    assert_true(r.probability > 0.5); /* one good vote does not outweigh the prior */
    assert_false(r.forged);
}

static bool honours(struct world *w, const char *address, const char *domain)
{
    struct weir_reputation r = world_judge(w, address, domain);
    return weir_reputation_honours_whitelist(&r);
}

/* bank.example: good at 192.0.2.10.  Bad senders: 198.51.100.7.
 * letters.example: spam wherever it comes from. */
static void whitelist_world(struct world *w)
{
    world_good(w, "192.0.2.10", "bank.example", 200);
    world_spam(w, "198.51.100.7", "pills.example", 5);
    world_spam(w, "203.0.113.20", "letters.example", 20);
    world_spam(w, "203.0.114.20", "letters.example", 20);
}

static void C2_a_white_listed_name_from_strange_spammy_places_is_overridden(void **state)
{
    struct world *w = *state;
    whitelist_world(w);
    assert_false(honours(w, "198.51.100.7", "bank.example")); /* spammy by its address */
    assert_false(honours(w, "203.0.115.9", "bank.example"));  /* unknown and uncommon */
    world_spam(w, "203.0.115.9", "bank.example", 1);
    assert_false(honours(w, "203.0.115.9", "bank.example"));  /* spammy by itself */
    world_good(w, "192.0.2.10", "young.example", 20);         /* no claim about networks yet */
    assert_true(honours(w, "203.0.115.10", "young.example"));
    assert_false(honours(w, "198.51.100.7", "young.example"));
}

static void C16_a_white_listed_consistent_sender_is_honoured(void **state)
{
    struct world *w = *state;
    whitelist_world(w);
    assert_true(honours(w, "192.0.2.10", "bank.example"));       /* good */
    assert_true(honours(w, "192.0.2.11", "bank.example"));       /* unknown, associated */
    assert_true(honours(w, "203.0.113.20", "letters.example"));  /* spammy everywhere: */
    assert_true(honours(w, "203.0.115.9", "letters.example"));   /* the user wants it */
    assert_true(honours(w, "198.51.100.7", "letters.example"));
    assert_true(honours(w, "198.51.100.7", "unheard.example"));  /* nothing known elsewhere */
    vote_from_networks(w, "isp.example", WEIR_VOTE_GOOD, 60, 4);
    assert_true(honours(w, "203.0.115.9", "isp.example"));       /* roams: no claim */
    world_good(w, "203.0.115.9", "bank.example", 1);             /* a person said good */
    assert_true(honours(w, "203.0.115.9", "bank.example"));
    world_spam(w, "198.51.100.7", "bank.example", 5);
    assert_false(honours(w, "198.51.100.7", "bank.example"));
    w->authenticated = true;
    assert_true(honours(w, "198.51.100.7", "bank.example"));     /* vouched for */
}

static void C2_unsure_votes_and_one_miss_do_not_buy_the_white_list(void **state)
{
    struct world *w = *state;
    whitelist_world(w);
    world_vote(w, "203.0.115.9", "bank.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 1);
    world_vote(w, "203.0.115.9", "bank.example", WEIR_VOTE_UNSURE, WEIR_VOTE_COMPUTER, 2);
    assert_false(honours(w, "203.0.115.9", "bank.example"));
}

/* A domain that sends from so many networks, some more often than others; how
 * many of its next thousand good mails are called uncommon, each learned. */
static unsigned false_alarms(struct world *w, struct seeded *seed, unsigned networks,
                             unsigned mails)
{
    unsigned alarms = 0;
    char address[WEIR_ADDRESS_TEXT];
    for (unsigned i = 0; i < mails + 1000; i++) {
        unsigned n = seeded_below(seed, networks);
        n = seeded_below(seed, n + 1); /* small numbers are frequent */
        snprintf(address, sizeof(address), "10.%u.%u.1", n / 256, n % 256);
        if (i >= mails && association(w, address, "firm.example") == WEIR_ASSOCIATION_UNCOMMON)
            alarms++;
        world_vote(w, address, "firm.example", WEIR_VOTE_GOOD, WEIR_VOTE_COMPUTER, 1);
    }
    return alarms;
}

static void C3_good_mail_is_seldom_called_uncommon(void **state)
{
    static const struct {
        unsigned networks, mails;
    } cases[] = {{3, 150}, {10, 150}, {40, 150}, {40, 1000}, {600, 300}};
    struct seeded seed = seeded_new("C3_good_mail_is_seldom_called_uncommon");
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world w;
        world_open(&w);
        unsigned alarms = false_alarms(&w, &seed, cases[i].networks, cases[i].mails);
        world_close(&w);
        if (alarms > 12) /* 1.2 %; seen in 60 runs: at most 7, and 0 for 600 networks */
            fail_msg("%u networks, %u mails known: %u false alarms in 1000", cases[i].networks,
                     cases[i].mails, alarms);
    }
}

static void associations_have_names(void **state)
{
    static const char *const names[] = {"unknown", "auth", "common", "uncommon", "roam"};
    (void)state;
    for (int i = 0; i < WEIR_ASSOCIATIONS; i++)
        assert_string_equal(weir_association_name((enum weir_association)i), names[i]);
    assert_string_equal(weir_association_name((enum weir_association)99), "unknown");
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
        test(C3_two_hundred_good_from_x_and_three_from_y_make_z_uncommon),
        test(C3_a_domain_of_sixty_networks_roams),
        test(C3_a_domain_must_have_149_good_mails_to_be_known),
        test(one_good_mail_makes_no_group_common_two_do),
        test(spam_makes_no_association),
        test(spam_that_slipped_through_makes_no_association),
        test(an_outage_makes_nothing_new_and_nothing_uncommon),
        test(a_network_of_fifty_good_domains_is_shared_and_proves_nothing),
        test(C32_a_banks_name_from_a_spammy_network_is_forged),
        test(C32_a_bad_year_alone_makes_no_stranger_a_forger),
        test(C2_a_white_listed_name_from_strange_spammy_places_is_overridden),
        test(C16_a_white_listed_consistent_sender_is_honoured),
        test(C2_unsure_votes_and_one_miss_do_not_buy_the_white_list),
        cmocka_unit_test(C3_good_mail_is_seldom_called_uncommon),
        cmocka_unit_test(associations_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
