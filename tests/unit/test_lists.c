/*
 * Looking up in the lists, also against a model that walks through all entries.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/error.h"
#include "core/store/lists_io.h"
#include "tests/unit/lists_rig.h"
#include "tests/unit/seeded.h"

/* Deciding. -------------------------------------------------------------- */

static void A26_accept_comes_before_black_whatever_the_lengths(void **state)
{
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.7", 0);
    rig_add(lists, WEIR_LIST_BLACK, "198.51.100.0/24", 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "blacklist 192.0.2.7");
    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.0.0/8", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "198.51.100.9", RIG_NOW + WEIR_HOUR);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "accept 192.0.0.0/8");
    assert_string_equal(rig_decides(lists, RIG_NOW, "198.51.100.9"), "accept 198.51.100.9");
    assert_string_equal(rig_decides(lists, RIG_NOW, "198.51.100.8"), "blacklist 198.51.100.0/24");
    assert_int_equal(rig_take_out(lists, WEIR_LIST_ACCEPT, "192.0.0.0/8"), 1);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "blacklist 192.0.2.7");
    weir_lists_free(&lists);
    assert_null(lists);
}

static void the_never_list_comes_before_everything(void **state)
{
    struct weir_prefix never[] = {rig_prefix("10.0.0.0/8"), rig_prefix("10.1.0.0/16"),
                                  rig_prefix("::1")};
    struct weir_lists *lists = lists_rig_open(*state, true, never, 3);
    rig_add(lists, WEIR_LIST_BLACK, "0.0.0.0/0", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "10.1.2.3", 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "10.1.2.3"), "never 10.1.0.0/16");
    assert_string_equal(rig_decides(lists, RIG_NOW, "10.2.2.3"), "never 10.0.0.0/8");
    assert_string_equal(rig_decides(lists, RIG_NOW, "::1"), "never ::1");
    assert_string_equal(rig_decides(lists, RIG_NOW, "11.2.2.3"), "blacklist 0.0.0.0/0");
    struct weir_address own = rig_address("10.1.2.3");
    struct weir_list_entry found;
    assert_int_equal(weir_lists_find_in(lists, RIG_NOW, WEIR_LIST_NEVER, &own, &found), 1);
    assert_int_equal(found.prefix.bits, 96 + 16);
    assert_true(strlen(found.reason) > 0);
    assert_int_equal(weir_lists_find_in(lists, RIG_NOW, WEIR_LIST_ACCEPT, &own, &found), 1);
    assert_int_equal(found.prefix.bits, 128);
    weir_lists_free(&lists);
}

static void an_ended_entry_never_hides_a_live_shorter_one(void **state)
{
    static const struct {
        weir_time later;
        const char *decides;
    } cases[] = {
        {0, "accept 192.0.2.0/28"},
        {WEIR_SECOND - 1, "accept 192.0.2.0/28"},
        {WEIR_SECOND, "blacklist 192.0.2.7"},
        {WEIR_MINUTE - 1, "blacklist 192.0.2.7"},
        {WEIR_MINUTE, "blacklist 192.0.2.0/24"},
    };
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.7", RIG_NOW + WEIR_MINUTE);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.2.0/28", RIG_NOW + WEIR_SECOND);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(rig_decides(lists, RIG_NOW + cases[i].later, "192.0.2.7"),
                            cases[i].decides);
    weir_lists_free(&lists);
}

static void an_entry_comes_back_as_it_was_made(void **state)
{
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    struct weir_list_entry made = rig_entry("2001:db8::/32", RIG_NOW + WEIR_DAY), found;
    struct weir_address client = rig_address("2001:db8::5");
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, &made, 1, NULL), 0);
    assert_int_equal(weir_lists_find_in(lists, RIG_NOW, WEIR_LIST_BLACK, &client, &found), 1);
    assert_false(found.is_domain);
    assert_int_equal(found.prefix.bits, 32);
    assert_memory_equal(&found.prefix.address, &made.prefix.address, 16);
    assert_int_equal(found.added, RIG_NOW);
    assert_int_equal(found.ends, RIG_NOW + WEIR_DAY);
    assert_string_equal(found.origin, "test");
    assert_string_equal(found.reason, "because of 2001:db8::/32");
    assert_string_equal(found.domain, "");
    weir_lists_free(&lists);
}

static void mapped_and_plain_ipv4_are_one_sender(void **state)
{
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    rig_add(lists, WEIR_LIST_BLACK, "::ffff:192.0.2.0/120", 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "blacklist 192.0.2.0/24");
    assert_string_equal(rig_decides(lists, RIG_NOW, "::ffff:192.0.2.7"), "blacklist 192.0.2.0/24");
    weir_lists_free(&lists);
}

static void C16_a_domain_and_all_below_it_are_acceptable(void **state)
{
    static const struct {
        const char *domain;
        const char *decided_by; /* NULL: nothing */
    } cases[] = {
        {"example.org", "example.org"},   {"EXAMPLE.Org", "example.org"},
        {"example.org.", "example.org"},  {"mail.example.org", "example.org"},
        {"a.b.c.example.org", "example.org"}, {"old.example.org", "example.org"},
        {"notexample.org", NULL},         {"org", NULL},
        {"example.org.evil.net", NULL},   {"", NULL},
        {".", NULL},                      {"example..org", NULL},
        {".example.org", NULL},           {"exa mple.org", NULL},
        {"shop.example.com", "shop.example.com"}, {"www.shop.example.com", "shop.example.com"},
        {"example.com", NULL},            {"ended.net", NULL},
        {"192.0.2.7", NULL},
    };
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    struct weir_list_entry found;
    assert_int_equal(weir_lists_find_domain(lists, RIG_NOW, "example.org", &found), 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "Example.ORG.", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "old.example.org", RIG_NOW);
    rig_add(lists, WEIR_LIST_ACCEPT, "shop.example.com", RIG_NOW + WEIR_HOUR);
    rig_add(lists, WEIR_LIST_ACCEPT, "ended.net", RIG_NOW - 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int rc = weir_lists_find_domain(lists, RIG_NOW, cases[i].domain, &found);
        if (rc != (cases[i].decided_by != NULL))
            fail_msg("%s: %d", cases[i].domain, rc);
        if (rc == 1)
            assert_string_equal(found.domain, cases[i].decided_by);
    }
    assert_int_equal(rig_take_out(lists, WEIR_LIST_ACCEPT, "EXAMPLE.org"), 1);
    assert_int_equal(weir_lists_find_domain(lists, RIG_NOW, "mail.example.org", &found), 0);
    weir_lists_free(&lists);
}

/* The model. ------------------------------------------------------------- */

enum { MODEL_MOST = 600 };

struct model {
    struct weir_list_entry entry[WEIR_LISTS][MODEL_MOST];
    size_t n[WEIR_LISTS];
};

static bool same_prefix(const struct weir_prefix *a, const struct weir_prefix *b)
{
    return a->bits == b->bits && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

static void model_remove(struct model *model, enum weir_list list, const struct weir_prefix *which)
{
    for (size_t i = 0; i < model->n[list]; i++)
        if (same_prefix(&model->entry[list][i].prefix, which))
            model->entry[list][i--] = model->entry[list][--model->n[list]];
}

static const struct weir_list_entry *model_find(const struct model *model, weir_time now,
                                                const struct weir_address *client,
                                                enum weir_list *list_r)
{
    for (enum weir_list list = WEIR_LIST_NEVER; list < WEIR_LISTS; list++) {
        const struct weir_list_entry *best = NULL;
        for (size_t i = 0; i < model->n[list]; i++) {
            const struct weir_list_entry *e = &model->entry[list][i];
            unsigned equal = 0;
            while (equal < 128 && ((e->prefix.address.octet[equal / 8] ^ client->octet[equal / 8]) &
                                   (0x80 >> equal % 8)) == 0)
                equal++;
            bool live = e->ends == 0 || e->ends > now;
            bool mixed = e->prefix.bits < 96 && weir_address_is_ipv4(client);
            bool longer = !best || e->prefix.bits > best->prefix.bits;
            if (!mixed && equal >= e->prefix.bits && live && longer)
                best = e;
        }
        *list_r = list;
        if (best)
            return best;
    }
    return NULL;
}

/* Addresses that share much, so that prefixes nest. */
static struct weir_address some_address(struct seeded *s)
{
    struct weir_address a = {{0}};
    if (seeded_below(s, 2)) {
        a.octet[10] = a.octet[11] = 0xff;
        for (int i = 12; i < 16; i++)
            a.octet[i] = (uint8_t)(seeded_below(s, 3) == 0 ? seeded_below(s, 256) : 7);
    } else {
        a.octet[0] = 0x20;
        for (int i = 1; i < 16; i++)
            a.octet[i] = (uint8_t)(seeded_below(s, 3) == 0 ? seeded_below(s, 256) : 1);
    }
    return a;
}

static struct weir_prefix some_prefix(struct seeded *s)
{
    static const unsigned ipv4[] = {0, 8, 15, 16, 24, 30, 32}, ipv6[] = {0, 3, 32, 48, 56, 64, 128};
    struct weir_address a = some_address(s);
    unsigned bits = weir_address_is_ipv4(&a) ? 96 + ipv4[seeded_below(s, 7)]
                                             : ipv6[seeded_below(s, 7)];
    if (seeded_below(s, 20) == 0)
        bits = seeded_below(s, 129);
    return weir_address_mask(&a, bits);
}

static void model_change(struct seeded *s, struct weir_lists *lists, struct model *model)
{
    enum weir_list list = seeded_below(s, 2) ? WEIR_LIST_ACCEPT : WEIR_LIST_BLACK;
    struct weir_list_entry one = {.added = RIG_NOW, .prefix = some_prefix(s)};
    one.ends = seeded_below(s, 2) ? 0 : RIG_NOW + seeded_below(s, 100) * WEIR_SECOND;
    snprintf(one.reason, sizeof(one.reason), "number %u", seeded_below(s, 1000000));
    if (seeded_below(s, 3) == 0) {
        size_t removed, before = model->n[list];
        if (model->n[list] > 0 && seeded_below(s, 4))
            one.prefix = model->entry[list][seeded_below(s, (unsigned)before)].prefix;
        model_remove(model, list, &one.prefix);
        assert_int_equal(weir_lists_remove(lists, list, &one, 1, &removed), 0);
        assert_int_equal(removed, before - model->n[list]);
        return;
    }
    int rc = weir_lists_add(lists, list, &one, 1, NULL);
    for (size_t i = 0; list == WEIR_LIST_BLACK && i < model->n[WEIR_LIST_NEVER]; i++) {
        const struct weir_prefix *never = &model->entry[WEIR_LIST_NEVER][i].prefix;
        struct weir_prefix cut = weir_address_mask(&one.prefix.address, never->bits);
        bool mixed = never->bits < 96 && weir_address_is_ipv4(&one.prefix.address);
        if (!mixed && one.prefix.bits >= never->bits && same_prefix(&cut, never)) {
            assert_int_equal(rc, WEIR_EINVAL);
            return;
        }
    }
    assert_int_equal(rc, 0);
    model_remove(model, list, &one.prefix);
    if (model->n[list] < MODEL_MOST)
        model->entry[list][model->n[list]++] = one;
}

static void model_compare(struct seeded *s, struct weir_lists *lists, const struct model *model)
{
    for (unsigned i = 0; i < 40; i++) {
        struct weir_address client = some_address(s);
        weir_time now = RIG_NOW + seeded_below(s, 110) * WEIR_SECOND;
        enum weir_list list, want_list;
        struct weir_list_entry found;
        const struct weir_list_entry *want = model_find(model, now, &client, &want_list);
        int rc = weir_lists_find(lists, now, &client, &list, &found);
        assert_int_equal(rc, want ? 1 : 0);
        if (!want)
            continue;
        assert_int_equal(list, want_list);
        assert_true(same_prefix(&found.prefix, &want->prefix));
        if (list != WEIR_LIST_NEVER)
            assert_string_equal(found.reason, want->reason);
    }
    for (enum weir_list list = WEIR_LIST_NEVER; list < WEIR_LISTS; list++) {
        size_t count;
        assert_int_equal(weir_lists_count(lists, list, &count), 0);
        assert_int_equal(count, model->n[list]);
    }
}

static void look_ups_agree_with_a_walk_through_all_entries(void **state)
{
    struct seeded s = seeded_new(__func__);
    struct model *model = calloc(1, sizeof(*model));
    assert_non_null(model);
    struct weir_prefix never[4];
    for (size_t i = 0; i < 4; i++) {
        do
            never[i] = some_prefix(&s);
        while (never[i].bits < 100);
        model_remove(model, WEIR_LIST_NEVER, &never[i]);
        model->entry[WEIR_LIST_NEVER][model->n[WEIR_LIST_NEVER]++].prefix = never[i];
    }
    struct weir_prefix unique[4];
    for (size_t i = 0; i < model->n[WEIR_LIST_NEVER]; i++)
        unique[i] = model->entry[WEIR_LIST_NEVER][i].prefix;
    struct weir_lists *lists = lists_rig_open(*state, true, unique, model->n[WEIR_LIST_NEVER]);
    for (unsigned round = 0; round < 400; round++) {
        model_change(&s, lists, model);
        if (round % 4 == 0)
            model_compare(&s, lists, model);
    }
    weir_lists_free(&lists);
    free(model);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_hundred_thousand_entries_go_in_at_once_and_are_found(void **state)
{
    enum { ENTRIES = 100000, LOOKS = 200000 };
    static const unsigned bits[] = {128, 126, 120, 112};
    struct seeded s = seeded_new(__func__);
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    struct weir_list_entry *many = calloc(ENTRIES, sizeof(*many)), found;
    assert_non_null(many);
    for (size_t i = 0; i < ENTRIES; i++) {
        struct weir_address a = {{0}};
        a.octet[10] = a.octet[11] = 0xff;
        seeded_fill(&s, a.octet + 12, 4);
        many[i].prefix = weir_address_mask(&a, i < 100 ? 104 : bits[i % 4]);
        many[i].added = RIG_NOW;
        snprintf(many[i].reason, sizeof(many[i].reason), "55 connections in 10 s, limit 50");
    }
    double start = seconds();
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, many, ENTRIES, NULL), 0);
    double added = seconds();
    for (size_t i = 0; i < ENTRIES; i += 97)
        assert_int_equal(weir_lists_find_in(lists, RIG_NOW, WEIR_LIST_BLACK,
                                            &many[i].prefix.address, &found), 1);
    enum weir_list list;
    unsigned hits = 0;
    double before = seconds();
    for (size_t i = 0; i < LOOKS; i++) {
        struct weir_address a = many[seeded_below(&s, ENTRIES)].prefix.address;
        if (i % 2)
            seeded_fill(&s, a.octet + 12, 4);
        hits += weir_lists_find(lists, RIG_NOW + (weir_time)i, &a, &list, &found) == 1;
    }
    double after = seconds();
    printf("    100,000 entries of 5 lengths: added in %.2f s, %.2f us a look-up, %u %% found\n",
           added - start, (after - before) * 1e6 / LOOKS, hits / (LOOKS / 100));
    weir_lists_free(&lists);
    before = seconds();
    lists = lists_rig_open(*state, false, NULL, 0);
    printf("    opened and checked in %.1f ms\n", (seconds() - before) * 1e3);
    weir_lists_free(&lists);
    free(many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lists_rig_setup, lists_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(A26_accept_comes_before_black_whatever_the_lengths),
        TEST(the_never_list_comes_before_everything),
        TEST(an_ended_entry_never_hides_a_live_shorter_one),
        TEST(an_entry_comes_back_as_it_was_made),
        TEST(mapped_and_plain_ipv4_are_one_sender),
        TEST(C16_a_domain_and_all_below_it_are_acceptable),
        TEST(look_ups_agree_with_a_walk_through_all_entries),
        TEST(a_hundred_thousand_entries_go_in_at_once_and_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
