/*
 * header_text - what rules and people read of a header field: unfolded, decoded.
 *
 * A selector names what is looked at, in the words of SpamAssassin's rule language:
 *
 *     Subject           all fields of that name (any case), each unfolded, RFC 2047 words decoded
 *                       to UTF-8, blanks at both ends taken off, a line end behind each
 *     Subject:raw       as it stands, the blank behind the colon, folding and encoded words kept;
 *                       line ends are LF
 *     From:addr         the mail addresses in all fields of that name ("a@b"), without <> and
 *                       comments, line ends between them and none at the end
 *     From:name         the display names of all mailboxes, decoded, blanks made one, single
 *                       quotes around it taken off; a comment where there is no name.  Line
 *                       ends as with :addr.  From:name:raw: not decoded
 *     To:first, To:last only the first (last) of several fields
 *     ALL               all fields of the message, "Name: value\n" each, decoded
 *     ALL:raw           the header block as it stands, line ends LF
 *     ToCc              all To, then all Cc; :raw has folds made one blank, :addr and :name look
 *                       at what is decoded
 *     MESSAGEID         X-Message-Id, Resent-Message-Id, X-Original-Message-ID, Message-Id, in
 *                       this order; :raw as with ToCc
 *
 * ALL and MESSAGEID are written in capitals only.  In Received, Message-ID, Date, Resent- of both,
 * MIME-Version, References, In-Reply-To and List-... encoded words are left as they are, for they
 * have no place there.  An unknown modifier (":host", ":ip") is as if not written:
 * whoever takes rules in should refuse it.
 *
 * Owner:    output is appended to the caller's line; what does not fit is cut.
 * Errors:   none; a defect is noted in the message (WEIR_DEFECT_BAD_WORD, BAD_CHARSET).
 * Limits:   WEIR_HEADER_TEXT_MAX for one value, before and after decoding, and for all values
 *           of a selector with :addr or :name; some 200 KB of stack.
 * See also: RFC 2047 (with the usual leniency: words in quotes, without blanks
 *           between, text in charsets that are not as claimed), RFC 2231 5.
 */
#ifndef WEIR_MAIL_HEADER_TEXT_H
#define WEIR_MAIL_HEADER_TEXT_H

#include "core/mail/charset.h"
#include "core/mail/message.h"

enum weir_header_defect {
    WEIR_HEADER_BAD_WORD = 1,    /* an encoded word that cannot be decoded as it should be */
    WEIR_HEADER_BAD_CHARSET = 2, /* its charset is unknown, or not what the text is in */
};

/* Appends what the selector gives for part 0.  1; 0 when the message has no such field. */
int weir_header_text(struct weir_message *message, struct weir_charsets *charsets,
                     struct weir_slice selector, struct weir_line *out);

/* The same for one value as it stands in a field: unfolds and decodes, and sets *defects_r
 * (enum weir_header_defect). */
void weir_header_decode(struct weir_charsets *charsets, struct weir_slice value,
                        struct weir_line *out, unsigned *defects_r);

/* The mail address in a From, Sender or Reply-To value as it stands ("" when there is
 * none): the first one in it; *several_r when there are more. */
struct weir_slice weir_header_address(struct weir_slice value, bool *several_r);

#endif
