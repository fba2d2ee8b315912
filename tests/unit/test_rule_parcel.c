/*
 * Signed rule sets on their way (core/evidence/rule_parcel.c): what comes out is what went in, and
 * whatever was changed, cut, added or signed by somebody else is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/evidence/rule_parcel.h"
#include "tests/unit/seeded.h"

#define RULES "body A /a/\nscore A 1\nid A 7\nbody B /b/\nscore B 2\nid B 9\n"
#define SEED "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE" /* "01234567890123..." */

struct made {
    struct weir_parcel_keys keys;
    uint8_t *octets;
    size_t len;
};

static struct weir_rule_parcel a_parcel(void)
{
    return (struct weir_rule_parcel){.serial = 12,
                                     .made = 1795341600 * WEIR_SECOND,
                                     .rules = 2,
                                     .section = {[WEIR_PARCEL_RULES] = weir_slice_of(RULES)}};
}

static struct made make(const struct weir_rule_parcel *parcel)
{
    struct made made;
    void *octets;

    assert_true(weir_parcel_keys_read(weir_slice_of(SEED), &made.keys));
    assert_int_equal(weir_rule_parcel_make(parcel, &made.keys, &octets, &made.len), 0);
    made.octets = octets;
    return made;
}

/* Reads octets of exactly this length, so that a sanitizer sees each step outside. */
static int read_all(const uint8_t *octets, size_t len, const uint8_t *open,
                    struct weir_rule_parcel *parcel_r)
{
    const char *why = NULL;
    uint8_t *copy = malloc(len ? len : 1);
    int done;

    memcpy(copy, octets, len);
    done = weir_rule_parcel_read(copy, len, open, parcel_r, &why);
    if (done < 0)
        assert_non_null(why);
    free(copy);
    return done;
}

/* What somebody with the key would have signed: the head's lines as they are given. */
static struct made signed_by_hand(const char *lines)
{
    char text[4096], signature[87];
    unsigned char octets[crypto_sign_BYTES];
    crypto_sign_state state;
    struct made made;
    char key[WEIR_PARCEL_KEY_ID];

    assert_true(weir_parcel_keys_read(weir_slice_of(SEED), &made.keys));
    snprintf(text, sizeof text, "key %s\n%s", weir_parcel_key_id(made.keys.open, key), lines);
    crypto_sign_init(&state);
    crypto_sign_update(&state, (const unsigned char *)"weir-rules 1", 13);
    crypto_sign_update(&state, (const unsigned char *)text, strlen(text));
    crypto_sign_final_create(&state, octets, NULL, made.keys.secret);
    sodium_bin2base64(signature, sizeof signature, octets, sizeof octets,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    made.octets = malloc(8192);
    made.len = (size_t)snprintf((char *)made.octets, 8192, "weir-rules 1\nsignature %s\n%s",
                                signature, text);
    return made;
}

static void what_comes_out_is_what_went_in(void **state)
{
    struct weir_rule_parcel parcel = a_parcel(), read;
    const char *why;
    struct made made;

    (void)state;
    parcel.section[WEIR_PARCEL_BAYES] = (struct weir_slice){"\0\n\xff", 3};
    made = make(&parcel);
    assert_int_equal(weir_rule_parcel_read(made.octets, made.len, made.keys.open, &read, &why), 0);
    assert_int_equal(read.serial, 12);
    assert_int_equal(read.made, parcel.made);
    assert_int_equal(read.rules, 2);
    assert_true(weir_slice_same(read.section[WEIR_PARCEL_RULES],
                                parcel.section[WEIR_PARCEL_RULES]));
    assert_true(weir_slice_same(read.section[WEIR_PARCEL_BAYES],
                                parcel.section[WEIR_PARCEL_BAYES]));
    assert_int_equal(strlen(read.key), WEIR_PARCEL_KEY_ID - 1);
    free(made.octets);
}

static void B13_it_is_text_with_its_head_in_front(void **state)
{
    const struct weir_rule_parcel parcel = a_parcel();
    struct made made = make(&parcel);
    char head[256];

    (void)state;
    snprintf(head, sizeof head, "serial 12\nmade 1795341600\nrules 2\nsection rules %zu\n\n%s",
             strlen(RULES), RULES);
    assert_memory_equal(made.octets, "weir-rules 1\nsignature ", 23);
    assert_memory_equal(made.octets + made.len - strlen(head), head, strlen(head));
    free(made.octets);
}

static void B12_every_flipped_bit_is_seen(void **state)
{
    const struct weir_rule_parcel parcel = a_parcel();
    struct made made = make(&parcel);
    struct weir_rule_parcel read;

    (void)state;
    for (size_t bit = 0; bit < 8 * made.len; bit++) {
        made.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (read_all(made.octets, made.len, made.keys.open, &read) != WEIR_ECORRUPT)
            fail_msg("bit %zu of octet %zu", bit % 8, bit / 8);
        made.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(read_all(made.octets, made.len, made.keys.open, &read), 0);
    free(made.octets);
}

static void B12_it_is_refused_cut_at_every_length_and_with_more_behind_it(void **state)
{
    const struct weir_rule_parcel parcel = a_parcel();
    struct made made = make(&parcel);
    struct weir_rule_parcel read;

    (void)state;
    for (size_t len = 0; len < made.len; len++) {
        assert_int_equal(read_all(made.octets, len, made.keys.open, &read), WEIR_ECORRUPT);
        assert_int_equal(read_all(made.octets, len, NULL, &read), WEIR_ECORRUPT);
    }
    made.octets = realloc(made.octets, made.len + 1);
    made.octets[made.len] = '\n';
    assert_int_equal(read_all(made.octets, made.len + 1, made.keys.open, &read), WEIR_ECORRUPT);
    free(made.octets);
}

static void B12_another_key_is_told_from_a_change(void **state)
{
    const struct weir_rule_parcel parcel = a_parcel();
    struct made made = make(&parcel);
    struct weir_rule_parcel read;
    struct weir_parcel_keys other;
    char seed[WEIR_PARCEL_KEY_TEXT];
    const char *why;

    (void)state;
    weir_parcel_seed_new(seed);
    assert_true(weir_parcel_keys_read(weir_slice_of(seed), &other));
    assert_int_equal(weir_rule_parcel_read(made.octets, made.len, other.open, &read, &why),
                     WEIR_ECORRUPT);
    assert_non_null(strstr(why, "key"));
    made.octets[made.len - 1] ^= 1;
    assert_int_equal(weir_rule_parcel_read(made.octets, made.len, made.keys.open, &read, &why),
                     WEIR_ECORRUPT);
    assert_non_null(strstr(why, "changed"));
    assert_int_equal(weir_rule_parcel_read(made.octets, made.len, NULL, &read, &why), 0);
    free(made.octets);
}

static void heads_that_are_signed_but_wrong_are_refused(void **state)
{
    static const struct {
        const char *lines;
        int done;
    } cases[] = {
        {"serial 1\nmade 1\nrules 0\n\n", 0},
        {"serial 1\nmade 1\nrules 0\nsection rules 2\nsection bayes 1\n\nabc", 0},
        {"serial 1\nmade 1\nrules 0\nsection later 3\nsection rules 0\n\nabc", 0},
        {"serial 268435455\nmade 1\nrules 100000\n\n", 0},
        {"serial 268435456\nmade 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 100001\n\n", WEIR_ECORRUPT},
        {"serial 0\nmade 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial 01\nmade 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial -1\nmade 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial 1 \nmade 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial\nmade 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial 99999999999999999999\nmade 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial 1\nmade 9223372036854775807\nrules 0\n\n", WEIR_ECORRUPT},
        {"made 1\nserial 1\nrules 0\n\n", WEIR_ECORRUPT},
        {"serial 1\nmade 1\n\n", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\n", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\n\nmore", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\nsection rules 4\n\nabc", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\nsection rules 2\n\nabc", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\nsection rules 1\nsection rules 2\n\nabc", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\nsection rules\n\n", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\nsection  3\n\nabc", WEIR_ECORRUPT},
        {"serial 1\nmade 1\nrules 0\nsection rules 33554433\n\nabc", WEIR_ECORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = signed_by_hand(cases[i].lines);
        struct weir_rule_parcel read;

        if (read_all(made.octets, made.len, made.keys.open, &read) != cases[i].done)
            fail_msg("case %zu: %s", i, cases[i].lines);
        free(made.octets);
    }
}

/* A head with so many sections of names that nobody knows. */
static int with_sections(size_t count)
{
    char lines[1024] = "serial 1\nmade 1\nrules 0\n";
    struct weir_rule_parcel read;
    struct made made;
    int done;

    for (size_t i = 0; i < count; i++)
        strcat(lines, "section x 0\n");
    strcat(lines, "\n");
    made = signed_by_hand(lines);
    done = read_all(made.octets, made.len, made.keys.open, &read);
    free(made.octets);
    return done;
}

static void limit_WEIR_RULE_PARCEL_SECTIONS_MAX(void **state)
{
    (void)state;
    assert_int_equal(with_sections(WEIR_RULE_PARCEL_SECTIONS_MAX), 0);
    assert_int_equal(with_sections(WEIR_RULE_PARCEL_SECTIONS_MAX + 1), WEIR_ECORRUPT);
}

static void limit_WEIR_RULE_PARCEL_MAX(void **state)
{
    struct weir_rule_parcel parcel = a_parcel(), read;
    struct made made = make(&parcel);
    char *text = calloc(1, WEIR_RULE_PARCEL_MAX + 1);
    size_t head = made.len - strlen(RULES) + strlen("33554432") - strlen("58");
    const char *why;
    void *octets;
    size_t len;

    (void)state;
    parcel.section[WEIR_PARCEL_RULES] = (struct weir_slice){text, WEIR_RULE_PARCEL_MAX - head + 1};
    assert_int_equal(weir_rule_parcel_make(&parcel, &made.keys, &octets, &len), WEIR_ELIMIT);
    parcel.section[WEIR_PARCEL_RULES].len--;
    assert_int_equal(weir_rule_parcel_make(&parcel, &made.keys, &octets, &len), 0);
    assert_int_equal(len, WEIR_RULE_PARCEL_MAX);
    assert_int_equal(weir_rule_parcel_read(octets, len, made.keys.open, &read, &why), 0);
    assert_int_equal(weir_rule_parcel_read(text, WEIR_RULE_PARCEL_MAX + 1, made.keys.open, &read,
                                           &why), WEIR_ELIMIT);
    parcel.section[WEIR_PARCEL_BAYES] = (struct weir_slice){text, SIZE_MAX};
    assert_int_equal(weir_rule_parcel_make(&parcel, &made.keys, &octets, &len), WEIR_ELIMIT);
    free(octets);
    free(text);
    free(made.octets);
}

static void a_serial_is_needed_and_has_a_limit(void **state)
{
    struct weir_rule_parcel parcel = a_parcel();
    struct made made = make(&parcel);
    void *octets;
    size_t len;

    (void)state;
    parcel.serial = 0;
    assert_int_equal(weir_rule_parcel_make(&parcel, &made.keys, &octets, &len), WEIR_EINVAL);
    parcel.serial = WEIR_RULE_SERIAL_MAX + 1;
    assert_int_equal(weir_rule_parcel_make(&parcel, &made.keys, &octets, &len), WEIR_ELIMIT);
    free(made.octets);
}

static void keys_are_read_exactly(void **state)
{
    struct weir_parcel_keys keys, again;
    char text[WEIR_PARCEL_KEY_TEXT];
    uint8_t open[WEIR_PARCEL_PUBLIC];

    (void)state;
    assert_true(weir_parcel_keys_read(weir_slice_of("  " SEED "\n"), &keys));
    assert_true(weir_parcel_keys_read(weir_slice_of(SEED), &again));
    assert_memory_equal(keys.open, again.open, sizeof keys.open);
    assert_false(weir_parcel_keys_read(weir_slice_of(""), &again));
    assert_false(weir_parcel_keys_read(weir_slice_of(SEED "A"), &again));
    assert_false(weir_parcel_keys_read(weir_slice_of("*" SEED), &again));
    weir_parcel_public_text(keys.open, text);
    assert_true(weir_parcel_public_read(weir_slice_of(text), open));
    assert_memory_equal(open, keys.open, sizeof open);
    text[42] = '\n';
    assert_false(weir_parcel_public_read(weir_slice_of(text), open));
    assert_false(weir_parcel_public_read((struct weir_slice){text, 42}, open));
}

static void names_are_read_as_they_are_written(void **state)
{
    static const char *const none[] = {"rules-.db", "rules-0.db", "rules-01.db", "rules-1.db.new",
                                       "rules-268435456.db", "rules-1", "rule-1.db", "rules-1x.db",
                                       "", "rules-99999999999999999999999.db"};
    char name[WEIR_PARCEL_NAME];

    (void)state;
    assert_string_equal(weir_parcel_name(12, name), "rules-12.db");
    assert_int_equal(weir_parcel_serial_of(name), 12);
    assert_int_equal(weir_parcel_serial_of(weir_parcel_name(WEIR_RULE_SERIAL_MAX, name)),
                     WEIR_RULE_SERIAL_MAX);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(weir_parcel_serial_of(none[i]), 0);
}

static void whatever_octets_come_nothing_is_taken_for_signed(void **state)
{
    const struct weir_rule_parcel parcel = a_parcel();
    struct made made = make(&parcel);
    struct seeded seeded = seeded_new(__func__);
    uint8_t *copy = malloc(made.len);

    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t at = seeded_below(&seeded, (unsigned)made.len);
        size_t len = 1 + seeded_below(&seeded, 40);
        struct weir_rule_parcel read;

        memcpy(copy, made.octets, made.len);
        len = len < made.len - at ? len : made.len - at;
        seeded_fill(&seeded, copy + at, len);
        if (memcmp(copy, made.octets, made.len) != 0)
            assert_int_equal(read_all(copy, made.len, made.keys.open, &read), WEIR_ECORRUPT);
        (void)read_all(copy, made.len, NULL, &read);
    }
    free(copy);
    free(made.octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_out_is_what_went_in),
        cmocka_unit_test(B13_it_is_text_with_its_head_in_front),
        cmocka_unit_test(B12_every_flipped_bit_is_seen),
        cmocka_unit_test(B12_it_is_refused_cut_at_every_length_and_with_more_behind_it),
        cmocka_unit_test(B12_another_key_is_told_from_a_change),
        cmocka_unit_test(heads_that_are_signed_but_wrong_are_refused),
        cmocka_unit_test(limit_WEIR_RULE_PARCEL_SECTIONS_MAX),
        cmocka_unit_test(limit_WEIR_RULE_PARCEL_MAX),
        cmocka_unit_test(a_serial_is_needed_and_has_a_limit),
        cmocka_unit_test(keys_are_read_exactly),
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(whatever_octets_come_nothing_is_taken_for_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
