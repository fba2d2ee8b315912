/*
 * spool - lines that wait for the agent: one a decision (claim B15).
 *
 * A folder of files, "<name>-<opened, Unix seconds>-<pid>.<boot>.log", each written by one
 * process with one write() a line, so that lines are never torn or mixed; a new file is begun every
 * minute and the old one gets its final name by rename (".log.part" while it is written, and then
 * locked).  All together never exceed bytes_most: then lines are dropped, counted, and the number
 * is the first line that is written when there is room again ("dropped=N").
 *
 * A ".part" file whose process is gone (its lock is free) is gone on with by the next one of that
 * name, or renamed when its time is over.  So processes that live for one message leave one file a
 * minute, not one each: option leave.  A file of before the machine's last start is never gone on
 * with: after a power cut it may have come back shorter than what of it was shipped already, and
 * what is written there then would be taken for that.
 *
 * Owner:    the caller owns the handle.  Threads: one handle, one thread; processes each
 *           open their own.  After fork() a child must open anew.
 * Errors:   a full disk or a folder that cannot be written costs lines, never mail: counted,
 *           and logged once a minute.
 * Limits:   WEIR_SPOOL_LINE_MAX.  The folder's size is looked up when a file is opened and then
 *           once a second: so much may be written beyond bytes_most as other processes
 *           write in that second.  Looking takes about 1 us a file.  A process that
 *           may pass RLIMIT_FSIZE must ignore SIGXFSZ.
 */
#ifndef WEIR_STORE_SPOOL_IO_H
#define WEIR_STORE_SPOOL_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/store/part_line.h"

struct weir_spool;

struct weir_spool_options {
    const char *folder;          /* made when missing, 0770 */
    const char *name;            /* of the producer: "milter", "exim", ... */
    uint64_t bytes_most;         /* of all files of the folder */
    weir_time turn;              /* a file is closed after this time: 60 s */
    bool leave;                  /* weir_spool_free() leaves the file to the next process */
    const char *boot;            /* tells this start of the machine; NULL: as the kernel does */
    bool alone;                  /* no other process may have this name, too, in this folder */
};

/* Opens no file yet but remembers; 0, WEIR_ENOMEM, WEIR_ELIMIT (path).  With alone it claims the
 * name until the handle is freed or the process ends, however: WEIR_EBUSY, another has it.  What
 * cannot be claimed, as on a full disk, is logged and gone on without. */
int weir_spool_open(const struct weir_spool_options *options, const struct weir_log *log,
                    struct weir_spool **spool_r);
/* Closes the open file, and renames it unless it is left to others; lines that were dropped and
 * not yet told of are noted in the folder for the next process to tell. */
void weir_spool_free(struct weir_spool **spool);

/* Claims a name of a folder, which is made when missing, for this process: a descriptor that is to
 * be closed, WEIR_EBUSY: another has it, or WEIR_EIO.  For who ships the spool: twice shipped is
 * twice counted. */
int weir_spool_claim(const char *folder, const char *name);

/* Appends one line (a line end in it becomes a blank; at most WEIR_SPOOL_LINE_MAX octets, longer
 * ones are cut).  0, or WEIR_EFULL or WEIR_EIO when it was dropped. */
int weir_spool_write(struct weir_spool *spool, weir_time now, const char *line);

/* Appends a whole in parts; behind one that was dropped comes none.  0, or as above. */
int weir_spool_write_parts(struct weir_spool *spool, const struct weir_part_whole *whole);

/* Closes the file when its time is over; for quiet servers. */
void weir_spool_turn(struct weir_spool *spool, weir_time now);

/* Lines dropped since the handle was opened. */
uint64_t weir_spool_dropped(const struct weir_spool *spool);

/* Renames files of processes that are gone and whose time is over, of all names: for who ships
 * the spool.  0 or WEIR_EIO. */
int weir_spool_sweep(const char *folder, weir_time now, weir_time turn);

/* What is in a spool's folder. */
struct weir_spool_survey {
    uint64_t files, bytes; /* not yet shipped */
    uint64_t dropped;      /* lines that were dropped, as those files tell; what a running process
                            * could not yet write there is not among them */
    uint64_t unread;       /* files that may tell of more: they could not be read to their end */
};

/* 1; 0 when there is no folder yet; WEIR_EIO with errno. */
int weir_spool_survey(const char *folder, struct weir_spool_survey *survey_r);

#endif
