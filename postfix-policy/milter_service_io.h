/*
 * milter_service - what weir-milter's threads share: configuration, stores, judges, the log.
 *
 * Threads judge under a reader's lock; a reload takes the writer's, so that no message is
 * judged by half an old and half a new configuration, and stores are never open twice.
 *
 * Owner:    the caller owns the service.  Threads: all functions from any thread.
 * Errors:   a store that cannot be opened is no error: mail flows without it.
 */
#ifndef WEIR_POLICY_MILTER_SERVICE_IO_H
#define WEIR_POLICY_MILTER_SERVICE_IO_H

#include "core/engine/judges_io.h"

struct weir_milter_service;

struct weir_milter_options {
    const char *program;
    const char *config_path;   /* NULL: the usual place */
    const char *listen;        /* instead of the configuration's; or NULL */
    bool debug;
};

/* Reads and opens.  Problems of the configuration go to standard error.  0, WEIR_EINVAL, WEIR_EIO,
 * WEIR_ENOMEM. */
int weir_milter_service_open(const struct weir_milter_options *options,
                             struct weir_milter_service **service_r);

/* Closes everything and sets *service to NULL.  A thread of libmilter may still be about to
 * judge: it then waits for ever at a lock, which therefore is not freed. */
void weir_milter_service_end(struct weir_milter_service **service);

/* Reads the configuration again; what is wrong is logged, and all stays as it is. */
void weir_milter_service_reload(struct weir_milter_service *service);

/* A few times a minute: closes files of the spool, writes out the log. */
void weir_milter_service_tick(struct weir_milter_service *service);

const struct weir_log *weir_milter_service_log(const struct weir_milter_service *service);

/* The endpoint to listen at, and how large messages are looked at. */
const char *weir_milter_service_listen(const struct weir_milter_service *service);
size_t weir_milter_service_size(struct weir_milter_service *service);
int weir_milter_service_access(struct weir_milter_service *service);

/* Judges a mail and lets the outcome be carried out before anything else happens to it: carry
 * is called with it, or with NULL when nothing could be judged; tempfail then says what the
 * configuration wants.  Returns what carry returns. */
int weir_milter_service_judge(struct weir_milter_service *service, const struct weir_mail *mail,
                              int (*carry)(void *context, const struct weir_outcome *outcome,
                                           bool tempfail),
                              void *context);

#endif
