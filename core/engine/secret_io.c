/*
 * secret - a file with a secret in it, made when it is missing.
 *
 * Written beside its place and linked there, so that of two programs that start at once one
 * wins and nobody reads half a secret.  What root makes is given to the folder's owner, so that
 * the daemon, which is not root, can read what an operator's weirctl made first.
 */
#include "core/engine/secret_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"

#define SECRET_MODE 0640

int weir_secret_read(const char *path, char *text, size_t size, size_t *len_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return WEIR_EIO;
    got = read(fd, text, size);
    close(fd);
    if (got < 0)
        return WEIR_EIO;
    if ((size_t)got == size)
        return WEIR_ELIMIT;
    text[got] = '\0';
    *len_r = (size_t)got;
    return 0;
}

static int make_secret(const char *path, const char *fresh)
{
    char beside[WEIR_PATH_MAX];
    size_t len = strlen(fresh);
    int fd, done = WEIR_EIO;

    if (snprintf(beside, sizeof beside, "%s.new-XXXXXX", path) >= (int)sizeof beside)
        return WEIR_ELIMIT;
    fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return WEIR_EIO;
    if (write(fd, fresh, len) == (ssize_t)len && fchmod(fd, SECRET_MODE) == 0 &&
        weir_hand_over(fd, path) == 0 && fsync(fd) == 0 &&
        (link(beside, path) == 0 || errno == EEXIST))
        done = 0;
    close(fd);
    unlink(beside);
    return done;
}

int weir_secret_file(const char *path, const char *fresh, char *text, size_t size, size_t *len_r)
{
    int done = weir_secret_read(path, text, size, len_r);

    if (done != WEIR_EIO || errno != ENOENT)
        return done;
    done = make_secret(path, fresh);
    return done < 0 ? done : weir_secret_read(path, text, size, len_r);
}

bool weir_secret_is_open(const char *path, unsigned *mode_r)
{
    struct stat there;

    if (stat(path, &there) < 0 || (there.st_mode & S_IRWXO) == 0)
        return false;
    *mode_r = (unsigned)there.st_mode & 07777;
    return true;
}
