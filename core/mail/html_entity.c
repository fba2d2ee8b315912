/*
 * Character references, as browsers read them (HTML 13.2.5.72 to 80): names with a
 * semicolon, the old names without one and even with letters behind ("&ampfoo"),
 * numbers with or without semicolon, and numbers 128 to 159 as windows-1252, which is what
 * their writers meant.  A reference of more than WEIR_HTML_ENTITY_MAX octets is text.
 */
#include "core/mail/html_impl.h"

#include <string.h>

static uint32_t remapped(uint32_t code)
{
    static const uint16_t windows_1252[32] = {
        0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
        0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
    };
    if (code >= 0x80 && code < 0xa0)
        return windows_1252[code - 0x80];
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0xfffd;
    return code;
}

/* at: behind "&#" */
static size_t numeric(const char *at, const char *end, uint32_t *code_r)
{
    const char *start = at;
    uint32_t base = 10, code = 0;
    if (at < end && (*at == 'x' || *at == 'X')) {
        base = 16;
        at++;
    }
    const char *digits = at;
    for (; at < end; at++) {
        int digit = weir_hex_value(*at);
        if (digit < 0 || (uint32_t)digit >= base)
            break;
        if (at - start >= WEIR_HTML_ENTITY_MAX - 2)
            return 0;
        if (code <= 0x10ffff)
            code = code * base + (uint32_t)digit;
    }
    if (at == digits)
        return 0;
    if (at < end && *at == ';')
        at++;
    *code_r = remapped(code);
    return (size_t)(at - start) + 2;
}

static const struct weir_html_name *look_up(const char *name, size_t len)
{
    size_t low = 0, high = weir_html_names_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct weir_html_name *entry = &weir_html_names[middle];
        int order = strncmp(entry->name, name, len);
        if (order == 0 && entry->name[len] == '\0')
            return entry;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_alnum(char c)
{
    return weir_html_is_letter(c) || weir_is_digit(c);
}

/* at: behind '&' */
static size_t named(const char *at, const char *end, bool attribute, uint32_t *code_r)
{
    enum { BARE_MOST = 6 }; /* the longest old name, as in "&yacute" */
    const struct weir_html_name *entry;
    size_t len = 0;
    while (len < (size_t)(end - at) && is_alnum(at[len]))
        if (++len >= sizeof(entry->name))
            break;
    if (len < sizeof(entry->name) && len < (size_t)(end - at) && at[len] == ';') {
        entry = look_up(at, len);
        if (entry) {
            *code_r = entry->code;
            return len + 2;
        }
    }
    for (size_t part = len < BARE_MOST ? len : BARE_MOST; part >= 2; part--) {
        entry = look_up(at, part);
        if (!entry || !entry->bare)
            continue;
        const char *behind = at + part;
        if (attribute && behind < end && (*behind == '=' || is_alnum(*behind)))
            return 0;
        *code_r = entry->code;
        return part + 1;
    }
    return 0;
}

size_t weir_html_reference(const char *at, const char *end, bool attribute, uint32_t *code_r)
{
    if (end - at < 3)
        return 0;
    return at[1] == '#' ? numeric(at + 2, end, code_r) : named(at + 1, end, attribute, code_r);
}

size_t weir_html_utf8(uint32_t code, char out[static 4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

void weir_html_undo(struct weir_slice text, bool attribute, struct weir_line *out)
{
    const char *at = text.at, *end = at + text.len;
    while (at < end && !out->cut) {
        const char *mark = memchr(at, '&', (size_t)(end - at));
        weir_line_octets(out, at, (size_t)((mark ? mark : end) - at));
        if (!mark)
            return;
        char octets[4];
        uint32_t code;
        size_t len = weir_html_reference(mark, end, attribute, &code);
        if (len > 0)
            weir_line_octets(out, octets, weir_html_utf8(code, octets));
        else
            weir_line_text(out, "&");
        at = mark + (len > 0 ? len : 1);
    }
}
