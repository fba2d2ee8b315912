/*
 * ctl_rules - weirctl rules load, list, show: from rule files to the set at work.
 */
#include "monitor/ctl/ctl_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/rule_set_io.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_rulebook.h"
#include "monitor/ctl/ctl_sets.h"

static void tell(void *context, const char *file, unsigned line, const char *why)
{
    (void)context;
    if (line > 0)
        fprintf(stderr, "%s:%u: %s\n", file, line, why);
    else
        fprintf(stderr, "%s: %s\n", file, why);
}

int weir_ctl_rules_load(struct weir_ctl *ctl)
{
    bool dry = ctl->option[WEIR_CTL_DRY] != NULL;
    struct weir_rule_set_made made;
    char size[WEIR_CTL_TEXT];
    int code = weir_ctl_configure(ctl), done;

    if (code != 0)
        return code;
    done = weir_rule_set_make(&ctl->config, !dry, tell, NULL, &made);
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

static json_t *text_of(struct weir_slice text)
{
    return weir_ctl_json_text(text.len ? text.at : "", text.len);
}

static json_t *json_rule(const struct weir_rule *rule)
{
    return json_pack("{s:I, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "id", (json_int_t)rule->id,
                     "name", text_of(rule->name), "kind", weir_rule_kind_name(rule->kind), "state",
                     weir_rule_state_name(rule->state), "score",
                     weir_ctl_json_points(rule->score), "selector",
                     text_of(rule->selector), "pattern", text_of(rule->pattern), "description",
                     text_of(rule->description));
}

static void print_rule(const struct weir_rule *rule)
{
    char text[WEIR_CTL_NAME];

    printf("%9u  %+7.2f  %-8s  %-8s  %.*s%s%s\n", rule->id, (double)rule->score,
           weir_rule_kind_name(rule->kind), weir_rule_state_name(rule->state),
           (int)rule->name.len, rule->name.at, rule->description.len > 0 ? ": " : "",
           weir_ctl_visible(rule->description, text, sizeof text));
}

/* Prints it, or adds it to all of --json. */
static void show_rule(const struct weir_rule *rule, json_t *all)
{
    if (all)
        json_array_append_new(all, json_rule(rule));
    else
        print_rule(rule);
}

static void show_sources(const struct weir_rule_sources *sources, json_t *all)
{
    for (size_t i = 0; i < sources->rules; i++) {
        const struct weir_rule_source *from = &sources->rule[i];
        const struct weir_rule rule = {.id = from->id, .name = from->name,
                                       .description = from->description,
                                       .selector = from->selector, .pattern = from->pattern,
                                       .kind = from->kind, .state = from->state,
                                       .flags = from->flags, .score = from->score};

        show_rule(&rule, all);
    }
}

/* Those of a published set, with its head. */
static int list_published(struct weir_ctl *ctl)
{
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources = {.errors = 0};
    char made[WEIR_TIME_TEXT];
    struct weir_ctl_set set;
    json_t *all = NULL;
    int code = weir_ctl_set_open(ctl, ctl->argument[0], &set);

    if (code != 0)
        return code;
    if (weir_rule_reader_new(ctl->arena, tell, NULL, &reader) < 0 ||
        weir_rule_reader_add(reader, ctl->argument[0], set.parcel.section[WEIR_PARCEL_RULES]) < 0 ||
        weir_rule_reader_end(reader, &sources) < 0)
        code = weir_ctl_error(ctl, EX_OSERR, "memory is short");
    weir_time_format(set.parcel.made, made);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        all = json_array();
    else if (code == 0)
        printf("rule set %u of %s, %zu rules, signed with key %s%s\n", (unsigned)set.parcel.serial,
               made, set.parcel.rules, set.parcel.key,
               set.verified ? "" : " (there is no key here to see whether that holds)");
    if (code == 0)
        show_sources(&sources, all);
    if (code == 0 && all)
        code = weir_ctl_json(ctl, json_pack(
            "{s:I, s:o, s:s, s:b, s:o}", "serial", (json_int_t)set.parcel.serial, "made",
            weir_ctl_json_time(set.parcel.made), "key", set.parcel.key, "verified", set.verified,
            "rules", all));
    weir_ctl_set_close(&set);
    return code;
}

int weir_ctl_rules_list(struct weir_ctl *ctl)
{
    static const enum weir_ctl_option of_book[] = {WEIR_CTL_BY, WEIR_CTL_STATE, WEIR_CTL_WHERE,
                                                   WEIR_CTL_MOST};
    struct weir_ctl_rules set;
    json_t *all = NULL;
    int code;

    if (ctl->option[WEIR_CTL_BOOK] && ctl->arguments > 0)
        return weir_ctl_error(ctl, EX_USAGE, "the rulebook is one thing, a published set another");
    if (ctl->option[WEIR_CTL_BOOK])
        return weir_ctl_rulebook_list(ctl);
    for (size_t i = 0; i < sizeof of_book / sizeof of_book[0]; i++)
        if (ctl->option[of_book[i]])
            return weir_ctl_error(ctl, EX_USAGE, "--%s is for --book",
                                  weir_ctl_option_name(of_book[i]));
    if (ctl->arguments > 0)
        return list_published(ctl);
    code = open_set(ctl, &set);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_JSON])
        all = json_array();
    for (size_t i = 0; i < weir_rules_count(set.rules); i++) {
        struct weir_rule rule;

        if (weir_rules_get(set.rules, i, &rule))
            show_rule(&rule, all);
    }
    weir_ctl_rules_close(&set);
    return all ? weir_ctl_json(ctl, all) : 0;
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
    char text[WEIR_RULE_PATTERN_MAX + 8];

    if (rule->selector.len > 0)
        printf("  %s:", weir_ctl_visible(rule->selector, text, sizeof text));
    printf("  %s\n", weir_ctl_visible(rule->pattern, text, sizeof text));
}

int weir_ctl_rules_show(struct weir_ctl *ctl)
{
    struct weir_ctl_rules set;
    struct weir_rule rule;
    int code = open_set(ctl, &set);

    if (code != 0)
        return code;
    if (find(set.rules, ctl->argument[0], &rule) != 1)
        code = weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "no rule %s is at work", ctl->argument[0]);
    else if (ctl->option[WEIR_CTL_JSON])
        code = weir_ctl_json(ctl, json_rule(&rule));
    else {
        print_rule(&rule);
        if (rule.pattern.len > 0)
            print_test(&rule);
    }
    weir_ctl_rules_close(&set);
    return code;
}
