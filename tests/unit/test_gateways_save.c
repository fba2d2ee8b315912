/*
 * What was learned as text and back (gateways_save.c), and that it is bounded.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/mail/gateways.h"
#include "tests/unit/seeded.h"

#define START (20000 * WEIR_DAY)

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static struct weir_gateways *fresh(uint8_t key_octet)
{
    struct weir_gateways *gateways = NULL;
    struct weir_gateway_settings settings = weir_gateway_defaults();
    struct weir_hash_key key = {{key_octet}};
    assert_int_equal(weir_gateways_new(&settings, &key, &gateways), 0);
    return gateways;
}

static struct weir_address numbered(uint32_t number)
{
    struct weir_address made = {{[10] = 0xff, [11] = 0xff, [12] = 20}};
    made.octet[13] = (uint8_t)(number >> 16);
    made.octet[14] = (uint8_t)(number >> 8);
    made.octet[15] = (uint8_t)number;
    return made;
}

static void see(struct weir_gateways *gateways, uint32_t from, uint32_t number, weir_time at)
{
    char text[32];
    snprintf(text, sizeof text, "u%u@x.example", number % 3);
    struct weir_gateway_sighting sighting = {
        .at = at, .listener = slice("25"), .address = numbered(from), .has_next = true,
        .next = numbered(number << 16), .domain = slice(text), .recipient = slice(text)};
    weir_gateways_observe(gateways, &sighting);
}

static char *save(const struct weir_gateways *gateways, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    assert_non_null(out);
    assert_int_equal(weir_gateways_save(gateways, out), 0);
    fclose(out);
    return text;
}

/* A handle with a gateway for three recipients, one decided about and some candidates. */
static struct weir_gateways *learned(void)
{
    struct weir_gateways *gateways = fresh(1);
    struct weir_prefix ours = {numbered(7), 128};
    struct weir_address rejected = numbered(9), approved = numbered(10);
    assert_int_equal(weir_gateways_corroborate(gateways, &ours, "ours"), 0);
    for (uint32_t i = 0; i < 5000; i++) {
        see(gateways, 7, i, START + i * WEIR_DAY / 1000);
        see(gateways, 20 + i % 50, 1, START + i * WEIR_DAY / 1000);
    }
    weir_time now = START + 5 * WEIR_DAY;
    assert_int_equal(weir_gateways_decide(gateways, &rejected, WEIR_GATEWAY_REJECTED, now), 0);
    assert_int_equal(weir_gateways_decide(gateways, &approved, WEIR_GATEWAY_ACTIVE, now), 0);
    weir_gateways_review(gateways, now, NULL, NULL);
    return gateways;
}

static void what_is_saved_comes_back_the_same(void **state)
{
    struct weir_gateways *gateways = learned(), *again = fresh(1);
    struct weir_address forwarder = numbered(7);
    size_t len, len_again;
    char *text = save(gateways, &len);
    (void)state;
    assert_int_equal(weir_gateways_load(again, text, len), 0);
    char *text_again = save(again, &len_again);
    assert_int_equal(len, len_again);
    assert_memory_equal(text, text_again, len);
    assert_int_equal(weir_gateways_state(again, &forwarder, slice("")), WEIR_GATEWAY_FORWARDER);
    assert_true(weir_gateways_pass(again, &forwarder, slice("u2@x.example")));
    assert_false(weir_gateways_pass(again, &forwarder, slice("u9@x.example")));
    free(text);
    free(text_again);
    weir_gateways_free(&gateways);
    weir_gateways_free(&again);
}

static void under_another_key_what_was_decided_comes_back_and_no_counts(void **state)
{
    struct weir_gateways *gateways = learned(), *again = fresh(2);
    struct weir_address forwarder = numbered(7), rejected = numbered(9), approved = numbered(10);
    size_t len;
    char *text = save(gateways, &len);
    (void)state;
    assert_int_equal(weir_gateways_load(again, text, len), 0);
    assert_int_equal(weir_gateways_state(again, &rejected, slice("")), WEIR_GATEWAY_REJECTED);
    assert_int_equal(weir_gateways_state(again, &approved, slice("")), WEIR_GATEWAY_ACTIVE);
    assert_int_equal(weir_gateways_state(again, &forwarder, slice("")), WEIR_GATEWAY_CANDIDATE);
    see(again, 7, 1, START + 6 * WEIR_DAY);
    weir_gateways_review(again, START + 6 * WEIR_DAY, NULL, NULL);
    free(text);
    weir_gateways_free(&gateways);
    weir_gateways_free(&again);
}

static void text_that_was_damaged_is_refused_or_taken_and_never_half(void **state)
{
    struct seeded seeded = seeded_new("damaged gateways");
    struct weir_gateways *gateways = learned(), *again = fresh(1);
    size_t len;
    char *text = save(gateways, &len);
    unsigned refused = 0;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        size_t at = seeded_below(&seeded, (unsigned)len), cut = len;
        char kept = text[at];
        if (i % 3 == 0)
            cut = at;
        else
            text[at] = "0123456789abcdef -\nz\xff"[seeded_below(&seeded, 21)];
        int rc = weir_gateways_load(again, text, cut);
        text[at] = kept;
        assert_true(rc == 0 || rc == WEIR_ECORRUPT);
        struct weir_address approved = numbered(10);
        if (rc < 0)
            assert_int_equal(weir_gateways_state(again, &approved, slice("")), WEIR_GATEWAY_NONE);
        refused += rc < 0;
        weir_gateways_review(again, START + 6 * WEIR_DAY, NULL, NULL);
    }
    assert_true(refused > 1000);
    free(text);
    weir_gateways_free(&gateways);
    weir_gateways_free(&again);
}

static int count(void *context, const struct weir_gateway_view *view)
{
    unsigned *counted = context;
    (void)view;
    ++*counted;
    return 0;
}

static void WEIR_GATEWAY_CANDIDATES_MAX_addresses_are_watched_in_less_than_4_MB(void **state)
{
    size_t before = mallinfo2().uordblks;
    struct weir_gateways *gateways = fresh(1);
    unsigned counted = 0;
    (void)state;
    for (uint32_t i = 0; i <= WEIR_GATEWAY_CANDIDATES_MAX; i++)
        see(gateways, i, i, START);
    weir_gateways_each(gateways, START, count, &counted);
    assert_int_equal(counted, WEIR_GATEWAY_CANDIDATES_MAX);
    assert_true(mallinfo2().uordblks - before < 4u << 20);
    weir_gateways_free(&gateways);
}

static void a_flood_of_addresses_pushes_out_each_other_and_not_what_is_seen_daily(void **state)
{
    struct weir_gateways *gateways = fresh(1);
    struct weir_address daily = numbered(7), rejected = numbered(9);
    (void)state;
    assert_int_equal(weir_gateways_decide(gateways, &rejected, WEIR_GATEWAY_REJECTED, START), 0);
    for (uint32_t i = 0; i < 100000; i++) {
        see(gateways, 1000 + i, i, START + i * WEIR_SECOND);
        if (i % 500 == 0)
            see(gateways, 7, i, START + i * WEIR_SECOND);
    }
    assert_int_equal(weir_gateways_state(gateways, &daily, slice("")), WEIR_GATEWAY_CANDIDATE);
    assert_int_equal(weir_gateways_state(gateways, &rejected, slice("")), WEIR_GATEWAY_REJECTED);
    weir_gateways_free(&gateways);
}

static void WEIR_GATEWAYS_MAX_prefixes_and_decisions_are_kept_and_not_one_more(void **state)
{
    struct weir_gateways *gateways = fresh(1);
    (void)state;
    for (uint32_t i = 0; i <= WEIR_GATEWAYS_MAX; i++) {
        struct weir_prefix prefix = {numbered(i), 128};
        struct weir_address decided = numbered(5000 + i);
        int want = i < WEIR_GATEWAYS_MAX ? 0 : WEIR_ELIMIT;
        assert_int_equal(weir_gateways_configure(gateways, &prefix), want);
        assert_int_equal(weir_gateways_corroborate(gateways, &prefix, "ours"), want);
        assert_int_equal(weir_gateways_decide(gateways, &decided, WEIR_GATEWAY_ACTIVE, START),
                         want);
    }
    weir_gateways_free(&gateways);
}

static void more_than_WEIR_GATEWAY_LISTENERS_MAX_listeners_share_their_counts(void **state)
{
    struct weir_gateways *gateways = fresh(1);
    struct weir_prefix prefix = {numbered(7), 128};
    (void)state;
    assert_int_equal(weir_gateways_configure(gateways, &prefix), 0);
    for (int i = 0; i < 40 * (WEIR_GATEWAY_LISTENERS_MAX + 9); i++) {
        char name[16];
        snprintf(name, sizeof name, "l%d", i % (WEIR_GATEWAY_LISTENERS_MAX + 9));
        struct weir_gateway_sighting sighting = {.at = START, .listener = slice(name),
                                                 .address = numbered(7)};
        weir_gateways_observe(gateways, &sighting);
    }
    assert_true(weir_gateways_usual(gateways, slice("l0")));
    assert_false(weir_gateways_usual(gateways, slice("unheard of")));
    weir_gateways_free(&gateways);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_comes_back_the_same),
        cmocka_unit_test(under_another_key_what_was_decided_comes_back_and_no_counts),
        cmocka_unit_test(text_that_was_damaged_is_refused_or_taken_and_never_half),
        cmocka_unit_test(WEIR_GATEWAY_CANDIDATES_MAX_addresses_are_watched_in_less_than_4_MB),
        cmocka_unit_test(a_flood_of_addresses_pushes_out_each_other_and_not_what_is_seen_daily),
        cmocka_unit_test(WEIR_GATEWAYS_MAX_prefixes_and_decisions_are_kept_and_not_one_more),
        cmocka_unit_test(more_than_WEIR_GATEWAY_LISTENERS_MAX_listeners_share_their_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
