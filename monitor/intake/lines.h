/*
 * lines - a batch's text as traffic, and the lines that tell of decisions about messages.
 *
 * Times are the servers'; a line from more than WEIR_LINES_AHEAD in the future counts as now, for a
 * server's wrong clock must not clear what is true elsewhere.
 * A line from more than WEIR_LINES_BEHIND ago is passed over: streams are remembered for longer
 * than that, so that of one that was forgotten, and is brought again from its beginning, nothing
 * counts twice; and addresses are not kept for much longer either.
 * Lines of nothing but SYNs that came to nothing may be forged, each from another address: beyond
 * WEIR_BARE_MAX a minute they are summed up under the address ::, so that a flood of them fills
 * neither table nor disk.
 *
 * Owner:    the caller clears what was read; decisions lie in the octets.
 * Threads:  pure functions of what they are handed.
 * Limits:   memory is in proportion to the text.
 */
#ifndef WEIR_INTAKE_LINES_H
#define WEIR_INTAKE_LINES_H

#include "core/store/traffic_line.h"

#define WEIR_LINES_AHEAD (5 * WEIR_SECOND)
#define WEIR_LINES_BEHIND (365 * WEIR_DAY)
#define WEIR_STREAMS_KEPT (WEIR_LINES_BEHIND + WEIR_DAY) /* after the last line of a stream */
#define WEIR_BARE_MAX 100
#define WEIR_BARE_MINUTES 64     /* counted at once: servers need not be at the same */

struct weir_lines {
    struct weir_traffic *traffic;
    size_t count, room, lines, bad, ahead, old;
    weir_time last;              /* time of the last line that had one */
    struct weir_slice *decision; /* lines of plug-ins, not looked into */
    size_t decisions, decisions_room;
    struct weir_health *health;  /* lines of a sniffer about itself */
    size_t healths, healths_room;
};

/* All traffic lines in the octets, but for those from before a time.  0 or WEIR_ENOMEM. */
int weir_lines_read(struct weir_slice octets, weir_time since, weir_time now,
                    struct weir_lines *lines_r);
void weir_lines_clear(struct weir_lines *lines);

struct weir_bare {               /* begins as zeros */
    struct {
        int64_t minute;          /* since 1970 */
        size_t rows;             /* lines of that minute that kept their address */
    } of[WEIR_BARE_MINUTES];     /* by minute modulo their number */
};

/* Gives bare lines beyond the limit to nobody (::), and those of minutes that lie so far back that
 * they are not counted any more. */
void weir_lines_lump(struct weir_lines *lines, struct weir_bare *bare);

#endif
