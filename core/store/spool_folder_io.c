/*
 * The spool's folder.  Who writes a file holds a lock on it, which the kernel lets go when the
 * process ends, however it ends; so a ".part" file whose lock is free is nobody's.  Whoever
 * gets the lock looks again whether the file still has its name, since another may have
 * renamed it between opening and locking.
 */
#include "core/store/spool_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/lock_io.h"

#define PART ".log.part"
#define TRIES 100 /* names for a new file */

static bool join(char path_r[static WEIR_SPOOL_PATH], const char *folder, const char *name)
{
    int len = snprintf(path_r, WEIR_SPOOL_PATH, "%s/%s", folder, name);
    return len > 0 && len < WEIR_SPOOL_PATH;
}

/* The name a ".part" file will have. */
static void final_path(const char *path, char final_r[static WEIR_SPOOL_PATH])
{
    snprintf(final_r, WEIR_SPOOL_PATH, "%.*s", (int)(strlen(path) - strlen(".part")), path);
}

/* Takes the lock when it is free and the file still has this name. */
static bool lock(int fd, const char *path)
{
    struct stat open_file, named;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &open_file) == 0 &&
           lstat(path, &named) == 0 && open_file.st_ino == named.st_ino &&
           open_file.st_dev == named.st_dev;
}

/* Cuts off what is behind the last line end: a process ended in the middle of a line. */
static uint64_t mend(int fd)
{
    char tail[WEIR_SPOOL_LINE_MAX + 1];
    struct stat status;
    if (fstat(fd, &status) != 0)
        return 0;
    off_t from = status.st_size > (off_t)sizeof(tail) ? status.st_size - (off_t)sizeof(tail) : 0;
    ssize_t got = pread(fd, tail, sizeof(tail), from);
    ssize_t len = got;
    while (len > 0 && tail[len - 1] != '\n')
        len--;
    if (got > 0 && len < got && ftruncate(fd, from + len) != 0)
        return (uint64_t)status.st_size;
    return (uint64_t)(got > 0 ? from + len : status.st_size);
}

void weir_spool_finish(struct weir_spool_file *file)
{
    char final[WEIR_SPOOL_PATH];
    if (file->fd < 0)
        return;
    final_path(file->path, final);
    if (file->len == 0)
        unlink(file->path);
    else if (renameat2(AT_FDCWD, file->path, AT_FDCWD, final, RENAME_NOREPLACE) != 0 &&
             errno == EINVAL)
        rename(file->path, final); /* a file system that cannot */
    close(file->fd);
    file->fd = -1;
}

void weir_spool_boot(char boot_r[static WEIR_SPOOL_BOOT])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, boot_r, WEIR_SPOOL_BOOT - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (got < WEIR_SPOOL_BOOT - 1)
        strcpy(boot_r, "0");
    else
        boot_r[got] = '\0';
}

/* Opens a file that nobody else writes.  False when somebody does or it may not be opened. */
static bool take_over(const char *path, weir_time opened, struct weir_spool_file *file_r)
{
    struct weir_spool_file file = {.opened = opened};
    snprintf(file.path, sizeof(file.path), "%s", path);
    file.fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file.fd < 0)
        return false;
    if (!lock(file.fd, path)) {
        close(file.fd);
        return false;
    }
    file.len = mend(file.fd);
    *file_r = file;
    return true;
}

/* The time in "<name>-<seconds>-<pid>.<boot>.log.part", and the length of the name; 0 when it is
 * another file. */
static size_t parse_name(const char *entry, const char *boot, weir_time *opened_r, bool *boot_r)
{
    size_t len = strlen(entry), part = strlen(PART);
    if (len <= part || strcmp(entry + len - part, PART) != 0)
        return 0;
    const char *dash = memrchr(entry, '-', len - part);
    const char *before = dash ? memrchr(entry, '-', (size_t)(dash - entry)) : NULL;
    if (!before || before == entry)
        return 0;
    char *end;
    errno = 0;
    long long seconds = strtoll(before + 1, &end, 10);
    if (errno != 0 || end != dash || seconds < 0 || seconds > INT64_MAX / WEIR_SECOND)
        return 0;
    const char *point = strchr(dash, '.');
    *opened_r = seconds * WEIR_SECOND;
    *boot_r = strlen(point) == 1 + strlen(boot) + part &&
              memcmp(point + 1, boot, strlen(boot)) == 0;
    return (size_t)(before - entry);
}

/* Deals with a ".part" file: one of ours that is young is gone on with; an old one, or one of
 * before the last start, is renamed. */
static void look_at_part(const struct weir_spool_look *look, const char *entry, const char *path,
                         struct weir_spool_seen *seen)
{
    weir_time opened;
    struct weir_spool_file file;
    bool boot;
    size_t name = parse_name(entry, look->boot, &opened, &boot);
    if (name == 0)
        return;
    bool young = boot && opened <= look->now && look->now - opened < look->turn;
    bool wanted = young && look->name && seen->file.fd < 0 && strlen(look->name) == name &&
                  memcmp(look->name, entry, name) == 0;
    if ((young && !wanted) || !take_over(path, opened, &file))
        return;
    if (wanted)
        seen->file = file;
    else
        weir_spool_finish(&file);
}

static void look_at(const struct weir_spool_look *look, int folder, const char *entry,
                    struct weir_spool_seen *seen)
{
    char path[WEIR_SPOOL_PATH];
    struct stat status;
    if (entry[0] == '.' || !join(path, look->folder, entry) ||
        fstatat(folder, entry, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
        return;
    if (look->own && strcmp(path, look->own) == 0) {
        seen->own = true;
        return;
    }
    int before = seen->file.fd;
    look_at_part(look, entry, path, seen);
    if (seen->file.fd == before)
        seen->bytes += (uint64_t)status.st_size;
}

int weir_spool_look(const struct weir_spool_look *look, struct weir_spool_seen *seen_r)
{
    struct weir_spool_seen seen = {.file.fd = -1};
    DIR *folder = opendir(look->folder);
    if (!folder)
        return WEIR_EIO;
    for (struct dirent *entry; (entry = readdir(folder));)
        look_at(look, dirfd(folder), entry->d_name, &seen);
    closedir(folder);
    *seen_r = seen;
    return 0;
}

int weir_spool_sweep(const char *folder, weir_time now, weir_time turn)
{
    char boot[WEIR_SPOOL_BOOT];
    struct weir_spool_look look = {.folder = folder, .now = now, .turn = turn, .boot = boot};
    struct weir_spool_seen seen;
    weir_spool_boot(boot);
    return weir_spool_look(&look, &seen);
}

/* There is a folder now, or making it failed otherwise, as is seen when it is used. */
static bool make_folder(const char *folder)
{
    return mkdir(folder, 0770) != 0 || chmod(folder, 0770) == 0; /* whatever the umask is */
}

int weir_spool_claim(const char *folder, const char *name)
{
    char path[WEIR_SPOOL_PATH];
    int len = snprintf(path, sizeof(path), "%s/.%s.lock", folder, name);
    if (len < 0 || len >= WEIR_SPOOL_PATH || !make_folder(folder))
        return WEIR_EIO;
    return weir_lock_take(path, 0660, false);
}

int weir_spool_begin(const char *folder, const char *name, const char *boot, weir_time now,
                     struct weir_spool_file *file_r)
{
    struct weir_spool_file file = {.opened = now};
    char final[WEIR_SPOOL_PATH];
    if (!make_folder(folder))
        return WEIR_EIO;
    for (int64_t second = now / WEIR_SECOND; second < now / WEIR_SECOND + TRIES; second++) {
        int len = snprintf(file.path, sizeof(file.path), "%s/%s-%" PRId64 "-%ld.%s" PART,
                           folder, name, second, (long)getpid(), boot);
        if (len < 0 || len >= WEIR_SPOOL_PATH)
            return WEIR_EIO;
        final_path(file.path, final);
        if (access(final, F_OK) == 0)
            continue;
        file.fd = open(file.path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (file.fd < 0 && errno != EEXIST)
            return WEIR_EIO;
        if (file.fd >= 0 && lock(file.fd, file.path)) {
            *file_r = file;
            return 0;
        }
        if (file.fd >= 0)
            close(file.fd);
    }
    return WEIR_EIO;
}

/* Dropped lines. ------------------------------------------------------------- */

void weir_spool_dropped_leave(const char *folder, uint64_t dropped)
{
    char path[WEIR_SPOOL_PATH], text[24];
    int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", dropped);
    if (!join(path, folder, WEIR_SPOOL_DROPPED))
        return;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0)
        return;
    if (write(fd, text, (size_t)len) != len)
        errno = 0; /* the number is lost with the lines: the disk is full */
    close(fd);
}

uint64_t weir_spool_dropped_take(const char *folder)
{
    char path[WEIR_SPOOL_PATH], mine[WEIR_SPOOL_PATH], line[32];
    uint64_t dropped = 0;
    if (!join(path, folder, WEIR_SPOOL_DROPPED) || access(path, F_OK) != 0 ||
        snprintf(mine, sizeof(mine), "%s-%ld", path, (long)getpid()) >= WEIR_SPOOL_PATH ||
        rename(path, mine) != 0)
        return 0;
    FILE *file = fopen(mine, "re");
    while (file && fgets(line, sizeof(line), file))
        dropped += strtoull(line, NULL, 10);
    if (file)
        fclose(file);
    unlink(mine);
    return dropped;
}
