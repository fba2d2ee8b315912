/*
 * milter_service - what weir-milter's threads share: configuration, stores, judges, the log.
 *
 * No message is judged by half an old and half a new configuration, and stores are never open
 * twice: a reload first does all that can be done beside the judging (reading the configuration,
 * making the rule set), then lets no new judging begin, waits for what is being judged (it is
 * bounded: milliseconds), changes, and lets go on.  Carrying out an outcome means writing to
 * a mail server that may be slow: nobody waits for that; the outcome lives in its judge, which
 * needs nothing of what was closed.
 *
 * Owner:    the caller owns the service.
 * Threads:  judge, size and log from any; all others from the one that opened it.
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
 * judge: it then waits for ever at the gate, which therefore is not freed. */
void weir_milter_service_end(struct weir_milter_service **service);

/* Reads the configuration again; what is wrong is logged, and all stays as it is. */
void weir_milter_service_reload(struct weir_milter_service *service);

/* Each second: closes files of the spool, writes out the log, keeps numbers up; so many messages
 * are at work. */
void weir_milter_service_tick(struct weir_milter_service *service, unsigned at_work);

const struct weir_log *weir_milter_service_log(const struct weir_milter_service *service);

/* The endpoint to listen at, and how large messages are looked at. */
const char *weir_milter_service_listen(const struct weir_milter_service *service);
size_t weir_milter_service_size(struct weir_milter_service *service);
int weir_milter_service_access(struct weir_milter_service *service);

/* What the configuration wants of whoever carries out an outcome. */
struct weir_milter_wishes {
    bool tempfail;         /* what cannot be judged is deferred, not accepted */
    bool policy_field;     /* weir-policyd puts a field of its own on top of messages */
};

/* Carries an outcome out (NULL: there is none). */
typedef int weir_milter_carry(void *context, const struct weir_outcome *outcome,
                              const struct weir_milter_wishes *wishes);

/* Judges a mail and has the outcome carried out: carry is called with it, or with NULL when
 * nothing could be judged.  Returns what carry returns. */
int weir_milter_service_judge(struct weir_milter_service *service, const struct weir_mail *mail,
                              weir_milter_carry *carry, void *context);

#endif
