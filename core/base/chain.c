/*
 * chain - a list linked both ways; owns nothing, refuses nothing.
 */
#include "core/base/chain.h"

void weir_chain_join(struct weir_chain *chain, struct weir_chained *chained, void *of)
{
    *chained = (struct weir_chained){.before = chain->last, .of = of};
    if (chain->last)
        chain->last->behind = chained;
    else
        chain->first = chained;
    chain->last = chained;
    chain->count++;
}

void weir_chain_leave(struct weir_chain *chain, struct weir_chained *chained)
{
    if (!weir_chained_is(chained))
        return;
    if (chained->before)
        chained->before->behind = chained->behind;
    else
        chain->first = chained->behind;
    if (chained->behind)
        chained->behind->before = chained->before;
    else
        chain->last = chained->before;
    *chained = (struct weir_chained){.of = NULL};
    chain->count--;
}

bool weir_chained_is(const struct weir_chained *chained)
{
    return chained->of != NULL;
}

void *weir_chain_first(const struct weir_chain *chain)
{
    return chain->first ? chain->first->of : NULL;
}

void *weir_chain_behind(const struct weir_chained *chained)
{
    return chained->behind ? chained->behind->of : NULL;
}
