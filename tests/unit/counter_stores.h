/*
 * counter_stores - the counter stores that the same tests run on, and what
 * these tests share: random entities, readings in one line, exact decay.
 *
 * "memory" is the stupid model: an unsorted array, searched from end to end,
 * in which nothing ever expires.  "local" is a file in a folder of its own, gone when
 * closed.  "memcached" is a real server, started when first opened.
 *
 * Owner:    the test; a test that opens a store closes it.
 */
#ifndef WEIR_TESTS_COUNTER_STORES_H
#define WEIR_TESTS_COUNTER_STORES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store/counters_impl.h"

enum counter_store { STORE_MEMORY, STORE_LOCAL, STORE_MEMCACHED, COUNTER_STORES };

const char *counter_store_name(enum counter_store store);

/* False, with the reason on stderr, when there is no memcached to run. */
bool counter_store_available(enum counter_store store);

/* A new, empty store; NULL when it cannot be had. */
struct weir_counters *counter_store_open(enum counter_store store);
void counter_store_close(enum counter_store store, struct weir_counters **counters);

/* A path for a counters.db in a new folder; removes both files and the folder. */
#define LOCAL_PATH 128
void local_path_make(char path[static LOCAL_PATH]);
void local_path_remove(const char *path);

/* The model alone, to be wrapped: a table and its state (freed by the table's free). */
const struct weir_counter_store *counter_model(void);
void *counter_model_new(void);

/* A seed from WEIR_SEED or the clock; prints it. */
void seed_random(void);
uint64_t random_u64(void);
double random_between(double least, double most);
struct weir_entity random_entity(void);

/* One counter's value now; fails the test when it is missing. */
double counter_value(struct weir_counters *counters, weir_time now,
                     const struct weir_counter *counter);

/* Adds (or takes back) and flushes; fails the test when that fails. */
void counter_add(struct weir_counters *counters, weir_time when,
                 const struct weir_counter *counter, double weight);
void counter_take_back(struct weir_counters *counters, weir_time when,
                       const struct weir_counter *counter, double weight);

#endif
