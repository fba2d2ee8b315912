/*
 * Which end of a connection is the server, where the ports do not tell: both are watched.
 *
 * One side's word is none: a client that speaks from port 25 can say "220", and answer a SYN,
 * before its server does, in segments that the server drops; and a flood of SYNs makes us forget
 * who asked whom.  So the machine's own addresses come first, that nobody else speaks from; then a
 * SYN that was seen; then who was a server before, to clients from other ports.  Only then the
 * one who answers a SYN, or begins to speak.  Of servers a table of fixed size is kept, into which
 * only connections get of which the handshake was seen; the last one has the place.
 */
#include <string.h>

#include "sniffer/flow_impl.h"

static struct weir_flow_served *served_place(struct weir_flows *flows,
                                             const struct weir_address *address, uint16_t port)
{
    uint32_t word[WEIR_SHORT_WORDS];
    memcpy(word, address->octet, sizeof(address->octet));
    word[4] = port;
    return &flows->served[weir_short_hash(&flows->key, word, 5) & (WEIR_FLOW_SERVED - 1)];
}

void weir_flow_serves(struct weir_flows *flows, const struct weir_address *address, uint16_t port)
{
    *served_place(flows, address, port) = (struct weir_flow_served){*address, port};
}

static bool has_served(struct weir_flows *flows, const struct weir_address *address, uint16_t port)
{
    const struct weir_flow_served *served = served_place(flows, address, port);
    return served->port == port && weir_address_equal(&served->address, address);
}

bool weir_flow_is_own(const struct weir_flows *flows, const struct weir_address *address)
{
    return flows->own && weir_own_has(flows->own, address);
}

bool weir_flow_is_sent(const struct weir_flows *flows, const struct weir_segment *segment)
{
    return weir_flow_is_own(flows, &segment->source) &&
           (segment->outgoing || (segment->card && weir_own_has_card(flows->own, segment->card)));
}

bool weir_flow_came_in(const struct weir_flows *flows, const struct weir_segment *segment)
{
    return segment->incoming || (segment->card && weir_own_lacks_card(flows->own, segment->card));
}

enum weir_flow_role weir_flow_role(struct weir_flows *flows, const struct weir_segment *segment,
                                   const struct weir_flow_syn *syn, bool from_a)
{
    bool from = weir_flow_is_own(flows, &segment->source);
    if (from != weir_flow_is_own(flows, &segment->destination))
        return from ? WEIR_FLOW_SERVES : WEIR_FLOW_ASKS;
    if (syn && syn->client)
        return syn->server_is_a == from_a ? WEIR_FLOW_SERVES : WEIR_FLOW_ASKS;
    from = has_served(flows, &segment->source, segment->source_port);
    if (from != has_served(flows, &segment->destination, segment->destination_port))
        return from ? WEIR_FLOW_SERVES : WEIR_FLOW_ASKS;
    if (syn)
        return syn->server_is_a == from_a ? WEIR_FLOW_SERVES : WEIR_FLOW_ASKS;
    return WEIR_FLOW_EITHER;
}
