/* info: what is put into a spam-info string comes out of it, and nothing else is believed
 * (info.c, info_payload.c, info_seal.c, info_keys.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/info.h"
#include "tests/unit/seeded.h"

static const struct weir_info_keys two_keys = {
    .key = {{.id = 7, .octet = {1, 2, 3}}, {.id = 9, .octet = {4, 5, 6}}}, .keys = 2};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

/* An info of a usual kind, without rules. */
static struct weir_info usual(void)
{
    struct weir_info info = {.server = 3, .at = 1795000000 * WEIR_SECOND,
                             .uid = UINT64_C(0x0123456789abcdef), .binding = 42,
                             .has_boundary = true, .verdict = 2, .score = 7.25f,
                             .probability = 1, .lacking = 2, .serial = 1234};
    weir_address_parse("192.0.2.7", 9, &info.boundary);
    strcpy(info.domain, "newsletter.department.example.org"); /* 33 octets */
    info.domain[32] = '\0';
    return info;
}

static int cents(float points)
{
    return (int)lround((double)points * 100);
}

static void assert_same_info(const struct weir_info *a, const struct weir_info *b)
{
    assert_true(a->server == b->server && a->uid == b->uid && a->binding == b->binding);
    assert_true(a->at / WEIR_SECOND == b->at / WEIR_SECOND);
    assert_int_equal(a->has_boundary, b->has_boundary);
    if (a->has_boundary)
        assert_true(weir_address_equal(&a->boundary, &b->boundary));
    assert_int_equal(a->domain_hashed, b->domain_hashed);
    assert_string_equal(a->domain, b->domain);
    assert_int_equal(a->verdict, b->verdict);
    assert_int_equal(cents(a->score), cents(b->score));
    assert_int_equal(lround((double)a->probability * 255), lround((double)b->probability * 255));
    assert_int_equal(a->lacking, b->lacking);
    assert_int_equal(a->serial, b->serial);
}

static struct weir_info random_info(struct seeded *s)
{
    struct weir_info info = {.server = seeded_next(s) >> seeded_below(s, 64),
                             .at = (weir_time)(seeded_next(s) >> 32) * WEIR_SECOND,
                             .uid = seeded_next(s), .binding = seeded_next(s),
                             .has_boundary = seeded_below(s, 4) > 0,
                             .verdict = (uint8_t)seeded_below(s, 4),
                             .score = (float)((int)seeded_below(s, 65401) - 32700) / 100,
                             .probability = (float)seeded_below(s, 256) / 255,
                             .lacking = (uint8_t)seeded_below(s, 32),
                             .serial = (uint32_t)(seeded_next(s) >> (32 + seeded_below(s, 32)))};
    if (info.has_boundary)
        seeded_fill(s, info.boundary.octet, 16);
    if (info.has_boundary && seeded_below(s, 2))
        memcpy(info.boundary.octet, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    size_t len = seeded_below(s, WEIR_INFO_DOMAIN_MAX + 1);
    for (size_t i = 0; i < len; i++)
        info.domain[i] = i > 0 && i + 2 < len && info.domain[i - 1] != '.'
                             ? "abcdefghijklmnopqrstuvwxyz-0123456789."[seeded_below(s, 38)]
                             : "abcdefghijklmnopqrstuvwxyz"[seeded_below(s, 26)];
    return info;
}

static int by_id(const void *a, const void *b)
{
    uint32_t left = ((const struct weir_info_rule *)a)->id;
    uint32_t right = ((const struct weir_info_rule *)b)->id;
    return left < right ? -1 : left > right;
}

static void random_rules(struct seeded *s, struct weir_info_rule *rule, size_t rules,
                         unsigned largest)
{
    for (size_t i = 0; i < rules; i++) {
        rule[i].id = 1 + seeded_below(s, largest);
        rule[i].points = (float)((int)seeded_below(s, 1001) - 500) / 100;
    }
}

static void B14_B20_what_is_put_in_comes_out(void **state)
{
    (void)state;
    struct seeded s = seeded_new("B14_B20_what_is_put_in_comes_out");
    for (int round = 0; round < 3000; round++) {
        struct weir_info info = random_info(&s), again;
        struct weir_info_rule rule[40];
        char text[WEIR_INFO_TEXT_MAX + 1];
        size_t rules = seeded_below(&s, 41);
        random_rules(&s, rule, rules, 1u << (4 + seeded_below(&s, 25)));
        assert_int_equal(weir_info_make(&info, rule, rules, &two_keys, round % 2, text), 0);
        assert_int_equal(weir_info_read(slice(text), info.binding, &two_keys, &again),
                         WEIR_INFO_VALID);
        assert_same_info(&info, &again);
        assert_int_equal(again.rules, rules);
        long sum = 0;
        for (size_t i = 0; i < rules; i++)
            sum += cents(rule[i].points);
        qsort(rule, rules, sizeof(*rule), by_id);
        for (size_t i = 0; i < rules; i++) {
            assert_int_equal(again.rule[i].id, rule[i].id);
            sum -= cents(again.rule[i].points);
        }
        assert_int_equal(sum, 0);
    }
}

static void a_long_domain_is_a_hash_that_stays_the_same(void **state)
{
    (void)state;
    struct weir_info info = usual(), first, second;
    char text[WEIR_INFO_TEXT_MAX + 1];
    memset(info.domain, 'd', WEIR_INFO_DOMAIN_MAX);
    info.domain[WEIR_INFO_DOMAIN_MAX] = '\0';
    weir_info_make(&info, NULL, 0, &two_keys, false, text);
    assert_int_equal(weir_info_read(slice(text), 42, &two_keys, &first), WEIR_INFO_VALID);
    assert_false(first.domain_hashed);
    assert_string_equal(first.domain, info.domain);

    strcat(info.domain, "d");
    weir_info_make(&info, NULL, 0, &two_keys, true, text);
    assert_int_equal(weir_info_read(slice(text), 42, &two_keys, &first), WEIR_INFO_VALID);
    assert_true(first.domain_hashed);
    assert_int_equal(strlen(first.domain), 16);
    weir_info_make(&first, NULL, 0, &two_keys, false, text);
    assert_int_equal(weir_info_read(slice(text), 42, &two_keys, &second), WEIR_INFO_VALID);
    assert_same_info(&first, &second);
}

static void numbers_out_of_range_are_brought_into_it(void **state)
{
    (void)state;
    struct weir_info info = usual(), again;
    struct weir_info_rule rule[] = {{1, NAN}, {2, INFINITY}, {3, 1e30f}, {4, -1e30f}, {5, 1}};
    char text[WEIR_INFO_TEXT_MAX + 1];
    info.score = 1e9f;
    info.probability = 3;
    info.at = -5;
    weir_info_make(&info, rule, 5, &two_keys, false, text);
    assert_int_equal(weir_info_read(slice(text), 42, &two_keys, &again), WEIR_INFO_VALID);
    assert_int_equal(cents(again.score), 32767);
    assert_true(again.probability == 1);
    assert_true(again.at == 0);
    assert_int_equal(cents(again.rule[0].points), 0);
    assert_int_equal(cents(again.rule[4].points), 100);
    info.score = -1e9f;
    info.probability = NAN;
    weir_info_make(&info, rule, 5, &two_keys, false, text);
    weir_info_read(slice(text), 42, &two_keys, &again);
    assert_int_equal(cents(again.score), -32767);
    assert_true(again.probability == 0);
}

/* Sizes. --------------------------------------------------------------------- */

/* The rules of the table in 2f: ids some tens apart, points below four. */
static void sizes_are_those_of_the_design(void **state)
{
    (void)state;
    static const struct { size_t rules, want; } row[] = {{0, 114}, {5, 142}, {15, 188},
                                                         {30, 263}, {64, 428}};
    struct seeded s = seeded_new("sizes_are_those_of_the_design");
    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct weir_info info = usual();
        struct weir_info_rule rule[64];
        char text[4][WEIR_INFO_TEXT_MAX + 1];
        for (size_t r = 0; r < row[i].rules; r++) {
            rule[r].id = (uint32_t)(10000 + 24 * r + seeded_below(&s, 24));
            rule[r].points = (float)(1 + seeded_below(&s, 400)) / 100;
        }
        for (int shape = 0; shape < 4; shape++) {
            if (shape == 2)
                weir_address_parse("2001:db8::7", 11, &info.boundary);
            weir_info_make(&info, rule, row[i].rules, &two_keys, shape % 2, text[shape]);
        }
        printf("  %zu rules: %zu characters, sealed %zu, IPv6 %zu, both %zu (design: %zu)\n",
               row[i].rules, strlen(text[0]), strlen(text[1]), strlen(text[2]), strlen(text[3]),
               row[i].want);
        assert_true(strlen(text[0]) <= row[i].want + 10);
        assert_true(strlen(text[1]) == strlen(text[0]) + 16 &&
                    strlen(text[2]) == strlen(text[0]) + 16);
    }
}

/* Reads a string of many rules: how many are in it, and that their sum is that of all. */
static size_t kept_with_exact_sum(const struct weir_info_rule *rule, size_t rules, bool sealed)
{
    struct weir_info info = usual(), again;
    char text[WEIR_INFO_TEXT_MAX + 1];
    double sum = 0, written = 0;
    memset(info.domain, 'd', WEIR_INFO_DOMAIN_MAX);
    weir_address_parse("2001:db8::7", 11, &info.boundary);
    info.server = UINT64_MAX;
    info.serial = UINT32_MAX;
    assert_int_equal(weir_info_make(&info, rule, rules, &two_keys, sealed, text), 0);
    assert_true(strlen(text) <= WEIR_INFO_TEXT_MAX);
    assert_int_equal(weir_info_read(slice(text), 42, &two_keys, &again), WEIR_INFO_VALID);
    for (size_t i = 0; i < rules; i++)
        sum += cents(rule[i].points);
    for (size_t i = 0; i < again.rules; i++) {
        written += round((double)again.rule[i].points * 100);
        assert_true(i == 0 || again.rule[i - 1].id <= again.rule[i].id);
    }
    assert_true(sum == written);
    bool rest = again.rules > 0 && again.rule[0].id == 0;
    assert_int_equal(rest, again.rules - rest < rules);
    return again.rules - rest;
}

static void rules_at_the_limit_and_beyond_it_are_summed_up(void **state)
{
    (void)state;
    struct seeded s = seeded_new("rules_at_the_limit_and_beyond_it_are_summed_up");
    static struct weir_info_rule rule[10000];
    for (size_t i = 0; i < 10000; i++)
        rule[i] = (struct weir_info_rule){(uint32_t)(i + 1),
                                          (float)(1 + seeded_below(&s, 500)) / 100};
    assert_int_equal(kept_with_exact_sum(rule, WEIR_INFO_RULES_MAX, false), WEIR_INFO_RULES_MAX);
    assert_int_equal(kept_with_exact_sum(rule, WEIR_INFO_RULES_MAX + 1, false),
                     WEIR_INFO_RULES_MAX);
    assert_int_equal(kept_with_exact_sum(rule, 10000, true), WEIR_INFO_RULES_MAX);
}

static void the_rules_with_most_points_to_either_side_are_kept(void **state)
{
    (void)state;
    enum { RULES = WEIR_INFO_RULES_MAX + 2 }; /* 37 and 66 have no divisor in common: */
    struct weir_info_rule rule[RULES];        /* each of 2.00 to 2.65 is there once */
    struct weir_info info = usual(), again;
    char text[WEIR_INFO_TEXT_MAX + 1];
    for (uint32_t i = 0; i < RULES; i++) {
        float points = (float)(200 + 37 * i % RULES) / 100;
        rule[i] = (struct weir_info_rule){1000 - i, i % 2 ? points : -points};
    }
    weir_info_make(&info, rule, RULES, &two_keys, false, text);
    weir_info_read(slice(text), 42, &two_keys, &again);
    assert_int_equal(again.rules, WEIR_INFO_RULES_MAX + 1);
    assert_int_equal(again.rule[0].id, 0);
    for (size_t i = 1; i < again.rules; i++)
        assert_true(abs(cents(again.rule[i].points)) >= 202);
    int rest = 0;
    for (size_t i = 0; i < RULES; i++)
        rest += abs(cents(rule[i].points)) < 202 ? cents(rule[i].points) : 0;
    assert_int_equal(cents(again.rule[0].points), rest);
}

static void no_ids_make_it_longer_than_the_limit(void **state)
{
    (void)state;
    struct seeded s = seeded_new("no_ids_make_it_longer_than_the_limit");
    struct weir_info_rule rule[200];
    size_t fewest = WEIR_INFO_RULES_MAX;
    for (int round = 0; round < 500; round++) {
        size_t rules = 1 + seeded_below(&s, 200);
        random_rules(&s, rule, rules, round % 5 ? 1u << 28 : UINT32_MAX);
        for (size_t i = 0; i < rules && round % 2; i++)
            rule[i].points = 100 - rule[i].points;
        size_t kept = kept_with_exact_sum(rule, rules, round % 3);
        if (rules >= WEIR_INFO_RULES_MAX && kept < fewest)
            fewest = kept;
    }
    printf("  of 64 or more rules with random ids at least %zu were kept\n", fewest);
    assert_true(fewest >= 40);
}

/* Hostile strings. ----------------------------------------------------------- */

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct weir_info info = usual(), again;
        struct weir_info_rule rule[] = {{10001, 1.5f}, {10200, -0.5f}, {12000, 2}};
        char text[WEIR_INFO_TEXT_MAX + 1];
        size_t seen[WEIR_INFO_STATES] = {0};
        weir_info_make(&info, rule, 3, &two_keys, sealed, text);
        for (size_t bit = 0; bit < 8 * strlen(text); bit++) {
            char forged[WEIR_INFO_TEXT_MAX + 1];
            size_t len = strlen(text);
            memcpy(forged, text, len);
            forged[bit / 8] = (char)(forged[bit / 8] ^ 1 << bit % 8);
            enum weir_info_state got = weir_info_read((struct weir_slice){forged, len}, 42,
                                                      &two_keys, &again);
            assert_true(got == WEIR_INFO_BAD || got == WEIR_INFO_MALFORMED ||
                        got == WEIR_INFO_UNKNOWN_KEY);
            seen[got]++;
        }
        assert_true(seen[WEIR_INFO_BAD] > 0 && seen[WEIR_INFO_MALFORMED] > 0 &&
                    seen[WEIR_INFO_UNKNOWN_KEY] > 0);
    }
}

static void every_cut_string_is_noticed(void **state)
{
    (void)state;
    struct weir_info info = usual(), again;
    char text[WEIR_INFO_TEXT_MAX + 1];
    weir_info_make(&info, NULL, 0, &two_keys, true, text);
    for (size_t len = 0; len < strlen(text); len++) {
        enum weir_info_state got = weir_info_read((struct weir_slice){text, len}, 42, &two_keys,
                                                  &again);
        assert_true(got == WEIR_INFO_BAD || got == WEIR_INFO_MALFORMED);
    }
}

static void two_keys_live_at_once_and_the_first_signs(void **state)
{
    (void)state;
    struct weir_info_keys old = {.key = {two_keys.key[1]}, .keys = 1};
    struct weir_info_keys other = {.key = {{.id = 9, .octet = {99}}}, .keys = 1};
    struct weir_info_keys none = {.keys = 0};
    for (int sealed = 0; sealed < 2; sealed++) {
        struct weir_info info = usual(), again;
        char by_old[WEIR_INFO_TEXT_MAX + 1], by_new[WEIR_INFO_TEXT_MAX + 1];
        weir_info_make(&info, NULL, 0, &old, sealed, by_old);
        weir_info_make(&info, NULL, 0, &two_keys, sealed, by_new);
        assert_int_equal(weir_info_read(slice(by_old), 42, &two_keys, &again), WEIR_INFO_VALID);
        assert_int_equal(weir_info_read(slice(by_new), 42, &two_keys, &again), WEIR_INFO_VALID);
        assert_int_equal(weir_info_read(slice(by_new), 42, &old, &again), WEIR_INFO_UNKNOWN_KEY);
        assert_int_equal(weir_info_read(slice(by_old), 42, &other, &again), WEIR_INFO_BAD);
        assert_int_equal(weir_info_read(slice(by_old), 42, &none, &again), WEIR_INFO_UNKNOWN_KEY);
        assert_int_equal(weir_info_make(&info, NULL, 0, &none, sealed, by_old), WEIR_EINVAL);
    }
}

static void keys_made_ready_say_the_same(void **state)
{
    struct weir_info_keys ready = two_keys, changed;

    (void)state;
    weir_info_keys_ready(&ready);
    changed = ready;
    changed.key[0].octet[0] ^= 1;
    weir_info_keys_ready(&changed);
    for (int sealed = 0; sealed < 2; sealed++) {
        struct weir_info info = usual(), again;
        char by_plain[WEIR_INFO_TEXT_MAX + 1], by_ready[WEIR_INFO_TEXT_MAX + 1];

        weir_info_make(&info, NULL, 0, &two_keys, sealed, by_plain);
        weir_info_make(&info, NULL, 0, &ready, sealed, by_ready);
        assert_int_equal(weir_info_read(slice(by_plain), 42, &ready, &again), WEIR_INFO_VALID);
        assert_int_equal(weir_info_read(slice(by_ready), 42, &two_keys, &again), WEIR_INFO_VALID);
        assert_int_equal(weir_info_read(slice(by_ready), 42, &changed, &again), WEIR_INFO_BAD);
        if (!sealed)
            assert_string_equal(by_plain, by_ready);
    }
}

static void a_string_on_another_message_is_unbound(void **state)
{
    (void)state;
    struct weir_info info = usual(), again;
    char text[WEIR_INFO_TEXT_MAX + 1];
    weir_info_make(&info, NULL, 0, &two_keys, true, text);
    assert_int_equal(weir_info_read(slice(text), 43, &two_keys, &again), WEIR_INFO_UNBOUND);
    assert_same_info(&info, &again);
}

static void a_sealed_string_shows_its_key_id_and_nothing_else(void **state)
{
    (void)state;
    struct weir_info info = usual();
    char first[WEIR_INFO_TEXT_MAX + 1], second[WEIR_INFO_TEXT_MAX + 1];
    weir_info_make(&info, NULL, 0, &two_keys, true, first);
    weir_info_make(&info, NULL, 0, &two_keys, true, second);
    /* "v1; " and version, flags, key id in four characters: the rest is never the same */
    assert_memory_equal(first, second, 8);
    size_t same = 0;
    for (size_t i = 8; i < strlen(first); i++)
        same += first[i] == second[i];
    assert_int_equal(strlen(first), strlen(second));
    assert_true(same < strlen(first) / 8);
}

static void strings_that_are_none_are_malformed(void **state)
{
    (void)state;
    static const char *const text[] = {
        "", "v1", "v1;", "v1; ", "v2; AQAHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "v1; ====",
        "v1; A", "v1; AQAH", "v1; AQAHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xdf",
        "v1; not base64 at all!", "AQAHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "v1; AQIHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* an unknown flag */
        "v1; AgAHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* another version */
    };
    struct weir_info info;
    char longest[WEIR_INFO_TEXT_MAX + 2];
    for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
        assert_int_equal(weir_info_read(slice(text[i]), 0, &two_keys, &info),
                         WEIR_INFO_MALFORMED);
    memset(longest, 'A', sizeof(longest));
    memcpy(longest, "v1;AQAH", 7);
    longest[WEIR_INFO_TEXT_MAX - 1] = '\0'; /* 639 and 640 octets of base64 are not whole; */
    longest[WEIR_INFO_TEXT_MAX + 1] = '\0'; /* 641 are too many */
    assert_int_equal(weir_info_read((struct weir_slice){longest, WEIR_INFO_TEXT_MAX - 1}, 0,
                                    &two_keys, &info), WEIR_INFO_BAD);
    assert_int_equal(weir_info_read((struct weir_slice){longest, WEIR_INFO_TEXT_MAX + 1}, 0,
                                    &two_keys, &info), WEIR_INFO_MALFORMED);
}

/* Whoever has the key: what comes out is what each server would have written. */
static void what_no_server_writes_is_malformed(void **state)
{
    static const char *const domain[] = {"Upper.example", "two..example", "\xff\xfe.example",
                                         ".example", "example.", "b\xc3\xbc.example", "a b.example",
                                         "192.0.2.7", "a\033[m.example"};
    char text[WEIR_INFO_TEXT_MAX + 1];
    struct weir_info info = usual(), got;

    (void)state;
    for (size_t i = 0; i < sizeof domain / sizeof *domain; i++) {
        strcpy(info.domain, domain[i]);
        assert_int_equal(weir_info_make(&info, NULL, 0, &two_keys, i % 2, text), 0);
        if (weir_info_read(slice(text), 42, &two_keys, &got) != WEIR_INFO_MALFORMED)
            fail_msg("%s", domain[i]);
    }
    for (unsigned verdict = 0; verdict < 256; verdict++) {
        info = usual();
        info.verdict = (uint8_t)verdict;
        assert_int_equal(weir_info_make(&info, NULL, 0, &two_keys, false, text), 0);
        assert_int_equal(weir_info_read(slice(text), 42, &two_keys, &got),
                         verdict < 64 ? WEIR_INFO_VALID : WEIR_INFO_MALFORMED);
        assert_true(verdict >= 64 || got.verdict <= 3);
    }
}

/* Folding. ------------------------------------------------------------------- */

static void B21_folded_lines_are_short_and_read_the_same(void **state)
{
    (void)state;
    struct seeded s = seeded_new("B21_folded_lines_are_short_and_read_the_same");
    for (size_t rules = 0; rules <= 80; rules++) {
        struct weir_info info = usual(), again;
        struct weir_info_rule rule[80];
        char text[WEIR_INFO_TEXT_MAX + 1], folded[WEIR_INFO_FOLDED_MAX];
        random_rules(&s, rule, rules, 1u << 28);
        weir_info_make(&info, rule, rules, &two_keys, rules % 2, text);
        assert_ptr_equal(weir_info_fold(text, folded), folded);
        size_t column = strlen(WEIR_INFO_HEADER ": ");
        for (const char *at = folded; *at; at++) {
            column = *at == '\n' ? 0 : column + 1;
            assert_true(column <= 78);
            assert_true(*at != '\n' || at[1] == ' ');
        }
        assert_int_equal(weir_info_read(slice(folded), 42, &two_keys, &again), WEIR_INFO_VALID);
    }
}

static void white_space_anywhere_does_not_matter(void **state)
{
    (void)state;
    struct weir_info info = usual(), again;
    char text[WEIR_INFO_TEXT_MAX + 1], wide[4 * WEIR_INFO_TEXT_MAX];
    size_t len = 0;
    weir_info_make(&info, NULL, 0, &two_keys, true, text);
    for (size_t i = 0; text[i]; i++) {
        len += (size_t)snprintf(wide + len, sizeof(wide) - len, "%c%s", text[i],
                                (const char *[]){" ", "\r\n\t", "", "\t"}[i % 4]);
    }
    assert_int_equal(weir_info_read((struct weir_slice){wide, len}, 42, &two_keys, &again),
                     WEIR_INFO_VALID);
}

/* Keys. ---------------------------------------------------------------------- */

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F"

static void keys_are_read_and_wrong_lines_are_told(void **state)
{
    (void)state;
    static const struct { const char *text; int rc; unsigned line; size_t keys; } row[] = {
        {"7 " HEX32 "\n", 0, 0, 1},
        {"# new\n7\t" HEX32 " # comment\r\n\n 255  " HEX32, 0, 0, 2},
        {"", WEIR_EINVAL, 0, 0},
        {"# nothing\n", WEIR_EINVAL, 0, 0},
        {"0 " HEX32, WEIR_EINVAL, 1, 0},
        {"256 " HEX32, WEIR_EINVAL, 1, 0},
        {"99999999999999999999 " HEX32, WEIR_EINVAL, 1, 0},
        {"7" HEX32, WEIR_EINVAL, 1, 0},
        {"7 " HEX32 "\n7 " HEX32, WEIR_EINVAL, 2, 0},
        {"7 " HEX32 "\n8 " HEX32 "00\n", WEIR_EINVAL, 2, 0},
        {"7 " HEX32 "\n8 0g" HEX32 "\n", WEIR_EINVAL, 2, 0},
        {"7\n", WEIR_EINVAL, 1, 0},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct weir_info_keys keys = {.keys = 0};
        unsigned line = 99;
        assert_int_equal(weir_info_keys_read(slice(row[i].text), &keys, &line), row[i].rc);
        assert_int_equal(line, row[i].line);
        assert_int_equal(keys.keys, row[i].keys);
        for (size_t k = 0; k < keys.keys; k++)
            assert_false(keys.key[k].ready); /* whatever was in memory before */
        if (keys.keys > 0) {
            assert_int_equal(keys.key[0].id, 7);
            assert_int_equal(keys.key[0].octet[31], 0x1f);
        }
    }
}

static void more_keys_than_the_limit_are_refused(void **state)
{
    (void)state;
    char text[(WEIR_INFO_KEYS_MAX + 1) * 80] = "";
    struct weir_info_keys keys;
    unsigned line;
    for (int id = 1; id <= WEIR_INFO_KEYS_MAX + 1; id++) {
        sprintf(text + strlen(text), "%d " HEX32 "\n", id);
        int rc = weir_info_keys_read(slice(text), &keys, &line);
        assert_int_equal(rc, id <= WEIR_INFO_KEYS_MAX ? 0 : WEIR_ELIMIT);
    }
    assert_int_equal(line, WEIR_INFO_KEYS_MAX + 1);
}

static void states_have_names(void **state)
{
    (void)state;
    static const char *const name[] = {"valid", "unbound", "unknown-key", "bad", "malformed"};
    for (int i = 0; i < WEIR_INFO_STATES; i++)
        assert_string_equal(weir_info_state_name((enum weir_info_state)i), name[i]);
    assert_true(weir_info_uid() != weir_info_uid());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B14_B20_what_is_put_in_comes_out),
        cmocka_unit_test(a_long_domain_is_a_hash_that_stays_the_same),
        cmocka_unit_test(numbers_out_of_range_are_brought_into_it),
        cmocka_unit_test(sizes_are_those_of_the_design),
        cmocka_unit_test(rules_at_the_limit_and_beyond_it_are_summed_up),
        cmocka_unit_test(the_rules_with_most_points_to_either_side_are_kept),
        cmocka_unit_test(no_ids_make_it_longer_than_the_limit),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_cut_string_is_noticed),
        cmocka_unit_test(two_keys_live_at_once_and_the_first_signs),
        cmocka_unit_test(keys_made_ready_say_the_same),
        cmocka_unit_test(a_string_on_another_message_is_unbound),
        cmocka_unit_test(a_sealed_string_shows_its_key_id_and_nothing_else),
        cmocka_unit_test(strings_that_are_none_are_malformed),
        cmocka_unit_test(what_no_server_writes_is_malformed),
        cmocka_unit_test(B21_folded_lines_are_short_and_read_the_same),
        cmocka_unit_test(white_space_anywhere_does_not_matter),
        cmocka_unit_test(keys_are_read_and_wrong_lines_are_told),
        cmocka_unit_test(more_keys_than_the_limit_are_refused),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
