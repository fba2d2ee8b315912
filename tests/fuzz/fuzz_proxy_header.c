/* Any octets as a PROXY header: its length lies within them, and no part of it is one. */
#include <stdint.h>
#include <stdlib.h>

#include "sniffer/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_slice octets = {(const char *)data, size};
    struct weir_proxy_header header;
    int len = weir_proxy_read(octets, &header);

    if (len >= 0 && !weir_proxy_begins(octets))
        abort();
    if (len > 0 && ((size_t)len > size || len > WEIR_PROXY_MAX))
        abort();
    if (len > 0 && weir_proxy_read((struct weir_slice){octets.at, (size_t)len - 1}, &header) != 0)
        abort();
    return 0;
}
