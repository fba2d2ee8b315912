/*
 * view_silences - silences as JSON (view.h) and in words.
 *
 * A silence hides alerts, so that what it hides has to be seen elsewhere: what
 * weir_view_standing() says stands on the console's first page and in `weirctl status`.
 *
 * Limits: WEIR_VIEW_SILENCES_NAMED of those that stand are named, the wide ones first; of the
 * others the number is told.
 */
#ifndef WEIR_VIEW_VIEW_SILENCES_H
#define WEIR_VIEW_VIEW_SILENCES_H

#include "core/base/line.h"
#include "monitor/database/database_silences_io.h"
#include "monitor/view/view.h"

#define WEIR_VIEW_SILENCES_NAMED 4

/* "address 203.0.113.0/24, threshold partners until 2026-11-21T18:13:00Z". */
void weir_view_silence_put(struct weir_line *line, const struct weir_silenced *silence);

json_t *weir_view_silence(const struct weir_silenced *silence);

/* {"standing", "wide", "alerts", "text"}: how many stand now, and are wide; how many alerts are
 * under them, as given (NULL: not known, which is null); and all of it in words, "" when none
 * stands. */
json_t *weir_view_standing(const struct weir_silenced *silences, size_t count, weir_time now,
                           const uint64_t *alerts);

#endif
