/*
 * The files of the journal's folder: their names, which there are, reading one, beginning one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/intake/journal_impl.h"

#define NAME "journal-%020" PRIu64 ".log"

struct file *weir_journal_last(const struct weir_journal *journal)
{
    return &journal->file[journal->files - 1];
}

int weir_journal_write_error(void)
{
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? WEIR_EFULL : WEIR_EIO;
}

const char *weir_journal_name(const struct file *file, char name[static WEIR_JOURNAL_NAME])
{
    snprintf(name, WEIR_JOURNAL_NAME, NAME, file->position);
    return name;
}

static int note_file(struct weir_journal *journal, struct file file)
{
    struct file *more = weir_grown(journal->file, journal->files, &journal->room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    journal->file = more;
    journal->file[journal->files++] = file;
    journal->octets += file.len;
    return 0;
}

/* The position in a name of ours; names that are not exactly ours are left alone. */
static bool position_of(const char *name, uint64_t *position_r)
{
    char same[WEIR_JOURNAL_NAME];

    if (sscanf(name, "journal-%20" SCNu64 ".log", position_r) != 1)
        return false;
    return strcmp(name, weir_journal_name(&(struct file){.position = *position_r}, same)) == 0;
}

static int compare_files(const void *a, const void *b)
{
    const struct file *left = a, *right = b;

    return (left->position > right->position) - (left->position < right->position);
}

int weir_journal_list(struct weir_journal *journal)
{
    int fd = openat(journal->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    struct stat status;

    if (!dir && fd >= 0)
        close(fd);
    if (!dir)
        return WEIR_EIO;
    while (rc == 0 && (errno = 0, entry = readdir(dir))) {
        struct file file = {.len = 0};

        if (!position_of(entry->d_name, &file.position))
            continue;
        if (fstatat(journal->folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            rc = WEIR_EIO;
        } else if (S_ISREG(status.st_mode)) {
            file.len = (uint64_t)status.st_size;
            rc = note_file(journal, file);
        }
    }
    rc = rc == 0 && errno != 0 ? WEIR_EIO : rc;
    closedir(dir);
    if (journal->files > 1)
        qsort(journal->file, journal->files, sizeof *journal->file, compare_files);
    return rc;
}

int weir_journal_load(const struct weir_journal *journal, const struct file *file,
                      uint8_t **octets_r, size_t *len_r)
{
    char name[WEIR_JOURNAL_NAME];
    int fd = openat(journal->folder, weir_journal_name(file, name),
                    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint8_t *octets = fd >= 0 ? malloc(file->len + 1) : NULL;
    size_t len = 0;
    ssize_t got = 1;

    while (octets && got > 0 && len < file->len) {
        got = read(fd, octets + len, file->len - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        close(fd);
    if (!octets || got < 0) {
        free(octets);
        return fd >= 0 && !octets ? WEIR_ENOMEM : WEIR_EIO;
    }
    *octets_r = octets;
    *len_r = len;
    return 0;
}

int weir_journal_begin(struct weir_journal *journal, uint64_t position)
{
    struct file file = {.position = position, .len = WEIR_JOURNAL_FILE_HEAD};
    struct weir_hash_key key = weir_hash_key_random();
    uint8_t head[WEIR_JOURNAL_FILE_HEAD];
    char name[WEIR_JOURNAL_NAME];
    int rc = 0, fd = openat(journal->folder, weir_journal_name(&file, name),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

    if (fd < 0)
        return weir_journal_write_error();
    weir_journal_file_head(position, &key, head);
    ssize_t written = write(fd, head, sizeof head);
    if (written >= 0 && written < (ssize_t)sizeof head)
        errno = ENOSPC;
    if (written != (ssize_t)sizeof head)
        rc = weir_journal_write_error();
    rc = rc < 0 ? rc : note_file(journal, file);
    if (rc < 0) {
        int kept = errno;

        close(fd);
        unlinkat(journal->folder, name, 0);
        errno = kept;
        return rc;
    }
    journal->fd = fd;
    journal->entered = true;
    journal->key = key;
    return 0;
}
