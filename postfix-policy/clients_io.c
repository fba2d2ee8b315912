/*
 * clients - reads, batches, answers, closes.
 *
 * Octets of connections that had nothing pending are read into one area, which is used
 * again after each batch; so a request that arrives whole, as nearly all do, costs one
 * recv and one send and no memory of its own.  A connection has at most TURN requests
 * in a batch, so that one that pipelines thousands does not make others wait.
 */
#include "postfix-policy/clients_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error.h"

#define TURN 32
#define AREA (64 * WEIR_POLICY_REQUEST_MAX)

struct weir_clients {
    struct weir_clients_options options;
    struct weir_policy_parts parts;
    struct weir_connections connections;
    struct weir_connection *again; /* connections with more whole requests */
    struct weir_policy_batch *batch;
    struct weir_clients_counts counts;
    struct weir_log_gate gate[WEIR_TROUBLES];
    bool finishing;
    size_t used; /* octets of the area */
    char area[AREA];
};

const char *weir_trouble_name(enum weir_trouble trouble)
{
    static const char *const name[WEIR_TROUBLES] = {"malformed", "oversized", "half", "slow",
                                                    "unread"};
    return name[trouble];
}

int weir_clients_new(const struct weir_clients_options *options, struct weir_clients **clients_r)
{
    struct weir_clients *clients = calloc(1, sizeof *clients);

    if (!clients)
        return WEIR_ENOMEM;
    clients->options = *options;
    if (weir_policy_batch_new(&clients->batch) < 0) {
        free(clients);
        return WEIR_ENOMEM;
    }
    *clients_r = clients;
    return 0;
}

static void drop(struct weir_clients *clients, struct weir_connection *connection)
{
    weir_connection_close(&clients->connections, connection);
}

void weir_clients_free(struct weir_clients **clients)
{
    if (!*clients)
        return;
    for (int waits = 0; waits < WEIR_WAITS; waits++)
        while ((*clients)->connections.queue[waits].first)
            drop(*clients, (*clients)->connections.queue[waits].first);
    weir_policy_batch_free(&(*clients)->batch);
    free(*clients);
    *clients = NULL;
}

void weir_clients_use(struct weir_clients *clients, const struct weir_policy_parts *parts)
{
    clients->parts = *parts;
}

/* Counts it, writes a line unless there are too many, and lets what is unread go. */
static void give_up(struct weir_clients *clients, struct weir_connection *connection,
                    enum weir_trouble trouble, const char *why, weir_time now)
{
    char peer[WEIR_PEER_TEXT];
    unsigned held;

    clients->counts.trouble[trouble]++;
    connection->closing = true;
    connection->more = false;
    connection->len = 0;
    if (!weir_log_gate_open(&clients->gate[trouble], now, WEIR_SECOND, &held))
        return;
    weir_connection_peer(connection, peer);
    if (held > 0)
        weir_log(clients->parts.log, WEIR_LOG_WARNING,
                 "%s request from %s: %s; closed without an answer (and %u more)",
                 weir_trouble_name(trouble), peer, why, held);
    else
        weir_log(clients->parts.log, WEIR_LOG_WARNING,
                 "%s request from %s: %s; closed without an answer",
                 weir_trouble_name(trouble), peer, why);
}

/* Takes the whole requests of what has arrived into the batch. */
static void take(struct weir_clients *clients, struct weir_connection *connection, weir_time now)
{
    const char *why = NULL;
    int done = 1;

    connection->more = false;
    while (connection->len > 0) {
        size_t len;

        if (connection->batched == TURN || done == 0 || weir_policy_batch_full(clients->batch)) {
            connection->more = true;
            return;
        }
        done = weir_policy_scan(&connection->scan, connection->at, connection->len, &len, &why);
        if (done == 0)
            return;
        if (done > 0)
            done = weir_policy_batch_add(clients->batch, connection, connection->at, len, &why);
        if (done < 0) {
            give_up(clients, connection,
                    done == WEIR_ELIMIT ? WEIR_TROUBLE_OVERSIZED : WEIR_TROUBLE_MALFORMED, why,
                    now);
            return;
        }
        connection->batched++;
        connection->at += len;
        connection->len -= len;
    }
}

static void put_again(struct weir_clients *clients, struct weir_connection *connection)
{
    connection->again = clients->again;
    clients->again = connection;
}

static void watch(struct weir_clients *clients, struct weir_connection *connection,
                  uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};

    (void)epoll_ctl(clients->options.epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Nothing is left to do for it now: it waits, or it is closed.  `anew` says that a request was
 * answered, so that what is pending is the beginning of another one. */
static void rest(struct weir_clients *clients, struct weir_connection *connection, bool anew,
                 weir_time now)
{
    enum weir_waits waits = connection->len > 0 ? WEIR_WAITS_HALF : WEIR_WAITS_IDLE;

    if (connection->closing ||
        (clients->finishing && !connection->more && !weir_connection_readable(connection))) {
        drop(clients, connection);
        return;
    }
    if (weir_connection_keep(connection) < 0) {
        drop(clients, connection); /* memory is short: no answer is the honest one */
        return;
    }
    if (anew || waits != connection->waits)
        weir_connection_wait(&clients->connections, connection, waits, now);
}

/* What follows a take.  The area is used again, so what is left over moves; requests in the
 * batch decide what happens next, if there are any. */
static void after_take(struct weir_clients *clients, struct weir_connection *connection,
                       weir_time now)
{
    if (connection->len > 0 && weir_connection_keep(connection) < 0) {
        connection->closing = true;
        connection->more = false;
        connection->len = 0;
    }
    if (connection->batched > 0)
        return;
    if (connection->more) /* the batch was full */
        put_again(clients, connection);
    else
        rest(clients, connection, false, now);
}

static void make_space(struct weir_clients *clients, weir_time now)
{
    if (weir_policy_batch_full(clients->batch) || AREA - clients->used < WEIR_POLICY_REQUEST_MAX)
        weir_clients_answer(clients, now);
}

static void read_requests(struct weir_clients *clients, struct weir_connection *connection,
                          weir_time now)
{
    bool area = connection->in == NULL;
    int done;

    make_space(clients, now);
    done = weir_connection_read(connection, clients->area + clients->used,
                                WEIR_POLICY_REQUEST_MAX);
    if (done == 0)
        return;
    if (done < 0) {
        if (connection->len > 0)
            give_up(clients, connection, WEIR_TROUBLE_HALF, "the client has gone", now);
        drop(clients, connection);
        return;
    }
    if (area)
        clients->used += connection->len;
    take(clients, connection, now);
    after_take(clients, connection, now);
}

static void send_kept(struct weir_clients *clients, struct weir_connection *connection,
                      weir_time now)
{
    int done = weir_connection_send_kept(connection);

    if (done == 0)
        return;
    if (done < 0) {
        drop(clients, connection);
        return;
    }
    watch(clients, connection, EPOLLIN);
    if (connection->more) {
        make_space(clients, now);
        take(clients, connection, now);
    }
    if (connection->batched > 0)
        after_take(clients, connection, now);
    else
        rest(clients, connection, true, now);
}

void weir_clients_ready(struct weir_clients *clients, struct weir_connection *connection,
                        weir_time now)
{
    if (connection->out)
        send_kept(clients, connection, now);
    else
        read_requests(clients, connection, now);
}

/* Sends one connection's answers and decides what it waits for next. */
static void send_answers(struct weir_clients *clients, struct weir_connection *connection,
                         const struct iovec *part, size_t parts, weir_time now)
{
    int done = weir_connection_send(connection, part, parts);

    connection->batched = 0;
    if (done < 0) {
        drop(clients, connection);
    } else if (done == 0) {
        watch(clients, connection, EPOLLOUT);
        weir_connection_wait(&clients->connections, connection, WEIR_WAITS_STUCK, now);
    } else if (connection->more) {
        put_again(clients, connection);
    } else {
        rest(clients, connection, true, now);
    }
}

/* Where an item's answer lies; the status is asked for once in a batch. */
static struct iovec part_of(struct weir_clients *clients, const struct weir_policy_item *item,
                            const char **status)
{
    const char *answer = item->answer;

    if (item->kind == WEIR_POLICY_DECIDE)
        return (struct iovec){.iov_base = (void *)(uintptr_t)answer, .iov_len = item->len};
    if (!*status)
        *status = clients->options.status(clients->options.context);
    return (struct iovec){.iov_base = (void *)(uintptr_t)*status, .iov_len = strlen(*status)};
}

/* Answers the batch; a connection's items stand together. */
static void answer_batch(struct weir_clients *clients, weir_time now)
{
    weir_time wall = weir_clock_now(&clients->options.wall);
    const char *status = NULL;
    size_t count, end, decided = 0;
    const struct weir_policy_item *item =
        weir_policy_batch_answer(clients->batch, &clients->parts, wall, now, &count);

    for (size_t i = 0; i < count; i = end) {
        struct iovec part[TURN];

        for (end = i; end < count && item[end].owner == item[i].owner; end++) {
            part[end - i] = part_of(clients, &item[end], &status);
            decided += item[end].kind == WEIR_POLICY_DECIDE;
        }
        send_answers(clients, item[i].owner, part, end - i, now);
    }
    if (clients->parts.numbers) /* all were read when the round began */
        weir_histogram_add(weir_numbers_times(clients->parts.numbers, WEIR_NUMBER_REQUEST_TIME, 0),
                           weir_clock_now(&clients->options.steady) - now, decided);
    weir_policy_batch_clear(clients->batch);
    clients->used = 0;
}

void weir_clients_answer(struct weir_clients *clients, weir_time now)
{
    while (!weir_policy_batch_empty(clients->batch)) {
        struct weir_connection *connection, *next;

        answer_batch(clients, now);
        next = clients->again;
        clients->again = NULL;
        while ((connection = next)) {
            next = connection->again;
            take(clients, connection, now);
            after_take(clients, connection, now);
        }
    }
}

static int adopt(struct weir_clients *clients, int fd, weir_time now)
{
    struct weir_connection *connection = weir_connection_new(&clients->connections, fd, now);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    if (!connection) {
        close(fd);
        return WEIR_ENOMEM;
    }
    clients->counts.accepted++;
    if (epoll_ctl(clients->options.epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    drop(clients, connection);
    return WEIR_EIO;
}

int weir_clients_accept(struct weir_clients *clients, int listener, weir_time now, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
            return WEIR_EIO;
        if (fd >= 0 && adopt(clients, fd, now) < 0)
            return WEIR_EIO;
    }
    return 1;
}

void weir_clients_expire(struct weir_clients *clients, weir_time now)
{
    const struct weir_config *config = clients->parts.config;
    struct weir_connection *head;

    while ((head = clients->connections.queue[WEIR_WAITS_HALF].first) &&
           now - head->since >= config->request_timeout) {
        give_up(clients, head, WEIR_TROUBLE_SLOW, "it did not arrive in time", now);
        drop(clients, head);
    }
    while ((head = clients->connections.queue[WEIR_WAITS_STUCK].first) &&
           now - head->since >= config->request_timeout) {
        give_up(clients, head, WEIR_TROUBLE_UNREAD, "the answer was not taken in time", now);
        drop(clients, head);
    }
    while ((head = clients->connections.queue[WEIR_WAITS_IDLE].first) &&
           now - head->since >= config->idle_timeout) {
        clients->counts.idle++;
        drop(clients, head);
    }
}

void weir_clients_finish(struct weir_clients *clients)
{
    clients->finishing = true;
}

size_t weir_clients_open(const struct weir_clients *clients)
{
    return clients->connections.count;
}

bool weir_clients_unsent(const struct weir_clients *clients)
{
    return clients->connections.queue[WEIR_WAITS_STUCK].first != NULL;
}

const struct weir_clients_counts *weir_clients_counts(const struct weir_clients *clients)
{
    return &clients->counts;
}
