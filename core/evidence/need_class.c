/*
 * Sets of octets in expressions: escapes that stand for one octet, classes such as \d, and
 * what is between brackets, as PCRE2 without UTF and UCP has them in the C locale.
 * What it does not know makes the reader give up (unknown), never guess.
 */
#include "core/evidence/need_impl.h"

#include <string.h>

static void add_range(struct weir_octet_set *set, unsigned first, unsigned last)
{
    for (unsigned c = first; c <= last; c++)
        octet_set_add(set, c);
}

static void add_all(struct weir_octet_set *set, const char *octets)
{
    for (; *octets; octets++)
        octet_set_add(set, (unsigned char)*octets);
}

void need_set_fold(struct weir_octet_set *set)
{
    for (unsigned c = 'a'; c <= 'z'; c++) {
        if (weir_octet_set_has(set, c) || weir_octet_set_has(set, c ^ 0x20)) {
            octet_set_add(set, c);
            octet_set_add(set, c ^ 0x20);
        }
    }
}

bool need_letter_set(char letter, struct weir_octet_set *set_r)
{
    struct weir_octet_set set = {{0}};
    switch (letter | 0x20) {
    case 'd':
        add_range(&set, '0', '9');
        break;
    case 's':
        add_all(&set, " \t\n\v\f\r");
        break;
    case 'w':
        for (unsigned c = 0; c < 128; c++)
            if (octet_is_word((unsigned char)c))
                octet_set_add(&set, c);
        break;
    case 'h':
        add_all(&set, "\t \xa0");
        break;
    case 'v':
        add_all(&set, "\n\v\f\r\x85");
        break;
    default:
        return false;
    }
    *set_r = letter & 0x20 ? set : octet_set_not(set);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of a number in base 8 or 16, at most most of them, up to a closing brace if in braces. */
static int number(struct need_reader *r, int base, int most, bool braces)
{
    int value = 0, digits = 0;
    for (; r->at < r->end && digits < most; r->at++, digits++) {
        int digit = hex_digit(*r->at);
        if (digit < 0 || digit >= base)
            break;
        value = value * base + digit;
    }
    if (braces && (digits == 0 || r->at == r->end || *r->at++ != '}'))
        r->unknown = true;
    if (value > 255)
        r->unknown = true;
    return value & 255;
}

static bool brace_follows(struct need_reader *r)
{
    bool brace = r->at < r->end && *r->at == '{';
    r->at += brace;
    return brace;
}

static int control_octet(struct need_reader *r)
{
    if (r->at == r->end || *r->at < ' ' || *r->at > '~') {
        r->unknown = true;
        return 0;
    }
    unsigned char c = (unsigned char)*r->at++;
    if (c >= 'a' && c <= 'z')
        c ^= 0x20;
    return c ^ 0x40;
}

int need_escaped_octet(struct need_reader *r)
{
    static const char from[] = "aefnrt", to[] = "\a\033\f\n\r\t";
    if (r->at == r->end) {
        r->unknown = true;
        return 0;
    }
    char c = *r->at;
    const char *known = c ? strchr(from, c) : NULL;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!known && (c == '0' || !octet_is_word((unsigned char)c) || c == '_')) {
        r->at++; /* what is neither letter nor digit stands for itself */
        return c == '0' ? number(r, 8, 2, false) : (unsigned char)c;
    }
    if (!known && (!letter || (c != 'x' && c != 'o' && c != 'c')))
        return -1;
    r->at++;
    if (known)
        return to[known - from];
    if (c == 'c')
        return control_octet(r);
    bool braces = brace_follows(r);
    if (c == 'o' && !braces)
        r->unknown = true;
    return number(r, c == 'o' ? 8 : 16, braces ? 8 : 2, braces);
}

/* [:name:] within brackets. */
struct posix_class {
    const char *name, *letters; /* letters: pairs, first and last of a range */
};
static const struct posix_class posix[] = {
    {"alpha", "AZaz"}, {"lower", "az"},     {"upper", "AZ"},     {"alnum", "09AZaz"},
    {"digit", "09"},   {"xdigit", "09AFaf"}, {"word", "09AZaz__"}, {"punct", "!/:@[`{~"},
    {"graph", "!~"},   {"print", " ~"},     {"blank", "  \t\t"}, {"space", "  \t\r"},
    {"cntrl", "\x01\x1f\x7f\x7f"}, {"ascii", "\x01\x7f"},
};

static bool posix_set(const char *name, size_t len, struct weir_octet_set *set)
{
    for (size_t i = 0; i < sizeof posix / sizeof *posix; i++) {
        if (strlen(posix[i].name) != len || memcmp(posix[i].name, name, len) != 0)
            continue;
        for (const char *p = posix[i].letters; *p; p += 2)
            add_range(set, (unsigned char)p[0], (unsigned char)p[1]);
        if (posix[i].letters[0] == '\x01')
            octet_set_add(set, 0);
        return true;
    }
    return false;
}

/* At "[:" or "[." or "[=" within brackets: true when it was a POSIX class. */
static bool take_posix(struct need_reader *r, struct weir_octet_set *set)
{
    const char *name = r->at + 2;
    struct weir_octet_set one = {{0}};
    if (r->end - r->at < 2 || !strchr(":.=", r->at[1]) || r->at[1] == '\0')
        return false;
    const char *p = name;
    while (p < r->end && ((*p >= 'a' && *p <= 'z') || *p == '^'))
        p++;
    if (r->end - p < 2 || p[0] != r->at[1] || p[1] != ']') {
        /* Only letters make PCRE2 think of a class; the rest ("[:<:]") is not for us. */
        r->unknown = r->unknown || (p < r->end && (*p == '<' || *p == '>'));
        return false;
    }
    bool inverse = p > name && *name == '^';
    name += inverse;
    if (r->at[1] != ':' || !posix_set(name, (size_t)(p - name), &one))
        r->unknown = true;
    if (r->flags.caseless) /* [:upper:] and [:lower:] are any letter then */
        need_set_fold(&one);
    one = inverse ? octet_set_not(one) : one;
    octet_set_unite(set, &one);
    r->at = p + 2;
    return true;
}

/* The escape of a class that is more than one octet, or unknown. */
static void take_class_escape(struct need_reader *r, struct weir_octet_set *set)
{
    struct weir_octet_set one;
    char c = *r->at;
    if (need_letter_set(c, &one)) {
        octet_set_unite(set, &one);
        r->at++;
    } else {
        r->unknown = true; /* \p{..}, \N, \R, ... */
    }
}

/* One octet of a class; -1 when it was more than one (added already). */
static int class_octet(struct need_reader *r, struct weir_octet_set *set)
{
    if (r->quote || *r->at != '\\')
        return (unsigned char)*r->at++;
    r->at++;
    if (r->at < r->end && *r->at == 'b') {
        r->at++;
        return '\b';
    }
    if (r->at < r->end && *r->at >= '1' && *r->at <= '7')
        return number(r, 8, 3, false);
    int octet = need_escaped_octet(r);
    if (octet < 0)
        take_class_escape(r, set);
    return octet;
}

/* Skips \Q and \E; true when it did. */
static bool class_quote(struct need_reader *r)
{
    if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != (r->quote ? 'E' : 'Q')) {
        if (r->quote || r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'E')
            return false;
        r->at += 2; /* an \E alone is nothing */
        return true;
    }
    r->quote = !r->quote;
    r->at += 2;
    return true;
}

/* After the first octet of what may be a range: whether it is one. */
static bool range_follows(struct need_reader *r)
{
    if (r->quote || r->end - r->at < 2 || r->at[0] != '-' || r->at[1] == ']')
        return false;
    bool posix_next = r->at[1] == '[' && r->end - r->at > 2 && strchr(":.=", r->at[2]);
    bool quote_next = r->at[1] == '\\' && r->end - r->at > 2 && strchr("QE", r->at[2]);
    r->unknown = r->unknown || posix_next || quote_next;
    r->at++;
    return !r->unknown;
}

static void class_item(struct need_reader *r, struct weir_octet_set *set)
{
    if (!r->quote && *r->at == '[' && take_posix(r, set))
        return;
    int first = class_octet(r, set), last = first;
    while (r->at < r->end && class_quote(r))
        ;
    if (first < 0) /* after \d a hyphen is one */
        r->unknown = r->unknown || (r->end - r->at >= 2 && r->at[0] == '-' && r->at[1] == '-');
    else if (range_follows(r))
        last = class_octet(r, set);
    r->unknown = r->unknown || last < first; /* "[a-\d]" */
    for (int c = first; c >= 0 && c <= last; c++)
        octet_set_add(set, (unsigned)c);
}

struct weir_octet_set need_class(struct need_reader *r)
{
    struct weir_octet_set set = {{0}};
    bool inverse = false, first = true;
    while (r->at < r->end && class_quote(r))
        ;
    if (r->at < r->end && *r->at == '^' && !r->quote) {
        inverse = true;
        r->at++;
    }
    while (!r->unknown) {
        while (r->at < r->end && class_quote(r))
            ;
        if (r->at >= r->end) {
            r->unknown = true;
            break;
        }
        if (*r->at == ']' && !first && !r->quote) {
            r->at++;
            break;
        }
        first = false;
        class_item(r, &set);
    }
    if (r->flags.caseless)
        need_set_fold(&set);
    return inverse ? octet_set_not(set) : set;
}
