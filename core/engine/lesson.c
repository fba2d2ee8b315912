/*
 * Octets of a lesson.  Refuses what is not exactly as long as it says, and tokens that do not grow:
 * so no message has a token twice, and what is read and written again is the same.
 */
#include "core/engine/lesson.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/evidence/rule_source.h"

#define VERSION 1

static void put_u64(uint8_t *at, uint64_t number)
{
    number = htobe64(number);
    memcpy(at, &number, sizeof number);
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t number;

    memcpy(&number, at, sizeof number);
    return be64toh(number);
}

uint64_t weir_lesson_key(const struct weir_hash_key *key)
{
    static const char of[] = "weir lesson";

    return weir_hash64(key, of, sizeof of);
}

uint64_t weir_lesson_token(const uint8_t *token, size_t number)
{
    return get_u64(token + 8 * number);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Their hashes, growing, none twice.  How many there are, at most WEIR_LESSON_TOKENS_MAX. */
static size_t sort_hashes(const struct weir_bayes_tokens *tokens, uint64_t *hash)
{
    size_t n = 0;

    for (size_t i = 0; i < tokens->tokens; i++)
        hash[i] = tokens->token[i].hash;
    qsort(hash, tokens->tokens, sizeof *hash, by_number);
    for (size_t i = 0; i < tokens->tokens && n < WEIR_LESSON_TOKENS_MAX; i++)
        if (n == 0 || hash[i] != hash[n - 1])
            hash[n++] = hash[i];
    return n;
}

int weir_lesson_write(const struct weir_lesson *lesson, const struct weir_bayes_tokens *tokens,
                      struct weir_arena *arena, struct weir_slice *octets_r)
{
    uint64_t *hash = weir_arena_take(arena, (tokens->tokens + 1) * sizeof *hash);
    size_t info = lesson->info.len, n;
    uint8_t *octets;

    if (info > WEIR_INFO_TEXT_MAX)
        return WEIR_EINVAL;
    n = hash ? sort_hashes(tokens, hash) : 0;
    octets = weir_arena_take(arena, WEIR_LESSON_HEAD + info + 8 * n);
    if (!hash || !octets)
        return WEIR_ENOMEM;
    octets[0] = VERSION;
    octets[1] = lesson->reported ? 'r' : 'v';
    octets[2] = (uint8_t)(info >> 8);
    octets[3] = (uint8_t)info;
    put_u64(octets + 4, lesson->key);
    put_u64(octets + 12, lesson->binding);
    if (info > 0)
        memcpy(octets + WEIR_LESSON_HEAD, lesson->info.at, info);
    for (size_t i = 0; i < n; i++)
        put_u64(octets + WEIR_LESSON_HEAD + info + 8 * i, hash[i]);
    *octets_r = (struct weir_slice){(const char *)octets, WEIR_LESSON_HEAD + info + 8 * n};
    return 0;
}

static bool do_grow(const uint8_t *token, size_t tokens)
{
    for (size_t i = 1; i < tokens; i++)
        if (weir_lesson_token(token, i - 1) >= weir_lesson_token(token, i))
            return false;
    return true;
}

int weir_lesson_read(struct weir_slice octets, struct weir_lesson *lesson_r)
{
    const uint8_t *at = (const uint8_t *)octets.at;
    size_t info, rest;

    *lesson_r = (struct weir_lesson){.tokens = 0};
    if (octets.len < WEIR_LESSON_HEAD || octets.len > WEIR_LESSON_ROOM || at[0] != VERSION ||
        (at[1] != 'r' && at[1] != 'v'))
        return 0;
    info = (size_t)at[2] << 8 | at[3];
    if (info > WEIR_INFO_TEXT_MAX || info > octets.len - WEIR_LESSON_HEAD)
        return 0;
    rest = octets.len - WEIR_LESSON_HEAD - info;
    if (rest % 8 != 0 || rest / 8 > WEIR_LESSON_TOKENS_MAX ||
        !do_grow(at + WEIR_LESSON_HEAD + info, rest / 8))
        return 0;
    *lesson_r = (struct weir_lesson){
        .reported = at[1] == 'r',
        .key = get_u64(at + 4),
        .binding = get_u64(at + 12),
        .info = {octets.at + WEIR_LESSON_HEAD, info},
        .token = at + WEIR_LESSON_HEAD + info,
        .tokens = rest / 8,
    };
    return 1;
}

double weir_lesson_score(const struct weir_info_rule *rule, size_t rules)
{
    double score = 0;

    for (size_t i = 0; i < rules; i++)
        if (rule[i].id < WEIR_RULE_ID_OWN || rule[i].id > WEIR_RULE_ID_OWN_LAST)
            score += (double)rule[i].points;
    return score;
}
