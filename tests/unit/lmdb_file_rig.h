/*
 * lmdb_file_rig - an LMDB file of a test's own, used by several processes.
 */
#ifndef WEIR_TESTS_LMDB_FILE_RIG_H
#define WEIR_TESTS_LMDB_FILE_RIG_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/store/lmdb_file_io.h"
#include "tests/unit/scratch.h"

struct file_rig {
    struct scratch *scratch;
    char path[256], lock[256], other[256];
    char logged[2000];
    struct weir_log log;
    int ready[2]; /* a pipe: a child tells that it has come so far */
};

/* For cmocka: *state is the rig. */
int file_rig_setup(void **state);
int file_rig_teardown(void **state);

/* Opens the rig's file; what options leave out (path, kind, version 3, mode) is added. */
int file_rig_try(struct file_rig *rig, const struct weir_lmdb_file_options *given,
                 struct weir_lmdb_file **file_r, const char **why_r);
struct weir_lmdb_file *file_rig_open(struct file_rig *rig, bool write);

/* Stores so many octets under a key: 0 or an error. */
int file_rig_put(struct weir_lmdb_file *file, const char *key, size_t len);

/* 1 the key is there, 0 not, 2 there is no file, or an error. */
int file_rig_has(struct weir_lmdb_file *file, const char *key);

/* Work in a process of its own: its start, its end (as of waitpid()), or both, and well. */
pid_t file_rig_start(void (*work)(struct file_rig *rig), struct file_rig *rig);
int file_rig_end(pid_t child);
void file_rig_do(void (*work)(struct file_rig *rig), struct file_rig *rig);

/* For children, where cmocka's assertions would not end the process. */
void rig_must(bool holds, int code);

/* A child tells that it has come so far; its parent waits for that. */
void file_rig_tell(struct file_rig *rig);
void file_rig_wait(struct file_rig *rig);

/* Work for a child: opens, stores "one" or "two", closes. */
void file_rig_put_one(struct file_rig *rig);
void file_rig_put_two(struct file_rig *rig);

#endif
