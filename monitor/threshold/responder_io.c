/*
 * responder - a queue, the ladder, and what a turn gathers.
 *
 *     queue -> gather: ladder -> items -> one transaction -> told
 *
 * Events are told once by the watch, so that they must not be lost on the way: the queue is as long
 * as there can be alarms, what is taken out of it are items, and items stay until the database
 * has them all.  Nothing is told to anybody before that.
 *
 * A turn takes events up to the end of a batch of the journal, and its transaction notes which:
 * what the journal has up to there is answered, and a replay of it raises nothing anew.
 */
#include "monitor/threshold/responder_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/threshold/responder_impl.h"

#define TURN_LEAST 500 /* events: in a storm of them the first blocks are told before the last */

/* queue -------------------------------------------------------------------------- */

static void wake(struct weir_responder *responder)
{
    const uint64_t one = 1;

    if (write(responder->options.wake, &one, sizeof one) < 0)
        return; /* it is full of wakes already */
}

static struct responder_queued *queued_at(struct weir_responder *responder, size_t n)
{
    return &responder->queue[(responder->first + n) % WEIR_RESPONDER_QUEUE_MAX];
}

/* With the lock: whether it is one too many of a server that alone saw it. */
static bool is_left_out(struct weir_responder *responder, const struct weir_watch_event *event)
{
    struct responder_alone *alone = &responder->alone;
    struct weir_allowance *of;

    if (!event->raised || __builtin_popcount(event->servers) != 1)
        return false;
    of = &alone->of[__builtin_ctz(event->servers)];
    if (weir_allowance_left(of, alone->most, responder->clock)) {
        weir_allowance_take(of, alone->most, responder->clock);
        return false;
    }
    responder->counts.left_out++;
    responder->counts.left_out_servers |= event->servers;
    return true;
}

bool weir_responder_event(void *context, const struct weir_watch_event *event)
{
    struct weir_responder *responder = context;
    const uint64_t *booking = responder->options.booking;
    struct responder_queued queued = {*event, booking ? *booking : 0};
    bool taken = true;

    pthread_mutex_lock(&responder->lock);
    if (responder->replaying && queued.position <= responder->answered) {
        responder->counts.again++;
    } else if (responder->count == WEIR_RESPONDER_QUEUE_MAX) {
        responder->counts.lost++;
        taken = false;
    } else if (is_left_out(responder, event)) {
        taken = false;
    } else {
        *queued_at(responder, responder->count++) = queued;
    }
    pthread_mutex_unlock(&responder->lock);
    if (taken)
        wake(responder);
    return taken;
}

void weir_responder_drop(struct weir_responder *responder, const struct weir_prefix *prefix)
{
    size_t kept = 0;

    pthread_mutex_lock(&responder->lock);
    for (size_t i = 0; i < responder->count; i++) {
        const struct responder_queued *queued = queued_at(responder, i);
        const struct weir_prefix *about = &queued->event.prefix;

        if (about->bits < prefix->bits || !weir_prefix_contains(prefix, &about->address))
            *queued_at(responder, kept++) = *queued;
    }
    responder->count = kept;
    pthread_mutex_unlock(&responder->lock);
}

static void set_clock(struct weir_responder *responder, weir_time now)
{
    responder->now = now;
    pthread_mutex_lock(&responder->lock);
    responder->clock = now;
    pthread_mutex_unlock(&responder->lock);
}

/* The position of the first one that waits; false when none does. */
static bool first_waits(struct weir_responder *responder, uint64_t *position_r)
{
    bool any;

    pthread_mutex_lock(&responder->lock);
    any = responder->count > 0;
    if (any)
        *position_r = queued_at(responder, 0)->position;
    pthread_mutex_unlock(&responder->lock);
    return any;
}

static struct weir_watch_event take_first(struct weir_responder *responder)
{
    struct weir_watch_event event;

    pthread_mutex_lock(&responder->lock);
    event = queued_at(responder, 0)->event;
    responder->first = (responder->first + 1) % WEIR_RESPONDER_QUEUE_MAX;
    responder->count--;
    pthread_mutex_unlock(&responder->lock);
    return event;
}

/* gathering ---------------------------------------------------------------------- */

/* Room for so many more items. */
static bool reserve(struct weir_responder *responder, size_t more)
{
    struct responder_item *item = weir_grown(responder->item, responder->items + more - 1,
                                             &responder->room, sizeof *item);

    if (item)
        responder->item = item;
    return item != NULL;
}

static struct responder_item *add_item(struct weir_responder *responder,
                                       const struct weir_watch_event *event)
{
    struct responder_item *item = &responder->item[responder->items++];

    *item = (struct responder_item){.event = *event};
    snprintf(item->class_name, sizeof item->class_name, "%s", event->class_name);
    return item;
}

/* The ladder's handler. */
static void decided(void *context, const struct weir_ladder_decision *decision)
{
    struct weir_responder *responder = context;
    struct responder_item *item;

    if (!reserve(responder, 1)) { /* events have reserved: one that climbs by time is left out */
        weir_log(responder->log, WEIR_LOG_ERROR, "a decision is lost: memory is short");
        return;
    }
    item = add_item(responder, decision->event);
    item->is_decision = true;
    item->answers = responder->answering;
    item->decision = *decision;
}

static void gather_event(struct weir_responder *responder, weir_time now)
{
    struct weir_watch_event event = take_first(responder);

    add_item(responder, &event);
    responder->counts.events++;
    responder->answering = true;
    weir_ladder_event(responder->ladder, &event, now);
    responder->answering = false;
    if (event.raised && event.untracked) { /* nobody will tell its end: this is it */
        event.raised = false;
        weir_ladder_event(responder->ladder, &event, now);
    }
}

/* 0, or WEIR_ENOMEM when nothing could be gathered; what was is written first, and makes room. */
static int gather(struct weir_responder *responder, uint64_t booked, weir_time now)
{
    uint64_t complete = responder->answered, last = complete, position;
    bool room = true;
    unsigned taken = 0;

    while (first_waits(responder, &position) && position <= booked &&
           (room = reserve(responder, 2))) {
        if (position != last)
            complete = last;
        if (position != last && taken >= TURN_LEAST)
            break;
        gather_event(responder, now);
        last = position;
        taken++;
    }
    if (!first_waits(responder, &position) || position > booked)
        complete = booked;
    if (responder->items > 0 && complete != responder->answered) {
        responder->answered = complete;
        responder->noted = false;
    }
    weir_ladder_advance(responder->ladder, now);
    return room || responder->items > 0 ? 0 : WEIR_ENOMEM;
}

int weir_responder_turn(struct weir_responder *responder, uint64_t booked, weir_time now)
{
    uint64_t position;
    int done = 0;

    set_clock(responder, now);
    if (responder->items == 0)
        done = gather(responder, booked, now);
    if (responder->items > 0)
        done = weir_responder_write(responder);
    weir_responder_tell_capped(responder);
    if (done == 0 && first_waits(responder, &position) && position <= booked)
        wake(responder);
    return done;
}

int weir_responder_finish(struct weir_responder *responder, uint64_t booked, weir_time now)
{
    uint64_t position;
    int done;

    do
        done = weir_responder_turn(responder, booked, now);
    while (done == 0 && first_waits(responder, &position) && position <= booked);
    return done;
}

/* making ------------------------------------------------------------------------- */

/* Whatever may be answered with a block or score may be told. */
static unsigned alone_most(const struct weir_ladder_options *ladder)
{
    unsigned answered = ladder->blocks_server_hour + ladder->scores_server_hour;

    return answered > WEIR_EVENTS_SERVER_HOUR ? answered : WEIR_EVENTS_SERVER_HOUR;
}

int weir_responder_new(const struct weir_responder_options *options, const struct weir_log *log,
                       struct weir_responder **responder_r)
{
    struct weir_responder *responder = calloc(1, sizeof *responder);
    int done = WEIR_ENOMEM;

    if (!responder)
        return WEIR_ENOMEM;
    responder->options = *options;
    responder->log = log;
    responder->memory = options->ladder->memory;
    responder->alone.most = alone_most(options->ladder);
    responder->noted = true;
    responder->replaying = options->booking != NULL;
    pthread_mutex_init(&responder->lock, NULL);
    responder->queue = calloc(WEIR_RESPONDER_QUEUE_MAX, sizeof *responder->queue);
    if (responder->queue)
        done = weir_database_answered(options->database, &responder->answered);
    if (done == 0)
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
    free((*responder)->item);
    pthread_mutex_destroy(&(*responder)->lock);
    free(*responder);
    *responder = NULL;
}

void weir_responder_count(struct weir_responder *responder,
                          struct weir_responder_counts *counts_r)
{
    const struct weir_ladder_counts *ladder = weir_ladder_counts(responder->ladder);

    pthread_mutex_lock(&responder->lock);
    *counts_r = responder->counts;
    pthread_mutex_unlock(&responder->lock);
    counts_r->blocks_capped = ladder->blocks_capped;
    counts_r->scores_capped = ladder->scores_capped;
    counts_r->forgotten = ladder->forgotten;
}
