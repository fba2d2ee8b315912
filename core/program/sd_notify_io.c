/*
 * sd_notify - datagrams to the socket systemd named.  Nothing here can fail in a
 * way that matters: systemd acts on what it does not hear.
 */
#include "core/program/sd_notify_io.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd;

    if ((path[0] != '/' && path[0] != '@') || len >= sizeof place.sun_path)
        return -1;
    memcpy(place.sun_path, path, len);
    if (path[0] == '@') /* the abstract name space */
        place.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&place,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Half of the time systemd gives, as its manual advises. */
static weir_time watchdog_period(void)
{
    const char *period = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (!period || (pid && atol(pid) != (long)getpid()))
        return 0;
    return strtoll(period, NULL, 10) / 2;
}

struct weir_notify weir_notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct weir_notify notify = {.fd = path ? connect_to(path) : -1,
                                 .watchdog = watchdog_period()};

    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return notify;
}

void weir_notify_close(struct weir_notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

static void tell(const struct weir_notify *notify, const char *text)
{
    if (notify->fd >= 0)
        (void)send(notify->fd, text, strlen(text), MSG_NOSIGNAL);
}

void weir_notify_ready(const struct weir_notify *notify)
{
    tell(notify, "READY=1");
}

void weir_notify_reloading(const struct weir_notify *notify)
{
    struct weir_clock steady = weir_clock_steady();
    char text[64];

    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)weir_clock_now(&steady));
    tell(notify, text);
}

void weir_notify_stopping(const struct weir_notify *notify)
{
    tell(notify, "STOPPING=1");
}

void weir_notify_alive(struct weir_notify *notify, weir_time now)
{
    if (notify->watchdog <= 0 || now < notify->next)
        return;
    tell(notify, "WATCHDOG=1");
    notify->next = now + notify->watchdog;
}
