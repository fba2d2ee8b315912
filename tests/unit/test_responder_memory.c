/*
 * responder while memory is short (responder_io.c): whoever waits for all of it is told so, and
 * nothing is lost.  The array that grows is this file's own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/eventfd.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/threshold/responder_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/watched.h"

#define NOW DATABASE_NOW

static bool memory_is_short;

void *weir_grown(void *array, size_t count, size_t *room, size_t size)
{
    void *grown;

    if (count < *room)
        return array;
    grown = memory_is_short ? NULL : realloc(array, (count + 10) * size);
    if (grown)
        *room = count + 10;
    return grown;
}

struct rig {
    struct database_rig *database;
    struct weir_responder *responder;
    struct weir_log log;
    int wake;
};

static void changed(void *context, uint64_t generation)
{
    (void)context, (void)generation;
}

static void alert(void *context, const struct weir_alert *told)
{
    (void)context, (void)told;
}

static int setup(void **state)
{
    static const struct weir_ladder_class steps = {
        .name = "", .step = {{WEIR_RESPONSE_SCORE, 2.5, 10 * WEIR_MINUTE}}, .steps = 1};
    static const struct weir_ladder_options ladder = {
        .classes = &steps, .class_count = 1, .memory = WEIR_DAY, .longest = 30 * WEIR_DAY,
        .quorum = 2, .scores_hour = 2000, .scores_server_hour = 2000};
    struct rig *rig = calloc(1, sizeof *rig);
    struct weir_responder_options options = {.ladder = &ladder, .changed = changed,
                                             .alert = alert, .context = rig};

    memory_is_short = false;
    assert_int_equal(database_setup((void **)&rig->database), 0);
    options.database = rig->database->database;
    options.wake = rig->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(weir_responder_new(&options, &rig->log, &rig->responder), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_responder_free(&rig->responder);
    database_teardown((void **)&rig->database);
    close(rig->wake);
    free(rig);
    return 0;
}

static void tell(struct rig *rig, unsigned from, unsigned to)
{
    struct weir_watch_event event = {
        .raised = true, .time = NOW, .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10},
        .tokens = -1, .rate = 5, .class_name = "default", .servers = 6};

    for (unsigned n = from; n < to; n++) {
        event.prefix = (struct weir_prefix){.address = database_address(n), .bits = 128};
        weir_responder_event(rig->responder, &event);
    }
}

static int64_t written(struct rig *rig)
{
    return database_number(rig->database, "SELECT count(*) FROM decisions");
}

static void who_waits_for_all_of_it_is_told_that_memory_is_short(void **state)
{
    struct rig *rig = *state;
    uint64_t wakes;

    memory_is_short = true;
    tell(rig, 0, 3);
    assert_int_equal(read(rig->wake, &wakes, sizeof wakes), sizeof wakes);
    assert_int_equal(weir_responder_turn(rig->responder, 0, NOW), WEIR_ENOMEM);
    assert_int_equal(read(rig->wake, &wakes, sizeof wakes), -1); /* not to be tried at once */
    assert_int_equal(weir_responder_finish(rig->responder, 0, NOW), WEIR_ENOMEM);
    assert_int_equal(written(rig), 0);
    memory_is_short = false;
    assert_int_equal(weir_responder_finish(rig->responder, 0, NOW), 0);
    assert_int_equal(written(rig), 3);
}

static void with_little_memory_all_of_it_is_written_in_pieces(void **state)
{
    struct rig *rig = *state;

    tell(rig, 0, 1);
    assert_int_equal(weir_responder_finish(rig->responder, 0, NOW), 0);
    memory_is_short = true;
    tell(rig, 1, 200);
    assert_int_equal(weir_responder_finish(rig->responder, 0, NOW), 0);
    assert_int_equal(written(rig), 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_waits_for_all_of_it_is_told_that_memory_is_short),
        TEST(with_little_memory_all_of_it_is_written_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
