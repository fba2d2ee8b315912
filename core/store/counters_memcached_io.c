/*
 * Counters in a memcached cluster.  Slots and changes are sorted by node (an
 * entity's all go to one); then every node is asked before the first answer is
 * waited for, and one poll() waits for all of them, never past the deadline.
 * A node that is down only makes its share missing: nobody else answers for it, or
 * counters would jump between two values when it comes back.
 *
 * A change counts as stored only when its node was seen to have done it: the
 * last command of each batch makes a receipt (memcached_send_io.h), which is
 * then read over the connection that reads go through.  What is not vouched for
 * so is lost: never sent again, since it may have arrived.
 *
 * Owns the nodes and scratch arrays that only grow; in steady state reading
 * allocates nothing.  Refuses a configuration that names a server twice.
 */
#include "core/store/counters_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/base/error.h"
#include "core/store/memcached_node_io.h"
#include "core/store/memcached_send_io.h"
#include "core/store/memcached_server.h"
#include "core/store/rendezvous.h"

#define HOST_TEXT 256        /* a numeric address with its interface, or a path */
#define RECEIPT_SECONDS 60   /* a receipt may be forgotten after that; counted from now */
#define RECEIPT_PAUSE 200    /* microseconds between two looks for receipts */
#define LOG_EVERY (60 * WEIR_SECOND)

struct share {
    size_t first, n;      /* of order[] */
    weir_time writes_at;  /* after changes that were not vouched for: none before */
    struct memcached_st *connection;
    struct weir_counter_slot receipt; /* while a connection is there */
};

struct cluster {
    weir_time wait, retry_least;
    struct weir_clock steady;
    const struct weir_log *log;
    struct weir_log_gate gate;
    struct weir_rendezvous rendezvous;
    size_t nodes;
    struct weir_memcached_node *node[WEIR_NODES_MAX];
    struct share share[WEIR_NODES_MAX];

    uint32_t *order; /* indexes, those of one node together */
    uint8_t *chosen; /* the node of each */
    size_t room;

    uint64_t receipts_id, receipts;
};

static weir_time now_of(const struct cluster *cluster)
{
    return weir_clock_now(&cluster->steady);
}

/* Whose is what. ---------------------------------------------------------- */

static bool make_room(struct cluster *cluster, size_t n)
{
    if (n <= cluster->room)
        return true;
    size_t room = cluster->room ? cluster->room : 1024;
    while (room < n)
        room *= 2;
    free(cluster->order);
    free(cluster->chosen);
    cluster->order = malloc(room * sizeof *cluster->order);
    cluster->chosen = malloc(room);
    cluster->room = cluster->order && cluster->chosen ? room : 0;
    return cluster->room > 0;
}

/* Slots and changes both begin with their counter. */
static const struct weir_entity *entity_at(const void *items, size_t size, size_t i)
{
    const struct weir_counter *counter = (const void *)((const char *)items + i * size);
    return &counter->entity;
}

static void choose_nodes(struct cluster *cluster, const void *items, size_t size, size_t n)
{
    const struct weir_entity *before = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct weir_entity *entity = entity_at(items, size, i);
        if (before && memcmp(before->id, entity->id, sizeof entity->id) == 0)
            cluster->chosen[i] = cluster->chosen[i - 1];
        else
            cluster->chosen[i] = (uint8_t)weir_rendezvous_choose(&cluster->rendezvous, entity->id);
        cluster->share[cluster->chosen[i]].n++;
        before = entity;
    }
}

/* Sorts the indexes of n slots or changes, size octets each, by node. */
static bool sort_by_node(struct cluster *cluster, const void *items, size_t size, size_t n)
{
    if (!make_room(cluster, n))
        return false;
    for (size_t i = 0; i < cluster->nodes; i++)
        cluster->share[i].n = 0;
    choose_nodes(cluster, items, size, n);
    size_t first = 0;
    for (size_t i = 0; i < cluster->nodes; i++) {
        cluster->share[i].first = first;
        first += cluster->share[i].n;
        cluster->share[i].n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct share *share = &cluster->share[cluster->chosen[i]];
        cluster->order[share->first + share->n++] = (uint32_t)i;
    }
    return true;
}

/* Waiting. ---------------------------------------------------------------- */

static size_t gather(struct cluster *cluster, struct pollfd *poll_r, size_t *who_r)
{
    size_t n = 0;
    for (size_t i = 0; i < cluster->nodes; i++)
        if (weir_memcached_node_waits(cluster->node[i], &poll_r[n]))
            who_r[n++] = i;
    return n;
}

static int wait_for(struct pollfd *list, size_t n, weir_time left)
{
    struct timespec timeout = {.tv_sec = (time_t)(left / WEIR_SECOND),
                               .tv_nsec = (long)(left % WEIR_SECOND) * 1000};
    int ready = ppoll(list, (nfds_t)n, &timeout, NULL);
    return ready < 0 && errno == EINTR ? 1 : ready;
}

/* Until no question is open, or the deadline has passed.  What has arrived by
 * then is still taken in, should it be we who were late. */
static void settle(struct cluster *cluster, weir_time deadline)
{
    struct pollfd list[WEIR_NODES_MAX];
    size_t who[WEIR_NODES_MAX];
    size_t n;
    while ((n = gather(cluster, list, who)) > 0) {
        weir_time left = deadline - now_of(cluster);
        int ready = wait_for(list, n, left > 0 ? left : 0);
        for (size_t i = 0; ready > 0 && i < n; i++)
            if (list[i].revents)
                weir_memcached_node_step(cluster->node[who[i]], list[i].revents);
        if (left > 0 && ready > 0)
            continue;
        n = gather(cluster, list, who);
        for (size_t i = 0; i < n; i++)
            weir_memcached_node_give_up(cluster->node[who[i]]);
    }
}

/* Reading. ---------------------------------------------------------------- */

static void tell_malformed(struct cluster *cluster)
{
    size_t malformed = 0;
    unsigned held;
    for (size_t i = 0; i < cluster->nodes; i++)
        malformed += weir_memcached_node_take_malformed(cluster->node[i]);
    if (malformed > 0 && weir_log_gate_open(&cluster->gate, now_of(cluster), LOG_EVERY, &held))
        weir_log(cluster->log, WEIR_LOG_WARNING,
                 "memcached: %zu stored values are no counters and were not read"
                 " (%u such lines left out)", malformed, held);
}

static int fetch(void *self, struct weir_counter_slot *slot, size_t n)
{
    struct cluster *cluster = self;
    for (size_t i = 0; i < n; i++) {
        slot[i].value = 0;
        slot[i].missing = true;
    }
    if (!sort_by_node(cluster, slot, sizeof *slot, n))
        return 0;
    weir_time deadline = now_of(cluster) + cluster->wait;
    for (size_t i = 0; i < cluster->nodes; i++) {
        const struct share *share = &cluster->share[i];
        if (share->n > 0 && weir_memcached_node_ready(cluster->node[i]))
            weir_memcached_node_begin(cluster->node[i], slot, cluster->order + share->first,
                                      share->n);
    }
    settle(cluster, deadline);
    tell_malformed(cluster);
    for (size_t i = 0; i < n; i++)
        if (slot[i].missing)
            return 0;
    return 1;
}

/* Changes. ---------------------------------------------------------------- */

/* Asks all nodes that have a share whether they are there: libmemcached waits for one
 * at a time, so that a silent one would use up the time of the others. */
static void ask_who_is_there(struct cluster *cluster, weir_time deadline)
{
    weir_time now = now_of(cluster);
    for (size_t i = 0; i < cluster->nodes; i++) {
        struct share *share = &cluster->share[i];
        if (now < share->writes_at)
            share->n = 0;
        if (share->n > 0 && weir_memcached_node_ready(cluster->node[i]))
            weir_memcached_node_begin(cluster->node[i], NULL, NULL, 0);
    }
    settle(cluster, deadline);
}

/* A counter of an entity that nobody else has. */
static struct weir_counter_change make_receipt(struct cluster *cluster)
{
    struct weir_counter_change receipt = {
        .counter = {.variable = WEIR_SPAM_USER, .half_life = 1},
        .expires = RECEIPT_SECONDS,
        .amount = 1,
    };
    uint64_t id[2] = {cluster->receipts_id, cluster->receipts++};
    memcpy(receipt.counter.entity.id, id, sizeof id);
    return receipt;
}

static void send_share(struct cluster *cluster, size_t i,
                       const struct weir_counter_change *change, weir_time deadline)
{
    struct share *share = &cluster->share[i];
    struct weir_counter_change receipt = make_receipt(cluster);
    char host[HOST_TEXT];
    struct weir_memcached_batch batch = {
        .host = host,
        .change = change,
        .order = cluster->order + share->first,
        .n = share->n,
        .receipt = &receipt,
    };
    if (!weir_memcached_node_address(cluster->node[i], host, sizeof host, &batch.port))
        return;
    share->connection = weir_memcached_send(&batch, &cluster->steady, deadline);
    share->receipt = (struct weir_counter_slot){.counter = receipt.counter, .missing = true};
}

/* One look for all receipts not seen yet.  Returns how many are still to come. */
static size_t look_for_receipts(struct cluster *cluster, weir_time deadline)
{
    static const uint32_t only = 0;
    size_t open = 0;
    for (size_t i = 0; i < cluster->nodes; i++) {
        struct share *share = &cluster->share[i];
        if (share->connection && share->receipt.value == 0 &&
            weir_memcached_node_ready(cluster->node[i])) {
            share->receipt.missing = true;
            weir_memcached_node_begin(cluster->node[i], &share->receipt, &only, 1);
        }
    }
    settle(cluster, deadline);
    for (size_t i = 0; i < cluster->nodes; i++) {
        const struct share *share = &cluster->share[i];
        open += share->connection && share->receipt.value == 0 &&
                weir_memcached_node_up(cluster->node[i]);
    }
    return open;
}

static void wait_for_receipts(struct cluster *cluster, weir_time deadline)
{
    const struct timespec pause = {.tv_nsec = RECEIPT_PAUSE * 1000};
    weir_time looks = 1 + cluster->wait / RECEIPT_PAUSE;
    while (look_for_receipts(cluster, deadline) > 0 && looks-- > 0 &&
           now_of(cluster) < deadline)
        nanosleep(&pause, NULL);
}

/* Ends a node's batch; returns how many changes it vouches for.  A server that
 * answers but does nothing (full, for instance) is left alone for a while. */
static size_t settle_share(struct cluster *cluster, size_t i)
{
    struct share *share = &cluster->share[i];
    bool stored = share->connection && share->receipt.value > 0;
    weir_memcached_hang_up(&share->connection);
    if (!stored && share->n > 0 && weir_memcached_node_up(cluster->node[i]))
        share->writes_at = now_of(cluster) + cluster->retry_least;
    return stored ? share->n : 0;
}

static int apply(void *self, const struct weir_counter_change *change, size_t n, size_t *lost_r)
{
    struct cluster *cluster = self;
    size_t stored = 0;
    weir_time start = now_of(cluster);
    if (sort_by_node(cluster, change, sizeof *change, n)) {
        ask_who_is_there(cluster, start + cluster->wait / 2);
        for (size_t i = 0; i < cluster->nodes; i++)
            if (cluster->share[i].n > 0 && weir_memcached_node_up(cluster->node[i]))
                send_share(cluster, i, change, start + cluster->wait);
        wait_for_receipts(cluster, start + cluster->wait);
        for (size_t i = 0; i < cluster->nodes; i++)
            stored += settle_share(cluster, i);
    }
    *lost_r = n - stored;
    return stored == n ? 0 : WEIR_EDOWN;
}

/* The rest. --------------------------------------------------------------- */

static void tick(void *self, weir_time now)
{
    struct cluster *cluster = self;
    (void)now;
    for (size_t i = 0; i < cluster->nodes; i++)
        weir_memcached_node_tick(cluster->node[i]);
}

static void status(void *self, struct weir_counters_status *status_r)
{
    const struct cluster *cluster = self;
    status_r->nodes = cluster->nodes;
    for (size_t i = 0; i < cluster->nodes; i++)
        weir_memcached_node_status(cluster->node[i], &status_r->node[i]);
}

static void free_cluster(void *self)
{
    struct cluster *cluster = self;
    for (size_t i = 0; i < cluster->nodes; i++)
        weir_memcached_node_free(&cluster->node[i]);
    free(cluster->order);
    free(cluster->chosen);
    free(cluster);
}

static int add_node(struct cluster *cluster, const struct weir_memcached_server *server,
                    const struct weir_counters_memcached_options *options, const char **why_r)
{
    const struct weir_memcached_node_options node_options = {
        .retry_least = options->retry_least,
        .retry_most = options->retry_most,
        .steady = options->steady,
        .log = cluster->log,
    };
    if (weir_rendezvous_add(&cluster->rendezvous, server->name, server->weight) != 0) {
        *why_r = "a server is named twice";
        return WEIR_EINVAL;
    }
    cluster->node[cluster->nodes] = weir_memcached_node_new(server, &node_options);
    if (!cluster->node[cluster->nodes]) {
        *why_r = "memory is short";
        return WEIR_ENOMEM;
    }
    cluster->nodes++;
    return 0;
}

static int add_nodes(struct cluster *cluster, const struct weir_counters_memcached_options *options,
                     const char **why_r)
{
    for (size_t i = 0; i < options->servers; i++) {
        struct weir_memcached_server server;
        int result = weir_memcached_server_parse(options->server[i], &server, why_r);
        if (result == 0)
            result = add_node(cluster, &server, options, why_r);
        if (result != 0)
            return result;
    }
    return 0;
}

static const char *refuse(const struct weir_counters_memcached_options *options)
{
    if (options->servers < 1 || options->servers > WEIR_NODES_MAX)
        return "a cluster has 1 to 64 servers";
    if (options->wait <= 0)
        return "the wait must be longer than nothing";
    if (options->retry_least <= 0 || options->retry_most < options->retry_least)
        return "the retry intervals must be longer than nothing, the most not below the least";
    return NULL;
}

int weir_counters_open_memcached(const struct weir_counters_memcached_options *options,
                                 const struct weir_log *log, struct weir_counters **counters_r,
                                 const char **why_r)
{
    static const struct weir_counter_store store = {
        .name = "memcached",
        .fetch = fetch,
        .apply = apply,
        .tick = tick,
        .status = status,
        .free = free_cluster,
    };
    *why_r = refuse(options);
    if (*why_r)
        return WEIR_EINVAL;
    struct cluster *cluster = calloc(1, sizeof *cluster);
    *why_r = "memory is short";
    if (!cluster)
        return WEIR_ENOMEM;
    cluster->wait = options->wait;
    cluster->retry_least = options->retry_least;
    cluster->steady = options->steady;
    cluster->log = log;
    int result = add_nodes(cluster, options, why_r);
    if (result == 0 && getrandom(&cluster->receipts_id, sizeof cluster->receipts_id, 0) < 0) {
        *why_r = "no random numbers";
        result = WEIR_EIO;
    }
    if (result != 0) {
        free_cluster(cluster);
        return result;
    }
    return weir_counters_wrap(&store, cluster, options->near, options->near_entities, log,
                              counters_r);
}
