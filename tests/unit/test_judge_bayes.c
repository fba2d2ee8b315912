/*
 * The Bayesian classifier in the judge (core/engine/judge_bayes.c): its points, what it shows, when
 * it is silent; and which messages teach it (core/engine/judge_teach.c), by the lines of the spool.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/lesson.h"
#include "core/engine/parcels_io.h"
#include "core/store/part_line.h"
#include "monitor/analyzer/bayes_learn.h"
#include "tests/unit/judge_rig.h"

#define SEED "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
#define CLIENT "203.0.113.9"
#define SENDER "ann@client.example"
#define RULES "body BAD /cheap loan/\nscore BAD 11\nbody WORSE /worse/\nscore WORSE 4\n" \
    "body NICE /team note/\nscore NICE -2\n"
#define LOAN "a cheap loan for you, take it today, no questions asked, best prices"
#define NOTE "our team note about the garden, the roses and the apples of this year"
#define PLAIN "nothing much to say here, but a few words that no rule knows of"

static const struct weir_hash_key key = {{9, 8, 7}};

static struct judge_rig *rig_of(void **state)
{
    struct judge_rig *rig = *state;

    rig->config.bayes_use = WEIR_BAYES_ON;
    rig->config.bayes_least = 5;
    rig->config.reputation_points = false;
    rig->config.bayes_lessons = 1e6;
    return rig;
}

/* The set ------------------------------------------------------------------------------ */

static void learn(struct judge_rig *rig, struct weir_bayes_learner *learner, const char *words,
                  bool spam, const char *reputation)
{
    const char *octets = rig_message(rig, SENDER, words);
    struct weir_slice said = weir_slice_maybe(reputation);
    struct weir_charsets *charsets;
    struct weir_message message;
    struct weir_content content;
    struct weir_bayes_source source = {.message = &message, .content = &content,
                                       .reputation = &said, .reputations = reputation != NULL};
    struct weir_bayes_tokens tokens;

    assert_int_equal(weir_charsets_new(&charsets), 0);
    source.charsets = charsets;
    assert_int_equal(weir_message_parse(octets, strlen(octets), rig->arena, &message), 0);
    assert_int_equal(weir_content_read(&message, charsets, rig->arena, &content), 0);
    assert_int_equal(weir_bayes_tokens_read(&key, &source, rig->arena, &tokens), 0);
    assert_int_equal(weir_bayes_learn(learner, &tokens, spam, rig->now), 0);
    weir_charsets_free(&charsets);
}

/* Publishes rules and a word list that was learned of so many of each kind, with what reputation
 * said of the spam and of the ham. */
static void publish_of(struct judge_rig *rig, uint32_t serial, int times, const char *of_spam,
                       const char *of_ham)
{
    struct weir_rule_parcel parcel = {.serial = serial, .section = {weir_slice_of(RULES)}};
    struct weir_bayes_learner *learner;
    struct weir_bayes_counts counts;
    struct weir_rule_set_made made;
    struct weir_parcel_keys keys;
    void *table, *octets;
    size_t len;

    assert_int_equal(weir_bayes_learner_new(&key, 100000, &learner), 0);
    for (int i = 0; i < times; i++) {
        learn(rig, learner, "win the lottery million now", true, of_spam);
        learn(rig, learner, "please review the kernel patch", false, of_ham);
    }
    assert_int_equal(weir_bayes_learner_counts(learner, &counts), 0);
    assert_int_equal(weir_bayes_table_build(&counts, 0, &table, &len), 0);
    parcel.section[WEIR_PARCEL_BAYES] = (struct weir_slice){table, len};
    assert_true(weir_parcel_keys_read(weir_slice_of(SEED), &keys));
    assert_int_equal(weir_parcels_keep_key(rig->folder, keys.open), 0);
    assert_int_equal(weir_rule_parcel_make(&parcel, &keys, &octets, &len), 0);
    assert_int_equal(weir_parcels_write(rig->folder, serial, octets, len), 0);
    rig->now += 2 * WEIR_SECOND;
    assert_int_equal(weir_rule_set_make(&rig->config, true, NULL, NULL, &made), 0);
    assert_int_equal(made.serial, serial);
    free((void *)(uintptr_t)counts.count);
    free(table);
    free(octets);
    weir_bayes_learner_free(&learner);
}

static void publish(struct judge_rig *rig, uint32_t serial, int times, const char *reputation)
{
    publish_of(rig, serial, times, reputation, NULL);
}

static const struct weir_judgement *judge(struct judge_rig *rig, const char *words)
{
    return rig_judge(rig, CLIENT, SENDER, rig_message(rig, SENDER, words));
}

static const struct weir_point *point_of(const struct weir_judgement *judgement)
{
    for (size_t i = 0; i < judgement->points; i++)
        if (judgement->point[i].id == WEIR_POINT_BAYES)
            return &judgement->point[i];
    return NULL;
}

/* What it says ---------------------------------------------------------------------------- */

static void C28_it_is_one_line_of_the_explanation_with_its_telling_words(void **state)
{
    struct judge_rig *rig = rig_of(state);
    const struct weir_judgement *judgement;
    const struct weir_point *point;

    publish(rig, 3, 10, NULL);
    judgement = judge(rig, "the lottery of a million");
    point = point_of(judgement);
    assert_non_null(point);
    assert_true(weir_slice_equals(point->name, "BAYES"));
    assert_true(point->points > 0.2);
    assert_float_equal(judgement->decision.score, point->points, 0.005);
    assert_non_null(memmem(point->evidence.at, point->evidence.len, "lottery", 7));
    assert_int_equal(judgement->bayes.spam, 10);
    assert_non_null(strstr(judgement->outcome.log, "BAYES("));
    judgement = judge(rig, "a kernel patch to review");
    assert_true(point_of(judgement)->points < -0.2);
}

static void C28_it_never_refuses_alone(void **state)
{
    struct judge_rig *rig = rig_of(state);
    const struct weir_judgement *judgement;

    rig->config.bayes_scale = 10;
    publish(rig, 3, 50, NULL);
    judgement = judge(rig, "win the lottery million now");
    assert_float_equal(point_of(judgement)->points, rig->config.bayes_spam_points, 1e-9);
    assert_int_equal(judgement->decision.verdict, WEIR_SPAM);
    assert_true(judgement->decision.score < rig->config.reject_score);
    assert_true(judge(rig, "win the lottery million now, worse")->decision.score >
                rig->config.bayes_spam_points);
    assert_float_equal(point_of(judge(rig, "please review the kernel patch"))->points,
                       -rig->config.bayes_ham_points, 1e-9);
    rig->config.bayes_spam_points = rig->config.reject_score;
    assert_non_null(weir_config_conflict(&rig->config));
}

static void C28_observed_it_shows_what_it_would_add_and_off_nothing(void **state)
{
    struct judge_rig *rig = rig_of(state);
    const struct weir_judgement *judgement;

    publish(rig, 3, 10, NULL);
    rig->config.bayes_use = WEIR_BAYES_OBSERVE;
    judgement = judge(rig, "the lottery of a million");
    assert_non_null(point_of(judgement));
    assert_float_equal(point_of(judgement)->points, 0, 1e-9);
    assert_true(judgement->bayes.points > 0.2);
    assert_float_equal(judgement->decision.score, 0, 1e-9);
    rig->config.bayes_use = WEIR_BAYES_OFF;
    assert_null(point_of(judge(rig, "the lottery of a million")));
}

static void C29_it_is_silent_until_enough_was_learned(void **state)
{
    struct judge_rig *rig = rig_of(state);
    const struct weir_judgement *judgement = judge(rig, "the lottery of a million");

    assert_false(judgement->bayes.listed);
    publish(rig, 3, 4, NULL);
    judgement = judge(rig, "the lottery of a million");
    assert_true(judgement->bayes.listed);
    assert_int_equal(judgement->bayes.said.silence, WEIR_BAYES_FEW_SPAM);
    assert_null(point_of(judgement));
    publish(rig, 4, 5, NULL);
    assert_non_null(point_of(judge(rig, "the lottery of a million")));
}

static void B12_a_set_that_was_tampered_with_leaves_the_one_before(void **state)
{
    struct judge_rig *rig = rig_of(state);
    struct weir_rule_set_made made;
    char path[WEIR_PATH_MAX];
    FILE *file;

    publish(rig, 3, 10, NULL);
    assert_int_equal(judge(rig, "the lottery of a million")->bayes.spam, 10);
    publish(rig, 4, 20, NULL);
    file = fopen(weir_parcels_path(rig->folder, 4, path), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -20, SEEK_END), 0);
    fputc('x', file);
    fclose(file);
    assert_int_equal(judge(rig, "the lottery of a million")->bayes.spam, 10);
    assert_non_null(strstr(rig->logged, "its word list is not used"));
    assert_true(weir_rule_set_make(&rig->config, true, NULL, NULL, &made) < 0);
}

static void C29_reputation_is_a_word_that_training_moves(void **state)
{
    struct judge_rig *rig = rig_of(state);
    const struct weir_judgement *judgement;
    double before;
    bool found = false;

    for (int i = 0; i < 3; i++)
        rig_vote(rig, CLIENT, "client.example", WEIR_VOTE_SPAM, 5);
    publish(rig, 3, 10, NULL);
    before = judge(rig, PLAIN)->bayes.said.weight;
    publish_of(rig, 4, 10, "rep:assoc:unknown", "rep:assoc:auth");
    judgement = judge(rig, PLAIN);
    assert_true(judgement->decision.judged);
    for (size_t i = 0; i < judgement->bayes.said.tellings; i++)
        found |= weir_slice_equals(judgement->bayes.said.telling[i].token->text,
                                   "rep:assoc:unknown");
    assert_true(found);
    assert_true(judgement->bayes.said.weight > before);
}

/* Ham out of files has no reputation, spam that servers tell of has. */
static void nobody_is_spam_for_being_new_here(void **state)
{
    struct judge_rig *rig = rig_of(state);
    const struct weir_judgement *judgement;

    publish(rig, 3, 10, NULL);
    assert_float_equal(judge(rig, PLAIN)->bayes.said.weight, 0, 0);
    publish(rig, 4, 10, "rep:assoc:unknown");
    judgement = judge(rig, PLAIN);
    assert_true(judgement->decision.judged);
    assert_float_equal(judgement->bayes.said.weight, 0, 0);
    assert_float_equal(judgement->decision.score, 0, 0);
}

/* What teaches it ------------------------------------------------------------------------- */

/* The lessons in the spool, whole ones; the last one's tokens. */
static size_t lessons(struct judge_rig *rig, size_t *tokens_r)
{
    char path[400], text[WEIR_SPOOL_LINE_MAX + 2];
    uint8_t buffer[WEIR_PART_OCTETS];
    struct weir_part_line part;
    struct weir_lesson lesson;
    size_t n = 0;
    DIR *dir;

    snprintf(path, sizeof path, "%s/spool", rig->folder);
    dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        FILE *file;

        snprintf(path, sizeof path, "%s/spool/%s", rig->folder, entry->d_name);
        file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (file && fgets(text, sizeof text, file)) {
            struct weir_slice line = {text, strcspn(text, "\n")};

            if (weir_part_line_read(line, buffer, &part) != 1)
                continue;
            assert_string_equal(part.of.kind, WEIR_LESSON_KIND);
            assert_int_equal(part.of.parts, 1);
            assert_int_equal(weir_lesson_read((struct weir_slice){(char *)buffer, part.octets},
                                              &lesson), 1);
            assert_false(lesson.reported);
            assert_int_equal(lesson.key, weir_lesson_key(&key));
            *tokens_r = lesson.tokens;
            n++;
        }
        if (file)
            fclose(file);
    }
    if (dir)
        closedir(dir);
    return n;
}

static void teach_with(struct judge_rig *rig)
{
    rig->config.spool_folder = "spool";
    rig->config.never = (struct weir_strings){0};
    publish(rig, 3, 1, NULL);
    rig_open(rig);
}

static void C29_sure_verdicts_are_told_with_their_tokens(void **state)
{
    struct judge_rig *rig = rig_of(state);
    size_t tokens = 0;

    teach_with(rig);
    judge(rig, PLAIN);
    judge(rig, "worse, but not sure");
    assert_int_equal(lessons(rig, &tokens), 0);
    judge(rig, LOAN);
    assert_int_equal(lessons(rig, &tokens), 1);
    assert_true(tokens > 20);
    judge(rig, NOTE);
    assert_int_equal(lessons(rig, &tokens), 2);
}

static void C29_where_no_set_was_published_nothing_is_told(void **state)
{
    struct judge_rig *rig = rig_of(state);
    size_t tokens;

    rig->config.spool_folder = "spool";
    assert_int_equal(rig_rules(rig, RULES), 0);
    judge(rig, LOAN);
    assert_int_equal(lessons(rig, &tokens), 0);
}

static void C29_mail_of_our_own_users_and_mail_that_goes_out_is_not_told(void **state)
{
    struct judge_rig *rig = rig_of(state);
    size_t tokens;

    teach_with(rig);
    rig->mail.envelope.authenticated = true;
    judge(rig, LOAN);
    rig->mail.envelope.authenticated = false;
    (void)rig_judge(rig, NULL, SENDER, rig_message(rig, SENDER, LOAN));
    rig->config.bayes_verdicts = false;
    judge(rig, LOAN);
    rig->config.bayes_verdicts = true;
    assert_int_equal(lessons(rig, &tokens), 0);
    judge(rig, LOAN);
    assert_int_equal(lessons(rig, &tokens), 1);
}

static void C29_lists_that_say_the_contrary_win(void **state)
{
    struct judge_rig *rig = rig_of(state);
    size_t tokens;

    teach_with(rig);
    rig_list(rig, WEIR_LIST_ACCEPT, CLIENT);
    judge(rig, LOAN);
    assert_int_equal(lessons(rig, &tokens), 0);
    judge(rig, NOTE);
    assert_int_equal(lessons(rig, &tokens), 1);
}

static void C29_a_flood_of_one_kind_is_sampled_and_leaves_room_for_the_other(void **state)
{
    struct judge_rig *rig = rig_of(state);
    size_t tokens;

    rig->config.bayes_lessons = 2;
    teach_with(rig);
    for (int i = 0; i < 500; i++)
        judge(rig, LOAN);
    assert_int_equal(lessons(rig, &tokens), 60);
    judge(rig, NOTE);
    assert_int_equal(lessons(rig, &tokens), 61);
    for (int i = 0; i < 100; i++) { /* ten seconds of it */
        rig->now += WEIR_SECOND / 10;
        judge(rig, LOAN);
    }
    assert_in_range(lessons(rig, &tokens), 61 + 19, 61 + 21);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C28_it_is_one_line_of_the_explanation_with_its_telling_words),
        TEST(C28_it_never_refuses_alone),
        TEST(C28_observed_it_shows_what_it_would_add_and_off_nothing),
        TEST(nobody_is_spam_for_being_new_here),
        TEST(C29_it_is_silent_until_enough_was_learned),
        TEST(B12_a_set_that_was_tampered_with_leaves_the_one_before),
        TEST(C29_reputation_is_a_word_that_training_moves),
        TEST(C29_sure_verdicts_are_told_with_their_tokens),
        TEST(C29_where_no_set_was_published_nothing_is_told),
        TEST(C29_mail_of_our_own_users_and_mail_that_goes_out_is_not_told),
        TEST(C29_lists_that_say_the_contrary_win),
        TEST(C29_a_flood_of_one_kind_is_sampled_and_leaves_room_for_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
