/*
 * dialogue_message - the message at hand.
 *
 * Where octets were missing, or the client is doubted, recipients are those the server spoke of.
 * Counts first and tells then, so that a handler sees sums that include its message.  Names are
 * forgotten when it was told.
 */
#include "sniffer/dialogue_impl.h"

#include <string.h>

static const char *const result_names[] = {
    [WEIR_HEARD_ACCEPTED] = "accepted",
    [WEIR_HEARD_REJECTED] = "rejected",
    [WEIR_HEARD_UNFINISHED] = "unfinished",
};

const char *weir_heard_result_name(enum weir_heard_result result)
{
    return result_names[result];
}

void weir_message_begin(struct weir_dialogue *d)
{
    if (d->message.open)
        return;
    d->message = (struct weir_message){
        .open = true, .begun = d->now, .gap = d->step != WEIR_STEP_SURE};
    d->heard.messages++;
}

static void count(struct weir_heard *heard, enum weir_heard_result result)
{
    heard->accepted += result == WEIR_HEARD_ACCEPTED;
    heard->rejected += result == WEIR_HEARD_REJECTED;
    heard->unfinished += result == WEIR_HEARD_UNFINISHED;
}

static void tell(struct weir_dialogue *d, struct weir_heard_message *message)
{
    struct weir_slice recipients[WEIR_DIALOGUE_RECIPIENTS_MAX];

    count(&d->heard, message->result);
    message->index = d->heard.messages - 1;
    message->ended = d->now;
    message->mail_from_known = weir_names_sender(&d->names, &message->mail_from);
    message->rcpt_to = recipients;
    message->rcpt_tos =
        weir_names_recipients(&d->names, recipients, WEIR_DIALOGUE_RECIPIENTS_MAX);
    if (d->handler.message)
        d->handler.message(d->handler.context, &d->heard, message);
}

void weir_message_believe_server(struct weir_dialogue *d, unsigned least)
{
    unsigned *accepted = &d->message.recipients_accepted;

    if (least < d->server.recipients)
        least = d->server.recipients;
    if (*accepted >= least)
        return;
    d->heard.recipients += least - *accepted;
    *accepted = least;
}

void weir_message_end(struct weir_dialogue *d, enum weir_heard_result result, unsigned reply)
{
    struct weir_message *at_hand = &d->message;

    if (at_hand->open && result == WEIR_HEARD_ACCEPTED && (d->doubt || at_hand->gap))
        weir_message_believe_server(d, d->doubt ? 1 : 0);
    d->server.recipients = 0;
    if (!at_hand->open)
        return;
    struct weir_heard_message message = {
        .begun = at_hand->begun,
        .recipients_accepted = at_hand->recipients_accepted,
        .recipients_rejected = at_hand->recipients_rejected,
        .result = result,
        .reply = reply,
        .bytes = at_hand->bytes,
        .gap = at_hand->gap,
    };
    tell(d, &message);
    weir_names_forget(&d->names);
    *at_hand = (struct weir_message){0};
}

void weir_message_abandon(struct weir_dialogue *d)
{
    if (d->message.refusal && d->message.recipients_accepted > 0)
        weir_message_end(d, WEIR_HEARD_REJECTED, d->message.refusal);
    else
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
}

static void tell_estimated(struct weir_dialogue *d, enum weir_heard_result result)
{
    struct weir_heard_message message = {
        .begun = d->now,
        .recipients_accepted = result == WEIR_HEARD_ACCEPTED,
        .result = result,
        .bytes = d->estimate.bytes,
        .estimate = true,
        .gap = d->estimate_gap,
    };

    d->heard.messages++;
    d->heard.recipients += message.recipients_accepted;
    d->estimate_gap = false;
    tell(d, &message);
}

/* The server accepts a message for one recipient at least. */
void weir_message_estimated(struct weir_dialogue *d, unsigned messages)
{
    for (; messages > 0; messages--)
        tell_estimated(d, WEIR_HEARD_ACCEPTED);
    for (; d->estimate.refused > 0; d->estimate.refused--)
        tell_estimated(d, WEIR_HEARD_REJECTED);
}
