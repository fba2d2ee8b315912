/*
 * ctl_rulebook_history - weirctl rules history and export: what became of rules, and the rulebook
 * as a file that can be added again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_rulebook.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/view/view_rules.h"

#define MOST 100

/* History. ---------------------------------------------------------------------------- */

/* The first line, for a terminal. */
static const char *shown(const char *text, char *buffer, size_t size)
{
    return weir_ctl_visible((struct weir_slice){text, strcspn(text, "\n")}, buffer, size);
}

static int show_change(void *context, const struct weir_rule_changed *change)
{
    json_t *rows = context;
    char time[WEIR_TIME_TEXT], who[64], old[200], new[200], why[400];

    if (rows) {
        json_array_append_new(rows, weir_view_rule_change(change));
        return 0;
    }
    printf("%-20s  %s: ", weir_time_format(change->time, time), change->name);
    if (change->old[0])
        printf("%s %s -> %s", change->what, shown(change->old, old, sizeof old),
               shown(change->new, new, sizeof new));
    else
        printf("%s: %s", change->what, shown(change->new, new, sizeof new));
    printf(", by %s%s%s\n", shown(change->who, who, sizeof who), change->why[0] ? ": " : "",
           shown(change->why, why, sizeof why));
    return 0;
}

int weir_ctl_rulebook_changes(struct weir_database *database, uint32_t id, unsigned most,
                              json_t *rows)
{
    return weir_database_rule_changes(database, id, 0, most, show_change, rows);
}

static int note_id(void *context, const struct weir_kept_rule *rule)
{
    *(uint32_t *)context = rule->id;
    return 0;
}

/* The number of a name or number; 0: of all. */
static int find(struct weir_ctl *ctl, struct weir_database *database, uint32_t *id_r)
{
    const char *which = ctl->arguments > 0 ? ctl->argument[0] : "";
    char *end;
    unsigned long number = strtoul(which, &end, 10);
    bool is_number = which[0] != '\0' && *end == '\0' && number > 0 && number <= WEIR_RULE_ID_MAX;
    int rc;

    *id_r = 0;
    if (ctl->arguments == 0)
        return 0;
    rc = weir_database_rule(database, which, is_number ? (uint32_t)number : 0, note_id, id_r);
    if (rc == 0)
        return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there is no rule %s in the rulebook",
                              which);
    return weir_ctl_monitor_read(ctl, database, rc);
}

int weir_ctl_rules_history(struct weir_ctl *ctl)
{
    struct weir_database *database = NULL;
    json_t *rows = ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
    unsigned most = MOST;
    uint32_t id = 0;
    int code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, 1000000, &most);

    if (code == 0)
        code = weir_ctl_monitor_database(ctl, &database);
    if (code == 0)
        code = find(ctl, database, &id);
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database,
                                     weir_ctl_rulebook_changes(database, id, most, rows));
    weir_database_free(&database);
    if (code == 0 && rows)
        return weir_ctl_json(ctl, rows);
    json_decref(rows);
    return code;
}

/* The book as a file. ------------------------------------------------------------------ */

struct export {
    FILE *out;
    size_t rules;
};

/* Lines for all that a person set, but for what rules add takes for granted. */
static int write_rule(void *context, const struct weir_kept_rule *rule)
{
    struct export *export = context;
    bool works = rule->state == WEIR_RULE_ACTIVE || rule->state == WEIR_RULE_LOCKED;

    export->rules++;
    fprintf(export->out, "%sid %s %u\nscore %s %.2f\n", rule->text, rule->name,
            (unsigned)rule->id, rule->name, rule->score);
    if (rule->base != rule->score)
        fprintf(export->out, "base %s %.2f\n", rule->name, rule->base);
    if (rule->low != 0 || rule->high != 0)
        fprintf(export->out, "bounds %s %.2f %.2f\n", rule->name, rule->low, rule->high);
    fprintf(export->out, "state %s %s\n", rule->name, weir_rule_state_name(rule->state));
    if (rule->approved != works)
        fprintf(export->out, "approved %s %s\n", rule->name, rule->approved ? "yes" : "no");
    fputc('\n', export->out);
    return 0;
}

static int write_all(struct weir_ctl *ctl, struct weir_database *database, struct export *export)
{
    unsigned state = 0;
    int code = weir_ctl_option_word(ctl, WEIR_CTL_STATE, weir_ctl_states, &state);
    unsigned states = ctl->option[WEIR_CTL_STATE] ? 1u << state : 0;
    uint32_t id = 0;

    if (code == 0)
        code = find(ctl, database, &id);
    if (code != 0)
        return code;
    if (id > 0)
        return weir_ctl_monitor_read(ctl, database, weir_database_rule(database, NULL, id,
                                                                       write_rule, export));
    return weir_ctl_monitor_read(ctl, database,
                                 weir_database_rules(database, states, write_rule, export));
}

static int write_file(struct weir_ctl *ctl, struct weir_database *database, struct export *export)
{
    const char *path = ctl->option[WEIR_CTL_OUTPUT];
    struct weir_replacement new;
    int done = weir_replace_begin(path, 0644, &new), code;

    if (done < 0)
        return weir_ctl_error(ctl, EX_CANTCREAT, "%s: %s", path, weir_error_reason(done));
    export->out = new.file;
    code = write_all(ctl, database, export);
    done = weir_replace_end(&new, code == 0);
    if (code == 0 && done < 0)
        return weir_ctl_error(ctl, EX_IOERR, "%s: %s", path, weir_error_reason(done));
    return code;
}

int weir_ctl_rules_export(struct weir_ctl *ctl)
{
    struct export export = {.out = stdout};
    struct weir_database *database = NULL;
    bool file = ctl->option[WEIR_CTL_OUTPUT] != NULL;
    int code;

    if (ctl->option[WEIR_CTL_JSON] && !file)
        return weir_ctl_error(ctl, EX_USAGE, "--json needs --output: without it the rules "
                              "themselves are printed");
    code = weir_ctl_monitor_database(ctl, &database);
    if (code == 0)
        code = file ? write_file(ctl, database, &export) : write_all(ctl, database, &export);
    weir_database_free(&database);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_pack("{s:I}", "rules", (json_int_t)export.rules));
    if (code == 0 && file)
        printf("%zu rules\n", export.rules);
    return code;
}
