/*
 * dialogue_command - one line of an SMTP client, read for what it asks.
 *
 * Pure.  Tolerant: blanks in front, any case, missing angle brackets.  What a server does not
 * understand it refuses, and its reply decides what counts.
 *
 *     MAIL FROM:<@relay.example:"John Doe"@example.org> SIZE=100   "John Doe"@example.org
 *
 * Limits:   a line of which not all octets are there has an address only when it is whole, and
 *           no chunk.  A chunk has at most 2^62 octets; larger ones are none.
 */
#ifndef WEIR_SNIFFER_DIALOGUE_COMMAND_H
#define WEIR_SNIFFER_DIALOGUE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/cursor.h"

enum weir_command_kind {
    WEIR_COMMAND_OTHER,
    WEIR_COMMAND_GREETING,  /* what the first reply answers: the connection itself */
    WEIR_COMMAND_HELLO,     /* HELO or EHLO */
    WEIR_COMMAND_MAIL,
    WEIR_COMMAND_RCPT,
    WEIR_COMMAND_DATA,
    WEIR_COMMAND_DOT,       /* the end of DATA's body */
    WEIR_COMMAND_BDAT,
    WEIR_COMMAND_BDAT_LAST,
    WEIR_COMMAND_RSET,
    WEIR_COMMAND_STARTTLS,
    WEIR_COMMAND_XCLIENT,
    WEIR_COMMAND_QUIT,
};

struct weir_dialogue_command {
    enum weir_command_kind kind;
    bool has_mailbox;           /* MAIL, RCPT: of at most WEIR_MAILBOX_MAX octets */
    struct weir_slice mailbox;  /* without < > and source route; in the line */
    uint64_t chunk;             /* BDAT: octets that follow */
    bool has_client;            /* XCLIENT: ADDR= with an address */
    bool client_unknown;        /* XCLIENT: ADDR= with what is none, [UNAVAILABLE] say */
    struct weir_address client;
    uint16_t client_port;       /* PORT=, else 0 */
};

/* Reads a line without its end; cut: it was longer than that. */
struct weir_dialogue_command weir_dialogue_command_read(struct weir_slice line, bool cut);

#endif
