/* memcached_cluster - see the header.  Owns the servers, the handle and the lines
 * that were logged; everything here fails the test rather than give an error. */
#include "tests/unit/memcached_cluster.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

weir_time cluster_now(void)
{
    struct weir_clock clock = weir_clock_system();
    return weir_clock_now(&clock);
}

weir_time cluster_steady(void)
{
    struct weir_clock clock = weir_clock_steady();
    return weir_clock_now(&clock);
}

static void keep_line(void *context, enum weir_log_level level, const char *line)
{
    struct cluster *cluster = context;
    (void)level;
    int len = snprintf(cluster->log + cluster->log_len, sizeof cluster->log - cluster->log_len,
                       "%s\n", line);
    if (len > 0 && (size_t)len < sizeof cluster->log - cluster->log_len)
        cluster->log_len += (size_t)len;
}

struct weir_counters *cluster_open(const char *const *server, size_t servers, weir_time wait,
                                   const struct weir_log *log)
{
    const struct weir_counters_memcached_options options = {
        .server = server,
        .servers = servers,
        .wait = wait,
        .retry_least = 20 * 1000,
        .retry_most = 200 * 1000,
        .steady = weir_clock_steady(),
    };
    struct weir_counters *counters = NULL;
    const char *why;
    if (weir_counters_open_memcached(&options, log, &counters, &why) != 0)
        fail_msg("%s", why);
    return counters;
}

struct cluster *cluster_start(weir_time wait)
{
    const char *server[NODES];
    if (!memcached_rig_available())
        skip();
    struct cluster *cluster = calloc(1, sizeof *cluster);
    assert_non_null(cluster);
    cluster->sink = (struct weir_log){keep_line, cluster, WEIR_LOG_DEBUG};
    for (size_t i = 0; i < NODES; i++) {
        cluster->rig[i] = memcached_rig_start();
        assert_non_null(cluster->rig[i]);
        server[i] = memcached_rig_server(cluster->rig[i]);
        assert_int_equal(weir_rendezvous_add(&cluster->rendezvous, server[i], 1), 0);
    }
    cluster->counters = cluster_open(server, NODES, wait, &cluster->sink);
    return cluster;
}

void cluster_stop(struct cluster **clusterp)
{
    struct cluster *cluster = *clusterp;
    for (size_t i = 0; i < NODES; i++)
        memcached_rig_stop(&cluster->rig[i]);
    weir_counters_free(&cluster->counters);
    free(cluster);
    *clusterp = NULL;
}

size_t cluster_node_of(const struct cluster *cluster, const struct weir_entity *entity)
{
    return weir_rendezvous_choose(&cluster->rendezvous, entity->id);
}

void cluster_fill(struct weir_reading *reading, size_t n, uint32_t first)
{
    memset(reading, 0, n * sizeof *reading);
    for (size_t i = 0; i < n; i++) {
        uint32_t number = first + (uint32_t)(i / 5);
        memcpy(reading[i].counter.entity.id, &number, sizeof number);
        reading[i].counter.variable = (enum weir_variable)(i % 5);
        reading[i].counter.half_life = 2592000;
    }
}

int cluster_read(struct cluster *cluster, struct weir_reading *reading, size_t n)
{
    weir_time start = cluster_steady();
    int result = weir_counters_read(cluster->counters, cluster_now(), reading, n);
    weir_time took = cluster_steady() - start;
    if (took > cluster->slowest)
        cluster->slowest = took;
    if (took > CLUSTER_SLOWEST)
        fail_msg("a read took %lld us", (long long)took);
    return result;
}

const char *cluster_state(struct cluster *cluster)
{
    static const char *const word[8] = {"---", "+--", "-+-", "++-", "--+", "+-+", "-++", "+++"};
    struct weir_counters_status status;
    unsigned up = 0;
    weir_counters_status(cluster->counters, &status);
    assert_int_equal(status.nodes, NODES);
    for (size_t i = 0; i < NODES; i++) {
        assert_string_equal(status.node[i].name, memcached_rig_server(cluster->rig[i]));
        up |= (unsigned)status.node[i].up << i;
    }
    return word[up];
}

void cluster_tick_until(struct cluster *cluster, const char *state)
{
    const struct timespec step = {.tv_nsec = 5 * 1000 * 1000};
    weir_time until = cluster_steady() + 10 * WEIR_SECOND;
    while (strcmp(cluster_state(cluster), state) != 0) {
        if (cluster_steady() > until)
            fail_msg("still %s, not %s", cluster_state(cluster), state);
        weir_counters_tick(cluster->counters, cluster_now());
        nanosleep(&step, NULL);
    }
}

void cluster_say(const struct memcached_rig *rig, const char *command, char *answer, size_t len)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)memcached_rig_port(rig))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(send(fd, command, strlen(command), MSG_NOSIGNAL), strlen(command));
    size_t got = 0;
    while (got + 1 < len && recv(fd, answer + got, 1, 0) == 1 && answer[got] != '\n')
        got++;
    answer[got] = '\0';
    close(fd);
}
