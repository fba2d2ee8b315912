/*
 * descriptors - how many files and connections this process may have open.
 *
 * Programs begin with 1,024 of them, for the sake of select(2); more are there for the asking, up
 * to what the administrator allows (setrlimit(2), LimitNOFILE in systemd.exec(5)).
 *
 * Errors:   none; what cannot be raised stays as it was.  Threads: at a program's start.
 */
#ifndef WEIR_BASE_DESCRIPTORS_IO_H
#define WEIR_BASE_DESCRIPTORS_IO_H

#include <stddef.h>

/* Asks for at least so many, SIZE_MAX for all that are to be had; how many there are then: 0, it
 * cannot be known; SIZE_MAX, there is no limit. */
size_t weir_descriptors_allow(size_t wanted);

#endif
