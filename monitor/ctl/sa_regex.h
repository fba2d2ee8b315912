/*
 * sa_regex - Perl's way of writing an expression: /x/i, m{x}xs, m,x,
 *
 * Threads:  pure functions.   Owner: slices point into the caller's text; reasons are
 *           static text or in the arena.
 * Limits:   WEIR_RULE_PATTERN_MAX.
 */
#ifndef WEIR_CTL_SA_REGEX_H
#define WEIR_CTL_SA_REGEX_H

#include "core/base/arena.h"
#include "core/base/cursor.h"

/* Takes an expression out of its delimiters; flags are bits of enum weir_rule_flag.  0, or
 * WEIR_EINVAL and *why_r. */
int sa_regex_split(struct weir_slice text, struct weir_slice *pattern_r, unsigned *flags_r,
                   const char **why_r);

/* Tries whether PCRE2 takes it.  0, WEIR_EINVAL or WEIR_ELIMIT and *why_r. */
int sa_regex_try(struct weir_arena *arena, struct weir_slice pattern, unsigned flags,
                 const char **why_r);

#endif
