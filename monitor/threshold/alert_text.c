/*
 * alert_text - lines built with struct weir_line, JSON with jansson, a mail with open_memstream().
 * Refuses control characters and everything beyond ASCII, wherever they came from.
 */
#include "monitor/threshold/alert_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/line.h"
#include "core/base/slice.h"
#include "monitor/threshold/alert_link.h"
#include "monitor/threshold/template.h"

#define DATE_ROOM 40
#define NAMED 5                  /* addresses of a group in one line */

static void foreign(struct weir_line *line, const char *text)
{
    weir_line_foreign(line, weir_slice_of(text), true);
}

const char *weir_alert_undo(const struct weir_alert *alert,
                            char buffer[static WEIR_ALERT_UNDO_ROOM])
{
    char prefix[WEIR_PREFIX_TEXT];

    buffer[0] = '\0';
    if (alert->response >= WEIR_RESPONSE_SCORE)
        snprintf(buffer, WEIR_ALERT_UNDO_ROOM, "weirctl unblock %s",
                 weir_prefix_format(&alert->prefix, prefix));
    return buffer;
}

static void add_measure(struct weir_line *line, const struct weir_alert *alert)
{
    weir_line_number(line, alert->rate, 2);
    weir_line_text(line, " ");
    weir_line_text(line, weir_quantity_name(alert->quantity));
    weir_line_text(line, " a second, allowed ");
    weir_line_number(line, alert->limit.maximum, 0);
    weir_line_text(line, " at once and ");
    weir_line_number(line, alert->limit.rate, 3);
    weir_line_text(line, " a second (");
    foreign(line, alert->class_name);
    weir_line_text(line, ")");
    if (alert->names[0]) {
        weir_line_text(line, "; seen by ");
        foreign(line, alert->names);
    }
}

static void add_response(struct weir_line *line, const struct weir_alert *alert)
{
    char end[WEIR_TIME_TEXT], undo[WEIR_ALERT_UNDO_ROOM];

    weir_line_text(line, "; response: ");
    weir_line_text(line, weir_response_name(alert->response));
    if (alert->ends > 0) {
        weir_line_text(line, " until ");
        weir_line_text(line, weir_time_format(alert->ends, end));
    }
    if (alert->withheld[0]) {
        weir_line_text(line, ", ");
        weir_line_text(line, weir_response_name(alert->wanted));
        weir_line_text(line, " was withheld: ");
        foreign(line, alert->withheld);
    }
    if (weir_alert_undo(alert, undo)[0]) {
        weir_line_text(line, "; to undo it: ");
        weir_line_text(line, undo);
    }
}

const char *weir_alert_sentence(const struct weir_alert *alert, const char *console,
                                char buffer[static WEIR_ALERT_LINE_ROOM])
{
    struct weir_line line = weir_line(buffer, WEIR_ALERT_LINE_ROOM);
    char prefix[WEIR_PREFIX_TEXT], link[WEIR_ALERT_LINK_ROOM];

    weir_line_text(&line, weir_prefix_format(&alert->prefix, prefix));
    weir_line_text(&line, ": ");
    add_measure(&line, alert);
    add_response(&line, alert);
    if (alert->again > 0)
        weir_line_text(&line, "; nobody has acknowledged it");
    if (alert->late > 0)
        weir_line_text(&line, "; told late: a silence held it");
    if (weir_alert_link(console, alert, link)[0]) {
        weir_line_text(&line, "; see ");
        weir_line_text(&line, link);
    }
    return weir_line_end(&line);
}

static void add_counts(struct weir_line *line, const struct weir_alert_group *group)
{
    char first[WEIR_TIME_TEXT], last[WEIR_TIME_TEXT];

    weir_line_count(line, group->count);
    weir_line_text(line, group->count == 1 ? " alert from " : " alerts from ");
    weir_line_text(line, weir_time_format(group->first, first));
    weir_line_text(line, " to ");
    weir_line_text(line, weir_time_format(group->last, last));
    weir_line_text(line, ":");
    for (unsigned i = 0; i < WEIR_RESPONSES; i++)
        if (group->responses[i] > 0) {
            weir_line_text(line, " ");
            weir_line_text(line, weir_response_name(i));
            weir_line_text(line, " ");
            weir_line_count(line, group->responses[i]);
        }
}

const char *weir_alert_summary(const struct weir_alert_group *group,
                               char buffer[static WEIR_ALERT_LINE_ROOM])
{
    struct weir_line line = weir_line(buffer, WEIR_ALERT_LINE_ROOM);
    size_t named = group->kept < NAMED ? group->kept : NAMED;
    char prefix[WEIR_PREFIX_TEXT];

    add_counts(&line, group);
    for (size_t i = 0; i < named; i++) {
        weir_line_text(&line, i == 0 ? "; " : ", ");
        weir_line_text(&line, weir_prefix_format(&group->alert[i].prefix, prefix));
    }
    if (group->count > named) {
        weir_line_text(&line, " and ");
        weir_line_count(&line, group->count - named);
        weir_line_text(&line, " more");
    }
    return weir_line_end(&line);
}

/* mail --------------------------------------------------------------------------- */

bool weir_alert_recipient_fit(struct weir_slice text)
{
    bool fit = text.len > 0 && text.len <= WEIR_ALERT_RECIPIENT_MAX && text.at[0] != '-';

    for (size_t i = 0; i < text.len && fit; i++)
        fit = text.at[i] > ' ' && text.at[i] <= '~' && !strchr("\"<>()[]\\,;:|", text.at[i]);
    return fit;
}

/* RFC 5322, 3.3; from "2026-11-21T18:13:00Z". */
static const char *date_of(weir_time time, char buffer[static DATE_ROOM])
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[WEIR_TIME_TEXT];

    if (time < 0 || weir_time_format(time, text)[0] == '-')
        weir_time_format(time = 0, text);
    int month = (text[5] - '0') * 10 + text[6] - '0';
    snprintf(buffer, DATE_ROOM, "%.3s, %.2s %.3s %.4s %.8s +0000",
             days + time / WEIR_DAY % 7 * 3, text + 8, months + (month - 1) * 3, text, text + 11);
    return buffer;
}

static void write_subject(FILE *out, const struct weir_alert_group *group,
                          const struct weir_alert_letter *letter)
{
    const struct weir_alert *first = &group->alert[0];
    char prefix[WEIR_PREFIX_TEXT], own[WEIR_TEMPLATE_SUBJECT_MAX + 1];

    if (letter->template) {
        fprintf(out, "Subject: %s\n",
                weir_template_subject(letter->template, group, letter, own));
        return;
    }
    fprintf(out, "Subject: [weir] %s%s: %s, %s", first->again > 0 ? "not acknowledged: " : "",
            weir_prefix_format(&first->prefix, prefix), weir_quantity_name(first->quantity),
            weir_response_name(first->response));
    if (group->count > 1)
        fprintf(out, ", and %" PRIu64 " more", group->count - 1);
    fputc('\n', out);
}

static void write_head(FILE *out, const struct weir_alert_group *group,
                       const struct weir_alert_letter *letter, bool plain)
{
    char date[DATE_ROOM];

    fprintf(out, "From: Weir <weir-monitor@%s>\n", letter->host);
    fprintf(out, "To: %s\n", letter->to);
    write_subject(out, group, letter);
    fprintf(out, "Date: %s\n", date_of(letter->now, date));
    fprintf(out, "Message-ID: <weir.%" PRId64 ".%" PRIu64 "@%s>\n", letter->now, letter->number,
            letter->host);
    fprintf(out, "Auto-Submitted: auto-generated\n"
            "MIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=%s\n"
            "Content-Transfer-Encoding: %s\n\n", plain ? "us-ascii" : "utf-8",
            plain ? "7bit" : "8bit");
}

static void write_counts(FILE *out, const struct weir_alert_group *group)
{
    char buffer[WEIR_ALERT_LINE_ROOM];
    struct weir_line line = weir_line(buffer, sizeof buffer);

    add_counts(&line, group);
    fprintf(out, "%s\n\n", weir_line_end(&line));
}

static void write_lines(FILE *out, const struct weir_alert_group *group, const char *console)
{
    char line[WEIR_ALERT_LINE_ROOM], time[WEIR_TIME_TEXT];

    for (size_t i = 0; i < group->kept; i++)
        fprintf(out, "%s %s\n", weir_time_format(group->alert[i].time, time),
                weir_alert_sentence(&group->alert[i], console, line));
    if (group->count > group->kept)
        fprintf(out, "\nand %" PRIu64 " more, which are in the monitor's log and database.\n",
                group->count - group->kept);
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

char *weir_alert_mail(const struct weir_alert_group *group,
                      const struct weir_alert_letter *letter)
{
    char *text = NULL, *own = letter->template ? weir_template_fill(letter->template, group, letter)
                                               : NULL;
    size_t size;
    FILE *out = letter->template && !own ? NULL : open_memstream(&text, &size);
    bool good;

    if (!out) {
        free(own);
        return NULL;
    }
    write_head(out, group, letter, !own || is_ascii(own));
    if (own) {
        fputs(own, out);
    } else {
        write_counts(out, group);
        write_lines(out, group, letter->console);
    }
    free(own);
    good = !ferror(out);
    if (fclose(out) == 0 && good)
        return text;
    free(text);
    return NULL;
}

/* JSON ---------------------------------------------------------------------------- */

static json_t *plain(const char *text)
{
    char buffer[WEIR_ALERT_LINE_ROOM];
    struct weir_line line = weir_line(buffer, sizeof buffer);

    foreign(&line, text);
    return json_string(weir_line_end(&line));
}

static json_t *names_of(const struct weir_alert *alert)
{
    json_t *array = json_array();
    char names[sizeof alert->names], *rest = names, *name;

    memcpy(names, alert->names, sizeof names);
    while ((name = strsep(&rest, ",")) != NULL) {
        name += strspn(name, " ");
        if (name[0])
            json_array_append_new(array, plain(name));
    }
    return array;
}

static json_t *time_of(weir_time time)
{
    char text[WEIR_TIME_TEXT];

    return time > 0 ? json_string(weir_time_format(time, text)) : json_null();
}

static json_t *alert_of(const struct weir_alert *alert, const char *console)
{
    char prefix[WEIR_PREFIX_TEXT], undo[WEIR_ALERT_UNDO_ROOM], link[WEIR_ALERT_LINK_ROOM];

    return json_pack("{s:o, s:s, s:s, s:f, s:{s:f, s:f}, s:o, s:o, s:s, s:s, s:o, s:o, s:s, s:I, "
                     "s:s, s:i}",
                     "time", time_of(alert->time), "address",
                     weir_prefix_format(&alert->prefix, prefix), "quantity",
                     weir_quantity_name(alert->quantity), "rate", alert->rate, "limit", "rate",
                     alert->limit.rate, "maximum", alert->limit.maximum, "class",
                     plain(alert->class_name), "servers", names_of(alert), "response",
                     weir_response_name(alert->response), "wanted",
                     weir_response_name(alert->wanted), "withheld", plain(alert->withheld), "ends",
                     time_of(alert->ends), "undo", weir_alert_undo(alert, undo), "event",
                     (json_int_t)alert->event, "link", weir_alert_link(console, alert, link),
                     "again", (int)alert->again);
}

static json_t *responses_of(const struct weir_alert_group *group)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < WEIR_RESPONSES; i++)
        json_object_set_new(object, weir_response_name(i),
                            json_integer((json_int_t)group->responses[i]));
    return object;
}

char *weir_alert_json(const struct weir_alert_group *group,
                      const struct weir_alert_letter *letter)
{
    char line[WEIR_ALERT_LINE_ROOM] = "", link[WEIR_ALERT_LINK_ROOM];
    const struct weir_alert *first = group->count == 1 ? &group->alert[0] : NULL;
    json_t *alerts, *json;
    char *text;

    if (letter->template)
        return weir_template_fill(letter->template, group, letter);
    alerts = json_array();
    for (size_t i = 0; i < group->kept; i++)
        json_array_append_new(alerts, alert_of(&group->alert[i], letter->console));
    if (group->kept > 0)
        weir_alert_sentence(&group->alert[0], letter->console, line);
    json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:s}", "program",
                     "weir-monitor", "host", letter->host, "text", line, "count",
                     (json_int_t)group->count, "more", (json_int_t)(group->count - group->kept),
                     "first", time_of(group->first), "last", time_of(group->last), "responses",
                     responses_of(group), "alerts", alerts, "link",
                     weir_alert_link(letter->console, first, link));
    text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}
