/*
 * need - what a text must contain for an expression to match it.
 *
 * A small reader of PCRE2's (Perl's) expressions.  It never says what matches, only
 * what is necessary: "one of these runs stands in the line", a run being octet sets side by
 * side.  /\bfree (?:trial|offers?)\b/i needs one of
 *
 *     \b[fF][rR][eE][eE] [tT]...\b    \b[fF]... [oO]...[sS]\b    \b[fF]...[rR]\b
 *
 * and since these runs are all of the expression, they are also enough: it is exact.  What
 * is not understood (look-around, references, recursion, conditions, \p{..}) is
 * taken as "anything"; what cannot be read at all, and all verbs "(*...", as
 * "no information".  So information may be missing, but is never wrong, provided that the
 * expression is compiled without PCRE2_UTF, PCRE2_UCP and options not named here.
 *
 * Owner:    everything in the caller's arena.
 * Errors:   WEIR_ENOMEM.
 * Limits:   WEIR_NEED_..._MAX (limits.h); what is beyond gives no information.
 */
#ifndef WEIR_EVIDENCE_NEED_H
#define WEIR_EVIDENCE_NEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/cursor.h"

struct weir_octet_set {
    uint64_t word[4];
};

static inline bool weir_octet_set_has(const struct weir_octet_set *set, unsigned octet)
{
    return set->word[octet >> 6] >> (octet & 63) & 1;
}

enum weir_need_edge { /* bits: what must hold beside a run; all of them */
    WEIR_NEED_BEGIN = 1,      /* the line begins here */
    WEIR_NEED_NEW_LINE = 2,   /* the line begins here, or '\n' stands before and something behind */
    WEIR_NEED_BORDER = 4,     /* \b */
    WEIR_NEED_NO_BORDER = 8,  /* \B */
    WEIR_NEED_END = 16,       /* the line ends here, or only its last '\n' follows */
    WEIR_NEED_LINE_END = 32,  /* the line ends here or '\n' follows */
};

#define WEIR_NEED_ENDLESS UINT32_MAX

struct weir_need_run {
    uint16_t len;
    uint8_t left, right;           /* edges before and behind */
    bool loose;                    /* something else is necessary, too */
    struct weir_octet_set *at;     /* len of them */
};

struct weir_need {
    struct weir_need_run *run;     /* one of them is necessary; in the expression's order */
    size_t runs;                   /* 0: no information */
    uint32_t lead_min, lead_max;   /* octets of a match before the first of them */
    uint32_t times;                /* they stand at so many places of a match, at least */
    bool exact;                    /* each run is a match, and there are no others */
    double chance;                 /* that one begins at an octet of ordinary mail, at most 1 */
};

struct weir_need_flags {
    bool caseless, multiline, dotall, extended;
};

struct weir_need_node; /* an expression as read; need_impl.h */

/* Reads an expression.  1 and its tree, 0 when it could not be understood, or WEIR_ENOMEM. */
int weir_need_read(struct weir_arena *arena, struct weir_slice pattern,
                   const struct weir_need_flags *flags, const struct weir_need_node **tree_r);

/* The rarest necessary runs of it, in texts most lines of which begin as usual does ("": there
 * is no such beginning).  0 or WEIR_ENOMEM. */
int weir_need_find(struct weir_arena *arena, const struct weir_need_node *tree,
                   struct weir_slice usual, struct weir_need *need_r);

#endif
