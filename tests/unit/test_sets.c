/*
 * Rule sets on their way to work on a server (monitor/agent/sets_io.c): what is taken, what is
 * refused, and when it is tried again, by a clock that is handed in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/parcels_io.h"
#include "core/engine/rule_set_io.h"
#include "core/evidence/parcel_patch.h"
#include "monitor/agent/sets_io.h"
#include "tests/unit/judge_rig.h"

#define SEED "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
#define OTHER "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"

struct rig {
    struct judge_rig *base;
    struct weir_parcel_keys keys;
    struct weir_sets *sets;
    weir_time now;
};

static int setup(void **state)
{
    static struct rig rig;
    void *base;

    assert_int_equal(rig_set_up(&base), 0);
    rig = (struct rig){.base = base, .now = WEIR_SECOND};
    rig.base->config.agent_whole = WEIR_HOUR;
    assert_true(weir_parcel_keys_read(weir_slice_of(SEED), &rig.keys));
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    void *base = rig->base;

    weir_sets_free(&rig->sets);
    return rig_tear_down(&base);
}

static void open_sets(struct rig *rig, bool with_key)
{
    weir_sets_free(&rig->sets);
    assert_int_equal(weir_sets_open(&rig->base->config, with_key ? rig->keys.open : NULL,
                                    &rig->base->log, &rig->sets), 0);
}

static void hear(struct rig *rig, uint32_t serial, weir_time within)
{
    struct weir_news news = {.serial = serial, .within = within};

    memcpy(news.open, rig->keys.open, sizeof news.open);
    weir_sets_hear(rig->sets, &news, rig->now);
    assert_int_equal(weir_sets_heard(rig->sets), serial);
}

/* Hands in a set, signed with the key of a seed, and waits until the thread is done with it. */
static void take(struct rig *rig, uint32_t serial, const char *rules, const char *seed)
{
    const struct weir_rule_parcel parcel = {.serial = serial, .section = {weir_slice_of(rules)}};
    struct weir_parcel_keys keys;
    void *octets;
    size_t len;

    assert_true(weir_parcel_keys_read(weir_slice_of(seed), &keys));
    assert_int_equal(weir_rule_parcel_make(&parcel, &keys, &octets, &len), 0);
    weir_sets_take(rig->sets, (struct weir_slice){octets, len}, len, rig->now);
    free(octets);
}

static void wait_for_thread(struct rig *rig)
{
    while (!weir_sets_turn(rig->sets, rig->now))
        (void)poll(NULL, 0, 1);
}

static void told(struct rig *rig, int serial, int refused, int refusals, const char *why)
{
    json_t *health = weir_sets_health(rig->sets);

    assert_non_null(health);
    assert_int_equal(json_integer_value(json_object_get(health, "serial")), serial);
    assert_int_equal(json_integer_value(json_object_get(health, "refused")), refused);
    assert_int_equal(json_integer_value(json_object_get(health, "refusals")), refusals);
    if (!strstr(json_string_value(json_object_get(health, "why")), why))
        fail_msg("%s", json_string_value(json_object_get(health, "why")));
    json_decref(health);
}

#define A "body A /a/\nscore A 1\nid A 7\n"

static void B31_a_set_that_is_heard_of_is_fetched_and_put_to_work(void **state)
{
    struct rig *rig = *state;

    open_sets(rig, true);
    told(rig, 0, 0, 0, "");
    assert_false(weir_sets_due(rig->sets, rig->now));
    hear(rig, 4, 0);
    assert_true(weir_sets_due(rig->sets, rig->now));
    take(rig, 4, A, SEED);
    assert_false(weir_sets_due(rig->sets, rig->now)); /* the thread is at it */
    wait_for_thread(rig);
    assert_false(weir_sets_due(rig->sets, rig->now));
    told(rig, 4, 0, 0, "");
    assert_int_equal(weir_rule_set_serial(&rig->base->config), 4);
    open_sets(rig, true);
    assert_int_equal(weir_sets_heard(rig->sets), 4);
    told(rig, 4, 0, 0, "");
}

static void nobody_comes_later_than_he_may(void **state)
{
    struct rig *rig = *state;

    open_sets(rig, true);
    hear(rig, 4, 20 * WEIR_SECOND);
    assert_true(weir_sets_due(rig->sets, rig->now + 20 * WEIR_SECOND));
    hear(rig, 4, 20 * WEIR_SECOND); /* hearing it again begins nothing anew */
    assert_true(weir_sets_due(rig->sets, rig->now + 20 * WEIR_SECOND));
}

static void B12_a_foreign_or_older_one_is_refused_and_tried_again_less_and_less_often(void **state)
{
    struct rig *rig = *state;
    weir_time rest = 5 * WEIR_SECOND;

    open_sets(rig, true);
    hear(rig, 4, 0);
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    hear(rig, 5, 0);
    for (int refusals = 1; refusals <= 12; refusals++) {
        assert_true(weir_sets_due(rig->sets, rig->now));
        if (refusals % 2)
            take(rig, 5, A, OTHER);
        else
            take(rig, refusals % 4 ? 3 : 4, A, SEED);
        told(rig, 4, refusals % 2 ? 5 : refusals % 4 ? 3 : 4, refusals,
             refusals % 2 ? "not the monitor's" : "older than");
        assert_false(weir_sets_due(rig->sets, rig->now + rest - 1));
        rig->now += rest;
        rest = 2 * rest < 10 * WEIR_MINUTE ? 2 * rest : 10 * WEIR_MINUTE;
    }
    take(rig, 5, A, SEED);
    wait_for_thread(rig);
    told(rig, 5, 0, 12, "");
}

static void a_serial_that_went_back_is_told_and_not_fetched(void **state)
{
    struct rig *rig = *state;

    open_sets(rig, true);
    hear(rig, 4, 0);
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    hear(rig, 3, 0);
    assert_false(weir_sets_due(rig->sets, rig->now + WEIR_DAY));
    told(rig, 4, 3, 1, "older than");
    hear(rig, 0, 0);
    assert_false(weir_sets_due(rig->sets, rig->now + WEIR_DAY));
}

static void a_set_that_cannot_be_made_here_is_taken_away_again(void **state)
{
    struct rig *rig = *state;
    char path[256];
    FILE *file;

    open_sets(rig, true);
    hear(rig, 4, 0);
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    snprintf(path, sizeof path, "%s/10.rules", rig->base->rules);
    file = fopen(path, "w");
    assert_true(fputs("body L /l/\nid L 8\n", file) >= 0 && fclose(file) == 0);
    hear(rig, 5, 0);
    take(rig, 5, A "body B /b/\nid B 8\n", SEED);
    wait_for_thread(rig);
    told(rig, 4, 5, 1, "10.rules:1: rules B and L have the same id 8");
    assert_int_equal(weir_parcels_newest(rig->base->config.state_directory), 4);
    assert_int_equal(weir_rule_set_serial(&rig->base->config), 4);
}

static void an_image_that_was_not_made_any_more_is_made_at_the_start(void **state)
{
    struct rig *rig = *state;
    const struct weir_rule_parcel parcel = {.serial = 6, .section = {weir_slice_of(A)}};
    void *octets;
    size_t len;

    assert_int_equal(weir_rule_parcel_make(&parcel, &rig->keys, &octets, &len), 0);
    assert_int_equal(weir_parcels_write(rig->base->config.state_directory, 6, octets, len), 0);
    free(octets);
    open_sets(rig, true);
    wait_for_thread(rig);
    assert_int_equal(weir_rule_set_serial(&rig->base->config), 6);
    told(rig, 6, 0, 0, "");
}

static void a_key_is_taken_once_and_then_believed_alone(void **state)
{
    struct rig *rig = *state;
    struct weir_news news = {.serial = 4};

    open_sets(rig, false);
    assert_false(weir_sets_due(rig->sets, rig->now));
    hear(rig, 4, 0);
    assert_true(weir_sets_due(rig->sets, rig->now));
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    news.serial = 5; /* with another key */
    weir_sets_hear(rig->sets, &news, rig->now);
    take(rig, 5, A, OTHER);
    told(rig, 4, 5, 1, "not the monitor's");
    open_sets(rig, false);
    hear(rig, 5, 0);
    take(rig, 5, A, SEED);
    wait_for_thread(rig);
    told(rig, 5, 0, 0, "");
}

static void the_key_of_the_identity_comes_before_a_kept_one(void **state)
{
    struct rig *rig = *state;
    struct weir_parcel_keys other;

    assert_true(weir_parcel_keys_read(weir_slice_of(OTHER), &other));
    assert_int_equal(weir_parcels_keep_key(rig->base->config.state_directory, other.open), 0);
    open_sets(rig, true);
    hear(rig, 4, 0);
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    told(rig, 4, 0, 0, "");
}

/* The agent was killed between the file and the image, and something is in the way of that. */
static void an_image_that_cannot_be_made_at_the_start_is_tried_again(void **state)
{
    struct rig *rig = *state;
    const char *folder = rig->base->config.state_directory;
    const struct weir_rule_parcel parcel = {
        .serial = 6, .section = {weir_slice_of("body B /b/\nid B 8\n")}};
    char path[256];
    void *octets;
    FILE *file;
    size_t len;

    open_sets(rig, true);
    hear(rig, 4, 0);
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    snprintf(path, sizeof path, "%s/10.rules", rig->base->rules);
    file = fopen(path, "w");
    assert_true(fputs("body L /l/\nid L 8\n", file) >= 0 && fclose(file) == 0);
    assert_int_equal(weir_rule_parcel_make(&parcel, &rig->keys, &octets, &len), 0);
    assert_int_equal(weir_parcels_write(folder, 6, octets, len), 0);
    free(octets);
    open_sets(rig, true);
    wait_for_thread(rig);
    told(rig, 4, 6, 1, "");
    assert_int_equal(weir_parcels_newest(folder), 4);
    assert_int_equal(remove(path), 0);
    rig->now += WEIR_HOUR;
    hear(rig, 6, 0);
    assert_true(weir_sets_due(rig->sets, rig->now));
    take(rig, 6, "body B /b/\nid B 8\n", SEED);
    wait_for_thread(rig);
    told(rig, 6, 0, 1, "");
}

/* A file of the monitor's. */
static struct weir_slice file_of(struct rig *rig, uint32_t serial, const char *rules)
{
    const struct weir_rule_parcel parcel = {.serial = serial, .section = {weir_slice_of(rules)}};
    void *octets;
    size_t len;

    assert_int_equal(weir_rule_parcel_make(&parcel, &rig->keys, &octets, &len), 0);
    return (struct weir_slice){octets, len};
}

/* Hands in what makes one file of another. */
static void take_patch(struct rig *rig, struct weir_slice before, struct weir_slice next)
{
    void *octets;
    size_t len;

    assert_int_equal(weir_parcel_patch_make(before, next, &octets, &len), 0);
    weir_sets_take(rig->sets, (struct weir_slice){octets, len}, len, rig->now);
    free(octets);
}

static void asks(struct rig *rig, const char *want)
{
    char place[WEIR_SETS_PLACE];

    assert_string_equal(weir_sets_place(rig->sets, place), want);
}

static void asks_with(struct rig *rig, uint32_t serial, struct weir_slice file)
{
    char want[WEIR_SETS_PLACE];

    snprintf(want, sizeof want, "/agent/v1/rules?have=%u&is=%016llx", (unsigned)serial,
             (unsigned long long)weir_parcel_id(file));
    asks(rig, want);
}

static int number(struct rig *rig, const char *name)
{
    json_t *health = weir_sets_health(rig->sets);
    int got = (int)json_integer_value(json_object_get(health, name));

    json_decref(health);
    return got;
}

#define B A "body B /b/\nscore B 2\nid B 8\n"

static void a_patch_makes_the_set_that_is_put_to_work(void **state)
{
    struct rig *rig = *state;
    struct weir_slice one = file_of(rig, 4, A), two = file_of(rig, 5, B);

    open_sets(rig, true);
    hear(rig, 4, 0);
    asks(rig, "/agent/v1/rules?have=0&is=0000000000000000");
    take_patch(rig, (struct weir_slice){"", 0}, one);
    wait_for_thread(rig); /* it is made ... */
    wait_for_thread(rig); /* ... and at work */
    told(rig, 4, 0, 0, "");
    asks_with(rig, 4, one);
    hear(rig, 5, 0);
    take_patch(rig, one, two);
    assert_false(weir_sets_due(rig->sets, rig->now));
    wait_for_thread(rig);
    assert_false(weir_sets_due(rig->sets, rig->now));
    wait_for_thread(rig);
    told(rig, 5, 0, 0, "");
    assert_int_equal(weir_rule_set_serial(&rig->base->config), 5);
    assert_int_equal(number(rig, "patches"), 2);
    assert_in_range(number(rig, "fetched"), 1, one.len + two.len + 100);
    free((void *)(uintptr_t)one.at);
    free((void *)(uintptr_t)two.at);
}

/* The whole file is asked for at once; only when that is answered with a patch, too, it is a
 * refusal. */
static void costs_a_whole_set(struct rig *rig, struct weir_slice before, struct weir_slice next,
                              const char *why)
{
    open_sets(rig, true);
    hear(rig, 4, 0);
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    hear(rig, 5, 0);
    take_patch(rig, before, next);
    wait_for_thread(rig);
    told(rig, 4, 0, 0, "");
    assert_true(weir_sets_due(rig->sets, rig->now));
    asks(rig, "/agent/v1/rules");
    take_patch(rig, before, next);
    wait_for_thread(rig);
    told(rig, 4, 5, 1, why);
    assert_false(weir_sets_due(rig->sets, rig->now));
    rig->now += WEIR_HOUR;
    asks(rig, "/agent/v1/rules");
    take(rig, 5, B, SEED);
    wait_for_thread(rig);
    told(rig, 5, 0, 1, "");
    assert_int_equal(number(rig, "patches"), 0);
}

static void a_patch_to_another_set_costs_a_whole_one(void **state)
{
    struct rig *rig = *state;
    struct weir_slice other = file_of(rig, 4, B), two = file_of(rig, 5, B);

    costs_a_whole_set(rig, other, two, "to another set");
    asks_with(rig, 5, two);
    free((void *)(uintptr_t)other.at);
    free((void *)(uintptr_t)two.at);
}

static void a_patch_that_makes_what_nobody_signed_costs_a_whole_one(void **state)
{
    struct rig *rig = *state;
    struct weir_slice one = file_of(rig, 4, A), changed = file_of(rig, 5, B);

    ((char *)(uintptr_t)changed.at)[changed.len - 2] ^= 1;
    costs_a_whole_set(rig, one, changed, "its signature does not hold");
    free((void *)(uintptr_t)one.at);
    free((void *)(uintptr_t)changed.at);
}

/* Its file was changed while the agent ran: no patch to it is asked for, or taken. */
static void a_patch_to_a_file_that_changed_meanwhile_makes_nothing(void **state)
{
    struct rig *rig = *state;
    struct weir_slice one = file_of(rig, 4, A), two = file_of(rig, 5, B);

    open_sets(rig, true);
    hear(rig, 4, 0);
    take(rig, 4, A, SEED);
    wait_for_thread(rig);
    hear(rig, 5, 0);
    asks_with(rig, 4, one);
    assert_int_equal(weir_parcels_write(rig->base->config.state_directory, 4, two.at, two.len), 0);
    asks_with(rig, 4, two);
    take_patch(rig, one, two);
    wait_for_thread(rig);
    asks(rig, "/agent/v1/rules");
    take(rig, 5, B, SEED);
    wait_for_thread(rig);
    told(rig, 5, 0, 0, "");
    asks_with(rig, 5, two);
    free((void *)(uintptr_t)one.at);
    free((void *)(uintptr_t)two.at);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B31_a_set_that_is_heard_of_is_fetched_and_put_to_work),
        TEST(nobody_comes_later_than_he_may),
        TEST(B12_a_foreign_or_older_one_is_refused_and_tried_again_less_and_less_often),
        TEST(a_serial_that_went_back_is_told_and_not_fetched),
        TEST(a_set_that_cannot_be_made_here_is_taken_away_again),
        TEST(an_image_that_was_not_made_any_more_is_made_at_the_start),
        TEST(an_image_that_cannot_be_made_at_the_start_is_tried_again),
        TEST(a_key_is_taken_once_and_then_believed_alone),
        TEST(the_key_of_the_identity_comes_before_a_kept_one),
        TEST(a_patch_makes_the_set_that_is_put_to_work),
        TEST(a_patch_to_another_set_costs_a_whole_one),
        TEST(a_patch_that_makes_what_nobody_signed_costs_a_whole_one),
        TEST(a_patch_to_a_file_that_changed_meanwhile_makes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
