/*
 * What the journal's files look like, walking over one in memory (journal_walk.c), and the folder
 * they lie in (journal_files_io.c); journal_io.h is the manual.
 *
 *     file:   "WEIRJRN1"  position u64  key 16 octets  sum of these u64
 *     batch:  "WJb1"  server u32  offset u64  length u32  name's length u16  zero u16
 *             sum of the octets u64  sum of the head so far, position and name u64  name  octets
 */
#ifndef WEIR_INTAKE_JOURNAL_IMPL_H
#define WEIR_INTAKE_JOURNAL_IMPL_H

#include "core/base/keyed_hash.h"
#include "monitor/intake/journal_io.h"

#define WEIR_JOURNAL_FILE_HEAD 40
#define WEIR_JOURNAL_HEAD 40
#define WEIR_JOURNAL_HEAD_MAX (WEIR_JOURNAL_HEAD + WEIR_STREAM_MAX)

/* The head of a file. */
void weir_journal_file_head(uint64_t position, const struct weir_hash_key *key,
                            uint8_t head_r[static WEIR_JOURNAL_FILE_HEAD]);

/* Head and name of a batch (its next is not looked at); returns their length. */
size_t weir_journal_head(const struct weir_journal_batch *batch, const struct weir_hash_key *key,
                         uint8_t head_r[static WEIR_JOURNAL_HEAD_MAX]);

/* A file in memory. */
struct weir_journal_walk {
    const uint8_t *octets;
    size_t len, at;
    uint64_t position;         /* of the file */
    struct weir_hash_key key;
    uint64_t damages, damaged; /* passed over so far, but for what is behind the last batch */
};

/* Begins behind the file's head.  False when there is no whole head that belongs here. */
bool weir_journal_walk_begin(struct weir_journal_walk *walk, const uint8_t *octets, size_t len,
                             uint64_t position);

/* The next whole batch: 1; 0 when there is none: at is then behind the last one there was. */
int weir_journal_walk_next(struct weir_journal_walk *walk, struct weir_journal_batch *batch_r);

struct file {
    uint64_t position, len;
};

struct weir_journal {
    int folder;              /* locked while we have it */
    uint64_t file_most, bytes_most;
    struct file *file;       /* by position; the last one is written */
    size_t files, room;
    int fd;                  /* of the last one, or -1 */
    int before;              /* of the one before, where it is not synced, or -1 */
    bool entered;            /* a file is new in the folder since it was synced */
    struct weir_hash_key key;
    uint64_t octets;         /* of all of them */
    uint64_t done;           /* position up to which nothing is needed any more */
};

/* The one that is written, where there is one. */
struct file *weir_journal_last(const struct weir_journal *journal);

/* The error of a write that failed with errno: WEIR_EFULL for one that goes away with room. */
int weir_journal_write_error(void);

#define WEIR_JOURNAL_NAME 40
const char *weir_journal_name(const struct file *file, char name[static WEIR_JOURNAL_NAME]);

/* Finds the files that are there.  0, WEIR_EIO or WEIR_ENOMEM. */
int weir_journal_list(struct weir_journal *journal);

/* All octets of a file in memory; the caller frees them. */
int weir_journal_load(const struct weir_journal *journal, const struct file *file,
                      uint8_t **octets_r, size_t *len_r);

/* Begins a file at a position, which becomes the last one; fd is the old one's before. */
int weir_journal_begin(struct weir_journal *journal, uint64_t position);

#endif
