/*
 * unix_place - looks, knocks, and takes a dead socket away.
 *
 * Refuses to take away what it does not know to be dead: only where the kernel says that nobody
 * listens is a socket stale; one with a full backlog, or one we may not connect to, is in use.
 */
#include "core/program/unix_place_io.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/engine/config.h"

/* 1: somebody listens, 0: nobody does, -1 and errno: cannot be asked. */
static int knock(const char *path)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool answered;

    if (fd < 0)
        return -1;
    strncpy(place.sun_path, path, sizeof place.sun_path - 1);
    answered = connect(fd, (const struct sockaddr *)&place, sizeof place) == 0 ||
               errno != ECONNREFUSED;
    close(fd);
    return answered;
}

const char *weir_unix_place_clear(const char *path)
{
    struct stat there;
    int answered;

    if (lstat(path, &there) < 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(there.st_mode))
        return "there is a file that is no socket";
    answered = knock(path);
    if (answered > 0)
        return "another process listens there";
    if (answered < 0 || (unlink(path) < 0 && errno != ENOENT))
        return strerror(errno);
    return NULL;
}

/* Nobody can connect before listen(), so the mode is never wrong.  -1 and errno. */
static int listen_at(const struct sockaddr_un *place, int access, int backlog,
                     struct stat *made_r)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)place, sizeof *place) == 0) {
        if (lstat(place->sun_path, made_r) == 0 &&
            chmod(place->sun_path, weir_unix_place_mode(access)) == 0 && listen(fd, backlog) == 0)
            return fd;
        error = errno;
        (void)unlink(place->sun_path);
        errno = error;
    }
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

int weir_unix_place_listen(const char *path, int access, int backlog, struct stat *made_r,
                           const char **why_r)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int fd;

    *why_r = weir_unix_place_clear(path);
    if (*why_r)
        return -1;
    strncpy(place.sun_path, path, sizeof place.sun_path - 1);
    fd = listen_at(&place, access, backlog, made_r);
    if (fd < 0)
        *why_r = strerror(errno);
    return fd;
}

mode_t weir_unix_place_mode(int access)
{
    static const mode_t mode[] = {
        [WEIR_SOCKET_EVERYBODY] = 0666, [WEIR_SOCKET_GROUP] = 0660, [WEIR_SOCKET_OWNER] = 0600};
    return mode[access];
}
