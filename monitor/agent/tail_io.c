/*
 * tail - keeps a small table of the folder's files, oldest first, and reads where it left off.
 * Between looks it is sorted; while one goes on, what is new stands behind that, unsorted.
 *
 * A file is opened for each piece: it may be renamed or removed by its writer at any moment, and
 * then is found again under its other name by the next look.
 */
#include "monitor/agent/tail_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/slice.h"

#define LOG ".log"
#define PART ".part"
#define SNIFFER "sniffer-"
#define WEIR_TAIL_PATH 512
#define ROOM (WEIR_TAIL_FILES_MAX + 1024) /* while looking: beyond it the youngest go */
#define FIRST_LINE 64 /* octets of the first line that are hashed */

struct file {
    char name[WEIR_STREAM_TEXT];   /* without ".part" */
    long long opened;              /* as its name says: for the order */
    char stream[WEIR_STREAM_TEXT]; /* "": its first line is not there yet */
    uint64_t len, offset;
    uint64_t base;                 /* where the stream begins, as a rule at 0 */
    bool part;                     /* still being written */
    bool there;                    /* seen by this look, and not removed since */
    uint64_t blanked;              /* up to here, octets of lines too long were counted */
    bool bad;                      /* told of */
};

struct weir_tail {
    char folder[WEIR_TAIL_PATH];
    const struct weir_log *log;
    struct file *file;
    size_t files;
    size_t known;                  /* of these are sorted */
    bool full;                     /* while looking: there are more than the table may keep */
    size_t beyond;                 /* files that are there and not in the table */
    uint64_t beyond_octets;
    uint64_t written;              /* by sniffers: what was seen at the last look, and removed */
    uint64_t removed;              /* octets of sniffers' files */
    char *room;
    char (*gone)[WEIR_STREAM_TEXT]; /* a ring */
    size_t gone_first, gone_count;
    struct weir_tail_counts counts;
};

int weir_tail_open(const char *folder, const struct weir_log *log, struct weir_tail **tail_r)
{
    struct weir_tail *tail;

    if (strlen(folder) >= sizeof tail->folder)
        return WEIR_ELIMIT;
    tail = calloc(1, sizeof *tail);
    if (!tail)
        return WEIR_ENOMEM;
    strcpy(tail->folder, folder);
    tail->log = log;
    tail->file = calloc(ROOM, sizeof *tail->file);
    tail->room = malloc(WEIR_TAIL_PIECE_MAX);
    tail->gone = calloc(WEIR_TAIL_GONE_MAX, sizeof *tail->gone);
    if (!tail->file || !tail->room || !tail->gone) {
        weir_tail_free(&tail);
        return WEIR_ENOMEM;
    }
    *tail_r = tail;
    return 0;
}

void weir_tail_free(struct weir_tail **tail)
{
    if (!tail || !*tail)
        return;
    free((*tail)->file);
    free((*tail)->room);
    free((*tail)->gone);
    free(*tail);
    *tail = NULL;
}

/* looking -------------------------------------------------------------------- */

/* "<name>-<seconds>-<pid>": the seconds, for the order. */
static long long opened(const char *name)
{
    const char *pid = strrchr(name, '-');
    const char *seconds = pid ? memrchr(name, '-', (size_t)(pid - name)) : NULL;

    return seconds ? strtoll(seconds + 1, NULL, 10) : 0;
}

static int by_age(const void *a, const void *b)
{
    const struct file *one = a, *other = b;

    return one->opened != other->opened ? (one->opened > other->opened ? 1 : -1)
                                        : strcmp(one->name, other->name);
}

struct age {
    long long opened;
    const char *name;
};

static int compare_age(const void *a, const void *b)
{
    const struct age *key = a;
    const struct file *file = b;

    return key->opened != file->opened ? (key->opened > file->opened ? 1 : -1)
                                       : strcmp(key->name, file->name);
}

/* A new one that was renamed while the folder was read, and so was seen twice, is one. */
static void join_twins(struct weir_tail *tail)
{
    size_t kept = tail->known;

    for (size_t i = tail->known; i < tail->files; i++) {
        struct file *file = &tail->file[i];
        struct file *before = kept > tail->known ? &tail->file[kept - 1] : NULL;

        if (!before || strcmp(before->name, file->name) != 0) {
            tail->file[kept++] = *file;
            continue;
        }
        before->part &= file->part;
        before->len = before->len > file->len ? before->len : file->len;
    }
    tail->files = kept;
}

/* Puts new ones in their places; of more than there may be, the youngest go. */
static void settle(struct weir_tail *tail)
{
    struct file *new = tail->file + tail->known;

    if (tail->files > tail->known) {
        qsort(new, tail->files - tail->known, sizeof *new, by_age);
        join_twins(tail);
        if (tail->known > 0 && by_age(new - 1, new) > 0)
            qsort(tail->file, tail->files, sizeof *tail->file, by_age);
    }
    for (; tail->files > WEIR_TAIL_FILES_MAX; tail->full = true) {
        const struct file *youngest = &tail->file[--tail->files];

        tail->beyond += youngest->there;
        tail->beyond_octets += youngest->there ? youngest->len : 0;
    }
    tail->known = tail->files;
}

static bool has_no_room(struct weir_tail *tail, const struct file *file)
{
    if (tail->files == ROOM)
        settle(tail);
    return tail->full && by_age(file, &tail->file[WEIR_TAIL_FILES_MAX - 1]) > 0;
}

/* Among those known before. */
static struct file *find(struct weir_tail *tail, const char *name)
{
    struct age key = {opened(name), name};

    return tail->known == 0
               ? NULL : bsearch(&key, tail->file, tail->known, sizeof *tail->file, compare_age);
}

/* A new one; NULL: it is too young for the table. */
static struct file *begin(struct weir_tail *tail, const char *name)
{
    struct file new = {.opened = opened(name)};

    strcpy(new.name, name);
    if (has_no_room(tail, &new))
        return NULL;
    tail->file[tail->files] = new;
    return &tail->file[tail->files++];
}

/* The name without ".part", and whether it was there; false for a file that is none of ours. */
static bool is_spool(const char *entry, char name_r[static WEIR_STREAM_TEXT], bool *part_r)
{
    struct weir_slice name = weir_slice_of(entry);

    *part_r = weir_slice_ends(name, PART);
    if (*part_r)
        name.len -= strlen(PART);
    if (entry[0] == '.' || !weir_slice_ends(name, LOG) || name.len + 10 >= WEIR_STREAM_TEXT)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] > '~' || strchr("&?%+#~", name.at[i]))
            return false;
    memcpy(name_r, name.at, name.len);
    name_r[name.len] = '\0';
    return true;
}

static bool is_sniffers(const char *name)
{
    return strncmp(name, SNIFFER, strlen(SNIFFER)) == 0;
}

/* A finished file stays as it is, so that only those are asked for that are written, or new.  Under
 * both names it is one of two: another that bears this name, or one that was just renamed. */
static bool len_of_entry(int folder, const char *entry, bool part, const struct file *known,
                         uint64_t *len_r)
{
    struct stat status;

    if (known && !part && !known->part && known->len > 0) {
        *len_r = known->len;
        return true;
    }
    if (fstatat(folder, entry, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
        return false;
    *len_r = (uint64_t)status.st_size;
    return true;
}

/* What it sees is complete although the table may not be: a sniffer that writes is not silent. */
static void look_at(struct weir_tail *tail, int folder, const char *entry, uint64_t *sniffers)
{
    char name[WEIR_STREAM_TEXT];
    struct file *file;
    uint64_t len;
    bool part;

    if (!is_spool(entry, name, &part))
        return;
    file = find(tail, name);
    if (!len_of_entry(folder, entry, part, file, &len))
        return;
    if (is_sniffers(name))
        *sniffers += len;
    if (!file && !(file = begin(tail, name))) {
        tail->beyond++;
        tail->beyond_octets += len;
        return;
    }
    if (len < file->offset) { /* another file of this name, or cut short */
        file->offset = file->blanked = file->base = 0;
        file->stream[0] = '\0';
    }
    file->len = len;
    file->part = part || (file->there && file->part);
    file->there = true;
}

/* Written is what is there and what was removed; less than before when somebody else removes. */
static void note_sniffers(struct weir_tail *tail, uint64_t there)
{
    uint64_t written = there + tail->removed;

    if (written > tail->written)
        tail->counts.sniffer += written - tail->written;
    tail->written = written;
}

static uint64_t left(const struct file *file)
{
    return file->there ? file->len - file->offset : 0;
}

static void sum_up(struct weir_tail *tail)
{
    tail->counts.files = tail->files + tail->beyond;
    tail->counts.octets = tail->beyond_octets;
    for (size_t i = 0; i < tail->files; i++)
        tail->counts.octets += left(&tail->file[i]);
}

static bool path_of(const struct weir_tail *tail, const struct file *file, bool part,
                    char path_r[static WEIR_TAIL_PATH])
{
    return snprintf(path_r, WEIR_TAIL_PATH, "%s/%s%s", tail->folder, file->name,
                    part ? PART : "") < WEIR_TAIL_PATH;
}

static void note_gone(struct weir_tail *tail, const char *stream)
{
    if (!stream[0]) /* it had nothing in it: nobody knows it */
        return;
    if (tail->gone_count == WEIR_TAIL_GONE_MAX)
        weir_tail_told(tail, 1);
    strcpy(tail->gone[(tail->gone_first + tail->gone_count++) % WEIR_TAIL_GONE_MAX], stream);
}

const char *weir_tail_gone(const struct weir_tail *tail, size_t n)
{
    return n < tail->gone_count ? tail->gone[(tail->gone_first + n) % WEIR_TAIL_GONE_MAX] : NULL;
}

void weir_tail_told(struct weir_tail *tail, size_t count)
{
    count = count < tail->gone_count ? count : tail->gone_count;
    tail->gone_first = (tail->gone_first + count) % WEIR_TAIL_GONE_MAX;
    tail->gone_count -= count;
}

/* What is finished and done goes; its length may have grown since the look, so it is asked. */
static bool remove_done(struct weir_tail *tail, struct file *file)
{
    char path[WEIR_TAIL_PATH];
    struct stat status;

    if (file->part || file->offset < file->len || !path_of(tail, file, false, path) ||
        lstat(path, &status) < 0)
        return false;
    if ((uint64_t)status.st_size > file->offset)
        file->len = (uint64_t)status.st_size;
    if (file->len > file->offset || unlink(path) < 0)
        return false;
    tail->counts.removed++;
    tail->removed += is_sniffers(file->name) ? (uint64_t)status.st_size : 0;
    note_gone(tail, file->stream);
    return true;
}

int weir_tail_look(struct weir_tail *tail)
{
    DIR *folder = opendir(tail->folder);
    uint64_t sniffers = 0;
    size_t kept = 0;

    if (!folder && errno != ENOENT)
        return WEIR_EIO;
    tail->full = false;
    tail->beyond = 0;
    tail->beyond_octets = 0;
    for (size_t i = 0; i < tail->files; i++)
        tail->file[i].there = false;
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;)
        look_at(tail, dirfd(folder), entry->d_name, &sniffers);
    if (folder)
        closedir(folder);
    settle(tail);
    note_sniffers(tail, sniffers);
    /* One may have been done before it was finished, or have nothing in it. */
    for (size_t i = 0; i < tail->files; i++)
        if (tail->file[i].there && !remove_done(tail, &tail->file[i]))
            tail->file[kept++] = tail->file[i];
    tail->files = tail->known = kept;
    sum_up(tail);
    return 0;
}

/* reading -------------------------------------------------------------------- */

/* By either name: it may have been renamed since the look. */
static int open_file(struct weir_tail *tail, const struct file *file)
{
    char path[WEIR_TAIL_PATH];
    int fd = -1;

    for (int i = 0; i < 2 && fd < 0; i++)
        if (path_of(tail, file, i == 0 ? file->part : !file->part, path))
            fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd;
}

static void name_stream(struct file *file, const char *line, size_t len)
{
    unsigned char hash[16];
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const unsigned char *)line,
                              len < FIRST_LINE ? len : FIRST_LINE);
    if (file->base > 0)
        crypto_generichash_update(&state, (const unsigned char *)&file->base, sizeof file->base);
    crypto_generichash_final(&state, hash, sizeof hash);
    snprintf(file->stream, sizeof file->stream, "%.*s~%02x%02x%02x%02x",
             WEIR_STREAM_TEXT - 10, file->name, hash[0], hash[1], hash[2], hash[3]);
}

static void pass_over(struct weir_tail *tail, struct file *file, size_t len)
{
    file->offset += len;
    tail->counts.skipped += len;
}

/* Whether the file has a stream's name, which it gets from its first line. */
static bool named(struct weir_tail *tail, struct file *file, int fd)
{
    ssize_t got;
    const char *end;

    if (file->stream[0])
        return true;
    got = pread(fd, tail->room, WEIR_TAIL_PIECE_MAX, 0);
    end = got > 0 ? memchr(tail->room, '\n', (size_t)got) : NULL;
    if (got <= 0 || (!end && file->part && got < WEIR_TAIL_PIECE_MAX))
        return false;
    name_stream(file, tail->room, end ? (size_t)(end - tail->room) : (size_t)got);
    return true;
}

/* Whether the file's offset lies within a line: in one that is too long for a piece. */
static bool is_inside(const struct file *file, int fd)
{
    char before;

    return file->offset > 0 && pread(fd, &before, 1, (off_t)file->offset - 1) == 1 &&
           before != '\n';
}

/* A part of a line that is too long: a blank line of the same length goes in its place, since a
 * monitor takes nothing of a stream that does not go on where it was. */
static size_t blank(struct weir_tail *tail, struct file *file, size_t len)
{
    uint64_t end = file->offset + len;

    memset(tail->room, ' ', len - 1);
    tail->room[len - 1] = '\n';
    if (end > file->blanked) {
        tail->counts.skipped += file->blanked > file->offset ? end - file->blanked : len;
        file->blanked = end;
    }
    return len;
}

/* Octets at the file's offset; 0 when there is no whole line yet.  What a finished file has behind
 * its last line is passed over. */
static size_t read_lines(struct weir_tail *tail, struct file *file, int fd)
{
    const char *first, *last;
    ssize_t got;

    if (!named(tail, file, fd))
        return 0;
    got = pread(fd, tail->room, WEIR_TAIL_PIECE_MAX, (off_t)file->offset);
    if (got <= 0)
        return 0;
    first = memchr(tail->room, '\n', (size_t)got);
    last = memrchr(tail->room, '\n', (size_t)got);
    if (!first && got == WEIR_TAIL_PIECE_MAX)
        return blank(tail, file, (size_t)got);
    if (!first && !file->part)
        pass_over(tail, file, (size_t)got);
    if (first && is_inside(file, fd))
        return blank(tail, file, (size_t)(first - tail->room) + 1);
    return last ? (size_t)(last - tail->room) + 1 : 0;
}

static int piece_of(struct weir_tail *tail, struct file *file, struct weir_tail_piece *piece_r)
{
    int fd;
    size_t len;

    if (file->offset >= file->len)
        return 0;
    fd = open_file(tail, file);
    if (fd < 0) {
        if (errno != ENOENT && !file->bad)
            weir_log(tail->log, WEIR_LOG_ERROR, "%s/%s cannot be read: %s", tail->folder,
                     file->name, strerror(errno));
        file->bad = errno != ENOENT;
        return 0;
    }
    len = read_lines(tail, file, fd);
    close(fd);
    if (len == 0)
        return 0;
    *piece_r = (struct weir_tail_piece){file->stream, file->offset - file->base,
                                        {tail->room, len}};
    return 1;
}

int weir_tail_next(struct weir_tail *tail, struct weir_tail_piece *piece_r)
{
    for (size_t i = 0; i < tail->files; i++)
        if (piece_of(tail, &tail->file[i], piece_r) > 0)
            return 1;
    return 0;
}

/* How long a file is now; it may have grown since the look. */
static uint64_t len_of(struct weir_tail *tail, const struct file *file)
{
    struct stat status;
    int fd = open_file(tail, file);
    uint64_t len = fd >= 0 && fstat(fd, &status) == 0 ? (uint64_t)status.st_size : file->len;

    if (fd >= 0)
        close(fd);
    return len;
}

/* All below place is safe; that is more than there is when the file was cut short. */
static void go_on_at(struct weir_tail *tail, struct file *file, uint64_t place)
{
    uint64_t len = place > file->len ? len_of(tail, file) : file->len;

    file->offset = place < len ? place : len;
    file->len = file->len > file->offset ? file->len : file->offset;
    if (place <= len)
        return;
    weir_log(tail->log, WEIR_LOG_WARNING, "%s/%s is %" PRIu64 " octets shorter than what was "
             "shipped of it, as after a power cut; what it still gets counts anew",
             tail->folder, file->name, place - len);
    file->len = len;
    if (!file->part) /* nobody goes on with it */
        return;
    file->base = len;
    file->stream[0] = '\0';
}

/* Its place stays until the next look: moving up all behind it, for each, would take long. */
static void forget(struct weir_tail *tail, struct file *file)
{
    file->there = false;
    file->offset = file->len = file->base = file->blanked = 0;
    file->stream[0] = '\0';
    tail->counts.files--;
}

void weir_tail_done(struct weir_tail *tail, const char *stream, uint64_t offset)
{
    for (size_t i = 0; i < tail->files; i++) {
        struct file *file = &tail->file[i];

        if (!file->there || strcmp(file->stream, stream) != 0)
            continue;
        tail->counts.octets -= left(file);
        go_on_at(tail, file, file->base + offset);
        if (remove_done(tail, file))
            forget(tail, file);
        tail->counts.octets += left(file);
        break;
    }
}

const struct weir_tail_counts *weir_tail_counts(const struct weir_tail *tail)
{
    return &tail->counts;
}
