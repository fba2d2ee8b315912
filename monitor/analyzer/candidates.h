/*
 * candidates - what a rule could say about messages that are alike: that they link to a domain, or
 * have a phrase of 3 to 8 words (claim B32).
 *
 *     the more messages it covers the better; of equal ones a domain, then the longest phrase
 *
 * Every rule is a literal: a domain behind "//" and whatever is before its last dots, a phrase
 * between word boundaries, both in any case, so that a message costs no more for it and nobody who
 * writes spam writes expressions.  Phrases are of the text, without the subject.
 *
 * Owner:    texts point into the features.  Threads: pure.
 * Errors:   WEIR_ENOMEM.
 * Limits:   WEIR_CANDIDATES_MEMBERS messages are looked at, WEIR_CANDIDATES_PHRASES different
 *           phrases, WEIR_PHRASE_LEAST to WEIR_PHRASE_MOST octets each.  Linear time.
 */
#ifndef WEIR_ANALYZER_CANDIDATES_H
#define WEIR_ANALYZER_CANDIDATES_H

#include "monitor/analyzer/features.h"

#define WEIR_CANDIDATES_MAX 64
#define WEIR_CANDIDATES_MEMBERS 100
#define WEIR_CANDIDATES_PHRASES (1u << 18)
#define WEIR_PHRASE_WORDS_LEAST 3
#define WEIR_PHRASE_WORDS_MOST 8
#define WEIR_PHRASE_LEAST 12
#define WEIR_PHRASE_MOST 120
#define WEIR_CANDIDATE_RULE 1024 /* octets of a rule's line, and its NUL */

struct weir_candidate {
    bool link;                 /* a domain; else a phrase */
    struct weir_slice text;
    unsigned words;            /* of a phrase */
    size_t covers;             /* messages, of those that were looked at */
};

/* The best ones first, at most WEIR_CANDIDATES_MAX: how many, or WEIR_ENOMEM. */
int weir_candidates_find(const struct weir_hash_key *key,
                         const struct weir_features *const *member, size_t members,
                         struct weir_candidate candidate_r[static WEIR_CANDIDATES_MAX]);

/* Whether it is in a message. */
bool weir_candidate_hits(const struct weir_candidate *candidate,
                         const struct weir_features *features);

/* The test of a rule of this name, a line without its end: text_r. */
const char *weir_candidate_rule(const struct weir_candidate *candidate, const char *name,
                                char text_r[static WEIR_CANDIDATE_RULE]);

/* Whether a domain is one that everybody links to, or that many people's pages are under. */
bool weir_candidate_is_common(const char *domain);

#endif
