/*
 * Who may use the console: people with passwords, their sessions, and programs with tokens.
 *
 *     accounts   number, name (of one spelling, in any case), role, hash (of the password), added,
 *                changed (the password), last_login, disabled
 *     sessions   hash (of the session's text), account, started, used, address
 *     tokens     number, name, hash (of the token's text), role, added, ends, used, who (made it)
 *
 * Hashes only: who reads the file can log in as nobody.  See database_io.h for owner, threads,
 * errors and rows, accounts.h for values and limits.
 */
#ifndef WEIR_DATABASE_ACCOUNTS_IO_H
#define WEIR_DATABASE_ACCOUNTS_IO_H

#include "monitor/console/accounts.h"
#include "monitor/database/database_io.h"

#define WEIR_SESSION_ADDRESS 48
#define WEIR_SESSIONS_MAX 32 /* of one account: the oldest end */

/* Adds an account: its number.  0; WEIR_EINVAL when there is one of this name. */
int weir_database_account_add(struct weir_database *database, const struct weir_account *account,
                              int64_t *number_r);

/* By name, in any case: 1, 0, or an error. */
int weir_database_account_find(struct weir_database *database, const char *name,
                               struct weir_account *account_r);

/* Changes one by its number: role, hash, changed, last_login, disabled.  0 or an error. */
int weir_database_account_put(struct weir_database *database, const struct weir_account *account);

/* Removes one, its sessions, and the tokens that it made: 1, 0, or an error. */
int weir_database_account_remove(struct weir_database *database, int64_t number);

/* All, by name. */
int weir_database_accounts(struct weir_database *database,
                           int (*row)(void *context, const struct weir_account *account),
                           void *context);

/* How many accounts there are, and how many administrators of them are not disabled. */
int weir_database_accounts_count(struct weir_database *database, uint64_t *all_r,
                                 uint64_t *administrators_r);

struct weir_session {
    struct weir_account account;
    weir_time started, used;
    char address[WEIR_SESSION_ADDRESS];
};

/* Begins a session; others of the account beyond WEIR_SESSIONS_MAX end.  0 or an error. */
int weir_database_session_add(struct weir_database *database, int64_t account,
                              const uint8_t hash[static WEIR_TOKEN_HASH], const char *address,
                              weir_time now);

/* The session of a hash with its account as it is now: 1; 0: there is none, it is over, or its
 * account is disabled; an error. */
int weir_database_session(struct weir_database *database,
                          const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now,
                          struct weir_session *session_r);

/* It was used now; it is over: 1, 0, or an error. */
int weir_database_session_used(struct weir_database *database,
                               const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now);
int weir_database_session_end(struct weir_database *database,
                              const uint8_t hash[static WEIR_TOKEN_HASH]);

/* All of an account are over but one (NULL: none stays); all that are too old.  How many, or an
 * error. */
int weir_database_sessions_end(struct weir_database *database, int64_t account,
                               const uint8_t *but);
int weir_database_sessions_forget(struct weir_database *database, weir_time now);

/* A token that a token made is whose that is: it has "OWNER by token NAME" as who made it. */
#define WEIR_TOKEN_BY " by token "
#define WEIR_TOKEN_WHO (2 * WEIR_ACCOUNT_NAME_MAX + 24)

struct weir_token {
    int64_t number;              /* given when it is added */
    char name[WEIR_ACCOUNT_NAME_MAX + 1];
    enum weir_role role;
    weir_time added, ends, used; /* ends: 0: never */
    const char *who;             /* made it */
    char owner[WEIR_ACCOUNT_NAME_MAX + 8]; /* "user NAME", "uid 0"; read only */
};

/* Adds a token.  0; WEIR_EINVAL when there is one of this name. */
int weir_database_token_add(struct weir_database *database, const struct weir_token *token,
                            const uint8_t hash[static WEIR_TOKEN_HASH]);

/* The token of a hash: 1, and `who` is NULL; 0: there is none, it has ended, or its owner at the
 * console ("user NAME") is disabled or no more; an error.  Its role is no higher than his. */
int weir_database_token(struct weir_database *database,
                        const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now,
                        struct weir_token *token_r);

/* It was used now: 1, 0, or an error. */
int weir_database_token_used(struct weir_database *database, int64_t number, weir_time now);

/* It is no more, nor are those it made, and those they made; each is told, which stops at an error.
 * How many; 0: there is none of this name, in whatever case; an error. */
int weir_database_token_remove(struct weir_database *database, const char *name,
                               int (*row)(void *context, const struct weir_token *token),
                               void *context);

/* All, by name. */
int weir_database_tokens(struct weir_database *database,
                         int (*row)(void *context, const struct weir_token *token), void *context);

#endif
