/*
 * texts - reported messages as they come in parts (gather.h), kept for the analyst and for drafts
 * of rules (claims B16, B32).
 *
 * A text changes nothing by itself.  Its string is verified like that of a report: what is proven
 * is kept under the string's uid; anything else apart from it, and less of that, so that whoever
 * makes things up drives nothing out that is proven.  The first text of a message stays.
 *
 * Owner:    the caller; the database must outlive it.  Threads: the caller's lock.
 * Errors:   those of the database.  What is malformed is counted.
 * Limits:   WEIR_TEXTS_MAX, WEIR_TEXTS_OCTETS_MAX, WEIR_TEXTS_UNPROVEN_..._MAX: the oldest go, each
 *           WEIR_TEXTS_RETAIN texts; WEIR_TEXTS_SERVER_DAY of a server and day, further ones are
 *           passed over and counted.
 */
#ifndef WEIR_ANALYZER_TEXTS_IO_H
#define WEIR_ANALYZER_TEXTS_IO_H

#include "core/engine/info.h"
#include "monitor/analyzer/gather.h"
#include "monitor/database/database_io.h"

#define WEIR_TEXTS_KIND "message" /* of their parts */
#define WEIR_TEXTS_RETAIN 64      /* what is kept is looked at as a whole: not for each text */

struct weir_texts;

/* Keys are copied; kept: how long.  0 or WEIR_ENOMEM. */
int weir_texts_new(const struct weir_info_keys *keys, struct weir_database *database,
                   weir_time kept, struct weir_texts **texts_r);
void weir_texts_free(struct weir_texts **texts);

/* Another time from now on. */
void weir_texts_use(struct weir_texts *texts, weir_time kept);

/* A taker (gather.h). */
int weir_texts_take(void *context, const struct weir_gathered *whole);

/* Forgets what is older than it may be; now and then.  0 or an error. */
int weir_texts_retain(struct weir_texts *texts, weir_time now);

#endif
