/*
 * Where characters are that nobody sees.  Nearly all text has none, so what counts is how fast
 * that is known: ASCII is passed over eight octets at a time, and only five leads are looked
 * at more closely.  Nothing is owned, nothing refused.
 *
 *     U+00AD soft hyphen       U+034F grapheme joiner      U+180E Mongolian separator
 *     U+200B..200F zero width, left and right marks        U+202A..202E, 2066..206F direction
 *     U+2060..2064 word joiner and what only formulas use  U+FE00..FE0F, E0100..E01EF variants
 *     U+FEFF zero width        U+E0000..E007F tags
 */
#include "core/mail/invisible.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static const unsigned char is_lead[256] = {
    [0xc2] = 1, [0xcd] = 1, [0xe1] = 1, [0xe2] = 1, [0xef] = 1, [0xf3] = 1,
};

static bool between(unsigned char octet, unsigned char low, unsigned char high)
{
    return octet >= low && octet <= high;
}

/* Octets of the one at `at`, or 0 when there is none. */
static size_t invisible_at(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    if (len < 2)
        return 0;
    if (at[0] == 0xc2 || at[0] == 0xcd)
        return at[1] == (at[0] == 0xc2 ? 0xad : 0x8f) ? 2 : 0;
    if (len < 3)
        return 0;
    if (at[0] == 0xe2 && at[1] == 0x80)
        return between(at[2], 0x8b, 0x8f) || between(at[2], 0xaa, 0xae) ? 3 : 0;
    if (at[0] == 0xe2 && at[1] == 0x81)
        return between(at[2], 0xa0, 0xaf) && at[2] != 0xa5 ? 3 : 0;
    if (at[0] == 0xe1)
        return at[1] == 0xa0 && at[2] == 0x8e ? 3 : 0;
    if (at[0] == 0xef)
        return (at[1] == 0xbb && at[2] == 0xbf) || (at[1] == 0xb8 && between(at[2], 0x80, 0x8f))
                   ? 3 : 0;
    if (at[0] == 0xf3 && len >= 4 && at[1] == 0xa0 && between(at[3], 0x80, 0xbf))
        return between(at[2], 0x80, 0x81) || between(at[2], 0x84, 0x86) ||
                       (at[2] == 0x87 && at[3] <= 0xaf) ? 4 : 0;
    return 0;
}

/* The next octet that may be the first of one, or the end. */
static const char *next_lead(const char *at, const char *end)
{
    for (;;) {
        for (uint64_t eight; end - at >= (ptrdiff_t)sizeof eight; at += sizeof eight) {
            memcpy(&eight, at, sizeof eight);
            if (eight & HIGH_BITS)
                break;
        }
        const char *stop = end - at > (ptrdiff_t)sizeof(uint64_t) ? at + sizeof(uint64_t) : end;
        while (at < stop && !is_lead[(unsigned char)*at])
            at++;
        if (at < stop || at == end)
            return at;
    }
}

/* The next one, or the end; *len_r: its octets. */
static const char *next_invisible(const char *at, const char *end, size_t *len_r)
{
    *len_r = 0;
    while ((at = next_lead(at, end)) < end) {
        *len_r = invisible_at(at, (size_t)(end - at));
        if (*len_r > 0)
            return at;
        at++;
    }
    return end;
}

/* A row of them: where it ends, how many they are, and whether all are soft hyphens. */
struct row {
    const char *end;
    size_t count;
    bool soft;
};

static struct row row_at(const char *at, const char *end, size_t len)
{
    struct row row = {.end = at, .soft = true};
    for (; len > 0; len = invisible_at(row.end, (size_t)(end - row.end))) {
        row.soft &= (unsigned char)*row.end == 0xc2;
        row.end += len;
        row.count++;
    }
    return row;
}

/* Octets of a Latin, Greek or Cyrillic letter at `at`, or 0. */
static size_t letter_at(const char *text, const char *end)
{
    const unsigned char *at = (const unsigned char *)text;
    if (end - text >= 1 && between((unsigned char)(at[0] | 0x20), 'a', 'z'))
        return 1;
    if (end - text >= 2 && between(at[0], 0xc3, 0xd4))
        return 2;
    return end - text >= 3 && at[0] == 0xe1 && between(at[1], 0xb8, 0xbf) ? 3 : 0;
}

/* Octets of the letter that ends at `at`, or 0. */
static size_t letter_before(const char *start, const char *at)
{
    for (size_t len = 1; len <= 3 && at - start >= (ptrdiff_t)len; len++)
        if (letter_at(at - len, at) == len)
            return len;
    return 0;
}

/* Whether an expression may be about what stands there: ASCII, or a letter of ours. */
static bool is_plain(const char *at, const char *end)
{
    return at < end && (between((unsigned char)*at, '!', '~') || letter_at(at, end) > 0);
}

static bool is_plain_before(const char *start, const char *at)
{
    return at == start || (unsigned char)at[-1] < 0x80 || letter_before(start, at) > 0;
}

struct weir_invisible weir_invisible_scan(struct weir_slice text)
{
    struct weir_invisible found = {0};
    const char *at = text.at, *end = at + text.len, *start = at;
    size_t len;
    while ((at = next_invisible(at, end, &len)) < end) {
        struct row row = row_at(at, end, len);
        size_t letter = letter_before(start, at);
        bool alone = letter > 0 && letter_before(start, at - letter) == 0;
        if (letter > 0 && letter_at(row.end, end) > 0 && (!row.soft || alone))
            found.in_words += row.count;
        found.matters |= is_plain_before(start, at) || is_plain(row.end, end);
        start = at = row.end;
    }
    return found;
}

struct weir_slice weir_invisible_next(struct weir_slice *rest)
{
    const char *start = rest->at, *end = start + rest->len;
    size_t len;
    const char *at = next_invisible(start, end, &len);
    const char *behind = row_at(at, end, len).end;
    *rest = (struct weir_slice){behind, (size_t)(end - behind)};
    return (struct weir_slice){start, (size_t)(at - start)};
}

void weir_invisible_strip(struct weir_slice text, struct weir_line *out)
{
    while (text.len > 0) {
        struct weir_slice seen = weir_invisible_next(&text);
        weir_line_octets(out, seen.at, seen.len);
    }
}
