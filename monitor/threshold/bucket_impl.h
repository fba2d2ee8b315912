/*
 * bucket_impl - the table of buckets from inside: rows (bucket.c) and where they lie
 * (bucket_table.c).
 */
#ifndef WEIR_THRESHOLD_BUCKET_IMPL_H
#define WEIR_THRESHOLD_BUCKET_IMPL_H

#include "monitor/threshold/bucket.h"

/* The buckets of one prefix. */
struct row {
    uint32_t word[2]; /* of 64 bits, but aligned to 4 octets: time, class, what is over */
    float deficit[WEIR_QUANTITIES];
    uint32_t since_proof; /* when all were at half or above; by whose word it is since */
    uint32_t servers;     /* that charged since */
};

/* Up to when what each bucket got back has been set against charges that came late. */
struct late_mark {
    uint64_t name;
    weir_time until[WEIR_QUANTITIES];
    weir_time used;              /* last; as of the charge */
};

/* A limit, and what a charge needs of it. */
struct bound {
    double rate, maximum, part, half, beyond, most;
    bool never; /* refilled but for WEIR_BUCKET_HELD */
};

struct class {
    struct bound of[WEIR_QUANTITIES];
    double slowest; /* of what is limited: the part of its maximum that comes back in a second */
};

struct weir_buckets {
    uint64_t *name;
    struct row *row;
    size_t sets;
    size_t hand; /* the set that is swept next */
    struct late_mark *late;
    size_t late_sets;
    struct weir_hash_key key;
    struct class class[WEIR_BUCKET_CLASSES_MAX];
    struct weir_buckets_counts counts;
};

void weir_row_make(struct row *row, weir_time now);

/* It is of another class from now on; when it was charged last. */
weir_time weir_row_move(struct row *row, const uint8_t class_of[static WEIR_BUCKET_CLASSES_MAX]);

/* What was charged after a time was charged then. */
void weir_row_rebase(struct row *row, weir_time now);

/* How dear a row is: 0 when all of its buckets are full, else the largest part of a maximum that
 * is missing (up to 2), and 2 more when that is over its limit. */
double weir_row_dearness(const struct weir_buckets *buckets, const struct row *row, weir_time now);

/* The mark of a prefix, made where there is none, in the place of the oldest one near it. */
struct late_mark *weir_buckets_late(struct weir_buckets *buckets, uint64_t name);

/* The row of a prefix, or NULL; and a new one. */
struct row *weir_buckets_row(const struct weir_buckets *buckets, const struct weir_spot *spot);
struct row *weir_buckets_make(struct weir_buckets *buckets, uint64_t name, weir_time now);

#endif
