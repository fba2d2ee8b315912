/*
 * live - listens at an interface, and writes each second to the spool what each address did
 * (traffic_line.h), and how the sniffer itself fares.
 *
 *     open the capture  ->  drop rights  ->  spool, signals  ->  run until told to stop
 *
 * A message counts in the second in which it came to its end, a connection in that of the
 * server's greeting, SYNs that came to nothing some ten seconds later.
 *
 * Owner:    the caller owns the handle.  Threads: one.
 * Errors:   logged.  WEIR_EINVAL: the configuration is wrong; WEIR_EIO: the interface cannot be
 *           listened at, or went away; WEIR_ENOMEM.
 * Limits:   WEIR_LIVE_ADDRESSES addresses a second; what others do is counted and logged.
 */
#ifndef WEIR_SNIFFER_LIVE_IO_H
#define WEIR_SNIFFER_LIVE_IO_H

#include "sniffer/sniffer_options.h"

#define WEIR_LIVE_ADDRESSES 65536  /* that do something in one second */
#define WEIR_LIVE_SYN_PLACES 4096  /* addresses whose SYNs wait; bounds lines of a SYN flood */

struct weir_live;

/* What -t asks for: reads the configuration as the start does, and listens at nothing.  0 or an
 * error, told on standard error. */
int weir_live_test(const struct weir_sniffer_options *options);

/* 0 or an error. */
int weir_live_open(const struct weir_sniffer_options *options, struct weir_live **live_r);

/* Listens until SIGTERM or SIGINT: 0; or an error. */
int weir_live_run(struct weir_live *live);

/* Closes and frees; NULL is accepted. */
void weir_live_close(struct weir_live **live);

#endif
