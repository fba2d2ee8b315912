/*
 * What a turn gathered, written in one transaction: events, decisions, the place of each prefix on
 * the ladder, and how far the journal is answered.  Then it is told: log, alerts, servers; of many
 * events the log has the first ones and a number.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/threshold/responder_impl.h"

#define LINE_EVERY (10 * WEIR_SECOND) /* of the log, beyond WEIR_LOG_BURST of a kind */
#define MORE 32

int weir_responder_audit(struct weir_responder *responder, const char *who, const char *what,
                         const char *detail)
{
    const struct weir_audit line = {
        .time = responder->now, .who = who, .what = what, .detail = detail};

    return weir_database_audit_add(responder->options.database, &line);
}

int weir_responder_list(struct weir_responder *responder, const char *name,
                        const struct weir_list_entry *entry, const char *origin, int64_t event)
{
    const struct weir_database_decision decision = {
        .made = responder->now,
        .event = event,
        .list = name,
        .prefix = entry->prefix,
        .ends = entry->ends,
        .defer = entry->defer,
        .points = entry->points,
        .reason = entry->reason,
        .origin = origin,
    };
    int64_t number;

    return weir_database_decision_add(responder->options.database, &decision, &number,
                                      &responder->generation);
}

/* events ------------------------------------------------------------------------- */

static void describe(const struct weir_watch_event *event, char *text, size_t size)
{
    char prefix[WEIR_PREFIX_TEXT];

    snprintf(text, size, "%s: %s at %.3g a second, limit %.3g a second and %.3g at once, class %s",
             weir_prefix_format(&event->prefix, prefix), weir_quantity_name(event->quantity),
             event->rate, event->limit.rate, event->limit.maximum, event->class_name);
}

struct standing {
    const char *quantity;
    int64_t number;              /* of the newest, or 0 */
};

static int find_standing(void *context, const struct weir_event *event)
{
    struct standing *standing = context;

    if (strcmp(event->kind, "threshold") != 0 || strcmp(event->quantity, standing->quantity) != 0)
        return 0;
    standing->number = event->number;
    return 1;
}

/* The number of the row that tells of it and is not cleared; 0: none; an error. */
static int64_t standing_row(struct weir_responder *responder, const struct weir_watch_event *event)
{
    const struct weir_event_filter filter = {.open = true, .prefix = &event->prefix, .most = 16};
    struct standing standing = {.quantity = weir_quantity_name(event->quantity)};
    int done = weir_database_events(responder->options.database, &filter, find_standing,
                                    &standing);

    return done < 0 ? done : standing.number;
}

static int add_row(struct weir_responder *responder, const struct weir_watch_event *event,
                   int64_t *number_r)
{
    char text[256];
    const struct weir_event row = {
        .raised = event->time,
        .cleared = event->untracked ? event->time : 0,
        .kind = "threshold",
        .has_prefix = true,
        .prefix = event->prefix,
        .quantity = weir_quantity_name(event->quantity),
        .class_name = event->class_name,
        .observed = event->observed,
        .limit_rate = event->limit.rate,
        .limit_maximum = event->limit.maximum,
        .rate = event->rate,
        .tokens = event->tokens,
        .children = event->children,
        .servers = event->servers | event->seen,
        .word = event->servers,
        .text = text,
    };

    describe(event, text, sizeof text);
    return weir_database_event_add(responder->options.database, &row, number_r);
}

/* One that stands already was raised before a restart, whose buckets began anew: the same row. */
static int write_raised(struct weir_responder *responder, struct responder_item *item,
                        int64_t *number_r)
{
    *number_r = standing_row(responder, &item->event);
    if (*number_r < 0)
        return (int)*number_r;
    item->again = *number_r > 0;
    return item->again ? 0 : add_row(responder, &item->event, number_r);
}

static int write_cleared(struct weir_responder *responder, const struct weir_watch_event *event)
{
    struct weir_database *database = responder->options.database;
    int64_t number = standing_row(responder, event);
    int done = weir_database_ladder_ended(database, &event->prefix, event->time);

    if (number <= 0 || done < 0)
        return number < 0 ? (int)number : done;
    done = weir_database_event_clear(database, number, event->time);
    return done < 0 ? done : 0;
}

/* decisions ---------------------------------------------------------------------- */

/* What comes of it, and why nothing does where that is so. */
static enum weir_response response_of(const struct responder_item *item)
{
    return item->needless ? WEIR_RESPONSE_ALERT : item->decision.response;
}

static const char *withheld_of(const struct responder_item *item)
{
    return item->needless ? "it is listed already, and for longer" : item->decision.withheld;
}

static const char *sentence(const struct responder_item *item, char *text, size_t size)
{
    char prefix[WEIR_PREFIX_TEXT];

    snprintf(text, size, "%s %s: %s", weir_response_name(response_of(item)),
             weir_prefix_format(&item->decision.prefix, prefix), item->decision.reason);
    return text;
}

/* The list that a decision puts its prefix on, or NULL. */
static const char *list_of(const struct weir_ladder_decision *decision)
{
    return decision->response == WEIR_RESPONSE_SCORE    ? "score"
           : decision->response == WEIR_RESPONSE_DEFER  ? "blacklist"
           : decision->response == WEIR_RESPONSE_REJECT ? "blacklist"
                                                        : NULL;
}

static int does_as_much(void *context, const struct weir_database_decision *stands)
{
    struct responder_item *item = context;
    const struct weir_ladder_decision *decision = &item->decision;
    bool lasts = stands->ends == 0 || (decision->ends != 0 && stands->ends >= decision->ends);
    bool milder = decision->response == WEIR_RESPONSE_SCORE
                      ? stands->points < decision->points
                      : stands->defer && decision->response == WEIR_RESPONSE_REJECT;

    item->needless = lasts && !milder;
    return item->needless;
}

/* Servers keep one entry of a prefix, the last: a step of the ladder must not take the place of an
 * analyst's block of a month. */
static int look_for_stronger(struct weir_responder *responder, struct responder_item *item)
{
    const char *list = list_of(&item->decision);
    int done;

    item->needless = false;
    if (!list)
        return 0;
    done = weir_database_decisions_about(responder->options.database, &item->decision.prefix, list,
                                         responder->now, does_as_much, item);
    return done < 0 ? done : 0;
}

static int write_lists(struct weir_responder *responder, const struct responder_item *item,
                       int64_t event)
{
    const struct weir_ladder_decision *decision = &item->decision;
    struct weir_list_entry entry = {.prefix = decision->prefix,
                                    .ends = decision->ends,
                                    .points = decision->points,
                                    .defer = decision->response == WEIR_RESPONSE_DEFER};
    const char *list = list_of(decision);

    if (!list || item->needless)
        return 0;
    memcpy(entry.reason, decision->reason, sizeof entry.reason);
    return weir_responder_list(responder, list, &entry, WEIR_RESPONDER_ORIGIN, event);
}

static struct weir_alert alert_of(const struct responder_item *item)
{
    const struct weir_ladder_decision *decision = &item->decision;
    struct weir_alert alert = {
        .time = decision->time,
        .ends = decision->ends,
        .prefix = decision->prefix,
        .quantity = item->event.quantity,
        .rate = item->event.rate,
        .limit = item->event.limit,
        .servers = decision->servers | item->event.seen,
        .response = response_of(item),
        .wanted = decision->wanted,
        .event = item->number,
        .silence = item->silence,
    };
    const char *withheld = withheld_of(item);

    snprintf(alert.class_name, sizeof alert.class_name, "%s", item->class_name);
    snprintf(alert.withheld, sizeof alert.withheld, "%s", withheld ? withheld : "");
    return alert;
}

/* Who is to be told of it; what is only observed is no alert. */
static int write_told(struct weir_responder *responder, struct responder_item *item, int64_t event)
{
    const struct weir_responder_options *options = &responder->options;
    struct weir_alert alert;
    int done;

    item->number = event;
    item->silence = 0;
    if (item->decision.response == WEIR_RESPONSE_OBSERVE || !options->owe)
        return 0;
    alert = alert_of(item);
    done = options->owe(options->context, &alert);
    item->silence = alert.silence;
    return done;
}

static int write_decision(struct weir_responder *responder, struct responder_item *item,
                          int64_t event)
{
    const struct weir_ladder_decision *decision = &item->decision;
    const struct weir_ladder_row place = {
        .prefix = decision->prefix,
        .last = decision->time,
        .ends = decision->until,
        .taken = decision->taken,
        .step = decision->step,
        .repeated = decision->repeated,
        .withheld = decision->wanted >= WEIR_RESPONSE_SCORE &&
                    decision->response == WEIR_RESPONSE_ALERT,
        .observed = item->event.observed,
    };
    char text[WEIR_REASON_MAX + WEIR_PREFIX_TEXT + 64];
    int done = look_for_stronger(responder, item);

    if (done == 0 && !decision->forgotten)
        done = weir_database_ladder_put(responder->options.database, &place);
    if (done == 0)
        done = weir_responder_audit(responder, WEIR_RESPONDER_ORIGIN,
                                    weir_response_name(response_of(item)),
                                    sentence(item, text, sizeof text));
    if (done == 0)
        done = write_told(responder, item, event);
    return done < 0 ? done : write_lists(responder, item, event);
}

static int write_items(struct weir_responder *responder)
{
    int64_t number = 0;
    int done = 0;

    for (size_t i = 0; i < responder->items && done == 0; i++) {
        struct responder_item *item = &responder->item[i];

        item->event.class_name = item->class_name; /* items may have moved */
        if (item->is_decision && !item->answers)
            number = standing_row(responder, &item->event);
        if (number < 0)
            done = (int)number;
        else if (item->is_decision)
            done = write_decision(responder, item, number);
        else if (item->event.raised)
            done = write_raised(responder, item, &number);
        else
            done = write_cleared(responder, &item->event);
    }
    if (done == 0 && !responder->noted)
        done = weir_database_answered_put(responder->options.database, responder->answered);
    return done;
}

/* telling ------------------------------------------------------------------------ */

static void alert(struct weir_responder *responder, const struct responder_item *item)
{
    const struct weir_alert told = alert_of(item);

    responder->counts.alerts++;
    responder->options.alert(responder->options.context, &told);
}

/* " (12 more before)"; a peer can cause as many lines as it likes. */
static bool may_log(struct weir_responder *responder, struct weir_log_gate *gate,
                    char more_r[static MORE])
{
    unsigned held = 0;
    bool open = weir_log_gate_open(gate, responder->now, LINE_EVERY, &held);

    more_r[0] = '\0';
    if (held > 0)
        snprintf(more_r, MORE, " (%u more before)", held);
    return open;
}

static void log_decision(struct weir_responder *responder, const struct responder_item *item)
{
    char text[WEIR_REASON_MAX + WEIR_PREFIX_TEXT + 64], more[MORE];
    const char *withheld = withheld_of(item);

    if (may_log(responder, &responder->decisions_gate, more))
        weir_log(responder->log, WEIR_LOG_WARNING, "%s%s%s%s",
                 sentence(item, text, sizeof text), withheld ? "; withheld: " : "",
                 withheld ? withheld : "", more);
}

static void log_event(struct weir_responder *responder, const struct responder_item *item)
{
    char text[WEIR_REASON_MAX + WEIR_PREFIX_TEXT + 64], more[MORE];

    if (!may_log(responder, &responder->events_gate, more))
        return;
    describe(&item->event, text, sizeof text);
    weir_log(responder->log, WEIR_LOG_WARNING, "over its limit: %s%s%s%s", text,
             item->event.observed ? " (only observed)" : "",
             item->again ? " (again, after a restart)" : "", more);
}

static void tell(struct weir_responder *responder, const struct responder_item *item)
{
    if (item->is_decision) {
        responder->counts.decisions++;
        log_decision(responder, item);
        if (item->decision.response != WEIR_RESPONSE_OBSERVE)
            alert(responder, item);
    } else if (item->event.raised) {
        log_event(responder, item);
    }
}

/* How many of a count are to be told now; then they are. */
static uint64_t untold(struct weir_responder *responder, struct responder_capped *capped,
                       uint64_t count)
{
    weir_time since = responder->now - capped->last;
    uint64_t more = count - capped->told;

    if (more == 0 || (capped->last > 0 && since >= 0 && since < WEIR_HOUR))
        return 0;
    capped->told = count;
    capped->last = responder->now;
    return more;
}

static void tell_capped(struct weir_responder *responder, struct responder_capped *capped,
                        uint64_t count, const char *what)
{
    uint64_t more = untold(responder, capped, count);

    if (more > 0)
        weir_log(responder->log, WEIR_LOG_WARNING, "%s withheld: %" PRIu64 "; within an hour there "
                 "were more than [threshold] %s_hour, or %s_server_hour by the word of one server",
                 what, more, what, what);
}

void weir_responder_tell_capped(struct weir_responder *responder)
{
    struct weir_responder_counts counts;
    uint64_t more;

    weir_responder_count(responder, &counts);
    tell_capped(responder, &responder->blocks, counts.blocks_capped, "blocks");
    tell_capped(responder, &responder->scores, counts.scores_capped, "scores");
    more = untold(responder, &responder->left_out, counts.left_out);
    if (more > 0)
        weir_log(responder->log, WEIR_LOG_WARNING, "events left out: %" PRIu64 "; one server alone "
                 "told of more than %u within an hour: weirctl status names it", more,
                 responder->alone.most);
    more = untold(responder, &responder->lost, counts.lost);
    if (more > 0)
        weir_log(responder->log, WEIR_LOG_ERROR, "events lost: %" PRIu64 "; more than %d waited to "
                 "be written", more, WEIR_RESPONDER_QUEUE_MAX);
}

int weir_responder_write(struct weir_responder *responder)
{
    struct weir_database *database = responder->options.database;
    int done = weir_database_begin(database);

    responder->generation = 0;
    if (done == 0 && (done = write_items(responder)) < 0)
        weir_database_abandon(database);
    else if (done == 0)
        done = weir_database_commit(database);
    if (done < 0)
        return done;
    responder->noted = true;
    for (size_t i = 0; i < responder->items; i++)
        tell(responder, &responder->item[i]);
    responder->items = 0;
    if (responder->generation > 0)
        responder->options.changed(responder->options.context, responder->generation);
    return 0;
}
