/*
 * ctl_rules_stats - weirctl rules stats: messages and hits by day as small charts, which rules do
 * most, which do nothing, and which are retired next; of all rules, or of one.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/ctl/ctl_book.h"
#include "monitor/ctl/ctl_chart.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/database/database_hits_io.h"

#define DAYS 30
#define HEIGHT 4
#define MOST "20"
#define LISTED 20 /* rules that do nothing, or go next */
#define SOON 10   /* days left */

struct stats {
    struct weir_ctl *ctl;
    struct weir_book book;
    int32_t from, to;           /* days */
    struct weir_hit_day day[WEIR_HIT_DAYS];
    size_t days;
    bool utf8;
};

/* Days. ------------------------------------------------------------------------------ */

static int read_period(struct stats *stats)
{
    weir_time period = DAYS * WEIR_DAY;
    int code = weir_ctl_option_period(stats->ctl, WEIR_CTL_SINCE, &period);
    weir_time days = (period + WEIR_DAY - 1) / WEIR_DAY;

    if (code == 0 && days > WEIR_HIT_DAYS)
        return weir_ctl_error(stats->ctl, EX_USAGE, "--since: hits by day are kept for %d days",
                              WEIR_HIT_DAYS);
    stats->to = weir_hit_day(weir_ctl_now());
    stats->from = stats->to - (int32_t)days + 1;
    stats->days = (size_t)days;
    return code;
}

static int take_day(void *context, const struct weir_hit_day *day)
{
    struct stats *stats = context;

    stats->day[day->day - stats->from] = *day;
    return 0;
}

static int read_days(struct stats *stats, uint32_t rule)
{
    for (size_t i = 0; i < stats->days; i++)
        stats->day[i] = (struct weir_hit_day){.day = stats->from + (int32_t)i};
    return weir_ctl_monitor_read(stats->ctl, stats->book.database,
                                 weir_database_hit_days(stats->book.database, rule, stats->from,
                                                        stats->to, take_day, stats));
}

static const char *date(int32_t day, char buffer[static WEIR_TIME_TEXT])
{
    weir_time_format(day * WEIR_DAY, buffer);
    buffer[10] = '\0';
    return buffer;
}

static int32_t hits_of(const struct weir_hit_day *day)
{
    return day->hits;
}

static int32_t spam_of(const struct weir_hit_day *day)
{
    return day->spam;
}

static int32_t ham_of(const struct weir_hit_day *day)
{
    return day->ham;
}

static void print_chart(const struct stats *stats, const char *what,
                        int32_t (*of)(const struct weir_hit_day *day))
{
    double value[WEIR_HIT_DAYS], sum = 0;
    size_t width = weir_ctl_terminal_width();
    bool wide = width == 0 ? stats->days <= DAYS
                           : width >= WEIR_CTL_CHART_MARGIN + 2 * stats->days;
    const struct weir_ctl_chart chart = {value, stats->days, HEIGHT, stats->utf8, wide};
    char from[WEIR_TIME_TEXT], to[WEIR_TIME_TEXT];
    int gap = (int)stats->days * (wide ? 2 : 1) - (wide ? 1 : 0) - 20;

    for (size_t i = 0; i < stats->days; i++)
        sum += value[i] = of(&stats->day[i]);
    printf("%s by day: %.0f in %zu days\n", what, sum, stats->days);
    weir_ctl_chart(&chart, stdout);
    if (gap > 0)
        printf("%*s%s%*s%s\n", WEIR_CTL_CHART_MARGIN, "", date(stats->from, from), gap, "",
               date(stats->to, to));
    else
        printf("%*s%s ..\n", WEIR_CTL_CHART_MARGIN, "", date(stats->from, from));
}

static json_t *days_json(const struct stats *stats)
{
    json_t *rows = json_array();
    char text[WEIR_TIME_TEXT];

    for (size_t i = 0; i < stats->days; i++) {
        const struct weir_hit_day *day = &stats->day[i];

        json_array_append_new(rows, json_pack(
            "{s:s, s:i, s:i, s:i, s:i}", "day", date(day->day, text), "hits", day->hits, "spam",
            day->spam, "ham", day->ham, "false_positives", day->false_positives));
    }
    return rows;
}

/* Rules that do nothing. ---------------------------------------------------------------- */

/* Whether the analyzer may retire it. */
static bool is_counted(const struct weir_book_rule *rule)
{
    return rule->in_book && strncmp(rule->is.name, "__", 2) != 0 &&
           (rule->is.state == WEIR_RULE_ACTIVE || rule->is.state == WEIR_RULE_TEST);
}

static bool is_silent(const struct stats *stats, const struct weir_book_rule *rule)
{
    return is_counted(rule) && rule->hits.hits == 0 && rule->is.created <= stats->book.now;
}

/* Days until it is retired; none: it is not. */
static double days_left(const struct stats *stats, const struct weir_book_rule *rule)
{
    double period = (double)stats->ctl->config.analyzer_idle / WEIR_DAY;

    if (period <= 0 || !is_counted(rule))
        return (double)NAN;
    return fmax(0, period - weir_book_idle(&stats->book, rule));
}

static int by_time_left(const void *a, const void *b, void *context)
{
    const struct stats *stats = context;
    const struct weir_book_rule *const *one = a, *const *other = b;
    double x = days_left(stats, *one), y = days_left(stats, *other);

    return x != y ? (x > y) - (x < y) : strcmp((*one)->is.name, (*other)->is.name);
}

/* Those that go within SOON days, the first first; how many. */
static size_t going(struct stats *stats, const struct weir_book_rule ***rule_r)
{
    const struct weir_book *book = &stats->book;
    const struct weir_book_rule **rule = weir_arena_zero(stats->ctl->arena, book->rules + 1,
                                                             sizeof *rule);
    size_t rules = 0;

    for (size_t i = 0; rule && i < book->rules; i++)
        if (days_left(stats, &book->rule[i]) <= SOON)
            rule[rules++] = &book->rule[i];
    if (rules > 0)
        qsort_r(rule, rules, sizeof *rule, by_time_left, stats);
    *rule_r = rule;
    return rules;
}

static void print_silent(const struct stats *stats)
{
    size_t silent = 0;

    for (size_t i = 0; i < stats->book.rules; i++) {
        const struct weir_book_rule *rule = &stats->book.rule[i];

        if (!is_silent(stats, rule))
            continue;
        if (silent++ == 0)
            puts("\nnever hit anything:");
        if (silent <= LISTED)
            printf("  %s, %s for %.0f days\n", rule->is.name,
                   weir_rule_state_name(rule->is.state), weir_book_idle(&stats->book, rule));
    }
    if (silent > LISTED)
        printf("  and %zu more: weirctl rules list --book --where hits=0\n", silent - LISTED);
}

static void print_going(struct stats *stats)
{
    const struct weir_book_rule **rule;
    size_t rules = going(stats, &rule);

    if (rules > 0)
        puts("\nretired next, unless they hit something:");
    for (size_t i = 0; i < rules && i < LISTED; i++)
        printf("  %s: %.1f days left\n", rule[i]->is.name, days_left(stats, rule[i]));
    if (rules > LISTED)
        printf("  and %zu more\n", rules - LISTED);
}

static json_t *names_json(struct stats *stats, bool soon)
{
    const struct weir_book_rule **rule;
    size_t rules = soon ? going(stats, &rule) : stats->book.rules;
    json_t *rows = json_array();

    for (size_t i = 0; i < rules; i++) {
        const struct weir_book_rule *one = soon ? rule[i] : &stats->book.rule[i];

        if (soon)
            json_array_append_new(rows, json_pack("{s:s, s:o}", "name", one->is.name, "days_left",
                                                  weir_ctl_json_number(days_left(stats, one))));
        else if (is_silent(stats, one))
            json_array_append_new(rows, json_string(one->is.name));
    }
    return rows;
}

/* All rules. ------------------------------------------------------------------------------ */

static void print_shares(const struct weir_table *table, const struct weir_book *book,
                         unsigned most, bool utf8)
{
    double top = 1;
    char bar[3 * 40 + 1];

    for (size_t i = 0; i < table->count && i < most; i++)
        top = fmax(top, (double)book->rule[table->chosen[i]].hits.hits);
    for (size_t i = 0; i < table->count && i < most; i++) {
        const struct weir_book_rule *rule = &book->rule[table->chosen[i]];

        if (rule->hits.hits > 0)
            printf("  %-28.28s %s\n", rule->is.name,
                   weir_ctl_bar((double)rule->hits.hits / top, 40, utf8, bar));
    }
}

static int show_all_json(struct stats *stats, const struct weir_table *table, unsigned most)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < table->count && i < most; i++)
        json_array_append_new(rules, weir_table_json(table, table->chosen[i]));
    return weir_ctl_json(stats->ctl, json_pack(
        "{s:o, s:o, s:o, s:o}", "days", days_json(stats), "rules", rules, "never_hit",
        names_json(stats, false), "retired_next", names_json(stats, true)));
}

static int show_all(struct stats *stats)
{
    struct weir_ctl *ctl = stats->ctl;
    struct weir_table table = weir_book_table(&stats->book);
    unsigned most = 0;
    int code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, WEIR_RULES_MAX, &most);

    code = code != 0 ? code : read_days(stats, WEIR_HIT_DAYS_ALL);
    code = code != 0 ? code : weir_ctl_table_choose(ctl, &table);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_JSON])
        return show_all_json(stats, &table, most);
    if (ctl->option[WEIR_CTL_CSV])
        return weir_ctl_table_show(ctl, &table);
    print_chart(stats, "spam", spam_of);
    print_chart(stats, "good messages", ham_of);
    puts("\nrules:");
    code = weir_ctl_table_show(ctl, &table);
    putchar('\n');
    print_shares(&table, &stats->book, most, stats->utf8);
    print_silent(stats);
    print_going(stats);
    return code;
}

/* One rule. -------------------------------------------------------------------------------- */

static int show_one(struct stats *stats, const char *which)
{
    struct weir_ctl *ctl = stats->ctl;
    const struct weir_book_rule *rule = weir_book_find(&stats->book, which);
    struct weir_table table = weir_book_table(&stats->book);
    double left;
    int code;

    if (!rule)
        return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there is no rule %s in the rulebook, and "
                              "none of that name hit anything", which);
    if (ctl->option[WEIR_CTL_CSV])
        return weir_ctl_error(ctl, EX_USAGE, "--csv is for all rules; of one there are charts, and "
                              "--json");
    left = days_left(stats, rule);
    code = read_days(stats, rule->is.id);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_pack(
            "{s:o, s:o, s:o}", "days", days_json(stats), "rule",
            weir_table_json(&table, (size_t)(rule - stats->book.rule)), "days_left",
            weir_ctl_json_number(left)));
    printf("%s: %llu hits in all, %llu spam and %llu nonspam, %llu false positives\n\n",
           rule->is.name, (unsigned long long)rule->hits.hits,
           (unsigned long long)rule->hits.spam, (unsigned long long)rule->hits.ham,
           (unsigned long long)rule->hits.false_positives);
    print_chart(stats, "hits", hits_of);
    print_chart(stats, "of these spam", spam_of);
    print_chart(stats, "of these good messages", ham_of);
    if (!isnan(left))
        printf("\nretired in %.1f days, unless it hits something\n", left);
    return 0;
}

int weir_ctl_rules_stats(struct weir_ctl *ctl)
{
    struct stats stats = {.ctl = ctl, .utf8 = weir_ctl_terminal_utf8()};
    struct weir_table table = weir_book_table(&stats.book);
    int code = weir_ctl_configure(ctl);

    if (!ctl->option[WEIR_CTL_SORT])
        ctl->option[WEIR_CTL_SORT] = "-hits";
    if (!ctl->option[WEIR_CTL_MOST])
        ctl->option[WEIR_CTL_MOST] = MOST;
    if (code == 0)
        code = weir_ctl_table_check(ctl, &table);
    if (code == 0)
        code = read_period(&stats);
    if (code == 0)
        code = weir_ctl_book_open(ctl, true, &stats.book);
    if (code == 0)
        code = ctl->arguments > 0 ? show_one(&stats, ctl->argument[0]) : show_all(&stats);
    weir_ctl_book_close(&stats.book);
    return code;
}
