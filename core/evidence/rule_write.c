/*
 * Rules in their language again: what is written here, the reader reads as the same rule.
 * Every '#' gets a backslash, for it would begin a comment; every '/' of an expression
 * that has none, too.
 */
#include <string.h>

#include "core/evidence/rule_source_impl.h"

static void slice(struct weir_line *out, struct weir_slice text)
{
    if (text.len > 0)
        weir_line_octets(out, text.at, text.len);
}

/* Text in which '#' may stand. */
static void commented(struct weir_line *out, struct weir_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '#')
            weir_line_octets(out, "\\", 1);
        weir_line_octets(out, text.at + i, 1);
    }
}

static void expression(const struct weir_rule_source *rule, struct weir_line *out)
{
    struct weir_slice pattern = rule->pattern;
    weir_line_text(out, "/");
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.at[i] == '/')
            weir_line_text(out, "\\");
        if (pattern.at[i] == '\\' && i + 1 < pattern.len) {
            weir_line_text(out, "\\");
            i++;
        }
        commented(out, (struct weir_slice){pattern.at + i, 1});
    }
    weir_line_text(out, "/");
    for (const struct weir_rule_flag_name *row = weir_rule_letter_names; row->name; row++)
        if (rule->flags & row->flag)
            weir_line_text(out, row->name);
}

static void selected(const struct weir_rule_source *rule, struct weir_line *out)
{
    bool negated = rule->flags & WEIR_RULE_NEGATED;
    if (rule->flags & WEIR_RULE_EXISTS) {
        weir_line_text(out, negated ? "!exists:" : "exists:");
        commented(out, rule->selector);
        return;
    }
    commented(out, rule->selector);
    weir_line_text(out, negated ? " !~ " : " =~ ");
    expression(rule, out);
    if (rule->unset.len > 0) {
        weir_line_text(out, " [if-unset: ");
        commented(out, rule->unset);
        weir_line_text(out, "]");
    }
}

static void prefixes(const struct weir_rule_source *rule, struct weir_line *out)
{
    char text[WEIR_PREFIX_TEXT];
    for (size_t i = 0; i < rule->prefixes; i++) {
        weir_line_text(out, i > 0 ? " " : "");
        weir_line_text(out, weir_prefix_format(&rule->prefix[i], text));
    }
}

static void begin(const struct weir_rule_source *rule, const char *word, struct weir_line *out)
{
    weir_line_text(out, word);
    weir_line_text(out, " ");
    slice(out, rule->name);
    weir_line_text(out, " ");
}

/* Points without zeroes at their end. */
static void number(double points, struct weir_line *out)
{
    char digits[40];
    struct weir_line text = weir_line(digits, sizeof(digits));
    weir_line_number(&text, points, 2);
    while (text.at[-1] == '0')
        text.at--;
    if (text.at[-1] == '.')
        text.at--;
    weir_line_text(out, weir_line_end(&text));
}

static void points(const struct weir_rule_source *rule, const char *word, double it,
                   struct weir_line *out)
{
    begin(rule, word, out);
    number(it, out);
    weir_line_text(out, "\n");
}

/* What only a rulebook knows of it. */
static void kept(const struct weir_rule_source *rule, struct weir_line *out)
{
    if (rule->said & WEIR_RULE_SAID_BASE)
        points(rule, "base", rule->base, out);
    if (rule->said & WEIR_RULE_SAID_BOUNDS) {
        begin(rule, "bounds", out);
        number(rule->low, out);
        weir_line_text(out, " ");
        number(rule->high, out);
        weir_line_text(out, "\n");
    }
    if (rule->said & WEIR_RULE_SAID_APPROVED) {
        begin(rule, "approved", out);
        weir_line_text(out, rule->approved ? "yes\n" : "no\n");
    }
}

static void flags(const struct weir_rule_source *rule, struct weir_line *out)
{
    struct weir_rule_source said = *rule;
    bool any = rule->hits_most > 0;
    for (const struct weir_rule_flag_name *row = weir_rule_flag_names; row->name; row++)
        any |= (said.flags & row->flag) != 0;
    if (!any)
        return;
    begin(rule, "tflags", out);
    const char *between = "";
    for (const struct weir_rule_flag_name *row = weir_rule_flag_names; row->name; row++) {
        if (!(said.flags & row->flag))
            continue;
        weir_line_text(out, between);
        weir_line_text(out, row->name);
        between = " ";
    }
    if (rule->hits_most > 0) {
        weir_line_text(out, between);
        weir_line_text(out, "maxhits=");
        weir_line_count(out, rule->hits_most);
    }
    weir_line_text(out, "\n");
}

void weir_rule_write(const struct weir_rule_source *rule, struct weir_line *out)
{
    begin(rule, weir_rule_kind_name(rule->kind), out);
    if (rule->kind == WEIR_RULE_META)
        commented(out, rule->pattern);
    else if (rule->kind == WEIR_RULE_IP)
        prefixes(rule, out);
    else if (rule->kind == WEIR_RULE_HEADER || rule->kind == WEIR_RULE_ENVELOPE)
        selected(rule, out);
    else
        expression(rule, out);
    weir_line_text(out, "\n");
    points(rule, "score", (double)rule->score, out);
    if (rule->description.len > 0) {
        begin(rule, "describe", out);
        commented(out, rule->description);
        weir_line_text(out, "\n");
    }
    flags(rule, out);
    if (rule->id != 0 && rule->id != weir_rule_id(rule->name)) {
        begin(rule, "id", out);
        weir_line_count(out, rule->id);
        weir_line_text(out, "\n");
    }
    if (rule->state != WEIR_RULE_ACTIVE) {
        begin(rule, "state", out);
        weir_line_text(out, weir_rule_state_name(rule->state));
        weir_line_text(out, "\n");
    }
    kept(rule, out);
}
