/*
 * signals - what a daemon is told from outside, read like any other file: HUP reloads, TERM and
 * INT stop, PIPE is nothing.
 *
 * Owner:    the caller closes the file.  Threads: to be opened before any thread is started, so
 *           that all of them have the signals blocked.
 */
#ifndef WEIR_PROGRAM_SIGNALS_IO_H
#define WEIR_PROGRAM_SIGNALS_IO_H

#include <stdbool.h>

/* Blocks them and opens the file to read them from.  The file, or WEIR_EIO with errno. */
int weir_signals_open(void);

/* Reads all that came; sets what was asked for and leaves the other alone. */
void weir_signals_read(int fd, bool *reload, bool *stop);

#endif
