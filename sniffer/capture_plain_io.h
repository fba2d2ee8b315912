/*
 * capture_plain_io - the records of an ordinary pcap file, in large pieces and without a copy.
 *
 * libpcap copies each record out of the C library's buffer, with two calls for each: that is more
 * than half of what reading a file costs.  Here a regular file that libpcap has opened, and whose
 * head says version 2.4, is read where it lies, as far as its records are sound.  At the first one
 * that is not - cut off, longer than the file says, with a strange time - the file is set back to
 * it, and what libpcap says of it stands.  So it changes nothing but the time it takes.
 *
 * Owner:    the caller owns it; the FILE is libpcap's, and must live as long.
 * Limits:   pipes, pcapng and older versions are not for it.
 */
#ifndef WEIR_SNIFFER_CAPTURE_PLAIN_IO_H
#define WEIR_SNIFFER_CAPTURE_PLAIN_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/clock.h"

struct weir_plain;

struct weir_plain_record {
    weir_time time;
    const uint8_t *octets;      /* until the next one is asked for */
    uint32_t captured, wire;
};

/* Begins behind the head of a file, with records of at most so many octets; NULL: it is not for
 * us, or memory is short. */
struct weir_plain *weir_plain_new(FILE *file, uint32_t most);
void weir_plain_free(struct weir_plain **plain);

/* The next record; false: there is none, and the FILE stands behind the last one. */
bool weir_plain_next(struct weir_plain *plain, struct weir_plain_record *record_r);

#endif
