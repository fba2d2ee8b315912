/*
 * The counts over a restart: a head, then 24 octets a token in no order, little-endian.
 *
 *     head    80 octets: magic, tokens, spam, ham, evicted, pruned, forgotten, a checksum of all
 *             with 0 in its place, the key
 *     token   hash u64, spam u32, ham u32, since u32, last u32
 *
 * Refuses octets of another length, magic or sum, tokens without counts and tokens twice.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/analyzer/bayes_learn_impl.h"

#define MAGIC UINT64_C(0x0a31544e554f4357) /* "WCOUNT1\n" */

struct head {
    uint64_t magic, tokens, spam, ham, evicted, pruned, forgotten, sum;
    uint8_t key[WEIR_HASH_KEY];
};

struct token {
    uint64_t hash;
    uint32_t spam, ham, since, last;
};

_Static_assert(sizeof(struct head) == 80 && sizeof(struct token) == 24, "no octets between them");

static uint64_t sum_of(const struct head *head, const void *tokens, size_t len)
{
    static const struct weir_hash_key key = {"learned counts"};
    struct head of = *head;
    uint64_t sums[2];

    of.sum = 0;
    sums[0] = weir_hash64(&key, &of, sizeof(of));
    sums[1] = weir_hash64(&key, tokens, len);
    return weir_hash64(&key, sums, sizeof(sums));
}

const struct weir_hash_key *weir_bayes_learner_key(const struct weir_bayes_learner *learner)
{
    return &learner->key;
}

static void write_tokens(const struct weir_bayes_learner *learner, struct token *token)
{
    for (size_t i = 0; i <= learner->mask; i++) {
        const struct weir_bayes_place *place = &learner->place[i];

        if (!weir_bayes_place_empty(place))
            *token++ = (struct token){htole64(place->hash), htole32(place->spam),
                                      htole32(place->ham), htole32(place->since),
                                      htole32(place->last)};
    }
}

int weir_bayes_learner_save(const struct weir_bayes_learner *learner, void **octets_r,
                            size_t *len_r)
{
    const struct weir_bayes_learner_state *state = &learner->state;
    size_t len = state->tokens * sizeof(struct token);
    struct head *head = malloc(sizeof(*head) + len);

    if (!head)
        return WEIR_ENOMEM;
    *head = (struct head){.magic = htole64(MAGIC), .tokens = htole64(state->tokens),
                          .spam = htole64(state->spam), .ham = htole64(state->ham),
                          .evicted = htole64(state->evicted), .pruned = htole64(state->pruned),
                          .forgotten = htole64(learner->forgotten)};
    memcpy(head->key, learner->key.octet, sizeof(head->key));
    write_tokens(learner, (struct token *)(head + 1));
    head->sum = htole64(sum_of(head, head + 1, len));
    *octets_r = head;
    *len_r = sizeof(*head) + len;
    return 0;
}

static int take_tokens(struct weir_bayes_learner *learner, const uint8_t *at, size_t tokens)
{
    for (size_t i = 0; i < tokens; i++, at += sizeof(struct token)) {
        struct weir_bayes_place *place;
        struct token token;

        memcpy(&token, at, sizeof(token));
        place = weir_bayes_learner_place(learner, le64toh(token.hash));
        if (!weir_bayes_place_empty(place) || (token.spam == 0 && token.ham == 0))
            return WEIR_ECORRUPT;
        *place = (struct weir_bayes_place){le64toh(token.hash), le32toh(token.spam),
                                           le32toh(token.ham), le32toh(token.since),
                                           le32toh(token.last)};
        learner->state.tokens++;
    }
    return 0;
}

static int fill(struct weir_bayes_learner *learner, const struct head *head, const uint8_t *tokens)
{
    size_t count = (size_t)le64toh(head->tokens);
    int rc = weir_bayes_learner_room(learner, count);

    rc = rc < 0 ? rc : take_tokens(learner, tokens, count);
    learner->state.spam = le64toh(head->spam);
    learner->state.ham = le64toh(head->ham);
    learner->state.evicted = le64toh(head->evicted);
    learner->state.pruned = le64toh(head->pruned);
    learner->forgotten = (uint32_t)le64toh(head->forgotten);
    return rc;
}

int weir_bayes_learner_restore(const void *octets, size_t len, size_t most,
                               struct weir_bayes_learner **learner_r)
{
    const uint8_t *at = octets;
    struct weir_hash_key key;
    struct head head;
    uint64_t tokens;
    int rc;

    if (len < sizeof(head))
        return WEIR_ECORRUPT;
    memcpy(&head, at, sizeof(head));
    tokens = le64toh(head.tokens);
    if (head.magic != htole64(MAGIC) || tokens > WEIR_BAYES_LEARNED_MAX ||
        len - sizeof(head) != tokens * sizeof(struct token) ||
        le64toh(head.sum) != sum_of(&head, at + sizeof(head), len - sizeof(head)))
        return WEIR_ECORRUPT;
    memcpy(key.octet, head.key, sizeof(key.octet));
    *learner_r = NULL;
    rc = weir_bayes_learner_new(&key, most > tokens ? most : (size_t)tokens, learner_r);
    rc = rc < 0 ? rc : fill(*learner_r, &head, at + sizeof(head));
    if (rc < 0)
        weir_bayes_learner_free(learner_r);
    return rc;
}
