/*
 * ctl_rules - weirctl rules load, list, show: from rule files to the set at work.
 */
#include "monitor/ctl/ctl_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/rule_set_io.h"
#include "monitor/ctl/ctl_book.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_sets.h"

void weir_ctl_rules_tell(void *context, const char *file, unsigned line, const char *why)
{
    char name[WEIR_CTL_NAME], reason[WEIR_CTL_NAME];

    (void)context;
    weir_ctl_visible((struct weir_slice){file, strlen(file)}, name, sizeof name);
    weir_ctl_visible((struct weir_slice){why, strlen(why)}, reason, sizeof reason);
    if (line > 0)
        fprintf(stderr, "%s:%u: %s\n", name, line, reason);
    else
        fprintf(stderr, "%s: %s\n", name, reason);
}

int weir_ctl_rules_load(struct weir_ctl *ctl)
{
    bool dry = ctl->option[WEIR_CTL_DRY] != NULL;
    struct weir_rule_set_made made;
    char size[WEIR_CTL_TEXT];
    int code = weir_ctl_configure(ctl), done;

    if (code != 0)
        return code;
    done = weir_rule_set_make(&ctl->config, !dry, weir_ctl_rules_tell, NULL, &made);
    if (done == WEIR_EINVAL)
        return weir_ctl_error(ctl, EX_DATAERR, "nothing was changed: correct the rules above");
    if (done < 0)
        return weir_ctl_error(ctl, done == WEIR_EIO ? EX_IOERR : EX_OSERR, "%s: %s",
                              ctl->config.rules_folder, weir_error_reason(done));
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_pack("{s:I, s:I, s:I, s:b}", "rules",
                                            (json_int_t)made.rules, "serial",
                                            (json_int_t)made.serial, "octets",
                                            (json_int_t)made.octets, "written", !dry));
    printf("%zu rules, serial %u, %s%s\n", made.rules, made.serial,
           weir_ctl_bytes(made.octets, size), dry ? "; nothing was written" : "");
    return 0;
}

/* The set at work. --------------------------------------------------------------- */

void weir_ctl_rules_close(struct weir_ctl_rules *set)
{
    if (set->matcher)
        weir_rule_file_give(set->file, &set->matcher);
    weir_rule_file_free(&set->file);
}

int weir_ctl_rules_open(struct weir_ctl *ctl, struct weir_ctl_rules *set)
{
    const struct weir_rule_file_options options = {.full = true};
    const char *path, *why = "";
    int code = ctl->arena ? 0 : weir_ctl_configure(ctl), done;

    *set = (struct weir_ctl_rules){.rules = NULL};
    if (code != 0)
        return code;
    path = weir_config_path(&ctl->config, ctl->config.rules_file, ctl->arena);
    done = path ? weir_rule_file_open(path, &options, &ctl->log, &set->file, &why) : WEIR_ENOMEM;
    if (done < 0)
        return weir_ctl_error(ctl, EX_UNAVAILABLE, "%s: %s", path ? path : "",
                              why && why[0] ? why : weir_error_reason(done));
    set->matcher = weir_rule_file_take(set->file, weir_ctl_now());
    if (set->matcher)
        set->rules = weir_matcher_rules(set->matcher);
    return 0;
}

/* The same, when it is of no use without one. */
static int open_set(struct weir_ctl *ctl, struct weir_ctl_rules *set)
{
    int code = weir_ctl_rules_open(ctl, set);

    if (code != 0 || set->rules)
        return code;
    weir_ctl_rules_close(set);
    return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there is no rule set; weirctl rules load "
                          "makes one of %s", ctl->config.rules_folder);
}

/* Rules as they are written, from any of the places where there are some. */
struct written {
    struct weir_rule *rule;
    size_t rules;
};

enum column { NAME, ID, SCORE, KIND, STATE, DESCRIPTION, SELECTOR, PATTERN, COLUMNS };

static const struct weir_table_column columns[COLUMNS] = {
    [NAME] = {"name", "rule", "rule", WEIR_TABLE_TEXTS, 0},
    [ID] = {"id", NULL, "number", WEIR_TABLE_COUNTS, 2},
    [SCORE] = {"score", "points", "points", WEIR_TABLE_SCORES, 0},
    [KIND] = {"kind", "type", "kind", WEIR_TABLE_TEXTS, 1},
    [STATE] = {"state", NULL, "state", WEIR_TABLE_TEXTS, 1},
    [DESCRIPTION] = {"description", NULL, "description", WEIR_TABLE_TEXTS, 0},
    [SELECTOR] = {"selector", NULL, NULL, WEIR_TABLE_TEXTS, 0},
    [PATTERN] = {"pattern", NULL, NULL, WEIR_TABLE_TEXTS, 0},
};

static struct weir_table_cell text(const char *text)
{
    return (struct weir_table_cell){.text = {text, strlen(text)}};
}

static struct weir_table_cell cell(const void *context, size_t row, size_t column)
{
    const struct weir_rule *rule = &((const struct written *)context)->rule[row];

    switch ((enum column)column) {
    case NAME:
        return (struct weir_table_cell){.text = rule->name};
    case ID:
        return (struct weir_table_cell){.number = rule->id};
    case SCORE:
        return (struct weir_table_cell){.number = (double)rule->score};
    case KIND:
        return text(weir_rule_kind_name(rule->kind));
    case STATE:
        return text(weir_rule_state_name(rule->state));
    case DESCRIPTION:
        return (struct weir_table_cell){.text = rule->description};
    case SELECTOR:
        return (struct weir_table_cell){.text = rule->selector};
    default:
        return (struct weir_table_cell){.text = rule->pattern};
    }
}

static struct weir_table table_of(const struct written *written)
{
    return (struct weir_table){.column = columns, .columns = COLUMNS, .rows = written->rules,
                                   .cell = cell, .context = written};
}

static int take_sources(struct weir_ctl *ctl, const struct weir_rule_sources *sources,
                        struct written *written_r)
{
    written_r->rule = weir_arena_zero(ctl->arena, sources->rules + 1, sizeof *written_r->rule);
    if (!written_r->rule)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    for (size_t i = 0; i < sources->rules; i++) {
        const struct weir_rule_source *from = &sources->rule[i];

        written_r->rule[written_r->rules++] = (struct weir_rule){
            .id = from->id, .name = from->name, .description = from->description,
            .selector = from->selector, .pattern = from->pattern, .kind = from->kind,
            .state = from->state, .flags = from->flags, .score = from->score};
    }
    return 0;
}

static int take_set(struct weir_ctl *ctl, const struct weir_rules *rules,
                    struct written *written_r)
{
    size_t count = weir_rules_count(rules);

    written_r->rule = weir_arena_zero(ctl->arena, count + 1, sizeof *written_r->rule);
    if (!written_r->rule)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    for (size_t i = 0; i < count; i++)
        written_r->rules += (size_t)weir_rules_get(rules, i,
                                                   &written_r->rule[written_r->rules]);
    return 0;
}

/* Rules of a published set. */
static int read_published(struct weir_ctl *ctl, const struct weir_ctl_set *set,
                          struct written *written_r)
{
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources = {.errors = 0};

    if (weir_rule_reader_new(ctl->arena, weir_ctl_rules_tell, NULL, &reader) < 0 ||
        weir_rule_reader_add(reader, ctl->argument[0],
                             set->parcel.section[WEIR_PARCEL_RULES]) < 0 ||
        weir_rule_reader_end(reader, &sources) < 0)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    return take_sources(ctl, &sources, written_r);
}

/* With the set's head. */
static int show_published(struct weir_ctl *ctl, const struct weir_ctl_set *set,
                          const struct weir_table *table)
{
    char made[WEIR_TIME_TEXT];
    json_t *all;

    if (!ctl->option[WEIR_CTL_JSON]) {
        if (!ctl->option[WEIR_CTL_CSV])
            printf("rule set %u of %s, %zu rules, signed with key %s%s\n",
                   (unsigned)set->parcel.serial, weir_time_format(set->parcel.made, made),
                   set->parcel.rules, set->parcel.key,
                   set->verified ? "" : " (there is no key here to see whether that holds)");
        return weir_ctl_table_show(ctl, table);
    }
    all = json_array();
    for (size_t i = 0; i < table->count; i++)
        json_array_append_new(all, weir_table_json(table, table->chosen[i]));
    return weir_ctl_json(ctl, json_pack(
        "{s:I, s:o, s:s, s:b, s:o}", "serial", (json_int_t)set->parcel.serial, "made",
        weir_ctl_json_time(set->parcel.made), "key", set->parcel.key, "verified", set->verified,
        "rules", all));
}

static int list_published(struct weir_ctl *ctl)
{
    struct written written = {.rules = 0};
    struct weir_table table;
    struct weir_ctl_set set;
    int code = weir_ctl_set_open(ctl, ctl->argument[0], &set);

    if (code != 0)
        return code;
    code = read_published(ctl, &set, &written);
    table = table_of(&written);
    if (code == 0)
        code = weir_ctl_table_choose(ctl, &table);
    if (code == 0)
        code = show_published(ctl, &set, &table);
    weir_ctl_set_close(&set);
    return code;
}

static int list_at_work(struct weir_ctl *ctl)
{
    struct written written = {.rules = 0};
    struct weir_table table;
    struct weir_ctl_rules set;
    int code = open_set(ctl, &set);

    if (code != 0)
        return code;
    code = take_set(ctl, set.rules, &written);
    table = table_of(&written);
    if (code == 0)
        code = weir_ctl_table_choose(ctl, &table);
    if (code == 0)
        code = weir_ctl_table_show(ctl, &table);
    weir_ctl_rules_close(&set);
    return code;
}

/* What only the book knows is asked of it, and what both know where there is one. */
static bool is_about_book(const struct weir_ctl *ctl)
{
    return ctl->option[WEIR_CTL_BOOK] || ctl->option[WEIR_CTL_IDLE] ||
           ctl->option[WEIR_CTL_STATE] ||
           ((ctl->option[WEIR_CTL_WHERE] || ctl->option[WEIR_CTL_SORT]) &&
            weir_ctl_monitor_is_here(ctl));
}

int weir_ctl_rules_list(struct weir_ctl *ctl)
{
    int code = weir_ctl_configure(ctl);

    if (code != 0)
        return code;
    if (ctl->arguments > 0 && ctl->option[WEIR_CTL_BOOK])
        return weir_ctl_error(ctl, EX_USAGE, "the rulebook is one thing, a published set another");
    if (ctl->arguments > 0)
        return list_published(ctl);
    return is_about_book(ctl) ? weir_ctl_book_list(ctl) : list_at_work(ctl);
}

static int find(const struct weir_rules *rules, const char *which, struct weir_rule *rule_r)
{
    char *end;
    unsigned long id = strtoul(which, &end, 10);

    if (*end == '\0' && id > 0 && id <= WEIR_RULE_ID_MAX)
        return weir_rules_find(rules, (uint32_t)id, rule_r);
    return weir_rules_named(rules, (struct weir_slice){which, strlen(which)}, rule_r);
}

static void print_test(const struct weir_rule *rule)
{
    char shown[WEIR_RULE_PATTERN_MAX + 8];

    if (rule->selector.len > 0)
        printf("  %s:", weir_ctl_visible(rule->selector, shown, sizeof shown));
    printf("  %s\n", weir_ctl_visible(rule->pattern, shown, sizeof shown));
}

/* book: it is not in the rulebook either. */
static int show_at_work(struct weir_ctl *ctl, const struct weir_rules *rules, bool book)
{
    struct weir_rule rule;
    struct written written = {&rule, 1};
    struct weir_table table = table_of(&written);
    int code;

    if (find(rules, ctl->argument[0], &rule) != 1)
        return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "no rule %s is %sat work", ctl->argument[0],
                              book ? "in the rulebook, or " : "");
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, weir_table_json(&table, 0));
    code = weir_ctl_table_choose(ctl, &table);
    if (code == 0)
        code = weir_ctl_table_show(ctl, &table);
    if (code == 0 && rule.pattern.len > 0)
        print_test(&rule);
    return code;
}

int weir_ctl_rules_show(struct weir_ctl *ctl)
{
    struct weir_ctl_rules set = {.rules = NULL};
    bool book = ctl->option[WEIR_CTL_BOOK] != NULL, asked;
    int code = weir_ctl_configure(ctl);

    asked = code == 0 && (book || weir_ctl_monitor_is_here(ctl));
    if (asked && (code = weir_ctl_book_show(ctl, ctl->argument[0])) != WEIR_CTL_NOT_THERE)
        return code;
    if (asked && !book)
        code = weir_ctl_rules_open(ctl, &set); /* where there is a book there need be no set */
    else if (!asked && code == 0)
        code = open_set(ctl, &set);
    if (asked && !set.rules && (code == 0 || code == WEIR_CTL_NOT_THERE))
        code = weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there is no rule %s in the rulebook",
                              ctl->argument[0]);
    if (code == 0)
        code = show_at_work(ctl, set.rules, asked);
    weir_ctl_rules_close(&set);
    return code;
}
