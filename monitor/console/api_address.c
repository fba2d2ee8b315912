/*
 * api_address - all that is known of one address or network, and what is decided about it.
 *
 * A network has no history of its own: its page shows what stands, what was decided about exactly
 * it, and its domains.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/api_servers.h"
#include "monitor/database/database_desk_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/view/view_events.h"
#include "monitor/view/view_traffic.h"

#define EVENTS 50
#define DOMAINS 50
#define LOOKED 2880 /* minutes of history at once: each is a look at the table */
#define DECISIONS 50 /* about one prefix, and each that holds it */

struct page {
    struct weir_api_question *question;
    struct weir_prefix prefix;
    struct weir_api_names names;
    int64_t from, to;            /* minutes */
    bool partly;                 /* domains: of the first of its messages only */
    json_t *json, *minutes, *servers, *events, *decisions, *domains, *standing;
    uint64_t accepted, estimated;
};

static bool read_prefix(struct weir_api_question *question, struct weir_prefix *prefix_r)
{
    const char *text = weir_api_word(question, "prefix"), *why = "";

    if (weir_prefix_parse(text, strlen(text), prefix_r, &why) == 0)
        return true;
    (void)weir_api_refuse(question, 400, "that is no address or network");
    return false;
}

/* reading ------------------------------------------------------------------------------------- */

/* Rows come by minute, then server: a minute's servers are one row. */
static void add_to_minutes(struct page *page, const struct weir_minute_row *row)
{
    size_t n = json_array_size(page->minutes);
    json_t *last = n > 0 ? json_array_get(page->minutes, n - 1) : NULL;
    json_t *one = weir_view_minute(row), *value;
    const char *name;

    if (!last || !json_equal(json_object_get(last, "time"), json_object_get(one, "time"))) {
        json_array_append_new(page->minutes, one);
        return;
    }
    json_object_foreach(one, name, value) {
        json_t *sum = json_object_get(last, name);

        if (json_is_integer(sum))
            json_integer_set(sum, json_integer_value(sum) + json_integer_value(value));
    }
    json_decref(one);
}

static int add_minute(void *context, const struct weir_minute_row *row)
{
    struct page *page = context;
    const char *server = weir_api_server_name(&page->names, row->server);
    json_t *of = json_object_get(page->servers, server);
    uint64_t sum[WEIR_TRAFFIC_QUANTITIES];

    page->accepted += row->sum[3];
    page->estimated += row->sum[5];
    add_to_minutes(page, row);
    for (unsigned q = 0; q < WEIR_TRAFFIC_QUANTITIES; q++)
        sum[q] = row->sum[q] + (uint64_t)json_integer_value(
                                   json_object_get(of, weir_traffic_quantity_name(q)));
    json_object_set_new(page->servers, server,
                        weir_view_sums(json_pack("{s:s}", "name", server), sum));
    return 0;
}

static int add_event(void *context, const struct weir_event *event)
{
    struct page *page = context;

    return json_array_append_new(page->events,
                                 weir_view_event(event, weir_api_server_name(&page->names,
                                                                             event->server))) < 0
               ? WEIR_ENOMEM : 0;
}

/* Of each list the narrowest. */
static json_t *nothing_stands(void)
{
    return json_pack("{s:n, s:n, s:n}", "blacklist", "score", "accept");
}

static int note_standing(void *context, const struct weir_database_decision *decision)
{
    json_t *standing = context;

    return !json_is_null(json_object_get(standing, decision->list)) ||
                   json_object_set_new(standing, decision->list,
                                       weir_view_decision(decision)) == 0 ? 0 : WEIR_ENOMEM;
}

static int add_decision(void *context, const struct weir_database_decision *decision)
{
    struct page *page = context;
    json_t *row = weir_view_decision(decision);

    if (weir_database_decision_stands(decision, page->question->now))
        (void)note_standing(page->standing, decision);
    return json_array_append_new(page->decisions, row) < 0 ? WEIR_ENOMEM : 0;
}

static int add_domain(void *context, const struct weir_desk_domain *domain)
{
    struct page *page = context;

    return json_array_append_new(
               page->domains, json_pack("{s:o, s:I, s:I, s:I}", "domain",
                                        weir_view_text(domain->domain), "messages",
                                        (json_int_t)domain->messages, "spam",
                                        (json_int_t)domain->spam, "ham",
                                        (json_int_t)domain->ham)) < 0 ? WEIR_ENOMEM : 0;
}

/* Events of exactly this prefix, over or not, and those that stand above it. */
static int read_events(struct page *page)
{
    struct weir_database *database = page->question->database;
    const struct weir_event_filter own = {.prefix = &page->prefix, .most = EVENTS};
    struct weir_prefix above = page->prefix;
    int done = weir_database_events(database, &own, add_event, page);

    if (done < 0 || above.bits == 0)
        return done;
    above = weir_address_mask(&above.address, above.bits - 1);
    return weir_database_events_over(database, &above, add_event, page);
}

static int read_all(struct page *page)
{
    struct weir_database *database = page->question->database;
    weir_time now = page->question->now;
    struct weir_address_row known = {.first_seen = 0};
    int done = weir_api_names_read(database, &page->names);

    if (done >= 0 && page->prefix.bits == 128) {
        done = weir_database_address(database, &page->prefix.address, &known);
        done = done < 0 ? done : weir_database_history(database, &page->prefix.address,
                                                       page->from, page->to, add_minute, page);
    }
    done = done < 0 ? done : read_events(page);
    done = done < 0 ? done : weir_database_decisions_ever_over(database, &page->prefix, now,
                                                               DECISIONS, add_decision, page);
    done = done < 0 ? done : weir_database_domains(database, &page->prefix, DOMAINS, add_domain,
                                                   page, &page->partly);
    json_object_set_new(page->json, "first_seen", weir_view_time(known.first_seen));
    json_object_set_new(page->json, "last_seen", weir_view_time(known.last_seen));
    json_object_set_new(page->json, "sum", weir_view_sums(json_object(), known.sum));
    return done;
}

static json_t *values_of(json_t *object)
{
    json_t *values = json_array(), *value;
    const char *name;

    json_object_foreach(object, name, value)
        json_array_append(values, value);
    return values;
}

static void finish(struct page *page)
{
    const char *source = page->estimated == 0                ? "clear"
                         : page->estimated < page->accepted  ? "both"
                                                             : "estimate";

    json_object_set(page->json, "minutes", page->minutes);
    json_object_set_new(page->json, "servers", values_of(page->servers));
    json_object_set_new(page->json, "source", json_string(source));
    json_object_set(page->json, "events", page->events);
    json_object_set(page->json, "decisions", page->decisions);
    json_object_set(page->json, "standing", page->standing);
    json_object_set(page->json, "domains", page->domains);
    json_object_set_new(page->json, "domains_partly", json_boolean(page->partly));
    json_object_set_new(page->json, "bucket",
                        weir_monitor_bucket(page->question->monitor, &page->prefix,
                                            page->question->now));
}

json_t *weir_api_address(struct weir_api_question *question)
{
    struct page page = {.question = question};
    char text[WEIR_PREFIX_TEXT];
    int64_t minutes;
    weir_time to;
    int done;

    if (!read_prefix(question, &page.prefix))
        return NULL;
    if (!weir_api_number(question->request, "minutes", 1, 30 * 1440, 180, &minutes))
        return weir_api_refuse(question, 400, "minutes is no number from 1 to 43200");
    if (!weir_api_time(question->request, "to", question->now, question->now, &to))
        return weir_api_refuse(question, 400, "to is a time, or an age as 7d");
    page.to = to / WEIR_MINUTE;
    page.from = page.to - (minutes < LOOKED ? minutes : LOOKED) + 1;
    page.json = json_pack("{s:o, s:s}", "now", weir_view_time(question->now), "address",
                          weir_prefix_format(&page.prefix, text));
    json_object_set_new(page.json, "looked_to", minutes > LOOKED
                                                    ? weir_view_time(page.from * WEIR_MINUTE)
                                                    : json_null());
    page.minutes = json_array();
    page.servers = json_object();
    page.events = json_array();
    page.decisions = json_array();
    page.domains = json_array();
    page.standing = nothing_stands();
    done = read_all(&page);
    if (done >= 0)
        finish(&page);
    weir_api_names_free(&page.names);
    json_t *parts[] = {page.minutes, page.servers,  page.events, page.decisions,
                       page.domains, page.standing};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        json_decref(parts[i]);
    if (done >= 0)
        return page.json;
    json_decref(page.json);
    return weir_api_trouble(question, done);
}

/* Little and soon: nobody else changes anything meanwhile (api_was.c). */
json_t *weir_api_standing(struct weir_api_question *question)
{
    json_t *standing = nothing_stands();
    struct weir_prefix prefix;
    int done;

    if (!read_prefix(question, &prefix)) {
        json_decref(standing);
        return NULL;
    }
    done = weir_database_decisions_over(question->database, &prefix, question->now, note_standing,
                                        standing);
    if (done >= 0)
        return json_pack("{s:o}", "standing", standing);
    json_decref(standing);
    return weir_api_trouble(question, done);
}

/* deciding ------------------------------------------------------------------------------------ */

/* What the body says, as a question about a prefix; NULL: refused. */
static json_t *asked(struct weir_api_question *question, const char *verb, const char *list)
{
    static const char *const numbers[] = {"ends", "points"}, *const truths[] = {"defer", "accept"};
    const json_t *body = question->request->body, *one;
    struct weir_prefix prefix;
    const char *reason;
    json_t *json;

    if (!read_prefix(question, &prefix) || !weir_api_text(question, "reason", &reason))
        return NULL;
    if (strlen(reason) > WEIR_REASON_MAX)
        return weir_api_refuse(question, 400, "reason is too long");
    for (size_t i = 0; i < 2; i++)
        if ((one = json_object_get(body, numbers[i])) != NULL && !json_is_number(one))
            return weir_api_refuse(question, 400, "ends and points are numbers");
    if (json_is_real(json_object_get(body, "ends")))
        return weir_api_refuse(question, 400, "ends is no whole number of seconds");
    for (size_t i = 0; i < 2; i++)
        if ((one = json_object_get(body, truths[i])) != NULL && !json_is_boolean(one))
            return weir_api_refuse(question, 400, "defer and accept are true or false");
    json = body ? json_copy((json_t *)(uintptr_t)body) : json_object();
    json_object_set_new(json, "do", json_string(verb));
    json_object_set_new(json, "prefix", json_string(weir_api_word(question, "prefix")));
    if (list)
        json_object_set_new(json, "list", json_string(list));
    return json;
}

json_t *weir_api_block(struct weir_api_question *question)
{
    const char *list;
    json_t *json;

    if (!weir_api_text(question, "list", &list))
        return NULL;
    list = list[0] ? list : "blacklist";
    if (strcmp(list, "blacklist") != 0 && strcmp(list, "score") != 0)
        return weir_api_refuse(question, 400, "list is neither blacklist nor score");
    json = asked(question, "block", list);
    return json ? weir_api_do(question, json) : NULL;
}

json_t *weir_api_undo(struct weir_api_question *question)
{
    json_t *json = asked(question, "undo", NULL);

    return json ? weir_api_do(question, json) : NULL;
}

json_t *weir_api_accept(struct weir_api_question *question)
{
    json_t *json = asked(question, "undo", NULL);

    if (json)
        json_object_set_new(json, "accept", json_true());
    return json ? weir_api_do(question, json) : NULL;
}

json_t *weir_api_restore(struct weir_api_question *question)
{
    json_t *json = asked(question, "restore", NULL);

    return json ? weir_api_do(question, json) : NULL;
}

json_t *weir_api_unaccept(struct weir_api_question *question)
{
    json_t *json = asked(question, "unaccept", NULL);

    return json ? weir_api_do(question, json) : NULL;
}
