/*
 * Rules, hits and reports come from the database in the order of ids, and are laid side by side.
 * How often a run was stored is counted: the run that finds another number than it began with was
 * not alone.
 */
#include "monitor/analyzer/analyzer_io.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "monitor/analyzer/guard.h"
#include "monitor/analyzer/named.h"
#include "monitor/analyzer/rescan.h"
#include "monitor/analyzer/told_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_rules_io.h"

#define WHO 128
#define DETAIL 256

struct one {
    uint32_t id;
    char name[WEIR_RULE_NAME_MAX + 1];
    weir_time updated;
    struct weir_analyze_rule is;
    char bounded[WEIR_SERVER_NAME_MAX + 1];
    struct weir_score_counts all; /* messages beside its hits */
};

struct weir_analysis {
    struct weir_analysis_options options;
    char who[WHO];
    uint64_t runs;             /* stored before */
    struct one *rule;
    size_t rules, rule_room, at; /* at: where a list by ids has come to */
    struct weir_analysis_change *change;
    size_t changes, change_room;
    struct weir_guard_rule *guard;
    struct weir_named *named;  /* by formulas */
    struct weir_analysis_counts counts;
};

/* Reading. ------------------------------------------------------------------ */

static bool is_evaluated(enum weir_rule_state state)
{
    return state == WEIR_RULE_ACTIVE || state == WEIR_RULE_LOCKED || state == WEIR_RULE_TEST;
}

static int take_rule(void *context, const struct weir_kept_rule *rule)
{
    struct weir_analysis *analysis = context;
    struct one *more = weir_grown(analysis->rule, analysis->rules, &analysis->rule_room,
                                  sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    analysis->rule = more;
    more += analysis->rules++;
    *more = (struct one){.id = rule->id, .updated = rule->updated,
                         .is = {.state = rule->state, .score = rule->score, .base = rule->base,
                                .low = rule->low, .high = rule->high, .since = rule->since,
                                .approved = rule->approved,
                                .drafted = strcmp(rule->author, WEIR_DRAFTS_AUTHOR) == 0}};
    snprintf(more->name, sizeof more->name, "%s", rule->name);
    if (rule->kind != WEIR_RULE_META || !is_evaluated(rule->state))
        return 0;
    return weir_named_add(analysis->named, weir_slice_of(rule->text));
}

/* The rule of an id; ids come in their order.  NULL: there is none. */
static struct one *next_of(struct weir_analysis *analysis, uint32_t id)
{
    while (analysis->at < analysis->rules && analysis->rule[analysis->at].id < id)
        analysis->at++;
    if (analysis->at == analysis->rules || analysis->rule[analysis->at].id != id)
        return NULL;
    return &analysis->rule[analysis->at];
}

static int take_hits(void *context, const struct weir_told *told)
{
    struct one *rule = next_of(context, told->hits.id);

    if (rule) {
        rule->is.hits = told->hits;
        rule->is.hits.decayed = told->weighed.hits;
        rule->all = told->weighed.all;
        snprintf(rule->bounded, sizeof rule->bounded, "%s", told->server);
    }
    return 0;
}

static int take_blame(void *context, const struct weir_told_blame *blame)
{
    struct one *rule = next_of(context, blame->rule);

    if (rule) {
        rule->is.false_positives = blame->counted;
        rule->is.people = blame->people;
    }
    return 0;
}

static int read_all(struct weir_analysis *analysis, struct weir_database *database)
{
    const struct weir_analyze_settings *settings = &analysis->options.settings;
    weir_time now = analysis->options.now, at;
    int rc = weir_database_runs(database, &analysis->runs, &at);

    rc = rc < 0 ? rc : weir_database_rules(database, 0, take_rule, analysis);
    rc = rc < 0 ? rc : weir_told_hits(database, now, settings->share, take_hits, analysis,
                                      &analysis->counts.all);
    analysis->at = 0;
    rc = rc < 0 ? rc : weir_told_blame(database, now - WEIR_LIFE_REPORTS,
                                       settings->life.false_positives, settings->share,
                                       take_blame, analysis);
    if (rc < 0)
        return rc;
    analysis->counts.rules = analysis->rules;
    return 0;
}

/* Deciding. ----------------------------------------------------------------- */

static int decide(struct weir_analysis *analysis)
{
    for (size_t i = 0; i < analysis->rules; i++) {
        struct one *rule = &analysis->rule[i];
        struct weir_analysis_change *more =
            weir_grown(analysis->change, analysis->changes, &analysis->change_room, sizeof *more);

        if (!more)
            return WEIR_ENOMEM;
        analysis->change = more;
        more += analysis->changes;
        rule->is.name = rule->name;
        rule->is.named = weir_named_has(analysis->named, rule->name);
        rule->is.bounded = rule->bounded;
        if (rule->is.hits.hits == 0)
            rule->all = analysis->counts.all; /* it hit none of them */
        *more = (struct weir_analysis_change){.id = rule->id, .state = rule->is.state,
                                              .score = rule->is.score,
                                              .updated = rule->updated};
        memcpy(more->name, rule->name, sizeof more->name);
        analysis->changes += (size_t)weir_analyze(&rule->is, &rule->all,
                                                  &analysis->options.settings,
                                                  analysis->options.now, &more->to);
    }
    return 0;
}

/* What a hit of it adds. */
static double points_of(enum weir_rule_state state, double score)
{
    return state == WEIR_RULE_ACTIVE || state == WEIR_RULE_LOCKED ? score : 0;
}

/* How much spam stands up for its change: a person's word for all there is, when he lets it go to
 * work. */
static double spam_of(const struct one *rule, const struct weir_analyze_change *to)
{
    bool is_let = rule->is.state == WEIR_RULE_TEST && to->state == WEIR_RULE_ACTIVE;

    return is_let ? HUGE_VAL : rule->is.hits.decayed.spam;
}

/* Whether anything rises. */
static bool fill_guard(struct weir_analysis *analysis)
{
    const struct weir_analysis_change *change = analysis->change,
                                      *end = change + analysis->changes;
    bool any = false;

    for (size_t i = 0; i < analysis->rules; i++) {
        const struct one *rule = &analysis->rule[i];
        struct weir_guard_rule *guard = &analysis->guard[i];

        *guard = (struct weir_guard_rule){.id = rule->id};
        guard->now = guard->next = points_of(rule->is.state, rule->is.score);
        if (change < end && change->id == rule->id) {
            guard->next = points_of(change->to.state, change->to.score);
            guard->spam = spam_of(rule, &change->to);
            change++;
        }
        any |= guard->next > guard->now;
    }
    return any;
}

static int try_message(void *context, const struct weir_guard_message *message)
{
    struct weir_analysis *analysis = context;

    (void)weir_guard_take(analysis->guard, analysis->rules, analysis->options.settings.spam_score,
                          message);
    analysis->counts.messages++;
    return 0;
}

static void settle(struct weir_analysis *analysis)
{
    const struct weir_guard_rule *guard = analysis->guard;

    for (size_t i = 0; i < analysis->changes; i++) {
        struct weir_analysis_change *change = &analysis->change[i];

        while (guard->id < change->id)
            guard++;
        if (guard->refused) {
            change->fate = WEIR_ANALYSIS_REFUSED;
            change->message = guard->message;
        }
        analysis->counts.refused += guard->refused;
        analysis->counts.changed += !guard->refused;
    }
}

static int guard(struct weir_analysis *analysis, struct weir_database *database)
{
    int rc = 0;

    analysis->guard = calloc(analysis->rules + 1, sizeof *analysis->guard);
    if (!analysis->guard)
        return WEIR_ENOMEM;
    if (fill_guard(analysis)) /* by id already */
        rc = weir_database_messages_good(database, try_message, analysis);
    settle(analysis);
    return rc < 0 ? rc : 0;
}

int weir_analysis_new(struct weir_database *reading, const struct weir_analysis_options *options,
                      struct weir_analysis **analysis_r)
{
    struct weir_analysis *analysis = calloc(1, sizeof *analysis);
    int rc;

    if (!analysis)
        return WEIR_ENOMEM;
    analysis->options = *options;
    snprintf(analysis->who, sizeof analysis->who, "%s", options->who);
    rc = weir_named_new(&analysis->named);
    rc = rc < 0 ? rc : read_all(analysis, reading);
    rc = rc < 0 ? rc : decide(analysis);
    rc = rc < 0 ? rc : guard(analysis, reading);
    if (rc < 0)
        weir_analysis_free(&analysis);
    else
        *analysis_r = analysis;
    return rc;
}

void weir_analysis_free(struct weir_analysis **analysis)
{
    if (!*analysis)
        return;
    free((*analysis)->rule);
    free((*analysis)->change);
    free((*analysis)->guard);
    weir_named_free(&(*analysis)->named);
    free(*analysis);
    *analysis = NULL;
}

/* Storing. ------------------------------------------------------------------ */

/* Puts a change into the rule as it is by now: 1 leaves it alone, because it is not what the run
 * has seen. */
static int edit(void *context, struct weir_kept_rule *rule)
{
    const struct weir_analysis_change *change = context;

    if (rule->updated != change->updated)
        return 1;
    rule->state = change->to.state;
    rule->score = change->to.score;
    rule->approved = change->to.approved;
    return 0;
}

static int store_one(const struct weir_analysis *analysis, struct weir_analysis_change *change,
                     struct weir_database *database)
{
    const struct weir_rule_change by = {.who = analysis->who, .why = change->to.why,
                                        .time = analysis->options.now};
    int rc = weir_database_rule_edit(database, change->id, edit, change, &by);

    if (rc == 0)
        change->fate = WEIR_ANALYSIS_PASSED;
    return rc;
}

static int note_run(const struct weir_analysis *analysis, struct weir_database *database,
                    weir_time time)
{
    const struct weir_analysis_counts *counts = &analysis->counts;
    char detail[DETAIL];
    const struct weir_audit audit = {.time = time, .who = analysis->who, .what = "analyze",
                                     .detail = detail};

    if (analysis->changes == 0)
        return 0;
    snprintf(detail, sizeof detail, "%zu of %zu rules changed, %zu refused, %zu passed over",
             counts->changed, counts->rules, counts->refused, counts->passed);
    return weir_database_audit_add(database, &audit);
}

static int store_all(struct weir_analysis *analysis, struct weir_database *database)
{
    struct weir_clock wall = weir_clock_system();
    weir_time time = weir_clock_now(&wall);
    int rc = weir_database_run_put(database, analysis->runs, time);

    for (size_t i = 0; rc >= 0 && i < analysis->changes; i++)
        if (analysis->change[i].fate == WEIR_ANALYSIS_CHANGED) {
            rc = store_one(analysis, &analysis->change[i], database);
            analysis->counts.passed += rc == 0;
            analysis->counts.changed -= rc == 0;
        }
    return rc < 0 ? rc : note_run(analysis, database, time);
}

int weir_analysis_store(struct weir_analysis *analysis, struct weir_database *writing)
{
    int rc = weir_database_begin(writing);

    if (rc < 0)
        return rc;
    rc = store_all(analysis, writing);
    if (rc >= 0)
        rc = weir_database_commit(writing);
    else
        weir_database_abandon(writing);
    return rc < 0 ? rc : 0;
}

/* Asking. ------------------------------------------------------------------- */

const struct weir_analysis_change *weir_analysis_get(const struct weir_analysis *analysis,
                                                     size_t number)
{
    return number < analysis->changes ? &analysis->change[number] : NULL;
}

struct weir_analysis_counts weir_analysis_counts(const struct weir_analysis *analysis)
{
    return analysis->counts;
}
