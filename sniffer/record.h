/*
 * record - what was heard, as one line of JSON each (`weir-sniffer -r ... --json`).
 *
 *     {"type": "message", "client": "192.0.2.7", ...}
 *     {"type": "connection", ...}
 *     {"type": "address", ...}    what one address did in the whole run
 *     {"type": "file", ...}       how a file was read
 *
 * Names come from the wire: octets that are no UTF-8 become U+FFFD, so that each line is valid.
 * What is not known (sender, reply, a client that XCLIENT hides) is null.
 *
 * Owner:    nothing is kept.  Threads: pure but for the stream.
 * Errors:   0, or WEIR_ENOMEM; whether writing failed, ferror() tells.
 */
#ifndef WEIR_SNIFFER_RECORD_H
#define WEIR_SNIFFER_RECORD_H

#include <stdio.h>

#include "sniffer/dialogue.h"
#include "sniffer/session.h"

/* file: of several, the one it was heard in; else NULL.  0 or WEIR_ENOMEM. */
int weir_record_message(FILE *out, const char *file, const struct weir_flow *flow,
                        const struct weir_heard *heard,
                        const struct weir_heard_message *message);
int weir_record_connection(FILE *out, const char *file, const struct weir_flow *flow,
                           const struct weir_heard *heard, enum weir_flow_end end);
int weir_record_address(FILE *out, const struct weir_traffic *traffic);

/* How a file was read; problem is NULL when all of it was. */
int weir_record_file(FILE *out, const char *file, const char *problem,
                     const struct weir_sessions_counts *counts,
                     const struct weir_flows_counts *flows);

#endif
