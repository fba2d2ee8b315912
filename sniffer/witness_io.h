/*
 * witness_io - reads along in the files that plug-ins of this host write to the spool (spool_io.h).
 *
 * Once a second, what was added to files that are being written (".log.part"), but for those of
 * sniffers.  Files of before, and what is lost when one gets its final name, are no matter: it is
 * a sample.
 *
 * Owner:    the caller; the folder's name lives as long.  Threads: one.
 * Errors:   a folder or file that cannot be read has no lines.
 * Limits:   WEIR_WITNESS_FILES_MAX files, WEIR_WITNESS_PIECE octets of each in a second: the last
 *           ones.  Links are not followed.
 */
#ifndef WEIR_SNIFFER_WITNESS_IO_H
#define WEIR_SNIFFER_WITNESS_IO_H

#include "core/base/cursor.h"

struct weir_witness_files;

/* 0 or WEIR_ENOMEM. */
int weir_witness_files_new(const char *folder, struct weir_witness_files **files_r);
void weir_witness_files_free(struct weir_witness_files **files);

/* Hands out whole lines that are new. */
void weir_witness_files_look(struct weir_witness_files *files,
                             void (*line)(void *context, struct weir_slice line), void *context);

#endif
