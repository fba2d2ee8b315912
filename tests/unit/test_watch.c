/*
 * The watch, sentence by sentence of its header (watch.c, watch_events.c, alarms.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "tests/unit/watched.h"

/* Ten messages at once, one a second. */
static const struct weir_watch_class everybody = {
    .name = "default", .limits = {{[WEIR_QUANTITY_MESSAGES] = {1, 10}}}};

/* The claims. ------------------------------------------------------------ */

static void one_event_where_no_server_alone_sees_the_excess(void **state)
{
    static const struct weir_watch_class fifty = {
        .name = "default", .limits = {{[WEIR_QUANTITY_CONNECTIONS] = {0, 50}}}};
    struct watched w;
    (void)state;
    watched_open(&w, &fifty, 1, NULL);
    for (uint32_t i = 0; i < 60; i++)
        weir_watch_charge(w.watch, &(struct weir_charge){
            WATCHED_START + i * WEIR_SECOND / 10, watched_address("192.0.2.7"), {1}, 1 + i % 2});
    assert_int_equal(w.count, 1);
    assert_true(watched_is(&w, true, "192.0.2.7"));
    const struct weir_watch_event *event = watched_last(&w);
    assert_int_equal(event->quantity, WEIR_QUANTITY_CONNECTIONS);
    assert_int_equal(event->servers, 1 << 1 | 1 << 2);
    assert_true(event->time == WATCHED_START + 50 * WEIR_SECOND / 10 && event->tokens == -1);
    assert_true(event->limit.maximum == 50 && event->limit.rate == 0);
    assert_true(fabs(event->rate - 10) < 1.0);
    watched_close(&w);
}

static bool listed(void *context, weir_time time, const struct weir_address *address)
{
    bool on = *(const bool *)context;
    struct weir_address it = watched_address("192.0.2.7");
    return on && time >= WATCHED_START && weir_address_equal(address, &it);
}

static void A26_an_acceptable_address_has_no_event_and_not_even_a_bucket(void **state)
{
    bool on = true;
    struct weir_watch_options options = {.wider = 4, .children = 2, .addresses = 100,
                                         .accepted = listed, .context = &on};
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, &options);
    watched_charge(&w, "192.0.2.7", 0, 100);
    assert_int_equal(w.count, 0);
    assert_int_equal(weir_watch_counts(w.watch)->accepted, 1);
    assert_true(watched_tokens(&w, "192.0.2.7", 0) == 10);
    assert_true(watched_tokens(&w, "192.0.2.0/24", 0) == 40);
    on = false;
    watched_charge(&w, "192.0.2.7", 0, 100);
    assert_true(watched_is(&w, true, "192.0.2.7"));
    assert_int_equal(weir_watch_counts(w.watch)->accepted, 1);
    watched_close(&w);
}

/* Classes. --------------------------------------------------------------- */

static void the_class_of_the_longest_prefix_says_the_limits(void **state)
{
    struct weir_prefix wide = watched_prefix("198.51.0.0/16"),
                       narrow = watched_prefix("198.51.100.0/24");
    struct weir_watch_class classes[] = {
        {"wide", &wide, 1, {{[1] = {1, 20}}}, true},
        everybody,
        {"narrow", &narrow, 1, {{[1] = {1, 5}}}, false},
    };
    struct watched w;
    (void)state;
    watched_open(&w, classes, 3, NULL);
    watched_charge(&w, "198.51.100.1", 0, 5);
    watched_charge(&w, "198.51.101.1", 0, 20);
    watched_charge(&w, "198.52.0.1", 0, 10);
    assert_int_equal(w.count, 0);
    watched_charge(&w, "198.51.100.1", 0, 1);
    assert_string_equal(watched_last(&w)->class_name, "narrow");
    watched_charge(&w, "198.51.101.1", 0, 1);
    assert_string_equal(watched_last(&w)->class_name, "wide");
    assert_true(watched_last(&w)->observed);
    watched_charge(&w, "198.52.0.1", 0, 1);
    assert_string_equal(watched_last(&w)->class_name, "default");
    assert_false(watched_last(&w)->observed);
    watched_close(&w);
}

static void a_class_for_a_part_of_a_network_is_an_exception_from_it(void **state)
{
    struct weir_prefix host = watched_prefix("192.0.2.7");
    struct weir_watch_class classes[] = {
        everybody, {"partner", &host, 1, {{[1] = {0, 1000}}}, false}};
    struct watched w;
    (void)state;
    watched_open(&w, classes, 2, NULL);
    watched_charge(&w, "192.0.2.7", 0, 900);
    assert_true(watched_tokens(&w, "192.0.2.7", 0) == 100);
    assert_true(watched_tokens(&w, "192.0.2.0/24", 0) == 40);
    watched_charge(&w, "192.0.2.8", 0, 3);
    assert_true(watched_tokens(&w, "192.0.2.0/24", 0) == 37);
    watched_close(&w);
}

static int open_classes(const struct weir_watch_class *classes, size_t n)
{
    struct weir_watch_options options = {.classes = classes, .class_count = n, .wider = 8,
                                         .children = 3, .addresses = 10};
    struct weir_watch *watch = NULL;
    int rc = weir_watch_new(&options, NULL, NULL, &watch);
    weir_watch_free(&watch);
    return rc;
}

static void classes_are_refused_that_do_not_say_one_thing(void **state)
{
    struct weir_prefix net[2] = {watched_prefix("192.0.2.0/24"), watched_prefix("::/0")};
    struct weir_watch_class two[] = {everybody, everybody};
    struct weir_watch_class twice[] = {everybody,
                                       {"a", net, 2, {{{0, 0}}}, false},
                                       {"b", net, 1, {{{0, 0}}}, false}};
    struct weir_watch_class bad = everybody;
    (void)state;
    assert_int_equal(open_classes(two, 0), WEIR_EINVAL);
    assert_int_equal(open_classes(two, 1), 0);
    assert_int_equal(open_classes(two, 2), WEIR_EINVAL);
    assert_int_equal(open_classes(twice, 2), 0);
    assert_int_equal(open_classes(twice, 3), WEIR_EINVAL);
    bad.limits.of[0] = (struct weir_limit){-1, 5};
    assert_int_equal(open_classes(&bad, 1), WEIR_EINVAL);
}

static void classes_and_prefixes_up_to_the_limit_and_not_one_more(void **state)
{
    static struct weir_watch_class classes[WEIR_WATCH_CLASSES_MAX + 1];
    struct weir_prefix *prefix = calloc(WEIR_WATCH_PREFIXES_MAX + 1, sizeof(*prefix));
    (void)state;
    for (uint32_t i = 0; i <= WEIR_WATCH_PREFIXES_MAX; i++)
        prefix[i] = (struct weir_prefix){
            {{0x20, 1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}}, 40};
    for (size_t i = 0; i <= WEIR_WATCH_CLASSES_MAX; i++)
        classes[i] = (struct weir_watch_class){"x", prefix + i, i > 0, everybody.limits, false};
    assert_int_equal(open_classes(classes, WEIR_WATCH_CLASSES_MAX), 0);
    assert_int_equal(open_classes(classes, WEIR_WATCH_CLASSES_MAX + 1), WEIR_ELIMIT);
    classes[1].prefixes = prefix;
    classes[1].prefix_count = WEIR_WATCH_PREFIXES_MAX;
    assert_int_equal(open_classes(classes, 2), 0);
    classes[1].prefix_count++;
    assert_int_equal(open_classes(classes, 2), WEIR_ELIMIT);
    free(prefix);
}

/* Ends. ------------------------------------------------------------------ */

static void a_charge_that_finds_half_clears(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 12);
    watched_charge(&w, "192.0.2.1", 6, 0);
    assert_int_equal(w.count, 1);
    watched_charge(&w, "192.0.2.1", 7, 1);
    assert_int_equal(w.count, 2);
    assert_true(watched_is(&w, false, "192.0.2.1"));
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 0);
    watched_close(&w);
}

static void an_event_ends_though_its_bucket_has_been_forgotten(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 12);
    for (uint32_t i = 0; i < 1000; i++) { /* each lets go of what is full */
        struct weir_address a = {{0x20, 1, (uint8_t)(i >> 8), (uint8_t)i}};
        weir_watch_charge(w.watch, &(struct weir_charge){
            WATCHED_START + WEIR_HOUR, a, {[WEIR_QUANTITY_MESSAGES] = 1}, 1});
    }
    assert_int_equal(w.count, 1);
    watched_charge(&w, "192.0.2.1", 3600, 1);
    assert_int_equal(w.count, 2);
    assert_true(watched_is(&w, false, "192.0.2.1"));
    watched_close(&w);
}

static void silence_clears_nothing_and_certain_time_does(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 12);
    for (int i = 0; i < 1000; i++)
        watched_charge(&w, "198.51.100.1", 60 * i, 1);
    assert_int_equal(w.count, 1);
    weir_watch_advance(w.watch, WATCHED_START + 7 * WEIR_SECOND - 1);
    assert_int_equal(w.count, 1);
    weir_watch_advance(w.watch, WATCHED_START + 7 * WEIR_SECOND + 1);
    assert_true(watched_is(&w, false, "192.0.2.1"));
    assert_true(watched_last(&w)->time == WATCHED_START + 7 * WEIR_SECOND + 1);
    watched_close(&w);
}

static void charges_postpone_the_end(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 12);
    watched_charge(&w, "192.0.2.1", 5, 4);
    weir_watch_advance(w.watch, WATCHED_START + 10 * WEIR_SECOND);
    assert_int_equal(w.count, 1);
    weir_watch_advance(w.watch, WATCHED_START + 11 * WEIR_SECOND + 1);
    assert_int_equal(w.count, 2);
    watched_close(&w);
}

static void without_a_rate_an_event_ends_a_day_after_the_last_charge(void **state)
{
    static const struct weir_watch_class class = {
        .name = "default", .limits = {{{1, 10}, {0, 10}}}};
    struct watched w;
    (void)state;
    watched_open(&w, &class, 1, NULL);
    struct weir_charge charge = {WATCHED_START, watched_address("192.0.2.1"), {11, 11}, 1};
    weir_watch_charge(w.watch, &charge);
    assert_int_equal(w.count, 2);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_MINUTE);
    assert_int_equal(w.count, 3);
    assert_int_equal(watched_last(&w)->quantity, WEIR_QUANTITY_CONNECTIONS);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_DAY - 1);
    assert_int_equal(w.count, 3);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_DAY);
    assert_int_equal(w.count, 4);
    watched_close(&w);
}

/* Less than the limits allow, told in one batch after an hour without a word of anybody. */
static void an_hour_told_at_once_after_silence_was_an_hour(void **state)
{
    enum { HOUR = 3600 };
    struct weir_charge charge[HOUR / 2];
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 1);
    weir_watch_advance(w.watch, WATCHED_START);
    for (int i = 0; i < HOUR / 2; i++)
        charge[i] = (struct weir_charge){WATCHED_START + 2 * (i + 1) * WEIR_SECOND,
                                         watched_address("192.0.2.1"),
                                         {[WEIR_QUANTITY_MESSAGES] = 1}, 1};
    weir_watch_charge_all(w.watch, charge, HOUR / 2);
    assert_int_equal(w.count, 0);
    watched_charge(&w, "192.0.2.1", HOUR, 10);
    assert_int_equal(w.count, 1);
    assert_true(watched_last(&w)->time == WATCHED_START + HOUR * WEIR_SECOND);
    watched_close(&w);
}

static void what_is_a_minute_older_than_the_newest_is_late(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 100, 1);
    watched_charge(&w, "192.0.2.2", 40, 1);
    assert_int_equal(weir_watch_counts(w.watch)->late, 0);
    watched_charge(&w, "192.0.2.2", 39.9, 1);
    assert_int_equal(weir_watch_counts(w.watch)->late, 1);
    watched_close(&w);
}

static void missing_data_never_clears_an_event(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 11);
    weir_watch_blind(w.watch, 1 << 1);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_HOUR);
    assert_int_equal(w.count, 1);
    weir_watch_charge(w.watch, &(struct weir_charge){ /* another one saw it, too */
        WATCHED_START + WEIR_HOUR, watched_address("192.0.2.1"), {0, 1}, 2});
    assert_int_equal(w.count, 1);
    weir_watch_blind(w.watch, 1 << 2); /* which saw no excess */
    weir_watch_advance(w.watch, WATCHED_START + WEIR_HOUR + WEIR_MINUTE);
    assert_int_equal(w.count, 2);
    assert_true(watched_is(&w, false, "192.0.2.1"));
    watched_close(&w);
}

static void a_clock_that_was_ahead_counts_for_no_longer_than_it_was(void **state)
{
    const double day = 86400;
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", day, 11);
    watched_charge(&w, "192.0.2.2", day, 1);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_DAY);
    assert_int_equal(w.count, 1);
    weir_watch_rebase(w.watch, WATCHED_START);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_MINUTE);
    assert_int_equal(w.count, 2);
    assert_true(watched_is(&w, false, "192.0.2.1"));
    for (unsigned second = 0; second < 20; second++)
        watched_charge(&w, "192.0.2.2", 60 + second, 3);
    assert_int_equal(w.count, 3);
    assert_true(watched_is(&w, true, "192.0.2.2"));
    assert_int_equal(weir_watch_counts(w.watch)->late, 0);
    watched_close(&w);
}

/* The analyst. ----------------------------------------------------------- */

static void a_reset_fills_the_buckets_of_a_prefix_and_of_offenders_below(void **state)
{
    struct weir_prefix one = watched_prefix("192.0.2.1"), net = watched_prefix("192.0.0.0/16");
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 30);
    watched_charge(&w, "192.0.2.2", 0, 30);
    watched_charge(&w, "192.0.2.3", 0, 3);
    watched_charge(&w, "192.1.2.3", 0, 30);
    assert_int_equal(w.count, 4);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 4);
    weir_watch_reset(w.watch, &one);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 3);
    assert_true(watched_tokens(&w, "192.0.2.1", 0) == 10);
    assert_true(watched_tokens(&w, "192.0.2.2", 0) == -10);
    weir_watch_reset(w.watch, &net);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 1);
    assert_true(watched_tokens(&w, "192.0.2.2", 0) == 10);
    assert_true(watched_tokens(&w, "192.0.2.0/24", 0) == 40);
    assert_true(watched_tokens(&w, "192.0.2.3", 0) == 7); /* raised nothing */
    assert_true(watched_tokens(&w, "192.1.2.3", 0) == -10);
    assert_int_equal(w.count, 7);
    for (size_t i = 4; i < 7; i++)
        assert_false(w.event[i].raised);
    watched_charge(&w, "192.0.2.1", 0, 11); /* told anew */
    assert_int_equal(w.count, 8);
    watched_close(&w);
}

static void the_watch_says_what_stands_and_whether_more_came_beyond_the_limit(void **state)
{
    struct weir_prefix one = watched_prefix("192.0.2.1"), two = watched_prefix("192.0.2.2");
    struct weir_prefix six = watched_prefix("2001:db8::7");
    struct weir_watch_standing first, now;
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    assert_int_equal(weir_watch_standing(w.watch, &one).raised, 0);
    watched_charge(&w, "192.0.2.1", 0, 11);
    first = weir_watch_standing(w.watch, &one);
    assert_int_equal(first.raised, 1 << WEIR_QUANTITY_MESSAGES);
    assert_true(first.beyond > 0);
    assert_int_equal(first.seen, 1 << 1);
    watched_charge(&w, "192.0.2.2", 1, 11); /* another one's */
    watched_charge(&w, "192.0.2.1", 3, 1);  /* over, but there are tokens for it */
    now = weir_watch_standing(w.watch, &one);
    assert_true(now.raised == first.raised && now.beyond == first.beyond);
    watched_charge(&w, "192.0.2.1", 3, 9);
    assert_true(weir_watch_standing(w.watch, &one).beyond > first.beyond);
    weir_watch_charge(w.watch, &(struct weir_charge){
        .time = WATCHED_START + 4 * WEIR_SECOND, .address = one.address, .server = 3,
        .quantity = {[WEIR_QUANTITY_MESSAGES] = 1}});
    assert_int_equal(weir_watch_standing(w.watch, &one).seen, 1 << 1 | 1 << 3);
    weir_watch_reset(w.watch, &one);
    assert_int_equal(weir_watch_standing(w.watch, &one).raised, 0);
    assert_true(weir_watch_standing(w.watch, &two).raised != 0);
    watched_charge(&w, "2001:db8::1", 3, 11); /* an IPv6 address is its /64 */
    assert_true(weir_watch_standing(w.watch, &six).raised != 0);
    assert_int_equal(weir_watch_own(&six).bits, 64);
    watched_close(&w);
}

static void what_is_left_out_stands_and_its_end_is_not_told(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    w.leaves_out = true;
    watched_charge(&w, "192.0.2.1", 0, 11);
    assert_int_equal(w.count, 1);
    watched_charge(&w, "192.0.2.1", 1, 11);
    assert_int_equal(w.count, 1);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 1);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_HOUR);
    assert_int_equal(w.count, 1);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 0);
    watched_charge(&w, "192.0.2.1", 7200, 11); /* again, and for a moment */
    watched_charge(&w, "192.0.2.1", 7300, 1);
    assert_int_equal(w.count, 2);
    w.leaves_out = false;
    watched_charge(&w, "192.0.2.1", 14400, 11);
    assert_true(watched_is(&w, true, "192.0.2.1"));
    weir_watch_advance(w.watch, WATCHED_START + 5 * WEIR_HOUR);
    assert_int_equal(w.count, 4);
    assert_true(watched_is(&w, false, "192.0.2.1"));
    watched_close(&w);
}

static void what_is_left_out_is_told_by_the_word_of_others(void **state)
{
    struct weir_charge charge = {.address = watched_address("192.0.2.1"), .server = 2,
                                 .time = WATCHED_START + 2 * WEIR_SECOND};
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    w.leaves_out = true;
    watched_charge(&w, "192.0.2.1", 0, 11);
    assert_int_equal(w.count, 1);
    w.leaves_out = false;
    watched_charge(&w, "192.0.2.1", 1, 11); /* once more by the same server */
    assert_int_equal(w.count, 1);
    weir_watch_blind(w.watch, 1u << 1); /* which falls silent */
    charge.quantity[WEIR_QUANTITY_MESSAGES] = 11;
    weir_watch_charge(w.watch, &charge);
    assert_int_equal(w.count, 2);
    assert_true(watched_is(&w, true, "192.0.2.1"));
    assert_int_equal(watched_last(&w)->servers, 1u << 1 | 1u << 2);
    weir_watch_charge(w.watch, &charge);
    assert_int_equal(w.count, 2);
    weir_watch_blind(w.watch, 0);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_HOUR);
    assert_int_equal(w.count, 3);
    assert_true(watched_is(&w, false, "192.0.2.1"));
    watched_close(&w);
}

/* Limits. ---------------------------------------------------------------- */

static struct weir_address numbered(uint32_t number)
{
    return (struct weir_address){{[10] = 0xff, [11] = 0xff, [12] = 10,
                                  [13] = (uint8_t)(number >> 16), [14] = (uint8_t)(number >> 8),
                                  [15] = (uint8_t)number}};
}

/* Seen by two servers: what one alone saw is limited otherwise. */
static void charge_number(struct watched *w, uint32_t number)
{
    struct weir_address a = numbered(number);
    weir_watch_charge(w->watch, &(struct weir_charge){WATCHED_START, a, {0, 6}, 2});
    weir_watch_charge(w->watch, &(struct weir_charge){WATCHED_START, a, {0, 5}, 1});
}

static void charge_alone(struct watched *w, uint32_t number, uint32_t server)
{
    weir_watch_charge(w->watch, &(struct weir_charge){WATCHED_START, numbered(number), {0, 11},
                                                      server});
}

static void events_up_to_the_limit_are_tracked_and_one_more_is_told_once(void **state)
{
    struct weir_watch_options options = {.wider = 1e6, .children = 2,
                                         .addresses = WEIR_WATCH_ALARMS_MAX + 1000};
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, &options);
    for (uint32_t i = 0; i < WEIR_WATCH_ALARMS_MAX; i++)
        charge_number(&w, i);
    const struct weir_watch_counts *counts = weir_watch_counts(w.watch);
    assert_int_equal(counts->alarms, WEIR_WATCH_ALARMS_MAX);
    assert_int_equal(counts->untracked, 0);
    for (int i = 0; i < 3; i++)
        charge_number(&w, WEIR_WATCH_ALARMS_MAX);
    counts = weir_watch_counts(w.watch);
    assert_int_equal(counts->events, WEIR_WATCH_ALARMS_MAX + 1);
    assert_int_equal(counts->untracked, 1);
    assert_int_equal(counts->evicted, 0);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_MINUTE);
    counts = weir_watch_counts(w.watch);
    assert_int_equal(counts->alarms, 0);
    assert_int_equal(counts->cleared, WEIR_WATCH_ALARMS_MAX);
    charge_number(&w, WEIR_WATCH_ALARMS_MAX + 1); /* there is room again */
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 1);
    watched_close(&w);
}

/* What one server alone sees does not take the room of what the others see. */
static void one_server_takes_up_half_of_the_alarms_and_the_others_have_room(void **state)
{
    struct weir_watch_options options = {.wider = 1e6, .children = 2, .addresses = 1000};
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, &options);
    for (uint32_t i = 0; i < 1000; i++)
        charge_alone(&w, i, 7);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 500);
    assert_int_equal(weir_watch_counts(w.watch)->untracked, 500);
    assert_true(watched_last(&w)->untracked);
    for (uint32_t i = 0; i < 200; i++)
        charge_alone(&w, 1000 + i, 8);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 700);
    assert_false(watched_last(&w)->untracked);
    for (uint32_t i = 0; i < 100; i++)
        charge_number(&w, 2000 + i);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 800);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_MINUTE);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 0);
    charge_alone(&w, 3000, 7);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 1);
    watched_close(&w);
}

static void what_found_no_room_is_told_when_there_is_room_by_the_word_of_others(void **state)
{
    struct weir_watch_options options = {.wider = 1e6, .children = 2, .addresses = 1000};
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, &options);
    w.leaves_out = true;
    for (uint32_t i = 0; i < 600; i++)
        charge_alone(&w, i, 7);
    assert_int_equal(weir_watch_counts(w.watch)->untracked, 100);
    w.leaves_out = false;
    charge_alone(&w, 599, 7); /* nothing more by that word */
    assert_int_equal(w.count, 600);
    charge_alone(&w, 599, 8);
    charge_alone(&w, 599, 8);
    assert_int_equal(w.count, 601);
    assert_true(watched_last(&w)->raised && !watched_last(&w)->untracked);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_MINUTE);
    assert_int_equal(w.count, 602);
    assert_int_equal(weir_watch_counts(w.watch)->untracked, 100);
    watched_close(&w);
}

static void a_flood_of_random_networks_takes_no_memory_and_blames_nobody(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 30);
    size_t octets = weir_watch_octets(w.watch);
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t r = i * UINT32_C(2654435761);
        struct weir_address a = {{0x20, 1, (uint8_t)(r >> 24), (uint8_t)(r >> 16),
                                  (uint8_t)(r >> 8), (uint8_t)r, (uint8_t)i}};
        weir_watch_charge(w.watch, &(struct weir_charge){WATCHED_START, a, {1, 1, 1}, 1});
    }
    assert_int_equal(w.count, 1);
    assert_int_equal(weir_watch_octets(w.watch), octets);
    assert_true(weir_watch_counts(w.watch)->evicted > 90000);
    assert_true(watched_tokens(&w, "192.0.2.1", 0) == -10);
    watched_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_event_where_no_server_alone_sees_the_excess),
        cmocka_unit_test(A26_an_acceptable_address_has_no_event_and_not_even_a_bucket),
        cmocka_unit_test(the_class_of_the_longest_prefix_says_the_limits),
        cmocka_unit_test(a_class_for_a_part_of_a_network_is_an_exception_from_it),
        cmocka_unit_test(classes_are_refused_that_do_not_say_one_thing),
        cmocka_unit_test(classes_and_prefixes_up_to_the_limit_and_not_one_more),
        cmocka_unit_test(a_charge_that_finds_half_clears),
        cmocka_unit_test(an_event_ends_though_its_bucket_has_been_forgotten),
        cmocka_unit_test(silence_clears_nothing_and_certain_time_does),
        cmocka_unit_test(charges_postpone_the_end),
        cmocka_unit_test(without_a_rate_an_event_ends_a_day_after_the_last_charge),
        cmocka_unit_test(an_hour_told_at_once_after_silence_was_an_hour),
        cmocka_unit_test(what_is_a_minute_older_than_the_newest_is_late),
        cmocka_unit_test(missing_data_never_clears_an_event),
        cmocka_unit_test(a_clock_that_was_ahead_counts_for_no_longer_than_it_was),
        cmocka_unit_test(a_reset_fills_the_buckets_of_a_prefix_and_of_offenders_below),
        cmocka_unit_test(the_watch_says_what_stands_and_whether_more_came_beyond_the_limit),
        cmocka_unit_test(what_is_left_out_stands_and_its_end_is_not_told),
        cmocka_unit_test(what_is_left_out_is_told_by_the_word_of_others),
        cmocka_unit_test(events_up_to_the_limit_are_tracked_and_one_more_is_told_once),
        cmocka_unit_test(one_server_takes_up_half_of_the_alarms_and_the_others_have_room),
        cmocka_unit_test(what_found_no_room_is_told_when_there_is_room_by_the_word_of_others),
        cmocka_unit_test(a_flood_of_random_networks_takes_no_memory_and_blames_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
