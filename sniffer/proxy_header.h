/*
 * proxy_header - the header by which a proxy tells whose connection it passes on (the PROXY
 * protocol of HAProxy, versions 1 and 2).
 *
 * Pure.  Refuses what either version's text does not allow; never reads beyond WEIR_PROXY_MAX, of
 * version 1 not beyond its 107 octets.
 */
#ifndef WEIR_SNIFFER_PROXY_HEADER_H
#define WEIR_SNIFFER_PROXY_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/cursor.h"

#define WEIR_PROXY_MAX 536 /* octets: version 2 has 16 + 520 of addresses and extensions */

struct weir_proxy_header {
    bool has_client;            /* false: LOCAL or UNKNOWN, a health check */
    struct weir_address client;
    uint16_t client_port;
};

/* Whether octets could be the beginning of a header (also when there are too few to say). */
bool weir_proxy_begins(struct weir_slice octets);

/* Reads one: its length in octets; 0 when more are needed; WEIR_EINVAL when it is none. */
int weir_proxy_read(struct weir_slice octets, struct weir_proxy_header *header_r);

#endif
