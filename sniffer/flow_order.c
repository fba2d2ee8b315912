/*
 * The octets of a connection in order: by sequence numbers on each side, by acknowledgements
 * between the sides.
 *
 * In order and with nothing waiting, octets are handed on where they lie.  All else is copied into
 * pieces: a side's pieces are sorted and never overlap, since what arrived first wins and
 * what comes later fills holes only.  A piece at the head of its side waits for the octets before
 * it, or for octets of the other side that its sender had received.
 *
 * After some time (by the clock, or by further segments) a wait is given up:
 *   client's hole    a gap, as far as the server acknowledged it; else the client has sent what
 *                    the server did not take, and will send it again or be forgotten
 *   server's hole    a gap, when the client acknowledged it or was never seen
 *   a reply waits    for octets of the client: they are a gap, the server says it has them
 *   a command waits  for a reply: it waits no longer, and nothing is said of the server
 * For want of room it is given up at once, but before that goes what the client is furthest ahead
 * with and nobody has confirmed.
 */
#include "sniffer/flow_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    PATIENCE_TIME = WEIR_SECOND,
    PATIENCE_SEGMENTS = 100,
    SILENT_SEGMENTS = 8, /* of one side, after which the other one is not captured */
};

/* Why a wait is given up. */
enum pressure { PRESSURE_PATIENCE, PRESSURE_ROOM, PRESSURE_END };

bool weir_flow_side_ended(const struct weir_flow_side *side)
{
    return side->fin && side->fin_at == side->next;
}

/* The furthest octet that is acknowledged; a FIN counts as one, but is none. */
static uint32_t acked_to(const struct weir_flow_side *side, uint32_t ack)
{
    return side->fin && ack == side->fin_at + 1 ? side->fin_at : ack;
}

/* Whether somebody received octets of this side that were not handed on yet. */
static bool lacks(const struct weir_flow_side *side, uint32_t ack)
{
    return weir_seq_distance(side->next, acked_to(side, ack)) > 0;
}

static bool is_silent(const struct weir_connection *c, enum weir_side side)
{
    return !c->flow.seen[side] && c->segments >= SILENT_SEGMENTS;
}

static void tell_gap(struct weir_flows *flows, struct weir_connection *c, enum weir_side side,
                     uint32_t to)
{
    uint32_t len = to - c->side[side].next;
    c->side[side].next = to;
    c->flow.gaps++;
    c->flow.gap_octets += len;
    flows->counts.gaps++;
    flows->handler.gap(flows->handler.context, &c->flow, side, len);
}

/* Octets whose turn it is; what was not captured of them is a gap. */
static void hand_on(struct weir_flows *flows, struct weir_connection *c, enum weir_side side,
                    struct weir_slice octets, uint32_t len)
{
    uint32_t to = c->side[side].next + len;
    if (octets.len > 0) {
        if (side == WEIR_SIDE_CLIENT)
            weir_flow_recent_note(flows, c, c->side[side].next, octets);
        c->side[side].next += (uint32_t)octets.len;
        c->flow.octets[side] += octets.len;
        flows->handler.octets(flows->handler.context, &c->flow, side, octets);
    }
    if (octets.len < len)
        tell_gap(flows, c, side, to);
}

static void unlink_piece(struct weir_flows *flows, struct weir_connection *c, enum weir_side side,
                         struct weir_flow_piece *piece)
{
    struct weir_flow_side *s = &c->side[side];
    *(piece->previous ? &piece->previous->next : &s->head) = piece->next;
    *(piece->next ? &piece->next->previous : &s->tail) = piece->previous;
    uint32_t size = (uint32_t)sizeof(*piece) + piece->from + piece->have;
    c->pieces--;
    c->kept -= size;
    flows->counts.octets_kept -= size;
    free(piece);
}

/* The head of a side, or what of it lies before a sequence number. */
static void hand_on_head(struct weir_flows *flows, struct weir_connection *c, enum weir_side side,
                         uint32_t before_it)
{
    struct weir_flow_piece *head = c->side[side].head;
    uint32_t len = before_it - head->seq < head->len ? before_it - head->seq : head->len;
    uint32_t have = len < head->have ? len : head->have;
    hand_on(flows, c, side, (struct weir_slice){head->octets + head->from, have}, len);
    head->from += have;
    head->have -= have;
    head->seq += len;
    head->len -= len;
    if (head->len == 0)
        unlink_piece(flows, c, side, head);
}

static void hand_on_whole(struct weir_flows *flows, struct weir_connection *c, enum weir_side side)
{
    hand_on_head(flows, c, side, c->side[side].head->seq + c->side[side].head->len);
}

/* A head without a hole before it: does it wait for the other side's octets? */
static bool must_wait(const struct weir_connection *c, enum weir_side side, uint32_t ack)
{
    return lacks(&c->side[weir_side_other(side)], ack);
}

static bool is_next(const struct weir_connection *c, enum weir_side side)
{
    return c->side[side].head && c->side[side].head->seq == c->side[side].next;
}

static bool hand_on_if_free(struct weir_flows *flows, struct weir_connection *c,
                            enum weir_side side)
{
    bool progress = false;
    while (is_next(c, side) && !must_wait(c, side, c->side[side].head->ack)) {
        hand_on_whole(flows, c, side);
        progress = true;
    }
    return progress;
}

/* Both sides' heads wait for each other, since one of them is octets sent again together with
 * new ones.  It is the one of which the other acknowledges only a part: that goes first. */
static void untie(struct weir_flows *flows, struct weir_connection *c)
{
    const struct weir_flow_piece *client = c->side[WEIR_SIDE_CLIENT].head;
    const struct weir_flow_piece *server = c->side[WEIR_SIDE_SERVER].head;
    if (weir_seq_distance(client->ack, server->seq + server->len) > 0)
        hand_on_head(flows, c, WEIR_SIDE_SERVER, client->ack);
    else
        hand_on_head(flows, c, WEIR_SIDE_CLIENT, server->ack);
}

/* Hands on all heads that are free. */
static void drain(struct weir_flows *flows, struct weir_connection *c)
{
    while (c->pieces > 0) {
        bool progress = hand_on_if_free(flows, c, WEIR_SIDE_CLIENT);
        progress |= hand_on_if_free(flows, c, WEIR_SIDE_SERVER);
        if (!progress && is_next(c, WEIR_SIDE_CLIENT) && is_next(c, WEIR_SIDE_SERVER)) {
            untie(flows, c);
            progress = true;
        }
        if (!progress)
            break;
    }
}

static uint32_t before(uint32_t a, uint32_t b)
{
    return weir_seq_distance(a, b) < 0 ? b : a;
}

/* The hole before the client's octets is a gap up to ack, or to its own head. */
static void skip_client(struct weir_flows *flows, struct weir_connection *c, uint32_t ack)
{
    struct weir_flow_side *client = &c->side[WEIR_SIDE_CLIENT];
    uint32_t to = acked_to(client, ack);
    tell_gap(flows, c, WEIR_SIDE_CLIENT, client->head ? before(to, client->head->seq) : to);
}

static bool give_up_client(struct weir_flows *flows, struct weir_connection *c,
                           enum pressure pressure)
{
    struct weir_flow_side *client = &c->side[WEIR_SIDE_CLIENT];
    if (is_next(c, WEIR_SIDE_CLIENT))
        hand_on_whole(flows, c, WEIR_SIDE_CLIENT);
    else if (lacks(client, client->acked))
        skip_client(flows, c, client->acked);
    else if (pressure == PRESSURE_END)
        tell_gap(flows, c, WEIR_SIDE_CLIENT, client->head->seq);
    else
        return false;
    return true;
}

static bool give_up_server(struct weir_flows *flows, struct weir_connection *c,
                           enum pressure pressure)
{
    struct weir_flow_side *server = &c->side[WEIR_SIDE_SERVER];
    if (is_next(c, WEIR_SIDE_SERVER)) {
        skip_client(flows, c, server->head->ack);
        return true;
    }
    if (pressure == PRESSURE_PATIENCE && !lacks(server, server->acked) &&
        !is_silent(c, WEIR_SIDE_CLIENT))
        return false;
    tell_gap(flows, c, WEIR_SIDE_SERVER, server->head->seq);
    return true;
}

/* Gives up what the head of a side waits for; false when there is none, or it has to wait on. */
static bool give_up(struct weir_flows *flows, struct weir_connection *c, enum weir_side side,
                    enum pressure pressure)
{
    const struct weir_flow_piece *head = c->side[side].head;
    if (!head)
        return false;
    if (pressure == PRESSURE_PATIENCE && head->since + PATIENCE_TIME > flows->now &&
        c->segments - head->number < PATIENCE_SEGMENTS &&
        !(is_next(c, side) && is_silent(c, weir_side_other(side))))
        return false;
    bool progress = side == WEIR_SIDE_CLIENT ? give_up_client(flows, c, pressure)
                                             : give_up_server(flows, c, pressure);
    if (progress)
        drain(flows, c);
    return progress;
}

/* Replies first: that they wait is what is noticed. */
static void settle(struct weir_flows *flows, struct weir_connection *c, enum pressure pressure)
{
    drain(flows, c);
    while (give_up(flows, c, WEIR_SIDE_SERVER, pressure) ||
           give_up(flows, c, WEIR_SIDE_CLIENT, pressure))
        continue;
    weir_flow_wait(flows, c, c->pieces > 0);
}

void weir_flow_order_tick(struct weir_flows *flows, struct weir_connection *c)
{
    settle(flows, c, PRESSURE_PATIENCE);
}

void weir_flow_order_end(struct weir_flows *flows, struct weir_connection *c)
{
    struct weir_flow_side *client = &c->side[WEIR_SIDE_CLIENT];
    settle(flows, c, PRESSURE_END);
    if (lacks(client, client->acked))
        skip_client(flows, c, client->acked);
}

void weir_flow_order_release(struct weir_flows *flows, struct weir_connection *c)
{
    settle(flows, c, PRESSURE_ROOM);
    while (c->side[WEIR_SIDE_CLIENT].head) {
        flows->counts.discarded++;
        unlink_piece(flows, c, WEIR_SIDE_CLIENT, c->side[WEIR_SIDE_CLIENT].head);
    }
    weir_flow_wait(flows, c, false);
}

/* What the client is furthest ahead with goes, if that is further than what comes and nobody has
 * confirmed it: with what its server drops a client must not fill the room of all the rest. */
static bool drop_furthest(struct weir_flows *flows, struct weir_connection *c,
                          const struct weir_flow_input *in)
{
    const struct weir_flow_side *client = &c->side[WEIR_SIDE_CLIENT];
    struct weir_flow_piece *furthest = client->tail;
    if (!furthest || weir_seq_distance(client->acked, furthest->seq) < 0 ||
        (in->side == WEIR_SIDE_CLIENT && weir_seq_distance(in->seq, furthest->seq) <= 0))
        return false;
    flows->counts.discarded++;
    unlink_piece(flows, c, WEIR_SIDE_CLIENT, furthest);
    return true;
}

/* Whether there is room for a piece, perhaps after others gave up waiting, or went. */
static bool make_room(struct weir_flows *flows, struct weir_connection *c,
                      const struct weir_flow_input *in)
{
    uint32_t size = (uint32_t)(sizeof(struct weir_flow_piece) + in->payload.len);
    if (size > WEIR_FLOW_KEPT_MAX)
        return false;
    if (c->pieces > 0)
        drain(flows, c);
    while (c->pieces >= WEIR_FLOW_SEGMENTS_MAX || c->kept + size > WEIR_FLOW_KEPT_MAX) {
        if (!drop_furthest(flows, c, in) && !give_up(flows, c, WEIR_SIDE_SERVER, PRESSURE_ROOM) &&
            !give_up(flows, c, WEIR_SIDE_CLIENT, PRESSURE_ROOM))
            return false;
    }
    while (flows->counts.octets_kept + size > WEIR_FLOWS_KEPT_MAX) {
        struct weir_connection *victim = flows->waiting.head;
        if (victim == c)
            victim = c->waiting.next;
        if (!victim)
            return false;
        weir_flow_order_release(flows, victim);
    }
    return true;
}

static bool insert(struct weir_flows *flows, struct weir_connection *c, enum weir_side side,
                   struct weir_flow_piece *before_it, const struct weir_flow_piece *what,
                   const char *octets)
{
    struct weir_flow_side *s = &c->side[side];
    uint32_t size = (uint32_t)sizeof(*what) + what->have;
    struct weir_flow_piece *piece = malloc(size);
    if (!piece) {
        flows->counts.no_memory++;
        return false;
    }
    *piece = *what;
    if (what->have > 0)
        memcpy(piece->octets, octets, what->have);
    piece->previous = before_it;
    piece->next = before_it ? before_it->next : s->head;
    *(piece->previous ? &piece->previous->next : &s->head) = piece;
    *(piece->next ? &piece->next->previous : &s->tail) = piece;
    c->pieces++;
    c->kept += size;
    flows->counts.octets_kept += size;
    return true;
}

static void take_front(struct weir_flow_input *input, uint32_t len)
{
    size_t there = len < input->payload.len ? len : input->payload.len;
    input->payload.at += there;
    input->payload.len -= there;
    input->seq += len;
    input->len -= len;
}

static struct weir_flow_piece *piece_before(const struct weir_flow_side *s, uint32_t seq)
{
    struct weir_flow_piece *at = s->tail;
    while (at && weir_seq_distance(seq, at->seq) > 0)
        at = at->previous;
    return at;
}

void weir_flow_tell_forged(struct weir_flows *flows, struct weir_connection *c, uint64_t len)
{
    c->flow.forged++;
    flows->counts.forged++;
    if (flows->handler.forged)
        flows->handler.forged(flows->handler.context, &c->flow, len);
}

/* Whether octets contradict what was handed on or what waits.  One octet before the next one is how
 * some keep a connection alive, whatever it holds (RFC 9293 3.8.4). */
static bool contradicts(const struct weir_connection *c, const struct weir_flow_input *in)
{
    const struct weir_flow_side *side = &c->side[in->side];
    if (in->len == 1 && in->seq + 1 == side->next)
        return false;
    if (weir_flow_recent_differs(c, in->seq, in->payload))
        return true;
    uint32_t end = in->seq + (uint32_t)in->payload.len;
    for (const struct weir_flow_piece *at = side->tail;
         at && weir_seq_distance(in->seq, at->seq + at->len) > 0; at = at->previous) {
        struct weir_slice octets = {at->octets + at->from, at->have};
        if (weir_seq_distance(at->seq, end) > 0 &&
            weir_flow_differ(in->seq, in->payload, at->seq, octets))
            return true;
    }
    return false;
}

/* Fills holes with what has arrived: as many pieces as there are holes in its way. */
static void keep(struct weir_flows *flows, struct weir_connection *c, struct weir_flow_input in)
{
    while (in.len > 0) {
        if (!make_room(flows, c, &in)) {
            flows->counts.discarded++;
            return;
        }
        struct weir_flow_side *s = &c->side[in.side]; /* room was made: look anew */
        struct weir_flow_piece *left = piece_before(s, in.seq);
        uint32_t covered = left ? left->seq + left->len : s->next;
        int32_t old = weir_seq_distance(in.seq, covered);
        if (old > 0) {
            take_front(&in, (uint32_t)old < in.len ? (uint32_t)old : in.len);
            continue;
        }
        const struct weir_flow_piece *right = left ? left->next : s->head;
        uint32_t len = right && right->seq - in.seq < in.len ? right->seq - in.seq : in.len;
        uint32_t have = in.payload.len < len ? (uint32_t)in.payload.len : len;
        struct weir_flow_piece piece = {.since = flows->now, .number = c->segments, .seq = in.seq,
                                        .len = len, .ack = in.ack, .have = have};
        if (!insert(flows, c, in.side, left, &piece, in.payload.at))
            return;
        take_front(&in, len);
    }
}

/* Notes what a side acknowledges of the other, which must be near what that has sent. */
static void note_ack(struct weir_connection *c, enum weir_side side, uint32_t ack)
{
    struct weir_flow_side *other = &c->side[weir_side_other(side)];
    int32_t ahead = weir_seq_distance(other->next, ack);
    if (weir_seq_distance(other->acked, ack) > 0 && ahead < INT32_MAX / 2)
        other->acked = ack;
}

/* Near what is next, or near what the other end received. */
static bool is_near(const struct weir_flow_side *side, uint32_t seq)
{
    int32_t next = weir_seq_distance(side->next, seq), acked = weir_seq_distance(side->acked, seq);
    int32_t most = WEIR_FLOW_AHEAD_MAX;
    return (next > -most && next < most) || (acked > -most && acked < most);
}

void weir_flow_order_ack(struct weir_flows *flows, struct weir_connection *c, enum weir_side side,
                         uint32_t ack)
{
    note_ack(c, side, ack);
    if (c->pieces > 0)
        settle(flows, c, PRESSURE_PATIENCE);
}

/* What does not simply come next. */
static void take_late(struct weir_flows *flows, struct weir_connection *c,
                      struct weir_flow_input in)
{
    const struct weir_flow_side *side = &c->side[in.side];
    int32_t ahead = weir_seq_distance(side->next, in.seq);
    if (in.side == WEIR_SIDE_CLIENT && contradicts(c, &in))
        weir_flow_tell_forged(flows, c, in.len);
    if (ahead > 0)
        flows->counts.reordered++;
    else if (ahead == 0 && must_wait(c, in.side, in.ack))
        flows->counts.held++;
    if (ahead < 0) {
        uint32_t old = (uint32_t)-ahead;
        flows->counts.retransmitted++;
        take_front(&in, old < in.len ? old : in.len);
    }
    keep(flows, c, in);
    settle(flows, c, PRESSURE_PATIENCE);
}

bool weir_flow_order_take(struct weir_flows *flows, struct weir_connection *c,
                          const struct weir_flow_input *in)
{
    struct weir_flow_side *side = &c->side[in->side];
    if (!is_near(side, in->seq))
        return false;
    note_ack(c, in->side, in->ack);
    if (in->fin && weir_seq_distance(side->next, in->seq + in->len) >= 0) {
        side->fin = true;
        side->fin_at = in->seq + in->len;
    }
    if (in->seq == side->next && c->pieces == 0 && !must_wait(c, in->side, in->ack))
        hand_on(flows, c, in->side, in->payload, in->len);
    else if (in->len > 0 || c->pieces > 0)
        take_late(flows, c, *in);
    return true;
}
