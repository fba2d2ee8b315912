/*
 * Opening an LMDB file: make, check, lock, or copy.  Owns nothing but what it
 * hands to the handle: environment and reader.
 *
 * The order matters.  First the meta pages are checked alone, so that LMDB may
 * map the file; then a read transaction begins, which keeps writers off the pages it sees;
 * then the pages are checked, in peace; only then does LMDB read any.
 *
 * Refuses damaged and foreign files and lock files of another file.
 */
#include "core/store/lmdb_file_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#include "core/base/cursor.h"
#include "core/base/error.h"
#include "core/store/lmdb_check_io.h"

enum {
    READERS_MOST = 4094, /* each Exim process is one; 64 octets of the lock file each */
    LOCK_SIZE = 64 * (READERS_MOST + 4),
    OPEN_TRIES = 12,     /* others may be opening or closing at the same moment */
    COPY_TRIES = 8,
    COPY_PATH = 32,
};

struct weir_lmdb_identity weir_lmdb_identity(const struct stat *st)
{
    return (struct weir_lmdb_identity){.device = st->st_dev, .inode = st->st_ino};
}

bool weir_lmdb_same(struct weir_lmdb_identity a, struct weir_lmdb_identity b)
{
    return a.device == b.device && a.inode == b.inode;
}

int weir_lmdb_file_error(int mdb_error)
{
    switch (mdb_error) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return WEIR_EFULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
        return WEIR_ECORRUPT;
    case ENOMEM:
        return WEIR_ENOMEM;
    default:
        errno = mdb_error > 0 ? mdb_error : EIO;
        return WEIR_EIO;
    }
}

static int fail(struct weir_lmdb_file *file, int error, const char *why)
{
    file->why = why;
    return error;
}

/* Making. ---------------------------------------------------------------- */

/* The directory a path lies in. */
static const char *directory(const char *path, char room[static PATH_MAX])
{
    snprintf(room, PATH_MAX, "%s", path);
    char *slash = strrchr(room, '/');
    if (!slash)
        return ".";
    slash[slash == room ? 1 : 0] = '\0';
    return room;
}

/* Makes a file of exactly this mode, like another file in owner and group as far
 * as we may say so, with room for size octets on the disk.  0 (also when it is
 * there) or WEIR_EIO. */
static int file_make(const char *path, unsigned mode, const struct stat *like, off_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : WEIR_EIO;
    int rc = 0;
    if (geteuid() == 0)
        rc = fchown(fd, like->st_uid, like->st_gid);
    if (rc == 0)
        rc = fchmod(fd, mode & 0666);
    if (rc == 0 && size > 0 && (errno = posix_fallocate(fd, 0, size)) != 0)
        rc = -1;
    if (rc != 0)
        (void)unlink(path);
    int saved = errno;
    close(fd);
    errno = saved;
    return rc == 0 ? 0 : WEIR_EIO;
}

static unsigned lock_mode(unsigned mode)
{
    return mode | (mode & 0440) >> 1;
}

static int lock_make(struct weir_lmdb_file *file)
{
    struct stat data;
    if (stat(file->path, &data) != 0)
        return WEIR_EIO;
    /* LMDB maps the lock file and writes into the map: on a full disk that would be
     * the end of the process. */
    return file_make(file->lock_path, lock_mode(data.st_mode & 0666), &data, LOCK_SIZE);
}

int weir_lmdb_files_make(struct weir_lmdb_file *file)
{
    char room[PATH_MAX];
    struct stat like;
    int fd = open(directory(file->path, room), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(file, WEIR_EIO, "its directory cannot be opened");
    int rc = fstat(fd, &like) == 0 ? file_make(file->path, file->options.mode, &like, 0)
                                     : WEIR_EIO;
    if (rc == 0)
        rc = lock_make(file);
    if (rc == 0 && fsync(fd) != 0) /* else the name might not survive a crash */
        rc = WEIR_EIO;
    int saved = errno;
    close(fd);
    errno = saved;
    return rc < 0 ? fail(file, rc, "it cannot be made") : 0;
}

/* access() and not open(): LMDB's locks would fall with the first close(). */
bool weir_lmdb_lock_usable(const struct weir_lmdb_file *file)
{
    char room[PATH_MAX];
    if (faccessat(AT_FDCWD, file->lock_path, R_OK | W_OK, AT_EACCESS) == 0)
        return true;
    return errno == ENOENT &&
           faccessat(AT_FDCWD, directory(file->path, room), W_OK | X_OK, AT_EACCESS) == 0;
}

/* Opening. --------------------------------------------------------------- */

void weir_lmdb_detach(struct weir_lmdb_file *file)
{
    if (file->writer)
        mdb_txn_abort(file->writer);
    if (file->reader)
        mdb_txn_abort(file->reader);
    if (file->env)
        mdb_env_close(file->env);
    file->writer = file->reader = NULL;
    file->env = NULL;
    file->broken = false;
    file->copy = false;
}

/* mdb_env_open() and the reader.  0 or one of LMDB's errors; *lock_belongs_r is
 * false when the lock file speaks of transactions that the file does not have. */
static int env_open(struct weir_lmdb_file *file, const char *path, unsigned flags,
                    bool *lock_belongs_r)
{
    MDB_envinfo before, after;
    int dead, error = mdb_env_create(&file->env);
    if (!error)
        error = mdb_env_set_mapsize(file->env, file->options.bytes_most);
    if (!error)
        error = mdb_env_set_maxreaders(file->env, READERS_MOST);
    if (!error)
        error = mdb_env_open(file->env, path, flags | MDB_NOSUBDIR | MDB_NOTLS,
                             lock_mode(file->options.mode));
    if (!error)
        error = mdb_env_info(file->env, &before);
    if (!error)
        error = mdb_reader_check(file->env, &dead);
    if (!error)
        error = mdb_txn_begin(file->env, NULL, MDB_RDONLY, &file->reader);
    if (!error)
        error = mdb_env_info(file->env, &after);
    if (error) {
        weir_lmdb_detach(file);
        return error;
    }
    /* a writer stores its number in the file first, then in the lock file */
    size_t seen = mdb_txn_id(file->reader);
    *lock_belongs_r = seen + 1 >= before.me_last_txnid && seen <= after.me_last_txnid;
    return 0;
}

static off_t size_of(struct weir_lmdb_file *file)
{
    struct stat st;
    int fd;
    return mdb_env_get_fd(file->env, &fd) == 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
}

bool weir_lmdb_has_shrunk(struct weir_lmdb_file *file)
{
    off_t size = size_of(file);
    if (size < file->size)
        return true;
    file->size = size;
    return false;
}

/* The version record.  0 or an error and why. */
static int version_check(struct weir_lmdb_file *file)
{
    MDB_val key = {.mv_size = strlen(file->options.kind)}, value;
    MDB_stat stat;
    char kind[64];
    snprintf(kind, sizeof(kind), "%s", file->options.kind);
    key.mv_data = kind;
    int error = mdb_dbi_open(file->reader, NULL, 0, &file->dbi);
    if (!error)
        error = mdb_stat(file->reader, file->dbi, &stat);
    if (!error && stat.ms_entries == 0)
        return 0;
    if (!error)
        error = mdb_get(file->reader, file->dbi, &key, &value);
    if (error == MDB_NOTFOUND)
        return fail(file, WEIR_ECORRUPT, "it is a database of some other program");
    if (error)
        return fail(file, weir_lmdb_file_error(error), "it cannot be read");
    struct weir_reader r = weir_reader(value.mv_data, value.mv_size);
    uint32_t version = weir_read_u32(&r);
    if (!weir_reader_done(&r) || version == 0)
        return fail(file, WEIR_ECORRUPT, "its version record is damaged");
    if (version > file->options.version)
        return fail(file, WEIR_ECORRUPT, "it was written by a newer Weir");
    return 0;
}

uint64_t weir_lmdb_pages_to_check(const struct weir_lmdb_file *file)
{
    uint64_t pages = file->options.check_pages;
    return pages > 0 ? pages : UINT64_MAX;
}

/* With env and reader open: looks at every page, then at the version. */
static int content_check(struct weir_lmdb_file *file)
{
    char why[WEIR_LMDB_WHY];
    int fd, error = mdb_env_get_fd(file->env, &fd);
    if (error)
        return fail(file, weir_lmdb_file_error(error), "it cannot be read");
    int rc = weir_lmdb_check_fd(fd, weir_lmdb_pages_to_check(file), why);
    if (rc == WEIR_ECORRUPT)
        weir_log(file->log, WEIR_LOG_ERROR, "%s is damaged: %s", file->path, why);
    if (rc < 0)
        return fail(file, rc, rc == WEIR_ECORRUPT ? "it is damaged" : "it cannot be read");
    return version_check(file);
}

static int identities_note(struct weir_lmdb_file *file)
{
    struct stat data, lock;
    int fd, error = mdb_env_get_fd(file->env, &fd);
    if (error || fstat(fd, &data) != 0 || stat(file->lock_path, &lock) != 0)
        return fail(file, WEIR_EIO, "it vanished while it was opened");
    file->data = weir_lmdb_identity(&data);
    file->lock = weir_lmdb_identity(&lock);
    return 0;
}

static bool worth_retry(int error)
{
    return error != ENOMEM && error != EACCES && error != EPERM && error != EROFS &&
           error != ENOENT && error != EMFILE && error != ENFILE && error != MDB_READERS_FULL;
}

/* Opens the file with its lock.  1 done; 0 the lock is of no use; or an error. */
static int attach_shared(struct weir_lmdb_file *file)
{
    unsigned flags = file->options.write ? 0 : MDB_RDONLY;
    int error = 0;
    for (unsigned tries = 0; tries < OPEN_TRIES; tries++) {
        bool belongs = true;
        if (lock_make(file) < 0)
            return 0;
        error = env_open(file, file->path, flags, &belongs);
        if (!error && belongs)
            return identities_note(file) < 0 ? WEIR_EIO : 1;
        if (!error) {
            weir_lmdb_detach(file);
            weir_log(file->log, WEIR_LOG_WARNING, "%s belongs to a file that was replaced",
                     file->lock_path);
            if (unlink(file->lock_path) != 0)
                return 0;
        } else if (!worth_retry(error)) {
            break;
        }
        struct timespec moment = {.tv_nsec = 1000000L * (tries + 1)};
        nanosleep(&moment, NULL);
    }
    if (error == EACCES || error == EROFS || error == MDB_READERS_FULL)
        return 0;
    return fail(file, error ? weir_lmdb_file_error(error) : WEIR_EIO, "it cannot be opened");
}

/* Copying. --------------------------------------------------------------- */

/* Copies len octets, or what there is, from the start on.  0 or WEIR_EIO. */
static int octets_copy(int from, int to, uint64_t len)
{
    off_t at = 0;
    while ((uint64_t)at < len) {
        ssize_t done = sendfile(to, from, &at, (size_t)(len - (uint64_t)at));
        if (done < 0 && errno != EINTR)
            return WEIR_EIO;
        if (done == 0)
            break;
    }
    return 0;
}

/* Copies what the newest transaction sees.  The meta pages come first; the
 * pages they lead to are used anew only after two further commits, so when
 * at most one came meanwhile, the copy is whole.  1, 0 when it is not, or an error. */
static int copy_once(const struct weir_lmdb_file *file, int from, int to, uint64_t *txn_r)
{
    uint64_t octets, after;
    int rc = weir_lmdb_newest_fd(from, &after, &octets);
    if (rc == 0 && octets > file->options.bytes_most)
        return WEIR_ELIMIT;
    if (rc == 0)
        rc = octets_copy(from, to, octets);
    if (rc == 0)
        rc = weir_lmdb_newest_fd(to, txn_r, &octets);
    if (rc == 0)
        rc = weir_lmdb_newest_fd(from, &after, &octets);
    if (rc < 0)
        return rc;
    return after <= *txn_r + 1;
}

/* A file of our own under a name that nobody guesses, in memory where possible.
 * A memfd would be nicer, but LMDB wants a path, and /proc/self/fd is closed to
 * processes that have changed their user, as mail servers do. */
static int copy_file(char path[static COPY_PATH])
{
    static const char *const directories[] = {"/dev/shm", "/tmp"};
    int fd = -1;
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]) && fd < 0; i++) {
        snprintf(path, COPY_PATH, "%s/weir-XXXXXX", directories[i]);
        fd = mkostemp(path, O_CLOEXEC);
    }
    return fd;
}

/* Fills the copy, again when a writer was quicker.  0 or an error. */
static int copy_fill(struct weir_lmdb_file *file, int from, int to)
{
    int rc = 0;
    for (unsigned tries = 0; tries < COPY_TRIES; tries++) {
        if (ftruncate(to, 0) != 0)
            return WEIR_EIO;
        rc = copy_once(file, from, to, &file->copy_txn);
        if (rc == 1)
            return 0;
        if (rc < 0 && rc != WEIR_ECORRUPT) /* half a new meta page looks damaged */
            return rc;
    }
    errno = EAGAIN;
    return rc == 0 ? WEIR_EIO : rc;
}

/* Copies the file to path and gives the copy to LMDB. */
static int copy_open(struct weir_lmdb_file *file, int from, int to, const char *path)
{
    struct stat st;
    bool ignored;
    int rc = fstat(from, &st) == 0 ? copy_fill(file, from, to) : WEIR_EIO;
    if (rc < 0)
        return fail(file, rc, "it cannot be copied");
    file->data = weir_lmdb_identity(&st);
    int error = env_open(file, path, MDB_RDONLY | MDB_NOLOCK, &ignored);
    return error ? fail(file, weir_lmdb_file_error(error), "its copy cannot be opened") : 0;
}

static int attach_copy(struct weir_lmdb_file *file)
{
    char path[COPY_PATH];
    int to = copy_file(path);
    int from = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = WEIR_EIO;
    if (to < 0 || from < 0)
        file->why = "it cannot be copied";
    else
        rc = copy_open(file, from, to, path);
    int saved = errno;
    if (to >= 0)
        unlink(path); /* it lives as long as LMDB has it open */
    if (to >= 0)
        close(to);
    if (from >= 0)
        close(from);
    errno = saved;
    file->copy = rc == 0;
    return rc;
}

int weir_lmdb_attach(struct weir_lmdb_file *file, bool may_be_empty)
{
    char why[WEIR_LMDB_WHY];
    int rc = weir_lmdb_check(file->path, 0, why);
    if (rc == WEIR_ECORRUPT)
        weir_log(file->log, WEIR_LOG_ERROR, "%s is damaged: %s", file->path, why);
    if (rc < 0)
        return fail(file, rc, rc == WEIR_ECORRUPT ? "it is damaged" : "it cannot be read");
    if (rc == 0 && !may_be_empty)
        return 0;
    file->lock_usable = weir_lmdb_lock_usable(file);
    rc = file->lock_usable ? attach_shared(file) : 0;
    if (rc == 0 && file->options.write) {
        errno = EACCES;
        rc = fail(file, WEIR_EIO, "its lock file cannot be used");
    } else if (rc == 0) {
        rc = attach_copy(file);
    }
    if (rc >= 0)
        rc = content_check(file);
    if (rc < 0) {
        int saved = errno;
        weir_lmdb_detach(file);
        errno = saved;
        return rc;
    }
    mdb_txn_reset(file->reader);
    file->times_opened++;
    file->size = size_of(file);
    return 0;
}
