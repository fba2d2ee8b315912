/*
 * ctl_rules_test_show - what came of trying rules, as a table, JSON or CSV; and of the recent
 * messages that the monitor keeps.
 *
 * What a rule would deserve by these messages alone is the analyzer's formula (score.h), without a
 * word of its author.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/analyzer/score.h"
#include "monitor/ctl/ctl_book.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_rules_test.h"
#include "monitor/ctl/ctl_table.h"
#include "monitor/database/database_messages_io.h"

struct shown {
    struct weir_ctl *ctl;
    const struct weir_ctl_test_result *result;
};

enum column { NAME, ID, KIND, HITS, SPAM, SPAM_SHARE, HAM, HAM_SHARE, OTHER, PRECISION, WORTH, TIME,
              COLUMNS };

static const struct weir_table_column columns[COLUMNS] = {
    [NAME] = {"name", "rule", "rule", WEIR_TABLE_TEXTS, 0},
    [ID] = {"id", NULL, NULL, WEIR_TABLE_COUNTS, 0},
    [KIND] = {"kind", "type", "kind", WEIR_TABLE_TEXTS, 7},
    [HITS] = {"hits", "total", "hits", WEIR_TABLE_COUNTS, 0},
    [SPAM] = {"spam", NULL, "spam", WEIR_TABLE_COUNTS, 1},
    [SPAM_SHARE] = {"spam_percent", NULL, "% spam", WEIR_TABLE_NUMBERS, 5},
    [HAM] = {"ham", "nonspam", "ham", WEIR_TABLE_COUNTS, 1},
    [HAM_SHARE] = {"ham_percent", NULL, "% ham", WEIR_TABLE_NUMBERS, 5},
    [OTHER] = {"other", NULL, "other", WEIR_TABLE_COUNTS, 3},
    [PRECISION] = {"precision", NULL, "% right", WEIR_TABLE_NUMBERS, 2},
    [WORTH] = {"worth", "deserved", "worth", WEIR_TABLE_SCORES, 4},
    [TIME] = {"microseconds", "time", "us/mail", WEIR_TABLE_NUMBERS, 6},
};

static double percent(uint64_t part, uint64_t of)
{
    return of > 0 ? 100 * (double)part / (double)of : (double)NAN;
}

static double worth(const struct shown *shown, const struct weir_ctl_test_counts *counts)
{
    const struct weir_score_bounds bounds = weir_score_bounds(shown->ctl->config.spam_score);
    const uint64_t *all = shown->result->all->messages;
    const struct weir_score_counts hits = {(double)counts->hit[WEIR_CTL_SPAM_SAID],
                                           (double)counts->hit[WEIR_CTL_HAM_SAID]};
    const struct weir_score_counts of = {(double)all[WEIR_CTL_SPAM_SAID],
                                         (double)all[WEIR_CTL_HAM_SAID]};
    struct weir_score_evidence evidence = weir_score_evidence(&hits, &of);

    if (of.spam == 0 || of.ham == 0)
        return (double)NAN;
    return weir_score_deserved(&evidence, 0, &bounds);
}

static double number_of(const struct shown *shown, size_t row, enum column column)
{
    const struct weir_ctl_test_counts *counts = &shown->result->counts[row];
    const uint64_t *hit = counts->hit, *all = shown->result->all->messages;

    switch (column) {
    case ID:
        return shown->result->rule[row].id;
    case SPAM:
        return (double)hit[WEIR_CTL_SPAM_SAID];
    case HAM:
        return (double)hit[WEIR_CTL_HAM_SAID];
    case OTHER:
        return (double)hit[WEIR_CTL_NOTHING_SAID];
    case SPAM_SHARE:
        return percent(hit[WEIR_CTL_SPAM_SAID], all[WEIR_CTL_SPAM_SAID]);
    case HAM_SHARE:
        return percent(hit[WEIR_CTL_HAM_SAID], all[WEIR_CTL_HAM_SAID]);
    case PRECISION:
        return percent(hit[WEIR_CTL_SPAM_SAID], hit[WEIR_CTL_SPAM_SAID] + hit[WEIR_CTL_HAM_SAID]);
    case WORTH:
        return worth(shown, counts);
    case TIME:
        return counts->microseconds;
    default:
        return (double)(hit[WEIR_CTL_SPAM_SAID] + hit[WEIR_CTL_HAM_SAID] +
                        hit[WEIR_CTL_NOTHING_SAID]);
    }
}

static struct weir_table_cell cell(const void *context, size_t row, size_t column)
{
    const struct shown *shown = context;
    const struct weir_ctl_tested_rule *rule = &shown->result->rule[row];
    const char *text = column == NAME ? rule->name : weir_rule_kind_name(rule->kind);

    if (column == NAME || column == KIND)
        return (struct weir_table_cell){.text = {text, strlen(text)}};
    return (struct weir_table_cell){.number = number_of(shown, row, (enum column)column)};
}

static struct weir_table table_of(const struct shown *shown)
{
    return (struct weir_table){.column = columns, .columns = COLUMNS,
                                   .rows = shown->result ? shown->result->rules : 0, .cell = cell,
                                   .context = shown};
}

int weir_ctl_test_check(struct weir_ctl *ctl)
{
    const struct shown shown = {.ctl = ctl};
    const struct weir_table table = table_of(&shown);

    return weir_ctl_table_check(ctl, &table);
}

static void print_all(const struct weir_ctl_test_all *all)
{
    printf("%s on %llu spam, %llu good and %llu other messages",
           isnan(all->seconds) ? "as counted" : "tried",
           (unsigned long long)all->messages[WEIR_CTL_SPAM_SAID],
           (unsigned long long)all->messages[WEIR_CTL_HAM_SAID],
           (unsigned long long)all->messages[WEIR_CTL_NOTHING_SAID]);
    if (!isnan(all->seconds))
        printf(" in %.2f s", all->seconds);
    putchar('\n');
}

int weir_ctl_test_show(struct weir_ctl *ctl, const struct weir_ctl_test_result *result)
{
    const struct shown shown = {ctl, result};
    struct weir_table table = table_of(&shown);
    int code;

    ctl->option[WEIR_CTL_MOST] = NULL; /* is about hits */
    code = weir_ctl_table_choose(ctl, &table);
    if (code == 0)
        code = weir_ctl_table_show(ctl, &table);
    if (code == 0 && !ctl->option[WEIR_CTL_CSV])
        print_all(result->all);
    return code;
}

json_t *weir_ctl_test_json(struct weir_ctl *ctl, const struct weir_ctl_test_result *result,
                           json_t *hits)
{
    const struct weir_ctl_test_all *all = result->all;
    const struct shown shown = {ctl, result};
    struct weir_table table = table_of(&shown);
    json_t *rules = json_array();

    if (weir_ctl_table_choose(ctl, &table) != 0) {
        json_decref(hits);
        json_decref(rules);
        return NULL;
    }
    for (size_t i = 0; i < table.count; i++)
        json_array_append_new(rules, weir_table_json(&table, table.chosen[i]));
    return json_pack("{s:{s:I, s:I, s:I}, s:o, s:b, s:o, s:o}", "messages", "spam",
                     (json_int_t)all->messages[WEIR_CTL_SPAM_SAID], "ham",
                     (json_int_t)all->messages[WEIR_CTL_HAM_SAID], "other",
                     (json_int_t)all->messages[WEIR_CTL_NOTHING_SAID], "seconds",
                     weir_ctl_json_number(all->seconds), "tried_anew", !isnan(all->seconds),
                     "rules", rules, "hits", hits);
}

/* Recent messages. --------------------------------------------------------------------------- */

static int take_message(void *context, const struct weir_kept_message *message)
{
    const char *said = message->reported[0] ? message->reported : message->verdict;

    json_array_append_new(context, json_pack(
        "{s:s, s:o, s:o, s:f, s:b, s:s}", "said", said, "message",
        json_sprintf("%016llx", (unsigned long long)message->uid), "time",
        weir_ctl_json_time(message->time), "points", message->points, "reported",
        message->reported[0] != '\0', "queue", message->queue_id));
    return 0;
}

static void print_message(const json_t *message)
{
    const char *queue = json_string_value(json_object_get(message, "queue"));

    printf("  %-5s  %s  %s  %s%s\n", json_string_value(json_object_get(message, "said")),
           json_string_value(json_object_get(message, "time")),
           json_string_value(json_object_get(message, "message")), queue && queue[0] ? queue : "-",
           json_is_true(json_object_get(message, "reported")) ? ", reported" : "");
}

/* As a table, or as JSON. */
static int show_counted(struct weir_ctl *ctl, const struct weir_kept_counts *kept,
                        const struct weir_book_rule *rule, json_t *messages, json_t **json_r)
{
    const struct weir_ctl_test_all all = {{kept->ham, kept->spam, kept->neither}, (double)NAN};
    const struct weir_ctl_test_counts counts = {
        {kept->hit_ham, kept->hit_spam, kept->hit_neither}, (double)NAN};
    const struct weir_ctl_tested_rule is = {rule->is.id, rule->is.name, rule->is.kind};
    const struct weir_ctl_test_result result = {&all, &counts, &is, 1};
    const json_t *one;
    size_t i;
    int code;

    if (json_r) {
        *json_r = weir_ctl_test_json(ctl, &result, json_incref(messages));
        return *json_r ? 0 : EX_USAGE;
    }
    code = weir_ctl_test_show(ctl, &result);
    if (code != 0 || ctl->option[WEIR_CTL_CSV])
        return code;
    puts("when these were judged: what is kept of them is what rules hit, not their text");
    json_array_foreach(messages, i, one)
        print_message(one);
    return 0;
}

int weir_ctl_test_counted(struct weir_ctl *ctl, unsigned most, json_t **json_r)
{
    struct weir_book book;
    struct weir_kept_counts kept = {.spam = 0};
    const struct weir_book_rule *rule = NULL;
    json_t *messages = json_array();
    int code = weir_ctl_book_open(ctl, false, &book), rc = 0;

    if (json_r)
        *json_r = NULL;
    if (code == 0)
        rule = weir_book_find(&book, ctl->argument[0]);
    if (rule) {
        rc = weir_database_messages_count(book.database, rule->is.id, &kept);
        rc = rc < 0 ? rc : weir_database_messages_of(book.database, rule->is.id, most,
                                                     take_message, messages);
        code = weir_ctl_monitor_read(ctl, book.database, rc);
    }
    if (code == 0 && rule)
        code = show_counted(ctl, &kept, rule, messages, json_r);
    json_decref(messages);
    weir_ctl_book_close(&book);
    return code;
}
