/*
 * What a template's fields hold, and how they are written: as they stand into a mail, escaped into
 * a string of JSON, quoted or as a number outside of one.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/line.h"
#include "core/base/slice.h"
#include "monitor/threshold/alert_link.h"
#include "monitor/threshold/template_impl.h"

#define MAIL_LINE 900            /* octets: RFC 5322, 2.1.1 allows 998 */

struct filling {
    const struct weir_alert_group *group;
    const struct weir_alert_letter *letter;
    const struct weir_alert *alert;
    struct template_trial *trial; /* or NULL: it is filled to be sent */
};

/* fields ------------------------------------------------------------------------------ */

typedef const char *field_text(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM]);
typedef double field_number(const struct filling *f);

static const char *time_text(weir_time time, char *buffer)
{
    return time > 0 ? weir_time_format(time, buffer) : "";
}

static const char *address(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return weir_prefix_format(&f->alert->prefix, buffer);
}

static const char *quantity(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    (void)buffer;
    return weir_quantity_name(f->alert->quantity);
}

static const char *threshold(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    (void)buffer;
    return f->alert->class_name;
}

static const char *servers(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    (void)buffer;
    return f->alert->names;
}

static const char *level(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    (void)buffer;
    return weir_response_name(f->alert->response);
}

static const char *wanted(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    (void)buffer;
    return weir_response_name(f->alert->wanted);
}

static const char *withheld(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    (void)buffer;
    return f->alert->withheld;
}

static const char *raised(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return time_text(f->alert->time, buffer);
}

static const char *ends(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return time_text(f->alert->ends, buffer);
}

static const char *undo(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return weir_alert_undo(f->alert, buffer);
}

static const char *sentence(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return weir_alert_sentence(f->alert, f->letter->console, buffer);
}

static const char *page(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return weir_alert_link(f->letter->console, f->alert, buffer);
}

static const char *pages(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return weir_alert_link(f->letter->console, NULL, buffer);
}

static const char *host(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    (void)buffer;
    return f->letter->host;
}

static const char *first(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return time_text(f->group->first, buffer);
}

static const char *last(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return time_text(f->group->last, buffer);
}

static const char *summary(const struct filling *f, char buffer[static WEIR_ALERT_LINE_ROOM])
{
    return weir_alert_summary(f->group, buffer);
}

static double number(const struct filling *f)
{
    return (double)f->alert->event;
}

static double rate(const struct filling *f)
{
    return f->alert->rate;
}

static double limit_rate(const struct filling *f)
{
    return f->alert->limit.rate;
}

static double limit_most(const struct filling *f)
{
    return f->alert->limit.maximum;
}

static double again(const struct filling *f)
{
    return f->alert->again;
}

static double count(const struct filling *f)
{
    return (double)f->group->count;
}

static double more(const struct filling *f)
{
    return (double)(f->group->count - f->group->kept);
}

/* Those with neither are lines: one for each alert that is kept. */
static const struct {
    const char *name;
    field_text *text;
    field_number *number;
} fields[] = {
    {"address", address, NULL},       {"again", NULL, again},
    {"alerts", pages, NULL},          {"count", NULL, count},
    {"ends", ends, NULL},             {"first", first, NULL},
    {"host", host, NULL},             {"last", last, NULL},
    {"level", level, NULL},           {"limit_most", NULL, limit_most},
    {"limit_rate", NULL, limit_rate}, {"lines", NULL, NULL},
    {"link", page, NULL},             {"more", NULL, more},
    {"number", NULL, number},         {"quantity", quantity, NULL},
    {"rate", NULL, rate},             {"servers", servers, NULL},
    {"summary", summary, NULL},       {"text", sentence, NULL},
    {"threshold", threshold, NULL},   {"time", raised, NULL},
    {"undo", undo, NULL},             {"wanted", wanted, NULL},
    {"withheld", withheld, NULL},
};

#define FIELDS (sizeof fields / sizeof fields[0])

size_t weir_template_field(struct weir_slice name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (weir_slice_equals(name, fields[i].name))
            return i;
    return WEIR_TEMPLATE_NONE;
}

bool weir_template_has_lines(size_t field)
{
    return !fields[field].text && !fields[field].number;
}

const char *weir_template_field_name(size_t number)
{
    return number < FIELDS ? fields[number].name : NULL;
}

/* writing ----------------------------------------------------------------------------- */

/* Text from anywhere; json: escaped. */
static void write_text(FILE *out, const char *text, bool json)
{
    for (; *text; text++) {
        char c = *text;

        if (c < ' ' || c > '~')
            c = '?';
        if (json && (c == '"' || c == '\\'))
            fputc('\\', out);
        fputc(c, out);
    }
}

static void write_lines(FILE *out, const struct filling *f, bool json)
{
    char line[WEIR_ALERT_LINE_ROOM], time[WEIR_TIME_TEXT];

    for (size_t i = 0; i < f->group->kept; i++) {
        const struct weir_alert *alert = &f->group->alert[i];

        if (i > 0)
            fputs(json ? "\\n" : "\n", out);
        fprintf(out, "%s ", weir_time_format(alert->time, time));
        write_text(out, weir_alert_sentence(alert, f->letter->console, line), json);
    }
}

static void write_number(FILE *out, double value)
{
    if (!isfinite(value))
        value = 0;
    fprintf(out, value == floor(value) && fabs(value) < 1e15 ? "%.0f" : "%.3f", value);
}

static void write_field(FILE *out, const struct filling *f, const struct weir_template *template,
                        const struct template_part *part)
{
    bool json = template->use == WEIR_TEMPLATE_WEBHOOK;
    bool quotes = json && !part->quoted && !fields[part->field].number;
    char buffer[WEIR_ALERT_LINE_ROOM];

    if (quotes)
        fputc('"', out);
    if (f->trial && f->trial->empty && json && !part->quoted && fields[part->field].number)
        fputs("[]", out);
    else if (fields[part->field].number)
        write_number(out, fields[part->field].number(f));
    else if (fields[part->field].text)
        write_text(out, fields[part->field].text(f, buffer), json);
    else
        write_lines(out, f, json);
    if (quotes)
        fputc('"', out);
}

/* Whether the octet that is sought lies in what is written since. */
static void look_for(struct template_trial *trial, const struct template_part *part, long from,
                     long to)
{
    if (trial->at || trial->sought < (size_t)from || trial->sought >= (size_t)to)
        return;
    trial->at = part->at + (part->kind == TEMPLATE_TEXT ? trial->sought - (size_t)from : 0);
}

static void write_part(FILE *out, const struct filling *f, const struct weir_template *template,
                       const struct template_part *part)
{
    long from = f->trial ? ftell(out) : 0;

    if (part->kind == TEMPLATE_TEXT)
        fwrite(part->text.at, 1, part->text.len, out);
    else if (part->kind == TEMPLATE_FIELD)
        write_field(out, f, template, part);
    if (f->trial)
        look_for(f->trial, part, from, ftell(out));
}

/* What stands between ${each} and ${end}, for each alert; returns the part of the end. */
static size_t write_each(FILE *out, struct filling f, const struct weir_template *template,
                         size_t from)
{
    size_t end = from, between;

    while (template->part[end].kind != TEMPLATE_END)
        end++;
    for (between = from; between < end && template->part[between].kind != TEMPLATE_BETWEEN;)
        between++;
    for (size_t k = 0; k < f.group->kept; k++) {
        f.alert = &f.group->alert[k];
        for (size_t i = from; i < (k + 1 < f.group->kept ? end : between); i++)
            write_part(out, &f, template, &template->part[i]);
    }
    return end;
}

static void write_parts(FILE *out, const struct filling *f, const struct weir_template *template,
                        size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (template->part[i].kind == TEMPLATE_EACH)
            i = write_each(out, *f, template, i + 1);
        else
            write_part(out, f, template, &template->part[i]);
}

/* Lines of a mail that are too long are broken, between characters. */
static void write_broken(FILE *out, const char *text)
{
    size_t column = 0;

    for (; *text; text++) {
        bool begins = ((unsigned char)*text & 0xc0) != 0x80;

        if (column >= MAIL_LINE && begins && *text != '\n') {
            fputc('\n', out);
            column = 0;
        }
        column = *text == '\n' ? 0 : column + 1;
        fputc(*text, out);
    }
    if (column > 0)
        fputc('\n', out);
}

static char *write_all(const struct weir_template *template, const struct filling *f, size_t from,
                       size_t to, const char *broken)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool good;

    if (!out)
        return NULL;
    if (broken)
        write_broken(out, broken);
    else
        write_parts(out, f, template, from, to);
    good = !ferror(out);
    if (fclose(out) == 0 && good)
        return text;
    free(text);
    return NULL;
}

char *weir_template_try(const struct weir_template *template, const struct weir_alert_group *group,
                        const struct weir_alert_letter *letter, struct template_trial *trial)
{
    const struct filling f = {group, letter, &group->alert[0], trial};

    return write_all(template, &f, template->body, template->parts, NULL);
}

char *weir_template_fill(const struct weir_template *template,
                         const struct weir_alert_group *group,
                         const struct weir_alert_letter *letter)
{
    const struct filling f = {group, letter, &group->alert[0], NULL};
    char *text = write_all(template, &f, template->body, template->parts, NULL), *mail;

    if (!text || template->use != WEIR_TEMPLATE_MAIL)
        return text;
    mail = write_all(template, &f, 0, 0, text);
    free(text);
    return mail;
}

const char *weir_template_subject(const struct weir_template *template,
                                  const struct weir_alert_group *group,
                                  const struct weir_alert_letter *letter,
                                  char buffer[static WEIR_TEMPLATE_SUBJECT_MAX + 1])
{
    const struct filling f = {group, letter, &group->alert[0], NULL};
    char *text = write_all(template, &f, 0, template->body, NULL);

    snprintf(buffer, WEIR_TEMPLATE_SUBJECT_MAX + 1, "%s", text ? text : "");
    free(text);
    return buffer;
}
