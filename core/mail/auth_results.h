/*
 * auth_results - what a trusted server of ours found out about who sent a message.
 *
 * Authentication-Results fields (RFC 8601) of an authserv-id the operator trusts are
 * read; all others are as if not there, for anybody can write one.  A field with a trusted id
 * that came from outside looks like one of ours: the border server must remove those (RFC 8601
 * 5), and does or does not before Weir sees the message.  Weir removes none and cannot
 * tell them apart, so an id should be trusted only where that is set up.
 *
 * Owner:    slices point into the field's value.
 * Errors:   none: what cannot be read says nothing.
 * Limits:   WEIR_AUTH_RESULTS_MAX results a message.
 */
#ifndef WEIR_MAIL_AUTH_RESULTS_H
#define WEIR_MAIL_AUTH_RESULTS_H

#include "core/base/limits.h"
#include "core/mail/message.h"

enum weir_auth_method { WEIR_AUTH_SPF, WEIR_AUTH_DKIM, WEIR_AUTH_DMARC, WEIR_AUTH_ARC,
                        WEIR_AUTH_IPREV, WEIR_AUTH_OTHER };
enum weir_auth_result { WEIR_AUTH_NONE, WEIR_AUTH_PASS, WEIR_AUTH_FAIL, WEIR_AUTH_SOFTFAIL,
                        WEIR_AUTH_NEUTRAL, WEIR_AUTH_TEMPERROR, WEIR_AUTH_PERMERROR };

struct weir_auth {
    enum weir_auth_method method;
    enum weir_auth_result result;
    struct weir_slice domain; /* header.d, header.from, smtp.mailfrom (its domain), ... */
};

/* Reads the results of the trusted ids (any case; "*" trusts all: for tests).  Returns
 * how many are in auth_r. */
size_t weir_auth_results_read(const struct weir_message *message, const char *const *trusted,
                              size_t trusteds,
                              struct weir_auth auth_r[static WEIR_AUTH_RESULTS_MAX]);

/* Whether a passing result vouches for a domain in normal form: DMARC pass of header.from in
 * it, DKIM pass of a d= that is it or a domain of the same organization, SPF pass likewise.
 * The caller hands in the organizational domain. */
bool weir_auth_vouches(const struct weir_auth *auth, size_t auths, const char *domain);

/* One value taken apart, for tests and fuzzing: results appended; returns their number. */
size_t weir_auth_value_read(struct weir_slice value, const char *const *trusted, size_t trusteds,
                            struct weir_auth *auth_r, size_t most);

#endif
