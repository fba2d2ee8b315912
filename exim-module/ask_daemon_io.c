/*
 * ask_daemon - connect, send, receive, each waiting no longer than the deadline allows.
 *
 * Owns one socket while it asks.  A daemon whose queue of connections is full refuses at once
 * (EAGAIN), which is right: then this process has more time to decide than the daemon.
 */
#include "exim-module/ask_daemon_io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"

struct asking {
    int fd;
    weir_time deadline;
    struct weir_clock steady;
    const char *why;
};

static int fail(struct asking *asking, int error, const char *why)
{
    asking->why = why;
    return error;
}

/* Waits until the socket is ready.  0, or an error. */
static int wait_for(struct asking *asking, short events)
{
    struct pollfd ready = {.fd = asking->fd, .events = events};

    for (;;) {
        weir_time left = asking->deadline - weir_clock_now(&asking->steady);
        int found;

        if (left <= 0)
            return fail(asking, WEIR_EDOWN, "it does not answer in time");
        found = poll(&ready, 1, (int)(left / 1000) + 1);
        if (found > 0)
            return 0;
        if (found < 0 && errno != EINTR)
            return fail(asking, WEIR_EDOWN, "poll fails");
    }
}

static int connect_to(struct asking *asking, const char *address)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    struct weir_endpoint endpoint;
    const char *why;

    if (weir_endpoint_parse(address, &endpoint, &why) < 0 || !endpoint.is_unix)
        return fail(asking, WEIR_EDOWN, "not an address of the form unix:/path");
    strcpy(place.sun_path, endpoint.host); /* WEIR_ENDPOINT_PATH_MAX */
    asking->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (asking->fd < 0)
        return fail(asking, WEIR_EDOWN, "no socket");
    if (connect(asking->fd, (const struct sockaddr *)&place, sizeof place) == 0)
        return 0;
    if (errno == EAGAIN)
        return fail(asking, WEIR_EDOWN, "it is too busy");
    return fail(asking, WEIR_EDOWN, errno == EACCES ? "it may not be asked by this user"
                                                    : "nobody listens there");
}

/* Takes so many octets off what is still to be sent. */
static void advance(struct iovec part[static 2], size_t sent)
{
    for (int i = 0; i < 2; i++) {
        size_t step = sent < part[i].iov_len ? sent : part[i].iov_len;

        part[i].iov_base = (char *)part[i].iov_base + step;
        part[i].iov_len -= step;
        sent -= step;
    }
}

static int send_all(struct asking *asking, struct weir_slice head, struct weir_slice message)
{
    struct iovec part[2] = {{(void *)(uintptr_t)head.at, head.len},
                            {(void *)(uintptr_t)message.at, message.len}};
    struct msghdr words = {.msg_iov = part, .msg_iovlen = 2};

    while (part[0].iov_len + part[1].iov_len > 0) {
        ssize_t sent = sendmsg(asking->fd, &words, MSG_NOSIGNAL | MSG_DONTWAIT);
        int done;

        if (sent >= 0) {
            advance(part, (size_t)sent);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return fail(asking, WEIR_EDOWN, "it hangs up");
        done = wait_for(asking, POLLOUT);
        if (done < 0)
            return done;
    }
    return 0;
}

static int receive(struct asking *asking, struct weir_arena *arena, struct weir_outcome *outcome_r)
{
    char *octets = weir_arena_take(arena, WEIR_REMOTE_ANSWER_MAX);
    size_t len = 0;

    if (!octets)
        return fail(asking, WEIR_ENOMEM, "memory is short");
    for (;;) {
        int done = wait_for(asking, POLLIN);
        ssize_t got;

        if (done < 0)
            return done;
        got = recv(asking->fd, octets + len, WEIR_REMOTE_ANSWER_MAX - len, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
            continue;
        if (got <= 0)
            return fail(asking, WEIR_EDOWN, "it hangs up");
        len += (size_t)got;
        done = weir_remote_read_answer(octets, len, arena, outcome_r);
        if (done != 0)
            return done > 0 ? 0 : fail(asking, done, "what it answers is no answer");
    }
}

static int ask(struct asking *asking, const char *address, const struct weir_mail *mail,
               struct weir_arena *arena, struct weir_outcome *outcome_r)
{
    char *head = weir_arena_take(arena, WEIR_REMOTE_HEAD_MAX + 1);
    struct weir_line line;
    int done;

    if (!head)
        return fail(asking, WEIR_ENOMEM, "memory is short");
    line = weir_line(head, WEIR_REMOTE_HEAD_MAX + 1);
    weir_remote_question(mail, &line);
    if (line.cut)
        return fail(asking, WEIR_ELIMIT, "the envelope is too long to be asked about");
    done = connect_to(asking, address);
    if (done == 0)
        done = send_all(asking, (struct weir_slice){head, (size_t)(line.at - line.start)},
                        mail->message);
    return done < 0 ? done : receive(asking, arena, outcome_r);
}

int weir_ask_daemon(const char *address, const struct weir_mail *mail, weir_time deadline,
                    struct weir_arena *arena, struct weir_outcome *outcome_r, const char **why_r)
{
    struct asking asking = {.fd = -1, .deadline = deadline, .steady = weir_clock_steady(),
                            .why = ""};
    int done = ask(&asking, address, mail, arena, outcome_r);

    if (asking.fd >= 0)
        close(asking.fd);
    *why_r = asking.why;
    return done;
}
