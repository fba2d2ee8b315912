/*
 * What buckets were when the monitor was last there, as far as the minutes of the database say it:
 * each minute's sums are charged at its beginning, so that nobody is charged more than he was.  And
 * the last hour's rows for who asks what was lately.
 *
 * Refuses what is partly stored: the journal is about to tell all of that again.
 */
#include <inttypes.h>

#include "monitor/database/database_traffic_io.h"
#include "monitor/monitor_impl.h"

#define LONGEST WEIR_HOUR
#define ROWS 1000000 /* a second or two: of more the newest */

struct restoring {
    struct weir_watch *watch;
    uint64_t rows;
};

static uint32_t cut(uint64_t sum)
{
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static int restore_row(void *context, const struct weir_minute_row *row)
{
    enum { CONNECTIONS = 0, MESSAGES = 2, RECIPIENTS = 4 }; /* of sums, by traffic_line.h */
    struct restoring *restoring = context;
    struct weir_charge charge = {
        .time = row->minute * WEIR_MINUTE,
        .address = row->address,
        .quantity = {cut(row->sum[CONNECTIONS]), cut(row->sum[MESSAGES]),
                     cut(row->sum[RECIPIENTS])},
        .server = row->server,
    };

    weir_watch_restore(restoring->watch, &charge);
    restoring->rows++;
    return 0;
}

static int restore(struct restoring *restoring, struct weir_database *database, int64_t from,
                   int64_t to)
{
    int done = weir_database_minutes_begin(database, from, to, ROWS, &from);

    return done < 0 ? done : weir_database_minutes(database, from, to, restore_row, restoring);
}

static int remember(void *context, const struct weir_minute_row *row)
{
    weir_recent_add(context, row, 1);
    return 0;
}

/* What is partly stored, too: the rest of it is told as it is stored. */
int weir_monitor_open_recent(struct weir_monitor *monitor)
{
    int64_t to = weir_clock_now(&monitor->wall) / WEIR_MINUTE + 1;
    int64_t from = to - WEIR_RECENT_MINUTES;
    int done = weir_recent_new((size_t)monitor->config.monitor_addresses, &monitor->key,
                               &monitor->recent);

    done = done < 0 ? done : weir_database_minutes_begin(
        monitor->database, from, to, (unsigned)weir_recent_room(monitor->recent), &from);
    if (done < 0)
        return done;
    weir_recent_begin(monitor->recent, from);
    done = weir_database_minutes(monitor->database, from, to, remember, monitor->recent);
    return done < 0 ? done : 0;
}

int weir_monitor_restore(struct weir_monitor *monitor)
{
    struct restoring restoring = {.watch = monitor->watch};
    struct weir_database_progress progress;
    weir_time now = weir_clock_now(&monitor->wall), span = weir_watch_span(monitor->watch);
    int done = weir_database_progress(monitor->database, &progress);

    if (done < 0 || progress.position > 0)
        return done < 0 ? done : 0;
    span = span < LONGEST ? span : LONGEST;
    done = restore(&restoring, monitor->database, (now - span) / WEIR_MINUTE, now / WEIR_MINUTE);
    if (done < 0)
        return done;
    if (restoring.rows > 0)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "buckets are filled from %" PRIu64
                 " rows of minutes", restoring.rows);
    return 0;
}
