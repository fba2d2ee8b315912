/*
 * Classes laid flat against a scan of all prefixes (classes.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "monitor/threshold/classes.h"
#include "tests/unit/seeded.h"

enum { DEFAULT = 99, MANY = 300 };

static const struct weir_address ipv4 = {{[10] = 0xff, [11] = 0xff}};

/* Addresses of few bits that differ, so that prefixes lie within each other. */
static struct weir_address random_address(struct seeded *s)
{
    bool is_ipv4 = seeded_below(s, 2);
    struct weir_address a = is_ipv4 ? ipv4 : (struct weir_address){{0}};
    unsigned at = is_ipv4 ? 12 : seeded_below(s, 2) * 6;
    static const uint8_t octet[] = {0, 1, 0x7f, 0x80, 0xc0, 0xff};
    for (unsigned i = at; i < at + 4; i++)
        a.octet[i] = octet[seeded_below(s, sizeof(octet))];
    if (seeded_below(s, 4) == 0)
        a.octet[15] = 0xff;
    return a;
}

static struct weir_prefix random_prefix(struct seeded *s)
{
    struct weir_address a = random_address(s);
    return weir_address_prefix(&a, seeded_below(s, 33), seeded_below(s, 129));
}

/* The longest of all prefixes that hold it and are no longer than bits. */
static struct weir_class_found scan(const struct weir_class_prefix *prefix, size_t n,
                                    const struct weir_address *address, unsigned bits)
{
    struct weir_class_found found = {DEFAULT, 0};
    for (size_t i = 0; i < n; i++) {
        const struct weir_prefix *p = &prefix[i].prefix;
        if (weir_prefix_contains(p, address) && p->bits >= found.bits && p->bits <= bits)
            found = (struct weir_class_found){prefix[i].class_number, p->bits};
    }
    return found;
}

static size_t add_once(struct weir_class_prefix *prefix, size_t n, struct weir_prefix p)
{
    for (size_t i = 0; i < n; i++)
        if (prefix[i].prefix.bits == p.bits &&
            weir_address_equal(&prefix[i].prefix.address, &p.address))
            return n;
    prefix[n] = (struct weir_class_prefix){p, (unsigned)n % 60};
    return n + 1;
}

static void look_ups_equal_a_scan(void **state)
{
    struct seeded s = seeded_new(__func__);
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct weir_class_prefix prefix[MANY];
        struct weir_classes *classes = NULL;
        size_t n = 0, most = seeded_below(&s, 2) ? seeded_below(&s, 5) : seeded_below(&s, MANY);
        for (size_t i = 0; i < most; i++)
            n = add_once(prefix, n, random_prefix(&s));
        assert_int_equal(weir_classes_new(prefix, n, DEFAULT, &classes), 0);
        for (int i = 0; i < 500; i++) {
            struct weir_address a = random_address(&s);
            struct weir_class_found want = scan(prefix, n, &a, 128);
            struct weir_class_found got = weir_classes_find(classes, &a);
            assert_int_equal(got.class_number, want.class_number);
            assert_int_equal(got.bits, want.bits);
            struct weir_prefix net = random_prefix(&s);
            assert_int_equal(weir_classes_of_network(classes, &net),
                             scan(prefix, n, &net.address, net.bits).class_number);
        }
        weir_classes_free(&classes);
    }
}

static void the_ends_of_both_families_have_their_class(void **state)
{
    struct weir_class_prefix prefix[] = {{{{{0}}, 0}, 1}, {{ipv4, 96}, 2},
                                         {{{{[0] = 0xff, [15] = 0}}, 8}, 3}};
    struct weir_address lowest = {{0}}, highest, highest_ipv4 = ipv4;
    struct weir_classes *classes = NULL;
    (void)state;
    for (int i = 0; i < 16; i++)
        highest.octet[i] = 0xff;
    for (int i = 12; i < 16; i++)
        highest_ipv4.octet[i] = 0xff;
    assert_int_equal(weir_classes_new(prefix, 3, DEFAULT, &classes), 0);
    assert_int_equal(weir_classes_find(classes, &lowest).class_number, 1);
    assert_int_equal(weir_classes_find(classes, &highest).class_number, 3);
    assert_int_equal(weir_classes_find(classes, &ipv4).class_number, 2);
    assert_int_equal(weir_classes_find(classes, &highest_ipv4).class_number, 2);
    weir_classes_free(&classes);
}

static void a_prefix_in_two_classes_is_refused_and_twice_in_one_is_not(void **state)
{
    struct weir_class_prefix prefix[] = {{{ipv4, 104}, 1}, {{ipv4, 112}, 2}, {{ipv4, 104}, 1}};
    struct weir_classes *classes = NULL;
    (void)state;
    assert_int_equal(weir_classes_new(prefix, 3, DEFAULT, &classes), 0);
    assert_int_equal(weir_classes_find(classes, &ipv4).class_number, 2);
    weir_classes_free(&classes);
    prefix[2].class_number = 3;
    assert_int_equal(weir_classes_new(prefix, 3, DEFAULT, &classes), WEIR_EINVAL);
    assert_null(classes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look_ups_equal_a_scan),
        cmocka_unit_test(the_ends_of_both_families_have_their_class),
        cmocka_unit_test(a_prefix_in_two_classes_is_refused_and_twice_in_one_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
