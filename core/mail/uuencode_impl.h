/*
 * uuencode_impl - what transfer.c takes from uuencode.c.
 */
#ifndef WEIR_MAIL_UUENCODE_IMPL_H
#define WEIR_MAIL_UUENCODE_IMPL_H

#include <stdbool.h>

#include "core/base/cursor.h"
#include "core/base/line.h"

/* Decodes uuencoded lines, with or without "begin" and "end" around them, and appends
 * what they hold to out.  Whether something was wrong. */
bool weir_uuencode_decode(struct weir_slice text, struct weir_line *out);

#endif
