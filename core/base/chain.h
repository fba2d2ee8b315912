/*
 * chain - things that wait in a row: they join it at its end, and leave it from wherever they are.
 *
 *     struct guest { struct weir_chained chained; ... };
 *     weir_chain_join(&intake->waiting, &guest->chained, guest);
 *     struct guest *oldest = weir_chain_first(&intake->waiting);
 *     weir_chain_leave(&intake->waiting, &guest->chained);
 *
 * Owner:    plain values of the caller's, which begin as zeros; what is chained must leave before
 *           it is freed.  Threads: the caller's lock.
 * Errors:   none.  Limits: a struct weir_chained is in one chain at a time.
 */
#ifndef WEIR_BASE_CHAIN_H
#define WEIR_BASE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

struct weir_chained {
    struct weir_chained *before, *behind;
    void *of;                    /* what is chained; NULL: it is in no chain */
};

struct weir_chain {
    struct weir_chained *first, *last;
    size_t count;
};

/* Joins at the end; of: what it is part of. */
void weir_chain_join(struct weir_chain *chain, struct weir_chained *chained, void *of);

/* Leaves; one that is in no chain stays so. */
void weir_chain_leave(struct weir_chain *chain, struct weir_chained *chained);

bool weir_chained_is(const struct weir_chained *chained);

/* What joined first of all that are there, and what behind another; NULL: nothing. */
void *weir_chain_first(const struct weir_chain *chain);
void *weir_chain_behind(const struct weir_chained *chained);

#endif
