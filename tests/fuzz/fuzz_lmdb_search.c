/*
 * lmdb_search on hostile pages: two keys, the root's number, then pages (small ones, so
 * that there are many).  Whatever they hold, values lie inside them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/store/lmdb_search.h"

#define PAGE 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_lmdb_wanted wanted[3] = {{.key = data}, {.key = data + 16}, {.key = data + 8}};
    if (size < 33)
        return 0;
    size_t len = (size - 33) / PAGE * PAGE;
    uint8_t *pages = malloc(len + 1); /* of their own, so that a step beyond is seen */
    if (!pages)
        return 0;
    memcpy(pages, data + 33, len);
    struct weir_lmdb_snapshot snapshot = {pages, PAGE, len / PAGE, data[32]};
    int error = weir_lmdb_search(&snapshot, wanted, 3);
    for (size_t i = 0; !error && i < 3; i++) {
        const uint8_t *value = wanted[i].value;
        if (value && (value < pages || value + wanted[i].len > pages + len))
            abort();
    }
    free(pages);
    return 0;
}
