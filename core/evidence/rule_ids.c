/*
 * The numbers of rules.  Who has none by an "id" line gets one that follows from its name; where
 * two names make the same number, the name that sorts first keeps it, and the other is hashed
 * again with a count until its number is free.  So what a rule gets depends on the names and the
 * fixed ids of the set, never on files or their order.
 *
 * Refuses: two rules with the same fixed id (told).  The table of ids that are taken is under the
 * reader's key, in its arena.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_source_impl.h"

/* FNV-1a, 64 bits: a number that is the same wherever the name is. */
static uint32_t id_of(struct weir_slice name, unsigned round)
{
    const uint32_t least = 1u << 20;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.at[i]) * UINT64_C(0x100000001b3);
    for (; round > 0; round >>= 8)
        hash = (hash ^ (round & 0xff)) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    return least + (uint32_t)(hash % (WEIR_RULE_ID_MAX - least + 1));
}

uint32_t weir_rule_id(struct weir_slice name)
{
    return id_of(name, 0);
}

const char *weir_rule_own_name(uint32_t id)
{
    static const char *const name[] = {"REPUTATION", "FORGED_DOMAIN", "FORGED_INFO", "BAYES",
                                       "RULES_CUT", "ip:"};
    const uint32_t number = id - WEIR_RULE_ID_OWN;
    return number < sizeof(name) / sizeof(name[0]) ? name[number] : NULL;
}

bool weir_rule_is_own(struct weir_slice name)
{
    for (uint32_t id = WEIR_RULE_ID_OWN; weir_rule_own_name(id); id++)
        if (weir_slice_equals(name, weir_rule_own_name(id)))
            return true;
    return name.len >= 3 && memcmp(name.at, "ip:", 3) == 0;
}

struct giving {
    struct weir_rule_reader *reader;
    struct weir_rule_draft **draft; /* those with fixed ids first, then all by name */
    size_t drafts, fixed;
    struct weir_rule_source **slot; /* by id; open addressing, at most half full */
    size_t slots;
};

static int by_name(const void *a, const void *b)
{
    const struct weir_rule_draft *one = *(struct weir_rule_draft *const *)a;
    const struct weir_rule_draft *other = *(struct weir_rule_draft *const *)b;
    const struct weir_slice left = one->source.name, right = other->source.name;
    if (one->has_id != other->has_id)
        return one->has_id ? -1 : 1;
    int order = memcmp(left.at, right.at, left.len < right.len ? left.len : right.len);
    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

static int gather(struct giving *giving)
{
    struct weir_rule_reader *reader = giving->reader;
    giving->draft = weir_arena_zero(reader->arena, reader->rules + 1, sizeof(*giving->draft));
    for (giving->slots = 16; giving->slots < 2 * reader->rules; giving->slots *= 2)
        ;
    giving->slot = weir_arena_zero(reader->arena, giving->slots, sizeof(*giving->slot));
    if (!giving->draft || !giving->slot)
        return WEIR_ENOMEM;
    for (struct weir_rule_chunk *chunk = reader->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->drafts; i++)
            giving->draft[giving->drafts++] = &chunk->draft[i];
    qsort(giving->draft, giving->drafts, sizeof(*giving->draft), by_name);
    while (giving->fixed < giving->drafts && giving->draft[giving->fixed]->has_id)
        giving->fixed++;
    return 0;
}

/* Gives the rule this id; or returns who has it. */
static const struct weir_rule_source *take(struct giving *giving, struct weir_rule_source *rule,
                                           uint32_t id)
{
    const size_t mask = giving->slots - 1;
    size_t at = weir_hash64(&giving->reader->key, &id, sizeof(id)) & mask;
    while (giving->slot[at] && giving->slot[at]->id != id)
        at = (at + 1) & mask;
    if (giving->slot[at])
        return giving->slot[at];
    rule->id = id;
    giving->slot[at] = rule;
    return NULL;
}

/* In the order in which they stand in the files, for people. */
static void take_fixed(struct giving *giving)
{
    struct weir_rule_reader *reader = giving->reader;
    for (struct weir_rule_chunk *chunk = reader->first; chunk; chunk = chunk->next) {
        for (size_t i = 0; i < chunk->drafts; i++) {
            struct weir_rule_source *rule = &chunk->draft[i].source;
            const struct weir_rule_source *first =
                chunk->draft[i].has_id ? take(giving, rule, rule->id) : NULL;
            if (first)
                weir_rule_tell_doubled(reader, first, rule);
        }
    }
}

/* First all that can have the number of their name, so that nobody loses it to a number that
 * was found for somebody else. */
static void take_hashed(struct giving *giving)
{
    for (size_t i = giving->fixed; i < giving->drafts; i++) {
        struct weir_rule_source *rule = &giving->draft[i]->source;
        (void)take(giving, rule, weir_rule_id(rule->name));
    }
    for (size_t i = giving->fixed; i < giving->drafts; i++) {
        struct weir_rule_source *rule = &giving->draft[i]->source;
        for (unsigned round = 1; rule->id == 0; round++)
            (void)take(giving, rule, id_of(rule->name, round));
    }
}

int weir_rule_ids_give(struct weir_rule_reader *reader)
{
    struct giving giving = {.reader = reader};
    int rc = gather(&giving);
    if (rc < 0)
        return rc;
    take_fixed(&giving);
    take_hashed(&giving);
    return 0;
}
