/*
 * Thresholds that take the place of others while the monitor runs (monitor_policy_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/eventfd.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/monitor_impl.h"
#include "tests/unit/database_rig.h"

#define STREAM "sniffer-1795000000-7.log"
#define MOST 30

struct rig {
    struct database_rig *database;
    struct scratch *journal;
    struct weir_monitor monitor;
};

static void open_receiver(struct rig *rig)
{
    struct weir_monitor *monitor = &rig->monitor;
    const struct weir_receiver_options options = {
        .journal = rig->journal->directory, .rows = 1000, .key = {{3}},
        .database = monitor->database, .watch = monitor->watch, .booking = &monitor->booking};

    assert_int_equal(weir_receiver_open(&options, &monitor->shared_log, &monitor->receiver), 0);
    assert_int_equal(weir_responder_replayed(monitor->responder, monitor->booking), 0);
}

/* A monitor without doors: who is over a limit is told to an analyst. */
static int setup(void **state)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct rig *rig = calloc(1, sizeof *rig);
    struct weir_monitor *monitor = &rig->monitor;

    assert_int_equal(database_setup((void **)&rig->database), 0);
    rig->journal = scratch_new();
    monitor->arena = weir_arena_new(8192);
    assert_int_equal(weir_config_load("/dev/null", monitor->arena, &report, &monitor->config), 0);
    monitor->config.connections_rate = 0;
    monitor->config.connections_most = MOST;
    monitor->config.monitor_addresses = 1000;
    monitor->config.threshold_ladder = "alert 1h";
    monitor->wall = weir_clock_system();
    monitor->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    monitor->database = rig->database->database;
    assert_int_equal(weir_monitor_open_policy(monitor), 0);
    assert_int_equal(weir_spared_new(NULL, &monitor->spared), 0);
    assert_int_equal(weir_monitor_open_alerts(monitor), 0);
    assert_int_equal(weir_monitor_open_watch(monitor), 0);
    open_receiver(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    struct weir_monitor *monitor = &rig->monitor;

    weir_receiver_free(&monitor->receiver);
    weir_watch_free(&monitor->watch);
    weir_responder_free(&monitor->responder);
    weir_alerts_close(&monitor->alerts);
    weir_alert_silences_free(&monitor->silences);
    weir_spared_free(&monitor->spared);
    weir_policy_free(&monitor->policy);
    weir_arena_free(&monitor->arena);
    close(monitor->wake);
    database_teardown((void **)&rig->database);
    scratch_free(rig->journal);
    free(rig);
    return 0;
}

/* An address does more than it may. */
static void exceed(struct rig *rig)
{
    const struct weir_traffic traffic = {.time = DATABASE_NOW, .address = database_address(1),
                                         .connections = 2 * MOST};
    char text[WEIR_TRAFFIC_LINE_ROOM], line[WEIR_TRAFFIC_LINE_ROOM + 1];
    uint64_t offset;

    snprintf(line, sizeof line, "%s\n", weir_traffic_line_write(&traffic, text));
    assert_int_equal(weir_receiver_take(rig->monitor.receiver, 1, STREAM, 0, weir_slice_of(line),
                                        DATABASE_NOW, &offset), WEIR_TAKEN);
}

static void what_is_answered_by_a_change_is_no_more_than_the_journal_has(void **state)
{
    struct rig *rig = *state;
    uint64_t answered = 0;

    exceed(rig); /* the event waits when the thresholds change */
    assert_int_equal(weir_monitor_reread(&rig->monitor), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events"), 1);
    database_must(rig->database, weir_database_answered(rig->database->database, &answered), 0);
    assert_int_equal(answered, weir_receiver_booked(rig->monitor.receiver));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_answered_by_a_change_is_no_more_than_the_journal_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
