/* tls_estimate: sessions written as lengths of plaintext, as Postfix 3.7 and Exim have them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sniffer/tls_estimate.h"
#include "tests/unit/seeded.h"
#include "tests/unit/tls_rig.h"

/* 'C' or 'S' and the length of a record's plaintext; 'F': the client's "finished" of TLS 1.3. */
struct says {
    char who;
    unsigned plain;
};

struct session {
    struct weir_tls_estimate estimate;
    unsigned suite, counted;
    struct seeded *seeded; /* NULL: whole records */
};

static void feed(struct session *s, enum weir_side side, const uint8_t *octets, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t piece = s->seeded ? 1 + seeded_below(s->seeded, 50) : len;
        if (piece > len - at)
            piece = len - at;
        s->counted += weir_tls_estimate_octets(
            &s->estimate, side, (struct weir_slice){(const char *)octets + at, piece});
        at += piece;
    }
}

static void feed_record(struct session *s, enum weir_side side, uint8_t type, size_t len)
{
    static uint8_t room[TLS_RECORD_MOST];

    feed(s, side, room, tls_record(room, type, len));
}

static struct session handshake(unsigned suite, struct seeded *seeded)
{
    struct session s = {weir_tls_estimate(0, 0), suite, 0, seeded};
    uint8_t room[256];

    feed_record(&s, WEIR_SIDE_CLIENT, 22, 512);
    feed(&s, WEIR_SIDE_SERVER, room, tls_hello(room, suite, 32));
    feed_record(&s, WEIR_SIDE_SERVER, 20, 1);
    if (suite == TLS_13) { /* extensions, certificate, its proof, finished; then the client's */
        feed_record(&s, WEIR_SIDE_SERVER, 23, 40);
        feed_record(&s, WEIR_SIDE_SERVER, 23, 1200);
        feed_record(&s, WEIR_SIDE_SERVER, 23, 280);
        feed_record(&s, WEIR_SIDE_SERVER, 23, 69);
        feed_record(&s, WEIR_SIDE_CLIENT, 20, 1);
        feed_record(&s, WEIR_SIDE_CLIENT, 23, 52 + 17);
        feed_record(&s, WEIR_SIDE_SERVER, 23, 240); /* tickets */
        feed_record(&s, WEIR_SIDE_SERVER, 23, 240);
    } else {
        feed_record(&s, WEIR_SIDE_SERVER, 22, 900);
        feed_record(&s, WEIR_SIDE_CLIENT, 22, 70);
        feed_record(&s, WEIR_SIDE_CLIENT, 20, 1);
        feed_record(&s, WEIR_SIDE_CLIENT, 22, 40);
        feed_record(&s, WEIR_SIDE_SERVER, 22, 40);
    }
    return s;
}

static void say(struct session *s, const struct says *says, size_t count)
{
    for (size_t i = 0; i < count && says[i].who; i++)
        feed_record(s, says[i].who == 'C' ? WEIR_SIDE_CLIENT : WEIR_SIDE_SERVER, 23,
                    says[i].plain + tls_overhead(s->suite));
}

static const struct {
    const char *name;
    struct says says[24];
    unsigned want;
} cases[] = {
    {"Postfix, a turn for each command",
     {{'C', 24}, {'S', 210}, {'C', 31}, {'S', 14}, {'C', 29}, {'S', 14}, {'C', 6}, {'S', 37},
      {'C', 3120}, {'S', 37}, {'C', 6}, {'S', 15}}, 1},
    {"Postfix, pipelined, dot with QUIT",
     {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}, {'C', 800}, {'S', 52}}, 1},
    {"Postfix, two mails pipelined, of the second one recipient refused",
     {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}, {'C', 800}, {'S', 37}, {'C', 140}, {'S', 150},
      {'C', 8000}, {'S', 36}, {'C', 6}, {'S', 15}}, 2},
    {"Postfix, all recipients refused",
     {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 140}, {'C', 12}, {'S', 29}}, 0},
    {"Postfix, long MAIL and RCPT, refused at the dot",
     {{'C', 24}, {'S', 210}, {'C', 90}, {'S', 14}, {'C', 80}, {'S', 14}, {'C', 6}, {'S', 37},
      {'C', 500}, {'S', 70}, {'C', 6}, {'S', 15}}, 0},
    {"Exim, a turn for each command",
     {{'C', 24}, {'S', 150}, {'C', 31}, {'S', 8}, {'C', 29}, {'S', 14}, {'C', 6}, {'S', 56},
      {'C', 700}, {'S', 28}, {'C', 6}, {'S', 40}}, 1},
    {"Exim, pipelined, farewell in a record of its own",
     {{'C', 24}, {'S', 150}, {'C', 110}, {'S', 8}, {'S', 14}, {'S', 56}, {'C', 700}, {'S', 28},
      {'S', 40}}, 1},
    {"a server of short replies: pipelined envelopes are no bodies",
     {{'C', 24}, {'S', 90}, {'C', 110}, {'S', 30}, {'C', 700}, {'S', 28}, {'C', 110}, {'S', 30},
      {'C', 700}, {'S', 28}, {'C', 6}, {'S', 20}}, 2},
    {"AUTH PLAIN of 80 octets, then a mail",
     {{'C', 24}, {'S', 210}, {'C', 80}, {'S', 37}, {'C', 110}, {'S', 65}, {'C', 800}, {'S', 37}},
     1},
    {"AUTH CRAM-MD5",
     {{'C', 24}, {'S', 210}, {'C', 15}, {'S', 70}, {'C', 72}, {'S', 37}, {'C', 6}, {'S', 15}}, 0},
    {"a body in many records",
     {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}, {'C', 16000}, {'C', 16000}, {'C', 3},
      {'S', 37}}, 1},
    {"a body of 64 octets, a reply of 26",
     {{'C', 24}, {'S', 210}, {'C', 24}, {'S', 65}, {'C', 64}, {'S', 26}}, 1},
    {"a body of 63", {{'C', 24}, {'S', 210}, {'C', 24}, {'S', 65}, {'C', 63}, {'S', 26}}, 0},
    {"a reply of 25", {{'C', 24}, {'S', 210}, {'C', 24}, {'S', 65}, {'C', 64}, {'S', 25}}, 0},
    {"a reply of 64", {{'C', 24}, {'S', 210}, {'C', 24}, {'S', 65}, {'C', 64}, {'S', 64}}, 1},
    {"a reply of 65", {{'C', 24}, {'S', 210}, {'C', 24}, {'S', 65}, {'C', 64}, {'S', 65}}, 0},
    {"an envelope of 23", {{'C', 24}, {'S', 210}, {'C', 23}, {'S', 65}, {'C', 64}, {'S', 30}}, 0},
    {"DATA answered by 25", {{'C', 24}, {'S', 210}, {'C', 24}, {'S', 8}, {'C', 6}, {'S', 25},
                             {'C', 64}, {'S', 26}}, 1},
    {"DATA answered by 24", {{'C', 24}, {'S', 210}, {'C', 24}, {'S', 8}, {'C', 6}, {'S', 24},
                             {'C', 299}, {'S', 26}}, 0},
    {"an envelope answered by 64", {{'C', 24}, {'S', 210}, {'C', 99}, {'S', 64}, {'C', 299},
                                    {'S', 26}}, 0},
    {"BDAT", {{'C', 24}, {'S', 210}, {'C', 99}, {'S', 28}, {'C', 300}, {'S', 26}}, 1},
    {"long recipients, all greylisted",
     {{'C', 24}, {'S', 150}, {'C', 81}, {'S', 8}, {'C', 91}, {'S', 40}, {'C', 91}, {'S', 40},
      {'C', 91}, {'S', 40}, {'C', 6}, {'S', 40}}, 0},
    {"long envelopes one by one, greylisted and reset",
     {{'C', 24}, {'S', 150}, {'C', 81}, {'S', 8}, {'C', 91}, {'S', 40}, {'C', 6}, {'S', 14},
      {'C', 81}, {'S', 8}, {'C', 91}, {'S', 40}, {'C', 6}, {'S', 14}}, 0},
    {"long envelopes in one go, greylisted and reset",
     {{'C', 24}, {'S', 150}, {'C', 171}, {'S', 48}, {'C', 6}, {'S', 14}, {'C', 171}, {'S', 48},
      {'C', 6}, {'S', 14}, {'C', 171}, {'S', 8}, {'S', 40}, {'C', 6}, {'S', 14}}, 0},
    {"the same with DATA",
     {{'C', 24}, {'S', 150}, {'C', 177}, {'S', 8}, {'S', 40}, {'S', 45}, {'C', 6}, {'S', 14},
      {'C', 177}, {'S', 62}, {'C', 6}, {'S', 14}}, 0},
    {"Exim, twenty commands behind the dot, each answered by a record",
     {{'C', 24}, {'S', 150}, {'C', 110}, {'S', 78}, {'C', 3000}, {'S', 28}, {'S', 160},
      {'S', 160}, {'C', 6}, {'S', 40}}, 1},
    {"a body in records of five octets",
     {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}, {'C', 5}, {'C', 5}, {'C', 5}, {'C', 5},
      {'C', 5}, {'C', 5}, {'C', 5}, {'C', 5}, {'C', 5}, {'C', 5}, {'C', 5}, {'C', 5}, {'C', 5},
      {'S', 37}}, 1},
    {"a farewell of 64", {{'C', 24}, {'S', 210}, {'C', 99}, {'S', 65}, {'C', 99}, {'S', 30},
                          {'S', 64}}, 1},
    {"more than a farewell", {{'C', 24}, {'S', 210}, {'C', 99}, {'S', 65}, {'C', 99}, {'S', 30},
                              {'S', 65}}, 0},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]), SAYS = 24 };

static void check(size_t i, unsigned suite, struct seeded *seeded)
{
    struct session s = handshake(suite, seeded);

    say(&s, cases[i].says, SAYS);
    s.counted += weir_tls_estimate_end(&s.estimate);
    if (s.counted != cases[i].want || s.estimate.accepted != s.counted || s.estimate.lost)
        fail_msg("%s, suite %x: %u instead of %u", cases[i].name, suite, s.counted, cases[i].want);
    assert_int_equal(s.estimate.refused, 0);
}

static void messages_are_counted_by_lengths_whatever_the_cipher(void **state)
{
    static const unsigned suites[] = {TLS_13, TLS_12_GCM, TLS_12_CHACHA};

    (void)state;
    for (size_t i = 0; i < CASES; i++)
        for (size_t j = 0; j < sizeof(suites) / sizeof(suites[0]); j++)
            check(i, suites[j], NULL);
}

static void pieces_change_nothing(void **state)
{
    struct seeded seeded = seeded_new(__func__);

    (void)state;
    for (size_t i = 0; i < CASES; i++)
        for (int times = 0; times < 5; times++)
            check(i, times % 2 ? TLS_13 : TLS_12_GCM, &seeded);
}

static void a_large_body_that_is_answered_at_length_is_refused(void **state)
{
    static const struct { unsigned body, answer, more, accepted, refused; } bodies[] = {
        {3000, 37, 0, 1, 0},  {3000, 79, 0, 0, 1},  {3000, 375, 0, 0, 1}, {3000, 376, 0, 0, 0},
        {1000, 125, 0, 0, 1}, {1000, 126, 0, 0, 0}, {999, 100, 0, 0, 0},  {3000, 25, 0, 0, 0},
        {3000, 37, 65, 1, 0}, {3000, 37, 338, 1, 0}, {3000, 37, 339, 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct session s = handshake(TLS_13, NULL);
        const struct says says[] = {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65},
                                    {'C', bodies[i].body}, {'S', bodies[i].answer},
                                    {bodies[i].more ? 'S' : 0, bodies[i].more}};
        say(&s, says, sizeof(says) / sizeof(says[0]));
        s.counted += weir_tls_estimate_end(&s.estimate);
        assert_int_equal(s.counted, bodies[i].accepted);
        assert_int_equal(s.estimate.refused, bodies[i].refused);
    }
}

static void new_keys_asked_for_in_front_of_the_dot_change_nothing(void **state)
{
    static const struct says says[] = {
        {'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}, {'C', 1700}, {'C', 5}, {'S', 5}, {'C', 3},
        {'S', 37}, {'C', 110}, {'S', 65}, {'C', 1700}, {'C', 5}, {'C', 3}, {'S', 5}, {'S', 37}};
    struct session s = handshake(TLS_13, NULL);

    (void)state;
    say(&s, says, sizeof(says) / sizeof(says[0]));
    assert_int_equal(s.counted + weir_tls_estimate_end(&s.estimate), 2);
}

static void calibrated_bounds_are_kept(void **state)
{
    static const struct says says[] = {{'C', 24}, {'S', 210}, {'C', 99}, {'S', 65}, {'C', 99},
                                       {'S', 71}, {'C', 99}, {'S', 65}, {'C', 99}, {'S', 37}};
    struct session s = handshake(TLS_13, NULL);

    (void)state;
    s.estimate.queued_least = 70;
    s.estimate.queued_most = 72;
    say(&s, says, sizeof(says) / sizeof(says[0]));
    assert_int_equal(s.counted + weir_tls_estimate_end(&s.estimate), 1);
    struct weir_tls_estimate usual = weir_tls_estimate(0, 0), other = weir_tls_estimate(70, 72);
    assert_int_equal(usual.queued_least, WEIR_TLS_QUEUED_LEAST);
    assert_int_equal(usual.queued_most, WEIR_TLS_QUEUED_MOST);
    assert_int_equal(other.queued_least, 70);
    assert_int_equal(other.queued_most, 72);
}

static void a_body_that_was_not_captured_is_counted_by_its_heads(void **state)
{
    static const struct says before[] = {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}};
    uint8_t room[TLS_RECORD_MOST];
    struct session s = handshake(TLS_13, NULL);

    (void)state;
    say(&s, before, 4);
    size_t len = tls_record(room, 23, 9000);
    feed(&s, WEIR_SIDE_CLIENT, room, 200);
    s.counted += weir_tls_estimate_gap(&s.estimate, WEIR_SIDE_CLIENT, len - 200);
    say(&s, (struct says[]){{'S', 37}, {'C', 6}}, 2);
    assert_int_equal(s.counted, 1);
    assert_int_equal(s.estimate.bytes, 9000 - 17);
}

static void behind_lost_heads_the_next_head_is_found(void **state)
{
    static const struct says before[] = {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}};
    struct session s = handshake(TLS_13, NULL);

    (void)state;
    say(&s, before, 4);
    s.counted += weir_tls_estimate_gap(&s.estimate, WEIR_SIDE_CLIENT, 20000);
    feed(&s, WEIR_SIDE_CLIENT, (const uint8_t *)"\x17\x03\x09tail of a record\x16", 20);
    say(&s, (struct says[]){{'C', 300}, {'S', 37}, {'C', 6}}, 3);
    assert_int_equal(s.counted, 1);
    assert_false(s.estimate.lost);
}

/* Authentication and two mails, with or without an envelope in one go; of the client nothing is
 * captured behind its hello. */
static unsigned hear_the_server_alone(unsigned suite, bool pipelined)
{
    static const struct says step_by_step[] = {
        {'C', 24}, {'S', 210}, {'C', 60}, {'S', 37}, {'C', 52}, {'S', 14}, {'C', 40}, {'S', 14},
        {'C', 6}, {'S', 37}, {'C', 900}, {'S', 37}, {'C', 110}, {'S', 65}, {'C', 900}, {'S', 37},
        {'C', 6}, {'S', 15}};
    static const struct says in_one_go[] = {
        {'C', 24}, {'S', 210}, {'C', 60}, {'S', 37}, {'C', 110}, {'S', 65}, {'C', 900}, {'S', 37},
        {'C', 110}, {'S', 65}, {'C', 900}, {'S', 37}, {'C', 6}, {'S', 15}};
    const struct says *says = pipelined ? in_one_go : step_by_step;
    size_t count = pipelined ? sizeof in_one_go / sizeof in_one_go[0]
                             : sizeof step_by_step / sizeof step_by_step[0];
    struct session s = {weir_tls_estimate(0, 0), suite, 0, NULL};
    uint8_t room[256];

    feed_record(&s, WEIR_SIDE_CLIENT, 22, 512);
    feed(&s, WEIR_SIDE_SERVER, room, tls_hello(room, suite, 32));
    if (suite == TLS_13)
        feed_record(&s, WEIR_SIDE_SERVER, 23, 1600);
    s.counted += weir_tls_estimate_gap(&s.estimate, WEIR_SIDE_CLIENT, 80);
    feed_record(&s, WEIR_SIDE_SERVER, suite == TLS_13 ? 23 : 22, 240);
    for (size_t i = 0; i < count; i++)
        if (says[i].who == 'C')
            s.counted += weir_tls_estimate_gap(&s.estimate, WEIR_SIDE_CLIENT,
                                               says[i].plain + 5 + tls_overhead(suite));
        else
            say(&s, &says[i], 1);
    return s.counted + weir_tls_estimate_end(&s.estimate);
}

static void messages_of_a_client_that_is_not_captured_are_counted_by_their_replies(void **state)
{
    (void)state;
    for (int pipelined = 0; pipelined < 2; pipelined++) {
        assert_int_equal(hear_the_server_alone(TLS_13, pipelined), 2);
        assert_int_equal(hear_the_server_alone(TLS_12_GCM, pipelined), 2);
    }
}

static void a_reply_that_was_not_captured_is_none(void **state)
{
    static const struct says before[] = {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}, {'C', 900}};
    struct session s = handshake(TLS_13, NULL);

    (void)state;
    say(&s, before, 5);
    s.counted += weir_tls_estimate_gap(&s.estimate, WEIR_SIDE_SERVER, 37 + 17 + 5);
    say(&s, (struct says[]){{'C', 6}, {'S', 15}}, 2);
    assert_int_equal(s.counted + weir_tls_estimate_end(&s.estimate), 0);
}

static void what_is_no_record_is_lost(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
        bool begins;
    } heads[] = {
        {"\x14\x03\x00\x00\x01", 5, true},   {"\x17\x03\x04\x48\x00", 5, true},
        {"\x17\x03\x03\x48\x01", 5, false},  {"\x18\x03\x03\x00\x01", 5, false},
        {"\x13\x03\x03\x00\x01", 5, false},  {"\x16\x02\x00\x00\x01", 5, false},
        {"\x16\x03\x05\x00\x01", 5, false},  {"\x16\x03\x03\x49", 4, false},
        {"\x16", 1, true},                   {"220 mx", 6, false}, {"", 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct weir_slice octets = {heads[i].octets, heads[i].len};
        struct weir_tls_estimate estimate = weir_tls_estimate(0, 0);

        assert_int_equal(weir_tls_begins(octets), heads[i].begins);
        weir_tls_estimate_octets(&estimate, WEIR_SIDE_SERVER, octets);
        assert_int_equal(estimate.lost, !heads[i].begins);
        assert_int_equal(weir_tls_estimate_gap(&estimate, WEIR_SIDE_SERVER, 10), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_counted_by_lengths_whatever_the_cipher),
        cmocka_unit_test(pieces_change_nothing),
        cmocka_unit_test(a_large_body_that_is_answered_at_length_is_refused),
        cmocka_unit_test(new_keys_asked_for_in_front_of_the_dot_change_nothing),
        cmocka_unit_test(calibrated_bounds_are_kept),
        cmocka_unit_test(a_body_that_was_not_captured_is_counted_by_its_heads),
        cmocka_unit_test(behind_lost_heads_the_next_head_is_found),
        cmocka_unit_test(messages_of_a_client_that_is_not_captured_are_counted_by_their_replies),
        cmocka_unit_test(a_reply_that_was_not_captured_is_none),
        cmocka_unit_test(what_is_no_record_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
