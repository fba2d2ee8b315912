/*
 * own - the addresses of this machine: what they do is mail that goes out, and charged to nobody.
 *
 * A frame that comes from one of its cards (hardware addresses) was sent by its kernel; one in its
 * name that comes from another was not.
 *
 * Were it counted, a monitor would shut a busy mail server out at all others.  Those of the
 * loopback network are not among them: who speaks from there is a client of this machine's server.
 *
 * Owner:    a plain value; starts with zeroes.  Threads: one; own_io.c reads interfaces.
 * Errors:   weir_own_add(), weir_own_add_card(): WEIR_ELIMIT.  weir_own_read(): WEIR_EIO, and all
 *           stays as it was.
 * Limits:   WEIR_SNIFFER_OWN_MAX, WEIR_SNIFFER_CARDS_MAX.
 */
#ifndef WEIR_SNIFFER_OWN_H
#define WEIR_SNIFFER_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/address.h"
#include "core/base/limits.h"

#define WEIR_CARD 6 /* octets of a hardware address of Ethernet */

struct weir_own {
    struct weir_address address[WEIR_SNIFFER_OWN_MAX]; /* in order */
    size_t count;
    uint8_t card[WEIR_SNIFFER_CARDS_MAX][WEIR_CARD]; /* in order */
    size_t cards;
};

/* Adds one that is not there yet and no loopback address; 0 or an error. */
int weir_own_add(struct weir_own *own, const struct weir_address *address);

bool weir_own_has(const struct weir_own *own, const struct weir_address *address);

/* The same with a card's address, but for that of no card at all (zeroes), as the loopback has. */
int weir_own_add_card(struct weir_own *own, const uint8_t card[static WEIR_CARD]);

bool weir_own_has_card(const struct weir_own *own, const uint8_t card[static WEIR_CARD]);

/* Whether one is none of this machine's, for certain: not that of no card, nor any where none is
 * known, or so many that there may be more. */
bool weir_own_lacks_card(const struct weir_own *own, const uint8_t card[static WEIR_CARD]);

/* All those that the machine's interfaces have now, in place of the ones before; 0 or an error. */
int weir_own_read(struct weir_own *own);

#endif
