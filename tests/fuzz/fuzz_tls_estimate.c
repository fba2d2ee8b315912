/* Any records of both sides, with holes: pieces change nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sniffer/tls_estimate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces of a control octet, a length and octets; 0x80: a hole, 0x40: zeros by the hundred. */
static unsigned count(const uint8_t *data, size_t size, size_t most)
{
    static const char zeros[255 * 100];
    struct weir_tls_estimate estimate = weir_tls_estimate(0, 0);
    unsigned messages = 0;

    for (size_t at = 0; at + 2 <= size;) {
        enum weir_side side = data[at] & 1 ? WEIR_SIDE_SERVER : WEIR_SIDE_CLIENT;
        uint8_t control = data[at++];
        size_t len = data[at++], left = size - at;
        struct weir_slice octets = {(const char *)data + at, len < left ? len : left};

        if (control & 0x80) {
            messages += weir_tls_estimate_gap(&estimate, side, len * 100);
            continue;
        }
        at += control & 0x40 ? 0 : octets.len;
        if (control & 0x40)
            octets = (struct weir_slice){zeros, len * 100};
        for (size_t from = 0; from < octets.len; from += most < octets.len ? most : octets.len) {
            size_t piece = octets.len - from < most ? octets.len - from : most;
            messages += weir_tls_estimate_octets(
                &estimate, side, (struct weir_slice){octets.at + from, piece});
        }
    }
    messages += weir_tls_estimate_end(&estimate);
    if (messages != estimate.accepted)
        abort();
    return messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (count(data, size, SIZE_MAX) != count(data, size, 7))
        abort();
    return 0;
}
