/*
 * escalation - what is found is owed in one transaction, which notes that it is unheard anew: it is
 * not found again before another `after` is over.
 */
#include "monitor/threshold/escalation_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"

struct found {
    struct weir_alert *alert;
    size_t count, room;
};

static int take(void *context, const struct weir_event *event)
{
    struct found *found = context;
    struct weir_alert *alert = weir_grown(found->alert, found->count, &found->room,
                                          sizeof *alert);

    if (!alert)
        return WEIR_ENOMEM;
    found->alert = alert;
    alert = &found->alert[found->count++];
    *alert = (struct weir_alert){
        .time = event->raised, .prefix = event->prefix,
        .rate = event->rate,
        .limit = {.rate = event->limit_rate, .maximum = event->limit_maximum},
        .servers = (uint32_t)(event->servers | event->servers >> 32),
        .response = WEIR_RESPONSE_ALERT, .wanted = WEIR_RESPONSE_ALERT,
        .event = event->number, .again = event->told_again + 1};
    (void)weir_quantity_find(event->quantity, &alert->quantity);
    snprintf(alert->class_name, sizeof alert->class_name, "%s", event->class_name);
    return 0;
}

static int note_response(void *context, const struct weir_database_decision *stands)
{
    struct weir_alert *alert = context;
    enum weir_response response = strcmp(stands->list, "score") == 0 ? WEIR_RESPONSE_SCORE
                                  : stands->defer                    ? WEIR_RESPONSE_DEFER
                                                                     : WEIR_RESPONSE_REJECT;

    if (response <= alert->response)
        return 0;
    alert->response = alert->wanted = response;
    alert->ends = stands->ends;
    return 0;
}

/* What stands about it now. */
static int find_response(struct weir_database *database, struct weir_alert *alert, weir_time now)
{
    static const char *const lists[] = {"score", "blacklist"};
    int done = 0;

    for (size_t i = 0; i < 2 && done >= 0; i++)
        done = weir_database_decisions_about(database, &alert->prefix, lists[i], now,
                                             note_response, alert);
    return done < 0 ? done : 0;
}

static int owe(const struct weir_escalation *escalation, struct weir_database *database,
               struct found *found, weir_time now)
{
    int done = weir_database_begin(database);

    if (done < 0)
        return done;
    for (size_t i = 0; i < found->count && done == 0; i++) {
        done = find_response(database, &found->alert[i], now);
        if (done == 0)
            done = weir_alerts_owe(escalation->alerts, database, escalation->about,
                                   &found->alert[i], now);
    }
    if (done == 0)
        return weir_database_commit(database);
    weir_database_abandon(database);
    return done;
}

static void tell(const struct weir_escalation *escalation, struct weir_alert *alert)
{
    if (alert->silence > 0)
        return;
    escalation->about->name(escalation->about->context, alert);
    weir_alerts_log(escalation->alerts, alert);
}

int weir_escalation_look(const struct weir_escalation *escalation, struct weir_database *database,
                         weir_time now)
{
    struct found found = {.count = 0};
    int done = weir_database_events_unheard(database, now - escalation->after, escalation->most,
                                            WEIR_ESCALATION_MAX, take, &found);

    if (done >= 0 && found.count > 0)
        done = owe(escalation, database, &found, now);
    for (size_t i = 0; i < found.count && done >= 0; i++)
        tell(escalation, &found.alert[i]);
    free(found.alert);
    return done < 0 ? done : 0;
}
