/*
 * bayes_tokens_impl - the collector of a message's tokens, shared by what reads its text, its
 * header and its links.
 */
#ifndef WEIR_EVIDENCE_BAYES_TOKENS_IMPL_H
#define WEIR_EVIDENCE_BAYES_TOKENS_IMPL_H

#include "core/base/limits.h"
#include "core/evidence/bayes_tokens.h"

/* Two words, a blank and what stands in front of them. */
#define WEIR_BAYES_TOKEN_MAX (2 * WEIR_BAYES_WORD_MAX + 2 * WEIR_BAYES_PREFIX_MAX)

struct weir_bayes_collector {
    const struct weir_hash_key *key;
    struct weir_arena *arena;
    struct weir_bayes_token *token; /* room for WEIR_BAYES_TOKENS_MAX */
    uint16_t *slot;                 /* of a hash: number of a token and one, or 0 */
    size_t tokens, most;            /* most: of what is added now, the rest is kept free */
    size_t reputations;             /* of tokens, the first */
    enum weir_bayes_view view;      /* of what is added now */
    char *text, *text_end;          /* room for texts */
    bool cut, failed;
};

/* Adds a token unless it is there: prefix and word behind one another. */
void weir_bayes_add(struct weir_bayes_collector *collector, struct weir_slice prefix,
                    struct weir_slice word);

/* The same with a prefix of ours. */
static inline void weir_bayes_put(struct weir_bayes_collector *collector, const char *prefix,
                                  struct weir_slice word)
{
    weir_bayes_add(collector, (struct weir_slice){prefix, strlen(prefix)}, word);
}

static inline char weir_bayes_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

enum weir_bayes_words {
    WEIR_BAYES_SINGLE = 1,
    WEIR_BAYES_PAIRS = 2,
    WEIR_BAYES_CAPITALS = 4, /* words in capitals keep them */
};

/* All words of a text in UTF-8, prefix in front of each token (bayes_words.c). */
void weir_bayes_words(struct weir_bayes_collector *collector, struct weir_slice prefix,
                      struct weir_slice text, unsigned want);

/* A domain and those above it, at most four (bayes_tokens.c). */
void weir_bayes_domain(struct weir_bayes_collector *collector, const char *prefix,
                       struct weir_slice name);

/* Header fields of the message and of its parts (bayes_fields.c). */
void weir_bayes_fields(struct weir_bayes_collector *collector,
                       const struct weir_bayes_source *source);

/* Links (bayes_links.c). */
void weir_bayes_links(struct weir_bayes_collector *collector, const struct weir_content *content);

#endif
