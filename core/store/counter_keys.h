/*
 * counter_keys - many memcached keys in a row, quickly.
 *
 * Gives the same keys as weir_counter_key(), but remembers their two parts:
 * what stands before the entity is the same for all entities, and the entity's
 * own text for all of its counters, which stand together.  A third of the time for
 * a request's usual keys.
 *
 * Owner:    a plain value; start with zeroes.
 */
#ifndef WEIR_STORE_COUNTER_KEYS_H
#define WEIR_STORE_COUNTER_KEYS_H

#include "core/store/counters_impl.h"

#define WEIR_ENTITY_TEXT 22    /* octets of an entity in a key: 128 bits in base64url */
#define WEIR_COUNTER_HEADS 16  /* a power of 2; more kinds at a time are only slower */

struct weir_counter_keys {
    struct {
        uint32_t variable, half_life, epoch;
        size_t len; /* 0: none */
        char text[WEIR_COUNTER_KEY_MAX];
    } head[WEIR_COUNTER_HEADS];
    bool has_entity;
    struct weir_entity entity;
    char entity_text[WEIR_ENTITY_TEXT];
};

/* Writes the key (no NUL); returns its length. */
size_t weir_counter_keys_write(struct weir_counter_keys *keys, const struct weir_counter *counter,
                               uint32_t epoch, char key[static WEIR_COUNTER_KEY_MAX]);

#endif
