/*
 * ctl_rulebook_list - weirctl rules list --book: the rulebook with what its rules hit, sorted and
 * chosen by any of it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_rulebook.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/database/database_rules_io.h"

#define CONDITIONS_MAX 8

/* What can be sorted and chosen by. */
enum field { ID, SCORE, DESERVED, HITS, SPAM, HAM, FALSE_POSITIVES, LAST, UPDATED, IDLE, FIELDS };

static const char *const field_names[] = {"id", "score", "deserved", "hits", "spam", "ham",
                                          "false-positives", "last", "updated", "idle", NULL};

struct row {
    struct weir_kept_rule is;  /* texts are its own or gone */
    char name[WEIR_RULE_NAME_MAX + 1];
    struct weir_hits_rule hits;
    double deserved, key;
};

struct condition {
    enum field field;
    char sign;                 /* '<', '>', '=' */
    double number;
};

struct listing {
    struct weir_ctl *ctl;
    unsigned by, state, most;
    struct condition condition[CONDITIONS_MAX];
    size_t conditions;
    weir_time now;
    struct row *row;
    size_t rows, room, at;
    struct weir_score_counts all;
};

/* Options. ---------------------------------------------------------------------------- */

/* "hits>100", in octets of its own. */
static int read_condition(struct listing *listing, char *text)
{
    size_t len = strcspn(text, "<>=");
    char sign = text[len], *end;
    struct condition *condition = &listing->condition[listing->conditions];
    unsigned field = 0;

    if (sign != '\0')
        text[len] = '\0';
    while (field < FIELDS && strcmp(field_names[field], text) != 0)
        field++;
    *condition = (struct condition){(enum field)field, sign, 0};
    if (sign != '\0')
        condition->number = strtod(text + len + 1, &end);
    if (field == FIELDS || sign == '\0' || end == text + len + 1 || *end != '\0')
        return weir_ctl_error(listing->ctl, EX_USAGE, "--where: not as hits>100 or "
                              "false-positives>2,idle<7, of id, score, deserved, hits, spam, ham, "
                              "false-positives, last, updated, idle (days)");
    listing->conditions++;
    return 0;
}

static int read_conditions(struct listing *listing)
{
    const char *given = listing->ctl->option[WEIR_CTL_WHERE];
    char *copy = given ? weir_arena_copy(listing->ctl->arena, given, strlen(given)) : NULL;
    char *rest = NULL, *word = copy ? strtok_r(copy, ",", &rest) : NULL;
    int code = 0;

    for (; code == 0 && word; word = strtok_r(NULL, ",", &rest))
        code = listing->conditions == CONDITIONS_MAX
                   ? weir_ctl_error(listing->ctl, EX_USAGE, "--where: more than %d conditions",
                                    CONDITIONS_MAX)
                   : read_condition(listing, word);
    return code;
}

/* Reading. ---------------------------------------------------------------------------- */

static int take_rule(void *context, const struct weir_kept_rule *rule)
{
    struct listing *listing = context;
    struct row *more = weir_grown(listing->row, listing->rows, &listing->room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    listing->row = more;
    more += listing->rows++;
    *more = (struct row){.is = *rule};
    more->is.name = more->is.text = more->is.author = NULL;
    snprintf(more->name, sizeof more->name, "%s", rule->name);
    return 0;
}

/* Both come in the order of ids. */
static int take_hits(void *context, const struct weir_hits_rule *hits, weir_time at)
{
    struct listing *listing = context;
    double by = exp2(-(double)(listing->now - at) / (double)weir_hits_defaults(0, 0).half_life);

    while (listing->at < listing->rows && listing->row[listing->at].is.id < hits->id)
        listing->at++;
    if (listing->at < listing->rows && listing->row[listing->at].is.id == hits->id) {
        struct weir_hits_rule *own = &listing->row[listing->at].hits;

        *own = *hits;
        own->decayed.spam *= by;
        own->decayed.ham *= by;
    }
    return 0;
}

static int read_all(struct listing *listing)
{
    struct weir_database *database = NULL;
    weir_time at;
    double by;
    unsigned states = listing->ctl->option[WEIR_CTL_STATE] ? 1u << listing->state : 0;
    int code = weir_ctl_monitor_database(listing->ctl, &database), rc;

    if (code != 0)
        return code;
    rc = weir_database_rules(database, states, take_rule, listing);
    rc = rc < 0 ? rc : weir_database_hits(database, take_hits, listing);
    rc = rc < 0 ? rc : weir_database_hits_all(database, &listing->all, &at);
    code = weir_ctl_monitor_read(listing->ctl, database, rc);
    weir_database_free(&database);
    if (code != 0)
        return code;
    by = exp2(-(double)(listing->now - at) / (double)weir_hits_defaults(0, 0).half_life);
    listing->all.spam *= by;
    listing->all.ham *= by;
    return 0;
}

/* Choosing. --------------------------------------------------------------------------- */

static double value_of(const struct listing *listing, const struct row *row, unsigned field)
{
    weir_time last = row->hits.last_hit > 0 ? row->hits.last_hit : row->is.created;

    switch ((enum field)field) {
    case SCORE:
        return row->is.score;
    case DESERVED:
        return row->deserved;
    case HITS:
        return (double)row->hits.hits;
    case SPAM:
        return (double)row->hits.spam;
    case HAM:
        return (double)row->hits.ham;
    case FALSE_POSITIVES:
        return (double)row->hits.false_positives;
    case LAST:
        return (double)row->hits.last_hit / WEIR_SECOND;
    case UPDATED:
        return (double)row->is.updated / WEIR_SECOND;
    case IDLE:
        return (double)(listing->now - last) / WEIR_DAY;
    default:
        return (double)row->is.id;
    }
}

static bool is_chosen(const struct listing *listing, const struct row *row)
{
    for (size_t i = 0; i < listing->conditions; i++) {
        const struct condition *c = &listing->condition[i];
        double value = value_of(listing, row, c->field);

        if (!(c->sign == '<'   ? value < c->number
              : c->sign == '>' ? value > c->number
                               : fabs(value - c->number) < 1e-9))
            return false;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct row *one = a, *other = b;

    if (one->key != other->key)
        return one->key > other->key ? -1 : 1;
    return (one->is.id > other->is.id) - (one->is.id < other->is.id);
}

static void choose(struct listing *listing)
{
    const struct weir_score_bounds bounds =
        weir_score_bounds(listing->ctl->config.spam_score);
    size_t chosen = 0;

    for (size_t i = 0; i < listing->rows; i++) {
        struct row *row = &listing->row[i];
        struct weir_score_evidence evidence =
            weir_score_evidence(&row->hits.decayed, &listing->all);

        row->deserved = weir_score_deserved(&evidence, row->is.base, &bounds);
        row->key = value_of(listing, row, listing->by);
        if (listing->by == ID)
            row->key = -row->key;
        if (is_chosen(listing, row))
            listing->row[chosen++] = *row;
    }
    listing->rows = chosen;
    if (chosen > 0)
        qsort(listing->row, chosen, sizeof *listing->row, by_key);
}

/* Showing. ---------------------------------------------------------------------------- */

static json_t *row_json(const struct row *row)
{
    const struct weir_kept_rule *is = &row->is;
    json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:b}", "id",
                             (json_int_t)is->id, "name", row->name, "kind",
                             weir_rule_kind_name(is->kind), "state",
                             weir_rule_state_name(is->state), "score", is->score, "base", is->base,
                             "low", is->low, "high", is->high, "approved", is->approved);
    json_t *hits = json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "hits",
                             (json_int_t)row->hits.hits, "spam", (json_int_t)row->hits.spam, "ham",
                             (json_int_t)row->hits.ham, "false_positives",
                             (json_int_t)row->hits.false_positives, "deserved",
                             weir_ctl_json_number(row->deserved), "first_hit",
                             weir_ctl_json_time(row->hits.first_hit), "last_hit",
                             weir_ctl_json_time(row->hits.last_hit), "created",
                             weir_ctl_json_time(is->created), "last_updated",
                             weir_ctl_json_time(is->updated), "since",
                             weir_ctl_json_time(is->since));

    json_object_update(json, hits);
    json_decref(hits);
    return json;
}

static void print_row(const struct row *row)
{
    char time[WEIR_TIME_TEXT];

    printf("%-28s %-8s %+7.2f %+8.2f %9llu %9llu %9llu %7llu  %-20.20s\n", row->name,
           weir_rule_state_name(row->is.state), row->is.score, row->deserved,
           (unsigned long long)row->hits.hits, (unsigned long long)row->hits.spam,
           (unsigned long long)row->hits.ham, (unsigned long long)row->hits.false_positives,
           row->hits.last_hit > 0 ? weir_time_format(row->hits.last_hit, time) : "-");
}

static int show(const struct listing *listing)
{
    size_t shown = listing->rows < listing->most ? listing->rows : listing->most;
    json_t *rows = listing->ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;

    if (!rows)
        printf("%-28s %-8s %7s %8s %9s %9s %9s %7s  %s\n", "rule", "state", "points", "deserves",
               "hits", "spam", "ham", "blamed", "last hit");
    for (size_t i = 0; i < shown; i++)
        if (rows)
            json_array_append_new(rows, row_json(&listing->row[i]));
        else
            print_row(&listing->row[i]);
    if (rows)
        return weir_ctl_json(listing->ctl, rows);
    if (shown < listing->rows)
        printf("and %zu more\n", listing->rows - shown);
    return 0;
}

int weir_ctl_rulebook_list(struct weir_ctl *ctl)
{
    struct listing listing = {.ctl = ctl, .most = WEIR_RULES_MAX, .now = weir_ctl_now()};
    int code = weir_ctl_configure(ctl);

    if (code == 0)
        code = weir_ctl_option_word(ctl, WEIR_CTL_BY, field_names, &listing.by);
    if (code == 0)
        code = weir_ctl_option_word(ctl, WEIR_CTL_STATE, weir_ctl_states, &listing.state);
    if (code == 0)
        code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, WEIR_RULES_MAX, &listing.most);
    if (code == 0)
        code = read_conditions(&listing);
    if (code == 0)
        code = read_all(&listing);
    if (code == 0) {
        choose(&listing);
        code = show(&listing);
    }
    free(listing.row);
    return code;
}
