/*
 * header_text_impl - what header_text.c is made of: unfolding and encoded words
 * (encoded_word.c), and the mailboxes of From and its like (address_list.c).
 */
#ifndef WEIR_MAIL_HEADER_TEXT_IMPL_H
#define WEIR_MAIL_HEADER_TEXT_IMPL_H

#include "core/base/limits.h"
#include "core/mail/header_text.h"

/* A value with folds made single blanks and the blanks at both ends taken off: itself, or
 * a copy in room.  What is past WEIR_HEADER_TEXT_MAX is left out. */
struct weir_slice weir_header_unfold(struct weir_slice value,
                                     char room[static WEIR_HEADER_TEXT_MAX]);

/* Appends an unfolded text in UTF-8, encoded words decoded if wanted. */
void weir_words_decode(struct weir_charsets *charsets, struct weir_slice text, bool words,
                       struct weir_line *out, unsigned *defects);

/* One item of a list of mailboxes; places in the value, empty when not there. */
struct weir_mailbox {
    struct weir_slice phrase;  /* before the <>, or all that there is; with its quotes */
    struct weir_slice address; /* "a@b" */
    struct weir_slice comment; /* behind it, without parentheses */
    bool has_comment;          /* perhaps an empty one */
};

/* A list being read. */
struct weir_mailbox_list {
    const char *at, *end;
    bool broken; /* an item could not be read */
};

struct weir_mailbox_list weir_mailbox_list(struct weir_slice value);

/* The next mailbox.  1, or 0 at the end. */
int weir_mailbox_next(struct weir_mailbox_list *list, struct weir_mailbox *mailbox_r);

/* Appends the name of a mailbox: quotes, backslashes and comments taken off, nothing
 * decoded.  1; 0 when it has none, not even an empty comment. */
int weir_mailbox_name(const struct weir_mailbox *mailbox, struct weir_line *out);

#endif
