/*
 * ctl_files - files one after the other: those that are named, those in folders, or
 * the standard input.
 *
 * Folders are walked in the order of names, folders in them, too; names that begin with '.' and
 * what is neither file nor folder are passed over.  A folder in them that cannot be read counts
 * as a file that cannot.
 *
 * Owner:    the caller owns the handle; octets live until the next file.
 * Limits:   WEIR_MESSAGE_MAX octets of a file are read.
 */
#ifndef WEIR_CTL_FILES_IO_H
#define WEIR_CTL_FILES_IO_H

#include "core/base/cursor.h"
#include "monitor/ctl/ctl.h"

struct weir_ctl_files;

/* Finds all files of paths ("-" or none: standard input) whose names end in suffix ("" for
 * all; named ones are always taken).  0, EX_NOINPUT (said), EX_OSERR. */
int weir_ctl_files_open(struct weir_ctl *ctl, char **path, int paths, const char *suffix,
                        struct weir_ctl_files **files_r);
void weir_ctl_files_free(struct weir_ctl_files **files);

/* The next file: 1 with its name and octets, 0 at the end, WEIR_EIO with errno and the name. */
int weir_ctl_files_next(struct weir_ctl_files *files, const char **name_r,
                        struct weir_slice *octets_r);

/* The next file's name ("-": standard input), and it is not read: 1, or 0 at the end. */
int weir_ctl_files_name(struct weir_ctl_files *files, const char **name_r);

/* Says that the file weir_ctl_files_next() has named could not be read: EX_NOINPUT. */
int weir_ctl_files_error(struct weir_ctl *ctl, const char *name, int error);

size_t weir_ctl_files_count(const struct weir_ctl_files *files);

/* Whether the standard output is a terminal: what is printed there shows the progress itself, and
 * a bar would stand in its way. */
bool weir_ctl_files_seen(void);

#define WEIR_CTL_NAME 4200

/* A file's name, or other text that somebody else may have chosen, for a terminal: what is
 * neither visible ASCII nor proper UTF-8 beyond it becomes '?', what does not fit is left out.
 * Returns buffer. */
const char *weir_ctl_visible(struct weir_slice text, char *buffer, size_t size);

#endif
