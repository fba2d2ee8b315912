/*
 * dialogue_client - lines, bodies and chunks of the client.
 *
 * Of a line its first octets are kept until its end is there; of a body nothing but what tells
 * a dot.  A client that goes on behind DATA before the reply leaves open whether it sends a body
 * or commands: then lines are taken for both (tentative commands, up to a dot) until the
 * server's reply decides.  A body ends at CR LF "." CR LF for every server; a dot ended by less
 * ends it only if the server says so.
 */
#include "sniffer/dialogue_impl.h"

#include <string.h>

#include "core/base/slice.h"

enum { BODY_KEPT = 2, DOT_LINE = 3, NO_DOT = 3 };

static void new_line(struct weir_client *client)
{
    client->after_crlf =
        (client->len > 0 && client->last == '\r') || (client->blind && client->body == 0);
    client->len = 0;
    client->cut = false;
}

/* Adds a piece of a line; keeps at most kept octets of it. */
static void add(struct weir_client *client, struct weir_slice piece, size_t kept)
{
    if (piece.len == 0)
        return;
    if (client->len < kept) {
        size_t more = kept - client->len;
        memcpy(client->text + client->len, piece.at, more < piece.len ? more : piece.len);
    }
    client->len = piece.len > UINT32_MAX - client->len ? UINT32_MAX
                                                       : client->len + (uint32_t)piece.len;
    client->last = (uint8_t)piece.at[piece.len - 1];
}

/* Whether a line, without its LF, is a dot between two CR LF. */
static bool is_dot(struct weir_slice line, bool after_crlf)
{
    return after_crlf && line.len == 2 && line.at[0] == '.' && line.at[1] == '\r';
}

/* A dot ended, or begun, by less. */
static bool is_lone_dot(struct weir_slice line, bool after_crlf)
{
    return weir_slice_equals(line, ".") || (!after_crlf && is_dot(line, true));
}

static void push(struct weir_dialogue *d, struct weir_waiting waiting,
                 const struct weir_dialogue_command *c)
{
    bool mailbox = waiting.kind == WEIR_COMMAND_MAIL || waiting.kind == WEIR_COMMAND_RCPT;

    if (d->step == WEIR_STEP_LOST)
        return;
    waiting.named = mailbox && d->options.name_addresses && !waiting.tentative;
    waiting.sure = d->step == WEIR_STEP_SURE;
    if (!weir_queue_push(&d->queue, waiting)) {
        weir_queue_clear(&d->queue);
        weir_names_forget_waiting(&d->names);
        weir_dialogue_lose_step(d);
        d->doubt = true; /* nothing is missing: so many at once are the client's own doing */
        d->heard.odd += waiting.sure;
    } else if (waiting.named) {
        weir_names_say(&d->names, c->has_mailbox, c->mailbox);
    }
}

static void begin_chunk(struct weir_client *client, uint64_t len)
{
    if (len == 0)
        return;
    client->chunk_left = len;
    client->state = WEIR_CLIENT_CHUNK;
}

static void command(struct weir_dialogue *d, struct weir_slice line, bool overlong)
{
    struct weir_client *client = &d->client;
    struct weir_dialogue_command c = weir_dialogue_command_read(line, overlong);
    struct weir_waiting waiting = {.kind = (uint8_t)c.kind, .tentative = client->blind};

    if (client->answer)
        c = (struct weir_dialogue_command){.kind = waiting.kind = WEIR_COMMAND_OTHER};
    client->answer = false;
    if (c.kind == WEIR_COMMAND_BDAT || c.kind == WEIR_COMMAND_BDAT_LAST)
        waiting.count = c.chunk > UINT32_MAX ? UINT32_MAX : (uint32_t)c.chunk;
    push(d, waiting, &c);
    if (client->blind)
        return;
    if (waiting.count > 0)
        begin_chunk(client, c.chunk);
    if (c.kind == WEIR_COMMAND_DATA && d->step != WEIR_STEP_LOST) {
        client->blind = true;
        client->body = 0;
    }
    if (c.kind == WEIR_COMMAND_XCLIENT && d->options.trusted_proxy &&
        (c.has_client || c.client_unknown)) {
        d->told_client = true;
        d->told_unknown = c.client_unknown;
        d->told_address = c.has_client ? c.client : d->options.client;
        d->told_port = c.has_client ? c.client_port : d->options.client_port;
    }
}

/* The end of a body that came before DATA's reply. */
static void blind_dot(struct weir_dialogue *d)
{
    uint64_t body = d->client.body - (d->client.body < DOT_LINE ? d->client.body : DOT_LINE);

    d->client.blind = false;
    push(d, (struct weir_waiting){.kind = WEIR_COMMAND_DOT, .tentative = true,
                                  .count = body > UINT32_MAX ? UINT32_MAX : (uint32_t)body}, NULL);
}

/* A line that is whole, of which text holds what was kept. */
static void line_over(struct weir_dialogue *d, const char *text)
{
    struct weir_client *client = &d->client;
    bool overlong = client->len > WEIR_DIALOGUE_LINE_MAX;
    struct weir_slice line = {text, overlong ? WEIR_DIALOGUE_LINE_MAX : client->len};

    if (client->blind && is_dot(line, client->after_crlf)) {
        blind_dot(d);
        return;
    }
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    command(d, line, overlong);
}

static size_t take_line(struct weir_dialogue *d, struct weir_slice octets)
{
    struct weir_client *client = &d->client;
    const char *feed = memchr(octets.at, '\n', octets.len);
    size_t len = feed ? (size_t)(feed - octets.at) : octets.len;
    bool in_place = feed && client->len == 0;

    client->body += len + (feed != NULL);
    add(client, (struct weir_slice){octets.at, len}, in_place ? 0 : WEIR_DIALOGUE_LINE_MAX);
    if (!feed)
        return len;
    line_over(d, in_place ? octets.at : client->text);
    new_line(client);
    return len + 1;
}

/* The dot is there: its final reply is due. */
static void body_over(struct weir_dialogue *d)
{
    struct weir_client *client = &d->client;

    client->state = WEIR_CLIENT_LINES;
    d->message.bytes = client->body - (client->body < DOT_LINE ? client->body : DOT_LINE);
    weir_queue_push(&d->queue, (struct weir_waiting){.kind = WEIR_COMMAND_DOT});
}

/* The octets of whole lines that do not begin with a dot, at the beginning of a line: most of a
 * body, and nothing is to be learned from them. */
static size_t plain_lines(struct weir_slice octets)
{
    const char *end = octets.at + octets.len;
    const char *dot = octets.at[0] == '.' ? octets.at : memchr(octets.at, '.', octets.len);

    while (dot && dot > octets.at && dot[-1] != '\n')
        dot = memchr(dot + 1, '.', (size_t)(end - dot - 1));
    size_t len = (size_t)((dot ? dot : end) - octets.at);
    const char *feed = memrchr(octets.at, '\n', len);
    return feed ? (size_t)(feed - octets.at) + 1 : 0;
}

static size_t skip_lines(struct weir_dialogue *d, struct weir_slice lines)
{
    struct weir_client *client = &d->client;

    client->after_crlf = lines.len > 1 && lines.at[lines.len - 2] == '\r';
    client->body += lines.len;
    client->at_lone_dot = false;
    d->message.bytes = client->body;
    return lines.len;
}

static size_t take_body(struct weir_dialogue *d, struct weir_slice octets)
{
    struct weir_client *client = &d->client;
    size_t plain = client->len == 0 ? plain_lines(octets) : 0;

    if (plain > 0)
        return skip_lines(d, (struct weir_slice){octets.at, plain});
    const char *feed = memchr(octets.at, '\n', octets.len);
    size_t len = feed ? (size_t)(feed - octets.at) : octets.len;

    add(client, (struct weir_slice){octets.at, len}, BODY_KEPT);
    client->body += len + (feed != NULL);
    client->at_lone_dot = false;
    if (!feed) {
        d->message.bytes = client->body;
        return len;
    }
    struct weir_slice line = {client->text, client->len <= BODY_KEPT ? client->len : 0};
    bool strict = is_dot(line, client->after_crlf);
    client->at_lone_dot = is_lone_dot(line, client->after_crlf);
    client->lone_dot |= client->at_lone_dot;
    new_line(client);
    if (strict)
        body_over(d);
    else
        d->message.bytes = client->body;
    return len + 1;
}

static size_t take_chunk(struct weir_client *client, struct weir_slice octets)
{
    size_t used = octets.len < client->chunk_left ? octets.len : (size_t)client->chunk_left;

    client->last = (uint8_t)octets.at[used - 1];
    client->chunk_left -= used;
    if (client->chunk_left == 0)
        client->state = WEIR_CLIENT_LINES;
    return used;
}

/* What was kept while a PROXY header was possible, and is none, is taken as lines. */
static void no_header(struct weir_dialogue *d)
{
    char kept[WEIR_PROXY_MAX];
    struct weir_slice octets = {kept, d->client.len};

    memcpy(kept, d->client.text, d->client.len);
    d->client.state = WEIR_CLIENT_LINES;
    d->client.len = 0;
    while (octets.len > 0) {
        size_t used = weir_client_take(d, octets);
        octets = (struct weir_slice){octets.at + used, octets.len - used};
    }
}

static size_t take_preamble(struct weir_dialogue *d, struct weir_slice octets)
{
    struct weir_client *client = &d->client;
    struct weir_proxy_header header;

    add(client, (struct weir_slice){octets.at, 1}, WEIR_PROXY_MAX);
    struct weir_slice kept = {client->text, client->len};
    int len = weir_proxy_begins(kept) ? weir_proxy_read(kept, &header) : -1;
    if (len < 0) {
        no_header(d);
    } else if (len > 0) {
        client->state = WEIR_CLIENT_LINES;
        client->len = 0;
        client->after_crlf = true;
        d->heard.health_check = !header.has_client;
        d->heard.proxied = header.has_client;
        if (header.has_client) {
            d->heard.client = header.client;
            d->heard.client_port = header.client_port;
        }
    }
    return 1;
}

/* Whether a record may come here: as the first octets of all, behind STARTTLS, or where nothing
 * is sure. */
static bool may_be_record(struct weir_dialogue *d, struct weir_slice octets)
{
    struct weir_queue *queue = &d->queue;
    struct weir_waiting *first = weir_queue_at(queue, 0);
    bool silent = first && first->kind == WEIR_COMMAND_GREETING && queue->len == 1;

    octets.len = 1; /* the rest may come in another piece */
    return d->client.len == 0 && weir_tls_begins(octets) &&
           (silent || d->step == WEIR_STEP_LOST ||
            weir_queue_find(queue, WEIR_COMMAND_STARTTLS) < queue->len);
}

size_t weir_client_take(struct weir_dialogue *d, struct weir_slice octets)
{
    struct weir_client *client = &d->client;

    switch (client->state) {
    case WEIR_CLIENT_PREAMBLE:
        return take_preamble(d, octets);
    case WEIR_CLIENT_BODY:
        return take_body(d, octets);
    case WEIR_CLIENT_CHUNK:
        return take_chunk(client, octets);
    case WEIR_CLIENT_LINES:
        if (!may_be_record(d, octets))
            return take_line(d, octets);
        client->state = WEIR_CLIENT_RECORDS;
        break;
    case WEIR_CLIENT_RECORDS:
        break;
    }
    weir_message_estimated(d, weir_tls_estimate_octets(&d->estimate, WEIR_SIDE_CLIENT, octets));
    return octets.len;
}

void weir_client_gap(struct weir_dialogue *d, uint64_t len)
{
    struct weir_client *client = &d->client;

    if (client->state == WEIR_CLIENT_CHUNK && len <= client->chunk_left) {
        client->chunk_left -= len;
        if (client->chunk_left == 0)
            client->state = WEIR_CLIENT_LINES;
        return;
    }
    client->len = NO_DOT;
    client->last = 0;
    client->after_crlf = false;
    if (client->state == WEIR_CLIENT_BODY) {
        client->gap = true;
        client->body += len;
        d->message.bytes = client->body;
        return;
    }
    client->state = WEIR_CLIENT_LINES;
    client->len = 0;
    client->chunk_left = 0;
    client->cut = true;
    client->answer = false;
    weir_dialogue_lose_step(d);
}

void weir_client_grant(struct weir_dialogue *d)
{
    struct weir_client *client = &d->client;

    if (!client->blind) {
        client->body = 0;
        if (client->state != WEIR_CLIENT_LINES || client->cut)
            client->len = NO_DOT;
        else if (client->len == 0)
            client->after_crlf = true;
    }
    client->state = WEIR_CLIENT_BODY;
    client->chunk_left = 0;
    client->blind = client->lone_dot = client->at_lone_dot = false;
    client->gap = client->deaf = false;
    client->cut = client->answer = false;
}

void weir_client_stop_body(struct weir_dialogue *d)
{
    struct weir_client *client = &d->client;
    bool clean = client->at_lone_dot && !client->gap;

    client->state = WEIR_CLIENT_LINES;
    client->cut = client->len > 0;
    client->len = 0;
    if (!clean)
        weir_dialogue_lose_step(d);
}

void weir_client_drop_chunk(struct weir_dialogue *d)
{
    weir_client_leave_chunk(d);
    weir_queue_clear(&d->queue);
    weir_names_forget_waiting(&d->names);
    weir_dialogue_lose_step(d);
}

void weir_client_leave_chunk(struct weir_dialogue *d)
{
    struct weir_client *client = &d->client;

    if (client->state != WEIR_CLIENT_CHUNK)
        return;
    client->state = WEIR_CLIENT_LINES;
    client->chunk_left = 0;
    client->len = 0;
    client->cut = client->last != '\n';
}
