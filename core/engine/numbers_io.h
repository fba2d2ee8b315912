/*
 * numbers_io - the files that numbers lie in: made and shared by who counts, read by who asks.
 *
 *     FOLDER/weir-milter     [weir] numbers_folder; made when missing, 0770; files 0660
 *
 * A file is made in its full length beside its place and renamed there, so that nobody sees half of
 * one, and no write to it can fail later for want of room.  It stays when its programs end: counts
 * go on from there.  A file of another version, or a damaged one, is replaced by whoever counts
 * next; but for a process that lives for one message, where a daemon counts in it.  One that cannot
 * be opened stays.
 *
 * Daemons hold a lock on their file as long as they live, however they end: by it a reader knows
 * whether one runs.  Two that run at once count together.
 *
 * Owner:    the caller.  Threads: opening and closing: one.  After fork() a child opens anew.
 * Errors:   WEIR_ENOMEM only: where there can be no file, that is logged once (by what is no daemon
 *           for debugging only, as each message would), and numbers are counted in this process,
 *           where nobody asks for them.
 * Bugs:     as with the counters' file, a disk that fails, or somebody of the group who shortens
 *           the file, can crash a process that counts in it.  Readers read, and do not map it.
 */
#ifndef WEIR_ENGINE_NUMBERS_IO_H
#define WEIR_ENGINE_NUMBERS_IO_H

#include <stdbool.h>

#include "core/base/log.h"
#include "core/engine/config.h"
#include "core/engine/numbers.h"

/* Opens those of a program, in the configuration's folder; where it names none, in memory.  lives:
 * it is a daemon.  0 or WEIR_ENOMEM. */
int weir_numbers_open(const struct weir_config *config, enum weir_numbers_program program,
                      bool lives, const struct weir_log *log, struct weir_numbers **numbers_r);

/* NULL is accepted; whoever has histograms of it must have ended. */
void weir_numbers_close(struct weir_numbers **numbers);

/* A copy of a program's numbers. */
struct weir_numbers_area;
struct weir_numbers_copy {
    struct weir_numbers_area *area; /* NULL: there are none */
    bool up;                        /* a daemon of this name runs, and counts there */
};

/* 1; 0 when it never ran here; WEIR_ECORRUPT for a file of another version; WEIR_EIO,
 * WEIR_ENOMEM, WEIR_ELIMIT (the path). */
int weir_numbers_read(const struct weir_config *config, enum weir_numbers_program program,
                      struct weir_numbers_copy *copy_r);
void weir_numbers_forget(struct weir_numbers_copy *copy);

#endif
