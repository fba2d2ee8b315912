/*
 * judge - what is decided about whole messages: judge.c, judge_score.c, judge_outcome.c, on real
 * stores and a real rule set in a folder of the test's own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/slice.h"
#include "tests/unit/judge_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

#define RULES \
    "body WORD_LOAN /cheap loan/i\nscore WORD_LOAN 3.5\nid WORD_LOAN 101\n" \
    "describe WORD_LOAN offers a cheap loan\n" \
    "header SUBJECT_HELLO Subject =~ /^hello/\nscore SUBJECT_HELLO 0.25\nid SUBJECT_HELLO 102\n" \
    "body WORD_KITTEN /kitten/\nscore WORD_KITTEN -2\nid WORD_KITTEN 103\n" \
    "body WORD_TEST /loan/\nscore WORD_TEST 9\nstate WORD_TEST test\nid WORD_TEST 104\n" \
    "body WORD_AWFUL /awful/\nscore WORD_AWFUL 20\nid WORD_AWFUL 105\n"

static void A5_A16_A32_adding_a_rule_flips_the_verdict_and_removing_it_flips_it_back(void **state)
{
    struct judge_rig *rig = *state;
    const char *mail = rig_message(rig, "a@x.example", "a cheap loan for you");

    assert_int_equal(rig_rules(rig, RULES), 0);
    assert_int_equal(rig_judge(rig, "203.0.113.7", "a@x.example", mail)->decision.verdict,
                     WEIR_UNSURE);
    assert_int_equal(rig_rules(rig, RULES "body MORE /for you/\nscore MORE 2\n"), 0);
    assert_int_equal(rig_judge(rig, "203.0.113.7", "a@x.example", mail)->decision.verdict,
                     WEIR_SPAM);
    assert_int_equal(rig_rules(rig, RULES), 0);
    assert_int_equal(rig_judge(rig, "203.0.113.7", "a@x.example", mail)->decision.verdict,
                     WEIR_UNSURE);
}

static void A6_A17_A33_B18_B27_the_score_is_the_sum_of_all_points(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;
    double sum = 0;

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_vote(rig, "203.0.113.7", "x.example", WEIR_VOTE_SPAM, 1);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example",
                          rig_message(rig, "a@x.example", "a cheap loan and a kitten"));
    for (size_t i = 0; i < judgement->points; i++)
        sum += judgement->point[i].points;
    assert_true(fabs(sum - judgement->decision.score) < 0.001);
    assert_true(fabs(rig_points(judgement, "WORD_LOAN") - 3.5) < 0.001);
    assert_true(fabs(rig_points(judgement, "SUBJECT_HELLO") - 0.25) < 0.001);
    assert_true(fabs(rig_points(judgement, "WORD_KITTEN") + 2) < 0.001);
    assert_true(fabs(rig_points(judgement, "WORD_TEST")) < 0.001);
    assert_true(rig_points(judgement, "REPUTATION") > 0);
    assert_true(isnan(rig_points(judgement, "WORD_AWFUL")));
}

static void B14_B20_the_string_holds_the_rules_that_hit_and_the_score(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = rig_message(rig, "a@x.example", "a cheap loan");
    const struct weir_judgement *judgement;
    struct weir_message message;
    struct weir_info info;
    double sum = 0;

    assert_int_equal(rig_rules(rig, RULES), 0);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", octets);
    assert_int_equal(weir_message_parse(octets, strlen(octets), rig->arena, &message), 0);
    assert_int_equal(weir_info_read((struct weir_slice){judgement->outcome.info,
                                                        strlen(judgement->outcome.info)},
                                    weir_info_binding(&message), weir_judges_keys(rig->judges),
                                    &info), WEIR_INFO_VALID);
    assert_int_equal(info.rules, judgement->points);
    for (size_t i = 0; i < info.rules; i++)
        sum += (double)info.rule[i].points;
    assert_true(fabs(sum - judgement->decision.score) < 0.001);
    assert_int_equal(info.verdict, judgement->decision.verdict);
    assert_int_equal(info.at, rig->now);
    assert_string_equal(info.domain, "x.example");
}

static void C1_C36_the_same_domain_from_a_good_and_a_bad_address_is_judged_apart(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = rig_message(rig, "a@shop.example", "words");

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_vote(rig, "198.51.100.20", "shop.example", WEIR_VOTE_GOOD, 20);
    rig_vote(rig, "203.0.113.7", "shop.example", WEIR_VOTE_SPAM, 20);
    assert_int_equal(rig_judge(rig, "198.51.100.20", "a@shop.example", octets)->decision.verdict,
                     WEIR_HAM);
    assert_int_equal(rig_judge(rig, "203.0.113.7", "a@shop.example", octets)->decision.verdict,
                     WEIR_SPAM);
}

static void C17_after_reports_of_spam_good_content_is_spam_too(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_vote(rig, "203.0.113.7", "x.example", WEIR_VOTE_SPAM, 20);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example",
                          rig_message(rig, "a@x.example", "see you at lunch"));
    assert_int_equal(judgement->decision.verdict, WEIR_SPAM);
    assert_true(judgement->decision.score >= rig->config.spam_score);
}

static void C14_the_domain_is_that_of_from_whoever_the_envelope_names(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = rig_message(rig, "Shop <news@mail.shop.example>", "words");

    assert_string_equal(
        rig_judge(rig, "203.0.113.7", "b1@bounces.other.example", octets)->decision.domain,
        "shop.example");
}

static void C15_by_configuration_the_domain_is_that_of_the_boundary(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = rig_message(rig, "news@shop.example", "words");

    rig->config.domain_of = WEIR_DOMAIN_BOUNDARY;
    rig->mail.envelope.client_name = (struct weir_slice){"out1.esp.example", 16};
    rig->mail.envelope.helo = (struct weir_slice){"lies.example", 12};
    assert_string_equal(rig_judge(rig, "203.0.113.7", "a@x.example", octets)->decision.domain,
                        "esp.example");
    rig->mail.envelope.client_name = (struct weir_slice){"unknown", 7};
    assert_string_equal(rig_judge(rig, "203.0.113.7", "a@x.example", octets)->decision.domain,
                        "lies.example");
}

static void C7_C13_behind_a_gateway_the_outside_address_counts(void **state)
{
    static const char *const gateways[] = {"198.51.100.0/28"};
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;
    char text[WEIR_ADDRESS_TEXT];
    const char *octets = weir_arena_printf(
        rig->arena, "Received: from bad.example (bad.example [203.0.113.7])\n"
        "\tby gw.test.example (Postfix) with ESMTP id 4F2;\n"
        "\tSat, 21 Nov 2026 18:13:00 +0000 (UTC)\n%s",
        rig_message(rig, "a@x.example", "words"));

    rig->config.boundary_mode = WEIR_BOUNDARY_PRECONFIGURED;
    rig->config.gateways = (struct weir_strings){gateways, 1};
    rig->mail.envelope.client_name = (struct weir_slice){"gw.test.example", 15};
    rig->mail.envelope.helo = rig->mail.envelope.client_name;
    rig_vote(rig, "203.0.113.7", "x.example", WEIR_VOTE_SPAM, 20);
    judgement = rig_judge(rig, "198.51.100.3", "a@x.example", octets);
    assert_string_equal(weir_address_format(&judgement->boundary.address, text), "203.0.113.7");
    assert_int_equal(judgement->decision.verdict, WEIR_SPAM);
    assert_non_null(strstr(judgement->outcome.log, "boundary=203.0.113.7 hop=1:"));
    assert_non_null(strstr(judgement->outcome.log, "client=198.51.100.3"));
    /* from anywhere else the same field proves nothing */
    judgement = rig_judge(rig, "192.0.2.99", "a@x.example", octets);
    assert_string_equal(weir_address_format(&judgement->boundary.address, text), "192.0.2.99");
}

static void C16_a_whitelisted_sender_passes_despite_the_score(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_list(rig, WEIR_LIST_ACCEPT, "partner.example");
    judgement = rig_judge(rig, "203.0.113.7", "a@partner.example",
                          rig_message(rig, "a@partner.example", "a cheap loan, awful"));
    assert_int_equal(judgement->decision.verdict, WEIR_HAM);
    assert_int_equal(judgement->decision.ground, WEIR_GROUND_WHITELIST);
    assert_true(judgement->decision.score > 20);
}

static void C2_C32_a_whitelisted_name_from_a_strange_spammy_address_does_not(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;
    char home[32];

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_list(rig, WEIR_LIST_ACCEPT, "bank.example");
    for (int i = 0; i < 4; i++) {
        snprintf(home, sizeof home, "198.51.%d.20", 100 + i);
        rig_vote(rig, home, "bank.example", WEIR_VOTE_GOOD, 50);
    }
    rig_vote(rig, "203.0.113.7", "bank.example", WEIR_VOTE_SPAM, 3);
    judgement = rig_judge(rig, "203.0.113.7", "a@bank.example",
                          rig_message(rig, "a@bank.example", "your account"));
    assert_int_not_equal(judgement->decision.ground, WEIR_GROUND_WHITELIST);
    assert_int_not_equal(judgement->decision.verdict, WEIR_HAM);
    assert_true(rig_points(judgement, "FORGED_DOMAIN") > 0);
}

static void C28_reputation_is_one_line_of_the_explanation_and_can_be_switched_off(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = rig_message(rig, "a@x.example", "words");
    const struct weir_judgement *judgement;

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_vote(rig, "203.0.113.7", "x.example", WEIR_VOTE_SPAM, 2);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", octets);
    assert_true(rig_points(judgement, "REPUTATION") > 1);
    rig->config.reputation_points = false;
    rig_open(rig);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", octets);
    assert_true(isnan(rig_points(judgement, "REPUTATION")));
}

static void C30_C31_an_address_or_a_domain_alone_raises_the_score(void **state)
{
    struct judge_rig *rig = *state;

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_vote(rig, "203.0.113.7", "x.example", WEIR_VOTE_SPAM, 3);
    rig_vote(rig, "192.0.2.77", "worse.example", WEIR_VOTE_SPAM, 3);
    assert_true(rig_points(rig_judge(rig, "203.0.113.7", "a@new.example",
                                     rig_message(rig, "a@new.example", "words")),
                           "REPUTATION") > 0.5);
    assert_true(rig_points(rig_judge(rig, "198.51.100.99", "a@worse.example",
                                     rig_message(rig, "a@worse.example", "words")),
                           "REPUTATION") > 0.5);
}

static void what_is_spam_is_held_or_refused_only_when_enforced(void **state)
{
    struct judge_rig *rig = *state;
    const char *spam = rig_message(rig, "a@x.example", "a cheap loan for a cheap loan, MORE");
    static const enum weir_action want[] = {WEIR_PASS, WEIR_QUARANTINE, WEIR_REJECT};

    assert_int_equal(rig_rules(rig, RULES "body MORE /MORE/\nscore MORE 2\n"), 0);
    for (int on_spam = 0; on_spam < 3; on_spam++) {
        rig->config.on_spam = on_spam;
        rig->config.mode = WEIR_OBSERVE;
        assert_int_equal(rig_judge(rig, "203.0.113.7", "a@x.example", spam)->decision.action,
                         WEIR_PASS);
        rig->config.mode = WEIR_ENFORCE;
        assert_int_equal(rig_judge(rig, "203.0.113.7", "a@x.example", spam)->decision.action,
                         want[on_spam]);
    }
}

static void from_reject_score_on_a_message_is_refused_with_words_and_a_reference(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig->config.mode = WEIR_ENFORCE;
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example",
                          rig_message(rig, "a@x.example", "awful"));
    assert_int_equal(judgement->decision.action, WEIR_REJECT);
    assert_int_equal(strncmp(judgement->outcome.reply, "550 5.7.1 Refused: ", 19), 0);
    assert_non_null(strstr(judgement->outcome.reply, judgement->decision.id));
    assert_non_null(strstr(judgement->outcome.log, judgement->decision.id));
}

static void bounces_own_users_roles_and_the_never_list_are_judged_and_never_refused(void **state)
{
    struct judge_rig *rig = *state;
    const char *awful = rig_message(rig, "a@x.example", "awful");
    static const struct weir_slice postmaster = {"postmaster@test.example", 23};
    const struct weir_judgement *judgement;

    assert_int_equal(rig_rules(rig, RULES), 0);
    rig->config.mode = WEIR_ENFORCE;
    judgement = rig_judge(rig, "203.0.113.7", "", awful);
    assert_int_equal(judgement->decision.verdict, WEIR_SPAM);
    assert_int_equal(judgement->decision.action, WEIR_PASS);
    assert_int_equal(rig_judge(rig, "127.0.0.1", "a@x.example", awful)->decision.action, WEIR_PASS);
    assert_int_equal(rig_judge(rig, NULL, "a@x.example", awful)->decision.action, WEIR_PASS);
    rig->mail.envelope.authenticated = true;
    assert_int_equal(rig_judge(rig, "203.0.113.7", "a@x.example", awful)->decision.action,
                     WEIR_PASS);
    rig->mail.envelope.authenticated = false;
    rig->mail.recipient = &postmaster;
    rig->mail.envelope.recipient = postmaster;
    assert_int_equal(rig_judge(rig, "203.0.113.7", "a@x.example", awful)->decision.action,
                     WEIR_PASS);
}

static enum weir_action action_for(struct judge_rig *rig, const struct weir_slice *recipient,
                                   size_t recipients, size_t more)
{
    rig->mail.recipient = recipient;
    rig->mail.recipients = recipients;
    rig->mail.recipients_more = more;
    rig->mail.envelope.recipient = recipient[0];
    return rig_judge(rig, "203.0.113.7", "a@x.example",
                     rig_message(rig, "a@x.example", "an awful thing"))->decision.action;
}

static void a_message_is_exempt_only_when_all_its_recipients_are_in_whatever_order(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_slice postmaster = weir_slice_of("postmaster@test.example");
    const struct weir_slice abuse = weir_slice_of("Abuse+x@test.example");
    const struct weir_slice ann = weir_slice_of("ann@test.example");

    rig->config.mode = WEIR_ENFORCE;
    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_list(rig, WEIR_LIST_BLACK, "203.0.113.7");
    rig_open(rig);
    assert_int_equal(action_for(rig, (struct weir_slice[]){postmaster, abuse}, 2, 0), WEIR_PASS);
    assert_int_equal(action_for(rig, (struct weir_slice[]){postmaster, ann}, 2, 0), WEIR_REJECT);
    assert_int_equal(action_for(rig, (struct weir_slice[]){ann, postmaster}, 2, 0), WEIR_REJECT);
    assert_int_equal(action_for(rig, (struct weir_slice[]){abuse, ann, postmaster}, 3, 0),
                     WEIR_REJECT);
    assert_int_equal(action_for(rig, &postmaster, 1, 1), WEIR_REJECT);
}

static void A2_the_blacklist_refuses_a_message_whatever_its_score(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    rig->config.mode = WEIR_ENFORCE;
    rig_list(rig, WEIR_LIST_BLACK, "203.0.113.0/24");
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example",
                          rig_message(rig, "a@x.example", "kitten"));
    assert_int_equal(judgement->decision.verdict, WEIR_BLOCKED);
    assert_int_equal(judgement->decision.action, WEIR_REJECT);
    assert_non_null(strstr(judgement->outcome.reply, "is listed"));
}

static void A20_A36_a_block_for_now_defers(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    rig->config.mode = WEIR_ENFORCE;
    rig_list_more(rig, WEIR_LIST_BLACK, "203.0.113.7", 0, true);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example",
                          rig_message(rig, "a@x.example", "kitten"));
    assert_int_equal(judgement->decision.verdict, WEIR_BLOCKED);
    assert_int_equal(judgement->decision.action, WEIR_DEFER);
    assert_memory_equal(judgement->outcome.reply, "450 4.7.1 ", 10);
}

static void A7_A18_A34_the_rule_of_an_address_scores_its_next_mail_higher(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = rig_message(rig, "a@x.example", "kitten");
    double before = rig_judge(rig, "203.0.113.7", "a@x.example", octets)->decision.score;
    const struct weir_judgement *judgement;

    rig_list_more(rig, WEIR_LIST_SCORE, "203.0.113.7", 3.25, false);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", octets);
    assert_float_equal(judgement->decision.score, before + 3.25, 0.001);
    assert_float_equal(rig_points(judgement, "ip:203.0.113.7"), 3.25, 0.001);
    judgement = rig_judge(rig, "203.0.113.8", "a@x.example", octets);
    assert_float_equal(judgement->decision.score, before, 0.001);
    rig_list(rig, WEIR_LIST_ACCEPT, "203.0.113.7");
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", octets);
    assert_int_equal(judgement->decision.verdict, WEIR_HAM);
    assert_float_equal(judgement->decision.score, before, 0.001);
}

static bool adds(const struct weir_outcome *outcome, const char *name, const char *value)
{
    for (size_t i = 0; i < outcome->adds; i++)
        if (strcmp(outcome->add[i].name, name) == 0)
            return strncmp(outcome->add[i].value, value, strlen(value)) == 0;
    return false;
}

static void our_fields_from_outside_are_removed_and_our_own_are_added(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = weir_arena_printf(
        rig->arena, "X-Spam-Flag: NO\nX-WEIR-INFO: v1; AAAA\nx-spam-status: No, hits=0\n%s",
        rig_message(rig, "a@x.example", "awful"));
    const struct weir_outcome *outcome;

    assert_int_equal(rig_rules(rig, RULES), 0);
    outcome = &rig_judge(rig, "203.0.113.7", "a@x.example", octets)->outcome;
    assert_int_equal(outcome->removes, 5);
    assert_true(adds(outcome, "X-Spam-Flag", "YES"));
    assert_true(adds(outcome, "X-Spam-Status", "Yes, score=20.25 required=5.00"));
    assert_true(adds(outcome, "X-Spam-Level", "********************"));
    assert_true(adds(outcome, "X-Weir-Info", "v1; "));
}

static void the_mail_server_is_told_of_all_our_names_whatever_was_seen(void **state)
{
    static const char *const ours[] = {"X-Weir-Info", "X-Spam-Flag", "X-Spam-Status",
                                       "X-Spam-Level", "X-Spam-Score"};
    struct judge_rig *rig = *state;
    const struct weir_outcome *outcome =
        &rig_judge(rig, "203.0.113.7", "a@x.example", "\n")->outcome;

    assert_int_equal(outcome->removes, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(outcome->remove[i], ours[i]);
}

static void names_of_rules_stand_in_the_header_only_where_strings_are_not_sealed(void **state)
{
    struct judge_rig *rig = *state;
    const char *octets = rig_message(rig, "a@x.example", "awful");
    const struct weir_outcome *outcome;

    assert_int_equal(rig_rules(rig, RULES), 0);
    outcome = &rig_judge(rig, "203.0.113.7", "a@x.example", octets)->outcome;
    for (size_t i = 0; i < outcome->adds; i++)
        assert_null(strstr(outcome->add[i].value, "WORD_AWFUL"));
    rig->config.info_sealed = false;
    outcome = &rig_judge(rig, "203.0.113.7", "a@x.example", octets)->outcome;
    assert_true(adds(outcome, "X-Spam-Status",
                     "Yes, score=20.25 required=5.00 verdict=spam\n tests=WORD_AWFUL,"));
}

static void a_string_that_was_not_signed_here_is_noticed(void **state)
{
    struct judge_rig *rig = *state;
    const char *plain = rig_message(rig, "a@x.example", "words"), *octets;
    const struct weir_judgement *judgement;
    char string[WEIR_INFO_TEXT_MAX + 1];

    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", plain);
    assert_false(judgement->had_info);
    strcpy(string, judgement->outcome.info);
    octets = weir_arena_printf(rig->arena, "X-Weir-Info: %s\n%s", string, plain);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", octets);
    assert_true(judgement->had_info);
    assert_int_equal(judgement->info_state, WEIR_INFO_VALID);
    assert_true(isnan(rig_points(judgement, "FORGED_INFO")));
    string[strlen(string) - 4] = string[strlen(string) - 4] == 'A' ? 'B' : 'A';
    octets = weir_arena_printf(rig->arena, "X-Weir-Info: %s\n%s", string, plain);
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example", octets);
    assert_int_equal(judgement->info_state, WEIR_INFO_BAD);
    assert_true(rig_points(judgement, "FORGED_INFO") > 0);
}

static void mail_is_judged_without_rules_keys_and_lists_and_says_so(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    rig->config.info_key_file = "no/such/folder/key";
    judgement = rig_judge(rig, "203.0.113.7", "a@x.example",
                          rig_message(rig, "a@x.example", "awful"));
    assert_int_equal(judgement->decision.verdict, WEIR_HAM);
    assert_true(judgement->rules_missing);
    assert_string_equal(judgement->outcome.info, "");
    assert_non_null(strstr(judgement->outcome.log, "missing=rules"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(A5_A16_A32_adding_a_rule_flips_the_verdict_and_removing_it_flips_it_back),
        TEST(A6_A17_A33_B18_B27_the_score_is_the_sum_of_all_points),
        TEST(B14_B20_the_string_holds_the_rules_that_hit_and_the_score),
        TEST(C1_C36_the_same_domain_from_a_good_and_a_bad_address_is_judged_apart),
        TEST(C17_after_reports_of_spam_good_content_is_spam_too),
        TEST(C14_the_domain_is_that_of_from_whoever_the_envelope_names),
        TEST(C15_by_configuration_the_domain_is_that_of_the_boundary),
        TEST(C7_C13_behind_a_gateway_the_outside_address_counts),
        TEST(C16_a_whitelisted_sender_passes_despite_the_score),
        TEST(C2_C32_a_whitelisted_name_from_a_strange_spammy_address_does_not),
        TEST(C28_reputation_is_one_line_of_the_explanation_and_can_be_switched_off),
        TEST(C30_C31_an_address_or_a_domain_alone_raises_the_score),
        TEST(what_is_spam_is_held_or_refused_only_when_enforced),
        TEST(from_reject_score_on_a_message_is_refused_with_words_and_a_reference),
        TEST(bounces_own_users_roles_and_the_never_list_are_judged_and_never_refused),
        TEST(a_message_is_exempt_only_when_all_its_recipients_are_in_whatever_order),
        TEST(A2_the_blacklist_refuses_a_message_whatever_its_score),
        TEST(A20_A36_a_block_for_now_defers),
        TEST(A7_A18_A34_the_rule_of_an_address_scores_its_next_mail_higher),
        TEST(our_fields_from_outside_are_removed_and_our_own_are_added),
        TEST(the_mail_server_is_told_of_all_our_names_whatever_was_seen),
        TEST(names_of_rules_stand_in_the_header_only_where_strings_are_not_sealed),
        TEST(a_string_that_was_not_signed_here_is_noticed),
        TEST(mail_is_judged_without_rules_keys_and_lists_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
