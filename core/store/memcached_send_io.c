/*
 * The one file that uses libmemcached; the header tells how, and why only so.
 * Owns nothing between two calls: a batch has a connection of its own, so that
 * none grows stale, and error texts nobody reads cannot fill it up.
 */
#include "core/store/memcached_send_io.h"

#include <libmemcached/memcached.h>
#include <signal.h>

#define EXPIRY_RELATIVE_MOST 2592000 /* 30 days: up to here memcached counts from now */
#define EXPIRY_MAKE_NOTHING 0xffffffffu

struct sending {
    struct memcached_st *connection;
    const struct weir_clock *steady;
    weir_time deadline;
    weir_time waits; /* what libmemcached was told, in ms */
};

/* Tells libmemcached how long it may wait from now on; false when no longer. */
static bool set_waits(struct sending *sending)
{
    weir_time left = sending->deadline - weir_clock_now(sending->steady);
    if (left <= 0)
        return false;
    weir_time waits = 1 + left / 1000;
    if (waits != sending->waits) {
        sending->waits = waits;
        memcached_behavior_set(sending->connection, MEMCACHED_BEHAVIOR_POLL_TIMEOUT,
                               (uint64_t)waits);
        memcached_behavior_set(sending->connection, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT,
                               (uint64_t)waits);
    }
    return true;
}

static struct memcached_st *prepare(const char *host, unsigned port)
{
    struct memcached_st *connection = memcached_create(NULL);
    if (!connection)
        return NULL;
    memcached_behavior_set(connection, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 1);
    memcached_behavior_set(connection, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    memcached_behavior_set(connection, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    memcached_return_t added =
        port == 0 ? memcached_server_add_unix_socket(connection, host)
                  : memcached_server_add(connection, host, (in_port_t)port);
    if (added != MEMCACHED_SUCCESS)
        memcached_free(connection);
    return added == MEMCACHED_SUCCESS ? connection : NULL;
}

static bool send_change(struct sending *sending, const struct weir_counter_change *change,
                        uint32_t expires)
{
    char key[WEIR_COUNTER_KEY_MAX];
    size_t len = weir_counter_key(&change->counter, change->epoch, key);
    if (!set_waits(sending))
        return false;
    memcached_return_t sent =
        change->take_back
            ? memcached_decrement_with_initial(sending->connection, key, len, change->amount, 0,
                                               EXPIRY_MAKE_NOTHING, NULL)
            : memcached_increment_with_initial(sending->connection, key, len, change->amount,
                                               change->amount, (time_t)expires, NULL);
    return sent == MEMCACHED_SUCCESS;
}

/* The epochs of January 1970 are long over: an expiry there must not be taken
 * for one from now on. */
static uint32_t absolute(uint32_t expires)
{
    return expires > EXPIRY_RELATIVE_MOST ? expires : EXPIRY_RELATIVE_MOST + 1;
}

static bool send_all(struct sending *sending, const struct weir_memcached_batch *batch)
{
    const struct memcached_instance_st *server =
        memcached_server_instance_by_position(sending->connection, 0);
    in_port_t port = 0;
    for (size_t i = 0; i < batch->n; i++) {
        const struct weir_counter_change *change = &batch->change[batch->order[i]];
        if (!send_change(sending, change, absolute(change->expires)))
            return false;
        if (i == 0)
            port = memcached_server_srcport(server);
    }
    /* A receipt sent over a second connection would vouch for nothing. */
    return send_change(sending, batch->receipt, batch->receipt->expires) &&
           (batch->n == 0 || memcached_server_srcport(server) == port);
}

static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

struct memcached_st *weir_memcached_send(const struct weir_memcached_batch *batch,
                                         const struct weir_clock *steady, weir_time deadline)
{
    struct sending sending = {.connection = prepare(batch->host, batch->port),
                              .steady = steady,
                              .deadline = deadline};
    if (!sending.connection)
        return NULL;
    sigset_t before;
    block_signals(&before);
    bool sent = send_all(&sending, batch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!sent)
        weir_memcached_hang_up(&sending.connection);
    return sending.connection;
}

void weir_memcached_hang_up(struct memcached_st **connection)
{
    if (!*connection)
        return;
    sigset_t before;
    block_signals(&before);
    memcached_behavior_set(*connection, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 1);
    memcached_free(*connection); /* says QUIT, where there is room for it */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *connection = NULL;
}
