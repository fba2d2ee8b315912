/*
 * The local store shared by several processes: nothing is lost, changes are
 * seen, the death of a writer does no harm.  Children are forked before the file is
 * opened, and tell by their exit status: cmocka belongs to the parent.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/counters.h"
#include "tests/unit/counter_stores.h"

static const weir_time now = INT64_C(1795286015) * WEIR_SECOND;

static int make_path(void **state)
{
    char *path = malloc(LOCAL_PATH);
    assert_non_null(path);
    local_path_make(path);
    *state = path;
    return 0;
}

static int remove_path(void **state)
{
    local_path_remove(*state);
    free(*state);
    return 0;
}

static struct weir_counters *open_as(const char *path, uint64_t bytes_most, bool read_only)
{
    struct weir_counters *counters = NULL;
    const char *why;
    struct weir_counters_local_options options = {.path = path,
                                                  .bytes_most = bytes_most,
                                                  .read_only = read_only,
                                                  .scratch = true,
                                                  .mode = 0644};
    if (weir_counters_open_local(&options, NULL, &counters, &why) != 0)
        fprintf(stderr, "open: %s\n", why);
    return counters;
}

/* Two pipes to a child that steps when it is told to. */
struct child {
    pid_t pid;
    int to, from;
};

static struct child start(int (*run)(const char *path, int in, int out), const char *path)
{
    int to[2], from[2];
    struct child child;
    fflush(NULL);
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        close(to[1]);
        close(from[0]);
        alarm(60);
        _exit(run(path, to[0], from[1]));
    }
    close(to[0]);
    close(from[1]);
    child.to = to[1];
    child.from = from[0];
    return child;
}

/* Lets the child go on to its next step and waits until it is done. */
static void step(const struct child *child)
{
    char word = 'x';
    assert_int_equal(write(child->to, &word, 1), 1);
    assert_int_equal(read(child->from, &word, 1), 1);
}

static bool wait_for_step(int in)
{
    char word;
    return read(in, &word, 1) == 1;
}

static bool step_done(int out)
{
    return write(out, "x", 1) == 1;
}

static int end(struct child *child)
{
    int status = 0;
    close(child->to);
    close(child->from);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* The n-th entity that all processes know. */
static struct weir_counter known(unsigned n)
{
    struct weir_counter counter = {.variable = WEIR_GOOD_USER, .half_life = 2592000};
    memcpy(counter.entity.id, &n, sizeof n);
    return counter;
}

/* Seeing. ----------------------------------------------------------------- */

static int write_in_steps(const char *path, int in, int out)
{
    struct weir_counter counter = known(1);
    struct weir_counters *counters = NULL;
    while (wait_for_step(in)) {
        if (!counters)
            counters = open_as(path, 8 << 20, false);
        if (!counters || weir_counters_add(counters, now, &counter, 1) != 0 ||
            weir_counters_flush(counters, NULL) != 0 || !step_done(out))
            return 1;
    }
    weir_counters_free(&counters);
    return 0;
}

static void a_reader_sees_what_a_writer_flushed_without_reopening(void **state)
{
    const char *path = *state;
    struct weir_counter counter = known(1);
    struct child writer = start(write_in_steps, path);
    step(&writer);
    struct weir_counters *counters = open_as(path, 8 << 20, true);
    assert_non_null(counters);
    for (int i = 1; i < 50; i++) {
        assert_true(fabs(counter_value(counters, now, &counter) - i) < 0.001 * i);
        step(&writer);
    }
    assert_int_equal(end(&writer), 0);
    assert_true(fabs(counter_value(counters, now, &counter) - 50) < 0.05);
    weir_counters_free(&counters);
}

static int write_a_lot(const char *path, int in, int out)
{
    struct weir_counters *counters = NULL;
    unsigned n = 100;
    while (wait_for_step(in)) {
        counters = counters ? counters : open_as(path, 64 << 20, false);
        for (int i = 0; counters && i < 100000; i++) {
            struct weir_counter counter = known(n++);
            weir_counters_add(counters, now, &counter, 1);
        }
        if (!counters || weir_counters_flush(counters, NULL) != 0 || !step_done(out))
            return 1;
    }
    weir_counters_free(&counters);
    return 0;
}

static void a_file_that_another_process_made_larger_is_read_on(void **state)
{
    const char *path = *state;
    struct weir_counter mine = known(1);
    struct weir_counter others = known(100000);
    struct child writer = start(write_a_lot, path);
    struct weir_counters *counters = open_as(path, 4 << 20, false);
    assert_non_null(counters);
    counter_add(counters, now, &mine, 7);
    step(&writer);
    assert_true(fabs(counter_value(counters, now, &others) - 1) < 0.001);
    step(&writer);
    counter_add(counters, now, &mine, 1);
    assert_true(fabs(counter_value(counters, now, &mine) - 8) < 0.01);
    assert_int_equal(end(&writer), 0);
    weir_counters_free(&counters);
}

/* Adding. ----------------------------------------------------------------- */

enum { WRITERS = 4, EVENTS = 5000, ENTITIES = 40 };

static int add_many(const char *path, int in, int out)
{
    (void)out;
    struct weir_counters *counters = open_as(path, 8 << 20, false);
    if (!counters || !wait_for_step(in))
        return 1;
    for (unsigned i = 0; i < EVENTS; i++) {
        struct weir_counter counter = known(i % ENTITIES);
        if (weir_counters_add(counters, now, &counter, 1) != 0)
            return 2;
        if (i % 23 == 0 && weir_counters_flush(counters, NULL) != 0)
            return 3;
    }
    weir_counters_free(&counters);
    return 0;
}

static void writers_at_once_lose_nothing(void **state)
{
    const char *path = *state;
    struct child writer[WRITERS];
    for (int i = 0; i < WRITERS; i++) /* they also make the file at once */
        writer[i] = start(add_many, path);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(write(writer[i].to, "x", 1), 1);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(end(&writer[i]), 0);
    struct weir_counters *counters = open_as(path, 8 << 20, false);
    assert_non_null(counters);
    for (unsigned i = 0; i < ENTITIES; i++) {
        struct weir_counter counter = known(i);
        double want = WRITERS * EVENTS / ENTITIES;
        assert_true(fabs(counter_value(counters, now, &counter) - want) < 0.001 * want);
    }
    weir_counters_free(&counters);
}

/* Dying. ------------------------------------------------------------------ */

/* Each flush adds to both of a pair, until somebody puts an end to it. */
static int add_pairs(const char *path, int in, int out)
{
    struct weir_counter left = known(1), right = known(2);
    struct weir_counters *counters = open_as(path, 8 << 20, false);
    if (!counters || !wait_for_step(in) || !step_done(out))
        return 1;
    for (unsigned i = 0;; i++) {
        struct weir_counter other = known(100 + i % 5000);
        weir_counters_add(counters, now, &left, 1);
        weir_counters_add(counters, now, &other, 1);
        weir_counters_add(counters, now, &right, 1);
        if (weir_counters_flush(counters, NULL) != 0)
            return 2;
    }
}

static void a_killed_writer_leaves_a_sound_file_and_whole_flushes(void **state)
{
    const char *path = *state;
    double before = 0;
    for (int round = 0; round < 12; round++) {
        struct child writer = start(add_pairs, path);
        struct timespec pause = {.tv_nsec = (long)(random_u64() % 30000000)};
        step(&writer);
        nanosleep(&pause, NULL);
        kill(writer.pid, SIGKILL);
        assert_int_equal(end(&writer), 256 + SIGKILL);
        struct weir_counters *counters = open_as(path, 8 << 20, false);
        assert_non_null(counters);
        struct weir_counter left = known(1), right = known(2);
        double value = counter_value(counters, now, &left);
        assert_true(value == counter_value(counters, now, &right));
        assert_true(value >= before);
        counter_add(counters, now, &left, 1); /* no lock was left behind */
        counter_add(counters, now, &right, 1);
        before = value;
        weir_counters_free(&counters);
    }
}

/* What the system denies. ------------------------------------------------- */

static int read_without_rights(const char *path, int in, int out)
{
    struct weir_counter counter = known(1);
    if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
        return 1;
    struct weir_counters *counters = NULL;
    for (int i = 1; wait_for_step(in); i++) {
        struct weir_reading reading = {.counter = counter};
        counters = counters ? counters : open_as(path, 8 << 20, true);
        if (!counters)
            return 2;
        weir_counters_tick(counters, now + i * WEIR_MINUTE);
        if (weir_counters_read(counters, now, &reading, 1) != 1 || fabs(reading.value - i) > 0.01)
            return 2;
        if (!step_done(out))
            return 3;
    }
    weir_counters_free(&counters);
    return 0;
}

static void a_reader_that_may_not_write_the_lock_reads_all_the_same(void **state)
{
    const char *path = *state;
    char lock[LOCAL_PATH + 8], folder[LOCAL_PATH];
    struct weir_counter counter = known(1);
    snprintf(lock, sizeof lock, "%s-lock", path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    struct child child = start(read_without_rights, path);
    struct weir_counters *counters = open_as(path, 8 << 20, false);
    assert_non_null(counters);
    assert_int_equal(chmod(lock, 0600), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    for (int i = 1; i < 4; i++) {
        counter_add(counters, now, &counter, 1);
        step(&child);
    }
    assert_int_equal(end(&child), 0);
    weir_counters_free(&counters);
}

static int fill_the_disk(const char *path, int in, int out)
{
    struct weir_counter counter = known(1);
    struct weir_counters_status status;
    size_t lost = 0;
    struct stat st;
    (void)in, (void)out;
    signal(SIGXFSZ, SIG_IGN);
    struct weir_counters *counters = open_as(path, 8 << 20, false);
    if (!counters || weir_counters_add(counters, now, &counter, 5) != 0 ||
        weir_counters_flush(counters, NULL) != 0 || stat(path, &st) != 0)
        return 1;
    struct rlimit full = {(rlim_t)st.st_size, RLIM_INFINITY};
    struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &full);
    for (unsigned i = 100; i < 1000; i++) {
        struct weir_counter other = known(i);
        weir_counters_add(counters, now, &other, 1);
    }
    int result = weir_counters_flush(counters, &lost);
    if (result != WEIR_EFULL || lost == 0)
        return 2;
    weir_counters_status(counters, &status);
    if (status.node[0].failures == 0 || status.lost != lost)
        return 3;
    struct weir_reading reading = {.counter = counter};
    if (weir_counters_read(counters, now, &reading, 1) != 1 || fabs(reading.value - 5) > 0.01)
        return 4;
    setrlimit(RLIMIT_FSIZE, &more);
    if (weir_counters_add(counters, now, &counter, 1) != 0 ||
        weir_counters_flush(counters, &lost) != 0)
        return 5;
    weir_counters_free(&counters);
    return 0;
}

static void a_full_disk_loses_events_but_no_readings_and_heals(void **state)
{
    const char *path = *state;
    struct weir_counter counter = known(1);
    struct child child = start(fill_the_disk, path);
    assert_int_equal(end(&child), 0);
    struct weir_counters *counters = open_as(path, 8 << 20, false);
    assert_non_null(counters);
    assert_true(fabs(counter_value(counters, now, &counter) - 6) < 0.01);
    weir_counters_free(&counters);
}

#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, make_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PATH(a_reader_sees_what_a_writer_flushed_without_reopening),
        WITH_PATH(a_file_that_another_process_made_larger_is_read_on),
        WITH_PATH(writers_at_once_lose_nothing),
        WITH_PATH(a_killed_writer_leaves_a_sound_file_and_whole_flushes),
        WITH_PATH(a_reader_that_may_not_write_the_lock_reads_all_the_same),
        WITH_PATH(a_full_disk_loses_events_but_no_readings_and_heals),
    };
    signal(SIGPIPE, SIG_IGN); /* a child that has died shows in its exit status */
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
