/*
 * arena_impl - the arena's private side, for tests.
 *
 * A test makes the n-th request fail and looks whether the code under test
 * says so, leaks nothing and can go on:
 *
 *     for (unsigned n = 1;; n++) {
 *         weir_arena_fail_nth(arena, n);
 *         int rc = work(arena);
 *         if (!weir_arena_failed(arena))
 *             break;   // work() needs fewer than n requests
 *         assert_int_equal(rc, WEIR_ENOMEM);
 *         weir_arena_reset(arena, SIZE_MAX);
 *     }
 */
#ifndef WEIR_BASE_ARENA_IMPL_H
#define WEIR_BASE_ARENA_IMPL_H

#include <stdbool.h>

#include "core/base/arena.h"

/* From now on the n-th request (1 = the next one) gives NULL, those before
 * and after it do not; 0 turns this off.  A reset leaves it as it is. */
void weir_arena_fail_nth(struct weir_arena *arena, unsigned n);

/* True when the request chosen by weir_arena_fail_nth() has come and failed. */
bool weir_arena_failed(const struct weir_arena *arena);

#endif
