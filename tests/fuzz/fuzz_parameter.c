/* Any octets as the parameters of a field: what is found is bounded, its charset lies
 * inside them, and who keeps it is given the same. */
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/mail/message_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char room[WEIR_PARAMETER_MAX + 2];
    struct weir_line out = weir_line(room, sizeof room);
    struct weir_slice charset;
    bool bad;
    int found = weir_parameter((struct weir_slice){text, size}, "name", &out, &charset, &bad);
    if (out.cut || out.at - out.start > WEIR_PARAMETER_MAX)
        abort();
    if (charset.len > 0 && (charset.at < text || charset.at + charset.len > text + size))
        abort();
    struct weir_arena *arena = weir_arena_new(64);
    struct weir_parameter kept;
    int rc = weir_parameter_take((struct weir_slice){text, size}, "name", arena, &kept);
    if (rc != found || kept.bad != bad || !weir_slice_same(kept.charset, charset) ||
        !weir_slice_same(kept.value, weir_slice_between(out.start, out.at)))
        abort();
    weir_arena_free(&arena);
    return 0;
}
