/*
 * Killed at any moment, or on a database that cannot be written: events, decisions and alerts are
 * there once (responder_io.c, responder_write_io.c, responder_resume_io.c, database_ladder_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/eventfd.h>

#include "core/base/error.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/threshold/responder_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/watched.h"

#define NOW DATABASE_NOW

struct rig {
    struct database_rig *database;
    struct weir_responder *responder;
    struct weir_log log;
    uint64_t booking;
    unsigned alerts, resumed;
    uint32_t word, seen_by;      /* of what was taken up */
    weir_time seen;              /* of whoever is taken up */
    const char *why_not;         /* the watch does not take up */
    int wake;
};

static void changed(void *context, uint64_t generation)
{
    (void)context, (void)generation;
}

static void alert(void *context, const struct weir_alert *told)
{
    (void)told;
    ((struct rig *)context)->alerts++;
}

static const char *resume(void *context, struct weir_watch_event *event, weir_time seen)
{
    struct rig *rig = context;

    assert_true(seen == (rig->seen ? rig->seen : event->time));
    event->class_name = "default";
    event->observed = false; /* no more */
    rig->resumed += rig->why_not == NULL;
    rig->word = event->servers;
    rig->seen_by = event->seen;
    return rig->why_not;
}

/* Another one in the place of the one that is there, which is gone without a word. */
static void open_responder(struct rig *rig)
{
    static const struct weir_ladder_class steps[] = {
        {.name = "", .step = {{WEIR_RESPONSE_ALERT, 0, 10 * WEIR_MINUTE},
                              {WEIR_RESPONSE_DEFER, 0, 10 * WEIR_MINUTE},
                              {WEIR_RESPONSE_REJECT, 0, WEIR_HOUR}}, .steps = 3},
        {.name = "scored", .step = {{WEIR_RESPONSE_SCORE, 3, WEIR_HOUR}}, .steps = 1}};
    static const struct weir_ladder_options ladder = {
        .classes = steps, .class_count = 2, .memory = WEIR_DAY, .longest = 30 * WEIR_DAY,
        .quorum = 2, .blocks_hour = 3, .blocks_server_hour = 50, .scores_hour = 4,
        .scores_server_hour = 50};
    const struct weir_responder_options options = {
        .ladder = &ladder, .database = rig->database->database, .wake = rig->wake,
        .booking = &rig->booking, .resume = resume, .changed = changed, .alert = alert,
        .context = rig};

    weir_responder_free(&rig->responder);
    assert_int_equal(weir_responder_new(&options, &rig->log, &rig->responder), 0);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_int_equal(database_setup((void **)&rig->database), 0);
    rig->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    open_responder(rig);
    assert_int_equal(weir_responder_replayed(rig->responder, 0), 0);
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

static void tell_class(struct rig *rig, const char *class_name, const char *prefix, bool raised,
                       weir_time time, uint64_t position)
{
    const struct weir_watch_event event = {
        .raised = raised, .time = time, .prefix = watched_prefix(prefix),
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10}, .tokens = -1, .rate = 5,
        .class_name = class_name, .servers = 6};

    rig->booking = position;
    weir_responder_event(rig->responder, &event);
}

static void tell(struct rig *rig, const char *prefix, bool raised, weir_time time,
                 uint64_t position)
{
    tell_class(rig, "default", prefix, raised, time, position);
}

static int64_t count(struct rig *rig, const char *table)
{
    char sql[256];

    sprintf(sql, "SELECT count(*) FROM %s", table);
    return database_number(rig->database, sql);
}

static void must_have(struct rig *rig, int64_t events, int64_t decisions, unsigned alerts)
{
    assert_int_equal(count(rig, "events"), events);
    assert_int_equal(count(rig, "decisions"), decisions);
    assert_int_equal(count(rig, "audit"), alerts);
    assert_int_equal(rig->alerts, alerts);
}

/* Each statement of the transaction fails in turn. */
static void what_cannot_be_written_is_whole_at_the_next_turn(void **state)
{
    static const char *const tables[] = {"events", "audit", "decisions", "ladder", "state"};
    struct rig *rig = *state;
    weir_time now = NOW;
    unsigned done = 0;
    char sql[160], prefix[32];

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++, done++) {
        uint64_t position = 10 * (i + 1);

        sprintf(sql, "CREATE TEMP TRIGGER broken BEFORE INSERT ON %s BEGIN "
                "SELECT raise(abort, 'broken'); END", tables[i]);
        sprintf(prefix, "192.0.2.%u", 2 * done);
        tell(rig, prefix, true, now, position - 5);
        tell(rig, prefix, false, now, position - 5);
        database_must(rig->database, weir_responder_turn(rig->responder, position - 5, now), 0);
        assert_int_equal(weir_database_run(rig->database->database, sql), 0);
        now += WEIR_LADDER_WAIT;
        tell(rig, prefix, true, now, position); /* the second step: a deferral */
        assert_true(weir_responder_turn(rig->responder, position, now) < 0);
        assert_true(weir_responder_turn(rig->responder, position, now) < 0);
        if (done < 3) /* the cap of three blocks */
            must_have(rig, 2 * done + 1, done, 2 * done + 1);
        assert_int_equal(weir_database_run(rig->database->database, "DROP TRIGGER broken"), 0);
        database_must(rig->database, weir_responder_turn(rig->responder, position, now), 0);
        database_must(rig->database, weir_responder_turn(rig->responder, position, now), 0);
        must_have(rig, 2 * (done + 1), done < 3 ? done + 1 : 3, 2 * (done + 1));
    }
}

static void what_is_replayed_up_to_the_answered_position_is_not_answered_again(void **state)
{
    const weir_time later = NOW + WEIR_LADDER_WAIT;
    struct rig *rig = *state;

    tell(rig, "192.0.2.1", true, NOW, 10);
    tell(rig, "192.0.2.1", false, NOW + 1, 20);
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    tell(rig, "192.0.2.1", true, NOW + 2, 20);
    tell(rig, "192.0.2.2", true, NOW + 3, 30);
    database_must(rig->database, weir_responder_turn(rig->responder, 20, later), 0);
    must_have(rig, 2, 1, 2);
    open_responder(rig); /* killed before 30 was answered */
    assert_int_equal(weir_responder_resume(rig->responder, later, false), 0);
    assert_int_equal(rig->resumed, 1);
    tell(rig, "192.0.2.1", true, NOW, 10);
    tell(rig, "192.0.2.1", false, NOW + 1, 20);
    tell(rig, "192.0.2.1", true, NOW + 2, 20);
    tell(rig, "192.0.2.2", true, NOW + 3, 30);
    assert_int_equal(weir_responder_replayed(rig->responder, 30), 0);
    database_must(rig->database, weir_responder_turn(rig->responder, 30, later), 0);
    must_have(rig, 3, 1, 3);
    /* What time clears is at the same position, and is no replay. */
    tell(rig, "192.0.2.2", false, NOW + 3, 30);
    database_must(rig->database, weir_responder_turn(rig->responder, 30, later), 0);
    assert_int_equal(count(rig, "events WHERE cleared = 0"), 1);
}

/* A stolen identity can claim any past; an honest server that was cut off tells of hours in one. */
static void a_batch_of_hours_is_noted_whole_and_climbs_one_step(void **state)
{
    struct rig *rig = *state;

    for (unsigned i = 0; i < 10; i++) {
        tell(rig, "192.0.2.1", true, NOW - (10 - i) * WEIR_HOUR, 10);
        tell(rig, "192.0.2.1", false, NOW - (10 - i) * WEIR_HOUR + WEIR_MINUTE, 10);
    }
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    must_have(rig, 10, 0, 1);
    assert_int_equal(count(rig, "events WHERE cleared = 0"), 0);
    assert_int_equal(count(rig, "ladder WHERE step = 0"), 1);
}

/* A turn ends with a batch, or the rest of it would be taken for answered. */
static void a_turn_takes_whole_batches(void **state)
{
    struct rig *rig = *state;
    uint64_t answered = 0;
    char prefix[32];

    for (unsigned i = 0; i < 1200; i++) {
        sprintf(prefix, "192.0.%u.%u", i / 250, i % 250);
        tell(rig, prefix, true, NOW, i < 700 ? 10 : 20);
    }
    database_must(rig->database, weir_responder_turn(rig->responder, 20, NOW), 0);
    assert_int_equal(count(rig, "events"), 700);
    assert_int_equal(weir_database_answered(rig->database->database, &answered), 0);
    assert_int_equal(answered, 10);
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    assert_int_equal(count(rig, "events"), 700); /* 20 is still being charged */
    database_must(rig->database, weir_responder_finish(rig->responder, 20, NOW), 0);
    assert_int_equal(count(rig, "events"), 1200);
    assert_int_equal(weir_database_answered(rig->database->database, &answered), 0);
    assert_int_equal(answered, 20);
}

static void a_journal_that_lost_its_end_is_answered_anew(void **state)
{
    struct rig *rig = *state;

    tell(rig, "192.0.2.1", true, NOW, 50);
    database_must(rig->database, weir_responder_turn(rig->responder, 50, NOW), 0);
    open_responder(rig);
    assert_int_equal(weir_responder_replayed(rig->responder, 40), 0);
    open_responder(rig);
    tell(rig, "192.0.2.2", true, NOW, 45);
    assert_int_equal(weir_responder_replayed(rig->responder, 45), 0);
    database_must(rig->database, weir_responder_turn(rig->responder, 45, NOW), 0);
    assert_int_equal(count(rig, "events"), 2);
}

static void a_step_of_the_ladder_outlives_its_responder(void **state)
{
    const weir_time later = NOW + WEIR_LADDER_WAIT;
    struct rig *rig = *state;

    tell(rig, "192.0.2.1", true, NOW, 10);
    tell(rig, "192.0.2.1", false, NOW + 1, 20);
    database_must(rig->database, weir_responder_turn(rig->responder, 20, NOW), 0);
    open_responder(rig);
    assert_int_equal(weir_responder_resume(rig->responder, NOW, false), 0);
    assert_int_equal(weir_responder_replayed(rig->responder, 20), 0);
    tell(rig, "192.0.2.1", true, NOW + 2, 25);
    tell(rig, "192.0.2.1", false, NOW + 3, 25);
    database_must(rig->database, weir_responder_turn(rig->responder, 25, later - 1), 0);
    must_have(rig, 2, 0, 1); /* noted: the first step has had no time to work */
    tell(rig, "192.0.2.1", true, NOW + 4, 30);
    database_must(rig->database, weir_responder_turn(rig->responder, 30, later), 0);
    must_have(rig, 3, 1, 2); /* it is deferred: the second step */
    assert_int_equal(count(rig, "decisions WHERE event = 3"), 1);
    /* It stands, and the step ends: the third one, after the time to find that it is over. */
    open_responder(rig);
    assert_int_equal(weir_responder_resume(rig->responder, NOW + WEIR_DAY, false), 0);
    assert_int_equal(weir_responder_replayed(rig->responder, 30), 0);
    database_must(rig->database, weir_responder_turn(rig->responder, 30, NOW + WEIR_DAY), 0);
    must_have(rig, 3, 1, 2);
    database_must(rig->database, weir_responder_turn(rig->responder, 30,
                                                     NOW + WEIR_DAY + 5 * WEIR_MINUTE), 0);
    must_have(rig, 3, 2, 3);
}

static void who_goes_on_under_other_limits_is_blocked_again_when_his_block_ends(void **state)
{
    const weir_time later = NOW + WEIR_LADDER_WAIT;
    struct rig *rig = *state;

    tell(rig, "192.0.2.1", true, NOW, 10);
    tell(rig, "192.0.2.1", false, NOW + 1, 10);
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    tell(rig, "192.0.2.1", true, NOW + 2, 20);
    database_must(rig->database, weir_responder_turn(rig->responder, 20, later), 0);
    must_have(rig, 2, 1, 2);
    weir_time ends = database_number(rig->database, "SELECT max(ends) FROM decisions");
    open_responder(rig);
    assert_int_equal(weir_responder_resume(rig->responder, ends - WEIR_SECOND, true), 0);
    assert_int_equal(weir_responder_replayed(rig->responder, 20), 0);
    database_must(rig->database, weir_responder_turn(rig->responder, 20, ends - 1), 0);
    must_have(rig, 2, 1, 2);
    database_must(rig->database, weir_responder_turn(rig->responder, 20, ends), 0);
    must_have(rig, 2, 2, 3);
}

/* Steps that were only told, and had climbed to the top. */
static void who_was_only_observed_is_answered_by_the_first_step_and_at_once(void **state)
{
    struct rig *rig = *state;
    struct weir_watch_event event = {
        .raised = true, .observed = true, .time = NOW, .prefix = watched_prefix("192.0.2.1"),
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10}, .class_name = "default",
        .servers = 6};
    const weir_time later = NOW + 6 * WEIR_HOUR;

    weir_responder_event(rig->responder, &event);
    for (weir_time now = NOW; now <= later; now += WEIR_MINUTE)
        database_must(rig->database, weir_responder_turn(rig->responder, 0, now), 0);
    assert_true(database_number(rig->database, "SELECT repeated FROM ladder") > 0);
    assert_int_equal(count(rig, "decisions"), 0);
    for (int went_on = 0; went_on < 2; went_on++) {
        open_responder(rig);
        assert_int_equal(weir_responder_resume(rig->responder, later, went_on), 0);
        assert_int_equal(weir_responder_replayed(rig->responder, 0), 0);
        database_must(rig->database, weir_responder_turn(rig->responder, 0, later), 0);
        /* where the buckets are new there is a minute to find that it is over */
        assert_int_equal(count(rig, "audit WHERE what = 'alert'"), went_on);
    }
    assert_int_equal(database_number(rig->database, "SELECT step + repeated FROM ladder"), 0);
    event.observed = false;
    event.prefix = watched_prefix("192.0.2.2");
    weir_responder_event(rig->responder, &event);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, later), 0);
    assert_int_equal(count(rig, "audit WHERE what = 'alert'"), 2);
}

static void caps_outlive_their_responder(void **state)
{
    struct rig *rig = *state;
    char prefix[32];

    for (unsigned i = 0; i < 4; i++) {
        sprintf(prefix, "192.0.2.%u", i);
        tell(rig, prefix, true, NOW, 10);
        tell(rig, prefix, false, NOW, 10);
        database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
        open_responder(rig);
        assert_int_equal(weir_responder_resume(rig->responder, NOW, false), 0);
        assert_int_equal(weir_responder_replayed(rig->responder, 10), 0);
        tell(rig, prefix, true, NOW, 20);
        database_must(rig->database,
                      weir_responder_turn(rig->responder, 20, NOW + WEIR_LADDER_WAIT), 0);
    }
    assert_int_equal(count(rig, "decisions"), 3);
}

static void caps_of_scores_outlive_it_too(void **state)
{
    struct rig *rig = *state;
    char prefix[32];

    for (unsigned i = 0; i < 6; i++) {
        sprintf(prefix, "192.0.2.%u", i);
        tell_class(rig, "scored", prefix, true, NOW, 10);
        database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
        open_responder(rig);
        assert_int_equal(weir_responder_resume(rig->responder, NOW, false), 0);
        assert_int_equal(weir_responder_replayed(rig->responder, 10), 0);
    }
    assert_int_equal(count(rig, "decisions WHERE list = 'score'"), 4);
    assert_int_equal(count(rig, "ladder WHERE withheld"), 2);
    tell(rig, "192.0.2.9", true, NOW, 20); /* blocks have theirs */
    tell(rig, "192.0.2.9", false, NOW, 20);
    database_must(rig->database, weir_responder_turn(rig->responder, 20, NOW), 0);
    tell(rig, "192.0.2.9", true, NOW, 30);
    database_must(rig->database,
                  weir_responder_turn(rig->responder, 30, NOW + WEIR_LADDER_WAIT), 0);
    assert_int_equal(count(rig, "decisions WHERE list = 'blacklist'"), 1);
}

static void what_is_not_taken_up_is_closed_with_the_reason(void **state)
{
    struct rig *rig = *state;

    tell(rig, "192.0.2.1", true, NOW, 10);
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    open_responder(rig);
    rig->why_not = "the moon is full";
    assert_int_equal(weir_responder_resume(rig->responder, NOW + 5, false), 0);
    assert_int_equal(count(rig, "events WHERE cleared > 0 AND text LIKE "
                           "'%messages%; closed: the moon is full'"), 1);
    assert_true(database_number(rig->database, "SELECT cleared FROM events") == NOW + 5);
}

static void it_is_taken_up_as_of_when_it_was_last_seen(void **state)
{
    struct rig *rig = *state;
    struct weir_minute_row row = database_row(1, NOW / WEIR_MINUTE + 3, 1, 5);

    tell(rig, "192.0.0.1", true, NOW, 10);
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    assert_int_equal(database_store(rig->database, &row, 1, 10), 0);
    open_responder(rig);
    rig->seen = row.last;
    assert_int_equal(weir_responder_resume(rig->responder, NOW + WEIR_HOUR, false), 0);
    assert_int_equal(rig->resumed, 1);
}

/* One that lied, and others that charged a little: its word stays its own. */
static void by_whose_word_it_is_outlives_its_responder(void **state)
{
    struct rig *rig = *state;
    const struct weir_watch_event event = {
        .raised = true, .time = NOW, .prefix = watched_prefix("192.0.2.1"),
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10}, .class_name = "default",
        .servers = 4, .seen = 7};

    weir_responder_event(rig->responder, &event);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW), 0);
    assert_int_equal(count(rig, "events WHERE servers = 7 AND word = 4"), 1);
    open_responder(rig);
    assert_int_equal(weir_responder_resume(rig->responder, NOW, false), 0);
    assert_int_equal(rig->word, 4);
    assert_int_equal(rig->seen_by, 7);
}

static void an_event_nobody_keeps_track_of_does_not_stand(void **state)
{
    struct rig *rig = *state;
    const struct weir_watch_event event = {
        .raised = true, .untracked = true, .time = NOW, .prefix = watched_prefix("192.0.2.1"),
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10}, .class_name = "default",
        .servers = 6};

    weir_responder_event(rig->responder, &event);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW), 0);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + 2 * WEIR_HOUR), 0);
    must_have(rig, 1, 0, 1); /* one alert, and no climbing */
    assert_int_equal(count(rig, "events WHERE cleared = 0"), 0);
}

static void an_undo_forgets_the_step_for_good(void **state)
{
    struct rig *rig = *state;
    struct weir_prefix prefix = watched_prefix("192.0.2.0/24");

    tell(rig, "192.0.2.1", true, NOW, 10);
    tell(rig, "192.0.3.1", true, NOW, 10);
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    assert_int_equal(weir_responder_undo(rig->responder, &prefix, "ann", "", NOW), 0);
    assert_int_equal(count(rig, "ladder"), 1);
    assert_int_equal(count(rig, "events WHERE cleared = 0"), 1);
}

/* 192.0.2.1 is ::ffff:192.0.2.1 where it is kept, and is not below ::/0 all the same. */
static void an_undo_of_all_of_IPv6_leaves_IPv4_alone(void **state)
{
    struct rig *rig = *state;
    struct weir_prefix prefix = watched_prefix("::/0");

    tell(rig, "192.0.2.1", true, NOW, 10);
    tell(rig, "2001:db8::/64", true, NOW, 10);
    database_must(rig->database, weir_responder_turn(rig->responder, 10, NOW), 0);
    assert_int_equal(count(rig, "ladder"), 2);
    assert_int_equal(weir_responder_undo(rig->responder, &prefix, "ann", "", NOW), 0);
    assert_int_equal(count(rig, "ladder"), 1);
    assert_int_equal(count(rig, "events WHERE cleared = 0"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_written_is_whole_at_the_next_turn),
        TEST(what_is_replayed_up_to_the_answered_position_is_not_answered_again),
        TEST(a_batch_of_hours_is_noted_whole_and_climbs_one_step),
        TEST(a_turn_takes_whole_batches),
        TEST(a_journal_that_lost_its_end_is_answered_anew),
        TEST(a_step_of_the_ladder_outlives_its_responder),
        TEST(who_goes_on_under_other_limits_is_blocked_again_when_his_block_ends),
        TEST(who_was_only_observed_is_answered_by_the_first_step_and_at_once),
        TEST(caps_outlive_their_responder),
        TEST(caps_of_scores_outlive_it_too),
        TEST(what_is_not_taken_up_is_closed_with_the_reason),
        TEST(it_is_taken_up_as_of_when_it_was_last_seen),
        TEST(by_whose_word_it_is_outlives_its_responder),
        TEST(an_event_nobody_keeps_track_of_does_not_stand),
        TEST(an_undo_forgets_the_step_for_good),
        TEST(an_undo_of_all_of_IPv6_leaves_IPv4_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
