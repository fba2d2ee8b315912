/*
 * capture_io - where frames come from: an interface, all interfaces, or files (libpcap).
 *
 * Live captures have a ring large enough for a pause of the sniffer's (64 MB), no
 * immediate mode, and do not block: wait until weir_capture_fd() is readable or some time has
 * passed, then weir_capture_read(), since an idle interface never becomes readable.
 * A filter in the kernel passes TCP from and to the watched ports, both families, with or without
 * VLAN tags; what hides its ports behind extension headers of IPv6 passes, too.
 *
 *     open as root  ->  weir_capture_drop_rights()  ->  read, read, ...  ->  free
 *
 * Owner:    the caller owns the capture; frames live during the call of the handler.
 * Errors:   WEIR_EINVAL (link type, option), WEIR_EIO, WEIR_ENOMEM, each with a reason in
 *           why[]: what libpcap says, or the system.
 * Threads:  one capture, one thread.
 */
#ifndef WEIR_SNIFFER_CAPTURE_IO_H
#define WEIR_SNIFFER_CAPTURE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "sniffer/frame.h"

#define WEIR_CAPTURE_WHY 320 /* room for any reason, with its NUL */

struct weir_capture;

struct weir_capture_options {
    const uint16_t *ports;      /* watched */
    size_t port_count;          /* 0: no filter */
    size_t snaplen;             /* octets of a frame; 0: all */
    size_t ring;                /* octets; 0: 64 MB */
    bool promiscuous;           /* for a mirrored port: others' frames, too */
};

struct weir_capture_counts {
    uint64_t received;          /* frames that passed the filter, live; else those read */
    uint64_t dropped;           /* by the kernel, for want of room in the ring */
    uint64_t dropped_interface;
};

/* Opens an interface ("any": all); 0 or an error. */
int weir_capture_open_live(const char *interface, const struct weir_capture_options *options,
                           struct weir_capture **capture_r, char why[static WEIR_CAPTURE_WHY]);

/* Opens a file, pcap or pcapng ("-": the standard input); 0 or an error.  Not filtered. */
int weir_capture_open_file(const char *path, struct weir_capture **capture_r,
                           char why[static WEIR_CAPTURE_WHY]);

void weir_capture_free(struct weir_capture **capture);

/* Puts the filter of other ports in place of that of a live capture; needs no rights.  0 or an
 * error, and then the filter is as it was. */
int weir_capture_filter(struct weir_capture *capture, const struct weir_capture_options *options,
                        char why[static WEIR_CAPTURE_WHY]);

/* Becomes a user with his groups (NULL: stays who it is), without capabilities, and with none to
 * be gained again.  0, or an error, after which the process must not go on. */
int weir_capture_drop_rights(const char *user, char why[static WEIR_CAPTURE_WHY]);

/* A frame as captured; link is how it begins. */
typedef void weir_capture_frame(void *context, weir_time time, enum weir_link link,
                                const uint8_t *octets, size_t captured, size_t wire);

/* Hands on at most count frames: how many there were; 0 when none is there now, or, of a file,
 * at its end; or WEIR_EIO (a file that ends in the middle of a frame, an interface that went). */
int weir_capture_read(struct weir_capture *capture, int count, weir_capture_frame *frame,
                      void *context, char why[static WEIR_CAPTURE_WHY]);

/* To wait for; -1 for a file. */
int weir_capture_fd(const struct weir_capture *capture);

struct weir_capture_counts weir_capture_counts(struct weir_capture *capture);

#endif
