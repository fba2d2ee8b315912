/*
 * agent - carries records from a mail server's spool to the monitor, and what the monitor says into
 * the server's lists (claims A9, A13, A15).
 *
 *     spool files -> POST /agent/v1/spool      -> as far as the monitor says, files are removed
 *     lists.db    <- GET /agent/v1/commands    <- held open until there is something new
 *
 * Mail never waits for it: it reads files and writes lists.db, and when the monitor is gone the
 * spool grows to its bound and the lists stay as they are, each entry to its end.
 *
 * Owner:    the caller owns the agent.  Threads: one.
 * Errors:   WEIR_EINVAL (configuration or identity, told), WEIR_EIO, WEIR_ENOMEM.
 */
#ifndef WEIR_AGENT_AGENT_IO_H
#define WEIR_AGENT_AGENT_IO_H

#include <stdbool.h>

struct weir_agent;

struct weir_agent_options {
    const char *program;
    const char *config_path;  /* NULL: the usual place */
    bool debug;
    bool test;                /* everything wrong is told on standard error */
};

/* What -t asks for: reads configuration and identity as the start does, looks whether the spool can
 * be read, and opens nothing.  0 or an error; each was told. */
int weir_agent_test(const struct weir_agent_options *options);

/* Reads configuration and identity, and opens lists and spool. */
int weir_agent_open(const struct weir_agent_options *options, struct weir_agent **agent_r);

/* Until TERM or INT. */
int weir_agent_run(struct weir_agent *agent);

void weir_agent_close(struct weir_agent **agent);

#endif
