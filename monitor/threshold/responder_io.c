/*
 * responder - a queue, the ladder, and the database.
 *
 * Events are told once by the watch, so that they must not be lost on the way: the queue is as long
 * as there can be alarms, and an event is taken out of it only when the database has it.
 */
#include "monitor/threshold/responder_io.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lists_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"

#define ORIGIN "monitor"
#define TURN_MOST 500 /* events: in a storm of them the first blocks are told before the last */

struct weir_responder {
    struct weir_responder_options options;
    const struct weir_log *log;
    struct weir_ladder *ladder;
    pthread_mutex_t lock;        /* of the queue */
    struct weir_watch_event *queue;
    size_t first, count;
    struct weir_responder_counts counts;
    int64_t event;               /* number of the one that is being answered, or 0 */
    weir_time now;
    uint64_t generation;         /* of the last change in this turn, or 0 */
    int error;                   /* of the database in this turn */
};

/* queue -------------------------------------------------------------------------- */

void weir_responder_event(void *context, const struct weir_watch_event *event)
{
    struct weir_responder *responder = context;
    const uint64_t one = 1;

    pthread_mutex_lock(&responder->lock);
    if (responder->count == WEIR_RESPONDER_QUEUE_MAX) {
        responder->counts.lost++;
    } else {
        responder->queue[(responder->first + responder->count) % WEIR_RESPONDER_QUEUE_MAX] =
            *event;
        responder->count++;
    }
    pthread_mutex_unlock(&responder->lock);
    if (write(responder->options.wake, &one, sizeof one) < 0)
        return; /* it is full of wakes already */
}

static bool peek(struct weir_responder *responder, struct weir_watch_event *event_r)
{
    bool any;

    pthread_mutex_lock(&responder->lock);
    any = responder->count > 0;
    if (any)
        *event_r = responder->queue[responder->first];
    pthread_mutex_unlock(&responder->lock);
    return any;
}

static void drop(struct weir_responder *responder)
{
    pthread_mutex_lock(&responder->lock);
    responder->first = (responder->first + 1) % WEIR_RESPONDER_QUEUE_MAX;
    responder->count--;
    pthread_mutex_unlock(&responder->lock);
}

/* What is left is for the next turn, at once. */
static void wake_again(struct weir_responder *responder)
{
    struct weir_watch_event event;
    const uint64_t one = 1;

    if (peek(responder, &event) && write(responder->options.wake, &one, sizeof one) < 0)
        return; /* it is full of wakes already */
}

/* decisions ---------------------------------------------------------------------- */

static void audit(struct weir_responder *responder, const char *who, const char *what,
                  const char *detail)
{
    const struct weir_audit line = {
        .time = responder->now, .who = who, .what = what, .detail = detail};

    if (weir_database_audit_add(responder->options.database, &line) < 0)
        weir_log(responder->log, WEIR_LOG_ERROR, "%s",
                 weir_database_why(responder->options.database));
}

static void alert(struct weir_responder *responder, const struct weir_ladder_decision *decision)
{
    const struct weir_watch_event *event = decision->event;
    struct weir_alert told = {
        .time = decision->time,
        .ends = decision->ends,
        .prefix = decision->prefix,
        .quantity = event->quantity,
        .rate = event->rate,
        .limit = event->limit,
        .servers = decision->servers,
        .response = decision->response,
        .wanted = decision->wanted,
    };

    snprintf(told.class_name, sizeof told.class_name, "%s", event->class_name);
    snprintf(told.withheld, sizeof told.withheld, "%s",
             decision->withheld ? decision->withheld : "");
    responder->counts.alerts++;
    responder->options.alert(responder->options.context, &told);
}

static int list(struct weir_responder *responder, const char *name,
                const struct weir_list_entry *entry, const char *origin)
{
    const struct weir_database_decision decision = {
        .made = responder->now,
        .event = responder->event,
        .list = name,
        .prefix = entry->prefix,
        .ends = entry->ends,
        .defer = entry->defer,
        .points = entry->points,
        .reason = entry->reason,
        .origin = origin,
    };
    int64_t number;
    int done = weir_database_decision_add(responder->options.database, &decision, &number,
                                          &responder->generation);

    if (done < 0)
        responder->error = done;
    return done;
}

/* The ladder's handler. */
static void decided(void *context, const struct weir_ladder_decision *decision)
{
    struct weir_responder *responder = context;
    struct weir_list_entry entry = {.prefix = decision->prefix,
                                    .ends = decision->ends,
                                    .points = decision->points,
                                    .defer = decision->response == WEIR_RESPONSE_DEFER};
    char text[WEIR_REASON_MAX + WEIR_PREFIX_TEXT + 64], prefix[WEIR_PREFIX_TEXT];

    responder->counts.decisions++;
    memcpy(entry.reason, decision->reason, sizeof entry.reason);
    snprintf(text, sizeof text, "%s %s: %s", weir_response_name(decision->response),
             weir_prefix_format(&decision->prefix, prefix), decision->reason);
    weir_log(responder->log, WEIR_LOG_WARNING, "%s%s%s", text,
             decision->withheld ? "; withheld: " : "",
             decision->withheld ? decision->withheld : "");
    audit(responder, ORIGIN, weir_response_name(decision->response), text);
    if (decision->response != WEIR_RESPONSE_OBSERVE)
        alert(responder, decision);
    if (decision->response == WEIR_RESPONSE_SCORE)
        (void)list(responder, "score", &entry, ORIGIN);
    else if (decision->response == WEIR_RESPONSE_DEFER ||
             decision->response == WEIR_RESPONSE_REJECT)
        (void)list(responder, "blacklist", &entry, ORIGIN);
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
                   const char *text)
{
    const struct weir_event row = {
        .raised = event->time,
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
        .servers = event->servers,
        .text = text,
    };

    return weir_database_event_add(responder->options.database, &row, &responder->event);
}

/* One that stands already was raised before a restart, whose buckets began anew: the same row. */
static int store_raised(struct weir_responder *responder, const struct weir_watch_event *event)
{
    int64_t number = standing_row(responder, event);
    char text[256];

    if (number < 0)
        return (int)number;
    describe(event, text, sizeof text);
    weir_log(responder->log, WEIR_LOG_WARNING, "over its limit: %s%s", text,
             event->observed ? " (only observed)" : "");
    responder->event = number;
    return number > 0 ? 0 : add_row(responder, event, text);
}

static int store_cleared(struct weir_responder *responder, const struct weir_watch_event *event)
{
    int64_t number = standing_row(responder, event);
    int done;

    if (number <= 0)
        return (int)number;
    done = weir_database_event_clear(responder->options.database, number, event->time);
    return done < 0 ? done : 0;
}

static int answer(struct weir_responder *responder, const struct weir_watch_event *event)
{
    int done = event->raised ? store_raised(responder, event) : store_cleared(responder, event);

    if (done < 0)
        return done;
    responder->counts.events++;
    weir_ladder_event(responder->ladder, event);
    responder->event = 0;
    return responder->error;
}

int weir_responder_turn(struct weir_responder *responder, weir_time now)
{
    struct weir_watch_event event;
    int done = 0;

    responder->now = now;
    responder->generation = 0;
    responder->error = 0;
    for (unsigned n = 0; n < TURN_MOST && done == 0 && peek(responder, &event); n++) {
        done = answer(responder, &event);
        if (done == 0)
            drop(responder);
    }
    if (done == 0)
        wake_again(responder);
    weir_ladder_advance(responder->ladder, now);
    if (responder->generation > 0)
        responder->options.changed(responder->options.context, responder->generation);
    return done < 0 ? done : responder->error;
}

int weir_responder_finish(struct weir_responder *responder, weir_time now)
{
    struct weir_watch_event event;
    int done = 0;

    while (done == 0 && peek(responder, &event))
        done = weir_responder_turn(responder, now);
    return done;
}

/* analysts ----------------------------------------------------------------------- */

struct below {
    const struct weir_prefix *prefix;
    struct weir_prefix found[64];
    size_t count;
};

static int note_below(void *context, const struct weir_database_decision *decision)
{
    struct below *below = context;

    if (decision->prefix.bits < below->prefix->bits ||
        !weir_prefix_contains(below->prefix, &decision->prefix.address) ||
        (strcmp(decision->list, "blacklist") != 0 && strcmp(decision->list, "score") != 0))
        return 0;
    if (below->count == sizeof below->found / sizeof below->found[0])
        return 1;
    below->found[below->count++] = decision->prefix;
    return 0;
}

struct standing_below {
    const struct weir_prefix *prefix;
    int64_t number[64];
    size_t count;
};

static int note_standing(void *context, const struct weir_event *event)
{
    struct standing_below *below = context;

    if (!event->has_prefix || event->prefix.bits < below->prefix->bits ||
        !weir_prefix_contains(below->prefix, &event->prefix.address))
        return 0;
    if (below->count == sizeof below->number / sizeof below->number[0])
        return 1;
    below->number[below->count++] = event->number;
    return 0;
}

/* The watch forgets them without a word. */
static int clear_below(struct weir_responder *responder, const struct weir_prefix *prefix)
{
    struct weir_event_filter filter = {.open = true};
    struct standing_below below = {.prefix = prefix};
    int done;

    do {
        below.count = 0;
        done = weir_database_events(responder->options.database, &filter, note_standing, &below);
        for (size_t i = 0; i < below.count && done >= 0; i++)
            done = weir_database_event_clear(responder->options.database, below.number[i],
                                             responder->now);
        if (below.count > 0) /* newest first */
            filter.before = below.number[below.count - 1];
    } while (done >= 0 && below.count > 0);
    return done < 0 ? done : 0;
}

int weir_responder_undo(struct weir_responder *responder, const struct weir_prefix *prefix,
                        const char *who, weir_time now)
{
    static const char *const lists[] = {"blacklist", "score"};
    struct below below = {.prefix = prefix};
    char text[WEIR_PREFIX_TEXT];
    int undone = 0, done;

    responder->now = now;
    do {
        below.count = 0;
        done = weir_database_decisions_active(responder->options.database, now, note_below, &below);
        for (size_t i = 0; i < 2 * below.count && done >= 0; i++) {
            done = weir_database_decisions_undo(responder->options.database, &below.found[i / 2],
                                                lists[i % 2], who, now, &responder->generation);
            undone += done > 0 ? done : 0;
        }
    } while (done >= 0 && below.count > 0);
    if (done >= 0)
        done = clear_below(responder, prefix);
    if (done < 0)
        return done;
    weir_ladder_undo(responder->ladder, prefix);
    audit(responder, who, "undo", weir_prefix_format(prefix, text));
    if (undone > 0)
        responder->options.changed(responder->options.context, responder->generation);
    return undone;
}

int weir_responder_unaccept(struct weir_responder *responder, const struct weir_prefix *prefix,
                            const char *who, weir_time now)
{
    char text[WEIR_PREFIX_TEXT];
    int undone;

    responder->now = now;
    undone = weir_database_decisions_undo(responder->options.database, prefix, "accept", who, now,
                                          &responder->generation);
    if (undone <= 0)
        return undone;
    audit(responder, who, "unaccept", weir_prefix_format(prefix, text));
    responder->options.changed(responder->options.context, responder->generation);
    return undone;
}

int weir_responder_decide(struct weir_responder *responder, const char *name,
                          const struct weir_list_entry *entry, const char *who, weir_time now)
{
    char text[WEIR_PREFIX_TEXT + 32], prefix[WEIR_PREFIX_TEXT];
    int done;

    responder->now = now;
    responder->error = 0;
    done = list(responder, name, entry, who);
    if (done < 0)
        return done;
    snprintf(text, sizeof text, "%s %s", name, weir_prefix_format(&entry->prefix, prefix));
    audit(responder, who, "decide", text);
    responder->options.changed(responder->options.context, responder->generation);
    return 0;
}

/* making ------------------------------------------------------------------------- */

int weir_responder_new(const struct weir_responder_options *options, const struct weir_log *log,
                       struct weir_responder **responder_r)
{
    struct weir_responder *responder = calloc(1, sizeof *responder);
    int done = WEIR_ENOMEM;

    if (!responder)
        return WEIR_ENOMEM;
    responder->options = *options;
    responder->log = log;
    pthread_mutex_init(&responder->lock, NULL);
    responder->queue = calloc(WEIR_RESPONDER_QUEUE_MAX, sizeof *responder->queue);
    if (responder->queue)
        done = weir_ladder_new(options->ladder, decided, responder, &responder->ladder);
    if (done < 0)
        weir_responder_free(&responder);
    else
        *responder_r = responder;
    return done;
}

void weir_responder_free(struct weir_responder **responder)
{
    if (!responder || !*responder)
        return;
    weir_ladder_free(&(*responder)->ladder);
    free((*responder)->queue);
    pthread_mutex_destroy(&(*responder)->lock);
    free(*responder);
    *responder = NULL;
}

void weir_responder_count(const struct weir_responder *responder,
                          struct weir_responder_counts *counts_r)
{
    *counts_r = responder->counts;
}
