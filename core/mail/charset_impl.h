/*
 * charset_impl - which charsets are known, and how each is read.  Not installed.
 */
#ifndef WEIR_MAIL_CHARSET_IMPL_H
#define WEIR_MAIL_CHARSET_IMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/cursor.h"

enum weir_charset_kind {
    WEIR_CHARSET_ASCII,
    WEIR_CHARSET_UTF8,
    WEIR_CHARSET_WINDOWS_1252, /* and iso-8859-1, as browsers have it */
    WEIR_CHARSET_UTF16,        /* which of both must be found out */
    WEIR_CHARSET_ICONV,
    WEIR_CHARSET_UTF7,         /* iconv, too; it goes on in ASCII behind what it cannot read */
};

struct weir_charset_known {
    const char *name;            /* letters in lower case and digits only */
    enum weir_charset_kind kind;
    const char *iconv_name;
    unsigned unit;               /* octets that an unreadable character is skipped by */
    bool ascii_inside;           /* ASCII octets mean ASCII characters */
};

/* How many charset names are known: places for descriptors. */
size_t weir_charset_known_count(void);

/* The place of a name as mail writes it, or -1. */
int weir_charset_find(struct weir_slice name);

const struct weir_charset_known *weir_charset_known(int place);

#endif
