/*
 * hyperloglog - about how many different things were seen lately, in 128 octets.
 *
 * HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 64 registers in each of two
 * generations: the running one and the one before.  The count is of both together, so that what
 * was not seen for two generations is forgotten; an approximation of decay that needs no times.
 *
 * Owner:    plain values.  Hashes must be keyed, or a sender can aim at a register.
 * Limits:   about 13 % standard error; below 160 counted by empty registers, closer.
 */
#ifndef WEIR_MAIL_HYPERLOGLOG_H
#define WEIR_MAIL_HYPERLOGLOG_H

#include <stdint.h>

#define WEIR_HYPERLOGLOG 64 /* registers: a power of two */
#define WEIR_HYPERLOGLOG_MOST 59 /* what a register can hold: 64 - 6 bits, and one */

struct weir_hyperloglog {
    uint8_t now[WEIR_HYPERLOGLOG], before[WEIR_HYPERLOGLOG];
};

void weir_hyperloglog_add(struct weir_hyperloglog *counter, uint64_t hash);

/* Ends a generation; the one before is forgotten. */
void weir_hyperloglog_turn(struct weir_hyperloglog *counter);

double weir_hyperloglog_count(const struct weir_hyperloglog *counter);

#endif
