/* The flow table's events written down; see flow_rig.h. */
#include "tests/unit/flow_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(struct rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct rig *rig, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (rig->log_len < sizeof(rig->log) / 2)
        rig->log_len += (size_t)vsnprintf(rig->log + rig->log_len, sizeof(rig->log) / 2, format,
                                          arguments);
    va_end(arguments);
}

static void opened(void *context, struct weir_flow *flow)
{
    struct rig *rig = context;
    rig->opened++;
    flow->session = malloc(1); /* one that is not freed is seen by the sanitizer */
    note(rig, flow->midstream ? "opened-midstream " : "opened ");
}

static void octets(void *context, struct weir_flow *flow, enum weir_side side,
                   struct weir_slice slice)
{
    struct rig *rig = context;
    if (rig->check)
        rig->check(rig, flow, side);
    if (!rig->keep_streams) {
        note(rig, "%c:%.*s ", "CS"[side], (int)slice.len, slice.at);
        return;
    }
    struct rig_stream *stream = &rig->stream[side];
    if (stream->at + slice.len > RIG_STREAM)
        abort();
    memcpy(stream->octet + stream->at, slice.at, slice.len);
    memset(stream->known + stream->at, 1, slice.len);
    stream->at += slice.len;
}

static void gap(void *context, struct weir_flow *flow, enum weir_side side, uint64_t len)
{
    struct rig *rig = context;
    (void)flow;
    note(rig, "gap %c %llu ", "CS"[side], (unsigned long long)len);
    if (len == 0 || len > UINT64_C(1) << 31)
        abort();
    rig->stream[side].at += len;
}

static void closed(void *context, struct weir_flow *flow, enum weir_flow_end end)
{
    struct rig *rig = context;
    rig->closed++;
    rig->end = end;
    rig->last = *flow;
    free(flow->session);
    flow->session = NULL;
    note(rig, flow->proven ? "%s " : "%s-unproven ", weir_flow_end_name(end));
}

static void syn(void *context, weir_time time, const struct weir_address *client)
{
    struct rig *rig = context;
    (void)time;
    (void)client;
    rig->syns++;
}

static void forged(void *context, struct weir_flow *flow, uint64_t len)
{
    struct rig *rig = context;
    (void)flow;
    note(rig, "forged %llu ", (unsigned long long)len);
}

static void copied(void *context, const struct weir_flow *flow)
{
    (void)flow;
    note(context, "copied ");
}

static struct rig *make(size_t flows_most, bool keep_streams, bool one_sided)
{
    static const uint16_t ports[] = {25, 465};
    struct rig *rig = calloc(1, sizeof(*rig));
    struct weir_prefix proxy;
    const char *why;
    weir_prefix_parse("10.9.0.0/16", 11, &proxy, &why);
    struct weir_flow_handler handler = {rig, opened, octets, gap, closed, syn, forged, copied};
    struct weir_flows_options options = {.ports = ports, .port_count = 2, .proxies = &proxy,
                                         .proxy_count = 1, .flows_most = flows_most,
                                         .one_sided = one_sided, .own = &rig->own,
                                         .key = weir_hash_key_random()};
    if (weir_flows_new(&options, &handler, &rig->flows) != 0)
        abort();
    rig->now = 1700000000 * WEIR_SECOND;
    rig->keep_streams = keep_streams;
    for (int i = 0; i < 2 && keep_streams; i++) {
        rig->stream[i].octet = calloc(1, RIG_STREAM);
        rig->stream[i].known = calloc(1, RIG_STREAM);
    }
    return rig;
}

struct rig *rig_new(size_t flows_most, bool keep_streams)
{
    return make(flows_most, keep_streams, true);
}

struct rig *rig_new_live(size_t flows_most)
{
    return make(flows_most, false, false);
}

void rig_free(struct rig **rigp)
{
    struct rig *rig = *rigp;
    weir_flows_free(&rig->flows);
    for (int i = 0; i < 2; i++) {
        free(rig->stream[i].octet);
        free(rig->stream[i].known);
    }
    free(rig);
    *rigp = NULL;
}

const char *rig_log(struct rig *rig)
{
    char *told = rig->log + sizeof(rig->log) / 2;
    memcpy(told, rig->log, rig->log_len);
    while (rig->log_len > 0 && told[rig->log_len - 1] == ' ')
        rig->log_len--;
    told[rig->log_len] = '\0';
    rig->log_len = 0;
    return told;
}

struct weir_segment rig_segment(enum weir_side side, uint32_t seq, uint32_t ack, unsigned flags,
                                const char *payload)
{
    struct weir_address client, server;
    weir_address_parse("192.0.2.1", 9, &client);
    weir_address_parse("198.51.100.9", 12, &server);
    size_t len = payload ? strlen(payload) : 0;
    bool from_client = side == WEIR_SIDE_CLIENT;
    return (struct weir_segment){
        .source = from_client ? client : server,
        .destination = from_client ? server : client,
        .source_port = from_client ? 40000 : 25,
        .destination_port = from_client ? 25 : 40000,
        .seq = seq, .ack = ack,
        .flags = (uint8_t)(flags == WEIR_TCP_SYN && from_client ? flags : flags | WEIR_TCP_ACK),
        .payload = {payload ? payload : "", len}, .payload_len = (uint32_t)len};
}

void rig_take(struct rig *rig, const struct weir_segment *segment)
{
    rig->now += WEIR_SECOND / 1000;
    weir_flows_take(rig->flows, rig->now, segment);
}

void rig_send(struct rig *rig, enum weir_side side, uint32_t seq, uint32_t ack,
              const char *payload)
{
    struct weir_segment segment = rig_segment(side, seq, ack, WEIR_TCP_PSH, payload);
    rig_take(rig, &segment);
}

void rig_mark(struct rig *rig, enum weir_side side, uint32_t seq, uint32_t ack, unsigned flags)
{
    struct weir_segment segment = rig_segment(side, seq, ack, flags, NULL);
    rig_take(rig, &segment);
}

void rig_greet(struct rig *rig)
{
    rig_mark(rig, WEIR_SIDE_CLIENT, 1000, 0, WEIR_TCP_SYN);
    rig_mark(rig, WEIR_SIDE_SERVER, 5000, 1001, WEIR_TCP_SYN);
    rig_mark(rig, WEIR_SIDE_CLIENT, 1001, 5001, 0);
    rig_send(rig, WEIR_SIDE_SERVER, 5001, 1001, "220 hi\r\n");
}

struct rig *rig_greeted(void)
{
    struct rig *rig = rig_new(0, false);
    rig_greet(rig);
    rig_log(rig);
    return rig;
}
