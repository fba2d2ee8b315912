/* Any bytes as saved gateways: what is taken is saved and taken again as the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mail/gateways.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *saved(const struct weir_gateways *gateways, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out || weir_gateways_save(gateways, out) < 0 || fclose(out) != 0)
        abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct weir_gateway_settings defaults = weir_gateway_defaults();
    const struct weir_hash_key key = {{1}};
    struct weir_gateways *gateways = NULL;
    if (weir_gateways_new(&defaults, &key, &gateways) < 0)
        abort();
    if (weir_gateways_load(gateways, (const char *)data, size) == 0) {
        size_t len, len_again;
        char *text = saved(gateways, &len);
        if (weir_gateways_load(gateways, text, len) < 0)
            abort();
        char *again = saved(gateways, &len_again);
        if (len != len_again || memcmp(text, again, len) != 0)
            abort();
        weir_gateways_review(gateways, 30000 * WEIR_DAY, NULL, NULL);
        free(text);
        free(again);
    }
    weir_gateways_free(&gateways);
    return 0;
}
