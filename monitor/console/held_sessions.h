/*
 * held_sessions - sessions of people who logged in while the database could not be written: they
 * hold in memory, as long as the monitor runs.
 *
 * One must be able to look just when the disk is full.  What is known of the account is read anew
 * at each question, so that one who is disabled, removed or has another password is out at once.
 *
 * Owner:    the caller owns the set.  Threads: any, several at once.
 * Errors:   none.  Limits: WEIR_HELD_SESSIONS; one more, and the oldest ends.
 */
#ifndef WEIR_CONSOLE_HELD_SESSIONS_H
#define WEIR_CONSOLE_HELD_SESSIONS_H

#include "monitor/console/accounts.h"

#define WEIR_HELD_SESSIONS 32

struct weir_held_sessions;

/* NULL when memory is short. */
struct weir_held_sessions *weir_held_sessions_new(void);

/* Frees *held and sets it to NULL; NULL is accepted. */
void weir_held_sessions_free(struct weir_held_sessions **held);

/* Adds one of an account, by the hash of its text. */
void weir_held_sessions_add(struct weir_held_sessions *held,
                            const uint8_t hash[static WEIR_TOKEN_HASH],
                            const struct weir_account *account, weir_time now);

/* Whose it is: its name and number, and since when.  uses: it is used now; who only looks whether
 * it is still there (a page that listens) does not use it.  False: there is none, or it is too
 * old. */
bool weir_held_sessions_find(struct weir_held_sessions *held,
                             const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now, bool uses,
                             struct weir_account *account_r, weir_time *started_r);

/* Whether there was one, which is over now. */
bool weir_held_sessions_end(struct weir_held_sessions *held,
                            const uint8_t hash[static WEIR_TOKEN_HASH]);

#endif
