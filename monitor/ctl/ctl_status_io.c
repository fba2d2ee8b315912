/*
 * ctl_status - how lists, counters and daemons are, problems first.
 *
 * Everything is really asked: each list is walked, each memcached server has to
 * answer, the daemon has to reply over the protocol that Postfix uses.  The report is
 * built as JSON, and the text is made from it, so that both say the same.
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "core/store/spool_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_policyd_io.h"
#include "monitor/ctl/ctl_servers.h"
#include "monitor/ctl/ctl_status_counters.h"
#include "monitor/ctl/ctl_status_rules.h"

#define ROUNDS_MOST 20 /* of questions, until every server was asked */
#define ROUND 512      /* counters asked for in one round */
#define BEHIND_MOST (64 << 20) /* octets of the journal: at the most a flood brings in seconds */
#define SNIFFERS_MOST 20 /* lines about them */
#define NEARLY_FULL 0.75 /* of a local store: it begins to forget (counters_local_write_io.c) */

struct report {
    struct weir_ctl *ctl;
    weir_time now;
    json_t *problems, *lists, *counters, *spool, *policyd, *monitor;
};

static void problem(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void problem(struct report *report, const char *format, ...)
{
    char text[WEIR_CTL_NOTE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_array_append_new(report->problems, weir_ctl_json_text(text, strlen(text)));
}

/* Lists. -------------------------------------------------------------------------- */

struct count {
    weir_time now;
    json_int_t in_force, ended;
};

static int count_one(void *context, const struct weir_list_entry *entry)
{
    struct count *count = context;
    bool ended = entry->ends != 0 && entry->ends <= count->now;
    count->ended += ended;
    count->in_force += !ended;
    return 0;
}

static json_t *one_list(struct report *report, enum weir_list list)
{
    struct count count = {.now = report->now};
    int rc = weir_lists_each(report->ctl->stores.lists, list, count_one, &count);
    if (rc < 0)
        problem(report, "the %s cannot be read: %s", weir_list_name(list), weir_error_reason(rc));
    return json_pack("{s:I, s:I}", "entries", count.in_force, "ended", count.ended);
}

static void add_lists(struct report *report)
{
    struct weir_ctl *ctl = report->ctl;
    const char *path = weir_config_path(&ctl->config, ctl->config.lists_file, ctl->arena);
    struct stat is;
    bool there = path != NULL && stat(path, &is) == 0;
    report->lists = json_pack("{s:s, s:b, s:I, s:o, s:I}", "file", path != NULL ? path : "",
                              "there", there, "bytes", there ? (json_int_t)is.st_size : 0,
                              "changed",
                              weir_ctl_json_time(there ? is.st_mtim.tv_sec * WEIR_SECOND : 0),
                              "never", (json_int_t)ctl->config.never.count);
    if (ctl->stores.lists == NULL) {
        problem(report, "the lists cannot be opened: nothing is blocked or accepted by address");
        return;
    }
    json_object_set_new(report->lists, "blacklist", one_list(report, WEIR_LIST_BLACK));
    json_object_set_new(report->lists, "accept", one_list(report, WEIR_LIST_ACCEPT));
    json_object_set_new(report->lists, "score", one_list(report, WEIR_LIST_SCORE));
}

/* Counters. ------------------------------------------------------------------------ */

static bool all_asked(const struct weir_counters_status *status)
{
    for (size_t i = 0; i < status->nodes; i++)
        if (status->node[i].up && status->node[i].seconds <= 0)
            return false;
    return true;
}

/* Asks for counters that nobody has, until every server had to answer.  Which
 * server has one is as good as random. */
static bool ask_all(struct report *report, struct weir_counters_status *status_r)
{
    struct weir_counters *counters = report->ctl->stores.counters;
    struct weir_reading *reading = calloc(ROUND, sizeof *reading);
    bool answered = reading != NULL;
    uint64_t made = 0;
    for (int round = 0; reading != NULL && round < ROUNDS_MOST; round++) {
        for (size_t i = 0; i < ROUND; i++, made++) {
            reading[i].counter = (struct weir_counter){.variable = WEIR_SPAM_USER, .half_life = 60};
            weir_hash128(&report->ctl->stores.key, &made, sizeof made,
                         reading[i].counter.entity.id);
        }
        answered &= weir_counters_read(counters, report->now, reading, ROUND) == 1;
        weir_counters_status(counters, status_r);
        if (strcmp(status_r->store, "memcached") != 0 || all_asked(status_r))
            break;
    }
    free(reading);
    return answered;
}

static json_t *one_node(struct report *report, const struct weir_counters_node *node)
{
    if (!node->up)
        problem(report, "%s does not answer: its counters are missing in decisions", node->name);
    return json_pack("{s:s, s:b, s:I, s:o}", "name", node->name, "up", node->up, "failures",
                     (json_int_t)node->failures, "seconds", weir_ctl_json_number(node->seconds));
}

static void add_counters(struct report *report)
{
    struct weir_ctl *ctl = report->ctl;
    struct weir_counters_status status = {.store = ""};
    bool memcached = ctl->config.counters == WEIR_COUNTERS_MEMCACHED;
    const char *path = weir_config_path(&ctl->config, ctl->config.counters_file, ctl->arena);
    struct stat is;
    report->counters = json_pack("{s:s, s:b}", "store", memcached ? "memcached" : "local", "open",
                                 ctl->stores.counters != NULL);
    if (!memcached)
        json_object_set_new(report->counters, "there",
                            json_boolean(path != NULL && stat(path, &is) == 0));
    if (ctl->stores.counters == NULL) {
        problem(report, "the counters cannot be opened: reputation is not known");
        return;
    }
    bool answered = ask_all(report, &status);
    json_t *nodes = json_array();
    size_t up = 0;
    for (size_t i = 0; i < status.nodes; i++) {
        json_array_append_new(nodes, one_node(report, &status.node[i]));
        up += status.node[i].up;
    }
    if (!answered && up == status.nodes)
        problem(report, "not all counters were answered");
    if (status.bytes_most > 0 &&
        (double)status.bytes_used > NEARLY_FULL * (double)status.bytes_most)
        problem(report, "the counters' file is nearly full: what matters least is forgotten; "
                "[weir] counters_size can be raised");
    json_t *more = json_pack("{s:b, s:s, s:I, s:I, s:I, s:o}", "answered", answered, "key",
                             weir_ctl_status_counters_key(ctl, report->problems), "entities",
                             (json_int_t)status.entities, "bytes_used",
                             (json_int_t)status.bytes_used, "bytes_most",
                             (json_int_t)status.bytes_most, "nodes", nodes);
    json_object_update(report->counters, more);
    json_decref(more);
}

/* Spool. ------------------------------------------------------------------------------ */

static void add_spool(struct report *report)
{
    struct weir_ctl *ctl = report->ctl;
    struct weir_spool_survey survey = {0};
    const char *path = weir_config_path(&ctl->config, ctl->config.spool_folder, ctl->arena);
    bool wanted = ctl->config.spool_folder[0] != '\0' && path != NULL;
    int rc = wanted ? weir_spool_survey(path, &survey) : 0;
    if (rc < 0)
        problem(report, "the spool cannot be read: %s", weir_error_reason(rc));
    if (survey.dropped > 0)
        problem(report, "%llu lines of the spool were dropped: it was full, or could not be "
                "written; [spool] size can be raised, or what waits there be shipped",
                (unsigned long long)survey.dropped);
    report->spool = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I}", "folder", wanted ? path : "",
                              "there", rc == 1, "files", (json_int_t)survey.files, "bytes",
                              (json_int_t)survey.bytes, "bytes_most",
                              (json_int_t)ctl->config.spool_size, "dropped",
                              (json_int_t)survey.dropped, "unread", (json_int_t)survey.unread);
}

/* Daemons. -------------------------------------------------------------------------- */

/* Most machines have none, and the default socket nevertheless: one is here when its socket or
 * its database is. */
static bool has_monitor(const struct weir_ctl *ctl)
{
    const char *database = weir_config_path(&ctl->config, ctl->config.monitor_database, ctl->arena);
    const char *listen = ctl->config.monitor_admin, *why = NULL;
    struct weir_endpoint place;

    if (listen[0] == '\0' || weir_endpoint_parse(listen, &place, &why) < 0 || !place.is_unix)
        return false;
    return access(place.host, F_OK) == 0 || (database != NULL && access(database, F_OK) == 0);
}

/* A monitor's own machine, on which nothing ever decided about mail: no daemon is missing there. */
static bool is_monitor_alone(const struct report *report)
{
    return !json_is_true(json_object_get(report->lists, "there")) &&
           !json_is_true(json_object_get(report->counters, "there")) &&
           report->ctl->config.counters == WEIR_COUNTERS_LOCAL && has_monitor(report->ctl);
}

static json_t *one_policyd(struct report *report, const char *listen, char *answer)
{
    const char *why = "its answer is no JSON";
    json_error_t error;
    int rc = weir_ctl_ask_policyd(listen, answer, WEIR_CTL_STATUS_MAX, &why);
    json_t *status = rc == 1 ? json_loads(answer, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (status != NULL)
        return json_pack("{s:s, s:b, s:o}", "listen", listen, "running", 1, "status", status);
    if (rc == 1)
        why = "its answer is no JSON";
    bool wanted = rc == 1 || !is_monitor_alone(report);
    if (wanted)
        problem(report, "weir-policyd at %s: %s", listen, why);
    return json_pack("{s:s, s:b, s:b, s:s}", "listen", listen, "running", 0, "wanted", wanted,
                     "why", why);
}

static void add_policyd(struct report *report)
{
    const struct weir_strings *listen = &report->ctl->config.listen;
    char *answer = malloc(WEIR_CTL_STATUS_MAX);
    report->policyd = json_array();
    for (size_t i = 0; i < listen->count && answer != NULL; i++)
        json_array_append_new(report->policyd, one_policyd(report, listen->item[i], answer));
    free(answer);
}

/* Monitor. -------------------------------------------------------------------------- */

static json_t *monitor_down(struct report *report, const char *listen, const char *why)
{
    problem(report, "the monitor: %s", why);
    return json_pack("{s:s, s:b, s:s}", "listen", listen, "running", 0, "why", why);
}

/* A full disk, mostly: what is not lost, and what is to be done. */
static void tell_full(struct report *report, bool journal, const char *why)
{
    const struct weir_config *config = &report->ctl->config;
    const char *path = weir_config_path(
        config, journal ? config->monitor_journal : config->monitor_database, report->ctl->arena);

    problem(report, "the monitor's %s cannot be written: %s; nothing is lost meanwhile: %s. "
            "Make room on the disk of %s%s", journal ? "journal" : "database", why,
            journal ? "agents keep their records" : "it waits in the journal",
            path != NULL ? path : "it", journal ? ", or raise [monitor] journal_size" : "");
}

static void tell_troubles(struct report *report, const json_t *troubles)
{
    const json_t *trouble;
    size_t i;

    json_array_foreach(troubles, i, trouble) {
        const char *of = json_string_value(json_object_get(trouble, "of"));
        const char *why = json_string_value(json_object_get(trouble, "why"));

        if (of != NULL && strcmp(of, "rules") == 0)
            problem(report, "%s", why);
        else
            tell_full(report, of != NULL && strcmp(of, "journal") == 0, why != NULL ? why : "");
    }
}

/* Decisions that cannot be believed, mostly since a key was not copied: they count nowhere. */
static void tell_disbelief(struct report *report, const struct weir_ctl_servers *servers)
{
    for (size_t i = 0; i < servers->count; i++) {
        const struct weir_ctl_server *one = &servers->one[i];
        char text[WEIR_CTL_TEXT];
        const char *why;
        size_t at = 0;

        while (weir_view_server_disbelief(one->state, one->health, &at, text, &why))
            problem(report, "%s: %s, and count nowhere: %s", one->server.name, text, why);
    }
}

/* Servers whose sniffers had trouble of late; the same words as the monitor noted. */
static json_t *sniffers_in_trouble(const struct weir_ctl_servers *servers)
{
    json_t *all = json_array();

    for (size_t i = 0; i < servers->count; i++) {
        const struct weir_ctl_server *one = &servers->one[i];
        char text[WEIR_CTL_TEXT];
        const char *why;
        size_t at = 0;

        while (weir_view_server_sniffer(one->state, one->health, &at, text, &why))
            json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "server", one->server.name,
                                                 "trouble", text, "why", why));
    }
    return all;
}

/* They are in the database; where it cannot be read, that is no trouble of the monitor's. */
static json_t *read_servers(struct report *report)
{
    struct weir_ctl *ctl = report->ctl;
    struct weir_ctl_servers servers = {0};
    struct weir_database *database = NULL;
    char aside[WEIR_CTL_NOTE];
    json_t *all = NULL;

    ctl->aside = aside;
    if (weir_ctl_monitor_database(ctl, &database) == 0 &&
        weir_ctl_servers_read(ctl, database, &servers) == 0) {
        all = sniffers_in_trouble(&servers);
        tell_disbelief(report, &servers);
    }
    ctl->aside = NULL;
    weir_ctl_servers_free(&servers);
    weir_database_free(&database);
    return all ? all : json_array();
}

static json_t *monitor_up(struct report *report, const char *listen, json_t *status)
{
    const char *blind = json_string_value(json_object_get(status, "blind_names"));
    json_int_t behind = json_integer_value(json_object_get(status, "behind"));

    if (blind != NULL && blind[0] != '\0')
        problem(report, "the monitor has not heard for too long of: %s", blind);
    if (behind > BEHIND_MOST)
        problem(report, "the monitor's database does not follow: %lld octets wait in the journal",
                (long long)behind);
    tell_troubles(report, json_object_get(status, "troubles"));
    weir_ctl_status_counters_tell(report->ctl, json_object_get(status, "counters"),
                                  report->problems);
    return json_pack("{s:s, s:b, s:o, s:o, s:o}", "listen", listen, "running", 1, "status", status,
                     "sniffers", read_servers(report), "rules",
                     weir_ctl_status_rules(report->ctl, report->problems));
}

static void add_monitor(struct report *report)
{
    struct weir_ctl *ctl = report->ctl;
    const char *listen = ctl->config.monitor_admin;
    char aside[WEIR_CTL_NOTE] = "it does not answer";
    json_t *status = NULL;
    int code;

    report->monitor = json_null();
    if (!has_monitor(ctl))
        return;
    ctl->aside = aside;
    code = weir_ctl_monitor_ask(ctl, json_pack("{s:s}", "do", "status"), &status);
    ctl->aside = NULL;
    report->monitor = code == 0 ? monitor_up(report, listen, status)
                                : monitor_down(report, listen, aside);
}

/* Text. ------------------------------------------------------------------------------ */

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

static void print_list(const json_t *lists, const char *name)
{
    const json_t *list = json_object_get(lists, name);
    if (list != NULL)
        printf("  %-10s %lld entries in force, %lld ended\n", name,
               (long long)number(list, "entries"), (long long)number(list, "ended"));
}

static void print_lists(const struct report *report)
{
    char bytes[WEIR_CTL_TEXT];
    printf("lists      %s\n", word(report->lists, "file"));
    if (json_is_true(json_object_get(report->lists, "there")))
        printf("  %-10s %s, last changed %s\n", "file",
               weir_ctl_bytes((uint64_t)number(report->lists, "bytes"), bytes),
               word(report->lists, "changed"));
    else
        printf("  %-10s not there yet: empty\n", "file");
    print_list(report->lists, "blacklist");
    print_list(report->lists, "accept");
    printf("  %-10s %lld in the configuration\n", "never",
           (long long)number(report->lists, "never"));
}

static void print_counters(const struct report *report)
{
    const json_t *counters = report->counters, *node;
    char used[WEIR_CTL_TEXT], most[WEIR_CTL_TEXT];
    size_t i;
    printf("counters   %s\n", word(counters, "store"));
    json_array_foreach(json_object_get(counters, "nodes"), i, node) {
        bool up = json_is_true(json_object_get(node, "up"));
        double seconds = json_real_value(json_object_get(node, "seconds"));
        printf("  %-10s %s", up ? "up" : "DOWN", word(node, "name"));
        if (up && seconds > 0)
            printf(", answers in %.2f ms", 1000 * seconds);
        putchar('\n');
    }
    if (strcmp(word(counters, "store"), "local") == 0 &&
        !json_is_true(json_object_get(counters, "there")))
        printf("  %-10s not there yet: empty\n", "file");
    if (number(counters, "bytes_most") > 0)
        printf("  %-10s %lld entities, %s of %s\n", "size",
               (long long)number(counters, "entities"),
               weir_ctl_bytes((uint64_t)number(counters, "bytes_used"), used),
               weir_ctl_bytes((uint64_t)number(counters, "bytes_most"), most));
}

static void print_spool(const struct report *report)
{
    const json_t *spool = report->spool;
    char used[WEIR_CTL_TEXT], most[WEIR_CTL_TEXT];
    if (!json_is_true(json_object_get(spool, "there")))
        return;
    printf("spool      %s\n", word(spool, "folder"));
    printf("  %-10s %lld files, %s of %s, %lld lines dropped\n", "waiting",
           (long long)number(spool, "files"),
           weir_ctl_bytes((uint64_t)number(spool, "bytes"), used),
           weir_ctl_bytes((uint64_t)number(spool, "bytes_most"), most),
           (long long)number(spool, "dropped"));
    if (number(spool, "unread") > 0)
        printf("  %-10s %lld files, which may tell of more\n", "unread",
               (long long)number(spool, "unread"));
}

static void print_policyd(const struct report *report)
{
    const json_t *one;
    size_t i;
    json_array_foreach(report->policyd, i, one) {
        const json_t *status = json_object_get(one, "status");
        printf("policyd    %s\n", word(one, "listen"));
        if (status == NULL)
            printf("  %-10s %s\n", json_is_true(json_object_get(one, "wanted")) ? "DOWN" : "none",
                   word(one, "why"));
        else
            printf("  %-10s version %s, mode %s, pid %lld, %lld requests, %lld connections\n",
                   "up", word(status, "version"), word(status, "mode"),
                   (long long)number(status, "pid"), (long long)number(status, "requests"),
                   (long long)number(json_object_get(status, "connections"), "open"));
    }
}

static void print_sniffers(const json_t *sniffers)
{
    const json_t *one;
    size_t i;

    json_array_foreach(sniffers, i, one) {
        if (i == SNIFFERS_MOST) {
            printf("  %-10s and %zu more: weirctl server list\n", "sniffer",
                   json_array_size(sniffers) - i);
            return;
        }
        printf("  %-10s %s: %s in the last hour or two: %s\n", "sniffer", word(one, "server"),
               word(one, "trouble"), word(one, "why"));
    }
}

static void print_alarms(const json_t *status)
{
    const json_t *waiting = json_object_get(status, "alerts_waiting"); /* null: not known */

    printf("  %-10s %lld open, ", "alarms", (long long)number(status, "alarms"));
    if (json_is_integer(waiting))
        printf("%lld alerts wait to be told\n", (long long)json_integer_value(waiting));
    else
        printf("how many alerts wait to be told is not known\n");
}

static void print_monitor(const struct report *report)
{
    const json_t *status = json_object_get(report->monitor, "status");
    char behind[WEIR_CTL_TEXT];

    if (!json_is_object(report->monitor))
        return;
    printf("monitor    %s\n", word(report->monitor, "listen"));
    if (status == NULL) {
        printf("  %-10s %s\n", "DOWN", word(report->monitor, "why"));
        return;
    }
    printf("  %-10s %lld seen, %lld blind%s%s\n", "servers", (long long)number(status, "servers"),
           (long long)number(status, "blind"), number(status, "blind") > 0 ? ": " : "",
           number(status, "blind") > 0 ? word(status, "blind_names") : "");
    if (word(status, "silent_names")[0] != '\0')
        printf("  %-10s nothing more of its traffic comes, and its alarms stay: %s\n", "silent",
               word(status, "silent_names"));
    print_sniffers(json_object_get(report->monitor, "sniffers"));
    printf("  %-10s %s not yet in the database\n", "journal",
           weir_ctl_bytes((uint64_t)number(status, "behind"), behind));
    weir_ctl_status_rules_print(json_object_get(report->monitor, "rules"));
    weir_ctl_status_counters_print(json_object_get(status, "counters"));
    print_alarms(status);
    if (number(json_object_get(status, "silences"), "standing") > 0)
        printf("  %-10s %s\n", "silenced", word(json_object_get(status, "silences"), "text"));
    if (number(status, "blocks_withheld") + number(status, "scores_withheld") > 0)
        printf("  %-10s %lld blocks, %lld scores: too many within an hour\n", "withheld",
               (long long)number(status, "blocks_withheld"),
               (long long)number(status, "scores_withheld"));
    if (number(status, "forgotten_early") > 0)
        printf("  %-10s %lld rows before their time, by [monitor] database_size\n", "forgotten",
               (long long)number(status, "forgotten_early"));
    if (number(status, "events_left_out") > 0)
        printf("  %-10s %lld events that one server alone told of, too many within an hour: %s\n",
               "left out", (long long)number(status, "events_left_out"),
               word(status, "left_out_names"));
    if (number(status, "events_lost") + number(status, "forgotten") > 0)
        printf("  %-10s %lld events, since too many waited; of %lld more the step is not kept\n",
               "lost", (long long)number(status, "events_lost"),
               (long long)number(status, "forgotten"));
}

static void print_text(const struct report *report)
{
    const json_t *one;
    size_t i;
    json_array_foreach(report->problems, i, one)
        printf("PROBLEM    %s\n", json_string_value(one));
    if (json_array_size(report->problems) == 0)
        puts("all is well");
    print_lists(report);
    print_counters(report);
    print_spool(report);
    print_policyd(report);
    print_monitor(report);
}

int weir_ctl_status(struct weir_ctl *ctl)
{
    int code = weir_ctl_open(ctl, WEIR_STORES_READ);
    if (code != 0)
        return code;
    struct report report = {
        .ctl = ctl, .now = weir_ctl_now(), .problems = json_array()};
    for (size_t i = 0; i < ctl->notes; i++)
        problem(&report, "%s", ctl->note[i]);
    add_lists(&report);
    add_counters(&report);
    add_spool(&report);
    add_policyd(&report);
    add_monitor(&report);
    bool well = json_array_size(report.problems) == 0;
    json_t *all = json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "healthy", well, "problems",
                            report.problems, "lists", report.lists, "counters", report.counters,
                            "spool", report.spool, "policyd", report.policyd, "monitor",
                            report.monitor);
    if (all == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    if (ctl->option[WEIR_CTL_JSON] != NULL)
        return weir_ctl_json(ctl, all) != 0 ? EX_OSERR : well ? 0 : WEIR_CTL_NOT_THERE;
    print_text(&report);
    json_decref(all);
    return well ? 0 : WEIR_CTL_NOT_THERE;
}
