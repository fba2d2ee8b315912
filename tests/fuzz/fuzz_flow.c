/* Segments of a few connections in any order: six octets tell who, numbers, flags, lengths and
 * time of each; the payload is what stands behind. */
#include <assert.h>
#include <stdint.h>

#include "core/base/limits.h"
#include "sniffer/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sums {
    uint64_t octets, gaps;
    unsigned open;
};

static void opened(void *context, struct weir_flow *flow)
{
    ((struct sums *)context)->open++;
    flow->session = context;
}

static void octets(void *context, struct weir_flow *flow, enum weir_side side,
                   struct weir_slice slice)
{
    assert(flow->session == context && slice.len > 0 && side <= WEIR_SIDE_SERVER);
    ((struct sums *)context)->octets += slice.len;
}

static void gap(void *context, struct weir_flow *flow, enum weir_side side, uint64_t len)
{
    assert(flow->session == context && side <= WEIR_SIDE_SERVER);
    assert(len > 0 && len < UINT32_C(1) << 31);
    ((struct sums *)context)->gaps++;
}

static void closed(void *context, struct weir_flow *flow, enum weir_flow_end end)
{
    assert(flow->session == context && end < WEIR_FLOW_ENDS);
    ((struct sums *)context)->open--;
    flow->session = NULL;
}

static void syn(void *context, weir_time time, const struct weir_address *client)
{
    assert(context && client && time > 0);
}

static void forged(void *context, struct weir_flow *flow, uint64_t len)
{
    assert(flow->session == context && flow->forged > 0 && len > 0);
}

static void copied(void *context, const struct weir_flow *flow)
{
    assert(context && !flow->session);
}

static struct weir_segment segment_of(const uint8_t *at)
{
    bool turned = at[0] & 1;
    struct weir_segment s = {.source_port = turned ? 25 : 9, .destination_port = turned ? 9 : 25};
    s.source.octet[0] = turned ? 1 : 0;
    s.destination.octet[0] = turned ? 0 : 1;
    (turned ? &s.destination : &s.source)->octet[15] = at[0] >> 1 & 3;
    (turned ? &s.source : &s.destination)->octet[15] = at[0] >> 3 & 1;
    s.outgoing = at[0] & 16;
    s.incoming = (at[0] & 80) == 64;
    if (at[0] & 128)
        s.destination_port = s.source_port = 25;
    s.flags = at[1] & 31;
    s.seq = 0xfffffff0 + (at[2] < 250 ? at[2] : (uint32_t)at[2] << 18);
    s.ack = 0xfffffff0 + (at[3] < 250 ? at[3] : (uint32_t)at[3] << 18);
    s.payload_len = at[4] & 63;
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sums sums = {.open = 0};
    struct weir_own own = {.count = 0};
    struct weir_flow_handler handler = {&sums, opened, octets, gap, closed, syn, forged,
                                        copied};
    struct weir_prefix proxies = {.bits = 128};
    struct weir_flows_options options = {.ports = (const uint16_t[]){25}, .port_count = 1,
                                         .proxies = &proxies, .proxy_count = 1, .flows_most = 3,
                                         .own = &own, .one_sided = size & 1};
    weir_own_add(&own, &(struct weir_address){{[15] = 1}});
    struct weir_flows *flows;
    weir_time time = WEIR_DAY;
    if (weir_flows_new(&options, &handler, &flows) != 0)
        return 0;
    for (size_t at = 0; size - at >= 6;) {
        struct weir_segment s = segment_of(data + at);
        time += (weir_time)data[at + 5] * data[at + 5] * data[at + 5] * 8;
        at += 6;
        size_t have = s.payload_len < size - at ? s.payload_len : size - at;
        s.payload = (struct weir_slice){(const char *)data + at, have};
        at += have;
        weir_flows_take(flows, time, &s);
        assert(weir_flows_counts(flows)->open == sums.open && sums.open <= 3);
    }
    weir_flows_finish(flows);
    assert(sums.open == 0 && weir_flows_counts(flows)->octets_kept == 0);
    assert(weir_flows_counts(flows)->remembered == 0);
    assert(weir_flows_counts(flows)->gaps == sums.gaps && sums.octets <= size + size * 64);
    weir_flows_free(&flows);
    return 0;
}
