/*
 * tls_record - what a record of TLS begins with (RFC 8446 5.1): asked by the flow table, which
 * opens a connection by it, and by those who follow records.
 *
 * Threads:  a pure function.
 */
#ifndef WEIR_SNIFFER_TLS_RECORD_H
#define WEIR_SNIFFER_TLS_RECORD_H

#include <stdbool.h>

#include "core/base/cursor.h"

#define WEIR_TLS_RECORD_MAX ((1 << 14) + 2048) /* RFC 5246 6.2.3; 1.3 has less */

/* Whether octets begin like a record (type 20..23, version 3.0..3.4, a length within bounds), as
 * far as there are any; none do not say that they do not. */
bool weir_tls_begins(struct weir_slice octets);

#endif
