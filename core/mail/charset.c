/*
 * Text to UTF-8.  Nearly all mail is ASCII or UTF-8 and only copied, eight octets at a
 * time; windows-1252 has a table here; iconv does the rest for the charsets of
 * charset_name.c.
 *
 * A handle owns one iconv descriptor for each name met, opened when first met and kept.
 * Nothing is refused: what cannot be read becomes U+FFFD, one for as few octets as
 * possible, so that a stray lead octet cannot swallow the ASCII behind it.
 */
#include "core/mail/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/mail/charset_impl.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define HIGH_BITS UINT64_C(0x8080808080808080)

struct weir_charsets {
    iconv_t *open; /* by place, shared by names of one charset; NULL: not yet;
                    * no_iconv(): cannot be */
};

static iconv_t no_iconv(void)
{
    return (iconv_t)-1;
}

/* The first place with the same iconv name: that one owns the descriptor. */
static int first_name(int place)
{
    const char *name = weir_charset_known(place)->iconv_name;
    int first = 0;

    while (first < place && (!weir_charset_known(first)->iconv_name ||
                             strcmp(weir_charset_known(first)->iconv_name, name) != 0))
        first++;
    return first;
}

int weir_charsets_new(struct weir_charsets **charsets_r)
{
    struct weir_charsets *charsets = calloc(1, sizeof *charsets);

    if (!charsets)
        return WEIR_ENOMEM;
    charsets->open = calloc(weir_charset_known_count(), sizeof *charsets->open);
    if (!charsets->open) {
        free(charsets);
        return WEIR_ENOMEM;
    }
    *charsets_r = charsets;
    return 0;
}

void weir_charsets_free(struct weir_charsets **charsets)
{
    if (!*charsets)
        return;
    for (int i = 0; i < (int)weir_charset_known_count(); i++) {
        iconv_t cd = (*charsets)->open[i];
        if (cd && cd != no_iconv() && first_name(i) == i)
            iconv_close(cd);
    }
    free((*charsets)->open);
    free(*charsets);
    *charsets = NULL;
}

/* ASCII and UTF-8 ------------------------------------------------------- */

/* How many octets in front are ASCII. */
static size_t ascii_run(const char *at, size_t len)
{
    size_t i = 0;

    for (uint64_t eight; len - i >= sizeof eight; i += sizeof eight) {
        memcpy(&eight, at + i, sizeof eight);
        if (eight & HIGH_BITS)
            break;
    }
    while (i < len && (unsigned char)at[i] < 0x80)
        i++;
    return i;
}

/* Octets of the character at at, or 0 when it is none; then *bad_r of them belong together
 * (Unicode 3.9: the longest part that could have begun one, at least 1). */
static size_t utf8_character(const char *text, size_t len, size_t *bad_r)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char lead = at[0], low = 0x80, high = 0xbf;
    size_t octets = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3
                    : lead < 0xf5 ? 4 : 0;

    if (lead == 0xe0)
        low = 0xa0; /* shortest form */
    else if (lead == 0xed)
        high = 0x9f; /* no surrogates */
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f; /* up to U+10FFFF */
    *bad_r = 1;
    for (size_t i = 1; i < octets; i++) {
        if (i == len || at[i] < low || at[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
        *bad_r = i + 1;
    }
    return octets;
}

/* How many octets in front are valid UTF-8; *bad_r of those behind are one bad piece. */
static size_t utf8_run(const char *at, size_t len, size_t *bad_r)
{
    size_t i = 0, octets;

    for (;;) {
        i += ascii_run(at + i, len - i);
        do {
            if (i == len)
                return len;
            octets = utf8_character(at + i, len - i, bad_r);
            if (octets == 0)
                return i;
            i += octets;
        } while (octets > 1);
    }
}

bool weir_charset_is_utf8(struct weir_slice text)
{
    size_t bad;

    return text.len == 0 || utf8_run(text.at, text.len, &bad) == text.len;
}

static void from_utf8(struct weir_slice text, struct weir_line *out, unsigned *defects)
{
    while (text.len > 0 && !out->cut) {
        size_t bad = 0, run = utf8_run(text.at, text.len, &bad);
        weir_line_octets(out, text.at, run);
        if (run == text.len)
            return;
        *defects |= WEIR_CHARSET_INVALID;
        weir_line_text(out, REPLACEMENT);
        text.at += run + bad;
        text.len -= run + bad;
    }
}

/* windows-1252 ---------------------------------------------------------- */

/* 0x80..0x9f; 0: not assigned. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static void from_windows_1252(struct weir_slice text, struct weir_line *out, unsigned *defects)
{
    for (size_t i = 0; i < text.len && !out->cut; i++) {
        size_t run = ascii_run(text.at + i, text.len - i);
        weir_line_octets(out, text.at + i, run);
        i += run;
        if (i == text.len)
            return;
        unsigned code = (unsigned char)text.at[i];
        if (code < 0xa0)
            code = windows_1252[code - 0x80];
        if (code == 0) {
            *defects |= WEIR_CHARSET_INVALID;
            code = 0xfffd;
        }
        char utf8[3] = {(char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)),
                        (char)(0x80 | (code & 0x3f))};
        if (code >= 0x800) {
            weir_line_octets(out, utf8, 3);
            continue;
        }
        utf8[1] = (char)(0xc0 | code >> 6);
        weir_line_octets(out, utf8 + 1, 2);
    }
}

/* iconv ------------------------------------------------------------------ */

static iconv_t descriptor(struct weir_charsets *charsets, int place)
{
    if (!charsets->open[place]) {
        int first = first_name(place);
        if (!charsets->open[first])
            charsets->open[first] = iconv_open("UTF-8", weir_charset_known(place)->iconv_name);
        charsets->open[place] = charsets->open[first];
    }
    return charsets->open[place];
}

static void from_iconv(iconv_t cd, const struct weir_charset_known *known, struct weir_slice text,
                       struct weir_line *out, unsigned *defects)
{
    char *in;
    size_t left = text.len;

    /* iconv() takes its input as not const, yet does not write to it. */
    memcpy(&in, &text.at, sizeof in);
    iconv(cd, NULL, NULL, NULL, NULL);
    while (left > 0 && !out->cut) {
        size_t room = (size_t)(out->end - out->at);
        size_t rc = iconv(cd, &in, &left, &out->at, &room);
        if (rc != (size_t)-1) {
            out->cut |= iconv(cd, NULL, NULL, &out->at, &room) == (size_t)-1;
            return;
        }
        if (errno == E2BIG) {
            out->cut = true;
            return;
        }
        *defects |= WEIR_CHARSET_INVALID;
        weir_line_text(out, REPLACEMENT);
        if (known->kind == WEIR_CHARSET_UTF7)
            iconv(cd, NULL, NULL, NULL, NULL); /* what is behind may be no base64 */
        size_t skip = left < known->unit ? left : known->unit;
        in += skip;
        left -= skip;
    }
}

/* What to do ------------------------------------------------------------- */

/* Which of both UTF-16 a text is in: by its byte order mark, taken off, else by where its
 * NULs are; WEIR_CHARSET_UTF8's name when it has none and is no UTF-16 at all. */
static const char *utf16_order(struct weir_slice *text)
{
    size_t zeros[2] = {0, 0};
    bool big = text->len > 1 && memcmp(text->at, "\xfe\xff", 2) == 0;
    bool little = text->len > 1 && memcmp(text->at, "\xff\xfe", 2) == 0;

    if (big || little) {
        text->at += 2;
        text->len -= 2;
        return big ? "utf16be" : "utf16le";
    }
    for (size_t i = 0; i < text->len; i++)
        zeros[i % 2] += text->at[i] == '\0';
    if (zeros[0] + zeros[1] == 0 && weir_charset_is_utf8(*text))
        return "utf8";
    return zeros[1] > zeros[0] ? "utf16le" : "utf16be";
}

/* The place of the charset to be read; UTF-16 is made one of its kinds. */
static int choose(struct weir_slice charset, struct weir_slice *text, unsigned *defects)
{
    int place = charset.len > 0 ? weir_charset_find(charset) : -1;

    if (place >= 0 && weir_charset_known(place)->kind == WEIR_CHARSET_UTF16) {
        const char *order = utf16_order(text);
        place = weir_charset_find((struct weir_slice){order, strlen(order)});
        if (weir_charset_known(place)->kind == WEIR_CHARSET_UTF8)
            *defects |= WEIR_CHARSET_INVALID;
    }
    return place;
}

/* 8-bit text of which nothing certain is known, or that claims windows-1252: UTF-8 when it is
 * valid, for windows-1252 hardly ever looks like that. */
static void from_8bit(struct weir_slice text, struct weir_line *out, unsigned *defects)
{
    if (weir_charset_is_utf8(text))
        weir_line_octets(out, text.at, text.len);
    else
        from_windows_1252(text, out, defects);
}

static void convert(struct weir_charsets *charsets, struct weir_slice charset,
                    struct weir_slice text, struct weir_line *out, unsigned *defects)
{
    int place = choose(charset, &text, defects);
    const struct weir_charset_known *known = place >= 0 ? weir_charset_known(place) : NULL;

    if ((!known || known->ascii_inside) && ascii_run(text.at, text.len) == text.len) {
        *defects |= known || charset.len == 0 ? 0 : WEIR_CHARSET_UNKNOWN;
        weir_line_octets(out, text.at, text.len);
    } else if (known && known->kind == WEIR_CHARSET_UTF8) {
        from_utf8(text, out, defects);
    } else if (known && known->iconv_name && charsets &&
               descriptor(charsets, place) != no_iconv()) {
        from_iconv(descriptor(charsets, place), known, text, out, defects);
    } else {
        if (known && known->kind == WEIR_CHARSET_ASCII)
            *defects |= WEIR_CHARSET_INVALID;
        else if (charset.len == 0 && !weir_charset_is_utf8(text))
            *defects |= WEIR_CHARSET_INVALID;
        else if (charset.len > 0 && (!known || known->iconv_name))
            *defects |= WEIR_CHARSET_UNKNOWN;
        from_8bit(text, out, defects);
    }
}

/* Takes off what is left of a character that was cut. */
static void end_whole(struct weir_line *out, const char *start)
{
    char *at = out->at;

    for (size_t i = 0; i < 3 && at > start && ((unsigned char)at[-1] & 0xc0) == 0x80; i++)
        at--;
    if (at == start || (unsigned char)at[-1] < 0xc0)
        return;
    at--;
    size_t bad;
    if (utf8_character(at, (size_t)(out->at - at), &bad) == 0)
        out->at = at;
}

void weir_charset_convert(struct weir_charsets *charsets, struct weir_slice charset,
                          struct weir_slice text, struct weir_line *out, unsigned *defects_r)
{
    const char *start = out->at;

    *defects_r = 0;
    if (text.len == 0)
        return;
    convert(charsets, charset, text, out, defects_r);
    if (out->cut)
        end_whole(out, start);
}
