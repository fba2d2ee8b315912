/*
 * bayes_table_impl - where things stand in a published word list, for its reader and its writer.
 */
#ifndef WEIR_EVIDENCE_BAYES_TABLE_IMPL_H
#define WEIR_EVIDENCE_BAYES_TABLE_IMPL_H

#include <endian.h>
#include <string.h>

#include "core/evidence/bayes_table.h"

enum {
    WEIR_BAYES_VERSION = 1,
    WEIR_BAYES_VERSION_WEIGHED = 2,
    WEIR_BAYES_BITS_MAX = 24,
    WEIR_BAYES_ENTRY = 16,
    WEIR_BAYES_ENTRY_WEIGHED = 18,
    /* places in the head */
    WEIR_BAYES_AT_VERSION = 8,
    WEIR_BAYES_AT_BITS = 12,
    WEIR_BAYES_AT_KEY = 16,
    WEIR_BAYES_AT_SPAM = 32,
    WEIR_BAYES_AT_HAM = 40,
    WEIR_BAYES_AT_ENTRIES = 48,
    WEIR_BAYES_AT_CHECKSUM = 56,
    WEIR_BAYES_HEAD = 64
};

#define WEIR_BAYES_MAGIC "WEIRBAY\n"

/* Numbers in little-endian order, at any place. */
static inline uint32_t weir_bayes_u32(const uint8_t *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof(number));
    return le32toh(number);
}
static inline int16_t weir_bayes_i16(const uint8_t *at)
{
    uint16_t number;
    memcpy(&number, at, sizeof(number));
    return (int16_t)le16toh(number);
}
static inline uint64_t weir_bayes_u64(const uint8_t *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof(number));
    return le64toh(number);
}
static inline void weir_bayes_put_u32(uint8_t *at, uint32_t number)
{
    number = htole32(number);
    memcpy(at, &number, sizeof(number));
}
static inline void weir_bayes_put_i16(uint8_t *at, int16_t number)
{
    uint16_t octets = htole16((uint16_t)number);
    memcpy(at, &octets, sizeof(octets));
}
static inline void weir_bayes_put_u64(uint8_t *at, uint64_t number)
{
    number = htole64(number);
    memcpy(at, &number, sizeof(number));
}

/* Octets of an entry. */
static inline size_t weir_bayes_entry_len(bool weighed)
{
    return weighed ? WEIR_BAYES_ENTRY_WEIGHED : WEIR_BAYES_ENTRY;
}

static inline void weir_bayes_put_entry(uint8_t *at, const struct weir_bayes_count *count,
                                        bool weighed)
{
    weir_bayes_put_u64(at, count->hash);
    weir_bayes_put_u32(at + 8, count->spam);
    weir_bayes_put_u32(at + 12, count->ham);
    if (weighed)
        weir_bayes_put_i16(at + WEIR_BAYES_ENTRY, count->weight);
}

/* Octets of the index, made to end at a multiple of eight. */
static inline size_t weir_bayes_index_len(unsigned bits)
{
    return (((size_t)1 << bits) + 2) / 2 * 8;
}

/* Of a table of len octets: its head but for the checksum, and what is behind it. */
uint64_t weir_bayes_checksum(const uint8_t *octets, size_t len);

/* The index of entries that stand behind each other; of such as are in no order it is a wrong
 * one. */
void weir_bayes_write_index(uint8_t *index, const uint8_t *entry, size_t entries, bool weighed,
                            unsigned bits);

/* The number of a hash's place in the index. */
static inline size_t weir_bayes_place(uint64_t hash, unsigned bits)
{
    return bits == 0 ? 0 : (size_t)(hash >> (64 - bits));
}

#endif
