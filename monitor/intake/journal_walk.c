/*
 * The octets of a journal's file: writing heads, and finding whole batches whatever stands
 * between them.
 *
 * A head is believed when its keyed sum is right: nobody outside knows the key, and the position
 * in the sum keeps an old head from being right at another place.  So its length can be trusted
 * to pass over a batch whose octets are damaged; without a right head each place that begins like
 * one is tried, in linear time.
 */
#include <string.h>

#include "monitor/intake/journal_impl.h"

static const char file_mark[8] = "WEIRJRN1", mark[4] = "WJb1"; /* not as texts: no NUL */

enum { SUM = 8, SUMMED = WEIR_JOURNAL_HEAD - SUM };

void weir_journal_file_head(uint64_t position, const struct weir_hash_key *key,
                            uint8_t head_r[static WEIR_JOURNAL_FILE_HEAD])
{
    struct weir_writer w = weir_writer(head_r, WEIR_JOURNAL_FILE_HEAD);

    weir_write_bytes(&w, file_mark, sizeof file_mark);
    weir_write_u64(&w, position);
    weir_write_bytes(&w, key->octet, sizeof key->octet);
    weir_write_u64(&w, weir_hash64(key, head_r, WEIR_JOURNAL_FILE_HEAD - SUM));
}

/* The sum of a head's first octets, its position and the name. */
static uint64_t head_sum(const struct weir_hash_key *key, const uint8_t head[static SUMMED],
                         uint64_t position, const void *name, size_t len)
{
    uint8_t all[SUMMED + 8 + WEIR_STREAM_MAX];
    struct weir_writer w = weir_writer(all, sizeof all);

    weir_write_bytes(&w, head, SUMMED);
    weir_write_u64(&w, position);
    weir_write_bytes(&w, name, len);
    return weir_hash64(key, all, weir_writer_len(&w));
}

size_t weir_journal_head(const struct weir_journal_batch *batch, const struct weir_hash_key *key,
                         uint8_t head_r[static WEIR_JOURNAL_HEAD_MAX])
{
    struct weir_writer w = weir_writer(head_r, WEIR_JOURNAL_HEAD_MAX);

    weir_write_bytes(&w, mark, sizeof mark);
    weir_write_u32(&w, batch->server);
    weir_write_u64(&w, batch->offset);
    weir_write_u32(&w, (uint32_t)batch->octets.len);
    weir_write_u16(&w, (uint16_t)batch->stream.len);
    weir_write_u16(&w, 0);
    weir_write_u64(&w, weir_hash64(key, batch->octets.at, batch->octets.len));
    weir_write_u64(&w, head_sum(key, head_r, batch->position, batch->stream.at,
                                batch->stream.len));
    weir_write_bytes(&w, batch->stream.at, batch->stream.len);
    return weir_writer_len(&w);
}

bool weir_journal_walk_begin(struct weir_journal_walk *walk, const uint8_t *octets, size_t len,
                             uint64_t position)
{
    struct weir_reader r = weir_reader(octets, len);
    const uint8_t *begin = weir_read_bytes(&r, sizeof file_mark), *key;
    uint64_t told = weir_read_u64(&r), sum;

    *walk = (struct weir_journal_walk){.octets = octets, .len = len, .position = position};
    key = weir_read_bytes(&r, sizeof walk->key.octet);
    sum = weir_read_u64(&r);
    if (weir_reader_bad(&r) || memcmp(begin, file_mark, sizeof file_mark) != 0 ||
        told != position)
        return false;
    memcpy(walk->key.octet, key, sizeof walk->key.octet);
    walk->at = WEIR_JOURNAL_FILE_HEAD;
    return sum == weir_hash64(&walk->key, octets, WEIR_JOURNAL_FILE_HEAD - SUM);
}

/* What stands at a place. */
struct found {
    struct weir_journal_batch batch;
    uint64_t sum;    /* of its octets */
    size_t size;     /* of all of it, as its head says */
};

/* Whether there is a right head at a place, with its name. */
static bool head_at(const struct weir_journal_walk *walk, size_t at, struct found *found_r)
{
    struct weir_reader r = weir_reader(walk->octets + at, walk->len - at);
    const uint8_t *begin = weir_read_bytes(&r, sizeof mark), *name;
    struct weir_journal_batch *batch = &found_r->batch;
    uint64_t sum;

    batch->position = walk->position + at;
    batch->server = weir_read_u32(&r);
    batch->offset = weir_read_u64(&r);
    batch->octets.len = weir_read_u32(&r);
    batch->stream.len = weir_read_u16(&r);
    (void)weir_read_u16(&r);
    found_r->sum = weir_read_u64(&r);
    sum = weir_read_u64(&r);
    if (weir_reader_bad(&r) || memcmp(begin, mark, sizeof mark) != 0 || batch->stream.len == 0 ||
        batch->stream.len > WEIR_STREAM_MAX || batch->octets.len > WEIR_BATCH_MAX)
        return false;
    name = weir_read_bytes(&r, batch->stream.len);
    if (!name || sum != head_sum(&walk->key, begin, batch->position, name, batch->stream.len))
        return false;
    batch->stream.at = (const char *)name;
    batch->octets.at = (const char *)name + batch->stream.len;
    found_r->size = WEIR_JOURNAL_HEAD + batch->stream.len + batch->octets.len;
    batch->next = batch->position + found_r->size;
    return true;
}

/* The first right head at a place or behind it. */
static bool head_behind(const struct weir_journal_walk *walk, size_t at, size_t *at_r,
                        struct found *found_r)
{
    while (at < walk->len) {
        const uint8_t *next = memmem(walk->octets + at, walk->len - at, mark, sizeof mark);

        if (!next)
            return false;
        at = (size_t)(next - walk->octets);
        if (head_at(walk, at, found_r)) {
            *at_r = at;
            return true;
        }
        at++;
    }
    return false;
}

int weir_journal_walk_next(struct weir_journal_walk *walk, struct weir_journal_batch *batch_r)
{
    size_t at = walk->at, bad = 0, places = 0; /* bad: octets passed over before a batch */
    struct found found;

    for (size_t head = 0; head_behind(walk, at, &head, &found); at += found.size) {
        places += head > at;
        bad += head - at;
        at = head;
        if (found.size > walk->len - at)
            return 0;
        if (found.sum == weir_hash64(&walk->key, found.batch.octets.at, found.batch.octets.len)) {
            walk->damages += places;
            walk->damaged += bad;
            walk->at = at + found.size;
            *batch_r = found.batch;
            return 1;
        }
        places++;
        bad += found.size;
    }
    return 0;
}
