/*
 * received - one Received field taken apart.
 *
 * Written by many programs in many ways (Postfix, Exim, Sendmail, qmail, Exchange, Gmail,
 * fetchmail, ...), and by spammers in the ways that mislead parsers.  What counts is
 * the address that the receiving server itself wrote down: the one in brackets or
 * parentheses behind "from", as that server's style has it, not the HELO name a
 * client chose, even when that looks like an address.  Where two comments hold different
 * addresses nobody can tell which is the server's, and there is none.
 *
 * Owner:    slices point into the field's value.
 * Errors:   0 for what cannot be read: then nothing in it is believed.
 * Limits:   WEIR_RECEIVED_MAX; longer values cannot be read.
 * See also: RFC 5321 4.4, 7.6; RFC 3848 (with), RFC 2821 for older forms.
 */
#ifndef WEIR_MAIL_RECEIVED_H
#define WEIR_MAIL_RECEIVED_H

#include <stdbool.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"

struct weir_received {
    bool has_address;
    struct weir_address address; /* of the peer, as the server saw it */
    struct weir_slice helo;      /* what the peer called itself; may be empty */
    struct weir_slice name;      /* its verified name as the server looked it up; may be empty */
    struct weir_slice by;        /* the server that wrote the line; may be empty */
    struct weir_slice with;      /* "ESMTPSA", "HTTP", ... */
    struct weir_slice id;
    bool authenticated;          /* with ESMTPA, ESMTPSA, ... or words that say so */
    bool fetched;                /* with POP3, IMAP, or fetchmail, getmail: no SMTP hop at all */
    bool local;                  /* handed over on the same machine: "from userid", "by uid" */
    bool remark;                 /* no hop: what qmail writes between two, "(qmail 7 invoked ..." */
    weir_time at;                /* behind the last ';'; 0 when it cannot be read */
};

/* Reads the value of a Received field, folding and all.  1, or 0. */
int weir_received_read(struct weir_slice value, struct weir_received *received_r);

#endif
