/*
 * flow: segments of a client that contradict what was handed on or what waits are told, in either
 * order; true copies are not, however they are cut (flow_recent.c, flow_order.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "tests/unit/flow_rig.h"
#include "tests/unit/seeded.h"

/* Segments of the client at 1001 and behind; what is told. */
static const struct {
    const char *name;
    struct {
        uint32_t at;
        const char *octets;
    } say[6];
    const char *want;
} cases[] = {
    {"the same again", {{0, "RSET\r\n"}, {0, "RSET\r\n"}}, "C:RSET\r\n"},
    {"another of the same length", {{0, "RSET\r\n"}, {0, "DATA\r\n"}}, "C:RSET\r\n forged 6"},
    {"a longer one", {{0, "RSET\r\n"}, {0, "STARTTLS\r\n"}}, "C:RSET\r\n forged 10 C:LS\r\n"},
    {"a shorter one", {{0, "STARTTLS\r\n"}, {0, "RSET\r\n"}}, "C:STARTTLS\r\n forged 6"},
    {"the same, with more", {{0, "ab"}, {0, "abcd"}}, "C:ab C:cd"},
    {"parts of it", {{0, "abcdef"}, {0, "ab"}, {2, "cd"}, {3, "def"}, {5, "f"}}, "C:abcdef"},
    {"a part that differs", {{0, "abcdef"}, {2, "cX"}}, "C:abcdef forged 2"},
    {"over several that were", {{0, "ab"}, {2, "cd"}, {4, "ef"}, {1, "bcdefg"}},
     "C:ab C:cd C:ef C:g"},
    {"over several, the last differs", {{0, "ab"}, {2, "cd"}, {4, "ef"}, {1, "bcdXfg"}},
     "C:ab C:cd C:ef forged 6 C:g"},
    {"one octet that keeps alive", {{0, "abc"}, {2, "\1"}, {3, "d"}}, "C:abc C:d"},
    {"one octet further back", {{0, "abc"}, {1, "\1"}}, "C:abc forged 1"},
    {"two octets", {{0, "abc"}, {1, "\1\1"}}, "C:abc forged 2"},
    {"what waits, and the same", {{4, "ef"}, {2, "cdefgh"}, {0, "ab"}}, "C:ab C:cd C:ef C:gh"},
    {"what waits, and others", {{4, "ef"}, {2, "cdXYgh"}, {0, "ab"}},
     "forged 6 C:ab C:cd C:ef C:gh"},
    {"what waits, the true one first", {{2, "cdefgh"}, {4, "XY"}, {0, "ab"}},
     "forged 2 C:ab C:cdefgh"},
};

static void contradictions_are_told_and_copies_are_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = rig_greeted();
        for (size_t j = 0; j < 6 && cases[i].say[j].octets; j++)
            rig_send(rig, C, 1001 + cases[i].say[j].at, 5009, cases[i].say[j].octets);
        const char *told = rig_log(rig);
        if (strcmp(told, cases[i].want) != 0)
            fail_msg("%s: got %s, want %s", cases[i].name, told, cases[i].want);
        weir_flows_finish(rig->flows);
        assert_int_equal(COUNT(rig, forged), rig->last.forged);
        assert_int_equal(rig->last.forged, strstr(cases[i].want, "forged") != NULL);
        assert_int_equal(COUNT(rig, remembered), 0);
        rig_free(&rig);
    }
}

/* A segment of len octets, then another that differs at one place only. */
static bool is_noticed(size_t len, size_t place)
{
    char octets[2048];
    struct rig *rig = rig_greeted();
    memset(octets, 'x', len);
    octets[len] = '\0';
    rig_send(rig, C, 1001, 5009, octets);
    octets[place] = 'X';
    rig_send(rig, C, 1001, 5009, octets);
    bool noticed = COUNT(rig, forged) == 1;
    rig_free(&rig);
    return noticed;
}

static void of_a_long_segment_the_beginning_is_remembered(void **state)
{
    (void)state;
    assert_true(is_noticed(WEIR_FLOW_RUN, WEIR_FLOW_RUN - 1));
    assert_true(is_noticed(500, WEIR_FLOW_RUN - 1));
    assert_false(is_noticed(500, WEIR_FLOW_RUN));
    assert_true(is_noticed(1448, 0));
    assert_true(is_noticed(513, WEIR_FLOW_LONG - 1));
    assert_false(is_noticed(513, WEIR_FLOW_LONG));
}

/* Runs that do not fill each other, then the n-th from the end again and otherwise. */
static bool is_remembered(unsigned back)
{
    char octets[WEIR_FLOW_RUN + 2];
    struct rig *rig = rig_greeted();
    uint32_t at = 1001;
    memset(octets, 'x', sizeof(octets));
    octets[WEIR_FLOW_RUN + 1] = '\0';
    for (unsigned i = 0; i < WEIR_FLOW_RUNS + 4; i++, at += WEIR_FLOW_RUN + 1)
        rig_send(rig, C, at, 5009, octets);
    rig_send(rig, C, at - back * (WEIR_FLOW_RUN + 1), 5009, "yy");
    bool noticed = COUNT(rig, forged) == 1;
    rig_free(&rig);
    return noticed;
}

static void so_many_runs_are_remembered(void **state)
{
    (void)state;
    assert_true(is_remembered(1));
    assert_true(is_remembered(WEIR_FLOW_RUNS));
    assert_false(is_remembered(WEIR_FLOW_RUNS + 1));
}

static void the_servers_octets_are_not_watched(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, S, 5009, 1001, "250-a\r\n");
    rig_send(rig, S, 5009, 1001, "250-b\r\n");
    assert_int_equal(COUNT(rig, forged), 0);
    rig_free(&rig);
}

static void before_the_server_speaks_it_is_noticed_too(void **state)
{
    (void)state;
    for (int forged = 0; forged < 2; forged++) {
        struct rig *rig = rig_new(0, false);
        rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
        rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
        rig_send(rig, C, 1001, 5001, "QUIT\r\n");
        rig_send(rig, C, 1001, 5001, forged ? "EHLO c\r\n" : "QUIT\r\n");
        rig_send(rig, S, 5001, 1007, "220 hi\r\n");
        assert_string_equal(rig_log(rig), forged ? "opened C:QUIT\r\n forged 6 S:220 hi\r\n"
                                                 : "opened C:QUIT\r\n S:220 hi\r\n");
        rig_free(&rig);
    }
}

static void true_copies_in_any_pieces_never_contradict(void **state)
{
    struct seeded s = seeded_new(__func__);
    char octets[6000];
    (void)state;
    for (int times = 0; times < 300; times++) {
        struct rig *rig = rig_new(0, true);
        rig_greet(rig);
        for (size_t i = 0; i < sizeof(octets); i++)
            octets[i] = (char)('a' + seeded_below(&s, 26));
        for (size_t at = 0; at < sizeof(octets) - 1500;) {
            size_t from = at > 700 ? at - seeded_below(&s, 700) : 0;
            size_t len = 1 + seeded_below(&s, seeded_below(&s, 2) ? 60 : 1448);
            struct weir_segment segment = rig_segment(C, 1001 + (uint32_t)from, 5009, 0, NULL);
            segment.payload = (struct weir_slice){octets + from, len};
            segment.payload_len = (uint32_t)len;
            rig_take(rig, &segment);
            at += seeded_below(&s, 200);
        }
        assert_int_equal(COUNT(rig, forged), 0);
        assert_true(COUNT(rig, retransmitted) > 0);
        rig_free(&rig);
    }
}

/* As the server, or a client, of the n-th connection. */
static void speak(struct rig *rig, uint32_t n, enum weir_side side, uint32_t seq, uint32_t ack,
                  const char *text)
{
    struct weir_segment segment = rig_segment(side, seq, ack, 0, text);
    struct weir_address *client = side == S ? &segment.destination : &segment.source;
    client->octet[13] = (uint8_t)(n >> 16);
    client->octet[14] = (uint8_t)(n >> 8);
    client->octet[15] = (uint8_t)n;
    weir_flows_take(rig->flows, rig->now, &segment);
    rig->log_len = 0;
}

static void no_more_connections_are_remembered_than_the_limit(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    for (uint32_t n = 0; n <= WEIR_FLOWS_RECENT_MAX; n++) {
        speak(rig, n, S, 5001, 1001, "220 hi\r\n");
        speak(rig, n, C, 1001, 5009, "RSET\r\n");
    }
    assert_int_equal(COUNT(rig, remembered), WEIR_FLOWS_RECENT_MAX);
    assert_int_equal(COUNT(rig, unremembered), 1);
    speak(rig, WEIR_FLOWS_RECENT_MAX - 1, C, 1001, 5009, "DATA\r\n");
    assert_int_equal(COUNT(rig, forged), 1);
    speak(rig, WEIR_FLOWS_RECENT_MAX, C, 1001, 5009, "DATA\r\n");
    assert_int_equal(COUNT(rig, forged), 1);
    weir_flows_finish(rig->flows);
    assert_int_equal(COUNT(rig, remembered), 0);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictions_are_told_and_copies_are_not),
        cmocka_unit_test(of_a_long_segment_the_beginning_is_remembered),
        cmocka_unit_test(so_many_runs_are_remembered),
        cmocka_unit_test(the_servers_octets_are_not_watched),
        cmocka_unit_test(before_the_server_speaks_it_is_noticed_too),
        cmocka_unit_test(true_copies_in_any_pieces_never_contradict),
        cmocka_unit_test(no_more_connections_are_remembered_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
