/*
 * ctl_metrics - this machine in numbers, for Prometheus (ctl_metrics_serve_io.c), node_exporter's
 * textfile collector or a cron job: what each program counts in its file (core/engine/numbers.h) is
 * read, each weir-policyd is asked over its own protocol, spool and lists are looked at.
 *
 * A daemon that does not answer is a number, too (weir_policyd_up), and no failure: what scrapes
 * this is who is to tell somebody.
 */
#include "monitor/ctl/ctl_metrics_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "core/evidence/rule_source.h"
#include "core/evidence/rules_io.h"
#include "core/program/numbers_metrics.h"
#include "core/store/spool_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_policyd_io.h"
#include "monitor/view/view_metrics.h"

#define COUNTS WEIR_COUNTER_METRIC
#define IS WEIR_GAUGE_METRIC
#define SIZE(table) (sizeof(table) / sizeof(table)[0])

/* Since the daemon's start. */
static const struct weir_view_metric of_policyd[] = {
    {"up", NULL, IS, "weir_policyd_up", "Whether weir-policyd answers: 1, or 0."},
    {"enforces", NULL, IS, "weir_policyd_enforces", "Whether it acts: 1, or 0: it observes."},
    {"status.requests", NULL, COUNTS, "weir_policyd_requests_total", "Requests of Postfix."},
    {"status.remembered", NULL, COUNTS, "weir_policyd_remembered_total",
     "Requests answered as for an earlier recipient of the message."},
    {"status.incomplete", NULL, COUNTS, "weir_policyd_incomplete_total",
     "Requests judged without all that should be known."},
    {"status.messages_remembered", NULL, IS, "weir_policyd_messages_remembered",
     "Messages remembered for their next recipients."},
    {"status.verdicts", "verdict", COUNTS, "weir_policyd_verdicts_total",
     "Verdicts about requests."},
    {"status.actions", "action", COUNTS, "weir_policyd_actions_total", "What was answered."},
    {"status.closed", "why", COUNTS, "weir_policyd_closed_total",
     "Connections closed, for what came on them was wrong."},
    {"status.connections.open", NULL, IS, "weir_policyd_connections", "Connections now."},
    {"status.connections.most", NULL, IS, "weir_policyd_connections_most",
     "Connections there may be."},
    {"status.connections.accepted", NULL, COUNTS, "weir_policyd_connections_total",
     "Connections taken."},
    {"status.connections.idle_closed", NULL, COUNTS, "weir_policyd_idle_closed_total",
     "Idle connections closed to make room."},
    {"status.counters.read", NULL, COUNTS, "weir_store_read_total", "Counters read."},
    {"status.counters.missing", NULL, COUNTS, "weir_store_missing_total",
     "Counters not answered: decisions were made without."},
    {"status.counters.near", NULL, COUNTS, "weir_store_near_total",
     "Counters known from a moment before."},
    {"status.counters.written", NULL, COUNTS, "weir_store_written_total", "Counters written."},
    {"status.counters.lost", NULL, COUNTS, "weir_store_lost_total", "Counters not written."},
    {"status.counters.entities", NULL, IS, "weir_store_entities",
     "Addresses, domains and pairs in a local store."},
    {"status.counters.bytes_used", NULL, IS, "weir_store_octets", "Octets of a local store."},
    {"status.counters.bytes_most", NULL, IS, "weir_store_octets_most", "Octets it may have."},
    {"node.up", "node", IS, "weir_store_node_up",
     "Whether a server of counters is asked: 1, or 0: it failed, and is let rest."},
    {"node.failures", "node", COUNTS, "weir_store_node_failures_total", "Its failures."},
    {"node.seconds", "node", IS, "weir_store_node_answer_seconds",
     "How long its answers take, on the average of late."},
    {"status.decide.open", NULL, IS, "weir_decide_connections",
     "Connections of programs that ask about whole messages."},
    {"status.decide.accepted", NULL, COUNTS, "weir_decide_connections_total",
     "Such connections taken."},
    {"status.decide.decided", NULL, COUNTS, "weir_decide_messages_total",
     "Whole messages judged."},
    {"status.decide.busy", NULL, COUNTS, "weir_decide_busy_total",
     "Programs turned away: too many asked."},
    {"status.decide.verdicts", "verdict", COUNTS, "weir_decide_verdicts_total",
     "Verdicts about whole messages."},
    {"status.decide.actions", "action", COUNTS, "weir_decide_actions_total",
     "What was to be done with them."},
    {"status.log_lines_lost", NULL, COUNTS, "weir_policyd_log_lines_lost_total",
     "Lines of its log that could not be written."},
};

static const struct weir_view_metric of_machine[] = {
    {"spool.files", NULL, IS, "weir_spool_files", "Files of the spool, not shipped yet."},
    {"spool.octets", NULL, IS, "weir_spool_octets", "Octets of these."},
    {"spool.most", NULL, IS, "weir_spool_octets_most", "Octets there may be."},
    {"spool.dropped", NULL, IS, "weir_spool_dropped_lines",
     "Lines that were dropped, as the files tell that wait."},
    {"spool.unread", NULL, IS, "weir_spool_unread_files",
     "Files of the spool that could not be read to their end."},
    {"lists", "list", IS, "weir_list_entries", "Entries of lists, also some that ended."},
    {"lists_open", NULL, IS, "weir_lists_open", "Whether lists can be read: 1, or 0."},
    {"counters_open", NULL, IS, "weir_counters_open", "Whether counters can be opened: 1, or 0."},
};

/* this machine ------------------------------------------------------------------------------ */

static json_t *spool(const struct weir_ctl *ctl)
{
    struct weir_spool_survey survey = {0};
    const char *path = weir_config_path(&ctl->config, ctl->config.spool_folder, ctl->arena);

    if (ctl->config.spool_folder[0] == '\0' || !path || weir_spool_survey(path, &survey) < 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "files", (json_int_t)survey.files, "octets",
                     (json_int_t)survey.bytes, "most", (json_int_t)ctl->config.spool_size,
                     "dropped", (json_int_t)survey.dropped, "unread", (json_int_t)survey.unread);
}

static json_t *lists(const struct weir_ctl *ctl)
{
    static const struct {
        enum weir_list list;
        const char *name;
    } all[] = {{WEIR_LIST_BLACK, "blacklist"}, {WEIR_LIST_ACCEPT, "accept"},
               {WEIR_LIST_SCORE, "score"}};
    json_t *json = json_object();
    size_t count;

    for (size_t i = 0; ctl->stores.lists && i < SIZE(all); i++)
        if (weir_lists_count(ctl->stores.lists, all[i].list, &count) == 0)
            json_object_set_new(json, all[i].name, json_integer((json_int_t)count));
    return json;
}

/* daemons ------------------------------------------------------------------------------------ */

/* Servers of counters by name, one object a number. */
static json_t *nodes(const json_t *status)
{
    static const char *const numbers[] = {"up", "failures", "seconds"};
    json_t *json = json_object(), *node, *of;
    size_t i;

    for (size_t n = 0; n < SIZE(numbers); n++) {
        of = json_object();
        json_array_foreach(json_object_get(json_object_get(status, "counters"), "nodes"), i, node) {
            const char *name = json_string_value(json_object_get(node, "name"));

            if (name)
                json_object_set(of, name, json_object_get(node, numbers[n]));
        }
        json_object_set_new(json, numbers[n], of);
    }
    return json;
}

static json_t *one_policyd(const char *listen, char *answer)
{
    const char *why = "", *mode;
    json_t *status = NULL, *json;

    if (weir_ctl_ask_policyd(listen, answer, WEIR_CTL_STATUS_MAX, &why) == 1)
        status = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
    json = json_pack("{s:s, s:b}", "listen", listen, "up", json_is_object(status));
    mode = json_string_value(json_object_get(status, "mode"));
    if (json && mode)
        json_object_set_new(json, "enforces", json_boolean(strcmp(mode, "enforce") == 0));
    if (json && json_is_object(status)) {
        json_object_set_new(json, "node", nodes(status));
        json_object_set(json, "status", status);
    }
    json_decref(status);
    return json;
}

static json_t *policyds(const struct weir_ctl *ctl)
{
    const struct weir_strings *listen = &ctl->config.listen;
    char *answer = malloc(WEIR_CTL_STATUS_MAX);
    json_t *json = json_array();

    for (size_t i = 0; i < listen->count && answer; i++)
        json_array_append_new(json, one_policyd(listen->item[i], answer));
    free(answer);
    return json;
}

/* programs ----------------------------------------------------------------------------------- */

static const char *rule_name(void *context, uint32_t id, char text_r[static WEIR_NUMBERS_NAME])
{
    const struct weir_matcher *matcher = context;
    const char *own = weir_rule_own_name(id);
    struct weir_rule rule;

    if (own || !matcher || weir_rules_find(weir_matcher_rules(matcher), id, &rule) != 1)
        return own;
    snprintf(text_r, WEIR_NUMBERS_NAME, "%.*s", (int)rule.name.len, rule.name.at);
    return text_r;
}

/* Rules are named as the set at work names them; without one their numbers stand for them. */
static void write_programs(const struct weir_ctl *ctl, struct weir_metrics *metrics,
                           const struct weir_numbers_copy copy[static WEIR_NUMBERS_PROGRAMS])
{
    const struct weir_rule_file_options options = {0};
    const char *path = weir_config_path(&ctl->config, ctl->config.rules_file, ctl->arena);
    struct weir_rule_file *file = NULL;
    struct weir_matcher *matcher = NULL;
    const char *why;

    if (path && weir_rule_file_open(path, &options, &ctl->log, &file, &why) == 0)
        matcher = weir_rule_file_take(file, weir_ctl_now());
    weir_numbers_metrics(metrics, copy, rule_name, matcher);
    if (matcher)
        weir_rule_file_give(file, &matcher);
    weir_rule_file_free(&file);
}

/* Of a file that cannot be used that is told; the others' numbers are shown. */
static int add_programs(struct weir_ctl *ctl, struct weir_metrics *metrics,
                        struct weir_ctl_metrics_told *told)
{
    struct weir_numbers_copy copy[WEIR_NUMBERS_PROGRAMS];
    int done = 0;

    for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++) {
        int found = weir_numbers_read(&ctl->config, (enum weir_numbers_program)i, &copy[i]);

        if (found == WEIR_ENOMEM)
            done = WEIR_ENOMEM;
        else if (found < 0 && found != told->error[i])
            weir_ctl_error(ctl, 0, "numbers of %s: %s; they are left out",
                           weir_numbers_program_name((enum weir_numbers_program)i),
                           weir_error_reason(found));
        told->error[i] = found < 0 ? found : 0;
    }
    if (done == 0)
        write_programs(ctl, metrics, copy);
    for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++)
        weir_numbers_forget(&copy[i]);
    return done;
}

/* Which there are numbers of, and whether they run; nobody can say that of Exim's processes. */
static json_t *programs(const struct weir_ctl *ctl)
{
    json_t *json = json_array();

    for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++) {
        struct weir_numbers_copy copy;
        const char *name = weir_numbers_program_name((enum weir_numbers_program)i);

        if (weir_numbers_read(&ctl->config, (enum weir_numbers_program)i, &copy) != 0)
            json_array_append_new(json, json_pack("{s:s, s:o, s:b}", "program", name, "up",
                                                  i == WEIR_NUMBERS_EXIM || !copy.area
                                                      ? json_null() : json_boolean(copy.up),
                                                  "readable", copy.area != NULL));
        weir_numbers_forget(&copy);
    }
    return json;
}

/* output ------------------------------------------------------------------------------------- */

/* A file is replaced at once, so that nobody reads half of it. */
static int replace_file(struct weir_ctl *ctl, const char *path, const char *text)
{
    struct weir_replacement file;
    int done = weir_replace_begin(path, 0644, &file);

    if (done < 0)
        return weir_ctl_error(ctl, EX_CANTCREAT, "%s: %s", path, weir_error_reason(done));
    fputs(text, file.file);
    done = weir_replace_end(&file, true);
    return done < 0 ? weir_ctl_error(ctl, EX_IOERR, "%s: %s", path, weir_error_reason(done)) : 0;
}

static int write_into(struct weir_ctl *ctl, int fd, const char *path, const char *text)
{
    FILE *file = fdopen(fd, "w");
    bool good = file && fputs(text, file) >= 0;

    if (file ? fclose(file) != 0 : close(fd) != 0)
        good = false;
    return good ? 0 : weir_ctl_error(ctl, EX_IOERR, "%s: %s", path, strerror(errno));
}

/* Of a link to a file that file is replaced.  It is opened first, for what the system does not let
 * us write to through a link of somebody else's is not to be replaced either. */
static int replace_linked(struct weir_ctl *ctl, int fd, const char *path, const char *text)
{
    char *target = realpath(path, NULL);
    struct stat opened, there;
    bool same = target && fstat(fd, &opened) == 0 && stat(target, &there) == 0 &&
                opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
    int code = same ? replace_file(ctl, target, text)
                    : weir_ctl_error(ctl, EX_CANTCREAT, "%s: its target cannot be found", path);

    close(fd);
    free(target);
    return code;
}

/* What is there and no file: a device or a pipe is written to, for somebody has put it there, and
 * reads; nobody who might is waited for. */
static int write_there(struct weir_ctl *ctl, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
    struct stat there;

    if (fd < 0)
        return weir_ctl_error(ctl, EX_CANTCREAT, "%s: %s", path,
                              errno == ENXIO ? "nobody reads from it" : strerror(errno));
    if (fstat(fd, &there) == 0 && S_ISREG(there.st_mode))
        return replace_linked(ctl, fd, path, text);
    (void)fcntl(fd, F_SETFL, O_WRONLY); /* whoever reads may take his time */
    return write_into(ctl, fd, path, text);
}

static int write_text(struct weir_ctl *ctl, const char *text)
{
    const char *path = ctl->option[WEIR_CTL_OUTPUT];
    struct stat there;

    if (!path) {
        fputs(text, stdout);
        return 0;
    }
    return lstat(path, &there) == 0 && !S_ISREG(there.st_mode) ? write_there(ctl, path, text)
                                                               : replace_file(ctl, path, text);
}

static json_t *gather(const struct weir_ctl *ctl)
{
    return json_pack("{s:o, s:o, s:b, s:b, s:o, s:o}", "spool", spool(ctl), "lists", lists(ctl),
                     "lists_open", ctl->stores.lists != NULL, "counters_open",
                     ctl->stores.counters != NULL, "programs", programs(ctl), "policyd",
                     policyds(ctl));
}

static int add_all(struct weir_ctl *ctl, struct weir_metrics *metrics,
                   struct weir_ctl_metrics_told *told)
{
    json_t *all = gather(ctl), *machine = all ? json_pack("[O]", all) : NULL;
    int done = machine ? 0 : WEIR_ENOMEM;

    if (done == 0) {
        weir_view_metrics(metrics, of_machine, SIZE(of_machine), NULL, machine);
        weir_view_metrics(metrics, of_policyd, SIZE(of_policyd), "listen",
                          json_object_get(all, "policyd"));
        done = add_programs(ctl, metrics, told);
    }
    json_decref(machine);
    json_decref(all);
    return done;
}

char *weir_ctl_metrics_text(struct weir_ctl *ctl, struct weir_ctl_metrics_told *told)
{
    struct weir_metrics *metrics = weir_metrics_new();
    const char *text = NULL;
    char *copy = NULL;
    int done = metrics ? add_all(ctl, metrics, told) : WEIR_ENOMEM;

    if (done == 0)
        done = weir_metrics_text(metrics, &text);
    if (done == 0 && !(copy = strdup(text)))
        done = WEIR_ENOMEM;
    if (done < 0)
        weir_ctl_error(ctl, 0, "metrics: %s", weir_error_reason(done));
    weir_metrics_free(&metrics);
    return copy;
}

int weir_ctl_metrics(struct weir_ctl *ctl)
{
    struct weir_ctl_metrics_told told = {{0}};
    char *text;
    int code;

    if (ctl->option[WEIR_CTL_SERVE] && (ctl->option[WEIR_CTL_OUTPUT] || ctl->option[WEIR_CTL_JSON]))
        return weir_ctl_error(ctl, EX_USAGE, "--serve goes with neither --output nor --json");
    if (ctl->option[WEIR_CTL_SERVE])
        return weir_ctl_metrics_serve(ctl);
    code = weir_ctl_open(ctl, WEIR_STORES_READ);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, gather(ctl));
    text = weir_ctl_metrics_text(ctl, &told);
    code = text ? write_text(ctl, text) : EX_OSERR;
    free(text);
    return code;
}
