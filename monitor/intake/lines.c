/*
 * lines - read one after the other into an array that grows.
 */
#include "monitor/intake/lines.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "core/store/part_line.h"

#define LINE_USUAL 80            /* octets */

/* Whether a plug-in may have written it: "at=... info=...", or "at=... part=...". */
static bool is_decision(struct weir_slice line)
{
    return weir_slice_begins(line, "at=") &&
           (memmem(line.at, line.len, " info=", 6) || weir_part_line_is(line));
}

static int note_decision(struct weir_lines *lines, struct weir_slice line)
{
    struct weir_slice *more = weir_grown(lines->decision, lines->decisions,
                                         &lines->decisions_room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    lines->decision = more;
    lines->decision[lines->decisions++] = line;
    return 0;
}

/* Of a clock that is ahead, too: the sniffer is there. */
static int note_health(struct weir_lines *lines, const struct weir_health *health, weir_time now)
{
    struct weir_health *more = weir_grown(lines->health, lines->healths, &lines->healths_room,
                                          sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    lines->health = more;
    lines->health[lines->healths] = *health;
    if (health->time > now + WEIR_LINES_AHEAD)
        lines->health[lines->healths].time = now;
    lines->last = lines->health[lines->healths++].time;
    return 0;
}

static int read_line(struct weir_lines *lines, struct weir_slice line, weir_time since,
                     weir_time now)
{
    struct weir_health health;
    struct weir_traffic *traffic = &lines->traffic[lines->count];
    int found = weir_traffic_line_read(line, traffic);

    lines->lines++;
    if (found == 0 && weir_health_line_read(line, &health) > 0)
        return note_health(lines, &health, now);
    if (found < 0)
        lines->bad++;
    if (found == 0 && is_decision(line))
        return note_decision(lines, line);
    lines->old += found > 0 && traffic->time < since;
    if (found <= 0 || traffic->time < since)
        return 0;
    if (traffic->time > now + WEIR_LINES_AHEAD) {
        traffic->time = now;
        lines->ahead++;
    }
    lines->last = traffic->time;
    lines->count++;
    return 0;
}

static int more_room(struct weir_lines *lines)
{
    size_t room = lines->room * 2;
    struct weir_traffic *more = realloc(lines->traffic, room * sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    lines->traffic = more;
    lines->room = room;
    return 0;
}

int weir_lines_read(struct weir_slice octets, weir_time since, weir_time now,
                    struct weir_lines *lines_r)
{
    struct weir_lines lines = {.room = octets.len / LINE_USUAL / 2 + 8};

    if (more_room(&lines) < 0)
        return WEIR_ENOMEM;
    while (octets.len > 0) {
        const char *end = memchr(octets.at, '\n', octets.len);
        size_t len = end ? (size_t)(end - octets.at) : octets.len;

        if ((lines.count == lines.room && more_room(&lines) < 0) ||
            read_line(&lines, (struct weir_slice){octets.at, len}, since, now) < 0) {
            weir_lines_clear(&lines);
            return WEIR_ENOMEM;
        }
        octets.at += end ? len + 1 : len;
        octets.len -= end ? len + 1 : len;
    }
    *lines_r = lines;
    return 0;
}

void weir_lines_clear(struct weir_lines *lines)
{
    free(lines->traffic);
    free(lines->decision);
    free(lines->health);
    *lines = (struct weir_lines){0};
}

static bool is_bare(const struct weir_traffic *traffic)
{
    return !traffic->connections && !traffic->messages && !traffic->accepted &&
           !traffic->recipients;
}

static bool has_room(struct weir_bare *bare, int64_t minute)
{
    size_t at = (uint64_t)minute % WEIR_BARE_MINUTES;

    if (minute > bare->of[at].minute) {
        bare->of[at].minute = minute;
        bare->of[at].rows = 0;
    }
    return minute == bare->of[at].minute && bare->of[at].rows++ < WEIR_BARE_MAX;
}

void weir_lines_lump(struct weir_lines *lines, struct weir_bare *bare)
{
    for (size_t i = 0; i < lines->count; i++) {
        struct weir_traffic *traffic = &lines->traffic[i];

        if (is_bare(traffic) && !has_room(bare, traffic->time / WEIR_MINUTE))
            traffic->address = (struct weir_address){0};
    }
}
