/*
 * ctl_policyd - asks a running weir-policyd how it is.
 *
 * Over the policy protocol itself, as Postfix would, so that an answer shows
 * that Postfix would get one too.
 */
#ifndef WEIR_CTL_POLICYD_IO_H
#define WEIR_CTL_POLICYD_IO_H

#include <stddef.h>

/* Asks at an address of [policyd] listen, "inet:host:port" or "unix:/path".
 * 1 and JSON in answer; 0 when nobody listens there; WEIR_EINVAL, WEIR_EIO,
 * WEIR_ELIMIT.  *why_r says what happened (static text) unless it is 1. */
int weir_ctl_ask_policyd(const char *listen, char *answer, size_t room, const char **why_r);

#endif
