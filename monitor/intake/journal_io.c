/*
 * The journal: the file that is written, and what is done when a write comes out short.
 *
 * Writing goes to a place of the file that is known, not to its end: what a failed write left
 * behind, and could not be cut off, is written over by the next batch or cut off at
 * the next start; it never stands between two batches.
 */
#include "monitor/intake/journal_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/intake/journal_impl.h"

/* Opening. ------------------------------------------------------------------------ */

static int open_folder(const char *path)
{
    int fd;

    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int kept = errno;

        close(fd);
        errno = kept;
        return -1;
    }
    return fd;
}

/* Opens the last file to write on, and cuts off what is behind its last whole batch. */
static int open_last(struct weir_journal *journal, uint64_t whole,
                     struct weir_journal_found *found)
{
    char name[WEIR_JOURNAL_NAME];
    uint64_t torn = weir_journal_last(journal)->len - whole;

    journal->fd = openat(journal->folder, weir_journal_name(weir_journal_last(journal), name),
                         O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (journal->fd < 0 || (torn > 0 && ftruncate(journal->fd, (off_t)whole) < 0))
        return WEIR_EIO;
    found->torn = torn;
    weir_journal_last(journal)->len = whole;
    journal->octets -= torn;
    return 0;
}

/* Takes away a last file that did not even get its head. */
static int drop_last(struct weir_journal *journal, struct weir_journal_found *found)
{
    char name[WEIR_JOURNAL_NAME];

    if (unlinkat(journal->folder, weir_journal_name(weir_journal_last(journal), name), 0) < 0)
        return WEIR_EIO;
    found->torn = weir_journal_last(journal)->len;
    journal->octets -= weir_journal_last(journal)->len;
    journal->files--;
    return 0;
}

/* Finds the end of the last file.  A file whose head is damaged stays as it is, and the next
 * one begins behind it. */
static int recover(struct weir_journal *journal, struct weir_journal_found *found)
{
    struct weir_journal_batch batch;
    struct weir_journal_walk walk;
    uint8_t *octets;
    size_t len;
    int rc = weir_journal_load(journal, weir_journal_last(journal), &octets, &len);

    if (rc < 0)
        return rc;
    if (weir_journal_walk_begin(&walk, octets, len, weir_journal_last(journal)->position)) {
        while (weir_journal_walk_next(&walk, &batch) == 1)
            continue;
        journal->key = walk.key;
        rc = open_last(journal, walk.at, found);
    } else if (len <= WEIR_JOURNAL_FILE_HEAD) {
        rc = drop_last(journal, found);
    }
    free(octets);
    return rc;
}

/* An open file whose end is at `from` or behind. */
static int make_ready(struct weir_journal *journal, uint64_t from,
                      struct weir_journal_found *found)
{
    uint64_t end;
    int rc = weir_journal_list(journal);

    if (rc == 0 && journal->files > 0)
        rc = recover(journal, found);
    if (rc < 0)
        return rc;
    end = journal->files > 0 ? weir_journal_position(journal) : 0;
    if (journal->fd >= 0 && end >= from)
        return 0;
    journal->before = journal->fd;
    journal->fd = -1;
    return weir_journal_begin(journal, end > from ? end : from);
}

static void forget(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int weir_journal_open(const struct weir_journal_options *options,
                      struct weir_journal_found *found_r, struct weir_journal **journal_r)
{
    struct weir_journal *journal = calloc(1, sizeof *journal);
    int rc;

    *found_r = (struct weir_journal_found){.torn = 0};
    if (!journal)
        return WEIR_ENOMEM;
    journal->file_most = options->file_most > 0 ? options->file_most : WEIR_JOURNAL_FILE;
    journal->bytes_most = options->bytes_most > 0 ? options->bytes_most : UINT64_MAX;
    journal->fd = journal->before = -1;
    journal->folder = open_folder(options->folder);
    rc = journal->folder < 0 ? WEIR_EIO : make_ready(journal, options->from, found_r);
    if (rc < 0) {
        int kept = errno;

        weir_journal_free(&journal);
        errno = kept;
        return rc;
    }
    *journal_r = journal;
    return 0;
}

void weir_journal_free(struct weir_journal **journal)
{
    if (!*journal)
        return;
    forget(&(*journal)->fd);
    forget(&(*journal)->before);
    forget(&(*journal)->folder);
    free((*journal)->file);
    free(*journal);
    *journal = NULL;
}

/* Appending. ---------------------------------------------------------------------- */

uint64_t weir_journal_position(const struct weir_journal *journal)
{
    return weir_journal_last(journal)->position + weir_journal_last(journal)->len;
}

uint64_t weir_journal_octets(const struct weir_journal *journal)
{
    return journal->octets;
}

/* What is in the old file is made durable by the next sync, which waits for the disk outside of the
 * lock that the caller has; when two files were filled since the last one, by waiting here. */
static int turn(struct weir_journal *journal)
{
    int old = journal->fd, rc;

    if (journal->before >= 0 && fdatasync(journal->before) < 0)
        return weir_journal_write_error();
    forget(&journal->before);
    rc = weir_journal_begin(journal, weir_journal_position(journal));
    if (rc == 0)
        journal->before = old;
    return rc;
}

static int write_batch(struct weir_journal *journal, const struct weir_journal_batch *batch,
                       size_t size)
{
    uint8_t head[WEIR_JOURNAL_HEAD_MAX];
    struct iovec piece[2] = {{.iov_base = head}, {.iov_len = batch->octets.len}};
    off_t end = (off_t)weir_journal_last(journal)->len;
    ssize_t written;

    piece[0].iov_len = weir_journal_head(batch, &journal->key, head);
    memcpy(&piece[1].iov_base, &batch->octets.at, sizeof batch->octets.at); /* drops a const */
    written = pwritev(journal->fd, piece, 2, end);
    if (written == (ssize_t)size)
        return 0;
    if (written >= 0)
        errno = ENOSPC;
    int kept = errno;
    if (ftruncate(journal->fd, end) < 0) /* see above: no harm comes of it */
        errno = kept;
    errno = kept;
    return weir_journal_write_error();
}

static int append(struct weir_journal *journal, struct weir_journal_batch *batch)
{
    size_t size = WEIR_JOURNAL_HEAD + batch->stream.len + batch->octets.len;
    int rc = 0;

    if (size > journal->bytes_most || journal->octets > journal->bytes_most - size) {
        errno = ENOSPC;
        return WEIR_EFULL;
    }
    if (weir_journal_last(journal)->len + size > journal->file_most &&
        weir_journal_last(journal)->len > WEIR_JOURNAL_FILE_HEAD)
        rc = turn(journal);
    batch->position = weir_journal_position(journal);
    rc = rc < 0 ? rc : write_batch(journal, batch, size);
    if (rc < 0)
        return rc;
    weir_journal_last(journal)->len += size;
    journal->octets += size;
    return 0;
}

static void remove_first(struct weir_journal *journal, size_t count)
{
    for (size_t i = 0; i < count; i++)
        journal->octets -= journal->file[i].len;
    journal->files -= count;
    memmove(journal->file, journal->file + count, journal->files * sizeof *journal->file);
}

/* Room for a batch: what is in the file that is written now, when nobody needs any of it.  Where
 * there is not even room for a new file's head the old one gives it; then there is nothing to
 * write on until there is. */
static bool make_room(struct weir_journal *journal)
{
    uint64_t end = weir_journal_position(journal);
    char name[WEIR_JOURNAL_NAME];
    int old = journal->fd;

    if (journal->done < end || weir_journal_last(journal)->len <= WEIR_JOURNAL_FILE_HEAD)
        return false;
    if (weir_journal_begin(journal, end) < 0) {
        if (old < 0 || ftruncate(old, 0) < 0)
            return false;
        forget(&journal->fd);
        if (weir_journal_begin(journal, end) < 0)
            return false;
    } else {
        forget(&old);
    }
    (void)unlinkat(journal->folder, weir_journal_name(weir_journal_last(journal) - 1, name), 0);
    remove_first(journal, journal->files - 1);
    return true;
}

int weir_journal_append(struct weir_journal *journal, uint32_t server, struct weir_slice stream,
                        uint64_t offset, struct weir_slice octets, uint64_t *position_r)
{
    struct weir_journal_batch batch = {.server = server, .stream = stream, .offset = offset,
                                       .octets = octets};
    int rc;

    if (stream.len == 0 || stream.len > WEIR_STREAM_MAX || octets.len > WEIR_BATCH_MAX)
        return WEIR_ELIMIT;
    rc = journal->fd < 0 ? WEIR_EFULL : append(journal, &batch);
    if (rc == WEIR_EFULL && make_room(journal))
        rc = append(journal, &batch);
    if (rc == 0)
        *position_r = weir_journal_position(journal);
    return rc;
}

static int copy_of(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int weir_journal_sync_begin(struct weir_journal *journal, struct weir_journal_sync *sync_r)
{
    *sync_r = (struct weir_journal_sync){.written = copy_of(journal->fd),
                                         .folder = copy_of(journal->entered ? journal->folder : -1),
                                         .before = journal->before};
    journal->before = -1;
    if ((journal->fd >= 0 && sync_r->written < 0) || (journal->entered && sync_r->folder < 0))
        return WEIR_EIO;
    journal->entered = false;
    return 0;
}

int weir_journal_sync_end(const struct weir_journal_sync *sync)
{
    const int fd[] = {sync->before, sync->written, sync->folder};
    int kept = 0;

    for (size_t i = 0; i < sizeof fd / sizeof *fd; i++) {
        if (fd[i] < 0)
            continue;
        if ((fd[i] == sync->folder ? fsync(fd[i]) : fdatasync(fd[i])) < 0)
            kept = errno;
        close(fd[i]);
    }
    errno = kept;
    return kept != 0 ? WEIR_EIO : 0;
}

/* Replay and removal. --------------------------------------------------------------- */

struct replay {
    int (*batch)(void *context, const struct weir_journal_batch *batch);
    void *context;
    struct weir_journal_found *found;
};

static void note_damage(struct weir_journal_found *found, uint64_t places, uint64_t octets)
{
    found->damages += places;
    found->damaged += octets;
}

/* Replays a file in memory from a place in it on. */
static int replay_octets(const struct replay *replay, struct weir_journal_walk *walk)
{
    struct weir_journal_batch batch;

    while (weir_journal_walk_next(walk, &batch) == 1) {
        int rc = replay->batch(replay->context, &batch);

        if (rc < 0)
            return rc;
        replay->found->batches++;
        replay->found->octets += batch.octets.len;
    }
    note_damage(replay->found, walk->damages, walk->damaged);
    note_damage(replay->found, walk->at < walk->len, walk->len - walk->at);
    return 0;
}

static int replay_file(const struct weir_journal *journal, const struct file *file, uint64_t from,
                       const struct replay *replay)
{
    struct weir_journal_walk walk;
    uint8_t *octets;
    size_t len;
    int rc = weir_journal_load(journal, file, &octets, &len);

    if (rc < 0)
        return rc;
    if (!weir_journal_walk_begin(&walk, octets, len, file->position)) {
        note_damage(replay->found, 1, len);
    } else {
        if (from > file->position + walk.at)
            walk.at = (size_t)(from - file->position);
        rc = replay_octets(replay, &walk);
    }
    free(octets);
    return rc;
}

int weir_journal_replay(struct weir_journal *journal, uint64_t from,
                        int (*batch)(void *context, const struct weir_journal_batch *batch),
                        void *context, struct weir_journal_found *found_r)
{
    struct replay replay = {.batch = batch, .context = context, .found = found_r};
    int rc = 0;

    *found_r = (struct weir_journal_found){.torn = 0};
    if (journal->file[0].position > from)
        found_r->missing = journal->file[0].position - from;
    for (size_t i = 0; rc == 0 && i < journal->files; i++) {
        const struct file *file = &journal->file[i];

        if (file->position + file->len > from)
            rc = replay_file(journal, file, from, &replay);
    }
    return rc;
}

int weir_journal_remove_below(struct weir_journal *journal, uint64_t position)
{
    uint64_t end = weir_journal_position(journal);
    size_t removed = 0;
    int rc = 0;

    journal->done = position < end ? position : end;
    while (removed + 1 < journal->files &&
           journal->file[removed].position + journal->file[removed].len <= position) {
        char name[WEIR_JOURNAL_NAME];

        if (unlinkat(journal->folder, weir_journal_name(&journal->file[removed], name), 0) < 0 &&
            errno != ENOENT) {
            rc = WEIR_EIO;
            break;
        }
        removed++;
    }
    remove_first(journal, removed);
    return rc < 0 ? rc : (int)removed;
}
