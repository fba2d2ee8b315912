/*
 * bayes_learn_impl - the array of counts, shared by who learns (bayes_learn.c), who forgets when it
 * is full (bayes_learn_evict.c), and who keeps it over a restart (bayes_learn_save.c).
 */
#ifndef WEIR_ANALYZER_BAYES_LEARN_IMPL_H
#define WEIR_ANALYZER_BAYES_LEARN_IMPL_H

#include "monitor/analyzer/bayes_learn.h"

struct weir_bayes_place {
    uint64_t hash;
    uint32_t spam, ham;   /* both 0: empty */
    uint32_t since, last; /* seconds */
};

#define WEIR_BAYES_EVICTED_PART 8 /* of all it was made for, forgotten when it is full */

/* Forgetting in pieces: how far it is. */
struct weir_bayes_tidying {
    uint32_t *counted;    /* tokens by their worth; NULL: nothing is going on, or it is known */
    bool sweeping;
    size_t at;            /* the next place */
    size_t limit;         /* what is worth less goes, and of that ... */
    size_t last, wanted;  /* ... so many; how many go in all */
};

struct weir_bayes_learner {
    struct weir_hash_key key;
    struct weir_bayes_place *place;
    size_t mask, most;
    uint32_t forgotten;   /* what was seen before this may have been forgotten */
    struct weir_bayes_learner_state state;
    struct weir_bayes_tidying tidying;
};

static inline bool weir_bayes_place_empty(const struct weir_bayes_place *place)
{
    return place->spam == 0 && place->ham == 0;
}

/* Room for so many more tokens, even if none of them was there.  0 or WEIR_ENOMEM. */
int weir_bayes_learner_room(struct weir_bayes_learner *learner, size_t more);

/* Takes out a token that is forgotten; those behind it move up. */
void weir_bayes_learner_forget(struct weir_bayes_learner *learner, size_t at);

/* Forgets those worth least at once: at least so many.  0 or WEIR_ENOMEM. */
int weir_bayes_learner_evict(struct weir_bayes_learner *learner, size_t wanted);

/* Gives up what weir_bayes_learner_tidy() has begun. */
void weir_bayes_learner_tidy_end(struct weir_bayes_learner *learner);

/* Where a hash stands, or the empty place where it would. */
struct weir_bayes_place *weir_bayes_learner_place(const struct weir_bayes_learner *learner,
                                                  uint64_t hash);

#endif
