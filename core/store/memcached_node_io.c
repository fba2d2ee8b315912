/*
 * One memcached server.  Owns one non-blocking connection and the octets on
 * their way in and out; what they mean is memcached_exchange's business.  A
 * name may have several addresses: a connection tries each, beginning with the
 * last that worked.  Refuses nothing, waits for nothing: every call does what
 * can be done at once.
 */
#include "core/store/memcached_node_io.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/store/memcached_exchange.h"

#define ADDRESSES_MAX 8
#define LOG_EVERY (10 * WEIR_SECOND)

enum task { IDLE, ASKED, PROBED };

struct place {
    struct sockaddr_storage address;
    socklen_t len;
};

struct weir_memcached_node {
    struct weir_memcached_node_options options;
    char name[WEIR_NODE_NAME_MAX + 1];
    struct place place[ADDRESSES_MAX];
    size_t places, at, tried; /* at: the one in use; tried: of this connection */

    int fd; /* -1: none */
    bool connecting;
    bool reused; /* the connection is older than the question */

    enum task task;
    struct weir_memcached_exchange exchange;
    uint32_t opaque; /* of the next question's first get */
    weir_time asked_at;

    bool up, ticked, told; /* told: the log knows that it is down */
    weir_time retry_at, probe_until;
    weir_time retry_every; /* 0: answered since it was last down */
    uint64_t failures;
    double seconds;
    size_t malformed;
    struct weir_log_gate gate;

    size_t out_at, out_len, in_len;
    uint8_t out[16384], in[65536];
};

static weir_time now_of(const struct weir_memcached_node *node)
{
    return weir_clock_now(&node->options.steady);
}

/* The breaker. ------------------------------------------------------------ */

static void hang_up(struct weir_memcached_node *node)
{
    if (node->fd >= 0)
        close(node->fd);
    node->fd = -1;
    node->connecting = false;
    node->out_at = node->out_len = node->in_len = 0;
}

/* Both ends of an outage are told, unless a server comes and goes too often. */
static void tell_down(struct weir_memcached_node *node, const char *why)
{
    unsigned held;
    node->told = weir_log_gate_open(&node->gate, now_of(node), LOG_EVERY, &held);
    if (node->told)
        weir_log(node->options.log, WEIR_LOG_WARNING,
                 "memcached %s is down: %s (failure %llu; %u lines left out)", node->name, why,
                 (unsigned long long)node->failures, held);
}

static void tell_up(struct weir_memcached_node *node)
{
    if (node->told)
        weir_log(node->options.log, WEIR_LOG_INFO, "memcached %s answers again", node->name);
}

/* The interval is the least again only after a real answer, not after a probe:
 * a server that answers probes and nothing else must not cost a wait each second. */
static weir_time next_interval(const struct weir_memcached_node *node)
{
    weir_time every = node->retry_every ? 2 * node->retry_every : node->options.retry_least;
    return every < node->options.retry_most ? every : node->options.retry_most;
}

static void fail(struct weir_memcached_node *node, const char *why)
{
    hang_up(node);
    node->malformed += node->exchange.malformed;
    if (node->task == ASKED)
        node->failures++;
    node->task = IDLE;
    node->retry_every = next_interval(node);
    node->retry_at = now_of(node) + node->retry_every;
    if (node->up)
        tell_down(node, why);
    node->up = false;
}

static void succeed(struct weir_memcached_node *node)
{
    node->malformed += node->exchange.malformed;
    node->seconds = (double)(now_of(node) - node->asked_at) / (double)WEIR_SECOND;
    node->task = IDLE;
    if (node->exchange.n > 0)
        node->retry_every = 0;
    if (!node->up)
        tell_up(node);
    node->up = true;
}

/* The connection. --------------------------------------------------------- */

/* 1 connected, 0 under way, -1 failed. */
static int connect_to(struct weir_memcached_node *node, const struct place *place)
{
    int on = 1;
    int family = place->address.ss_family;
    node->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (node->fd < 0)
        return -1;
    if (family != AF_UNIX)
        setsockopt(node->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(node->fd, (const struct sockaddr *)&place->address, place->len) == 0)
        return 1;
    if (errno == EINPROGRESS)
        return 0;
    int reason = errno;
    hang_up(node);
    errno = reason;
    return -1;
}

/* Tries the addresses not tried yet; errno tells why the last one was no good. */
static bool connect_next(struct weir_memcached_node *node)
{
    while (node->tried < node->places) {
        if (node->tried++ > 0)
            node->at = (node->at + 1) % node->places;
        int made = connect_to(node, &node->place[node->at]);
        if (made >= 0) {
            node->connecting = made == 0;
            return true;
        }
    }
    return false;
}

static bool connect_first(struct weir_memcached_node *node)
{
    node->tried = 0;
    node->reused = false;
    errno = EHOSTUNREACH;
    return connect_next(node);
}

static void ask(struct weir_memcached_node *node, struct weir_counter_slot *slot,
                const uint32_t *order, size_t n)
{
    weir_memcached_exchange_begin(&node->exchange, slot, order, n, node->opaque);
    node->opaque += (uint32_t)n + 1;
}

/* The connection ended.  One that was idle before may have been closed long
 * ago, by a restart for instance: then, as nothing came, the question is put once more. */
static void broken(struct weir_memcached_node *node, int reason)
{
    const struct weir_memcached_exchange *exchange = &node->exchange;
    bool again = node->reused && node->in_len == 0 && exchange->answered == 0;
    hang_up(node);
    if (again && connect_first(node))
        ask(node, exchange->slot, exchange->order, exchange->n);
    else
        fail(node, reason ? strerror(reason) : "the connection was closed");
}

static void finish_connecting(struct weir_memcached_node *node)
{
    int reason = 0;
    socklen_t len = sizeof reason;
    if (getsockopt(node->fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0)
        reason = errno;
    if (reason == 0) {
        node->connecting = false;
        return;
    }
    hang_up(node);
    if (!connect_next(node))
        fail(node, strerror(reason));
}

/* Octets. ----------------------------------------------------------------- */

/* Sends what there is to send, as far as it goes without waiting. */
static void send_out(struct weir_memcached_node *node)
{
    if (node->out_at == node->out_len) {
        node->out_at = 0;
        node->out_len = weir_memcached_exchange_write(&node->exchange, node->out,
                                                      sizeof node->out);
    }
    if (node->out_len == 0)
        return;
    ssize_t sent = send(node->fd, node->out + node->out_at, node->out_len - node->out_at,
                        MSG_NOSIGNAL);
    if (sent >= 0)
        node->out_at += (size_t)sent;
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        broken(node, errno);
}

static void take_answers(struct weir_memcached_node *node)
{
    size_t used;
    int done = weir_memcached_exchange_read(&node->exchange, node->in, node->in_len, &used);
    node->in_len -= used;
    memmove(node->in, node->in + used, node->in_len);
    if (done < 0 || (done == 1 && node->in_len > 0))
        fail(node, "answers what was not asked");
    else if (done == 1)
        succeed(node);
}

static void take_in(struct weir_memcached_node *node)
{
    ssize_t got = recv(node->fd, node->in + node->in_len, sizeof node->in - node->in_len, 0);
    if (got > 0) {
        node->in_len += (size_t)got;
        take_answers(node);
    } else if (got == 0) {
        broken(node, 0);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        broken(node, errno);
    }
}

/* A question. ------------------------------------------------------------- */

bool weir_memcached_node_ready(const struct weir_memcached_node *node)
{
    if (node->task != IDLE)
        return false;
    return node->up || (!node->ticked && node->places > 0 && now_of(node) >= node->retry_at);
}

/* Puts the question that was prepared by ask(). */
static void begin(struct weir_memcached_node *node, enum task task)
{
    node->task = task;
    node->asked_at = now_of(node);
    node->reused = node->fd >= 0;
    if (!node->reused && !connect_first(node))
        fail(node, strerror(errno));
    else if (!node->connecting)
        send_out(node);
}

void weir_memcached_node_begin(struct weir_memcached_node *node, struct weir_counter_slot *slot,
                               const uint32_t *order, size_t n)
{
    ask(node, slot, order, n);
    begin(node, ASKED);
}

static void fill_poll(const struct weir_memcached_node *node, struct pollfd *poll_r)
{
    bool to_send = node->out_at < node->out_len || node->exchange.asked <= node->exchange.n;
    poll_r->fd = node->fd;
    poll_r->events = POLLIN;
    if (node->connecting || to_send)
        poll_r->events |= POLLOUT;
    poll_r->revents = 0;
}

bool weir_memcached_node_waits(const struct weir_memcached_node *node, struct pollfd *poll_r)
{
    if (node->task != ASKED)
        return false;
    fill_poll(node, poll_r);
    return true;
}

void weir_memcached_node_step(struct weir_memcached_node *node, short revents)
{
    if (node->connecting && revents != 0)
        finish_connecting(node);
    else if (revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL))
        take_in(node);
    if (node->task != IDLE && node->fd >= 0 && !node->connecting)
        send_out(node);
}

void weir_memcached_node_give_up(struct weir_memcached_node *node)
{
    fail(node, node->connecting ? "no connection in time" : "no answer in time");
}

/* The probe. -------------------------------------------------------------- */

static void look_at_probe(struct weir_memcached_node *node)
{
    struct pollfd seen;
    fill_poll(node, &seen);
    if (poll(&seen, 1, 0) > 0)
        weir_memcached_node_step(node, seen.revents);
    if (node->task == PROBED && now_of(node) >= node->probe_until) {
        fail(node, "no answer to a probe");
        node->retry_at = now_of(node); /* it had its interval: the next one now */
    }
}

void weir_memcached_node_tick(struct weir_memcached_node *node)
{
    node->ticked = true;
    if (node->task == PROBED)
        look_at_probe(node);
    if (node->up || node->task != IDLE || node->places == 0 || now_of(node) < node->retry_at)
        return;
    node->probe_until = now_of(node) + node->retry_every;
    ask(node, NULL, NULL, 0);
    begin(node, PROBED);
}

/* The rest. --------------------------------------------------------------- */

static void resolve(struct weir_memcached_node *node, const struct weir_memcached_server *server)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char port[12];
    snprintf(port, sizeof port, "%u", server->port);
    int error = getaddrinfo(server->host, port, &hints, &list);
    if (error != 0)
        weir_log(node->options.log, WEIR_LOG_ERROR, "memcached %s: %s; it stays down", node->name,
                 gai_strerror(error));
    for (struct addrinfo *i = list; i && node->places < ADDRESSES_MAX; i = i->ai_next) {
        struct place *place = &node->place[node->places];
        if (i->ai_addrlen <= sizeof place->address) {
            memcpy(&place->address, i->ai_addr, i->ai_addrlen);
            place->len = i->ai_addrlen;
            node->places++;
        }
    }
    if (list)
        freeaddrinfo(list);
}

static void place_socket(struct weir_memcached_node *node, const char *path)
{
    struct sockaddr_un *local = (struct sockaddr_un *)&node->place[0].address;
    local->sun_family = AF_UNIX;
    snprintf(local->sun_path, sizeof local->sun_path, "%.107s", path);
    node->place[0].len = sizeof *local;
    node->places = 1;
}

struct weir_memcached_node *
weir_memcached_node_new(const struct weir_memcached_server *server,
                        const struct weir_memcached_node_options *options)
{
    struct weir_memcached_node *node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->options = *options;
    node->fd = -1;
    snprintf(node->name, sizeof node->name, "%s", server->name);
    if (server->port == 0)
        place_socket(node, server->host);
    else
        resolve(node, server);
    node->up = node->places > 0;
    return node;
}

void weir_memcached_node_free(struct weir_memcached_node **nodep)
{
    if (!*nodep)
        return;
    hang_up(*nodep);
    free(*nodep);
    *nodep = NULL;
}

bool weir_memcached_node_up(const struct weir_memcached_node *node)
{
    return node->up;
}

void weir_memcached_node_status(const struct weir_memcached_node *node,
                                struct weir_counters_node *status_r)
{
    snprintf(status_r->name, sizeof status_r->name, "%s", node->name);
    status_r->up = node->up;
    status_r->failures = node->failures;
    status_r->seconds = node->seconds;
}

size_t weir_memcached_node_take_malformed(struct weir_memcached_node *node)
{
    size_t malformed = node->malformed;
    node->malformed = 0;
    return malformed;
}

bool weir_memcached_node_address(const struct weir_memcached_node *node, char *host, size_t len,
                                 unsigned *port_r)
{
    if (node->places == 0)
        return false;
    const struct place *place = &node->place[node->at];
    if (place->address.ss_family == AF_UNIX) {
        *port_r = 0;
        snprintf(host, len, "%s", node->name);
        return true;
    }
    char port[8];
    if (getnameinfo((const struct sockaddr *)&place->address, place->len, host, (socklen_t)len,
                    port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    *port_r = (unsigned)strtoul(port, NULL, 10);
    return true;
}
