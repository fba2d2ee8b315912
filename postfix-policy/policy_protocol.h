/*
 * policy_protocol - the words Postfix and a policy server exchange.
 *
 * A request is lines "name=value" with LF behind each, ended by an empty line;
 * the answer is "action=..." and an empty line (SMTPD_POLICY_README).  Values
 * are taken as they stand.  Postfix retries once and then tells its client "451
 * Server configuration problem" when a connection closes without an answer:
 * that, and never a guess, is what a malformed request gets.
 *
 *     request=smtpd_access_policy     asks for a decision
 *     request=weir_status             asks how the daemon is; status={JSON}
 *
 * Malformed:  a line without '=', a NUL, CR LF line ends, no request attribute
 *             or another one, more than the limits.
 * Tolerated:  attributes we do not know; of an attribute that comes twice the
 *             first counts; a protocol_state we do not know is decided nothing
 *             about; so is a client_address that is none.
 *
 * Owner:    slices of a parsed request point into the caller's bytes.
 * Threads:  pure functions.
 * Limits:   WEIR_POLICY_REQUEST_MAX, WEIR_POLICY_ATTRIBUTES_MAX (limits.h).
 */
#ifndef WEIR_POLICY_PROTOCOL_H
#define WEIR_POLICY_PROTOCOL_H

#include <stddef.h>

#include "core/base/limits.h"
#include "core/mail/envelope.h"

/* How far the search for a request's end has come.  Starts as zeroes. */
struct weir_policy_scan {
    size_t line;    /* where the line being read begins */
    size_t seen;    /* octets looked at, none of them twice */
    unsigned lines; /* whole lines so far */
};

/* Looks for the end of the request that begins at bytes, of which len octets are
 * there; called again with the same bytes and more behind them, it goes on
 * where it stopped.  1 and its length with the empty line (scan is ready for the next
 * request); 0 when more is needed; WEIR_EINVAL or WEIR_ELIMIT and *why_r (static text)
 * as soon as it cannot become a request. */
int weir_policy_scan(struct weir_policy_scan *scan, const char *bytes, size_t len, size_t *len_r,
                     const char **why_r);

enum weir_policy_kind { WEIR_POLICY_DECIDE, WEIR_POLICY_STATUS };

/* Reads a request of len octets with its empty line.  0, or WEIR_EINVAL and *why_r (static
 * text).  A status request leaves the envelope empty. */
int weir_policy_parse(const char *bytes, size_t len, enum weir_policy_kind *kind_r,
                      struct weir_envelope *envelope_r, const char **why_r);

#define WEIR_POLICY_NEUTRAL "action=DUNNO\n\n"
#define WEIR_POLICY_ANSWER_MAX (WEIR_REPLY_MAX + 64) /* octets of an answer, its NUL included */

/* Writes the answer "action=WORD TEXT", or without text when that is "".  Whatever
 * is not printable ASCII becomes '?', what does not fit is cut; the empty line is
 * always there, and only at the end.  Returns the length. */
size_t weir_policy_answer(char buffer[static WEIR_POLICY_ANSWER_MAX], const char *word,
                          const char *text);

#endif
