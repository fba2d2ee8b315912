/*
 * dialogue - the outside of a dialogue: memory, octets, gaps, TLS, and whose turn it is.
 *
 * While the queue is in step, each reply answers the command in front.  When octets are missing
 * it is lost: commands behind the hole are not queued, replies answer nothing, but for 354, which
 * says that all before it was answered, and for "queued".  When the client speaks again after a
 * reply, the queue is tried anew; when then one turn comes out even, as many replies as commands,
 * it is in step again.  Until then no BDAT is believed to be accepted by its code alone: the reply
 * could be another's.
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

void weir_dialogue_unsecure(struct weir_dialogue *d)
{
    d->secure = false;
    d->client.state = WEIR_CLIENT_LINES;
    d->client.len = 0;
    d->client.cut = true;
    d->estimate = weir_tls_estimate(d->options.queued_least, d->options.queued_most);
    weir_dialogue_lose_step(d);
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

/* The client speaks no TLS, or only to us: its records are looked for. */
static void note_broken(struct weir_dialogue *d)
{
    if (!d->estimate.broken)
        return;
    d->estimate.broken = false;
    d->estimate_gap = d->doubt = true;
    d->heard.odd++;
}

/* Where a record of the server should begin stands a reply: there is no TLS. */
static bool speaks_clear(const struct weir_dialogue *d, enum weir_side side, char octet)
{
    return side == WEIR_SIDE_SERVER && octet >= '2' && octet <= '5' &&
           weir_tls_estimate_between(&d->estimate, side);
}

static size_t take_secure(struct weir_dialogue *d, enum weir_side side, struct weir_slice octets)
{
    size_t most = weir_tls_estimate_ahead(&d->estimate, side);

    if (speaks_clear(d, side, octets.at[0])) {
        d->heard.odd++;
        d->doubt = true;
        weir_dialogue_unsecure(d);
        return 0;
    }
    if (octets.len > most)
        octets.len = most;
    weir_message_estimated(d, weir_tls_estimate_octets(&d->estimate, side, octets));
    if (d->estimate.answered) {
        d->estimate.answered = false;
        if (d->handler.answer)
            d->handler.answer(d->handler.context, &d->heard, d->estimate.reply);
    }
    d->heard.tls |= side == WEIR_SIDE_SERVER;
    note_broken(d);
    if (d->estimate.lost)
        weir_dialogue_lose(d);
    return octets.len;
}

static size_t take(struct weir_dialogue *d, enum weir_side side, struct weir_slice octets)
{
    if (d->secure)
        return take_secure(d, side, octets);
    return side == WEIR_SIDE_CLIENT ? weir_client_take(d, octets) : weir_server_take(d, octets);
}

void weir_dialogue_octets(struct weir_dialogue *d, weir_time time, enum weir_side side,
                          struct weir_slice octets)
{
    d->now = time;
    if (octets.len > 0 && !d->secure && side == WEIR_SIDE_CLIENT && d->spoke == WEIR_SIDE_SERVER)
        new_turn(d);
    if (octets.len > 0)
        d->spoke = side;
    d->spoken |= octets.len > 0 && side == WEIR_SIDE_CLIENT;
    while (octets.len > 0 && !d->heard.lost) {
        size_t used = take(d, side, octets);
        octets = (struct weir_slice){octets.at + used, octets.len - used};
    }
}

void weir_dialogue_forged(struct weir_dialogue *d, weir_time time, uint64_t len)
{
    d->now = time;
    d->heard.forged++;
    if (d->heard.lost)
        return;
    weir_doubt(d);
    if (!d->secure && d->client.state != WEIR_CLIENT_RECORDS)
        return;
    d->estimate_gap = true;
    weir_message_estimated(d, weir_tls_estimate_doubt(&d->estimate, len));
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
