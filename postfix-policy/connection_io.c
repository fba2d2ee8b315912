/*
 * connection - sockets, their buffers, and the queues they wait in.
 *
 * Buffers exist only while something is pending.  Bytes of a request that has been
 * taken stay where they are until the next read: the batch points at them.
 */
#include "postfix-policy/connection_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error.h"

#define ROOM_LEAST 1024

static void leave_queue(struct weir_connections *connections, struct weir_connection *connection)
{
    if (connection->before)
        connection->before->after = connection->after;
    else
        connections->queue[connection->waits].first = connection->after;
    if (connection->after)
        connection->after->before = connection->before;
    else
        connections->queue[connection->waits].last = connection->before;
}

static void join_queue(struct weir_connections *connections, struct weir_connection *connection)
{
    connection->after = NULL;
    connection->before = connections->queue[connection->waits].last;
    if (connection->before)
        connection->before->after = connection;
    else
        connections->queue[connection->waits].first = connection;
    connections->queue[connection->waits].last = connection;
}

struct weir_connection *weir_connection_new(struct weir_connections *connections, int fd,
                                            weir_time now)
{
    struct weir_connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return NULL;
    connection->watch = WEIR_WATCH_CONNECTION;
    connection->fd = fd;
    connection->waits = WEIR_WAITS_IDLE;
    connection->since = now;
    join_queue(connections, connection);
    connections->count++;
    return connection;
}

void weir_connection_close(struct weir_connections *connections,
                           struct weir_connection *connection)
{
    leave_queue(connections, connection);
    connections->count--;
    close(connection->fd);
    free(connection->in);
    free(connection->out);
    free(connection);
}

void weir_connection_wait(struct weir_connections *connections,
                          struct weir_connection *connection, enum weir_waits waits,
                          weir_time now)
{
    leave_queue(connections, connection);
    connection->waits = waits;
    connection->since = now;
    join_queue(connections, connection);
}

/* Makes room behind what is pending: moves it to the front, or grows. */
static int make_room(struct weir_connection *connection)
{
    size_t room = 2 * connection->room;
    char *grown;

    if (connection->at != connection->in) {
        memmove(connection->in, connection->at, connection->len);
        connection->at = connection->in;
    }
    if (connection->len < connection->room)
        return 0;
    grown = realloc(connection->in, room);
    if (!grown)
        return WEIR_ENOMEM;
    connection->at = connection->in = grown;
    connection->room = room;
    return 0;
}

static int receive(int fd, char *room, size_t size, size_t *got_r)
{
    ssize_t got;

    do
        got = recv(fd, room, size, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : WEIR_EDOWN;
    *got_r = (size_t)got;
    return got == 0 ? WEIR_EDOWN : 1;
}

int weir_connection_read(struct weir_connection *connection, char *area, size_t room)
{
    size_t got;
    int done;

    if (!connection->in) {
        done = receive(connection->fd, area, room, &got);
        connection->at = area;
        connection->len = done > 0 ? got : 0;
        return done;
    }
    if (make_room(connection) < 0)
        return WEIR_ENOMEM;
    done = receive(connection->fd, connection->in + connection->len,
                   connection->room - connection->len, &got);
    connection->len += done > 0 ? got : 0;
    return done;
}

int weir_connection_keep(struct weir_connection *connection)
{
    size_t room = ROOM_LEAST;
    char *in;

    if (connection->len == 0) {
        free(connection->in);
        connection->in = NULL;
        return 0;
    }
    if (connection->in)
        return 0;
    while (room < connection->len)
        room *= 2;
    in = malloc(room);
    if (!in)
        return WEIR_ENOMEM;
    memcpy(in, connection->at, connection->len);
    connection->at = connection->in = in;
    connection->room = room;
    return 0;
}

/* Not writev: a peer that is gone must not raise SIGPIPE.  And one answer, as nearly always,
 * goes the shorter way through the kernel. */
static int transmit(int fd, const struct iovec *part, size_t parts, size_t *sent_r)
{
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)part, .msg_iovlen = parts};
    ssize_t sent;

    do
        sent = parts == 1 ? send(fd, part->iov_base, part->iov_len, flags)
                          : sendmsg(fd, &message, flags);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        return WEIR_EDOWN;
    *sent_r = sent < 0 ? 0 : (size_t)sent;
    return 0;
}

/* Copies what lies behind the first `sent` octets of all parts. */
static int keep_unsent(struct weir_connection *connection, const struct iovec *part, size_t parts,
                       size_t all, size_t sent)
{
    char *to = connection->out = malloc(all - sent);

    if (!to)
        return WEIR_ENOMEM;
    connection->out_at = 0;
    connection->out_len = all - sent;
    for (size_t i = 0; i < parts; i++) {
        size_t skip = sent < part[i].iov_len ? sent : part[i].iov_len;

        memcpy(to, (const char *)part[i].iov_base + skip, part[i].iov_len - skip);
        to += part[i].iov_len - skip;
        sent -= skip;
    }
    return 0;
}

int weir_connection_send(struct weir_connection *connection, const struct iovec *part,
                         size_t parts)
{
    size_t all = 0, sent;
    int done = transmit(connection->fd, part, parts, &sent);

    if (done < 0)
        return done;
    for (size_t i = 0; i < parts; i++)
        all += part[i].iov_len;
    return sent == all ? 1 : keep_unsent(connection, part, parts, all, sent);
}

int weir_connection_send_kept(struct weir_connection *connection)
{
    struct iovec part = {.iov_base = connection->out + connection->out_at,
                         .iov_len = connection->out_len};
    size_t sent;
    int done = transmit(connection->fd, &part, 1, &sent);

    if (done < 0)
        return done;
    connection->out_at += sent;
    connection->out_len -= sent;
    if (connection->out_len > 0)
        return 0;
    free(connection->out);
    connection->out = NULL;
    return 1;
}

bool weir_connection_readable(const struct weir_connection *connection)
{
    char octet;

    return recv(connection->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
           (errno != EAGAIN && errno != EWOULDBLOCK);
}

static void describe_local(int fd, char buffer[static WEIR_PEER_TEXT])
{
    struct ucred peer = {0};
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        snprintf(buffer, WEIR_PEER_TEXT, "pid %ld uid %ld", (long)peer.pid, (long)peer.uid);
    else
        snprintf(buffer, WEIR_PEER_TEXT, "somebody");
}

const char *weir_connection_peer(const struct weir_connection *connection,
                                 char buffer[static WEIR_PEER_TEXT])
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage room;
    } peer = {.any.sa_family = AF_UNIX};
    socklen_t len = sizeof peer;
    char text[INET6_ADDRSTRLEN];

    (void)getpeername(connection->fd, &peer.any, &len);
    if (peer.any.sa_family == AF_INET)
        snprintf(buffer, WEIR_PEER_TEXT, "%s:%u",
                 inet_ntop(AF_INET, &peer.in.sin_addr, text, sizeof text),
                 (unsigned)ntohs(peer.in.sin_port));
    else if (peer.any.sa_family == AF_INET6)
        snprintf(buffer, WEIR_PEER_TEXT, "[%s]:%u",
                 inet_ntop(AF_INET6, &peer.in6.sin6_addr, text, sizeof text),
                 (unsigned)ntohs(peer.in6.sin6_port));
    else
        describe_local(connection->fd, buffer);
    return buffer;
}
