/*
 * Which rules are taken.  Tests are decided one by one; meta rules afterwards, each once all that
 * it needs is decided (Kahn 1962), so that time is linear in the names they mention.
 */
#include "monitor/ctl/sa_import_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/ctl/sa_meta.h"
#include "monitor/ctl/sa_regex.h"

static void leave_out(struct sa_importing *in, struct sa_rule *rule, enum weir_sa_reason reason,
                      const char *why)
{
    rule->fate = reason == WEIR_SA_SCORE || reason == WEIR_SA_CONDITION ? SA_NEVER : SA_OUT;
    sa_import_miss_rule(in, rule, reason, why);
}

static bool is_hidden(const struct sa_rule *rule)
{
    return rule->name.len >= 2 && memcmp(rule->name.at, "__", 2) == 0;
}

/* Flags and score. ----------------------------------------------------------- */

static unsigned hits_most(struct weir_slice flag)
{
    unsigned hits = 0;
    for (size_t i = strlen("maxhits="); i < flag.len; i++)
        if (flag.at[i] >= '0' && flag.at[i] <= '9' && hits < WEIR_RULE_REPEATS_MAX)
            hits = 10 * hits + (unsigned)(flag.at[i] - '0');
    return hits < WEIR_RULE_REPEATS_MAX ? hits : WEIR_RULE_REPEATS_MAX;
}

/* A flag that means nothing here. */
static void count_flag(struct sa_importing *in, struct weir_slice flag)
{
    const char *word = weir_arena_printf(in->arena, "tflags %.*s",
                                         (int)(flag.len < 40 ? flag.len : 40), flag.at);
    in->no_memory |= !word;
    if (word)
        sa_import_count(in, weir_slice_of(word));
}

/* Reads the flags; true when it is a network test. */
static bool take_flags(struct sa_importing *in, struct sa_rule *rule)
{
    static const struct { const char *word; unsigned flag; } flags[] = {
        {"nice", WEIR_RULE_NICE}, {"noautolearn", WEIR_RULE_NOAUTOLEARN},
        {"multiple", WEIR_RULE_MULTIPLE}, {"nosubject", WEIR_RULE_NOSUBJECT},
    };
    struct weir_slice rest = rule->tflags;
    bool network = false;
    while (rest.len > 0) {
        struct weir_slice flag = weir_slice_word(&rest);
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
            if (weir_slice_equals(flag, flags[i].word))
                bit = flags[i].flag;
        rule->source.flags |= bit;
        if (weir_slice_equals(flag, "net"))
            network = true;
        else if (flag.len > 8 && memcmp(flag.at, "maxhits=", 8) == 0)
            rule->source.hits_most = hits_most(flag);
        else if (bit == 0)
            count_flag(in, flag);
    }
    if (rule->source.kind != WEIR_RULE_BODY)
        rule->source.flags &= ~(unsigned)WEIR_RULE_NOSUBJECT;
    if (!(rule->source.flags & WEIR_RULE_MULTIPLE))
        rule->source.hits_most = 0;
    return network;
}

/* What SpamAssassin gives a rule that nobody scored. */
static float score_of(const struct sa_rule *rule)
{
    float plain = rule->name.len >= 2 && memcmp(rule->name.at, "T_", 2) == 0 ? 0.01f : 1;
    if (rule->has_score)
        return rule->score;
    return rule->source.flags & WEIR_RULE_NICE ? -plain : plain;
}

/* Points count in hundredths.  What is not 0 does not become it: such a rule would be none. */
static void round_score(struct sa_importing *in, struct sa_rule *rule)
{
    float score = rule->source.score, rounded = (float)weir_rule_points((double)score);
    if (rounded == 0 && score != 0)
        rounded = copysignf(0.01f, score);
    rule->source.score = rounded;
    if (fabsf(score - rounded) < 1e-5f)
        return;
    const char *why = weir_arena_printf(in->arena, "its score %g is rounded to %.2f",
                                        (double)score, (double)rounded);
    in->no_memory |= !why;
    if (why)
        sa_import_miss_rule(in, rule, WEIR_SA_CHANGED, why);
}

/* Things that are different in Weir, though the rule is taken. */
static void note_changes(struct sa_importing *in, struct sa_rule *rule)
{
    if (fabsf(rule->source.score) > WEIR_RULE_SCORE_MAX) {
        rule->source.score = copysignf(WEIR_RULE_SCORE_MAX, rule->source.score);
        sa_import_miss_rule(in, rule, WEIR_SA_CHANGED, "its score is cut to what Weir allows");
    }
    round_score(in, rule);
    if (rule->source.description.len > WEIR_RULE_DESCRIPTION_MAX) {
        rule->source.description.len = WEIR_RULE_DESCRIPTION_MAX;
        sa_import_miss_rule(in, rule, WEIR_SA_CHANGED, "its description is cut");
    }
}

static void take(struct sa_importing *in, struct sa_rule *rule)
{
    rule->fate = SA_TAKEN;
    note_changes(in, rule);
}

/* Tests. --------------------------------------------------------------------- */

static void replace_tags(struct sa_importing *in, struct sa_rule *rule)
{
    int rc = sa_tags_replace(&in->tags, rule->source.pattern, &rule->source.pattern);
    in->no_memory |= rc == WEIR_ENOMEM;
    if (rc == WEIR_ELIMIT)
        leave_out(in, rule, WEIR_SA_LIMIT, "too long, or too much work, with its tags replaced");
}

static void decide_test(struct sa_importing *in, struct sa_rule *rule)
{
    const char *why = NULL;
    bool is_exists = rule->source.flags & WEIR_RULE_EXISTS;
    if (rule->replace && !is_exists)
        replace_tags(in, rule);
    if (rule->fate != SA_UNKNOWN || in->no_memory)
        return;
    int rc = is_exists ? 0
             : sa_regex_try(in->arena, rule->source.pattern, rule->source.flags, &why);
    if (rc < 0)
        leave_out(in, rule, rc == WEIR_ELIMIT ? WEIR_SA_LIMIT : WEIR_SA_EXPRESSION, why);
    else
        take(in, rule);
}

/* What is decided without looking at other rules; meta rules stay open. */
static void decide(struct sa_importing *in, struct sa_rule *rule)
{
    bool network = take_flags(in, rule);
    float score = score_of(rule);
    rule->source.score = is_hidden(rule) ? 0 : score;
    if (rule->refused)
        leave_out(in, rule, rule->reason, rule->why);
    else if (network)
        leave_out(in, rule, WEIR_SA_NETWORK, "is a network test");
    else if (score == 0)
        leave_out(in, rule, WEIR_SA_SCORE, "has the score 0: SpamAssassin does not run it");
    else if (rule->source.kind != WEIR_RULE_META)
        decide_test(in, rule);
}

/* Meta rules. ---------------------------------------------------------------- */

/* The rule a meta rule mentions, when a file defines it or would. */
static struct sa_rule *mentioned(const struct sa_importing *in, struct weir_slice name)
{
    struct sa_name *entry = sa_names_find(&in->rules, name);
    return entry ? entry->value : NULL;
}

static bool is_open_meta(const struct sa_rule *rule)
{
    return rule->defined && rule->fate == SA_UNKNOWN && rule->source.kind == WEIR_RULE_META;
}

/* Notes which open meta rules a meta rule waits for. */
static void link_meta(struct sa_importing *in, struct sa_rule *rule)
{
    struct weir_slice rest = rule->source.pattern, token;
    enum sa_meta_token kind;
    while ((kind = sa_meta_next(&rest, &token)) != SA_META_END && !in->no_memory) {
        struct sa_rule *needed = kind == SA_META_NAME ? mentioned(in, token) : NULL;
        if (!needed || !is_open_meta(needed))
            continue;
        struct sa_edge *edge = weir_arena_zero(in->arena, 1, sizeof(*edge));
        in->no_memory |= !edge;
        if (!edge)
            return;
        *edge = (struct sa_edge){rule, needed->needed_by};
        needed->needed_by = edge;
        rule->waits++;
    }
}

static void depends(struct sa_importing *in, struct sa_rule *rule, const struct sa_rule *needed)
{
    const char *why = weir_arena_printf(in->arena, "depends on %.*s, which %s",
                                        (int)needed->name.len, needed->name.at,
                                        needed->fate == SA_NEVER
                                            ? "SpamAssassin never evaluates" : "was not taken");
    in->no_memory |= !why;
    if (why)
        leave_out(in, rule, WEIR_SA_DEPENDS, why);
}

static bool is_nowhere(const struct sa_rule *rule)
{
    return !rule || (!rule->defined && !rule->skipped);
}

static void note_nowhere(struct sa_importing *in, struct sa_rule *rule, struct weir_slice name)
{
    const char *why = weir_arena_printf(in->arena, "names %.*s, which no file defines: it counts "
                                        "as 0", (int)(name.len < 200 ? name.len : 200), name.at);
    in->no_memory |= !why;
    if (why)
        sa_import_miss_rule(in, rule, WEIR_SA_NOWHERE, why);
}

/* Decides a meta rule whose needs are decided, and writes 0 for what is never hit. */
static void decide_meta(struct sa_importing *in, struct sa_rule *rule)
{
    struct weir_slice rest = rule->source.pattern, token;
    char *text = weir_arena_take(in->arena, rest.len + 1);
    size_t len = 0;
    in->no_memory |= !text;
    while (!in->no_memory) {
        const char *from = rest.at;
        enum sa_meta_token kind = sa_meta_next(&rest, &token);
        if (kind == SA_META_END)
            break;
        const struct sa_rule *needed = kind == SA_META_NAME ? mentioned(in, token) : NULL;
        /* SpamAssassin waits for a meta rule without a score for ever. */
        if (needed && (needed->fate == SA_OUT ||
                       (needed->fate == SA_NEVER && needed->defined &&
                        needed->source.kind == WEIR_RULE_META))) {
            depends(in, rule, needed);
            return;
        }
        bool zero = kind == SA_META_NAME && (!needed || needed->fate != SA_TAKEN);
        if (zero && is_nowhere(needed))
            note_nowhere(in, rule, token);
        size_t gap = (size_t)(token.at - from);
        memcpy(text + len, from, gap);
        len += gap;
        memcpy(text + len, zero ? "0" : token.at, zero ? 1 : token.len);
        len += zero ? 1 : token.len;
    }
    if (in->no_memory)
        return;
    rule->source.pattern = (struct weir_slice){text, len};
    take(in, rule);
}

/* Decides a rule and all that waited for nothing but it. */
static void decide_metas(struct sa_importing *in, struct sa_rule **ready, size_t count)
{
    while (count > 0 && !in->no_memory) {
        struct sa_rule *rule = ready[--count];
        decide_meta(in, rule);
        for (struct sa_edge *edge = rule->needed_by; edge; edge = edge->next)
            if (--edge->rule->waits == 0)
                ready[count++] = edge->rule;
    }
}

static void finish_metas(struct sa_importing *in)
{
    struct sa_rule **ready = weir_arena_zero(in->arena, in->defineds + 1, sizeof(*ready));
    size_t count = 0;
    in->no_memory |= !ready;
    for (size_t i = 0; i < in->defineds && !in->no_memory; i++)
        if (is_open_meta(in->defined[i]))
            link_meta(in, in->defined[i]);
    if (in->no_memory)
        return;
    for (size_t i = 0; i < in->defineds; i++)
        if (is_open_meta(in->defined[i]) && in->defined[i]->waits == 0)
            ready[count++] = in->defined[i];
    decide_metas(in, ready, count);
    for (size_t i = 0; i < in->defineds && !in->no_memory; i++)
        if (is_open_meta(in->defined[i]))
            leave_out(in, in->defined[i], WEIR_SA_DEPENDS,
                      "depends on itself by way of other meta rules");
}

/* The result. ---------------------------------------------------------------- */

/* Rules that stand only in blocks that are not read; meta rules need to know. */
static void finish_skipped(struct sa_importing *in)
{
    for (size_t i = 0; i < in->rules.names && !in->no_memory; i++) {
        struct sa_rule *rule = in->rules.name[i].value;
        if (rule->skipped && !rule->defined)
            leave_out(in, rule, rule->reason, rule->why);
    }
}

/* Lines about rules that did not come. */
static void finish_early(struct sa_importing *in)
{
    for (size_t i = 0; i < in->earlies && !in->no_memory; i++) {
        const struct sa_early *early = &in->early[i];
        if (!is_nowhere(early->rule))
            continue;
        const char *why = weir_arena_printf(in->arena, "%.*s: no file defines this rule",
                                            (int)early->key.len, early->key.at);
        in->no_memory |= !why;
        if (why)
            sa_import_miss(in, WEIR_SA_NOWHERE, early->rule->name, early->file, early->line, why);
    }
}

static void collect_words(struct sa_importing *in, struct weir_sa_import *import_r)
{
    size_t words = in->words.names;
    struct weir_sa_word *word = weir_arena_zero(in->arena, words + 1, sizeof(*word));
    in->no_memory |= !word;
    for (size_t i = 0; i < words && !in->no_memory; i++) {
        const struct sa_name *name = &in->words.name[i];
        word[i].word = weir_arena_copy(in->arena, name->text.at, name->text.len);
        word[i].count = *(const size_t *)name->value;
        in->no_memory |= !word[i].word;
    }
    import_r->word = word;
    import_r->words = words;
}

static void collect_rules(struct sa_importing *in, struct weir_sa_import *import_r)
{
    struct weir_rule_source *rule = weir_arena_zero(in->arena, in->defineds + 1, sizeof(*rule));
    size_t rules = 0;
    in->no_memory |= !rule;
    for (size_t i = 0; i < in->defineds && !in->no_memory; i++) {
        if (in->defined[i]->fate != SA_TAKEN)
            continue;
        if (rules == WEIR_RULES_MAX)
            sa_import_miss_rule(in, in->defined[i], WEIR_SA_LIMIT, "too many rules");
        else
            rule[rules++] = in->defined[i]->source;
    }
    import_r->rule = rule;
    import_r->rules = rules;
}

void sa_finish(struct sa_importing *in, struct weir_sa_import *import_r)
{
    finish_skipped(in);
    finish_early(in);
    for (size_t i = 0; i < in->defineds && !in->no_memory; i++)
        decide(in, in->defined[i]);
    if (!in->no_memory)
        finish_metas(in);
    collect_words(in, import_r);
    collect_rules(in, import_r);
    import_r->missed = in->missed;
    import_r->missing = in->missing;
}
