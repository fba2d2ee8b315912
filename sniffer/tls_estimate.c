/*
 * tls_estimate - two record layers and whose turn it is.
 *
 * Records are followed by their heads; of what is inside only the suite in the server's hello
 * is read.  A head of the server that cannot be one loses it for good, unless octets were missing;
 * then, and on the client's side always, heads are looked for octet by octet (one in three million
 * octets of ciphertext looks like one).  All is counted in saturating numbers; nothing is kept.
 */
#include "sniffer/tls_estimate.h"

#include <string.h>

enum {
    ALERT = 21,
    HANDSHAKE = 22,
    APPLICATION = 23,
    SERVER_HELLO = 2,
    SESSION_AT = 38, /* type, length of 3 octets, version of 2, random of 32 */
    SESSION_MOST = 32,
    OVERHEAD_13 = 17,     /* content type and tag */
    OVERHEAD_GCM = 24,    /* explicit nonce and tag */
    OVERHEAD_CHACHA = 16, /* tag */
    KEY_UPDATE = 5,       /* octets of it (RFC 8446 4.6.3) */
    DATA = 6,             /* ... of that command */
};

struct weir_tls_estimate weir_tls_estimate(unsigned queued_least, unsigned queued_most)
{
    return (struct weir_tls_estimate){
        .queued_least = queued_most ? queued_least : WEIR_TLS_QUEUED_LEAST,
        .queued_most = queued_most ? queued_most : WEIR_TLS_QUEUED_MOST,
        .turn = WEIR_SIDE_SERVER,
        .judged = true,
    };
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* What the server chose: suites 0x13.. are of TLS 1.3 only, 0xcca8 to 0xccae are ChaCha20's. */
static void choose_overhead(struct weir_tls_estimate *e, uint8_t high, uint8_t low)
{
    if (high == 0x13)
        e->overhead = OVERHEAD_13;
    else if (high == 0xcc && low >= 0xa8 && low <= 0xae)
        e->overhead = OVERHEAD_CHACHA;
    else
        e->overhead = OVERHEAD_GCM;
}

static void hello_octet(struct weir_tls_estimate *e, uint8_t octet)
{
    struct weir_tls_hello *hello = &e->hello;
    unsigned suite_at = SESSION_AT + 1u + hello->session;

    if (hello->at == 0)
        hello->over = octet != SERVER_HELLO;
    else if (hello->at == SESSION_AT)
        hello->over = (hello->session = octet) > SESSION_MOST;
    else if (hello->at > SESSION_AT && hello->at == suite_at)
        hello->high = octet;
    else if (hello->at > SESSION_AT && hello->at == suite_at + 1) {
        choose_overhead(e, hello->high, octet);
        hello->over = true;
    }
    hello->at++;
}

/* Whether the client's last turn may be a body. */
static bool is_body(const struct weir_tls_estimate *e)
{
    bool asked = e->asked >= (e->asked_at == DATA ? WEIR_TLS_ASKED_LEAST : WEIR_TLS_ASKED_MORE);

    return e->turns > 1 && e->envelope >= WEIR_TLS_ENVELOPE_LEAST &&
           e->turn_octets[WEIR_SIDE_CLIENT] >=
               (asked ? WEIR_TLS_BODY_LEAST : WEIR_TLS_UNASKED_LEAST);
}

/* Whether a body is so large beside the answer that this can be to nothing else. */
static bool is_large(const struct weir_tls_estimate *e)
{
    uint32_t body = e->turn_octets[WEIR_SIDE_CLIENT], all = e->turn_octets[WEIR_SIDE_SERVER];

    return body >= WEIR_TLS_LARGE_LEAST && all <= body / WEIR_TLS_LARGE_SHARE;
}

enum outcome { NONE, ACCEPTED, REFUSED };

/* What the server's turn that is over says of a body. */
static enum outcome answer_of(const struct weir_tls_estimate *e)
{
    uint32_t more = e->turn_octets[WEIR_SIDE_SERVER] - e->reply;

    if (!is_body(e) || e->reply < e->queued_least)
        return NONE;
    if (e->reply <= e->queued_most && (more <= WEIR_TLS_FAREWELL_MOST || is_large(e)))
        return ACCEPTED;
    return e->reply > e->queued_most && is_large(e) ? REFUSED : NONE;
}

static unsigned judge(struct weir_tls_estimate *e)
{
    if (e->judged || e->turn != WEIR_SIDE_SERVER)
        return 0;
    enum outcome answer = answer_of(e);

    e->judged = true;
    if (answer == NONE)
        return 0;
    e->accepted += answer == ACCEPTED;
    e->refused += answer == REFUSED;
    e->bytes = e->turn_octets[WEIR_SIDE_CLIENT];
    e->envelope = 0;
    e->turn_octets[WEIR_SIDE_CLIENT] = 0;
    return answer == ACCEPTED;
}

static unsigned client_says(struct weir_tls_estimate *e, uint32_t plain)
{
    unsigned messages = judge(e);

    if (e->turn == WEIR_SIDE_SERVER) {
        if (e->turns > 1)
            e->envelope = sum(e->envelope, e->turn_octets[WEIR_SIDE_CLIENT]);
        e->asked_at = e->turn_octets[WEIR_SIDE_CLIENT];
        e->asked = e->turn_octets[WEIR_SIDE_SERVER];
        e->turn_octets[WEIR_SIDE_CLIENT] = 0;
        e->turns += e->turns < 2;
    }
    e->turn = WEIR_SIDE_CLIENT;
    e->turn_octets[WEIR_SIDE_CLIENT] = sum(e->turn_octets[WEIR_SIDE_CLIENT], plain);
    return messages;
}

static void server_says(struct weir_tls_estimate *e, uint32_t plain)
{
    if (e->turn == WEIR_SIDE_CLIENT) {
        e->turn_octets[WEIR_SIDE_SERVER] = 0;
        e->reply = plain;
        e->judged = false;
        e->answered = is_body(e);
    }
    e->turn = WEIR_SIDE_SERVER;
    e->turn_octets[WEIR_SIDE_SERVER] = sum(e->turn_octets[WEIR_SIDE_SERVER], plain);
}

/* The end of TLS 1.3's handshake: "finished" with a hash of 32 or 48 octets, in a record of
 * the client that looks like any other. */
static bool is_finished(const struct weir_tls_estimate *e, enum weir_side side, uint32_t plain)
{
    return side == WEIR_SIDE_CLIENT && !e->encrypted[side] && e->overhead == OVERHEAD_13 &&
           (plain == 36 || plain == 52);
}

/* A record is over, of which the head is still there. */
static unsigned record_over(struct weir_tls_estimate *e, enum weir_side side)
{
    struct weir_tls_records *records = &e->side[side];
    uint32_t len = (uint32_t)(records->head[3] << 8 | records->head[4]);
    uint32_t overhead = e->overhead ? e->overhead : OVERHEAD_13;
    uint32_t plain = len > overhead ? len - overhead : 0;
    bool finished = is_finished(e, side, plain);

    records->have = 0;
    if (side == WEIR_SIDE_SERVER && records->head[0] == HANDSHAKE)
        e->hello.over = true;
    if (records->head[0] == ALERT)
        return judge(e);
    if (records->head[0] != APPLICATION)
        return 0;
    e->encrypted[side] = true;
    if (finished)
        return 0;
    if (side == WEIR_SIDE_CLIENT)
        return client_says(e, plain);
    if (plain != KEY_UPDATE || e->overhead != OVERHEAD_13)
        server_says(e, plain);
    return 0;
}

/* One more octet of a head. */
static void head_octet(struct weir_tls_estimate *e, struct weir_tls_records *records, uint8_t octet)
{
    records->head[records->have++] = octet;
    while (records->have > 0 &&
           !weir_tls_begins((struct weir_slice){(const char *)records->head, records->have})) {
        if (!records->guessing && records == &e->side[WEIR_SIDE_SERVER]) {
            e->lost = true;
            return;
        }
        e->broken |= !records->guessing;
        records->guessing = true;
        memmove(records->head, records->head + 1, --records->have);
    }
    if (records->have == sizeof(records->head))
        records->left = (uint32_t)(records->head[3] << 8 | records->head[4]);
}

static void read_hello(struct weir_tls_estimate *e, enum weir_side side, struct weir_slice octets)
{
    if (side != WEIR_SIDE_SERVER || e->side[side].head[0] != HANDSHAKE)
        return;
    for (size_t i = 0; i < octets.len && !e->hello.over; i++)
        hello_octet(e, (uint8_t)octets.at[i]);
}

unsigned weir_tls_estimate_octets(struct weir_tls_estimate *e, enum weir_side side,
                                  struct weir_slice octets)
{
    struct weir_tls_records *records = &e->side[side];
    unsigned messages = 0;

    while (octets.len > 0 && !e->lost) {
        size_t used = 1;

        if (records->left > 0) {
            used = octets.len < records->left ? octets.len : records->left;
            read_hello(e, side, (struct weir_slice){octets.at, used});
            records->left -= (uint32_t)used;
        } else {
            head_octet(e, records, (uint8_t)octets.at[0]);
        }
        octets = (struct weir_slice){octets.at + used, octets.len - used};
        if (records->have == sizeof(records->head) && records->left == 0)
            messages += record_over(e, side);
    }
    return messages;
}

/* More was lost than the record at hand: who knows how much of it was data. */
static unsigned lose_heads(struct weir_tls_estimate *e, enum weir_side side, uint32_t len)
{
    unsigned messages = 0;

    e->side[side].have = 0;
    e->side[side].guessing = true;
    e->hello.over = true;
    if (side == WEIR_SIDE_SERVER) {
        server_says(e, len);
        e->judged = true;
    } else if (e->encrypted[side]) {
        messages = client_says(e, len);
    } else if (e->encrypted[WEIR_SIDE_SERVER]) {
        e->encrypted[side] = true; /* in TLS 1.3 its "finished" was among them, and no turn */
        if (e->overhead != OVERHEAD_13)
            messages = client_says(e, len);
    }
    return messages;
}

unsigned weir_tls_estimate_gap(struct weir_tls_estimate *e, enum weir_side side, uint64_t len)
{
    struct weir_tls_records *records = &e->side[side];
    unsigned messages = 0;

    if (e->lost)
        return 0;
    if (records->left > 0) {
        uint32_t used = len < records->left ? (uint32_t)len : records->left;

        if (side == WEIR_SIDE_SERVER && records->head[0] == HANDSHAKE)
            e->hello.over = true;
        records->left -= used;
        len -= used;
        if (records->left == 0)
            messages += record_over(e, side);
    }
    if (len > 0)
        messages += lose_heads(e, side, len > UINT32_MAX ? UINT32_MAX : (uint32_t)len);
    return messages;
}

unsigned weir_tls_estimate_doubt(struct weir_tls_estimate *e, uint64_t len)
{
    struct weir_tls_records *client = &e->side[WEIR_SIDE_CLIENT];

    if (e->lost)
        return 0;
    client->have = 0;
    client->left = 0;
    client->guessing = true;
    if (!e->encrypted[WEIR_SIDE_CLIENT])
        return 0;
    return client_says(e, len > UINT32_MAX ? UINT32_MAX : (uint32_t)len);
}

bool weir_tls_estimate_between(const struct weir_tls_estimate *e, enum weir_side side)
{
    const struct weir_tls_records *records = &e->side[side];

    return records->have == 0 && records->left == 0 && !records->guessing && !e->lost;
}

size_t weir_tls_estimate_ahead(const struct weir_tls_estimate *e, enum weir_side side)
{
    const struct weir_tls_records *records = &e->side[side];

    return records->left > 0 ? records->left : sizeof(records->head) - records->have;
}

unsigned weir_tls_estimate_end(struct weir_tls_estimate *e)
{
    return e->lost ? 0 : judge(e);
}
