/*
 * acl_functions - what Exim's ACLs ask before there is a message: is this address listed, what
 * is known of this sender.  The same decisions as weir-policyd gives Postfix.
 *
 * Owner:    answers are static text or live in the buffer.
 * Errors:   none: whatever cannot be found out, mail flows.  In mode observe nobody is refused,
 *           and what would have been is logged.
 */
#ifndef WEIR_EXIM_MODULE_ACL_FUNCTIONS_IO_H
#define WEIR_EXIM_MODULE_ACL_FUNCTIONS_IO_H

#include "exim-module/exim_process_io.h"

#define WEIR_ACL_TEXT (2 * WEIR_DECISION_TEXT)

/* What is said where nothing could be found out. */
#define WEIR_ACL_NOTHING "verdict=ham score=0.00 action=pass ground=nothing"

/* What an ACL hands over; texts may be NULL or empty: not known. */
struct weir_acl_question {
    const char *client;    /* an address */
    const char *sender;
    const char *recipient; /* NULL: not known yet; then only lists are asked */
    const char *helo;
    const char *client_name; /* as verified */
};

/* Whether mail from this address is to be refused because of the blacklist. */
bool weir_acl_blacklisted(struct weir_exim_process *process, const char *client);

/* Everything about a sender in words that ${extract} reads:
 *     verdict=spam score=3.00 action=reject ground=reputation ... reply="550 5.7.1 ..." */
const char *weir_acl_reputation(struct weir_exim_process *process,
                                const struct weir_acl_question *question,
                                char buffer[static WEIR_ACL_TEXT]);

#endif
