/*
 * Each line of a spool is counted once, whatever is sent again, too early, or cut off by a kill
 * (receiver_io.c, receiver_streams.c, receiver_store_io.c, receiver_replay_io.c,
 * receiver_forget_io.c); and how late it is (receiver_time_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/intake/lines.h"
#include "tests/unit/receiver_rig.h"
#include "tests/unit/seeded.h"

static void A25_each_line_counts_once_whatever_is_sent_again(void **state)
{
    static const struct {
        size_t from, to;
        enum weir_taken wanted;
        size_t then;
    } cases[] = {
        {0, 10, WEIR_TAKEN, 10},           {0, 10, WEIR_TAKEN, 10}, /* again */
        {3, 7, WEIR_TAKEN, 10},            {5, 20, WEIR_TAKEN, 20}, /* inside; overlapping */
        {0, 25, WEIR_TAKEN, 25},           {25, 25, WEIR_TAKEN, 25}, /* nothing */
        {26, 30, WEIR_TAKEN_ELSEWHERE, 25}, {30, 40, WEIR_TAKEN_ELSEWHERE, 25},
        {25, 60, WEIR_TAKEN, 60},          {60, 100, WEIR_TAKEN, 100},
    };
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        receiver_must_take(rig, cases[i].from, cases[i].to, cases[i].wanted, cases[i].then);
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.lines, 100);
    assert_int_equal(counts.traffic, 100);
    assert_int_equal(counts.octets, rig->at[100]);
    assert_int_equal(counts.again, rig->at[10] + (rig->at[7] - rig->at[3]) +
                                       (rig->at[10] - rig->at[5]) + rig->at[20]);
    assert_int_equal(counts.streams, 1);
    assert_int_equal(weir_watch_counts(rig->watched.watch)->charges, 100);
    receiver_must_be_stored(rig, 100);
    receiver_must_be_stored(rig, 100);
}

static void a_random_order_of_pieces_counts_each_line_once(void **state)
{
    struct receiver_rig *rig = *state;
    struct seeded s = seeded_new(__func__);
    uint64_t there = 0;

    while (there < rig->at[LINES]) {
        size_t from = seeded_below(&s, LINES), len = 1 + seeded_below(&s, 900);
        size_t to = from + len < LINES ? from + len : LINES;
        uint64_t offset = 0, wanted = rig->at[from] > there ? there
                                      : rig->at[to] > there ? rig->at[to] : there;
        enum weir_taken taken = receiver_take(rig, from, to, &offset);

        assert_int_equal(taken, rig->at[from] > there ? WEIR_TAKEN_ELSEWHERE : WEIR_TAKEN);
        assert_int_equal(offset, wanted);
        there = offset;
        if (seeded_below(&s, 4) == 0)
            database_must(rig->database, weir_receiver_store(rig->receiver), 0);
        if (seeded_below(&s, 8) == 0)
            receiver_open(rig);
    }
    receiver_must_be_stored(rig, LINES);
}

static void forget(struct receiver_rig *rig, weir_time now, int wanted)
{
    database_must(rig->database, weir_receiver_forget(rig->receiver, now), wanted);
}

/* A report that its file is gone may be lost, doubled, or overtaken by what was sent before it. */
static void a_stream_is_forgotten_some_time_after_its_file(void **state)
{
    const weir_time gone = DATABASE_NOW + WEIR_HOUR;
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;

    receiver_must_take(rig, 0, 100, WEIR_TAKEN, 100);
    weir_receiver_gone(rig->receiver, 1, STREAM, gone);
    weir_receiver_gone(rig->receiver, 1, STREAM, gone + WEIR_MINUTE);
    weir_receiver_gone(rig->receiver, 2, STREAM, gone);     /* another server's */
    weir_receiver_gone(rig->receiver, 1, "never-1-1.log", gone);
    forget(rig, gone + WEIR_RECEIVER_LINGER, 0);            /* it is not yet stored */
    receiver_must_be_stored(rig, 100);
    forget(rig, gone + WEIR_RECEIVER_LINGER - 1, 0);
    receiver_must_take(rig, 0, 100, WEIR_TAKEN, 100);       /* late on its way: counted once */
    forget(rig, gone + WEIR_RECEIVER_LINGER, 0);
    receiver_must_be_stored(rig, 100);
    weir_receiver_gone(rig->receiver, 1, STREAM, gone);
    forget(rig, gone + WEIR_RECEIVER_LINGER, 1);
    forget(rig, gone + WEIR_RECEIVER_LINGER, 0);
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.streams, 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM streams"), 0);
    receiver_open(rig);
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.streams, 0);
    receiver_must_be_stored(rig, 100);
}

/* Whichever go, the others are found. */
static void many_streams_go_in_any_order_and_the_others_stay(void **state)
{
    enum { MANY = 3000 };
    struct receiver_rig *rig = *state;
    struct seeded s = seeded_new(__func__);
    struct weir_receiver_counts counts;
    static bool there[MANY];
    size_t left = MANY;
    uint64_t offset;
    char name[64];

    for (int i = 0; i < MANY; i++) {
        sprintf(name, "sniffer-%d-1.log~01234567", i);
        assert_int_equal(weir_receiver_take(rig->receiver, 1, name, 0,
                                            weir_slice_between(rig->text, rig->text + rig->at[1]),
                                            DATABASE_NOW, &offset), WEIR_TAKEN);
        there[i] = true;
    }
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    for (int round = 1; round <= 20; round++) {
        weir_time now = DATABASE_NOW + round * WEIR_HOUR;
        int gone = 0;

        for (int n = 0; n < 100; n++) {
            int i = (int)seeded_below(&s, MANY);

            sprintf(name, "sniffer-%d-1.log~01234567", i);
            weir_receiver_gone(rig->receiver, 1, name, now - WEIR_RECEIVER_LINGER);
            gone += there[i];
            there[i] = false;
        }
        forget(rig, now, gone);
        left -= (size_t)gone;
    }
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.streams, left);
    for (int i = 0; i < MANY; i++) {
        sprintf(name, "sniffer-%d-1.log~01234567", i);
        if (there[i])
            assert_int_equal(weir_receiver_take(rig->receiver, 1, name, rig->at[5],
                                                weir_slice_of("x\n"), DATABASE_NOW, &offset),
                             WEIR_TAKEN_ELSEWHERE);
        if (there[i])
            assert_int_equal(offset, rig->at[1]);
    }
}

/* Takes and stores until it is killed; tells each acknowledgement. */
static void be_killed(struct receiver_rig *rig, int told)
{
    uint64_t offset;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    receiver_open(rig);
    for (size_t i = 0; i + 10 <= LINES; i += 10) {
        if (receiver_take(rig, i, i + 10, &offset) != WEIR_TAKEN ||
            write(told, &offset, sizeof offset) != sizeof offset)
            _exit(1);
        if (i % 170 == 0 && weir_receiver_store(rig->receiver) < 0)
            _exit(2);
    }
    pause();
}

static uint64_t kill_after(struct receiver_rig *rig, unsigned acknowledged)
{
    uint64_t offset = 0, last = 0;
    int told[2], status;
    pid_t child;

    weir_receiver_free(&rig->receiver);
    weir_database_free(&rig->database->database);
    assert_int_equal(pipe(told), 0);
    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_killed(rig, told[1]);
    close(told[1]);
    for (unsigned i = 0; i < acknowledged; i++)
        assert_int_equal(read(told[0], &last, sizeof last), sizeof last);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(told[0], &offset, sizeof offset) == sizeof offset)
        last = offset;
    close(told[0]);
    return last;
}

static void A25_after_a_kill_all_that_was_acknowledged_counts_and_counts_once(void **state)
{
    static const unsigned after[] = {1, 17, 40, 100, 250};
    struct receiver_rig *rig = *state;
    uint64_t last, there;

    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        last = kill_after(rig, after[i]);
        receiver_open(rig);
        assert_int_equal(receiver_take(rig, 0, 0, &there), WEIR_TAKEN);
        assert_true(there >= last && there <= rig->at[LINES]);
        size_t lines = 0;
        while (rig->at[lines] < there)
            lines++;
        assert_int_equal(rig->at[lines], there);
        receiver_must_be_stored(rig, lines);
    }
    receiver_must_take(rig, 0, LINES, WEIR_TAKEN, LINES);
    receiver_must_be_stored(rig, LINES);
}

static void a_journal_with_more_than_a_table_holds_is_replayed(void **state)
{
    struct receiver_rig *rig = *state;

    for (size_t i = 0; i < LINES; i += 40)
        receiver_must_take(rig, i, i + 40, WEIR_TAKEN, i + 40);
    rig->options.rows = ADDRESSES;
    receiver_open(rig);
    receiver_must_take(rig, 0, 0, WEIR_TAKEN, LINES);
    receiver_must_be_stored(rig, LINES);
}

static void a_full_journal_turns_agents_away_until_the_database_has_it(void **state)
{
    struct receiver_rig *rig = *state;
    size_t at = 0;
    uint64_t offset;

    rig->options.journal_most = 2 * (rig->at[100] + 200);
    receiver_open(rig);
    while (receiver_take(rig, at, at + 50, &offset) == WEIR_TAKEN)
        at += 50;
    assert_true(at >= 100 && at <= 250);
    assert_int_equal(offset, rig->at[at]);
    receiver_must_be_stored(rig, at);
}

static void a_clock_that_is_ahead_moves_no_time_also_not_after_a_replay(void **state)
{
    static const struct {
        weir_time ahead;
        bool counted;
    } cases[] = {{WEIR_LINES_AHEAD, false}, {WEIR_LINES_AHEAD + 1, true},
                 {WEIR_DAY, true}, {100 * 365 * WEIR_DAY, true}};
    struct receiver_rig *rig = *state;
    char line[WEIR_TRAFFIC_LINE_ROOM + 1];
    struct weir_receiver_counts counts;
    uint64_t offset = 0, ahead = 0;

    rig->options.now = DATABASE_NOW + WEIR_MINUTE;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_traffic_line_write(&(struct weir_traffic){.time = DATABASE_NOW + cases[i].ahead,
                                                       .address = database_address(9),
                                                       .connections = 1}, line);
        strcat(line, "\n");
        assert_int_equal(weir_receiver_take(rig->receiver, 1, STREAM, offset, weir_slice_of(line),
                                            DATABASE_NOW, &offset), WEIR_TAKEN);
        weir_receiver_count(rig->receiver, &counts);
        ahead += cases[i].counted;
        assert_int_equal(counts.ahead, ahead);
    }
    assert_true(weir_receiver_certain(rig->receiver, DATABASE_NOW, WEIR_SECOND) <=
                DATABASE_NOW + WEIR_LINES_AHEAD);
    receiver_open(rig);
    assert_int_equal(weir_receiver_certain(rig->receiver, DATABASE_NOW, WEIR_DAY), 0);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"), 4);
    assert_true(database_number(rig->database, "SELECT max(last_seen) FROM addresses") <=
                rig->options.now + WEIR_LINES_AHEAD);
}

static void lines_that_are_wrong_are_counted_and_safe_all_the_same(void **state)
{
    static const char text[] = "\nat=1795000000.0 program=milter\nat=1 kind=traffic address=x\n"
                               "at=1794999999.5 kind=health packets=3\n\xff\xfe\n";
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;
    uint64_t offset = 0;

    assert_int_equal(weir_receiver_take(rig->receiver, 1, STREAM, 0, weir_slice_of(text),
                                        DATABASE_NOW, &offset), WEIR_TAKEN);
    assert_int_equal(offset, strlen(text));
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.lines, 5);
    assert_int_equal(counts.traffic, 0);
    assert_int_equal(counts.bad, 1);
    assert_true(weir_receiver_certain(rig->receiver, DATABASE_NOW, WEIR_SECOND) ==
                DATABASE_NOW - WEIR_SECOND / 2);
}

static void streams_are_told_apart_by_server_and_name_however_many(void **state)
{
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;
    char name[WEIR_STREAM_MAX + 1];
    uint64_t offset;

    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3000; i++) {
            snprintf(name, sizeof name, "%0*u", WEIR_STREAM_MAX, i / 3);
            assert_int_equal(weir_receiver_take(rig->receiver, 1 + i % 3, name, 0,
                                                weir_slice_between(rig->text,
                                                                   rig->text + rig->at[1]),
                                                DATABASE_NOW, &offset), WEIR_TAKEN);
            assert_int_equal(offset, rig->at[1]);
        }
        weir_receiver_count(rig->receiver, &counts);
        assert_int_equal(counts.streams, 3000);
        receiver_open(rig); /* the journal knows them, then the database */
        database_must(rig->database, weir_receiver_store(rig->receiver), 0);
        receiver_open(rig);
    }
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     3000);
}

static void names_that_are_made_up_take_no_room_without_end(void **state)
{
    static const char line[] = "kind=nothing\n";
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;
    enum weir_taken taken;
    uint64_t offset = 9;
    char name[24];

    for (unsigned i = 0; i < WEIR_STREAMS_MAX + 2; i++) {
        snprintf(name, sizeof name, "made-up-%u", i);
        taken = weir_receiver_take(rig->receiver, 1, name, 7, weir_slice_of(line), DATABASE_NOW,
                                   &offset);
        assert_int_equal(taken, WEIR_TAKEN_ELSEWHERE);
        assert_int_equal(offset, 0);
        taken = weir_receiver_take(rig->receiver, 1, name, 0, weir_slice_of(line), DATABASE_NOW,
                                   &offset);
        assert_int_equal(taken, i < WEIR_STREAMS_MAX ? WEIR_TAKEN : WEIR_TAKEN_LATER);
    }
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.streams, WEIR_STREAMS_MAX);
    receiver_must_take(rig, 0, 1, WEIR_TAKEN_LATER, 0);
    assert_int_equal(weir_receiver_take(rig->receiver, 2, STREAM, 0, weir_slice_of(line),
                                        DATABASE_NOW, &offset), WEIR_TAKEN);
    weir_receiver_gone(rig->receiver, 1, "made-up-7", DATABASE_NOW);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(weir_receiver_forget(rig->receiver, DATABASE_NOW + WEIR_RECEIVER_LINGER), 1);
    receiver_must_take(rig, 0, 1, WEIR_TAKEN, 1);
}

/* A line of a server, as the first one of a file, comes in at a time. */
static void hear(struct receiver_rig *rig, uint32_t server, const char *line, weir_time now)
{
    char name[WEIR_STREAM_MAX + 1];
    uint64_t offset;

    snprintf(name, sizeof name, "%.12s-%lld.log", line, (long long)now);
    assert_int_equal(weir_receiver_take(rig->receiver, server, name, 0, weir_slice_of(line), now,
                                        &offset), WEIR_TAKEN);
}

/* A sniffer's word that it is so late. */
static void hear_sniffer(struct receiver_rig *rig, uint32_t server, weir_time own, weir_time now)
{
    struct weir_health health = {.time = own, .packets = 1};
    char text[WEIR_TRAFFIC_LINE_ROOM], line[WEIR_TRAFFIC_LINE_ROOM + 1];

    snprintf(line, sizeof line, "%s\n", weir_health_line_write(&health, text));
    hear(rig, server, line, now);
}

static void a_server_whose_own_time_stands_still_does_not_stop_time_for_all(void **state)
{
    static const char plug_in[] = "at=2026-11-18T08:26:40Z program=exim action=pass\n";
    const weir_time silence = 30 * WEIR_SECOND;
    struct receiver_rig *rig = *state;
    weir_time now = DATABASE_NOW;

    hear(rig, 3, plug_in, now); /* it has no sniffer at all */
    assert_int_equal(weir_receiver_certain(rig->receiver, now, silence), 0);
    hear_sniffer(rig, 1, now, now);
    hear_sniffer(rig, 2, now - WEIR_SECOND, now);
    assert_int_equal(weir_receiver_certain(rig->receiver, now, silence), now - WEIR_SECOND);
    for (int second = 0; second < 40; second++) { /* the second one's sniffer is dead */
        now += WEIR_SECOND;
        hear_sniffer(rig, 1, now, now);
        hear_sniffer(rig, 2, DATABASE_NOW - WEIR_SECOND, now);
        hear(rig, 2, plug_in, now);
        hear(rig, 3, plug_in, now);
    }
    assert_int_equal(weir_receiver_certain(rig->receiver, now, silence), now);
}

static void a_server_that_is_far_behind_is_not_waited_for(void **state)
{
    struct receiver_rig *rig = *state;
    weir_time now = DATABASE_NOW, behind = now - WEIR_HOUR;

    hear_sniffer(rig, 2, behind, now);
    assert_int_equal(weir_receiver_certain(rig->receiver, now, WEIR_MINUTE), behind);
    hear_sniffer(rig, 1, now, now);
    assert_int_equal(weir_receiver_certain(rig->receiver, now, WEIR_MINUTE),
                     now - WEIR_RECEIVER_BEHIND);
    hear_sniffer(rig, 2, now - WEIR_RECEIVER_BEHIND + 1, now);
    assert_int_equal(weir_receiver_certain(rig->receiver, now, WEIR_MINUTE),
                     now - WEIR_RECEIVER_BEHIND + 1);
}

static int later(void *context, uint64_t position)
{
    unsigned *times = context;

    (void)position;
    return *times > 0 && (*times)--;
}

static void what_others_put_off_is_told_once_when_it_is_stored(void **state)
{
    const struct weir_hash_key key = {{5}};
    struct weir_recent_question all = {.to = INT64_MAX, .most = WEIR_RECENT_TOP_MAX};
    struct receiver_rig *rig = *state;
    struct weir_recent_top top[WEIR_RECENT_TOP_MAX];
    unsigned times = 0;
    uint64_t sum = 0;
    int found;

    assert_int_equal(weir_recent_new(1000, &key, &rig->options.recent), 0);
    weir_recent_begin(rig->options.recent, 0);
    rig->options.settle = later;
    rig->options.context = &times;
    receiver_open(rig);
    for (size_t from = 0; from < 400; from += 100, times = 2) {
        receiver_must_take(rig, from, from + 100, WEIR_TAKEN, from + 100);
        database_must(rig->database, weir_receiver_store(rig->receiver), 0);
        assert_int_equal(times, 0);
    }
    all.from = weir_recent_begins(rig->options.recent);
    found = weir_recent_top(rig->options.recent, &all, top);
    assert_int_equal(found, ADDRESSES);
    for (int i = 0; i < found; i++)
        sum += top[i].sum[0];
    assert_int_equal(sum, 400);
    receiver_must_be_stored(rig, 400);
    weir_receiver_free(&rig->receiver);
    weir_recent_free(&rig->options.recent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, receiver_setup, receiver_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stream_is_forgotten_some_time_after_its_file),
        TEST(many_streams_go_in_any_order_and_the_others_stay),
        TEST(A25_each_line_counts_once_whatever_is_sent_again),
        TEST(a_random_order_of_pieces_counts_each_line_once),
        TEST(A25_after_a_kill_all_that_was_acknowledged_counts_and_counts_once),
        TEST(a_journal_with_more_than_a_table_holds_is_replayed),
        TEST(a_full_journal_turns_agents_away_until_the_database_has_it),
        TEST(a_clock_that_is_ahead_moves_no_time_also_not_after_a_replay),
        TEST(lines_that_are_wrong_are_counted_and_safe_all_the_same),
        TEST(streams_are_told_apart_by_server_and_name_however_many),
        TEST(names_that_are_made_up_take_no_room_without_end),
        TEST(a_server_whose_own_time_stands_still_does_not_stop_time_for_all),
        TEST(a_server_that_is_far_behind_is_not_waited_for),
        TEST(what_others_put_off_is_told_once_when_it_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
