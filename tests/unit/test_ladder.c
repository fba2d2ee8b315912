/*
 * The ladder of responses, sentence by sentence of its header (ladder.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/threshold/ladder.h"

#define START (1790000000 * WEIR_SECOND)

enum { SAVED = 16 };

struct rig {
    struct weir_ladder *ladder;
    struct weir_ladder_decision decision[SAVED];
    size_t count;
    const char *spared;
    struct weir_watch_standing standing; /* what the watch says, where it is asked */
};

static const struct weir_ladder_class steps = {
    .name = "",
    .step = {{WEIR_RESPONSE_ALERT, 0, 10 * WEIR_MINUTE},
             {WEIR_RESPONSE_SCORE, 2.5, 10 * WEIR_MINUTE},
             {WEIR_RESPONSE_DEFER, 0, 10 * WEIR_MINUTE},
             {WEIR_RESPONSE_REJECT, 0, WEIR_HOUR}},
    .steps = 4};
static const struct weir_ladder_class at_once = {
    .name = "strict", .step = {{WEIR_RESPONSE_REJECT, 0, WEIR_HOUR}}, .steps = 1};

static void save(void *context, const struct weir_ladder_decision *decision)
{
    struct rig *rig = context;
    rig->decision[rig->count++ % SAVED] = *decision;
}

static bool is_spared(void *context, weir_time time, const struct weir_prefix *prefix,
                      const char **why_r)
{
    const struct rig *rig = context;
    assert_true(time >= START && prefix->bits > 0);
    if (rig->spared)
        *why_r = rig->spared;
    return rig->spared != NULL;
}

static struct weir_ladder_options options(struct rig *rig)
{
    return (struct weir_ladder_options){
        .memory = WEIR_DAY, .longest = 8 * WEIR_HOUR, .quorum = 2, .blocks_hour = 200,
        .blocks_server_hour = 50, .scores_hour = 2000, .scores_server_hour = 500,
        .spared = is_spared, .context = rig};
}

static void open_with(struct rig *rig, struct weir_ladder_options o)
{
    struct weir_ladder_class classes[] = {at_once, steps};
    o.classes = classes;
    o.class_count = 2;
    *rig = (struct rig){.ladder = NULL};
    assert_int_equal(weir_ladder_new(&o, save, rig, &rig->ladder), 0);
}

static void open_rig(struct rig *rig)
{
    open_with(rig, options(rig));
}

static struct weir_prefix prefix_of(const char *text)
{
    struct weir_prefix prefix;
    const char *why;
    assert_int_equal(weir_prefix_parse(text, strlen(text), &prefix, &why), 0);
    return prefix;
}

static struct weir_watch_event event_of(const char *prefix, weir_time time, const char *class)
{
    return (struct weir_watch_event){
        .raised = true, .time = time, .prefix = prefix_of(prefix), .class_name = class,
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {0.5, 200}, .rate = 12.345, .servers = 1};
}

/* Raises an event that claims a time, and clears it at once. */
static const struct weir_ladder_decision *claim(struct rig *rig, const char *prefix, weir_time time,
                                                const char *class, weir_time now)
{
    struct weir_watch_event e = event_of(prefix, time, class);
    weir_ladder_event(rig->ladder, &e, now);
    e.raised = false;
    weir_ladder_event(rig->ladder, &e, now);
    return &rig->decision[(rig->count - 1) % SAVED];
}

static const struct weir_ladder_decision *event(struct rig *rig, const char *prefix, weir_time time,
                                                const char *class)
{
    return claim(rig, prefix, time, class, time);
}

static void each_event_within_the_memory_takes_the_next_step(void **state)
{
    static const enum weir_response want[] = {WEIR_RESPONSE_ALERT, WEIR_RESPONSE_SCORE,
                                              WEIR_RESPONSE_DEFER, WEIR_RESPONSE_REJECT,
                                              WEIR_RESPONSE_REJECT};
    struct rig rig;
    (void)state;
    open_rig(&rig);
    for (unsigned i = 0; i < 5; i++) {
        const struct weir_ladder_decision *d = event(&rig, "192.0.2.1", START + i * WEIR_HOUR, "x");
        assert_int_equal(d->response, want[i]);
        assert_int_equal(d->wanted, want[i]);
        assert_null(d->withheld);
        assert_true(d->points == (i == 1 ? 2.5 : 0));
        assert_int_equal(d->step, i < 4 ? i : 3);
        assert_int_equal(d->ends != 0, i > 0);
    }
    assert_int_equal(event(&rig, "192.0.2.2", START, "x")->step, 0); /* another prefix */
    assert_int_equal(rig.count, 6);
    weir_ladder_free(&rig.ladder);
}

static void what_is_told_at_once_climbs_one_step_whatever_times_it_claims(void **state)
{
    weir_time now = START + WEIR_DAY;
    struct rig rig;
    (void)state;
    open_rig(&rig);
    for (unsigned i = 0; i <= 24; i++)
        assert_int_equal(claim(&rig, "192.0.2.1", START + i * WEIR_HOUR, "x", now)->step, 0);
    assert_int_equal(rig.count, 1);
    assert_int_equal(weir_ladder_counts(rig.ladder)->early, 24);
    claim(&rig, "192.0.2.1", now + 5 * WEIR_SECOND, "x", now + WEIR_MINUTE - 1);
    assert_int_equal(rig.count, 1);
    assert_int_equal(claim(&rig, "192.0.2.1", START, "x", now + WEIR_MINUTE)->step, 1);
    assert_int_equal(rig.count, 2);
    weir_ladder_free(&rig.ladder);
}

static void a_step_lasts_from_now_and_from_the_future_an_event_claims(void **state)
{
    weir_time now = START + WEIR_DAY;
    struct rig rig;
    (void)state;
    open_rig(&rig);
    assert_true(claim(&rig, "192.0.2.1", START, "strict", now)->ends == now + WEIR_HOUR);
    assert_true(rig.decision[0].taken == now);
    now += WEIR_SECOND;
    assert_true(claim(&rig, "192.0.2.2", now + 5 * WEIR_SECOND, "strict", now)->ends ==
                now + 5 * WEIR_SECOND + WEIR_HOUR);
    assert_true(rig.decision[1].taken == now);
    weir_ladder_free(&rig.ladder);
}

static void a_short_step_has_half_of_its_length_to_work(void **state)
{
    static const struct {
        weir_time after;
        size_t decisions;
    } cases[] = {{0, 1}, {5 * WEIR_SECOND - 1, 1}, {5 * WEIR_SECOND, 2}};
    struct weir_ladder_class class = {
        .step = {{WEIR_RESPONSE_ALERT, 0, 10 * WEIR_SECOND},
                 {WEIR_RESPONSE_REJECT, 0, WEIR_HOUR}}, .steps = 2};
    struct weir_ladder_options o = options(NULL);
    (void)state;
    o.spared = NULL;
    o.classes = &class;
    o.class_count = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig = {.ladder = NULL};
        assert_int_equal(weir_ladder_new(&o, save, &rig, &rig.ladder), 0);
        event(&rig, "192.0.2.1", START, "x");
        event(&rig, "192.0.2.1", START + cases[i].after, "x");
        assert_int_equal(rig.count, cases[i].decisions);
        weir_ladder_free(&rig.ladder);
    }
}

static void an_event_that_came_early_and_goes_on_climbs_when_its_step_has_lasted(void **state)
{
    struct weir_watch_event e = event_of("192.0.2.1", START + 1, "x");
    struct rig rig;
    (void)state;
    open_rig(&rig);
    event(&rig, "192.0.2.1", START, "x");
    weir_ladder_event(rig.ladder, &e, START + 1);
    weir_ladder_advance(rig.ladder, START + 10 * WEIR_MINUTE - 1);
    assert_int_equal(rig.count, 1);
    weir_ladder_advance(rig.ladder, START + 10 * WEIR_MINUTE);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.decision[1].response, WEIR_RESPONSE_SCORE);
    weir_ladder_free(&rig.ladder);
}

static void a_clock_that_is_put_back_holds_nobody_for_longer_than_the_wait(void **state)
{
    weir_time now = START + WEIR_DAY;
    struct rig rig;
    (void)state;
    open_rig(&rig);
    event(&rig, "192.0.2.1", now, "x");
    event(&rig, "192.0.2.1", now - WEIR_HOUR, "x");
    event(&rig, "192.0.2.1", now - WEIR_HOUR + WEIR_MINUTE - 1, "x");
    assert_int_equal(rig.count, 1);
    event(&rig, "192.0.2.1", now - WEIR_HOUR + WEIR_MINUTE, "x");
    assert_int_equal(rig.count, 2);
    weir_ladder_free(&rig.ladder);
}

static void what_another_one_knew_waits_as_it_did_there(void **state)
{
    struct weir_ladder_place place = {.step = 1, .last = START, .taken = START,
                                      .until = START + 10 * WEIR_MINUTE};
    struct rig rig;
    (void)state;
    open_rig(&rig);
    place.prefix = prefix_of("192.0.2.1");
    weir_ladder_put(rig.ladder, &place);
    event(&rig, "192.0.2.1", START + WEIR_MINUTE - 1, "x");
    assert_int_equal(rig.count, 0);
    assert_int_equal(event(&rig, "192.0.2.1", START + WEIR_MINUTE, "x")->step, 2);
    weir_ladder_free(&rig.ladder);
}

static void the_memory_ends_a_day_after_the_last_event(void **state)
{
    struct rig rig;
    (void)state;
    open_rig(&rig);
    event(&rig, "192.0.2.1", START, "x");
    weir_ladder_advance(rig.ladder, START + WEIR_DAY - 1);
    assert_int_equal(weir_ladder_counts(rig.ladder)->records, 1);
    weir_ladder_advance(rig.ladder, START + WEIR_DAY);
    assert_int_equal(weir_ladder_counts(rig.ladder)->records, 0);
    assert_int_equal(event(&rig, "192.0.2.1", START + WEIR_DAY, "x")->step, 0);
    weir_ladder_free(&rig.ladder);
}

static void the_last_step_lasts_twice_as_long_each_time_up_to_the_longest(void **state)
{
    static const int hours[] = {1, 2, 4, 8, 8, 8};
    struct rig rig;
    (void)state;
    open_rig(&rig);
    for (unsigned i = 0; i < 6; i++) {
        weir_time time = START + i * 10 * WEIR_HOUR;
        const struct weir_ladder_decision *d = event(&rig, "192.0.2.1", time, "strict");
        assert_int_equal(d->repeated, i);
        assert_true(d->ends == time + hours[i] * WEIR_HOUR);
    }
    weir_ladder_free(&rig.ladder);
}

static void an_event_that_is_still_raised_when_its_step_has_lasted_takes_the_next(void **state)
{
    struct weir_watch_event e = event_of("192.0.2.1", START, "x");
    struct rig rig;
    (void)state;
    open_rig(&rig);
    weir_ladder_event(rig.ladder, &e, START);
    e.quantity = WEIR_QUANTITY_CONNECTIONS; /* one quantity more is the same excess */
    weir_ladder_event(rig.ladder, &e, START);
    weir_ladder_advance(rig.ladder, START + 10 * WEIR_MINUTE - 1);
    assert_int_equal(rig.count, 1);
    weir_ladder_advance(rig.ladder, START + 10 * WEIR_MINUTE);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.decision[1].response, WEIR_RESPONSE_SCORE);
    e.raised = false;
    weir_ladder_event(rig.ladder, &e, START);
    weir_ladder_advance(rig.ladder, START + 20 * WEIR_MINUTE); /* messages are still over */
    assert_int_equal(rig.decision[2].response, WEIR_RESPONSE_DEFER);
    e.quantity = WEIR_QUANTITY_MESSAGES;
    weir_ladder_event(rig.ladder, &e, START);
    weir_ladder_advance(rig.ladder, START + WEIR_HOUR);
    assert_int_equal(rig.count, 3);
    weir_ladder_free(&rig.ladder);
}

static struct weir_watch_standing stands(void *context, const struct weir_prefix *prefix)
{
    const struct rig *rig = context;
    assert_int_equal(prefix->bits, 128);
    return rig->standing;
}

static void a_step_and_a_repetition_need_charges_beyond_the_limit_since_the_last_one(void **state)
{
    static const struct {
        unsigned raised, beyond;
        size_t decisions; /* until then */
    } hours[] = {{2, 7, 1}, {2, 7, 1}, {2, 8, 2}, {2, 8, 2}, {2, 9, 3}, {2, 20, 4}, {2, 20, 4},
                 {2, 21, 5}, {0, 0, 5}, {2, 30, 5}};
    struct weir_watch_event e = event_of("192.0.2.1", START, "x");
    struct weir_ladder_options o;
    struct rig rig;
    (void)state;
    o = options(&rig);
    o.standing = stands;
    open_with(&rig, o);
    rig.standing = (struct weir_watch_standing){2, 7, 1, 1};
    weir_ladder_event(rig.ladder, &e, START);
    for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
        rig.standing = (struct weir_watch_standing){hours[i].raised, hours[i].beyond, 5, 5};
        weir_ladder_advance(rig.ladder, START + (weir_time)(i + 1) * 2 * WEIR_HOUR);
        assert_int_equal(rig.count, hours[i].decisions);
    }
    assert_int_equal(rig.decision[4].repeated, 1);
    assert_int_equal(rig.decision[4].servers, 5);
    weir_ladder_free(&rig.ladder); /* at the end the watch said that nothing is raised any more */
}

static struct weir_watch_standing network_stands(void *context, const struct weir_prefix *prefix)
{
    (void)prefix;
    return ((const struct rig *)context)->standing;
}

/* Servers are heard one after the other: who accounts for it may change a moment later. */
static void a_network_is_blocked_as_soon_as_enough_servers_account_for_it(void **state)
{
    struct weir_watch_event e = event_of("192.0.2.0/24", START, "strict");
    struct weir_ladder_options o;
    struct rig rig;
    (void)state;
    o = options(&rig);
    o.standing = network_stands;
    open_with(&rig, o);
    e.servers = 1;
    rig.standing = (struct weir_watch_standing){2, 7, 1, 1};
    weir_ladder_event(rig.ladder, &e, START);
    assert_int_equal(rig.decision[0].response, WEIR_RESPONSE_ALERT);
    weir_ladder_advance(rig.ladder, START + WEIR_SECOND);
    assert_int_equal(rig.count, 1);
    rig.standing.servers = 3;
    weir_ladder_advance(rig.ladder, START + 2 * WEIR_SECOND);
    weir_ladder_advance(rig.ladder, START + 3 * WEIR_SECOND);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.decision[1].response, WEIR_RESPONSE_REJECT);
    assert_int_equal(rig.decision[1].servers, 3);
    assert_int_equal(rig.decision[1].repeated, 0);
    weir_ladder_free(&rig.ladder);
}

static void whom_one_must_not_block_is_alerted_instead(void **state)
{
    struct rig rig;
    const struct weir_ladder_decision *d;
    (void)state;
    open_rig(&rig);
    d = event(&rig, "10.1.2.3", START, "strict");
    assert_int_equal(d->response, WEIR_RESPONSE_ALERT);
    assert_int_equal(d->wanted, WEIR_RESPONSE_REJECT);
    assert_non_null(d->withheld);
    rig.spared = "acceptable";
    d = event(&rig, "192.0.2.1", START, "strict");
    assert_int_equal(d->response, WEIR_RESPONSE_ALERT);
    assert_string_equal(d->withheld, "acceptable");
    d = event(&rig, "192.0.2.9", START, "x"); /* an alert needs no leave */
    assert_null(d->withheld);
    rig.spared = NULL;
    d = event(&rig, "192.0.2.1", START + WEIR_HOUR, "strict"); /* tried again, not repeated */
    assert_int_equal(d->response, WEIR_RESPONSE_REJECT);
    assert_int_equal(d->repeated, 0);
    assert_int_equal(weir_ladder_counts(rig.ladder)->withheld, 2);
    assert_int_equal(weir_ladder_counts(rig.ladder)->blocks, 1);
    event(&rig, "10.1.2.4", START + WEIR_HOUR, "x");
    d = event(&rig, "10.1.2.4", START + 2 * WEIR_HOUR, "x"); /* another one at another server */
    assert_int_equal(d->wanted, WEIR_RESPONSE_SCORE);
    assert_int_equal(d->response, WEIR_RESPONSE_ALERT);
    weir_ladder_free(&rig.ladder);
}

static void a_network_is_blocked_only_when_enough_servers_saw_it(void **state)
{
    static const struct {
        const char *prefix;
        uint32_t servers;
        bool blocked;
    } cases[] = {{"192.0.2.0/24", 1, false},     {"192.0.2.0/24", 1 | 4, true},
                 {"2001:db8::/48", 8, false},    {"2001:db8:1::/56", 3, true},
                 {"2001:db8:2:3::/64", 1, true}, {"192.0.2.1", 1, true}};
    struct rig rig;
    (void)state;
    open_rig(&rig);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        weir_time now = START + (weir_time)i * WEIR_LADDER_WAIT; /* the same one comes twice */
        struct weir_watch_event e = event_of(cases[i].prefix, now, "strict");
        e.servers = cases[i].servers;
        weir_ladder_event(rig.ladder, &e, now);
        e.raised = false;
        weir_ladder_event(rig.ladder, &e, now);
        bool blocked = rig.decision[i].response == WEIR_RESPONSE_REJECT;
        if (blocked != cases[i].blocked)
            fail_msg("%s by %x: %d", cases[i].prefix, cases[i].servers, blocked);
    }
    weir_ladder_free(&rig.ladder);
}

static void what_is_observed_tells_what_would_have_been_done(void **state)
{
    struct weir_watch_event e = event_of("192.0.2.1", START, "strict");
    struct rig rig;
    (void)state;
    open_rig(&rig);
    e.observed = true;
    weir_ladder_event(rig.ladder, &e, START);
    assert_int_equal(rig.decision[0].response, WEIR_RESPONSE_OBSERVE);
    assert_int_equal(rig.decision[0].wanted, WEIR_RESPONSE_REJECT);
    assert_true(rig.decision[0].ends == 0);
    assert_int_equal(weir_ladder_counts(rig.ladder)->blocks, 0);
    weir_ladder_free(&rig.ladder);
}

static void ends_are_spread_and_the_same_each_time(void **state)
{
    struct rig rig, again;
    struct weir_ladder_options o = options(NULL);
    weir_time least = INT64_MAX, most = 0;
    (void)state;
    o.spared = NULL;
    o.jitter = 0.5;
    open_with(&rig, o);
    open_with(&again, o);
    for (unsigned i = 0; i < 40; i++) {
        char text[32];
        snprintf(text, sizeof(text), "192.0.2.%u", i);
        weir_time ends = event(&rig, text, START, "strict")->ends;
        assert_true(event(&again, text, START, "strict")->ends == ends);
        least = ends < least ? ends : least;
        most = ends > most ? ends : most;
    }
    assert_true(least >= START + WEIR_HOUR && most <= START + WEIR_HOUR * 3 / 2);
    assert_true(most - least > WEIR_HOUR / 4);
    weir_ladder_free(&rig.ladder);
    weir_ladder_free(&again.ladder);
}

static void what_was_undone_begins_at_the_first_step(void **state)
{
    struct weir_prefix net = prefix_of("192.0.2.0/24");
    struct rig rig;
    (void)state;
    open_rig(&rig);
    event(&rig, "192.0.2.1", START, "x");
    event(&rig, "192.0.3.1", START, "x");
    weir_ladder_undo(rig.ladder, &net);
    assert_int_equal(event(&rig, "192.0.2.1", START + WEIR_MINUTE, "x")->step, 0);
    assert_int_equal(event(&rig, "192.0.3.1", START + WEIR_MINUTE, "x")->step, 1);
    weir_ladder_free(&rig.ladder);
}

static void the_reason_says_what_was_measured(void **state)
{
    struct weir_watch_event e = event_of("192.0.2.0/24", START, "strict");
    struct rig rig;
    (void)state;
    open_rig(&rig);
    e.servers = 5;
    e.children = 4;
    weir_ladder_event(rig.ladder, &e, START);
    assert_string_equal(rig.decision[0].reason, "messages: 12.35/s, allowed 200 at 0.500/s "
                                                "(strict), servers 2, offenders 4, step 1");
    weir_ladder_free(&rig.ladder);
}

/* Events of so many addresses from a number on. */
static void tell_of_many(struct rig *rig, uint32_t from, uint32_t count, uint32_t servers)
{
    struct weir_watch_event e = event_of("192.0.2.1", START, "x");
    e.servers = servers;
    for (uint32_t i = from; i < from + count; i++) {
        e.prefix.address.octet[13] = (uint8_t)(i >> 16);
        e.prefix.address.octet[14] = (uint8_t)(i >> 8);
        e.prefix.address.octet[15] = (uint8_t)i;
        weir_ladder_event(rig->ladder, &e, START);
    }
}

static void records_up_to_the_limit_and_further_ones_are_counted(void **state)
{
    struct rig rig;
    (void)state;
    open_rig(&rig);
    tell_of_many(&rig, 0, WEIR_LADDER_RECORDS_MAX + 1, 3);
    assert_int_equal(weir_ladder_counts(rig.ladder)->records, WEIR_LADDER_RECORDS_MAX);
    assert_int_equal(weir_ladder_counts(rig.ladder)->forgotten, 1);
    assert_int_equal(weir_ladder_counts(rig.ladder)->decisions, WEIR_LADDER_RECORDS_MAX + 1);
    assert_true(rig.decision[(rig.count - 1) % SAVED].forgotten);
    weir_ladder_free(&rig.ladder);
}

static void one_server_alone_takes_up_half_of_the_records_and_others_have_room(void **state)
{
    const uint32_t thief = 1, honest = 2, half = WEIR_LADDER_RECORDS_MAX / 2;
    struct weir_watch_event untracked = event_of("198.51.100.1", START, "x");
    struct rig rig;
    (void)state;
    open_rig(&rig);
    tell_of_many(&rig, 0, 2 * half, thief);
    assert_int_equal(weir_ladder_counts(rig.ladder)->records, half);
    assert_int_equal(weir_ladder_counts(rig.ladder)->forgotten, half);
    tell_of_many(&rig, 2 * half, 100, honest);
    tell_of_many(&rig, 2 * half + 100, 100, thief | honest);
    assert_int_equal(weir_ladder_counts(rig.ladder)->records, half + 200);
    untracked.untracked = true;
    untracked.servers = honest;
    weir_ladder_event(rig.ladder, &untracked, START);
    assert_int_equal(weir_ladder_counts(rig.ladder)->records, half + 200);
    weir_ladder_advance(rig.ladder, START + WEIR_MINUTE);
    weir_ladder_free(&rig.ladder);
}

static int try_class(struct weir_ladder_class class, size_t count, double jitter)
{
    struct weir_ladder_class classes[WEIR_LADDER_CLASSES_MAX + 1];
    struct weir_ladder_options o = options(NULL);
    struct weir_ladder *ladder = NULL;
    for (size_t i = 0; i <= WEIR_LADDER_CLASSES_MAX; i++)
        classes[i] = class;
    o.classes = classes;
    o.class_count = count;
    o.jitter = jitter;
    int rc = weir_ladder_new(&o, save, NULL, &ladder);
    weir_ladder_free(&ladder);
    return rc;
}

static void ladders_out_of_range_are_refused(void **state)
{
    struct weir_ladder_class class = steps;
    (void)state;
    assert_int_equal(try_class(class, WEIR_LADDER_CLASSES_MAX, 1), 0);
    assert_int_equal(try_class(class, WEIR_LADDER_CLASSES_MAX + 1, 0), WEIR_ELIMIT);
    assert_int_equal(try_class(class, 0, 0), WEIR_EINVAL);
    assert_int_equal(try_class(class, 1, 1.5), WEIR_EINVAL);
    for (size_t i = 4; i < WEIR_LADDER_STEPS_MAX; i++)
        class.step[i] = class.step[0];
    class.steps = WEIR_LADDER_STEPS_MAX;
    assert_int_equal(try_class(class, 1, 0), 0);
    class.steps++;
    assert_int_equal(try_class(class, 1, 0), WEIR_ELIMIT);
    class.steps = 0;
    assert_int_equal(try_class(class, 1, 0), WEIR_EINVAL);
    class.steps = 1;
    class.step[0].lasts = 0;
    assert_int_equal(try_class(class, 1, 0), WEIR_EINVAL);
    class.step[0] = (struct weir_ladder_step){WEIR_RESPONSE_SCORE, -1, WEIR_HOUR};
    assert_int_equal(try_class(class, 1, 0), WEIR_EINVAL);
}

static void responses_have_names(void **state)
{
    (void)state;
    assert_string_equal(weir_response_name(WEIR_RESPONSE_OBSERVE), "observe");
    assert_string_equal(weir_response_name(WEIR_RESPONSE_REJECT), "reject");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_within_the_memory_takes_the_next_step),
        cmocka_unit_test(what_is_told_at_once_climbs_one_step_whatever_times_it_claims),
        cmocka_unit_test(a_step_lasts_from_now_and_from_the_future_an_event_claims),
        cmocka_unit_test(a_short_step_has_half_of_its_length_to_work),
        cmocka_unit_test(an_event_that_came_early_and_goes_on_climbs_when_its_step_has_lasted),
        cmocka_unit_test(a_clock_that_is_put_back_holds_nobody_for_longer_than_the_wait),
        cmocka_unit_test(what_another_one_knew_waits_as_it_did_there),
        cmocka_unit_test(the_memory_ends_a_day_after_the_last_event),
        cmocka_unit_test(the_last_step_lasts_twice_as_long_each_time_up_to_the_longest),
        cmocka_unit_test(an_event_that_is_still_raised_when_its_step_has_lasted_takes_the_next),
        cmocka_unit_test(a_step_and_a_repetition_need_charges_beyond_the_limit_since_the_last_one),
        cmocka_unit_test(a_network_is_blocked_as_soon_as_enough_servers_account_for_it),
        cmocka_unit_test(whom_one_must_not_block_is_alerted_instead),
        cmocka_unit_test(a_network_is_blocked_only_when_enough_servers_saw_it),
        cmocka_unit_test(what_is_observed_tells_what_would_have_been_done),
        cmocka_unit_test(ends_are_spread_and_the_same_each_time),
        cmocka_unit_test(what_was_undone_begins_at_the_first_step),
        cmocka_unit_test(the_reason_says_what_was_measured),
        cmocka_unit_test(records_up_to_the_limit_and_further_ones_are_counted),
        cmocka_unit_test(one_server_alone_takes_up_half_of_the_records_and_others_have_room),
        cmocka_unit_test(ladders_out_of_range_are_refused),
        cmocka_unit_test(responses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
