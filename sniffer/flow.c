/*
 * Takes segments: whose they are, where connections begin and end.
 *
 * Most segments leave early: those of no watched port, and lone ACKs while no connection waits.
 * What is left costs one keyed hash and one look into the table.  A connection begins with
 * payload of the server only; when the handshake was seen, its numbers tell whether anything
 * before is missing.  It is over when both sides' FINs were reached, or the server's and a RST;
 * after a RST, or one FIN, it ends by silence, and goes on when the server does.  Then it stays in
 * the table for a while, so that a last line sent again does not open it anew, unless the server
 * says more.  One that was never proven does not stay.
 */
#include "sniffer/flow.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "sniffer/flow_impl.h"
#include "sniffer/tls_record.h"

enum {
    IDLE = 10 * WEIR_MINUTE,
    ENDING = WEIR_MINUTE,
    LINGER = 30 * WEIR_SECOND,
    UNPROVEN = 30 * WEIR_SECOND,
};

#define LATEST (3000 * 365 * WEIR_DAY) /* later times are no times */

/* A segment with what the table knows of it. */
struct passage {
    const struct weir_segment *segment;
    weir_time time;
    uint64_t hash;
    bool from_a;
    uint32_t seq; /* of the payload */
};

static bool is_watched(const struct weir_flows *flows, uint16_t port)
{
    return flows->watched[port >> 3] >> (port & 7) & 1;
}

static bool a_comes_first(const struct weir_segment *s)
{
    int order = memcmp(s->source.octet, s->destination.octet, sizeof(s->source.octet));
    return order < 0 || (order == 0 && s->source_port < s->destination_port);
}

static struct weir_flow_pair pair_of(const struct weir_segment *s, bool from_a)
{
    if (from_a)
        return (struct weir_flow_pair){&s->source, &s->destination, s->source_port,
                                       s->destination_port};
    return (struct weir_flow_pair){&s->destination, &s->source, s->destination_port,
                                   s->source_port};
}

/* Whether octets, which may be too few to say, begin like a reply (RFC 5321 4.2). */
static bool begins_like_reply(struct weir_slice octets)
{
    static const char *const allowed[] = {"2345", "012345", "0123456789", " -\r\n"};
    for (size_t i = 0; i < octets.len && i < 4; i++) {
        if (octets.at[i] == '\0' || !strchr(allowed[i], octets.at[i]))
            return false;
    }
    return octets.len > 0;
}

static enum weir_side side_of(const struct weir_connection *c, const struct passage *p)
{
    return p->from_a == c->server_is_a ? WEIR_SIDE_SERVER : WEIR_SIDE_CLIENT;
}

/* Beginnings. ---------------------------------------------------------------------- */

/* Whether a sender may be the server: its port is watched, and if both are, nothing says that it
 * is the client. */
static bool may_be_server(struct weir_flows *flows, const struct passage *p,
                          const struct weir_flow_syn *syn)
{
    if (!is_watched(flows, p->segment->source_port))
        return false;
    return !is_watched(flows, p->segment->destination_port) ||
           weir_flow_role(flows, p->segment, syn, p->from_a) != WEIR_FLOW_ASKS;
}

/* Whether number lies at from or a little behind. */
static bool is_soon_after(uint32_t from, uint32_t number)
{
    return number - from < WEIR_FLOW_RESET_MAX;
}

/* Sets both sides to where they begin, as far as that is known.  Gives what the client said
 * before, if it fits there. */
static const struct weir_flow_early *begin_sides(struct weir_flows *flows,
                                                 const struct passage *p,
                                                 const struct weir_flow_syn *syn,
                                                 struct weir_connection *c)
{
    struct weir_flow_side *client = &c->side[WEIR_SIDE_CLIENT];
    struct weir_flow_side *server = &c->side[WEIR_SIDE_SERVER];
    const struct weir_flow_early *early = weir_flow_early_find(flows, p->hash);
    uint32_t ack = p->segment->ack;
    bool client_known = syn && is_soon_after(syn->client_seq, ack);
    bool server_known = client_known && syn->server && is_soon_after(syn->server_seq, p->seq);
    if (early && early->seq + early->len != ack &&
        !(client_known && early->seq == syn->client_seq))
        early = NULL;
    client->next = client_known ? syn->client_seq : early ? early->seq : ack;
    client->acked = ack;
    server->next = server->acked = server_known ? syn->server_seq : p->seq;
    c->client_first = client->next;
    c->server_first = server->next;
    c->flow.midstream = !server_known && !(client_known && (early || ack == client->next));
    c->flow.seen[WEIR_SIDE_CLIENT] = early || (client_known && syn->client);
    return early;
}

static void name_ends(const struct weir_segment *s, weir_time time, struct weir_flow *flow)
{
    flow->client = s->destination;
    flow->client_port = s->destination_port;
    flow->server = s->source;
    flow->server_port = s->source_port;
    flow->first = flow->last = time;
}

/* Whether a handshake was seen, of both sides, that fits what a server says.  A RST of the client
 * says that it knows nothing of it, but for a server that is this machine and goes on.  Needless
 * where this machine's kernel sent it: then there was one, even if we cannot read how the client
 * sends its segments (in fragments, behind too many headers). */
static bool is_proof(const struct weir_flows *flows, const struct weir_flow_syn *syn,
                     const struct passage *p)
{
    if (weir_flow_is_sent(flows, p->segment))
        return true;
    return syn && syn->client && syn->server &&
           (!syn->refused || weir_flow_is_own(flows, &p->segment->source)) &&
           is_soon_after(syn->client_seq, p->segment->ack) &&
           is_soon_after(syn->server_seq, p->seq);
}

/* Tells that it begins, and hands on what its client said before; early or NULL. */
static void tell_opened(struct weir_flows *flows, struct weir_connection *c,
                        const struct weir_flow_early *early)
{
    flows->counts.opened++;
    flows->counts.midstream += c->flow.midstream;
    flows->counts.open++;
    flows->handler.opened(flows->handler.context, &c->flow);
    if (early) {
        struct weir_flow_input input = {WEIR_SIDE_CLIENT, early->seq,
                                        c->side[WEIR_SIDE_SERVER].next, early->len,
                                        {early->octets, early->len}, false};
        weir_flow_order_take(flows, c, &input);
        if (early->forged)
            weir_flow_tell_forged(flows, c, early->len);
    }
}

/* Another one stands for it. */
static void tell_copied(struct weir_flows *flows, const struct weir_connection *c)
{
    if (flows->handler.copied && !c->flow.midstream)
        flows->handler.copied(flows->handler.context, &c->flow);
}

/* Opens a connection by a segment of its server. */
static struct weir_connection *open_connection(struct weir_flows *flows, const struct passage *p)
{
    const struct weir_segment *s = p->segment;
    const struct weir_flow_syn *syn = weir_flow_syn_find(flows, p->hash);
    if (!(s->flags & WEIR_TCP_ACK) || !may_be_server(flows, p, syn) ||
        !(begins_like_reply(s->payload) || weir_tls_begins(s->payload)))
        return NULL;
    bool contradicted = syn && syn->contradicted, proof = is_proof(flows, syn, p);
    struct weir_connection *c = weir_flow_add(flows, p->hash, flows->one_sided || proof);
    if (!c)
        return NULL;
    c->server_is_a = p->from_a;
    name_ends(s, p->time, &c->flow);
    c->own[WEIR_SIDE_CLIENT] = weir_flow_is_own(flows, &s->destination);
    c->own[WEIR_SIDE_SERVER] = weir_flow_is_own(flows, &s->source);
    if (proof && !is_watched(flows, s->destination_port))
        weir_flow_serves(flows, &s->source, s->source_port);
    const struct weir_flow_early *early = begin_sides(flows, p, syn, c);
    if (c->flow.proven && weir_flow_copy_is(flows, c))
        tell_copied(flows, c);
    else
        tell_opened(flows, c, early);
    struct weir_flow_early *place = weir_flow_early_find(flows, p->hash);
    if (place)
        place->used = false;
    if (contradicted && !c->copy)
        weir_flow_tell_forged(flows, c, 0);
    return c;
}

/* Ends. ---------------------------------------------------------------------------- */

void weir_flow_close(struct weir_flows *flows, struct weir_connection *c, enum weir_flow_end end)
{
    weir_flow_order_end(flows, c);
    weir_flow_recent_forget(flows, c);
    weir_flow_copy_delist(c);
    flows->counts.closed++;
    flows->counts.open--;
    flows->counts.unproven -= !c->flow.proven;
    weir_flow_syn_forget(flows, c->hash, c->client_first);
    weir_flow_queue_again(flows, c, WEIR_FLOW_OVER);
    flows->handler.closed(flows->handler.context, &c->flow, end);
}

/* Whether anything is still told of it. */
static bool is_open(const struct weir_connection *c)
{
    return c->stage != WEIR_FLOW_OVER && !c->copy;
}

/* How one ends that does so for a reason of the table's. */
static enum weir_flow_end end_of(const struct weir_connection *c, enum weir_flow_end reason)
{
    return c->reset ? WEIR_FLOW_RESET : reason;
}

/* Ends, and makes room for another of the same ends. */
static void replace(struct weir_flows *flows, struct weir_connection *c)
{
    if (is_open(c))
        weir_flow_close(flows, c, end_of(c, WEIR_FLOW_REPLACED));
    weir_flow_forget(flows, c);
}

/* One of which only one side was heard. */
static void end_unproven(struct weir_flows *flows, struct weir_connection *c,
                         enum weir_flow_end reason)
{
    weir_flow_close(flows, c, end_of(c, reason));
    weir_flow_forget(flows, c);
}

/* A RST must be where the receiver would take it, or a blind one could end any connection.  And one
 * in the right place may be one that the receiver drops (its checksum, its way too long), or a
 * firewall's in the server's name: so it only begins the end, unless the server said its last. */
static void take_reset(struct weir_flows *flows, struct weir_connection *c,
                       const struct passage *p)
{
    enum weir_side side = side_of(c, p);
    const struct weir_flow_side *from = &c->side[side];
    int32_t ahead = weir_seq_distance(from->next, p->segment->seq);
    int32_t unread = weir_seq_distance(from->next, from->acked);
    if (ahead >= WEIR_FLOW_RESET_MAX || (ahead < 0 && ahead < unread)) {
        flows->counts.astray++;
        return;
    }
    c->reset = true;
    if (!c->flow.proven && side == WEIR_SIDE_CLIENT && weir_flow_is_own(flows, &c->flow.client))
        end_unproven(flows, c, WEIR_FLOW_RESET); /* this machine itself knows nothing of it */
    else if (!c->flow.proven)
        return;
    else if (weir_flow_side_ended(&c->side[WEIR_SIDE_SERVER]))
        weir_flow_close(flows, c, WEIR_FLOW_RESET);
    else
        weir_flow_queue_again(flows, c, WEIR_FLOW_ENDING);
}

/* One silent for the patience of its queue. */
static void end_by_silence(struct weir_flows *flows, struct weir_connection *c)
{
    if (!is_open(c))
        weir_flow_forget(flows, c);
    else if (c->stage == WEIR_FLOW_UNPROVEN)
        end_unproven(flows, c, WEIR_FLOW_IDLE);
    else
        weir_flow_close(flows, c, end_of(c, c->stage == WEIR_FLOW_ENDING ? WEIR_FLOW_FINISHED
                                                                         : WEIR_FLOW_IDLE));
}

/* Segments. ------------------------------------------------------------------------ */

/* Whether an answer to a SYN comes from the side that the SYN came from, or from that of a
 * connection's client, while no new SYN came: where both ports are watched, a client could make
 * itself the server so. */
static bool turns_roles(struct weir_flows *flows, const struct weir_connection *c,
                        const struct passage *p)
{
    const struct weir_flow_syn *syn = weir_flow_syn_find(flows, p->hash);
    if (!is_watched(flows, p->segment->destination_port))
        return false;
    enum weir_flow_role role = weir_flow_role(flows, p->segment, syn && syn->client ? syn : NULL,
                                              p->from_a);
    if (role != WEIR_FLOW_EITHER)
        return role == WEIR_FLOW_ASKS;
    return c && is_open(c) && side_of(c, p) == WEIR_SIDE_CLIENT;
}

/* A bare SYN, or the server's answer to one; gives the connection it belongs to, or NULL. */
static struct weir_connection *take_syn(struct weir_flows *flows, struct weir_connection *c,
                                        const struct passage *p)
{
    const struct weir_segment *s = p->segment;
    uint16_t server_port = s->flags & WEIR_TCP_ACK ? s->source_port : s->destination_port;
    if (!is_watched(flows, server_port))
        return c;
    if (s->flags & WEIR_TCP_ACK && turns_roles(flows, c, p)) {
        if (c && is_open(c))
            weir_flow_tell_forged(flows, c, 0);
        else
            weir_flow_syn_contradict(flows, p->hash);
        return c;
    }
    if (s->flags & WEIR_TCP_ACK) {
        weir_flow_syn_answer(flows, p->hash, p->seq, s->ack, p->from_a);
        if (!c || p->seq == c->server_first)
            return c;
        replace(flows, c);
        return NULL;
    }
    if (weir_flow_syn_note(flows, p->hash, p->seq, !p->from_a)) {
        flows->counts.syns++;
        flows->handler.syn(flows->handler.context, p->time, &s->source);
    } else {
        flows->counts.syns_again++;
    }
    return c;
}

/* Whether what a server says is of a new connection between the same ends: its numbers are
 * strange to the old one, and a newer handshake knows them; or the old one is over. */
static bool is_anew(const struct weir_flows *flows, const struct weir_connection *c,
                    const struct passage *p)
{
    if (side_of(c, p) != WEIR_SIDE_SERVER || p->segment->payload.len == 0)
        return false;
    uint32_t end = p->seq + p->segment->payload_len;
    int32_t ahead = weir_seq_distance(c->side[WEIR_SIDE_SERVER].next, end);
    if (c->stage == WEIR_FLOW_OVER)
        return ahead > 0 || ahead < -WEIR_FLOW_AHEAD_MAX;
    const struct weir_flow_syn *syn = weir_flow_syn_find(flows, p->hash);
    return syn && syn->client && syn->client_seq != c->client_first &&
           is_soon_after(syn->client_seq, p->segment->ack) &&
           (ahead >= WEIR_FLOW_AHEAD_MAX || ahead < -WEIR_FLOW_AHEAD_MAX);
}

/* Both took part: the client acknowledges what the server said, and does so where the server
 * expects it, which is not where we do when the server dropped what we took. */
static void note_proof(struct weir_flows *flows, struct weir_connection *c,
                       const struct passage *p)
{
    int32_t ahead = weir_seq_distance(c->side[WEIR_SIDE_CLIENT].acked, p->seq);
    int32_t acked = weir_seq_distance(c->server_first, p->segment->ack);
    if (side_of(c, p) != WEIR_SIDE_CLIENT || ahead <= -WEIR_FLOW_RESET_MAX ||
        ahead >= WEIR_FLOW_RESET_MAX || acked <= 0 || acked >= WEIR_FLOW_AHEAD_MAX)
        return;
    if (weir_flow_copy_is(flows, c)) { /* all but forgotten: what was opened is not charged yet */
        weir_flow_close(flows, c, WEIR_FLOW_REPLACED);
        return;
    }
    c->flow.proven = true;
    flows->counts.unproven--;
    weir_flow_queue_again(flows, c, c->reset ? WEIR_FLOW_ENDING : WEIR_FLOW_OPEN);
}

/* Whether both sides came to their end, or one began to. */
static void note_ends(struct weir_flows *flows, struct weir_connection *c)
{
    const struct weir_flow_side *side = c->side;
    if (!c->flow.proven)
        weir_flow_queue_again(flows, c, WEIR_FLOW_UNPROVEN);
    else if (weir_flow_side_ended(&side[0]) && weir_flow_side_ended(&side[1]) && c->pieces == 0)
        weir_flow_close(flows, c, WEIR_FLOW_FINISHED);
    else
        weir_flow_queue_again(flows, c, side[0].fin || side[1].fin || c->reset
                                            ? WEIR_FLOW_ENDING
                                            : WEIR_FLOW_OPEN);
}

static void take_payload(struct weir_flows *flows, struct weir_connection *c,
                         const struct passage *p)
{
    const struct weir_segment *s = p->segment;
    struct weir_flow_input input = {side_of(c, p),  p->seq,     s->ack,
                                    s->payload_len, s->payload, (s->flags & WEIR_TCP_FIN) != 0};
    if (!(s->flags & WEIR_TCP_ACK)) {
        flows->counts.astray++; /* RFC 9293 3.10.7.4: without ACK it is dropped */
        return;
    }
    c->segments++;
    if (!c->flow.proven) {
        note_proof(flows, c, p);
        if (c->copy)
            return;
    }
    if (s->payload_len == 0 && !input.fin) {
        weir_flow_order_ack(flows, c, input.side, s->ack);
        return;
    }
    c->flow.last = p->time;
    c->flow.seen[input.side] = true;
    if (!weir_flow_order_take(flows, c, &input)) {
        flows->counts.astray++;
        return;
    }
    if (input.side == WEIR_SIDE_SERVER && s->payload_len > 0)
        c->reset = false; /* it did not believe it, or it was not the server's */
    note_ends(flows, c);
}

/* Payload, FIN or an ACK of no connection: perhaps it makes one. */
static void take_stranger(struct weir_flows *flows, const struct passage *p)
{
    const struct weir_segment *s = p->segment;
    if (s->payload.len == 0)
        return;
    struct weir_connection *c = open_connection(flows, p);
    if (c && !c->copy) {
        take_payload(flows, c, p);
    } else if (!c && is_watched(flows, s->destination_port)) {
        flows->counts.unanswered++;
        weir_flow_early_keep(flows, p->hash, s, p->seq);
    }
}

/* A segment that matters, of c or of no connection yet. */
static void take(struct weir_flows *flows, struct weir_connection *c, const struct passage *p)
{
    const struct weir_segment *s = p->segment;
    if (s->flags & WEIR_TCP_RST) {
        if (!c) /* a host that knows of no handshake answers its second half with that */
            weir_flow_syn_refuse(flows, p->hash, s->seq);
        else if (c->copy)
            weir_flow_copy_take(flows, c, s->flags);
        else if (c->stage != WEIR_FLOW_OVER)
            take_reset(flows, c, p);
        return;
    }
    if (s->flags & WEIR_TCP_SYN) {
        if (s->flags & WEIR_TCP_FIN)
            return;
        c = take_syn(flows, c, p);
        if (s->payload_len == 0)
            return;
    }
    if (c && c->copy) {
        weir_flow_copy_take(flows, c, s->flags);
    } else if (c && !is_anew(flows, c, p)) {
        if (c->stage != WEIR_FLOW_OVER)
            take_payload(flows, c, p);
    } else {
        if (c)
            replace(flows, c);
        take_stranger(flows, p);
    }
}

void weir_flows_take(struct weir_flows *flows, weir_time time, const struct weir_segment *s)
{
    bool from = is_watched(flows, s->source_port), to = is_watched(flows, s->destination_port);
    if (!from && !to)
        return;
    flows->counts.segments++;
    if (time > flows->now && time < LATEST)
        flows->now = time;
    if (flows->now >= flows->next_tick)
        weir_flows_tick(flows, flows->now);
    bool marked = s->flags & (WEIR_TCP_SYN | WEIR_TCP_FIN | WEIR_TCP_RST);
    if (!marked && s->payload_len == 0 && !flows->waiting.head && flows->counts.unproven == 0)
        return;
    struct passage p = {.segment = s, .time = time, .from_a = from && to ? a_comes_first(s) : to,
                        .seq = s->seq + (s->flags & WEIR_TCP_SYN ? 1 : 0)};
    struct weir_flow_pair pair = pair_of(s, p.from_a);
    struct weir_connection *c = weir_flow_find(flows, &pair, &p.hash);
    bool own = c ? c->own[side_of(c, &p)] : weir_flow_is_own(flows, &s->source);
    if (own && weir_flow_came_in(flows, s))
        flows->counts.foreign++; /* another one's, in this machine's name */
    else
        take(flows, c, &p);
}

void weir_flows_tick(struct weir_flows *flows, weir_time now)
{
    if (now > flows->now && now < LATEST)
        flows->now = now;
    flows->next_tick = flows->now + WEIR_SECOND;
    for (struct weir_connection *c = flows->waiting.head, *next; c; c = next) {
        next = c->waiting.next; /* handing on may take c out of the queue, but no other */
        weir_flow_order_tick(flows, c);
    }
    for (int stage = 0; stage < WEIR_FLOW_STAGES; stage++) {
        struct weir_connection *c;
        while ((c = flows->queue[stage].head) != NULL &&
               flows->now - c->heard >= flows->patience[stage])
            end_by_silence(flows, c);
    }
}

void weir_flows_finish(struct weir_flows *flows)
{
    struct weir_connection *c;
    while ((c = flows->queue[WEIR_FLOW_OPEN].head) != NULL)
        weir_flow_close(flows, c, WEIR_FLOW_CUT);
    while ((c = flows->queue[WEIR_FLOW_UNPROVEN].head) != NULL)
        end_unproven(flows, c, WEIR_FLOW_CUT);
    while ((c = flows->queue[WEIR_FLOW_ENDING].head) != NULL)
        weir_flow_close(flows, c, end_of(c, WEIR_FLOW_FINISHED));
    while ((c = flows->queue[WEIR_FLOW_OVER].head) != NULL ||
           (c = flows->queue[WEIR_FLOW_COPY].head) != NULL)
        weir_flow_forget(flows, c);
}

/* The table. ----------------------------------------------------------------------- */

static void set_options(struct weir_flows *flows, const struct weir_flows_options *options)
{
    for (size_t i = 0; i < options->port_count; i++)
        flows->watched[options->ports[i] >> 3] |= (uint8_t)(1 << (options->ports[i] & 7));
    flows->flows_most = options->flows_most;
    if (flows->flows_most == 0 || flows->flows_most > WEIR_FLOWS_MAX)
        flows->flows_most = WEIR_FLOWS_MAX;
    flows->key = weir_short_key(&options->key);
    flows->patience[WEIR_FLOW_OPEN] = options->idle > 0 ? options->idle : IDLE;
    flows->patience[WEIR_FLOW_COPY] = flows->patience[WEIR_FLOW_OPEN];
    flows->patience[WEIR_FLOW_ENDING] = ENDING;
    flows->patience[WEIR_FLOW_OVER] = LINGER;
    flows->patience[WEIR_FLOW_UNPROVEN] = UNPROVEN;
    flows->one_sided = options->one_sided;
    flows->own = options->own;
}

static int make_tables(struct weir_flows *flows, const struct weir_flows_options *options)
{
    size_t earlies = WEIR_FLOW_EARLY_SETS * WEIR_FLOW_EARLY_WAYS;
    flows->syn = calloc(WEIR_FLOW_SYNS, sizeof(*flows->syn));
    flows->early = calloc(earlies, sizeof(*flows->early));
    flows->proxy = calloc(options->proxy_count + 1, sizeof(*flows->proxy));
    flows->served = calloc(WEIR_FLOW_SERVED, sizeof(*flows->served));
    flows->twins = calloc(WEIR_FLOW_TWINS, sizeof(struct weir_connection *));
    if (!flows->syn || !flows->early || !flows->proxy || !flows->served || !flows->twins)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < options->proxy_count; i++)
        flows->proxy[i] = options->proxies[i];
    flows->proxies = options->proxy_count;
    return weir_flow_table_new(flows);
}

int weir_flows_new(const struct weir_flows_options *options,
                   const struct weir_flow_handler *handler, struct weir_flows **flows_r)
{
    if (options->port_count < 1 || options->port_count > WEIR_SNIFFER_PORTS_MAX ||
        options->proxy_count > WEIR_SNIFFER_PROXIES_MAX)
        return WEIR_EINVAL;
    struct weir_flows *flows = calloc(1, sizeof(*flows));
    if (!flows)
        return WEIR_ENOMEM;
    flows->handler = *handler;
    set_options(flows, options);
    if (make_tables(flows, options) != 0) {
        weir_flows_free(&flows);
        return WEIR_ENOMEM;
    }
    *flows_r = flows;
    return 0;
}

void weir_flows_free(struct weir_flows **flows)
{
    struct weir_flows *f = *flows;
    if (!f)
        return;
    weir_flows_finish(f);
    free(f->place);
    free(f->syn);
    free(f->early);
    free(f->served);
    free(f->twins);
    free(f->proxy);
    free(f);
    *flows = NULL;
}

const struct weir_flows_counts *weir_flows_counts(const struct weir_flows *flows)
{
    return &flows->counts;
}

const char *weir_flow_end_name(enum weir_flow_end end)
{
    static const char *const name[WEIR_FLOW_ENDS] = {"finished", "reset",   "idle",
                                                     "replaced", "evicted", "cut"};
    return (unsigned)end < WEIR_FLOW_ENDS ? name[end] : "?";
}
