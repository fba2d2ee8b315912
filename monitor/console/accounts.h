/*
 * accounts - who may use the console, and what for: roles, names, passwords' hashes, sessions and
 * programs' tokens as values; what keeps them is database_accounts_io.h, what checks them against
 * a request is console_door_io.c.
 *
 *     viewer < analyst < administrator
 *
 * A password is hashed with Argon2id (libsodium, 64 MB, 2 passes, 80 ms).  A session or a token is
 * 32 random octets, of which the database has a SHA-256 only: who reads the database cannot use
 * them.
 *
 * A session ends WEIR_SESSION_IDLE after a page was read last; an open page that only listens to
 * what is new (GET /live) uses nothing, one that reads itself anew does.
 *
 * Threads:  pure; hashing takes its time, and is done by two at once at most (passwords_io.h).
 * Limits:   WEIR_ACCOUNT_NAME_MAX; a password has WEIR_PASSWORD_MIN to WEIR_PASSWORD_MAX octets.
 */
#ifndef WEIR_CONSOLE_ACCOUNTS_H
#define WEIR_CONSOLE_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"

#define WEIR_ACCOUNT_NAME_MAX 32
#define WEIR_PASSWORD_MIN 10
#define WEIR_PASSWORD_MAX 128
#define WEIR_PASSWORD_HASH 128
#define WEIR_TOKEN_TEXT 44                       /* 43 characters of base64url, and a NUL */
#define WEIR_TOKEN_HASH 32
#define WEIR_SESSION_IDLE (12 * WEIR_HOUR)       /* ends when it is not used so long, */
#define WEIR_SESSION_WHOLE (7 * WEIR_DAY)        /* and after that anyway */

enum weir_role { WEIR_NOBODY, WEIR_VIEWER, WEIR_ANALYST, WEIR_ADMINISTRATOR };

struct weir_account {
    int64_t number;
    char name[WEIR_ACCOUNT_NAME_MAX + 1];
    enum weir_role role;
    char hash[WEIR_PASSWORD_HASH];
    weir_time added, changed, last_login;        /* changed: its password */
    bool disabled;
};

const char *weir_role_name(enum weir_role role);

/* WEIR_NOBODY: no role's name. */
enum weir_role weir_role_of(const char *name);

/* Letters, digits, '-', '_', '.', '@', beginning with a letter or digit. */
bool weir_account_name_fit(struct weir_slice name);

/* Whether it may be a password: long enough, UTF-8, not the name; *why_r says what is wrong. */
bool weir_password_fit(const char *name, struct weir_slice password, const char **why_r);

/* A new password to be read and typed: 20 letters and digits, 100 bits. */
#define WEIR_PASSWORD_NEW 24
void weir_password_new(char text_r[static WEIR_PASSWORD_NEW]);

/* A new token as text, and what the database keeps of it. */
void weir_token_new(char text_r[static WEIR_TOKEN_TEXT]);
void weir_token_hash(const char *text, uint8_t hash_r[static WEIR_TOKEN_HASH]);

/* The mark of a device that has logged in as an account: a number, and a keyed hash of it and the
 * name under the password's hash.  So it needs no room, outlives a restart, and ends with the
 * password.  weir_device_read(): its number; 0: it is not this account's. */
#define WEIR_DEVICE_SPAN (180 * WEIR_DAY)
void weir_device_new(const struct weir_account *account, char text_r[static WEIR_TOKEN_TEXT]);
uint64_t weir_device_read(const struct weir_account *account, const char *text);

/* The token against forged requests that goes with a session: a keyed hash of it, so that nothing
 * more is kept. */
void weir_token_csrf(const char *session, char csrf_r[static WEIR_TOKEN_TEXT]);
bool weir_token_same(const char *a, const char *b); /* in constant time */

#endif
