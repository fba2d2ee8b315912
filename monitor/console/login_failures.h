/*
 * login_failures - which logins failed, for the audit: a few lines, however many there were.
 *
 *     note(anna, 203.0.113.9) x 40  ->  "as anna from 203.0.113.9", at once
 *                                       "as anna from 203.0.113.9: 39 more since ...", later
 *
 * Failures as one name from one address (a /64 of IPv6) are a burst, until there was none for
 * WEIR_LOGIN_BURST_QUIET.  Its first one is due at once; those after it WEIR_LOGIN_BURST_SPAN
 * later, where they are two at least, and what is left when it ends.  So a guesser makes lines by
 * the clock, and none by guessing.  Of more bursts at once than there is room for only the number
 * of failures is kept, of names that nobody has first; the log has each.
 *
 * A name that nobody has is not told, for it may be a password in the wrong field, and all who may
 * log in read the audit: all such names from one address are one burst.
 *
 * Owner:    the caller owns it.  Threads: the caller's lock.  Errors: none but WEIR_ENOMEM.
 * Limits:   WEIR_LOGIN_BURSTS.  Times are steady, but for `since`, which is told.
 */
#ifndef WEIR_CONSOLE_LOGIN_FAILURES_H
#define WEIR_CONSOLE_LOGIN_FAILURES_H

#include <stdbool.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "monitor/console/accounts.h"

#define WEIR_LOGIN_BURSTS 32
#define WEIR_LOGIN_BURST_SPAN (15 * WEIR_MINUTE)
#define WEIR_LOGIN_BURST_QUIET (30 * WEIR_MINUTE)

struct weir_login_failures;

/* None failed yet. */
int weir_login_failures_new(struct weir_login_failures **failures_r);

/* Frees *failures and sets it to NULL; NULL is accepted. */
void weir_login_failures_free(struct weir_login_failures **failures);

/* A login failed; name: an account's, or NULL: nobody has it. */
void weir_login_failures_note(struct weir_login_failures *failures,
                              const struct weir_address *address, const char *name,
                              weir_time now, weir_time wall);

/* One was refused unseen, since too many had failed: it counts in a burst that is there. */
void weir_login_failures_refused(struct weir_login_failures *failures,
                                 const struct weir_address *address, const char *name,
                                 weir_time now);

/* What is to be told of a burst. */
struct weir_login_burst {
    size_t place;                /* which one; WEIR_LOGIN_BURSTS: of those there was no room for */
    struct weir_address address;
    char name[WEIR_ACCOUNT_NAME_MAX + 1];
    unsigned failed, refused;
    weir_time since;             /* wall; 0: it is the first one alone */
};

/* The next one that is due, or false.  all: what is left is due now, since all ends.  It stays due
 * until weir_login_failures_told(). */
bool weir_login_failures_due(struct weir_login_failures *failures, weir_time now, bool all,
                             struct weir_login_burst *due_r);

/* It is in the audit. */
void weir_login_failures_told(struct weir_login_failures *failures,
                              const struct weir_login_burst *due, weir_time now, weir_time wall);

/* It in words, as above.  Returns buffer. */
#define WEIR_LOGIN_BURST_TEXT 256
const char *weir_login_burst_text(const struct weir_login_burst *burst,
                                  char buffer[static WEIR_LOGIN_BURST_TEXT]);

#endif
