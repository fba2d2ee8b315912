/*
 * lesson - what a mail server tells the monitor of a message that teaches the Bayesian classifier:
 * its tokens as hashes, and the spam-info string that says what was decided about it (claim C29).
 *
 *     version u8, why u8 ('v': the verdict is sure, 'r': somebody reports it), length of the
 *     string u16, key u64, binding u64, the string, tokens of 8 octets each, growing
 *
 * Big-endian.  It goes to the monitor in parts (core/store/part_line.h), as kind "tokens".  The
 * string proves that the message was decided about, by whom, and by what points; which is why a
 * lesson needs no verdict of its own: weir_lesson_score() is what the rules gave, without what
 * reputation, lists of addresses, or the classifier itself had to say, so that it learns from
 * nobody who has learned from it.
 *
 * Owner:    what is read points into the octets.  Threads: pure functions.
 * Limits:   WEIR_LESSON_TOKENS_MAX tokens: of a longer message those with the least hashes;
 *           WEIR_INFO_TEXT_MAX octets of the string.
 */
#ifndef WEIR_ENGINE_LESSON_H
#define WEIR_ENGINE_LESSON_H

#include "core/base/keyed_hash.h"
#include "core/engine/info.h"
#include "core/evidence/bayes_tokens.h"

#define WEIR_LESSON_KIND "tokens"
#define WEIR_LESSON_HEAD 20
#define WEIR_LESSON_ROOM (WEIR_LESSON_HEAD + WEIR_INFO_TEXT_MAX + 8 * WEIR_LESSON_TOKENS_MAX)

struct weir_lesson {
    bool reported;             /* somebody reports the message; else the verdict was sure */
    uint64_t key;              /* weir_lesson_key() of the tokens' key */
    uint64_t binding;          /* of the message, see info.h */
    struct weir_slice info;
    const uint8_t *token;      /* see weir_lesson_token() */
    size_t tokens;
};

/* Which key it is, for who has it, too. */
uint64_t weir_lesson_key(const struct weir_hash_key *key);

/* Writes a lesson; its token and tokens are not looked at.  Octets, at most WEIR_LESSON_ROOM, in
 * the arena; 0, WEIR_ENOMEM, WEIR_EINVAL for a string that is too long. */
int weir_lesson_write(const struct weir_lesson *lesson, const struct weir_bayes_tokens *tokens,
                      struct weir_arena *arena, struct weir_slice *octets_r);

/* 1; 0 for octets that are none: cut, longer, tokens not growing, of another version. */
int weir_lesson_read(struct weir_slice octets, struct weir_lesson *lesson_r);

/* Token 0..tokens-1 of a lesson, or of tokens as they stand in one. */
uint64_t weir_lesson_token(const uint8_t *token, size_t number);

/* What rules gave, of all points of a decision.  Those left out of a long string count together,
 * whoever gave them. */
double weir_lesson_score(const struct weir_info_rule *rule, size_t rules);

#endif
