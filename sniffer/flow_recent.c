/*
 * What clients said last, so that one who says it again and otherwise is noticed.
 *
 * A run is what was handed on without a hole in short segments, as commands are: they fill one
 * together, and the oldest is overwritten.  Of long segments, which are most of what there is and
 * of bodies, only the last one's first octets are kept, within the connection, so that they cost
 * next to nothing; what is sent in the place of a forged one differs there.  Owned by the
 * connection, made when its client speaks first, and only for so many connections as the limit
 * says.
 */
#include "sniffer/flow_impl.h"

#include <stdlib.h>
#include <string.h>

enum { LONG = 512 };

_Static_assert(WEIR_FLOW_RUN <= UINT8_MAX && WEIR_FLOW_LONG <= LONG, "lengths have one octet");

/* Room for the octets of a client that speaks for the first time. */
static bool make_room(struct weir_flows *flows, struct weir_connection *c)
{
    if (c->flow.octets[WEIR_SIDE_CLIENT] > 0)
        return false;
    if (flows->counts.remembered < WEIR_FLOWS_RECENT_MAX)
        c->recent.octets = malloc(WEIR_FLOW_RUNS * WEIR_FLOW_RUN);
    if (c->recent.octets)
        flows->counts.remembered++;
    else
        flows->counts.unremembered++;
    return c->recent.octets != NULL;
}

static void note_long(struct weir_flow_recent *recent, uint32_t seq, struct weir_slice octets)
{
    recent->long_seq = seq;
    recent->long_len = WEIR_FLOW_LONG;
    memcpy(recent->long_octets, octets.at, WEIR_FLOW_LONG);
}

static void note_short(struct weir_flow_recent *recent, uint32_t seq, struct weir_slice octets)
{
    unsigned at = recent->last;
    if (recent->len[at] == WEIR_FLOW_RUN || recent->seq[at] + recent->len[at] != seq) {
        at = (at + 1) % WEIR_FLOW_RUNS;
        recent->last = (uint8_t)at;
        recent->seq[at] = seq;
        recent->len[at] = 0;
    }
    size_t room = WEIR_FLOW_RUN - recent->len[at], len = octets.len < room ? octets.len : room;
    memcpy(recent->octets[at] + recent->len[at], octets.at, len);
    recent->len[at] = (uint8_t)(recent->len[at] + len);
}

void weir_flow_recent_note(struct weir_flows *flows, struct weir_connection *c, uint32_t seq,
                           struct weir_slice octets)
{
    if (!c->recent.octets && !make_room(flows, c))
        return;
    if (octets.len > LONG)
        note_long(&c->recent, seq, octets);
    else
        note_short(&c->recent, seq, octets);
}

bool weir_flow_differ(uint32_t seq, struct weir_slice octets, uint32_t other_seq,
                      struct weir_slice other)
{
    int32_t behind = weir_seq_distance(other_seq, seq);
    size_t skip = behind < 0 ? (size_t)-(int64_t)behind : 0, from = behind > 0 ? (size_t)behind : 0;
    if (skip >= octets.len || from >= other.len)
        return false;
    size_t len = octets.len - skip < other.len - from ? octets.len - skip : other.len - from;
    return memcmp(octets.at + skip, other.at + from, len) != 0;
}

bool weir_flow_recent_differs(const struct weir_connection *c, uint32_t seq,
                              struct weir_slice octets)
{
    const struct weir_flow_recent *recent = &c->recent;
    for (size_t i = 0; recent->octets && i < WEIR_FLOW_RUNS; i++) {
        struct weir_slice run = {recent->octets[i], recent->len[i]};
        if (weir_flow_differ(seq, octets, recent->seq[i], run))
            return true;
    }
    return weir_flow_differ(seq, octets, recent->long_seq,
                            (struct weir_slice){recent->long_octets, recent->long_len});
}

void weir_flow_recent_forget(struct weir_flows *flows, struct weir_connection *c)
{
    flows->counts.remembered -= c->recent.octets != NULL;
    free(c->recent.octets);
    c->recent = (struct weir_flow_recent){.octets = NULL};
}
