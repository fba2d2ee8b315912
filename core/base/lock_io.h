/*
 * lock - a file that is nobody's but one process's at a time.
 *
 * Nothing stands in it; the lock on it (flock) ends with the process, however that ends, and the
 * file stays.
 *
 * Owner:    the caller owns the descriptor, and closing it gives the lock back.
 * Errors:   WEIR_EBUSY: another process has it; WEIR_EIO with errno.
 */
#ifndef WEIR_BASE_LOCK_IO_H
#define WEIR_BASE_LOCK_IO_H

#include <stdbool.h>

/* Takes the lock of the file at path, which is made with this mode where it is missing; wait: until
 * it is free.  A descriptor, or an error. */
int weir_lock_take(const char *path, unsigned mode, bool wait);

/* Gives it back; of an error nothing. */
void weir_lock_give(int lock);

#endif
