/*
 * view_rows - CSV, quoted wherever it has to be.
 */
#include "monitor/view/view_rows.h"

#include <stdint.h>
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

void weir_view_csv_head(FILE *out, const json_t *names)
{
    const char *name, *before = "";
    const json_t *unused;

    json_object_foreach((json_t *)(uintptr_t)names, name, unused) {
        fputs(before, out);
        put_text(out, name);
        before = ",";
    }
    fputs("\r\n", out);
}

void weir_view_csv_row(FILE *out, const json_t *names, const json_t *row)
{
    const char *name, *before = "";
    const json_t *unused;

    json_object_foreach((json_t *)(uintptr_t)names, name, unused) {
        fputs(before, out);
        put_cell(out, json_object_get(row, name));
        before = ",";
    }
    fputs("\r\n", out);
}
