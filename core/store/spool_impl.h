/*
 * spool_impl - what the handle (spool_io.c) asks of the folder (spool_folder_io.c).
 */
#ifndef WEIR_STORE_SPOOL_IMPL_H
#define WEIR_STORE_SPOOL_IMPL_H

#include <stddef.h>

#include "core/base/limits.h"
#include "core/store/spool_io.h"

#define WEIR_SPOOL_PATH 512
#define WEIR_SPOOL_BOOT 9 /* octets of what tells a start of the machine, and a NUL */
#define WEIR_SPOOL_DROPPED ".dropped" /* numbers of lines, one a line */

/* A file that is being written. */
struct weir_spool_file {
    int fd;                      /* locked; -1: none */
    char path[WEIR_SPOOL_PATH];  /* with ".part" */
    weir_time opened;
    uint64_t len;
};

struct weir_spool_look {
    const char *folder, *name;   /* name: NULL to take over no file */
    const char *boot;            /* of another one none is */
    weir_time now, turn;
    const char *own;             /* path of the file that is open, or NULL */
};

struct weir_spool_seen {
    uint64_t bytes;              /* of all files but the own one */
    bool own;                    /* it is still there */
    struct weir_spool_file file; /* taken over; fd -1 when there was none */
};

/* Goes through the folder: sums up sizes, renames what others left, and takes over a file
 * of the name that is not too old.  0 or WEIR_EIO. */
int weir_spool_look(const struct weir_spool_look *look, struct weir_spool_seen *seen_r);

/* What tells this start of the machine from all others; "0" where the kernel does not say. */
void weir_spool_boot(char boot_r[static WEIR_SPOOL_BOOT]);

/* Makes the folder when it is missing, and a new file.  0 or WEIR_EIO. */
int weir_spool_begin(const char *folder, const char *name, const char *boot, weir_time now,
                     struct weir_spool_file *file_r);

/* Closes a file and gives it its final name; an empty one is removed. */
void weir_spool_finish(struct weir_spool_file *file);

/* Numbers of dropped lines that processes left behind: adds one, takes all. */
void weir_spool_dropped_leave(const char *folder, uint64_t dropped);
uint64_t weir_spool_dropped_take(const char *folder);

#endif
