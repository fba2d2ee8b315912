/*
 * own - the addresses of this machine: what they do is mail that goes out, and charged to nobody.
 *
 * Were it counted, a monitor would shut a busy mail server out at all others.  Those of the
 * loopback network are not among them: who speaks from there is a client of this machine's server.
 *
 * Owner:    a plain value; starts with zeroes.  Threads: one; own_io.c reads interfaces.
 * Errors:   weir_own_add(): WEIR_ELIMIT.  weir_own_read(): WEIR_EIO, and all stays as it was.
 * Limits:   WEIR_SNIFFER_OWN_MAX.
 */
#ifndef WEIR_SNIFFER_OWN_H
#define WEIR_SNIFFER_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/address.h"
#include "core/base/limits.h"

struct weir_own {
    struct weir_address address[WEIR_SNIFFER_OWN_MAX]; /* in order */
    size_t count;
};

/* Adds one that is not there yet and no loopback address; 0 or an error. */
int weir_own_add(struct weir_own *own, const struct weir_address *address);

bool weir_own_has(const struct weir_own *own, const struct weir_address *address);

/* All those that the machine's interfaces have now, in place of the ones before; 0 or an error. */
int weir_own_read(struct weir_own *own);

#endif
