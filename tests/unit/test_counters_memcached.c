/* Counters in a cluster of three real memcacheds (counters_memcached_io.c and its
 * parts) that are killed, stopped and restarted: the same numbers as a model, no
 * read that waits for long, no event counted twice, none lost without being told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/error.h"
#include "tests/unit/memcached_cluster.h"
#include "tests/unit/scratch.h"
#include "tests/unit/seeded.h"

#define MANY 1000 /* readings of 200 entities: every node has many of them */
#define ROUNDS 200 /* of ticks and reads while a server is down: long enough for several probes */
#define ROUND_SLOWEST (30 * 1000) /* on average, with a nap of 1 ms and on a busy machine */

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* One event of weight 1 on each of n counters, stored. */
static void add_one_each(struct cluster *cluster, const struct weir_reading *reading, size_t n)
{
    size_t lost;
    weir_time now = cluster_now();
    for (size_t i = 0; i < n; i++)
        assert_int_equal(
            weir_counters_add(cluster->counters, now, &reading[i].counter, 1.0), 0);
    assert_int_equal(weir_counters_flush(cluster->counters, &lost), 0);
    assert_int_equal(lost, 0);
}

/* All readings are 1, but those of the node (if any), which are missing. */
static void assert_ones_but(const struct cluster *cluster, const struct weir_reading *reading,
                            size_t n, size_t node)
{
    size_t there = 0;
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        bool lost = cluster_node_of(cluster, &reading[i].counter.entity) == node;
        assert_int_equal(reading[i].missing, lost);
        assert_true(fabs(reading[i].value - (lost ? 0 : 1)) < 0.001);
        missing += lost;
        there += !lost;
    }
    assert_true(there > n / 3 && (node == NODES || missing > n / 10));
}

/* The same numbers as a model. ---------------------------------------------- */

#define EVENTS 3000
#define ENTITIES 40

struct event {
    struct weir_counter counter;
    weir_time when;
    double weight;
};

static long double exact(const struct event *event, size_t n, const struct weir_counter *counter,
                         weir_time now)
{
    long double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&event[i].counter.entity, &counter->entity, sizeof counter->entity) != 0 ||
            event[i].counter.variable != counter->variable ||
            event[i].counter.half_life != counter->half_life)
            continue;
        long double age = (long double)(now - event[i].when) / WEIR_SECOND;
        sum += event[i].weight *
               (counter->half_life ? exp2l(-age / counter->half_life) : 1);
    }
    return sum;
}

static struct event random_event(struct seeded *seed, weir_time now)
{
    static const uint32_t half_life[] = {900, 3600, 864000, 0};
    struct event event;
    memset(&event, 0, sizeof event);
    uint32_t entity = seeded_below(seed, ENTITIES);
    memcpy(event.counter.entity.id, &entity, sizeof entity);
    event.counter.variable = seeded_below(seed, WEIR_VARIABLES);
    event.counter.half_life = half_life[seeded_below(seed, 4)];
    uint32_t span = event.counter.half_life ? 8 * event.counter.half_life : 86400;
    event.when = now - (weir_time)seeded_below(seed, span) * WEIR_SECOND;
    event.weight = 0.125 * (1 + seeded_below(seed, 80));
    return event;
}

static void C22_values_are_those_of_exact_decay(void **state)
{
    static struct event event[EVENTS];
    static struct weir_reading reading[ENTITIES * WEIR_VARIABLES * 4];
    (void)state;
    struct seeded seed = seeded_new("C22_values_are_those_of_exact_decay");
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    weir_time now = cluster_now();
    size_t n = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        event[i] = random_event(&seed, now);
        assert_int_equal(weir_counters_add(cluster->counters, event[i].when, &event[i].counter,
                                           event[i].weight), 0);
    }
    for (size_t i = 0; i < EVENTS; i += 3) /* every third was a mistake */
        assert_int_equal(weir_counters_take_back(cluster->counters, event[i].when,
                                                 &event[i].counter, event[i].weight), 0);
    for (size_t i = 0; i < EVENTS; i += 3)
        event[i].weight = 0;
    assert_int_equal(weir_counters_flush(cluster->counters, NULL), 0);
    for (uint32_t entity = 0; entity < ENTITIES; entity++)
        for (size_t i = 0; i < 4 * WEIR_VARIABLES; i++, n++) {
            reading[n].counter = event[0].counter;
            memcpy(reading[n].counter.entity.id, &entity, sizeof entity);
            reading[n].counter.variable = i / 4;
            reading[n].counter.half_life = (const uint32_t[]){900, 3600, 864000, 0}[i % 4];
        }
    assert_int_equal(weir_counters_read(cluster->counters, now, reading, n), 1);
    for (size_t i = 0; i < n; i++) {
        double want = (double)exact(event, EVENTS, &reading[i].counter, now);
        if (fabs(reading[i].value - want) > 0.001 * want + 0.01)
            fail_msg("reading %zu: got %f, want %f", i, reading[i].value, want);
    }
    cluster_stop(&cluster);
}

static void what_one_handle_stores_another_reads(void **state)
{
    static struct weir_reading reading[MANY];
    const char *server[NODES];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    for (size_t i = 0; i < NODES; i++) /* another order, as another server may have it */
        server[i] = memcached_rig_server(cluster->rig[NODES - 1 - i]);
    struct weir_counters *other = cluster_open(server, NODES, CLUSTER_WAIT, NULL);
    cluster_fill(reading, MANY, 0);
    add_one_each(cluster, reading, MANY);
    assert_int_equal(weir_counters_read(other, cluster_now(), reading, MANY), 1);
    assert_ones_but(cluster, reading, MANY, NODES);
    weir_counters_free(&other);
    cluster_stop(&cluster);
}

static void as_many_as_WEIR_READINGS_MAX_come_in_one_go(void **state)
{
    static struct weir_reading reading[WEIR_READINGS_MAX];
    (void)state;
    struct cluster *cluster = cluster_start(10 * WEIR_SECOND);
    cluster_fill(reading, WEIR_READINGS_MAX, 0);
    add_one_each(cluster, reading, MANY);
    assert_int_equal(
        weir_counters_read(cluster->counters, cluster_now(), reading, WEIR_READINGS_MAX), 1);
    assert_ones_but(cluster, reading, MANY, NODES);
    for (size_t i = MANY; i < WEIR_READINGS_MAX; i++)
        assert_true(!reading[i].missing && reading[i].value == 0);
    cluster_stop(&cluster);
}

static void keys_expire_at_the_absolute_time_of_their_epoch(void **state)
{
    static const uint32_t half_life[] = {900, 864000, 2592000, 0};
    char key[WEIR_COUNTER_KEY_MAX];
    char command[128];
    char answer[128];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    for (size_t i = 0; i < 4; i++) {
        const struct weir_counter counter = {.half_life = half_life[i]};
        weir_time now = cluster_now();
        uint32_t epoch = weir_decay_epoch(now, half_life[i]);
        weir_counter_key(&counter, epoch, key);
        assert_int_equal(weir_counters_add(cluster->counters, now, &counter, 1), 0);
        assert_int_equal(weir_counters_flush(cluster->counters, NULL), 0);
        snprintf(command, sizeof command, "mg %s t\r\n", key);
        cluster_say(cluster->rig[cluster_node_of(cluster, &counter.entity)], command, answer,
                    sizeof answer);
        long left = (long)weir_decay_expires(epoch, half_life[i]) - (long)(now / WEIR_SECOND);
        assert_memory_equal(answer, "HD t", 4);
        assert_true(labs(strtol(answer + 4, NULL, 10) - left) <= 5);
    }
    cluster_stop(&cluster);
}

static void taking_back_what_is_not_there_makes_no_key(void **state)
{
    const struct weir_counter counter = {.half_life = 864000};
    char key[WEIR_COUNTER_KEY_MAX];
    char command[128];
    char answer[128];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    weir_time now = cluster_now();
    assert_int_equal(weir_counters_take_back(cluster->counters, now, &counter, 1), 0);
    assert_int_equal(weir_counters_flush(cluster->counters, NULL), 0);
    weir_counter_key(&counter, weir_decay_epoch(now, counter.half_life), key);
    snprintf(command, sizeof command, "mg %s v\r\n", key);
    cluster_say(cluster->rig[cluster_node_of(cluster, &counter.entity)], command, answer,
                sizeof answer);
    assert_string_equal(answer, "EN\r");
    cluster_stop(&cluster);
}

static void what_is_no_number_is_missing_and_told_a_few_times(void **state)
{
    static const char *const value[] = {"", "spam", "-1", "999999999999999999999"};
    struct weir_reading reading[5];
    char key[WEIR_COUNTER_KEY_MAX];
    char command[256];
    char answer[64];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    cluster_fill(reading, 5, 0);
    add_one_each(cluster, reading, 5);
    size_t node = cluster_node_of(cluster, &reading[0].counter.entity);
    for (size_t i = 0; i < 4; i++) {
        weir_counter_key(&reading[i].counter, weir_decay_epoch(cluster_now(), 2592000), key);
        snprintf(command, sizeof command, "set %s 0 0 %zu\r\n%s\r\n", key, strlen(value[i]),
                 value[i]);
        cluster_say(cluster->rig[node], command, answer, sizeof answer);
        assert_memory_equal(answer, "STORED", 6);
    }
    for (size_t round = 0; round < 5 * WEIR_LOG_BURST; round++)
        assert_int_equal(cluster_read(cluster, reading, 5), 0);
    for (size_t i = 0; i < 4; i++)
        assert_true(reading[i].missing);
    assert_false(reading[4].missing);
    assert_string_equal(cluster_state(cluster), "+++");
    size_t lines = 0;
    for (const char *at = cluster->log; (at = strstr(at, "no counters")); at++)
        lines++;
    assert_in_range(lines, 1, WEIR_LOG_BURST + 1);
    cluster_stop(&cluster);
}

/* One that dies. -------------------------------------------------------------- */

static void a_killed_server_takes_only_its_share_along(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    cluster_fill(reading, MANY, 0);
    add_one_each(cluster, reading, MANY);
    memcached_rig_kill(cluster->rig[1]);
    for (size_t round = 0; round < 20; round++) {
        assert_int_equal(cluster_read(cluster, reading, MANY), 0);
        assert_ones_but(cluster, reading, MANY, 1);
    }
    assert_string_equal(cluster_state(cluster), "+-+");
    assert_true(memcached_rig_restart(cluster->rig[1]));
    cluster_tick_until(cluster, "+++");
    assert_int_equal(cluster_read(cluster, reading, MANY), 1); /* empty, but it answers */
    assert_non_null(strstr(cluster->log, "is down"));
    assert_non_null(strstr(cluster->log, "answers again"));
    cluster_stop(&cluster);
}

static void a_stopped_server_costs_one_wait_and_then_none(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    cluster_fill(reading, MANY, 0);
    add_one_each(cluster, reading, MANY);
    memcached_rig_pause(cluster->rig[2]);
    assert_int_equal(cluster_read(cluster, reading, MANY), 0);
    assert_ones_but(cluster, reading, MANY, 2);
    assert_string_equal(cluster_state(cluster), "++-");
    weir_time start = cluster_steady();
    for (size_t round = 0; round < ROUNDS; round++) {
        weir_counters_tick(cluster->counters, cluster_now()); /* probes hang: nobody waits */
        assert_int_equal(cluster_read(cluster, reading, MANY), 0);
        assert_ones_but(cluster, reading, MANY, 2);
        nap_ms(1);
    }
    assert_true(cluster_steady() - start < ROUNDS * ROUND_SLOWEST);
    memcached_rig_resume(cluster->rig[2]);
    cluster_tick_until(cluster, "+++");
    assert_int_equal(cluster_read(cluster, reading, MANY), 1);
    assert_ones_but(cluster, reading, MANY, NODES); /* and nothing has jumped */
    cluster_stop(&cluster);
}

static void all_stopped_cost_one_wait_together(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    cluster_fill(reading, MANY, 0);
    add_one_each(cluster, reading, MANY);
    for (size_t i = 0; i < NODES; i++)
        memcached_rig_pause(cluster->rig[i]);
    weir_time start = cluster_steady();
    for (size_t round = 0; round < ROUNDS; round++) {
        weir_counters_tick(cluster->counters, cluster_now());
        assert_int_equal(cluster_read(cluster, reading, MANY), 0);
        for (size_t i = 0; i < MANY; i++)
            assert_true(reading[i].missing && reading[i].value == 0);
        assert_string_equal(cluster_state(cluster), "---");
        nap_ms(1);
    }
    assert_true(cluster_steady() - start < CLUSTER_SLOWEST + ROUNDS * ROUND_SLOWEST);
    for (size_t i = 0; i < NODES; i++)
        memcached_rig_resume(cluster->rig[i]);
    cluster_tick_until(cluster, "+++");
    assert_int_equal(cluster_read(cluster, reading, MANY), 1);
    assert_ones_but(cluster, reading, MANY, NODES);
    cluster_stop(&cluster);
}

/* The idle connection is dead: it is made anew, and nobody notices. */
static void a_restart_between_two_reads_is_not_noticed(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    cluster_fill(reading, MANY, 0);
    for (size_t round = 0; round < 5; round++) {
        assert_int_equal(cluster_read(cluster, reading, MANY), 1);
        assert_true(memcached_rig_restart(cluster->rig[round % NODES]));
    }
    add_one_each(cluster, reading, MANY); /* writing neither */
    assert_string_equal(cluster_state(cluster), "+++");
    assert_string_equal(cluster->log, "");
    cluster_stop(&cluster);
}

static void restarts_under_load_never_make_a_read_wait(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    cluster_fill(reading, MANY, 0);
    size_t rounds = 0;
    fflush(NULL);
    pid_t trouble = fork();
    if (trouble == 0) { /* stops and continues two of them, again and again */
        for (size_t i = 0; i < 30; i++) {
            memcached_rig_pause(cluster->rig[i % 2]);
            nap_ms(15);
            memcached_rig_resume(cluster->rig[i % 2]);
            nap_ms(15);
        }
        _exit(0);
    }
    while (waitpid(trouble, NULL, WNOHANG) == 0) {
        if (++rounds % 64 == 0)
            assert_true(memcached_rig_restart(cluster->rig[2]));
        weir_counters_tick(cluster->counters, cluster_now());
        cluster_read(cluster, reading, MANY);
        for (size_t i = 0; i < MANY; i++)
            assert_true(reading[i].value == 0);
    }
    cluster_tick_until(cluster, "+++");
    assert_int_equal(cluster_read(cluster, reading, MANY), 1);
    cluster_stop(&cluster);
}

/* One-shot programs have no ticks: after the interval a read is the probe. */
static void without_ticks_a_later_read_finds_it_again(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct cluster *cluster = cluster_start(CLUSTER_WAIT);
    cluster_fill(reading, MANY, 0);
    memcached_rig_kill(cluster->rig[0]);
    assert_int_equal(cluster_read(cluster, reading, MANY), 0);
    assert_true(memcached_rig_restart(cluster->rig[0]));
    weir_time until = cluster_steady() + 10 * WEIR_SECOND;
    while (cluster_read(cluster, reading, MANY) == 0 && cluster_steady() < until)
        nap_ms(5);
    assert_string_equal(cluster_state(cluster), "+++");
    cluster_stop(&cluster);
}

/* Events. --------------------------------------------------------------------- */

static void events_for_a_dead_server_are_lost_and_said_to_be(void **state)
{
    static struct weir_reading reading[MANY];
    struct weir_counters_status status;
    (void)state;
    for (unsigned kill = 0; kill < 2; kill++) {
        struct cluster *cluster = cluster_start(CLUSTER_WAIT);
        size_t want = 0;
        size_t lost = 0;
        cluster_fill(reading, MANY, 0);
        add_one_each(cluster, reading, MANY);
        if (kill)
            memcached_rig_kill(cluster->rig[0]);
        else
            memcached_rig_pause(cluster->rig[0]);
        for (size_t i = 0; i < MANY; i++) {
            weir_counters_add(cluster->counters, cluster_now(), &reading[i].counter, 1);
            want += cluster_node_of(cluster, &reading[i].counter.entity) == 0;
        }
        weir_time start = cluster_steady();
        assert_int_equal(weir_counters_flush(cluster->counters, &lost), WEIR_EDOWN);
        assert_true(cluster_steady() - start < CLUSTER_SLOWEST);
        assert_int_equal(lost, want);
        weir_counters_status(cluster->counters, &status);
        assert_int_equal(status.lost, want);
        assert_int_equal(status.written, 2 * MANY - want);
        assert_false(status.node[0].up);
        cluster_read(cluster, reading, MANY);
        for (size_t i = 0; i < MANY; i++)
            assert_true(reading[i].missing || fabs(reading[i].value - 2) < 0.001);
        cluster_stop(&cluster);
    }
}

/* The servers are stopped while events are under way, at any moment.  Each
 * event has a counter of its own: a value says how often it was counted. */
static void no_event_is_counted_twice_and_none_said_stored_is_missing(void **state)
{
    enum { BATCHES = 60, BATCH = 50, ALL = BATCHES * BATCH };
    static struct weir_reading reading[ALL];
    bool stored[BATCHES];
    (void)state;
    struct cluster *cluster = cluster_start(20 * 1000);
    cluster_fill(reading, ALL, 0);
    fflush(NULL);
    pid_t trouble = fork();
    if (trouble == 0) {
        for (size_t i = 0; i < 1000 && getppid() != 1; i++) {
            memcached_rig_pause(cluster->rig[i % NODES]);
            nap_ms(1 + (long)(i % 7) * 6);
            memcached_rig_resume(cluster->rig[i % NODES]);
            nap_ms(2);
        }
        _exit(0);
    }
    for (size_t b = 0; b < BATCHES; b++) {
        for (size_t i = b * BATCH; i < (b + 1) * BATCH; i++)
            weir_counters_add(cluster->counters, cluster_now(), &reading[i].counter, 1);
        stored[b] = weir_counters_flush(cluster->counters, NULL) == 0;
        weir_counters_tick(cluster->counters, cluster_now());
        nap_ms(3);
    }
    kill(trouble, SIGKILL);
    waitpid(trouble, NULL, 0);
    for (size_t i = 0; i < NODES; i++)
        memcached_rig_resume(cluster->rig[i]);
    nap_ms(50); /* what was still under way arrives */
    const char *server[NODES];
    for (size_t i = 0; i < NODES; i++)
        server[i] = memcached_rig_server(cluster->rig[i]);
    struct weir_counters *reader = cluster_open(server, NODES, 10 * WEIR_SECOND, NULL);
    assert_int_equal(weir_counters_read(reader, cluster_now(), reading, ALL), 1);
    for (size_t i = 0; i < ALL; i++) {
        assert_true(reading[i].value < 1.001);
        if (stored[i / BATCH])
            assert_true(reading[i].value > 0.999);
    }
    weir_counters_free(&reader);
    cluster_stop(&cluster);
}

static void many_writers_at_a_time_lose_nothing(void **state)
{
    enum { WRITERS = 4, EACH = 500 };
    const char *server[NODES];
    struct weir_reading reading[5];
    pid_t writer[WRITERS];
    (void)state;
    struct cluster *cluster = cluster_start(10 * WEIR_SECOND);
    for (size_t i = 0; i < NODES; i++)
        server[i] = memcached_rig_server(cluster->rig[i]);
    cluster_fill(reading, 5, 0);
    fflush(NULL);
    for (size_t w = 0; w < WRITERS; w++) {
        writer[w] = fork();
        if (writer[w] == 0) {
            struct weir_counters *mine = cluster_open(server, NODES, 10 * WEIR_SECOND, NULL);
            int failures = 0;
            for (size_t i = 0; i < EACH; i++) {
                failures += weir_counters_add(mine, cluster_now(), &reading[i % 5].counter, 1) < 0;
                if (i % 50 == 49)
                    failures += weir_counters_flush(mine, NULL) < 0;
            }
            weir_counters_free(&mine);
            _exit(failures != 0);
        }
    }
    for (size_t w = 0; w < WRITERS; w++) {
        int status;
        assert_int_equal(waitpid(writer[w], &status, 0), writer[w]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(weir_counters_read(cluster->counters, cluster_now(), reading, 5), 1);
    for (size_t i = 0; i < 5; i++)
        assert_true(fabs(reading[i].value - WRITERS * EACH / 5) < 0.1);
    cluster_stop(&cluster);
}

/* Places. --------------------------------------------------------------------- */

static void a_unix_socket_will_do(void **state)
{
    struct weir_reading reading[5];
    (void)state;
    if (!memcached_rig_available())
        skip();
    struct scratch *scratch = scratch_new();
    assert_int_equal(chmod(scratch->directory, 0777), 0);
    struct memcached_rig *rig = memcached_rig_start_socket(scratch_path(scratch, "mc.sock"));
    assert_non_null(rig);
    const char *server = memcached_rig_server(rig);
    struct weir_counters *counters = cluster_open(&server, 1, CLUSTER_WAIT, NULL);
    cluster_fill(reading, 5, 0);
    assert_int_equal(weir_counters_add(counters, cluster_now(), &reading[0].counter, 1), 0);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_int_equal(weir_counters_read(counters, cluster_now(), reading, 5), 1);
    assert_true(fabs(reading[0].value - 1) < 0.001);
    memcached_rig_kill(rig);
    assert_int_equal(weir_counters_read(counters, cluster_now(), reading, 5), 0);
    weir_counters_free(&counters);
    memcached_rig_stop(&rig);
    scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C22_values_are_those_of_exact_decay),
        cmocka_unit_test(what_one_handle_stores_another_reads),
        cmocka_unit_test(as_many_as_WEIR_READINGS_MAX_come_in_one_go),
        cmocka_unit_test(keys_expire_at_the_absolute_time_of_their_epoch),
        cmocka_unit_test(taking_back_what_is_not_there_makes_no_key),
        cmocka_unit_test(what_is_no_number_is_missing_and_told_a_few_times),
        cmocka_unit_test(a_killed_server_takes_only_its_share_along),
        cmocka_unit_test(a_stopped_server_costs_one_wait_and_then_none),
        cmocka_unit_test(all_stopped_cost_one_wait_together),
        cmocka_unit_test(a_restart_between_two_reads_is_not_noticed),
        cmocka_unit_test(restarts_under_load_never_make_a_read_wait),
        cmocka_unit_test(without_ticks_a_later_read_finds_it_again),
        cmocka_unit_test(events_for_a_dead_server_are_lost_and_said_to_be),
        cmocka_unit_test(no_event_is_counted_twice_and_none_said_stored_is_missing),
        cmocka_unit_test(many_writers_at_a_time_lose_nothing),
        cmocka_unit_test(a_unix_socket_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
