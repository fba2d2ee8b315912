/*
 * template - a walk from one "${" to the next, and for JSON a look at whether a string is open
 * there.  Refuses fields it does not know, what does not end, and JSON that is none when filled.
 */
#include "monitor/threshold/template.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"
#include "core/base/visible.h"
#include "monitor/threshold/template_impl.h"

#define SUBJECT "Subject: "

struct reading {
    struct weir_template *template;
    struct weir_template_error *error;
    const char *at, *end;
    bool quoted, escaped;        /* within a string of JSON; behind a backslash there */
    bool subject;                /* of a mail */
    enum template_kind open;     /* TEMPLATE_EACH, TEMPLATE_BETWEEN, or TEMPLATE_END: none is */
    bool each_quoted;
};

static int refuse(struct reading *reading, const char *at, int error, const char *why,
                  struct weir_slice what)
{
    struct weir_line line = weir_line(reading->error->why, WEIR_TEMPLATE_WHY);

    weir_line_text(&line, why);
    if (what.len > 0)
        weir_line_foreign(&line, what.len > 40 ? (struct weir_slice){what.at, 40} : what, true);
    weir_line_end(&line);
    reading->error->line = 1;
    for (const char *c = reading->template->text; c < at; c++)
        reading->error->line += *c == '\n';
    return error;
}

static const struct weir_slice nothing = {"", 0};

/* parts ------------------------------------------------------------------------------ */

static int add(struct reading *reading, const char *at, struct template_part part)
{
    struct weir_template *template = reading->template;

    if (template->parts == WEIR_TEMPLATE_PARTS_MAX)
        return refuse(reading, at, WEIR_ELIMIT, "too many fields", nothing);
    part.at = at;
    part.quoted = reading->quoted;
    template->part[template->parts++] = part;
    return 0;
}

static void look_for_strings(struct reading *reading, struct weir_slice text)
{
    for (size_t i = 0; i < text.len && reading->template->use == WEIR_TEMPLATE_WEBHOOK; i++) {
        if (reading->escaped)
            reading->escaped = false;
        else if (text.at[i] == '\\' && reading->quoted)
            reading->escaped = true;
        else if (text.at[i] == '"')
            reading->quoted = !reading->quoted;
    }
}

static int add_text(struct reading *reading, const char *from, const char *to)
{
    struct weir_slice text = weir_slice_between(from, to);
    int done = text.len > 0 ? add(reading, from, (struct template_part){.text = text}) : 0;

    look_for_strings(reading, text);
    return done;
}

/* ${each}, ${between}, ${end} in their order. */
static int add_mark(struct reading *reading, const char *at, enum template_kind kind)
{
    const enum template_kind open = reading->open;
    bool fits = kind == TEMPLATE_EACH      ? open == TEMPLATE_END
                : kind == TEMPLATE_BETWEEN ? open == TEMPLATE_EACH
                                           : open != TEMPLATE_END;

    if (reading->subject || !fits)
        return refuse(reading, at, WEIR_EINVAL, kind == TEMPLATE_EACH
                          ? "${each} cannot stand here" : kind == TEMPLATE_BETWEEN
                          ? "${between} without ${each}" : "${end} without ${each}", nothing);
    if (kind == TEMPLATE_EACH)
        reading->each_quoted = reading->quoted;
    else if (reading->quoted != reading->each_quoted)
        return refuse(reading, at, WEIR_EINVAL, "a string begins or ends since ${each}", nothing);
    reading->open = kind;
    return add(reading, at, (struct template_part){.kind = kind});
}

static int add_named(struct reading *reading, const char *at, struct weir_slice name)
{
    static const char *const marks[] = {"each", "between", "end"};
    size_t field = weir_template_field(name);

    for (unsigned i = 0; i < 3; i++)
        if (weir_slice_equals(name, marks[i]))
            return add_mark(reading, at, TEMPLATE_EACH + i);
    if (field == WEIR_TEMPLATE_NONE)
        return refuse(reading, at, WEIR_EINVAL, "there is no field of this name: ", name);
    if (reading->subject && weir_template_has_lines(field))
        return refuse(reading, at, WEIR_EINVAL, "more than a line for a subject: ", name);
    if (reading->open != TEMPLATE_END && weir_template_has_lines(field))
        return refuse(reading, at, WEIR_EINVAL, "all alerts for each alert: ", name);
    if (reading->escaped)
        return refuse(reading, at, WEIR_EINVAL, "a backslash stands before a field", nothing);
    return add(reading, at, (struct template_part){.kind = TEMPLATE_FIELD, .field = field});
}

static int read_parts(struct reading *reading)
{
    const char *from = reading->at;
    int done = 0;

    while (done == 0 && reading->at < reading->end) {
        struct weir_slice rest = weir_slice_between(reading->at, reading->end);
        const char *close;

        if (weir_slice_begins(rest, "$${")) { /* the second "$" and what follows is text */
            done = add_text(reading, from, reading->at);
            from = reading->at + 1;
            reading->at += 3;
        } else if (!weir_slice_begins(rest, "${")) {
            reading->at++;
        } else {
            close = memchr(rest.at, '}', rest.len);
            done = add_text(reading, from, reading->at);
            if (done == 0 && !close)
                done = refuse(reading, reading->at, WEIR_EINVAL, "${ without }", nothing);
            if (done == 0)
                done = add_named(reading, rest.at, weir_slice_between(rest.at + 2, close));
            from = reading->at = close ? close + 1 : reading->end;
        }
    }
    return done < 0 ? done : add_text(reading, from, reading->end);
}

/* mail ------------------------------------------------------------------------------- */

static int read_mail(struct reading *reading)
{
    const char *end = reading->end, *line = memchr(reading->at, '\n',
                                                   (size_t)(end - reading->at));
    int done;

    if (!weir_slice_begins(weir_slice_between(reading->at, end), SUBJECT))
        return refuse(reading, reading->at, WEIR_EINVAL, "the first line is no Subject:", nothing);
    line = line ? line : end;
    for (const char *c = reading->at; c < line; c++)
        if ((unsigned char)*c > '~')
            return refuse(reading, c, WEIR_EINVAL, "a subject has to be ASCII", nothing);
    if (line == end || line + 1 == end || line[1] != '\n')
        return refuse(reading, line, WEIR_EINVAL, "no empty line and text behind the subject",
                      nothing);
    reading->subject = true;
    reading->at += strlen(SUBJECT);
    reading->end = line;
    done = read_parts(reading);
    reading->subject = false;
    reading->template->body = reading->template->parts;
    reading->at = line + 2;
    reading->end = end;
    return done < 0 ? done : read_parts(reading);
}

/* JSON ------------------------------------------------------------------------------- */

/* Of alerts like one. */
static struct weir_alert_group group_of(const struct weir_alert *alert, unsigned alerts)
{
    struct weir_alert_group group = {.count = 0};

    for (unsigned i = 0; i < alerts; i++)
        weir_alert_group_add(&group, alert);
    return group;
}

/* Where what came of a trial is no JSON, as a place in the template. */
static int refuse_trial(struct reading *reading, const struct weir_alert_group *group,
                        const struct weir_alert_letter *letter, struct template_trial trial,
                        const json_error_t *error)
{
    const bool joined = trial.empty;

    trial.sought = error->position > 0 ? (size_t)error->position - 1 : 0;
    free(weir_template_try(reading->template, group, letter, &trial));
    return refuse(reading, trial.at ? trial.at : reading->end, WEIR_EINVAL,
                  joined ? "a number runs into what stands beside it"
                  : group->kept == 0 ? "filled in with no alert it is no JSON: "
                  : group->kept == 1 ? "filled in it is no JSON: "
                                     : "filled in with two alerts it is no JSON: ",
                  joined ? nothing : weir_slice_of(error->text));
}

static int try_with(struct reading *reading, const struct weir_alert *alert, unsigned alerts,
                    bool empty)
{
    static const struct weir_alert_letter letter = {
        .host = "monitor", .to = "", .console = "http://localhost"};
    const struct weir_alert_group group = group_of(alert, alerts);
    struct template_trial trial = {.empty = empty, .sought = SIZE_MAX};
    char *text = weir_template_try(reading->template, &group, &letter, &trial);
    json_error_t error;
    json_t *json;

    if (!text)
        return WEIR_ENOMEM;
    json = json_loads(text, 0, &error);
    free(text);
    if (!json)
        return refuse_trial(reading, &group, &letter, trial, &error);
    json_decref(json);
    return 0;
}

/* Filled with alerts that have nothing in their fields and with such that have all there can be,
 * and with none, one and two: what is accepted is JSON whatever is told of. */
static int read_json(struct reading *reading)
{
    const struct weir_alert bare = {.time = WEIR_DAY, .prefix = {.bits = 128}};
    const struct weir_alert full = {.time = WEIR_DAY, .prefix = {.bits = 128}, .rate = 12.345,
                                    .limit = {.rate = 0.125, .maximum = 50}, .event = 17,
                                    .again = 2, .class_name = "a\"\\b\n${x}"};
    const struct weir_alert *const alert[] = {&bare, &full};
    int done = read_parts(reading);

    if (reading->open != TEMPLATE_END)
        return done;
    for (unsigned alerts = 1; alerts <= 2; alerts++)
        for (unsigned i = 0; i < 4 && done == 0; i++)
            done = try_with(reading, alert[i % 2], alerts, i / 2 == 1);
    return done < 0 ? done : try_with(reading, &bare, 0, false);
}

/* all of it --------------------------------------------------------------------------- */

/* Text of UTF-8 with nothing but ends of lines and tabs between. */
static int check_octets(struct reading *reading)
{
    struct weir_slice rest = weir_slice_between(reading->at, reading->end);

    while (rest.len > 0) {
        size_t octets = rest.at[0] == '\n' || rest.at[0] == '\t' ? 1 : weir_visible_octets(rest);

        if (octets == 0)
            return refuse(reading, rest.at, WEIR_EINVAL, "a character that cannot be shown",
                          nothing);
        rest = weir_slice_behind(rest, octets);
    }
    return 0;
}

static int read_all(struct reading *reading)
{
    int done = check_octets(reading);

    if (done == 0)
        done = reading->template->use == WEIR_TEMPLATE_MAIL ? read_mail(reading)
                                                            : read_json(reading);
    if (done == 0 && reading->open != TEMPLATE_END)
        done = refuse(reading, reading->end, WEIR_EINVAL, "${each} without ${end}", nothing);
    return done;
}

int weir_template_parse(struct weir_slice text, enum weir_template_use use,
                        struct weir_template **template_r, struct weir_template_error *error_r)
{
    struct weir_template *template = calloc(1, sizeof *template);
    struct reading reading = {.template = template, .error = error_r, .open = TEMPLATE_END};
    int done = WEIR_ENOMEM;

    *error_r = (struct weir_template_error){.line = 1, .why = "memory is short"};
    if (template && text.len > WEIR_TEMPLATE_MAX) {
        snprintf(error_r->why, WEIR_TEMPLATE_WHY, "it is longer than %d octets",
                 WEIR_TEMPLATE_MAX);
        done = WEIR_ELIMIT;
    } else if (template && (template->text = malloc(text.len + 1)) != NULL) {
        memcpy(template->text, text.at, text.len);
        template->text[text.len] = '\0';
        template->len = text.len;
        template->use = use;
        reading.at = template->text;
        reading.end = template->text + text.len;
        done = read_all(&reading);
    }
    if (done < 0)
        weir_template_free(&template);
    else
        *template_r = template;
    return done;
}

void weir_template_free(struct weir_template **template)
{
    if (!template || !*template)
        return;
    free((*template)->text);
    free(*template);
    *template = NULL;
}

struct weir_template *weir_template_copy(const struct weir_template *template)
{
    struct weir_template_error error;
    struct weir_template *copy = NULL;

    if (template)
        (void)weir_template_parse((struct weir_slice){template->text, template->len},
                                  template->use, &copy, &error);
    return copy;
}

bool weir_template_same(const struct weir_template *a, const struct weir_template *b)
{
    if (!a || !b)
        return !a && !b;
    return a->use == b->use && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}
