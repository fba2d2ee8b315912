/*
 * ctl_metrics - this machine's numbers as one text, and shown over HTTP.
 *
 * Errors:   told on standard error.
 */
#ifndef WEIR_CTL_METRICS_IO_H
#define WEIR_CTL_METRICS_IO_H

#include "core/engine/numbers.h"
#include "monitor/ctl/ctl.h"

/* Errors that were told of programs' numbers: each is told when it comes or changes. */
struct weir_ctl_metrics_told {
    int error[WEIR_NUMBERS_PROGRAMS];
};

/* Of what weir_ctl_open() has opened; to be freed.  NULL: it was told why. */
char *weir_ctl_metrics_text(struct weir_ctl *ctl, struct weir_ctl_metrics_told *told);

/* Shows it at [metrics] listen until told to stop.  An exit code. */
int weir_ctl_metrics_serve(struct weir_ctl *ctl);

#endif
