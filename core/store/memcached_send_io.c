/*
 * The one file that uses libmemcached; the header tells how, and why only so.
 * Owns nothing between two calls: a batch has a connection of its own, so that
 * none grows stale, and error texts nobody reads cannot fill it up.
 *
 * The library is looked up when there is something to send, and stays loaded: found
 * again, it costs a few microseconds, and no program that only reads pays for it.
 */
#include "core/store/memcached_send_io.h"

#include <dlfcn.h>
#include <libmemcached/memcached.h>
#include <signal.h>
#include <string.h>

#define LIBRARY "libmemcached.so.11" /* the interface of the header this was built with */

#define EXPIRY_RELATIVE_MOST 2592000 /* 30 days: up to here memcached counts from now */
#define EXPIRY_MAKE_NOTHING 0xffffffffu

/* What is used of it. */
struct library {
    __typeof__(memcached_create) *create;
    __typeof__(memcached_free) *free;
    __typeof__(memcached_behavior_set) *behavior_set;
    __typeof__(memcached_server_add) *server_add;
    __typeof__(memcached_server_add_unix_socket) *server_add_unix_socket;
    __typeof__(memcached_increment_with_initial) *increment_with_initial;
    __typeof__(memcached_decrement_with_initial) *decrement_with_initial;
    __typeof__(memcached_server_instance_by_position) *server_instance_by_position;
    __typeof__(memcached_server_srcport) *server_srcport;
};

static const struct {
    const char *name;
    size_t at;
} functions[] = {
    {"memcached_create", offsetof(struct library, create)},
    {"memcached_free", offsetof(struct library, free)},
    {"memcached_behavior_set", offsetof(struct library, behavior_set)},
    {"memcached_server_add", offsetof(struct library, server_add)},
    {"memcached_server_add_unix_socket", offsetof(struct library, server_add_unix_socket)},
    {"memcached_increment_with_initial", offsetof(struct library, increment_with_initial)},
    {"memcached_decrement_with_initial", offsetof(struct library, decrement_with_initial)},
    {"memcached_server_instance_by_position",
     offsetof(struct library, server_instance_by_position)},
    {"memcached_server_srcport", offsetof(struct library, server_srcport)},
};

static bool load(struct library *library_r)
{
    void *loaded = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    for (size_t i = 0; loaded && i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(loaded, functions[i].name);

        if (!function)
            return false;
        memcpy((char *)library_r + functions[i].at, &function, sizeof function);
    }
    return loaded != NULL;
}

struct sending {
    struct library library;
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
        sending->library.behavior_set(sending->connection, MEMCACHED_BEHAVIOR_POLL_TIMEOUT,
                                      (uint64_t)waits);
        sending->library.behavior_set(sending->connection, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT,
                                      (uint64_t)waits);
    }
    return true;
}

static struct memcached_st *prepare(const struct library *library, const char *host, unsigned port)
{
    struct memcached_st *connection = library->create(NULL);
    if (!connection)
        return NULL;
    library->behavior_set(connection, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 1);
    library->behavior_set(connection, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    library->behavior_set(connection, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    memcached_return_t added =
        port == 0 ? library->server_add_unix_socket(connection, host)
                  : library->server_add(connection, host, (in_port_t)port);
    if (added != MEMCACHED_SUCCESS)
        library->free(connection);
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
            ? sending->library.decrement_with_initial(sending->connection, key, len,
                                                      change->amount, 0, EXPIRY_MAKE_NOTHING, NULL)
            : sending->library.increment_with_initial(sending->connection, key, len,
                                                      change->amount, change->amount,
                                                      (time_t)expires, NULL);
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
        sending->library.server_instance_by_position(sending->connection, 0);
    in_port_t port = 0;
    for (size_t i = 0; i < batch->n; i++) {
        const struct weir_counter_change *change = &batch->change[batch->order[i]];
        if (!send_change(sending, change, absolute(change->expires)))
            return false;
        if (i == 0)
            port = sending->library.server_srcport(server);
    }
    /* A receipt sent over a second connection would vouch for nothing. */
    return send_change(sending, batch->receipt, batch->receipt->expires) &&
           (batch->n == 0 || sending->library.server_srcport(server) == port);
}

static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static void hang_up(const struct library *library, struct memcached_st **connection)
{
    sigset_t before;
    block_signals(&before);
    library->behavior_set(*connection, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 1);
    library->free(*connection); /* says QUIT, where there is room for it */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *connection = NULL;
}

struct memcached_st *weir_memcached_send(const struct weir_memcached_batch *batch,
                                         const struct weir_clock *steady, weir_time deadline)
{
    struct sending sending = {.steady = steady, .deadline = deadline};
    if (!load(&sending.library))
        return NULL;
    sending.connection = prepare(&sending.library, batch->host, batch->port);
    if (!sending.connection)
        return NULL;
    sigset_t before;
    block_signals(&before);
    bool sent = send_all(&sending, batch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!sent)
        hang_up(&sending.library, &sending.connection);
    return sending.connection;
}

void weir_memcached_hang_up(struct memcached_st **connection)
{
    struct library library;

    if (*connection && load(&library)) /* it is there: the connection is its own */
        hang_up(&library, connection);
}
