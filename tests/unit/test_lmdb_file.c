/*
 * An LMDB file that comes, goes, is replaced, grows, and meets full disks and
 * dying writers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_file_io.h"
#include "tests/unit/lmdb_file_rig.h"

/* Replacing. ------------------------------------------------------------- */

static void rename_or_fail(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

/* Another file of ours at rig->other with a key of its own. */
static void put_restored(struct file_rig *rig)
{
    snprintf(rig->path, sizeof(rig->path), "%s", rig->other);
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    rig_must(file_rig_put(file, "restored", 10) == 0, 1);
    weir_lmdb_file_free(&file);
}

static void a_file_that_comes_goes_and_comes_again_is_followed(void **state)
{
    struct file_rig *rig = *state;
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    assert_int_equal(file_rig_has(file, "one"), 2);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(file_rig_has(file, "one"), 2);
    file_rig_do(file_rig_put_one, rig);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(file_rig_has(file, "one"), 1);
    uint64_t opened = weir_lmdb_file_times_opened(file);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(weir_lmdb_file_times_opened(file), opened);
    unlink(rig->path);
    assert_int_equal(file_rig_has(file, "one"), 1); /* nobody looked */
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(file_rig_has(file, "one"), 2);
    file_rig_do(file_rig_put_two, rig);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(file_rig_has(file, "one"), 0);
    assert_int_equal(file_rig_has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

static void a_restored_backup_is_followed_and_its_lock_is_a_new_one(void **state)
{
    struct file_rig *rig = *state;
    struct stat before, after;
    for (unsigned i = 0; i < 30; i++)
        file_rig_do(file_rig_put_one, rig);
    file_rig_do(put_restored, rig);
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    assert_int_equal(stat(rig->lock, &before), 0);
    rename_or_fail(rig->other, rig->path);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(file_rig_has(file, "restored"), 1);
    assert_int_equal(file_rig_has(file, "one"), 0);
    assert_int_equal(stat(rig->lock, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    file_rig_do(file_rig_put_two, rig); /* a writer and we agree on the lock */
    assert_int_equal(file_rig_has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

static void a_writer_follows_a_restored_backup_before_it_writes(void **state)
{
    struct file_rig *rig = *state;
    file_rig_do(file_rig_put_one, rig);
    file_rig_do(put_restored, rig);
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    rename_or_fail(rig->other, rig->path);
    assert_int_equal(file_rig_put(file, "two", 5), 0);
    weir_lmdb_file_free(&file);
    file = file_rig_open(rig, false);
    assert_int_equal(file_rig_has(file, "restored"), 1);
    assert_int_equal(file_rig_has(file, "two"), 1);
    assert_int_equal(file_rig_has(file, "one"), 0);
    weir_lmdb_file_free(&file);
}

/* Reads the old file and never looks. */
static void sit_on_the_old_file(struct file_rig *rig)
{
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    rig_must(file_rig_has(file, "one") == 1, 1);
    file_rig_tell(rig);
    for (;;)
        pause();
}

static void who_comes_after_a_restore_is_not_misled_by_the_old_lock(void **state)
{
    struct file_rig *rig = *state;
    for (unsigned i = 0; i < 30; i++)
        file_rig_do(file_rig_put_one, rig);
    file_rig_do(put_restored, rig);
    pid_t child = file_rig_start(sit_on_the_old_file, rig);
    file_rig_wait(rig);
    rename_or_fail(rig->other, rig->path);
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    assert_non_null(strstr(rig->logged, "belongs to a file that was replaced"));
    assert_int_equal(file_rig_has(file, "restored"), 1);
    assert_int_equal(file_rig_put(file, "two", 5), 0);
    weir_lmdb_file_free(&file);
    kill(child, SIGKILL);
    file_rig_end(child);
    file = file_rig_open(rig, false);
    assert_int_equal(file_rig_has(file, "restored"), 1);
    assert_int_equal(file_rig_has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

static void a_damaged_replacement_is_refused_and_the_old_file_stays(void **state)
{
    struct file_rig *rig = *state;
    file_rig_do(file_rig_put_one, rig);
    file_rig_do(put_restored, rig);
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    char bad[256];
    snprintf(bad, sizeof(bad), "%s", scratch_path(rig->scratch, "bad.db"));
    int fd = open(bad, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "damaged", 7), 7);
    close(fd);
    rename_or_fail(bad, rig->path);
    rig->logged[0] = '\0';
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_non_null(strstr(rig->logged, "the old one stays"));
    assert_int_equal(file_rig_has(file, "one"), 1);
    rig->logged[0] = '\0';
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_string_equal(rig->logged, ""); /* said once */
    assert_int_equal(file_rig_put(file, "lost", 1), WEIR_ECORRUPT); /* into what nobody would see */
    rename_or_fail(rig->other, rig->path);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(file_rig_has(file, "restored"), 1);
    assert_int_equal(file_rig_put(file, "two", 1), 0);
    weir_lmdb_file_free(&file);
}

/* Trouble while writing. ------------------------------------------------- */

static void die_while_writing(struct file_rig *rig)
{
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    MDB_txn *txn;
    rig_must(weir_lmdb_file_write(file, &txn) == 0, 1);
    char name[] = "half";
    for (unsigned i = 0; i < 500; i++) {
        char value[3000] = {0};
        name[0] = (char)('a' + i % 26);
        MDB_val k = {.mv_size = 4, .mv_data = name}, v = {.mv_size = sizeof(value),
                                                          .mv_data = value};
        rig_must(mdb_put(txn, weir_lmdb_file_dbi(file), &k, &v, 0) == 0, 2);
    }
    kill(getpid(), SIGKILL);
}

static void a_writer_that_dies_leaves_nothing_behind_and_blocks_nobody(void **state)
{
    struct file_rig *rig = *state;
    file_rig_put_one(rig);
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    for (unsigned i = 0; i < 3; i++) {
        int status = file_rig_end(file_rig_start(die_while_writing, rig));
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(file_rig_has(file, "half"), 0);
        assert_int_equal(file_rig_put(file, "two", 20), 0);
    }
    assert_int_equal(file_rig_has(file, "one"), 1);
    weir_lmdb_file_free(&file);
}

static void grow_to_six_megabytes(struct file_rig *rig)
{
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    rig_must(file_rig_put(file, "large", 6 << 20) == 0, 1);
    weir_lmdb_file_free(&file);
}

static void a_reader_follows_a_file_that_outgrows_its_map(void **state)
{
    struct file_rig *rig = *state;
    struct weir_lmdb_file_options options = {.bytes_most = 1 << 20};
    struct weir_lmdb_file *file;
    const char *why;
    file_rig_put_one(rig);
    assert_int_equal(file_rig_try(rig, &options, &file, &why), 0);
    assert_int_equal(file_rig_has(file, "one"), 1);
    file_rig_do(grow_to_six_megabytes, rig);
    assert_int_equal(file_rig_has(file, "large"), 1);
    assert_int_equal(weir_lmdb_file_times_opened(file), 1);
    weir_lmdb_file_free(&file);
}

static void a_file_does_not_grow_beyond_its_limit(void **state)
{
    struct file_rig *rig = *state;
    struct weir_lmdb_file_options options = {.write = true, .bytes_most = 1 << 20};
    struct weir_lmdb_file *file;
    struct stat st;
    const char *why;
    assert_int_equal(file_rig_try(rig, &options, &file, &why), 0);
    assert_int_equal(file_rig_put(file, "fits", 700000), 0);
    assert_int_equal(file_rig_put(file, "too much", 700000), WEIR_EFULL);
    assert_int_equal(file_rig_has(file, "fits"), 1);
    assert_int_equal(file_rig_has(file, "too much"), 0);
    assert_int_equal(file_rig_put(file, "small", 100), 0);
    assert_int_equal(stat(rig->path, &st), 0);
    assert_true(st.st_size <= 1 << 20);
    weir_lmdb_file_free(&file);
}

static void write_beyond_the_file_limit(struct file_rig *rig)
{
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
    rig_must(setrlimit(RLIMIT_FSIZE, &limit) == 0, 1);
    rig_must(file_rig_put(file, "large", 3 << 20) < 0, 2);
    rig_must(file_rig_has(file, "one") == 1 && file_rig_has(file, "large") == 0, 3);
    rig_must(file_rig_put(file, "two", 10) == 0, 4);
    limit.rlim_cur = RLIM_INFINITY;
    rig_must(setrlimit(RLIMIT_FSIZE, &limit) == 0, 5);
    rig_must(file_rig_put(file, "large", 3 << 20) == 0, 6);
    weir_lmdb_file_free(&file);
}

static void a_write_that_is_cut_short_loses_nothing_that_was_there(void **state)
{
    struct file_rig *rig = *state;
    file_rig_put_one(rig);
    file_rig_do(write_beyond_the_file_limit, rig);
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    assert_int_equal(file_rig_has(file, "one"), 1);
    assert_int_equal(file_rig_has(file, "two"), 1);
    assert_int_equal(file_rig_has(file, "large"), 1);
    weir_lmdb_file_free(&file);
}

/* On a small disk of its own, which nobody else sees and which goes with us. */
static void fill_a_disk(struct file_rig *rig)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", rig->scratch->directory, "tmpfs", 0, "size=2m") != 0)
        _exit(77);
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    rig_must(file_rig_put(file, "one", 100000) == 0, 1);
    rig_must(file_rig_put(file, "large", 3 << 20) == WEIR_EFULL, 2);
    rig_must(file_rig_has(file, "one") == 1 && file_rig_has(file, "large") == 0, 3);
    rig_must(file_rig_put(file, "two", 10) == 0, 4);
    rig_must(file_rig_has(file, "two") == 1, 5);
    weir_lmdb_file_free(&file);
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    int status = file_rig_end(file_rig_start(fill_a_disk, *state));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* not allowed to mount */
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, file_rig_setup, file_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_comes_goes_and_comes_again_is_followed),
        TEST(a_restored_backup_is_followed_and_its_lock_is_a_new_one),
        TEST(a_writer_follows_a_restored_backup_before_it_writes),
        TEST(who_comes_after_a_restore_is_not_misled_by_the_old_lock),
        TEST(a_damaged_replacement_is_refused_and_the_old_file_stays),
        TEST(a_writer_that_dies_leaves_nothing_behind_and_blocks_nobody),
        TEST(a_reader_follows_a_file_that_outgrows_its_map),
        TEST(a_file_does_not_grow_beyond_its_limit),
        TEST(a_write_that_is_cut_short_loses_nothing_that_was_there),
        TEST(a_full_disk_is_told_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
