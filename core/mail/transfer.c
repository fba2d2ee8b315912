/*
 * Undoing the transfer encodings of mail.  Clean runs are decoded fast (a table for
 * base64, memchr for quoted-printable), the rest octet by octet and leniently:
 *
 *     base64  octets outside the alphabet are skipped; "==" or "=" that ends a group
 *             starts a new one, as when two encoded pieces were put together;
 *             any other '=' is skipped like junk
 *     quoted  a bad '=' stays as it is; blanks before a line end go, also those between
 *             the '=' of a soft break and its line end
 *     uu      lines are independent; one that is shorter than it says gives what is there
 *
 * Nothing is owned: output goes to the caller's line.  uuencode.c does the last one.
 */
#include "core/mail/transfer.h"

#include <string.h>
#include <strings.h>

#include "core/base/slice.h"
#include "core/mail/uuencode_impl.h"

#define OTHER (-1)
#define BLANK (-2)
#define PAD (-3)

/* Value of an octet in base64, or one of the above. */
static const int8_t base64_value[256] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -2, -2, -1, -1, -2, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, -1, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -3, -1, -1,
    -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1,
    -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
};

struct encoding_name {
    const char *name;
    enum weir_transfer transfer;
};

static const struct encoding_name encoding_names[] = {
    {"7bit", WEIR_TRANSFER_NONE},
    {"8bit", WEIR_TRANSFER_NONE},
    {"binary", WEIR_TRANSFER_NONE},
    {"base64", WEIR_TRANSFER_BASE64},
    {"quoted-printable", WEIR_TRANSFER_QUOTED},
    {"x-uuencode", WEIR_TRANSFER_UUENCODE},
    {"x-uue", WEIR_TRANSFER_UUENCODE},
    {"uuencode", WEIR_TRANSFER_UUENCODE},
    {"uue", WEIR_TRANSFER_UUENCODE},
};

/* Where blanks, quotes and comments from at on end. */
static size_t skip_around(struct weir_slice value, size_t at)
{
    size_t depth = 0;

    for (; at < value.len; at++) {
        char c = value.at[at];
        if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !weir_is_blank(c) && c != '"')
            break;
    }
    return at;
}

enum weir_transfer weir_transfer_named(struct weir_slice value, bool *known_r)
{
    size_t start = skip_around(value, 0), end = start;

    while (end < value.len && !weir_is_blank(value.at[end]) && !memchr("(;\",", value.at[end], 4))
        end++;
    *known_r = true;
    for (size_t i = 0; i < sizeof encoding_names / sizeof *encoding_names; i++) {
        const struct encoding_name *n = &encoding_names[i];
        if (strlen(n->name) == end - start &&
            strncasecmp(n->name, value.at + start, end - start) == 0)
            return n->transfer;
    }
    *known_r = false;
    return WEIR_TRANSFER_NONE;
}

/* base64 --------------------------------------------------------------- */

/* A group of four that is not yet full. */
struct group {
    uint32_t bits;
    unsigned values; /* 0..3 */
    unsigned pads;   /* seen behind the values */
};

/* Decodes whole groups as long as all is clean; returns where it stopped. */
static const uint8_t *clean_groups(const uint8_t *at, const uint8_t *end, struct weir_line *out)
{
    uint8_t *to = (uint8_t *)out->at;
    size_t groups = (size_t)(end - at) / 4, room = (size_t)(out->end - out->at) / 3;

    if (groups > room)
        groups = room;
    for (; groups > 0; groups--, at += 4, to += 3) {
        int a = base64_value[at[0]], b = base64_value[at[1]];
        int c = base64_value[at[2]], d = base64_value[at[3]];
        if ((a | b | c | d) < 0)
            break;
        uint32_t bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
        to[0] = (uint8_t)(bits >> 16);
        to[1] = (uint8_t)(bits >> 8);
        to[2] = (uint8_t)bits;
    }
    out->at = (char *)to;
    return at;
}

/* Writes what a group holds, full or not, and begins a new one. */
static void end_group(struct group *group, struct weir_line *out)
{
    uint32_t bits = group->bits << (6 * (4 - group->values));
    char octet[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};

    if (group->values > 1)
        weir_line_octets(out, octet, group->values - 1);
    *group = (struct group){0};
}

/* A '=': ends the group when it makes it four.  False when it is out of place. */
static bool take_pad(struct group *group, struct weir_line *out)
{
    if (group->values < 2)
        return false;
    group->pads++;
    if (group->values + group->pads == 4)
        end_group(group, out);
    return true;
}

static void take_value(struct group *group, uint32_t value, struct weir_line *out)
{
    group->bits = group->bits << 6 | value;
    group->pads = 0;
    if (++group->values == 4)
        end_group(group, out);
}

static bool decode_base64(struct weir_slice text, struct weir_line *out)
{
    const uint8_t *at = (const uint8_t *)text.at, *end = at + text.len;
    struct group group = {0};
    bool bad = false, ended = false;

    while (at < end && !out->cut) {
        if (group.values == 0)
            at = clean_groups(at, end, out);
        if (at == end)
            break;
        int value = base64_value[*at++];
        if (value >= 0) {
            bad |= ended || group.pads > 0;
            take_value(&group, (uint32_t)value, out);
        } else if (value == PAD) {
            bad |= !take_pad(&group, out);
            ended |= group.values == 0;
        } else if (value == OTHER) {
            bad = true;
        }
    }
    bad |= group.values > 0;
    end_group(&group, out);
    return bad;
}

/* quoted-printable ----------------------------------------------------- */

/* Decodes "=XX" at at, and those that follow it without a gap; returns what is behind. */
static const char *decode_escapes(const char *at, const char *end, struct weir_line *out,
                                  bool *bad)
{
    do {
        int high = end - at > 2 ? weir_hex_value(at[1]) : -1;
        int low = high >= 0 ? weir_hex_value(at[2]) : -1;
        if (low < 0) {
            *bad = true;
            weir_line_octets(out, at, 1);
            return at + 1;
        }
        char octet = (char)(high << 4 | low);
        weir_line_octets(out, &octet, 1);
        at += 3;
    } while (at < end && *at == '=');
    return at;
}

/* A line without its end. */
static void decode_quoted_line(const char *at, const char *end, struct weir_line *out, bool *bad)
{
    while (at < end) {
        const char *escape = memchr(at, '=', (size_t)(end - at));
        weir_line_octets(out, at, (size_t)((escape ? escape : end) - at));
        if (!escape)
            break;
        at = decode_escapes(escape, end, out, bad);
    }
}

static bool decode_quoted(struct weir_slice text, struct weir_line *out)
{
    const char *at = text.at, *end = text.at + text.len;
    bool bad = false;

    while (at < end && !out->cut) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *next = lf ? lf + 1 : end, *eol = lf ? lf : end;
        if (lf && eol > at && eol[-1] == '\r')
            eol--;
        const char *last = eol;
        while (last > at && weir_is_wsp(last[-1]))
            last--;
        /* Without a line end behind them blanks are not trailing; a '=' at the end of all
         * is a soft break whose line end was lost. */
        bool soft = last > at && last[-1] == '=';
        if (soft)
            last--;
        else if (!lf)
            last = eol;
        decode_quoted_line(at, last, out, &bad);
        if (!soft)
            weir_line_octets(out, eol, (size_t)(next - eol));
        at = next;
    }
    return bad;
}

void weir_transfer_decode(enum weir_transfer transfer, struct weir_slice text,
                          struct weir_line *out, unsigned *defects_r)
{
    *defects_r = 0;
    if (text.len == 0)
        return;
    switch (transfer) {
    case WEIR_TRANSFER_BASE64:
        *defects_r = decode_base64(text, out) ? WEIR_TRANSFER_BAD_BASE64 : 0;
        break;
    case WEIR_TRANSFER_QUOTED:
        *defects_r = decode_quoted(text, out) ? WEIR_TRANSFER_BAD_QUOTED : 0;
        break;
    case WEIR_TRANSFER_UUENCODE:
        *defects_r = weir_uuencode_decode(text, out) ? WEIR_TRANSFER_BAD_UUENCODE : 0;
        break;
    case WEIR_TRANSFER_NONE:
        weir_line_octets(out, text.at, text.len);
        break;
    }
}
