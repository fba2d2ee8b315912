/*
 * What one line says about a rule.  As in SpamAssassin a later definition replaces the
 * earlier one, and score, describe and tflags may come before what they are about.
 * Nothing is decided here but what the line alone decides; see sa_finish.c.
 */
#include "monitor/ctl/sa_import_impl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/ctl/sa_meta.h"
#include "monitor/ctl/sa_regex.h"

static bool is_name_octet(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_rule_name(struct weir_slice name)
{
    if (name.len == 0 || (name.at[0] >= '0' && name.at[0] <= '9'))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_octet(name.at[i]))
            return false;
    return true;
}

static void refuse(struct sa_rule *rule, enum weir_sa_reason reason, const char *why)
{
    rule->refused = true;
    rule->reason = reason;
    rule->why = why;
}

/* Kinds of rules. ------------------------------------------------------------ */

static void expression(struct sa_importing *in, struct sa_rule *rule, struct weir_slice text)
{
    const char *why = NULL;
    (void)in;
    if (sa_regex_split(text, &rule->source.pattern, &rule->source.flags, &why) < 0)
        refuse(rule, WEIR_SA_EXPRESSION, why);
}

static bool begins(struct weir_slice text, const char *with)
{
    return text.len >= strlen(with) && strncasecmp(text.at, with, strlen(with)) == 0;
}

/* What SpamAssassin computes and calls a header. */
static bool is_pseudo(struct weir_slice field)
{
    return begins(field, "X-Spam-Relays-") || begins(field, "ALL-") ||
           begins(field, "X-Languages") || begins(field, "X-Relay-Countries") ||
           begins(field, "X-ASN");
}

static bool is_field_octet(char c)
{
    return is_name_octet(c) || c == '.' || c == '-';
}

/* "Name", "Name:addr": which of it Weir has, as a selector. */
static void select_field(struct sa_rule *rule, struct weir_slice selector)
{
    static const char *const modifiers[] = {"raw", "addr", "name", "first", "last"};
    struct weir_slice field = selector, modifier = {"", 0};
    const char *colon = memchr(selector.at, ':', selector.len);
    bool known = false;

    if (colon) {
        field.len = (size_t)(colon - selector.at);
        modifier = (struct weir_slice){colon + 1, selector.len - field.len - 1};
    }
    for (size_t i = 0; i < sizeof(modifiers) / sizeof(*modifiers); i++)
        known |= weir_slice_equals(modifier, modifiers[i]);
    rule->source.selector = modifier.len > 0 ? selector : field;
    if (is_pseudo(field))
        refuse(rule, WEIR_SA_HEADER, "this header is made by SpamAssassin");
    else if (field.len > WEIR_FIELD_NAME_MAX)
        refuse(rule, WEIR_SA_LIMIT, "the header's name is too long");
    else if (modifier.len > 0 && !known)
        refuse(rule, WEIR_SA_HEADER, "a part of a header that Weir does not take out");
    if (!weir_slice_equals(field, "EnvelopeFrom"))
        return;
    rule->source.kind = WEIR_RULE_ENVELOPE;
    rule->source.selector = weir_slice_of("sender");
}

/* Takes " [if-unset: text]" off the end. */
static struct weir_slice take_unset(struct weir_slice text, struct weir_slice *unset_r)
{
    static const char mark[] = "[if-unset:";
    const char *at = text.len > 0 && text.at[text.len - 1] == ']'
                     ? memmem(text.at, text.len, mark, strlen(mark)) : NULL;
    if (!at || at == text.at || (at[-1] != ' ' && at[-1] != '\t'))
        return text;
    const char *inside = at + strlen(mark);
    *unset_r = weir_slice_trim(weir_slice_between(inside, text.at + text.len - 1));
    return weir_slice_trim((struct weir_slice){text.at, (size_t)(at - text.at)});
}

static void exists_rule(struct sa_rule *rule, struct weir_slice field)
{
    if (field.len > 0 && field.at[field.len - 1] == ':')
        field.len--;
    for (size_t i = 0; i < field.len; i++)
        if (!is_field_octet(field.at[i]))
            refuse(rule, WEIR_SA_SYNTAX, "this is no header's name");
    if (field.len == 0)
        refuse(rule, WEIR_SA_SYNTAX, "exists: without a header's name");
    if (rule->refused)
        return;
    rule->source.flags = WEIR_RULE_EXISTS;
    select_field(rule, field);
    if (rule->source.kind == WEIR_RULE_ENVELOPE)
        refuse(rule, WEIR_SA_HEADER, "this header is made by SpamAssassin");
}

static void header_rule(struct sa_importing *in, struct sa_rule *rule, struct weir_slice text)
{
    size_t len = 0;
    if (begins(text, "exists:")) {
        exists_rule(rule, (struct weir_slice){text.at + 7, text.len - 7});
        return;
    }
    while (len < text.len && (is_field_octet(text.at[len]) || text.at[len] == ':'))
        len++;
    struct weir_slice selector = {text.at, len};
    text = weir_slice_trim((struct weir_slice){text.at + len, text.len - len});
    bool negated = begins(text, "!~");
    if (selector.len == 0 || selector.at[0] == ':' || !(negated || begins(text, "=~"))) {
        refuse(rule, WEIR_SA_SYNTAX, "not Header =~ /expression/");
        return;
    }
    text = take_unset(weir_slice_trim((struct weir_slice){text.at + 2, text.len - 2}),
                      &rule->source.unset);
    select_field(rule, selector);
    if (!rule->refused)
        expression(in, rule, text);
    rule->source.flags |= negated ? WEIR_RULE_NEGATED : 0;
}

static void meta_rule(struct sa_importing *in, struct sa_rule *rule, struct weir_slice text)
{
    const char *why = NULL;
    (void)in;
    int rc = sa_meta_check(text, &why);
    rule->source.pattern = text;
    if (rc < 0)
        refuse(rule, rc == WEIR_ELIMIT ? WEIR_SA_LIMIT : WEIR_SA_SYNTAX, why);
}

static void foreign_rule(struct sa_importing *in, struct sa_rule *rule, struct weir_slice text)
{
    (void)in, (void)text;
    refuse(rule, WEIR_SA_KIND, "Weir has no rules of this kind");
}

static void network_rule(struct sa_importing *in, struct sa_rule *rule, struct weir_slice text)
{
    (void)in, (void)text;
    refuse(rule, WEIR_SA_NETWORK, "asks a server on the network");
}

static const struct kind {
    const char *word;
    enum weir_rule_kind kind;
    void (*read)(struct sa_importing *in, struct sa_rule *rule, struct weir_slice text);
    bool eval; /* may be a function */
} kinds[] = {
    {"header", WEIR_RULE_HEADER, header_rule, true},
    {"body", WEIR_RULE_BODY, expression, true},
    {"rawbody", WEIR_RULE_RAW, expression, true},
    {"uri", WEIR_RULE_URI, expression, false},
    {"full", WEIR_RULE_FULL, expression, true},
    {"meta", WEIR_RULE_META, meta_rule, false},
    {"mimeheader", WEIR_RULE_HEADER, foreign_rule, false},
    {"uri_detail", WEIR_RULE_URI, foreign_rule, false},
    {"askdns", WEIR_RULE_META, network_rule, false},
    {"uridnsbl", WEIR_RULE_URI, network_rule, false},
    {"uridnssub", WEIR_RULE_URI, network_rule, false},
    {"urirhsbl", WEIR_RULE_URI, network_rule, false},
    {"urirhssub", WEIR_RULE_URI, network_rule, false},
    {"urinsrhsbl", WEIR_RULE_URI, network_rule, false},
    {"urinsrhssub", WEIR_RULE_URI, network_rule, false},
    {"urifullnsrhsbl", WEIR_RULE_URI, network_rule, false},
    {"urifullnsrhssub", WEIR_RULE_URI, network_rule, false},
};

static const struct kind *find_kind(struct weir_slice key)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (weir_slice_equals(key, kinds[i].word))
            return &kinds[i];
    return NULL;
}

/* eval:function(arguments); the function's name in the reason. */
static void eval_rule(struct sa_importing *in, struct sa_rule *rule, struct weir_slice text)
{
    size_t start = (size_t)((const char *)memchr(text.at, ':', text.len) - text.at) + 1;
    size_t end = start;
    while (end < text.len && is_name_octet(text.at[end]))
        end++;
    const char *why = weir_arena_printf(in->arena, "needs SpamAssassin's function %.*s",
                                        (int)(end - start < 80 ? end - start : 80),
                                        text.at + start);
    refuse(rule, WEIR_SA_EVAL, why ? why : "needs a function of SpamAssassin");
}

/* Begins a definition; the earlier one of that name is forgotten. */
static struct sa_rule *define(struct sa_importing *in, struct weir_slice name)
{
    struct sa_rule *rule = sa_import_rule(in, name);
    if (!rule)
        return NULL;
    if (!rule->defined) {
        struct sa_rule **defined = sa_grow(in->arena, in->defined, in->defineds,
                                           &in->defined_room, sizeof(*defined));
        in->no_memory |= !defined;
        if (!defined)
            return NULL;
        in->defined = defined;
        in->defined[in->defineds++] = rule;
    }
    rule->source = (struct weir_rule_source){.name = rule->name, .file = in->file,
                                             .line = in->line,
                                             .description = rule->source.description};
    rule->defined = true;
    rule->refused = false;
    rule->file = in->file;
    rule->line = in->line;
    return rule;
}

static void definition(struct sa_importing *in, const struct kind *kind, struct weir_slice value)
{
    struct weir_slice name = weir_slice_word(&value);
    if (!is_rule_name(name) || value.len == 0) {
        sa_import_miss(in, WEIR_SA_SYNTAX, name, in->file, in->line,
                       value.len ? "this is no name for a rule" : "a rule without a test");
        return;
    }
    struct sa_rule *rule = define(in, name);
    if (!rule)
        return;
    rule->source.kind = kind->kind;
    if (kind->eval && (begins(value, "eval:") || begins(value, "rbleval:")))
        eval_rule(in, rule, value);
    else
        kind->read(in, rule, value);
    if (weir_rule_is_own(name))
        refuse(rule, WEIR_SA_KIND, "is the name of points of Weir's own");
    if (!rule->refused && name.len > WEIR_RULE_NAME_MAX)
        refuse(rule, WEIR_SA_LIMIT, "the name is too long");
}

void sa_definition_skipped(struct sa_importing *in, struct weir_slice key, struct weir_slice value)
{
    struct weir_slice name = weir_slice_word(&value);
    if (!find_kind(key) || !is_rule_name(name))
        return;
    struct sa_rule *rule = sa_import_rule(in, name);
    if (!rule || rule->skipped || rule->defined)
        return;
    const struct sa_condition *cause = &in->conditions.cause;
    rule->skipped = true;
    rule->file = in->file;
    rule->line = in->line;
    rule->reason = cause->plugin ? WEIR_SA_PLUGIN : WEIR_SA_CONDITION;
    rule->why = weir_arena_printf(in->arena, "%s: %.*s",
                                  cause->plugin ? "needs the plugin" : "not for Weir",
                                  (int)(cause->text.len < 200 ? cause->text.len : 200),
                                  cause->text.at);
    in->no_memory |= !rule->why;
}

/* Lines about rules. --------------------------------------------------------- */

/* "1.5" or "(1.5)", which is added to what was there. */
static bool read_score(struct weir_slice text, float *score_r, bool *relative_r)
{
    char digits[32], *end;
    bool relative = text.len > 2 && text.at[0] == '(' && text.at[text.len - 1] == ')';
    if (relative)
        text = (struct weir_slice){text.at + 1, text.len - 2};
    if (text.len == 0 || text.len >= sizeof(digits))
        return false;
    memcpy(digits, text.at, text.len);
    digits[text.len] = '\0';
    if (strspn(digits, "-.0123456789") < text.len)
        return false;
    *score_r = strtof(digits, &end);
    *relative_r |= relative;
    return *end == '\0';
}

static bool read_scores(struct sa_rule *rule, struct weir_slice value)
{
    float score[4] = {0};
    size_t scores = 0;
    bool relative = false;
    while (value.len > 0) {
        struct weir_slice word = weir_slice_word(&value);
        if (scores == 4 || !read_score(word, &score[scores++], &relative))
            return false;
    }
    if ((scores != 1 && scores != 4) || (relative && !rule->has_score))
        return false;
    rule->score = score[0] + (relative ? rule->score : 0);
    rule->has_score = true;
    return true;
}

/* Its rule may come later, or never. */
static void note_early(struct sa_importing *in, struct weir_slice key, struct sa_rule *rule)
{
    if (rule->defined)
        return;
    struct sa_early *early = sa_grow(in->arena, in->early, in->earlies, &in->early_room,
                                     sizeof(*early));
    in->no_memory |= !early;
    if (!early)
        return;
    in->early = early;
    early[in->earlies++] = (struct sa_early){rule, key, in->file, in->line};
}

/* score, describe, tflags: a rule's name and something about it. */
static void about_rule(struct sa_importing *in, struct weir_slice key, struct weir_slice value)
{
    struct weir_slice name = weir_slice_word(&value);
    struct sa_rule *rule = is_rule_name(name) ? sa_import_rule(in, name) : NULL;
    if (in->no_memory)
        return;
    if (!rule || value.len == 0) {
        sa_import_miss(in, WEIR_SA_SYNTAX, name, in->file, in->line,
                       rule ? "a value is missing" : "this is no name for a rule");
        return;
    }
    if (weir_slice_equals(key, "tflags")) {
        rule->tflags = value;
    } else if (weir_slice_equals(key, "describe")) {
        rule->source.description = value;
    } else if (!read_scores(rule, value)) {
        sa_import_miss(in, WEIR_SA_SYNTAX, name, in->file, in->line,
                       "a score is one number or four");
        return;
    }
    note_early(in, key, rule);
}

static void replace_rules(struct sa_importing *in, struct weir_slice key, struct weir_slice value)
{
    while (value.len > 0 && !in->no_memory) {
        struct weir_slice name = weir_slice_word(&value);
        struct sa_rule *rule = is_rule_name(name) ? sa_import_rule(in, name) : NULL;
        if (rule) {
            rule->replace = true;
            note_early(in, key, rule);
        } else if (!in->no_memory) {
            sa_import_miss(in, WEIR_SA_SYNTAX, name, in->file, in->line,
                           "this is no name for a rule");
        }
    }
}

bool sa_definition_line(struct sa_importing *in, struct weir_slice key, struct weir_slice value)
{
    const struct kind *kind = find_kind(key);
    if (kind)
        definition(in, kind, value);
    else if (weir_slice_equals(key, "score") || weir_slice_equals(key, "describe") ||
             weir_slice_equals(key, "tflags"))
        about_rule(in, key, value);
    else if (weir_slice_equals(key, "replace_rules"))
        replace_rules(in, key, value);
    else
        return false;
    return true;
}
