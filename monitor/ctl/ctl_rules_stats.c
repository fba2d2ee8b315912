/*
 * ctl_rules_stats - weirctl rules stats: what rules hit, out of the monitor's database.
 *
 * Names and points are those of the set at work on this machine; a rule that is not in it is shown
 * by its number.
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_rules.h"
#include "monitor/database/database_hits_io.h"

#define MOST 20
#define BAR 20 /* characters */

enum order { HITS, SPAM, HAM, FALSE_POSITIVES, POINTS, LAST };

struct row {
    struct weir_hits_rule is;
    struct weir_rule rule;   /* of the set; without a name: not in it */
    double deserved, key;
};

struct stats {
    struct weir_ctl *ctl;
    unsigned by, most;
    struct weir_database *database;
    struct weir_ctl_rules set;
    struct weir_hits *hits;
    struct row *row;
    size_t rows;
};

/* Reading. --------------------------------------------------------------------------- */

static double key_of(const struct stats *stats, const struct row *row)
{
    switch (stats->by) {
    case SPAM:
        return (double)row->is.spam;
    case HAM:
        return (double)row->is.ham;
    case FALSE_POSITIVES:
        return (double)row->is.false_positives;
    case POINTS:
        return (double)row->rule.score;
    case LAST:
        return (double)row->is.last_hit;
    default:
        return (double)row->is.hits;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct row *one = a, *other = b;

    if (one->key != other->key)
        return one->key > other->key ? -1 : 1;
    return (one->is.id > other->is.id) - (one->is.id < other->is.id);
}

static void fill(const struct stats *stats, size_t number, weir_time now, struct row *row_r)
{
    const struct weir_score_bounds bounds = weir_score_bounds(stats->ctl->config.spam_score);
    const struct weir_score_counts all = weir_hits_all(stats->hits, now);
    struct weir_score_evidence evidence;

    *row_r = (struct row){.deserved = 0};
    weir_hits_get(stats->hits, number, now, &row_r->is);
    if (stats->set.rules)
        (void)weir_rules_find(stats->set.rules, row_r->is.id, &row_r->rule);
    evidence = weir_score_evidence(&row_r->is.decayed, &all);
    row_r->deserved = weir_score_deserved(&evidence, (double)row_r->rule.score, &bounds);
    row_r->key = key_of(stats, row_r);
}

static int read_rows(struct stats *stats)
{
    weir_time now = weir_ctl_now();

    stats->rows = weir_hits_rules(stats->hits);
    stats->row = calloc(stats->rows + 1, sizeof *stats->row);
    if (!stats->row)
        return weir_ctl_error(stats->ctl, EX_OSERR, "memory is short");
    for (size_t i = 0; i < stats->rows; i++)
        fill(stats, i, now, &stats->row[i]);
    qsort(stats->row, stats->rows, sizeof *stats->row, by_key);
    return 0;
}

static int open_all(struct stats *stats)
{
    struct weir_ctl *ctl = stats->ctl;
    struct weir_hits_settings settings;
    uint64_t position;
    int code = weir_ctl_monitor_database(ctl, &stats->database), rc;

    if (code == 0)
        code = weir_ctl_rules_open(ctl, &stats->set);
    if (code != 0)
        return code;
    settings = weir_hits_defaults(ctl->config.spam_score, ctl->config.unsure_score);
    settings.key = weir_hash_key_random();
    rc = weir_hits_new(&settings, &stats->hits);
    rc = rc < 0 ? rc : weir_database_hits_load(stats->database, stats->hits, &position);
    return weir_ctl_monitor_read(ctl, stats->database, rc);
}

/* Showing. --------------------------------------------------------------------------- */

static const char *name_of(const struct row *row, char text[static WEIR_CTL_NAME])
{
    const char *own = weir_rule_own_name(row->is.id);

    if (row->rule.name.len > 0)
        return weir_ctl_visible(row->rule.name, text, WEIR_CTL_NAME);
    if (own)
        return own;
    snprintf(text, WEIR_CTL_NAME, row->is.id ? "number %u" : "all others", row->is.id);
    return text;
}

static json_t *row_json(const struct row *row)
{
    char name[WEIR_CTL_NAME];

    return json_pack("{s:I, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "id",
                     (json_int_t)row->is.id, "name", name_of(row, name), "points",
                     row->rule.name.len > 0 ? weir_ctl_json_points(row->rule.score) : json_null(),
                     "deserved", weir_ctl_json_number(row->deserved), "hits",
                     (json_int_t)row->is.hits, "spam", (json_int_t)row->is.spam, "ham",
                     (json_int_t)row->is.ham, "false_positives",
                     (json_int_t)row->is.false_positives, "recent_spam",
                     weir_ctl_json_number(row->is.decayed.spam), "recent_ham",
                     weir_ctl_json_number(row->is.decayed.ham), "first_hit",
                     weir_ctl_json_time(row->is.first_hit), "last_hit",
                     weir_ctl_json_time(row->is.last_hit));
}

/* How much against the most: "#####". */
static const char *bar(double part, char text[static BAR + 1])
{
    int len = part > 0 ? (int)(part * BAR + 0.999) : 0;

    memset(text, '#', (size_t)(len < BAR ? len : BAR));
    text[len < BAR ? len : BAR] = '\0';
    return text;
}

static void print_row(const struct row *row, double most)
{
    char name[WEIR_CTL_NAME], time[WEIR_TIME_TEXT], marks[BAR + 1], points[16] = "-";

    if (row->rule.name.len > 0)
        snprintf(points, sizeof points, "%+.2f", (double)row->rule.score);
    printf("%-28s %7s %+8.2f %9llu %9llu %9llu %7llu  %-20.20s %s\n", name_of(row, name), points,
           row->deserved, (unsigned long long)row->is.hits, (unsigned long long)row->is.spam,
           (unsigned long long)row->is.ham, (unsigned long long)row->is.false_positives,
           row->is.last_hit > 0 ? weir_time_format(row->is.last_hit, time) : "-",
           bar((double)row->is.hits / most, marks));
}

static int show(struct stats *stats)
{
    size_t shown = stats->rows < stats->most ? stats->rows : stats->most;
    json_t *rows = stats->ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
    double most = 1;

    for (size_t i = 0; i < stats->rows; i++)
        most = (double)stats->row[i].is.hits > most ? (double)stats->row[i].is.hits : most;
    if (!rows)
        printf("%-28s %7s %8s %9s %9s %9s %7s  %s\n", "rule", "points", "deserves", "hits", "spam",
               "ham", "blamed", "last hit");
    for (size_t i = 0; i < shown; i++)
        if (rows)
            json_array_append_new(rows, row_json(&stats->row[i]));
        else
            print_row(&stats->row[i], most);
    if (rows)
        return weir_ctl_json(stats->ctl, rows);
    if (shown < stats->rows)
        printf("and %zu more: --most %zu\n", stats->rows - shown, stats->rows);
    return 0;
}

int weir_ctl_rules_stats(struct weir_ctl *ctl)
{
    static const char *const by[] = {"hits", "spam", "ham", "false-positives", "points", "last",
                                     NULL};
    struct stats stats = {.ctl = ctl, .most = MOST};
    int code = weir_ctl_option_word(ctl, WEIR_CTL_BY, by, &stats.by);

    if (code == 0)
        code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, WEIR_RULES_MAX, &stats.most);
    if (code == 0)
        code = open_all(&stats);
    if (code == 0)
        code = read_rows(&stats);
    if (code == 0)
        code = show(&stats);
    free(stats.row);
    weir_hits_free(&stats.hits);
    weir_ctl_rules_close(&stats.set);
    weir_database_free(&stats.database);
    return code;
}
