/*
 * seeded - random numbers for tests that can be run again.
 *
 * The seed comes from WEIR_SEED or from the clock, and is printed, so that a
 * failure is repeated with WEIR_SEED=number.
 */
#ifndef WEIR_TESTS_SEEDED_H
#define WEIR_TESTS_SEEDED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct seeded {
    uint64_t state;
};

static inline struct seeded seeded_new(const char *test)
{
    const char *given = getenv("WEIR_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_nsec + 1;
    printf("%s: WEIR_SEED=%" PRIu64 "\n", test, seed);
    return (struct seeded){.state = seed * 2 + 1};
}

/* 64 random bits (xorshift, Marsaglia 2003, spread by a multiplication). */
static inline uint64_t seeded_next(struct seeded *s)
{
    s->state ^= s->state << 13;
    s->state ^= s->state >> 7;
    s->state ^= s->state << 17;
    return s->state * UINT64_C(0x9e3779b97f4a7c15);
}

/* A number from 0 to below. */
static inline unsigned seeded_below(struct seeded *s, unsigned below)
{
    return (unsigned)((seeded_next(s) >> 32) % below);
}

static inline void seeded_fill(struct seeded *s, void *bytes, size_t len)
{
    uint8_t *octet = bytes;
    for (size_t i = 0; i < len; i++)
        octet[i] = (uint8_t)(seeded_next(s) >> 56);
}

#endif
