/*
 * Connections by the addresses and ports of their ends: open addressing under a keyed hash,
 * and queues that tell who was silent for longest.
 *
 * The table owns the connections.  A connection moves to the end of its queue at most once a
 * second, so that a busy one touches no neighbour's memory for each segment.  When there is no
 * room, one that is over goes first, then a copy, then one that is not proven, then the one silent
 * for longest.
 */
#include "sniffer/flow_impl.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

enum { PLACES_FIRST = 256 };

/* An address as two numbers, in the octet order of the wire. */
struct halves {
    uint64_t half[2];
};

static inline struct halves halves_of(const struct weir_address *address)
{
    struct halves halves;
    memcpy(&halves.half[0], address->octet, sizeof(uint64_t));
    memcpy(&halves.half[1], address->octet + sizeof(uint64_t), sizeof(uint64_t));
    return halves;
}

static inline bool is_same(const struct weir_address *one, const struct weir_address *other)
{
    struct halves a = halves_of(one), b = halves_of(other);
    return a.half[0] == b.half[0] && a.half[1] == b.half[1];
}

/* Whether an address is IPv4, and the four octets of it. */
static inline bool is_mapped(struct halves address, uint32_t *octets_r)
{
    uint64_t second = be64toh(address.half[1]);
    *octets_r = (uint32_t)second;
    return address.half[0] == 0 && second >> 32 == 0xffff;
}

/* IPv4 needs only its own octets: that is a third of the time. */
static uint64_t hash_of(const struct weir_flows *flows, const struct weir_flow_pair *pair)
{
    struct halves a = halves_of(pair->a), b = halves_of(pair->b);
    uint32_t word[WEIR_SHORT_WORDS];
    size_t words = 2;
    if (!is_mapped(a, &word[0]) || !is_mapped(b, &word[1])) {
        memcpy(word, &a, sizeof(a));
        memcpy(word + 4, &b, sizeof(b));
        words = 8;
    }
    word[words++] = (uint32_t)pair->a_port << 16 | pair->b_port;
    return weir_short_hash(&flows->key, word, words);
}

static inline bool is_of(const struct weir_connection *c, const struct weir_flow_pair *pair)
{
    const struct weir_flow *flow = &c->flow;
    const struct weir_address *a = c->server_is_a ? &flow->server : &flow->client;
    const struct weir_address *b = c->server_is_a ? &flow->client : &flow->server;
    uint16_t a_port = c->server_is_a ? flow->server_port : flow->client_port;
    uint16_t b_port = c->server_is_a ? flow->client_port : flow->server_port;
    return a_port == pair->a_port && b_port == pair->b_port && is_same(a, pair->a) &&
           is_same(b, pair->b);
}

struct weir_connection *weir_flow_find(struct weir_flows *flows,
                                       const struct weir_flow_pair *pair, uint64_t *hash_r)
{
    if (flows->last && is_of(flows->last, pair)) {
        *hash_r = flows->last->hash;
        return flows->last;
    }
    size_t mask = flows->places - 1;
    uint64_t hash = *hash_r = hash_of(flows, pair);
    for (size_t at = hash & mask; flows->place[at].connection; at = (at + 1) & mask) {
        if (flows->place[at].hash == hash && is_of(flows->place[at].connection, pair))
            return flows->last = flows->place[at].connection;
    }
    return NULL;
}

static void put(struct weir_flow_place *place, size_t places, struct weir_connection *c)
{
    size_t at = c->hash & (places - 1);
    while (place[at].connection)
        at = (at + 1) & (places - 1);
    place[at] = (struct weir_flow_place){c->hash, c};
}

/* Doubles the places when half are filled. */
static int grow(struct weir_flows *flows)
{
    if (flows->places > 0 && flows->filled < flows->places / 2)
        return 0;
    size_t places = flows->places ? flows->places * 2 : PLACES_FIRST;
    struct weir_flow_place *place = calloc(places, sizeof(*place));
    if (!place)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < flows->places; i++) {
        if (flows->place[i].connection)
            put(place, places, flows->place[i].connection);
    }
    free(flows->place);
    flows->place = place;
    flows->places = places;
    return 0;
}

/* Frees a place and closes ranks behind it, so that no search ends too early. */
static void take_out(struct weir_flows *flows, const struct weir_connection *c)
{
    size_t mask = flows->places - 1, hole = c->hash & mask;
    while (flows->place[hole].connection != c)
        hole = (hole + 1) & mask;
    for (size_t at = (hole + 1) & mask; flows->place[at].connection; at = (at + 1) & mask) {
        size_t home = flows->place[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            flows->place[hole] = flows->place[at];
            hole = at;
        }
    }
    flows->place[hole].connection = NULL;
    flows->filled--;
}

static void queue_leave(struct weir_flows *flows, struct weir_connection *c)
{
    struct weir_flow_queue *queue = &flows->queue[c->stage];
    *(c->queue.previous ? &c->queue.previous->queue.next : &queue->head) = c->queue.next;
    *(c->queue.next ? &c->queue.next->queue.previous : &queue->tail) = c->queue.previous;
}

static void queue_join(struct weir_flows *flows, struct weir_connection *c,
                       enum weir_flow_stage stage)
{
    struct weir_flow_queue *queue = &flows->queue[stage];
    c->stage = (uint8_t)stage;
    c->heard = flows->now;
    c->queue = (struct weir_flow_links){NULL, queue->tail};
    *(queue->tail ? &queue->tail->queue.next : &queue->head) = c;
    queue->tail = c;
}

void weir_flow_queue_again(struct weir_flows *flows, struct weir_connection *c,
                           enum weir_flow_stage stage)
{
    if (c->stage == stage && flows->now - c->heard < WEIR_SECOND)
        return;
    queue_leave(flows, c);
    queue_join(flows, c, stage);
}

void weir_flow_wait(struct weir_flows *flows, struct weir_connection *c, bool waits)
{
    struct weir_flow_queue *queue = &flows->waiting;
    bool waited = c->waiting.previous || queue->head == c;
    if (waits == waited)
        return;
    if (waits) {
        c->waiting = (struct weir_flow_links){NULL, queue->tail};
        *(queue->tail ? &queue->tail->waiting.next : &queue->head) = c;
        queue->tail = c;
        return;
    }
    *(c->waiting.previous ? &c->waiting.previous->waiting.next : &queue->head) = c->waiting.next;
    *(c->waiting.next ? &c->waiting.next->waiting.previous : &queue->tail) = c->waiting.previous;
    c->waiting = (struct weir_flow_links){NULL, NULL};
}

static void evict(struct weir_flows *flows, struct weir_connection *c)
{
    flows->counts.evicted++;
    weir_flow_close(flows, c, WEIR_FLOW_EVICTED);
    weir_flow_forget(flows, c);
}

/* Makes room for one more. */
static void make_room(struct weir_flows *flows)
{
    struct weir_connection *over = flows->queue[WEIR_FLOW_OVER].head;
    if (!over)
        over = flows->queue[WEIR_FLOW_COPY].head;
    if (over) {
        weir_flow_forget(flows, over);
        return;
    }
    struct weir_connection *open = flows->queue[WEIR_FLOW_OPEN].head;
    struct weir_connection *ending = flows->queue[WEIR_FLOW_ENDING].head;
    struct weir_connection *unproven = flows->queue[WEIR_FLOW_UNPROVEN].head;
    if (unproven)
        evict(flows, unproven);
    else
        evict(flows, !open || (ending && ending->heard <= open->heard) ? ending : open);
}

int weir_flow_table_new(struct weir_flows *flows)
{
    return grow(flows);
}

struct weir_connection *weir_flow_add(struct weir_flows *flows, uint64_t hash, bool proven)
{
    if (!proven && flows->counts.unproven == WEIR_FLOWS_UNPROVEN_MAX)
        evict(flows, flows->queue[WEIR_FLOW_UNPROVEN].head);
    else if (flows->filled == flows->flows_most)
        make_room(flows);
    struct weir_connection *c = grow(flows) == 0 ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        flows->counts.no_memory++;
        return NULL;
    }
    c->hash = hash;
    put(flows->place, flows->places, c);
    flows->filled++;
    c->flow.proven = proven;
    flows->counts.unproven += !proven;
    queue_join(flows, c, proven ? WEIR_FLOW_OPEN : WEIR_FLOW_UNPROVEN);
    return c;
}

void weir_flow_forget(struct weir_flows *flows, struct weir_connection *c)
{
    if (flows->last == c)
        flows->last = NULL;
    take_out(flows, c);
    queue_leave(flows, c);
    free(c);
}
