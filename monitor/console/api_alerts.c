/*
 * api_alerts - what was noticed, and what stands because of it.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/api_servers.h"
#include "monitor/view/view_events.h"

#define NO_ALERT "that is no number of an alert"

/* A page of rows, one more than which was looked for. */
struct page {
    const struct weir_api_names *names;
    const char *only;            /* kind or list; NULL: any */
    unsigned most, looked;
    int64_t after, last, number; /* number: only this one; 0: any */
    bool more;
    json_t *rows;
};

static int take(struct page *page, int64_t number, json_t *row)
{
    if (json_array_size(page->rows) == page->most) {
        page->more = true;
        json_decref(row);
        return 1;
    }
    page->last = number;
    return json_array_append_new(page->rows, row) < 0 ? WEIR_ENOMEM : 0;
}

static int add_event(void *context, const struct weir_event *event)
{
    struct page *page = context;

    if (page->number > 0 && event->number != page->number)
        return 1;
    if (page->only && strcmp(page->only, event->kind) != 0) {
        page->last = event->number;
        page->more = ++page->looked >= WEIR_API_LOOKED;
        return page->more;
    }
    return take(page, event->number,
                weir_view_event(event, weir_api_server_name(page->names, event->server)));
}

static json_t *end(struct weir_api_question *question, struct page *page, int done)
{
    if (done >= 0)
        return weir_api_rows(question, page->rows,
                             page->more ? json_sprintf("%lld", (long long)page->last) : NULL);
    json_decref(page->rows);
    return weir_api_trouble(question, done);
}

json_t *weir_api_alerts(struct weir_api_question *question)
{
    struct weir_api_names names = {.count = 0};
    struct page page = {.names = &names, .only = weir_api_argument(question->request, "kind")};
    struct weir_event_filter filter = {.open = false};
    int64_t open;
    int done;

    if (!weir_api_most(question, &page.most) || !weir_api_after(question, 0, &page.after))
        return NULL;
    if (!weir_api_number(question->request, "open", 0, 1, 0, &open))
        return weir_api_refuse(question, 400, "open is neither 0 nor 1");
    if (!weir_api_time(question->request, "since", question->now, 0, &filter.since))
        return weir_api_refuse(question, 400, "since is neither a time nor an age");
    if (!weir_api_number(question->request, "number", 1, INT64_MAX - 1, 0, &page.number))
        return weir_api_refuse(question, 400, "number is no number of an alert");
    filter.open = open == 1;
    filter.before = page.number > 0 ? page.number + 1 : page.after;
    page.rows = json_array();
    done = weir_api_names_read(question->database, &names);
    done = done < 0 ? done : weir_database_events(question->database, &filter, add_event, &page);
    weir_api_names_free(&names);
    return end(question, &page, done);
}

json_t *weir_api_acknowledge(struct weir_api_question *question)
{
    json_int_t number;
    const char *note;

    if (!weir_api_text(question, "note", &note))
        return NULL;
    number = weir_api_path_number(question, NO_ALERT);
    return number == 0 ? NULL
                       : weir_api_do(question, json_pack("{s:s, s:I, s:s}", "do",
                                                         "events acknowledge", "number", number,
                                                         "note", note));
}

json_t *weir_api_unacknowledge(struct weir_api_question *question)
{
    json_int_t number = weir_api_path_number(question, NO_ALERT);

    return number == 0 ? NULL
                       : weir_api_do(question, json_pack("{s:s, s:I}", "do",
                                                         "events unacknowledge", "number",
                                                         number));
}

/* lists -------------------------------------------------------------------------------------- */

static int add_decision(void *context, const struct weir_database_decision *decision)
{
    struct page *page = context;

    return take(page, decision->number, weir_view_decision(decision));
}

json_t *weir_api_lists(struct weir_api_question *question)
{
    struct page page = {.only = weir_api_argument(question->request, "list")};
    int done;

    if (!weir_api_most(question, &page.most) || !weir_api_after(question, 0, &page.after))
        return NULL;
    if (page.only && strcmp(page.only, "blacklist") != 0 && strcmp(page.only, "score") != 0 &&
        strcmp(page.only, "accept") != 0)
        return weir_api_refuse(question, 400, "list is not one of blacklist, score, accept");
    page.rows = json_array();
    done = weir_database_decisions_newest(question->database, page.only ? page.only : "",
                                          page.after, question->now, add_decision, &page);
    return end(question, &page, done);
}
