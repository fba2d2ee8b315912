/*
 * sd_notify - tells systemd how the daemon is (sd_notify(3), without its library).
 *
 * Without NOTIFY_SOCKET in the environment every call does nothing.
 *
 * Owner:   the caller owns the value and closes it.
 */
#ifndef WEIR_PROGRAM_SD_NOTIFY_IO_H
#define WEIR_PROGRAM_SD_NOTIFY_IO_H

#include "core/base/clock.h"

struct weir_notify {
    int fd;             /* -1: nobody listens */
    weir_time watchdog; /* sign of life at least this often; 0 = not asked for */
    weir_time next;
};

struct weir_notify weir_notify_open(void);
void weir_notify_close(struct weir_notify *notify);

void weir_notify_ready(const struct weir_notify *notify);
void weir_notify_reloading(const struct weir_notify *notify);
void weir_notify_stopping(const struct weir_notify *notify);

/* A sign of life, when it is time for one.  now is the steady clock. */
void weir_notify_alive(struct weir_notify *notify, weir_time now);

#endif
