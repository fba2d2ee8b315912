/*
 * lmdb_file_impl - the handle of an LMDB file, shared by the two files that make
 * it work: lmdb_file_io.c (what a caller does) and lmdb_attach_io.c (opening).
 */
#ifndef WEIR_STORE_LMDB_FILE_IMPL_H
#define WEIR_STORE_LMDB_FILE_IMPL_H

#include <limits.h>
#include <sys/stat.h>

#include "core/store/lmdb_file_io.h"

/* Which file it is, whatever its name. */
struct weir_lmdb_identity {
    dev_t device;
    ino_t inode;
};

struct weir_lmdb_file {
    char path[PATH_MAX], lock_path[PATH_MAX + 8];
    struct weir_lmdb_file_options options;
    const struct weir_log *log;

    MDB_env *env; /* NULL: there is no file */
    MDB_txn *reader; /* lives as long as env; between reads it is reset */
    MDB_txn *writer;
    MDB_dbi dbi;
    bool broken; /* LMDB has given up on env: open it anew */
    uint64_t times_opened;
    off_t size; /* of the file when it was last read */

    struct weir_lmdb_identity data, lock; /* of env */
    bool copy;         /* env is a copy of our own, of the transaction */
    uint64_t copy_txn; /* with this number */
    bool lock_usable;  /* when env was opened */

    struct stat refused; /* a damaged or foreign file, not to be tried again */
    int refused_error;   /* 0: none */
    const char *why;     /* of the last error; static text */
};

struct weir_lmdb_identity weir_lmdb_identity(const struct stat *st);
bool weir_lmdb_same(struct weir_lmdb_identity a, struct weir_lmdb_identity b);

/* True when this process may use the lock file, or make it. */
bool weir_lmdb_lock_usable(const struct weir_lmdb_file *file);

/* True when the file is shorter than it was: somebody has cut it or copied over it,
 * and to touch the map would be the end of the process. */
bool weir_lmdb_has_shrunk(struct weir_lmdb_file *file);

/* How many pages of it are checked. */
uint64_t weir_lmdb_pages_to_check(const struct weir_lmdb_file *file);

/* Makes data and lock file where they are missing.  0 or WEIR_EIO. */
int weir_lmdb_files_make(struct weir_lmdb_file *file);

/* Opens env; it must be NULL.  An empty file is no file unless may_be_empty.
 * 0 (env may still be NULL) or an error and why. */
int weir_lmdb_attach(struct weir_lmdb_file *file, bool may_be_empty);
void weir_lmdb_detach(struct weir_lmdb_file *file);

#endif
