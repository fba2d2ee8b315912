/*
 * Many records found at once, against mdb_get(): trees of all sizes, neighbours on
 * both sides of a page's end, what changes from one transaction to the next, and pages with
 * octets changed by chance, which may give anything but a step outside.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_search.h"
#include "tests/unit/counter_stores.h"

#define MAP_SIZE (64u << 20)
#define STAMP "weir counters" /* a key of another length among them */

struct tree {
    char path[LOCAL_PATH];
    MDB_env *env;
    MDB_txn *txn; /* reading */
    MDB_dbi dbi;
    struct weir_lmdb_snapshot snapshot;
};

static int make_tree(void **state)
{
    struct tree *tree = calloc(1, sizeof *tree);
    assert_non_null(tree);
    local_path_make(tree->path);
    assert_int_equal(mdb_env_create(&tree->env), 0);
    assert_int_equal(mdb_env_set_mapsize(tree->env, MAP_SIZE), 0);
    assert_int_equal(mdb_env_open(tree->env, tree->path, MDB_NOSUBDIR | MDB_NOSYNC, 0600), 0);
    *state = tree;
    return 0;
}

static int remove_tree(void **state)
{
    struct tree *tree = *state;
    if (tree->txn)
        mdb_txn_abort(tree->txn);
    mdb_env_close(tree->env);
    local_path_remove(tree->path);
    free(tree);
    return 0;
}

static void put(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len)
{
    uint8_t copy[16], bytes[200];
    size_t len = random_u64() % sizeof bytes;
    memcpy(copy, key, key_len);
    memset(bytes, (int)len, sizeof bytes);
    MDB_val k = {key_len, copy}, v = {len, bytes};
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
}

/* Adds entities in one transaction. */
static void grow(struct tree *tree, const struct weir_entity *entity, size_t n)
{
    MDB_txn *txn;
    if (tree->txn)
        mdb_txn_abort(tree->txn);
    tree->txn = NULL;
    assert_int_equal(mdb_txn_begin(tree->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &tree->dbi), 0);
    put(txn, tree->dbi, STAMP, strlen(STAMP));
    for (size_t i = 0; i < n; i++)
        put(txn, tree->dbi, entity[i].id, sizeof entity[i].id);
    assert_int_equal(mdb_txn_commit(txn), 0);
    assert_int_equal(mdb_txn_begin(tree->env, NULL, MDB_RDONLY, &tree->txn), 0);
}

static void take_snapshot(struct tree *tree)
{
    char stamp[] = STAMP;
    MDB_val k = {strlen(stamp), stamp}, v;
    MDB_stat stat;
    assert_int_equal(mdb_get(tree->txn, tree->dbi, &k, &v), 0);
    assert_int_equal(mdb_stat(tree->txn, tree->dbi, &stat), 0);
    size_t page_size = stat.ms_psize;
    uint64_t txn = mdb_txn_id(tree->txn);
    assert_false(weir_lmdb_snapshot(v.mv_data, page_size, MAP_SIZE, txn + 2, &tree->snapshot));
    assert_true(weir_lmdb_snapshot(v.mv_data, page_size, MAP_SIZE, txn, &tree->snapshot));
}

/* What LMDB gives is given. */
static void assert_same(struct tree *tree, const struct weir_entity *entity, size_t n)
{
    struct weir_lmdb_wanted wanted[WEIR_LMDB_SEARCHES];
    for (size_t i = 0; i < n; i++)
        wanted[i].key = entity[i].id;
    assert_int_equal(weir_lmdb_search(&tree->snapshot, wanted, n), 0);
    for (size_t i = 0; i < n; i++) {
        struct weir_entity copy = entity[i];
        MDB_val k = {sizeof copy.id, copy.id}, v = {0, NULL};
        int error = mdb_get(tree->txn, tree->dbi, &k, &v);
        assert_ptr_equal(wanted[i].value, error ? NULL : v.mv_data);
        assert_int_equal(wanted[i].len, error ? 0 : v.mv_size);
    }
}

/* One that is there, one beside it, one that shares its first half, or any. */
static struct weir_entity some_entity(const struct weir_entity *entity, size_t n)
{
    struct weir_entity some = n > 0 ? entity[random_u64() % n] : random_entity();
    struct weir_entity other = random_entity();
    switch (random_u64() % 6) {
    case 0:
        return other;
    case 1:
        some.id[15] ^= 1;
        return some;
    case 2:
        memcpy(some.id + 8, other.id + 8, 8);
        return some;
    case 3:
        memset(some.id + 8, random_u64() % 2 ? 0 : 0xff, 8);
        return some;
    default:
        return some;
    }
}

static void what_lmdb_finds_is_found_in_trees_of_all_sizes(void **state)
{
    enum { MOST = 40000 };
    static struct weir_entity entity[MOST];
    struct tree *tree = *state;
    size_t n = 0;
    for (size_t size = 0; size <= MOST; size = size * 2 + 1) {
        size_t from = n;
        for (; n < size; n++) {
            entity[n] = random_entity();
            if (n > 0 && random_u64() % 3 > 0) /* groups of neighbours */
                memcpy(entity[n].id, entity[n - 1].id, 8);
        }
        grow(tree, entity + from, n - from);
        take_snapshot(tree);
        for (int round = 0; round < 400; round++) {
            struct weir_entity asked[WEIR_LMDB_SEARCHES];
            size_t asks = random_u64() % (WEIR_LMDB_SEARCHES + 1);
            for (size_t i = 0; i < asks; i++) {
                asked[i] = some_entity(entity, n);
                if (i > 0 && random_u64() % 2)
                    memcpy(asked[i].id, asked[i - 1].id, 8);
            }
            assert_same(tree, asked, asks);
        }
    }
}

static void every_record_and_its_neighbours_are_found(void **state)
{
    enum { N = 3000 };
    static struct weir_entity entity[N];
    struct tree *tree = *state;
    for (size_t i = 0; i < N; i++) {
        entity[i] = random_entity();
        if (i % 100 > 0) /* more of them than a page holds */
            memcpy(entity[i].id, entity[i - 1].id, 8);
    }
    grow(tree, entity, N);
    take_snapshot(tree);
    for (size_t i = 0; i + 4 < N; i++)
        assert_same(tree, entity + i, 4);
}

static void WEIR_LMDB_SEARCHES_are_answered_and_one_more_refused(void **state)
{
    struct weir_entity entity[WEIR_LMDB_SEARCHES];
    struct weir_lmdb_wanted wanted[WEIR_LMDB_SEARCHES + 1];
    struct tree *tree = *state;
    for (size_t i = 0; i < WEIR_LMDB_SEARCHES; i++)
        entity[i] = random_entity();
    grow(tree, entity, WEIR_LMDB_SEARCHES);
    take_snapshot(tree);
    assert_same(tree, entity, WEIR_LMDB_SEARCHES);
    int refused = weir_lmdb_search(&tree->snapshot, wanted, WEIR_LMDB_SEARCHES + 1);
    assert_int_equal(refused, WEIR_ELIMIT);
}

static void an_empty_tree_has_nothing(void **state)
{
    struct weir_lmdb_snapshot empty = {.page_size = 4096, .root = UINT64_MAX};
    struct weir_entity entity[2] = {random_entity(), random_entity()};
    struct weir_lmdb_wanted wanted[2] = {{.key = entity[0].id}, {.key = entity[1].id}};
    (void)state;
    assert_int_equal(weir_lmdb_search(&empty, wanted, 2), 0);
    assert_null(wanted[0].value);
    assert_null(wanted[1].value);
}

/* Searches a copy with some octets changed: values lie inside or there are none.  The copy
 * ends where its block does, so that the sanitizer sees a step beyond. */
static void a_damaged_tree_is_never_left(void **state)
{
    enum { N = 2000, ROUNDS = 20000 };
    static struct weir_entity entity[N];
    struct tree *tree = *state;
    size_t errors = 0;
    for (size_t i = 0; i < N; i++)
        entity[i] = random_entity();
    grow(tree, entity, N);
    take_snapshot(tree);
    size_t len = tree->snapshot.pages * tree->snapshot.page_size;
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    struct weir_lmdb_snapshot damaged = tree->snapshot;
    damaged.map = copy;
    memcpy(copy, tree->snapshot.map, len);
    for (int round = 0; round < ROUNDS; round++) {
        struct weir_lmdb_wanted wanted[8];
        size_t page = random_u64() % damaged.pages * damaged.page_size;
        size_t at = page + random_u64() % (round % 2 ? 64 : damaged.page_size);
        page = round % 8 ? page : damaged.root * damaged.page_size;
        at = round % 8 ? at : page + random_u64() % 64;
        copy[at] ^= (uint8_t)(1u << random_u64() % 8);
        for (size_t i = 0; i < 8; i++)
            wanted[i].key = entity[random_u64() % N].id;
        int error = weir_lmdb_search(&damaged, wanted, 8);
        errors += error != 0;
        for (size_t i = 0; !error && i < 8; i++) {
            if (wanted[i].value)
                assert_true(wanted[i].value >= copy && wanted[i].len <= damaged.page_size &&
                            wanted[i].value + wanted[i].len <= copy + len);
        }
        if (round % 16 == 0)
            memcpy(copy, tree->snapshot.map, len);
    }
    assert_true(errors > 0);
    free(copy);
}

/* A child that is its own ancestor would go on for ever. */
static void a_tree_that_bites_its_tail_is_refused(void **state)
{
    uint8_t page[4096] = {[10] = 1, [12] = 18, [14] = 0xf0, [15] = 0xf, [16] = 0xf0, [17] = 0xf};
    struct weir_lmdb_snapshot snapshot = {page, sizeof page, 1, 0};
    struct weir_entity entity = random_entity();
    struct weir_lmdb_wanted wanted = {.key = entity.id};
    (void)state;
    assert_int_equal(weir_lmdb_search(&snapshot, &wanted, 1), WEIR_ECORRUPT);
    snapshot.root = 1; /* beyond the last page */
    assert_int_equal(weir_lmdb_search(&snapshot, &wanted, 1), WEIR_ECORRUPT);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, make_tree, remove_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TREE(what_lmdb_finds_is_found_in_trees_of_all_sizes),
        WITH_TREE(every_record_and_its_neighbours_are_found),
        WITH_TREE(WEIR_LMDB_SEARCHES_are_answered_and_one_more_refused),
        cmocka_unit_test(an_empty_tree_has_nothing),
        WITH_TREE(a_damaged_tree_is_never_left),
        cmocka_unit_test(a_tree_that_bites_its_tail_is_refused),
    };
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
