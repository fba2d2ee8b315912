/*
 * tally - what each address did: in the second at hand (live), or in a whole run (files).
 *
 * Two tables.  Addresses that talked with a server have a record each, until there are as many
 * as were asked for; what others do then is counted as overflow and is nobody's.  SYNs are kept
 * apart, in a table of fixed size, since anybody can send them in anybody's name: a flood of
 * them costs no memory and takes no talker's place.  A SYN that became a connection is taken
 * back; what is left after a while came to nothing, and is handed out.
 *
 * Owner:    the caller; records live until the next clear.  Threads: one.
 * Errors:   weir_tally_new(): WEIR_ENOMEM, WEIR_EINVAL for a size of none or above its limit.
 * Limits:   WEIR_TALLY_ADDRESSES_MAX, WEIR_TALLY_SYNS_MAX.  Keyed hash.
 */
#ifndef WEIR_SNIFFER_TALLY_H
#define WEIR_SNIFFER_TALLY_H

#include "core/base/keyed_hash.h"
#include "core/store/traffic_line.h"

struct weir_tally;

/* At most so many addresses that talk, and places for addresses that sent SYNs (rounded up to a
 * power of two, 8 at least).  0 or an error. */
int weir_tally_new(size_t addresses, size_t syn_places, const struct weir_hash_key *key,
                   struct weir_tally **tally_r);
void weir_tally_free(struct weir_tally **tally);

/* The record of an address, made when there is none (its time is then 0); NULL when there is no
 * room, which is counted.  Lives until the next clear. */
struct weir_traffic *weir_tally_of(struct weir_tally *tally, const struct weir_address *address);

/* The record of an address, or NULL. */
struct weir_traffic *weir_tally_find(struct weir_tally *tally,
                                     const struct weir_address *address);

/* All records, in the order in which they were made. */
struct weir_traffic *weir_tally_records(struct weir_tally *tally, size_t *count_r);

/* Forgets them; SYNs stay.  Takes as long as there are records. */
void weir_tally_clear(struct weir_tally *tally);

/* A SYN came, and a connection came of one: the last one of its address. */
void weir_tally_syn(struct weir_tally *tally, weir_time time, const struct weir_address *address);
void weir_tally_established(struct weir_tally *tally, const struct weir_address *address);

/* Hands out, and forgets, SYNs of addresses whose first one is not later than that. */
void weir_tally_syns(struct weir_tally *tally, weir_time until,
                     void (*each)(void *context, const struct weir_address *address,
                                  uint32_t syns),
                     void *context);

/* Charges and SYNs for which there was no room, since the beginning. */
uint64_t weir_tally_overflow(const struct weir_tally *tally);
uint64_t weir_tally_syn_overflow(const struct weir_tally *tally);

#endif
