/*
 * transfer - undoes content transfer encodings: base64, quoted-printable, uuencode.
 *
 * Hostile input is normal here, so that nothing ends the decoding but its end:
 * strange octets are skipped and noted, as mail readers do, because what a
 * reader would show is what must be judged.  Padding in the middle does not end
 * base64 (a free evasion against libraries that stop there).
 *
 * Owner:    output goes to the caller's line (core/base/line.h): what does not fit
 *           is left out and line->cut is set.  Output never exceeds input.
 * Errors:   none; *defects_r gets WEIR_TRANSFER_... bits.
 * Threads:  pure functions.
 * See also: RFC 2045 6.7, 6.8; POSIX uuencode.
 */
#ifndef WEIR_MAIL_TRANSFER_H
#define WEIR_MAIL_TRANSFER_H

#include "core/base/cursor.h"
#include "core/base/line.h"

enum weir_transfer {
    WEIR_TRANSFER_NONE, /* 7bit, 8bit, binary, or unknown: as it stands */
    WEIR_TRANSFER_BASE64,
    WEIR_TRANSFER_QUOTED,
    WEIR_TRANSFER_UUENCODE,
};

enum weir_transfer_defect {
    WEIR_TRANSFER_BAD_BASE64 = 1, /* octets outside the alphabet, early padding, a rest */
    WEIR_TRANSFER_BAD_QUOTED = 2, /* '=' without two hex digits or a line end */
    WEIR_TRANSFER_BAD_UUENCODE = 4,
};

/* The encoding a Content-Transfer-Encoding value names (any case, comments and
 * blanks around it); *known_r false for a word that is none (RFC 2045 6.4). */
enum weir_transfer weir_transfer_named(struct weir_slice value, bool *known_r);

/* Decodes text, appends it to out and sets (not ors) *defects_r.  uuencoded text may come with
 * or without its "begin" and "end". */
void weir_transfer_decode(enum weir_transfer transfer, struct weir_slice text,
                          struct weir_line *out, unsigned *defects_r);

/* Finds the next uuencoded piece ("begin 644 name" .. "end") in plain text at or
 * behind *from: 1 with its file name, its lines and *from behind it, or 0 and *from at the
 * end.  A piece without "end" ends at the first line that cannot be uuencoded.  Many
 * readers show a piece as the text it is, so it should be judged as both. */
int weir_transfer_find_uuencode(struct weir_slice text, size_t *from,
                                struct weir_slice *name_r, struct weir_slice *lines_r);

#endif
