/*
 * Conditions are logic over version numbers, plugins and features.  SpamAssassin hands them to
 * Perl; here they are read by descent, with a limit on the depth.  What they ask for is
 * answered by the two tables below, which stand for SpamAssassin 4.0.0 without a network.
 */
#include "monitor/ctl/sa_condition.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/sa_names.h"

#define VERSION 4.000000
#define PERL_VERSION 5.036
#define DEPTH_MAX 32 /* parentheses and negations within each other */

/* Plugins that come with SpamAssassin, are loaded by default and ask nobody else. */
static const char *const assumed[] = {
    "AutoLearnThreshold", "Bayes", "BodyEval", "Check", "FreeMail", "HTMLEval", "HTTPSMismatch",
    "HeaderEval", "ImageInfo", "MIMEEval", "MIMEHeader", "RaciallyCharged", "RelayEval",
    "ReplaceTags", "URIDetail", "URIEval", "VBounce", "WLBLEval", "WelcomeListSubject",
    "WhiteListSubject",
};

/* What can() and has() know of. */
static const char *const features[] = {
    "BodyEval::has_check_body_length", "BodyEval::has_plaintext_body_sig_ratio",
    "Conf::feature_bayes_auto_learn_on_error", "Conf::feature_bayes_stopwords",
    "Conf::feature_blocklist_welcomelist", "Conf::feature_bug6558_free",
    "Conf::feature_capture_rules", "Conf::feature_compile_regexp", "Conf::feature_dns_block_rule",
    "Conf::feature_dns_local_ports_permit_avoid", "Conf::feature_dns_query_restriction",
    "Conf::feature_edns", "Conf::feature_geodb", "Conf::feature_get_host",
    "Conf::feature_header_address_parser", "Conf::feature_header_first_last",
    "Conf::feature_header_match_many", "Conf::feature_local_tests_only",
    "Conf::feature_meta_rules_matching", "Conf::feature_originating_ip_headers",
    "Conf::feature_registryboundaries", "Conf::feature_subjprefix",
    "Conf::feature_uri_host_listed", "Conf::feature_welcomelist_blocklist",
    "Conf::feature_yesno_takes_args", "Conf::has_tflags_nolog", "Conf::has_tflags_nosubject",
    "Conf::perl_min_version_5010000", "MIMEEval::has_check_abundant_unicode_ratio",
    "MIMEEval::has_check_for_ascii_text_illegal", "MIMEEval::has_check_qp_ratio",
    "MIMEHeader::has_all_header", "MIMEHeader::has_capture_rules",
    "MIMEHeader::has_tflags_concat", "MIMEHeader::has_tflags_multiple",
    "MIMEHeader::has_tflags_range", "URIDetail::has_host_key",
};

struct reading {
    struct weir_slice rest;
    unsigned depth;
    bool bad, plugin;
};

static bool listed(const char *const *list, size_t count, struct weir_slice name)
{
    for (size_t i = 0; i < count; i++)
        if (weir_slice_equals(name, list[i]))
            return true;
    return false;
}

static bool drop_prefix(struct weir_slice *text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->at, prefix, len) != 0)
        return false;
    *text = (struct weir_slice){text->at + len, text->len - len};
    return true;
}

/* Takes a sign, blanks before it, when it comes next. */
static bool sign(struct reading *r, const char *text)
{
    r->rest = weir_slice_trim(r->rest);
    return !r->bad && drop_prefix(&r->rest, text);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == ':' || c == '.';
}

static struct weir_slice word(struct reading *r)
{
    size_t len = 0;
    r->rest = weir_slice_trim(r->rest);
    while (len < r->rest.len && is_word(r->rest.at[len]))
        len++;
    struct weir_slice text = {r->rest.at, len};
    r->rest = (struct weir_slice){r->rest.at + len, r->rest.len - len};
    r->bad |= len == 0;
    return text;
}

/* The name in "(Name)". */
static struct weir_slice argument(struct reading *r)
{
    struct weir_slice none = {"", 0};
    if (!sign(r, "(")) {
        r->bad = true;
        return none;
    }
    struct weir_slice name = word(r);
    r->bad |= !sign(r, ")");
    return name;
}

static double has_plugin(struct reading *r)
{
    struct weir_slice name = argument(r);
    bool ours = drop_prefix(&name, "Mail::SpamAssassin::Plugin::");
    bool known = ours && listed(assumed, sizeof(assumed) / sizeof(*assumed), name);
    r->plugin |= !known;
    return known;
}

static double has_feature(struct reading *r)
{
    struct weir_slice name = argument(r);
    if (!drop_prefix(&name, "Mail::SpamAssassin::"))
        return 0;
    drop_prefix(&name, "Plugin::");
    return listed(features, sizeof(features) / sizeof(*features), name);
}

static double number(struct reading *r, struct weir_slice text)
{
    char digits[24], *end;
    if (text.len == 0 || text.len >= sizeof(digits)) {
        r->bad = true;
        return 0;
    }
    memcpy(digits, text.at, text.len);
    digits[text.len] = '\0';
    double value = strtod(digits, &end);
    r->bad |= *end != '\0' || text.at[0] < '0' || text.at[0] > '9';
    return value;
}

static double either(struct reading *r);

static double primary(struct reading *r)
{
    if (sign(r, "(")) {
        double value = either(r);
        r->bad |= !sign(r, ")");
        return value;
    }
    struct weir_slice name = word(r);
    if (weir_slice_equals(name, "plugin"))
        return has_plugin(r);
    if (weir_slice_equals(name, "can") || weir_slice_equals(name, "has"))
        return has_feature(r);
    if (weir_slice_equals(name, "version"))
        return VERSION;
    if (weir_slice_equals(name, "perl_version"))
        return PERL_VERSION;
    if (weir_slice_equals(name, "local_tests_only"))
        return 1;
    return number(r, name);
}

/* Negations and parentheses; all depth goes through here. */
static double unary(struct reading *r)
{
    if (++r->depth > DEPTH_MAX)
        r->bad = true;
    double value = r->bad ? 0 : sign(r, "!") ? unary(r) == 0 : primary(r);
    r->depth--;
    return value;
}

static double compared(struct reading *r)
{
    double left = unary(r);
    if (sign(r, ">="))
        return left >= unary(r);
    if (sign(r, "<="))
        return left <= unary(r);
    if (sign(r, "=="))
        return left == unary(r);
    if (sign(r, "!="))
        return left != unary(r);
    if (sign(r, ">"))
        return left > unary(r);
    if (sign(r, "<"))
        return left < unary(r);
    return left;
}

static double both(struct reading *r)
{
    double value = compared(r);
    while (sign(r, "&&")) {
        double right = compared(r);
        value = value != 0 && right != 0;
    }
    return value;
}

static double either(struct reading *r)
{
    double value = both(r);
    while (sign(r, "||")) {
        double right = both(r);
        value = value != 0 || right != 0;
    }
    return value;
}

int sa_condition_holds(struct weir_slice text, bool *plugin_r)
{
    struct reading r = {.rest = text};
    double value = either(&r);
    *plugin_r = r.plugin;
    if (r.bad || weir_slice_trim(r.rest).len > 0)
        return WEIR_EINVAL;
    return value != 0;
}

/* "ifplugin X" asks the same as "if plugin(X)". */
static int plugin_holds(struct weir_slice name, bool *plugin_r)
{
    struct weir_slice plain = name;
    *plugin_r = true;
    if (!drop_prefix(&plain, "Mail::SpamAssassin::Plugin::"))
        return 0;
    *plugin_r = !listed(assumed, sizeof(assumed) / sizeof(*assumed), plain);
    return !*plugin_r;
}

static enum sa_condition_word open_block(struct sa_conditions *c, struct weir_slice key,
                                         struct weir_slice value, const char **why_r)
{
    if (c->depth == SA_CONDITIONS_MAX) {
        if (c->beyond++ == 0 && !c->skip)
            c->cause = (struct sa_condition){.text = value};
        *why_r = "too many blocks within each other";
        return SA_CONDITION_BAD;
    }
    bool plugin = false;
    int holds = key.len == 2 ? sa_condition_holds(value, &plugin) : plugin_holds(value, &plugin);
    c->open[c->depth++] = (struct sa_condition){.text = value, .skipped = c->skip,
                                                .plugin = plugin && holds == 0};
    if (holds <= 0 && !c->skip) {
        c->skip = true;
        c->cause = c->open[c->depth - 1];
    }
    *why_r = "this condition cannot be read; its block is left out";
    return holds < 0 ? SA_CONDITION_BAD : SA_CONDITION_READ;
}

static enum sa_condition_word other_branch(struct sa_conditions *c, const char **why_r)
{
    *why_r = "else without if";
    if (c->depth == 0)
        return SA_CONDITION_BAD;
    struct sa_condition *block = &c->open[c->depth - 1];
    if (c->beyond > 0 || block->skipped)
        return SA_CONDITION_READ;
    c->skip = !c->skip;
    c->cause = *block;
    c->cause.plugin = false;
    return SA_CONDITION_READ;
}

static enum sa_condition_word close_block(struct sa_conditions *c, const char **why_r)
{
    *why_r = "endif without if";
    if (c->depth == 0)
        return SA_CONDITION_BAD;
    if (c->beyond > 0)
        c->beyond--;
    else
        c->skip = c->open[--c->depth].skipped;
    return SA_CONDITION_READ;
}

enum sa_condition_word sa_conditions_line(struct sa_conditions *conditions, struct weir_slice key,
                                          struct weir_slice value, const char **why_r)
{
    if (weir_slice_equals(key, "if") || weir_slice_equals(key, "ifplugin"))
        return open_block(conditions, key, value, why_r);
    if (weir_slice_equals(key, "else"))
        return other_branch(conditions, why_r);
    if (weir_slice_equals(key, "endif"))
        return close_block(conditions, why_r);
    return SA_CONDITION_NONE;
}
