/*
 * received_impl - a Received value as words and comments, for received*.c.
 *
 *     from a.example (b.example [192.0.2.7]) by mx.example (Postfix) with ESMTP id 4F; date
 *     word word      comment                 word word     comment   ...            ^ at
 *
 * Comments are kept whole, nested ones and all; quoted strings belong to their word.
 * The writer of the line stands behind the last "by" outside comments: a HELO
 * name with blanks in it can hold a "by" of its own, but stands before the writer's.
 */
#ifndef WEIR_MAIL_RECEIVED_IMPL_H
#define WEIR_MAIL_RECEIVED_IMPL_H

#include <string.h>
#include <strings.h>

#include "core/base/slice.h"
#include "core/mail/received.h"

#define WEIR_RECEIVED_TOKENS_MAX 256 /* real ones have less than 60 */

struct weir_received_token {
    struct weir_slice text; /* of a comment without its outer parentheses */
    bool comment;
};

struct weir_received_tokens {
    struct weir_received_token token[WEIR_RECEIVED_TOKENS_MAX];
    size_t tokens;           /* those before the date */
    size_t by;               /* index of the last "by"; tokens when there is none */
    struct weir_slice date;  /* behind the last ';' */
};

/* 1; 0 when a comment never ends, there are too many tokens, or none at all. */
int weir_received_split(struct weir_slice value, struct weir_received_tokens *line_r);

/* The next word of a text parted by blanks, taken off its front; empty at its end. */
struct weir_slice weir_received_word(struct weir_slice *text);

/* Whether a text has these two words, any case, one behind the other. */
bool weir_received_phrase(struct weir_slice text, const char *first, const char *second);

/* The value of "keyword=value" or "keyword value" in a comment, up to the next blank: for helo,
 * HELO, EHLO, LHLO.  Empty when there is none. */
struct weir_slice weir_received_helo(struct weir_slice comment);

/* An address a server wrote: in [brackets], perhaps with a port or a zone behind it; with bare,
 * also without brackets.  1 or 0. */
int weir_received_address(struct weir_slice word, bool bare, struct weir_address *address_r);

#endif
