/*
 * A file for the check; LMDB reads and writes what it lets through.  The input is
 * a list of changes to a sound file, so that the fuzzer need not learn to make
 * one: page, offset (each 2 octets), value (1); an input that begins with LMDB's
 * meta page is the file itself.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/store/lmdb_check_io.h"
#include "tests/unit/lmdb_walk.h"

enum { PAGE = 4096, FILE_MOST = 64 * PAGE };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void file_put(int fd, const void *octets, size_t len, size_t at)
{
    if (pwrite(fd, octets, len, (off_t)at) != (ssize_t)len)
        abort();
}

/* Some of everything: branches, overflow runs, free lists, a named database. */
static size_t file_make(uint8_t file[static FILE_MOST])
{
    char path[64];
    int fd = memfd_create("weir-fuzz", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, 2) ||
        mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600))
        abort();
    for (int round = 0; round < 4; round++) {
        if (mdb_txn_begin(env, NULL, 0, &txn) ||
            mdb_dbi_open(txn, round % 2 ? "one" : NULL, MDB_CREATE, &dbi))
            abort();
        lmdb_walk_put(txn, dbi, round);
        lmdb_walk_database(txn, dbi, round > 1);
        if (mdb_txn_commit(txn))
            abort();
    }
    mdb_env_close(env);
    ssize_t len = pread(fd, file, FILE_MOST, 0);
    close(fd);
    return len > 0 ? (size_t)len : 0;
}

static int file_changed(const uint8_t *bytes, size_t len)
{
    static uint8_t sound[FILE_MOST];
    static size_t sound_len;
    if (sound_len == 0)
        sound_len = file_make(sound);
    int fd = memfd_create("weir-fuzz", MFD_CLOEXEC);
    file_put(fd, sound, sound_len, 0);
    for (; len >= 5; bytes += 5, len -= 5) {
        size_t page = (size_t)(bytes[0] << 8 | bytes[1]) % (sound_len / PAGE);
        size_t offset = (size_t)(bytes[2] << 8 | bytes[3]) % PAGE;
        file_put(fd, bytes + 4, 1, page * PAGE + offset);
    }
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char why[WEIR_LMDB_WHY], path[64];
    bool whole = len >= (size_t)2 * PAGE && bytes[10] == 8;
    int fd = whole ? memfd_create("weir-fuzz", MFD_CLOEXEC) : file_changed(bytes, len);
    if (whole)
        file_put(fd, bytes, len, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (weir_lmdb_check_fd(fd, UINT64_MAX, why) == 1)
        lmdb_walk(path);
    close(fd);
    return 0;
}
