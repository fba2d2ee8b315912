/*
 * A published rule set: read without a key as weirctl shows it, read with one, which never holds,
 * and, when it is well formed, signed and read again the same.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/evidence/rule_parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char seed[] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    struct weir_rule_parcel parcel, again;
    struct weir_parcel_keys keys;
    const char *why;
    void *octets;

    require(weir_parcel_keys_read(weir_slice_of(seed), &keys));
    if (weir_rule_parcel_read(bytes, len, NULL, &parcel, &why) < 0)
        return 0;
    if (weir_rule_parcel_make(&parcel, &keys, &octets, &len) < 0)
        return 0;
    require(weir_rule_parcel_read(octets, len, keys.open, &again, &why) == 0);
    require(again.serial == parcel.serial && again.made == parcel.made);
    for (int i = 0; i < WEIR_PARCEL_SECTIONS; i++)
        require(weir_slice_same(again.section[i], parcel.section[i]));
    free(octets);
    return 0;
}
