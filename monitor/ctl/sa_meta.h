/*
 * sa_meta - the text of a meta rule, token by token, so far as it must be understood.
 *
 * Owner:    slices point into the caller's text.
 * Limits:   WEIR_RULE_META_MAX terms, SA_META_DEPTH_MAX parentheses within each other.
 */
#ifndef WEIR_CTL_SA_META_H
#define WEIR_CTL_SA_META_H

#include "core/base/cursor.h"

#define SA_META_DEPTH_MAX 64

enum sa_meta_token { SA_META_END, SA_META_NAME, SA_META_NUMBER, SA_META_SIGN, SA_META_BAD };

/* Takes the next token off *rest. */
enum sa_meta_token sa_meta_next(struct weir_slice *rest, struct weir_slice *token_r);

/* Whether the text is an expression: terms and operators in turn, parentheses in
 * pairs.  0, or WEIR_EINVAL or WEIR_ELIMIT and *why_r, static text. */
int sa_meta_check(struct weir_slice text, const char **why_r);

#endif
