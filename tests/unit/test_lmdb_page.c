/*
 * One page, taken apart: built here octet by octet, then broken.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/store/lmdb_page.h"
#include "tests/unit/seeded.h"

enum { PAGE = 4096 };

static void put(uint8_t *at, uint64_t value, size_t width)
{
    memcpy(at, &value, width);
}

/* Adds a node before those that are there; inner is the octets of value in it. */
static void node_add(uint8_t *page, size_t key, size_t inner, uint64_t value, unsigned flags)
{
    size_t lower = weir_lmdb_u16(page + 12), upper = weir_lmdb_u16(page + 14);
    upper -= (8 + key + inner + 1) & ~(size_t)1;
    put(page + lower, upper, 2);
    put(page + upper, value, 4);
    put(page + upper + 4, flags, 2);
    put(page + upper + 6, key, 2);
    memset(page + upper + 8, 'k', key);
    put(page + 12, lower + 2, 2);
    put(page + 14, upper, 2);
}

static void page_new(uint8_t *page, unsigned kind)
{
    memset(page, 0, PAGE);
    put(page + 10, kind, 2);
    put(page + 12, WEIR_LMDB_HEAD, 2);
    put(page + 14, PAGE, 2);
}

/* A leaf with a plain value, one that lies apart, and a tree. */
static void leaf_new(uint8_t *page)
{
    page_new(page, WEIR_LMDB_LEAF);
    node_add(page, 5, 7, 7, WEIR_LMDB_PLAIN);
    node_add(page, 6, 8, 70000, WEIR_LMDB_APART);
    node_add(page, 3, 48, 48, WEIR_LMDB_TREE);
}

static void the_nodes_of_a_leaf_are_found(void **state)
{
    (void)state;
    static const size_t keys[] = {5, 6, 3}, values[] = {7, 70000, 48};
    uint8_t page[PAGE];
    leaf_new(page);
    assert_null(weir_lmdb_page_fault(page, PAGE, true, 1));
    assert_int_equal(weir_lmdb_page_nodes(page), 3);
    for (unsigned n = 0; n < 3; n++) {
        struct weir_lmdb_node node = weir_lmdb_page_node(page, n);
        assert_int_equal(node.flags, n);
        assert_int_equal(node.key_len, keys[n]);
        assert_int_equal(node.value_len, values[n]);
        assert_memory_equal(node.key, "kkkkkk", keys[n]);
        assert_ptr_equal(node.value, node.key + keys[n]);
    }
}

static void the_children_of_a_branch_are_found(void **state)
{
    (void)state;
    uint8_t page[PAGE];
    page_new(page, WEIR_LMDB_BRANCH);
    node_add(page, 0, 0, 0x11223344, 0x5566);
    node_add(page, 4, 0, 9, 0);
    assert_null(weir_lmdb_page_fault(page, PAGE, false, 2));
    assert_non_null(weir_lmdb_page_fault(page, PAGE, true, 2));
    assert_non_null(weir_lmdb_page_fault(page, PAGE, false, 3));
    assert_true(weir_lmdb_page_node(page, 0).child == UINT64_C(0x556611223344));
    assert_int_equal(weir_lmdb_page_node(page, 1).child, 9);
    assert_int_equal(weir_lmdb_page_node(page, 1).value_len, 0);
}

static void a_node_may_fill_half_a_page_and_not_more(void **state)
{
    (void)state;
    enum { MOST = ((PAGE - 16) / 2 & ~1) - 2 };
    uint8_t page[PAGE];
    page_new(page, WEIR_LMDB_LEAF);
    node_add(page, 500, MOST - 508, MOST - 508, WEIR_LMDB_PLAIN);
    assert_null(weir_lmdb_page_fault(page, PAGE, true, 1));
    page_new(page, WEIR_LMDB_LEAF);
    node_add(page, 500, MOST - 507, MOST - 507, WEIR_LMDB_PLAIN);
    assert_non_null(weir_lmdb_page_fault(page, PAGE, true, 1));
}

/* Whatever the octets, nothing outside the page is read: the sanitizers watch. */
static void a_page_without_fault_holds_all_its_nodes_whatever_its_octets(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    uint8_t *page = malloc(PAGE);
    unsigned sound = 0;
    assert_non_null(page);
    for (unsigned round = 0; round < 200000; round++) {
        leaf_new(page);
        unsigned changes = 1 + seeded_below(&s, 3);
        for (unsigned i = 0; i < changes; i++) {
            size_t end = PAGE - 1 - seeded_below(&s, 120);
            size_t at = seeded_below(&s, 2) ? seeded_below(&s, 30) : end;
            page[at] = (uint8_t)(seeded_below(&s, 2) ? seeded_below(&s, 256) : page[at] + 1u);
        }
        if (weir_lmdb_page_fault(page, PAGE, true, 1) != NULL)
            continue;
        sound++;
        for (size_t n = 0; n < weir_lmdb_page_nodes(page); n++) {
            struct weir_lmdb_node node = weir_lmdb_page_node(page, n);
            size_t inner = node.flags == WEIR_LMDB_APART ? 8 : node.value_len;
            assert_true(node.key >= page && node.value + inner <= page + PAGE);
        }
    }
    assert_true(sound > 0);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nodes_of_a_leaf_are_found),
        cmocka_unit_test(the_children_of_a_branch_are_found),
        cmocka_unit_test(a_node_may_fill_half_a_page_and_not_more),
        cmocka_unit_test(a_page_without_fault_holds_all_its_nodes_whatever_its_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
