/*
 * template_io - templates as the settings name them: files that are read, and what is wrong with
 * them told with file and line.
 *
 * Owner:    the caller.  Threads: any.
 * Errors:   as template.h; WEIR_EIO: the file cannot be read.  All are logged.
 */
#ifndef WEIR_THRESHOLD_TEMPLATE_IO_H
#define WEIR_THRESHOLD_TEMPLATE_IO_H

#include "core/base/log.h"
#include "monitor/threshold/template.h"

/* "" is none: NULL. */
int weir_template_read(const char *path, enum weir_template_use use, const struct weir_log *log,
                       struct weir_template **template_r);

#endif
