/*
 * What the journal's files look like, and walking over one in memory; journal_io.h is the manual.
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

#endif
