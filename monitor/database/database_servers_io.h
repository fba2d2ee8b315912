/*
 * Mail servers: who may send, and which one agent of each is let in (claim A13).
 *
 * A server has a number, which is never given again, a name, and the hash of a secret.  Revoked
 * ones stay, so that what they did keeps its name; adding one again gives it a new secret
 * and keeps its number, because its spool goes on where it was.
 *
 * See database_io.h for owner, threads, errors and rows.
 * Limits: names of 1..WEIR_SERVER_NAME_MAX letters, digits, '-', '_' and '.', beginning with a
 * letter or digit; WEIR_SERVER_HEALTH_MAX.
 */
#ifndef WEIR_DATABASE_SERVERS_IO_H
#define WEIR_DATABASE_SERVERS_IO_H

#include "monitor/agent/identity.h"
#include "monitor/database/database_io.h"

#define WEIR_INSTANCE WEIR_INSTANCE_OCTETS

struct weir_server {
    uint32_t number;
    char name[WEIR_SERVER_NAME_MAX + 1];
    uint8_t secret_hash[WEIR_SECRET_HASH];
    weir_time added, revoked;      /* revoked: 0 when it is not */
    bool has_instance;
    uint8_t instance[WEIR_INSTANCE]; /* of the agent that was let in last */
    weir_time last_seen;
    uint64_t generation;           /* of decisions, that it acknowledged */
    const char *health;            /* JSON, as its agent said it; only in lists */
};

/* Adds a server, or a revoked one again: its number.  0; WEIR_EINVAL for a name that is not one,
 * or that a server has which is not revoked. */
int weir_database_server_add(struct weir_database *database, const char *name,
                             const uint8_t secret_hash[static WEIR_SECRET_HASH], weir_time now,
                             uint32_t *number_r);

/* Revokes a server: 1; 0 when there is none of this name that is not revoked; an error. */
int weir_database_server_revoke(struct weir_database *database, const char *name, weir_time now);

/* By name, revoked ones, too: 1, 0, or an error. */
int weir_database_server_find(struct weir_database *database, const char *name,
                              struct weir_server *server_r);

/* All, by name. */
int weir_database_servers(struct weir_database *database,
                          int (*row)(void *context, const struct weir_server *server),
                          void *context);

/* Lets an agent in as the server's only one, when there was none, it is the one, it names that one
 * as its previous (NULL: it knows none), or that one was not heard of for `silence`.  1, and
 * it is the server's instance, seen now; 0: another one is; an error.  Once let in, an agent may be
 * known from memory, with weir_database_server_seen() now and then. */
int weir_database_server_lease(struct weir_database *database, uint32_t number,
                               const uint8_t instance[static WEIR_INSTANCE],
                               const uint8_t *previous, weir_time now, weir_time silence);

/* Notes when it was heard of, what it acknowledged and, unless NULL, how it is.  0; WEIR_ELIMIT
 * for a text that is too long. */
int weir_database_server_seen(struct weir_database *database, uint32_t number, weir_time now,
                              uint64_t generation, const char *health);

/* The clock was put back to a time: no server was seen later.  How many were, or an error. */
int weir_database_servers_rebase(struct weir_database *database, weir_time now);

#endif
