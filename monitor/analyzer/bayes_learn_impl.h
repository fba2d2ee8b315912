/*
 * bayes_learn_impl - the array of counts, shared by who learns (bayes_learn.c) and who keeps it
 * over a restart (bayes_learn_save.c).
 */
#ifndef WEIR_ANALYZER_BAYES_LEARN_IMPL_H
#define WEIR_ANALYZER_BAYES_LEARN_IMPL_H

#include "monitor/analyzer/bayes_learn.h"

struct weir_bayes_place {
    uint64_t hash;
    uint32_t spam, ham;   /* both 0: empty */
    uint32_t since, last; /* seconds */
};

struct weir_bayes_learner {
    struct weir_hash_key key;
    struct weir_bayes_place *place;
    size_t mask, most;
    uint32_t forgotten;   /* what was seen before this may have been forgotten */
    struct weir_bayes_learner_state state;
};

static inline bool weir_bayes_place_empty(const struct weir_bayes_place *place)
{
    return place->spam == 0 && place->ham == 0;
}

/* Room for so many more tokens, even if none of them was there.  0 or WEIR_ENOMEM. */
int weir_bayes_learner_room(struct weir_bayes_learner *learner, size_t more);

/* Where a hash stands, or the empty place where it would. */
struct weir_bayes_place *weir_bayes_learner_place(const struct weir_bayes_learner *learner,
                                                  uint64_t hash);

#endif
