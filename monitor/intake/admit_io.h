/*
 * admit - which mail servers are known, and which one agent of each is let in (claim A13).
 *
 * Names, hashes of secrets and instances are kept in memory, so that a request costs one hash and
 * no look at the database; the database has the last word on a change of instance.
 *
 * Owner:    the caller owns it; the database is handed in, with the lock that guards it.
 * Threads:  any.
 * Errors:   weir_admit_new(): WEIR_ENOMEM or the database's.
 */
#ifndef WEIR_INTAKE_ADMIT_IO_H
#define WEIR_INTAKE_ADMIT_IO_H

#include <pthread.h>

#include "core/base/log.h"
#include "monitor/database/database_servers_io.h"
#include "monitor/intake/intake_io.h"

struct weir_admit;

struct weir_admit_options {
    struct weir_database *database;
    pthread_mutex_t *lock;       /* of the database */
    weir_time silence;           /* after which another instance is let in */
    /* Another agent spoke for a server and was refused. */
    void (*refused)(void *context, uint32_t server, const char *name, weir_time now);
    void *context;
};

/* Reads the servers.  0 or an error. */
int weir_admit_new(const struct weir_admit_options *options, const struct weir_log *log,
                   struct weir_admit **admit_r);
void weir_admit_free(struct weir_admit **admit);

/* Reads the servers anew: one was added or revoked.  Called with the database's lock held. */
int weir_admit_refresh(struct weir_admit *admit);

/* 200, 401 or 409, as intake_io.h has it. */
int weir_admit_caller(struct weir_admit *admit, const struct weir_intake_caller *caller,
                      weir_time now, uint32_t *server_r);

/* Whether the server is there and not revoked. */
bool weir_admit_knows(struct weir_admit *admit, uint32_t server);

/* Notes what a server applied, or how it is (NULL: nothing new). */
void weir_admit_note(struct weir_admit *admit, uint32_t server, int64_t generation,
                     struct weir_slice health);

/* Stores what was noted since the last time; with the database's lock held, about once a second.
 * 0, or an error and what was not stored is tried again by the next call. */
int weir_admit_store(struct weir_admit *admit);

/* The names of the servers whose numbers modulo 32 have a bit, ", " between, and " or " between
 * those of one bit, of which only one need be meant; ends in "..." when there are more than fit
 * in.  Returns buffer. */
const char *weir_admit_names(struct weir_admit *admit, uint32_t servers, char *buffer,
                             size_t size);

/* The clock was put back to a time: nobody was heard later. */
void weir_admit_rebase(struct weir_admit *admit, weir_time now);

/* Another silence from now on.  Who was last heard before it, and not longer ago than the silence
 * before allowed, has WEIR_HEALTH_EVERY more to hear of it. */
void weir_admit_silence(struct weir_admit *admit, weir_time silence, weir_time now);

/* Whether a server's agent says that nothing comes from its sniffer any more. */
void weir_admit_sniffer(struct weir_admit *admit, uint32_t server, bool silent);

/* The names of those that are blind, as weir_admit_names(); "mx1 (its sniffer)" where the agent is
 * heard, and says that only the sniffer is not. */
const char *weir_admit_blind(struct weir_admit *admit, weir_time now, char *buffer, size_t size);

/* The same as bits of their numbers modulo 32. */
uint32_t weir_admit_blind_bits(struct weir_admit *admit, weir_time now);

/* Servers heard of within `silence`, and blind ones: those that were but are not any more, and
 * those whose sniffer is silent. */
void weir_admit_count(struct weir_admit *admit, weir_time now, size_t *seen_r, size_t *blind_r);

#endif
