/*
 * The published word list, read in place.  Attaching looks at the head and at the sizes that
 * follow from it; every number read later is bounded anew where it is used, so that damaged
 * octets can mislead a look-up but not lead it outside.  Within one place of the index, which
 * holds one or two entries, the search is binary: entries all in one place cost no more than the
 * logarithm of their number.
 */
#include "core/evidence/bayes_table.h"

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/bayes_table_impl.h"

uint64_t weir_bayes_checksum(const uint8_t *octets, size_t len)
{
    /* Against accidents; whoever wants to forge is stopped by the signature on the whole file. */
    static const struct weir_hash_key plain = {{'w', 'e', 'i', 'r'}};
    uint64_t head = weir_hash64(&plain, octets, WEIR_BAYES_AT_CHECKSUM);

    return head ^ weir_hash64(&plain, octets + WEIR_BAYES_HEAD, len - WEIR_BAYES_HEAD);
}

static struct weir_bayes_count entry_at(const struct weir_bayes_table *table, size_t number)
{
    const uint8_t *at = table->entry + number * table->entry_len;

    return (struct weir_bayes_count){
        .hash = weir_bayes_u64(at),
        .spam = weir_bayes_u32(at + 8),
        .ham = weir_bayes_u32(at + 12),
        .weight = table->weighed ? weir_bayes_i16(at + WEIR_BAYES_ENTRY) : (int16_t)0,
    };
}

/* The index rises from none to all, and every entry stands in its place, behind a smaller one. */
static bool is_in_order(const struct weir_bayes_table *table)
{
    size_t places = (size_t)1 << table->bits, from = 0;
    uint64_t last = 0;

    if (weir_bayes_u32(table->index) != 0)
        return false;
    for (size_t place = 0; place < places; place++) {
        size_t to = weir_bayes_u32(table->index + (place + 1) * sizeof(uint32_t));
        if (to < from || to > table->entries)
            return false;
        for (; from < to; from++) {
            uint64_t hash = entry_at(table, from).hash;
            if (weir_bayes_place(hash, table->bits) != place || (from > 0 && hash <= last))
                return false;
            last = hash;
        }
    }
    return from == table->entries;
}

int weir_bayes_table_attach(const void *octets, size_t len, bool full,
                            struct weir_bayes_table *table_r)
{
    const uint8_t *at = octets;
    struct weir_bayes_table table = {.index = at + WEIR_BAYES_HEAD};

    uint32_t version = len < WEIR_BAYES_HEAD ? 0 : weir_bayes_u32(at + WEIR_BAYES_AT_VERSION);
    if (len < WEIR_BAYES_HEAD || memcmp(at, WEIR_BAYES_MAGIC, 8) != 0 ||
        (version != WEIR_BAYES_VERSION && version != WEIR_BAYES_VERSION_WEIGHED))
        return WEIR_ECORRUPT;
    table.weighed = version == WEIR_BAYES_VERSION_WEIGHED;
    table.entry_len = weir_bayes_entry_len(table.weighed);
    uint64_t entries = weir_bayes_u64(at + WEIR_BAYES_AT_ENTRIES);
    table.bits = weir_bayes_u32(at + WEIR_BAYES_AT_BITS);
    if (table.bits > WEIR_BAYES_BITS_MAX || entries > WEIR_BAYES_ENTRIES_MAX ||
        len != WEIR_BAYES_HEAD + weir_bayes_index_len(table.bits) + entries * table.entry_len)
        return WEIR_ECORRUPT;
    table.entries = (size_t)entries;
    table.entry = table.index + weir_bayes_index_len(table.bits);
    memcpy(table.key.octet, at + WEIR_BAYES_AT_KEY, sizeof(table.key.octet));
    table.spam = weir_bayes_u64(at + WEIR_BAYES_AT_SPAM);
    table.ham = weir_bayes_u64(at + WEIR_BAYES_AT_HAM);
    if (full && (weir_bayes_checksum(at, len) != weir_bayes_u64(at + WEIR_BAYES_AT_CHECKSUM) ||
                 !is_in_order(&table)))
        return WEIR_ECORRUPT;
    *table_r = table;
    return 0;
}

int weir_bayes_table_find(const struct weir_bayes_table *table, uint64_t hash,
                          struct weir_bayes_count *count_r)
{
    size_t place = weir_bayes_place(hash, table->bits);
    size_t from = weir_bayes_u32(table->index + place * sizeof(uint32_t));
    size_t to = weir_bayes_u32(table->index + (place + 1) * sizeof(uint32_t));

    *count_r = (struct weir_bayes_count){.hash = hash};
    if (to > table->entries)
        return 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct weir_bayes_count entry = entry_at(table, middle);
        if (entry.hash == hash) {
            *count_r = entry;
            return 1;
        }
        if (entry.hash < hash)
            from = middle + 1;
        else
            to = middle;
    }
    return 0;
}

int weir_bayes_table_get(const struct weir_bayes_table *table, size_t number,
                         struct weir_bayes_count *count_r)
{
    if (number >= table->entries)
        return 0;
    *count_r = entry_at(table, number);
    return 1;
}
