/*
 * view_rows - CSV, quoted wherever it has to be.
 */
#include "monitor/view/view_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_text(FILE *out, const char *text)
{
    if (text[0] && strchr("=+-@\t\r", text[0]))
        fputs("\"'", out);
    else
        fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_cell(FILE *out, const json_t *value)
{
    char *text;

    if (!value || json_is_null(value))
        return;
    if (json_is_string(value)) {
        put_text(out, json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (text && (json_is_object(value) || json_is_array(value)))
        put_text(out, text);
    else if (text)
        fputs(text, out);
    free(text);
}

/* Names of members, each once, in the order in which they come. */
static json_t *names_of(const json_t *rows)
{
    json_t *names = json_object(), *row, *value;
    const char *name;
    size_t i;

    json_array_foreach(rows, i, row) {
        json_object_foreach(row, name, value)
            json_object_set_new(names, name, json_true());
    }
    return names;
}

char *weir_view_csv(const json_t *rows)
{
    json_t *names = names_of(rows), *row, *unused;
    const char *name, *before = "";
    char *text = NULL;
    size_t len, i;
    FILE *out = names ? open_memstream(&text, &len) : NULL;

    if (!out) {
        json_decref(names);
        return NULL;
    }
    json_object_foreach(names, name, unused) {
        fputs(before, out);
        put_text(out, name);
        before = ",";
    }
    fputs("\r\n", out);
    json_array_foreach(rows, i, row) {
        before = "";
        json_object_foreach(names, name, unused) {
            fputs(before, out);
            put_cell(out, json_object_get(row, name));
            before = ",";
        }
        fputs("\r\n", out);
    }
    json_decref(names);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
