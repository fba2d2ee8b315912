/*
 * features, cluster, candidates - what makes messages alike, and what a rule can say of them
 * (features.c, cluster.c, candidates.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/base/visible.h"
#include "core/evidence/rules.h"
#include "monitor/analyzer/candidates.h"
#include "monitor/analyzer/cluster.h"
#include "tests/unit/seeded.h"

static const struct weir_hash_key key = {{3}};

struct world {
    struct weir_arena *arena;
    struct weir_domains *domains;
    struct weir_charsets *charsets;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    *state = world;
    world->arena = weir_arena_new(1u << 20);
    return weir_domains_open(NULL, &world->domains) < 0 ||
                   weir_charsets_new(&world->charsets) < 0 || !world->arena
               ? -1 : 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    weir_arena_free(&world->arena);
    weir_domains_free(&world->domains);
    weir_charsets_free(&world->charsets);
    free(world);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct weir_content content_of(struct world *world, const char *mail)
{
    struct weir_message message;
    struct weir_content content;

    assert_int_equal(weir_message_parse(mail, strlen(mail), world->arena, &message), 0);
    assert_int_equal(weir_content_read(&message, world->charsets, world->arena, &content), 0);
    return content;
}

static const struct weir_features *features_of(struct world *world, const char *mail)
{
    struct weir_features *features = weir_arena_take(world->arena, sizeof *features);
    struct weir_content content = content_of(world, mail);

    assert_int_equal(weir_features_read(&key, world->domains, &content, world->arena, features), 0);
    return features;
}

static const struct weir_features *text_of(struct world *world, const char *text)
{
    const char *mail = weir_arena_printf(world->arena, "Subject: s\n\n%s\n", text);

    return features_of(world, mail);
}

/* So many words, of which every `each` is another one than usual. */
static const char *words(struct world *world, unsigned from, unsigned count, unsigned each)
{
    char *text = weir_arena_zero(world->arena, count + 1, 16);
    size_t len = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned n = from + i;
        char word[8];

        for (int j = 0; j < 5; j++, n /= 20)
            word[j] = (char)('a' + n % 20);
        word[5] = each > 0 && i % each == each / 2 ? 'z' : '\0';
        word[6] = '\0';
        len += (size_t)snprintf(text + len, 16, "%s ", word);
    }
    return text;
}

static void texts_that_differ_in_numbers_and_case_are_the_same(void **state)
{
    struct world *world = *state;
    const struct weir_features *a = text_of(world, "Dear friend, we have 4,500 dollars for you in "
                                            "the bank of Lome, send us $20 today, please");
    const struct weir_features *b = text_of(world, "dear friend we have 99 dollars for YOU in "
                                            "the bank of Lome; send us $700 today please!!!");

    assert_true(weir_features_alike(a, b) == 1);
}

static void alikeness_follows_the_shingles_two_texts_share(void **state)
{
    struct world *world = *state;
    const struct weir_features *a = text_of(world, words(world, 0, 400, 0));

    assert_true(weir_features_alike(a, text_of(world, words(world, 0, 400, 100))) > 0.8);
    assert_true(weir_features_alike(a, text_of(world, words(world, 0, 400, 10))) < 0.75);
    assert_true(weir_features_alike(a, text_of(world, words(world, 5000, 400, 0))) < 0.1);
}

static void short_texts_are_alike_only_by_subject_and_bones(void **state)
{
    struct world *world = *state;
    static const char *const mail[] = {
        "Subject: Invoice 17 due\nContent-Type: text/html\n\n<p>see <b>here</b></p>",
        "Subject: Invoice 99 due\nContent-Type: text/html\n\n<p>look <b>there</b></p>",
        "Subject: Invoice 17 due\nContent-Type: text/html\n\n<p>see <i>here</i></p>",
        "Subject: Hello\nContent-Type: text/html\n\n<p>see <b>here</b></p>",
    };

    assert_true(weir_features_alike(features_of(world, mail[0]), features_of(world, mail[1])) == 1);
    assert_true(weir_features_alike(features_of(world, mail[0]), features_of(world, mail[2])) < 1);
    assert_true(weir_features_alike(features_of(world, mail[0]), features_of(world, mail[3])) < 1);
}

static void links_are_known_by_organizational_domain_once(void **state)
{
    struct world *world = *state;
    const struct weir_features *features = text_of(world,
        "http://www.shop.example.co.uk/a https://EXAMPLE.co.uk/b http://192.0.2.7/ "
        "http://other.example/ http://localhost/ mailto:a@third.example www.fourth.example "
        "we have a proposal.Mr Smith will call.");

    assert_int_equal(features->domains, 3);
    assert_string_equal(features->domain[2], "fourth.example");
    assert_string_equal(features->domain[0], "example.co.uk");
    assert_string_equal(features->domain[1], "other.example");
}

static void there_are_no_more_domains_and_words_than_the_limits(void **state)
{
    struct world *world = *state;
    char *text = weir_arena_zero(world->arena, 1, 200000);
    const struct weir_features *features;
    size_t len = 0;

    for (int i = 0; i < WEIR_FEATURES_DOMAINS_MAX + 1; i++)
        len += (size_t)sprintf(text + len, "http://d%d.example/ ", i);
    assert_int_equal(text_of(world, text)->domains, WEIR_FEATURES_DOMAINS_MAX);
    text[len = 0] = '\0';
    for (int i = 0; i < WEIR_FEATURES_WORDS_MAX + 10; i++)
        len += (size_t)sprintf(text + len, "w%d ", i);
    features = text_of(world, text);
    assert_int_equal(features->words, WEIR_FEATURES_WORDS_MAX);
    memset(text, 'x', 190000);
    text[190000] = '\0';
    assert_true(text_of(world, text)->text.len <= WEIR_FEATURES_TEXT_MAX);
}

static void messages_join_the_first_they_are_like(void **state)
{
    struct world *world = *state;
    struct weir_clusters *clusters;
    const struct weir_features *some[6];
    static const size_t want[6] = {0, 1, 0, 1, 4, 0};

    some[0] = text_of(world, words(world, 0, 300, 0));
    some[1] = text_of(world, words(world, 9000, 300, 0));
    some[2] = text_of(world, words(world, 0, 300, 150));
    some[3] = text_of(world, words(world, 9000, 300, 150));
    some[4] = text_of(world, words(world, 20000, 300, 0));
    some[5] = some[0];
    assert_int_equal(weir_clusters_new(6, &clusters), 0);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(weir_clusters_add(clusters, some[i]), want[i]);
    assert_int_equal(weir_clusters_add(clusters, some[0]), 6); /* beyond the most */
    weir_clusters_free(&clusters);
    assert_null(clusters);
}

/* Against a model that compares each with all first ones: in all but few cases the same. */
static void bands_find_what_comparing_with_all_finds(void **state)
{
    enum { MESSAGES = 200 };
    struct world *world = *state;
    struct seeded random = seeded_new("bands_find_what_comparing_with_all_finds");
    const struct weir_features *some[MESSAGES];
    struct weir_clusters *clusters;
    size_t joined[MESSAGES], missed = 0;

    assert_int_equal(weir_clusters_new(MESSAGES, &clusters), 0);
    for (size_t i = 0; i < MESSAGES; i++) {
        bool any = false;

        some[i] = text_of(world, words(world, 3000 * seeded_below(&random, 20), 200,
                                       60 + seeded_below(&random, 100)));
        joined[i] = weir_clusters_add(clusters, some[i]);
        for (size_t j = 0; j < i; j++)
            any |= joined[j] == j &&
                   weir_features_alike(some[j], some[i]) >= WEIR_CLUSTER_ALIKE;
        if (joined[i] != i)
            assert_true(weir_features_alike(some[joined[i]], some[i]) >= WEIR_CLUSTER_ALIKE);
        missed += any && joined[i] == i;
    }
    assert_true(missed <= 2);
    weir_clusters_free(&clusters);
}

/* Candidates. ----------------------------------------------------------------- */

static int candidates_of(const struct weir_features *const *member, size_t members,
                         struct weir_candidate candidate_r[static WEIR_CANDIDATES_MAX])
{
    return weir_candidates_find(&key, member, members, candidate_r);
}

static void what_all_have_comes_first_and_a_domain_before_a_phrase(void **state)
{
    struct world *world = *state;
    struct weir_candidate found[WEIR_CANDIDATES_MAX];
    const struct weir_features *some[] = {
        text_of(world, "alpha beta: you were chosen by our great committee, see "
                       "http://a.spam.example/1 and http://www.google.com/"),
        text_of(world, "gamma delta: You were chosen by our great committee! see "
                       "http://b.spam.example/2 and http://once.example/"),
    };
    int count = candidates_of(some, 2, found);

    assert_true(count > 2);
    assert_true(found[0].link && weir_slice_equals(found[0].text, "spam.example"));
    assert_int_equal(found[0].covers, 2);
    assert_false(found[1].link);
    assert_int_equal(found[1].covers, 2);
    assert_true(weir_slice_equals(found[1].text, "you were chosen by our great committee"));
    for (int i = 0; i < count; i++)
        assert_false(found[i].link && weir_slice_equals(found[i].text, "google.com"));
}

static void phrases_are_of_bounded_length_and_of_one_paragraph(void **state)
{
    struct world *world = *state;
    struct weir_candidate found[WEIR_CANDIDATES_MAX];
    const struct weir_features *some[] = {
        text_of(world, "a b c d e f g h i\n\n1234 5678 9012 3456 7890\n\n*** === *** === ***\n\n"
                       "two words\n\nbehind them")};
    int count = candidates_of(some, 1, found);

    for (int i = 0; i < count; i++) {
        assert_true(found[i].text.len >= WEIR_PHRASE_LEAST);
        assert_true(found[i].text.len <= WEIR_PHRASE_MOST);
        assert_null(memchr(found[i].text.at, '\n', found[i].text.len));
    }
    assert_int_equal(count, 1); /* a to h */
}

static bool engine_hits(struct world *world, const char *rule, const char *mail)
{
    char *text = weir_arena_printf(world->arena, "%s\nscore X 1\n", rule);
    const struct weir_rules_options options = {.serial = 1};
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources;
    struct weir_rules *rules;
    struct weir_matcher *matcher;
    struct weir_message message;
    struct weir_content content;
    struct weir_rule_result result;
    float fact[WEIR_FACTS] = {0};
    void *image;
    size_t len;
    struct weir_rule_input input = {.message = &message, .content = &content, .fact = fact,
                                    .charsets = world->charsets};

    assert_int_equal(weir_rule_reader_new(world->arena, NULL, NULL, &reader), 0);
    assert_int_equal(weir_rule_reader_add(reader, "x", weir_slice_of(text)), 0);
    assert_int_equal(weir_rule_reader_end(reader, &sources), 0);
    assert_int_equal(sources.errors, 0);
    assert_int_equal(weir_rules_build(&sources, &options, NULL, NULL, &image, &len), 0);
    assert_int_equal(weir_rules_attach(image, len, true, &rules), 0);
    assert_int_equal(weir_matcher_new(rules, &matcher), 0);
    assert_int_equal(weir_message_parse(mail, strlen(mail), world->arena, &message), 0);
    assert_int_equal(weir_content_read(&message, world->charsets, world->arena, &content), 0);
    assert_int_equal(weir_rules_match(matcher, &input, 0, world->arena, &result), 0);
    weir_matcher_free(&matcher);
    weir_rules_free(&rules);
    free(image);
    return result.hits > 0;
}

static bool is_visible(const char *rule)
{
    struct weir_slice rest = weir_slice_of(rule);
    size_t octets;

    while ((octets = weir_visible_octets(rest)) > 0)
        rest = weir_slice_behind(rest, octets);
    return rest.len == 0;
}

/* The rule hits what the features say it hits: whatever stands in the text is a literal, and what
 * a person would not see of it is written in numbers. */
static void a_rule_matches_just_its_candidate(void **state)
{
    struct world *world = *state;
    static const char *const texts[] = {
        "Pay (now) [or] else. *** It's $5.00 a day | 100% \\free\\ #1 {offer} ^top^ a/b/c",
        "Gr\xc3\xbc\xc3\x9f""e aus M\xc3\xbcnchen, sch\xc3\xb6n \xc3\xbc""ber alle Berge",
        "see http://a-b.spam-shop.example/x?y=1#z for more of it",
        "under_score words and_more words_ here _again",
        "unique \xe2\x80\xaemoney\xe2\x80\xac \xc2\x9b""31mbargain\xc2\x9d""0;owned\xc2\x9c "
        "tablets",
        "an escape\033[31m of another\x01 kind, half\xc3 a letter and \xe0\x82\23331m more",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *mail = weir_arena_printf(world->arena, "Subject: s\n\n%s\n", texts[i]);
        const struct weir_features *some = features_of(world, mail);
        struct weir_candidate found[WEIR_CANDIDATES_MAX];
        int count = candidates_of(&some, 1, found);

        assert_true(count > 0);
        for (int j = 0; j < count; j++) {
            char rule[WEIR_CANDIDATE_RULE];

            weir_candidate_rule(&found[j], "X", rule);
            assert_true(weir_candidate_hits(&found[j], some));
            if (!engine_hits(world, rule, mail))
                fail_msg("does not hit: %s in %s", rule, mail);
            if (!is_visible(rule))
                fail_msg("looks other than it is: %s", rule);
            assert_false(engine_hits(world, rule, "Subject: s\n\nsomething else entirely\n"));
        }
    }
}

static void a_domain_is_no_part_of_another(void **state)
{
    struct world *world = *state;
    const struct weir_candidate one = {.link = true, .text = weir_slice_of("spam.example")};
    char rule[WEIR_CANDIDATE_RULE];
    static const struct {
        const char *text;
        bool hits;
    } rows[] = {
        {"http://spam.example", true}, {"http://www.spam.example:8080/x", true},
        {"https://spam.example?x", true}, {"http://notspam.example/", false},
        {"http://spam.example.org/", false}, {"http://good.test/?u=/spam.example/", false},
    };

    weir_candidate_rule(&one, "X", rule);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *mail = weir_arena_printf(world->arena, "Subject: s\n\n%s\n", rows[i].text);

        if (engine_hits(world, rule, mail) != rows[i].hits)
            fail_msg("%s", rows[i].text);
    }
}

static void a_phrase_is_no_part_of_longer_words(void **state)
{
    struct world *world = *state;
    const struct weir_candidate one = {.text = weir_slice_of("art now buy"), .words = 3};

    assert_true(weir_candidate_hits(&one, text_of(world, "start, art now buy! it")));
    assert_false(weir_candidate_hits(&one, text_of(world, "start now buy it")));
    assert_false(weir_candidate_hits(&one, text_of(world, "art now buying")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texts_that_differ_in_numbers_and_case_are_the_same),
        TEST(alikeness_follows_the_shingles_two_texts_share),
        TEST(short_texts_are_alike_only_by_subject_and_bones),
        TEST(links_are_known_by_organizational_domain_once),
        TEST(there_are_no_more_domains_and_words_than_the_limits),
        TEST(messages_join_the_first_they_are_like),
        TEST(bands_find_what_comparing_with_all_finds),
        TEST(what_all_have_comes_first_and_a_domain_before_a_phrase),
        TEST(phrases_are_of_bounded_length_and_of_one_paragraph),
        TEST(a_rule_matches_just_its_candidate),
        TEST(a_domain_is_no_part_of_another),
        TEST(a_phrase_is_no_part_of_longer_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
