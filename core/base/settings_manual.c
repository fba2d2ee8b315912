/*
 * The table of settings for people: a sample file and a part of a man page.
 * Writes to a stream that was handed in; whether that went well is the
 * caller's to ask (ferror).
 */
#include <string.h>

#include "core/base/settings_impl.h"

/* Called for each section in the order of its first row, then for its rows. */
struct style {
    void (*section)(const char *name, FILE *out);
    void (*row)(const struct weir_setting *row, FILE *out);
};

static bool seen_before(const struct weir_settings *settings, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(settings->row[i].section, settings->row[index].section) == 0)
            return true;
    }
    return false;
}

static void print_all(const struct weir_settings *settings, const struct style *style, FILE *out)
{
    for (size_t i = 0; i < settings->count; i++) {
        const char *section = settings->row[i].section;
        if (seen_before(settings, i))
            continue;
        style->section(section, out);
        for (size_t j = i; j < settings->count; j++) {
            if (strcmp(settings->row[j].section, section) == 0)
                style->row(&settings->row[j], out);
        }
    }
}

/* Writes what a value may be, "observe, enforce" or "1m to 30d"; "" when the
 * kind says it all.  Returns buffer. */
static const char *allowed(const struct weir_setting *row, char *buffer, size_t room)
{
    char least[WEIR_SETTING_NUMBER], most[WEIR_SETTING_NUMBER];
    buffer[0] = '\0';
    if (row->kind == WEIR_CHOICE && row->choices) {
        size_t at = 0;
        for (const char *c = row->choices; *c && at + 3 < room; c++) {
            buffer[at++] = *c == '|' ? ',' : *c;
            if (*c == '|')
                buffer[at++] = ' ';
        }
        buffer[at] = '\0';
    } else if (weir_setting_bounded(row)) {
        snprintf(buffer, room, "%s to %s", weir_setting_bound(row, row->least, least),
                 weir_setting_bound(row, row->most, most));
    }
    return buffer;
}

/* Prints text as comment lines of at most 78 columns. */
static void print_comment(const char *text, FILE *out)
{
    enum { WIDE = 78 };
    size_t column = 0;
    for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
        size_t word = strcspn(text, " \n");
        if (column > 0 && column + 1 + word > WIDE) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%s%.*s", column == 0 ? "# " : " ", (int)word, text);
        text += word;
    }
    fputc('\n', out);
}

static void sample_section(const char *name, FILE *out)
{
    fprintf(out, "[%s]\n\n", name);
}

static void sample_row(const struct weir_setting *row, FILE *out)
{
    char range[256];
    print_comment(row->sentence, out);
    if (*allowed(row, range, sizeof(range)))
        fprintf(out, "# (%s)\n", range);
    fprintf(out, "#%s =%s%s\n\n", row->name, *row->fallback ? " " : "", row->fallback);
}

void weir_settings_sample(const struct weir_settings *settings, FILE *out)
{
    static const struct style sample = {sample_section, sample_row};
    print_all(settings, &sample, out);
}

/* Prints text as roff source that shows it as it is. */
static void print_roff(const char *text, FILE *out)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void manual_section(const char *name, FILE *out)
{
    fputs(".SS [", out);
    print_roff(name, out);
    fputs("]\n", out);
}

static void manual_row(const struct weir_setting *row, FILE *out)
{
    char range[256];
    fputs(".TP\n.B ", out);
    print_roff(row->name, out);
    fputs(" = ", out);
    print_roff(row->fallback, out);
    fputc('\n', out);
    print_roff(row->sentence, out);
    if (*allowed(row, range, sizeof(range))) {
        fputs(" (", out);
        print_roff(range, out);
        fputc(')', out);
    }
    fputc('\n', out);
}

void weir_settings_manual(const struct weir_settings *settings, FILE *out)
{
    static const struct style manual = {manual_section, manual_row};
    print_all(settings, &manual, out);
}
