/*
 * Counters in a memcached cluster.  Slots and changes are sorted by node (an
 * entity's all go to one); then every node is asked before the first answer is
 * waited for, and one poll() waits for all of them, never past the deadline.
 * A node that is down only makes its share missing: nobody else answers for it, or
 * counters would jump between two values when it comes back.
 *
 * Most entities were never voted on by people nor left undecided.  So whoever
 * counts one of these three rare variables also counts a mark, and reading asks
 * for the mark in their place: one key instead of three.  Only where there is a
 * mark are they asked for, in a second round within the same wait.
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
#define LEADERS_MOST 8       /* half-lives and epochs of one entity; beyond, no mark is used */
#define NOT_RARE UINT32_MAX
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

    uint32_t *order;  /* indexes, those of one node together */
    uint8_t *chosen;  /* the node of each */
    uint8_t *ask;     /* whether each is asked for in this round */
    uint32_t *leader; /* of a rare slot: the one that asks for the mark of its group */
    uint8_t *variable; /* what a leader is when it does not ask for a mark */
    size_t room;
    struct weir_counter_change *marked; /* changes with the marks they make */
    size_t marked_room;

    uint64_t receipts_id, receipts;
};

static weir_time now_of(const struct cluster *cluster)
{
    return weir_clock_now(&cluster->steady);
}

/* Whose is what. ---------------------------------------------------------- */

static void free_room(struct cluster *cluster)
{
    free(cluster->order);
    free(cluster->leader);
    free(cluster->chosen);
    free(cluster->ask);
    free(cluster->variable);
}

static bool make_room(struct cluster *cluster, size_t n)
{
    if (n <= cluster->room)
        return true;
    size_t room = cluster->room ? cluster->room : 1024;
    while (room < n)
        room *= 2;
    free_room(cluster);
    cluster->order = malloc(room * sizeof *cluster->order);
    cluster->leader = malloc(room * sizeof *cluster->leader);
    cluster->chosen = malloc(room);
    cluster->ask = malloc(room);
    cluster->variable = malloc(room);
    bool made = cluster->order && cluster->leader && cluster->chosen && cluster->ask &&
                cluster->variable;
    cluster->room = made ? room : 0;
    return made;
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
    uint8_t chosen = 0;
    for (size_t i = 0; i < n; i++) {
        const struct weir_entity *entity = entity_at(items, size, i);
        if (!cluster->ask[i])
            continue;
        if (before && memcmp(before->id, entity->id, sizeof entity->id) == 0)
            cluster->chosen[i] = chosen;
        else
            cluster->chosen[i] = (uint8_t)weir_rendezvous_choose(&cluster->rendezvous, entity->id);
        chosen = cluster->chosen[i];
        cluster->share[chosen].n++;
        before = entity;
    }
}

/* Sorts the indexes of those of n slots or changes, size octets each, that are to
 * be asked for, by node. */
static void sort_by_node(struct cluster *cluster, const void *items, size_t size, size_t n)
{
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
        if (!cluster->ask[i])
            continue;
        struct share *share = &cluster->share[cluster->chosen[i]];
        cluster->order[share->first + share->n++] = (uint32_t)i;
    }
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

static void ask_nodes(struct cluster *cluster, struct weir_counter_slot *slot, size_t n,
                      weir_time deadline)
{
    sort_by_node(cluster, slot, sizeof *slot, n);
    for (size_t i = 0; i < cluster->nodes; i++) {
        const struct share *share = &cluster->share[i];
        if (share->n > 0 && weir_memcached_node_ready(cluster->node[i]))
            weir_memcached_node_begin(cluster->node[i], slot, cluster->order + share->first,
                                      share->n);
    }
    settle(cluster, deadline);
}

/* The rare slots of one entity, half-life and epoch follow the first of them. */
struct leaders {
    size_t n;
    uint32_t slot[LEADERS_MOST];
};

static uint32_t find_leader(struct leaders *leaders, const struct weir_counter_slot *slot,
                            size_t i)
{
    for (size_t k = 0; k < leaders->n; k++) {
        const struct weir_counter_slot *leader = &slot[leaders->slot[k]];
        if (leader->epoch == slot[i].epoch &&
            leader->counter.half_life == slot[i].counter.half_life)
            return leaders->slot[k];
    }
    if (leaders->n == LEADERS_MOST)
        return NOT_RARE; /* it is asked for like any other */
    leaders->slot[leaders->n++] = (uint32_t)i;
    return (uint32_t)i;
}

static bool is_rare(enum weir_variable variable)
{
    return variable == WEIR_SPAM_USER || variable == WEIR_GOOD_USER ||
           variable == WEIR_INDETERMINATE;
}

/* Chooses what the first round asks for: all but the rare slots, and their
 * groups' marks, which the first slot of each group stands in for. */
static void lead(struct cluster *cluster, struct weir_counter_slot *slot, size_t n)
{
    struct leaders leaders = {.n = 0};
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && memcmp(&slot[i].counter.entity, &slot[i - 1].counter.entity,
                            sizeof slot[i].counter.entity) != 0)
            leaders.n = 0;
        uint32_t leader =
            is_rare(slot[i].counter.variable) ? find_leader(&leaders, slot, i) : NOT_RARE;
        cluster->leader[i] = leader;
        cluster->ask[i] = leader == NOT_RARE || leader == i;
    }
    for (size_t i = 0; i < n; i++) {
        if (cluster->leader[i] != i)
            continue;
        cluster->variable[i] = (uint8_t)slot[i].counter.variable;
        slot[i].counter.variable = WEIR_RARE_MARK;
    }
}

/* What a group's mark says: nothing there, or not answered, or all to be asked for.
 * Followers come after their leaders, whose slot is put right again last. */
static void settle_rare(struct cluster *cluster, struct weir_counter_slot *slot, size_t i)
{
    const struct weir_counter_slot *leader = &slot[cluster->leader[i]];
    cluster->ask[i] = leader->value > 0;
    slot[i].missing = leader->missing || leader->value > 0;
}

/* Chooses what the second round asks for; false when nothing. */
static bool follow(struct cluster *cluster, struct weir_counter_slot *slot, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        cluster->ask[i] = 0;
        if (cluster->leader[i] != NOT_RARE && cluster->leader[i] != i)
            settle_rare(cluster, slot, i);
        any |= cluster->ask[i];
    }
    for (size_t i = 0; i < n; i++) {
        if (cluster->leader[i] != i)
            continue;
        settle_rare(cluster, slot, i);
        any |= cluster->ask[i];
        slot[i].counter.variable = (enum weir_variable)cluster->variable[i];
        slot[i].value = 0;
    }
    return any;
}

static int fetch(void *self, struct weir_counter_slot *slot, size_t n)
{
    struct cluster *cluster = self;
    for (size_t i = 0; i < n; i++) {
        slot[i].value = 0;
        slot[i].missing = true;
    }
    if (!make_room(cluster, n))
        return 0;
    weir_time start = now_of(cluster);
    lead(cluster, slot, n);
    /* A silent node may not use up the time of the others' second round; and who waited
     * behind a question to one silent node may meet another. */
    ask_nodes(cluster, slot, n, start + cluster->wait / 2);
    if (follow(cluster, slot, n))
        ask_nodes(cluster, slot, n, start + cluster->wait);
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

/* The changes, and behind them the marks that those of rare variables make.
 * Returns how many in all, or 0 when memory is short. */
static size_t add_marks(struct cluster *cluster, const struct weir_counter_change *change,
                        size_t n)
{
    if (2 * n > cluster->marked_room) {
        free(cluster->marked);
        cluster->marked = malloc(2 * n * sizeof *cluster->marked);
        cluster->marked_room = cluster->marked ? 2 * n : 0;
    }
    if (!cluster->marked)
        return 0;
    memcpy(cluster->marked, change, n * sizeof *change);
    size_t all = n;
    for (size_t i = 0; i < n; i++) {
        if (change[i].take_back || !is_rare(change[i].counter.variable))
            continue;
        cluster->marked[all] = change[i];
        cluster->marked[all].counter.variable = WEIR_RARE_MARK;
        cluster->marked[all++].amount = 1;
    }
    return all;
}

/* Sends all changes and their marks; returns how many of the n changes, marks
 * not counted, the nodes vouch for. */
static size_t store_all(struct cluster *cluster, size_t n, size_t all)
{
    bool vouched[WEIR_NODES_MAX];
    size_t stored = 0;
    weir_time start = now_of(cluster);
    memset(cluster->ask, 1, all);
    sort_by_node(cluster, cluster->marked, sizeof *cluster->marked, all);
    ask_who_is_there(cluster, start + cluster->wait / 2);
    for (size_t i = 0; i < cluster->nodes; i++)
        if (cluster->share[i].n > 0 && weir_memcached_node_up(cluster->node[i]))
            send_share(cluster, i, cluster->marked, start + cluster->wait);
    wait_for_receipts(cluster, start + cluster->wait);
    for (size_t i = 0; i < cluster->nodes; i++)
        vouched[i] = settle_share(cluster, i) > 0;
    for (size_t i = 0; i < n; i++)
        stored += vouched[cluster->chosen[i]];
    return stored;
}

static int apply(void *self, const struct weir_counter_change *change, size_t n, size_t *lost_r)
{
    struct cluster *cluster = self;
    size_t all = add_marks(cluster, change, n);
    size_t stored = all > 0 && make_room(cluster, all) ? store_all(cluster, n, all) : 0;
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
    free_room(cluster);
    free(cluster->marked);
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
