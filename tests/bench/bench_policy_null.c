/*
 * bench_policy_null - a policy server that decides nothing.
 *
 * The measure for weir-policyd: the same kind of loop (epoll, one read and one
 * write a request) around no work at all.  Every request that ends in the
 * octets at hand gets "action=DUNNO".
 *
 *     bench_policy_null PORT      on 127.0.0.1, until SIGTERM
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 512

static const char answer[] = "action=DUNNO\n\n";

static int listen_on(unsigned short port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1024) != 0) {
        perror("bench_policy_null");
        exit(1);
    }
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void greet(int epoll, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(epoll, fd);
}

static void answer_one(int fd)
{
    char request[16384];
    ssize_t got = recv(fd, request, sizeof request, 0);

    if (got <= 0)
        close(fd);
    else if (got >= 2 && memcmp(request + got - 2, "\n\n", 2) == 0)
        (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
    int listener = listen_on((unsigned short)(argc > 1 ? atoi(argv[1]) : 10049));
    int epoll = epoll_create1(0);
    struct epoll_event event[EVENTS];
    struct rlimit files = {0};

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    watch(epoll, listener);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, event, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (event[i].data.fd == listener)
                greet(epoll, listener);
            else
                answer_one(event[i].data.fd);
        }
    }
}
