/*
 * charset - from the charset a message claims to UTF-8.
 *
 * us-ascii, utf-8 and iso-8859-1/windows-1252 are done here, the rest by iconv
 * and only for an allow-list of charsets that mail is really written in: iconv
 * would load a module for any name a sender can think of, some with known troubles among
 * them.  UTF-7 (RFC 2152) is read because some mail readers do.
 *
 * What is claimed is often wrong, as browsers know: text claimed iso-8859-1 is read as
 * windows-1252, gb2312 as gb18030, euc-kr as windows-949, and so on.  Text claimed us-ascii,
 * iso-8859-1, windows-1252, unknown or nothing that is valid UTF-8 is taken as UTF-8, else as
 * windows-1252; text claimed utf-16 without a single NUL that is valid UTF-8 too.  Octets that
 * do not fit become U+FFFD and are noted.
 *
 * Owner:    a handle keeps iconv descriptors open (32 KB each, some 45 at most), for it costs
 *           20 us to open one.
 * Threads:  one handle, one thread.
 * Errors:   none when converting; *defects_r gets bits.  What does not fit into the line is
 *           cut between characters: what was appended is valid UTF-8 whatever came.
 * Limits:   WEIR_CHARSET_NAME_MAX; longer names are unknown.
 */
#ifndef WEIR_MAIL_CHARSET_H
#define WEIR_MAIL_CHARSET_H

#include "core/base/cursor.h"
#include "core/base/line.h"

struct weir_charsets;

enum weir_charset_defect {
    WEIR_CHARSET_UNKNOWN = 1, /* the name is not on the list */
    WEIR_CHARSET_INVALID = 2, /* octets that the charset does not have */
};

/* 0 or WEIR_ENOMEM.  Opens nothing yet. */
int weir_charsets_new(struct weir_charsets **charsets_r);
void weir_charsets_free(struct weir_charsets **charsets);

/* Appends text, claimed to be in charset (any case; empty: not claimed), to out
 * as UTF-8 and sets *defects_r.  charsets NULL: only what needs no iconv. */
void weir_charset_convert(struct weir_charsets *charsets, struct weir_slice charset,
                          struct weir_slice text, struct weir_line *out, unsigned *defects_r);

/* Whether it is a known charset in which ASCII octets may mean something else: UTF-7, UTF-16,
 * iso-2022-jp and the like. */
bool weir_charset_is_shifting(struct weir_slice charset);

/* Whether all of text is valid UTF-8 (RFC 3629: shortest form, no surrogates). */
bool weir_charset_is_utf8(struct weir_slice text);

#endif
