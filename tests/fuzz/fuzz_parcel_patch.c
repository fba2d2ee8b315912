/*
 * Octets as a patch to a rule set: as they are; as the stream of one to a set with a word list,
 * which the first octets say the parts of; and as the columns of a list alone.
 */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "core/evidence/bayes_columns.h"
#include "core/evidence/parcel_patch.h"
#include "core/evidence/rule_parcel.h"
#include "tests/unit/patch_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { FIRST = 13, HEAD = FIRST + 8 + 20, PARTS = 6, WORDS = 40 };

static void put(uint8_t *at, uint64_t number, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++)
        at[i] = (uint8_t)(number >> 8 * (octets - 1 - i));
}

static void apply(struct weir_slice before, struct weir_slice patch)
{
    struct weir_rule_parcel parcel;
    void *file = NULL;
    const char *why = NULL;
    size_t len = 0;

    if (weir_parcel_patch_apply(before, patch, &file, &len, &why) < 0) {
        if (!why || file)
            abort();
        return;
    }
    (void)weir_rule_parcel_read(file, len, NULL, &parcel, &why);
    free(file);
}

/* With a head that adds up, unless its octets say otherwise. */
static void apply_stream(struct weir_slice before, const uint8_t *bytes, size_t len)
{
    size_t front, list, room, packed;
    const uint8_t *stream = bytes + PARTS;
    uint8_t *patch;

    if (len < PARTS)
        return;
    len -= PARTS;
    front = bytes[0] % (len + 1);
    list = (size_t)bytes[1] | (size_t)bytes[2] << 8 | (size_t)(bytes[3] & 1) << 16;
    room = ZSTD_compressBound(len);
    patch = malloc(HEAD + room);
    if (!patch)
        abort();
    memcpy(patch, "weir-patch 1\n", FIRST);
    put(patch + FIRST, bytes[3] & 2 ? 0 : weir_parcel_id(before), 8);
    put(patch + FIRST + 8, front + list, 4);
    put(patch + FIRST + 12, front, 4);
    put(patch + FIRST + 16, 0, 4);
    put(patch + FIRST + 20, list, 4);
    put(patch + FIRST + 24, len, 4);
    patch[FIRST + 8 + bytes[4] % 20] ^= bytes[5];
    packed = ZSTD_compress(patch + HEAD, room, stream, len, 1);
    if (ZSTD_isError(packed))
        abort();
    apply(before, (struct weir_slice){(char *)patch, HEAD + packed});
    free(patch);
}

/* As columns, for a list of the length that their own head says. */
static void apply_columns(struct weir_slice list, const uint8_t *bytes, size_t len)
{
    struct weir_slice columns = {(const char *)bytes, len};
    size_t entries, index, entry;
    char *room;

    if (len < 64)
        return;
    entries = bytes[48] | (size_t)bytes[49] << 8;
    entry = bytes[8] == 2 ? 18 : 16;
    index = (((size_t)1 << (bytes[12] & 15)) + 2) / 2 * 8;
    room = malloc(64 + index + entries * entry);
    if (!room)
        abort();
    (void)weir_bayes_columns_apply(list, columns, room, 64 + index + entries * entry);
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct weir_slice list, file; /* made once */
    const struct weir_slice patch = {(const char *)bytes, len}, none = {"", 0};

    if (file.len == 0) {
        list = patch_list(WORDS, 1, true);
        file = patch_file(1, 3, 1, patch_list(WORDS, 1, true));
    }
    apply(file, patch);
    apply(none, patch);
    apply_stream(file, bytes, len);
    apply_stream(none, bytes, len);
    apply_columns(list, bytes, len);
    apply_columns(none, bytes, len);
    return 0;
}
