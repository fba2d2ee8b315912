/*
 * rescan - the rulebook as it is, matched with a message that was reported: would it be spam by
 * now (claims B16, B32)?
 *
 * Rules are those that would be published (pick.h), however long they hit nothing.  Those that work
 * give their points; those in the test, drafts of the analyzer's, and retired ones that are asked
 * for are seen to hit and give none.  Only the message counts: what is known of who sent it is not
 * asked.
 *
 * Owner:    the caller.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM; those of the database; WEIR_EINVAL of every message, when the rulebook
 *           makes no rule set.
 */
#ifndef WEIR_ANALYZER_RESCAN_H
#define WEIR_ANALYZER_RESCAN_H

#include "core/mail/content.h"
#include "monitor/database/database_io.h"

#define WEIR_DRAFTS_AUTHOR "analyzer"

struct weir_rescan;

/* Reads the rulebook as it is now, and as if retired rules with these ids, sorted, were in the
 * test; the ids must outlive it.  The first message takes the time to compile it.  0 or an
 * error. */
int weir_rescan_new(struct weir_database *reading, const uint32_t *retired, size_t retireds,
                    struct weir_rescan **rescan_r);
void weir_rescan_free(struct weir_rescan **rescan);

/* Whether there is a rule of this name, whatever its state. */
bool weir_rescan_knows(const struct weir_rescan *rescan, const char *name);

/* The points of what it hits, and whether a rule of the analyzer's is among it.  0, WEIR_ENOMEM, or
 * WEIR_EINVAL: nobody knows. */
int weir_rescan_message(struct weir_rescan *rescan, struct weir_message *message,
                        const struct weir_content *content, struct weir_charsets *charsets,
                        struct weir_arena *arena, double *points_r, bool *drafted_r);

/* The ids of the retired rules that the last message hit, by number 0..; 0 behind the last. */
uint32_t weir_rescan_retired(const struct weir_rescan *rescan, size_t number);

/* Why the rulebook makes no rule set; "": it does, or was not asked to. */
const char *weir_rescan_trouble(const struct weir_rescan *rescan);

#endif
