/*
 * journal_rig - a journal in a folder of a test's own, and what a replay of it gives.
 */
#ifndef WEIR_TESTS_JOURNAL_RIG_H
#define WEIR_TESTS_JOURNAL_RIG_H

#include "monitor/intake/journal_io.h"
#include "tests/unit/scratch.h"

struct journal_rig {
    struct scratch *scratch;
    char folder[256];
    struct weir_journal_options options; /* of the next journal_open() */
    struct weir_journal_found found;     /* by the last call */
    struct weir_journal *journal;
};

#define JOURNAL_SEEN 65536

/* What was replayed: offsets of batches in order, and whether each was as journal_put() made it. */
struct journal_seen {
    size_t batches, wrong;
    uint64_t offset[JOURNAL_SEEN], position[JOURNAL_SEEN], next;
};

int journal_setup(void **state);
int journal_teardown(void **state);

/* Opens the rig's journal (again); the result of weir_journal_open(). */
int journal_open(struct journal_rig *rig);

/* Appends a batch whose octets, server and stream follow from its offset and length; the result of
 * weir_journal_append(). */
int journal_put(struct journal_rig *rig, uint64_t offset, size_t len);

/* Replays from a position on; its result must be 0. */
struct journal_seen *journal_replay(struct journal_rig *rig, uint64_t from);

/* The path of the journal's only or last file, and all files' number. */
size_t journal_files(const struct journal_rig *rig, char last_r[static 600]);

/* Takes all files away. */
void journal_empty(const struct journal_rig *rig);

#endif
