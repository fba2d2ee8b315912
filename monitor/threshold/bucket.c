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
    SINCE_BITS = 21,  /* three days */
    SINCE_MOST = (1 << SINCE_BITS) - 1,
    LEADER_BITS = 5,
    LEAD_SHIFT = SINCE_BITS + LEADER_BITS,
    LEAD_MOST = (1 << (32 - LEAD_SHIFT)) - 1,
    SERVERS = 1 << LEADER_BITS,
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
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        buckets->class[class_number].of[q] = bound_of(&limits->of[q]);
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

/* Ticks since all buckets were at half or above, as of a time; as many as fit. */
static inline uint32_t ticks_since(const struct row *row, weir_time time)
{
    return ((uint32_t)(time >> SINCE_SHIFT) - row->since_leader) & SINCE_MOST;
}

static inline void set_ticks(struct row *row, weir_time time, weir_time ticks)
{
    uint32_t since = (uint32_t)(time >> SINCE_SHIFT) -
                     (uint32_t)(ticks < SINCE_MOST ? ticks : SINCE_MOST);
    row->since_leader = (row->since_leader & ~(uint32_t)SINCE_MOST) | (since & SINCE_MOST);
}

/* Brings a row to a time and tells what is left, and what that clears. */
static inline void refill(const struct class *class, struct row *row, struct state *state,
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
    }
    set_ticks(row, state->time, ticks);
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

/* Sets a charge of a server against the one whose charges prevail, or to it.  Both are parts of a
 * maximum, and so is the sum of what is missing. */
static inline void weigh(struct row *row, uint32_t server, double before, double charged,
                         uint64_t chance)
{
    uint32_t leader = row->since_leader >> SINCE_BITS & (SERVERS - 1);
    double lead = (double)(row->since_leader >> LEAD_SHIFT) * before;
    server %= SERVERS;
    if (charged <= 0)
        return;
    lead += (leader == server ? charged : -charged) * LEAD_MOST;
    if (lead < 0) {
        leader = server;
        lead = -lead;
    }
    lead = lead / (before + charged) + (double)(chance >> 40) / (UINT64_C(1) << 24);
    uint32_t rounded_lead = lead < LEAD_MOST ? (uint32_t)lead : LEAD_MOST;
    row->since_leader = (row->since_leader & SINCE_MOST) | leader << SINCE_BITS |
                        rounded_lead << LEAD_SHIFT;
}

/* By whose word it is. */
static inline uint32_t accountable(const struct row *row)
{
    uint32_t leader = row->since_leader >> SINCE_BITS & (SERVERS - 1);
    bool alone = row->since_leader >> LEAD_SHIFT > LEAD_MOST * 3 / 4;
    return alone && row->servers != 0 ? UINT32_C(1) << leader : row->servers;
}

/* Takes tokens. */
static inline void spend(const struct class *class, struct row *row, struct state *state,
                         const double due[static WEIR_QUANTITIES], uint32_t server,
                         uint64_t chance, struct weir_levels *levels_r)
{
    double before = 0, charged = 0;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        const struct bound *bound = &class->of[q];
        struct weir_level *level = &levels_r->of[q];
        double left = bound->maximum - level->tokens;
        before += left * bound->part;
        charged += due[q] * bound->part;
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
    weigh(row, server, before, charged, chance ^ chance << 32);
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
    refill(class, row, &state, now, levels_r);
    if (__builtin_expect(state.time > now, 0))
        excuse(buckets, class, spot->name, now, state.time, due);
    /* not by time alone, which stands still while what comes is late */
    uint64_t chance = ((uint64_t)state.time + buckets->counts.charges) *
                      UINT64_C(0x9e3779b97f4a7c15);
    spend(class, row, &state, due, cost->server, chance, levels_r);
    set_state(row, &state);
    tell_state(row, &state, levels_r);
    return (state.over | was_over) != 0 || levels_r->made;
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
