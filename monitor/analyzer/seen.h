/*
 * seen - which numbers came before, as far as memory goes.
 *
 * What is noted is also told, so that somebody may keep it over a restart, and note it again.
 *
 * Two sets that take turns: when the newer one is full it becomes the older one, and that is
 * emptied.  So at least the last `most` numbers are remembered, and at most twice as many.
 *
 * Owner:    the caller.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM, WEIR_EINVAL for 0 or more than WEIR_HITS_SEEN_MAX.
 * Limits:   16 to 32 octets for each of `most`, taken as they fill, and 8 to 16 for each of
 *           the news.
 */
#ifndef WEIR_ANALYZER_SEEN_H
#define WEIR_ANALYZER_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/keyed_hash.h"

struct weir_seen;

/* Remembers at least so many. */
int weir_seen_new(const struct weir_hash_key *key, size_t most, struct weir_seen **seen_r);
void weir_seen_free(struct weir_seen **seen);

/* 1: it came before; 0: it is noted now; WEIR_ENOMEM. */
int weir_seen_note(struct weir_seen *seen, uint64_t number);

/* Those that were noted since weir_seen_kept(), in their order, `most` of them at most; as long as
 * nothing is noted. */
const uint64_t *weir_seen_news(const struct weir_seen *seen, size_t *count_r);

/* They are kept somewhere. */
void weir_seen_kept(struct weir_seen *seen);

#endif
