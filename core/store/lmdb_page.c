/*
 * Believes nothing of a page but that it has page_size octets.  A node is taken
 * apart only after its head, key and inner value are known to lie inside; the
 * octets of all nodes are marked, so that none is part of two.
 * Refuses whatever LMDB, deleting or inserting, would carry outside the page.
 */
#include "core/store/lmdb_page.h"

enum { UPPER = 14 };

/* Octets of the value that lie in the node itself. */
static size_t inner_value(const uint8_t *node, bool leaf)
{
    if (!leaf)
        return 0;
    return weir_lmdb_u16(node + 4) == WEIR_LMDB_APART ? 8 : weir_lmdb_u32(node);
}

/* The even length of the node at offset, or 0 when it does not lie whole in the
 * page or is longer than half of it: two must always fit. */
static size_t node_len(const uint8_t *page, size_t page_size, size_t offset, bool leaf)
{
    size_t most = ((page_size - WEIR_LMDB_HEAD) / 2 & ~(size_t)1) - 2;
    if (offset % 2 != 0 || offset > page_size - WEIR_LMDB_NODE_HEAD)
        return 0;
    const uint8_t *node = page + offset;
    size_t inner = inner_value(node, leaf);
    size_t key = weir_lmdb_u16(node + 6);
    if (inner > most || WEIR_LMDB_NODE_HEAD + key + inner > most)
        return 0;
    size_t len = (WEIR_LMDB_NODE_HEAD + key + inner + 1) & ~(size_t)1;
    return len <= page_size - offset ? len : 0;
}

/* Marks a node's octets, two a bit; false when some are another node's. */
static bool octets_claim(uint64_t *used, size_t offset, size_t len)
{
    size_t bit = offset / 2, end = (offset + len) / 2;
    while (bit < end) {
        size_t from = bit % 64, count = 64 - from < end - bit ? 64 - from : end - bit;
        uint64_t mask = (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << from;
        if (used[bit / 64] & mask)
            return false;
        used[bit / 64] |= mask;
        bit += count;
    }
    return true;
}

const char *weir_lmdb_page_fault(const uint8_t *page, size_t page_size, bool leaf, size_t least)
{
    uint64_t used[WEIR_LMDB_PAGE_MOST / 2 / 64];
    size_t lower = weir_lmdb_u16(page + WEIR_LMDB_LOWER_AT), upper = weir_lmdb_u16(page + UPPER);
    if (weir_lmdb_u16(page + WEIR_LMDB_KIND_AT) != (leaf ? WEIR_LMDB_LEAF : WEIR_LMDB_BRANCH))
        return "is not of the kind its place asks for";
    if (lower < WEIR_LMDB_HEAD + 2 * least || lower % 2 != 0 || lower > upper || upper > page_size)
        return "has wrong bounds";
    memset(used, 0, page_size / 2 / 8);
    size_t octets = 0;
    for (size_t at = WEIR_LMDB_HEAD; at < lower; at += 2) {
        size_t offset = weir_lmdb_u16(page + at);
        size_t len = node_len(page, page_size, offset, leaf);
        if (len == 0 || offset < upper || !octets_claim(used, offset, len))
            return "has a node that is not whole";
        octets += len;
    }
    return octets == page_size - upper ? NULL : "has octets that are no node's";
}

size_t weir_lmdb_page_nodes(const uint8_t *page)
{
    return (weir_lmdb_u16(page + WEIR_LMDB_LOWER_AT) - (size_t)WEIR_LMDB_HEAD) / 2;
}

struct weir_lmdb_node weir_lmdb_page_node(const uint8_t *page, size_t n)
{
    const uint8_t *at = page + weir_lmdb_u16(page + WEIR_LMDB_HEAD + 2 * n);
    struct weir_lmdb_node node = {
        .key = at + WEIR_LMDB_NODE_HEAD,
        .key_len = weir_lmdb_u16(at + 6),
        .flags = weir_lmdb_u16(at + 4),
    };
    node.value = node.key + node.key_len;
    if (weir_lmdb_is_leaf(page))
        node.value_len = weir_lmdb_u32(at);
    else
        node.child = weir_lmdb_u32(at) | (uint64_t)node.flags << 32;
    return node;
}
