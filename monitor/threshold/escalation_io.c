/*
 * escalation - one message at a time: while it is under way nothing else is looked for.
 */
#include "monitor/threshold/escalation_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_decisions_io.h"

#define LOOK_EVERY WEIR_SECOND

struct weir_escalation {
    struct weir_escalation_options options;
    struct weir_alerts *alerts;
    struct weir_alert_pace pace;
    weir_time looked;            /* steady: last time */
    int64_t number[WEIR_ESCALATION_MAX]; /* of the message that is under way */
    size_t count;                /* 0: there is none */
};

int weir_escalation_open(const struct weir_escalation_options *options, const struct weir_log *log,
                         struct weir_escalation **escalation_r)
{
    struct weir_escalation *escalation = calloc(1, sizeof *escalation);
    int done;

    if (!escalation)
        return WEIR_ENOMEM;
    escalation->options = *options;
    escalation->pace = (struct weir_alert_pace){.window = options->alerts.window,
                                                .hour_most = options->alerts.hour_most};
    done = weir_alerts_open(&options->alerts, log, &escalation->alerts);
    if (done < 0)
        free(escalation);
    else
        *escalation_r = escalation;
    return done;
}

/* noting --------------------------------------------------------------------------- */

static int note_told(struct weir_escalation *escalation, struct weir_database *database,
                     weir_time now)
{
    int done = weir_database_begin(database);

    for (size_t i = 0; i < escalation->count && done == 0; i++)
        done = weir_database_event_told_again(database, escalation->number[i], now);
    if (done < 0) {
        weir_database_abandon(database);
        return done;
    }
    done = weir_database_commit(database);
    if (done == 0)
        escalation->count = 0;
    return done;
}

/* Whether one way has taken all of it. */
static bool is_told(struct weir_escalation *escalation)
{
    struct weir_alerts_counts counts;

    weir_alerts_count(escalation->alerts, &counts);
    return counts.least == 0;
}

/* looking -------------------------------------------------------------------------- */

struct look {
    struct weir_escalation *escalation;
    struct weir_alert *alert;    /* WEIR_ESCALATION_MAX of them */
    size_t alerts;
    struct { int64_t number, silence; } off[WEIR_ESCALATION_MAX]; /* silenced */
    size_t offs;
};

static enum weir_quantity quantity_of(const char *name)
{
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if (strcmp(weir_quantity_name((enum weir_quantity)q), name) == 0)
            return (enum weir_quantity)q;
    return 0;
}

static int take(void *context, const struct weir_event *event)
{
    struct look *look = context;
    const struct weir_escalation_options *options = &look->escalation->options;
    int64_t silence = options->silence(options->context, event);
    struct weir_alert *alert;

    if (silence > 0) {
        look->off[look->offs].number = event->number;
        look->off[look->offs++].silence = silence;
        return 0;
    }
    alert = &look->alert[look->alerts++];
    *alert = (struct weir_alert){
        .time = event->raised, .prefix = event->prefix, .quantity = quantity_of(event->quantity),
        .rate = event->rate, .limit = {.rate = event->limit_rate, .maximum = event->limit_maximum},
        .response = WEIR_RESPONSE_ALERT, .wanted = WEIR_RESPONSE_ALERT,
        .event = event->number, .again = event->told_again + 1};
    snprintf(alert->class_name, sizeof alert->class_name, "%s", event->class_name);
    options->servers(options->context, event, alert->names);
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

/* Those that are silenced come again when another `after` is over. */
static int put_off(struct weir_database *database, const struct look *look, weir_time now)
{
    int done = look->offs > 0 ? weir_database_begin(database) : 0;

    if (look->offs == 0 || done < 0)
        return done;
    for (size_t i = 0; i < look->offs && done == 0; i++)
        done = weir_database_event_put_off(database, look->off[i].number, now,
                                           look->off[i].silence);
    if (done == 0)
        return weir_database_commit(database);
    weir_database_abandon(database);
    return done;
}

static int tell(struct weir_escalation *escalation, struct weir_database *database,
                struct look *look, weir_time now)
{
    int done = 0, later;

    for (size_t i = 0; i < look->alerts && done == 0; i++)
        done = find_response(database, &look->alert[i], now);
    for (size_t i = 0; i < look->alerts && done == 0; i++) {
        escalation->number[escalation->count++] = look->alert[i].event;
        weir_alerts_add(escalation->alerts, &look->alert[i]);
    }
    later = put_off(database, look, now); /* last: a full database keeps nobody from being told */
    return done < 0 ? done : later;
}

static int look_for(struct weir_escalation *escalation, struct weir_database *database,
                    weir_time now)
{
    const struct weir_escalation_options *options = &escalation->options;
    struct look *look = calloc(1, sizeof *look);
    int done = WEIR_ENOMEM;

    if (look)
        look->alert = calloc(WEIR_ESCALATION_MAX, sizeof *look->alert);
    if (look && look->alert) {
        look->escalation = escalation;
        done = weir_database_events_unheard(database, now - options->after, options->most,
                                            WEIR_ESCALATION_MAX, take, look);
        done = done < 0 ? done : tell(escalation, database, look, now);
    }
    if (look)
        free(look->alert);
    free(look);
    return done;
}

int weir_escalation_turn(struct weir_escalation *escalation, struct weir_database *database,
                         weir_time now, weir_time steady)
{
    int done = 0;

    if (escalation->count > 0 && is_told(escalation)) {
        done = note_told(escalation, database, now);
        if (done == 0)
            weir_alert_pace_note(&escalation->pace, steady);
    }
    weir_alerts_tick(escalation->alerts);
    if (done < 0 || escalation->count > 0 || steady - escalation->looked < LOOK_EVERY ||
        steady < weir_alert_pace_due(&escalation->pace))
        return done;
    escalation->looked = steady;
    return look_for(escalation, database, now);
}

void weir_escalation_count(struct weir_escalation *escalation,
                           struct weir_alerts_counts *counts_r)
{
    weir_alerts_count(escalation->alerts, counts_r);
}

/* closing -------------------------------------------------------------------------- */

void weir_escalation_stop(struct weir_escalation *escalation)
{
    if (escalation)
        weir_alerts_stop(escalation->alerts);
}

void weir_escalation_close(struct weir_escalation **escalation, struct weir_database *database,
                           weir_time now)
{
    if (!escalation || !*escalation)
        return;
    weir_escalation_stop(*escalation);
    if ((*escalation)->count > 0 && is_told(*escalation))
        (void)note_told(*escalation, database, now);
    weir_alerts_close(&(*escalation)->alerts);
    free(*escalation);
    *escalation = NULL;
}
