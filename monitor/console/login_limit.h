/*
 * login_limit - how often a password may be tried: by address (a /64 of IPv6) and by name.
 *
 *     may? -> failed -> ... -> may? 30 s        who succeeds is forgotten
 *
 * WEIR_LOGIN_FREE tries that fail are free; then the wait doubles with each, from a second to
 * WEIR_LOGIN_WAIT_MOST, and is forgotten after WEIR_LOGIN_MEMORY without a failure.  Whoever tries
 * a name from elsewhere can make its owner wait no longer than WEIR_LOGIN_NAME_WAIT: nobody is
 * locked out for ever, and an address that has succeeded lately does not wait for its name at
 * all.
 *
 * Owner:    the caller owns it.  Threads: the caller's lock.  Errors: WEIR_ENOMEM.
 * Limits:   WEIR_LOGIN_PLACES addresses and names; beyond that those that failed longest ago are
 *           forgotten.
 */
#ifndef WEIR_CONSOLE_LOGIN_LIMIT_H
#define WEIR_CONSOLE_LOGIN_LIMIT_H

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/keyed_hash.h"

#define WEIR_LOGIN_FREE 5u
#define WEIR_LOGIN_WAIT_MOST (15 * WEIR_MINUTE)
#define WEIR_LOGIN_NAME_WAIT (30 * WEIR_SECOND)
#define WEIR_LOGIN_MEMORY (6 * WEIR_HOUR)
#define WEIR_LOGIN_PLACES 4096

struct weir_login_limit;

/* Nobody has failed yet. */
int weir_login_limit_new(const struct weir_hash_key *key, struct weir_login_limit **limit_r);
void weir_login_limit_free(struct weir_login_limit **limit);

/* How long is to be waited before the next try: 0: it may be made now.  Times are steady. */
weir_time weir_login_limit_wait(const struct weir_login_limit *limit,
                                const struct weir_address *address, const char *name,
                                weir_time now);

/* A try was made that failed; one that succeeded. */
void weir_login_limit_failed(struct weir_login_limit *limit, const struct weir_address *address,
                             const char *name, weir_time now);
void weir_login_limit_succeeded(struct weir_login_limit *limit,
                                const struct weir_address *address, const char *name,
                                weir_time now);

#endif
