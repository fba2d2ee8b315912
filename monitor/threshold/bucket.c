/*
 * What a charge does to a row of buckets; where rows lie is bucket_table.c's.
 *
 * Refuses nothing but limits out of range: whatever is charged is charged, cut to -maximum, and
 * times out of range are taken as the nearest that fits into a row.
 */
#include "monitor/threshold/bucket.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/threshold/bucket_impl.h"

/* What counts as beyond a limit, against its maximum: many roundings of a deficit. */
#define SLACK 1e-6

enum {
    CLASS_BITS = 6,
    TIME_SHIFT = WEIR_QUANTITIES + CLASS_BITS,
    SINCE_SHIFT = 17, /* 131 ms */
    SINCE_BITS = 15,  /* an hour */
    SINCE_MOST = (1 << SINCE_BITS) - 1,
    SERVER_BITS = 5,
    SERVERS = 1 << SERVER_BITS,
    PART_BITS = 5,
    QUARTER = (1 << PART_BITS) - 1, /* units of a quarter of a maximum */
    SUM_BITS = PART_BITS + SERVER_BITS,
    SUM_QUARTER = (1 << SUM_BITS) - 1,
    SPARE_BITS = 29 /* of a double's 52 bits, that a float has not */
};

#define TIME_MOST ((weir_time)((UINT64_C(1) << (64 - TIME_SHIFT - 1)) - 1))

_Static_assert(WEIR_BUCKET_CLASSES_MAX == 1 << CLASS_BITS, "a row has room for the class");

/* What the word of a row says. */
struct state {
    weir_time time;
    unsigned class_number;
    unsigned over; /* a bit for each quantity */
};

const char *weir_quantity_name(enum weir_quantity quantity)
{
    static const char *const name[] = {"connections", "messages", "recipients"};
    return (unsigned)quantity < WEIR_QUANTITIES ? name[quantity] : "?";
}

bool weir_quantity_find(const char *name, enum weir_quantity *quantity_r)
{
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if (strcmp(name, weir_quantity_name((enum weir_quantity)q)) == 0) {
            *quantity_r = (enum weir_quantity)q;
            return true;
        }
    return false;
}

/* Limits. ---------------------------------------------------------------- */

static bool limit_ok(const struct weir_limit *limit)
{
    bool rate_ok = limit->rate >= 0 && limit->rate <= WEIR_BUCKET_TOKENS_MAX;
    bool unlimited = limit->maximum == 0;
    return rate_ok &&
           (unlimited || (limit->maximum >= 1 && limit->maximum <= WEIR_BUCKET_TOKENS_MAX));
}

/* Without a limit nothing is ever missing, and nothing is beyond it. */
static struct bound bound_of(const struct weir_limit *limit)
{
    if (limit->maximum == 0)
        return (struct bound){.beyond = INFINITY, .never = true};
    return (struct bound){
        .rate = limit->rate,
        .maximum = limit->maximum,
        .part = 1 / limit->maximum,
        .half = limit->maximum * (0.5 + SLACK),
        .beyond = limit->maximum * (1 + SLACK),
        .most = limit->maximum * 2,
        .never = limit->rate == 0,
    };
}

int weir_buckets_limit(struct weir_buckets *buckets, unsigned class_number,
                       const struct weir_limits *limits)
{
    if (class_number >= WEIR_BUCKET_CLASSES_MAX)
        return WEIR_EINVAL;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if (!limit_ok(&limits->of[q]))
            return WEIR_EINVAL;
    struct class *class = &buckets->class[class_number];
    class->slowest = INFINITY;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        struct bound *bound = &class->of[q];
        *bound = bound_of(&limits->of[q]);
        if (bound->maximum > 0)
            class->slowest = fmin(class->slowest, bound->rate * bound->part);
    }
    if (isinf(class->slowest))
        class->slowest = 0;
    return 0;
}

/* Rows. ------------------------------------------------------------------ */

static inline struct state state_of(const struct row *row)
{
    uint64_t word;
    memcpy(&word, row->word, sizeof(word));
    return (struct state){
        .time = (weir_time)(word >> TIME_SHIFT),
        .class_number = (unsigned)(word >> WEIR_QUANTITIES) & (WEIR_BUCKET_CLASSES_MAX - 1),
        .over = (unsigned)word & ((1u << WEIR_QUANTITIES) - 1),
    };
}

static inline void set_state(struct row *row, const struct state *state)
{
    uint64_t word = (uint64_t)state->time << TIME_SHIFT |
                    (uint64_t)state->class_number << WEIR_QUANTITIES | state->over;
    memcpy(row->word, &word, sizeof(word));
}

static inline weir_time within_range(weir_time time)
{
    return time < 0 ? 0 : time > TIME_MOST ? TIME_MOST : time;
}

void weir_row_make(struct row *row, weir_time now)
{
    struct state state = {.time = within_range(now)};
    memset(row, 0, sizeof(*row));
    set_state(row, &state);
}

weir_time weir_row_move(struct row *row, const uint8_t class_of[static WEIR_BUCKET_CLASSES_MAX])
{
    struct state state = state_of(row);
    state.class_number = class_of[state.class_number];
    set_state(row, &state);
    return state.time;
}

/* What is missing in a bucket after some time without a charge. */
static inline double missing(const struct bound *bound, double deficit, weir_time idle,
                             double seconds)
{
    double left = (deficit < bound->most ? deficit : bound->most) - bound->rate * seconds;
    if (__builtin_expect(idle >= WEIR_BUCKET_HELD, 0) && bound->never)
        return 0;
    return left > 0 ? left : 0;
}

double weir_row_dearness(const struct weir_buckets *buckets, const struct row *row, weir_time now)
{
    struct state state = state_of(row);
    const struct class *class = &buckets->class[state.class_number];
    weir_time idle = now > state.time ? now - state.time : 0;
    double seconds = (double)idle / WEIR_SECOND, dearest = 0;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        const struct bound *bound = &class->of[q];
        double left = missing(bound, row->deficit[q], idle, seconds);
        double part = left * bound->part;
        if (left > bound->half && state.over >> q & 1)
            part += 2;
        dearest = part > dearest ? part : dearest;
    }
    return dearest;
}

/* A deficit as it is stored: rounded up or down by chance, so that a bucket of millions that is
 * charged by one and refilled by less than its last bit is right on average. */
static inline float rounded(double left, uint64_t chance)
{
    uint64_t bits;
    memcpy(&bits, &left, sizeof(bits));
    bits = (bits + (chance >> (64 - SPARE_BITS))) & ~((UINT64_C(1) << SPARE_BITS) - 1);
    memcpy(&left, &bits, sizeof(bits));
    return (float)left;
}

/* Who has charged a quarter of a maximum since all were at half: how many (0, 1, or 2 for more),
 * and the first one.  Before there is one, who is ahead of the rest and by how much; then how much
 * the others have charged, in the place of both and in finer units. */
struct proof {
    uint32_t proven, first, other, part;
};

enum {
    SUM_SHIFT = SINCE_BITS,
    PART_SHIFT = SINCE_BITS,
    OTHER_SHIFT = PART_SHIFT + PART_BITS,
    FIRST_SHIFT = OTHER_SHIFT + SERVER_BITS,
    PROVEN_SHIFT = FIRST_SHIFT + SERVER_BITS
};

static inline struct proof proof_of(const struct row *row)
{
    uint32_t bits = row->since_proof;
    return (struct proof){bits >> PROVEN_SHIFT, bits >> FIRST_SHIFT & (SERVERS - 1),
                          bits >> OTHER_SHIFT & (SERVERS - 1), bits >> PART_SHIFT & QUARTER};
}

static inline void set_proof(struct row *row, const struct proof *proof)
{
    row->since_proof = (row->since_proof & SINCE_MOST) | proof->proven << PROVEN_SHIFT |
                       proof->first << FIRST_SHIFT | proof->other << OTHER_SHIFT |
                       proof->part << PART_SHIFT;
}

/* Ticks since all buckets were at half or above, as of a time; as many as fit. */
static inline uint32_t ticks_since(const struct row *row, weir_time time)
{
    return ((uint32_t)(time >> SINCE_SHIFT) - row->since_proof) & SINCE_MOST;
}

static inline void set_ticks(struct row *row, weir_time time, weir_time ticks)
{
    uint32_t since = (uint32_t)(time >> SINCE_SHIFT) -
                     (uint32_t)(ticks < SINCE_MOST ? ticks : SINCE_MOST);
    row->since_proof = (row->since_proof & ~(uint32_t)SINCE_MOST) | (since & SINCE_MOST);
}

void weir_row_rebase(struct row *row, weir_time now)
{
    struct state state = state_of(row);
    uint32_t ticks = ticks_since(row, state.time);
    if (state.time <= now)
        return;
    state.time = within_range(now);
    set_state(row, &state);
    set_ticks(row, state.time, ticks);
}

/* Brings a row to a time and tells what is left, what that clears, and how many seconds it was. */
static inline double refill(const struct class *class, struct row *row, struct state *state,
                          weir_time now, struct weir_levels *levels_r)
{
    weir_time idle = now > state->time ? now - state->time : 0;
    double seconds = (double)idle / WEIR_SECOND;
    weir_time ticks = ticks_since(row, state->time) + ((state->time + idle) >> SINCE_SHIFT) -
                      (state->time >> SINCE_SHIFT);
    unsigned good = 0;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        const struct bound *bound = &class->of[q];
        double left = missing(bound, row->deficit[q], idle, seconds);
        unsigned half = left <= bound->half, over = state->over >> q & 1;
        levels_r->of[q] = (struct weir_level){
            .cleared = over & half, .over = over & ~half, .tokens = bound->maximum - left};
        good |= half << q;
    }
    state->time += idle;
    state->over &= ~good;
    if (good == (1u << WEIR_QUANTITIES) - 1) {
        ticks = 0;
        row->servers = 0;
        row->since_proof &= SINCE_MOST;
    }
    set_ticks(row, state->time, ticks);
    return seconds;
}

/* What a bucket got back in so many seconds before its last charge, but for what is in full. */
static double got_back(const struct bound *bound, double seconds)
{
    double minute = bound->rate * WEIR_BUCKET_LATE / WEIR_SECOND;
    double back = bound->rate * seconds - fmin(minute, bound->maximum / 2);
    return back > 0 ? back : 0;
}

/* Takes off a late charge what the buckets got back since its time and nothing late has been set
 * against yet: see bucket.h. */
static void excuse(struct weir_buckets *buckets, const struct class *class, uint64_t name,
                   weir_time time, weir_time last, double quantity[static WEIR_QUANTITIES])
{
    double whole = (double)(last - time) / WEIR_SECOND;
    bool any = false;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        any |= quantity[q] > 0 && got_back(&class->of[q], whole) > 0;
    if (!any)
        return;
    struct late_mark *mark = weir_buckets_late(buckets, name);
    mark->used = last;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        const struct bound *bound = &class->of[q];
        weir_time from = mark->until[q] > time ? mark->until[q] : time;
        double seconds = (double)(last - from) / WEIR_SECOND;
        double excused = fmin(got_back(bound, seconds), quantity[q]);
        quantity[q] -= excused;
        if (excused > 0)
            mark->until[q] = from + (weir_time)(excused / bound->rate * WEIR_SECOND);
    }
}

/* A number of 0 or more that is rounded up or down by chance; at most 2 * SUM_QUARTER. */
static inline uint32_t whole(double units, uint64_t chance)
{
    units += (double)(chance >> 40) / (UINT64_C(1) << 24);
    return units < 0 ? 0 : units < 2 * SUM_QUARTER ? (uint32_t)units : 2 * SUM_QUARTER;
}

/* A vote by majority, until one has charged a quarter more than all others. */
static inline void weigh_first(struct row *row, uint32_t server, double charged, uint64_t chance)
{
    struct proof proof = proof_of(row);
    uint32_t part = whole(charged * 4 * QUARTER, chance);
    if (proof.other == server)
        proof.part += part;
    else if (part > proof.part)
        proof = (struct proof){0, 0, server, part - proof.part};
    else
        proof.part -= part;
    if (proof.part >= QUARTER)
        proof = (struct proof){1, server, 0, 0};
    set_proof(row, &proof);
}

/* A bucket of all others than the first one, which gets back what the slowest of the row does: so
 * that they have charged a quarter in any case before they alone go beyond a limit. */
static inline void weigh_others(struct row *row, double charged, double back, uint64_t chance)
{
    uint32_t sum = row->since_proof >> SUM_SHIFT & SUM_QUARTER;
    uint32_t now = whole(sum + (charged - back) * 4 * SUM_QUARTER, chance);
    row->since_proof ^= (sum ^ (now < SUM_QUARTER ? now : 0)) << SUM_SHIFT;
    if (now >= SUM_QUARTER)
        row->since_proof += UINT32_C(1) << PROVEN_SHIFT;
}

/* Notes what a server charged, as a part of a maximum, so long after the last charge. */
static inline void weigh(const struct class *class, struct row *row, uint32_t server,
                         double charged, double seconds, uint64_t chance)
{
    struct proof proof = proof_of(row);
    server %= SERVERS;
    if (proof.proven == 1)
        weigh_others(row, proof.first != server ? charged : 0, class->slowest * seconds, chance);
    else if (proof.proven == 0 && charged > 0)
        weigh_first(row, server, charged, chance);
}

/* By whose word it is. */
static inline uint32_t accountable(const struct row *row)
{
    struct proof proof = proof_of(row);
    return proof.proven == 1 && row->servers != 0 ? UINT32_C(1) << proof.first : row->servers;
}

/* Takes tokens, so long after the last charge. */
static inline void spend(const struct class *class, struct row *row, struct state *state,
                         const double due[static WEIR_QUANTITIES], uint32_t server,
                         double seconds, uint64_t chance, struct weir_levels *levels_r)
{
    double charged = 0;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        const struct bound *bound = &class->of[q];
        struct weir_level *level = &levels_r->of[q];
        double left = bound->maximum - level->tokens;
        charged = fmax(charged, due[q] * bound->part);
        left += due[q];
        level->exceeded = left > bound->beyond;
        level->raised = level->exceeded & !level->over;
        level->over |= level->exceeded;
        left = left < bound->most ? left : bound->most;
        level->tokens = bound->maximum - left;
        state->over |= (unsigned)level->over << q;
        row->deficit[q] = rounded(left, chance);
    }
    row->servers |= UINT32_C(1) << (server % 32);
    weigh(class, row, server, charged, seconds, chance ^ chance << 32);
}

static inline void tell_state(const struct row *row, const struct state *state,
                              struct weir_levels *levels_r)
{
    weir_time since =
        state->time - ((weir_time)ticks_since(row, state->time) << SINCE_SHIFT);
    levels_r->time = state->time;
    levels_r->since = since > 0 ? since : 0;
    levels_r->seen = row->servers;
    levels_r->servers = accountable(row);
}

/* Charges. --------------------------------------------------------------- */

bool weir_buckets_charge(struct weir_buckets *buckets, const struct weir_spot *spot,
                         const struct weir_cost *cost, struct weir_levels *levels_r)
{
    weir_time now = within_range(cost->time);
    struct row *row = weir_buckets_row(buckets, spot);
    buckets->counts.charges++;
    levels_r->made = !row;
    if (!row)
        row = weir_buckets_make(buckets, spot->name, now);
    struct state state = state_of(row);
    unsigned was_over = state.over;
    state.class_number = cost->class_number % WEIR_BUCKET_CLASSES_MAX;
    const struct class *class = &buckets->class[state.class_number];
    double due[WEIR_QUANTITIES];
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        due[q] = cost->quantity[q];
    double seconds = refill(class, row, &state, now, levels_r);
    if (__builtin_expect(state.time > now, 0))
        excuse(buckets, class, spot->name, now, state.time, due);
    /* not by time alone, which stands still while what comes is late */
    uint64_t chance = ((uint64_t)state.time + buckets->counts.charges) *
                      UINT64_C(0x9e3779b97f4a7c15);
    spend(class, row, &state, due, cost->server, seconds, chance, levels_r);
    set_state(row, &state);
    tell_state(row, &state, levels_r);
    return (state.over | was_over) != 0 || levels_r->made;
}

void weir_buckets_vouch(struct weir_buckets *buckets, const struct weir_spot *spot,
                        uint32_t servers)
{
    struct row *row = weir_buckets_row(buckets, spot);
    uint32_t count = (uint32_t)__builtin_popcount(servers);
    if (!row || count == 0)
        return;
    set_proof(row, &(struct proof){count > 1 ? 2 : 1, (uint32_t)__builtin_ctz(servers), 0, 0});
    row->servers |= servers;
}

void weir_buckets_restore(struct weir_buckets *buckets, const struct weir_spot *spot,
                          const struct weir_cost *cost)
{
    weir_time now = within_range(cost->time);
    struct row *row = weir_buckets_row(buckets, spot);
    struct weir_levels levels;
    double due[WEIR_QUANTITIES];
    if (!row)
        row = weir_buckets_make(buckets, spot->name, now);
    struct state state = state_of(row);
    state.class_number = cost->class_number % WEIR_BUCKET_CLASSES_MAX;
    const struct class *class = &buckets->class[state.class_number];
    double seconds = refill(class, row, &state, now, &levels);
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        due[q] = fmin(cost->quantity[q], fmax(0, levels.of[q].tokens));
    spend(class, row, &state, due, cost->server, seconds, buckets->counts.made, &levels);
    set_state(row, &state);
}

void weir_buckets_look(const struct weir_buckets *buckets, const struct weir_spot *spot,
                       weir_time time, unsigned class_number, struct weir_levels *levels_r)
{
    const struct row *there = weir_buckets_row(buckets, spot);
    struct row row;
    if (there)
        row = *there;
    else
        weir_row_make(&row, time);
    struct state state = state_of(&row);
    weir_time last = state.time;
    levels_r->made = false;
    refill(&buckets->class[class_number % WEIR_BUCKET_CLASSES_MAX], &row, &state,
           within_range(time), levels_r);
    tell_state(&row, &state, levels_r);
    levels_r->time = last;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        levels_r->of[q].exceeded = levels_r->of[q].tokens < 0;
}

void weir_buckets_settle(struct weir_buckets *buckets, const struct weir_spot *spot,
                         weir_time time, unsigned class_number, struct weir_levels *levels_r)
{
    weir_buckets_look(buckets, spot, time, class_number, levels_r);
    struct row *row = weir_buckets_row(buckets, spot);
    if (!row)
        return;
    struct state state = state_of(row);
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if (levels_r->of[q].cleared)
            state.over &= ~(1u << q);
    set_state(row, &state);
}
