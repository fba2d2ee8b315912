/*
 * http_peers - what libmicrohttpd tells of connections, kept in the table of visitors.
 */
#include "core/program/http_peers_io.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/program/host_field.h"

void weir_http_peers_begin(struct weir_http_peers *peers,
                           const struct weir_visitors_limits *limits)
{
    pthread_mutex_init(&peers->lock, NULL);
    peers->steady = weir_clock_steady();
    peers->visitors = (struct weir_visitors){.limits = *limits};
}

void weir_http_peers_end(struct weir_http_peers *peers)
{
    pthread_mutex_destroy(&peers->lock);
}

/* connections ------------------------------------------------------------------------------ */

/* libmicrohttpd closes it after it has said so: a number that is in the table is that of this
 * connection, and no other's. */
static void cut(const struct weir_visitor *visitor)
{
    if (visitor)
        (void)shutdown(visitor->fd, SHUT_RDWR);
}

void weir_http_peers_visited(void *context, struct MHD_Connection *connection, void **visitor,
                             enum MHD_ConnectionNotificationCode code)
{
    struct weir_http_peers *peers = context;
    const struct weir_address from = weir_http_address(connection);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *visitor = info ? calloc(1, sizeof(struct weir_visitor)) : NULL;
    if (!*visitor)
        return;
    pthread_mutex_lock(&peers->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        cut(weir_visitors_opened(&peers->visitors, *visitor, info->connect_fd, &from,
                                 weir_clock_now(&peers->steady)));
    else
        weir_visitors_closed(&peers->visitors, *visitor);
    pthread_mutex_unlock(&peers->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        return;
    free(*visitor);
    *visitor = NULL;
}

void weir_http_peers_cut(struct weir_http_peers *peers)
{
    weir_time now = weir_clock_now(&peers->steady);
    struct weir_visitor *late;

    pthread_mutex_lock(&peers->lock);
    while ((late = weir_visitors_late(&peers->visitors, now)) != NULL)
        cut(late);
    pthread_mutex_unlock(&peers->lock);
}

struct weir_visitor *weir_http_visitor(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void weir_http_peers_due(struct weir_http_peers *peers, struct weir_visitor *visitor,
                         weir_time span)
{
    if (!visitor)
        return;
    pthread_mutex_lock(&peers->lock);
    visitor->due = span > 0 ? weir_clock_now(&peers->steady) + span : 0;
    pthread_mutex_unlock(&peers->lock);
}

void weir_http_peers_known(struct weir_http_peers *peers, struct weir_visitor *visitor)
{
    if (!visitor)
        return;
    pthread_mutex_lock(&peers->lock);
    visitor->known = true;
    pthread_mutex_unlock(&peers->lock);
}

/* what they say ---------------------------------------------------------------------------- */

struct weir_address weir_http_address(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct weir_address address = {.octet = {0}};

    if (!info || !info->client_addr)
        return address;
    if (info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 peer;

        memcpy(&peer, info->client_addr, sizeof peer);
        memcpy(address.octet, &peer.sin6_addr, sizeof address.octet);
    } else if (info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in peer;

        memcpy(&peer, info->client_addr, sizeof peer);
        address.octet[10] = address.octet[11] = 0xff;
        memcpy(address.octet + 12, &peer.sin_addr, 4);
    }
    return address;
}

static enum MHD_Result count_host(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    unsigned *hosts = context;

    (void)kind, (void)value;
    *hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    return MHD_YES;
}

/* RFC 9112 section 3.2: more than one is an error, for who stands before us may take another. */
static bool has_one_host(struct MHD_Connection *connection)
{
    unsigned hosts = 0;

    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_host, &hosts);
    return hosts == 1;
}

bool weir_http_host_fits(struct MHD_Connection *connection, const char *own,
                         const char *declared)
{
    return has_one_host(connection) &&
           weir_host_fits(MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                      MHD_HTTP_HEADER_HOST), own, declared);
}
