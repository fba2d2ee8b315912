/*
 * Any octets as an info string, as keys, and as the fields behind a tag that fits; what is read
 * can be made again and reads the same.
 */
#include <stdlib.h>
#include <string.h>

#include "core/engine/info_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct weir_info_keys keys = {.key = {{.id = 1, .octet = {1}}}, .keys = 1};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void again(const struct weir_info *info, bool sealed)
{
    char text[WEIR_INFO_TEXT_MAX + 1], folded[WEIR_INFO_FOLDED_MAX];
    struct weir_info second;
    require(weir_info_make(info, info->rule, info->rules, &keys, sealed, text) == 0);
    require(strlen(text) <= WEIR_INFO_TEXT_MAX);
    struct weir_slice slice = {weir_info_fold(text, folded), strlen(folded)};
    require(weir_info_read(slice, info->binding, &keys, &second) == WEIR_INFO_VALID);
    require(second.uid == info->uid && strcmp(second.domain, info->domain) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct weir_slice text = {(const char *)bytes, len};
    struct weir_info info;
    struct weir_info_keys read;
    unsigned line;
    weir_info_keys_read(text, &read, &line);
    if (weir_info_read(text, 0, &keys, &info) <= WEIR_INFO_UNBOUND)
        again(&info, true);
    if (len > 0 && weir_info_payload_read(bytes + 1, len - 1, &info) == 0)
        again(&info, bytes[0] & 1);
    return 0;
}
