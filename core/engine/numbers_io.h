/*
 * numbers_io - the files that numbers lie in: added to by who counts, read by who asks.
 *
 *     FOLDER/weir-milter     [weir] numbers_folder; made when missing, 01770; files 0640
 *
 *     this process counts in its own memory
 *          |  each second (a daemon), after each message and each question of an ACL (Exim):
 *          |  what came since the last time
 *     FOLDER/NAME: read, added to, written back, under a lock that is only tried
 *
 * Nothing of a file is mapped: whatever somebody does to it - cuts it short, removes it, puts a
 * link, a folder or a pipe in its place, fills the disk - nobody who counts is hurt or waits.  The
 * file is looked at each time, and made anew, beside its place and renamed there, when it is not
 * ours: of another version, damaged (numbers_table.h), of another owner, under two names.  A daemon
 * knows what it held; Exim's processes, which live for a moment, begin anew.  A file stays when its
 * programs end: counts go on from there, and those of two daemons of one name are added up.  What
 * goes up and down is told by the daemon that wrote last.
 *
 * Daemons hold a lock on their file as long as they live, however they end: by it a reader knows
 * whether one runs.
 *
 * Owner:    the caller; the log is borrowed and must outlive the handle.
 * Threads:  opening, giving, closing, and what numbers.h has of raising and of the store of
 *           counters: one.  After fork() a child opens anew.
 * Errors:   WEIR_ENOMEM only: why there can be no file, or why it was made anew, is logged, once
 *           and not again and again (by what is no daemon for debugging only, as each message
 *           would); numbers are counted in this process meanwhile, and given when they can be.
 * Limits:   who is killed takes with it what it counted in the last second; a file that is taken
 *           away from two daemons of one name, what the other one gave in that time.  Who waits for
 *           the lock waits WEIR_NUMBERS_WAIT at most, and a daemon at its end only; what Exim's
 *           process could not add when it ends is lost.  One who may read a file can lock it: after
 *           WEIR_NUMBERS_PATIENCE a daemon replaces it.
 */
#ifndef WEIR_ENGINE_NUMBERS_IO_H
#define WEIR_ENGINE_NUMBERS_IO_H

#include <stdbool.h>

#include "core/base/log.h"
#include "core/engine/config.h"
#include "core/engine/numbers.h"

#define WEIR_NUMBERS_WAIT (WEIR_SECOND / 20)
#define WEIR_NUMBERS_PATIENCE (30 * WEIR_SECOND)

/* Opens those of a program, in the configuration's folder; where it names none, in memory.  lives:
 * it is a daemon.  0 or WEIR_ENOMEM. */
int weir_numbers_open(const struct weir_config *config, enum weir_numbers_program program,
                      bool lives, const struct weir_log *log, struct weir_numbers **numbers_r);

/* Adds what was counted to the file: a daemon's when a second has passed since the last time, so
 * that it may be called as often as one likes.  False: it could not be added now, and waits for the
 * next time.  NULL is accepted. */
bool weir_numbers_give(struct weir_numbers *numbers);

/* Gives what is left.  NULL is accepted; whoever has histograms of it must have ended. */
void weir_numbers_close(struct weir_numbers **numbers);

/* A copy of a program's numbers. */
struct weir_numbers_area;
struct weir_numbers_copy {
    struct weir_numbers_area *area; /* NULL: there are none */
    bool up;                        /* a daemon of this name runs, and counts there */
    int error;                      /* why they cannot be read, though the file is there; or 0 */
};

/* 1; 0 when it never ran here; WEIR_ECORRUPT for a file that no program of this version can have
 * written; WEIR_EIO, WEIR_ENOMEM, WEIR_ELIMIT (the path). */
int weir_numbers_read(const struct weir_config *config, enum weir_numbers_program program,
                      struct weir_numbers_copy *copy_r);
void weir_numbers_forget(struct weir_numbers_copy *copy);

#endif
