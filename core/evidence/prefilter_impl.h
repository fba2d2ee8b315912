/*
 * prefilter_impl - how a built prefilter lies in memory.
 *
 * All numbers are 32 bits in the machine's order: an image is built where it is used.
 * Places are octets from the beginning, multiples of 4.
 *
 *     head            magic, length, rules, a place for each area's part
 *     part            struct prefilter_part: places and counts of
 *       always        numbers of rules that are candidates in every line
 *       rule          numbers of rules found by runs
 *       filter        bits: a gram with this hash is in the table
 *       bucket, key   table of grams: bucket b has the keys bucket[b] .. bucket[b + 1]
 *       run           struct prefilter_run: what must stand around a gram
 *       id, set       the runs' octets: numbers of sets, and the sets
 *       stepper       rules found by automata, whose tables follow
 *       pairs         for each 64 of them, what is looked at first
 *
 * A gram is 2, 3 or 4 neighbouring octets of a text, each with bit 0x20 set, which makes upper
 * and lower case the same and is only a filter: the run is compared with the text itself.
 */
#ifndef WEIR_EVIDENCE_PREFILTER_IMPL_H
#define WEIR_EVIDENCE_PREFILTER_IMPL_H

#include "core/evidence/automaton.h"
#include "core/evidence/need.h"
#include "core/evidence/prefilter.h"

#define PREFILTER_MAGIC 0x57505232u /* "WPR2" */
#define PREFILTER_WINDOW 8 /* octets of a run that a key knows of */

struct prefilter_table {
    uint32_t place, n;
};

struct prefilter_part {
    uint32_t filter_bits, bucket_bits; /* log2 of their numbers */
    uint32_t gram_lengths;             /* bit n: there are grams of n octets */
    struct prefilter_table always, rule, filter, bucket, key, run, id, set, stepper, pairs;
};

/* A rule found by its steps (automaton.h).  Steppers are asked in groups of 64, one bit each. */
struct prefilter_stepper {
    uint32_t rule, selector;
    uint32_t least, most;   /* a match begins so many octets before the steps */
    uint32_t states, stride_bits;
    struct prefilter_table next; /* octets; rows of 1 << stride_bits */
    uint8_t class_of[256];
};

struct prefilter_pairs { /* of a group: which of them may have these two octets so far on */
    uint8_t kind_of[256];
    uint64_t pair[WEIR_AUTOMATON_PAIRS][WEIR_AUTOMATON_KINDS * WEIR_AUTOMATON_KINDS];
};

struct prefilter_key {
    uint32_t gram, seed, run;
    uint16_t offset; /* of the gram in the run */
    uint8_t len;     /* of the gram */
    uint8_t window;  /* where in the run the window lies */
    uint64_t mask;   /* bits that each octet in the window must have as value has them: */
    uint64_t value;  /* most texts differ there, and the run need not be looked at */
};

enum prefilter_run_flag { PREFILTER_EXACT_RUN = 1 };

struct prefilter_run {
    uint32_t rule, order;        /* of the alternatives of a rule, the first that stands counts */
    uint32_t lead_min, lead_max;
    uint32_t id;                 /* its first set's number stands here */
    uint16_t len;
    uint8_t left, right;         /* enum weir_need_edge */
    uint32_t times;              /* runs of the rule must stand at so many places of a line */
    uint32_t flags;
};

struct prefilter_head {
    uint32_t magic, len, rules, part[WEIR_AREAS];
};

/* A 32-bit hash whose upper bits are good. */
static inline uint32_t prefilter_hash(uint32_t gram, uint32_t len, uint32_t seed)
{
    return (gram ^ seed) * (len == 4 ? 0x9e3779b1u : len == 3 ? 0x85ebca6bu : 0xc2b2ae35u);
}

/* The filter's word for a hash, with the hash's bit as its lowest; mask: words less one.  All
 * shifts but one are by constants, since this is done thrice for each octet. */
static inline uint64_t prefilter_filter_word(const uint64_t *filter, uint32_t mask, uint32_t hash)
{
    return filter[hash >> 10 & mask] >> (hash >> 26);
}

/* Header lines of another selector have other hashes. */
static inline uint32_t prefilter_seed(uint32_t selector)
{
    return selector * 0x27d4eb2fu;
}

/* len octets, 2 to 4, as a gram. */
static inline uint32_t prefilter_gram(const unsigned char *at, uint32_t len)
{
    uint32_t gram = (uint32_t)at[0] | (uint32_t)at[1] << 8;
    if (len == 4) /* compilers make one load of this, but not of a loop */
        gram = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
               (uint32_t)at[3] << 24;
    else if (len == 3)
        gram |= (uint32_t)at[2] << 16;
    return gram | 0x20202020u >> (32 - 8 * len);
}

#endif
