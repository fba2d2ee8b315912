/*
 * The rulebook's tables.  What is put is compared with what is there, column by column, and
 * each difference is a line of history, in the same transaction; nothing else writes there.
 */
#include "monitor/database/database_rules_io.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define COLUMNS "id, name, kind, text, state, score, base, low, high, author, created, updated, " \
    "since, approved"

#define COUNTED "rules"
#define RUNS "analyzer_runs"
#define STORED "analyzer_stored"

enum { NUMBERS = 48 }; /* of a change's text: bounds are two numbers */

/* What is refused. ---------------------------------------------------------- */

static bool is_score(double score)
{
    return isfinite(score) && fabs(score) <= WEIR_RULE_SCORE_MAX;
}

static int check_change(struct weir_database *database, const struct weir_rule_change *change)
{
    if (strlen(change->who) > WEIR_DATABASE_TEXT_MAX ||
        strlen(change->why) > WEIR_DATABASE_TEXT_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text of a change");
    return 0;
}

static int check(struct weir_database *database, const struct weir_kept_rule *rule)
{
    size_t name = strlen(rule->name);

    if (rule->id == 0 || rule->id > WEIR_RULE_ID_MAX || name == 0 ||
        (unsigned)rule->state > WEIR_RULE_LOCKED || (unsigned)rule->kind >= WEIR_RULE_KINDS)
        return weir_database_fail(database, WEIR_EINVAL, "not a rule");
    if (!is_score(rule->score) || !is_score(rule->base) || !is_score(rule->low) ||
        !is_score(rule->high) || rule->low > 0 || rule->high < 0)
        return weir_database_fail(database, WEIR_EINVAL, "not a rule's score");
    if (name > WEIR_RULE_NAME_MAX || strlen(rule->text) > WEIR_RULE_TEXT_MAX ||
        strlen(rule->author) > WEIR_DATABASE_TEXT_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text of a rule");
    return 0;
}

/* Rows. --------------------------------------------------------------------- */

static int kind_of(const char *name)
{
    for (int kind = 0; kind < WEIR_RULE_KINDS; kind++)
        if (strcmp(weir_rule_kind_name((enum weir_rule_kind)kind), name) == 0)
            return kind;
    return -1;
}

static int state_of(const char *name)
{
    for (int state = 0; state <= WEIR_RULE_LOCKED; state++)
        if (strcmp(weir_rule_state_name((enum weir_rule_state)state), name) == 0)
            return state;
    return -1;
}

/* The row a query is at.  0, or WEIR_ECORRUPT. */
static int read_rule(struct weir_query *q, struct weir_kept_rule *rule_r)
{
    struct weir_kept_rule rule = {.id = (uint32_t)weir_column_number(q)};
    int kind, state;

    rule.name = weir_column_text(q);
    kind = kind_of(weir_column_text(q));
    rule.text = weir_column_text(q);
    state = state_of(weir_column_text(q));
    rule.score = weir_column_real(q);
    rule.base = weir_column_real(q);
    rule.low = weir_column_real(q);
    rule.high = weir_column_real(q);
    rule.author = weir_column_text(q);
    rule.created = weir_column_number(q);
    rule.updated = weir_column_number(q);
    rule.since = weir_column_number(q);
    rule.approved = weir_column_number(q) != 0;
    if (kind < 0 || state < 0)
        return weir_database_fail(q->database, WEIR_ECORRUPT, "a rule of an unknown kind or state");
    rule.kind = (enum weir_rule_kind)kind;
    rule.state = (enum weir_rule_state)state;
    *rule_r = rule;
    return 0;
}

static int walk(struct weir_query *q,
                int (*row)(void *context, const struct weir_kept_rule *rule), void *context)
{
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(q) == 1) {
        struct weir_kept_rule rule;

        stop = read_rule(q, &rule);
        stop = stop < 0 ? stop : row(context, &rule);
        calls++;
    }
    return weir_query_told(q, stop, calls);
}

int weir_database_rules(struct weir_database *database, unsigned states,
                        int (*row)(void *context, const struct weir_kept_rule *rule),
                        void *context)
{
    struct weir_query q = weir_query(database, "SELECT " COLUMNS " FROM rules "
        "WHERE ?1 = 0 OR (state = 'active' AND ?1 & 1) OR (state = 'test' AND ?1 & 2) "
        "OR (state = 'draft' AND ?1 & 4) OR (state = 'retired' AND ?1 & 8) "
        "OR (state = 'locked' AND ?1 & 16) ORDER BY id");

    weir_bind_number(&q, states);
    return walk(&q, row, context);
}

int weir_database_rule(struct weir_database *database, const char *name, uint32_t id,
                       int (*row)(void *context, const struct weir_kept_rule *rule),
                       void *context)
{
    struct weir_query by_id = weir_query(database, "SELECT " COLUMNS " FROM rules WHERE id = ?");
    struct weir_query by_name = weir_query(database, "SELECT " COLUMNS " FROM rules "
                                           "WHERE name = ?");

    if (id > 0)
        weir_bind_number(&by_id, id);
    else
        weir_bind_text(&by_name, name);
    return walk(id > 0 ? &by_id : &by_name, row, context);
}

/* Digits alone; no rule has 0. */
bool weir_rule_number_read(const char *text, uint32_t *id_r)
{
    size_t len = strlen(text);
    unsigned long long id;

    if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
        return false;
    id = strtoull(text, NULL, 10);
    if (id == 0 || id > UINT32_MAX)
        return false;
    *id_r = (uint32_t)id;
    return true;
}

int weir_database_rule_called(struct weir_database *database, const char *which,
                              int (*row)(void *context, const struct weir_kept_rule *rule),
                              void *context)
{
    uint32_t id;

    return weir_rule_number_read(which, &id) ? weir_database_rule(database, NULL, id, row, context)
                                             : weir_database_rule(database, which, 0, row, context);
}

/* Writing. ------------------------------------------------------------------ */

/* A put on its way: the rule as it will be, and what it was. */
struct putting {
    struct weir_database *database;
    const struct weir_rule_change *change;
    struct weir_kept_rule rule, old; /* old.id 0: it is new */
    char *texts;                     /* of old */
    int changes;
};

static int keep_old(void *context, const struct weir_kept_rule *rule)
{
    struct putting *put = context;
    size_t name = strlen(rule->name) + 1, text = strlen(rule->text) + 1;

    put->texts = malloc(name + text);
    if (!put->texts)
        return weir_database_fail(put->database, WEIR_ENOMEM, weir_error_text(WEIR_ENOMEM));
    put->old = *rule;
    put->old.name = memcpy(put->texts, rule->name, name);
    put->old.text = memcpy(put->texts + name, rule->text, text);
    put->old.author = "";
    return 0;
}

static int refuse_name(void *context, const struct weir_kept_rule *rule)
{
    struct putting *put = context;
    char why[WEIR_RULE_NAME_MAX + 64];

    if (rule->id == put->rule.id)
        return 0;
    snprintf(why, sizeof why, "%.*s is the name of rule %u", WEIR_RULE_NAME_MAX, rule->name,
             (unsigned)rule->id);
    return weir_database_fail(put->database, WEIR_EINVAL, why);
}

static int note(struct putting *put, const char *what, const char *old, const char *new)
{
    struct weir_query q;

    if (strcmp(old, new) == 0)
        return 0;
    q = weir_query(put->database, "INSERT INTO rule_changes (time, rule, name, who, what, old, new,"
                   " why) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    put->changes++;
    weir_bind_number(&q, put->change->time);
    weir_bind_number(&q, put->rule.id);
    weir_bind_text(&q, put->rule.name);
    weir_bind_text(&q, put->change->who);
    weir_bind_text(&q, what);
    weir_bind_text(&q, old);
    weir_bind_text(&q, new);
    weir_bind_text(&q, put->change->why);
    return weir_query_run(&q);
}

static int note_points(struct putting *put, const char *what, double old, double new)
{
    char was[NUMBERS], is[NUMBERS];

    snprintf(was, sizeof was, "%.2f", old);
    snprintf(is, sizeof is, "%.2f", new);
    return note(put, what, was, is);
}

static int note_bounds(struct putting *put)
{
    char was[NUMBERS], is[NUMBERS];

    snprintf(was, sizeof was, "%.2f to %.2f", put->old.low, put->old.high);
    snprintf(is, sizeof is, "%.2f to %.2f", put->rule.low, put->rule.high);
    return note(put, "bounds", was, is);
}

/* A line for each difference. */
static int note_all(struct putting *put)
{
    const struct weir_kept_rule *old = &put->old, *rule = &put->rule;
    int rc;

    if (old->id == 0) {
        rc = note(put, "added", "", rule->text[0] ? rule->text : rule->name);
        if (rc < 0 || rule->state == WEIR_RULE_ACTIVE || rule->state == WEIR_RULE_LOCKED)
            return rc; /* whoever adds it so lets it work */
        return rule->approved ? note(put, "approved", "no", "yes") : 0;
    }
    rc = note(put, "kind", weir_rule_kind_name(old->kind), weir_rule_kind_name(rule->kind));
    rc = rc < 0 ? rc : note(put, "text", old->text, rule->text);
    rc = rc < 0 ? rc : note(put, "state", weir_rule_state_name(old->state),
                            weir_rule_state_name(rule->state));
    rc = rc < 0 ? rc : note_points(put, "score", old->score, rule->score);
    rc = rc < 0 ? rc : note_points(put, "base", old->base, rule->base);
    rc = rc < 0 ? rc : note_bounds(put);
    return rc < 0 ? rc : note(put, "approved", old->approved ? "yes" : "no",
                              rule->approved ? "yes" : "no");
}

static int write_rule(struct weir_database *database, const struct weir_kept_rule *rule)
{
    struct weir_query q = weir_query(database, "INSERT INTO rules (" COLUMNS ") "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "kind = excluded.kind, text = excluded.text, "
        "state = excluded.state, score = excluded.score, base = excluded.base, "
        "low = excluded.low, high = excluded.high, updated = excluded.updated, "
        "since = excluded.since, approved = excluded.approved");

    weir_bind_number(&q, rule->id);
    weir_bind_text(&q, rule->name);
    weir_bind_text(&q, weir_rule_kind_name(rule->kind));
    weir_bind_text(&q, rule->text);
    weir_bind_text(&q, weir_rule_state_name(rule->state));
    weir_bind_real(&q, rule->score);
    weir_bind_real(&q, rule->base);
    weir_bind_real(&q, rule->low);
    weir_bind_real(&q, rule->high);
    weir_bind_text(&q, rule->author);
    weir_bind_number(&q, rule->created);
    weir_bind_number(&q, rule->updated);
    weir_bind_number(&q, rule->since);
    weir_bind_number(&q, rule->approved);
    return weir_query_run(&q);
}

/* One more, if there is room: rules never go.  They are not counted each time, which would take
 * the longer the more there are. */
static int take_room(struct weir_database *database)
{
    uint64_t rules = 0;
    int rc = weir_state_get(database, COUNTED, &rules);

    if (rc == 0 && rules >= WEIR_RULES_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "more rules than there may be");
    return rc < 0 ? rc : weir_state_put(database, COUNTED, rules + 1);
}

/* Finds what is there, and refuses what cannot be put in its place. */
static int look_up(struct putting *put)
{
    struct weir_database *database = put->database;
    char why[2 * WEIR_RULE_NAME_MAX + 64];
    int rc = weir_database_rule(database, NULL, put->rule.id, keep_old, put);

    if (rc == 1 && strcmp(put->old.name, put->rule.name) != 0) {
        snprintf(why, sizeof why, "%u is the number of rule %.*s", (unsigned)put->rule.id,
                 WEIR_RULE_NAME_MAX, put->old.name);
        return weir_database_fail(database, WEIR_EINVAL, why);
    }
    if (rc == 0) {
        rc = weir_database_rule(database, put->rule.name, 0, refuse_name, put);
        rc = rc < 0 ? rc : take_room(database);
    }
    return rc;
}

static int put_rule(struct putting *put)
{
    struct weir_kept_rule *rule = &put->rule;
    weir_time now = put->change->time;
    int rc = look_up(put);

    if (rc < 0)
        return rc;
    rule->created = put->old.id != 0 ? put->old.created : now;
    rule->since = put->old.id != 0 && put->old.state == rule->state ? put->old.since : now;
    rule->updated = now == put->old.updated ? now + 1 : now; /* so that each change is seen */
    rc = note_all(put);
    if (rc < 0 || put->changes == 0)
        return rc;
    rc = write_rule(put->database, rule);
    return rc < 0 ? rc : 1;
}

int weir_database_rule_put(struct weir_database *database, const struct weir_kept_rule *rule,
                           const struct weir_rule_change *change)
{
    struct putting put = {.database = database, .change = change, .rule = *rule};
    int rc = check(database, rule);
    bool own;

    rc = rc < 0 ? rc : check_change(database, change);
    rc = rc < 0 ? rc : weir_change_begin(database, &own);
    if (rc < 0)
        return rc;
    put.rule.score = weir_rule_points(rule->score);
    put.rule.base = weir_rule_points(rule->base);
    put.rule.low = weir_rule_points(rule->low);
    put.rule.high = weir_rule_points(rule->high);
    rc = weir_change_end(database, own, put_rule(&put));
    free(put.texts);
    return rc;
}

static int edit_rule(struct weir_database *database, uint32_t id,
                     int (*edit)(void *context, struct weir_kept_rule *rule), void *context,
                     const struct weir_rule_change *change)
{
    struct putting there = {.database = database};
    struct weir_kept_rule rule;
    int rc = weir_database_rule(database, NULL, id, keep_old, &there);

    if (rc == 1) {
        rule = there.old;
        rc = edit(context, &rule);
        rc = rc == 0 ? weir_database_rule_put(database, &rule, change) : rc < 0 ? rc : 0;
    }
    free(there.texts);
    return rc;
}

int weir_database_rule_edit(struct weir_database *database, uint32_t id,
                            int (*edit)(void *context, struct weir_kept_rule *rule), void *context,
                            const struct weir_rule_change *change)
{
    bool own;
    int rc = id == 0 ? WEIR_EINVAL : weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    return weir_change_end(database, own, edit_rule(database, id, edit, context, change));
}

/* Runs. --------------------------------------------------------------------- */

int weir_database_runs(struct weir_database *database, uint64_t *runs_r, weir_time *last_r)
{
    uint64_t last = 0;
    int rc = weir_state_get(database, RUNS, runs_r);

    rc = rc < 0 ? rc : weir_state_get(database, STORED, &last);
    *last_r = (weir_time)last;
    return rc;
}

int weir_database_run_put(struct weir_database *database, uint64_t runs, weir_time time)
{
    uint64_t now = 0;
    int rc = weir_state_get(database, RUNS, &now);

    if (rc == 0 && now != runs)
        return weir_database_fail(database, WEIR_EDOWN, "another run of the analyzer was faster");
    rc = rc < 0 ? rc : weir_state_put(database, RUNS, runs + 1);
    return rc < 0 ? rc : weir_state_put(database, STORED, (uint64_t)time);
}

/* History. ------------------------------------------------------------------ */

int weir_database_rule_changes(struct weir_database *database, uint32_t rule, int64_t before,
                               unsigned most,
                               int (*row)(void *context, const struct weir_rule_changed *change),
                               void *context)
{
    struct weir_query q = rule == 0
        ? weir_query(database, "SELECT number, time, rule, name, who, what, old, new, why "
                     "FROM rule_changes WHERE ? = 0 AND number < ? ORDER BY number DESC LIMIT ?")
        : weir_query(database, "SELECT number, time, rule, name, who, what, old, new, why "
                     "FROM rule_changes WHERE rule = ? AND number < ? "
                     "ORDER BY number DESC LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, rule);
    weir_bind_number(&q, before > 0 ? before : INT64_MAX);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_rule_changed change = {.number = weir_column_number(&q)};

        change.time = weir_column_number(&q);
        change.rule = (uint32_t)weir_column_number(&q);
        change.name = weir_column_text(&q);
        change.who = weir_column_text(&q);
        change.what = weir_column_text(&q);
        change.old = weir_column_text(&q);
        change.new = weir_column_text(&q);
        change.why = weir_column_text(&q);
        stop = row(context, &change);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
