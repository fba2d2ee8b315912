/*
 * What another watch raised is taken up again, and ends as it would have ended there
 * (watch_events.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "tests/unit/watched.h"

static const struct weir_watch_class everybody = {
    .name = "default", .limits = {{[WEIR_QUANTITY_MESSAGES] = {1, 10}}}};

static struct weir_watch_event standing(const char *prefix)
{
    return (struct weir_watch_event){.raised = true, .time = WATCHED_START - WEIR_HOUR,
                                     .prefix = watched_prefix(prefix), .servers = 6,
                                     .quantity = WEIR_QUANTITY_MESSAGES, .limit = {3, 99}};
}

static const char *resume(struct watched *w, struct weir_watch_event *event)
{
    const char *why = weir_watch_resume(w->watch, event, WATCHED_START);

    return why ? why : "";
}

static void it_is_not_raised_again_and_ends_at_half(void **state)
{
    struct weir_watch_event event = standing("192.0.2.1");
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    assert_string_equal(resume(&w, &event), "");
    assert_string_equal(event.class_name, "default");
    assert_true(event.limit.maximum == 10 && event.limit.rate == 1);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 1);
    watched_charge(&w, "192.0.2.1", 0, 1);
    assert_int_equal(w.count, 0);
    weir_watch_advance(w.watch, WATCHED_START + 5 * WEIR_SECOND);
    assert_int_equal(w.count, 0);
    weir_watch_advance(w.watch, WATCHED_START + 9 * WEIR_SECOND);
    assert_int_equal(w.count, 1);
    assert_false(watched_last(&w)->raised);
    watched_charge(&w, "192.0.2.1", 10, 11);
    assert_int_equal(w.count, 2);
    assert_true(watched_last(&w)->raised);
    watched_close(&w);
}

static void whoever_goes_on_stays_over(void **state)
{
    struct weir_watch_event event = standing("192.0.2.1");
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    assert_string_equal(resume(&w, &event), "");
    for (int second = 1; second < 60; second++) {
        watched_charge(&w, "192.0.2.1", second, 1);
        weir_watch_advance(w.watch, WATCHED_START + second * WEIR_SECOND);
    }
    assert_int_equal(w.count, 0);
    watched_close(&w);
}

static void networks_and_their_offenders_are_taken_up_in_any_order(void **state)
{
    static const char *const order[][3] = {
        {"192.0.2.0/24", "192.0.2.1", "192.0.2.2"}, {"192.0.2.2", "192.0.2.1", "192.0.2.0/24"},
        {"2001:db8:1:100::/56", "2001:db8:1:100::/64", "2001:db8:1:101::/64"}};
    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct watched w;

        watched_open(&w, &everybody, 1, NULL);
        for (size_t k = 0; k < 3; k++) {
            struct weir_watch_event event = standing(order[i][k]);
            assert_string_equal(resume(&w, &event), "");
        }
        assert_int_equal(weir_watch_counts(w.watch)->alarms, 3);
        weir_watch_advance(w.watch, WATCHED_START + WEIR_MINUTE);
        assert_int_equal(w.count, 3);
        assert_int_equal(weir_watch_counts(w.watch)->alarms, 0);
        watched_close(&w);
    }
}

static bool accepts_2(void *context, weir_time time, const struct weir_address *address)
{
    (void)context, (void)time;
    return address->octet[15] == 2;
}

static void what_cannot_be_taken_up_is_told_with_the_reason(void **state)
{
    static const struct {
        const char *prefix, *word;
        enum weir_quantity quantity;
    } cases[] = {
        {"192.0.2.1", "", WEIR_QUANTITY_MESSAGES},
        {"192.0.2.1", "later one", WEIR_QUANTITY_MESSAGES},
        {"192.0.2.1", "no limit", WEIR_QUANTITY_CONNECTIONS},
        {"192.0.2.2", "acceptable", WEIR_QUANTITY_MESSAGES},
        {"192.0.0.0/16", "no address or network", WEIR_QUANTITY_MESSAGES},
    };
    struct weir_watch_options options = {.wider = 4, .children = 2, .addresses = 1000,
                                         .accepted = accepts_2};
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, &options);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_watch_event event = standing(cases[i].prefix);
        const char *why;

        event.quantity = cases[i].quantity;
        why = resume(&w, &event);
        assert_true(cases[i].word[0] ? strstr(why, cases[i].word) != NULL : why[0] == '\0');
    }
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 1);
    assert_int_equal(w.count, 0);
    watched_close(&w);
}

static void one_more_than_there_is_room_for_is_not_taken_up(void **state)
{
    struct weir_watch_options options = {.wider = 4, .children = 2, .addresses = 2};
    static const char *const why[] = {"", "", "too many stand"};
    struct watched w;
    char text[32];
    (void)state;
    watched_open(&w, &everybody, 1, &options);
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "192.0.%d.1", i);
        struct weir_watch_event event = standing(text);
        assert_string_equal(resume(&w, &event), why[i]);
    }
    assert_true(watched_tokens(&w, "192.0.2.1", 0) == 10);
    watched_close(&w);
}

static void what_was_charged_before_is_restored_and_raises_nothing(void **state)
{
    static const struct weir_watch_class slow = {
        .name = "default", .limits = {{[WEIR_QUANTITY_MESSAGES] = {1 / 60.0, 10}}}};
    struct weir_charge charge = {WATCHED_START, watched_address("192.0.2.1"), {0, 8}, 1};
    struct watched w;
    (void)state;
    watched_open(&w, &slow, 1, NULL);
    assert_true(weir_watch_span(w.watch) == 10 * WEIR_MINUTE);
    weir_watch_restore(w.watch, &charge);
    charge.time += WEIR_MINUTE;
    weir_watch_restore(w.watch, &charge); /* 15 of 10: never beyond */
    assert_int_equal(w.count, 0);
    assert_int_equal(weir_watch_counts(w.watch)->charges, 0);
    assert_true(watched_tokens(&w, "192.0.2.1", 60) == 0);
    assert_true(watched_tokens(&w, "192.0.2.0/24", 60) == 28);
    watched_charge(&w, "192.0.2.1", 120, 2); /* one has come back */
    assert_int_equal(w.count, 1);
    assert_true(watched_last(&w)->raised);
    watched_close(&w);
}

/* A watch with another limit in the place of one, as when thresholds are changed while it runs. */
static void open_in_place_of(struct watched *w, const struct watched *before, double maximum,
                             size_t addresses)
{
    const struct weir_watch_class class = {
        .name = "default", .limits = {{[WEIR_QUANTITY_MESSAGES] = {1, maximum}}}};
    struct weir_watch_options options = {.wider = 4, .children = 2, .addresses = addresses};

    watched_open(w, &class, 1, &options);
    weir_watch_take_over(w->watch, before->watch);
}

static void other_limits_go_on_with_the_buckets_there_are(void **state)
{
    static const size_t sizes[] = {1000, 1000, 300, 5000}; /* of the first, and of those after it */
    (void)state;
    for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct weir_watch_options options = {.wider = 4, .children = 2, .addresses = sizes[0]};
        struct watched before, after;

        watched_open(&before, &everybody, 1, &options);
        watched_charge(&before, "192.0.2.1", 0, 8);
        watched_charge(&before, "198.51.100.1", 1, 3);
        open_in_place_of(&after, &before, 10, sizes[i]);
        assert_true(watched_tokens(&after, "192.0.2.1", 0) == 2);
        assert_true(watched_tokens(&after, "198.51.100.1", 2) == 8);
        watched_charge(&after, "192.0.2.1", 0, 3);
        assert_int_equal(after.count, 1);
        assert_true(watched_is(&after, true, "192.0.2.1"));
        assert_int_equal(before.count, 0);
        watched_close(&before);
        watched_close(&after);
    }
}

static void what_stands_is_taken_up_as_it_is_or_keeps_the_new_limits(void **state)
{
    static const struct {
        double maximum;
        const char *why;
    } cases[] = {{10, ""}, {14, ""}, {40, "it keeps the limits there are now"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_watch_event event = standing("192.0.2.1");
        struct watched before, after;

        watched_open(&before, &everybody, 1, NULL);
        watched_charge(&before, "192.0.2.1", 0, 15);
        assert_int_equal(before.count, 1);
        open_in_place_of(&after, &before, cases[i].maximum, 1000);
        assert_string_equal(resume(&after, &event), cases[i].why);
        assert_true(watched_tokens(&after, "192.0.2.1", 0) == cases[i].maximum - 15);
        assert_int_equal(weir_watch_counts(after.watch)->alarms, cases[i].why[0] == '\0');
        watched_charge(&after, "192.0.2.1", 0, 1);
        assert_int_equal(after.count, 0);
        weir_watch_advance(after.watch, WATCHED_START + WEIR_MINUTE);
        assert_int_equal(after.count, cases[i].why[0] == '\0');
        watched_close(&before);
        watched_close(&after);
    }
}

/* Whatever limits there are now: what nobody was told of is no reason to tell nobody again. */
static void who_goes_on_is_told_though_he_was_left_out_before(void **state)
{
    struct watched before, after;
    (void)state;
    watched_open(&before, &everybody, 1, NULL);
    before.leaves_out = true;
    watched_charge(&before, "192.0.2.1", 0, 15);
    watched_charge(&before, "192.0.2.2", 0, 9);
    open_in_place_of(&after, &before, 10, 1000);
    watched_charge(&after, "192.0.2.1", 3, 1); /* there are no tokens for it */
    assert_int_equal(after.count, 1);
    assert_true(watched_is(&after, true, "192.0.2.1"));
    watched_charge(&after, "192.0.2.1", 3, 1);
    watched_charge(&after, "192.0.2.2", 3, 1);
    assert_int_equal(after.count, 1);
    weir_watch_advance(after.watch, WATCHED_START + WEIR_MINUTE);
    assert_int_equal(after.count, 2);
    assert_true(watched_is(&after, false, "192.0.2.1"));
    watched_close(&before);
    watched_close(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_goes_on_is_told_though_he_was_left_out_before),
        cmocka_unit_test(other_limits_go_on_with_the_buckets_there_are),
        cmocka_unit_test(what_stands_is_taken_up_as_it_is_or_keeps_the_new_limits),
        cmocka_unit_test(what_was_charged_before_is_restored_and_raises_nothing),
        cmocka_unit_test(it_is_not_raised_again_and_ends_at_half),
        cmocka_unit_test(whoever_goes_on_stays_over),
        cmocka_unit_test(networks_and_their_offenders_are_taken_up_in_any_order),
        cmocka_unit_test(what_cannot_be_taken_up_is_told_with_the_reason),
        cmocka_unit_test(one_more_than_there_is_room_for_is_not_taken_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
