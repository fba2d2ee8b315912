/*
 * alone - a lock on a folder.  Nobody else locks it: writers of the spool lock their files.
 */
#include "sniffer/alone_io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"

int weir_alone_take(const char *folder, int *lock)
{
    if (*lock >= 0)
        close(*lock);
    if (mkdir(folder, 0770) == 0)
        (void)chmod(folder, 0770); /* whatever the umask is */
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) < 0) {
        close(*lock);
        *lock = -1;
        return WEIR_EIO;
    }
    return 0;
}
