/* journal_rig - a journal in a folder of its own, batches whose contents follow from their offset;
 * its header says the rest. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/journal_rig.h"

int journal_setup(void **state)
{
    struct journal_rig *rig = calloc(1, sizeof *rig);

    rig->scratch = scratch_new();
    strcpy(rig->folder, scratch_path(rig->scratch, "journal"));
    rig->options.folder = rig->folder;
    *state = rig;
    return 0;
}

size_t journal_files(const struct journal_rig *rig, char last_r[static 600])
{
    DIR *dir = opendir(rig->folder);
    size_t files = 0;

    last_r[0] = '\0';
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[600];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", rig->folder, entry->d_name);
        if (strcmp(path, last_r) > 0)
            strcpy(last_r, path);
        files++;
    }
    if (dir)
        closedir(dir);
    return files;
}

void journal_empty(const struct journal_rig *rig)
{
    char path[600];

    while (journal_files(rig, path) > 0)
        unlink(path);
}

int journal_teardown(void **state)
{
    struct journal_rig *rig = *state;

    weir_journal_free(&rig->journal);
    weir_journal_free(&rig->journal);
    journal_empty(rig);
    rmdir(rig->folder);
    scratch_free(rig->scratch);
    free(rig);
    return 0;
}

int journal_open(struct journal_rig *rig)
{
    weir_journal_free(&rig->journal);
    return weir_journal_open(&rig->options, &rig->found, &rig->journal);
}

/* The octets of a batch, the same each time. */
static void fill(uint64_t offset, char *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = (char)((offset + 1) * 31 + i * 7 + i / 251);
}

static struct weir_slice stream_of(uint64_t offset)
{
    static const char *const name[] = {"sniffer-1795000000-77.log", "milter-1795000060-78.log"};
    const char *text = name[offset % 2];

    return (struct weir_slice){text, strlen(text)};
}

int journal_put(struct journal_rig *rig, uint64_t offset, size_t len)
{
    char *octets = malloc(len + 1);
    uint64_t position;
    int rc;

    fill(offset, octets, len);
    rc = weir_journal_append(rig->journal, (uint32_t)offset % 100, stream_of(offset), offset,
                             (struct weir_slice){octets, len}, &position);
    if (rc == 0)
        assert_true(position == weir_journal_position(rig->journal));
    free(octets);
    return rc;
}

static int see(void *context, const struct weir_journal_batch *batch)
{
    struct journal_seen *seen = context;
    struct weir_slice stream = stream_of(batch->offset);
    char *want = malloc(batch->octets.len + 1);

    fill(batch->offset, want, batch->octets.len);
    seen->wrong += batch->server != batch->offset % 100 || batch->position >= batch->next ||
                   batch->position < seen->next || batch->stream.len != stream.len ||
                   memcmp(batch->stream.at, stream.at, stream.len) != 0 ||
                   memcmp(batch->octets.at, want, batch->octets.len) != 0;
    free(want);
    assert_true(seen->batches < JOURNAL_SEEN);
    seen->position[seen->batches] = batch->position;
    seen->offset[seen->batches++] = batch->offset;
    seen->next = batch->next;
    return 0;
}

struct journal_seen *journal_replay(struct journal_rig *rig, uint64_t from)
{
    static struct journal_seen seen;

    memset(&seen, 0, sizeof seen);
    assert_int_equal(weir_journal_replay(rig->journal, from, see, &seen, &rig->found), 0);
    assert_int_equal(seen.wrong, 0);
    assert_int_equal(seen.batches, rig->found.batches);
    return &seen;
}
