/*
 * milter_sigwait - sigwait() as libmilter is to have it: one that waits and takes nothing.
 *
 * A thread of libmilter's own waits in sigwait() for SIGHUP, SIGTERM and SIGINT, and takes each
 * for an order to stop.  While it waits, these count as not blocked there: the kernel hands it
 * a signal whenever the first thread cannot take it at once, because one is pending there or
 * its handler is running.  So a second SIGHUP on the heels of the first ended the daemon,
 * without a word and with status 0.  SA_NODEFER does not help: it opens the handler to the
 * signal, and the first thread is passed over for having any signal pending at all.
 *
 * A program's definition comes before that of the C library: libmilter calls this one.  Who waits
 * for SIGHUP waits for ever, with everything blocked, as start() in milter_io.c made all
 * threads of libmilter, so that signals stay for the first thread; who waits for others (LMDB
 * for SIGPIPE, while it copies) is served as ever.  Linked into weir-milter only.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

int sigwait(const sigset_t *set, int *number)
{
    int got;

    while (sigismember(set, SIGHUP) == 1)
        pause();
    do
        got = sigwaitinfo(set, NULL);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno;
    *number = got;
    return 0;
}
