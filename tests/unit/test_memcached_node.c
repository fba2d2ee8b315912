/* A memcached that lies, stutters, hangs and attacks (memcached_node_io.c and,
 * when it is written to, memcached_send_io.c): readings are missing or right, never
 * another's; nobody waits for long; nothing crashes; and when it behaves again,
 * all is as before.  No real memcached is needed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/error.h"
#include "tests/unit/memcached_cluster.h"
#include "tests/unit/memcached_fake.h"

#define WAIT (250 * 1000) /* the fake's FAKE_LATE is later than that */
#define SLOWEST (2 * WAIT + 100 * 1000)
#define MANY 500

/* A time late in the epochs of the half-life used, so that one key a reading is asked for. */
#define LATE_IN_EPOCH (WEIR_SECOND * (43 * 16 + 15) * 2592000)

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static int timed_read(struct weir_counters *counters, struct weir_reading *reading, size_t n)
{
    weir_time start = cluster_steady();
    int result = weir_counters_read(counters, LATE_IN_EPOCH, reading, n);
    weir_time took = cluster_steady() - start;
    if (took > SLOWEST)
        fail_msg("a read took %lld us", (long long)took);
    return result;
}

static bool is_up(struct weir_counters *counters)
{
    struct weir_counters_status status;
    weir_counters_status(counters, &status);
    return status.node[0].up;
}

/* Every reading that is not missing is the one asked for. */
static size_t assert_none_is_anothers(const struct weir_reading *reading, size_t n)
{
    size_t there = 0;
    for (size_t i = 0; i < n; i++) {
        char key[WEIR_COUNTER_KEY_MAX];
        uint32_t epoch = weir_decay_epoch(LATE_IN_EPOCH, reading[i].counter.half_life);
        size_t len = weir_counter_key(&reading[i].counter, epoch, key);
        double want = (double)memcached_fake_value(key, len) *
                      weir_decay_factor(LATE_IN_EPOCH, epoch, reading[i].counter.half_life);
        if (!reading[i].missing && fabs(reading[i].value - want) > 1e-6 * want)
            fail_msg("reading %zu: got %f, want %f", i, reading[i].value, want);
        there += !reading[i].missing;
    }
    return there;
}

struct liar {
    struct memcached_fake *fake;
    struct weir_counters *counters;
};

static struct liar begin(bool ipv6)
{
    struct liar liar = {.fake = memcached_fake_start(ipv6)};
    if (!liar.fake)
        skip();
    const char *server = memcached_fake_server(liar.fake);
    liar.counters = cluster_open(&server, 1, WAIT, NULL);
    return liar;
}

static void end(struct liar *liar)
{
    weir_counters_free(&liar->counters);
    memcached_fake_stop(&liar->fake);
}

static void assert_honest_again(struct liar *liar)
{
    static struct weir_reading reading[MANY];
    weir_time until = cluster_steady() + 10 * WEIR_SECOND;
    size_t there = 0;
    memcached_fake_say(liar->fake, FAKE_HONEST);
    cluster_fill(reading, MANY, 0);
    while (there < MANY && cluster_steady() < until) {
        weir_counters_tick(liar->counters, LATE_IN_EPOCH);
        timed_read(liar->counters, reading, MANY);
        there = assert_none_is_anothers(reading, MANY);
        nap_ms(1);
    }
    assert_int_equal(there, MANY);
    assert_true(is_up(liar->counters));
}

static void hostile_answers_open_the_breaker_and_harm_nobody(void **state)
{
    static struct weir_reading reading[MANY];
    static const size_t size[] = {2, 7, MANY};
    (void)state;
    struct liar liar = begin(false);
    for (int mode = FAKE_HOSTILE; mode < FAKE_MODES; mode++)
        for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
            memcached_fake_say(liar.fake, (enum memcached_fake_mode)mode);
            cluster_fill(reading, size[s], 1000);
            timed_read(liar.counters, reading, size[s]);
            if (is_up(liar.counters))
                fail_msg("mode %d went unnoticed with %zu readings", mode, size[s]);
            for (size_t round = 0; round < 3; round++)
                timed_read(liar.counters, reading, size[s]); /* costs nothing any more */
            assert_honest_again(&liar);
        }
    end(&liar);
}

static void values_that_are_no_numbers_leave_the_breaker_closed(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct liar liar = begin(false);
    for (int mode = FAKE_NO_NUMBERS; mode <= FAKE_ERRORS; mode++) {
        memcached_fake_say(liar.fake, (enum memcached_fake_mode)mode);
        cluster_fill(reading, MANY, 0);
        assert_int_equal(timed_read(liar.counters, reading, MANY), 0);
        for (size_t i = 0; i < MANY; i++)
            assert_true(reading[i].missing && reading[i].value == 0);
        assert_true(is_up(liar.counters));
    }
    assert_honest_again(&liar);
    end(&liar);
}

/* Answers that come after the wait are for questions nobody asks any more: the
 * next question, for other counters, must never get them. */
static void late_answers_are_never_taken_for_other_questions(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct liar liar = begin(false);
    for (uint32_t round = 0; round < 4; round++) {
        bool ticks = round >= 2; /* a daemon; before, a program that has none */
        memcached_fake_say(liar.fake, FAKE_LATE);
        cluster_fill(reading, 50, 100 * round);
        assert_int_equal(timed_read(liar.counters, reading, 50), 0);
        assert_int_equal(assert_none_is_anothers(reading, 50), 0);
        memcached_fake_say(liar.fake, FAKE_HONEST);
        /* Ask others until the late answer has long come. */
        for (uint32_t i = 0; i < 120; i++) {
            if (ticks)
                weir_counters_tick(liar.counters, LATE_IN_EPOCH);
            cluster_fill(reading, 50, 100 * round + 10 * (i % 9));
            timed_read(liar.counters, reading, 50);
            assert_none_is_anothers(reading, 50);
            nap_ms(5);
        }
        if (ticks)
            assert_honest_again(&liar);
    }
    end(&liar);
}

static void a_trickle_does_not_make_a_read_longer(void **state)
{
    static struct weir_reading reading[MANY];
    (void)state;
    struct liar liar = begin(false);
    memcached_fake_say(liar.fake, FAKE_TRICKLING);
    cluster_fill(reading, MANY, 0);
    assert_int_equal(timed_read(liar.counters, reading, MANY), 0);
    assert_none_is_anothers(reading, MANY); /* the first few are there, and right */
    assert_false(is_up(liar.counters));
    end(&liar);
}

static void silence_and_closed_doors_cost_one_wait(void **state)
{
    static const enum memcached_fake_mode mode[] = {FAKE_SILENT, FAKE_CLOSING};
    static struct weir_reading reading[MANY];
    (void)state;
    for (size_t m = 0; m < 2; m++) {
        struct liar liar = begin(false);
        memcached_fake_say(liar.fake, mode[m]);
        cluster_fill(reading, MANY, 0);
        weir_time start = cluster_steady();
        for (size_t round = 0; round < 200; round++) {
            weir_counters_tick(liar.counters, LATE_IN_EPOCH);
            assert_int_equal(timed_read(liar.counters, reading, MANY), 0);
        }
        assert_true(cluster_steady() - start < 5 * WAIT);
        assert_false(is_up(liar.counters));
        assert_honest_again(&liar);
        end(&liar);
    }
}

/* A listener whose queue is full drops further connections: SYNs go unanswered. */
static int make_deaf_listener(int fill[8], char server[static 32])
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    for (size_t i = 0; i < 8; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fill[i], (struct sockaddr *)&at, sizeof at);
    }
    snprintf(server, 32, "127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

static void unanswered_connections_cost_one_wait(void **state)
{
    static struct weir_reading reading[MANY];
    char server[32];
    int fill[8];
    size_t lost = 0;
    (void)state;
    int listener = make_deaf_listener(fill, server);
    struct weir_counters *counters = cluster_open((const char *[]){server}, 1, WAIT, NULL);
    cluster_fill(reading, MANY, 0);
    weir_time start = cluster_steady();
    for (size_t round = 0; round < 100; round++) {
        weir_counters_tick(counters, LATE_IN_EPOCH);
        assert_int_equal(timed_read(counters, reading, MANY), 0);
        assert_true(reading[0].missing);
    }
    weir_counters_add(counters, LATE_IN_EPOCH, &reading[0].counter, 1);
    assert_int_equal(weir_counters_flush(counters, &lost), WEIR_EDOWN);
    assert_int_equal(lost, 1);
    assert_true(cluster_steady() - start < 5 * WAIT);
    assert_false(is_up(counters));
    weir_counters_free(&counters);
    for (size_t i = 0; i < 8; i++)
        close(fill[i]);
    close(listener);
}

/* The interval between probes doubles up to the most: in four seconds of a
 * clock that is set by hand these are 1/4, 1/2, 1, 1, 1. */
static void probes_come_at_intervals_that_double(void **state)
{
    struct weir_reading reading[5];
    weir_time hand = 1000 * WEIR_SECOND;
    struct weir_counters *counters;
    const char *why;
    (void)state;
    struct memcached_fake *fake = memcached_fake_start(false);
    assert_non_null(fake);
    const char *server = memcached_fake_server(fake);
    const struct weir_counters_memcached_options options = {
        .server = &server, .servers = 1, .wait = WEIR_SECOND,
        .retry_least = WEIR_SECOND / 4, .retry_most = WEIR_SECOND,
        .steady = weir_clock_fixed(&hand),
    };
    assert_int_equal(weir_counters_open_memcached(&options, NULL, &counters, &why), 0);
    memcached_fake_say(fake, FAKE_CLOSING);
    cluster_fill(reading, 5, 0);
    weir_counters_tick(counters, LATE_IN_EPOCH);
    assert_int_equal(weir_counters_read(counters, LATE_IN_EPOCH, reading, 5), 0);
    unsigned before = memcached_fake_connections(fake);
    for (size_t i = 0; i < 80; i++) {
        hand += WEIR_SECOND / 20;
        for (size_t k = 0; k < 3; k++) { /* the other thread needs a moment */
            weir_counters_tick(counters, LATE_IN_EPOCH);
            nap_ms(1);
        }
    }
    assert_in_range(memcached_fake_connections(fake) - before, 3, 6);
    weir_counters_free(&counters);
    memcached_fake_stop(&fake);
}

/* Writing goes through libmemcached, which must not see what is said to it. */
static void attacks_on_a_writer_harm_nobody(void **state)
{
    static struct weir_reading reading[100];
    (void)state;
    for (int mode = FAKE_SILENT; mode < FAKE_MODES; mode++) {
        struct liar liar = begin(false);
        size_t lost = 0;
        memcached_fake_say(liar.fake, (enum memcached_fake_mode)mode);
        cluster_fill(reading, 100, 0);
        for (size_t i = 0; i < 100; i++)
            weir_counters_add(liar.counters, LATE_IN_EPOCH, &reading[i].counter, 1);
        weir_time start = cluster_steady();
        int result = weir_counters_flush(liar.counters, &lost);
        assert_true(cluster_steady() - start < SLOWEST);
        assert_true(result == 0 ? lost == 0 : result == WEIR_EDOWN && lost == 100);
        if (mode == FAKE_SILENT || mode == FAKE_CLOSING || mode == FAKE_GARBAGE)
            assert_int_equal(lost, 100); /* others may make up a receipt: nobody can help that */
        end(&liar);
    }
}

static void a_name_that_does_not_resolve_is_a_server_that_is_down(void **state)
{
    static struct weir_reading reading[MANY];
    struct weir_counters_status status;
    (void)state;
    struct memcached_fake *fake = memcached_fake_start(false);
    assert_non_null(fake);
    const char *server[] = {"no-such-host.invalid:11211", memcached_fake_server(fake)};
    struct weir_counters *counters = cluster_open(server, 2, WAIT, NULL);
    cluster_fill(reading, MANY, 0);
    for (size_t round = 0; round < 5; round++) {
        assert_int_equal(timed_read(counters, reading, MANY), 0);
        weir_counters_tick(counters, LATE_IN_EPOCH);
    }
    assert_in_range(assert_none_is_anothers(reading, MANY), MANY / 4, 3 * MANY / 4);
    weir_counters_status(counters, &status);
    assert_int_equal(status.nodes, 2);
    assert_string_equal(status.node[0].name, server[0]);
    assert_false(status.node[0].up);
    assert_true(status.node[1].up);
    weir_counters_free(&counters);
    memcached_fake_stop(&fake);
}

static void an_ipv6_address_will_do(void **state)
{
    (void)state;
    struct liar liar = begin(true);
    assert_honest_again(&liar);
    end(&liar);
}

static void slips_in_the_options_are_refused(void **state)
{
    static const char *const good[] = {"a.invalid", "b.invalid:1*3"};
    static const char *const twice[] = {"127.0.0.1", "127.0.0.1:11211*2"};
    static const char *const bad[] = {"127.0.0.1", "a:b:c"};
    static const char *many[WEIR_NODES_MAX + 1];
    static char names[WEIR_NODES_MAX + 1][24];
    const struct {
        const char *const *server;
        size_t servers;
        weir_time wait, least, most;
        const char *part_of_reason;
    } cases[] = {
        {good, 0, 1, 1, 1, "1 to 64"},  {many, WEIR_NODES_MAX + 1, 1, 1, 1, "1 to 64"},
        {many, WEIR_NODES_MAX, 1, 1, 1, NULL},
        {good, 1, 0, 1, 1, "wait"},     {good, 1, 1, 0, 1, "retry"},
        {good, 1, 1, 2, 1, "retry"},    {twice, 2, 1, 1, 1, "twice"},
        {bad, 2, 1, 1, 1, "brackets"},
    };
    (void)state;
    for (size_t i = 0; i <= WEIR_NODES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "127.0.0.1:%zu", i + 1);
        many[i] = names[i];
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_counters *counters = NULL;
        const char *why = NULL;
        const struct weir_counters_memcached_options options = {
            .server = cases[i].server, .servers = cases[i].servers, .wait = cases[i].wait,
            .retry_least = cases[i].least, .retry_most = cases[i].most,
            .steady = weir_clock_steady(),
        };
        int result = weir_counters_open_memcached(&options, NULL, &counters, &why);
        assert_int_equal(result, cases[i].part_of_reason ? WEIR_EINVAL : 0);
        if (cases[i].part_of_reason && !strstr(why, cases[i].part_of_reason))
            fail_msg("case %zu: %s", i, why);
        weir_counters_free(&counters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_answers_open_the_breaker_and_harm_nobody),
        cmocka_unit_test(values_that_are_no_numbers_leave_the_breaker_closed),
        cmocka_unit_test(late_answers_are_never_taken_for_other_questions),
        cmocka_unit_test(a_trickle_does_not_make_a_read_longer),
        cmocka_unit_test(silence_and_closed_doors_cost_one_wait),
        cmocka_unit_test(unanswered_connections_cost_one_wait),
        cmocka_unit_test(probes_come_at_intervals_that_double),
        cmocka_unit_test(attacks_on_a_writer_harm_nobody),
        cmocka_unit_test(a_name_that_does_not_resolve_is_a_server_that_is_down),
        cmocka_unit_test(an_ipv6_address_will_do),
        cmocka_unit_test(slips_in_the_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
