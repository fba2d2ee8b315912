/*
 * api_silences - alerts that for now nobody is told of.
 */
#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/view/view_silences.h"

/* A page of rows, one more than which was looked for. */
struct page {
    unsigned most;
    int64_t last;
    bool more;
    json_t *rows;
};

static int add(void *context, const struct weir_silenced *silence)
{
    struct page *page = context;

    if (json_array_size(page->rows) == page->most) {
        page->more = true;
        return 1;
    }
    page->last = silence->number;
    return json_array_append_new(page->rows, weir_view_silence(silence)) < 0 ? WEIR_ENOMEM : 0;
}

json_t *weir_api_silences(struct weir_api_question *question)
{
    struct page page = {.more = false};
    int64_t after, all;
    int done;

    if (!weir_api_most(question, &page.most) || !weir_api_after(question, 0, &after))
        return NULL;
    if (!weir_api_number(question->request, "all", 0, 1, 0, &all))
        return weir_api_refuse(question, 400, "all is neither 0 nor 1");
    page.rows = json_array();
    done = weir_database_silences(question->database, all == 0, after, question->now, add, &page);
    if (done >= 0)
        return weir_api_rows(question, page.rows,
                             page.more ? json_sprintf("%lld", (long long)page.last) : NULL);
    json_decref(page.rows);
    return weir_api_trouble(question, done);
}

json_t *weir_api_silence_add(struct weir_api_question *question)
{
    static const char *const names[] = {"prefix", "threshold", "server", "kind", "reason"};
    const json_t *ends = json_object_get(question->request->body, "ends");
    json_t *json = json_pack("{s:s}", "do", "silence add");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text;

        if (!weir_api_text(question, names[i], &text)) {
            json_decref(json);
            return NULL;
        }
        if (json_object_get(question->request->body, names[i]))
            json_object_set_new(json, names[i], json_string(text));
    }
    if (!json_is_integer(ends)) {
        json_decref(json);
        return weir_api_refuse(question, 400, "ends is no whole number of seconds");
    }
    json_object_set_new(json, "ends", json_integer(json_integer_value(ends)));
    return weir_api_do(question, json);
}

json_t *weir_api_silence_end(struct weir_api_question *question)
{
    json_int_t number = weir_api_path_number(question, "that is no number of a silence");

    return number == 0 ? NULL
                       : weir_api_do(question, json_pack("{s:s, s:I}", "do", "silence end",
                                                         "number", number));
}
