/*
 * api_messages - recent messages, looked for, and one of them explained point by point.
 *
 * What a rule says of itself is its describe line in the rulebook.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/api_servers.h"
#include "monitor/database/database_found_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/view/view_rules.h"
#include "monitor/view/view_told.h"

#define TEXT 400

struct page {
    struct weir_api_question *question;
    struct weir_api_names names;
    unsigned most;
    int64_t last;
    bool more;
    json_t *rows;
};

static json_t *row_of(const struct page *page, const struct weir_found_message *message)
{
    char address[WEIR_ADDRESS_TEXT];

    return json_pack("{s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:I, s:s, s:n}", "uid",
                     weir_view_uid(message->uid), "time", weir_view_time(message->time), "server",
                     weir_api_server_name(&page->names, message->server), "address",
                     message->has_address
                         ? json_string(weir_address_format(&message->address, address))
                         : json_null(),
                     "domain", weir_view_text_or_null(message->domain), "verdict",
                     message->verdict, "score", weir_view_points((float)message->score), "serial",
                     (json_int_t)message->serial, "reported", message->reported, "queue");
}

/* the list ------------------------------------------------------------------------------- */

static int add_row(void *context, const struct weir_found_message *message)
{
    struct page *page = context;

    page->more = json_array_size(page->rows) == page->most;
    if (page->more)
        return 1;
    page->last = message->number;
    return json_array_append_new(page->rows, row_of(page, message)) < 0 ? WEIR_ENOMEM : 0;
}

static int note_id(void *context, const struct weir_kept_rule *rule)
{
    *(uint32_t *)context = rule->id;
    return 0;
}

/* A rule's number by its name or number.  False: refused. */
static bool read_rule(struct weir_api_question *question, uint32_t *rule_r)
{
    const char *text = weir_api_argument(question->request, "rule");
    int rc;

    *rule_r = 0;
    if (!text || !text[0] || weir_rule_number_read(text, rule_r))
        return true;
    rc = weir_database_rule(question->database, text, 0, note_id, rule_r);
    if (rc < 0)
        (void)weir_api_trouble(question, rc);
    else if (rc == 0)
        (void)weir_api_refuse(question, 404, "there is no such rule in the rulebook");
    return rc > 0;
}

static bool read_server(struct page *page, uint32_t *server_r)
{
    const char *text = weir_api_argument(page->question->request, "server");

    *server_r = 0;
    for (size_t i = 0; text && i < page->names.count; i++)
        if (strcmp(page->names.one[i].name, text) == 0)
            *server_r = page->names.one[i].number;
    if (!text || !text[0] || *server_r > 0)
        return true;
    (void)weir_api_refuse(page->question, 404, "there is no such server");
    return false;
}

static bool read_choice(struct page *page, struct weir_found_choice *choice,
                        struct weir_prefix *prefix)
{
    struct weir_api_question *question = page->question;
    const struct weir_api_request *request = question->request;
    const char *address = weir_api_argument(request, "address"), *why = "";

    choice->domain = weir_api_argument(request, "domain");
    choice->verdict = weir_api_argument(request, "verdict");
    choice->reported = weir_api_argument(request, "reported");
    if (weir_api_argument(request, "queue"))
        (void)weir_api_refuse(question, 400, "queue ids are not kept");
    else if (address && address[0] &&
             weir_prefix_parse(address, strlen(address), prefix, &why) < 0)
        (void)weir_api_refuse(question, 400, "address is no address or network");
    else if (!weir_api_time(request, "from", question->now, 0, &choice->from) ||
             !weir_api_time(request, "to", question->now, 0, &choice->to))
        (void)weir_api_refuse(question, 400, "from and to are times, or ages as 7d");
    if (question->code != 0)
        return false;
    choice->prefix = address && address[0] ? prefix : NULL;
    return read_rule(question, &choice->rule) && read_server(page, &choice->server);
}

/* What is looked for by its number alone. */
static json_t *by_uid(struct page *page, const char *text)
{
    uint64_t uid;
    int rc;

    if (!weir_view_uid_read(text, &uid))
        return weir_api_refuse(page->question, 400, "uid is not 16 hexadecimal digits");
    page->rows = json_array();
    rc = weir_database_found_one(page->question->database, uid, add_row, page);
    if (rc >= 0)
        return weir_api_rows(page->question, page->rows, NULL);
    json_decref(page->rows);
    return weir_api_trouble(page->question, rc);
}

static json_t *find(struct page *page, int64_t after)
{
    struct weir_found_choice choice = {.before = after, .most = page->most + 1};
    const char *uid = weir_api_argument(page->question->request, "uid");
    struct weir_prefix prefix;
    int rc;

    if (uid && uid[0])
        return by_uid(page, uid);
    if (!read_choice(page, &choice, &prefix))
        return NULL;
    page->rows = json_array();
    rc = weir_database_found(page->question->database, &choice, add_row, page);
    if (rc >= 0)
        return weir_api_rows(page->question, page->rows,
                             page->more ? json_sprintf("%lld", (long long)page->last) : NULL);
    json_decref(page->rows);
    return weir_api_trouble(page->question, rc);
}

json_t *weir_api_messages(struct weir_api_question *question)
{
    struct page page = {.question = question};
    json_t *json = NULL;
    int64_t after;
    int rc;

    if (!weir_api_most(question, &page.most) || !weir_api_after(question, 0, &after))
        return NULL;
    rc = weir_api_names_read(question->database, &page.names);
    json = rc < 0 ? weir_api_trouble(question, rc) : find(&page, after);
    weir_api_names_free(&page.names);
    return json;
}

/* one ------------------------------------------------------------------------------------ */

struct one {
    struct page page;
    int64_t number;
    json_t *row, *rules;
};

static int take_row(void *context, const struct weir_found_message *message)
{
    struct one *one = context;

    one->number = message->number;
    one->row = row_of(&one->page, message);
    return one->row ? 0 : WEIR_ENOMEM;
}

static int add_hit(void *context, uint32_t rule, double points)
{
    return json_array_append_new(context, json_pack("{s:I, s:o}", "id", (json_int_t)rule, "points",
                                                    weir_view_points((float)points))) < 0
               ? WEIR_ENOMEM : 0;
}

struct now {
    json_t *json;
    char why[TEXT];
};

/* "describe NAME words" of its lines. */
static int take_now(void *context, const struct weir_kept_rule *rule)
{
    struct now *now = context;
    const char *line = strstr(rule->text, "\ndescribe ");

    if (line) {
        line += strlen("\ndescribe ");
        line += strcspn(line, " \t\n");
        line += strspn(line, " \t");
        snprintf(now->why, sizeof now->why, "%.*s", (int)strcspn(line, "\n"), line);
    }
    now->json = weir_view_rule_now(rule);
    return 0;
}

/* Names, states and words of the rules, and the explanation made of them. */
static void explain(struct one *one, json_t *explanation)
{
    struct weir_database *database = one->page.question->database;
    char name[WEIR_VIEW_RULE_NAME];
    json_t *rule;
    size_t i;

    json_array_foreach(one->rules, i, rule) {
        uint32_t id = (uint32_t)json_integer_value(json_object_get(rule, "id"));
        struct now now = {.json = NULL};

        (void)weir_database_rule(database, NULL, id, take_now, &now);
        weir_view_rule_name(database, id, name);
        json_object_set_new(rule, "name", json_string(name));
        json_object_set_new(rule, "now", now.json ? now.json : json_null());
        json_array_append_new(explanation, json_pack("{s:s, s:O, s:o}", "what", name, "points",
                                                     json_object_get(rule, "points"), "why",
                                                     weir_view_text(now.why)));
    }
}

static json_t *whole(struct one *one, uint64_t uid)
{
    struct weir_database *database = one->page.question->database;
    struct weir_report_votes votes = {.all = 0};
    json_t *explanation = json_array();
    int rc = weir_database_found_hits(database, one->number, add_hit, one->rules);

    rc = rc < 0 ? rc : weir_database_report_votes(database, uid, &votes);
    if (rc < 0) {
        json_decref(explanation);
        return weir_api_trouble(one->page.question, rc);
    }
    explain(one, explanation);
    json_object_set(one->row, "rules", one->rules);
    json_object_set_new(one->row, "explanation", explanation);
    json_object_set_new(one->row, "reputation", json_null());
    json_object_set_new(one->row, "report", votes.all == 0 ? json_null()
                                                           : json_pack("{s:i, s:i}", "spam",
                                                                       votes.spam, "ham",
                                                                       votes.ham));
    json_object_set_new(one->row, "text", json_null());
    return json_incref(one->row);
}

json_t *weir_api_message(struct weir_api_question *question)
{
    struct one one = {.page = {.question = question}};
    json_t *json = NULL;
    uint64_t uid;
    int rc;

    if (!weir_view_uid_read(weir_api_word(question, "uid"), &uid))
        return weir_api_refuse(question, 400, "that is not 16 hexadecimal digits");
    one.rules = json_array();
    rc = weir_api_names_read(question->database, &one.page.names);
    rc = rc < 0 ? rc : weir_database_found_one(question->database, uid, take_row, &one);
    if (rc < 0)
        (void)weir_api_trouble(question, rc);
    else if (rc == 0)
        (void)weir_api_refuse(question, 404, "no message of that number is kept");
    else
        json = whole(&one, uid);
    json_decref(one.row);
    json_decref(one.rules);
    weir_api_names_free(&one.page.names);
    return json;
}
