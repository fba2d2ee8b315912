/*
 * ask_daemon - asks a running Weir daemon about a message (core/engine/remote.h).
 *
 * One connection for one question.  Whatever goes wrong, nobody there, too busy, too slow, a
 * wrong answer, is told and leaves the caller to decide itself.
 *
 * Owner:    the outcome's texts live in the arena.
 * Threads:  any number.  No signal is raised or needed: neither alarm() nor SIGPIPE.
 * Errors:   0; WEIR_EDOWN and *why_r (static text) when there is no answer by the deadline;
 *           WEIR_EINVAL for an answer that is none; WEIR_ELIMIT for a question that is too
 *           long; WEIR_ENOMEM.
 */
#ifndef WEIR_EXIM_MODULE_ASK_DAEMON_IO_H
#define WEIR_EXIM_MODULE_ASK_DAEMON_IO_H

#include "core/engine/remote.h"

/* address is an endpoint, unix:/path.  deadline is of the steady clock. */
int weir_ask_daemon(const char *address, const struct weir_mail *mail, weir_time deadline,
                    struct weir_arena *arena, struct weir_outcome *outcome_r, const char **why_r);

#endif
