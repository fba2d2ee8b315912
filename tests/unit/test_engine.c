/*
 * engine - what is decided about an envelope, on real stores in a folder of the test's own:
 * lists.db and a local counters.db.  Time is handed in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/engine.h"

#define NOW (1795341600 * WEIR_SECOND)

struct desk {
    char folder[64], lists_path[96], counters_path[96];
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_lists *lists;
    struct weir_counters *counters;
    struct weir_domains *domains;
    struct weir_hash_key key;
    struct weir_engine *engine;
};

static int set_up(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    struct weir_prefix never;
    struct weir_lists_options lists = {.write = true, .mode = 0600, .never = &never, .nevers = 1};
    struct weir_counters_local_options counters = {
        .bytes_most = 16 << 20, .scratch = true, .mode = 0600};
    const char *why = NULL;

    strcpy(d->folder, "/tmp/weir-engine-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    snprintf(d->lists_path, sizeof d->lists_path, "%s/lists.db", d->folder);
    snprintf(d->counters_path, sizeof d->counters_path, "%s/counters.db", d->folder);
    assert_int_equal(weir_prefix_parse("192.0.2.0/24", 12, &never, &why), 0);
    d->arena = weir_arena_new(4096);
    assert_int_equal(weir_settings_default(weir_config_settings(), d->arena, &d->config), 0);
    lists.path = d->lists_path;
    assert_int_equal(weir_lists_open(&lists, NULL, &d->lists, &why), 0);
    counters.path = d->counters_path;
    assert_int_equal(weir_counters_open_local(&counters, NULL, &d->counters, &why), 0);
    assert_int_equal(weir_domains_open(NULL, &d->domains), 0);
    struct weir_engine_parts parts = {&d->config, &d->key, d->domains, d->lists, d->counters, NULL};
    assert_int_equal(weir_engine_new(&parts, &d->engine), 0);
    *state = d;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *d = *state;
    char command[128];

    weir_engine_free(&d->engine);
    weir_lists_free(&d->lists);
    weir_counters_free(&d->counters);
    weir_domains_free(&d->domains);
    weir_arena_free(&d->arena);
    snprintf(command, sizeof command, "rm -rf %s", d->folder);
    assert_int_equal(system(command), 0);
    free(d);
    return 0;
}

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static struct weir_envelope mail(const char *client, const char *sender)
{
    struct weir_envelope envelope = {.stage = WEIR_STAGE_RCPT, .has_client = true,
                                     .client_name = slice("unknown"), .sender = slice(sender),
                                     .recipient = slice("user@test.example")};
    assert_int_equal(weir_address_parse(client, strlen(client), &envelope.client), 0);
    return envelope;
}

static struct weir_decision decide(struct desk *d, struct weir_envelope envelope)
{
    struct weir_decision decision;
    weir_engine_decide(d->engine, NOW, &envelope, &decision, 1);
    return decision;
}

static void list(struct desk *d, enum weir_list which, const char *what, weir_time ends)
{
    struct weir_list_entry entry = {.added = NOW, .ends = ends, .origin = "test", .reason = "why"};
    const char *why = NULL;
    size_t bad;

    if (weir_prefix_parse(what, strlen(what), &entry.prefix, &why) < 0) {
        entry.is_domain = true;
        strcpy(entry.domain, what);
    }
    assert_int_equal(weir_lists_add(d->lists, which, &entry, 1, &bad), 0);
}

static void vote(struct desk *d, const char *client, const char *domain,
                 enum weir_vote_verdict verdict, int times)
{
    struct weir_reading reading[WEIR_REPUTATION_READINGS];
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    struct weir_reputation_query query;
    struct weir_address address;
    char org[WEIR_DOMAIN_TEXT];

    assert_int_equal(weir_address_parse(client, strlen(client), &address), 0);
    weir_engine_query(d->engine, &address, slice(domain), org, &query);
    for (int i = 0; i < times; i++) {
        size_t n = weir_reputation_plan(&d->config.reputation, &d->key, &query, reading);
        weir_counters_read(d->counters, NOW, reading, n);
        n = weir_reputation_learn(&d->config.reputation, &d->key, &query, reading,
                                  (struct weir_vote){verdict, WEIR_VOTE_USER}, addition);
        for (size_t a = 0; a < n; a++)
            weir_counters_add(d->counters, NOW, &addition[a].counter, addition[a].weight);
        weir_counters_flush(d->counters, NULL);
    }
}

static void A2_a_listed_address_is_blocked_and_another_passes(void **state)
{
    struct desk *d = *state;

    d->config.mode = WEIR_ENFORCE;
    list(d, WEIR_LIST_BLACK, "203.0.113.7", NOW + WEIR_HOUR);
    struct weir_decision one = decide(d, mail("203.0.113.7", "a@x.example"));
    assert_int_equal(one.verdict, WEIR_BLOCKED);
    assert_int_equal(one.ground, WEIR_GROUND_BLACKLIST);
    assert_int_equal(one.action, WEIR_REJECT);
    assert_int_equal(decide(d, mail("203.0.113.8", "a@x.example")).action, WEIR_PASS);
    /* mapped IPv4 is the same sender */
    assert_int_equal(decide(d, mail("::ffff:203.0.113.7", "a@x.example")).verdict, WEIR_BLOCKED);
}

static void observe_refuses_nothing_and_says_what_it_would_do(void **state)
{
    struct desk *d = *state;

    list(d, WEIR_LIST_BLACK, "203.0.113.7", NOW + WEIR_HOUR);
    struct weir_decision one = decide(d, mail("203.0.113.7", "a@x.example"));
    assert_int_equal(one.verdict, WEIR_BLOCKED);
    assert_int_equal(one.action, WEIR_PASS);
    assert_int_equal(one.intended, WEIR_REJECT);
}

static void A26_acceptable_and_never_listed_addresses_win_over_the_blacklist(void **state)
{
    struct desk *d = *state;

    d->config.mode = WEIR_ENFORCE;
    list(d, WEIR_LIST_BLACK, "203.0.113.7", NOW + WEIR_HOUR);
    list(d, WEIR_LIST_ACCEPT, "203.0.0.0/16", 0);
    struct weir_decision one = decide(d, mail("203.0.113.7", "a@x.example"));
    assert_int_equal(one.ground, WEIR_GROUND_ACCEPT);
    assert_int_equal(one.action, WEIR_PASS);
    one = decide(d, mail("192.0.2.9", "a@x.example"));
    assert_int_equal(one.ground, WEIR_GROUND_NEVER);
}

static void who_must_get_through_gets_through(void **state)
{
    struct desk *d = *state;
    struct weir_envelope envelope;

    d->config.mode = WEIR_ENFORCE;
    list(d, WEIR_LIST_BLACK, "203.0.113.7", NOW + WEIR_HOUR);
    assert_int_equal(decide(d, mail("203.0.113.7", "")).ground, WEIR_GROUND_NULL_SENDER);
    envelope = mail("203.0.113.7", "a@x.example");
    envelope.recipient = slice("PostMaster@test.example");
    assert_int_equal(decide(d, envelope).ground, WEIR_GROUND_ROLE);
    envelope.recipient = slice("abuse");
    assert_int_equal(decide(d, envelope).ground, WEIR_GROUND_ROLE);
    envelope = mail("203.0.113.7", "a@x.example");
    envelope.authenticated = true;
    assert_int_equal(decide(d, envelope).ground, WEIR_GROUND_AUTHENTICATED);
    envelope = mail("203.0.113.7", "a@x.example");
    envelope.has_client = false;
    assert_int_equal(decide(d, envelope).ground, WEIR_GROUND_NOTHING);
}

static void before_MAIL_an_empty_sender_is_not_the_null_sender(void **state)
{
    struct desk *d = *state;
    struct weir_envelope envelope = mail("203.0.113.7", "");

    d->config.mode = WEIR_ENFORCE;
    list(d, WEIR_LIST_BLACK, "203.0.113.7", NOW + WEIR_HOUR);
    envelope.stage = WEIR_STAGE_CONNECT;
    envelope.recipient = slice("");
    assert_int_equal(decide(d, envelope).action, WEIR_REJECT);
    envelope.stage = WEIR_STAGE_OTHER;
    assert_int_equal(decide(d, envelope).action, WEIR_PASS);
}

static void C1_C17_same_domain_two_addresses_two_verdicts(void **state)
{
    struct desk *d = *state;

    vote(d, "198.51.100.1", "shop.example", WEIR_VOTE_GOOD, 20);
    vote(d, "203.0.113.7", "shop.example", WEIR_VOTE_SPAM, 20);
    struct weir_decision good = decide(d, mail("198.51.100.1", "a@mail.shop.example"));
    struct weir_decision spam = decide(d, mail("203.0.113.7", "a@shop.example"));
    assert_int_equal(good.verdict, WEIR_HAM);
    assert_int_equal(spam.verdict, WEIR_SPAM);
    assert_string_equal(good.domain, "shop.example");
    assert_int_equal(spam.intended, WEIR_REJECT);
    assert_true(spam.score > 0 && good.score < 0);
}

static void the_action_against_spam_is_as_configured(void **state)
{
    struct desk *d = *state;

    d->config.mode = WEIR_ENFORCE;
    vote(d, "203.0.113.7", "shop.example", WEIR_VOTE_SPAM, 20);
    d->config.spam_action = WEIR_SPAM_DEFER;
    assert_int_equal(decide(d, mail("203.0.113.7", "a@shop.example")).action, WEIR_DEFER);
    d->config.spam_action = WEIR_SPAM_PASS;
    assert_int_equal(decide(d, mail("203.0.113.7", "a@shop.example")).action, WEIR_PASS);
}

static void one_single_report_condemns_nobody(void **state)
{
    struct desk *d = *state;

    vote(d, "203.0.113.7", "shop.example", WEIR_VOTE_SPAM, 1);
    assert_int_not_equal(decide(d, mail("203.0.113.7", "a@shop.example")).verdict, WEIR_SPAM);
}

static void C16_an_acceptable_domain_passes_despite_its_score(void **state)
{
    struct desk *d = *state;

    vote(d, "203.0.113.7", "shop.example", WEIR_VOTE_SPAM, 20);
    list(d, WEIR_LIST_ACCEPT, "shop.example", 0);
    struct weir_decision one = decide(d, mail("203.0.113.7", "a@news.shop.example"));
    assert_int_equal(one.ground, WEIR_GROUND_WHITELIST);
    assert_int_equal(one.verdict, WEIR_HAM);
}

static void C2_the_white_list_is_overridden_when_others_use_the_name(void **state)
{
    struct desk *d = *state;

    vote(d, "198.51.100.1", "shop.example", WEIR_VOTE_GOOD, 200);
    vote(d, "203.0.113.7", "shop.example", WEIR_VOTE_SPAM, 20);
    list(d, WEIR_LIST_ACCEPT, "shop.example", 0);
    assert_int_equal(decide(d, mail("198.51.100.1", "a@shop.example")).ground,
                     WEIR_GROUND_WHITELIST);
    struct weir_decision one = decide(d, mail("203.0.113.7", "a@shop.example"));
    assert_int_not_equal(one.ground, WEIR_GROUND_WHITELIST);
    assert_true(one.forged);
    assert_int_equal(one.verdict, WEIR_SPAM);
}

static void many_at_once_are_decided_as_one_by_one(void **state)
{
    struct desk *d = *state;
    static struct weir_envelope envelope[WEIR_ENGINE_BATCH];
    static struct weir_decision decision[WEIR_ENGINE_BATCH];
    static char client[WEIR_ENGINE_BATCH][24], sender[WEIR_ENGINE_BATCH][32];

    list(d, WEIR_LIST_BLACK, "203.0.113.0/25", NOW + WEIR_HOUR);
    vote(d, "198.51.100.1", "d1.example", WEIR_VOTE_SPAM, 5);
    vote(d, "203.0.113.200", "d2.example", WEIR_VOTE_GOOD, 5);
    for (size_t i = 0; i < WEIR_ENGINE_BATCH; i++) {
        snprintf(client[i], sizeof client[i], "%s.%zu", i % 2 ? "203.0.113" : "198.51.100",
                 i % 256);
        snprintf(sender[i], sizeof sender[i], "a@d%zu.example", i % 3);
        envelope[i] = mail(client[i], sender[i]);
    }
    assert_int_equal(weir_engine_decide(d->engine, NOW, envelope, decision, WEIR_ENGINE_BATCH),
                     WEIR_ENGINE_BATCH);
    for (size_t i = 0; i < WEIR_ENGINE_BATCH; i++) {
        struct weir_decision one = decide(d, envelope[i]);
        assert_int_equal(one.verdict, decision[i].verdict);
        assert_int_equal(one.ground, decision[i].ground);
        assert_true(one.score == decision[i].score);
        assert_string_equal(one.domain, decision[i].domain);
        assert_string_not_equal(one.id, decision[i].id);
    }
}

static void without_stores_mail_flows_and_the_decision_says_so(void **state)
{
    struct desk *d = *state;
    struct weir_engine_parts parts = {&d->config, &d->key, d->domains, NULL, NULL, NULL};
    struct weir_engine *bare = NULL;
    struct weir_envelope envelope = mail("203.0.113.7", "a@x.example");
    struct weir_decision decision;

    assert_int_equal(weir_engine_new(&parts, &bare), 0);
    assert_int_equal(weir_engine_decide(bare, NOW, &envelope, &decision, 1), 0);
    assert_int_equal(decision.action, WEIR_PASS);
    assert_true(decision.store_missing);
    assert_true(decision.lists_missing);
    weir_engine_free(&bare);
    assert_null(bare);
}

static void a_host_named_in_the_domain_vouches_for_it(void **state)
{
    struct desk *d = *state;
    struct weir_envelope envelope = mail("203.0.113.9", "a@shop.example");

    envelope.client_name = slice("Mail-7.Shop.Example");
    assert_int_equal(decide(d, envelope).reputation.association, WEIR_ASSOCIATION_AUTH);
    envelope.client_name = slice("mail.notshop.example");
    assert_int_equal(decide(d, envelope).reputation.association, WEIR_ASSOCIATION_UNKNOWN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(A2_a_listed_address_is_blocked_and_another_passes),
        TEST(observe_refuses_nothing_and_says_what_it_would_do),
        TEST(A26_acceptable_and_never_listed_addresses_win_over_the_blacklist),
        TEST(who_must_get_through_gets_through),
        TEST(before_MAIL_an_empty_sender_is_not_the_null_sender),
        TEST(C1_C17_same_domain_two_addresses_two_verdicts),
        TEST(the_action_against_spam_is_as_configured),
        TEST(one_single_report_condemns_nobody),
        TEST(C16_an_acceptable_domain_passes_despite_its_score),
        TEST(C2_the_white_list_is_overridden_when_others_use_the_name),
        TEST(many_at_once_are_decided_as_one_by_one),
        TEST(without_stores_mail_flows_and_the_decision_says_so),
        TEST(a_host_named_in_the_domain_vouches_for_it),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
