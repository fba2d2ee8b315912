/*
 * Who may come to the intake's door and stay there.  Each connection has a struct guest, from
 * libmicrohttpd's word that it came to its word that it went.
 *
 * One that does not say in time which server it speaks for is hung up on, however busy it is with
 * its handshake or a head that never ends: its socket is shut down, and libmicrohttpd finds it so.
 * A guest is taken out of the chain before its socket is closed, both with the lock, so that
 * no other connection's socket is meant.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "monitor/intake/intake_impl.h"

/* What is of no family we know has no address, and shares one. */
static struct weir_address address_of(const struct sockaddr *from)
{
    struct weir_address address = {{0}};
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    if (from && from->sa_family == AF_INET6) {
        memcpy(&six, from, sizeof six);
        memcpy(address.octet, &six.sin6_addr, sizeof address.octet);
    } else if (from && from->sa_family == AF_INET) {
        memcpy(&four, from, sizeof four);
        memset(address.octet + 10, 0xff, 2);
        memcpy(address.octet + 12, &four.sin_addr, 4);
    }
    return address;
}

enum MHD_Result weir_intake_may_come(void *context, const struct sockaddr *from, socklen_t len)
{
    struct weir_intake *intake = context;
    struct weir_address address = address_of(from);
    bool may;

    (void)len;
    pthread_mutex_lock(&intake->door);
    may = weir_doorstep_has_room(intake->doorstep, &address, weir_clock_now(&intake->steady));
    pthread_mutex_unlock(&intake->door);
    atomic_fetch_add(&intake->turned_away, !may);
    return may ? MHD_YES : MHD_NO;
}

static struct guest *come(struct weir_intake *intake, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct guest *guest = from && fd ? calloc(1, sizeof *guest) : NULL;
    weir_time now = weir_clock_now(&intake->steady);

    if (!guest)
        return NULL;
    guest->address = address_of(from->client_addr);
    guest->fd = fd->connect_fd;
    guest->until = now + WEIR_INTAKE_HELLO_MAX * WEIR_SECOND;
    pthread_mutex_lock(&intake->door);
    if (weir_doorstep_come(intake->doorstep, &guest->address, now)) {
        weir_chain_join(&intake->waiting, &guest->waits, guest);
        pthread_mutex_unlock(&intake->door);
        return guest;
    }
    pthread_mutex_unlock(&intake->door);
    free(guest);
    return NULL;
}

static void leave(struct weir_intake *intake, struct guest *guest)
{
    pthread_mutex_lock(&intake->door);
    weir_chain_leave(&intake->waiting, &guest->waits);
    if (guest->admitted)
        intake->of_server[guest->server % WEIR_INTAKE_SERVERS]--;
    weir_doorstep_leave(intake->doorstep, &guest->address, guest->admitted,
                        weir_clock_now(&intake->steady));
    pthread_mutex_unlock(&intake->door);
    free(guest);
}

void weir_intake_guest(void *context, struct MHD_Connection *connection, void **guest,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *guest = come(context, connection);
    } else if (*guest) {
        leave(context, *guest);
        *guest = NULL;
    }
}

/* Only the connection's own thread looks whether it was admitted. */
bool weir_intake_let_in(struct weir_intake *intake, struct MHD_Connection *connection,
                        uint32_t server)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct guest *guest = info ? info->socket_context : NULL;
    uint16_t *count = &intake->of_server[server % WEIR_INTAKE_SERVERS];

    if (!guest || guest->admitted)
        return guest != NULL;
    pthread_mutex_lock(&intake->door);
    if (*count < WEIR_INTAKE_SERVER_MAX) {
        (*count)++;
        guest->admitted = true;
        guest->server = server;
        weir_chain_leave(&intake->waiting, &guest->waits);
        weir_doorstep_admit(intake->doorstep, &guest->address);
    }
    pthread_mutex_unlock(&intake->door);
    return guest->admitted;
}

void weir_intake_hang_up(struct weir_intake *intake, weir_time steady)
{
    struct guest *oldest;

    pthread_mutex_lock(&intake->door);
    while ((oldest = weir_chain_first(&intake->waiting)) && oldest->until <= steady) {
        (void)shutdown(oldest->fd, SHUT_RDWR);
        weir_chain_leave(&intake->waiting, &oldest->waits);
        atomic_fetch_add(&intake->hung_up, 1);
    }
    pthread_mutex_unlock(&intake->door);
}
