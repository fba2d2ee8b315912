/*
 * patch_rig - signed rule sets with word lists, and what changes from one to the next.
 *
 * Some words come and go, and all that had the same counts and weight move to another weight
 * together, as words of one message do.
 */
#ifndef WEIR_TESTS_PATCH_RIG_H
#define WEIR_TESTS_PATCH_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/evidence/bayes_table.h"
#include "core/evidence/rule_parcel.h"

#define PATCH_SEED "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"

/* As a keyed hash: nothing to be seen in it. */
static inline uint64_t patch_scatter(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

/* So many words as they are in a round: malloc'ed octets. */
static inline struct weir_slice patch_list(size_t words, unsigned round, bool weighed)
{
    struct weir_bayes_count *count = calloc(words + 1, sizeof *count);
    struct weir_bayes_counts counts = {.spam = 1000 + round, .ham = 2000, .count = count,
                                       .counts = words, .weighed = weighed};
    void *octets = NULL;
    size_t len = 0;

    for (size_t i = 0; count && i < words; i++) {
        bool fresh = i % 50 == round % 50;

        count[i] = (struct weir_bayes_count){
            .hash = patch_scatter(fresh ? i + 1000000 * (round + 1) : i),
            .spam = (uint32_t)(1 + i % 7 + (i % 97 == 0 ? round : 0)), .ham = (uint32_t)(i % 5),
            .weight = (int16_t)((int)(i % 700 * 31 + round * 5) - 10000)};
    }
    if (!count || weir_bayes_table_build(&counts, 0, &octets, &len) < 0)
        abort();
    free(count);
    return (struct weir_slice){octets, len};
}

/* A set's file: rules, the first of which has another score each round, and a list (len 0: none),
 * which is freed.  malloc'ed octets. */
static inline struct weir_slice patch_file(uint32_t serial, size_t rules, unsigned round,
                                           struct weir_slice list)
{
    struct weir_rule_parcel parcel = {.serial = serial, .rules = rules};
    struct weir_parcel_keys keys;
    char *text = malloc(80 * rules + 80);
    size_t len = 0, octets_len;
    void *octets;

    for (size_t i = 0; text && i < rules; i++)
        len += (size_t)sprintf(text + len, "body R%zu /%016llx/\nscore R%zu %u\nid R%zu %zu\n", i,
                               (unsigned long long)patch_scatter(i), i, i ? 1 : 1 + round, i,
                               i + 1);
    parcel.section[WEIR_PARCEL_RULES] = (struct weir_slice){text, len};
    parcel.section[WEIR_PARCEL_BAYES] = list;
    if (!text || !weir_parcel_keys_read(weir_slice_of(PATCH_SEED), &keys) ||
        weir_rule_parcel_make(&parcel, &keys, &octets, &octets_len) < 0)
        abort();
    free(text);
    if (list.len > 0)
        free((void *)(uintptr_t)list.at);
    return (struct weir_slice){octets, octets_len};
}

static inline void patch_free(struct weir_slice *octets)
{
    free((void *)(uintptr_t)octets->at);
    *octets = (struct weir_slice){NULL, 0};
}

#endif
