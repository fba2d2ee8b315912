/*
 * envelope - what a mail server knows of a message before it has its content.
 *
 * Slices point into somebody else's bytes (a policy request, Exim's variables)
 * and live as long as those.  An empty slice means not known, except the
 * sender: from stage MAIL on an empty sender is the null sender (RFC 5321 4.5.5).
 */
#ifndef WEIR_MAIL_ENVELOPE_H
#define WEIR_MAIL_ENVELOPE_H

#include <stdbool.h>

#include "core/base/address.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"

/* How far the SMTP session is. */
enum weir_stage {
    WEIR_STAGE_OTHER, /* VRFY, ETRN: nothing is decided */
    WEIR_STAGE_CONNECT,
    WEIR_STAGE_HELO,
    WEIR_STAGE_MAIL,
    WEIR_STAGE_RCPT,
    WEIR_STAGE_DATA,
    WEIR_STAGE_END, /* end of message */
};

struct weir_envelope {
    enum weir_stage stage;
    bool has_client;              /* client is set: false for local submission */
    struct weir_address client;
    struct weir_slice client_name; /* verified by forward and reverse look-up, or "unknown" */
    struct weir_slice helo;
    struct weir_slice sender;      /* as given in MAIL FROM, without <> */
    struct weir_slice recipient;
    struct weir_slice instance;    /* Postfix: one per message, from RCPT on */
    struct weir_slice queue_id;    /* as the mail server says it: weir_queue_id_is() before use */
    bool authenticated;            /* the client logged in: one of our own users */
    struct weir_slice stated;      /* the domain the message states as its sender's, where its
                                    * content is known; empty: that of sender */
    bool vouched;                  /* SPF, DKIM or DMARC vouch for that domain */
};

/* Whether a text is a queue id as mail servers make them: letters, digits, '-', '.', '_', at least
 * one and WEIR_QUEUE_ID_MAX at most.  Others are neither told nor kept nor looked for. */
bool weir_queue_id_is(struct weir_slice text);

/* The domain part of a mailbox (behind the last '@' outside quotes), as it
 * stands; empty when there is none. */
struct weir_slice weir_mailbox_domain(struct weir_slice mailbox);

/* The local part, as it stands; the whole when there is no '@'. */
struct weir_slice weir_mailbox_local(struct weir_slice mailbox);

/* True from stage MAIL on, when the sender is empty (or "<>"). */
bool weir_envelope_null_sender(const struct weir_envelope *envelope);

/* Whether the recipient's local part is one of names (any case; "+tag" behind
 * it does not matter): postmaster and abuse must be reachable, RFC 2142. */
bool weir_envelope_role_recipient(const struct weir_envelope *envelope, const char *const *name,
                                  size_t names);

#endif
