/*
 * milter_session - one SMTP session as a milter sees it, put together to a weir_mail.
 *
 * The mail server hands over the client, the envelope, field after field and pieces of the
 * body; here they become the message as it came: "Name:value" lines and the body, line ends LF.
 * Only the first octets_most octets are kept; more are not needed to judge.  When the memory that
 * all sessions share is nearly used up, less is kept: a message is then judged by a shorter
 * beginning.  Fields of our own names are counted as they are handed over, whatever is kept.
 *
 * Owner:    the caller owns the session; the mail it gives points into it.
 * Threads:  one at a time (libmilter calls one after the other, on changing threads); the
 *           memory is shared by all.
 * Errors:   WEIR_ENOMEM; the session then gives no mail until the next message begins.
 * Limits:   octets_most, WEIR_RECIPIENTS_MAX (more are counted, not kept), the shared memory,
 *           WEIR_MILTER_SHORT_MAX when three quarters of it are used.
 */
#ifndef WEIR_POLICY_MILTER_SESSION_H
#define WEIR_POLICY_MILTER_SESSION_H

#include <stdatomic.h>

#include "core/engine/judge.h"

#define WEIR_POLICY_HEADER "X-Weir-Policy" /* what weir-policyd puts on top of a message */

struct weir_milter_session;

/* What all sessions hold together. */
struct weir_milter_memory {
    atomic_size_t held;
    size_t most;
};

/* octets_most of a message are kept; memory is borrowed.  0 or WEIR_ENOMEM. */
int weir_milter_session_new(size_t octets_most, struct weir_milter_memory *memory,
                            struct weir_milter_session **session_r);
void weir_milter_session_free(struct weir_milter_session **session);

/* A client: again after XCLIENT.  name in [brackets]: not verified.  at NULL: local. */
void weir_milter_session_connect(struct weir_milter_session *session, const char *name,
                                 const struct weir_address *at);
void weir_milter_session_helo(struct weir_milter_session *session, const char *helo);

/* MAIL FROM begins a message; "<a@b>" or "a@b". */
void weir_milter_session_mail(struct weir_milter_session *session, const char *sender,
                              bool authenticated, const char *listener);
void weir_milter_session_recipient(struct weir_milter_session *session, const char *recipient);

/* value as libmilter gives it with leading blanks kept ("\n\t" for folding). */
void weir_milter_session_field(struct weir_milter_session *session, const char *name,
                               const char *value);
void weir_milter_session_head_ends(struct weir_milter_session *session);
void weir_milter_session_body(struct weir_milter_session *session, const void *octets,
                              size_t len);

/* Whether memory was short, so that less was kept than octets_most. */
bool weir_milter_session_cut(const struct weir_milter_session *session);

/* Forgets the message, not the client. */
void weir_milter_session_reset(struct weir_milter_session *session);

/* Whether a message has begun and not ended. */
bool weir_milter_session_busy(const struct weir_milter_session *session);

/* How often a field of this name was handed over, in any case, also with blanks behind the name.
 * Known are our own names: those of an outcome's remove, and WEIR_POLICY_HEADER; of others 0. */
unsigned weir_milter_session_count(const struct weir_milter_session *session, const char *name);

/* Whether the first field of all is a WEIR_POLICY_HEADER: where weir-policyd's stands. */
bool weir_milter_session_policy_first(const struct weir_milter_session *session);

/* The mail at its end.  1, or 0 when memory was short. */
int weir_milter_session_end(struct weir_milter_session *session, const char *queue_id,
                            struct weir_mail *mail_r);

#endif
