/*
 * signals - a signalfd: blocked in all threads, so that nobody is interrupted, and read by one.
 */
#include "core/program/signals_io.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/error.h"

int weir_signals_open(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return WEIR_EIO;
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? WEIR_EIO : fd;
}

void weir_signals_read(int fd, bool *reload, bool *stop)
{
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            *reload = true;
        else
            *stop = true;
    }
}
