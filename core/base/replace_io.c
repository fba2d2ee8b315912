/*
 * replace - writes beside, makes durable, renames.
 *
 * The folder is synced, too: else the new name could be lost with the power, and the old file
 * come back.
 */
#include "core/base/replace_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"

/* The folder a path lies in. */
static const char *folder_of(const char *path, char folder[static WEIR_PATH_MAX])
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    snprintf(folder, WEIR_PATH_MAX, "%.*s", (int)(slash == path ? 1 : slash - path), path);
    return folder;
}

int weir_hand_over(int fd, const char *path)
{
    char folder[WEIR_PATH_MAX];
    struct stat owner;

    if (geteuid() != 0)
        return 0;
    return stat(folder_of(path, folder), &owner) == 0 ? fchown(fd, owner.st_uid, owner.st_gid)
                                                      : -1;
}

/* Closes and takes away what was made; errno stays as it was. */
static int give_up(struct weir_replacement *new)
{
    int kept = errno;

    if (new->file)
        (void)fclose(new->file);
    new->file = NULL;
    (void)unlink(new->beside);
    errno = kept;
    return WEIR_EIO;
}

int weir_replace_begin(const char *path, unsigned mode, struct weir_replacement *new_r)
{
    int fd;

    new_r->path = path;
    new_r->file = NULL;
    if (snprintf(new_r->beside, sizeof new_r->beside, "%s.new-XXXXXX", path) >=
        (int)sizeof new_r->beside)
        return WEIR_ELIMIT;
    fd = mkostemp(new_r->beside, O_CLOEXEC);
    if (fd < 0)
        return WEIR_EIO;
    if (fchmod(fd, (mode_t)mode) == 0 && weir_hand_over(fd, path) == 0)
        new_r->file = fdopen(fd, "w");
    if (new_r->file)
        return 0;
    close(fd);
    return give_up(new_r);
}

static int sync_folder(const char *path)
{
    char folder[WEIR_PATH_MAX];
    int fd = open(folder_of(path, folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int done = fd >= 0 ? fsync(fd) : -1;

    if (fd >= 0)
        close(fd);
    return done;
}

int weir_replace_end(struct weir_replacement *new, bool good)
{
    int closed;

    if (!good || ferror(new->file) || fflush(new->file) != 0 || fsync(fileno(new->file)) != 0)
        return give_up(new);
    closed = fclose(new->file);
    new->file = NULL;
    if (closed != 0 || rename(new->beside, new->path) != 0)
        return give_up(new);
    return sync_folder(new->path) == 0 ? 0 : WEIR_EIO;
}
