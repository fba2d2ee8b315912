/*
 * lmdb_shapes - files that LMDB itself wrote, of every shape the check must know.
 */
#ifndef WEIR_TESTS_LMDB_SHAPES_H
#define WEIR_TESTS_LMDB_SHAPES_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/scratch.h"

#define LMDB_PAGE ((size_t)4096)
#define LMDB_SHAPES 7

struct lmdb_shape {
    const char *name; /* new, small, deep, overflow, deleted, long free list, named */
    void (*make)(MDB_env *env);
    bool small; /* enough to be damaged everywhere */
};

extern const struct lmdb_shape lmdb_shapes[LMDB_SHAPES];

struct lmdb_image {
    uint8_t *octets; /* to be freed */
    size_t len;
};

/* What a file of this shape looks like. */
struct lmdb_image lmdb_image_make(struct scratch *s, const struct lmdb_shape *shape);

/* A file in memory with this content, for the check and, by its path, for LMDB. */
int lmdb_memory_file(const uint8_t *octets, size_t len, char path[static 64]);

/* An environment for files of tests: one file, no waiting for the disk. */
MDB_env *lmdb_env_make(const char *path, unsigned flags);
MDB_txn *lmdb_begin(MDB_env *env, const char *name, unsigned flags, MDB_dbi *dbi_r);

/* Puts a value of so many octets under a number, in a key of so many octets (8..511). */
void lmdb_put(MDB_txn *txn, MDB_dbi dbi, unsigned number, size_t key_len, size_t value_len);
void lmdb_del(MDB_txn *txn, MDB_dbi dbi, unsigned number, size_t key_len);

void lmdb_make_deleted(MDB_env *env);

#endif
