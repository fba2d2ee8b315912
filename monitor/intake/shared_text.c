/*
 * shared_text - a counter of holders beside a text; whoever takes it to zero frees both, on
 * whichever thread that is.
 */
#include "monitor/intake/shared_text.h"

#include <stdlib.h>
#include <string.h>

struct weir_shared_text *weir_shared_text_octets(char *octets, size_t len)
{
    struct weir_shared_text *shared = octets ? malloc(sizeof *shared) : NULL;

    if (!shared) {
        free(octets);
        return NULL;
    }
    atomic_init(&shared->holders, 1);
    shared->len = len;
    shared->text = octets;
    return shared;
}

struct weir_shared_text *weir_shared_text_new(char *text)
{
    return weir_shared_text_octets(text, text ? strlen(text) : 0);
}

struct weir_shared_text *weir_shared_text_hold(struct weir_shared_text *shared)
{
    atomic_fetch_add(&shared->holders, 1);
    return shared;
}

void weir_shared_text_free(struct weir_shared_text **shared)
{
    struct weir_shared_text *old = *shared;

    *shared = NULL;
    if (!old || atomic_fetch_sub(&old->holders, 1) > 1)
        return;
    free(old->text);
    free(old);
}
