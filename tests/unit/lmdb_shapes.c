/*
 * Makes the files; every step is asserted, so that a test never looks at half of one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/lmdb_shapes.h"

MDB_env *lmdb_env_make(const char *path, unsigned flags)
{
    MDB_env *env;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_set_mapsize(env, 64u << 20), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC | flags, 0600),
                     0);
    return env;
}

MDB_txn *lmdb_begin(MDB_env *env, const char *name, unsigned flags, MDB_dbi *dbi_r)
{
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, name, flags, dbi_r), 0);
    return txn;
}

void lmdb_put(MDB_txn *txn, MDB_dbi dbi, unsigned number, size_t key_len, size_t value_len)
{
    char key[512], value[20000];
    assert_true(key_len <= 511 && value_len <= sizeof(value));
    memset(key, 'k', sizeof(key));
    memset(value, 'v', sizeof(value));
    char digits[12];
    snprintf(digits, sizeof(digits), "%08u", number);
    memcpy(key, digits, 8);
    MDB_val k = {.mv_size = key_len, .mv_data = key};
    MDB_val v = {.mv_size = value_len, .mv_data = value};
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
}

void lmdb_del(MDB_txn *txn, MDB_dbi dbi, unsigned number, size_t key_len)
{
    char key[512];
    memset(key, 'k', sizeof(key));
    char digits[12];
    snprintf(digits, sizeof(digits), "%08u", number);
    memcpy(key, digits, 8);
    MDB_val k = {.mv_size = key_len, .mv_data = key};
    int rc = mdb_del(txn, dbi, &k, NULL);
    assert_true(rc == 0 || rc == MDB_NOTFOUND);
}

static void make_new(MDB_env *env)
{
    (void)env;
}

static void make_small(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = lmdb_begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 5; i++)
        lmdb_put(txn, dbi, i, 8 + i, 3 * i);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void make_deep(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = lmdb_begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 150; i++)
        lmdb_put(txn, dbi, i * 7919 % 1000, 511, 700);
    MDB_stat stat;
    assert_int_equal(mdb_stat(txn, dbi, &stat), 0);
    assert_true(stat.ms_depth >= 4);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void make_overflow(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = lmdb_begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 6; i++)
        lmdb_put(txn, dbi, i, 20, 1000 + 3000 * i);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

/* Deletions make free lists; a value of several pages that comes and goes within one
 * transaction leaves pages behind the file's end that were never written. */
void lmdb_make_deleted(MDB_env *env)
{
    MDB_dbi dbi;
    for (unsigned round = 0; round < 6; round++) {
        MDB_txn *txn = lmdb_begin(env, NULL, 0, &dbi);
        for (unsigned i = 0; i < 40; i++)
            lmdb_put(txn, dbi, round % 2 == 0 ? i : i * 3, 24, i % 5 == 0 ? 6000 : 60);
        assert_int_equal(mdb_txn_commit(txn), 0);
        txn = lmdb_begin(env, NULL, 0, &dbi);
        for (unsigned i = 0; i < 120; i += 2)
            lmdb_del(txn, dbi, i, 24);
        lmdb_put(txn, dbi, 999, 24, 19000);
        lmdb_del(txn, dbi, 999, 24);
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
}

/* So many free pages that their list needs a page run of its own. */
static void make_long_free_list(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = lmdb_begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 1200; i++)
        lmdb_put(txn, dbi, i, 16, 1900);
    assert_int_equal(mdb_txn_commit(txn), 0);
    txn = lmdb_begin(env, NULL, 0, &dbi);
    assert_int_equal(mdb_drop(txn, dbi, 0), 0);
    lmdb_put(txn, dbi, 1, 16, 10);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void make_named(MDB_env *env)
{
    static const char *const name[] = {"one", "two", "three"};
    for (size_t n = 0; n < 3; n++) {
        MDB_dbi dbi;
        MDB_txn *txn = lmdb_begin(env, name[n], MDB_CREATE, &dbi);
        for (unsigned i = 0; i < 60 * (2 - n); i++)
            lmdb_put(txn, dbi, i, 16, i % 9 == 0 ? 3000 : 50);
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
}

const struct lmdb_shape lmdb_shapes[LMDB_SHAPES] = {
    {"new", make_new, true},
    {"small", make_small, true},
    {"deep", make_deep, false},
    {"overflow", make_overflow, true},
    {"deleted", lmdb_make_deleted, true},
    {"long free list", make_long_free_list, false},
    {"named", make_named, true},
};

static struct lmdb_image image_read(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    struct lmdb_image image = {.octets = malloc((size_t)st.st_size + 1), .len = (size_t)st.st_size};
    assert_non_null(image.octets);
    assert_int_equal(read(fd, image.octets, image.len), (ssize_t)image.len);
    close(fd);
    return image;
}

struct lmdb_image lmdb_image_make(struct scratch *s, const struct lmdb_shape *shape)
{
    char path[256], lock[300];
    snprintf(path, sizeof(path), "%s", scratch_path(s, "shape.db"));
    snprintf(lock, sizeof(lock), "%s-lock", path);
    MDB_env *env = lmdb_env_make(path, 0);
    shape->make(env);
    mdb_env_close(env);
    struct lmdb_image image = image_read(path);
    unlink(path);
    unlink(lock);
    return image;
}

int lmdb_memory_file(const uint8_t *octets, size_t len, char path[static 64])
{
    int fd = memfd_create("weir-test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t at = 0; at < len;) {
        ssize_t done = pwrite(fd, octets + at, len - at, (off_t)at);
        assert_true(done > 0);
        at += (size_t)done;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}
