/*
 * doorstep - who may wait at the intake's door until he has said who he is.
 *
 * Places are for mail servers, and whoever only connects must not take them away: connections that
 * have not yet named a server have a share of all places for each address (a /64 of IPv6), and
 * those of strangers another for all of them together.  An address is no stranger while a server
 * speaks from it and for WEIR_DOORSTEP_MEMORY after: an agent that comes back gets in beside any
 * number of strangers.  Who was admitted does not count here any more, so that any number of agents
 * may live behind one address.
 *
 *     come -> (admit) -> leave
 *
 * Owner:    the caller owns it.  Threads: the caller's lock.
 * Errors:   WEIR_ENOMEM.
 * Limits:   WEIR_INTAKE_WAITING_MAX of an address, WEIR_INTAKE_STRANGERS_MAX of all strangers;
 *           WEIR_DOORSTEP_KNOWN_MAX addresses are remembered without a connection.
 */
#ifndef WEIR_INTAKE_DOORSTEP_H
#define WEIR_INTAKE_DOORSTEP_H

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/keyed_hash.h"
#include "core/base/limits.h"

#define WEIR_DOORSTEP_MEMORY WEIR_HOUR
#define WEIR_DOORSTEP_KNOWN_MAX WEIR_INTAKE_CONNECTIONS_MAX

struct weir_doorstep;

/* Nobody is there, and no address is known. */
int weir_doorstep_new(const struct weir_hash_key *key, struct weir_doorstep **doorstep_r);
void weir_doorstep_free(struct weir_doorstep **doorstep);

/* Whether one more from there may come now. */
bool weir_doorstep_has_room(const struct weir_doorstep *doorstep,
                            const struct weir_address *address, weir_time now);

/* One came, and waits; beyond a share, too, for whoever asked has to know what it does.  False:
 * more connections than there can be, and nothing is counted. */
bool weir_doorstep_come(struct weir_doorstep *doorstep, const struct weir_address *address,
                        weir_time now);

/* One of those who wait has said who it is. */
void weir_doorstep_admit(struct weir_doorstep *doorstep, const struct weir_address *address);

/* One goes, who was admitted or not. */
void weir_doorstep_leave(struct weir_doorstep *doorstep, const struct weir_address *address,
                         bool admitted, weir_time now);

/* Addresses that are counted or remembered. */
size_t weir_doorstep_addresses(const struct weir_doorstep *doorstep);

#endif
