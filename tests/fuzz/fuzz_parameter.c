/* Any octets as the parameters of a field: what is found is bounded, and its charset lies
 * inside them. */
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/mail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char room[WEIR_PARAMETER_MAX + 2];
    struct weir_line out = weir_line(room, sizeof room);
    struct weir_slice charset;
    bool bad;
    weir_parameter((struct weir_slice){text, size}, "name", &out, &charset, &bad);
    if (out.cut || out.at - out.start > WEIR_PARAMETER_MAX)
        abort();
    if (charset.len > 0 && (charset.at < text || charset.at + charset.len > text + size))
        abort();
    return 0;
}
