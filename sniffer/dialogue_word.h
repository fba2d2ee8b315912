/*
 * dialogue_word - what a reply says by itself, whatever the client seems to have asked.
 *
 *     250 2.1.0 Ok                                    sender
 *     250 2.1.5 Ok         250 Accepted               recipient
 *     250 2.0.0 Ok: 812 bytes queued as 4XyZ          queued
 *     250 OK id=1vMabc-000000001Xy-2Zab               queued
 *     250 2.0.0 5AM9Xyz Message accepted for delivery queued
 *     250 2.6.0 <a@b> [...] Queued mail for delivery  queued
 *
 * Enhanced codes are those of RFC 3463 as RFC 2034's servers use them; the texts those of Postfix,
 * Exim, Sendmail and Exchange.  No word: the reply may be to anything.  What a server repeats of
 * its client (a name behind HELO, an address) has no blanks, and so makes no such text.
 *
 * Owner:    nothing is kept.  Pure.
 */
#ifndef WEIR_SNIFFER_DIALOGUE_WORD_H
#define WEIR_SNIFFER_DIALOGUE_WORD_H

#include "core/base/cursor.h"

enum weir_word { WEIR_WORD_NONE, WEIR_WORD_SENDER, WEIR_WORD_RECIPIENT, WEIR_WORD_QUEUED };

/* The last line of a reply, or its beginning, with its code and without its end. */
enum weir_word weir_word_read(struct weir_slice line);

#endif
