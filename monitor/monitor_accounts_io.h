/*
 * accounts - who may use the console, as operators change it and as the console asks: verbs
 * (monitor_verbs_io.h), logins, and the first account of all.
 *
 *     user add         name, role (viewer)        {"name", "role", "password"}: told once
 *     user password    name                       the same: a new one; its sessions end
 *     user set         name, any of role, disabled   {"name", "role", "disabled"}
 *     user remove      name                       {"name", "removed", "tokens": [name]}: those that
 *                                                 it made at the console end with it
 *     token add        name, role (viewer), ends (seconds; 0: never)   {"name", "token"}: told once
 *     token remove     name                       {"name", "removed"}
 *
 * A token that somebody made at the console does no more than he may, and nothing while he is
 * disabled.
 *
 * The last administrator that is not disabled stays one: it is neither removed, disabled nor given
 * another role.
 *
 * Threads:  any.  Passwords are hashed without the database's lock (passwords_io.h).
 */
#ifndef WEIR_MONITOR_MONITOR_ACCOUNTS_IO_H
#define WEIR_MONITOR_MONITOR_ACCOUNTS_IO_H

#include "monitor/console/accounts.h"
#include "monitor/database/database_accounts_io.h"
#include "monitor/monitor_verbs_io.h"

/* The step that makes what checks passwords.  0 or WEIR_ENOMEM. */
int weir_accounts_open(struct weir_monitor *monitor);
void weir_accounts_close(struct weir_monitor *monitor);

/* Whether a verb is one of accounts; what comes of it, or NULL. */
bool weir_accounts_is_asked(const char *verb);
json_t *weir_accounts_answer(struct weir_question *question);

#define WEIR_FIRST_ACCOUNT "admin"
#define WEIR_FIRST_PASSWORD "first-password" /* a file in state_directory, until its login */

/* Where there is no account yet, makes WEIR_FIRST_ACCOUNT.  1 and its password; 0: there are some;
 * an error, logged. */
int weir_accounts_first(struct weir_monitor *monitor, weir_time now,
                        char password_r[static WEIR_PASSWORD_NEW]);

/* Logs in: 1, the account, and a session's text; 0: name and password do not go together, or the
 * account is disabled; an error, logged.  Where the database is locked or full, the session holds
 * all the same (held_sessions.h). */
int weir_accounts_login(struct weir_monitor *monitor, const char *name,
                        struct weir_slice password, const char *address, weir_time now,
                        struct weir_account *account_r, char session_r[static WEIR_TOKEN_TEXT]);

/* A line in the audit about logins that failed (login_failures.h).  0 or an error, logged. */
int weir_accounts_login_failed(struct weir_monitor *monitor, const char *detail, weir_time now);

/* Whose session it is, in the database or held: 1; 0: it is none, or over; an error.  uses: one
 * that is held is used now (held_sessions.h); of the others weir_accounts_used() notes it. */
int weir_accounts_session(struct weir_monitor *monitor, struct weir_database *database,
                          const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now, bool uses,
                          struct weir_session *session_r);

/* A session ends, with a line in the audit.  0 or an error, logged. */
int weir_accounts_logout(struct weir_monitor *monitor, const char *session, const char *name,
                         weir_time now);

/* At the start: logs which tokens are nobody's, since what made them is no more; an older Weir left
 * them (database_schema_io.c).  0 or an error. */
int weir_accounts_tell_unowned(struct weir_monitor *monitor);

/* A session or a token (NULL: no session) was used now.  0 or an error, logged. */
int weir_accounts_used(struct weir_monitor *monitor, const char *session, int64_t token,
                       weir_time now);

/* Somebody changes his own password, who knows the old one: 1; 0: he does not, or another took its
 * place meanwhile; an error.  His other sessions end. */
int weir_accounts_own_password(struct weir_monitor *monitor, const char *name, const char *session,
                               struct weir_slice old, struct weir_slice password, weir_time now);

#endif
