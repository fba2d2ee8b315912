/*
 * alone_io - one sniffer for each spool (claim A13): two would count everything twice.
 *
 * Who is there holds a lock on the spool's folder, which the kernel lets go when the process ends,
 * however it ends.
 *
 * Owner:    the caller closes *lock, which is -1 to begin with.  Threads: one.
 */
#ifndef WEIR_SNIFFER_ALONE_IO_H
#define WEIR_SNIFFER_ALONE_IO_H

/* Takes the place at a folder, which is made when it is missing, and gives up the one *lock was
 * for.  0; WEIR_EIO with errno EWOULDBLOCK when another sniffer has it.  A folder that cannot be
 * opened is nobody's: 0, and *lock is -1. */
int weir_alone_take(const char *folder, int *lock);

#endif
