/* Any bytes as a Received field: what is found lies inside them, and twice the same is found. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mail/received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct weir_slice inner, struct weir_slice outer)
{
    if (inner.len > 0 && (inner.at < outer.at || inner.at + inner.len > outer.at + outer.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct weir_slice value = {(const char *)data, size};
    struct weir_received r, again;
    if (!weir_received_read(value, &r))
        return 0;
    within(r.helo, value);
    within(r.name, value);
    within(r.by, value);
    within(r.with, value);
    within(r.id, value);
    if (r.at < 0 || !weir_received_read(value, &again) || again.has_address != r.has_address
        || again.at != r.at)
        abort();
    return 0;
}
