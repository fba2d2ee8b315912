/* numbers - the table, what is counted, what of a file is believed, and its text. */
#include "tests/unit/numbers_rig.h"

#include "core/program/numbers_metrics.h"

/* the table ------------------------------------------------------------------------------------ */

static void the_table_has_room_and_sound_rows(void **state)
{
    uint16_t first[WEIR_NUMBERS];

    (void)state;
    assert_true(weir_numbers_places(first) <= WEIR_NUMBERS_SLOTS);
    for (unsigned i = 0; i < WEIR_NUMBERS; i++) {
        const struct weir_number_row *row = &weir_number_rows[i];

        assert_true(row->programs != 0 && row->programs < 1u << WEIR_NUMBERS_PROGRAMS);
        assert_true(row->name && row->help && row->values > 0);
        assert_true(!row->label == !row->value);
        assert_true(row->label || row->values == 1);
        for (unsigned at = 0; row->label && at < row->values; at++)
            assert_true(row->value(at) && row->value(at)[0]);
    }
}

static void another_table_is_another_layout(void **state)
{
    struct weir_number_row table[WEIR_NUMBERS];
    const uint64_t layout = weir_numbers_layout();

    (void)state;
    memcpy(table, weir_number_rows, sizeof table);
    assert_true(weir_numbers_layout_of(table) == layout);
    table[WEIR_NUMBER_PACKETS].programs |= 1u << WEIR_NUMBERS_AGENT;
    assert_true(weir_numbers_layout_of(table) != layout);
    table[WEIR_NUMBER_PACKETS] = weir_number_rows[WEIR_NUMBER_PACKETS];
    table[WEIR_NUMBER_PACKETS].kind = WEIR_NUMBER_LEVEL;
    assert_true(weir_numbers_layout_of(table) != layout);
    table[WEIR_NUMBER_PACKETS] = weir_number_rows[WEIR_NUMBER_PACKETS];
    table[WEIR_NUMBER_PACKETS].name = "weir_sniffer_heard_total";
    assert_true(weir_numbers_layout_of(table) != layout);
}

static void nothing_counts_nothing(void **state)
{
    struct weir_numbers *none = NULL;

    (void)state;
    weir_numbers_add(NULL, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_set(NULL, WEIR_NUMBER_AT_WORK, 0, 1);
    weir_numbers_raise(NULL, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_request(NULL, NULL);
    weir_numbers_message(NULL, NULL, 1);
    weir_numbers_measure(NULL, NULL);
    weir_numbers_counters(NULL, NULL, true);
    assert_null(weir_numbers_times(NULL, WEIR_NUMBER_MESSAGE_TIME, 0));
    weir_numbers_close(&none);
}

/* what is read --------------------------------------------------------------------------------- */

static struct weir_numbers_area *area_of(struct rig *rig, bool lives)
{
    struct weir_numbers *numbers = opened(rig, lives);
    struct weir_numbers_copy copy;

    judged(numbers, 77, 40);
    weir_numbers_close(&numbers);
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 1);
    strcpy(copy.area->server[0].name, "one:1");
    strcpy(copy.area->server[1].name, "other:1");
    copy.area->server[0].up = copy.area->server[1].up = 2;
    return copy.area;
}

static bool sound(const struct weir_numbers_area *area)
{
    return weir_numbers_sound(area, WEIR_NUMBERS_MILTER, weir_numbers_layout());
}

/* That it is sound with the one value there, not with the other; and puts back what was there. */
static void bounds(struct weir_numbers_area *area, _Atomic uint64_t *at, uint64_t good,
                   uint64_t bad)
{
    uint64_t was = *at;

    *at = good;
    assert_true(sound(area));
    *at = bad;
    assert_false(sound(area));
    *at = was;
    assert_true(sound(area));
}

static void what_no_program_can_have_counted_is_not_believed(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers_area *area = area_of(rig, true);
    uint16_t first[WEIR_NUMBERS];
    unsigned slots = weir_numbers_places(first), rule = 0, times = 0, free_rule = 0;

    times = first[WEIR_NUMBER_MESSAGE_TIME];
    while (area->rule[rule].id == 0)
        rule++;
    while (area->rule[free_rule].id != 0)
        free_rule++;
    bounds(area, &area->slot[first[WEIR_NUMBER_UNJUDGED]], WEIR_NUMBERS_MOST,
           WEIR_NUMBERS_MOST + 1);
    bounds(area, &area->slot[first[WEIR_NUMBER_REQUESTS]], 0, 1); /* not a milter's */
    bounds(area, &area->slot[slots], 0, 1);
    bounds(area, &area->slot[times], WEIR_HISTOGRAM_MOST - 1, WEIR_HISTOGRAM_MOST);
    bounds(area, &area->slot[times + WEIR_HISTOGRAM_BUCKETS], 25, 26); /* one, of 25 us */
    bounds(area, &area->server[0].up, 1, 3);
    bounds(area, &area->server[0].failures, WEIR_NUMBERS_MOST, WEIR_NUMBERS_MOST + 1);
    bounds(area, &area->rule[rule].hits, WEIR_NUMBERS_MOST, WEIR_NUMBERS_MOST + 1);
    bounds(area, &area->rule[rule].id, area->rule[rule].id, 0);
    bounds(area, &area->rule[rule].id, area->rule[rule].id, (uint64_t)1 << 32);
    bounds(area, &area->rule[free_rule].hits, 0, 1);
    bounds(area, &area->rule[free_rule].id, 0, area->rule[rule].id); /* twice */
    area->slot[first[WEIR_NUMBER_AT_WORK]] = (uint64_t)-5;
    assert_true(sound(area));
    strcpy(area->server[0].name, "other:1"); /* twice */
    assert_false(sound(area));
    area->server[0].up = 0;
    assert_true(sound(area));
    strcpy(area->server[0].name, "a\nb");
    assert_false(sound(area));
    free(area);
}

static void a_value_that_a_row_has_not_is_counted_nowhere(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);

    weir_numbers_add(numbers, WEIR_NUMBER_MESSAGE_ACTIONS, WEIR_QUARANTINE, 1);
    weir_numbers_add(numbers, WEIR_NUMBER_REQUEST_ACTIONS, WEIR_REJECT + 1, 1);
    weir_numbers_set(numbers, WEIR_NUMBER_AT_WORK, 1, 5);
    given(rig, numbers);
    assert_int_equal(found(rig, WEIR_NUMBER_MESSAGE_ACTIONS, WEIR_QUARANTINE, true), 1);
    assert_int_equal(found(rig, WEIR_NUMBER_REQUEST_ACTIONS, WEIR_REJECT + 1, true), 0);
    assert_int_equal(found(rig, WEIR_NUMBER_LOG_LOST, 0, true), 0);
    assert_null(weir_numbers_times(numbers, WEIR_NUMBER_MESSAGE_TIME, 1));
    weir_numbers_close(&numbers);
}

/* counting ------------------------------------------------------------------------------------- */

static void sums_are_raised_by_what_they_grew(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);

    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 5);
    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 5);
    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 9);
    given(rig, numbers);
    assert_int_equal(found(rig, WEIR_NUMBER_SPOOL_DROPPED, 0, true), 9);
    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 2); /* begun anew */
    given(rig, numbers);
    assert_int_equal(found(rig, WEIR_NUMBER_SPOOL_DROPPED, 0, true), 11);
    weir_numbers_set(numbers, WEIR_NUMBER_AT_WORK, 0, -3);
    given(rig, numbers);
    assert_int_equal((int64_t)found(rig, WEIR_NUMBER_AT_WORK, 0, true), -3);
    weir_numbers_close(&numbers);
}

static void a_message_is_counted_by_all_that_it_is(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct weir_histogram_reading reading;

    judged(numbers, 77, 2);
    judged(numbers, 78, 1);
    given(rig, numbers);
    assert_int_equal(found(rig, WEIR_NUMBER_MESSAGES, WEIR_SPAM, true), 2);
    assert_int_equal(found(rig, WEIR_NUMBER_MESSAGE_ACTIONS, WEIR_QUARANTINE, true), 2);
    assert_int_equal(found(rig, WEIR_NUMBER_LACKING, WEIR_WITHOUT_COUNTERS, true), 2);
    assert_int_equal(found(rig, WEIR_NUMBER_LACKING, WEIR_WITHOUT_RULES, true), 0);
    assert_int_equal(found(rig, WEIR_NUMBER_RULES_LEFT_OUT, 0, true), 2);
    weir_histogram_read(weir_numbers_times(numbers, WEIR_NUMBER_MESSAGE_TIME, 0), &reading);
    assert_int_equal(reading.bucket[1], 2);
    assert_int_equal(reading.sum, 22);
    weir_numbers_close(&numbers);
}

static void so_many_rules_one_by_one_and_no_hit_lost(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct weir_numbers_copy copy;
    uint64_t hits = 0, rules = 0;

    judged(numbers, 1, WEIR_NUMBERS_RULES);
    judged(numbers, 1, WEIR_NUMBERS_RULES);
    judged(numbers, 100000, 10); /* there is no room left */
    given(rig, numbers);
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 1);
    for (unsigned i = 0; i < WEIR_NUMBERS_RULES; i++) {
        rules += copy.area->rule[i].id != 0;
        hits += copy.area->rule[i].hits;
    }
    assert_true(rules <= WEIR_NUMBERS_RULES);
    assert_true(rules > WEIR_NUMBERS_RULES * 9 / 10);
    assert_int_equal(hits + slot_of(&copy, WEIR_NUMBER_RULES_LEFT_OUT, 0),
                     2 * WEIR_NUMBERS_RULES + 10 + 3); /* 3: hits_left_out */
    weir_numbers_forget(&copy);
    weir_numbers_close(&numbers);
}

/* text ----------------------------------------------------------------------------------------- */

static const char *name_of(void *context, uint32_t id, char text_r[static WEIR_NUMBERS_NAME])
{
    assert_string_equal(context, "here");
    if (id == 77)
        return "SEVEN";
    snprintf(text_r, WEIR_NUMBERS_NAME, "RULE_%u", (unsigned)id);
    return id == 78 ? text_r : NULL;
}

static void has(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("no %s in\n%s", line, text);
}

static void the_text_has_all_of_a_program(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct weir_numbers_copy copy[WEIR_NUMBERS_PROGRAMS] = {{0}};
    struct weir_metrics *metrics = weir_metrics_new();
    const char *text;

    judged(numbers, 77, 3);
    strcpy(numbers->area->server[0].name, "a\"b:1");
    numbers->area->server[0].up = 1;
    memset(numbers->area->server[1].name, 'x', sizeof numbers->area->server[1].name);
    numbers->area->server[1].up = 2;
    given(rig, numbers);
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER,
                                       &copy[WEIR_NUMBERS_MILTER]), 1);
    weir_numbers_metrics(metrics, copy, name_of, (void *)(uintptr_t)"here");
    assert_int_equal(weir_metrics_text(metrics, &text), 0);
    has(text, "\nweir_program_up{program=\"weir-milter\"} 1\n");
    has(text, "\nweir_program_messages_total{program=\"weir-milter\",verdict=\"spam\"} 1\n");
    has(text, "\nweir_program_messages_at_work{program=\"weir-milter\"} 0\n");
    has(text, "\nweir_program_rule_hits_total{program=\"weir-milter\",rule=\"SEVEN\"} 1\n");
    has(text, "\nweir_program_rule_hits_total{program=\"weir-milter\",rule=\"RULE_78\"} 1\n");
    has(text, "\nweir_program_rule_hits_total{program=\"weir-milter\",rule=\"79\"} 1\n");
    has(text, "\nweir_program_store_node_up{program=\"weir-milter\",node=\"a\\\"b:1\"} 0\n");
    has(text, "xxx\"} 1\n");
    has(text, "\nweir_program_message_seconds_bucket{program=\"weir-milter\",le=\"1e-05\"} 0\n"
              "weir_program_message_seconds_bucket{program=\"weir-milter\",le=\"2.5e-05\"} 1\n");
    has(text, "le=\"10\"} 1\n"
              "weir_program_message_seconds_bucket{program=\"weir-milter\",le=\"+Inf\"} 1\n"
              "weir_program_message_seconds_sum{program=\"weir-milter\"} 1.1e-05\n"
              "weir_program_message_seconds_count{program=\"weir-milter\"} 1\n");
    assert_null(strstr(text, "weir_program_requests_total"));
    assert_null(strstr(text, "weir_sniffer"));
    weir_metrics_free(&metrics);
    weir_numbers_forget(&copy[WEIR_NUMBERS_MILTER]);
    weir_numbers_close(&numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_room_and_sound_rows),
        cmocka_unit_test(another_table_is_another_layout),
        cmocka_unit_test(nothing_counts_nothing),
        cmocka_unit_test_setup_teardown(what_no_program_can_have_counted_is_not_believed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_value_that_a_row_has_not_is_counted_nowhere, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sums_are_raised_by_what_they_grew, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_is_counted_by_all_that_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(so_many_rules_one_by_one_and_no_hit_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(the_text_has_all_of_a_program, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
