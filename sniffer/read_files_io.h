/*
 * read_files - capture files, read from beginning to end and told on standard output
 * (weir-sniffer -r): lines of JSON (record.h), or a table of addresses.
 *
 * Each file is a capture of its own: connections do not go on in the next one; addresses are
 * summed over all.  A file that is damaged is told with what could be read of it.
 *
 * Errors:   told on standard error, each with the file's name; the exit code of the worst:
 *           66 (cannot be opened), 65 (damaged, or no capture), 74 (output failed), 71 (memory).
 * Limits:   a million addresses of all files; what others do is counted and told.
 */
#ifndef WEIR_SNIFFER_READ_FILES_IO_H
#define WEIR_SNIFFER_READ_FILES_IO_H

#include "sniffer/scope.h"
#include "sniffer/sniffer_options.h"

/* The exit code. */
int weir_read_files(const struct weir_sniffer_options *options);

#endif
