/*
 * rule_regex - expressions compiled when they are first wanted, and matched within bounds.
 *
 * PCRE2 over octets: no UTF mode, '.' is all but '\n', letters are ASCII's.  An
 * expression is compiled plainly at first, for a process that reads one message has
 * no use for machine code; one that is wanted again and again gets it.
 *
 * Owner:    the caller owns handles; patterns must outlive them.
 * Threads:  struct weir_regexes is shared: compiled expressions are published once, by
 *           whoever was first; a struct weir_regex_room is one thread's.
 * Errors:   what cannot be compiled or runs into a bound is WEIR_ELIMIT, never a match.
 * Limits:   WEIR_MATCH_STEPS_MAX, _DEPTH_MAX, _STACK_MAX, WEIR_RULE_READY_MAX.
 */
#ifndef WEIR_EVIDENCE_RULE_REGEX_H
#define WEIR_EVIDENCE_RULE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/cursor.h"

enum { WEIR_REGEX_WHY = 200 };

/* A compiled form in two pieces: PCRE2 believes every octet of it, so that it must be out of
 * the hands of others and made by the same PCRE2.  What is none, or damaged, is compiled. */
struct weir_regex_ready {
    struct weir_slice common, own; /* own is empty: there is none */
    uint64_t checksum;             /* of own */
};

struct weir_regex { /* flags: those of enum weir_rule_flag */
    struct weir_slice pattern;
    unsigned flags;
    struct weir_regex_ready ready;
};

/* Compiles an expression, tries it on text, and forgets it: 1, 0; WEIR_EINVAL with PCRE2's
 * reason; WEIR_ENOMEM.  With an arena, ready_r is its compiled form as octets in there; empty
 * when it has none. */
int weir_regex_try(const struct weir_regex *regex, struct weir_slice text,
                   struct weir_arena *arena, struct weir_slice *ready_r,
                   char why_r[static WEIR_REGEX_WHY]);

/* Compiled forms are right only for the PCRE2 that made them: its version and how it was built,
 * hashed. */
enum { WEIR_REGEX_MAKER = 16 };
void weir_regex_maker(uint8_t maker_r[static WEIR_REGEX_MAKER]);

/* Tells a compiled form that was damaged by chance; it is no secret. */
uint64_t weir_regex_checksum(struct weir_slice octets);

struct weir_regexes;
/* Room for expressions 0 .. most - 1.  0 or WEIR_ENOMEM. */
int weir_regexes_new(size_t most, struct weir_regexes **regexes_r);
void weir_regexes_free(struct weir_regexes **regexes);

/* Compiles expression number to machine code now (plain where the system refuses).
 * False when it cannot be compiled. */
bool weir_regexes_prepare(struct weir_regexes *regexes, size_t number,
                          const struct weir_regex *regex);

/* Whether the next match, of so many octets, takes the time it will take in the long run: without
 * compiling, and no long text by PCRE2's interpreter.  Only to know what time is spent on. */
bool weir_regexes_is_ready(struct weir_regexes *regexes, size_t number,
                           const struct weir_regex *regex, size_t octets);

struct weir_regex_room;
/* What a thread needs to match.  0 or WEIR_ENOMEM. */
int weir_regex_room_new(struct weir_regex_room **room_r);
void weir_regex_room_free(struct weir_regex_room **room);

struct weir_regex_span { /* in: where a match may begin; out: where it is */
    size_t from, until;
    bool not_empty;      /* in: no empty match at from */
};

/* Matches expression number against text.  1 with span, 0, or WEIR_ELIMIT. */
int weir_regexes_match(struct weir_regexes *regexes, size_t number, const struct weir_regex *regex,
                       struct weir_regex_room *room, struct weir_slice text,
                       struct weir_regex_span *span);

#endif
