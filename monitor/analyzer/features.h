/*
 * features - what of a reported message is compared with others, and made into a rule: its text,
 * word by word, the domains its links lead to, and a signature by which messages that are nearly
 * the same find each other (claim B32).
 *
 *     text       the body as rules see it (content.h), each paragraph a line, in lower case as far
 *                as ASCII goes: a phrase of it is a literal that a body rule matches
 *     signature  MinHash of all shingles of WEIR_SHINGLE words, with digits and punctuation taken
 *                for nothing: that part of two signatures which is equal tells how much of the
 *                shingles are (Broder 1997)
 *
 * A message with less than WEIR_SHINGLES_LEAST of them has a signature of its subject, without
 * numbers, and of its HTML's bones, the names of its tags: all of it equal, or nothing.
 *
 * Hashes are keyed: who does not know the key makes no message that is like another and is not.
 *
 * Owner:    in the caller's arena.  Threads: pure functions but for the domains' handle.
 * Errors:   WEIR_ENOMEM.
 * Limits:   WEIR_FEATURES_TEXT_MAX octets of text, WEIR_FEATURES_WORDS_MAX words,
 *           WEIR_FEATURES_DOMAINS_MAX domains.  One pass, linear time.
 */
#ifndef WEIR_ANALYZER_FEATURES_H
#define WEIR_ANALYZER_FEATURES_H

#include "core/base/keyed_hash.h"
#include "core/mail/content.h"
#include "core/mail/domain.h"

#define WEIR_SHINGLE 3         /* words */
#define WEIR_SHINGLES_LEAST 8
#define WEIR_SIGNATURE 64      /* numbers of a signature */
#define WEIR_FEATURES_TEXT_MAX 65536
#define WEIR_FEATURES_WORDS_MAX 4096
#define WEIR_FEATURES_DOMAINS_MAX 16

struct weir_features {
    struct weir_slice text;
    struct weir_slice body;    /* of the text, what is behind the subject, its first line */
    const struct weir_slice *word; /* between blanks, in the text */
    const uint32_t *paragraph;     /* of each word: the number of its line */
    size_t words;
    const char *domain[WEIR_FEATURES_DOMAINS_MAX]; /* organizational, each once */
    size_t domains;
    uint32_t signature[WEIR_SIGNATURE];
};

/* 0 or WEIR_ENOMEM. */
int weir_features_read(const struct weir_hash_key *key, struct weir_domains *domains,
                       const struct weir_content *content, struct weir_arena *arena,
                       struct weir_features *features_r);

/* How much alike two are, 0..1. */
double weir_features_alike(const struct weir_features *a, const struct weir_features *b);

#endif
