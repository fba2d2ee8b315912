/*
 * Opened for reading only: whoever may read the file may wait for those who write beside it.
 */
#include "core/base/lock_io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/error.h"

int weir_lock_take(const char *path, unsigned mode, bool wait)
{
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, (mode_t)mode);
    int taken, reason;

    if (fd < 0)
        return WEIR_EIO;
    do
        taken = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    while (taken < 0 && errno == EINTR);
    if (taken == 0)
        return fd;
    reason = errno;
    close(fd);
    errno = reason;
    return reason == EWOULDBLOCK ? WEIR_EBUSY : WEIR_EIO;
}

void weir_lock_give(int lock)
{
    if (lock >= 0)
        close(lock);
}
