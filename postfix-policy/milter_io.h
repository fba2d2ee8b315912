/*
 * milter - speaks libmilter with the mail server, for weir-milter.
 */
#ifndef WEIR_POLICY_MILTER_IO_H
#define WEIR_POLICY_MILTER_IO_H

#include "postfix-policy/milter_service_io.h"

/* Listens where the service says and serves until SIGTERM or SIGINT; SIGHUP reloads.  Once a
 * process.  0, or an error that was logged. */
int weir_milter_run(struct weir_milter_service *service);

#endif
