/*
 * ctl_server - weirctl server: who may send records to the monitor, and how they are.
 *
 * A secret is told once.  So the file it goes to is made before the monitor is asked, never over
 * another one, and readable by its owner only; when nothing came of it, it is taken away again.
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_servers.h"

/* add. -------------------------------------------------------------------------------- */

static int make_file(struct weir_ctl *ctl, const char *path, int *fd_r)
{
    *fd_r = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
    if (*fd_r >= 0)
        return 0;
    return weir_ctl_error(ctl, EX_CANTCREAT, "%s: %s%s", path, strerror(errno),
                          errno == EEXIST ? "; it is left as it is, name another one" : "");
}

/* The whole text and a durable file, or an exit code. */
static int write_file(struct weir_ctl *ctl, const char *path, int fd, const char *text)
{
    size_t len = strlen(text);

    if (write(fd, text, len) == (ssize_t)len && fsync(fd) == 0)
        return 0;
    return weir_ctl_error(ctl, EX_IOERR, "%s: %s; the server was added, but its identity is lost: "
                          "revoke it and add it again", path, strerror(errno));
}

static int tell_added(struct weir_ctl *ctl, const json_t *answer, const char *path)
{
    const char *name = json_string_value(json_object_get(answer, "server"));
    const char *identity = json_string_value(json_object_get(answer, "identity"));
    json_int_t number = json_integer_value(json_object_get(answer, "number"));

    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_pack("{s:s, s:I, s:s}", "server", name, "number", number,
                                            path ? "file" : "identity", path ? path : identity));
    if (!path)
        fputs(identity, stdout);
    fprintf(path ? stdout : stderr,
            "%s is server number %lld.  %s%s%s is its identity, told this once: put it there as\n"
            "/etc/weir/agent.identity, mode 0600, its agent's own, and start weir-agent there.\n"
            "Whoever has it can speak for %s; weirctl server revoke %s ends that.\n",
            name, (long long)number, path ? "" : "The text", path ? path : "", path ? "" : " above",
            name, name);
    return 0;
}

static int add(struct weir_ctl *ctl, const char *path, int fd)
{
    json_t *answer = NULL;
    const char *identity;
    int code = weir_ctl_monitor_ask(
        ctl, json_pack("{s:s, s:s}", "do", "server add", "name", ctl->argument[0]), &answer);

    if (code != 0)
        return code;
    identity = json_string_value(json_object_get(answer, "identity"));
    if (!identity || !json_is_string(json_object_get(answer, "server")))
        code = weir_ctl_error(ctl, EX_UNAVAILABLE, "the monitor's answer has no identity: is it of "
                              "another version?");
    if (code == 0 && path)
        code = write_file(ctl, path, fd, identity);
    if (code == 0)
        code = tell_added(ctl, answer, path);
    json_decref(answer);
    return code;
}

int weir_ctl_server_add(struct weir_ctl *ctl)
{
    const char *path = ctl->option[WEIR_CTL_OUTPUT];
    int fd = -1, code = weir_ctl_configure(ctl);

    if (code == 0 && path)
        code = make_file(ctl, path, &fd);
    if (code != 0)
        return code;
    code = add(ctl, path, fd);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && code != 0)
        unlink(path);
    return code;
}

/* revoke. ------------------------------------------------------------------------------- */

int weir_ctl_server_revoke(struct weir_ctl *ctl)
{
    return weir_ctl_monitor_name(ctl, "server revoke", "revoked: its agent is not let in any more; "
                                 "what it told stays");
}

/* list. --------------------------------------------------------------------------------- */

/* What its agent says of itself, as far as it is a number. */
static long long said(const struct weir_ctl_server *one, const char *name)
{
    return (long long)json_integer_value(json_object_get(one->health, name));
}

/* The same of its published rule set. */
static long long rules_said(const struct weir_ctl_server *one, const char *name)
{
    return (long long)json_integer_value(
        json_object_get(json_object_get(one->health, "rules"), name));
}

static void print_one(const struct weir_ctl_server *one, uint64_t newest)
{
    const struct weir_server *server = &one->server;
    char time[WEIR_TIME_TEXT], octets[WEIR_CTL_TEXT], trouble[WEIR_CTL_TEXT];
    const char *why;
    size_t at = 0;
    weir_time when = one->state == WEIR_VIEW_SERVER_REVOKED ? server->revoked
                     : one->state == WEIR_VIEW_SERVER_NEW   ? server->added
                                                           : server->last_seen;

    printf("%-16s %6u  %-8s %-21s %6llu of %-6llu", server->name, (unsigned)server->number,
           weir_view_server_state_name(one->state), weir_time_format(when, time),
           (unsigned long long)server->generation, (unsigned long long)newest);
    if (one->health)
        printf(" spool %lld files, %s; %lld entries", said(one, "spool_files"),
               weir_ctl_bytes((uint64_t)said(one, "spool_octets"), octets), said(one, "entries"));
    if (rules_said(one, "serial") > 0)
        printf(", rules %lld since %s", rules_said(one, "serial"),
               weir_time_format(rules_said(one, "since") * WEIR_SECOND, time));
    if (rules_said(one, "refused") > 0)
        printf(", rules %lld refused (weirctl status)", rules_said(one, "refused"));
    if (said(one, "withheld") > 0)
        printf(", %lld withheld", said(one, "withheld"));
    if (said(one, "lists_unset") > 0)
        printf(", its lists cannot be changed for %lld s (its agent's log says why)",
               said(one, "lists_unset"));
    if (said(one, "spool_unread") > 0)
        printf(", its spool cannot be read for %lld s (its agent's log says why)",
               said(one, "spool_unread"));
    else if (said(one, "sniffer_silent") > 0)
        printf(", its sniffer silent for %lld s", said(one, "sniffer_silent"));
    if (said(one, "clock_ahead") != 0)
        printf(", its clock %lld s %s", llabs(said(one, "clock_ahead")),
               said(one, "clock_ahead") > 0 ? "ahead" : "behind");
    for (const char *front = ", its sniffer: ";
         weir_view_server_sniffer(one->state, one->health, &at, trouble, &why); front = ", ")
        printf("%s%s", front, trouble);
    for (at = 0; weir_view_server_disbelief(one->state, one->health, &at, trouble, &why);)
        printf(", %s", trouble);
    putchar('\n');
}

static int print_all(struct weir_ctl *ctl, const struct weir_ctl_servers *servers)
{
    json_t *all;

    if (!ctl->option[WEIR_CTL_JSON]) {
        printf("%-16s %6s  %-8s %-21s %-16s %s\n", "SERVER", "NUMBER", "STATE", "SINCE",
               "DECISIONS", "HEALTH");
        for (size_t i = 0; i < servers->count; i++)
            print_one(&servers->one[i], servers->newest);
        return 0;
    }
    all = json_array();
    for (size_t i = 0; i < servers->count; i++)
        json_array_append_new(all, weir_view_server(&servers->one[i].server,
                                                    servers->one[i].state,
                                                    servers->one[i].health, servers->newest));
    return weir_ctl_json(ctl, all);
}

int weir_ctl_server_list(struct weir_ctl *ctl)
{
    struct weir_ctl_servers servers = {0};
    struct weir_database *database = NULL;
    int code = weir_ctl_monitor_database(ctl, &database);

    if (code == 0)
        code = weir_ctl_servers_read(ctl, database, &servers);
    if (code == 0)
        code = print_all(ctl, &servers);
    weir_ctl_servers_free(&servers);
    weir_database_free(&database);
    return code;
}
