/*
 * alert - sums and a ring of times.  Refuses nothing: what a group does not keep it counts.
 */
#include "monitor/threshold/alert.h"

void weir_alert_group_add(struct weir_alert_group *group, const struct weir_alert *alert)
{
    if (group->count == 0 || alert->time < group->first)
        group->first = alert->time;
    if (group->count == 0 || alert->time > group->last)
        group->last = alert->time;
    if (group->kept < WEIR_ALERT_LINES)
        group->alert[group->kept++] = *alert;
    group->count++;
    if ((unsigned)alert->response < WEIR_RESPONSES)
        group->responses[alert->response]++;
}

bool weir_alert_lines_add(struct weir_alert_lines *lines, const struct weir_alert *alert,
                          weir_time now)
{
    if (lines->told == 0)
        lines->began = now;
    if (lines->told < WEIR_ALERT_LINES) {
        lines->told++;
        return true;
    }
    weir_alert_group_add(&lines->more, alert);
    return false;
}

bool weir_alert_lines_end(struct weir_alert_lines *lines, weir_time now, bool ends,
                          struct weir_alert_group *more_r)
{
    if (lines->told == 0 || (!ends && now - lines->began < lines->window))
        return false;
    lines->told = 0;
    if (lines->more.count == 0)
        return false;
    *more_r = lines->more;
    lines->more = (struct weir_alert_group){.count = 0};
    return true;
}

weir_time weir_alert_pace_due(const struct weir_alert_pace *pace)
{
    weir_time due = INT64_MIN, hour;

    if (pace->count > 0)
        due = pace->sent[(pace->count - 1) % WEIR_ALERT_HOUR_MAX] + pace->window;
    if (pace->count >= pace->hour_most) {
        hour = pace->sent[(pace->count - pace->hour_most) % WEIR_ALERT_HOUR_MAX] + WEIR_HOUR;
        due = hour > due ? hour : due;
    }
    return due;
}

void weir_alert_pace_note(struct weir_alert_pace *pace, weir_time now)
{
    pace->sent[pace->count++ % WEIR_ALERT_HOUR_MAX] = now;
}
