/*
 * What clients said last, so that one who says it again and otherwise is noticed.
 *
 * A run is what was handed on without a hole: small segments fill one together, of a large one only
 * the beginning is kept, since there a forged command has to stand; what is sent in the place of a
 * long forged segment differs from its beginning, too.  So a body costs a short copy for each
 * segment and not a long one.  The oldest run is overwritten.  Owned by the connection, made when
 * its client speaks first, and only for so many connections as the limit says.
 */
#include "sniffer/flow_impl.h"

#include <stdlib.h>
#include <string.h>

enum { LONG = 512, LONG_KEPT = 64 }; /* a segment that is most likely of a body */

/* The octets need no clearing. */
static struct weir_flow_recent *new_recent(void)
{
    struct weir_flow_recent *recent = malloc(sizeof(*recent));
    if (!recent)
        return NULL;
    recent->last = 0;
    for (size_t i = 0; i < WEIR_FLOW_RUNS; i++)
        recent->run[i].seq = recent->run[i].len = 0;
    return recent;
}

static struct weir_flow_recent *recent_of(struct weir_flows *flows, struct weir_connection *c)
{
    if (c->recent)
        return c->recent;
    if (flows->counts.remembered < WEIR_FLOWS_RECENT_MAX)
        c->recent = new_recent();
    if (c->recent)
        flows->counts.remembered++;
    else
        flows->counts.unremembered += c->flow.octets[WEIR_SIDE_CLIENT] == 0;
    return c->recent;
}

void weir_flow_recent_note(struct weir_flows *flows, struct weir_connection *c, uint32_t seq,
                           struct weir_slice octets)
{
    struct weir_flow_recent *recent = recent_of(flows, c);
    if (!recent)
        return;
    struct weir_flow_run *run = &recent->run[recent->last];
    if (run->len == WEIR_FLOW_RUN || run->seq + run->len != seq) {
        recent->last = (recent->last + 1) % WEIR_FLOW_RUNS;
        run = &recent->run[recent->last];
        run->seq = seq;
        run->len = 0;
    }
    size_t room = WEIR_FLOW_RUN - run->len, most = octets.len > LONG ? LONG_KEPT : octets.len;
    size_t len = most < room ? most : room;
    memcpy(run->octets + run->len, octets.at, len);
    run->len += (uint32_t)len;
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
    for (size_t i = 0; c->recent && i < WEIR_FLOW_RUNS; i++) {
        const struct weir_flow_run *run = &c->recent->run[i];
        if (weir_flow_differ(seq, octets, run->seq, (struct weir_slice){run->octets, run->len}))
            return true;
    }
    return false;
}

void weir_flow_recent_forget(struct weir_flows *flows, struct weir_connection *c)
{
    flows->counts.remembered -= c->recent != NULL;
    free(c->recent);
    c->recent = NULL;
}
