/*
 * What a monitor that was stopped, killed or given other thresholds left in the database: events
 * that stand are taken up again by the watch, so that they end when the traffic does, or are
 * closed with the reason why not; prefixes are at the step of the ladder they had come to; and
 * blocks and scores of the last hour count against the caps.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/database/database_traffic_io.h"
#include "monitor/threshold/responder_impl.h"

#define GRACE_LEAST WEIR_MINUTE
#define GRACE_MOST (10 * WEIR_MINUTE)

struct left_event {
    int64_t number;
    struct weir_watch_event event;
    const char *why;             /* it is not taken up */
};

struct left {
    struct left_event *event;
    size_t count, room;
};

static int note_left(void *context, const struct weir_event *row)
{
    struct left *left = context;
    struct left_event *one;

    if (strcmp(row->kind, "threshold") != 0 || !row->has_prefix)
        return 0;
    one = weir_grown(left->event, left->count, &left->room, sizeof *one);
    if (!one)
        return WEIR_ENOMEM;
    left->event = one;
    one = &left->event[left->count++];
    *one = (struct left_event){.number = row->number};
    one->event = (struct weir_watch_event){
        .raised = true,
        .observed = row->observed,
        .time = row->raised,
        .prefix = row->prefix,
        .limit = {row->limit_rate, row->limit_maximum},
        .tokens = row->tokens,
        .rate = row->rate,
        .children = row->children,
        .servers = (uint32_t)row->word,
        .seen = (uint32_t)row->servers,
    };
    if (!weir_quantity_find(row->quantity, &one->event.quantity))
        one->why = "its quantity is not known";
    return 0;
}

/* Time enough for the watch to find that it is over, before the next step is taken. */
static weir_time grace(const struct weir_limit *limit)
{
    double seconds = limit->rate > 0 ? limit->maximum / 2 / limit->rate : 1e9;

    return GRACE_LEAST + (weir_time)fmin(seconds * WEIR_SECOND, (double)GRACE_MOST);
}

/* The bucket is as it may have been when the database last heard of it. */
static int take_up(struct weir_responder *responder, struct left_event *one, weir_time now,
                   bool went_on)
{
    const struct weir_responder_options *options = &responder->options;
    bool observed = one->event.observed;
    weir_time seen = 0;
    int done = weir_database_last_seen(options->database, &one->event.prefix, &seen);

    if (done < 0)
        return done;
    seen = seen < now ? seen : now; /* a clock may have been ahead */
    if (!one->why)
        one->why = options->resume(options->context, &one->event,
                                   seen > one->event.time ? seen : one->event.time);
    if (!one->why) {
        weir_ladder_stands(responder->ladder, &one->event,
                           now + (went_on ? 0 : grace(&one->event.limit)));
        responder->counts.resumed++;
        return observed == one->event.observed ? 0
            : weir_database_event_observed(options->database, one->number, !observed);
    }
    done = weir_database_event_close(options->database, one->number, now, one->why);
    responder->counts.closed += done > 0;
    return done < 0 ? done : 0;
}

static int put_place(void *context, const struct weir_ladder_row *row)
{
    struct weir_responder *responder = context;

    weir_ladder_put(responder->ladder,
                    &(struct weir_ladder_place){.prefix = row->prefix, .step = row->step,
                                                .repeated = row->repeated, .last = row->last,
                                                .until = row->ends, .taken = row->taken,
                                                .withheld = row->withheld,
                                                .observed = row->observed});
    return 0;
}

static int put_listed(void *context, bool score, weir_time made, uint64_t servers)
{
    struct weir_responder *responder = context;

    weir_ladder_spent(responder->ladder, score ? WEIR_RESPONSE_SCORE : WEIR_RESPONSE_REJECT,
                      (uint32_t)servers, made);
    return 0;
}

int weir_responder_resume(struct weir_responder *responder, weir_time now, bool went_on)
{
    struct weir_database *database = responder->options.database;
    const struct weir_event_filter standing = {.open = true};
    struct left left = {0};
    int done = weir_database_events(database, &standing, note_left, &left), ended;

    if (done >= 0)
        done = weir_database_begin(database);
    for (size_t i = 0; i < left.count && done == 0; i++)
        done = take_up(responder, &left.event[i], now, went_on);
    if (done >= 0)
        done = weir_database_ladder(database, now - responder->memory, put_place,
                                    responder);
    if (done >= 0)
        done = weir_database_listed(database, WEIR_RESPONDER_ORIGIN, now - WEIR_HOUR, put_listed,
                                    responder);
    ended = done >= 0 ? weir_database_commit(database) : done;
    if (ended < 0)
        weir_database_abandon(database);
    free(left.event);
    return ended;
}

int weir_responder_replayed(struct weir_responder *responder, uint64_t booked)
{
    responder->replaying = false;
    if (responder->answered <= booked)
        return 0;
    /* The journal lost its end, in a power cut: what comes now is behind what was answered. */
    responder->answered = booked;
    return weir_database_answered_put(responder->options.database, booked);
}
