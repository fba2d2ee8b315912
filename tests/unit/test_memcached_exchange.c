/* One question to memcached and its answer: octet by octet, and against liars. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/memcached_exchange.h"
#include "tests/unit/seeded.h"

enum { GETQ = 0x09, NOOP = 0x0a };

#define SLOTS 6
#define FIRST 1000u /* the opaque of slot 0 */

struct ask {
    struct weir_memcached_exchange exchange;
    struct weir_counter_slot slot[SLOTS];
    uint8_t question[2048];
    size_t question_len;
};

static const uint32_t in_order[SLOTS] = {0, 1, 2, 3, 4, 5};

/* A question for all slots, written. */
static void ask(struct ask *a)
{
    memset(a, 0, sizeof *a);
    for (uint8_t i = 0; i < SLOTS; i++) {
        a->slot[i].counter.entity.id[0] = i;
        a->slot[i].counter.half_life = 900;
        a->slot[i].epoch = 7;
        a->slot[i].missing = true;
        a->slot[i].value = 99;
    }
    weir_memcached_exchange_begin(&a->exchange, a->slot, in_order, SLOTS, FIRST);
    a->question_len =
        weir_memcached_exchange_write(&a->exchange, a->question, sizeof a->question);
}

/* What a server says. */
struct text {
    uint8_t octet[16384];
    size_t len;
};

static void say(struct text *t, uint8_t opcode, uint16_t status, uint32_t opaque,
                uint8_t extras, const char *body, size_t len)
{
    uint8_t *at = t->octet + t->len;
    uint16_t status_net = htons(status);
    uint32_t len_net = htonl((uint32_t)len);
    uint32_t opaque_net = htonl(opaque);
    memset(at, 0, 24);
    at[0] = 0x81;
    at[1] = opcode;
    at[4] = extras;
    memcpy(at + 6, &status_net, 2);
    memcpy(at + 8, &len_net, 4);
    memcpy(at + 12, &opaque_net, 4);
    memcpy(at + 24, body, len);
    t->len += 24 + len;
}

static void say_value(struct text *t, uint32_t k, const char *value)
{
    char body[128] = {0};
    strcpy(body + 4, value);
    say(t, GETQ, 0, FIRST + k, 4, body, 4 + strlen(value));
}

static void say_end(struct text *t)
{
    say(t, NOOP, 0, FIRST + SLOTS, 0, "", 0);
}

static int hear(struct ask *a, const struct text *t)
{
    size_t used;
    return weir_memcached_exchange_read(&a->exchange, t->octet, t->len, &used);
}

static void the_question_is_quiet_gets_and_a_noop(void **state)
{
    struct ask a;
    char key[WEIR_COUNTER_KEY_MAX];
    (void)state;
    ask(&a);
    const uint8_t *at = a.question;
    for (uint32_t i = 0; i <= SLOTS; i++) {
        uint32_t opaque = htonl(FIRST + i);
        size_t len = i < SLOTS ? weir_counter_key(&a.slot[i].counter, 7, key) : 0;
        const uint8_t want[12] = {0x80, i < SLOTS ? GETQ : NOOP, 0, (uint8_t)len, 0, 0, 0, 0,
                                  0, 0, 0, (uint8_t)len};
        assert_memory_equal(at, want, sizeof want);
        assert_memory_equal(at + 12, &opaque, 4);
        assert_memory_equal(at + 16, "\0\0\0\0\0\0\0", 8);
        assert_memory_equal(at + 24, key, len);
        at += 24 + len;
    }
    assert_int_equal(at - a.question, a.question_len);
}

static void a_question_written_in_pieces_is_the_same(void **state)
{
    struct ask a;
    struct weir_memcached_exchange exchange;
    uint8_t question[sizeof a.question];
    (void)state;
    ask(&a);
    for (size_t room = WEIR_MEMCACHED_HEADER + WEIR_COUNTER_KEY_MAX; room < 400; room++) {
        size_t len = 0;
        size_t got;
        weir_memcached_exchange_begin(&exchange, a.slot, in_order, SLOTS, FIRST);
        while ((got = weir_memcached_exchange_write(&exchange, question + len, room)) > 0) {
            assert_true(got <= room);
            len += got;
        }
        assert_int_equal(len, a.question_len);
        assert_memory_equal(question, a.question, len);
    }
}

static void answers_find_their_slots_and_what_is_left_out_is_not_there(void **state)
{
    struct ask a;
    struct text t = {.len = 0};
    (void)state;
    ask(&a);
    say_value(&t, 1, "4096");
    say(&t, GETQ, 1, FIRST + 2, 0, "Not found", 9); /* decent, though not quiet */
    say_value(&t, 4, "7");
    say_end(&t);
    assert_int_equal(hear(&a, &t), 1);
    static const uint64_t want[SLOTS] = {0, 4096, 0, 0, 7, 0};
    for (size_t i = 0; i < SLOTS; i++) {
        assert_false(a.slot[i].missing);
        assert_int_equal(a.slot[i].value, want[i]);
    }
    assert_int_equal(a.exchange.malformed, 0);
}

static void an_answer_in_any_pieces_is_the_same(void **state)
{
    struct text t = {.len = 0};
    (void)state;
    struct seeded seed = seeded_new("an_answer_in_any_pieces_is_the_same");
    say_value(&t, 0, "1");
    say_value(&t, 3, "12345678901234567890");
    say(&t, GETQ, 0x82, FIRST + 4, 0, "Out of memory", 13);
    say_end(&t);
    for (unsigned most = 1; most < 60; most++) {
        struct ask a;
        size_t from = 0;
        size_t to = 0;
        int done = 0;
        ask(&a);
        while (done == 0 && to < t.len) {
            size_t used;
            to += 1 + seeded_below(&seed, most);
            to = to < t.len ? to : t.len;
            /* A copy of just that much, so that reading on would be seen. */
            uint8_t *piece = malloc(to - from);
            memcpy(piece, t.octet + from, to - from);
            done = weir_memcached_exchange_read(&a.exchange, piece, to - from, &used);
            free(piece);
            from += used;
        }
        assert_int_equal(done, 1);
        assert_int_equal(from, t.len);
        assert_int_equal(a.slot[0].value, 1);
        assert_int_equal(a.slot[3].value, WEIR_COUNTER_MAX);
        assert_true(a.slot[4].missing);
        assert_int_equal(a.exchange.malformed, 1);
    }
}

static void what_came_before_a_failure_stays(void **state)
{
    struct ask a;
    struct text t = {.len = 0};
    (void)state;
    ask(&a);
    say_value(&t, 2, "5");
    assert_int_equal(hear(&a, &t), 0);
    assert_false(a.slot[1].missing);
    assert_int_equal(a.slot[1].value, 0);
    assert_false(a.slot[2].missing);
    assert_int_equal(a.slot[2].value, 5);
    for (size_t i = 3; i < SLOTS; i++)
        assert_true(a.slot[i].missing);
}

static void only_decimal_numbers_are_values(void **state)
{
    static const struct {
        const char *value;
        int good;
        uint64_t want;
    } cases[] = {
        {"0", 1, 0}, {"1", 1, 1}, {"007", 1, 7}, {"12  ", 1, 12},
        {"4611686018427387903", 1, WEIR_COUNTER_MAX - 1},
        {"4611686018427387904", 1, WEIR_COUNTER_MAX},
        {"4611686018427387905", 1, WEIR_COUNTER_MAX},
        {"9223372036854775808", 1, WEIR_COUNTER_MAX},
        {"18446744073709551615", 1, WEIR_COUNTER_MAX},
        {"18446744073709551616", 1, WEIR_COUNTER_MAX},
        {"99999999999999999999", 1, WEIR_COUNTER_MAX},
        {"00000000000000000001", 1, 1},
        {"000000000000000000001", 0, 0}, {"100000000000000000000", 0, 0},
        {"", 0, 0}, {" ", 0, 0}, {" 1", 0, 0}, {"1 2", 0, 0}, {"-1", 0, 0}, {"+1", 0, 0},
        {"1.0", 0, 0}, {"0x1", 0, 0}, {"1e9", 0, 0}, {"1\t", 0, 0}, {"a", 0, 0}, {"1\r\n", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ask a;
        struct text t = {.len = 0};
        ask(&a);
        say_value(&t, 0, cases[i].value);
        say_end(&t);
        assert_int_equal(hear(&a, &t), 1);
        if (a.slot[0].missing == cases[i].good || a.slot[0].value != cases[i].want)
            fail_msg("\"%s\": missing %d, value %llu", cases[i].value, a.slot[0].missing,
                     (unsigned long long)a.slot[0].value);
        assert_int_equal(a.exchange.malformed, !cases[i].good);
        assert_false(a.slot[1].missing);
    }
}

static void bodies_are_bounded_by_WEIR_MEMCACHED_BODY_MAX(void **state)
{
    static const char body[WEIR_MEMCACHED_BODY_MAX + 1];
    struct ask a;
    struct text t = {.len = 0};
    (void)state;
    ask(&a);
    say(&t, GETQ, 0, FIRST, 4, body, WEIR_MEMCACHED_BODY_MAX);
    say_end(&t);
    assert_int_equal(hear(&a, &t), 1);
    assert_true(a.slot[0].missing);
    ask(&a);
    t.len = 0;
    say(&t, GETQ, 0, FIRST, 4, body, WEIR_MEMCACHED_BODY_MAX + 1);
    t.len = 24; /* known from the header alone */
    assert_int_equal(hear(&a, &t), WEIR_ECORRUPT);
}

/* Each spoils one octet of an honest first answer, or adds a dishonest one. */
static void what_is_no_answer_to_the_question_is_refused(void **state)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t octet;
    } cases[] = {
        {"a request's magic", 0, 0x80}, {"text", 0, 'V'},           {"GETK", 1, 0x0c},
        {"GETKQ", 1, 0x0d},             {"VERSION", 1, 0x0b},       {"STAT", 1, 0x10},
        {"a NOOP that is none", 1, NOOP}, {"a key", 3, 1},          {"a huge key", 2, 0xff},
        {"no flags", 4, 0},             {"long flags", 4, 5},       {"extras beyond", 4, 6},
        {"a huge body", 8, 0xff},       {"an opaque before", 15, (FIRST - 1) & 0xff},
        {"an opaque behind", 15, (FIRST + SLOTS + 1) & 0xff}, {"another opaque", 12, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ask a;
        struct text t = {.len = 0};
        ask(&a);
        say_value(&t, 0, "1");
        say_end(&t);
        t.octet[cases[i].at] = cases[i].octet;
        if (hear(&a, &t) != WEIR_ECORRUPT)
            fail_msg("%s was taken", cases[i].what);
        assert_true(a.slot[0].missing);
    }
}

static void order_matters(void **state)
{
    static const struct {
        const char *what;
        int said[4]; /* slots, in this order; SLOTS is the end, -1 nothing */
        int want;
    } cases[] = {
        {"in order", {0, 1, SLOTS, -1}, 1},   {"backwards", {1, 0, SLOTS, -1}, WEIR_ECORRUPT},
        {"twice", {1, 1, SLOTS, -1}, WEIR_ECORRUPT},
        {"the end, then one", {SLOTS, 1, -1, -1}, WEIR_ECORRUPT},
        {"two ends", {SLOTS, SLOTS, -1, -1}, WEIR_ECORRUPT}, {"no end", {0, 1, -1, -1}, 0},
        {"only the end", {SLOTS, -1, -1, -1}, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ask a;
        struct text t = {.len = 0};
        ask(&a);
        for (size_t k = 0; k < 4 && cases[i].said[k] >= 0; k++) {
            if (cases[i].said[k] == SLOTS)
                say_end(&t);
            else
                say_value(&t, (uint32_t)cases[i].said[k], "1");
        }
        int got = hear(&a, &t);
        if (got != cases[i].want)
            fail_msg("%s: got %d, want %d", cases[i].what, got, cases[i].want);
    }
}

/* An answer before its question was written is the answer to another one. */
static void an_answer_too_early_is_refused(void **state)
{
    struct ask a;
    struct text t = {.len = 0};
    uint8_t room[WEIR_MEMCACHED_HEADER + WEIR_COUNTER_KEY_MAX];
    (void)state;
    ask(&a);
    weir_memcached_exchange_begin(&a.exchange, a.slot, in_order, SLOTS, FIRST);
    assert_true(weir_memcached_exchange_write(&a.exchange, room, sizeof room) > 0);
    say_value(&t, 1, "1");
    assert_int_equal(hear(&a, &t), WEIR_ECORRUPT);
}

static void opaques_may_run_over(void **state)
{
    struct ask a;
    struct text t = {.len = 0};
    (void)state;
    ask(&a);
    weir_memcached_exchange_begin(&a.exchange, a.slot, in_order, SLOTS, UINT32_MAX - 1);
    weir_memcached_exchange_write(&a.exchange, a.question, sizeof a.question);
    say(&t, GETQ, 0, UINT32_MAX, 4, "\0\0\0\0005", 5);
    say(&t, GETQ, 0, 2, 4, "\0\0\0\0006", 5);
    say(&t, NOOP, 0, SLOTS - 2, 0, "", 0);
    assert_int_equal(hear(&a, &t), 1);
    assert_int_equal(a.slot[1].value, 5);
    assert_int_equal(a.slot[4].value, 6);
}

static void a_question_for_nothing_has_only_an_end(void **state)
{
    struct weir_memcached_exchange exchange;
    struct text t = {.len = 0};
    uint8_t room[128];
    size_t used;
    (void)state;
    weir_memcached_exchange_begin(&exchange, NULL, NULL, 0, 5);
    assert_int_equal(weir_memcached_exchange_write(&exchange, room, sizeof room), 24);
    assert_int_equal(weir_memcached_exchange_write(&exchange, room, sizeof room), 0);
    say(&t, NOOP, 0, 5, 0, "", 0);
    assert_int_equal(weir_memcached_exchange_read(&exchange, t.octet, t.len, &used), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_question_is_quiet_gets_and_a_noop),
        cmocka_unit_test(a_question_written_in_pieces_is_the_same),
        cmocka_unit_test(answers_find_their_slots_and_what_is_left_out_is_not_there),
        cmocka_unit_test(an_answer_in_any_pieces_is_the_same),
        cmocka_unit_test(what_came_before_a_failure_stays),
        cmocka_unit_test(only_decimal_numbers_are_values),
        cmocka_unit_test(bodies_are_bounded_by_WEIR_MEMCACHED_BODY_MAX),
        cmocka_unit_test(what_is_no_answer_to_the_question_is_refused),
        cmocka_unit_test(order_matters),
        cmocka_unit_test(an_answer_too_early_is_refused),
        cmocka_unit_test(opaques_may_run_over),
        cmocka_unit_test(a_question_for_nothing_has_only_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
