/*
 * lmdb_file - one LMDB file of ours, opened with the care LMDB leaves to its users.
 *
 *     checks the file before LMDB trusts it (lmdb_check);
 *     tells our files from others' and from newer ones by a version record;
 *     makes file and lock file with the modes and the owner that fit (below);
 *     sees that the file came, went, or was replaced by rename (a restored backup);
 *     reads it also where the lock file may not be written.
 *
 * Who may read and write.  LMDB's readers must write to the lock file beside the
 * file.  So the lock file gets the file's mode, and owner and group may write it
 * where they may read the file: 0640 -> 0660, 0644 -> 0664.  A file made by root belongs
 * to the owner and group of its directory, lest weirctl lock the daemons out.
 * For a reader that may not write the lock file even so, or finds none and may not
 * make one, the file is copied (to /dev/shm or /tmp, without a name), whole, and
 * again when a look finds it changed: slower, but safe.  LMDB's own way out, reading without
 * locks, is not: a writer would reuse pages under the reader's eyes.
 *
 * Restoring a backup.  Rename it into place, never copy over the file in use: those
 * who have it mapped would see both.  The lock file belongs to the old file; the
 * first who notices the change removes it, and who may not reads a copy.
 * Stop what writes before, so that nothing is lost.
 *
 * Owner:    the caller owns the handle.  Threads: one handle, one thread; not
 *           across fork().  A process must not open the same file twice at a
 *           time: closing one would drop the locks of both.
 * Errors:   negative ones leave the handle usable; each call tries anew.
 */
#ifndef WEIR_STORE_LMDB_FILE_IO_H
#define WEIR_STORE_LMDB_FILE_IO_H

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/log.h"

struct weir_lmdb_file_options {
    const char *path;
    const char *kind;     /* the key of the version record, e.g. "weir lists" */
    uint32_t version;     /* newer ones are refused */
    bool write;           /* may make the file and write */
    unsigned mode;        /* of a new file, e.g. 0640 */
    uint64_t bytes_most;  /* the file never grows beyond; 0 = 1 GiB */
    uint64_t check_pages; /* pages checked when opened; 0 = all */
};

struct weir_lmdb_file;

/* Opens the file.  No file yet is no error; a writer makes it with its first
 * transaction.  kind must live as long as the handle.  0; WEIR_EIO with errno,
 * WEIR_ECORRUPT, WEIR_ENOMEM, WEIR_ELIMIT (path too long).  *why_r (static
 * text, always set) says more; the log has the page number. */
int weir_lmdb_file_open(const struct weir_lmdb_file_options *options, const struct weir_log *log,
                        struct weir_lmdb_file **file_r, const char **why_r);
void weir_lmdb_file_free(struct weir_lmdb_file **file);

/* Looks whether the file came, went or was replaced, and follows.  Costs two
 * stat().  A new file that is damaged or foreign is logged and not followed: the old one stays.
 * 0, or an error. */
int weir_lmdb_file_look(struct weir_lmdb_file *file);

/* Begins reading what is committed now.  1 and the transaction; 0 when there is
 * no file; an error.  After 1 (only), end with weir_lmdb_file_done(). */
int weir_lmdb_file_read(struct weir_lmdb_file *file, MDB_txn **txn_r);
void weir_lmdb_file_done(struct weir_lmdb_file *file);

/* Begins writing; waits for other writers.  Makes the file where there is none.
 * 0 and the transaction, or an error.  End it with commit (durable when it
 * returns 0) or abort. */
int weir_lmdb_file_write(struct weir_lmdb_file *file, MDB_txn **txn_r);
int weir_lmdb_file_commit(struct weir_lmdb_file *file);
void weir_lmdb_file_abort(struct weir_lmdb_file *file);

/* The unnamed database, for mdb_get() and so on. */
MDB_dbi weir_lmdb_file_dbi(const struct weir_lmdb_file *file);

/* How often the file was opened: with mdb_txn_id() it names what a reader sees. */
uint64_t weir_lmdb_file_times_opened(const struct weir_lmdb_file *file);

/* True when it is read from a copy, for want of the lock. */
bool weir_lmdb_file_is_copy(const struct weir_lmdb_file *file);

/* Our error for one of LMDB's; sets errno for WEIR_EIO. */
int weir_lmdb_file_error(int mdb_error);

#endif
