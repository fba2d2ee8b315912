/*
 * tail - the spool's files read from behind their writers, piece by piece.
 *
 *     look    which files are there and how long they are
 *     next    the oldest octets that were not yet taken, whole lines only
 *     done    so much of a stream is safe elsewhere: a file that is finished and done is removed,
 *             also when it is finished later: by the next look
 *
 * A stream is one file of the spool (spool_io.h), whether it still ends in ".part" or not: its name
 * is the file's without ".part", and 8 hex digits of a hash of its first line, because clocks that
 * step back may bring a name back.  Offsets count octets of the file.
 *
 * After a power cut a file may come back shorter than what of it is safe.  That is told, and what
 * its writer still adds, if it goes on with it, is a stream of its own, whose octets count from
 * there.
 *
 * Owner:    the caller owns the handle; a piece lives until the next call.  Threads: one.
 * Errors:   a file that cannot be read is passed over, and logged once; the rest goes on.
 * Limits:   WEIR_TAIL_FILES_MAX files at once, of more the oldest, and the others as these go; they
 *           are counted all.  WEIR_TAIL_PIECE_MAX octets of a piece.  Of a line
 *           that is longer, which no writer of ours makes, blanks are handed out, so that a stream
 *           has no hole; the torn last line of a finished file is passed over; both are counted as
 *           skipped.
 */
#ifndef WEIR_AGENT_TAIL_IO_H
#define WEIR_AGENT_TAIL_IO_H

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "core/base/log.h"

#define WEIR_STREAM_TEXT (WEIR_STREAM_MAX + 1) /* a stream's name and its NUL */

struct weir_tail;

struct weir_tail_piece {
    const char *stream;
    uint64_t offset;             /* of its first octet */
    struct weir_slice octets;    /* whole lines */
};

struct weir_tail_counts {
    size_t files;                /* all there are */
    uint64_t octets;             /* not yet done, of all */
    uint64_t removed;            /* files */
    uint64_t skipped;            /* octets of lines that were too long or torn */
    uint64_t sniffer;            /* octets that a sniffer was seen to have written */
};

/* 0, WEIR_ENOMEM, WEIR_ELIMIT (folder's path). */
int weir_tail_open(const char *folder, const struct weir_log *log, struct weir_tail **tail_r);
void weir_tail_free(struct weir_tail **tail);

/* Looks at the folder; one that is not there yet is empty.  0; or WEIR_EIO, errno says why, and all
 * is as it was. */
int weir_tail_look(struct weir_tail *tail);

/* The next piece: 1, or 0 when all was taken. */
int weir_tail_next(struct weir_tail *tail, struct weir_tail_piece *piece_r);

/* Everything of a stream below offset is safe; what comes next begins there, also when that is
 * further back or further on than it was. */
void weir_tail_done(struct weir_tail *tail, const char *stream, uint64_t offset);

/* Streams whose files were done and removed, oldest first: n and they count from 0; NULL: there are
 * no more.  Beyond WEIR_TAIL_GONE_MAX the oldest are left out. */
const char *weir_tail_gone(const struct weir_tail *tail, size_t n);
/* So many of them, the oldest, need not be told again. */
void weir_tail_told(struct weir_tail *tail, size_t count);

const struct weir_tail_counts *weir_tail_counts(const struct weir_tail *tail);

#endif
