/*
 * journal - batches of the spools as they came in, on the disk before they are acknowledged.
 *
 * A folder of files, "journal-<position>.log", each going on where the one before ended: a
 * position is a number of octets since the journal's beginning, and only grows.  A batch is
 * appended with one write, so that a killed process costs what was not yet acknowledged, and
 * nothing else; a new file is begun when the batch would make the old one longer than file_most.
 * What the database has taken in up to its position is removed, file by file, and within a file
 * when the disk is full; the rest is replayed at the next start.
 *
 *     weir_journal_open(from the database's position) -> weir_journal_replay() -> append, append
 *
 * Each batch stands behind a head of 40 octets with two SipHash-2-4 sums, of the head, its
 * position and the stream's name, and of the octets, under a key drawn for each file.  Keyed,
 * and not a CRC, because behind damaged octets the next whole batch is looked for, and what mail
 * servers sent must not be able to pass for one.
 *
 * What stands behind the last whole batch was never acknowledged: it is cut off when the journal
 * is opened, and told.  Damage anywhere else is passed over and told.
 *
 * After kill -9 everything that was appended is there, after a power cut what was synced.
 *
 * Owner:    the caller owns the handle.  Threads: one at a time; weir_journal_sync_end() may run
 *           beside the others, which is why syncing is two functions.  Processes: one, by a
 *           lock on the folder.
 * Errors:   WEIR_EFULL: no room on the disk, or bytes_most reached; the file ends behind
 *           the last whole batch, and appending may be tried again.  WEIR_EIO with errno.
 *           A process that may pass RLIMIT_FSIZE must ignore SIGXFSZ.
 * Limits:   WEIR_BATCH_MAX octets of a batch, WEIR_STREAM_MAX of a stream's name; replay holds
 *           one file in memory.
 */
#ifndef WEIR_INTAKE_JOURNAL_IO_H
#define WEIR_INTAKE_JOURNAL_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/cursor.h"
#include "core/base/limits.h"

#define WEIR_JOURNAL_FILE (64u << 20) /* octets of a file */

struct weir_journal;

struct weir_journal_options {
    const char *folder;   /* made when missing, 0750 */
    uint64_t from;        /* position up to which everything is in the database */
    uint64_t file_most;   /* octets of a file: WEIR_JOURNAL_FILE; 0 means that, too */
    uint64_t bytes_most;  /* of all files, but for their heads; 0: as the disk allows */
};

/* What was found when it was opened or replayed. */
struct weir_journal_found {
    uint64_t batches, octets; /* replayed */
    uint64_t torn;            /* octets of a batch cut short at the end, taken away */
    uint64_t damages, damaged; /* places with octets that are no batch, and these octets */
    uint64_t missing;         /* octets before the oldest file that were asked for */
};

struct weir_journal_batch {
    uint64_t position, next;  /* of this batch, and behind it */
    uint32_t server;
    struct weir_slice stream; /* its name */
    uint64_t offset;          /* of the octets in the stream */
    struct weir_slice octets;
};

/* Opens a journal, cuts off a torn batch at its end (found_r->torn; all else of it is 0) and goes
 * on there, or at options->from when that lies beyond it, as it may after a power cut.  0;
 * WEIR_EIO (EWOULDBLOCK: another process has it), WEIR_EFULL, WEIR_ENOMEM. */
int weir_journal_open(const struct weir_journal_options *options,
                      struct weir_journal_found *found_r, struct weir_journal **journal_r);
void weir_journal_free(struct weir_journal **journal);

/* Appends a batch; *position_r is then behind it.  0; WEIR_EFULL, WEIR_EIO; WEIR_ELIMIT for a
 * batch that is too long or a name that is too long or empty. */
int weir_journal_append(struct weir_journal *journal, uint32_t server, struct weir_slice stream,
                        uint64_t offset, struct weir_slice octets, uint64_t *position_r);

/* Where the next batch will be, and how many octets all files have. */
uint64_t weir_journal_position(const struct weir_journal *journal);
uint64_t weir_journal_octets(const struct weir_journal *journal);

/* Calls batch for all batches from a position on that are there now, oldest first, until it returns
 * less than 0, which is then the result.  The batch's slices end with the call.  0;
 * WEIR_EIO, WEIR_ENOMEM. */
int weir_journal_replay(struct weir_journal *journal, uint64_t from,
                        int (*batch)(void *context, const struct weir_journal_batch *batch),
                        void *context, struct weir_journal_found *found_r);

/* Nothing before a position is needed any more: removes the files that end there or before, but for
 * the one that is written; that is given up when there is no room for a batch otherwise, and all
 * of it is before the position.  How many were removed, or WEIR_EIO. */
int weir_journal_remove_below(struct weir_journal *journal, uint64_t position);

/* A sync under way. */
struct weir_journal_sync {
    int folder, written, before; /* descriptors, or -1 */
};

/* Making durable what was appended so far: begin is quick and needs the lock the caller
 * has around the journal, end waits for the disk and does not; it must follow, whatever begin gave.
 * 0 or WEIR_EIO. */
int weir_journal_sync_begin(struct weir_journal *journal, struct weir_journal_sync *sync_r);
int weir_journal_sync_end(const struct weir_journal_sync *sync);

#endif
