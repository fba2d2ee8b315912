/*
 * Building a prefilter: patterns are read as they come (need.h) and kept as runs; building
 * chooses for each run the gram it is found by, and lays everything out.
 *
 * The builder owns copies of all it is given.  Patterns without information, or with
 * runs that stand everywhere, are refused by being taken as "always".
 */
#include "core/evidence/prefilter.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/automaton.h"
#include "core/evidence/need_impl.h"
#include "core/evidence/prefilter_impl.h"

#define CHANCE_MOST 0.01 /* runs that begin at more octets than this are no help */

struct grown { /* an array that grows */
    void *at;
    size_t n, room;
};

struct part_builder {
    struct grown always, rule, key, run, id;
    struct grown stepper, automaton; /* struct weir_automaton of each stepper */
};

struct weir_prefilter_builder {
    struct weir_arena *arena; /* for one pattern at a time */
    struct part_builder part[WEIR_AREAS];
    struct grown set;         /* struct weir_octet_set, each once, for all parts */
    uint32_t *set_table;      /* of set numbers + 1, by hash */
    size_t set_slots;
    uint32_t rules;
};

/* Room for n more items of a size, or NULL; the caller fills it. */
static void *grow(struct grown *array, size_t n, size_t size)
{
    if (array->n + n > array->room) {
        size_t room = array->room ? array->room * 2 : 64;
        while (room < array->n + n)
            room *= 2;
        void *at = realloc(array->at, room * size);
        if (!at)
            return NULL;
        array->at = at;
        array->room = room;
    }
    array->n += n;
    return (char *)array->at + (array->n - n) * size;
}

int weir_prefilter_builder_new(struct weir_prefilter_builder **builder_r)
{
    struct weir_prefilter_builder *b = calloc(1, sizeof *b);
    if (b && !(b->arena = weir_arena_new(1 << 20)))
        weir_prefilter_builder_free(&b);
    *builder_r = b;
    return b ? 0 : WEIR_ENOMEM;
}

static void clear_automata(struct part_builder *part)
{
    struct weir_automaton *automaton = part->automaton.at;
    for (size_t i = 0; i < part->automaton.n; i++)
        weir_automaton_clear(&automaton[i]);
    free(automaton);
}

void weir_prefilter_builder_free(struct weir_prefilter_builder **builder)
{
    struct weir_prefilter_builder *b = *builder;
    if (!b)
        return;
    for (size_t i = 0; i < WEIR_AREAS; i++) {
        free(b->part[i].always.at);
        free(b->part[i].rule.at);
        free(b->part[i].key.at);
        free(b->part[i].run.at);
        free(b->part[i].id.at);
        free(b->part[i].stepper.at);
        clear_automata(&b->part[i]);
    }
    free(b->set.at);
    free(b->set_table);
    weir_arena_free(&b->arena);
    free(b);
    *builder = NULL;
}

static size_t set_hash(const struct weir_octet_set *set)
{
    uint64_t hash = 0;
    for (int i = 0; i < 4; i++)
        hash = (hash ^ set->word[i]) * UINT64_C(0x9e3779b97f4a7c15), hash ^= hash >> 29;
    return (size_t)hash;
}

static size_t set_slot(const struct weir_prefilter_builder *b, const struct weir_octet_set *set)
{
    const struct weir_octet_set *known = b->set.at;
    size_t slot = set_hash(set) & (b->set_slots - 1);
    while (b->set_table[slot] &&
           memcmp(&known[b->set_table[slot] - 1], set, sizeof *set) != 0)
        slot = (slot + 1) & (b->set_slots - 1);
    return slot;
}

static int set_table_grow(struct weir_prefilter_builder *b)
{
    size_t slots = b->set_slots ? b->set_slots * 2 : 1024;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return WEIR_ENOMEM;
    free(b->set_table);
    b->set_table = table;
    b->set_slots = slots;
    const struct weir_octet_set *set = b->set.at;
    for (size_t i = 0; i < b->set.n; i++)
        table[set_slot(b, &set[i])] = (uint32_t)i + 1;
    return 0;
}

/* The number of a set, new or not. */
static int set_number(struct weir_prefilter_builder *b, const struct weir_octet_set *set,
                      uint32_t *number_r)
{
    if (b->set.n * 2 >= b->set_slots && set_table_grow(b) < 0)
        return WEIR_ENOMEM;
    size_t slot = set_slot(b, set);
    if (!b->set_table[slot]) {
        struct weir_octet_set *added = grow(&b->set, 1, sizeof *added);
        if (!added)
            return WEIR_ENOMEM;
        *added = *set;
        b->set_table[slot] = (uint32_t)b->set.n;
    }
    *number_r = b->set_table[slot] - 1;
    return 0;
}

/* grams --------------------------------------------------------------------- */

/* The members of a set as grams have them: bit 0x20 set. */
static size_t folded(const struct weir_octet_set *set, unsigned char octet_r[128])
{
    size_t n = 0;
    for (unsigned c = 0; c < 256; c++)
        if (c & 0x20 && (weir_octet_set_has(set, c) || weir_octet_set_has(set, c ^ 0x20)))
            octet_r[n++] = (unsigned char)c;
    return n;
}

struct gram_choice {
    uint16_t offset, len;
    size_t spellings;
    double chance;
};

/* How many spellings len sets have; 0 when too many. */
static size_t spellings(const size_t *members, size_t len)
{
    size_t product = 1;
    for (size_t i = 0; i < len && product; i++)
        product = product * members[i] > WEIR_PREFILTER_GRAMS_MAX ? 0 : product * members[i];
    return product;
}

/* The gram of a run that stands in the fewest places.  False when it has none. */
static bool choose_gram(const struct weir_need_run *run, struct gram_choice *best_r)
{
    size_t members[WEIR_NEED_RUN_MAX];
    unsigned char octet[128];
    *best_r = (struct gram_choice){.chance = 2};
    for (size_t i = 0; i < run->len; i++)
        members[i] = folded(&run->at[i], octet);
    for (uint16_t len = 4; len >= 2; len--) {
        for (uint16_t at = 0; at + len <= run->len; at++) {
            size_t n = spellings(members + at, len);
            if (!n)
                continue;
            double chance = need_chance(run->at + at, len) + 1e-6 * (double)n;
            if (chance < best_r->chance)
                *best_r = (struct gram_choice){at, len, n, chance};
        }
    }
    return best_r->spellings > 0;
}

/* The bits that all members of a set have alike. */
static void common_bits(const struct weir_octet_set *set, uint8_t *mask_r, uint8_t *value_r)
{
    unsigned all = 0xff, any = 0;
    for (unsigned c = 0; c < 256; c++) {
        if (weir_octet_set_has(set, c)) {
            all &= c;
            any |= c;
        }
    }
    *mask_r = (uint8_t)(all | ~any);
    *value_r = (uint8_t)all;
}

/* Where a run's window says most beside the gram, and what it says. */
static void choose_window(const struct weir_need_run *run, const struct gram_choice *choice,
                          struct prefilter_key *key)
{
    uint8_t mask[WEIR_NEED_RUN_MAX + PREFILTER_WINDOW] = {0};
    uint8_t value[WEIR_NEED_RUN_MAX + PREFILTER_WINDOW] = {0};
    int best = -1;
    for (size_t i = 0; i < run->len; i++)
        common_bits(&run->at[i], &mask[i], &value[i]);
    for (uint8_t at = 0; at < run->len; at++) {
        int bits = 0;
        for (size_t i = at; i < at + (size_t)PREFILTER_WINDOW; i++)
            if (i < choice->offset || i >= choice->offset + (size_t)choice->len)
                bits += __builtin_popcount(mask[i]);
        if (bits > best) {
            best = bits;
            key->window = at;
        }
    }
    memcpy(&key->mask, mask + key->window, sizeof key->mask);
    memcpy(&key->value, value + key->window, sizeof key->value);
}

/* Adds a key for each spelling of a run's gram. */
static int add_keys(struct part_builder *part, const struct weir_need_run *run, uint32_t run_number,
                    uint32_t seed, const struct gram_choice *choice)
{
    unsigned char member[4][128];
    size_t n[4];
    struct prefilter_key *key = grow(&part->key, choice->spellings, sizeof *key);
    if (!key)
        return WEIR_ENOMEM;
    struct prefilter_key common = {.seed = seed, .run = run_number, .offset = choice->offset,
                                   .len = (uint8_t)choice->len};
    choose_window(run, choice, &common);
    for (size_t i = 0; i < choice->len; i++)
        n[i] = folded(&run->at[choice->offset + i], member[i]);
    for (size_t k = 0; k < choice->spellings; k++) {
        uint32_t gram = 0;
        size_t which = k;
        for (size_t i = 0; i < choice->len; i++) {
            gram |= (uint32_t)member[i][which % n[i]] << 8 * i;
            which /= n[i];
        }
        key[k] = common;
        key[k].gram = gram;
    }
    return 0;
}

/* patterns -------------------------------------------------------------------- */

static int add_run(struct weir_prefilter_builder *b, const struct weir_prefilter_pattern *pattern,
                   const struct weir_need *need, size_t order)
{
    struct part_builder *part = &b->part[pattern->area];
    const struct weir_need_run *run = &need->run[order];
    struct gram_choice choice;
    size_t number = part->run.n, id = part->id.n;
    uint32_t *ids = grow(&part->id, run->len, sizeof *ids);
    struct prefilter_run *added = grow(&part->run, 1, sizeof *added);
    if (!ids || !added)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < run->len; i++)
        if (set_number(b, &run->at[i], &ids[i]) < 0)
            return WEIR_ENOMEM;
    *added = (struct prefilter_run){.rule = pattern->rule, .order = (uint32_t)order,
                                    .lead_min = need->lead_min, .lead_max = need->lead_max,
                                    .id = (uint32_t)id, .len = run->len, .times = need->times,
                                    .left = run->left, .right = run->right,
                                    .flags = need->exact ? PREFILTER_EXACT_RUN : 0};
    choose_gram(run, &choice);
    return add_keys(part, run, (uint32_t)number, prefilter_seed(pattern->selector), &choice);
}

static bool can_be_found(const struct weir_need *need)
{
    struct gram_choice choice;
    bool found = need->runs > 0 && (need->exact || need->chance < CHANCE_MOST);
    for (size_t i = 0; i < need->runs && found; i++)
        found = choose_gram(&need->run[i], &choice);
    return found;
}

static int add_number(struct grown *list, uint32_t number)
{
    uint32_t *added = grow(list, 1, sizeof *added);
    if (!added)
        return WEIR_ENOMEM;
    *added = number;
    return 0;
}

/* 1 when an automaton can find it, 0 when not. */
static int add_steps(struct part_builder *part, const struct weir_prefilter_pattern *pattern,
                     const struct weir_need_node *tree)
{
    struct weir_automaton found, *automaton;
    int added = weir_automaton_find(tree, &found);
    if (added <= 0)
        return added;
    if (!(automaton = grow(&part->automaton, 1, sizeof *automaton))) {
        weir_automaton_clear(&found);
        return WEIR_ENOMEM;
    }
    *automaton = found;
    struct prefilter_stepper *stepper = grow(&part->stepper, 1, sizeof *stepper);
    if (!stepper)
        return WEIR_ENOMEM;
    *stepper = (struct prefilter_stepper){.rule = pattern->rule, .selector = pattern->selector,
                                          .least = found.least, .most = found.most};
    return 1;
}

static int add_runs(struct weir_prefilter_builder *b, const struct weir_prefilter_pattern *pattern,
                    const struct weir_need *need)
{
    for (size_t i = 0; i < need->runs; i++)
        if (add_run(b, pattern, need, i) < 0)
            return WEIR_ENOMEM;
    return 0;
}

/* Chooses how to find a pattern; tree is NULL when it could not be read. */
static int add_need(struct weir_prefilter_builder *b, const struct weir_prefilter_pattern *pattern,
                    const struct weir_need_node *tree, const struct weir_need *need,
                    enum weir_prefilter_means *means_r)
{
    struct part_builder *part = &b->part[pattern->area];
    bool by_runs = can_be_found(need);
    int by_steps = !by_runs && tree ? add_steps(part, pattern, tree) : 0;
    if (by_steps < 0)
        return by_steps;
    if (!by_runs && !by_steps) {
        *means_r = WEIR_PREFILTER_ALWAYS;
        return add_number(&part->always, pattern->rule);
    }
    *means_r = by_runs && need->exact ? WEIR_PREFILTER_EXACT : WEIR_PREFILTER_LITERALS;
    if (add_number(&part->rule, pattern->rule) < 0)
        return WEIR_ENOMEM;
    return by_runs ? add_runs(b, pattern, need) : 0;
}

/* How most lines of an area begin. */
static struct weir_slice usual_beginning(enum weir_area_kind kind)
{
    return kind == WEIR_AREA_URI ? (struct weir_slice){"http://www.", 11}
                                 : (struct weir_slice){"", 0};
}

int weir_prefilter_add(struct weir_prefilter_builder *builder,
                       const struct weir_prefilter_pattern *pattern,
                       enum weir_prefilter_means *means_r)
{
    struct weir_need_flags flags = {pattern->caseless, pattern->multiline, pattern->dotall,
                                    pattern->extended};
    const struct weir_need_node *tree = NULL;
    struct weir_need need = {0};
    if (pattern->rule >= WEIR_RULES_MAX || (unsigned)pattern->area >= WEIR_AREAS)
        return WEIR_ELIMIT;
    weir_arena_reset(builder->arena, 1 << 22);
    int found = weir_need_read(builder->arena, pattern->pattern, &flags, &tree);
    if (found > 0)
        found = weir_need_find(builder->arena, tree, usual_beginning(pattern->area),
                               &need);
    if (found < 0)
        return found;
    if (pattern->rule >= builder->rules)
        builder->rules = pattern->rule + 1;
    return add_need(builder, pattern, tree, &need, means_r);
}

/* laying out ------------------------------------------------------------------ */

struct layout {
    uint8_t *octets;
    size_t len;
};

static void *lay(struct layout *l, struct prefilter_table *table, const void *items, size_t n,
                 size_t size)
{
    l->len = (l->len + 63) & ~(size_t)63;
    *table = (struct prefilter_table){(uint32_t)l->len, (uint32_t)n};
    void *at = l->octets ? l->octets + l->len : NULL;
    if (at && items && n)
        memcpy(at, items, n * size);
    l->len += n * size;
    return at;
}

static uint32_t bits_for(size_t n, uint32_t least, uint32_t most)
{
    uint32_t bits = least;
    while (bits < most && (size_t)1 << bits < n)
        bits++;
    return bits;
}

/* Sorts keys into buckets and sets the filter's bits. */
static void lay_keys(const struct prefilter_part *part, const struct grown *keys, uint32_t *bucket,
                     uint64_t *filter, struct prefilter_key *sorted)
{
    const struct prefilter_key *key = keys->at;
    for (size_t i = 0; i < keys->n; i++) {
        uint32_t hash = prefilter_hash(key[i].gram, key[i].len, key[i].seed);
        filter[hash >> 10 & (part->filter.n - 1)] |= UINT64_C(1) << (hash >> 26);
        bucket[(hash >> (32 - part->bucket_bits)) + 1]++;
    }
    for (size_t b = 0; b < (size_t)1 << part->bucket_bits; b++)
        bucket[b + 1] += bucket[b];
    for (size_t i = keys->n; i-- > 0;) { /* bucket[b + 1] moves down to where b's keys begin */
        uint32_t hash = prefilter_hash(key[i].gram, key[i].len, key[i].seed);
        sorted[--bucket[(hash >> (32 - part->bucket_bits)) + 1]] = key[i];
    }
    for (size_t b = 0; b < (size_t)1 << part->bucket_bits; b++)
        bucket[b] = bucket[b + 1];
    bucket[(size_t)1 << part->bucket_bits] = (uint32_t)keys->n;
}

/* automata -------------------------------------------------------------------- */

static void lay_next(struct layout *l, const struct weir_automaton *from,
                     struct prefilter_stepper *to)
{
    to->states = from->states;
    to->stride_bits = bits_for(from->classes, 0, 8);
    memcpy(to->class_of, from->class_of, sizeof to->class_of);
    uint8_t *next = lay(l, &to->next, NULL, (size_t)from->states << to->stride_bits, 1);
    for (size_t i = 0; next && i < from->states; i++)
        memcpy(next + (i << to->stride_bits), from->next + i * from->classes, from->classes);
}

static void lay_pairs(struct prefilter_pairs *to, const struct weir_automaton *from, size_t n)
{
    bool pair[WEIR_AUTOMATON_PAIRS][WEIR_AUTOMATON_KINDS * WEIR_AUTOMATON_KINDS];
    for (size_t i = 0; i < n; i++) {
        struct prefilter_pairs *group = &to[i / 64];
        weir_octet_kinds(group->kind_of);
        weir_automaton_pairs(&from[i], group->kind_of, pair);
        for (unsigned k = 0; k < WEIR_AUTOMATON_PAIRS; k++)
            for (unsigned p = 0; p < sizeof pair[k] / sizeof pair[k][0]; p++)
                if (pair[k][p])
                    group->pair[k][p] |= UINT64_C(1) << i % 64;
    }
}

static void lay_automata(struct layout *l, const struct part_builder *from,
                         struct prefilter_part *part)
{
    const struct weir_automaton *automaton = from->automaton.at;
    const struct prefilter_stepper *stepper = from->stepper.at;
    struct prefilter_pairs *pairs =
        lay(l, &part->pairs, NULL, (from->stepper.n + 63) / 64, sizeof *pairs);
    struct prefilter_stepper *laid =
        lay(l, &part->stepper, NULL, from->stepper.n, sizeof *laid);
    for (size_t i = 0; i < from->stepper.n; i++) {
        struct prefilter_stepper one = stepper[i];
        lay_next(l, &automaton[i], &one);
        if (laid)
            laid[i] = one;
    }
    if (pairs)
        lay_pairs(pairs, automaton, from->stepper.n);
}

static void lay_part(const struct weir_prefilter_builder *b, const struct part_builder *from,
                     struct layout *l, struct prefilter_part *part)
{
    const struct prefilter_key *key = from->key.at;
    *part = (struct prefilter_part){0};
    part->filter_bits = bits_for(from->key.n * 24, 13, 22);
    part->bucket_bits = bits_for(from->key.n * 4, 6, 20);
    for (size_t i = 0; i < from->key.n; i++)
        part->gram_lengths |= 1u << key[i].len;
    lay(l, &part->always, from->always.at, from->always.n, 4);
    lay(l, &part->rule, from->rule.at, from->rule.n, 4);
    uint64_t *filter = lay(l, &part->filter, NULL, (size_t)1 << (part->filter_bits - 6), 8);
    uint32_t *bucket = lay(l, &part->bucket, NULL, ((size_t)1 << part->bucket_bits) + 1, 4);
    struct prefilter_key *sorted = lay(l, &part->key, NULL, from->key.n, sizeof *sorted);
    lay(l, &part->run, from->run.at, from->run.n, sizeof(struct prefilter_run));
    lay(l, &part->id, from->id.at, from->id.n, 4);
    lay(l, &part->set, b->set.at, b->set.n, sizeof(struct weir_octet_set));
    lay_automata(l, from, part);
    if (l->octets)
        lay_keys(part, &from->key, bucket, filter, sorted);
}

static void lay_all(const struct weir_prefilter_builder *b, struct layout *l)
{
    struct prefilter_head head = {.magic = PREFILTER_MAGIC, .rules = b->rules};
    struct prefilter_part part;
    l->len = sizeof head;
    for (size_t i = 0; i < WEIR_AREAS; i++) {
        struct prefilter_table place;
        void *at = lay(l, &place, NULL, 1, sizeof part);
        lay_part(b, &b->part[i], l, &part);
        head.part[i] = place.place;
        if (at)
            memcpy(at, &part, sizeof part);
    }
    l->len = (l->len + 7) & ~(size_t)7;
    head.len = (uint32_t)l->len;
    if (l->octets)
        memcpy(l->octets, &head, sizeof head);
}

int weir_prefilter_build(struct weir_prefilter_builder *builder, void **octets_r, size_t *len_r)
{
    struct layout l = {NULL, 0};
    lay_all(builder, &l); /* once to measure */
    if (l.len > UINT32_MAX / 2)
        return WEIR_ELIMIT;
    size_t len = l.len;
    if (!(l.octets = calloc(1, len)))
        return WEIR_ENOMEM;
    lay_all(builder, &l);
    *octets_r = l.octets;
    *len_r = len;
    return 0;
}
