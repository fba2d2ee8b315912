/*
 * sample - some of many decisions, evenly, so that recent mail can be kept whatever comes: all of a
 * small server's, a few a second of a flood.
 *
 * What comes between two clearings is sampled with equal chances for each (reservoir: Vitter,
 * Random Sampling with a Reservoir, ACM TOMS 1985).  How many are kept of it is what a bucket
 * allows, of WEIR_SAMPLE_BURST, which fills by WEIR_SAMPLE_RATE a second.
 *
 * Owner:    the caller.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM.
 */
#ifndef WEIR_ANALYZER_SAMPLE_H
#define WEIR_ANALYZER_SAMPLE_H

#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "monitor/analyzer/record.h"

struct weir_sample;

/* The key makes the chances: others cannot know what will be kept. */
int weir_sample_new(const struct weir_hash_key *key, struct weir_sample **sample_r);
void weir_sample_free(struct weir_sample **sample);

/* One more; it is copied when it is kept. */
void weir_sample_take(struct weir_sample *sample, const struct weir_record *record,
                      weir_time now);

/* The same where there is room; else it is let go, and not counted as left out. */
void weir_sample_take_if_room(struct weir_sample *sample, const struct weir_record *record,
                              weir_time now);

/* What is kept since it was cleared. */
const struct weir_record *weir_sample_kept(const struct weir_sample *sample, size_t *kept_r);

/* All of it is kept elsewhere. */
void weir_sample_clear(struct weir_sample *sample);

/* How many were not kept. */
uint64_t weir_sample_left_out(const struct weir_sample *sample);

#endif
