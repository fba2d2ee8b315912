/*
 * weirctl reports show|unproven|confirm|reject|undo|forget: reported messages as the monitor keeps
 * them.
 *
 * They are hostile: what is shown has no control character and no octet that is not proper UTF-8,
 * line by line, as text with HTML rendered; nothing is fetched, and attachments were left out where
 * they came from.  Strings are verified anew with the keys there are now.
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/store/line_words.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_report.h"
#include "monitor/ctl/ctl_servers.h"
#include "monitor/view/view_told.h"

#define MOST 50
#define MOST_MAX 1000000

struct showing {
    struct weir_ctl *ctl;
    struct weir_database *database;
    struct weir_ctl_servers servers;
    struct weir_info_keys keys;
    struct weir_arena *arena;      /* of a text */
    struct weir_charsets *charsets;
    json_t *rows;                  /* of --json, or NULL */
    int code;
};

/* For people. ------------------------------------------------------------------ */

/* Line by line, each with its own end only. */
static void print_lines(struct weir_slice text)
{
    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;
        struct weir_slice line = {text.at, len};
        char *buffer = malloc(len + 8);

        text = weir_slice_behind(text, len + (end != NULL));
        while (line.len > 0 && line.at[line.len - 1] == '\r')
            line.len--;
        if (buffer)
            printf("  %s\n", weir_ctl_visible(line, buffer, line.len + 8));
        free(buffer);
    }
}

static void print_info(struct showing *showing, const struct weir_view_told *shown)
{
    const struct weir_info *info = &shown->info;
    char time[WEIR_TIME_TEXT], address[WEIR_ADDRESS_TEXT], domain[WEIR_CTL_NAME];
    char name[WEIR_VIEW_RULE_NAME];

    if (!weir_view_told_is_readable(shown))
        return;
    printf("decided   %s by server %llu, rule set %u\nverdict   %s, score %.2f\n"
           "from      %s, domain %s\n",
           weir_time_format(info->at, time), (unsigned long long)info->server, info->serial,
           weir_verdict_name((enum weir_verdict)info->verdict), (double)info->score,
           info->has_boundary ? weir_address_format(&info->boundary, address) : "nowhere outside",
           info->domain[0] ? weir_ctl_visible(weir_slice_of(info->domain), domain, sizeof domain)
                           : "-");
    for (size_t i = 0; i < info->rules; i++)
        printf("%+9.2f  %s (%u)\n", (double)info->rule[i].points,
               weir_view_rule_name(showing->database, info->rule[i].id, name), info->rule[i].id);
}

static void print_text(struct showing *showing, const struct weir_view_told *shown)
{
    const struct weir_database_text *text = shown->text;
    char time[WEIR_TIME_TEXT];

    printf("message   %016llx, reported as %s first at %s, told by %s\nstate     %s%s\n",
           (unsigned long long)text->uid, shown->told.spam ? "spam" : "ham",
           weir_time_format(text->time, time),
           weir_ctl_server_name(&showing->servers, text->server),
           shown->told.info.len == 0 ? "none" : weir_info_state_name(shown->state),
           text->proven ? ": From, Date and Message-ID are those of the message it was made for, "
                          "the rest is as it was reported"
                        : ": it proves nothing, and changes nothing");
    print_info(showing, shown);
    printf("header%s\n", shown->told.cut ? ", of a message that was cut" : "");
    print_lines(shown->message.part[0].head);
    puts("text, as it is read");
    print_lines(weir_view_told_body(shown));
    puts("links");
    print_lines(weir_view_told_links(shown));
}

/* Verbs. -------------------------------------------------------------------------- */

static const char *server_of(const struct showing *showing, const struct weir_database_text *text)
{
    return weir_ctl_server_name(&showing->servers, text->server);
}

static int show(void *context, const struct weir_database_text *text)
{
    struct showing *showing = context;
    struct weir_view_told shown;
    int rc = weir_view_told_read(text, &showing->keys, showing->charsets, showing->arena, &shown);

    if (rc < 0)
        showing->code = weir_ctl_error(showing->ctl, EX_DATAERR, "%016llx: %s",
                                       (unsigned long long)text->uid, weir_error_text(rc));
    else if (showing->rows)
        json_array_append_new(showing->rows, weir_view_told(showing->database, &shown,
                                                            server_of(showing, text), true));
    else
        print_text(showing, &shown);
    return 0;
}

static int list(void *context, const struct weir_database_text *text)
{
    struct showing *showing = context;
    char time[WEIR_TIME_TEXT], from[60], subject[100];
    const struct weir_field *field;
    struct weir_view_told shown;
    size_t at = 0;

    if (weir_view_told_read(text, &showing->keys, showing->charsets, showing->arena, &shown) < 0)
        return 0;
    if (showing->rows) {
        json_array_append_new(showing->rows, weir_view_told(showing->database, &shown,
                                                            server_of(showing, text), false));
        return 0;
    }
    field = weir_message_field(&shown.message, 0, "From", &at);
    weir_ctl_visible(field ? weir_slice_trim(field->value) : weir_slice_of("-"), from, sizeof from);
    at = 0;
    field = weir_message_field(&shown.message, 0, "Subject", &at);
    weir_ctl_visible(field ? weir_slice_trim(field->value) : weir_slice_of("-"), subject,
                     sizeof subject);
    printf("%016llx %-21s %-10s %-4s %-11s %s: %s\n", (unsigned long long)text->uid,
           weir_time_format(text->time, time),
           weir_ctl_server_name(&showing->servers, text->server), shown.told.spam ? "spam" : "ham",
           text->state, from, subject);
    return 0;
}

static int begin(struct weir_ctl *ctl, struct showing *showing)
{
    int code;

    *showing = (struct showing){.ctl = ctl};
    code = weir_ctl_monitor_database(ctl, &showing->database);
    code = code ? code : weir_ctl_servers_read(ctl, showing->database, &showing->servers);
    code = code ? code : weir_ctl_report_keys(ctl, &showing->keys);
    if (code == 0) {
        weir_info_keys_ready(&showing->keys);
        showing->arena = weir_arena_new(1u << 16);
        if (!showing->arena || weir_charsets_new(&showing->charsets) < 0)
            code = weir_ctl_error(ctl, EX_OSERR, "memory is short");
    }
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        showing->rows = json_array();
    return code;
}

static int end(struct showing *showing, int code)
{
    if (code == 0 && showing->rows)
        code = weir_ctl_json(showing->ctl, json_incref(showing->rows));
    json_decref(showing->rows);
    explicit_bzero(&showing->keys, sizeof showing->keys);
    weir_charsets_free(&showing->charsets);
    weir_arena_free(&showing->arena);
    weir_ctl_servers_free(&showing->servers);
    weir_database_free(&showing->database);
    return code ? code : showing->code;
}

/* As it is written, or as tools paste it that make letters large. */
static int read_uid(struct weir_ctl *ctl, char small_r[static 17], uint64_t *uid_r)
{
    const char *given = ctl->argument[0];
    size_t len = strnlen(given, 17);
    struct weir_slice text = {small_r, len};

    for (size_t i = 0; i < len && i < 16; i++)
        small_r[i] = given[i] >= 'A' && given[i] <= 'F' ? (char)(given[i] | 0x20) : given[i];
    small_r[16] = '\0';
    if (len != 16 || !weir_word_take_hex(&text, "", uid_r))
        return weir_ctl_error(ctl, EX_USAGE, "%s: not 16 hex digits", given);
    return 0;
}

int weir_ctl_reports_show(struct weir_ctl *ctl)
{
    struct showing showing;
    char small[17];
    uint64_t uid;
    int code = read_uid(ctl, small, &uid), rc = 0;

    if (code != 0)
        return code;
    code = begin(ctl, &showing);
    if (code == 0) {
        rc = weir_database_text(showing.database, uid, show, &showing);
        code = weir_ctl_monitor_read(ctl, showing.database, rc);
    }
    if (code == 0 && rc == 0)
        code = weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "no message of that number is kept");
    return end(&showing, code);
}

int weir_ctl_reports_unproven(struct weir_ctl *ctl)
{
    struct showing showing;
    unsigned most = MOST;
    int code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, MOST_MAX, &most);

    if (code != 0)
        return code;
    code = begin(ctl, &showing);
    if (code == 0 && !showing.rows)
        printf("%-16s %-21s %-10s %-4s %-11s %s\n", "MESSAGE", "REPORTED", "AT", "AS", "STATE",
               "FROM: SUBJECT");
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, showing.database,
                                     weir_database_texts_unproven(showing.database, most, list,
                                                                  &showing));
    return end(&showing, code);
}

int weir_ctl_reports_forget(struct weir_ctl *ctl)
{
    json_t *answer = NULL;
    char small[17];
    uint64_t uid;
    int code = read_uid(ctl, small, &uid);

    code = code != 0 ? code : weir_ctl_configure(ctl);
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, json_pack("{s:s, s:s}", "do", "reports forget", "uid",
                                                   small), &answer);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, answer);
    if (code == 0)
        printf("%s is forgotten\n", small);
    json_decref(answer);
    return code;
}

/* confirm, reject and undo. */
int weir_ctl_reports_decide(struct weir_ctl *ctl)
{
    const char *verb = ctl->verb->name, *effect;
    json_t *answer = NULL;
    char small[17];
    uint64_t uid;
    int code = read_uid(ctl, small, &uid);

    code = code != 0 ? code : weir_ctl_configure(ctl);
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, json_pack("{s:o, s:s}", "do",
                                                   json_sprintf("reports %s", verb), "uid", small),
                                    &answer);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, answer);
    effect = json_string_value(json_object_get(answer, "effect"));
    if (code == 0)
        printf("%s: it counts as %s now\n", small, effect && effect[0] ? effect : "it was judged");
    json_decref(answer);
    return code;
}
