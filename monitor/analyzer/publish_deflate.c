/*
 * A set's file on its way to servers: deflated, in one pass; and back.
 *
 * Rules are text and become a tenth; a word list is hashes and counts, in which there is little to
 * be found, however long it is looked for: it gets the fastest level.  That makes it 8 % larger
 * than the default, in less than half of the time, which is most of what publishing takes.
 */
#include <stdlib.h>

#include <zlib.h>

#include "core/base/error.h"
#include "monitor/analyzer/publish_impl.h"

/* The next octets at a level; the last ones end it. */
static bool add(z_stream *z, struct weir_slice octets, int level, bool last)
{
    if (deflateParams(z, level, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    z->next_in = (Bytef *)(uintptr_t)octets.at;
    z->avail_in = (uInt)octets.len;
    return deflate(z, last ? Z_FINISH : Z_BLOCK) == (last ? Z_STREAM_END : Z_OK) &&
           z->avail_in == 0;
}

int weir_publish_deflate(struct weir_slice octets, size_t text, void **deflated_r, size_t *len_r)
{
    z_stream z = {.zalloc = NULL};
    bool good;
    size_t room;
    Bytef *deflated;

    if (octets.len > WEIR_RULE_PARCEL_MAX || text > octets.len)
        return WEIR_ELIMIT;
    if (deflateInit(&z, Z_DEFAULT_COMPRESSION) != Z_OK)
        return WEIR_ENOMEM;
    room = deflateBound(&z, octets.len) + 4096; /* blocks end twice */
    deflated = malloc(room);
    z.next_out = deflated;
    z.avail_out = (uInt)room;
    good = deflated &&
           add(&z, (struct weir_slice){octets.at, text}, Z_DEFAULT_COMPRESSION, false) &&
           add(&z, (struct weir_slice){octets.at + text, octets.len - text}, Z_BEST_SPEED, true);
    *len_r = z.total_out;
    (void)deflateEnd(&z);
    if (!good)
        free(deflated);
    else
        *deflated_r = deflated;
    return good ? 0 : WEIR_ENOMEM;
}

void *weir_publish_inflate(struct weir_slice file, size_t octets)
{
    uLongf len = octets;
    void *full = octets <= WEIR_RULE_PARCEL_MAX ? malloc(octets ? octets : 1) : NULL;

    if (full && (uncompress(full, &len, (const Bytef *)file.at, file.len) != Z_OK ||
                 len != octets)) {
        free(full);
        full = NULL;
    }
    return full;
}
