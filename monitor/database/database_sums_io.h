/*
 * Messages by time, verdict and score, counted as they are taken among the recent ones: so that a
 * month of them is some thousand rows, however long the messages themselves are kept.  In a flood
 * these are a sample (analyzer/sample.h), and so are the sums.
 *
 *     message_sums   span (microseconds: five minutes, an hour), begins (a multiple of it), what,
 *                    count
 *
 * what: a verdict, or WEIR_SUMS_SCORE and a score's whole points.  Those of five minutes are kept
 * for WEIR_SUMS_SHORT, those of an hour for WEIR_SUMS_LONG.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_SUMS_IO_H
#define WEIR_DATABASE_SUMS_IO_H

#include "monitor/database/database_io.h"

enum weir_sums_verdict { WEIR_SUMS_HAM, WEIR_SUMS_UNSURE, WEIR_SUMS_SPAM, WEIR_SUMS_BLOCKED };
#define WEIR_SUMS_SCORES 20        /* points either way; the first and last have all beyond */
#define WEIR_SUMS_SCORE 24         /* and -20 to 19 */
#define WEIR_SUMS_FINE (5 * WEIR_MINUTE)
#define WEIR_SUMS_COARSE WEIR_HOUR
#define WEIR_SUMS_SHORT (3 * WEIR_DAY)
#define WEIR_SUMS_LONG (32 * WEIR_DAY)

/* Counts a message, in the caller's transaction.  0 or an error. */
int weir_database_sums_add(struct weir_database *database, weir_time time, const char *verdict,
                           double score);

/* Sums of a span (one of the two) from a time on, that span's whole; by time. */
int weir_database_sums(struct weir_database *database, weir_time span, weir_time since,
                       int (*row)(void *context, weir_time begins, int what, uint64_t count),
                       void *context);

#endif
