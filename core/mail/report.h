/*
 * report - what a person hands in about mail: which messages, whether spam or ham, and who says so.
 *
 *     itself    the message as it stands: a reader's pipe, a folder's script
 *     attached  a letter with the messages attached: message/rfc822, message/global, *.eml
 *     arf       a feedback report (RFC 5965): a part for machines, and the message or its header
 *
 * Which of the three it is can be told, and should be wherever messages come in one way: spam has
 * attachments, too, and a letter is not what it complains of.  Left open, a feedback report is one,
 * a letter with messages attached reports these (but not a bounce, multipart/report), and
 * anything else itself.
 *
 * All of it is as the message says, and nothing is proven by it: whether an original was ever here
 * is told by its spam-info string (core/engine/info.h), and From is not who sent it.
 *
 * Owner:    slices point into the message, or, what was encoded, into the arena.
 * Errors:   WEIR_ENOMEM only.
 * Limits:   WEIR_REPORT_ORIGINALS_MAX, further ones are counted; WEIR_REPORT_DECODED_MAX octets of
 *           encoded ones; WEIR_REPORT_MACHINE_MAX of the part for machines.  Messages within
 *           attached ones are theirs.  Time is linear.
 * See also: RFC 5965, 6430 (not-spam), 6591 (auth-failure), 6532 (message/global).
 */
#ifndef WEIR_MAIL_REPORT_H
#define WEIR_MAIL_REPORT_H

#include "core/base/limits.h"
#include "core/mail/message.h"

enum weir_report_way {
    WEIR_REPORT_ANY,       /* as a wish only: whatever it looks like */
    WEIR_REPORT_ITSELF,
    WEIR_REPORT_ATTACHED,  /* as a wish: in a feedback report, too */
    WEIR_REPORT_ARF,
    WEIR_REPORT_WAYS
};

/* "any", "itself", "attached", "arf".  Static text. */
const char *weir_report_way_name(enum weir_report_way way);

enum weir_report_said {
    WEIR_REPORT_NOTHING,   /* it does not say, or in words that nobody knows */
    WEIR_REPORT_SPAM,      /* Feedback-Type: abuse, fraud, virus */
    WEIR_REPORT_HAM,       /* not-spam */
    WEIR_REPORT_NO_OPINION /* auth-failure: of a machine, about something else */
};

struct weir_report_original {
    struct weir_slice octets;
    bool head;             /* only its header is there */
    bool cut;              /* it was encoded, and what follows is more than is decoded */
};

struct weir_report {
    enum weir_report_way way;
    enum weir_report_said said;
    struct weir_slice from;       /* the one address in the letter's From, or empty; of a message
                                   * that reports itself that is its sender, and empty here */
    /* Of a feedback report, as written, or empty. */
    struct weir_slice feedback, source, sender; /* Feedback-Type, Source-IP, Original-Mail-From */
    struct weir_report_original original[WEIR_REPORT_ORIGINALS_MAX];
    size_t originals, more;       /* more: beyond the limit */
};

/* Finds what a message reports.  0 or WEIR_ENOMEM. */
int weir_report_read(const struct weir_message *message, enum weir_report_way wish,
                     struct weir_arena *arena, struct weir_report *report_r);

#endif
