/*
 * A meta rule is an expression in Perl's operators over names of rules.  It is not computed
 * here, only checked and cut into tokens, so that names of rules that are not there can be
 * found and replaced.
 */
#include "monitor/ctl/sa_meta.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/ctl/sa_names.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Octets of the operator or parenthesis at the beginning, or 0. */
static size_t sign_len(struct weir_slice text)
{
    static const char *const two[] = {"||", "&&", ">=", "<=", "==", "!="};
    for (size_t i = 0; i < sizeof(two) / sizeof(*two); i++)
        if (text.len >= 2 && memcmp(text.at, two[i], 2) == 0)
            return 2;
    return text.at[0] != '\0' && strchr("()!<>+-*/", text.at[0]) ? 1 : 0;
}

static size_t number_len(struct weir_slice text)
{
    size_t len = 0, points = 0;
    while (len < text.len && (is_digit(text.at[len]) || (text.at[len] == '.' && points == 0)))
        points += text.at[len++] == '.';
    return text.at[len - 1] == '.' ? 0 : len;
}

enum sa_meta_token sa_meta_next(struct weir_slice *rest, struct weir_slice *token_r)
{
    enum sa_meta_token kind = SA_META_SIGN;
    struct weir_slice text = weir_slice_trim(*rest);
    size_t len = 0;

    *token_r = text;
    if (text.len == 0)
        return SA_META_END;
    if (is_letter(text.at[0])) {
        kind = SA_META_NAME;
        while (len < text.len && (is_letter(text.at[len]) || is_digit(text.at[len])))
            len++;
    } else if (is_digit(text.at[0])) {
        kind = SA_META_NUMBER;
        len = number_len(text);
    } else {
        len = sign_len(text);
    }
    token_r->len = len;
    *rest = (struct weir_slice){text.at + len, text.len - len};
    return len == 0 ? SA_META_BAD : kind;
}

struct checking {
    size_t terms, depth;
    bool want_term; /* a term comes next, not an operator */
};

static const char *check_sign(struct checking *c, char sign)
{
    bool before_term = sign == '(' || sign == '!' || (c->want_term && strchr("+-", sign));
    if (before_term != c->want_term)
        return "an operator where none can be";
    if (sign == '(') {
        if (++c->depth > SA_META_DEPTH_MAX)
            return "too many parentheses within each other";
    } else if (sign == ')') {
        if (c->depth-- == 0)
            return "a parenthesis is closed that was not opened";
    } else {
        c->want_term = true;
    }
    return NULL;
}

static const char *check_term(struct checking *c)
{
    if (!c->want_term)
        return "an operator is missing between two terms";
    c->want_term = false;
    return ++c->terms > WEIR_RULE_META_MAX ? "too many terms" : NULL;
}

int sa_meta_check(struct weir_slice text, const char **why_r)
{
    struct checking c = {.want_term = true};
    struct weir_slice token;
    enum sa_meta_token kind;
    const char *why = NULL;

    while (!why && (kind = sa_meta_next(&text, &token)) != SA_META_END) {
        if (kind == SA_META_BAD)
            why = "an operator that meta rules do not have";
        else if (kind == SA_META_SIGN)
            why = check_sign(&c, token.len == 2 && token.at[0] == '!' ? '=' : token.at[0]);
        else if (kind == SA_META_NAME && weir_slice_equals(token, "rules_matching"))
            why = "rules_matching() is not supported";
        else
            why = check_term(&c);
    }
    if (!why && (c.want_term || c.depth > 0))
        why = "the expression ends too early";
    *why_r = why;
    return !why ? 0 : strncmp(why, "too many", 8) == 0 ? WEIR_ELIMIT : WEIR_EINVAL;
}
