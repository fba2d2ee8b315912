/*
 * desk - what an analyst decides about what people reported: a vote of his own, which goes the way
 * of all votes (reports_io.h), so that hits, reputation and the classifier follow it, and decides.
 *
 *     reports confirm   what people say of a message is right
 *     reports reject    it is wrong
 *     reports undo      takes one's own decision back
 *
 * {"uid", "user", "report", "taken_back", "effect"}
 *
 * Owner:    the answer is the caller's.  Threads: any; it takes the monitor's lock.
 * Errors:   NULL and question->why, with a code of HTTP.
 * Limits:   the vote is stored by the counting's own transaction, and its line in the audit by the
 *           next: when that one fails the answer is an error, and the vote stands.
 */
#ifndef WEIR_MONITOR_MONITOR_DESK_IO_H
#define WEIR_MONITOR_MONITOR_DESK_IO_H

#include "monitor/monitor_rulebook_io.h"

json_t *weir_reports_decide(struct weir_monitor *monitor, struct weir_rulebook_question *question);

#endif
