/*
 * Every step is asserted; a child that finds something wrong ends with a code.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lmdb_file_rig.h"

static void log_keep(void *context, enum weir_log_level level, const char *line)
{
    struct file_rig *rig = context;
    size_t len = strlen(rig->logged);
    (void)level;
    snprintf(rig->logged + len, sizeof(rig->logged) - len, "%s\n", line);
}

int file_rig_setup(void **state)
{
    struct file_rig *rig = calloc(1, sizeof(*rig));
    if (!rig)
        return -1;
    rig->scratch = scratch_new();
    snprintf(rig->path, sizeof(rig->path), "%s", scratch_path(rig->scratch, "a.db"));
    snprintf(rig->lock, sizeof(rig->lock), "%s", scratch_path(rig->scratch, "a.db-lock"));
    snprintf(rig->other, sizeof(rig->other), "%s", scratch_path(rig->scratch, "b.db"));
    if (pipe(rig->ready) != 0)
        return -1;
    rig->log = (struct weir_log){.write = log_keep, .context = rig, .most = WEIR_LOG_DEBUG};
    *state = rig;
    return 0;
}

int file_rig_teardown(void **state)
{
    struct file_rig *rig = *state;
    close(rig->ready[0]);
    close(rig->ready[1]);
    scratch_free(rig->scratch);
    free(rig);
    return 0;
}

int file_rig_try(struct file_rig *rig, const struct weir_lmdb_file_options *given,
                    struct weir_lmdb_file **file_r, const char **why_r)
{
    struct weir_lmdb_file_options options = *given;
    if (!options.path)
        options.path = rig->path;
    if (!options.kind)
        options.kind = "weir test";
    if (options.version == 0)
        options.version = 3;
    if (options.mode == 0)
        options.mode = 0640;
    return weir_lmdb_file_open(&options, &rig->log, file_r, why_r);
}

struct weir_lmdb_file *file_rig_open(struct file_rig *rig, bool write)
{
    struct weir_lmdb_file_options options = {.write = write};
    struct weir_lmdb_file *file = NULL;
    const char *why;
    int rc = file_rig_try(rig, &options, &file, &why);
    if (rc != 0)
        fail_msg("open: %d %s; %s", rc, why, rig->logged);
    return file;
}

int file_rig_put(struct weir_lmdb_file *file, const char *key, size_t len)
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

int file_rig_has(struct weir_lmdb_file *file, const char *key)
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

pid_t file_rig_start(void (*work)(struct file_rig *rig), struct file_rig *rig)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing running */
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        work(rig);
        _exit(0);
    }
    return child;
}

int file_rig_end(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void file_rig_do(void (*work)(struct file_rig *rig), struct file_rig *rig)
{
    assert_int_equal(file_rig_end(file_rig_start(work, rig)), 0);
}

void rig_must(bool holds, int code)
{
    if (!holds)
        _exit(code);
}

void file_rig_tell(struct file_rig *rig)
{
    rig_must(write(rig->ready[1], "x", 1) == 1, 8);
}

void file_rig_wait(struct file_rig *rig)
{
    char octet;
    struct pollfd wait = {.fd = rig->ready[0], .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    assert_int_equal(read(rig->ready[0], &octet, 1), 1);
}

void file_rig_put_one(struct file_rig *rig)
{
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    rig_must(file_rig_put(file, "one", 10) == 0, 1);
    weir_lmdb_file_free(&file);
}

void file_rig_put_two(struct file_rig *rig)
{
    struct weir_lmdb_file *file = file_rig_open(rig, true);
    rig_must(file_rig_put(file, "two", 10) == 0, 1);
    weir_lmdb_file_free(&file);
}
