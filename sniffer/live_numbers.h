/*
 * live_numbers - what Prometheus may ask of the sniffer: the same as its line of health tells.
 *
 * Threads:  one.  Errors: none; NULL counts nothing.
 */
#ifndef WEIR_SNIFFER_LIVE_NUMBERS_H
#define WEIR_SNIFFER_LIVE_NUMBERS_H

#include "core/engine/numbers.h"
#include "core/store/traffic_line.h"

/* Since the start: overflow, charges of too many addresses; lost, lines of the log. */
void weir_live_count(struct weir_numbers *numbers, const struct weir_health *health,
                     uint64_t overflow, uint64_t lost);

#endif
