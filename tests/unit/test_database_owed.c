/*
 * Alerts that are owed: what each way is to tell, what is held and what comes of it, and how many
 * there may be (database_owed_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_owed_io.h"
#include "monitor/database/database_silences_io.h"
#include "tests/unit/database_rig.h"

static struct weir_owed owed_of(unsigned way, int64_t event)
{
    return (struct weir_owed){
        .way = way, .event = event, .time = DATABASE_NOW, .ends = DATABASE_NOW + WEIR_HOUR,
        .prefix = weir_address_mask(&(struct weir_address){{0}}, 128), .quantity = "connections",
        .rate = 2.5, .limit_rate = 1, .limit_maximum = 50, .class_name = "default", .servers = 6,
        .response = "reject", .wanted = "reject", .withheld = ""};
}

static void add(struct database_rig *rig, const struct weir_owed *owed)
{
    database_must(rig, weir_database_owed_add(rig->database, owed), 0);
}

static int64_t event_of(struct database_rig *rig)
{
    const struct weir_event event = {.raised = DATABASE_NOW, .kind = "threshold"};
    int64_t number = 0;

    database_must(rig, weir_database_event_add(rig->database, &event, &number), 0);
    return number;
}

struct list {
    char text[256];
};

static int note(void *context, const struct weir_owed *owed)
{
    struct list *list = context;
    size_t len = strlen(list->text);

    snprintf(list->text + len, sizeof list->text - len, "%s%lld", len > 0 ? " " : "",
             (long long)owed->number);
    return 0;
}

/* The numbers of what one way is to tell. */
static const char *due(struct database_rig *rig, unsigned way, struct list *list)
{
    list->text[0] = '\0';
    assert_true(weir_database_owed_due(rig->database, way, 100, note, list) >= 0);
    return list->text;
}

static const char *held(struct database_rig *rig, weir_time now, struct list *list)
{
    list->text[0] = '\0';
    assert_true(weir_database_owed_held(rig->database, now, 100, note, list) >= 0);
    return list->text;
}

static int compare(void *context, const struct weir_owed *owed)
{
    const struct weir_owed *wanted = context;

    assert_memory_equal(&owed->prefix, &wanted->prefix, sizeof owed->prefix);
    assert_true(owed->rate == wanted->rate && owed->limit_rate == wanted->limit_rate &&
                owed->limit_maximum == wanted->limit_maximum);
    assert_string_equal(owed->quantity, wanted->quantity);
    assert_string_equal(owed->class_name, wanted->class_name);
    assert_string_equal(owed->response, wanted->response);
    assert_string_equal(owed->wanted, wanted->wanted);
    assert_string_equal(owed->withheld, wanted->withheld);
    assert_true(owed->way == wanted->way && owed->event == wanted->event &&
                owed->again == wanted->again && owed->time == wanted->time &&
                owed->ends == wanted->ends && owed->servers == wanted->servers);
    return 1;
}

static void what_is_owed_is_kept_for_each_way_until_it_has_told_it(void **state)
{
    struct database_rig *rig = *state;
    const int64_t event = event_of(rig);
    struct weir_owed first = owed_of(0, event), other = owed_of(1, event);
    uint64_t count[WEIR_OWED_WAYS];
    struct list list;

    first.withheld = "too many";
    add(rig, &first);
    add(rig, &other);
    add(rig, &first); /* a second decision about the same */
    database_must(rig, database_open(rig), 0);
    assert_int_equal(weir_database_owed_due(rig->database, 0, 100, compare, &first), 1);
    assert_string_equal(due(rig, 0, &list), "1 3");
    assert_string_equal(due(rig, 1, &list), "2");
    assert_string_equal(due(rig, 2, &list), "");
    database_must(rig, weir_database_owed_count(rig->database, count), 0);
    assert_true(count[0] == 2 && count[1] == 1 && count[2] == 0 && count[3] == 0);
    first.number = 1;
    database_must(rig, weir_database_owed_told(rig->database, &first), 0);
    assert_string_equal(due(rig, 0, &list), "3");
    assert_int_equal(weir_database_owed_drop(rig->database, 1), 1);
    assert_int_equal(weir_database_owed_drop(rig->database, 1), 0);
    assert_string_equal(due(rig, 0, &list), "3");
}

static void what_is_held_is_the_newest_and_goes_when_its_event_is_over(void **state)
{
    struct database_rig *rig = *state;
    const int64_t event = event_of(rig), other = event_of(rig);
    struct weir_owed owed = owed_of(0, event), more = owed_of(0, other);
    uint64_t count[WEIR_OWED_WAYS];
    struct list list;

    owed.held = more.held = 7;
    owed.look = more.look = DATABASE_NOW + 5;
    add(rig, &owed);
    add(rig, &more);
    add(rig, &owed);
    owed.way = 1;
    add(rig, &owed);
    assert_string_equal(held(rig, DATABASE_NOW + 4, &list), "");
    assert_string_equal(held(rig, DATABASE_NOW + 5, &list), "2 3 4");
    database_must(rig, weir_database_owed_count(rig->database, count), 0);
    assert_true(count[0] == 0 && count[1] == 0);
    more.number = 2;
    more.held = 0;
    more.late = DATABASE_NOW + 6;
    database_must(rig, weir_database_owed_change(rig->database, &more), 0);
    assert_string_equal(due(rig, 0, &list), "2");
    assert_int_equal(weir_database_event_clear(rig->database, event, DATABASE_NOW), 1);
    assert_string_equal(held(rig, INT64_MAX, &list), "");
    assert_int_equal(weir_database_event_close(rig->database, other, DATABASE_NOW, "x"), 1);
    assert_string_equal(due(rig, 0, &list), "2"); /* what came is told, though it is over */
    add(rig, &owed);                              /* of what does not stand nothing is held */
    more.held = 7;
    database_must(rig, weir_database_owed_change(rig->database, &more), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM owed"), 0);
}

static void what_is_told_again_takes_the_place_of_the_time_before(void **state)
{
    struct database_rig *rig = *state;
    const int64_t event = event_of(rig);
    struct weir_owed owed = owed_of(2, event), first = owed_of(0, event);
    struct list list;

    add(rig, &first);
    for (owed.again = 1; owed.again < 4; owed.again++)
        add(rig, &owed);
    assert_string_equal(due(rig, 2, &list), "4");
    assert_int_equal(weir_database_event_clear(rig->database, event, DATABASE_NOW), 1);
    assert_string_equal(due(rig, 2, &list), "");
    assert_string_equal(due(rig, 0, &list), "1");
}

static void what_is_told_takes_what_took_its_place_meanwhile(void **state)
{
    struct database_rig *rig = *state;
    const int64_t event = event_of(rig);
    struct weir_owed owed = owed_of(2, event), other = owed_of(3, event), told = owed;
    struct list list;

    told.number = 1;
    told.again = owed.again = other.again = 1;
    add(rig, &owed);
    add(rig, &owed); /* while the first is under way */
    add(rig, &other);
    assert_string_equal(due(rig, 2, &list), "2");
    database_must(rig, weir_database_owed_told(rig->database, &told), 0);
    assert_string_equal(due(rig, 2, &list), "");
    assert_string_equal(due(rig, 3, &list), "3");
    owed.again = 2;
    add(rig, &owed);
    database_must(rig, weir_database_owed_told(rig->database, &told), 0);
    assert_string_equal(due(rig, 2, &list), "4"); /* which is another time */
}

static void what_is_acknowledged_when_its_silence_ends_is_held_on(void **state)
{
    struct database_rig *rig = *state;
    const int64_t event = event_of(rig);
    struct weir_owed owed = owed_of(0, event);
    struct list list;

    assert_int_equal(weir_database_event_acknowledge(rig->database, event, 1, "anna", ""), 1);
    owed.held = 7;
    add(rig, &owed); /* another step of the ladder */
    assert_string_equal(held(rig, INT64_MAX, &list), "1");
    owed.number = 1;
    owed.held = 0;
    database_must(rig, weir_database_owed_change(rig->database, &owed), 0);
    assert_string_equal(held(rig, INT64_MAX, &list), "");
    assert_string_equal(due(rig, 0, &list), "");
    assert_int_equal(weir_database_event_unacknowledge(rig->database, event, 2), 1);
    assert_string_equal(due(rig, 0, &list), "1");
}

static void what_is_acknowledged_is_held_until_that_is_taken_back(void **state)
{
    struct database_rig *rig = *state;
    const int64_t event = event_of(rig), other = event_of(rig);
    struct weir_owed owed = owed_of(0, event), again = owed_of(2, event), of = owed_of(0, other);
    struct list list;

    again.again = 1;
    add(rig, &owed);
    add(rig, &again);
    add(rig, &of);
    assert_int_equal(weir_database_event_acknowledge(rig->database, event, 1, "anna", ""), 1);
    assert_string_equal(due(rig, 0, &list), "3");
    assert_string_equal(due(rig, 2, &list), "");
    assert_string_equal(held(rig, INT64_MAX, &list), "");
    assert_int_equal(weir_database_event_unacknowledge(rig->database, event, 2), 1);
    assert_string_equal(due(rig, 0, &list), "1 3");
    assert_string_equal(due(rig, 2, &list), ""); /* which begins anew */
    assert_int_equal(weir_database_event_acknowledge(rig->database, event, 1, "anna", ""), 1);
    assert_int_equal(weir_database_event_clear(rig->database, event, DATABASE_NOW), 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM owed"), 1);
}

static void what_a_silence_held_is_looked_at_when_somebody_ends_it(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_silenced silence = {.made = DATABASE_NOW, .ends = DATABASE_NOW + WEIR_HOUR,
                                          .kind = "threshold", .who = "anna"};
    struct weir_owed owed = owed_of(0, event_of(rig)), other = owed_of(0, event_of(rig));
    struct list list;

    database_must(rig, weir_database_silence_add(rig->database, &silence, &owed.held), 0);
    other.held = owed.held + 1;
    owed.look = other.look = silence.ends;
    add(rig, &owed);
    add(rig, &other);
    assert_string_equal(held(rig, DATABASE_NOW, &list), "");
    assert_int_equal(weir_database_silence_end(rig->database, owed.held, "bob", DATABASE_NOW), 1);
    assert_string_equal(held(rig, DATABASE_NOW, &list), "1");
    database_must(rig, weir_database_owed_look(rig->database, 0), 0);
    assert_string_equal(held(rig, DATABASE_NOW, &list), "1 2");
}

static void of_too_many_the_oldest_of_that_way_go(void **state)
{
    struct database_rig *rig = *state;
    struct weir_owed owed = owed_of(0, 0), other = owed_of(1, 0);

    database_must(rig, weir_database_begin(rig->database), 0);
    add(rig, &other); /* older than all of them */
    for (unsigned i = 0; i < WEIR_OWED_MAX; i++)
        add(rig, &owed);
    assert_int_equal(weir_database_owed_trim(rig->database, 0, WEIR_OWED_MAX), 0);
    add(rig, &owed);
    add(rig, &owed);
    assert_int_equal(weir_database_owed_trim(rig->database, 1, WEIR_OWED_MAX), 0);
    assert_int_equal(weir_database_owed_trim(rig->database, 0, WEIR_OWED_MAX), 2);
    database_must(rig, weir_database_commit(rig->database), 0);
    assert_int_equal(database_number(rig, "SELECT min(number) * 1000000 + count(*) FROM owed "
                                     "WHERE way = 0"), 4 * 1000000 + WEIR_OWED_MAX);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM owed WHERE way = 1"), 1);
}

static void too_long_texts_are_refused(void **state)
{
    struct database_rig *rig = *state;
    struct weir_owed owed = owed_of(0, 0);
    char text[WEIR_DATABASE_TEXT_MAX + 2];

    memset(text, 'x', sizeof text);
    text[WEIR_DATABASE_TEXT_MAX + 1] = '\0';
    owed.withheld = text;
    database_must(rig, weir_database_owed_add(rig->database, &owed), WEIR_ELIMIT);
    text[WEIR_DATABASE_TEXT_MAX] = '\0';
    add(rig, &owed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_owed_is_kept_for_each_way_until_it_has_told_it),
        TEST(what_is_held_is_the_newest_and_goes_when_its_event_is_over),
        TEST(what_is_told_again_takes_the_place_of_the_time_before),
        TEST(what_is_told_takes_what_took_its_place_meanwhile),
        TEST(what_is_acknowledged_is_held_until_that_is_taken_back),
        TEST(what_is_acknowledged_when_its_silence_ends_is_held_on),
        TEST(what_a_silence_held_is_looked_at_when_somebody_ends_it),
        TEST(of_too_many_the_oldest_of_that_way_go),
        TEST(too_long_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
