/*
 * expression_model - PCRE2 as the judge of what need.h and prefilter.h say, and a source
 * of random expressions and of texts that nearly match them.
 */
#ifndef WEIR_TESTS_EXPRESSION_MODEL_H
#define WEIR_TESTS_EXPRESSION_MODEL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "core/evidence/need.h"
#include "tests/unit/seeded.h"

static inline pcre2_code *model_compile(const char *pattern, size_t len,
                                        const struct weir_need_flags *flags)
{
    int error;
    size_t at;
    uint32_t options = (flags->caseless ? PCRE2_CASELESS : 0u) |
                       (flags->multiline ? PCRE2_MULTILINE : 0u) |
                       (flags->dotall ? PCRE2_DOTALL : 0u) |
                       (flags->extended ? PCRE2_EXTENDED : 0u) | PCRE2_USE_OFFSET_LIMIT;
    return pcre2_compile((PCRE2_SPTR)pattern, len, options, &error, &at, NULL);
}

/* Whether it matches between two start offsets; where, then. */
static inline bool model_match(const pcre2_code *code, const char *text, size_t len, size_t from,
                               size_t until, size_t *start_r, size_t *end_r)
{
    pcre2_match_data *data = pcre2_match_data_create(32, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_set_offset_limit(context, until);
    pcre2_set_match_limit(context, 20000);
    int found = pcre2_match(code, (PCRE2_SPTR)text, len, from, 0, data, context);
    if (found >= 0) {
        *start_r = pcre2_get_ovector_pointer(data)[0];
        *end_r = pcre2_get_ovector_pointer(data)[1];
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return found >= 0;
}

static inline bool model_word(const char *text, size_t len, size_t at)
{
    static const char word[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return at < len && text[at] && strchr(word, text[at]);
}

static inline bool model_edges(unsigned edges, const char *text, size_t len, size_t at)
{
    bool border = (at > 0 && model_word(text, len, at - 1)) != model_word(text, len, at);
    bool last = at == len || (at + 1 == len && text[at] == '\n');
    return (!(edges & WEIR_NEED_BEGIN) || at == 0) &&
           (!(edges & WEIR_NEED_NEW_LINE) || at == 0 || (text[at - 1] == '\n' && at < len)) &&
           (!(edges & WEIR_NEED_BORDER) || border) && (!(edges & WEIR_NEED_NO_BORDER) || !border) &&
           (!(edges & WEIR_NEED_END) || last) &&
           (!(edges & WEIR_NEED_LINE_END) || at == len || text[at] == '\n');
}

/* Whether a run stands at an octet. */
static inline bool model_stands(const struct weir_need_run *run, const char *text, size_t len,
                                size_t at)
{
    if (run->len > len - at)
        return false;
    for (size_t i = 0; i < run->len; i++)
        if (!weir_octet_set_has(&run->at[i], (unsigned char)text[at + i]))
            return false;
    return model_edges(run->left, text, len, at) &&
           model_edges(run->right, text, len, at + run->len);
}

/* At how many octets of begin .. end one of the needed runs stands. */
static inline size_t model_places(const struct weir_need *need, const char *text, size_t len,
                                  size_t begin, size_t end)
{
    size_t places = 0;
    for (size_t at = begin; at <= end && at < len; at++) {
        bool stands = false;
        for (size_t i = 0; i < need->runs && !stands; i++)
            stands = model_stands(&need->run[i], text, len, at);
        places += stands;
    }
    return places;
}

/* What a match at start .. end of text must have: room for the runs where the lead says. */
static inline bool model_need_holds(const struct weir_need *need, const char *text, size_t len,
                                    size_t start)
{
    size_t most = need->lead_max < len - start ? start + need->lead_max : len;
    if (need->runs == 0)
        return true;
    return model_places(need, text, len, start + need->lead_min, most) > 0 &&
           model_places(need, text, len, 0, len) >= need->times;
}

/* A random expression, often a strange one, of at most size - 1 octets; without \K, which moves
 * where PCRE2 says that a match begins. */
static inline size_t model_expression(struct seeded *s, char *pattern, size_t size)
{
    static const char *const piece[] = {
        "a", "b", "ab", "abc", "B", "A", " ", "c", "1", "\\d", "\\w", "\\s", "\\W", "\\b",
        "\\B", "^", "$", "\\A", "\\Z", "\\z", ".", "[ab]", "[^a]", "[a-c]", "[[:alpha:]]",
        "[[:^digit:]]", "[]a]", "[a\\]b]", "[\\x61-\\x63]", "\\x61", "\\x{62}", "\\141",
        "\\o{142}", "\\Qa.b\\E", "(?i)", "(?-i)", "(?i:ab)", "(?s)", "(?m)", "(?x)", "(?#ab)",
        "(", "(?:", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "(?|", "(?(1)", ")", ")", ")",
        "|", "|", "*", "+", "?", "??", "*?", "++", "{2}", "{1,2}", "{0,2}", "{2,}", "{,2}",
        "{1", "\\1", "\\g{1}", "\\k<n>", "(?1)", "(?R)", "\\R", "\\h", "\\N", "\\E", "\\n",
        "\n", "#", "abca", "bcab", "[a b]", "\\ ", "-", "_", "\\xe4", "\\C"};
    size_t len = 0;
    for (unsigned n = 1 + seeded_below(s, 9); n > 0; n--) {
        const char *p = piece[seeded_below(s, sizeof piece / sizeof *piece)];
        if (len + strlen(p) >= size)
            break;
        memcpy(pattern + len, p, strlen(p));
        len += strlen(p);
    }
    return len;
}

/* A random text of the few octets such expressions are about. */
static inline size_t model_text(struct seeded *s, char *text, size_t most)
{
    static const char octet[] = "aaaabbbbccccABC 11_-.\n\xe4";
    size_t len = seeded_below(s, (unsigned)most + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = octet[seeded_below(s, sizeof octet - 1)];
    return len;
}

#endif
