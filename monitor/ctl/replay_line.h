/*
 * replay_line - one line of a replayed log.
 *
 *     time TAB address TAB domain TAB verdict TAB by [TAB auth]
 *
 * time is Unix seconds, with or without decimals; address IPv4 or IPv6; domain
 * the stated sender domain, empty or "-" for none; verdict spam, good (or ham)
 * or unsure; by user or computer; "auth" when something vouched for the domain.
 *
 * Threads:  a pure function.   Owner: slices point into the caller's line.
 * Limits:   WEIR_REPLAY_LINE_MAX octets; times from 1970 to 2100; no NUL.
 */
#ifndef WEIR_CTL_REPLAY_LINE_H
#define WEIR_CTL_REPLAY_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/cursor.h"
#include "core/evidence/reputation.h"

struct weir_replay_line {
    weir_time time;
    double seconds;                       /* the same, as it was written */
    bool whole;                           /* it was written without decimals */
    struct weir_address address;
    struct weir_slice address_text, verdict_text;
    struct weir_slice domain_text;        /* as it stands */
    struct weir_slice domain;             /* empty when there is none */
    struct weir_vote vote;
    bool authenticated;
};

/* Reads len octets of text, without or with CR LF at the end.  0; WEIR_EINVAL
 * or WEIR_ELIMIT and *why_r, static text. */
int weir_replay_line_parse(const char *text, size_t len, struct weir_replay_line *line_r,
                           const char **why_r);

#endif
