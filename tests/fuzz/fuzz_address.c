/* Any bytes as an address and as a prefix: what is taken is written and read
 * again as the same. */
#include <stdlib.h>
#include <string.h>

#include "core/base/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *why = NULL;
    char written[WEIR_PREFIX_TEXT];
    struct weir_address address, address_again;
    struct weir_prefix prefix, prefix_again;
    if (weir_address_parse(text, size, &address) == 0) {
        weir_address_format(&address, written);
        if (weir_address_parse(written, strlen(written), &address_again) != 0 ||
            !weir_address_equal(&address, &address_again))
            abort();
    }
    if (weir_prefix_parse(text, size, &prefix, &why) == 0) {
        weir_prefix_format(&prefix, written);
        if (weir_prefix_parse(written, strlen(written), &prefix_again, &why) != 0 ||
            prefix.bits != prefix_again.bits ||
            !weir_prefix_contains(&prefix, &prefix_again.address))
            abort();
    } else if (!why) {
        abort();
    }
    return 0;
}
