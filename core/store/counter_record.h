/*
 * counter_record - the numbers of one entity, packed, as they lie in counters.db.
 *
 *     octet  0      form, 1
 *            1..4   check: SipHash of what follows, keyed by the entity's id, so
 *                   that flipped bits and records of another entity are noticed
 *            5..    items of 17 octets: variable, half-life, epoch, number
 *
 * Pure functions on a decoded record; nobody owns anything.  For core/store,
 * its tests and its fuzzer.
 *
 * Errors:   WEIR_ECORRUPT: a form, length, check or number that we do not write.
 * Limits:   WEIR_COUNTER_ITEMS_MAX items; one more takes the place of the item
 *           that expires first.
 */
#ifndef WEIR_STORE_COUNTER_RECORD_H
#define WEIR_STORE_COUNTER_RECORD_H

#include "core/base/limits.h"
#include "core/store/counters_impl.h"

#define WEIR_COUNTER_ITEM_SIZE 17
#define WEIR_COUNTER_RECORD_MAX (5 + WEIR_COUNTER_ITEMS_MAX * WEIR_COUNTER_ITEM_SIZE)

struct weir_counter_item {
    uint8_t variable; /* unknown ones of a newer program are kept */
    uint32_t half_life, epoch;
    uint64_t number; /* at most WEIR_COUNTER_MAX */
};

struct weir_counter_record {
    size_t n;
    struct weir_counter_item item[WEIR_COUNTER_ITEMS_MAX];
};

/* 0 or WEIR_ECORRUPT; then *record_r is empty. */
int weir_counter_record_read(const struct weir_entity *entity, const void *bytes, size_t len,
                             struct weir_counter_record *record_r);

/* Returns the length. */
size_t weir_counter_record_write(const struct weir_entity *entity,
                                 const struct weir_counter_record *record,
                                 uint8_t bytes[static WEIR_COUNTER_RECORD_MAX]);

/* The number of this counter and epoch; 0 when there is none. */
uint64_t weir_counter_record_number(const struct weir_counter_record *record,
                                    const struct weir_counter *counter, uint32_t epoch);

/* Adds (saturating at WEIR_COUNTER_MAX) or takes back (down to 0, when the item goes). */
void weir_counter_record_change(struct weir_counter_record *record,
                                const struct weir_counter_change *change);

/* Drops the items that had expired at this time. */
void weir_counter_record_drop_expired(struct weir_counter_record *record, weir_time now);

/* What all numbers together are worth at this time, in weights. */
double weir_counter_record_value(const struct weir_counter_record *record, weir_time now);

#endif
