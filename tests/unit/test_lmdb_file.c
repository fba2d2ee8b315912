/*
 * An LMDB file among processes, users, full disks and restored backups.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_file_io.h"
#include "tests/unit/scratch.h"

#define NOBODY 65534

struct world {
    struct scratch *scratch;
    char path[256], lock[256], other[256];
    char logged[2000];
    struct weir_log log;
    int ready[2]; /* a pipe: a child tells that it has come so far */
};

static void log_keep(void *context, enum weir_log_level level, const char *line)
{
    struct world *world = context;
    size_t len = strlen(world->logged);
    (void)level;
    snprintf(world->logged + len, sizeof(world->logged) - len, "%s\n", line);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return -1;
    world->scratch = scratch_new();
    snprintf(world->path, sizeof(world->path), "%s", scratch_path(world->scratch, "a.db"));
    snprintf(world->lock, sizeof(world->lock), "%s", scratch_path(world->scratch, "a.db-lock"));
    snprintf(world->other, sizeof(world->other), "%s", scratch_path(world->scratch, "b.db"));
    if (pipe(world->ready) != 0)
        return -1;
    world->log = (struct weir_log){.write = log_keep, .context = world, .most = WEIR_LOG_DEBUG};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    close(world->ready[0]);
    close(world->ready[1]);
    scratch_free(world->scratch);
    free(world);
    return 0;
}

static int try_open(struct world *world, const struct weir_lmdb_file_options *given,
                    struct weir_lmdb_file **file_r, const char **why_r)
{
    struct weir_lmdb_file_options options = *given;
    if (!options.path)
        options.path = world->path;
    if (!options.kind)
        options.kind = "weir test";
    if (options.version == 0)
        options.version = 3;
    if (options.mode == 0)
        options.mode = 0640;
    return weir_lmdb_file_open(&options, &world->log, file_r, why_r);
}

static struct weir_lmdb_file *file_open(struct world *world, bool write)
{
    struct weir_lmdb_file_options options = {.write = write};
    struct weir_lmdb_file *file = NULL;
    const char *why;
    int rc = try_open(world, &options, &file, &why);
    if (rc != 0)
        fail_msg("open: %d %s; %s", rc, why, world->logged);
    return file;
}

static int put(struct weir_lmdb_file *file, const char *key, size_t len)
{
    char name[32], *room = calloc(1, len + 1);
    MDB_txn *txn;
    assert_non_null(room);
    int rc = weir_lmdb_file_write(file, &txn);
    if (rc == 0) {
        snprintf(name, sizeof(name), "%s", key);
        MDB_val k = {.mv_size = strlen(name), .mv_data = name};
        MDB_val v = {.mv_size = len, .mv_data = room};
        int error = mdb_put(txn, weir_lmdb_file_dbi(file), &k, &v, 0);
        if (error) {
            weir_lmdb_file_abort(file);
            rc = weir_lmdb_file_error(error);
        } else {
            rc = weir_lmdb_file_commit(file);
        }
    }
    free(room);
    return rc;
}

/* 1 the key is there, 0 not, 2 there is no file, or an error. */
static int has(struct weir_lmdb_file *file, const char *key)
{
    char name[32];
    MDB_txn *txn;
    int rc = weir_lmdb_file_read(file, &txn);
    if (rc <= 0)
        return rc < 0 ? rc : 2;
    snprintf(name, sizeof(name), "%s", key);
    MDB_val k = {.mv_size = strlen(name), .mv_data = name}, v;
    int error = mdb_get(txn, weir_lmdb_file_dbi(file), &k, &v);
    weir_lmdb_file_done(file);
    return error == 0 ? 1 : error == MDB_NOTFOUND ? 0 : weir_lmdb_file_error(error);
}

/* Work in a process of its own; gives its process id. */
static pid_t child_start(void (*work)(struct world *world), struct world *world)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        work(world);
        _exit(0);
    }
    return child;
}

static int child_end(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void child_do(void (*work)(struct world *world), struct world *world)
{
    assert_int_equal(child_end(child_start(work, world)), 0);
}

/* For children, where cmocka's assertions would not end the process. */
static void must(bool holds, int code)
{
    if (!holds)
        _exit(code);
}

static void tell_ready(struct world *world)
{
    must(write(world->ready[1], "x", 1) == 1, 8);
}

static void wait_ready(struct world *world)
{
    char octet;
    struct pollfd wait = {.fd = world->ready[0], .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    assert_int_equal(read(world->ready[0], &octet, 1), 1);
}

static void put_one(struct world *world)
{
    struct weir_lmdb_file *file = file_open(world, true);
    must(put(file, "one", 10) == 0, 1);
    weir_lmdb_file_free(&file);
}

static void put_two(struct world *world)
{
    struct weir_lmdb_file *file = file_open(world, true);
    must(put(file, "two", 10) == 0, 1);
    weir_lmdb_file_free(&file);
}

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
    struct world *world = *state;
    mode_t before = umask(077);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_lmdb_file_options options = {.write = true, .mode = cases[i][0]};
        struct weir_lmdb_file *file;
        const char *why;
        assert_int_equal(try_open(world, &options, &file, &why), 0);
        assert_int_equal(access(world->path, F_OK), -1); /* nothing is made by opening */
        assert_int_equal(put(file, "one", 1), 0);
        assert_int_equal(mode_of(world->path), cases[i][1]);
        assert_int_equal(mode_of(world->lock), cases[i][2]);
        weir_lmdb_file_free(&file);
        unlink(world->path);
        unlink(world->lock);
    }
    umask(before);
}

static void what_root_makes_belongs_to_the_owner_of_the_directory(void **state)
{
    struct world *world = *state;
    struct stat data, lock;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(world->scratch->directory, NOBODY, NOBODY), 0);
    put_one(world);
    assert_int_equal(stat(world->path, &data), 0);
    assert_int_equal(stat(world->lock, &lock), 0);
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
    struct world *world = *state;
    put_one(world);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_lmdb_file_options options = {.kind = cases[i].kind,
                                                 .version = cases[i].version};
        struct weir_lmdb_file *file = NULL;
        const char *why;
        assert_int_equal(try_open(world, &options, &file, &why), cases[i].want);
        assert_string_equal(why, cases[i].why);
        weir_lmdb_file_free(&file);
    }
}

static void damaged_unreadable_and_endless_paths_are_told_apart(void **state)
{
    struct world *world = *state;
    struct weir_lmdb_file_options options = {.write = false};
    struct weir_lmdb_file *file = NULL;
    const char *why;
    int fd = open(world->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
    close(fd);
    assert_int_equal(try_open(world, &options, &file, &why), WEIR_ECORRUPT);
    assert_string_equal(why, "it is damaged");
    assert_non_null(strstr(world->logged, "page 0: is no meta page of LMDB"));
    assert_null(file);
    options.path = "/dev/null/a.db";
    assert_int_equal(try_open(world, &options, &file, &why), WEIR_EIO);
    assert_int_equal(errno, ENOTDIR);
    char longest[5000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    options.path = longest;
    assert_int_equal(try_open(world, &options, &file, &why), WEIR_ELIMIT);
}

static void open_and_close(struct world *world)
{
    for (unsigned i = 0; i < 150; i++) {
        struct weir_lmdb_file *file = NULL;
        struct weir_lmdb_file_options options = {.write = i % 3 == 0};
        const char *why;
        must(try_open(world, &options, &file, &why) == 0, 2);
        if (i % 3 == 0)
            must(put(file, "one", 10) == 0, 3);
        must(has(file, "one") == 1, 4);
        must(!weir_lmdb_file_is_copy(file), 5);
        weir_lmdb_file_free(&file);
    }
}

static void many_processes_open_and_close_at_the_same_time(void **state)
{
    pid_t child[4];
    put_one(*state);
    for (size_t i = 0; i < 4; i++)
        child[i] = child_start(open_and_close, *state);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(child_end(child[i]), 0);
}

static void four_writers_make_one_file(void **state)
{
    struct world *world = *state;
    pid_t child[4];
    for (size_t i = 0; i < 4; i++)
        child[i] = child_start(i % 2 ? put_one : put_two, world);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(child_end(child[i]), 0);
    struct weir_lmdb_file *file = file_open(world, false);
    assert_int_equal(has(file, "one"), 1);
    assert_int_equal(has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

/* Rights. ---------------------------------------------------------------- */

static void become_nobody(void)
{
    if (geteuid() == 0)
        must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0, 9);
}

static void read_without_lock_rights(struct world *world)
{
    become_nobody();
    struct weir_lmdb_file *file = file_open(world, false);
    must(weir_lmdb_file_is_copy(file), 1);
    must(has(file, "one") == 1, 2);
    must(has(file, "two") == 0, 3);
    must(put(file, "two", 1) == WEIR_EINVAL, 4);
    tell_ready(world);
    for (unsigned i = 0; i < 5000 && has(file, "two") == 0; i++) {
        usleep(1000);
        must(weir_lmdb_file_look(file) == 0, 5);
    }
    must(has(file, "two") == 1, 6);
    must(weir_lmdb_file_is_copy(file), 7);
    weir_lmdb_file_free(&file);
}

static void a_reader_without_rights_to_the_lock_reads_a_copy_and_sees_changes(void **state)
{
    struct world *world = *state;
    put_one(world);
    assert_int_equal(chmod(world->scratch->directory, 0755), 0);
    assert_int_equal(chmod(world->path, 0644), 0);
    assert_int_equal(chmod(world->lock, geteuid() == 0 ? 0600 : 0400), 0);
    pid_t child = child_start(read_without_lock_rights, world);
    wait_ready(world);
    if (geteuid() != 0) /* we are the child's user: lend ourselves the right */
        assert_int_equal(chmod(world->lock, 0600), 0);
    put_two(world);
    if (geteuid() != 0)
        assert_int_equal(chmod(world->lock, 0400), 0);
    assert_int_equal(child_end(child), 0);
}

static void read_where_no_lock_can_be_made(struct world *world)
{
    become_nobody();
    struct weir_lmdb_file *file = file_open(world, false);
    must(weir_lmdb_file_is_copy(file), 1);
    must(has(file, "one") == 1, 2);
    must(access(world->lock, F_OK) != 0, 3);
    weir_lmdb_file_free(&file);
    struct weir_lmdb_file_options options = {.write = true};
    const char *why;
    must(try_open(world, &options, &file, &why) == WEIR_EIO && errno == EACCES, 4);
    must(strcmp(why, "its lock file cannot be used") == 0, 5);
}

static void a_reader_in_a_directory_it_may_not_write_needs_no_lock_file(void **state)
{
    struct world *world = *state;
    put_one(world);
    unlink(world->lock);
    assert_int_equal(chmod(world->path, 0644), 0);
    assert_int_equal(chmod(world->scratch->directory, 0555), 0);
    child_do(read_where_no_lock_can_be_made, world);
    assert_int_equal(chmod(world->scratch->directory, 0755), 0);
}

/* Holds the only reader's place there is, until killed. */
static void hold_the_only_place(struct world *world)
{
    MDB_env *env;
    MDB_txn *txn;
    must(mdb_env_create(&env) == 0 && mdb_env_set_maxreaders(env, 1) == 0, 1);
    must(mdb_env_open(env, world->path, MDB_NOSUBDIR | MDB_RDONLY, 0) == 0, 2);
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0, 3);
    tell_ready(world);
    for (;;)
        pause();
}

static void a_full_table_of_readers_makes_a_reader_take_a_copy(void **state)
{
    struct world *world = *state;
    put_one(world);
    unlink(world->lock);
    pid_t child = child_start(hold_the_only_place, world);
    wait_ready(world);
    struct weir_lmdb_file *file = file_open(world, false);
    assert_true(weir_lmdb_file_is_copy(file));
    assert_int_equal(has(file, "one"), 1);
    weir_lmdb_file_free(&file);
    kill(child, SIGKILL);
    child_end(child);
    /* the place of the dead is free again */
    file = file_open(world, false);
    assert_false(weir_lmdb_file_is_copy(file));
    weir_lmdb_file_free(&file);
}

/* Replacing. ------------------------------------------------------------- */

static void rename_or_fail(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

/* Another file of ours at world->other with a key of its own. */
static void put_restored(struct world *world)
{
    snprintf(world->path, sizeof(world->path), "%s", world->other);
    struct weir_lmdb_file *file = file_open(world, true);
    must(put(file, "restored", 10) == 0, 1);
    weir_lmdb_file_free(&file);
}

static void a_file_that_comes_goes_and_comes_again_is_followed(void **state)
{
    struct world *world = *state;
    struct weir_lmdb_file *file = file_open(world, false);
    assert_int_equal(has(file, "one"), 2);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(has(file, "one"), 2);
    child_do(put_one, world);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(has(file, "one"), 1);
    uint64_t opened = weir_lmdb_file_times_opened(file);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(weir_lmdb_file_times_opened(file), opened);
    unlink(world->path);
    assert_int_equal(has(file, "one"), 1); /* nobody looked */
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(has(file, "one"), 2);
    child_do(put_two, world);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(has(file, "one"), 0);
    assert_int_equal(has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

static void a_restored_backup_is_followed_and_its_lock_is_a_new_one(void **state)
{
    struct world *world = *state;
    struct stat before, after;
    for (unsigned i = 0; i < 30; i++)
        child_do(put_one, world);
    child_do(put_restored, world);
    struct weir_lmdb_file *file = file_open(world, false);
    assert_int_equal(stat(world->lock, &before), 0);
    rename_or_fail(world->other, world->path);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(has(file, "restored"), 1);
    assert_int_equal(has(file, "one"), 0);
    assert_int_equal(stat(world->lock, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    child_do(put_two, world); /* a writer and we agree on the lock */
    assert_int_equal(has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

static void a_writer_follows_a_restored_backup_before_it_writes(void **state)
{
    struct world *world = *state;
    child_do(put_one, world);
    child_do(put_restored, world);
    struct weir_lmdb_file *file = file_open(world, true);
    rename_or_fail(world->other, world->path);
    assert_int_equal(put(file, "two", 5), 0);
    weir_lmdb_file_free(&file);
    file = file_open(world, false);
    assert_int_equal(has(file, "restored"), 1);
    assert_int_equal(has(file, "two"), 1);
    assert_int_equal(has(file, "one"), 0);
    weir_lmdb_file_free(&file);
}

/* Reads the old file and never looks. */
static void sit_on_the_old_file(struct world *world)
{
    struct weir_lmdb_file *file = file_open(world, false);
    must(has(file, "one") == 1, 1);
    tell_ready(world);
    for (;;)
        pause();
}

static void who_comes_after_a_restore_is_not_misled_by_the_old_lock(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < 30; i++)
        child_do(put_one, world);
    child_do(put_restored, world);
    pid_t child = child_start(sit_on_the_old_file, world);
    wait_ready(world);
    rename_or_fail(world->other, world->path);
    struct weir_lmdb_file *file = file_open(world, true);
    assert_non_null(strstr(world->logged, "belongs to a file that was replaced"));
    assert_int_equal(has(file, "restored"), 1);
    assert_int_equal(put(file, "two", 5), 0);
    weir_lmdb_file_free(&file);
    kill(child, SIGKILL);
    child_end(child);
    file = file_open(world, false);
    assert_int_equal(has(file, "restored"), 1);
    assert_int_equal(has(file, "two"), 1);
    weir_lmdb_file_free(&file);
}

static void a_damaged_replacement_is_refused_and_the_old_file_stays(void **state)
{
    struct world *world = *state;
    child_do(put_one, world);
    child_do(put_restored, world);
    struct weir_lmdb_file *file = file_open(world, true);
    char bad[256];
    snprintf(bad, sizeof(bad), "%s", scratch_path(world->scratch, "bad.db"));
    int fd = open(bad, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "damaged", 7), 7);
    close(fd);
    rename_or_fail(bad, world->path);
    world->logged[0] = '\0';
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_non_null(strstr(world->logged, "the old one stays"));
    assert_int_equal(has(file, "one"), 1);
    world->logged[0] = '\0';
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_string_equal(world->logged, ""); /* said once */
    assert_int_equal(put(file, "lost", 1), WEIR_ECORRUPT); /* into what nobody would see */
    rename_or_fail(world->other, world->path);
    assert_int_equal(weir_lmdb_file_look(file), 0);
    assert_int_equal(has(file, "restored"), 1);
    assert_int_equal(put(file, "two", 1), 0);
    weir_lmdb_file_free(&file);
}

/* Trouble while writing. ------------------------------------------------- */

static void die_while_writing(struct world *world)
{
    struct weir_lmdb_file *file = file_open(world, true);
    MDB_txn *txn;
    must(weir_lmdb_file_write(file, &txn) == 0, 1);
    char name[] = "half";
    for (unsigned i = 0; i < 500; i++) {
        char value[3000] = {0};
        name[0] = (char)('a' + i % 26);
        MDB_val k = {.mv_size = 4, .mv_data = name}, v = {.mv_size = sizeof(value),
                                                          .mv_data = value};
        must(mdb_put(txn, weir_lmdb_file_dbi(file), &k, &v, 0) == 0, 2);
    }
    kill(getpid(), SIGKILL);
}

static void a_writer_that_dies_leaves_nothing_behind_and_blocks_nobody(void **state)
{
    struct world *world = *state;
    put_one(world);
    struct weir_lmdb_file *file = file_open(world, true);
    for (unsigned i = 0; i < 3; i++) {
        int status = child_end(child_start(die_while_writing, world));
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(has(file, "half"), 0);
        assert_int_equal(put(file, "two", 20), 0);
    }
    assert_int_equal(has(file, "one"), 1);
    weir_lmdb_file_free(&file);
}

static void grow_to_six_megabytes(struct world *world)
{
    struct weir_lmdb_file *file = file_open(world, true);
    must(put(file, "large", 6 << 20) == 0, 1);
    weir_lmdb_file_free(&file);
}

static void a_reader_follows_a_file_that_outgrows_its_map(void **state)
{
    struct world *world = *state;
    struct weir_lmdb_file_options options = {.bytes_most = 1 << 20};
    struct weir_lmdb_file *file;
    const char *why;
    put_one(world);
    assert_int_equal(try_open(world, &options, &file, &why), 0);
    assert_int_equal(has(file, "one"), 1);
    child_do(grow_to_six_megabytes, world);
    assert_int_equal(has(file, "large"), 1);
    weir_lmdb_file_free(&file);
}

static void a_file_does_not_grow_beyond_its_limit(void **state)
{
    struct world *world = *state;
    struct weir_lmdb_file_options options = {.write = true, .bytes_most = 1 << 20};
    struct weir_lmdb_file *file;
    struct stat st;
    const char *why;
    assert_int_equal(try_open(world, &options, &file, &why), 0);
    assert_int_equal(put(file, "fits", 700000), 0);
    assert_int_equal(put(file, "too much", 700000), WEIR_EFULL);
    assert_int_equal(has(file, "fits"), 1);
    assert_int_equal(has(file, "too much"), 0);
    assert_int_equal(put(file, "small", 100), 0);
    assert_int_equal(stat(world->path, &st), 0);
    assert_true(st.st_size <= 1 << 20);
    weir_lmdb_file_free(&file);
}

static void write_beyond_the_file_limit(struct world *world)
{
    struct weir_lmdb_file *file = file_open(world, true);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
    must(setrlimit(RLIMIT_FSIZE, &limit) == 0, 1);
    must(put(file, "large", 3 << 20) < 0, 2);
    must(has(file, "one") == 1 && has(file, "large") == 0, 3);
    must(put(file, "two", 10) == 0, 4);
    limit.rlim_cur = RLIM_INFINITY;
    must(setrlimit(RLIMIT_FSIZE, &limit) == 0, 5);
    must(put(file, "large", 3 << 20) == 0, 6);
    weir_lmdb_file_free(&file);
}

static void a_write_that_is_cut_short_loses_nothing_that_was_there(void **state)
{
    struct world *world = *state;
    put_one(world);
    child_do(write_beyond_the_file_limit, world);
    struct weir_lmdb_file *file = file_open(world, false);
    assert_int_equal(has(file, "one"), 1);
    assert_int_equal(has(file, "two"), 1);
    assert_int_equal(has(file, "large"), 1);
    weir_lmdb_file_free(&file);
}

/* On a small disk of its own, which nobody else sees and which goes with us. */
static void fill_a_disk(struct world *world)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", world->scratch->directory, "tmpfs", 0, "size=2m") != 0)
        _exit(77);
    struct weir_lmdb_file *file = file_open(world, true);
    must(put(file, "one", 100000) == 0, 1);
    must(put(file, "large", 3 << 20) == WEIR_EFULL, 2);
    must(has(file, "one") == 1 && has(file, "large") == 0, 3);
    must(put(file, "two", 10) == 0, 4);
    must(has(file, "two") == 1, 5);
    weir_lmdb_file_free(&file);
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    int status = child_end(child_start(fill_a_disk, *state));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* not allowed to mount */
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
