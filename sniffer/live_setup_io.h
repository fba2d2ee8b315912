/*
 * live_setup - the configuration of a sniffer that listens, and what hangs on it alone: read at the
 * start, and put in the place of the one before by a reload.
 *
 * Owner:    a plain value of its owner, who shuts it; options must live as long.
 * Errors:   WEIR_EINVAL, told with its line; WEIR_ENOMEM.
 */
#ifndef WEIR_SNIFFER_LIVE_SETUP_IO_H
#define WEIR_SNIFFER_LIVE_SETUP_IO_H

#include "core/engine/config.h"
#include "core/store/spool_io.h"
#include "sniffer/scope.h"
#include "sniffer/sniffer_options.h"
#include "sniffer/witness_io.h"

struct weir_live_setup {
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_scope scope;
    struct weir_spool *spool;    /* NULL: none is wanted */
    struct weir_witness_files *files; /* of the spool, too */
};

/* Reads the configuration as options say; opens nothing.  0 or an error, and then *setup_r is as it
 * was. */
int weir_live_setup_read(const struct weir_sniffer_options *options,
                         const struct weir_settings_report *report,
                         struct weir_live_setup *setup_r);

/* Closes what was opened; all zero is accepted. */
void weir_live_setup_shut(struct weir_live_setup *setup);

#endif
