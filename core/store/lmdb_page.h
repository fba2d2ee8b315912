/*
 * lmdb_page - one branch or leaf page of an LMDB file, taken apart.
 *
 * For lmdb_check, lmdb_search and their tests only.  Pure: octets in, answer out.
 *
 *     page:  number 8 | pad 2 | kind 2 | lower 2 | upper 2
 *            | offset of each node 2, up to lower ... upper: nodes, to the end
 *     node:  size of value 4 (branch: child 6) | flags 2 | size of key 2 | key
 *            | value, or the number of the overflow page it lies in 8
 *
 * Limits:   64-bit files in this machine's octet order, pages of 4 to 32 KiB.
 */
#ifndef WEIR_STORE_LMDB_PAGE_H
#define WEIR_STORE_LMDB_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    WEIR_LMDB_HEAD = 16,       /* octets before the offsets of nodes */
    WEIR_LMDB_NODE_HEAD = 8,   /* octets before a key */
    WEIR_LMDB_DATABASE = 48,   /* octets of a tree's record */
    WEIR_LMDB_PAGE_LEAST = 4096,
    WEIR_LMDB_PAGE_MOST = 32768,
};
enum { WEIR_LMDB_BRANCH = 1, WEIR_LMDB_LEAF = 2, WEIR_LMDB_OVERFLOW = 4, WEIR_LMDB_META = 8 };
enum { WEIR_LMDB_PLAIN = 0, WEIR_LMDB_APART = 1, WEIR_LMDB_TREE = 2 }; /* flags of a leaf's node */

struct weir_lmdb_node {
    const uint8_t *key, *value; /* value: for APART the 8 octets of a page number */
    size_t key_len, value_len;  /* of the value wherever it lies */
    uint16_t flags;
    uint64_t child; /* of a branch's node */
};

/* Numbers of a file, aligned or not. */
static inline uint16_t weir_lmdb_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline uint32_t weir_lmdb_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline uint64_t weir_lmdb_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* What is wrong with the page's frame, or NULL: its kind, its bounds, and that
 * at least this many nodes lie whole and apart, with no gap from upper to the
 * end.  LMDB moves nodes about by these numbers.  page_size is one that LMDB has. */
const char *weir_lmdb_page_fault(const uint8_t *page, size_t page_size, bool leaf, size_t least);

/* Nodes of a page without fault. */
size_t weir_lmdb_page_nodes(const uint8_t *page);

/* The n-th node of a page without fault. */
struct weir_lmdb_node weir_lmdb_page_node(const uint8_t *page, size_t n);

enum { WEIR_LMDB_KIND_AT = 10, WEIR_LMDB_LOWER_AT = 12 }; /* octets into a page */

/* Whether a page, of which at least the head is there, is a leaf. */
static inline bool weir_lmdb_is_leaf(const uint8_t *page)
{
    return weir_lmdb_u16(page + WEIR_LMDB_KIND_AT) == WEIR_LMDB_LEAF;
}

#endif
