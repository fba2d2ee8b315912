/*
 * slice - what is asked of a piece of text again and again: is it this word, where do its
 * blanks end, what is this hex digit worth.
 *
 * All inline, none looks outside the slice, none copies.  _is, _begins, _ends: in any case of
 * ASCII letters, as mail has its names; _equals, _same: octet by octet.
 *
 *     weir_is_wsp    a blank, a tab: what stands inside a line (RFC 5234's WSP)
 *     weir_is_blank  these, CR, LF: what header fields are folded and parted with
 *     weir_is_space  these, vertical tab and form feed: C's isspace()
 */
#ifndef WEIR_BASE_SLICE_H
#define WEIR_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "core/base/cursor.h"

static inline bool weir_is_wsp(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool weir_is_blank(char c)
{
    return weir_is_wsp(c) || c == '\r' || c == '\n';
}

static inline bool weir_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool weir_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What a hexadecimal digit is worth, or -1. */
static inline int weir_hex_value(char c)
{
    if (weir_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A text of ours as a slice. */
static inline struct weir_slice weir_slice_of(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

/* NULL is an empty one. */
static inline struct weir_slice weir_slice_maybe(const char *text)
{
    return weir_slice_of(text ? text : "");
}

static inline struct weir_slice weir_slice_between(const char *at, const char *end)
{
    return (struct weir_slice){at, (size_t)(end - at)};
}

/* Without its first len octets; it must have them. */
static inline struct weir_slice weir_slice_behind(struct weir_slice slice, size_t len)
{
    return (struct weir_slice){slice.at + len, slice.len - len};
}

static inline bool weir_slice_begins(struct weir_slice slice, const char *word)
{
    size_t len = strlen(word);
    return slice.len >= len && strncasecmp(slice.at, word, len) == 0;
}

static inline bool weir_slice_ends(struct weir_slice slice, const char *word)
{
    size_t len = strlen(word);
    return slice.len >= len && strncasecmp(slice.at + slice.len - len, word, len) == 0;
}

static inline bool weir_slice_is(struct weir_slice slice, const char *word)
{
    return slice.len == strlen(word) && strncasecmp(slice.at, word, slice.len) == 0;
}

static inline bool weir_slice_equals(struct weir_slice slice, const char *text)
{
    return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

static inline bool weir_slice_same(struct weir_slice a, struct weir_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Whether a host's name is a domain or lies below it; nothing lies below no domain. */
static inline bool weir_slice_within(struct weir_slice name, struct weir_slice domain)
{
    if (domain.len == 0 || name.len < domain.len)
        return false;
    const char *tail = name.at + (name.len - domain.len);
    return strncasecmp(tail, domain.at, domain.len) == 0 &&
           (name.len == domain.len || tail[-1] == '.');
}

/* Without space at both ends. */
static inline struct weir_slice weir_slice_trim(struct weir_slice text)
{
    while (text.len > 0 && weir_is_space(text.at[0]))
        text = weir_slice_behind(text, 1);
    while (text.len > 0 && weir_is_space(text.at[text.len - 1]))
        text.len--;
    return text;
}

/* The first word of *text, up to space; *text is then what is behind it, trimmed. */
static inline struct weir_slice weir_slice_word(struct weir_slice *text)
{
    struct weir_slice rest = weir_slice_trim(*text), word = {rest.at, 0};
    while (word.len < rest.len && !weir_is_space(rest.at[word.len]))
        word.len++;
    *text = weir_slice_trim(weir_slice_behind(rest, word.len));
    return word;
}

#endif
