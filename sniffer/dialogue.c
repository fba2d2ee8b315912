/*
 * dialogue - the outside of a dialogue: memory, octets, gaps, TLS, and whose turn it is.
 *
 * While the queue is in step, each reply answers the command in front.  When octets are missing
 * it is lost: commands behind the hole are not queued, replies answer nothing, but for 354, which
 * says that all before it was answered.  When the client speaks again after a reply, the queue
 * is tried anew; when then one turn comes out even, as many replies as commands, it is in
 * step again.  Until then no BDAT is believed to be accepted: its reply could be another's.
 */
#include "sniffer/dialogue_impl.h"

#include <stdlib.h>

struct weir_dialogue *weir_dialogue_new(const struct weir_dialogue_options *options,
                                        const struct weir_dialogue_handler *handler)
{
    struct weir_dialogue *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->options = *options;
    d->handler = *handler;
    d->heard.client = options->client;
    d->heard.client_port = options->client_port;
    d->spoke = WEIR_SIDE_SERVER;
    d->client.after_crlf = true;
    d->client.state = WEIR_CLIENT_LINES;
    d->estimate = weir_tls_estimate(options->queued_least, options->queued_most);
    if (options->midstream) {
        d->step = WEIR_STEP_LOST;
        d->server.cut = true;
        d->estimate.turns = 2; /* the first one is long over */
        return d;
    }
    weir_queue_push(&d->queue, (struct weir_waiting){.kind = WEIR_COMMAND_GREETING});
    if (options->trusted_proxy)
        d->client.state = WEIR_CLIENT_PREAMBLE;
    return d;
}

void weir_dialogue_free(struct weir_dialogue **dialogue)
{
    if (!dialogue || !*dialogue)
        return;
    weir_names_free(&(*dialogue)->names);
    free(*dialogue);
    *dialogue = NULL;
}

void weir_dialogue_lose_step(struct weir_dialogue *d)
{
    d->step = WEIR_STEP_LOST;
    d->replied = false;
    d->client.blind = false;
}

void weir_dialogue_secure(struct weir_dialogue *d)
{
    weir_message_abandon(d);
    weir_queue_clear(&d->queue);
    weir_names_free(&d->names);
    d->secure = true;
}

void weir_dialogue_lose(struct weir_dialogue *d)
{
    weir_message_abandon(d);
    weir_names_free(&d->names);
    d->heard.lost = true;
}

/* The client speaks after the server did. */
static void new_turn(struct weir_dialogue *d)
{
    bool even = d->queue.len == 0;

    if (d->step == WEIR_STEP_TRYING && even) {
        d->step = WEIR_STEP_SURE;
    } else if (d->step == WEIR_STEP_TRYING) {
        weir_queue_clear(&d->queue);
        weir_names_forget_waiting(&d->names);
        d->client.blind = false;
    } else if (d->step == WEIR_STEP_LOST && d->replied && even) {
        d->step = WEIR_STEP_TRYING;
    }
}

static void take_secure(struct weir_dialogue *d, enum weir_side side, struct weir_slice octets)
{
    unsigned messages = weir_tls_estimate_octets(&d->estimate, side, octets);

    weir_message_estimated(d, messages);
    if (d->estimate.answered) {
        d->estimate.answered = false;
        if (d->handler.answer)
            d->handler.answer(d->handler.context, &d->heard, d->estimate.reply);
    }
    d->heard.tls |= side == WEIR_SIDE_SERVER;
    if (d->estimate.lost)
        weir_dialogue_lose(d);
}

void weir_dialogue_octets(struct weir_dialogue *d, weir_time time, enum weir_side side,
                          struct weir_slice octets)
{
    d->now = time;
    if (octets.len > 0 && !d->secure && side == WEIR_SIDE_CLIENT && d->spoke == WEIR_SIDE_SERVER)
        new_turn(d);
    if (octets.len > 0)
        d->spoke = side;
    while (octets.len > 0 && !d->heard.lost && !d->secure) {
        size_t used = side == WEIR_SIDE_CLIENT ? weir_client_take(d, octets)
                                               : weir_server_take(d, octets);
        octets = (struct weir_slice){octets.at + used, octets.len - used};
    }
    if (octets.len > 0 && !d->heard.lost)
        take_secure(d, side, octets);
}

void weir_dialogue_gap(struct weir_dialogue *d, weir_time time, enum weir_side side, uint64_t len)
{
    if (len == 0 || d->heard.lost)
        return;
    d->now = time;
    d->heard.gap = d->estimate_gap = true;
    d->message.gap = d->message.open;
    if (d->secure || (side == WEIR_SIDE_CLIENT && d->client.state == WEIR_CLIENT_RECORDS)) {
        weir_message_estimated(d, weir_tls_estimate_gap(&d->estimate, side, len));
        return;
    }
    if (side == WEIR_SIDE_CLIENT)
        weir_client_gap(d, len);
    else
        weir_server_gap(d);
    d->spoke = side;
}

void weir_dialogue_settle(struct weir_dialogue *d, weir_time time)
{
    if (d->heard.lost)
        return;
    d->now = time;
    if (d->secure)
        weir_message_estimated(d, weir_tls_estimate_end(&d->estimate));
}

void weir_dialogue_end(struct weir_dialogue *d, weir_time time)
{
    weir_dialogue_settle(d, time);
    if (!d->heard.lost)
        weir_message_abandon(d);
}

const struct weir_heard *weir_dialogue_heard(const struct weir_dialogue *d)
{
    return &d->heard;
}

unsigned weir_dialogue_queued(const struct weir_dialogue *d, unsigned *least_r, unsigned *most_r)
{
    *least_r = d->queued_least;
    *most_r = d->queued_most;
    return d->queued;
}
