/*
 * secret - the mode of a file that holds a key.
 */
#include "core/base/secret_io.h"

#include <sys/stat.h>

bool weir_secret_is_open(const char *path, unsigned *mode_r)
{
    struct stat there;

    if (stat(path, &there) < 0 || (there.st_mode & S_IRWXO) == 0)
        return false;
    *mode_r = (unsigned)there.st_mode & 07777;
    return true;
}
