/*
 * The file's structure: lines, sections, names, values over several lines.
 *
 * libinih parses; it asks read_line() for lines and hands names and values to
 * take().  What it does not tell - line numbers, lines that are too long or
 * not understood - is watched in read_line(), which keeps such lines from it.
 * A value is gathered over its lines and evaluated when it has ended.
 *
 * Everything lives in the caller's arena.  Refuses NULs and control characters,
 * and stops after WEIR_CONFIG_PROBLEMS_MAX problems, so that a binary file
 * named by mistake does not flood the log.
 */
#include "core/base/settings.h"

#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/cursor.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/settings_impl.h"

struct reading {
    const struct weir_settings *settings;
    const struct weir_settings_report *report;
    struct weir_arena *arena;
    void *values;
    const char *file;
    const char *at, *end; /* what is left of the file */
    unsigned line;        /* number of the line read last */
    bool expecting;       /* that line must still arrive in take() */
    bool goes_on;         /* that line belongs to the value being gathered */
    unsigned *set_in;     /* by row: the line that sets it, or 0 */
    unsigned problems;
    int error;
    const char *section;                 /* as in the table; NULL before the first */
    bool ignore_section;                 /* it is unknown, and reported */
    const struct weir_setting *gathered; /* whose value is being gathered, or NULL */
    bool ignore_value;                   /* its first line was wrong, and reported */
    size_t len;
    char value[WEIR_CONFIG_VALUE_MAX + 1];
};

void weir_settings_problem(const struct weir_settings_report *report, const char *file,
                           unsigned line, const char *reason)
{
    if (report && report->problem)
        report->problem(report->context, file, line, reason);
}

static void stop(struct reading *r, int error)
{
    r->error = error;
    r->at = r->end;
    r->gathered = NULL;
}

static void problem(struct reading *r, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void problem(struct reading *r, unsigned line, const char *format, ...)
{
    if (r->error == WEIR_ENOMEM || r->problems == WEIR_CONFIG_PROBLEMS_MAX)
        return;
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    r->error = WEIR_EINVAL;
    weir_settings_problem(r->report, r->file, line, reason);
    if (++r->problems == WEIR_CONFIG_PROBLEMS_MAX) {
        weir_settings_problem(r->report, r->file, line, "too many problems; reading stops here");
        stop(r, WEIR_EINVAL);
    }
}

/* values ------------------------------------------------------------------ */

static unsigned *line_of(struct reading *r, const struct weir_setting *row)
{
    return &r->set_in[row - r->settings->row];
}

/* Evaluates what was gathered. */
static void value_end(struct reading *r)
{
    const struct weir_setting *row = r->gathered;
    r->gathered = NULL;
    r->ignore_value = false;
    if (!row)
        return;
    const char *why;
    int rc = weir_setting_parse(row, r->value, r->arena, r->values, &why);
    if (rc == WEIR_EINVAL)
        problem(r, *line_of(r, row), "%s: %s", row->name, why);
    else if (rc != 0)
        stop(r, rc);
}

/* Gives up the value: what is wrong with it has been said. */
static void value_drop(struct reading *r)
{
    r->gathered = NULL;
    r->ignore_value = true;
}

static void value_add(struct reading *r, const char *text)
{
    size_t len = weir_setting_value_span(text);
    if (len == 0)
        return;
    size_t joint = r->len > 0;
    if (joint + len > WEIR_CONFIG_VALUE_MAX - r->len) {
        problem(r, r->line, "%s: the value is longer than %d octets", r->gathered->name,
                WEIR_CONFIG_VALUE_MAX);
        value_drop(r);
        return;
    }
    if (joint)
        r->value[r->len++] = ' ';
    memcpy(r->value + r->len, text, len);
    r->len += len;
    r->value[r->len] = '\0';
}

/* names ------------------------------------------------------------------- */

/* section may be NULL for any. */
static const struct weir_setting *find(const struct weir_settings *settings, const char *section,
                                       const char *name, size_t len)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct weir_setting *row = &settings->row[i];
        if (strlen(row->name) == len && memcmp(row->name, name, len) == 0 &&
            (!section || strcmp(row->section, section) == 0))
            return row;
    }
    return NULL;
}

static void unknown_name(struct reading *r, const char *name)
{
    const struct weir_setting *meant = NULL;
    unsigned nearest = UINT_MAX;
    for (size_t i = 0; i < r->settings->count; i++) {
        const struct weir_setting *row = &r->settings->row[i];
        if (strcmp(row->section, r->section) == 0 &&
            weir_setting_nearer(name, row->name, &nearest))
            meant = row;
    }
    const struct weir_setting *elsewhere = find(r->settings, NULL, name, strlen(name));
    if (elsewhere)
        problem(r, r->line, "unknown key \"%s\" in [%s]; it belongs in [%s]", name, r->section,
                elsewhere->section);
    else if (meant)
        problem(r, r->line, "unknown key \"%s\" in [%s]; did you mean \"%s\"?", name, r->section,
                meant->name);
    else
        problem(r, r->line, "unknown key \"%s\" in [%s]", name, r->section);
}

static void unknown_section(struct reading *r, const char *name)
{
    const char *meant = NULL;
    unsigned nearest = UINT_MAX;
    for (size_t i = 0; i < r->settings->count; i++) {
        const char *section = r->settings->row[i].section;
        if (weir_setting_nearer(name, section, &nearest))
            meant = section;
    }
    if (meant)
        problem(r, r->line, "unknown section [%s]; did you mean [%s]?", name, meant);
    else
        problem(r, r->line, "unknown section [%s]", name);
}

/* What libinih hands over ------------------------------------------------- */

static void take_setting(struct reading *r, const char *name, const char *value)
{
    const struct weir_setting *row = NULL;
    if (r->section)
        row = find(r->settings, r->section, name, strlen(name));
    if (!r->section)
        problem(r, r->line, "\"%s\" stands outside any [section]", name);
    else if (!row)
        unknown_name(r, name);
    else if (*line_of(r, row) > 0)
        problem(r, r->line, "\"%s\" is set twice, first in line %u", name, *line_of(r, row));
    if (!row || *line_of(r, row) > 0) {
        value_drop(r);
        return;
    }
    *line_of(r, row) = r->line;
    r->gathered = row;
    r->len = 0;
    r->value[0] = '\0';
    value_add(r, value);
}

/* An indented "name = value" is most likely meant as a setting of its own, but
 * would silently become a part of the one above. */
static void take_more(struct reading *r, const char *text)
{
    size_t len = weir_setting_name_span(text);
    if (len == 0 || !find(r->settings, r->section, text, len)) {
        value_add(r, text);
        return;
    }
    problem(r, r->line, "an indented line goes on with \"%s\"; begin \"%.*s\" at the margin",
            r->gathered->name, (int)len, text);
    value_drop(r);
}

static int take(void *context, const char *section, const char *name, const char *value)
{
    struct reading *r = context;
    (void)section; /* cut off at libinih's limit; ours is whole */
    r->expecting = false;
    if (r->goes_on)
        take_more(r, value);
    else if (r->ignore_section)
        value_drop(r);
    else
        take_setting(r, name, value);
    return 1;
}

/* What libinih asks for --------------------------------------------------- */

static bool next_line(struct reading *r, struct weir_slice *line_r)
{
    if (r->at == r->end)
        return false;
    const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *next = end ? end + 1 : r->end;
    if (!end)
        end = r->end;
    *line_r = (struct weir_slice){.at = r->at, .len = (size_t)(end - r->at)};
    if (line_r->len > 0 && end[-1] == '\r')
        line_r->len--;
    r->at = next;
    r->line++;
    return true;
}

/* What makes a line unfit for libinih, or NULL; size is that of its buffer. */
static const char *line_fault(const struct weir_slice *line, size_t size)
{
    for (size_t i = 0; i < line->len; i++) {
        unsigned char c = (unsigned char)line->at[i];
        if (c == '\0')
            return "a NUL in the line: is this a text file?";
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return "a control character in the line: is this a text file?";
    }
    if (line->len > WEIR_CONFIG_LINE_MAX || line->len >= size)
        return "the line is too long; let the value go on in indented lines";
    return NULL;
}

static size_t blanks(const char *text, size_t len)
{
    size_t count = 0;
    while (count < len && (text[count] == ' ' || text[count] == '\t'))
        count++;
    return count;
}

/* Reads "[name]" and sets the section; false when it is none of ours. */
static bool accept_section(struct reading *r, const struct weir_slice *line)
{
    char name[WEIR_CONFIG_LINE_MAX + 1];
    const char *close = memchr(line->at, ']', line->len);
    r->ignore_section = true;
    if (!close) {
        problem(r, r->line, "no \"]\" behind the section's name");
        return false;
    }
    size_t len = (size_t)(close - line->at) - 1;
    memcpy(name, line->at + 1, len);
    name[len] = '\0';
    size_t behind = line->len - len - 2;
    size_t gap = blanks(close + 1, behind);
    if (gap < behind && !memchr("#;", close[1 + gap], 2)) {
        problem(r, r->line, "text behind [%s]", name);
        return false;
    }
    for (size_t i = 0; i < r->settings->count && r->ignore_section; i++) {
        r->section = r->settings->row[i].section;
        r->ignore_section = strcmp(r->section, name) != 0;
    }
    if (r->ignore_section)
        unknown_section(r, name);
    return !r->ignore_section;
}

/* Decides whether libinih gets the line. */
static bool accept_line(struct reading *r, struct weir_slice *line, size_t size)
{
    size_t indent = blanks(line->at, line->len);
    bool blank = indent == line->len;
    if (!blank && memchr("#;", line->at[indent], 2))
        return false;
    r->goes_on = !blank && indent > 0 && (r->gathered || r->ignore_value);
    if (!r->goes_on)
        value_end(r);
    if (blank)
        return false;
    const char *fault = line_fault(line, size);
    if (fault) {
        problem(r, r->line, "%s", fault);
        value_drop(r);
        return false;
    }
    if (r->goes_on)
        return r->gathered != NULL;
    line->at += indent;
    line->len -= indent;
    if (line->at[0] == '[')
        return accept_section(r, line);
    r->expecting = true;
    return true;
}

/* Complains about the last line when libinih made nothing of it. */
static void expect_taken(struct reading *r)
{
    if (!r->expecting)
        return;
    r->expecting = false;
    problem(r, r->line, "neither [section] nor name = value");
    value_drop(r);
}

/* libinih's fgets(). */
static char *read_line(char *room, int size, void *context)
{
    struct reading *r = context;
    struct weir_slice line;
    bool accepted = false;
    expect_taken(r);
    while (!accepted && next_line(r, &line))
        accepted = accept_line(r, &line, (size_t)size);
    if (!accepted)
        return NULL;
    memcpy(room, line.at, line.len);
    room[line.len] = '\0';
    return room;
}

static void skip_byte_order_mark(struct reading *r)
{
    if (r->end - r->at >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0)
        r->at += 3;
}

/* defaults ---------------------------------------------------------------- */

/* True when text, in one line of the file, would be read as it stands. */
static bool fits_the_file(const char *text)
{
    enum { NAME_ROOM = 64 };
    struct weir_slice line = {text, strlen(text)};
    return weir_setting_value_span(text) == line.len && blanks(text, line.len) == 0 &&
           !line_fault(&line, WEIR_CONFIG_LINE_MAX - NAME_ROOM);
}

int weir_settings_default(const struct weir_settings *settings, struct weir_arena *arena,
                          void *values)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct weir_setting *row = &settings->row[i];
        const char *why;
        if (!row->fallback || !fits_the_file(row->fallback))
            return WEIR_EBUG;
        int rc = weir_setting_parse(row, row->fallback, arena, values, &why);
        if (rc != 0)
            return rc == WEIR_EINVAL ? WEIR_EBUG : rc;
    }
    return 0;
}

int weir_settings_read_bytes(const struct weir_settings *settings, const char *name,
                             const char *bytes, size_t len, struct weir_arena *arena,
                             const struct weir_settings_report *report, void *values)
{
    int rc = weir_settings_default(settings, arena, values);
    if (rc != 0)
        return rc;
    struct reading *r = weir_arena_zero(arena, 1, sizeof(*r));
    if (!r)
        return WEIR_ENOMEM;
    r->set_in = weir_arena_zero(arena, settings->count, sizeof(*r->set_in));
    if (!r->set_in)
        return WEIR_ENOMEM;
    r->settings = settings;
    r->report = report;
    r->arena = arena;
    r->values = values;
    r->file = name;
    r->at = bytes;
    r->end = len > 0 ? bytes + len : bytes;
    if (len > WEIR_CONFIG_FILE_MAX) {
        problem(r, 0, "the file is larger than %d octets", WEIR_CONFIG_FILE_MAX);
        return WEIR_EINVAL;
    }
    skip_byte_order_mark(r);
    if (ini_parse_stream(read_line, r, take, r) != 0 && r->error == 0)
        problem(r, 0, "malformed"); /* cannot be: read_line() lets no such line through */
    value_end(r);
    return r->error;
}
