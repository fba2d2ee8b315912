/*
 * So many blocks and scores an hour, in all and by the word of one server (ladder_caps.c,
 * allowance.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "monitor/threshold/ladder.h"
#include "tests/unit/watched.h"

#define START WATCHED_START

struct rig {
    struct weir_ladder *ladder;
    struct weir_ladder_decision last;
    enum weir_response wanted;
    struct weir_watch_standing standing; /* what the watch says, where it is asked */
    const char *spared;
};

static struct weir_watch_standing stands(void *context, const struct weir_prefix *prefix)
{
    (void)prefix;
    return ((const struct rig *)context)->standing;
}

static bool is_spared(void *context, weir_time time, const struct weir_prefix *prefix,
                      const char **why_r)
{
    const struct rig *rig = context;
    (void)time, (void)prefix;
    if (rig->spared)
        *why_r = rig->spared;
    return rig->spared != NULL;
}

static void save(void *context, const struct weir_ladder_decision *decision)
{
    ((struct rig *)context)->last = *decision;
}

/* A ladder of one step, of which there may be so many an hour; of everything else none. */
static void open_rig(struct rig *rig, enum weir_response wanted, unsigned hour, unsigned server)
{
    bool score = wanted == WEIR_RESPONSE_SCORE;
    const struct weir_ladder_class class = {.step = {{wanted, 2.5, WEIR_HOUR}}, .steps = 1};
    const struct weir_ladder_options options = {
        .classes = &class, .class_count = 1, .memory = WEIR_DAY, .longest = WEIR_DAY,
        .quorum = 2, .blocks_hour = score ? 0 : hour, .blocks_server_hour = score ? 0 : server,
        .scores_hour = score ? hour : 0, .scores_server_hour = score ? server : 0};
    *rig = (struct rig){.wanted = wanted};
    assert_int_equal(weir_ladder_new(&options, save, rig, &rig->ladder), 0);
}

static struct weir_watch_event raise(struct rig *rig, const char *prefix, weir_time time,
                                     uint32_t servers, weir_time now)
{
    const struct weir_watch_event event = {
        .raised = true, .time = time, .prefix = watched_prefix(prefix), .class_name = "x",
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {0.5, 200}, .rate = 1, .servers = servers};
    weir_ladder_event(rig->ladder, &event, now);
    return event;
}

static void tell(struct rig *rig, const char *prefix, weir_time time, uint32_t servers,
                 weir_time now)
{
    struct weir_watch_event event = raise(rig, prefix, time, servers, now);
    event.raised = false;
    weir_ladder_event(rig->ladder, &event, now);
}

static uint64_t done(const struct rig *rig)
{
    const struct weir_ladder_counts *counts = weir_ladder_counts(rig->ladder);
    bool score = rig->wanted == WEIR_RESPONSE_SCORE;
    assert_int_equal(score ? counts->blocks : counts->scores, 0);
    assert_int_equal(score ? counts->blocks_capped : counts->scores_capped, 0);
    assert_int_equal(score ? counts->scores_capped : counts->blocks_capped, counts->withheld);
    assert_int_equal(counts->decisions,
                     counts->withheld + (score ? counts->scores : counts->blocks));
    return score ? counts->scores : counts->blocks;
}

/* How many of so many different addresses are listed, of events that claim a time. */
static unsigned listed_of(struct rig *rig, unsigned net, unsigned count, weir_time time,
                          uint32_t servers, weir_time now)
{
    uint64_t before = done(rig);
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof(text), "192.0.%u.%u", net, i);
        tell(rig, text, time, servers, now);
        bool listed = rig->last.response == rig->wanted;
        assert_int_equal(listed || rig->last.response == WEIR_RESPONSE_ALERT, true);
        assert_int_equal(rig->last.wanted, rig->wanted);
        assert_int_equal(rig->last.withheld == NULL, listed);
        assert_int_equal(rig->last.ends == 0, !listed);
    }
    return (unsigned)(done(rig) - before);
}

static unsigned listed(struct rig *rig, unsigned net, unsigned count, weir_time time,
                       uint32_t servers)
{
    return listed_of(rig, net, count, time, servers, time);
}

static const struct {
    enum weir_response wanted;
    const char *all, *word;      /* what is said */
} kinds[] = {
    {WEIR_RESPONSE_SCORE, "too many scores within an hour",
     "too many scores by the word of its servers within an hour"},
    {WEIR_RESPONSE_DEFER, "too many blocks within an hour",
     "too many blocks by the word of its servers within an hour"},
    {WEIR_RESPONSE_REJECT, "too many blocks within an hour",
     "too many blocks by the word of its servers within an hour"},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void one_stolen_identity_cannot_list_the_world(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct rig rig;
        open_rig(&rig, kinds[k].wanted, 200, 50);
        assert_int_equal(listed(&rig, 1, 50, START, 1), 50);
        assert_int_equal(listed(&rig, 2, 50, START, 1), 0);
        assert_string_equal(rig.last.withheld, kinds[k].word);
        assert_int_equal(listed(&rig, 3, 20, START, 2), 20);
        assert_int_equal(listed(&rig, 4, 20, START, 1 | 2), 20); /* the other's word is good */
        assert_int_equal(listed(&rig, 5, 200, START + WEIR_HOUR / 2, 1), 25);
        assert_int_equal(listed(&rig, 6, 200, START + 3 * WEIR_HOUR, 1), 50);
        weir_ladder_free(&rig.ladder);
    }
}

static void so_many_an_hour_and_not_one_more(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct rig rig;
        open_rig(&rig, kinds[k].wanted, 60, 50);
        assert_int_equal(listed(&rig, 1, 40, START, 1), 40);
        assert_int_equal(listed(&rig, 2, 40, START, 2), 20);
        assert_string_equal(rig.last.withheld, kinds[k].all);
        assert_int_equal(listed(&rig, 3, 40, START + WEIR_MINUTE, 4), 1);
        weir_ladder_free(&rig.ladder);
    }
}

static void times_that_are_claimed_fill_no_cap(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct rig rig;
        open_rig(&rig, kinds[k].wanted, 200, 50);
        for (unsigned part = 0; part < 5; part++) /* four hours of events each, all told now */
            assert_int_equal(listed_of(&rig, part, 30, START + part * 4 * WEIR_HOUR, 1,
                                       START + 20 * WEIR_HOUR),
                             part == 0 ? 30 : part == 1 ? 20 : 0);
        weir_ladder_free(&rig.ladder);
    }
}

static void what_was_withheld_is_tried_again_and_is_no_repetition(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct rig rig;
        open_rig(&rig, kinds[k].wanted, 1, 1);
        assert_int_equal(listed(&rig, 1, 1, START, 1), 1);
        assert_int_equal(listed(&rig, 2, 1, START, 1), 0);
        assert_int_equal(listed(&rig, 2, 1, START + WEIR_HOUR, 1), 1);
        assert_int_equal(rig.last.repeated, 0);
        weir_ladder_free(&rig.ladder);
    }
}

static void what_a_cap_withheld_is_listed_by_the_word_of_others(void **state)
{
    const struct weir_ladder_class class = {.step = {{WEIR_RESPONSE_REJECT, 0, WEIR_HOUR}},
                                            .steps = 1};
    (void)state;
    for (unsigned spared = 0; spared < 2; spared++) {
        struct rig rig = {.spared = NULL};
        const struct weir_ladder_options options = {
            .classes = &class, .class_count = 1, .memory = WEIR_DAY, .longest = WEIR_DAY,
            .quorum = 2, .blocks_hour = 200, .blocks_server_hour = 1, .spared = is_spared,
            .standing = stands, .context = &rig};
        assert_int_equal(weir_ladder_new(&options, save, &rig, &rig.ladder), 0);
        tell(&rig, "192.0.2.2", START, 1, START); /* server 0 has no more */
        rig.spared = spared ? "acceptable" : NULL;
        rig.standing = (struct weir_watch_standing){2, 7, 1, 1};
        raise(&rig, "192.0.2.1", START, 1, START);
        assert_int_equal(rig.last.response, WEIR_RESPONSE_ALERT);
        weir_ladder_advance(rig.ladder, START + WEIR_SECOND);
        assert_int_equal(weir_ladder_counts(rig.ladder)->decisions, 2);
        rig.standing.servers = 3;
        weir_ladder_advance(rig.ladder, START + 2 * WEIR_SECOND);
        weir_ladder_advance(rig.ladder, START + 3 * WEIR_SECOND);
        assert_int_equal(weir_ladder_counts(rig.ladder)->decisions, spared ? 2 : 3);
        assert_int_equal(rig.last.response, spared ? WEIR_RESPONSE_ALERT : WEIR_RESPONSE_REJECT);
        weir_ladder_free(&rig.ladder);
    }
}

static void what_is_long_over_is_no_reason_to_list_anybody(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct rig rig;
        open_rig(&rig, kinds[k].wanted, 200, 50);
        tell(&rig, "192.0.2.1", START, 1, START + WEIR_DAY);
        assert_int_equal(rig.last.response, kinds[k].wanted);
        tell(&rig, "192.0.2.2", START, 1, START + WEIR_DAY + 1);
        assert_int_equal(rig.last.response, WEIR_RESPONSE_ALERT);
        assert_string_equal(rig.last.withheld, "it is long over");
        weir_ladder_free(&rig.ladder);
    }
}

static void what_another_ladder_spent_is_spent(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct rig rig;
        open_rig(&rig, kinds[k].wanted, 60, 50);
        for (unsigned i = 0; i < 45; i++)
            weir_ladder_spent(rig.ladder, kinds[k].wanted, 1, START);
        assert_int_equal(listed(&rig, 1, 40, START, 1), 5);
        assert_int_equal(listed(&rig, 2, 40, START, 2), 10);
        weir_ladder_free(&rig.ladder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_stolen_identity_cannot_list_the_world),
        cmocka_unit_test(so_many_an_hour_and_not_one_more),
        cmocka_unit_test(times_that_are_claimed_fill_no_cap),
        cmocka_unit_test(what_was_withheld_is_tried_again_and_is_no_repetition),
        cmocka_unit_test(what_a_cap_withheld_is_listed_by_the_word_of_others),
        cmocka_unit_test(what_is_long_over_is_no_reason_to_list_anybody),
        cmocka_unit_test(what_another_ladder_spent_is_spent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
