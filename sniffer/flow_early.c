/*
 * What is known of a connection before its server spoke: the handshake's numbers, and what the
 * client said unasked.
 *
 * Two tables of fixed size that anybody's segments may overwrite; to lose a place costs a flag
 * (midstream) or a gap, never memory.  So that floods cannot push out the PROXY header of a
 * trusted proxy, those come first whose handshake the server answered and who acknowledge it,
 * and proxies among them: a spoofed source does neither.
 */
#include "sniffer/flow_impl.h"

#include <string.h>

enum { EARLY_PATIENCE = 10 * WEIR_SECOND };

enum rank { RANK_UNKNOWN, RANK_ANSWERED, RANK_PROXY };

static struct weir_flow_syn *syn_place(const struct weir_flows *flows, uint64_t hash)
{
    return &flows->syn[(hash >> 32) & (WEIR_FLOW_SYNS - 1)];
}

bool weir_flow_syn_note(struct weir_flows *flows, uint64_t hash, uint32_t seq, bool server_is_a)
{
    struct weir_flow_syn *syn = syn_place(flows, hash);
    bool again = syn->hash == hash && syn->client_seq == seq && syn->server_is_a == server_is_a;
    if (again && syn->client)
        return false;
    if (!again) /* the answer may have been captured first */
        *syn = (struct weir_flow_syn){.hash = hash, .client_seq = seq, .server_is_a = server_is_a};
    syn->client = true;
    return true;
}

void weir_flow_syn_answer(struct weir_flows *flows, uint64_t hash, uint32_t seq, uint32_t ack,
                          bool server_is_a)
{
    struct weir_flow_syn *syn = syn_place(flows, hash);
    bool known = syn->hash == hash && syn->client; /* its SYN may have carried octets */
    if (!(known && ack - syn->client_seq <= WEIR_FLOW_EARLY_MAX))
        *syn = (struct weir_flow_syn){.hash = hash, .client_seq = ack, .server_is_a = server_is_a};
    syn->server_seq = seq;
    syn->server = true;
}

const struct weir_flow_syn *weir_flow_syn_find(const struct weir_flows *flows, uint64_t hash)
{
    const struct weir_flow_syn *syn = syn_place(flows, hash);
    return syn->hash == hash && (syn->client || syn->server) ? syn : NULL;
}

void weir_flow_syn_refuse(struct weir_flows *flows, uint64_t hash, uint32_t client_seq)
{
    struct weir_flow_syn *syn = syn_place(flows, hash);
    syn->refused |= syn->hash == hash && syn->client_seq == client_seq;
}

void weir_flow_syn_contradict(struct weir_flows *flows, uint64_t hash)
{
    struct weir_flow_syn *syn = syn_place(flows, hash);
    syn->contradicted |= syn->hash == hash;
}

bool weir_flow_syn_deaf(struct weir_flows *flows, uint64_t hash)
{
    struct weir_flow_syn *syn = syn_place(flows, hash);
    if (syn->hash != hash || !syn->client || syn->server || syn->deaf)
        return false;
    return syn->deaf = true;
}

void weir_flow_syn_forget(struct weir_flows *flows, uint64_t hash, uint32_t client_seq)
{
    struct weir_flow_syn *syn = syn_place(flows, hash);
    if (syn->hash == hash && syn->client_seq == client_seq)
        *syn = (struct weir_flow_syn){0};
}

static struct weir_flow_early *early_set(const struct weir_flows *flows, uint64_t hash)
{
    return flows->early + (hash >> 32 & (WEIR_FLOW_EARLY_SETS - 1)) * WEIR_FLOW_EARLY_WAYS;
}

struct weir_flow_early *weir_flow_early_find(struct weir_flows *flows, uint64_t hash)
{
    struct weir_flow_early *set = early_set(flows, hash);
    for (size_t i = 0; i < WEIR_FLOW_EARLY_WAYS; i++) {
        if (set[i].used && set[i].hash == hash)
            return &set[i];
    }
    return NULL;
}

static enum rank rank_of(const struct weir_flows *flows, uint64_t hash,
                         const struct weir_segment *segment)
{
    const struct weir_flow_syn *syn = weir_flow_syn_find(flows, hash);
    if (!syn || !syn->server || segment->ack != syn->server_seq)
        return RANK_UNKNOWN;
    for (size_t i = 0; i < flows->proxies; i++) {
        if (weir_prefix_contains(&flows->proxy[i], &segment->source))
            return RANK_PROXY;
    }
    return RANK_ANSWERED;
}

/* A place that is free or may be taken from who has it: the lowest, of these the oldest. */
static struct weir_flow_early *early_make(struct weir_flows *flows, uint64_t hash, enum rank rank)
{
    struct weir_flow_early *set = early_set(flows, hash), *best = NULL;
    for (size_t i = 0; i < WEIR_FLOW_EARLY_WAYS; i++) {
        struct weir_flow_early *at = &set[i];
        if (!at->used || at->since + EARLY_PATIENCE <= flows->now)
            return at;
        if (!best || at->rank < best->rank || (at->rank == best->rank && at->since < best->since))
            best = at;
    }
    return best->rank <= rank ? best : NULL;
}

void weir_flow_early_keep(struct weir_flows *flows, uint64_t hash,
                          const struct weir_segment *segment, uint32_t seq)
{
    struct weir_flow_early *early = weir_flow_early_find(flows, hash);
    if (!early || flows->now - early->since >= EARLY_PATIENCE) {
        enum rank rank = rank_of(flows, hash, segment);
        early = early ? early : early_make(flows, hash, rank);
        if (!early)
            return;
        early->hash = hash;
        early->since = flows->now;
        early->seq = seq;
        early->len = 0;
        early->rank = (uint8_t)rank;
        early->used = true;
        early->forged = false;
    }
    early->forged |= weir_flow_differ(seq, segment->payload, early->seq,
                                      (struct weir_slice){early->octets, early->len});
    size_t room = WEIR_FLOW_EARLY_MAX - early->len, len = segment->payload.len;
    if (seq != early->seq + early->len) /* again, or out of order: told as a gap later */
        return;
    len = len < room ? len : room;
    memcpy(early->octets + early->len, segment->payload.at, len);
    early->len += (uint32_t)len;
}
