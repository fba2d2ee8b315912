/*
 * lmdb_walk - makes LMDB go everywhere in a file that the check has passed.
 *
 * Reads every record forwards and backwards, then deletes a third of them, puts
 * new ones and commits, twice, so that the lists of free pages are used as
 * well.  Errors are fine: crashes and failed assertions are what it looks for.
 */
#ifndef WEIR_TESTS_LMDB_WALK_H
#define WEIR_TESTS_LMDB_WALK_H

#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline uint64_t lmdb_walk_value(const MDB_val *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < value->mv_size; i++)
        sum = sum * 31 + ((const uint8_t *)value->mv_data)[i];
    return sum;
}

/* Every record of one database, both ways; deletes each third if asked to. */
static inline uint64_t lmdb_walk_database(MDB_txn *txn, MDB_dbi dbi, int deleting)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t sum = 0;
    if (mdb_cursor_open(txn, dbi, &cursor) != 0)
        return 0;
    for (MDB_cursor_op op = MDB_FIRST; mdb_cursor_get(cursor, &key, &value, op) == 0;
         op = MDB_NEXT) {
        MDB_val found;
        sum += lmdb_walk_value(&key) + lmdb_walk_value(&value);
        if (dbi != 0)
            mdb_get(txn, dbi, &key, &found);
    }
    for (MDB_cursor_op op = MDB_LAST; mdb_cursor_get(cursor, &key, &value, op) == 0;
         op = MDB_PREV)
        sum += key.mv_size;
    int n = 0;
    for (MDB_cursor_op op = MDB_FIRST; deleting && mdb_cursor_get(cursor, &key, &value, op) == 0;
         op = MDB_NEXT)
        if (n++ % 3 == 0 && mdb_cursor_del(cursor, 0) != 0)
            break;
    mdb_cursor_close(cursor);
    return sum;
}

static inline void lmdb_walk_put(MDB_txn *txn, MDB_dbi dbi, int round)
{
    char text[64], room[9000];
    memset(room, 'w', sizeof(room));
    for (int i = 0; i < 30; i++) {
        int len = snprintf(text, sizeof(text), "%c walk %d %d", 'a' + i % 26, round, i);
        MDB_val key = {.mv_size = (size_t)len, .mv_data = text};
        MDB_val value = {.mv_size = i % 8 == 0 ? sizeof(room) : 100, .mv_data = room};
        if (mdb_put(txn, dbi, &key, &value, 0) != 0)
            return;
    }
}

/* The names in the main database, each opened. */
static inline void lmdb_walk_named(MDB_txn *txn, MDB_dbi main, int deleting)
{
    static const char *const name[] = {"one", "two"};
    (void)main;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        MDB_dbi dbi;
        if (mdb_dbi_open(txn, name[i], 0, &dbi) != 0)
            continue;
        lmdb_walk_database(txn, dbi, deleting);
        if (deleting)
            lmdb_walk_put(txn, dbi, 1);
    }
}

static inline void lmdb_walk_write(MDB_env *env, int round)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    if (mdb_txn_begin(env, NULL, 0, &txn) != 0)
        return;
    if (mdb_dbi_open(txn, NULL, 0, &dbi) != 0) {
        mdb_txn_abort(txn);
        return;
    }
    lmdb_walk_named(txn, dbi, 1);
    lmdb_walk_put(txn, dbi, round);
    lmdb_walk_database(txn, dbi, 1);
    mdb_txn_commit(txn);
}

/* path is changed by this. */
static inline void lmdb_walk(const char *path)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    if (mdb_env_create(&env) != 0)
        return;
    mdb_env_set_maxdbs(env, 4);
    mdb_env_set_mapsize(env, 64u << 20);
    unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | MDB_NOSYNC;
    if (mdb_env_open(env, path, flags, 0600) == 0) {
        if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0) {
            if (mdb_dbi_open(txn, NULL, 0, &dbi) == 0) {
                lmdb_walk_database(txn, dbi, 0);
                lmdb_walk_database(txn, 0, 0); /* the free lists */
                lmdb_walk_named(txn, dbi, 0);
            }
            mdb_txn_abort(txn);
        }
        for (int round = 0; round < 2; round++)
            lmdb_walk_write(env, round);
    }
    mdb_env_close(env);
}

#endif
