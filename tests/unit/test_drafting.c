/*
 * drafting - which clusters of missed spam become drafts of rules, and which do not, whoever wants
 * it (drafting.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/analyzer/drafting.h"

#define MOST 300
#define CAMPAIGN "your parcel number %u waits at the depot, pay the small fee of %u dollars at " \
    "once or it goes back to the sender, this is the last notice we send you before that"

struct world {
    struct weir_arena *arena;
    struct weir_domains *domains;
    struct weir_charsets *charsets;
    struct weir_drafting drafting;
    struct weir_draft_message message[MOST];
    size_t messages;
    const char *good;          /* text that is in good mail */
    int fails;
    unsigned asked;
};

static int hits_ham(void *context, const struct weir_candidate *candidate, const char *name)
{
    struct world *world = context;
    struct weir_slice text = candidate->text;

    assert_memory_equal(name, "MISSED_", 7);
    world->asked++;
    return world->fails < 0 ? world->fails
           : world->good && memmem(world->good, strlen(world->good), text.at, text.len) != NULL;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    *state = world;
    world->arena = weir_arena_new(1u << 20);
    world->drafting.settings = (struct weir_drafting_settings){
        .reports = 3, .users = 3, .domains = 2, .ham_least = 10, .left = 5, .left_server = 2};
    world->drafting.ham = 10;
    world->drafting.arena = world->arena;
    world->drafting.hits_ham = hits_ham;
    world->drafting.context = world;
    return weir_domains_open(NULL, &world->domains) < 0 ||
                   weir_charsets_new(&world->charsets) < 0 || !world->arena
               ? -1 : 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    weir_drafting_free(&world->drafting);
    weir_arena_free(&world->arena);
    weir_domains_free(&world->domains);
    weir_charsets_free(&world->charsets);
    free(world);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A message that so many people reported: from `user` on, each in a domain and at a server. */
struct said {
    const char *text;          /* NULL: the campaign */
    uint64_t user, domain;
    size_t votes;              /* 0: 1 */
    uint32_t server;
    bool same_domain, caught, covered, rejected;
};

static void say(struct world *world, struct said said)
{
    struct weir_draft_message *message = &world->message[world->messages];
    struct weir_features *features = weir_arena_take(world->arena, sizeof *features);
    size_t votes = said.votes ? said.votes : 1;
    struct weir_draft_vote *vote = weir_arena_take(world->arena, votes * sizeof *vote);
    unsigned n = (unsigned)world->messages;
    char *text = weir_arena_printf(world->arena, CAMPAIGN, 100 + n, 3 + n % 7);
    char *mail = weir_arena_printf(world->arena, "Subject: no %u\n\n%s\n", n,
                                   said.text ? said.text : text);
    struct weir_message parsed;
    struct weir_content content;

    assert_true(world->messages++ < MOST);
    assert_int_equal(weir_message_parse(mail, strlen(mail), world->arena, &parsed), 0);
    assert_int_equal(weir_content_read(&parsed, world->charsets, world->arena, &content), 0);
    assert_int_equal(weir_features_read(&world->drafting.key, world->domains, &content,
                                        world->arena, features), 0);
    for (size_t i = 0; i < votes; i++)
        vote[i] = (struct weir_draft_vote){
            .user = said.user + i, .server = said.server,
            .domain = said.same_domain ? said.domain : said.domain + i};
    *message = (struct weir_draft_message){
        .uid = 0x1000 + n, .features = features, .vote = vote, .votes = votes,
        .caught = said.caught, .covered = said.covered, .rejected = said.rejected};
}

static size_t drafted(struct world *world)
{
    struct weir_drafting *drafting = &world->drafting;

    drafting->message = world->message;
    drafting->messages = world->messages;
    assert_int_equal(weir_drafting_run(drafting), 0);
    return drafting->drafts;
}

static const char *why_not(struct world *world)
{
    assert_int_equal(drafted(world), 0);
    assert_int_equal(world->drafting.notes, 1);
    return world->drafting.note[0].why;
}

static void B32_three_reports_of_three_people_in_two_domains_make_one_draft(void **state)
{
    struct world *world = *state;
    const struct weir_draft *draft = NULL;

    say(world, (struct said){.user = 1, .domain = 1});
    say(world, (struct said){.user = 2, .domain = 1});
    say(world, (struct said){.user = 3, .domain = 2, .server = 4});
    assert_int_equal(drafted(world), 1);
    draft = &world->drafting.draft[0];
    assert_int_equal(draft->reports, 3);
    assert_int_equal(draft->users, 3);
    assert_int_equal(draft->domains, 2);
    assert_int_equal(draft->servers, 2);
    assert_int_equal(draft->messages, 3);
    assert_int_equal(draft->uids, 3);
    assert_memory_equal(draft->rule, "body MISSED_TEXT_", 17);
    assert_non_null(strstr(draft->why, "3 reports of missed spam by 3 people in 2 domains"));
    assert_non_null(strstr(draft->why, "0000000000001000"));
    assert_non_null(strstr(draft->why, "none of 10 good ones"));
}

static void less_of_anything_makes_none(void **state)
{
    struct world *world = *state;

    say(world, (struct said){.user = 1, .domain = 1});
    say(world, (struct said){.user = 2, .domain = 1});
    say(world, (struct said){.user = 3, .domain = 1});
    say(world, (struct said){.user = 3, .domain = 1});
    assert_int_equal(drafted(world), 0);
    assert_int_equal(world->drafting.enough, 0);
}

static void a_small_site_can_do_with_one_domain(void **state)
{
    struct world *world = *state;

    say(world, (struct said){.user = 1, .domain = 1, .votes = 3, .same_domain = true});
    world->drafting.settings.domains = 1;
    assert_int_equal(drafted(world), 1);
}

/* Poisoning: one person's many votes. */
static void many_reports_of_one_person_are_one_person(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 50; i++)
        say(world, (struct said){.user = 7, .domain = i});
    assert_int_equal(drafted(world), 0);
    assert_int_equal(world->drafting.enough, 0);
}

/* Poisoning: a server that makes up people. */
static void one_servers_people_make_so_many_drafts_and_no_more(void **state)
{
    static const char *const texts[] = {
        "alpha lamp buyers of the northern town are asked to send their papers before noon today",
        "every garden in our village shall have a fountain when you invest with us this summer",
        "cheap watches from the mountain are sold tonight to all who answer this short letter",
    };
    struct world *world = *state;

    for (size_t i = 0; i < 3; i++)
        say(world, (struct said){.text = texts[i], .user = 10 * i, .domain = 5, .votes = 6});
    assert_int_equal(drafted(world), 2);
    assert_int_equal(world->drafting.notes, 1);
    assert_string_equal(world->drafting.note[0].why,
                        "one mail server alone has told of enough drafts today");
}

/* Poisoning: spam made of good mail. */
static void B32_what_good_mail_has_is_never_a_rule(void **state)
{
    static const char good[] = "dear all, the minutes of the meeting on tuesday are in the usual "
                               "folder, please read them before we meet again next week";
    struct world *world = *state;

    world->good = good;
    say(world, (struct said){.text = good, .user = 1, .domain = 1, .votes = 6});
    assert_non_null(strstr(why_not(world), "is in good mail, too"));
    assert_true(world->asked > 0 && world->asked <= WEIR_CANDIDATES_MAX);
}

static void B32_the_part_that_is_not_in_good_mail_is_taken(void **state)
{
    struct world *world = *state;

    world->good = "your parcel number 100 waits at the depot, pay the small fee of 3 dollars at "
                  "once or it goes back to the sender";
    say(world, (struct said){.user = 1, .domain = 1, .votes = 6});
    assert_int_equal(drafted(world), 1);
    assert_non_null(strstr(world->drafting.draft[0].rule, "notice"));
}

static void with_too_little_good_mail_there_is_none(void **state)
{
    struct world *world = *state;

    say(world, (struct said){.user = 1, .domain = 1, .votes = 6});
    world->drafting.ham = 9;
    assert_string_equal(why_not(world), "too few good messages are known to try it on");
    assert_true(world->drafting.too_little_ham);
    assert_int_equal(world->asked, 0);
}

static void a_day_has_so_many_drafts(void **state)
{
    struct world *world = *state;

    say(world, (struct said){.user = 1, .domain = 1, .votes = 6});
    world->drafting.settings.left = 0;
    assert_string_equal(why_not(world), "there are enough drafts for today");
}

static void what_a_person_rejected_once_is_left_alone(void **state)
{
    struct world *world = *state;

    say(world, (struct said){.user = 1, .domain = 1, .votes = 6, .covered = true,
                             .rejected = true});
    say(world, (struct said){.user = 21, .domain = 1, .votes = 6});
    assert_string_equal(why_not(world), "a person rejected a draft of it");
}

static void what_is_caught_or_covered_by_now_only_counts(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 6; i++)
        say(world, (struct said){.user = i, .domain = i, .caught = i % 2, .covered = !(i % 2)});
    say(world, (struct said){.user = 30, .domain = 30});
    assert_int_equal(drafted(world), 0);
    assert_int_equal(world->drafting.notes, 0);
    assert_int_equal(world->drafting.enough, 1);
}

/* A campaign that changed: what is open has to be enough by itself, and makes another draft. */
static void what_a_draft_does_not_hit_any_more_makes_another(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 6; i++)
        say(world, (struct said){.user = i, .domain = i, .covered = i < 3});
    assert_int_equal(drafted(world), 1);
    assert_int_equal(world->drafting.draft[0].messages, 3);
    assert_int_equal(world->drafting.draft[0].uids, 6);
}

static void a_domain_that_all_link_to_comes_before_phrases(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 4; i++)
        say(world, (struct said){
                .text = weir_arena_printf(world->arena, CAMPAIGN " http://%c.pay.example/%d", 3u,
                                          4u, (char)('a' + i), (int)i),
                .user = i, .domain = i});
    assert_int_equal(drafted(world), 1);
    assert_memory_equal(world->drafting.draft[0].rule, "uri MISSED_LINK_", 16);
    assert_non_null(strstr(world->drafting.draft[0].rule, "pay\\.example"));
}

static void clusters_stay_apart_and_an_error_ends_the_run(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < 4; i++) {
        say(world, (struct said){.user = i, .domain = i, .server = (uint32_t)i});
        say(world, (struct said){
                .text = "every garden in our village shall have a fountain when you invest with "
                        "us this summer and no other",
                .user = i, .domain = i, .server = (uint32_t)i});
    }
    assert_int_equal(drafted(world), 2);
    assert_int_equal(world->drafting.clusters, 2);
    weir_drafting_free(&world->drafting);
    world->fails = WEIR_EDOWN;
    assert_int_equal(weir_drafting_run(&world->drafting), WEIR_EDOWN);
}

/* More than are looked at: the cluster is one, and its uids are bounded. */
static void a_large_cluster_is_bounded(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < MOST; i++)
        say(world, (struct said){.user = i, .domain = i % 3, .server = (uint32_t)i});
    assert_int_equal(drafted(world), 1);
    assert_int_equal(world->drafting.draft[0].uids, WEIR_CANDIDATES_MEMBERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B32_three_reports_of_three_people_in_two_domains_make_one_draft),
        TEST(less_of_anything_makes_none),
        TEST(a_small_site_can_do_with_one_domain),
        TEST(many_reports_of_one_person_are_one_person),
        TEST(one_servers_people_make_so_many_drafts_and_no_more),
        TEST(B32_what_good_mail_has_is_never_a_rule),
        TEST(B32_the_part_that_is_not_in_good_mail_is_taken),
        TEST(with_too_little_good_mail_there_is_none),
        TEST(a_day_has_so_many_drafts),
        TEST(what_a_person_rejected_once_is_left_alone),
        TEST(what_is_caught_or_covered_by_now_only_counts),
        TEST(what_a_draft_does_not_hit_any_more_makes_another),
        TEST(a_domain_that_all_link_to_comes_before_phrases),
        TEST(clusters_stay_apart_and_an_error_ends_the_run),
        TEST(a_large_cluster_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
