/*
 * SpamAssassin strips the delimiters itself and hands the rest to Perl, so there is no
 * quoting to undo: m!a\!b! is the expression a\!b.  What is left is tried once, the way
 * rule sets are made, because one with an expression that does not compile is refused as a
 * whole.
 */
#include "monitor/ctl/sa_regex.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/evidence/rule_regex.h"
#include "core/evidence/rule_source.h"

/* The closing delimiter of an opening one. */
static char closing(char open)
{
    static const char opening[] = "{(<[", close[] = "})>]";
    const char *found = open ? strchr(opening, open) : NULL;
    return found ? close[found - opening] : open;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Octets before the expression, or 0 when it does not begin like one. */
static size_t opening_len(struct weir_slice text)
{
    size_t len = text.len > 0 && text.at[0] == '/' ? 1
                 : text.len > 1 && text.at[0] == 'm' ? 2
                 : text.len > 2 && text.at[0] == 'q' && text.at[1] == 'r' ? 3 : 0;
    if (len == 0 || is_word(text.at[len - 1]) || text.at[len - 1] == '\\')
        return 0;
    return len;
}

static int read_flags(struct weir_slice text, unsigned *flags_r, const char **why_r)
{
    unsigned flags = 0;
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case 'i': flags |= WEIR_RULE_CASELESS; break;
        case 'm': flags |= WEIR_RULE_MULTILINE; break;
        case 's': flags |= WEIR_RULE_DOTALL; break;
        case 'x': flags |= WEIR_RULE_EXTENDED; break;
        case 'a': case 'd': case 'p': break; /* what is meant anyway, or has no effect */
        default:
            *why_r = "a modifier behind the expression that PCRE2 does not have";
            return WEIR_EINVAL;
        }
    }
    *flags_r = flags;
    return 0;
}

/* Whether a delimiter stands in the expression without a backslash before it. */
static bool unescaped(struct weir_slice pattern, char delimiter)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.at[i] == '\\')
            i++;
        else if (pattern.at[i] == delimiter)
            return true;
    }
    return false;
}

/* What is an error for SpamAssassin, or is meant for it alone. */
static const char *refused(struct weir_slice pattern, char delimiter)
{
    if (pattern.len == 0)
        return "an empty expression";
    if (memchr(pattern.at, '\0', pattern.len))
        return "a NUL in the expression";
    if (memmem(pattern.at, pattern.len, "(?{", 3) || memmem(pattern.at, pattern.len, "(??{", 4))
        return "Perl code in the expression";
    if (memmem(pattern.at, pattern.len, "%{", 2))
        return "the expression asks for what another rule captured";
    if (!strchr("})]", delimiter) && unescaped(pattern, delimiter))
        return "the delimiter stands in the expression";
    return NULL;
}

int sa_regex_split(struct weir_slice text, struct weir_slice *pattern_r, unsigned *flags_r,
                   const char **why_r)
{
    size_t start = opening_len(text), end = text.len;
    if (start == 0) {
        *why_r = "no delimiters around the expression";
        return WEIR_EINVAL;
    }
    char delimiter = closing(text.at[start - 1]);
    while (end > start && text.at[end - 1] >= 'a' && text.at[end - 1] <= 'z' &&
           text.at[end - 1] != 'e')
        end--;
    if (end <= start || text.at[end - 1] != delimiter) {
        *why_r = "no delimiter at the end of the expression";
        return WEIR_EINVAL;
    }
    *pattern_r = (struct weir_slice){text.at + start, end - 1 - start};
    *why_r = refused(*pattern_r, delimiter);
    if (*why_r)
        return WEIR_EINVAL;
    return read_flags((struct weir_slice){text.at + end, text.len - end}, flags_r, why_r);
}

int sa_regex_try(struct weir_arena *arena, struct weir_slice pattern, unsigned flags,
                 const char **why_r)
{
    const struct weir_regex regex = {.pattern = pattern, .flags = flags};
    char why[WEIR_REGEX_WHY];

    if (pattern.len > WEIR_RULE_PATTERN_MAX) {
        *why_r = "the expression is too long";
        return WEIR_ELIMIT;
    }
    int rc = weir_regex_try(&regex, weir_slice_of(""), NULL, NULL, why);
    if (rc >= 0)
        return 0;
    const char *text = rc == WEIR_EINVAL ? weir_arena_printf(arena, "PCRE2: %s", why) : NULL;
    *why_r = text ? text : "PCRE2 does not take the expression";
    return WEIR_EINVAL;
}
