/*
 * Makes a published word list of counts: ranked when there are too many, then sorted by hash,
 * indexed, summed.  It works on a copy of the counts, which it frees, and gives the octets away.
 */
#include <math.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/bayes_table_impl.h"

#define FEW 16 /* that are sorted in their place */

struct ranked {
    struct weir_bayes_count count;
    double says;
};

/* Whatever its lowest bit. */
static bool counts_reputations(const struct weir_hash_key *key, uint64_t hash)
{
    uint64_t its = weir_hash64(key, WEIR_BAYES_REPUTATIONS, sizeof(WEIR_BAYES_REPUTATIONS) - 1);

    return (its ^ hash) <= 1;
}

/* How much a token tells over all messages: often and one-sided is much. */
static double says(const struct weir_bayes_counts *counts, const struct weir_bayes_count *count)
{
    double spam = counts->spam > 0 ? count->spam / (double)counts->spam : 0;
    double ham = counts->ham > 0 ? count->ham / (double)counts->ham : 0;
    double off = spam + ham > 0 ? spam / (spam + ham) - 0.5 : 0;

    if (counts_reputations(&counts->key, count->hash))
        return INFINITY;
    return ((double)count->spam + count->ham) * off * off;
}

static int by_says(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->says != y->says)
        return x->says > y->says ? -1 : 1;
    return (x->count.hash > y->count.hash) - (x->count.hash < y->count.hash);
}

static int by_hash(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return (x->count.hash > y->count.hash) - (x->count.hash < y->count.hash);
}

/* All that count, with what they say.  NULL: memory is short. */
static struct ranked *ranked_new(const struct weir_bayes_counts *counts, size_t *n_r)
{
    struct ranked *ranked = calloc(counts->counts + 1, sizeof(*ranked));
    size_t n = 0;

    for (size_t i = 0; ranked && i < counts->counts; i++)
        if (counts->count[i].spam > 0 || counts->count[i].ham > 0)
            ranked[n++] = (struct ranked){counts->count[i], says(counts, &counts->count[i])};
    *n_r = n;
    return ranked;
}

/* One to two entries a place. */
static unsigned index_bits(size_t entries)
{
    unsigned bits = 0;

    while (bits < WEIR_BAYES_BITS_MAX && ((size_t)2 << bits) <= entries)
        bits++;
    return bits;
}

/* Sorts what lies in one place, mostly one or two. */
static void sort_few(struct ranked *ranked, size_t n)
{
    if (n > FEW) {
        qsort(ranked, n, sizeof(*ranked), by_hash);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct ranked one = ranked[i];
        size_t at = i;

        for (; at > 0 && by_hash(&ranked[at - 1], &one) > 0; at--)
            ranked[at] = ranked[at - 1];
        ranked[at] = one;
    }
}

/* In the order of hashes: as hashes are spread evenly, nearly all is done by putting each into its
 * place of the index.  The caller frees; NULL: memory is short. */
static struct ranked *sorted_new(const struct ranked *ranked, size_t n, unsigned bits)
{
    size_t places = (size_t)1 << bits;
    struct ranked *sorted = malloc((n + 1) * sizeof(*sorted));
    uint32_t *begin = calloc(places + 1, sizeof(*begin));

    for (size_t i = 0; sorted && begin && i < n; i++)
        begin[weir_bayes_place(ranked[i].count.hash, bits) + 1]++;
    for (size_t place = 0; begin && place < places; place++)
        begin[place + 1] += begin[place];
    for (size_t i = 0; sorted && begin && i < n; i++)
        sorted[begin[weir_bayes_place(ranked[i].count.hash, bits)]++] = ranked[i];
    for (size_t place = 0, from = 0; sorted && begin && place < places; place++) {
        sort_few(sorted + from, begin[place] - from); /* it begins where the next one did */
        from = begin[place];
    }
    if (!begin) {
        free(sorted);
        sorted = NULL;
    }
    free(begin);
    return sorted;
}

static void write_head(uint8_t *at, const struct weir_bayes_counts *counts, size_t n, unsigned bits)
{
    memcpy(at, WEIR_BAYES_MAGIC, 8);
    weir_bayes_put_u32(at + WEIR_BAYES_AT_VERSION,
                       counts->weighed ? WEIR_BAYES_VERSION_WEIGHED : WEIR_BAYES_VERSION);
    weir_bayes_put_u32(at + WEIR_BAYES_AT_BITS, bits);
    memcpy(at + WEIR_BAYES_AT_KEY, counts->key.octet, sizeof(counts->key.octet));
    weir_bayes_put_u64(at + WEIR_BAYES_AT_SPAM, counts->spam);
    weir_bayes_put_u64(at + WEIR_BAYES_AT_HAM, counts->ham);
    weir_bayes_put_u64(at + WEIR_BAYES_AT_ENTRIES, n);
}

void weir_bayes_write_index(uint8_t *index, const uint8_t *entry, size_t entries, bool weighed,
                            unsigned bits)
{
    size_t places = (size_t)1 << bits, len = weir_bayes_entry_len(weighed), at = 0;

    for (size_t place = 0; place < places; place++) {
        weir_bayes_put_u32(index + place * sizeof(uint32_t), (uint32_t)at);
        while (at < entries && weir_bayes_place(weir_bayes_u64(entry + at * len), bits) == place)
            at++;
    }
    weir_bayes_put_u32(index + places * sizeof(uint32_t), (uint32_t)entries);
}

static int write_all(const struct weir_bayes_counts *counts, const struct ranked *ranked, size_t n,
                     void **octets_r, size_t *len_r)
{
    unsigned bits = index_bits(n);
    size_t entry_len = weir_bayes_entry_len(counts->weighed);
    size_t before = WEIR_BAYES_HEAD + weir_bayes_index_len(bits), len = before + n * entry_len;
    uint8_t *octets;

    for (size_t i = 1; i < n; i++)
        if (ranked[i].count.hash == ranked[i - 1].count.hash)
            return WEIR_EINVAL;
    octets = calloc(1, len);
    if (!octets)
        return WEIR_ENOMEM;
    write_head(octets, counts, n, bits);
    for (size_t i = 0; i < n; i++)
        weir_bayes_put_entry(octets + before + i * entry_len, &ranked[i].count, counts->weighed);
    weir_bayes_write_index(octets + WEIR_BAYES_HEAD, octets + before, n, counts->weighed, bits);
    weir_bayes_put_u64(octets + WEIR_BAYES_AT_CHECKSUM, weir_bayes_checksum(octets, len));
    *octets_r = octets;
    *len_r = len;
    return 0;
}

int weir_bayes_table_build(const struct weir_bayes_counts *counts, size_t most, void **octets_r,
                           size_t *len_r)
{
    struct ranked *ranked, *sorted;
    size_t n;
    int result;

    if (most > WEIR_BAYES_ENTRIES_MAX)
        return WEIR_ELIMIT;
    if (most == 0)
        most = WEIR_BAYES_ENTRIES_MAX;
    ranked = ranked_new(counts, &n);
    if (!ranked)
        return WEIR_ENOMEM;
    if (n > most) {
        qsort(ranked, n, sizeof(*ranked), by_says);
        n = most;
    }
    sorted = sorted_new(ranked, n, index_bits(n));
    free(ranked);
    result = sorted ? write_all(counts, sorted, n, octets_r, len_r) : WEIR_ENOMEM;
    free(sorted);
    return result;
}
