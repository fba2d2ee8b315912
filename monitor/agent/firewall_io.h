/*
 * firewall_io - keeps the kernel's table (firewall.h) equal to the blacklist entries of the origin
 * "monitor" in lists.db, with libnftables, which is loaded only when it is asked for.
 *
 * Blocked is what the mail server would refuse for good: not what is only deferred, nor what is
 * acceptable or never to be blocked here, be it a part of a blocked prefix.  In mode observe
 * nothing is.  The table is replaced as a whole, in one transaction of the kernel: when
 * something changed, and once a minute or more often, should somebody have taken it away.
 *
 * Owner:    the caller; the lists are the caller's.  Threads: one.
 * Errors:   WEIR_EIO when there is no libnftables, or the kernel refuses (needs CAP_NET_ADMIN):
 *           logged, once for each reason.  Mail flows; the mail server refuses as before.  Of
 *           blocked entries only those are left out that the kernel refuses, which are looked for.
 * Limits:   WEIR_FIREWALL_ENTRIES_MAX; of more the rest is left to the mail server, and logged.
 */
#ifndef WEIR_AGENT_FIREWALL_IO_H
#define WEIR_AGENT_FIREWALL_IO_H

#include "core/base/log.h"
#include "core/store/lists_io.h"

struct weir_firewall;

struct weir_firewall_options {
    bool reject;                 /* answer with a reset */
    bool observe;                /* block nothing */
    weir_time whole;             /* how often all is said again, a minute at most */
};

/* 0, WEIR_ENOMEM, WEIR_EIO. */
int weir_firewall_open(const struct weir_firewall_options *options, const struct weir_log *log,
                       struct weir_firewall **firewall_r);
void weir_firewall_free(struct weir_firewall **firewall);

/* Looks at the lists, at a time, and puts the kernel's table right if that is due; steady: for
 * what is said again.  0 or an error. */
int weir_firewall_assert(struct weir_firewall *firewall, struct weir_lists *lists, weir_time now,
                         weir_time steady);

/* Takes the table away. */
int weir_firewall_clear(struct weir_firewall *firewall);

#endif
