/*
 * bucket_impl - the table of buckets from inside: rows (bucket.c) and where they lie
 * (bucket_table.c).
 */
#ifndef WEIR_THRESHOLD_BUCKET_IMPL_H
#define WEIR_THRESHOLD_BUCKET_IMPL_H

#include "core/base/limits.h"
#include "monitor/threshold/bucket.h"

/* The buckets of one prefix. */
struct row {
    uint32_t word[2]; /* of 64 bits, but aligned to 4 octets: time, class, what is over */
    float deficit[WEIR_QUANTITIES];
    uint32_t since;   /* in 65 ms, cut to 32 bits: all buckets were at half or above */
    uint32_t servers;
};

/* A limit, and what a charge needs of it. */
struct bound {
    double rate, maximum, part, half, beyond, most;
    bool never; /* refilled but for WEIR_BUCKET_HELD */
};

struct class {
    struct bound of[WEIR_QUANTITIES];
};

struct weir_buckets {
    uint64_t *name;
    struct row *row;
    size_t sets;
    size_t hand; /* the set that is swept next */
    struct weir_hash_key key;
    struct class class[WEIR_BUCKET_CLASSES_MAX];
    struct weir_buckets_counts counts;
};

void weir_row_make(struct row *row, weir_time now);

/* How dear a row is: 0 when all of its buckets are full, else the largest part of a maximum that
 * is missing (up to 2), and 2 more when that is over its limit. */
double weir_row_dearness(const struct weir_buckets *buckets, const struct row *row, weir_time now);

/* The row of a prefix, or NULL; and a new one. */
struct row *weir_buckets_row(const struct weir_buckets *buckets, const struct weir_spot *spot);
struct row *weir_buckets_make(struct weir_buckets *buckets, uint64_t name, weir_time now);

#endif
