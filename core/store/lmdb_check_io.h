/*
 * lmdb_check - is this file a sound LMDB database?
 *
 * LMDB trusts its file: a damaged page can crash the reader, and later the
 * writer.  This reads the file's pages with bounds before LMDB uses them: both
 * meta pages, then every reachable branch, leaf and overflow page of every tree and the
 * lists of free pages, each page at most once.
 *
 * While other processes write: a page may be used anew after two further
 * commits.  The check then begins again, some times.  Where that is not good enough
 * (large file, quick writers): weir_lmdb_check(path, 0, why), which looks at the meta
 * pages alone; mdb_env_open(); begin a read transaction, which holds the pages
 * still; weir_lmdb_check_fd(); only then read.
 *
 * Limits:   LMDB 0.9 data format 1, 64-bit, this machine's octet order, pages
 *           of 4 to 32 KiB.  Databases with flags (MDB_DUPSORT, MDB_INTEGERKEY
 *           ...) are refused: Weir has none.  Reads at most pages_most pages (depth at
 *           most 32), after which the file passes as far as it was read.
 *           Values are not looked into.  Says nothing about damage done later.
 */
#ifndef WEIR_STORE_LMDB_CHECK_IO_H
#define WEIR_STORE_LMDB_CHECK_IO_H

#include <stddef.h>
#include <stdint.h>

#define WEIR_LMDB_WHY 128

/* 1 sound; 0 there is no such file or it is empty; WEIR_ECORRUPT and a
 * sentence in why (page number, what is wrong); WEIR_EIO with errno (EAGAIN:
 * others write too quickly); WEIR_ENOMEM.  why is "" or static text then. */
int weir_lmdb_check(const char *path, uint64_t pages_most, char why[static WEIR_LMDB_WHY]);

/* The same for an open file, e.g. that of mdb_env_get_fd(). */
int weir_lmdb_check_fd(int fd, uint64_t pages_most, char why[static WEIR_LMDB_WHY]);

/* The number of the newest transaction in an open file, and how many octets
 * from the start belong to it (the file may be shorter).  0; WEIR_ECORRUPT when
 * the meta pages are not sound; WEIR_EIO. */
int weir_lmdb_newest_fd(int fd, uint64_t *txn_r, uint64_t *octets_r);

#endif
