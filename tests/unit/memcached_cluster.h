/*
 * memcached_cluster - three real memcacheds and a handle on them, for tests.
 *
 * Retries are quick (20 to 200 ms); the wait is generous, because the machine
 * that runs the tests may be busy.
 */
#ifndef WEIR_TESTS_MEMCACHED_CLUSTER_H
#define WEIR_TESTS_MEMCACHED_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/store/counters_impl.h"
#include "core/store/rendezvous.h"
#include "tests/unit/memcached_rig.h"

#define NODES 3
#define CLUSTER_WAIT (700 * 1000)                       /* microseconds */
#define CLUSTER_SLOWEST (2 * CLUSTER_WAIT + 20 * 1000)  /* a generous bound for one read */

struct cluster {
    struct memcached_rig *rig[NODES];
    struct weir_counters *counters;
    struct weir_rendezvous rendezvous;
    char log[8192];
    size_t log_len;
    struct weir_log sink;
    weir_time slowest; /* of all cluster_read() */
};

/* Starts all; fails the test when that cannot be done, skips it where there is no memcached. */
struct cluster *cluster_start(weir_time wait);
void cluster_stop(struct cluster **cluster);

/* A handle on these servers; fails the test when there is none. */
struct weir_counters *cluster_open(const char *const *server, size_t servers, weir_time wait,
                                   const struct weir_log *log);

/* Now, as the stored times see it. */
weir_time cluster_now(void);

/* For timing, in microseconds. */
weir_time cluster_steady(void);

/* Which of the three has this entity. */
size_t cluster_node_of(const struct cluster *cluster, const struct weir_entity *entity);

/* n readings of five variables each, of entities numbered from first on. */
void cluster_fill(struct weir_reading *reading, size_t n, uint32_t first);

/* weir_counters_read() now, timed: never longer than CLUSTER_SLOWEST. */
int cluster_read(struct cluster *cluster, struct weir_reading *reading, size_t n);

/* Whether each of the three is up, e.g. "+-+". */
const char *cluster_state(struct cluster *cluster);

/* Ticks until the state is that, at most 10 s; fails the test otherwise. */
void cluster_tick_until(struct cluster *cluster, const char *state);

/* Sends a line of the text protocol to a server and takes the first line of its answer. */
void cluster_say(const struct memcached_rig *rig, const char *command, char *answer, size_t len);

#endif
