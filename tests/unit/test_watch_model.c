/*
 * The watch against a model that keeps every bucket in double precision and counts offenders by
 * looking at all of them: random charges, some out of order, advances and resets; the events of
 * each step must be the same (watch_events.c, alarms.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/base/limits.h"
#include "monitor/threshold/watch.h"
#include "tests/unit/seeded.h"

#define START (1790000000 * WEIR_SECOND)

enum { LEVELS = 3, PREFIXES = 200, STEPS = 30000, CHILDREN = 2, WIDER = 4 };

static const struct weir_watch_class everybody = {
    .name = "default", .limits = {{{1, 16}, {0.5, 10}, {0, 12}}}};

struct bucket {
    double missing;
    weir_time excused; /* up to then */
    bool over, told;
};

struct entry {
    struct weir_prefix prefix;
    int level;
    weir_time time; /* of the last charge */
    struct bucket bucket[WEIR_QUANTITIES];
};

/* Events are summed up, since their order within a step is free. */
struct model {
    struct entry entry[PREFIXES];
    size_t count;
    uint64_t events;
    weir_time certain;
};

static uint64_t digest(bool raised, const struct weir_prefix *prefix, unsigned quantity,
                       unsigned children)
{
    uint64_t hash = raised + 2 * quantity + 8 * prefix->bits + 4096 * children;
    for (int i = 0; i < 16; i++)
        hash = (hash ^ prefix->address.octet[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static struct weir_limit limit_of(const struct entry *e, int q)
{
    struct weir_limit limit = everybody.limits.of[q];
    double times = e->level > 0 ? WIDER : 1;
    return (struct weir_limit){limit.rate * times, limit.maximum * times};
}

static struct entry *entry_of(struct model *m, struct weir_prefix prefix, int level, weir_time time)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->entry[i].prefix.bits == prefix.bits &&
            weir_address_equal(&m->entry[i].prefix.address, &prefix.address))
            return &m->entry[i];
    assert_true(m->count < PREFIXES);
    m->entry[m->count] = (struct entry){.prefix = prefix, .level = level, .time = time};
    return &m->entry[m->count++];
}

static bool is_told(const struct entry *e)
{
    return e->bucket[0].told || e->bucket[1].told || e->bucket[2].told;
}

/* Parts of a network in which there are any. */
static unsigned offenders(const struct model *m, const struct entry *network)
{
    unsigned count = 0;
    for (size_t i = 0; i < m->count; i++)
        count += m->entry[i].level == network->level - 1 &&
                 weir_prefix_contains(&network->prefix, &m->entry[i].prefix.address) &&
                 (is_told(&m->entry[i]) ||
                  (network->level > 1 && offenders(m, &m->entry[i]) > 0));
    return count;
}

static double missing_at(const struct entry *e, int q, weir_time time)
{
    struct weir_limit limit = limit_of(e, q);
    weir_time idle = time > e->time ? time - e->time : 0;
    if (limit.rate == 0 && idle >= WEIR_BUCKET_HELD)
        return 0;
    return fmax(0, e->bucket[q].missing - limit.rate * (double)idle / 1e6);
}

static void clear_at_half(struct model *m, struct entry *e, int q, double missing)
{
    if (missing > limit_of(e, q).maximum / 2)
        return;
    if (e->bucket[q].told)
        m->events += digest(false, &e->prefix, (unsigned)q, 0);
    e->bucket[q].told = e->bucket[q].over = false;
}

/* What came back since a charge's time, and is not in full. */
static double back_since(const struct entry *e, int q, weir_time time)
{
    struct weir_limit limit = limit_of(e, q);
    double late = (double)(e->time - time) / 1e6;
    return fmax(0, fmax(limit.rate * (late - WEIR_BUCKET_LATE / 1e6),
                        limit.rate * late - limit.maximum / 2));
}

/* What a charge still takes that comes late; each moment excuses once. */
static void set_due(struct entry *e, const struct weir_charge *charge,
                    double due[static WEIR_QUANTITIES])
{
    for (int q = 0; q < WEIR_QUANTITIES; q++) {
        weir_time *mark = &e->bucket[q].excused;
        weir_time from = charge->time > *mark ? charge->time : *mark;
        double excused = fmin(charge->quantity[q], back_since(e, q, from));
        due[q] = charge->quantity[q] - excused;
        if (excused > 0)
            *mark = from + (weir_time)(excused / limit_of(e, q).rate * 1e6);
    }
}

static void charge_entry(struct model *m, struct entry *e, const struct weir_charge *charge)
{
    weir_time time = charge->time > e->time ? charge->time : e->time;
    double due[WEIR_QUANTITIES], missing[WEIR_QUANTITIES];
    for (int q = 0; q < WEIR_QUANTITIES; q++)
        missing[q] = missing_at(e, q, time);
    e->time = time;
    set_due(e, charge, due);
    for (int q = 0; q < WEIR_QUANTITIES; q++) {
        struct bucket *b = &e->bucket[q];
        double most = limit_of(e, q).maximum;
        clear_at_half(m, e, q, missing[q]);
        bool exceeded = missing[q] + due[q] > most;
        unsigned below = e->level > 0 ? offenders(m, e) : 0;
        bool tell = e->level > 0 ? exceeded && below >= CHILDREN : exceeded && !b->over;
        b->missing = fmin(missing[q] + due[q], 2 * most);
        b->over |= exceeded;
        if (tell && !b->told)
            m->events += digest(true, &e->prefix, (unsigned)q, below);
        b->told |= tell;
    }
}

static void model_charge(struct model *m, struct weir_charge *charge)
{
    bool v4 = weir_address_is_ipv4(&charge->address);
    static const unsigned ipv6[] = {64, 56, 48}, ipv4[] = {32, 24};
    for (int level = 0; level < (v4 ? 2 : 3); level++) {
        struct weir_prefix prefix =
            weir_address_prefix(&charge->address, v4 ? ipv4[level] : 0, ipv6[level]);
        charge_entry(m, entry_of(m, prefix, level, charge->time), charge);
    }
}

static void model_advance(struct model *m, weir_time time)
{
    m->certain = time > m->certain ? time : m->certain;
    for (size_t i = 0; i < m->count; i++)
        for (int q = 0; q < WEIR_QUANTITIES; q++)
            if (m->entry[i].bucket[q].told)
                clear_at_half(m, &m->entry[i], q, missing_at(&m->entry[i], q, m->certain));
}

static void model_reset(struct model *m, const struct weir_prefix *prefix)
{
    for (size_t i = 0; i < m->count; i++) {
        struct entry *e = &m->entry[i];
        bool same = e->prefix.bits == prefix->bits &&
                    weir_address_equal(&e->prefix.address, &prefix->address);
        bool below = e->prefix.bits >= prefix->bits &&
                     weir_prefix_contains(prefix, &e->prefix.address);
        if (same || (below && is_told(e))) {
            for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
                if (e->bucket[q].told)
                    m->events += digest(false, &e->prefix, q, 0);
            for (int q = 0; q < WEIR_QUANTITIES; q++)
                e->bucket[q] = (struct bucket){.excused = e->bucket[q].excused};
            e->time = 0;
        }
    }
}

static bool note(void *context, const struct weir_watch_event *event)
{
    *(uint64_t *)context += digest(event->raised, &event->prefix, event->quantity,
                                   event->raised ? event->children : 0);
    return true;
}

static struct weir_charge random_charge(struct seeded *s, weir_time now)
{
    struct weir_charge charge = {.time = now - WEIR_SECOND / 4 * seeded_below(s, 80)};
    uint8_t *octet = charge.address.octet;
    bool v4 = seeded_below(s, 2);
    octet[v4 ? 10 : 0] = octet[v4 ? 11 : 1] = v4 ? 0xff : 0x20;
    octet[v4 ? 13 : 5] = (uint8_t)seeded_below(s, 2); /* networks */
    octet[v4 ? 14 : 6] = (uint8_t)seeded_below(s, 3);
    octet[v4 ? 15 : 7] = (uint8_t)seeded_below(s, 5); /* addresses */
    for (int q = 0; q < WEIR_QUANTITIES; q++)
        charge.quantity[q] = seeded_below(s, 4) ? 0 : seeded_below(s, 12);
    return charge;
}

static void A12_events_equal_those_of_a_model_that_forgets_nothing(void **state)
{
    static struct model model;
    struct seeded s = seeded_new(__func__);
    struct weir_watch_options options = {.classes = &everybody, .class_count = 1, .wider = WIDER,
                                         .children = CHILDREN, .addresses = 10000};
    struct weir_watch *watch = NULL;
    uint64_t events = 0;
    weir_time now = START;
    (void)state;
    memset(&model, 0, sizeof(model));
    assert_int_equal(weir_watch_new(&options, note, &events, &watch), 0);
    for (int step = 0; step < STEPS; step++) {
        struct weir_charge charge = random_charge(&s, now);
        unsigned what = seeded_below(&s, 1000);
        now += WEIR_SECOND / 4 * seeded_below(&s, what == 999 ? 400000 : 4);
        if (what < 20) {
            model_advance(&model, now - WEIR_MINUTE);
            weir_watch_advance(watch, now - WEIR_MINUTE);
        } else if (what < 23) {
            struct weir_prefix p = weir_address_prefix(&charge.address, what == 20 ? 16 : 24,
                                                       what == 21 ? 64 : 48);
            model_reset(&model, &p);
            weir_watch_reset(watch, &p);
        } else {
            model_charge(&model, &charge);
            weir_watch_charge(watch, &charge);
        }
        if (events != model.events)
            fail_msg("step %d: other events", step);
    }
    const struct weir_watch_counts *counts = weir_watch_counts(watch);
    assert_true(counts->events > 100 && counts->cleared > 100);
    assert_int_equal(counts->evicted, 0);
    print_message("%llu events\n", (unsigned long long)counts->events);
    weir_watch_free(&watch);
}

static void a_batch_says_what_its_charges_say_one_by_one(void **state)
{
    struct seeded s = seeded_new(__func__);
    struct weir_watch_options options = {.classes = &everybody, .class_count = 1, .wider = WIDER,
                                         .children = CHILDREN, .addresses = 60};
    struct weir_watch *batch = NULL, *single = NULL;
    uint64_t of_batch = 0, of_single = 0;
    weir_time now = START;
    (void)state;
    assert_int_equal(weir_watch_new(&options, note, &of_batch, &batch), 0);
    assert_int_equal(weir_watch_new(&options, note, &of_single, &single), 0);
    for (int round = 0; round < 500; round++) {
        struct weir_charge charge[100];
        size_t n = seeded_below(&s, 101);
        for (size_t i = 0; i < n; i++) {
            charge[i] = random_charge(&s, now += WEIR_SECOND / 16);
            charge[i].address.octet[4] = (uint8_t)seeded_below(&s, 60); /* crowded */
            weir_watch_charge(single, &charge[i]);
        }
        weir_watch_charge_all(batch, charge, n);
        assert_int_equal(of_batch, of_single);
    }
    assert_true(weir_watch_counts(batch)->evicted == weir_watch_counts(single)->evicted);
    assert_true(weir_watch_counts(batch)->evicted > 0);
    weir_watch_free(&batch);
    weir_watch_free(&single);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A12_events_equal_those_of_a_model_that_forgets_nothing),
        cmocka_unit_test(a_batch_says_what_its_charges_say_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
