/*
 * Opening an LMDB file: rights, owners, locks, versions, and others doing the same.
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
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_file_io.h"
#include "tests/unit/lmdb_file_rig.h"

#define NOBODY 65534

/* Opening. --------------------------------------------------------------- */

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_new_file_has_its_mode_and_readers_may_write_its_lock(void **state)
{
    static const unsigned cases[][3] = {
        {0600, 0600, 0600}, {0640, 0640, 0660}, {0644, 0644, 0664}, {0660, 0660, 0660}};
    struct file_rig *rig = *state;
    mode_t before = umask(077);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_lmdb_file_options options = {.write = true, .mode = cases[i][0]};
        struct weir_lmdb_file *file;
        const char *why;
        assert_int_equal(file_rig_try(rig, &options, &file, &why), 0);
        assert_int_equal(access(rig->path, F_OK), -1); /* nothing is made by opening */
        assert_int_equal(file_rig_put(file, "one", 1), 0);
        assert_int_equal(mode_of(rig->path), cases[i][1]);
        assert_int_equal(mode_of(rig->lock), cases[i][2]);
        weir_lmdb_file_free(&file);
        unlink(rig->path);
        unlink(rig->lock);
    }
    umask(before);
}

static void what_root_makes_belongs_to_the_owner_of_the_directory(void **state)
{
    struct file_rig *rig = *state;
    struct stat data, lock;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(rig->scratch->directory, NOBODY, NOBODY), 0);
    file_rig_put_one(rig);
    assert_int_equal(stat(rig->path, &data), 0);
    assert_int_equal(stat(rig->lock, &lock), 0);
    assert_int_equal(data.st_uid, NOBODY);
    assert_int_equal(data.st_gid, NOBODY);
    assert_int_equal(lock.st_uid, NOBODY);
    assert_int_equal(lock.st_gid, NOBODY);
}

static void only_our_own_files_of_known_versions_are_opened(void **state)
{
    static const struct {
        const char *kind;
        uint32_t version;
        int want;
        const char *why;
    } cases[] = {
        {"weir test", 3, 0, ""},
        {"weir test", 4, 0, ""},
        {"weir test", 2, WEIR_ECORRUPT, "it was written by a newer Weir"},
        {"weir else", 3, WEIR_ECORRUPT, "it is a database of some other program"},
    };
    struct file_rig *rig = *state;
    file_rig_put_one(rig);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_lmdb_file_options options = {.kind = cases[i].kind,
                                                 .version = cases[i].version};
        struct weir_lmdb_file *file = NULL;
        const char *why;
        assert_int_equal(file_rig_try(rig, &options, &file, &why), cases[i].want);
        assert_string_equal(why, cases[i].why);
        weir_lmdb_file_free(&file);
    }
}

static void damaged_unreadable_and_endless_paths_are_told_apart(void **state)
{
    struct file_rig *rig = *state;
    struct weir_lmdb_file_options options = {.write = false};
    struct weir_lmdb_file *file = NULL;
    const char *why;
    int fd = open(rig->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
    close(fd);
    assert_int_equal(file_rig_try(rig, &options, &file, &why), WEIR_ECORRUPT);
    assert_string_equal(why, "it is damaged");
    assert_non_null(strstr(rig->logged, "page 0: is no meta page of LMDB"));
    assert_null(file);
    options.path = "/dev/null/a.db";
    assert_int_equal(file_rig_try(rig, &options, &file, &why), WEIR_EIO);
    assert_int_equal(errno, ENOTDIR);
    char longest[5000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    options.path = longest;
    assert_int_equal(file_rig_try(rig, &options, &file, &why), WEIR_ELIMIT);
}

static void open_and_close(struct file_rig *rig)
{
    for (unsigned i = 0; i < 150; i++) {
        struct weir_lmdb_file *file = NULL;
        struct weir_lmdb_file_options options = {.write = i % 3 == 0};
        const char *why;
        rig_must(file_rig_try(rig, &options, &file, &why) == 0, 2);
        if (i % 3 == 0)
            rig_must(file_rig_put(file, "one", 10) == 0, 3);
        rig_must(file_rig_has(file, "one") == 1, 4);
        rig_must(!weir_lmdb_file_is_copy(file), 5);
        weir_lmdb_file_free(&file);
    }
}

static void many_processes_open_and_close_at_the_same_time(void **state)
{
    pid_t child[4];
    file_rig_put_one(*state);
    for (size_t i = 0; i < 4; i++)
        child[i] = file_rig_start(open_and_close, *state);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(file_rig_end(child[i]), 0);
}

static void four_writers_make_one_file(void **state)
{
    struct file_rig *rig = *state;
    pid_t child[4];
    for (size_t i = 0; i < 4; i++)
        child[i] = file_rig_start(i % 2 ? file_rig_put_one : file_rig_put_two, rig);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(file_rig_end(child[i]), 0);
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    assert_int_equal(file_rig_has(file, "one"), 1);
    assert_int_equal(file_rig_has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

/* Rights. ---------------------------------------------------------------- */

static void become_nobody(void)
{
    if (geteuid() != 0)
        return;
    rig_must(setresgid(NOBODY, NOBODY, NOBODY) == 0, 9);
    rig_must(setresuid(NOBODY, NOBODY, NOBODY) == 0, 9);
}

static void read_without_lock_rights(struct file_rig *rig)
{
    become_nobody();
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    rig_must(weir_lmdb_file_is_copy(file), 1);
    rig_must(file_rig_has(file, "one") == 1, 2);
    rig_must(file_rig_has(file, "two") == 0, 3);
    rig_must(file_rig_put(file, "two", 1) == WEIR_EINVAL, 4);
    file_rig_tell(rig);
    for (unsigned i = 0; i < 5000 && file_rig_has(file, "two") == 0; i++) {
        usleep(1000);
        rig_must(weir_lmdb_file_look(file) == 0, 5);
    }
    rig_must(file_rig_has(file, "two") == 1, 6);
    rig_must(weir_lmdb_file_is_copy(file), 7);
    weir_lmdb_file_free(&file);
}

static void a_reader_without_rights_to_the_lock_reads_a_copy_and_sees_changes(void **state)
{
    struct file_rig *rig = *state;
    file_rig_put_one(rig);
    assert_int_equal(chmod(rig->scratch->directory, 0755), 0);
    assert_int_equal(chmod(rig->path, 0644), 0);
    assert_int_equal(chmod(rig->lock, geteuid() == 0 ? 0600 : 0400), 0);
    pid_t child = file_rig_start(read_without_lock_rights, rig);
    file_rig_wait(rig);
    if (geteuid() != 0) /* we are the child's user: lend ourselves the right */
        assert_int_equal(chmod(rig->lock, 0600), 0);
    file_rig_put_two(rig);
    if (geteuid() != 0)
        assert_int_equal(chmod(rig->lock, 0400), 0);
    assert_int_equal(file_rig_end(child), 0);
}

static void read_where_no_lock_can_be_made(struct file_rig *rig)
{
    become_nobody();
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    rig_must(weir_lmdb_file_is_copy(file), 1);
    rig_must(file_rig_has(file, "one") == 1, 2);
    rig_must(access(rig->lock, F_OK) != 0, 3);
    weir_lmdb_file_free(&file);
    struct weir_lmdb_file_options options = {.write = true};
    const char *why;
    rig_must(file_rig_try(rig, &options, &file, &why) == WEIR_EIO && errno == EACCES, 4);
    rig_must(strcmp(why, "its lock file cannot be used") == 0, 5);
}

static void a_reader_in_a_directory_it_may_not_write_needs_no_lock_file(void **state)
{
    struct file_rig *rig = *state;
    file_rig_put_one(rig);
    unlink(rig->lock);
    assert_int_equal(chmod(rig->path, 0644), 0);
    assert_int_equal(chmod(rig->scratch->directory, 0555), 0);
    file_rig_do(read_where_no_lock_can_be_made, rig);
    assert_int_equal(chmod(rig->scratch->directory, 0755), 0);
}

/* Uses the lock file, so that nobody makes it anew; with a place for one reader. */
static MDB_env *one_place_open(struct file_rig *rig)
{
    MDB_env *env;
    rig_must(mdb_env_create(&env) == 0 && mdb_env_set_maxreaders(env, 1) == 0, 1);
    rig_must(mdb_env_open(env, rig->path, MDB_NOSUBDIR | MDB_RDONLY, 0) == 0, 2);
    return env;
}

static void stay_without_reading(struct file_rig *rig)
{
    one_place_open(rig);
    file_rig_tell(rig);
    for (;;)
        pause();
}

static void hold_the_only_place(struct file_rig *rig)
{
    MDB_txn *txn;
    rig_must(mdb_txn_begin(one_place_open(rig), NULL, MDB_RDONLY, &txn) == 0, 3);
    file_rig_tell(rig);
    for (;;)
        pause();
}

static void a_full_table_of_readers_makes_a_reader_take_a_copy(void **state)
{
    struct file_rig *rig = *state;
    file_rig_put_one(rig);
    unlink(rig->lock);
    pid_t idle = file_rig_start(stay_without_reading, rig);
    file_rig_wait(rig);
    pid_t holder = file_rig_start(hold_the_only_place, rig);
    file_rig_wait(rig);
    struct weir_lmdb_file *file = file_rig_open(rig, false);
    assert_true(weir_lmdb_file_is_copy(file));
    assert_int_equal(file_rig_has(file, "one"), 1);
    weir_lmdb_file_free(&file);
    kill(holder, SIGKILL);
    file_rig_end(holder);
    /* the place of the dead is free again */
    file = file_rig_open(rig, false);
    assert_false(weir_lmdb_file_is_copy(file));
    weir_lmdb_file_free(&file);
    kill(idle, SIGKILL);
    file_rig_end(idle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, file_rig_setup, file_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_has_its_mode_and_readers_may_write_its_lock),
        TEST(what_root_makes_belongs_to_the_owner_of_the_directory),
        TEST(only_our_own_files_of_known_versions_are_opened),
        TEST(damaged_unreadable_and_endless_paths_are_told_apart),
        TEST(many_processes_open_and_close_at_the_same_time),
        TEST(four_writers_make_one_file),
        TEST(a_reader_without_rights_to_the_lock_reads_a_copy_and_sees_changes),
        TEST(a_reader_in_a_directory_it_may_not_write_needs_no_lock_file),
        TEST(a_full_table_of_readers_makes_a_reader_take_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
