/*
 * uuencode: lines of a length, then four characters for three octets, each 32 more than
 * its value (96 for 0).  Made for plain text bodies, so that a piece must be found
 * between other lines: "begin", an octal mode and a name, then a line that is
 * as long as it says.  A piece ends at "end" or at the first line that cannot be
 * uuencoded; what is behind stays text.
 *
 * Nothing is owned.  A line shorter than it says gives only what is there, so that no
 * output is longer than its input.
 */
#include "core/mail/uuencode_impl.h"

#include <string.h>

#include "core/base/slice.h"
#include "core/mail/transfer.h"

/* The next line at *at without its end and trailing CR; *at is moved behind it. */
static struct weir_slice next_line(struct weir_slice text, size_t *at)
{
    const char *start = text.at + *at;
    const char *lf = memchr(start, '\n', text.len - *at);
    size_t len = lf ? (size_t)(lf - start) : text.len - *at;

    *at += len + (lf ? 1 : 0);
    if (len > 0 && start[len - 1] == '\r')
        len--;
    return (struct weir_slice){start, len};
}

/* Whether a line is "begin MODE NAME". */
static bool is_begin(struct weir_slice line, struct weir_slice *name_r)
{
    size_t at = 6, digits = 0;

    if (line.len < 10 || memcmp(line.at, "begin ", 6) != 0)
        return false;
    while (at < line.len && line.at[at] >= '0' && line.at[at] <= '7') {
        at++;
        digits++;
    }
    if (digits < 3 || digits > 4 || at + 1 >= line.len || line.at[at] != ' ')
        return false;
    while (at < line.len && line.at[at] == ' ')
        at++;
    *name_r = (struct weir_slice){line.at + at, line.len - at};
    while (name_r->len > 0 && name_r->at[name_r->len - 1] == ' ')
        name_r->len--;
    return name_r->len > 0;
}

static bool is_end(struct weir_slice line)
{
    while (line.len > 3 && weir_is_wsp(line.at[line.len - 1]))
        line.len--;
    return line.len == 3 && memcmp(line.at, "end", 3) == 0;
}

static uint32_t value(char c)
{
    return ((uint32_t)(unsigned char)c - 32) & 63;
}

/* Whether all of a line is in the alphabet. */
static bool in_alphabet(struct weir_slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] < 32 || line.at[i] > 96)
            return false;
    return true;
}

/* Whether a line is as long as it says; some encoders add a character or two. */
static bool is_full(struct weir_slice line)
{
    if (line.len == 0 || !in_alphabet(line))
        return false;
    size_t need = 1 + (value(line.at[0]) + 2) / 3 * 4;
    return line.len >= need && line.len <= need + 2;
}

/* Decodes a line; whether it was shorter than it says or had strange octets. */
static bool decode_line(struct weir_slice line, struct weir_line *out)
{
    if (line.len == 0)
        return false;
    size_t claimed = value(line.at[0]), there = (line.len - 1) * 3 / 4;
    size_t octets = claimed < there ? claimed : there;
    const char *at = line.at + 1;

    for (size_t i = 0; i < octets; i += 3, at += 4) {
        size_t n = octets - i < 3 ? octets - i : 3;
        uint32_t bits = value(at[0]) << 18 | value(at[1]) << 12;
        if (n > 1)
            bits |= value(at[2]) << 6;
        if (n > 2)
            bits |= value(at[3]);
        char octet[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
        weir_line_octets(out, octet, n);
    }
    return octets < claimed || !in_alphabet(line);
}

bool weir_uuencode_decode(struct weir_slice text, struct weir_line *out)
{
    struct weir_slice name;
    bool bad = false, ended = false;

    for (size_t at = 0; at < text.len && !out->cut;) {
        struct weir_slice line = next_line(text, &at);
        if (is_begin(line, &name))
            ended = false;
        else if (is_end(line))
            ended = true;
        else if (!ended)
            bad |= decode_line(line, out);
    }
    return bad;
}

/* The lines of a piece at at, to "end" or to what cannot be one of them. */
static struct weir_slice piece_lines(struct weir_slice text, size_t at, size_t *behind_r)
{
    size_t start = at, end = at;

    while (at < text.len) {
        struct weir_slice line = next_line(text, &at);
        if (is_end(line)) {
            *behind_r = at;
            return (struct weir_slice){text.at + start, end - start};
        }
        if (!in_alphabet(line))
            break;
        end = at;
    }
    *behind_r = end;
    return (struct weir_slice){text.at + start, end - start};
}

int weir_transfer_find_uuencode(struct weir_slice text, size_t *from,
                                struct weir_slice *name_r, struct weir_slice *lines_r)
{
    size_t at = *from;

    while (at < text.len) {
        const char *found = memmem(text.at + at, text.len - at, "begin ", 6);
        if (!found)
            break;
        size_t begin = (size_t)(found - text.at);
        at = begin + 1;
        if (begin > 0 && text.at[begin - 1] != '\n')
            continue;
        size_t behind = begin;
        struct weir_slice name, line = next_line(text, &behind);
        if (!is_begin(line, &name))
            continue;
        size_t first = behind;
        if (first < text.len && is_full(next_line(text, &first))) {
            *name_r = name;
            *lines_r = piece_lines(text, behind, from);
            return 1;
        }
        at = behind;
    }
    *from = text.len;
    return 0;
}
