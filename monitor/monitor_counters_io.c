/*
 * What is forgotten and its line in the audit are one transaction.
 */
#include "monitor/monitor_counters_io.h"

#include <stdio.h>

#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_counters_io.h"

#define DETAIL 200

json_t *weir_monitor_counters_status(struct weir_monitor *monitor)
{
    struct weir_counting_counts counts = weir_counting_counts(monitor->counting);
    struct weir_database_counters_state state = {.records = 0};

    (void)weir_database_counters_state(monitor->database, &state);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "state",
                     weir_counting_kept_name(counts.counters), "key",
                     (json_int_t)counts.counters_key, "records", (json_int_t)state.records,
                     "evicted", (json_int_t)state.evicted, "waiting", (json_int_t)state.waiting,
                     "waiting_most", (json_int_t)WEIR_COUNTER_EVENTS_MAX, "hurried",
                     (json_int_t)counts.hurried, "untallied", (json_int_t)counts.untallied, "votes",
                     (json_int_t)weir_ballots_newest(monitor->ballots));
}

static int audit(struct weir_monitor *monitor, const char *what, const char *detail,
                 const char *who, weir_time now)
{
    const struct weir_audit line = {.time = now, .who = who, .what = what, .detail = detail};

    return weir_database_audit_add(monitor->database, &line);
}

json_t *weir_monitor_counters_forget(struct weir_monitor *monitor, const char *who, weir_time now)
{
    struct weir_database *database = monitor->database;
    char detail[DETAIL];
    uint64_t records = 0;
    int rc = weir_database_begin(database);

    if (rc < 0)
        return NULL;
    rc = weir_counting_forget(monitor->counting, &records);
    snprintf(detail, sizeof detail, "%llu records", (unsigned long long)records);
    rc = rc < 0 ? rc : audit(monitor, "counters forget", detail, who, now);
    if (rc < 0)
        weir_database_abandon(database);
    else
        rc = weir_database_commit(database);
    return rc < 0 ? NULL : json_pack("{s:I}", "records", (json_int_t)records);
}

json_t *weir_monitor_counters_rebuilt(struct weir_monitor *monitor, const char *detail,
                                      const char *who, weir_time now)
{
    char text[DETAIL];

    snprintf(text, sizeof text, "%s", detail);
    return audit(monitor, "counters rebuild", text, who, now) < 0 ? NULL : json_object();
}
