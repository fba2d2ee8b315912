/*
 * session - glue: events of the flow table become octets of dialogues, events of dialogues become
 * charges and reports.  Owns the flow table and one small object for each connection in it, which
 * owns its dialogue.  Refuses nothing: what is not understood was counted further down.
 */
#include "sniffer/session.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/chain.h"
#include "core/base/error.h"
#include "core/base/slice.h"

struct weir_sessions {
    struct weir_sessions_options options;
    struct weir_sessions_handler handler;
    struct weir_sessions_counts counts;
    struct weir_calibration own;
    struct weir_calibration *calibration;
    struct weir_prefix proxy[WEIR_SNIFFER_PROXIES_MAX];
    struct weir_tally *tally;
    struct weir_flows *flows;
    struct weir_chain waiting;   /* sessions, the one that waits for longest first */
};

/* One connection. */
struct session {
    struct weir_sessions *sessions;
    struct weir_flow *flow;
    struct weir_dialogue *dialogue;
    struct weir_address charged; /* whom the connection was charged to ... */
    bool is_charged;             /* ... if it was */
    bool trusted;                /* the peer is a trusted proxy */
    bool begins;                 /* its beginning was heard, if not captured: it is a new one */
    weir_time answered;          /* of those whose last answer is not judged yet: when, ... */
    struct weir_chained waits;   /* ... and their chain */
    unsigned odd;                /* of its dialogue, counted so far */
};

static bool is_trusted(const struct weir_sessions *sessions, const struct weir_address *client)
{
    for (size_t i = 0; i < sessions->options.proxy_count; i++)
        if (weir_prefix_contains(&sessions->proxy[i], client))
            return true;
    return false;
}

static bool is_own(const struct weir_sessions *sessions, const struct weir_address *client)
{
    return sessions->options.own && weir_own_has(sessions->options.own, client);
}

static bool is_spared(const struct weir_sessions *sessions, const struct weir_address *client)
{
    return !sessions->options.charge_own && is_own(sessions, client);
}

/* Charges. ------------------------------------------------------------------------------ */

/* Whether it is known whose doing this is.  A proxy that speaks for itself, or for somebody it does
 * not know, is the operator's own, and not to blame. */
static bool is_anybodys(const struct session *session, const struct weir_heard *heard)
{
    return session->flow->proven && !heard->health_check && !heard->unknown;
}

/* The connection, to whom it belongs as far as is known now; once to each. */
static void charge_connection(struct session *session, bool certain)
{
    const struct weir_heard *heard = weir_dialogue_heard(session->dialogue);
    struct weir_traffic *record;

    if (!is_anybodys(session, heard) ||
        (session->trusted && !heard->proxied && !certain))
        return;
    if (session->is_charged && weir_address_equal(&session->charged, &heard->client))
        return;
    session->is_charged = true;
    session->charged = heard->client;
    if (is_spared(session->sessions, &heard->client) ||
        (!session->begins && !session->sessions->options.charge_midstream))
        return;
    record = weir_tally_of(session->sessions->tally, &heard->client);
    if (record)
        record->connections++;
}

static void charge_message(struct session *session, const struct weir_heard *heard,
                           const struct weir_heard_message *message)
{
    struct weir_traffic *record;

    charge_connection(session, true);
    if (!is_anybodys(session, heard) || is_spared(session->sessions, &heard->client))
        return;
    record = weir_tally_of(session->sessions->tally, &heard->client);
    if (!record)
        return;
    record->messages++;
    record->accepted += message->result == WEIR_HEARD_ACCEPTED;
    record->recipients += message->recipients_accepted;
    record->estimated += message->estimate;
}

/* What dialogues tell. ------------------------------------------------------------------ */

static void heard_message(void *context, const struct weir_heard *heard,
                          const struct weir_heard_message *message)
{
    struct session *session = context;
    const struct weir_sessions_handler *handler = &session->sessions->handler;

    charge_message(session, heard, message);
    if (handler->message)
        handler->message(handler->context, session->flow, heard, message);
}

static void wait_no_more(struct session *session)
{
    weir_chain_leave(&session->sessions->waiting, &session->waits);
}

static void wait_for_more(struct session *session)
{
    wait_no_more(session);
    session->answered = session->flow->last;
    weir_chain_join(&session->sessions->waiting, &session->waits, session);
}

static void heard_answer(void *context, const struct weir_heard *heard, unsigned reply)
{
    struct session *session = context;
    struct weir_turn turn = {.time = session->flow->last, .client = heard->client,
                             .server = session->flow->server,
                             .port = session->flow->server_port,
                             .reply = reply > UINT16_MAX ? UINT16_MAX : (uint16_t)reply};

    if (reply > 0)
        wait_for_more(session);
    if (session->sessions->options.witnesses)
        weir_witnesses_heard(session->sessions->options.witnesses, &turn);
}

/* What the flow table tells. ------------------------------------------------------------ */

static struct weir_dialogue *new_dialogue(struct session *session)
{
    const struct weir_flow *flow = session->flow;
    struct weir_dialogue_options options = {
        .client = flow->client,
        .server = flow->server,
        .client_port = flow->client_port,
        .server_port = flow->server_port,
        .trusted_proxy = session->trusted,
        .midstream = flow->midstream,
        .name_addresses = session->sessions->options.name_addresses,
    };
    struct weir_dialogue_handler handler = {.context = session, .message = heard_message,
                                            .answer = heard_answer};

    weir_calibration_bounds(session->sessions->calibration, &flow->server, flow->server_port,
                            &options.queued_least, &options.queued_most);
    return weir_dialogue_new(&options, &handler);
}

static void opened(void *context, struct weir_flow *flow)
{
    struct weir_sessions *sessions = context;
    struct session *session = calloc(1, sizeof(*session));

    flow->session = NULL;
    if (!flow->midstream && flow->proven)
        weir_tally_established(sessions->tally, &flow->client);
    if (session) {
        session->sessions = sessions;
        session->flow = flow;
        session->trusted = is_trusted(sessions, &flow->client);
        session->begins = !flow->midstream;
        session->dialogue = new_dialogue(session);
    }
    if (session && session->dialogue) {
        flow->session = session;
    } else {
        free(session);
        sessions->counts.unheard++;
    }
}

/* A greeting, or the server's hello of TLS: so the connection is new, although its handshake was
 * not seen or, in a flood of SYNs, forgotten. */
static bool is_beginning(struct weir_slice octets)
{
    return weir_slice_begins(octets, "220") || (octets.len > 0 && octets.at[0] == 22);
}

static void count_odd(struct session *session)
{
    unsigned odd = weir_dialogue_heard(session->dialogue)->odd;

    session->sessions->counts.odd += odd - session->odd;
    session->odd = odd;
}

static void octets(void *context, struct weir_flow *flow, enum weir_side side,
                   struct weir_slice slice)
{
    struct session *session = flow->session;

    (void)context;
    if (!session)
        return;
    if (side == WEIR_SIDE_SERVER && flow->octets[side] <= slice.len) /* the first ones */
        session->begins |= is_beginning(slice);
    weir_dialogue_octets(session->dialogue, flow->last, side, slice);
    if (side == WEIR_SIDE_SERVER)
        count_odd(session);
    if (side == WEIR_SIDE_SERVER && (!session->is_charged || session->trusted))
        charge_connection(session, false);
}

static void gap(void *context, struct weir_flow *flow, enum weir_side side, uint64_t len)
{
    struct session *session = flow->session;

    (void)context;
    if (!session)
        return;
    weir_dialogue_gap(session->dialogue, flow->last, side, len);
}

static void forged(void *context, struct weir_flow *flow, uint64_t len)
{
    struct session *session = flow->session;

    (void)context;
    if (!session)
        return;
    weir_dialogue_forged(session->dialogue, flow->last, len);
}

static void calibrate(struct weir_sessions *sessions, const struct session *session)
{
    unsigned least, most;
    unsigned replies = weir_dialogue_queued(session->dialogue, &least, &most);

    if (is_own(sessions, &session->flow->client))
        return; /* other people's servers, without end: there is room for few */
    weir_calibration_learn(sessions->calibration, &session->flow->server,
                           session->flow->server_port, replies, least, most);
}

static void closed(void *context, struct weir_flow *flow, enum weir_flow_end end)
{
    struct weir_sessions *sessions = context;
    struct session *session = flow->session;

    if (!session)
        return;
    wait_no_more(session);
    sessions->counts.unproven += !flow->proven;
    weir_dialogue_end(session->dialogue, flow->last);
    count_odd(session);
    charge_connection(session, !session->is_charged);
    calibrate(sessions, session);
    if (sessions->handler.connection)
        sessions->handler.connection(sessions->handler.context, flow,
                                     weir_dialogue_heard(session->dialogue), end);
    weir_dialogue_free(&session->dialogue);
    free(session);
    flow->session = NULL;
}

static void syn(void *context, weir_time time, const struct weir_address *client)
{
    struct weir_sessions *sessions = context;

    if (!is_spared(sessions, client))
        weir_tally_syn(sessions->tally, time, client);
}

static void copied(void *context, const struct weir_flow *flow)
{
    struct weir_sessions *sessions = context;

    weir_tally_established(sessions->tally, &flow->client); /* its SYN was counted, too */
}

/* The whole. ---------------------------------------------------------------------------- */

int weir_sessions_new(const struct weir_sessions_options *options,
                      const struct weir_sessions_handler *handler, struct weir_tally *tally,
                      struct weir_sessions **sessions_r)
{
    struct weir_sessions *sessions;
    int done;

    if (options->proxy_count > WEIR_SNIFFER_PROXIES_MAX)
        return WEIR_EINVAL;
    sessions = calloc(1, sizeof(*sessions));
    if (!sessions)
        return WEIR_ENOMEM;
    sessions->options = *options;
    sessions->calibration = options->calibration ? options->calibration : &sessions->own;
    sessions->handler = *handler;
    sessions->tally = tally;
    if (options->proxy_count > 0)
        memcpy(sessions->proxy, options->proxies,
               options->proxy_count * sizeof(sessions->proxy[0]));
    struct weir_flow_handler flow_handler = {sessions, opened, octets, gap, closed, syn, forged,
                                             copied};
    struct weir_flows_options flow_options = {
        .ports = options->ports, .port_count = options->port_count,
        .proxies = options->proxies, .proxy_count = options->proxy_count,
        .one_sided = options->one_sided, .own = options->own,
        .flows_most = options->flows_most, .key = options->key};
    done = weir_flows_new(&flow_options, &flow_handler, &sessions->flows);
    if (done < 0)
        free(sessions);
    else
        *sessions_r = sessions;
    return done;
}

void weir_sessions_free(struct weir_sessions **sessions)
{
    if (!sessions || !*sessions)
        return;
    weir_flows_free(&(*sessions)->flows);
    free(*sessions);
    *sessions = NULL;
}

void weir_sessions_frame(void *context, weir_time time, enum weir_link link,
                         const uint8_t *frame, size_t captured, size_t wire)
{
    struct weir_sessions *sessions = context;
    struct weir_segment segment;
    enum weir_frame kind = weir_frame_read(link, frame, captured, wire, &segment);

    sessions->counts.frames[kind]++;
    if (kind == WEIR_FRAME_SEGMENT)
        weir_flows_take(sessions->flows, time, &segment);
}

/* Answers that were the last words for a second are over; so are those of a clock that was set
 * back since, or all that came behind them would wait for that time to come again. */
static void settle(struct weir_sessions *sessions, weir_time now)
{
    struct session *session;

    while ((session = weir_chain_first(&sessions->waiting)) &&
           (session->answered <= now - WEIR_SECOND || session->answered > now + WEIR_SECOND)) {
        wait_no_more(session);
        weir_dialogue_settle(session->dialogue, session->answered);
    }
}

/* What plug-ins taught since the last time. */
static void calibrate_by_witnesses(struct weir_sessions *sessions, weir_time now)
{
    struct weir_turn turn;

    while (sessions->options.witnesses &&
           weir_witnesses_next(sessions->options.witnesses, now, &turn))
        sessions->counts.witnessed += weir_calibration_witness(
            sessions->calibration, &turn.server, turn.port, turn.reply);
}

void weir_sessions_tick(struct weir_sessions *sessions, weir_time now)
{
    weir_flows_tick(sessions->flows, now);
    settle(sessions, now);
    calibrate_by_witnesses(sessions, now);
}

void weir_sessions_finish(struct weir_sessions *sessions)
{
    weir_flows_finish(sessions->flows);
}

void weir_sessions_charge_own(struct weir_sessions *sessions, bool charge)
{
    sessions->options.charge_own = charge;
}

uint64_t weir_sessions_unproven(const struct weir_sessions *sessions)
{
    return sessions->counts.unproven + weir_flows_counts(sessions->flows)->deaf;
}

const struct weir_sessions_counts *weir_sessions_counts(const struct weir_sessions *sessions)
{
    return &sessions->counts;
}

const struct weir_flows_counts *weir_sessions_flows(const struct weir_sessions *sessions)
{
    return weir_flows_counts(sessions->flows);
}
