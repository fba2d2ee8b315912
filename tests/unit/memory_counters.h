/*
 * memory_counters - a counter store in memory with exact decay, as a model: no
 * epochs, no rounding, one number for each counter and the time it is of.
 *
 * Same questions as core/store/counters.h, so that what stands on counters can be
 * tested alone, and a real store can be compared with it.  Aborts when memory
 * is short.  Nothing without decay expires.
 */
#ifndef WEIR_TESTS_MEMORY_COUNTERS_H
#define WEIR_TESTS_MEMORY_COUNTERS_H

#include "core/store/counters.h"

struct memory_counters;

struct memory_counters *memory_counters_new(void);
void memory_counters_free(struct memory_counters **counters);

/* As weir_counters_read(): 1, or 0 when some are missing. */
int memory_counters_read(struct memory_counters *counters, weir_time now,
                         struct weir_reading *reading, size_t n);

void memory_counters_add(struct memory_counters *counters, weir_time when,
                         const struct weir_counter *counter, double weight);
void memory_counters_take_back(struct memory_counters *counters, weir_time when,
                               const struct weir_counter *counter, double weight);

/* From now on counters that mute() says yes to are missing; NULL turns it off. */
void memory_counters_mute(struct memory_counters *counters,
                          bool (*mute)(const struct weir_counter *counter));

/* How many counters there are. */
size_t memory_counters_count(const struct memory_counters *counters);

#endif
