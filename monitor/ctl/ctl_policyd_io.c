/*
 * ctl_policyd - one request, one answer, at most a second each way.
 *
 * What comes back is somebody else's text until it has been parsed: its length
 * is bounded, and what is no status is told as such.
 */
#include "monitor/ctl/ctl_policyd_io.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"

#define PATIENCE 1 /* seconds */
#define HOST_TEXT 256

static int prepare(int family)
{
    struct timeval patience = {.tv_sec = PATIENCE};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* connect, too */
    }
    return fd;
}

static int connected(int fd, const struct sockaddr *to, socklen_t len)
{
    if (fd >= 0 && connect(fd, to, len) == 0)
        return fd;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return WEIR_EIO;
}

static int connect_unix(const char *path, const char **why_r)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    *why_r = "the socket's path is too long";
    if (strlen(path) >= sizeof to.sun_path)
        return WEIR_EINVAL;
    *why_r = NULL;
    strcpy(to.sun_path, path);
    return connected(prepare(AF_UNIX), (const struct sockaddr *)&to, sizeof to);
}

/* Whoever listens everywhere answers here. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_inet(const struct weir_endpoint *endpoint, const char **why_r)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    int fd = WEIR_EIO;
    *why_r = "the host's name does not resolve";
    if (getaddrinfo(reachable(endpoint->host), endpoint->port, &hints, &found) != 0)
        return WEIR_EINVAL;
    *why_r = NULL;
    for (struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next)
        fd = connected(prepare(one->ai_family), one->ai_addr, one->ai_addrlen);
    int error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}

static int connect_to(const char *listen, const char **why_r)
{
    struct weir_endpoint endpoint;
    if (weir_endpoint_parse(listen, &endpoint, why_r) != 0)
        return WEIR_EINVAL;
    *why_r = NULL;
    return endpoint.is_unix ? connect_unix(endpoint.host, why_r)
                            : connect_inet(&endpoint, why_r);
}

/* Reads until the empty line.  The length, or an error. */
static ssize_t read_answer(int fd, char *answer, size_t room, const char **why_r)
{
    size_t len = 0;
    while (len + 1 < room) {
        ssize_t got = recv(fd, answer + len, room - len - 1, 0);
        if (got < 0 && errno == EINTR)
            continue;
        *why_r = got == 0 ? "it closed the connection without an answer"
                          : "it does not answer within a second";
        if (got <= 0)
            return WEIR_EIO;
        len += (size_t)got;
        answer[len] = '\0';
        if (len >= 2 && memcmp(answer + len - 2, "\n\n", 2) == 0)
            return (ssize_t)len - 2;
    }
    *why_r = "its answer is too long";
    return WEIR_ELIMIT;
}

static int exchange(int fd, char *answer, size_t room, const char **why_r)
{
    static const char request[] = "request=weir_status\n\n", head[] = "status=";
    const size_t head_len = sizeof head - 1;
    *why_r = "it does not take the request";
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
        return WEIR_EIO;
    ssize_t len = read_answer(fd, answer, room, why_r);
    if (len < 0)
        return (int)len;
    *why_r = "whoever listens there is not weir-policyd";
    if ((size_t)len < head_len || memcmp(answer, head, head_len) != 0)
        return WEIR_EINVAL;
    memmove(answer, answer + head_len, (size_t)len - head_len);
    answer[(size_t)len - head_len] = '\0';
    return 1;
}

int weir_ctl_ask_policyd(const char *listen, char *answer, size_t room, const char **why_r)
{
    int fd = connect_to(listen, why_r);
    if (fd < 0 && *why_r != NULL)
        return fd;
    if (fd < 0) {
        bool nobody = errno == ECONNREFUSED || errno == ENOENT;
        *why_r = nobody            ? "it does not run"
                 : errno == EACCES ? "no permission to connect"
                                   : "it cannot be reached";
        return nobody ? 0 : WEIR_EIO;
    }
    int rc = exchange(fd, answer, room, why_r);
    close(fd);
    return rc;
}
