/* flow_order against a stupid model: two streams of random octets, cut into segments, captured
 * out of order, twice, overlapping, in part or not at all.  What comes out is what was sent, in
 * its place, and what is missing was told as missing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/flow_rig.h"
#include "tests/unit/seeded.h"

enum { STREAM = 60000, SEGMENTS = 6000 };

/* What one side sent; heard[i]: how much of the other side its sender had when it sent octet i. */
struct sent {
    uint8_t octet[STREAM];
    uint32_t heard[STREAM];
    bool captured[STREAM];
    uint32_t len, first;
};

struct captured {
    enum weir_side side;
    uint32_t at, len, have, heard;
    bool dropped;
};

struct world {
    struct seeded s;
    struct sent side[2];
    struct captured segment[SEGMENTS];
    size_t segments;
    bool lossless;
};

/* Of 1000: how often; distance: how far segments may be from their place. */
struct trouble {
    const char *name;
    unsigned again, overlap, drop, cut, distance;
    int silent; /* a side that is not captured, or -1 */
};

static void capture(struct world *w, enum weir_side side, uint32_t at, uint32_t len,
                    uint32_t heard)
{
    if (len > 0 && w->segments < SEGMENTS)
        w->segment[w->segments++] = (struct captured){side, at, len, len, heard, false};
}

/* One side says something, in segments; some of them again, with more or less around. */
static void say(struct world *w, const struct trouble *trouble, enum weir_side side, uint32_t len)
{
    struct sent *me = &w->side[side];
    uint32_t heard = w->side[1 - side].len;
    uint32_t start = me->len;
    for (uint32_t i = 0; i < len; i++)
        me->heard[me->len++] = heard;
    while (start < me->len) {
        uint32_t part = 1 + seeded_below(&w->s, seeded_below(&w->s, 4) ? 200 : 3);
        part = part < me->len - start ? part : me->len - start;
        capture(w, side, start, part, heard);
        if (seeded_below(&w->s, 1000) < trouble->again)
            capture(w, side, start, part, heard);
        if (seeded_below(&w->s, 1000) < trouble->overlap) {
            uint32_t back = seeded_below(&w->s, start < 100 ? start + 1 : 100);
            capture(w, side, start - back, back + seeded_below(&w->s, part + 1), heard);
        }
        start += part;
    }
}

static void talk(struct world *w, const struct trouble *trouble)
{
    for (int i = 0; i < 2; i++) {
        seeded_fill(&w->s, w->side[i].octet, STREAM);
        w->side[i].first = (uint32_t)seeded_next(&w->s);
        w->side[i].len = 0;
        memset(w->side[i].captured, 0, sizeof(w->side[i].captured));
    }
    w->segments = 0;
    memcpy(w->side[WEIR_SIDE_SERVER].octet, "220 ", 4);
    w->side[WEIR_SIDE_SERVER].len = 4;
    memset(w->side[WEIR_SIDE_SERVER].captured, 1, 4);
    for (int turn = 0; turn < 60; turn++) {
        say(w, trouble, WEIR_SIDE_CLIENT, seeded_below(&w->s, turn % 10 ? 60 : 2500));
        say(w, trouble, WEIR_SIDE_SERVER, 1 + seeded_below(&w->s, 60));
    }
}

static void spoil(struct world *w, const struct trouble *trouble)
{
    /* swapped within blocks: nobody is further from his place than a block is long */
    for (size_t i = 0; i < w->segments && trouble->distance > 0; i++) {
        size_t block = i - i % trouble->distance;
        size_t j = block + seeded_below(&w->s, trouble->distance);
        struct captured swapped = w->segment[i];
        if (j >= w->segments)
            continue;
        w->segment[i] = w->segment[j];
        w->segment[j] = swapped;
    }
    for (size_t i = 0; i < w->segments; i++) {
        struct captured *c = &w->segment[i];
        c->dropped = (int)c->side == trouble->silent || seeded_below(&w->s, 1000) < trouble->drop;
        if (seeded_below(&w->s, 1000) < trouble->cut)
            c->have = seeded_below(&w->s, c->len);
        if (!c->dropped)
            memset(w->side[c->side].captured + c->at, 1, c->have);
    }
}

/* Nobody is told what somebody said before the other side's octets that he had heard; only a
 * command may be told before a reply that was lost. */
static void check_order(struct rig *rig, const struct weir_flow *flow, enum weir_side side)
{
    struct world *w = rig->check_context;
    uint64_t at = rig->stream[side].at;
    (void)flow;
    if (side == WEIR_SIDE_CLIENT && !w->lossless)
        return;
    if (at < w->side[side].len && w->side[side].heard[at] > rig->stream[1 - side].at)
        rig->order_broken++;
}

static void replay(struct world *w, struct rig *rig)
{
    struct sent *client = &w->side[WEIR_SIDE_CLIENT], *server = &w->side[WEIR_SIDE_SERVER];
    rig_mark(rig, WEIR_SIDE_CLIENT, client->first - 1, 0, WEIR_TCP_SYN);
    rig_mark(rig, WEIR_SIDE_SERVER, server->first - 1, client->first, WEIR_TCP_SYN);
    rig_send(rig, WEIR_SIDE_SERVER, server->first, client->first, "220 ");
    for (size_t i = 0; i < w->segments; i++) {
        const struct captured *c = &w->segment[i];
        struct sent *me = &w->side[c->side];
        struct weir_segment segment = rig_segment(c->side, me->first + c->at,
                                                  w->side[1 - c->side].first + c->heard, 0, NULL);
        segment.payload = (struct weir_slice){(const char *)me->octet + c->at, c->have};
        segment.payload_len = c->len;
        if (!c->dropped)
            rig_take(rig, &segment);
    }
    weir_flows_finish(rig->flows);
}

static void check_stream(const struct world *w, const struct rig *rig, enum weir_side side,
                         bool all)
{
    const struct sent *sent = &w->side[side];
    const struct rig_stream *got = &rig->stream[side];
    assert_in_range(got->at, 0, sent->len);
    for (uint32_t i = 0; i < sent->len; i++) {
        if (got->known[i]) {
            assert_int_equal(got->octet[i], sent->octet[i]);
            assert_true(sent->captured[i]);
        } else if (all) {
            assert_false(sent->captured[i]);
        }
    }
}

static void run(const struct trouble *trouble, int rounds)
{
    struct seeded s = seeded_new(trouble->name);
    struct world *w = calloc(1, sizeof(*w));
    w->s = s;
    for (int round = 0; round < rounds; round++) {
        struct rig *rig = rig_new(0, true);
        bool lossless = trouble->drop == 0 && trouble->cut == 0 && trouble->silent < 0;
        w->lossless = lossless;
        talk(w, trouble);
        spoil(w, trouble);
        rig->check_context = w;
        /* octets sent again with new ones and newer acknowledgements, out of order on both
         * sides, may leave two possible orders */
        rig->check = trouble->overlap && trouble->distance ? NULL : check_order;
        replay(w, rig);
        assert_int_equal(rig->opened, 1);
        assert_int_equal(rig->closed, 1);
        for (int i = 0; i < 2; i++) {
            check_stream(w, rig, (enum weir_side)i, trouble->cut == 0 || trouble->distance == 0);
            if (lossless)
                assert_int_equal(rig->stream[i].at, w->side[i].len);
        }
        assert_true(!lossless || rig->last.gaps == 0);
        assert_true(lossless || rig->last.gaps > 0);
        assert_int_equal(rig->order_broken, 0);
        assert_int_equal(weir_flows_counts(rig->flows)->octets_kept, 0);
        rig_free(&rig);
    }
    free(w);
}

static void streams_come_out_as_they_were_sent(void **state)
{
    (void)state;
    static const struct trouble troubles[] = {
        {"in order", 0, 0, 0, 0, 0, -1},
        {"twice and overlapping", 300, 300, 0, 0, 0, -1},
        {"out of order", 0, 0, 0, 0, 20, -1},
        {"out of order, twice and overlapping", 300, 300, 0, 0, 20, -1},
    };
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
        run(&troubles[i], 60);
}

static void what_is_lost_is_told_and_nothing_else(void **state)
{
    (void)state;
    static const struct trouble troubles[] = {
        {"5 % lost", 0, 0, 50, 0, 0, -1},
        {"30 % lost", 0, 0, 300, 0, 0, -1},
        {"5 % lost, the rest out of order and overlapping", 100, 100, 50, 0, 5, -1},
        {"cut short", 0, 0, 0, 200, 0, -1},
        {"cut short and out of order", 0, 0, 50, 200, 5, -1},
        {"only the server", 0, 0, 0, 0, 0, WEIR_SIDE_CLIENT},
        {"only the server, out of order", 100, 100, 0, 0, 5, WEIR_SIDE_CLIENT},
    };
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
        run(&troubles[i], 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_come_out_as_they_were_sent),
        cmocka_unit_test(what_is_lost_is_told_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
