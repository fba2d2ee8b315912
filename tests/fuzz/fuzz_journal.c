/* Any octets as a file of the journal, with a right head or as they are: batches lie inside it, in
 * order, and nothing is told as damaged twice. */
#include <stdlib.h>
#include <string.h>

#include "monitor/intake/journal_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void walk(const uint8_t *octets, size_t len)
{
    struct weir_journal_walk walk;
    struct weir_journal_batch batch;
    uint64_t next = WEIR_JOURNAL_FILE_HEAD, batches = 0;

    if (!weir_journal_walk_begin(&walk, octets, len, 0))
        return;
    for (; weir_journal_walk_next(&walk, &batch) == 1; next = batch.next, batches++) {
        must(batch.position >= next && batch.next <= len && walk.at == batch.next);
        must(batch.stream.len > 0 && batch.stream.len <= WEIR_STREAM_MAX);
        must((const uint8_t *)batch.octets.at + batch.octets.len == octets + batch.next);
    }
    must(walk.at == next && walk.damaged <= next && (walk.damages > 0) == (walk.damaged > 0));
}

/* Octets of the input as batches, then some of them changed: the others are found. */
static void damage(const uint8_t *data, size_t size)
{
    static const struct weir_hash_key key = {{7}};
    uint8_t file[4096];
    size_t len = WEIR_JOURNAL_FILE_HEAD, made = 0;

    weir_journal_file_head(0, &key, file);
    for (size_t i = 0; i + 1 < size && made < 10; made++) {
        struct weir_journal_batch batch = {.position = len, .stream = {"stream", 6}};

        batch.octets = (struct weir_slice){(const char *)data + i,
                                           data[i] < size - i ? data[i] : size - i};
        len += weir_journal_head(&batch, &key, file + len);
        memcpy(file + len, batch.octets.at, batch.octets.len);
        len += batch.octets.len;
        i += batch.octets.len + 1;
    }
    if (size > 2)
        file[(data[0] << 8 | data[1]) % len] ^= data[2];
    walk(file, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk(data, size);
    damage(data, size);
    return 0;
}
