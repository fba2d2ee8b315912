/*
 * need_impl - the tree of an expression, as need.c reads it and its siblings use it.
 */
#ifndef WEIR_EVIDENCE_NEED_IMPL_H
#define WEIR_EVIDENCE_NEED_IMPL_H

#include "core/evidence/need.h"

enum need_kind {
    NEED_SET,      /* one octet of a set */
    NEED_EDGE,     /* nothing, where edges hold */
    NEED_LOOSE,    /* nothing, where something holds that is not looked into */
    NEED_ANYTHING, /* any octets, any number of them */
    NEED_CAT,      /* children, one after the other; none: nothing */
    NEED_ALT,      /* one of the children */
    NEED_REPEAT    /* the child, min to max times */
};

struct weir_need_node {
    enum need_kind kind;
    struct weir_need_node *child, *next; /* the first child; the next sibling */
    uint32_t shortest, longest;          /* octets of what it matches */
    union {
        struct weir_octet_set set;
        unsigned edges;
        struct {
            uint32_t min, max;
            bool lazy, tight; /* tight: possessive */
        };
    };
};

/* Reading of one expression. */
struct need_reader {
    struct weir_arena *arena;
    const char *at, *end;
    struct weir_need_flags flags;
    bool quote;       /* within \Q..\E */
    bool unknown;     /* something could not be understood: give up */
    bool no_memory;
    unsigned depth;
    struct weir_need_node nothing; /* instead of a node when there is no memory */
};

static inline void octet_set_add(struct weir_octet_set *set, unsigned octet)
{
    set->word[octet >> 6 & 3] |= UINT64_C(1) << (octet & 63);
}

static inline void octet_set_unite(struct weir_octet_set *set, const struct weir_octet_set *with)
{
    for (int i = 0; i < 4; i++)
        set->word[i] |= with->word[i];
}

static inline struct weir_octet_set octet_set_not(struct weir_octet_set set)
{
    for (int i = 0; i < 4; i++)
        set.word[i] = ~set.word[i];
    return set;
}

static inline bool octet_is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Adds the other case of every letter. */
void need_set_fold(struct weir_octet_set *set);

/* After "\": the octet it stands for, or -1 when it is none that this knows; sets unknown
 * when it is malformed. */
int need_escaped_octet(struct need_reader *r);
/* The set of \d, \s, ...; false when letter names none. */
bool need_letter_set(char letter, struct weir_octet_set *set_r);
/* After "[": a class. */
struct weir_octet_set need_class(struct need_reader *r);

/* How probable it is that a run of len sets begins at an octet of ordinary mail. */
double need_chance(const struct weir_octet_set *at, size_t len);

/* len octets that are like ordinary mail, letter pair by letter pair; always the same ones. */
void need_sample(unsigned char *text, size_t len);

#endif
