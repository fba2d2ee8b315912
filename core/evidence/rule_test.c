/*
 * The test of a rule: an expression in slashes, what it looks at, prefixes, or the
 * formula of a meta rule.  Refuses what is unclear; whether an expression is one, PCRE2
 * says when the set is built.
 *
 * An expression is kept without its slashes; "\/" in it means '/', and so does the
 * delimiter of m!...! behind a backslash, unless it has a meaning of its own.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_source_impl.h"

const struct weir_rule_flag_name weir_rule_letter_names[] = {
    {"i", WEIR_RULE_CASELESS}, {"m", WEIR_RULE_MULTILINE}, {"s", WEIR_RULE_DOTALL},
    {"x", WEIR_RULE_EXTENDED}, {NULL, 0},
};

enum { TEST_FLAGS = WEIR_RULE_NEGATED | WEIR_RULE_EXISTS | WEIR_RULE_CASELESS |
                    WEIR_RULE_MULTILINE | WEIR_RULE_DOTALL | WEIR_RULE_EXTENDED };

static struct weir_slice behind(struct weir_slice text, size_t skip)
{
    return (struct weir_slice){text.at + skip, text.len - skip};
}

/* Expressions. ------------------------------------------------------------------ */

/* The delimiter that ends what this one begins; 0 for what is none. */
static char closing(char opening)
{
    static const char pairs[] = "{}()[]<>";
    if (opening == '\0' || !strchr("/!,~%@;:\"'`=&|{([<", opening))
        return 0;
    const char *pair = strchr(pairs, opening);
    return pair ? pair[1] : opening;
}

/* Where the expression that begins at text ends: pairs may nest; npos as text.len. */
static size_t expression_len(struct weir_slice text, char opening, char end)
{
    size_t depth = 1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\')
            i++;
        else if (text.at[i] == end && --depth == 0)
            return i;
        else if (text.at[i] == opening && opening != end)
            depth++;
    }
    return text.len;
}

/* Takes backslashes off delimiters that mean only themselves. */
static int unescape(struct weir_rule_reader *reader, struct weir_slice text, char end,
                    struct weir_slice *pattern_r)
{
    bool plain = !strchr("|})]>", end);
    char *copy = weir_arena_take(reader->arena, text.len + 1);
    size_t len = 0;
    if (!copy)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len) {
            if (!plain || text.at[i + 1] != end)
                copy[len++] = '\\';
            i++;
        }
        copy[len++] = text.at[i];
    }
    *pattern_r = (struct weir_slice){copy, len};
    return 1;
}

static bool letters(struct weir_slice *text, unsigned *flags_r)
{
    while (text->len > 0 && text->at[0] != ' ' && text->at[0] != '\t') {
        const struct weir_rule_flag_name *row = weir_rule_letter_names;
        while (row->name && row->name[0] != text->at[0])
            row++;
        if (!row->name)
            return false;
        *flags_r |= row->flag;
        *text = behind(*text, 1);
    }
    return true;
}

/* Reads "/.../i" off *text.  1, 0 when told as an error, WEIR_ENOMEM. */
static int read_expression(struct weir_rule_reader *reader, struct weir_slice *text,
                           struct weir_rule_source *rule)
{
    size_t m = text->len > 0 && text->at[0] == 'm';
    char opening = text->len > m ? text->at[m] : '\0';
    char end = closing(opening);
    if (!end || (!m && opening != '/'))
        return weir_rule_wrong(reader, "an expression in slashes is wanted");
    struct weir_slice rest = behind(*text, m + 1);
    size_t len = expression_len(rest, opening, end);
    if (len == rest.len)
        return weir_rule_wrong(reader, "the expression has no end");
    if (len > WEIR_RULE_PATTERN_MAX)
        return weir_rule_wrong(reader, "an expression may have %d octets", WEIR_RULE_PATTERN_MAX);
    if (len == 0)
        return weir_rule_wrong(reader, "the expression is empty");
    *text = behind(rest, len + 1);
    if (!letters(text, &rule->flags))
        return weir_rule_wrong(reader, "behind an expression may be i, m, s and x");
    *text = weir_slice_trim(*text);
    return unescape(reader, (struct weir_slice){rest.at, len}, end, &rule->pattern);
}

/* "[if-unset: text]" */
static int read_unset(struct weir_rule_reader *reader, struct weir_slice text,
                      struct weir_rule_source *rule)
{
    static const char word[] = "[if-unset:";
    const size_t len = sizeof(word) - 1;
    if (text.len == 0)
        return 1;
    if (rule->kind != WEIR_RULE_HEADER || text.len <= len || memcmp(text.at, word, len) != 0 ||
        text.at[text.len - 1] != ']')
        return weir_rule_wrong(reader, "there is something behind the expression");
    rule->unset = weir_slice_trim((struct weir_slice){text.at + len, text.len - len - 1});
    return 1;
}

/* Selectors. ----------------------------------------------------------------------- */

static bool selector_ok(enum weir_rule_kind kind, struct weir_slice name)
{
    static const char *const envelope[] = {"client", "client_name", "helo", "sender", "recipient"};
    if (kind == WEIR_RULE_ENVELOPE) {
        for (size_t i = 0; i < sizeof(envelope) / sizeof(envelope[0]); i++)
            if (weir_slice_equals(name, envelope[i]))
                return true;
        return false;
    }
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] < '!' || name.at[i] > '~')
            return false;
    return name.len > 0 && name.len <= WEIR_FIELD_NAME_MAX;
}

static int wrong_selector(struct weir_rule_reader *reader, enum weir_rule_kind kind)
{
    return weir_rule_wrong(reader, kind == WEIR_RULE_ENVELOPE
                                       ? "of the envelope there are client, client_name, helo, "
                                         "sender and recipient"
                                       : "this is no name of a header field");
}

/* "exists:Name", "!exists:Name" */
static int read_exists(struct weir_rule_reader *reader, struct weir_slice word,
                       struct weir_rule_source *rule)
{
    size_t negated = word.at[0] == '!';
    rule->selector = behind(word, negated + strlen("exists:"));
    rule->flags |= WEIR_RULE_EXISTS | (negated ? WEIR_RULE_NEGATED : 0);
    if (!selector_ok(rule->kind, rule->selector))
        return wrong_selector(reader, rule->kind);
    return 1;
}

static bool says_exists(struct weir_slice word)
{
    size_t negated = word.len > 0 && word.at[0] == '!';
    size_t len = strlen("exists:");
    return word.len > negated + len && memcmp(word.at + negated, "exists:", len) == 0;
}

/* "Subject =~ /.../", "Subject !~ /.../ [if-unset: ...]" */
static int read_selected(struct weir_rule_reader *reader, struct weir_slice text,
                         struct weir_rule_source *rule)
{
    struct weir_slice word = weir_slice_word(&text);
    if (text.len == 0 && rule->kind == WEIR_RULE_HEADER && says_exists(word))
        return read_exists(reader, word, rule);
    if (!selector_ok(rule->kind, word))
        return wrong_selector(reader, rule->kind);
    rule->selector = word;
    struct weir_slice sign = weir_slice_word(&text);
    if (weir_slice_equals(sign, "!~"))
        rule->flags |= WEIR_RULE_NEGATED;
    else if (!weir_slice_equals(sign, "=~"))
        return weir_rule_wrong(reader, "=~ or !~ is wanted here");
    int rc = read_expression(reader, &text, rule);
    return rc <= 0 ? rc : read_unset(reader, text, rule);
}

static int read_plain(struct weir_rule_reader *reader, struct weir_slice text,
                      struct weir_rule_source *rule)
{
    int rc = read_expression(reader, &text, rule);
    return rc <= 0 ? rc : read_unset(reader, text, rule);
}

/* Prefixes and formulas. ------------------------------------------------------------- */

static size_t words(struct weir_slice text)
{
    size_t n = 0;
    for (; text.len > 0; n++)
        weir_slice_word(&text);
    return n;
}

static int read_prefixes(struct weir_rule_reader *reader, struct weir_slice text,
                         struct weir_rule_source *rule)
{
    size_t n = words(text);
    if (n == 0)
        return weir_rule_wrong(reader, "an address or a prefix is wanted");
    rule->prefix = weir_arena_zero(reader->arena, n, sizeof(*rule->prefix));
    if (!rule->prefix)
        return WEIR_ENOMEM;
    while (text.len > 0) {
        const char *why = "";
        struct weir_slice word = weir_slice_word(&text);
        if (weir_prefix_parse(word.at, word.len, &rule->prefix[rule->prefixes], &why) < 0)
            return weir_rule_wrong(reader, "\"%.*s\": %s", (int)(word.len < 60 ? word.len : 60),
                                   word.at, why);
        rule->prefixes++;
    }
    return 1;
}

static int read_formula(struct weir_rule_reader *reader, struct weir_slice text,
                        struct weir_rule_source *rule)
{
    if (text.len == 0)
        return weir_rule_wrong(reader, "a formula is wanted");
    if (text.len > WEIR_RULE_PATTERN_MAX)
        return weir_rule_wrong(reader, "a formula may have %d octets", WEIR_RULE_PATTERN_MAX);
    rule->pattern = text;
    return 1;
}

int weir_rule_test_read(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                        enum weir_rule_kind kind, struct weir_slice text)
{
    /* Read into a copy, so that a line with an error leaves the rule as it was. */
    struct weir_rule_source rule = draft->source;
    rule.kind = kind;
    rule.flags &= ~(unsigned)TEST_FLAGS;
    rule.selector = rule.pattern = rule.unset = (struct weir_slice){"", 0};
    rule.prefix = NULL;
    rule.prefixes = 0;
    int rc;
    if (kind == WEIR_RULE_META)
        rc = read_formula(reader, text, &rule);
    else if (kind == WEIR_RULE_IP)
        rc = read_prefixes(reader, text, &rule);
    else if (kind == WEIR_RULE_HEADER || kind == WEIR_RULE_ENVELOPE)
        rc = read_selected(reader, text, &rule);
    else
        rc = read_plain(reader, text, &rule);
    if (rc < 0)
        return rc;
    draft->has_test = true; /* one that is wrong has been told: not once more as missing */
    if (rc > 0) {
        rule.file = reader->file;
        rule.line = reader->line;
        draft->source = rule;
    }
    return 0;
}
