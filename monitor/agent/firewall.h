/*
 * firewall - the monitor's blacklist as a table of nftables: text for one batch, which replaces
 * whatever the table was.
 *
 *     table inet weir
 *         set blocked4, blocked6    single addresses; blocked4_24, blocked6_64, ...: prefixes of
 *                                   a length, compared under its mask
 *         set spared4, ...          what is acceptable inside of blocked prefixes
 *         chain input               ports 25, 465 and 587 only; other tables are left alone
 *
 * Each element has the time it still lasts: so the kernel forgets it by itself, whatever becomes of
 * the agent.  The kernel takes no time at will: what lasts longer than WEIR_FIREWALL_DAYS_MAX is
 * said to last so long, each time it is said again.
 *
 * Owner:    the caller.  Threads: pure functions.
 * Limits:   WEIR_FIREWALL_ENTRIES_MAX of each kind.
 */
#ifndef WEIR_AGENT_FIREWALL_H
#define WEIR_AGENT_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/limits.h"

struct weir_firewall_entry {
    struct weir_prefix prefix;
    weir_time ends;              /* 0: does not end */
};

/* Entries of both kinds; sorted when they are written. */
struct weir_firewall_rules {
    struct weir_firewall_entry *blocked, *spared;
    size_t blockeds, spareds;
    bool reject;                 /* answer with a reset, and do not just drop */
};

/* What takes the table away, if there is one. */
#define WEIR_FIREWALL_CLEAR "add table inet weir\ndelete table inet weir\n"

/* Octets a buffer for these rules needs. */
size_t weir_firewall_room(const struct weir_firewall_rules *rules);

/* Writes the batch; returns buffer.  Ended entries are left out. */
const char *weir_firewall_write(struct weir_firewall_rules *rules, weir_time now, char *buffer,
                                size_t room);

/* A number that is the same for the same sorted entries, and hardly for others: whether there is
 * anything to do. */
uint64_t weir_firewall_digest(struct weir_firewall_rules *rules);

#endif
