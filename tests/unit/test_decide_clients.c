/*
 * decide_clients_io - how many may ask about messages at once, and how much memory their
 * messages have together (postfix-policy/decide_clients_io.c).  What they are answered:
 * tests/end2end/test_decide.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "postfix-policy/decide_clients_io.h"

#define NOW WEIR_HOUR

struct desk {
    int epoll, listener;
    struct sockaddr_un place;
    weir_time hand;
    struct weir_deciders *deciders;
    int client[WEIR_DECIDERS_MAX + 1];
    size_t clients;
};

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    desk->place.sun_family = AF_UNIX; /* a name without a file: the first octet is NUL */
    snprintf(desk->place.sun_path + 1, sizeof desk->place.sun_path - 1, "weir-test-%d",
             (int)getpid());
    desk->epoll = epoll_create1(EPOLL_CLOEXEC);
    desk->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(desk->epoll >= 0 && desk->listener >= 0);
    assert_int_equal(bind(desk->listener, (struct sockaddr *)&desk->place, sizeof desk->place), 0);
    assert_int_equal(listen(desk->listener, SOMAXCONN), 0);
    assert_int_equal(weir_deciders_new(desk->epoll, weir_clock_fixed(&desk->hand),
                                       &desk->deciders), 0);
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;

    for (size_t i = 0; i < desk->clients; i++)
        close(desk->client[i]);
    weir_deciders_free(&desk->deciders);
    close(desk->listener);
    close(desk->epoll);
    free(desk);
    return 0;
}

static int come(struct desk *desk)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&desk->place, sizeof desk->place), 0);
    desk->client[desk->clients++] = fd;
    weir_deciders_accept(desk->deciders, desk->listener, NOW);
    return fd;
}

/* Says how large its message is, and that many octets more than the head are wanted together. */
static void ask(struct desk *desk, size_t together)
{
    char text[100];
    struct epoll_event event;
    int fd = come(desk), len;
    size_t size = together;

    do /* the head counts, too, and its length depends on the number in it */
        len = snprintf(text, sizeof text, "weir-decide 1\nsize=%zu\n\n", size);
    while (size + (size_t)len != together && (size = together - (size_t)len) > 0);
    assert_int_equal(send(fd, text, (size_t)len, 0), len);
    assert_int_equal(epoll_wait(desk->epoll, &event, 1, 0), 1);
    weir_deciders_ready(desk->deciders, event.data.ptr, NOW);
}

static size_t busy(const struct desk *desk)
{
    return (size_t)weir_deciders_counts(desk->deciders)->busy;
}

static void WEIR_DECIDERS_MAX_may_ask_at_once_and_no_more(void **state)
{
    struct desk *desk = *state;
    char octet;

    for (size_t i = 0; i < WEIR_DECIDERS_MAX; i++)
        come(desk);
    assert_int_equal(weir_deciders_open(desk->deciders), WEIR_DECIDERS_MAX);
    assert_int_equal(busy(desk), 0);
    assert_int_equal(read(come(desk), &octet, 1), 0);
    assert_int_equal(weir_deciders_open(desk->deciders), WEIR_DECIDERS_MAX);
    assert_int_equal(busy(desk), 1);
}

/* Messages that only say their size: memory that is not written to is none. */
static void memory_of(struct desk *desk, size_t last)
{
    for (int i = 0; i < 4; i++)
        ask(desk, WEIR_DECIDE_MEMORY_MAX / 5);
    assert_int_equal(busy(desk), 0);
    ask(desk, last);
}

static void WEIR_DECIDE_MEMORY_MAX_octets_may_be_asked_about_at_once(void **state)
{
    struct desk *desk = *state;

    memory_of(desk, WEIR_DECIDE_MEMORY_MAX - 4 * (WEIR_DECIDE_MEMORY_MAX / 5));
    assert_int_equal(busy(desk), 0);
    assert_int_equal(weir_deciders_open(desk->deciders), 5);
}

static void one_octet_beyond_WEIR_DECIDE_MEMORY_MAX_is_turned_away(void **state)
{
    struct desk *desk = *state;
    char octet;

    memory_of(desk, WEIR_DECIDE_MEMORY_MAX - 4 * (WEIR_DECIDE_MEMORY_MAX / 5) + 1);
    assert_int_equal(busy(desk), 1);
    assert_int_equal(weir_deciders_open(desk->deciders), 4);
    assert_int_equal(recv(desk->client[4], &octet, 1, 0), 0);
    ask(desk, WEIR_DECIDE_MEMORY_MAX / 8); /* what was not given is there for others */
    assert_int_equal(busy(desk), 1);
}

int main(void)
{
#define WITH_DESK(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DESK(WEIR_DECIDERS_MAX_may_ask_at_once_and_no_more),
        WITH_DESK(WEIR_DECIDE_MEMORY_MAX_octets_may_be_asked_about_at_once),
        WITH_DESK(one_octet_beyond_WEIR_DECIDE_MEMORY_MAX_is_turned_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
