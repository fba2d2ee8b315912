/*
 * Columns of a word list, made and applied.  Both sides bring the entries that stayed into one
 * order, which follows from the list before; and both know where in the next list each belongs.
 */
#include "core/evidence/bayes_columns.h"

#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/bayes_table_impl.h"

#define FRONT (WEIR_BAYES_HEAD + 8) /* octets in front of the columns */

/* An entry that stayed: what the list before says of it, and its number in the next one. */
struct stay {
    uint64_t weight_spam;
    uint32_t ham, at;
};

/* Where the columns stand, and how long they are. */
struct layout {
    bool weighed;
    size_t gone, added, stays, entries;
    size_t at_gone, at_added, at_spam, at_ham, at_weight, len;
};

static struct layout layout_of(size_t gone, size_t added, size_t stays, bool weighed)
{
    struct layout layout = {.weighed = weighed, .gone = gone, .added = added, .stays = stays,
                            .entries = stays + added};

    layout.at_gone = FRONT;
    layout.at_added = layout.at_gone + 4 * gone;
    layout.at_spam = layout.at_added + 8 * added;
    layout.at_ham = layout.at_spam + 4 * layout.entries;
    layout.at_weight = layout.at_ham + 4 * layout.entries;
    layout.len = layout.at_weight + (weighed ? 2 * layout.entries : 0);
    return layout;
}

/* Number i of count that stand in columns of so many octets. */
static void put(uint8_t *column, size_t count, unsigned octets, size_t i, uint64_t number)
{
    for (unsigned k = 0; k < octets; k++)
        column[k * count + i] = (uint8_t)(number >> 8 * k);
}

static uint64_t get(const uint8_t *column, size_t count, unsigned octets, size_t i)
{
    uint64_t number = 0;

    for (unsigned k = 0; k < octets; k++)
        number |= (uint64_t)column[k * count + i] << 8 * k;
    return number;
}

static int attach(struct weir_slice list, bool full, struct weir_bayes_table *table_r)
{
    *table_r = (struct weir_bayes_table){.entries = 0};
    return list.len > 0 ? weir_bayes_table_attach(list.at, list.len, full, table_r) : 0;
}

static struct weir_bayes_count entry(const struct weir_bayes_table *table, size_t number)
{
    struct weir_bayes_count count = {.hash = 0};

    (void)weir_bayes_table_get(table, number, &count);
    return count;
}

/* Entries that stayed. --------------------------------------------------------------------- */

static struct stay stay_of(const struct weir_bayes_count *before, size_t at)
{
    uint64_t weight = (uint16_t)(before->weight + 32768);

    return (struct stay){weight << 32 | before->spam, before->ham, (uint32_t)at};
}

/* By number at last, which is the order of hashes. */
static int in_order(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;

    if (x->weight_spam != y->weight_spam)
        return x->weight_spam > y->weight_spam ? 1 : -1;
    if (x->ham != y->ham)
        return x->ham > y->ham ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Making. ---------------------------------------------------------------------------------- */

struct making {
    struct weir_bayes_table before, next;
    struct stay *stay;
    uint32_t *gone, *added;  /* numbers in the list before, in the next one */
    size_t stays, gones, addeds;
};

/* Both lists side by side, by their hashes. */
static void compare(struct making *making)
{
    size_t i = 0, j = 0;

    while (i < making->before.entries || j < making->next.entries) {
        struct weir_bayes_count old = entry(&making->before, i), new = entry(&making->next, j);

        if (j == making->next.entries || (i < making->before.entries && old.hash < new.hash))
            making->gone[making->gones++] = (uint32_t)i++;
        else if (i == making->before.entries || new.hash < old.hash)
            making->added[making->addeds++] = (uint32_t)j++;
        else {
            making->stay[making->stays++] = stay_of(&old, j++);
            i++;
        }
    }
    qsort(making->stay, making->stays, sizeof *making->stay, in_order);
}

static void write_stays(const struct making *making, const struct layout *layout, uint8_t *octets)
{
    for (size_t i = 0; i < layout->stays; i++) {
        const struct stay *stay = &making->stay[i];
        struct weir_bayes_count is = entry(&making->next, stay->at);

        put(octets + layout->at_spam, layout->entries, 4, i, is.spam - (uint32_t)stay->weight_spam);
        put(octets + layout->at_ham, layout->entries, 4, i, is.ham - stay->ham);
        if (layout->weighed)
            weir_bayes_put_i16(octets + layout->at_weight + 2 * i, is.weight);
    }
}

static void write_added(const struct making *making, const struct layout *layout, uint8_t *octets)
{
    uint64_t last = 0;

    for (size_t i = 0; i < layout->added; i++) {
        struct weir_bayes_count is = entry(&making->next, making->added[i]);
        size_t at = layout->stays + i;

        put(octets + layout->at_added, layout->added, 8, i, is.hash - last);
        put(octets + layout->at_spam, layout->entries, 4, at, is.spam);
        put(octets + layout->at_ham, layout->entries, 4, at, is.ham);
        if (layout->weighed)
            put(octets + layout->at_weight + 2 * layout->stays, layout->added, 2, i,
                (uint16_t)is.weight);
        last = is.hash;
    }
}

static int write_all(const struct making *making, const void *head, void **octets_r, size_t *len_r)
{
    const struct layout layout =
        layout_of(making->gones, making->addeds, making->stays, making->next.weighed);
    uint8_t *octets = malloc(layout.len);

    if (!octets)
        return WEIR_ENOMEM;
    memcpy(octets, head, WEIR_BAYES_HEAD);
    weir_bayes_put_u32(octets + WEIR_BAYES_HEAD, (uint32_t)layout.gone);
    weir_bayes_put_u32(octets + WEIR_BAYES_HEAD + 4, (uint32_t)layout.added);
    for (size_t i = 0; i < layout.gone; i++)
        put(octets + layout.at_gone, layout.gone, 4, i,
            making->gone[i] - (i > 0 ? making->gone[i - 1] + 1 : 0));
    write_stays(making, &layout, octets);
    write_added(making, &layout, octets);
    *octets_r = octets;
    *len_r = layout.len;
    return 0;
}

int weir_bayes_columns_make(struct weir_slice before, struct weir_slice next, void **octets_r,
                            size_t *len_r)
{
    struct making making = {.stays = 0};
    int rc = attach(before, true, &making.before);

    rc = rc < 0 ? rc : weir_bayes_table_attach(next.at, next.len, true, &making.next);
    if (rc < 0)
        return rc;
    making.stay = malloc((making.next.entries + 1) * sizeof *making.stay);
    making.added = malloc((making.next.entries + 1) * sizeof *making.added);
    making.gone = malloc((making.before.entries + 1) * sizeof *making.gone);
    if (making.stay && making.added && making.gone) {
        compare(&making);
        rc = write_all(&making, next.at, octets_r, len_r);
    } else {
        rc = WEIR_ENOMEM;
    }
    free(making.stay);
    free(making.added);
    free(making.gone);
    return rc;
}

/* Applying. -------------------------------------------------------------------------------- */

struct applying {
    struct weir_bayes_table before;
    const uint8_t *columns;
    struct layout layout;
    struct stay *stay;
    uint32_t *added;         /* numbers in the next list */
    uint8_t *entry;          /* of the next list */
    size_t entry_len, stays, addeds;
    uint64_t last;           /* hash that was put */
};

/* The columns' head: whether they are of this list and make one of so many octets. */
static int read_head(struct weir_slice columns, size_t len, struct applying *applying)
{
    const uint8_t *at = (const uint8_t *)columns.at;
    uint32_t version, bits;
    uint64_t entries, gone, added;
    bool weighed;

    if (columns.len < FRONT)
        return WEIR_ECORRUPT;
    version = weir_bayes_u32(at + WEIR_BAYES_AT_VERSION);
    bits = weir_bayes_u32(at + WEIR_BAYES_AT_BITS);
    entries = weir_bayes_u64(at + WEIR_BAYES_AT_ENTRIES);
    gone = weir_bayes_u32(at + WEIR_BAYES_HEAD);
    added = weir_bayes_u32(at + WEIR_BAYES_HEAD + 4);
    weighed = version == WEIR_BAYES_VERSION_WEIGHED;
    if (bits > WEIR_BAYES_BITS_MAX || entries > WEIR_BAYES_ENTRIES_MAX ||
        gone > applying->before.entries || added > entries ||
        applying->before.entries - gone != entries - added)
        return WEIR_ECORRUPT;
    applying->columns = at;
    applying->layout = layout_of((size_t)gone, (size_t)added, (size_t)(entries - added), weighed);
    applying->entry_len = weir_bayes_entry_len(weighed);
    return applying->layout.len == columns.len &&
                   len == WEIR_BAYES_HEAD + weir_bayes_index_len(bits) +
                              applying->layout.entries * applying->entry_len
               ? 0
               : WEIR_ECORRUPT;
}

/* The next entry's hash, which is above all before. */
static bool put_hash(struct applying *applying, uint64_t hash)
{
    size_t at = applying->stays + applying->addeds;

    if (at == applying->layout.entries || (at > 0 && hash <= applying->last))
        return false;
    weir_bayes_put_u64(applying->entry + at * applying->entry_len, hash);
    applying->last = hash;
    return true;
}

/* Added ones up to a hash. */
static bool put_added(struct applying *applying, uint64_t *hash, uint64_t up_to)
{
    const struct layout *layout = &applying->layout;

    while (applying->addeds < layout->added) {
        uint64_t next = *hash + get(applying->columns + layout->at_added, layout->added, 8,
                                    applying->addeds);

        if (next < *hash)
            return false;
        if (next > up_to)
            return true;
        if (!put_hash(applying, next))
            return false;
        applying->added[applying->addeds] = (uint32_t)(applying->stays + applying->addeds);
        applying->addeds++;
        *hash = next;
    }
    return true;
}

/* All hashes of the next list, and where each entry has its place. */
static bool merge(struct applying *applying)
{
    const struct layout *layout = &applying->layout;
    size_t gones = 0, next = 0; /* that may be gone */
    uint64_t hash = 0;

    for (size_t i = 0; i < applying->before.entries; i++) {
        struct weir_bayes_count is = entry(&applying->before, i);

        if (gones < layout->gone &&
            i == next + get(applying->columns + layout->at_gone, layout->gone, 4, gones)) {
            next = i + 1;
            gones++;
            continue;
        }
        if (applying->stays == layout->stays || !put_added(applying, &hash, is.hash) ||
            !put_hash(applying, is.hash))
            return false;
        applying->stay[applying->stays] =
            stay_of(&is, applying->stays + applying->addeds);
        applying->stays++;
    }
    return put_added(applying, &hash, UINT64_MAX) && applying->stays == layout->stays &&
           applying->addeds == layout->added;
}

/* What is said of entry i of the columns, at its place in the list. */
static void put_counts(struct applying *applying, size_t i, size_t at, uint32_t spam, uint32_t ham)
{
    const struct layout *layout = &applying->layout;
    const uint8_t *columns = applying->columns, *weights = columns + layout->at_weight;
    uint8_t *to = applying->entry + at * applying->entry_len;
    struct weir_bayes_count count = {.hash = weir_bayes_u64(to)};

    count.spam = spam + (uint32_t)get(columns + layout->at_spam, layout->entries, 4, i);
    count.ham = ham + (uint32_t)get(columns + layout->at_ham, layout->entries, 4, i);
    if (layout->weighed && i < layout->stays)
        count.weight = weir_bayes_i16(weights + 2 * i);
    else if (layout->weighed)
        count.weight = (int16_t)get(weights + 2 * layout->stays, layout->added, 2,
                                    i - layout->stays);
    weir_bayes_put_entry(to, &count, layout->weighed);
}

static int fill(struct applying *applying, uint8_t *room)
{
    const struct layout *layout = &applying->layout;
    uint32_t bits = weir_bayes_u32(applying->columns + WEIR_BAYES_AT_BITS);
    size_t index = weir_bayes_index_len(bits);

    applying->entry = room + WEIR_BAYES_HEAD + index;
    if (!merge(applying))
        return WEIR_ECORRUPT;
    qsort(applying->stay, layout->stays, sizeof *applying->stay, in_order);
    for (size_t i = 0; i < layout->stays; i++)
        put_counts(applying, i, applying->stay[i].at, (uint32_t)applying->stay[i].weight_spam,
                   applying->stay[i].ham);
    for (size_t i = 0; i < layout->added; i++)
        put_counts(applying, layout->stays + i, applying->added[i], 0, 0);
    memcpy(room, applying->columns, WEIR_BAYES_HEAD);
    memset(room + WEIR_BAYES_HEAD, 0, index);
    weir_bayes_write_index(room + WEIR_BAYES_HEAD, applying->entry, layout->entries,
                           layout->weighed, bits);
    return 0;
}

int weir_bayes_columns_apply(struct weir_slice before, struct weir_slice columns, void *room,
                             size_t len)
{
    struct applying applying = {.stays = 0};
    int rc = attach(before, false, &applying.before);

    rc = rc < 0 ? rc : read_head(columns, len, &applying);
    if (rc < 0)
        return rc;
    applying.stay = malloc((applying.layout.stays + 1) * sizeof *applying.stay);
    applying.added = malloc((applying.layout.added + 1) * sizeof *applying.added);
    rc = applying.stay && applying.added ? fill(&applying, room) : WEIR_ENOMEM;
    free(applying.stay);
    free(applying.added);
    return rc;
}
