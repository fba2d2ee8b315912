/*
 * alert_silence - a list that is looked through: there are few, and alerts are few, too.
 */
#include "monitor/threshold/alert_silence.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

static int take(void *context, const struct weir_silenced *silence)
{
    struct weir_alert_silences *next = context;

    if (next->count == WEIR_SILENCES_MAX)
        return 1;
    next->silence[next->count++] = *silence;
    return 0;
}

int weir_alert_silences_read(struct weir_database *database, weir_time now,
                             struct weir_alert_silences *silences)
{
    struct weir_alert_silences next = {
        .silence = calloc(WEIR_SILENCES_MAX, sizeof *next.silence)};
    int done;

    if (!next.silence)
        return WEIR_ENOMEM;
    done = weir_database_silences(database, true, 0, now, take, &next);
    if (done < 0) {
        weir_alert_silences_free(&next);
        return done;
    }
    weir_alert_silences_free(silences);
    *silences = next;
    return 0;
}

void weir_alert_silences_free(struct weir_alert_silences *silences)
{
    free(silences->silence);
    *silences = (struct weir_alert_silences){.count = 0};
}

static bool fits(const char *named, const char *is)
{
    return !named[0] || strcmp(named, is) == 0;
}

static bool holds(const struct weir_silenced *silence, const struct weir_alert_about *about,
                  weir_time now)
{
    if (silence->ended > 0 || now >= silence->ends)
        return false;
    if (silence->has_prefix &&
        (!about->prefix || about->prefix->bits < silence->prefix.bits ||
         !weir_prefix_contains(&silence->prefix, &about->prefix->address)))
        return false;
    return fits(silence->threshold, about->threshold) && fits(silence->kind, about->kind) &&
           fits(silence->server, about->servers);
}

const struct weir_silenced *weir_alert_silence_find(const struct weir_alert_silences *silences,
                                                    const struct weir_alert_about *about,
                                                    weir_time now)
{
    const struct weir_silenced *found = NULL;

    for (size_t i = 0; i < silences->count; i++)
        if (holds(&silences->silence[i], about, now) &&
            (!found || silences->silence[i].ends > found->ends))
            found = &silences->silence[i];
    return found;
}

const struct weir_silenced *weir_alert_silence_event(const struct weir_alert_silences *silences,
                                                     const struct weir_event *event,
                                                     const char *servers, weir_time now)
{
    const struct weir_alert_about about = {
        .prefix = event->has_prefix ? &event->prefix : NULL, .threshold = event->class_name,
        .kind = event->kind, .servers = servers};

    return weir_alert_silence_find(silences, &about, now);
}
