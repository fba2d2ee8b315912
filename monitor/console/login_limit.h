/*
 * login_limit - how often a password may be tried.
 *
 *     may? -> failed -> ... -> may? 30 s
 *
 * WEIR_LOGIN_FREE tries that fail are free; then the wait doubles with each, from a second to
 * WEIR_LOGIN_WAIT_MOST, and is forgotten after WEIR_LOGIN_MEMORY without a failure.  This is
 * counted for what a guesser cannot take from others:
 *
 *     a device that has logged in as this name (accounts.h, its mark) has a budget of its own and
 *     no other: neither who guesses the name nor who shares its address, as behind a proxy, makes
 *     it wait;
 *     everybody else has that of his address (a /64 of IPv6);
 *     and where a name is guessed from many addresses, who tries it waits WEIR_LOGIN_NAME_WAIT at
 *     most, once, and then it is his turn, however many try meanwhile.  An address that has
 *     succeeded as this name lately need not, and waits for itself no longer than that.
 *
 * So nobody is locked out by others, but who shares his address with a guesser and comes for the
 * first time; and a name is guessed once in that time by each address, until that has to wait for
 * itself.  Who succeeds takes back his own try alone: a guesser's own account forgives him nothing.
 *
 * Owner:    the caller owns it.  Threads: the caller's lock.  Errors: WEIR_ENOMEM.
 * Limits:   WEIR_LOGIN_PLACES of devices, addresses, names and turns; beyond that those that failed
 *           longest ago are forgotten.
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
#define WEIR_LOGIN_TURN (10 * WEIR_MINUTE)         /* so long it is one's turn */
#define WEIR_LOGIN_PLACES 65536

struct weir_login_limit;

/* Nobody has failed yet. */
int weir_login_limit_new(const struct weir_hash_key *key, struct weir_login_limit **limit_r);
void weir_login_limit_free(struct weir_login_limit **limit);

struct weir_login_try {
    struct weir_address address;
    const char *name;
    uint64_t device;            /* that has logged in as this name; 0: none that is known */
};

/* How long is to be waited before the next try: 0: it may be made now.  Times are steady. */
weir_time weir_login_limit_wait(struct weir_login_limit *limit, const struct weir_login_try *one,
                                weir_time now);

/* A try was made that failed; that one succeeded. */
void weir_login_limit_failed(struct weir_login_limit *limit, const struct weir_login_try *one,
                             weir_time now);
void weir_login_limit_succeeded(struct weir_login_limit *limit, const struct weir_login_try *one,
                                weir_time now);

#endif
