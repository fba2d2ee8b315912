/*
 * spared - addresses the monitor never watches nor blocks: on the acceptable list or the never-list
 * of its own machine, or accepted by an analyst through it (claim A26).  What an agent on that
 * machine entered for a monitor is not the machine's own word.
 *
 * Owner:    the caller owns it; lists are handed in, NULL: none.  Threads: one.
 * Errors:   weir_spared_new(): WEIR_ENOMEM; lists that cannot be read spare nobody.
 */
#ifndef WEIR_THRESHOLD_SPARED_H
#define WEIR_THRESHOLD_SPARED_H

#include "core/store/lists_io.h"
#include "monitor/database/database_io.h"

struct weir_spared;

/* Nobody is accepted yet.  0 or WEIR_ENOMEM. */
int weir_spared_new(struct weir_lists *lists, struct weir_spared **spared_r);
void weir_spared_free(struct weir_spared **spared);

/* What analysts accepted, from now on: the prefixes are copied, their ends (0: none) as well.
 * 0, or WEIR_ENOMEM and nothing has changed. */
struct weir_spared_prefix {
    struct weir_prefix prefix;
    weir_time ends;
};
int weir_spared_accept(struct weir_spared *spared, const struct weir_spared_prefix *prefix,
                       size_t count);

/* What the decisions of a database accept at a time, for weir_spared_accept(); the caller frees it
 * (NULL: nothing).  0 or the database's error. */
int weir_spared_read(struct weir_database *database, weir_time now,
                     struct weir_spared_prefix **prefix_r, size_t *count_r);

/* Whether an address is spared. */
bool weir_spared_address(struct weir_spared *spared, weir_time now,
                         const struct weir_address *address);

#define WEIR_SPARED_CUSTOMER 64 /* bits of IPv6 */

/* Whether a prefix is, or anything in it: but of a /64 of IPv6 or less what is merely acceptable in
 * it does not spare the rest, since servers take it all the same.  *why_r is static text. */
bool weir_spared_prefix(struct weir_spared *spared, weir_time now,
                        const struct weir_prefix *prefix, const char **why_r);

#endif
