/*
 * Files that LMDB wrote must pass, also while others write.  What damaged files do
 * is in test_lmdb_damage.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_check_io.h"
#include "tests/unit/lmdb_shapes.h"
#include "tests/unit/lmdb_walk.h"
#include "tests/unit/seeded.h"

static int setup(void **state)
{
    *state = scratch_new();
    return 0;
}

static int teardown(void **state)
{
    scratch_free(*state);
    return 0;
}

static void every_shape_that_lmdb_writes_is_sound(void **state)
{
    for (size_t i = 0; i < LMDB_SHAPES; i++) {
        char why[WEIR_LMDB_WHY], path[64];
        struct lmdb_image image = lmdb_image_make(*state, &lmdb_shapes[i]);
        int fd = lmdb_memory_file(image.octets, image.len, path);
        int rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1)
            fail_msg("%s: %d %s", lmdb_shapes[i].name, rc, why);
        assert_string_equal(why, "");
        lmdb_walk(path);
        rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1)
            fail_msg("%s after a walk: %d %s", lmdb_shapes[i].name, rc, why);
        close(fd);
        free(image.octets);
    }
}

static void change_some(MDB_env *env, struct seeded *s)
{
    static const char *const name[] = {NULL, "one", "two"};
    MDB_dbi dbi;
    unsigned which = seeded_below(s, 3);
    MDB_txn *txn = lmdb_begin(env, name[which], MDB_CREATE, &dbi);
    unsigned n = seeded_below(s, 60);
    for (unsigned i = 0; i < n; i++) {
        unsigned number = seeded_below(s, 400);
        if (seeded_below(s, 5) < 3)
            lmdb_put(txn, dbi, number, 12, seeded_below(s, seeded_below(s, 9) == 0 ? 20000 : 150));
        else
            lmdb_del(txn, dbi, number, 12);
    }
    if (which > 0 && seeded_below(s, 40) == 0) /* LMDB forbids to drop those below */
        assert_int_equal(mdb_drop(txn, dbi, 0), 0);
    if (seeded_below(s, 10) == 0)
        mdb_txn_abort(txn);
    else
        assert_int_equal(mdb_txn_commit(txn), 0);
}

static void a_file_is_sound_after_every_one_of_many_random_transactions(void **state)
{
    struct seeded s = seeded_new(__func__);
    char path[256], why[WEIR_LMDB_WHY];
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "random.db"));
    MDB_env *env = lmdb_env_make(path, 0);
    MDB_txn *reader = NULL;
    for (unsigned i = 0; i < 400; i++) {
        /* a reader now and then makes the lists of free pages grow */
        if (seeded_below(&s, 10) == 0 && reader) {
            mdb_txn_abort(reader);
            reader = NULL;
        } else if (!reader && seeded_below(&s, 10) == 0) {
            assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &reader), 0);
        }
        change_some(env, &s);
        int rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1)
            fail_msg("transaction %u: %d %s", i, rc, why);
    }
    mdb_txn_abort(reader);
    mdb_env_close(env);
}

static void a_file_may_end_before_pages_that_were_never_written(void **state)
{
    char path[256], why[WEIR_LMDB_WHY];
    struct stat st;
    MDB_envinfo info;
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "short.db"));
    MDB_env *env = lmdb_env_make(path, 0);
    MDB_dbi dbi;
    lmdb_make_deleted(env);
    MDB_txn *txn = lmdb_begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 60; i++)
        lmdb_put(txn, dbi, 2000 + i, 24, 20000);
    for (unsigned i = 0; i < 60; i++)
        lmdb_del(txn, dbi, 2000 + i, 24);
    assert_int_equal(mdb_txn_commit(txn), 0);
    assert_int_equal(mdb_env_info(env, &info), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true((size_t)st.st_size < (info.me_last_pgno + 1) * LMDB_PAGE);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 1);
    mdb_env_close(env);
}

static void what_is_no_file_of_lmdb_is_told_from_what_is_damaged(void **state)
{
    char path[256], why[WEIR_LMDB_WHY];
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "other"));
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 0);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 0);
    assert_int_equal(write(fd, "not a database", 14), 14);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), WEIR_ECORRUPT);
    assert_string_equal(why, "page 0: is no meta page of LMDB");
    close(fd);
    assert_int_equal(weir_lmdb_check(((struct scratch *)*state)->directory, 1, why), WEIR_ECORRUPT);
    assert_string_equal(why, "it is no plain file");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), WEIR_ECORRUPT);
    assert_int_equal(weir_lmdb_check("/dev/null/x", UINT64_MAX, why), WEIR_EIO);
    assert_int_equal(errno, ENOTDIR);
}

static void databases_with_flags_are_not_ours(void **state)
{
    static const unsigned flags[] = {MDB_DUPSORT, MDB_INTEGERKEY, MDB_REVERSEKEY,
                                     MDB_DUPSORT | MDB_DUPFIXED};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        for (int named = 0; named < 2; named++) {
            char path[256], why[WEIR_LMDB_WHY];
            snprintf(path, sizeof(path), "%s", scratch_path(*state, "flags.db"));
            MDB_env *env = lmdb_env_make(path, MDB_NOLOCK);
            MDB_dbi dbi;
            MDB_txn *txn = lmdb_begin(env, named ? "one" : NULL, flags[i] | MDB_CREATE, &dbi);
            lmdb_put(txn, dbi, 1, 8, 8);
            assert_int_equal(mdb_txn_commit(txn), 0);
            mdb_env_close(env);
            assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), WEIR_ECORRUPT);
            unlink(path);
        }
    }
}

static void pages_most_bounds_the_work(void **state)
{
    char why[WEIR_LMDB_WHY], path[64];
    struct lmdb_image image = lmdb_image_make(*state, &lmdb_shapes[2]);
    MDB_envinfo info;
    int fd = lmdb_memory_file(image.octets, image.len, path);
    MDB_env *env = lmdb_env_make(path, MDB_NOLOCK | MDB_RDONLY);
    assert_int_equal(mdb_env_info(env, &info), 0);
    mdb_env_close(env);
    /* all pages of the tree but the last one read are good enough for a bounded look */
    uint64_t need = 0;
    while (need < info.me_last_pgno) {
        uint8_t zero[16] = {0};
        assert_int_equal(pwrite(fd, zero, sizeof(zero), (off_t)(LMDB_PAGE * 2)), sizeof(zero));
        if (weir_lmdb_check_fd(fd, need, why) != 1)
            break;
        need++;
    }
    assert_true(need > 0 && need < info.me_last_pgno);
    assert_int_equal(weir_lmdb_check_fd(fd, need - 1, why), 1);
    assert_int_equal(weir_lmdb_check_fd(fd, need, why), WEIR_ECORRUPT);
    assert_int_equal(weir_lmdb_check_fd(fd, 0, why), 1);
    close(fd);
    free(image.octets);
}

static void the_newest_transaction_and_its_octets_are_told(void **state)
{
    char path[64];
    uint64_t txn, octets;
    struct lmdb_image image = lmdb_image_make(*state, &lmdb_shapes[1]);
    int fd = lmdb_memory_file(image.octets, image.len, path);
    assert_int_equal(weir_lmdb_newest_fd(fd, &txn, &octets), 0);
    assert_int_equal(txn, 1);
    assert_int_equal(octets, image.len);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(weir_lmdb_newest_fd(fd, &txn, &octets), WEIR_ECORRUPT);
    close(fd);
    free(image.octets);
}

/* While others write. ---------------------------------------------------- */

static void write_without_end(const char *path, uint64_t seed)
{
    struct seeded s = {.state = seed * 2 + 1};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing running */
    MDB_env *env = lmdb_env_make(path, 0);
    for (;;)
        change_some(env, &s);
}

static void a_file_that_others_write_is_never_called_damaged(void **state)
{
    struct seeded s = seeded_new(__func__);
    char path[256], why[WEIR_LMDB_WHY];
    unsigned sound = 0;
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "busy.db"));
    MDB_env *env = lmdb_env_make(path, 0);
    change_some(env, &s);
    mdb_env_close(env);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_without_end(path, s.state);
    for (unsigned i = 0; i < 500; i++) {
        int rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1 && (rc != WEIR_EIO || errno != EAGAIN)) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            fail_msg("look %u: %d %s", i, rc, why);
        }
        sound += rc == 1;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("    %u of 500 looks at a file changing without pause came through\n", sound);
    assert_true(sound > 0);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 1);
}

/* The way the header recommends for busy files. */
static void with_a_read_transaction_open_a_check_always_comes_through(void **state)
{
    struct seeded s = seeded_new(__func__);
    char path[256], why[WEIR_LMDB_WHY];
    int fd;
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "held.db"));
    MDB_env *env = lmdb_env_make(path, 0);
    change_some(env, &s);
    mdb_env_close(env);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_without_end(path, s.state);
    env = lmdb_env_make(path, MDB_RDONLY);
    assert_int_equal(mdb_env_get_fd(env, &fd), 0);
    unsigned sound = 0;
    for (unsigned i = 0; i < 300; i++) {
        MDB_txn *txn;
        assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
        sound += weir_lmdb_check_fd(fd, UINT64_MAX, why) == 1;
        mdb_txn_abort(txn);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    mdb_env_close(env);
    assert_int_equal(sound, 300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_shape_that_lmdb_writes_is_sound),
        TEST(a_file_is_sound_after_every_one_of_many_random_transactions),
        TEST(a_file_may_end_before_pages_that_were_never_written),
        TEST(what_is_no_file_of_lmdb_is_told_from_what_is_damaged),
        TEST(databases_with_flags_are_not_ours),
        TEST(pages_most_bounds_the_work),
        TEST(the_newest_transaction_and_its_octets_are_told),
        TEST(a_file_that_others_write_is_never_called_damaged),
        TEST(with_a_read_transaction_open_a_check_always_comes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
