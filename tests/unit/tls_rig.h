/*
 * tls_rig - TLS records of given lengths, with nothing inside but what an estimate looks at.
 */
#ifndef WEIR_TESTS_TLS_RIG_H
#define WEIR_TESTS_TLS_RIG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TLS_RECORD_MOST = 5 + 16384 + 2048, TLS_13 = 0x1301, TLS_12_GCM = 0xc02f,
       TLS_12_CHACHA = 0xcca8 };

/* What a cipher adds to plaintext. */
static inline size_t tls_overhead(unsigned suite)
{
    return suite == TLS_13 ? 17 : suite == TLS_12_CHACHA ? 16 : 24;
}

/* A record of type with len octets inside; its length in all. */
static inline size_t tls_record(uint8_t *room, uint8_t type, size_t len)
{
    const uint8_t head[5] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};

    memcpy(room, head, 5);
    memset(room + 5, 0x5a, len);
    return 5 + len;
}

/* A server's hello that chooses suite, with a session id of so many octets. */
static inline size_t tls_hello(uint8_t *room, unsigned suite, uint8_t session)
{
    size_t len = tls_record(room, 22, 39u + session + 3 + 6);

    room[5] = 2;
    room[5 + 38] = session;
    room[5 + 39 + session] = (uint8_t)(suite >> 8);
    room[5 + 39 + session + 1] = (uint8_t)suite;
    return len;
}

#endif
