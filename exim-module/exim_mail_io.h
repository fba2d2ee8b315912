/*
 * exim_mail - a message as Exim holds it, made into a message as the core knows it.
 *
 * Exim has the header in memory, field by field, some marked as deleted, and among them the
 * Received field it has just made itself; the body is in a file.  The core gets what a
 * milter of Postfix would get: the fields as received, without that one; an empty line; the body.
 *
 * Own Received field: the first that names this message's id, which nobody outside can know;
 * where the administrator's received_header_text names none, the first Received field of all.
 *
 * Owner:    texts of the envelope are borrowed; *octets_r is the caller's, to be freed.
 * Errors:   0; WEIR_ENOMEM; WEIR_EIO when the body cannot be read.
 * Limits:   the size that the caller gives: of what is longer the beginning is taken.
 *           WEIR_RECIPIENTS_MAX recipients.
 */
#ifndef WEIR_EXIM_MODULE_EXIM_MAIL_IO_H
#define WEIR_EXIM_MODULE_EXIM_MAIL_IO_H

#include <sys/types.h>

#include "core/base/arena.h"
#include "core/engine/judge.h"

struct weir_exim_field {
    struct weir_slice text; /* with its name, folding and line end */
    bool deleted;
};

/* What Exim knows.  Texts may be NULL: not known. */
struct weir_exim_message {
    const struct weir_exim_field *field;
    size_t fields;
    int body;               /* a file, */
    off_t body_at;          /* and where in it the body begins */
    const char *id;
    const char *client;     /* an address; NULL: submitted on this machine */
    const char *client_name; /* as verified */
    const char *helo;
    const char *sender;
    const char *listener_address;
    int listener_port;
    bool authenticated;
    const struct weir_slice *recipient;
    size_t recipients;
};

/* At most so many octets of the message. */
int weir_exim_mail(const struct weir_exim_message *message, size_t most, struct weir_arena *arena,
                   struct weir_mail *mail_r, char **octets_r);

#endif
