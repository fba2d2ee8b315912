/*
 * alert_owed - messages composed of rows, and rows that go when they were handed over.
 *
 * What is under way is remembered by the numbers of its rows: whatever happens to them meanwhile -
 * held, dropped, another in their place - nothing else than what was told is noted.
 */
#include "monitor/threshold/alert_owed_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/database/database_events_io.h"
#include "monitor/threshold/alert_impl.h"

/* rows and alerts ------------------------------------------------------------------ */

static enum weir_response response_of(const char *name)
{
    for (unsigned r = 0; r < WEIR_RESPONSES; r++)
        if (strcmp(weir_response_name((enum weir_response)r), name) == 0)
            return (enum weir_response)r;
    return WEIR_RESPONSE_ALERT;
}

static struct weir_alert alert_of(const struct weir_owed *owed)
{
    struct weir_alert alert = {
        .time = owed->time,
        .ends = owed->ends,
        .prefix = owed->prefix,
        .rate = owed->rate,
        .limit = {.rate = owed->limit_rate, .maximum = owed->limit_maximum},
        .servers = owed->servers,
        .response = response_of(owed->response),
        .wanted = response_of(owed->wanted),
        .event = owed->event,
        .again = owed->again,
        .late = owed->late,
    };

    (void)weir_quantity_find(owed->quantity, &alert.quantity);
    snprintf(alert.class_name, sizeof alert.class_name, "%s", owed->class_name);
    snprintf(alert.withheld, sizeof alert.withheld, "%s", owed->withheld);
    return alert;
}

static struct weir_owed owed_of(const struct weir_alert *alert, unsigned way, weir_time look)
{
    return (struct weir_owed){
        .way = way,
        .event = alert->event,
        .again = alert->again,
        .time = alert->time,
        .ends = alert->ends,
        .prefix = alert->prefix,
        .quantity = weir_quantity_name(alert->quantity),
        .rate = alert->rate,
        .limit_rate = alert->limit.rate,
        .limit_maximum = alert->limit.maximum,
        .class_name = alert->class_name,
        .servers = alert->servers,
        .response = weir_response_name(alert->response),
        .wanted = weir_response_name(alert->wanted),
        .withheld = alert->withheld,
        .held = alert->silence,
        .look = look,
    };
}

/* owing ---------------------------------------------------------------------------- */

static int add_rows(struct weir_alerts *alerts, struct weir_database *database,
                    const struct weir_alert *alert, weir_time look)
{
    int done = 0;

    for (unsigned i = 0; i < ALERT_CHANNELS && done == 0; i++) {
        const struct weir_owed owed = owed_of(alert, alerts->channel[i].way, look);

        if (alerts->channel[i].runs)
            done = weir_database_owed_add(database, &owed);
    }
    alerts->grown = true;
    return done;
}

static int note_event(const struct weir_alerts *alerts, struct weir_database *database,
                      const struct weir_alert *alert, weir_time now)
{
    int done;

    if (alert->event == 0)
        return 0;
    if (alert->again > 0)
        return weir_database_event_put_off(database, alert->event, now, alert->silence);
    done = weir_database_event_alerted(database, alert->event, now, alert->silence);
    if (done == 0 && alert->silence == 0 && !weir_alerts_any(alerts)) /* the log has told it */
        done = weir_database_event_told(database, alert->event, now, 0);
    return done;
}

int weir_alerts_owe(struct weir_alerts *alerts, struct weir_database *database,
                    const struct weir_owed_about *about, struct weir_alert *alert, weir_time now)
{
    weir_time look = 0;
    int done = 0;

    alert->silence = about->silence(about->context, alert, &look);
    if (alert->again == 0 || alert->silence == 0)
        done = add_rows(alerts, database, alert, look);
    return done < 0 ? done : note_event(alerts, database, alert, now);
}

/* holding and letting go ------------------------------------------------------------ */

/* What is to be changed when the list was read. */
struct changes {
    const struct weir_owed_about *about;
    struct change {
        struct weir_owed owed;   /* of its texts nothing */
        int64_t before;          /* held it */
    } *change;
    size_t count, room;
    weir_time now;
};

static int add_change(struct changes *changes, const struct weir_owed *owed,
                      const struct weir_alert *alert, weir_time look)
{
    struct change *more = weir_grown(changes->change, changes->count, &changes->room,
                                     sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    changes->change = more;
    more[changes->count++] = (struct change){
        .owed = {.number = owed->number, .way = owed->way, .event = owed->event,
                 .servers = alert->servers, .held = alert->silence, .look = look,
                 .late = alert->silence > 0 ? owed->late : changes->now},
        .before = owed->held};
    return 0;
}

static int write_change(struct weir_database *database, const struct change *change,
                        weir_time now)
{
    const struct weir_owed *owed = &change->owed;
    int done = weir_database_owed_change(database, owed);

    if (done < 0 || owed->held == change->before)
        return done;
    return owed->held > 0
               ? weir_database_event_silenced(database, owed->event, owed->held)
               : weir_database_event_unsilenced(database, owed->event, now, owed->servers);
}

static int write_changes(struct weir_database *database, const struct changes *changes)
{
    int done = changes->count > 0 ? weir_database_begin(database) : 0;

    if (changes->count == 0 || done < 0)
        return done;
    for (size_t i = 0; i < changes->count && done == 0; i++)
        done = write_change(database, &changes->change[i], changes->now);
    if (done == 0)
        return weir_database_commit(database);
    weir_database_abandon(database);
    return done;
}

static int look_at(void *context, const struct weir_owed *owed)
{
    struct changes *changes = context;
    struct weir_alert alert = alert_of(owed);
    weir_time look = 0;

    alert.silence = changes->about->silence(changes->about->context, &alert, &look);
    return add_change(changes, owed, &alert, look);
}

int weir_owed_look(struct weir_database *database, const struct weir_owed_about *about,
                   weir_time now)
{
    struct changes changes = {.about = about, .now = now};
    int done = weir_database_owed_held(database, now, WEIR_OWED_LOOKS, look_at, &changes);

    done = done < 0 ? done : write_changes(database, &changes);
    free(changes.change);
    return done;
}

struct sweep {
    struct changes changes;
    int64_t last;
};

static int sweep_at(void *context, const struct weir_owed *owed)
{
    struct sweep *sweep = context;
    const struct weir_owed_about *about = sweep->changes.about;
    struct weir_alert alert = alert_of(owed);
    weir_time look = 0;

    sweep->last = owed->number;
    alert.silence = about->silence(about->context, &alert, &look);
    return alert.silence == owed->held ? 0 : add_change(&sweep->changes, owed, &alert, look);
}

int weir_owed_sweep(struct weir_database *database, const struct weir_owed_about *about,
                    weir_time now, int64_t *after_r)
{
    struct sweep sweep = {.changes = {.about = about, .now = now}};
    int seen = weir_database_owed_silenced(database, *after_r, WEIR_OWED_LOOKS, sweep_at, &sweep);
    int done = seen < 0 ? seen : write_changes(database, &sweep.changes);

    free(sweep.changes.change);
    if (done == 0)
        *after_r = seen < WEIR_OWED_LOOKS ? 0 : sweep.last;
    return done;
}

/* messages -------------------------------------------------------------------------- */

struct composing {
    struct alert_channel *channel;
    struct changes hold;
};

static int compose_row(void *context, const struct weir_owed *owed)
{
    struct composing *composing = context;
    struct alert_channel *channel = composing->channel;
    const struct weir_owed_about *about = composing->hold.about;
    struct weir_alert alert = alert_of(owed);
    weir_time look = 0;
    struct alert_row *row;

    alert.silence = about->silence(about->context, &alert, &look);
    if (alert.silence > 0)
        return add_change(&composing->hold, owed, &alert, look);
    row = weir_grown(channel->row, channel->rows, &channel->room, sizeof *row);
    if (!row)
        return WEIR_ENOMEM;
    channel->row = row;
    row[channel->rows++] = (struct alert_row){owed->number, owed->event, owed->again};
    if (channel->sending.kept < WEIR_ALERT_LINES) /* of the others there is a number */
        about->name(about->context, &alert);
    weir_alert_group_add(&channel->sending, &alert);
    return 0;
}

/* What cannot be noted as held is not told all the same. */
static int compose(struct alert_channel *channel, struct weir_database *database,
                   const struct weir_owed_about *about, weir_time now)
{
    struct composing composing = {.channel = channel, .hold = {.about = about, .now = now}};
    int done, held;

    channel->sending = (struct weir_alert_group){.count = 0};
    done = weir_database_owed_due(database, channel->way, WEIR_OWED_MESSAGE, compose_row,
                                  &composing);
    held = done < 0 ? done : write_changes(database, &composing.hold);
    free(composing.hold.change);
    if (done < 0)
        channel->rows = 0;
    if (channel->rows > 0)
        weir_alert_send(channel);
    return held;
}

static int note_told(struct alert_channel *channel, struct weir_database *database, weir_time now)
{
    int done = weir_database_begin(database);

    for (size_t i = 0; i < channel->rows && done == 0; i++) {
        const struct alert_row *row = &channel->row[i];
        const struct weir_owed owed = {.number = row->number, .way = channel->way,
                                       .event = row->event, .again = row->again};

        done = weir_database_owed_told(database, &owed);
        if (done == 0 && row->event > 0)
            done = weir_database_event_told(database, row->event, now, row->again);
    }
    if (done == 0)
        return weir_database_commit(database);
    weir_database_abandon(database);
    return done;
}

/* What came of the message before; an error: what was told stays noted as under way. */
static int note_result(struct alert_channel *channel, struct weir_database *database,
                       weir_time now)
{
    enum alert_state state = weir_alert_result(channel);
    int done = state == ALERT_TOLD ? note_told(channel, database, now) : 0;

    if (done < 0 || state == ALERT_IDLE || state == ALERT_UNDER_WAY)
        return done;
    channel->rows = 0;
    weir_alert_settled(channel);
    return 0;
}

/* turns ------------------------------------------------------------------------------ */

/* Once: what is owed by ways that are configured no more. */
static int drop_gone(struct weir_alerts *alerts, struct weir_database *database)
{
    int done = 0;

    for (unsigned i = 0; i < ALERT_CHANNELS && done >= 0 && !alerts->settled; i++) {
        const struct alert_channel *channel = &alerts->channel[i];

        done = channel->runs ? 0 : weir_database_owed_drop(database, channel->way);
        if (done > 0)
            weir_log(alerts->log, WEIR_LOG_WARNING, "%d %s that waited for %s are told no more: "
                     "[monitor] %s_%s is not set any more", done, alerts->options.what,
                     channel->name, alerts->options.setting, channel->name);
    }
    alerts->settled = alerts->settled || done >= 0;
    return done < 0 ? done : 0;
}

/* A way that has told nothing for long loses its own, and no other's. */
static int trim_channel(struct alert_channel *channel, struct weir_database *database, bool grown,
                        weir_time steady)
{
    int gone = grown ? weir_database_owed_trim(database, channel->way, WEIR_OWED_MAX) : 0;

    if (gone < 0)
        return gone;
    channel->dropped += (uint64_t)gone;
    if (channel->dropped == channel->dropped_told ||
        (channel->dropped_at > 0 && steady - channel->dropped_at < WEIR_HOUR))
        return 0;
    weir_log(channel->log, WEIR_LOG_ERROR, "%" PRIu64 " %s are not told by %s, the oldest: more "
             "than %d waited for it", channel->dropped - channel->dropped_told,
             channel->options->what, channel->name, WEIR_OWED_MAX);
    channel->dropped_told = channel->dropped;
    channel->dropped_at = steady;
    return 0;
}

static int trim(struct weir_alerts *alerts, struct weir_database *database)
{
    weir_time steady = weir_clock_now(&alerts->steady);
    int done = 0;

    for (unsigned i = 0; i < ALERT_CHANNELS && done == 0; i++)
        if (alerts->channel[i].runs)
            done = trim_channel(&alerts->channel[i], database, alerts->grown, steady);
    alerts->grown = alerts->grown && done < 0;
    return done;
}

static int turn_channel(struct alert_channel *channel, struct weir_database *database,
                        const struct weir_owed_about *about, weir_time now,
                        enum weir_alerts_turn how)
{
    int done = note_result(channel, database, now);

    if (done == 0 && how != WEIR_ALERTS_NOTE &&
        weir_alert_ready(channel, how == WEIR_ALERTS_LAST))
        done = compose(channel, database, about, now);
    return done;
}

int weir_alerts_turn(struct weir_alerts *alerts, struct weir_database *database,
                     const struct weir_owed_about *about, weir_time now,
                     enum weir_alerts_turn how)
{
    int done = 0;

    if (how != WEIR_ALERTS_NOTE) {
        done = drop_gone(alerts, database);
        done = done < 0 ? done : trim(alerts, database);
    }
    for (unsigned i = 0; i < ALERT_CHANNELS; i++) {
        struct alert_channel *channel = &alerts->channel[i];
        int one = channel->runs ? turn_channel(channel, database, about, now, how) : 0;

        done = done < 0 ? done : one;
    }
    return done;
}

void weir_alerts_tell_untold(struct weir_alerts *alerts, struct weir_database *database)
{
    uint64_t count[WEIR_OWED_WAYS];

    if (weir_database_owed_count(database, count) < 0)
        return;
    for (unsigned i = 0; i < ALERT_CHANNELS; i++) {
        const struct alert_channel *channel = &alerts->channel[i];

        if (channel->runs && count[channel->way] > 0)
            weir_log(alerts->log, WEIR_LOG_WARNING,
                     "%" PRIu64 " %s were not told by %s: they are after the next start",
                     count[channel->way], alerts->options.what, channel->name);
    }
}
