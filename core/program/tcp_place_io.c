/*
 * tcp_place - an address that a server has just left may be taken at once.
 */
#include "core/program/tcp_place_io.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket at one address, or -1 and errno. */
static int listen_at(const struct addrinfo *place, int backlog)
{
    int on = 1, fd = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, place->ai_addr, place->ai_addrlen) == 0 && listen(fd, backlog) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

int weir_tcp_place_listen(const struct weir_endpoint *at, int backlog, const char **why_r)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int fd = -1, done = getaddrinfo(at->host, at->port, &hints, &found);

    if (done != 0) {
        *why_r = done == EAI_SYSTEM ? strerrordesc_np(errno) : gai_strerror(done);
        return -1;
    }
    for (const struct addrinfo *place = found; place && fd < 0; place = place->ai_next)
        fd = listen_at(place, backlog);
    if (fd < 0)
        *why_r = strerrordesc_np(errno);
    freeaddrinfo(found);
    return fd;
}
