/*
 * replace - a file that is replaced at once, or stays as it was.
 *
 * The new one is written beside its place under a name of its own, made durable, and renamed
 * there: whoever has the old one open goes on with it, whoever opens finds the old one or
 * the new one, and a full disk or a crash costs nothing.
 *
 *     struct weir_replacement new;
 *     int done = weir_replace_begin(path, 0644, &new);
 *     if (done == 0) { fwrite(..., new.file); done = weir_replace_end(&new, true); }
 *
 * Owner:    the caller owns the value between begin and end; path must live as long.
 * Errors:   WEIR_EIO with errno, WEIR_ELIMIT for a path that is too long.
 */
#ifndef WEIR_BASE_REPLACE_IO_H
#define WEIR_BASE_REPLACE_IO_H

#include <stdbool.h>
#include <stdio.h>

#define WEIR_PATH_MAX 4096 /* octets of a path, its NUL included: Linux takes no longer ones */

struct weir_replacement {
    FILE *file;               /* to be written to */
    const char *path;
    char beside[WEIR_PATH_MAX];
};

/* Begins: file is open and empty, with this mode; what root makes belongs to the folder's owner, so
 * that a daemon that is not root can read what an operator's command made.  0 or an error. */
int weir_replace_begin(const char *path, unsigned mode, struct weir_replacement *new_r);

/* Puts the new file in its place when good says so and nothing went wrong in writing it; else takes
 * it away again.  Closes file either way.  0 when it is in place; WEIR_EIO. */
int weir_replace_end(struct weir_replacement *new, bool good);

/* Gives a file that root made to the owner of its folder.  0, or -1 with errno. */
int weir_hand_over(int fd, const char *path);

#endif
