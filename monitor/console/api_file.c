/*
 * api_file - pages, one after another, as one text.
 */
#include "monitor/console/api_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/console/api_shapes.h"
#include "monitor/view/view_rows.h"

struct writing {
    FILE *out;
    json_t *names;               /* of the head, in their order */
    size_t rows, most;
    struct weir_api_file *file;
};

bool weir_api_file_wanted(const struct weir_api_question *question)
{
    return weir_api_argument(question->request, "format") != NULL;
}

/* As the route's rows are described. */
static json_t *names_of(const struct weir_api_question *question)
{
    const struct weir_api_shape *shape = weir_api_shape(question->route->run);
    const char *text = shape && shape->rows ? shape->members : "";
    json_t *names = json_object();
    struct weir_api_member member;

    while ((text = weir_api_member(text, &member)) != NULL)
        json_object_set_new(names, member.name, json_true());
    return names;
}

/* The cursor of the next page becomes the request's.  False: there is no room. */
static bool go_on(struct weir_api_request *request, const char *cursor)
{
    size_t i = 0;

    while (i < request->arguments && strcmp(request->argument[i].name, "after") != 0)
        i++;
    if (i == WEIR_API_ARGUMENTS_MAX)
        return false;
    request->arguments += i == request->arguments;
    request->argument[i] = (struct weir_api_argument){"after", cursor};
    return true;
}

static void put_row(struct writing *writing, const json_t *row)
{
    if (writing->file->csv) {
        weir_view_csv_row(writing->out, writing->names, row);
    } else {
        fputs(writing->rows > 0 ? ",\n" : "\n", writing->out);
        json_dumpf(row, writing->out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    }
    writing->rows++;
}

/* One page: 1, or 0 when there is none behind it; -1: refused. */
static int put_page(struct weir_api_question *question, struct writing *writing)
{
    size_t left = writing->most - writing->rows, i;
    json_t *json, *rows, *row, *more;
    const char *looked;
    bool full;

    question->page = left < WEIR_API_FILE_PAGE ? (unsigned)left : WEIR_API_FILE_PAGE;
    json = weir_api_run(question);
    rows = json_object_get(json, "rows");
    more = json_object_get(json, "more");
    if (!json)
        return -1;
    json_array_foreach(rows, i, row)
        put_row(writing, row);
    looked = json_string_value(json_object_get(json, "looked_to"));
    full = json_array_size(rows) == question->page;
    if (json_is_string(more))
        snprintf(writing->file->more, sizeof writing->file->more, "%s", json_string_value(more));
    else
        writing->file->more[0] = '\0';
    /* Of a page with a cursor it says where the next one goes on, which is part of the file. */
    snprintf(writing->file->looked_to, sizeof writing->file->looked_to, "%s",
             looked && writing->file->more[0] == '\0' ? looked : "");
    /* Lists without a cursor are as long as they are asked to be. */
    writing->file->cut = full && writing->file->more[0] == '\0' &&
                         strstr(question->route->arguments, "most:") &&
                         !strstr(question->route->arguments, "after:");
    json_decref(json);
    return writing->file->more[0] != '\0';
}

static int put_pages(struct weir_api_question *question, struct writing *writing)
{
    const struct weir_api_request *asked = question->request;
    struct weir_api_request request = *asked;
    char cursor[sizeof writing->file->more];
    long octets = 0;
    int more;

    question->request = &request;
    do {
        more = put_page(question, writing);
        memcpy(cursor, writing->file->more, sizeof cursor);
        if (more > 0 && !go_on(&request, cursor)) {
            (void)weir_api_refuse(question, 400, "too many arguments");
            more = -1;
        }
        octets = ftell(writing->out);
    } while (more > 0 && writing->rows < writing->most && octets < (long)WEIR_API_FILE_OCTETS);
    question->request = asked;
    writing->file->cut |= more > 0;
    return more;
}

static void put_head(struct weir_api_question *question, struct writing *writing)
{
    char now[WEIR_TIME_TEXT];

    if (writing->file->csv)
        weir_view_csv_head(writing->out, writing->names);
    else
        fprintf(writing->out, "{\"now\":\"%s\",\"rows\":[",
                weir_time_format(question->now, now));
}

/* What a spreadsheet shows in its last line; what a program finds as "more", "cut" and
 * "looked_to". */
static void put_end(struct writing *writing)
{
    const struct weir_api_file *file = writing->file;

    if (!file->csv) {
        fprintf(writing->out,
                file->more[0] ? "\n],\"more\":\"%s\"" : "\n],\"more\":null%s", file->more);
        fputs(file->cut ? ",\"cut\":true" : "", writing->out);
        fprintf(writing->out, file->looked_to[0] ? ",\"looked_to\":\"%s\"}\n" : "%s}\n",
                file->looked_to);
        return;
    }
    if (file->cut)
        fprintf(writing->out, "\"(%zu rows, and there are more%s%s)\"\r\n", writing->rows,
                file->more[0] ? ": after=" : "", file->more);
    if (file->looked_to[0])
        fprintf(writing->out, "\"(looked back to %s only)\"\r\n", file->looked_to);
}

bool weir_api_file(struct weir_api_question *question, struct weir_api_file *file_r)
{
    const char *format = weir_api_argument(question->request, "format");
    struct writing writing = {.file = file_r};
    int64_t most;
    size_t len;
    int done = -1;

    *file_r = (struct weir_api_file){.csv = strcmp(format, "csv") == 0};
    if (!file_r->csv && strcmp(format, "json") != 0)
        return weir_api_refuse(question, 400, "format is neither csv nor json");
    if (!weir_api_number(question->request, "most", 1, WEIR_API_FILE_ROWS, WEIR_API_FILE_ROWS,
                         &most))
        return weir_api_refuse(question, 400, "most of a file is no number from 1 to 100000");
    writing.most = (size_t)most;
    writing.names = names_of(question);
    if (writing.names && json_object_size(writing.names) == 0) {
        json_decref(writing.names);
        return weir_api_refuse(question, 400, "that is no table, so there is no file of it");
    }
    writing.out = open_memstream(&file_r->text, &len);
    if (writing.out && writing.names) {
        put_head(question, &writing);
        done = put_pages(question, &writing);
        put_end(&writing);
    }
    json_decref(writing.names);
    if (writing.out && fclose(writing.out) == 0 && done >= 0)
        return true;
    free(file_r->text);
    file_r->text = NULL;
    if (question->code == 0)
        (void)weir_api_refuse(question, 500, "memory is short");
    return false;
}
