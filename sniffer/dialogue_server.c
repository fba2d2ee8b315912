/*
 * dialogue_server - replies, and what each means for the command it answers.
 *
 * Of a line only its beginning is kept: the code, and what may be a word (dialogue_word.h).  354
 * is the firmest ground there is: a server says it to DATA only, and the next reply is the body's;
 * so it is believed whatever the queue says.  The other replies answer the command in front.
 */
#include "sniffer/dialogue_impl.h"

#include <string.h>

#include "core/base/slice.h"

enum { CODE = 4 }; /* octets of a code and what is behind it */

static bool positive(unsigned code)
{
    return code / 100 == 2;
}

static bool negative(unsigned code)
{
    return code / 100 >= 4;
}

void weir_server_final(struct weir_dialogue *d, unsigned code)
{
    if (positive(code) && d->step == WEIR_STEP_SURE && !d->message.gap) {
        unsigned len = d->server.reply_len;

        if (d->queued == 0 || len < d->queued_least)
            d->queued_least = len;
        if (len > d->queued_most)
            d->queued_most = len;
        d->queued++;
    }
    if (d->handler.answer)
        d->handler.answer(d->handler.context, &d->heard, 0);
    weir_message_end(d, positive(code)   ? WEIR_HEARD_ACCEPTED
                        : negative(code) ? WEIR_HEARD_REJECTED
                                         : WEIR_HEARD_UNFINISHED, code);
}

/* The server answers before it has seen the dot, or saw one where we did not. */
static void final_without_dot(struct weir_dialogue *d, unsigned code)
{
    bool dot = d->client.at_lone_dot, deaf = d->client.deaf;

    weir_client_stop_body(d);
    if (deaf)
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
    else if (code == 421 && !dot)
        weir_message_abandon(d);
    else
        weir_server_final(d, code);
}

/* A command that the server passed over; the names of recipients are still those of this mail. */
void weir_server_pass_over(struct weir_dialogue *d)
{
    struct weir_waiting *waiting = weir_queue_at(&d->queue, 0);
    uint32_t times = waiting->kind == WEIR_COMMAND_RCPT ? waiting->count : 1;

    if (waiting->kind == WEIR_COMMAND_DOT)
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
    for (; times > 0 && waiting->named; times--)
        weir_names_use(&d->names, waiting->kind == WEIR_COMMAND_RCPT ? WEIR_NAME_RECIPIENT
                                                                     : WEIR_NAME_NOBODY);
    weir_queue_drop(&d->queue);
}

/* Takes all up to the DATA that 354 answers off the queue. */
static void reach_data(struct weir_dialogue *d)
{
    size_t at = weir_queue_find(&d->queue, WEIR_COMMAND_DATA);

    weir_doubt_grant(d, at);
    if (d->client.state == WEIR_CLIENT_BODY)
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
    if (at == d->queue.len)
        d->client.blind = false;
    for (; at > 0; at--)
        weir_server_pass_over(d);
    weir_queue_drop(&d->queue);
}

/* Of what the client said behind DATA, all up to a dot was the body. */
static void granted(struct weir_dialogue *d)
{
    struct weir_waiting *first;

    reach_data(d);
    weir_message_begin(d);
    d->step = WEIR_STEP_SURE;
    while ((first = weir_queue_at(&d->queue, 0)) && first->tentative &&
           first->kind != WEIR_COMMAND_DOT)
        weir_queue_drop(&d->queue);
    if (first && first->kind == WEIR_COMMAND_DOT) {
        first->tentative = false;
        d->message.bytes = first->count;
    } else {
        weir_client_grant(d);
        d->message.bytes = d->client.body;
    }
}

/* DATA was refused: what the client said behind it were commands. */
static void data_refused(struct weir_dialogue *d, unsigned code)
{
    struct weir_waiting *waiting;
    bool dot = false;

    if (negative(code) && d->message.open)
        d->message.refusal = code;
    for (size_t i = 0; !dot && (waiting = weir_queue_at(&d->queue, i)) && waiting->tentative; i++) {
        dot = waiting->kind == WEIR_COMMAND_DOT;
        waiting->tentative = false;
        if (dot)
            *waiting = (struct weir_waiting){.kind = WEIR_COMMAND_OTHER, .count = 1};
    }
    if (!dot)
        d->client.blind = false;
}

static void use_name(struct weir_dialogue *d, const struct weir_waiting *waiting,
                     enum weir_name_use use)
{
    if (waiting->named)
        weir_names_use(&d->names, use);
    if (!d->message.open)
        weir_names_forget(&d->names);
}

static void mail_answered(struct weir_dialogue *d, const struct weir_waiting *mail, unsigned code)
{
    if (!positive(code)) {
        use_name(d, mail, WEIR_NAME_NOBODY);
        return;
    }
    weir_message_abandon(d);
    weir_message_begin(d);
    use_name(d, mail, WEIR_NAME_SENDER);
}

static void rcpt_answered(struct weir_dialogue *d, const struct weir_waiting *rcpt, unsigned code)
{
    if (positive(code))
        weir_message_begin(d);
    if (d->message.open && positive(code)) {
        d->message.recipients_accepted++;
        d->heard.recipients++;
    } else if (d->message.open && negative(code)) {
        d->message.recipients_rejected++;
        d->heard.recipients_rejected++;
    }
    use_name(d, rcpt, WEIR_NAME_RECIPIENT);
}

/* "unknown command": such a server takes the chunk for commands. */
static bool knows_no_chunks(unsigned code)
{
    return code >= 500 && code <= 502;
}

static void bdat_answered(struct weir_dialogue *d, const struct weir_waiting *bdat, unsigned code)
{
    bool last = bdat->kind == WEIR_COMMAND_BDAT_LAST;

    if (knows_no_chunks(code) && bdat->count > 0)
        weir_client_drop_chunk(d);
    if (positive(code) && (d->message.open || bdat->sure || d->doubt)) {
        weir_message_begin(d);
        d->message.bytes += bdat->count;
    }
    if (last && !bdat->sure && !d->doubt)
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
    else if (last && (positive(code) || d->message.recipients_accepted > 0))
        weir_server_final(d, code);
    else if (negative(code) && d->message.open)
        d->message.refusal = code;
}

static void xclient_answered(struct weir_dialogue *d, unsigned code)
{
    if (!positive(code)) {
        d->told_client = false;
        return;
    }
    weir_message_abandon(d);
    if (!d->told_client)
        return;
    d->told_client = false;
    d->heard.client = d->told_address;
    d->heard.client_port = d->told_port;
    d->heard.proxied = !d->told_unknown;
    d->heard.unknown = d->told_unknown;
    d->heard.health_check = false;
}

static void starttls_answered(struct weir_dialogue *d, unsigned code)
{
    if (code != 220) /* and no other, RFC 3207 4: what goes on in the clear must be seen */
        return;
    d->heard.starttls = true;
    weir_dialogue_secure(d);
}

static void answer(struct weir_dialogue *d, const struct weir_waiting *waiting, unsigned code)
{
    switch ((enum weir_command_kind)waiting->kind) {
    case WEIR_COMMAND_GREETING:
        d->heard.greeted = code == 220;
        break;
    case WEIR_COMMAND_HELLO:
    case WEIR_COMMAND_RSET:
    case WEIR_COMMAND_QUIT:
        if (positive(code))
            weir_message_abandon(d);
        break;
    case WEIR_COMMAND_MAIL:
        mail_answered(d, waiting, code);
        break;
    case WEIR_COMMAND_RCPT:
        rcpt_answered(d, waiting, code);
        break;
    case WEIR_COMMAND_DATA:
        data_refused(d, code);
        break;
    case WEIR_COMMAND_DOT:
        weir_server_final(d, code);
        break;
    case WEIR_COMMAND_BDAT:
    case WEIR_COMMAND_BDAT_LAST:
        bdat_answered(d, waiting, code);
        break;
    case WEIR_COMMAND_STARTTLS:
        starttls_answered(d, code);
        break;
    case WEIR_COMMAND_XCLIENT:
        xclient_answered(d, code);
        break;
    case WEIR_COMMAND_OTHER:
        break;
    }
}

/* 353 to a body: a reply for each recipient follows, and then that to the message (PRDR,
 * draft-hall-prdr).  It is known how many where no octet is missing. */
static bool begins_each(struct weir_dialogue *d, unsigned code)
{
    const struct weir_waiting *first = weir_queue_at(&d->queue, 0);
    struct weir_waiting last;

    if (code != 353 || !first || d->message.gap || d->message.recipients_accepted == 0 || d->doubt)
        return false;
    if (first->kind != WEIR_COMMAND_DOT && !(first->kind == WEIR_COMMAND_BDAT_LAST && first->sure))
        return false;
    (void)weir_queue_pop(&d->queue, &last);
    if (last.kind == WEIR_COMMAND_BDAT_LAST)
        d->message.bytes += last.count;
    d->server.each = d->message.recipients_accepted + 1;
    return true;
}

/* One of those replies. */
static void each_answered(struct weir_dialogue *d, unsigned code)
{
    if (--d->server.each == 0 || code == 421 || !d->message.open) {
        d->server.each = 0;
        weir_server_final(d, code);
    } else if (negative(code)) {
        d->message.recipients_accepted--;
        d->message.recipients_rejected++;
        d->heard.recipients--;
        d->heard.recipients_rejected++;
        d->server.recipients -= d->server.recipients > 0; /* it takes that back */
    }
}

static void reply(struct weir_dialogue *d, unsigned code, struct weir_slice line)
{
    struct weir_waiting waiting;

    d->replied = true;
    d->heard.authenticated |= code == 235;
    if (d->server.each > 0) {
        each_answered(d, code);
    } else if (begins_each(d, code)) {
        return;
    } else if (code == 354) {
        granted(d);
    } else if (d->client.state == WEIR_CLIENT_BODY) {
        weir_doubt_body(d, code);
        final_without_dot(d, code);
    } else if (weir_doubt_reply(d, code, line)) {
        return;
    } else if (weir_queue_pop(&d->queue, &waiting)) {
        d->client.answer = code / 100 == 3 && d->queue.len == 0;
        answer(d, &waiting, code);
    } else {
        d->heard.greeted |= code == 220;
        if (d->step == WEIR_STEP_TRYING && !d->doubt)
            d->step = WEIR_STEP_LOST;
    }
}

/* The code of a line of a reply, 0 when it is none. */
static unsigned line_code(struct weir_slice line)
{
    const char *text = line.at;

    if (line.len < 3 || text[0] < '2' || text[0] > '5' || !weir_is_digit(text[1]) ||
        !weir_is_digit(text[2]))
        return 0;
    if (line.len > 3 && text[3] != ' ' && text[3] != '-' && text[3] != '\r' && text[3] != '\t')
        return 0;
    return (unsigned)((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
}

/* A line without its LF, or its beginning. */
static void line_over(struct weir_dialogue *d, struct weir_slice line)
{
    struct weir_server *server = &d->server;
    unsigned code = line_code(line);
    bool cut = server->cut;

    server->more = code ? line.len > 3 && line.at[3] == '-' : server->more;
    server->len = 0;
    server->cut = false;
    if (code && !server->more) {
        reply(d, code, line);
        server->reply_len = 0;
    } else if (!code && !cut && ++server->odd > WEIR_DIALOGUE_ODD_MAX) {
        weir_dialogue_lose(d);
    }
}

/* The client's octets looked like TLS, but the server speaks in the clear. */
static void no_records(struct weir_dialogue *d)
{
    d->doubt = true;
    weir_dialogue_unsecure(d);
}

/* What was kept of the line at hand. */
static struct weir_slice kept(const struct weir_dialogue *d)
{
    return (struct weir_slice){d->server_text, d->server.len < sizeof(d->server_text)
                                                   ? d->server.len
                                                   : sizeof(d->server_text)};
}

/* Adds a piece of a line. */
static void add(struct weir_dialogue *d, struct weir_slice piece)
{
    struct weir_server *server = &d->server;
    size_t have = kept(d).len, room = sizeof(d->server_text) - have;

    memcpy(d->server_text + have, piece.at, piece.len < room ? piece.len : room);
    server->len += piece.len > UINT16_MAX ? UINT16_MAX : (uint32_t)piece.len;
    server->len = server->len > UINT16_MAX ? UINT16_MAX : server->len;
}

size_t weir_server_take(struct weir_dialogue *d, struct weir_slice octets)
{
    struct weir_server *server = &d->server;

    if (server->len == 0 && weir_tls_begins((struct weir_slice){octets.at, 1})) {
        weir_dialogue_secure(d);
        return 0;
    }
    if (d->client.state == WEIR_CLIENT_RECORDS)
        no_records(d);
    const char *feed = memchr(octets.at, '\n', octets.len);
    struct weir_slice piece = {octets.at, feed ? (size_t)(feed - octets.at) : octets.len};
    bool in_place = feed && server->len == 0 && piece.len <= sizeof(d->server_text);
    if (!in_place)
        add(d, piece);
    server->reply_len += server->reply_len < UINT16_MAX ? (uint32_t)piece.len + (feed != NULL) : 0;
    if (feed)
        line_over(d, in_place ? piece : kept(d));
    return piece.len + (feed != NULL);
}

void weir_server_gap(struct weir_dialogue *d)
{
    struct weir_server *server = &d->server;
    bool dot = weir_queue_find(&d->queue, WEIR_COMMAND_DOT) < d->queue.len;

    if (server->len >= CODE && d->server_text[3] == ' ' && line_code(kept(d))) {
        line_over(d, kept(d));
        dot = weir_queue_find(&d->queue, WEIR_COMMAND_DOT) < d->queue.len;
    }
    if (d->secure) {
        weir_tls_estimate_gap(&d->estimate, WEIR_SIDE_SERVER, 1);
        return;
    }
    server->len = server->reply_len = 0;
    server->more = false;
    server->cut = true;
    if (server->each > 0)
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
    server->each = 0;
    weir_queue_clear(&d->queue);
    weir_names_forget_waiting(&d->names);
    d->client.deaf = d->client.state == WEIR_CLIENT_BODY;
    if (d->client.deaf && (d->client.lone_dot || d->client.gap)) {
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
        weir_client_stop_body(d);
    } else if (dot) {
        weir_message_end(d, WEIR_HEARD_UNFINISHED, 0);
    }
    weir_dialogue_lose_step(d);
}
