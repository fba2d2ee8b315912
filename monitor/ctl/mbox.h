/*
 * mbox - messages of a file one after the other: of an mbox, in which each begins with a line
 * "From " at the beginning or behind an empty line (RFC 4155), or the one message that the file is.
 *
 * Threads:  pure.  Limits: none of its own; one pass, whatever the octets.
 */
#ifndef WEIR_CTL_MBOX_H
#define WEIR_CTL_MBOX_H

#include <stdbool.h>

#include "core/base/cursor.h"

/* Takes the next message, without its "From " line, off what is left of a file: false at the end.
 * An empty file has none. */
bool weir_mbox_next(struct weir_slice *rest, struct weir_slice *message_r);

#endif
