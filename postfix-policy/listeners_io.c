/*
 * listeners - opens, takes over and closes listening sockets.
 *
 * Everything that can fail is done in prepare, beside what is open; only then is
 * anything closed.  The set owns its sockets and the socket files it made.
 */
#include "postfix-policy/listeners_io.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "core/engine/config.h"
#include "core/program/unix_place_io.h"

#define BACKLOG 4096
#define FIRST_HANDED_OVER 3 /* sd_listen_fds(3) */

static int trouble(struct weir_listeners *listeners, const char *address, const char *why)
{
    snprintf(listeners->why, sizeof listeners->why, "%s: %s", address, why);
    return WEIR_EIO;
}

/* Adds an open socket to the set. */
static int add(struct weir_listeners *listeners, const char *address, int fd,
               struct weir_listener **listener_r)
{
    struct weir_listener *listener = calloc(1, sizeof *listener);

    if (!listener) {
        close(fd);
        return trouble(listeners, address, "out of memory");
    }
    listener->watch = listeners->watch;
    listener->fd = fd;
    listener->fresh = listener->wanted = true;
    snprintf(listener->address, sizeof listener->address, "%s", address);
    snprintf(listener->name, sizeof listener->name, "%s", address);
    listener->next = listeners->first;
    listeners->first = listener;
    *listener_r = listener;
    return 0;
}

/* Answers are small and awaited: no waiting to fill a segment.  Accepted sockets take
 * this over from the listening one. */
static void send_at_once(int fd)
{
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Names what was really taken: the configuration may have said port 0, and of a socket that
 * was handed over it says nothing. */
static void name_it(struct weir_listener *listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_storage room;
    } at = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof at;
    char host[64], port[8];

    if (getsockname(listener->fd, &at.any, &len) < 0)
        return;
    if (at.any.sa_family == AF_UNIX)
        snprintf(listener->name, sizeof listener->name, "unix:%s", at.un.sun_path);
    else if (getnameinfo(&at.any, len, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(listener->name, sizeof listener->name,
                 at.any.sa_family == AF_INET6 ? "inet:[%s]:%s" : "inet:%s:%s", host, port);
}

static int open_one_inet(struct weir_listeners *listeners, const char *address,
                         const struct addrinfo *info)
{
    int on = 1, done;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct weir_listener *listener;

    if (fd < 0)
        return trouble(listeners, address, strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    send_at_once(fd);
    if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        done = trouble(listeners, address, strerror(errno));
        close(fd);
        return done;
    }
    done = add(listeners, address, fd, &listener);
    if (done == 0)
        name_it(listener);
    return done;
}

static int open_inet(struct weir_listeners *listeners, const char *address,
                     const struct weir_endpoint *endpoint)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int done = getaddrinfo(endpoint->host, endpoint->port, &hints, &found);

    if (done != 0)
        return trouble(listeners, address, gai_strerror(done));
    for (const struct addrinfo *info = found; info && done == 0; info = info->ai_next)
        done = open_one_inet(listeners, address, info);
    freeaddrinfo(found);
    return done;
}

static int open_unix(struct weir_listeners *listeners, const char *address,
                     const struct weir_endpoint *endpoint, int access)
{
    struct weir_listener *listener;
    struct stat made;
    const char *why;
    int fd = weir_unix_place_listen(endpoint->host, access, BACKLOG, &made, &why), done;

    if (fd < 0)
        return trouble(listeners, address, why);
    done = add(listeners, address, fd, &listener);
    if (done < 0)
        return done;
    listener->path = listener->address + strlen("unix:");
    listener->made = made;
    return 0;
}

static int open_at(struct weir_listeners *listeners, const char *address, int access)
{
    struct weir_endpoint endpoint;
    const char *why;

    if (weir_endpoint_parse(address, &endpoint, &why) < 0) {
        trouble(listeners, address, why);
        return WEIR_EINVAL;
    }
    return endpoint.is_unix ? open_unix(listeners, address, &endpoint, access)
                            : open_inet(listeners, address, &endpoint);
}

static int adopt(struct weir_listeners *listeners, int fd)
{
    char address[32];
    int listens = 0, done;
    socklen_t len = sizeof listens;
    struct weir_listener *listener;

    snprintf(address, sizeof address, "handed over as %d", fd);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || !listens)
        return trouble(listeners, address, "not a listening stream socket");
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return trouble(listeners, address, strerror(errno));
    send_at_once(fd);
    done = add(listeners, address, fd, &listener);
    if (done < 0)
        return done;
    listener->handed_over = true;
    name_it(listener);
    return 0;
}

int weir_listeners_inherit(struct weir_listeners *listeners, const char **why_r)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    int fds = pid && count && atol(pid) == (long)getpid() ? atoi(count) : 0;

    *why_r = listeners->why;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    for (int i = 0; i < fds; i++) {
        int done = adopt(listeners, FIRST_HANDED_OVER + i);

        if (done < 0)
            return done;
    }
    return fds;
}

/* Whether an address is open already; then it is wanted on. */
static bool want_again(struct weir_listeners *listeners, const char *address)
{
    bool found = false;

    for (struct weir_listener *listener = listeners->first; listener; listener = listener->next) {
        if (strcmp(listener->address, address) == 0)
            listener->wanted = found = true;
    }
    return found;
}

int weir_listeners_prepare(struct weir_listeners *listeners, const struct weir_strings *addresses,
                           int access, const char **why_r)
{
    *why_r = listeners->why;
    for (struct weir_listener *listener = listeners->first; listener; listener = listener->next)
        listener->wanted = listener->handed_over;
    for (size_t i = 0; i < addresses->count; i++) {
        const char *address = addresses->item[i];
        int done = 0;

        if (!want_again(listeners, address))
            done = open_at(listeners, address, access);
        if (done < 0) {
            weir_listeners_abandon(listeners);
            return done;
        }
    }
    return 0;
}

/* The path of a socket file that is still the one we made, or NULL.  Numbers of inodes
 * are given again at once, so the time it was made counts too. */
static const char *own_file(const struct weir_listener *listener)
{
    struct stat at;

    if (!listener->path || lstat(listener->path, &at) < 0 ||
        at.st_dev != listener->made.st_dev || at.st_ino != listener->made.st_ino ||
        at.st_mtim.tv_sec != listener->made.st_mtim.tv_sec ||
        at.st_mtim.tv_nsec != listener->made.st_mtim.tv_nsec)
        return NULL;
    return listener->path;
}

static void close_one(struct weir_listener *listener)
{
    const char *path = own_file(listener);

    if (path)
        (void)unlink(path);
    close(listener->fd);
    free(listener);
}

/* Closes those with the mark, and takes all marks away. */
static void sweep(struct weir_listeners *listeners, bool fresh_ones)
{
    struct weir_listener **link = &listeners->first, *listener;

    while ((listener = *link)) {
        if (fresh_ones ? listener->fresh && !listener->handed_over : !listener->wanted) {
            *link = listener->next;
            close_one(listener);
            continue;
        }
        listener->fresh = false;
        link = &listener->next;
    }
}

void weir_listeners_commit(struct weir_listeners *listeners, int access)
{
    sweep(listeners, false);
    for (struct weir_listener *listener = listeners->first; listener; listener = listener->next) {
        const char *path = own_file(listener);

        if (path)
            (void)chmod(path, weir_unix_place_mode(access));
    }
}

void weir_listeners_abandon(struct weir_listeners *listeners)
{
    sweep(listeners, true);
}

void weir_listeners_close(struct weir_listeners *listeners)
{
    for (struct weir_listener *listener = listeners->first; listener; listener = listener->next)
        listener->wanted = false;
    sweep(listeners, false);
}
