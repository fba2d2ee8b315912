/*
 * What a caller does with an LMDB file: look, read, write.  Opening is in
 * lmdb_attach_io.c.  The handle owns environment, reader and writer.
 *
 * A reader is renewed and reset for every read, so it never holds pages back
 * from the writer for longer than one look-up.
 * Refuses to write to a file that is no longer the one under its name.
 */
#include "core/store/lmdb_file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/cursor.h"
#include "core/base/error.h"
#include "core/store/lmdb_check_io.h"
#include "core/store/lmdb_file_impl.h"

enum { WRITE_TRIES = 4, DISK_LEAST = 1 << 20 };
#define BYTES_MOST (UINT64_C(1) << 30)

MDB_dbi weir_lmdb_file_dbi(const struct weir_lmdb_file *file)
{
    return file->dbi;
}

uint64_t weir_lmdb_file_times_opened(const struct weir_lmdb_file *file)
{
    return file->times_opened;
}

bool weir_lmdb_file_is_copy(const struct weir_lmdb_file *file)
{
    return file->copy;
}

/* Opening. --------------------------------------------------------------- */

static struct weir_lmdb_file *file_new(const struct weir_lmdb_file_options *options,
                                       const struct weir_log *log)
{
    struct weir_lmdb_file *file = calloc(1, sizeof(*file));
    if (!file)
        return NULL;
    snprintf(file->path, sizeof(file->path), "%s", options->path);
    snprintf(file->lock_path, sizeof(file->lock_path), "%s-lock", options->path);
    file->options = *options;
    file->options.path = file->path;
    if (file->options.bytes_most == 0)
        file->options.bytes_most = BYTES_MOST;
    file->log = log;
    file->why = "";
    return file;
}

int weir_lmdb_file_open(const struct weir_lmdb_file_options *options, const struct weir_log *log,
                        struct weir_lmdb_file **file_r, const char **why_r)
{
    *why_r = "";
    if (strlen(options->path) >= PATH_MAX) {
        *why_r = "its path is too long";
        return WEIR_ELIMIT;
    }
    struct weir_lmdb_file *file = file_new(options, log);
    if (!file) {
        *why_r = weir_error_text(WEIR_ENOMEM);
        return WEIR_ENOMEM;
    }
    int rc = weir_lmdb_attach(file, false);
    if (rc < 0) {
        int saved = errno;
        *why_r = file->why;
        weir_lmdb_file_free(&file);
        errno = saved;
        return rc;
    }
    *file_r = file;
    return 0;
}

void weir_lmdb_file_free(struct weir_lmdb_file **file)
{
    if (!file || !*file)
        return;
    weir_lmdb_detach(*file);
    free(*file);
    *file = NULL;
}

/* Looking. --------------------------------------------------------------- */

/* True when a file read from a copy has changed since. */
static bool copy_is_old(const struct weir_lmdb_file *file)
{
    uint64_t txn, octets;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    int rc = weir_lmdb_newest_fd(fd, &txn, &octets);
    close(fd);
    return rc == 0 && txn != file->copy_txn;
}

/* True when env is the file that now has our path, with the lock that now has
 * its path. */
static bool is_current(const struct weir_lmdb_file *file)
{
    struct stat st;
    if (file->broken || stat(file->path, &st) != 0 ||
        !weir_lmdb_same(weir_lmdb_identity(&st), file->data))
        return false;
    if (file->copy)
        return !copy_is_old(file) && weir_lmdb_lock_usable(file) == file->lock_usable;
    return stat(file->lock_path, &st) == 0 && weir_lmdb_same(weir_lmdb_identity(&st), file->lock);
}

static void refuse(struct weir_lmdb_file *file, const struct stat *st, int error)
{
    file->refused = *st;
    file->refused_error = error;
}

static bool is_refused(const struct weir_lmdb_file *file, const struct stat *st)
{
    const struct stat *old = &file->refused;
    return file->refused_error < 0 &&
           weir_lmdb_same(weir_lmdb_identity(old), weir_lmdb_identity(st)) &&
           old->st_size == st->st_size && old->st_mtim.tv_sec == st->st_mtim.tv_sec &&
           old->st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

/* Another file has our path.  Checked before the old one is let go; false when it
 * is damaged. */
static bool replacement_is_sound(struct weir_lmdb_file *file, const struct stat *st)
{
    char why[WEIR_LMDB_WHY];
    if (weir_lmdb_check(file->path, weir_lmdb_pages_to_check(file), why) != WEIR_ECORRUPT)
        return true;
    weir_log(file->log, WEIR_LOG_ERROR, "%s was replaced by a damaged file, the old one stays: %s",
             file->path, why);
    refuse(file, st, WEIR_ECORRUPT);
    return false;
}

/* The lock file that env holds open belongs to the old file.  Its number cannot
 * have gone to another file yet, because we hold it. */
static void old_lock_remove(const struct weir_lmdb_file *file)
{
    struct stat lock;
    if (!file->copy && stat(file->lock_path, &lock) == 0 &&
        weir_lmdb_same(weir_lmdb_identity(&lock), file->lock))
        unlink(file->lock_path);
}

static int follow(struct weir_lmdb_file *file, const struct stat *st)
{
    if (file->env && !weir_lmdb_same(weir_lmdb_identity(st), file->data)) {
        if (!replacement_is_sound(file, st))
            return 0;
        weir_log(file->log, WEIR_LOG_INFO, "%s was replaced", file->path);
        old_lock_remove(file);
    }
    weir_lmdb_detach(file);
    file->refused_error = 0;
    int rc = weir_lmdb_attach(file, false);
    if (rc < 0) {
        int saved = errno;
        weir_log(file->log, WEIR_LOG_ERROR, "%s cannot be used: %s", file->path, file->why);
        refuse(file, st, rc);
        errno = saved;
    }
    return rc;
}

int weir_lmdb_file_look(struct weir_lmdb_file *file)
{
    struct stat st;
    if (file->env && is_current(file))
        return 0;
    if (stat(file->path, &st) != 0) {
        if (errno != ENOENT)
            return WEIR_EIO;
        if (file->env)
            weir_log(file->log, WEIR_LOG_WARNING, "%s is gone", file->path);
        weir_lmdb_detach(file);
        return 0;
    }
    if (is_refused(file, &st) && !file->broken)
        return file->env ? 0 : file->refused_error;
    return follow(file, &st);
}

/* Reading. --------------------------------------------------------------- */

/* Another process made the file grow beyond our map. */
static int map_grow(struct weir_lmdb_file *file)
{
    int error = mdb_env_set_mapsize(file->env, 0);
    if (error)
        weir_lmdb_detach(file); /* there is no map now: nothing may touch env */
    return error;
}

static int reader_renew(struct weir_lmdb_file *file)
{
    if (weir_lmdb_has_shrunk(file))
        return MDB_CORRUPTED;
    int error = mdb_txn_renew(file->reader);
    if (error == MDB_MAP_RESIZED) {
        error = map_grow(file);
        if (!error)
            error = mdb_txn_renew(file->reader);
    }
    return error;
}

int weir_lmdb_file_read(struct weir_lmdb_file *file, MDB_txn **txn_r)
{
    if (!file->env)
        return 0;
    int error = reader_renew(file);
    if (error) {
        /* a lost reader slot, a failed disk: what can be mended is mended by opening anew */
        weir_log(file->log, WEIR_LOG_WARNING, "%s: %s; opening it again", file->path,
                 mdb_strerror(error));
        file->broken = true;
        int rc = weir_lmdb_file_look(file);
        if (rc < 0)
            return rc;
        if (!file->env)
            return 0;
        error = reader_renew(file);
    }
    if (error)
        return weir_lmdb_file_error(error);
    *txn_r = file->reader;
    return 1;
}

void weir_lmdb_file_done(struct weir_lmdb_file *file)
{
    mdb_txn_reset(file->reader);
}

/* Writing. --------------------------------------------------------------- */

/* Puts the version record into a file that has none yet.  0 or LMDB's error. */
static int version_put(struct weir_lmdb_file *file)
{
    char kind[64];
    uint8_t record[4];
    struct weir_writer w = weir_writer(record, sizeof(record));
    weir_write_u32(&w, file->options.version);
    snprintf(kind, sizeof(kind), "%s", file->options.kind);
    MDB_val key = {.mv_size = strlen(kind), .mv_data = kind};
    MDB_val value = {.mv_size = sizeof(record), .mv_data = record};
    int error = mdb_put(file->writer, file->dbi, &key, &value, MDB_NOOVERWRITE);
    return error == MDB_KEYEXIST ? 0 : error;
}

static int writer_begin(struct weir_lmdb_file *file)
{
    int error = mdb_txn_begin(file->env, NULL, 0, &file->writer);
    if (error == MDB_MAP_RESIZED) {
        error = map_grow(file);
        if (!error)
            error = mdb_txn_begin(file->env, NULL, 0, &file->writer);
    }
    if (error)
        file->writer = NULL;
    return error;
}

/* Looks, makes what is missing, and begins.  1; 0 when the file changed under our
 * feet; or an error. */
static int write_try(struct weir_lmdb_file *file)
{
    int rc = weir_lmdb_file_look(file);
    if (rc == 0 && !file->env)
        rc = weir_lmdb_files_make(file);
    if (rc == 0 && !file->env)
        rc = weir_lmdb_attach(file, true);
    if (rc < 0)
        return rc;
    int error = writer_begin(file);
    if (error == MDB_PANIC || error == EINVAL) {
        file->broken = true;
        return 0;
    }
    /* only now, with the writer's lock held, does the answer stay true */
    if (!error && !is_current(file)) {
        weir_lmdb_file_abort(file);
        return file->refused_error < 0 ? file->refused_error : 0;
    }
    if (!error)
        error = version_put(file);
    if (!error)
        return 1;
    weir_lmdb_file_abort(file);
    return weir_lmdb_file_error(error);
}

int weir_lmdb_file_write(struct weir_lmdb_file *file, MDB_txn **txn_r)
{
    if (!file->options.write)
        return WEIR_EINVAL;
    int rc = 0;
    for (unsigned tries = 0; tries < WRITE_TRIES && rc == 0; tries++)
        rc = write_try(file);
    if (rc == 0) {
        errno = EAGAIN;
        return WEIR_EIO;
    }
    if (rc < 0)
        return rc;
    *txn_r = file->writer;
    return 0;
}

/* LMDB calls a write that was cut short an I/O error; most often the disk is full. */
static bool disk_is_full(const struct weir_lmdb_file *file)
{
    struct statvfs disk;
    return statvfs(file->path, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize < DISK_LEAST;
}

int weir_lmdb_file_commit(struct weir_lmdb_file *file)
{
    int error = mdb_txn_commit(file->writer);
    file->writer = NULL;
    if (!error)
        return 0;
    if (error == EIO && disk_is_full(file))
        error = ENOSPC;
    int rc = weir_lmdb_file_error(error), saved = errno;
    weir_log(file->log, WEIR_LOG_ERROR, "%s: nothing was stored: %s", file->path,
             mdb_strerror(error));
    errno = saved;
    return rc;
}

void weir_lmdb_file_abort(struct weir_lmdb_file *file)
{
    if (file->writer)
        mdb_txn_abort(file->writer);
    file->writer = NULL;
}
