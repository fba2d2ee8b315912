/*
 * alert - what an analyst is told about one decision, many of them gathered, and how often a
 * message may go out (claims A8, A19, A35).
 *
 *     alert, alert, alert -> group -> (when the pace says so) one message
 *
 * A group keeps the first WEIR_ALERT_LINES alerts as they are and counts all of them.
 * The pace lets the first message go at once, then one in each window, and at most so many
 * within an hour.
 * The log has a line for each of the first WEIR_ALERT_LINES alerts of a window, at once; those that
 * follow are a group, and one line when the window has ended.
 *
 * Owner:    plain values of the caller.  Threads: pure functions.
 * Errors:   none.  Limits: as above; WEIR_ALERT_HOUR_MAX messages an hour.
 */
#ifndef WEIR_THRESHOLD_ALERT_H
#define WEIR_THRESHOLD_ALERT_H

#include "core/base/limits.h"
#include "monitor/threshold/ladder.h"

struct weir_alert {
    weir_time time, ends;        /* ends: of what was done, or 0 */
    struct weir_prefix prefix;
    enum weir_quantity quantity;
    double rate;                 /* measured, a second */
    struct weir_limit limit;
    char class_name[32];
    uint32_t servers;            /* bits of server numbers modulo 32 */
    char names[WEIR_ALERT_NAMES_MAX + 1]; /* of these servers, commas between; "" where unknown */
    enum weir_response response; /* what was done */
    enum weir_response wanted;   /* another one where it was withheld */
    char withheld[128];          /* why; or "" */
    int64_t event;               /* the number of its row among the events; 0: it has none */
    int64_t silence;             /* under which nobody is told of it; 0: none */
    unsigned again;              /* told so often, and nobody acknowledged it; 0: it is new */
    weir_time late;              /* a silence held it until then; 0: none did */
};

struct weir_alert_group {
    struct weir_alert alert[WEIR_ALERT_LINES];
    size_t kept;
    uint64_t count;
    uint64_t responses[WEIR_RESPONSES];
    weir_time first, last;
};

void weir_alert_group_add(struct weir_alert_group *group, const struct weir_alert *alert);

/* Begins with zeros and a window. */
struct weir_alert_lines {
    weir_time window;            /* from its first line on */
    weir_time began;
    unsigned told;               /* lines in this window; 0: none has begun */
    struct weir_alert_group more;
};

/* Whether an alert is a line of its own; else it is in the group. */
bool weir_alert_lines_add(struct weir_alert_lines *lines, const struct weir_alert *alert,
                          weir_time now);

/* Whether a group is to be told, since its window has ended or is to be ended: it is moved to
 * *more_r.  To be asked before an alert is added, and as time goes by. */
bool weir_alert_lines_end(struct weir_alert_lines *lines, weir_time now, bool ends,
                          struct weir_alert_group *more_r);

struct weir_alert_pace {
    weir_time window;            /* between two messages */
    unsigned hour_most;          /* 1..WEIR_ALERT_HOUR_MAX */
    weir_time sent[WEIR_ALERT_HOUR_MAX]; /* a ring of the last ones */
    uint64_t count;              /* of all of them */
};

/* The earliest time for the next message; one that is past: now. */
weir_time weir_alert_pace_due(const struct weir_alert_pace *pace);

/* A message went out. */
void weir_alert_pace_note(struct weir_alert_pace *pace, weir_time now);

#endif
