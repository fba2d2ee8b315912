/*
 * witness_io - a small table of files and how far each was read.  A file that is gone from the
 * folder, or has its final name, loses its place.  At the first look, and of files that were not
 * seen to begin, what is there is stale and passed over by its times (witness.h).
 */
#include "sniffer/witness_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/slice.h"

struct place {
    ino_t file;                  /* 0: free */
    off_t offset;
    bool seen;                   /* in this look */
};

struct weir_witness_files {
    const char *folder;
    struct place place[WEIR_WITNESS_FILES_MAX];
    char octets[WEIR_WITNESS_PIECE];
};

int weir_witness_files_new(const char *folder, struct weir_witness_files **files_r)
{
    struct weir_witness_files *files = calloc(1, sizeof *files);

    if (!files)
        return WEIR_ENOMEM;
    files->folder = folder;
    *files_r = files;
    return 0;
}

void weir_witness_files_free(struct weir_witness_files **files)
{
    if (!files)
        return;
    free(*files);
    *files = NULL;
}

/* The place of a file, made when there is room; or NULL. */
static struct place *place_of(struct weir_witness_files *files, ino_t file)
{
    struct place *room = NULL;

    for (size_t i = 0; i < WEIR_WITNESS_FILES_MAX; i++) {
        if (files->place[i].file == file)
            return &files->place[i];
        if (files->place[i].file == 0)
            room = &files->place[i];
    }
    if (room)
        *room = (struct place){.file = file};
    return room;
}

static bool is_of_plug_in(const char *name)
{
    struct weir_slice slice = weir_slice_of(name);

    return name[0] != '.' && weir_slice_ends(slice, ".log.part") &&
           !weir_slice_begins(slice, "sniffer-");
}

/* Hands out whole lines; how many octets they have.  With `torn` the first one has no beginning. */
static size_t hand_out(struct weir_slice octets, bool torn,
                       void (*line)(void *context, struct weir_slice line), void *context)
{
    const char *from = octets.at, *end = octets.at + octets.len, *feed;

    while (from < end && (feed = memchr(from, '\n', (size_t)(end - from)))) {
        if (!torn)
            line(context, weir_slice_between(from, feed));
        torn = false;
        from = feed + 1;
    }
    return (size_t)(from - octets.at);
}

static void look_at(struct weir_witness_files *files, int folder, const char *name,
                    void (*line)(void *context, struct weir_slice line), void *context)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    struct place *place;

    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (place = place_of(files, status.st_ino))) {
        bool torn = status.st_size - place->offset > WEIR_WITNESS_PIECE;
        ssize_t got;

        place->seen = true;
        if (torn || status.st_size < place->offset)
            place->offset = torn ? status.st_size - WEIR_WITNESS_PIECE : 0;
        got = pread(fd, files->octets, WEIR_WITNESS_PIECE, place->offset);
        if (got > 0)
            place->offset += (off_t)hand_out((struct weir_slice){files->octets, (size_t)got}, torn,
                                             line, context);
    }
    close(fd);
}

void weir_witness_files_look(struct weir_witness_files *files,
                             void (*line)(void *context, struct weir_slice line), void *context)
{
    DIR *folder = opendir(files->folder);

    if (!folder)
        return;
    for (size_t i = 0; i < WEIR_WITNESS_FILES_MAX; i++)
        files->place[i].seen = false;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (is_of_plug_in(entry->d_name))
            look_at(files, dirfd(folder), entry->d_name, line, context);
    for (size_t i = 0; i < WEIR_WITNESS_FILES_MAX; i++)
        if (!files->place[i].seen)
            files->place[i] = (struct place){0};
    closedir(folder);
}
