/*
 * memcached_fake - a memcached for tests that answers as badly as it is told.
 *
 * A thread that listens on the loopback interface and understands quiet gets
 * and NOOP of the binary protocol.  Its honest value for a key is worked out from
 * the key, so that an answer taken for another question's is seen.  It stores nothing.
 */
#ifndef WEIR_TESTS_MEMCACHED_FAKE_H
#define WEIR_TESTS_MEMCACHED_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memcached_fake_mode {
    FAKE_HONEST,
    FAKE_SILENT,    /* takes everything, answers nothing */
    FAKE_CLOSING,   /* closes each connection at once */
    FAKE_LATE,      /* honest, but after 500 ms */
    FAKE_TRICKLING, /* an octet every 2 ms */
    FAKE_NO_NUMBERS, /* honest but for the values */
    FAKE_ERRORS,    /* every get fails, decently */
    FAKE_HOSTILE,   /* this one and all that follow break the protocol */
    FAKE_GARBAGE = FAKE_HOSTILE,
    FAKE_TEXT_PROTOCOL,
    FAKE_CUT_SHORT,
    FAKE_HUGE_BODY,
    FAKE_BODY_OVER_LIMIT,
    FAKE_HUGE_KEY,
    FAKE_EXTRAS_BEYOND_BODY,
    FAKE_VERSION,    /* overflows a buffer of libmemcached 1.1.4 */
    FAKE_STATISTICS, /* the same */
    FAKE_OTHER_OPAQUE,
    FAKE_BACKWARDS,
    FAKE_TWICE,
    FAKE_NOOP_FIRST,
    FAKE_NOOP_WITH_BODY,
    FAKE_MORE_AFTER_END,
    FAKE_CRUMBS_AFTER_END,
    FAKE_MODES
};

struct memcached_fake;

/* NULL when there is no such address family here. */
struct memcached_fake *memcached_fake_start(bool ipv6);
const char *memcached_fake_server(const struct memcached_fake *fake);
void memcached_fake_say(struct memcached_fake *fake, enum memcached_fake_mode mode);

/* Connections accepted until now. */
unsigned memcached_fake_connections(struct memcached_fake *fake);

/* The honest value for a key. */
uint64_t memcached_fake_value(const char *key, size_t len);

void memcached_fake_stop(struct memcached_fake **fake);

#endif
