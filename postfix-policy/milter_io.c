/*
 * milter - the socket, the signals and libmilter's main loop.
 *
 * libmilter waits for signals itself and takes SIGHUP for an order to stop.  So its main loop runs
 * in a thread of its own with all signals blocked, and what it waits with waits for ever
 * (milter_sigwait_io.c).  The process's first thread is the only one that takes signals, and
 * reads them from a pipe that a handler writes to: TERM and INT stop libmilter, HUP reloads.
 */
#include "postfix-policy/milter_io.h"

#include <errno.h>
#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "postfix-policy/milter_callbacks_io.h"
#include "core/program/sd_notify_io.h"
#include "core/program/unix_place_io.h"

#define TICK 1000          /* ms between two looks at what is due */
#define STOP_WITHIN 10     /* s for sessions at work when told to stop */
#define TIMEOUT 600        /* s without a word from the mail server, as libmilter has it */

static int signals[2];     /* the self-pipe: a handler can reach nothing else */

static void on_signal(int number)
{
    unsigned char octet = (unsigned char)number;
    int kept = errno;

    (void)!write(signals[1], &octet, 1);
    errno = kept;
}

static int watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    if (pipe2(signals, O_CLOEXEC | O_NONBLOCK) < 0)
        return WEIR_EIO;
    sigemptyset(&action.sa_mask);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigaction(SIGHUP, &action, NULL) < 0 ||
        sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0)
        return WEIR_EIO;
    return 0;
}

/* What libmilter calls "unix:/path" and "inet:port@host". */
static int open_socket(struct weir_milter_service *service)
{
    const struct weir_log *log = weir_milter_service_log(service);
    const char *listen = weir_milter_service_listen(service);
    char name[2 * WEIR_ENDPOINT_MAX];
    struct weir_endpoint at;
    const char *why;
    mode_t mask;
    int done;

    if (weir_endpoint_parse(listen, &at, &why) < 0) {
        weir_log(log, WEIR_LOG_ERROR, "cannot listen at %s: %s", listen, why);
        return WEIR_EINVAL;
    }
    if (at.is_unix && (why = weir_unix_place_clear(at.host)) != NULL) {
        weir_log(log, WEIR_LOG_ERROR, "cannot listen at %s: %s", listen, why);
        return WEIR_EIO;
    }
    if (at.is_unix)
        snprintf(name, sizeof name, "unix:%s", at.host);
    else
        snprintf(name, sizeof name, "inet%s:%s@%s", strchr(at.host, ':') ? "6" : "", at.port,
                 at.host);
    mask = umask(0777 & ~weir_unix_place_mode(weir_milter_service_access(service)));
    done = smfi_setconn(name) == MI_SUCCESS && smfi_opensocket(false) == MI_SUCCESS ? 0 : WEIR_EIO;
    umask(mask);
    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "cannot listen at %s: %s", listen, strerror(errno));
    else
        weir_log(log, WEIR_LOG_INFO, "listening at %s", listen);
    return done;
}

static void *serve(void *context)
{
    (void)context;
    return (void *)(intptr_t)smfi_main();
}

/* Starts libmilter with all signals blocked in its threads. */
static int start(pthread_t *thread_r)
{
    sigset_t all, before;
    int done;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    done = pthread_create(thread_r, NULL, serve, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return done == 0 ? 0 : WEIR_ENOMEM;
}

/* False when a signal says stop. */
static bool obey_signals(struct weir_milter_service *service, const struct weir_notify *notify)
{
    unsigned char number;

    while (read(signals[0], &number, 1) == 1) {
        if (number != SIGHUP)
            return false;
        weir_notify_reloading(notify);
        weir_milter_service_reload(service);
        weir_notify_ready(notify);
    }
    return true;
}

/* Until a signal says stop, or libmilter gave up by itself. */
static int wait_for_end(struct weir_milter_service *service, pthread_t thread,
                        struct weir_notify *notify)
{
    struct weir_clock steady = weir_clock_steady();
    void *result;

    for (;;) {
        struct pollfd pipe = {.fd = signals[0], .events = POLLIN};

        (void)poll(&pipe, 1, TICK);
        if (!obey_signals(service, notify))
            return 0;
        weir_milter_service_tick(service, weir_milter_messages());
        weir_notify_alive(notify, weir_clock_now(&steady));
        if (pthread_tryjoin_np(thread, &result) == 0)
            return (intptr_t)result == MI_SUCCESS ? 1 : WEIR_EIO;
    }
}

/* Takes no new session, and lets messages that have begun end.  libmilter's own smfi_stop() would
 * wait up to five seconds for its listener: libmilter is left to the end of the process. */
static void stop(struct weir_milter_service *service)
{
    const struct timespec while_working = {.tv_nsec = 10 * 1000 * 1000};
    struct weir_endpoint at;
    const char *why;

    weir_log(weir_milter_service_log(service), WEIR_LOG_INFO, "stopping");
    if (weir_endpoint_parse(weir_milter_service_listen(service), &at, &why) == 0 && at.is_unix)
        (void)unlink(at.host);
    for (int i = 0; i < STOP_WITHIN * 100 && weir_milter_messages() > 0; i++)
        nanosleep(&while_working, NULL);
}

int weir_milter_run(struct weir_milter_service *service)
{
    struct weir_notify notify = weir_notify_open();
    pthread_t thread;
    int done;

    smfi_settimeout(TIMEOUT);
    if ((done = weir_milter_register(service)) < 0 || (done = open_socket(service)) < 0 ||
        (done = watch_signals()) < 0 || (done = start(&thread)) < 0)
        return done;
    weir_notify_ready(&notify);
    done = wait_for_end(service, thread, &notify);
    weir_notify_stopping(&notify);
    if (done == 0)
        stop(service);
    weir_notify_close(&notify);
    return done < 0 ? done : 0;
}
