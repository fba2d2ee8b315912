/*
 * grown - doubles, or begins with some.  Refuses sizes that overflow.
 */
#include "core/base/grown.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST 64

void *weir_grown(void *array, size_t count, size_t *room, size_t size)
{
    size_t more = *room > 0 ? *room : FIRST / 2;
    void *grown;

    if (count < *room)
        return array;
    while (more <= count && more <= SIZE_MAX / 2)
        more *= 2;
    if (more <= count || more > SIZE_MAX / size)
        return NULL;
    grown = realloc(array, more * size);
    if (grown)
        *room = more;
    return grown;
}
