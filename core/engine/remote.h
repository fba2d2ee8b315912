/*
 * remote - asking a Weir daemon about a whole message, over a Unix socket.
 *
 * For short-lived processes (Exim's): the daemon has its rules compiled and counters
 * connected.  One question a connection, or many, one after the other.
 *
 *     question   weir-decide 1\n          answer   weir-outcome 1\n
 *                client=192.0.2.7\n                verdict=spam\n
 *                client_name=mx.example\n          action=reject\n
 *                helo=mx.example\n                 score=7.25\n
 *                sender=a@example.org\n            reply=550 5.7.1 ...\n
 *                recipient=b@example.net\n  (each) remove=X-Weir-Info\n      (each)
 *                queue_id=...\n                    add=X-Spam-Flag: YES\n    (each)
 *                listener=...\n                    info=v1; ...\n
 *                authenticated=1\n                 log=verdict=spam ...\n
 *                size=1234\n                       \n
 *                \n
 *                <1234 octets: header and body>
 *
 * In values '\n', '\r', '\t' and '\\' stand as \n, \r, \t and \\; other octets as they are, NUL
 * is an error.
 * Unknown names are skipped, so that either side may be newer.
 *
 * Owner:    what is read points into the caller's octets, or lives in the arena.
 * Errors:   1 read; 0 more octets are needed; WEIR_EINVAL malformed; WEIR_ELIMIT too long.
 * Limits:   WEIR_REMOTE_HEAD_MAX, WEIR_REMOTE_ANSWER_MAX, WEIR_MESSAGE_MAX, WEIR_RECIPIENTS_MAX.
 */
#ifndef WEIR_ENGINE_REMOTE_H
#define WEIR_ENGINE_REMOTE_H

#include "core/base/arena.h"
#include "core/engine/judge.h"

/* The question up to its empty line; the message's octets follow it.  line->cut when it does
 * not fit: then do not ask. */
void weir_remote_question(const struct weir_mail *mail, struct weir_line *out);

/* Reads a question's head: *head_r is its length, *size_r that of the message behind it;
 * mail_r->message is left empty. */
int weir_remote_read_question(const char *octets, size_t len, struct weir_arena *arena,
                              struct weir_mail *mail_r, size_t *head_r, size_t *size_r);

/* The answer; line->cut when it does not fit: then send none.  And back: see Errors. */
void weir_remote_answer(const struct weir_outcome *outcome, struct weir_line *out);
int weir_remote_read_answer(const char *octets, size_t len, struct weir_arena *arena,
                            struct weir_outcome *outcome_r);

#endif
