/*
 * api_messages - recent messages, looked for, and one of them explained point by point.
 *
 * What a rule says of itself is its describe line in the rulebook.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/mail/envelope.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/api_servers.h"
#include "monitor/database/database_found_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_texts_io.h"
#include "monitor/view/view_decision.h"
#include "monitor/view/view_rules.h"
#include "monitor/view/view_told.h"

#define TEXT 400
#define SERVERS_MAX 32              /* looked for at once */
#define SERVERS_TEXT (11 * SERVERS_MAX + 2)

struct page {
    struct weir_api_question *question;
    struct weir_api_names names;
    unsigned most;
    json_t *rows;
};

static json_t *row_of(const struct page *page, const struct weir_found_message *message)
{
    char address[WEIR_ADDRESS_TEXT];

    return json_pack("{s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:I, s:s, s:o}", "uid",
                     weir_view_uid(message->uid), "time", weir_view_time(message->time), "server",
                     weir_api_server_name(&page->names, message->server), "address",
                     message->has_address
                         ? json_string(weir_address_format(&message->address, address))
                         : json_null(),
                     "domain", weir_view_text_or_null(message->domain), "verdict",
                     message->verdict, "score", weir_view_points((float)message->score), "serial",
                     (json_int_t)message->serial, "reported", message->reported, "queue",
                     weir_view_text_or_null(message->queue_id));
}

/* the list ------------------------------------------------------------------------------- */

static int add_row(void *context, const struct weir_found_message *message)
{
    struct page *page = context;

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

/* Names with ',' between, as numbers with ',' around: "" for none given.  False: refused. */
static bool read_servers(struct page *page, char servers_r[static SERVERS_TEXT])
{
    const char *text = weir_api_argument(page->question->request, "server");
    size_t len, used = 0, count = 0;

    servers_r[0] = '\0';
    for (; text && *text; text += len + (text[len] == ',')) {
        uint32_t number = 0;

        len = strcspn(text, ",");
        for (size_t i = 0; i < page->names.count; i++)
            if (strlen(page->names.one[i].name) == len &&
                memcmp(page->names.one[i].name, text, len) == 0)
                number = page->names.one[i].number;
        if (number == 0 || count++ == SERVERS_MAX) {
            (void)weir_api_refuse(page->question, number == 0 ? 404 : 400,
                                  number == 0 ? "there is no such server"
                                              : "server has more than 32 names");
            return false;
        }
        used += (size_t)snprintf(servers_r + used, SERVERS_TEXT - used, used > 0 ? "%u," : ",%u,",
                                 (unsigned)number);
    }
    return true;
}

static bool read_queue(struct weir_api_question *question, const char **queue_id_r)
{
    const char *text = weir_api_argument(question->request, "queue");

    *queue_id_r = text;
    if (!text || !text[0] || weir_queue_id_is(weir_slice_of(text)))
        return true;
    (void)weir_api_refuse(question, 400, "queue is no queue id: letters, digits, '-', '.', '_', at "
                          "most 64");
    return false;
}

static bool read_choice(struct page *page, struct weir_found_choice *choice,
                        struct weir_prefix *prefix, char servers[static SERVERS_TEXT])
{
    struct weir_api_question *question = page->question;
    const struct weir_api_request *request = question->request;
    const char *address = weir_api_argument(request, "address"), *why = "";

    choice->domain = weir_api_argument(request, "domain");
    choice->verdict = weir_api_argument(request, "verdict");
    choice->reported = weir_api_argument(request, "reported");
    if (!read_queue(question, &choice->queue_id))
        return false;
    if (address && address[0] && weir_prefix_parse(address, strlen(address), prefix, &why) < 0)
        (void)weir_api_refuse(question, 400, "address is no address or network");
    else if (!weir_api_time(request, "from", question->now, 0, &choice->from) ||
             !weir_api_time(request, "to", question->now, 0, &choice->to))
        (void)weir_api_refuse(question, 400, "from and to are times, or ages as 7d");
    if (question->code != 0)
        return false;
    choice->prefix = address && address[0] ? prefix : NULL;
    choice->servers = servers;
    return read_rule(question, &choice->rule) && read_servers(page, servers);
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

/* A cursor is "t<time>-<number>", or "n<number>" of what a rule hit.  False: refused. */
static bool read_place(struct weir_api_question *question, struct weir_found_place *place_r)
{
    const char *text = weir_api_argument(question->request, "after");
    long long time = 0, number = 0;
    char rest;

    if (!text || !text[0])
        return true;
    place_r->by_number = text[0] == 'n';
    if ((text[0] == 'n' ? sscanf(text + 1, "%19lld%c", &number, &rest) != 1
                        : text[0] != 't' ||
                              sscanf(text + 1, "%19lld-%19lld%c", &time, &number, &rest) != 2) ||
        time < 0 || number < 1) {
        (void)weir_api_refuse(question, 400, "after is not a cursor of the page before");
        return false;
    }
    place_r->time = time;
    place_r->number = number;
    return true;
}

static json_t *write_place(const struct weir_found_place *place)
{
    return place->by_number ? json_sprintf("n%lld", (long long)place->number)
                            : json_sprintf("t%lld-%lld", (long long)place->time,
                                           (long long)place->number);
}

/* A page; where it ends before it is full, it says how far it looked. */
static json_t *page_of(struct page *page, const struct weir_found_end *end)
{
    json_t *json = weir_api_rows(page->question, page->rows,
                                 end->more ? write_place(&end->place) : NULL);

    if (end->partly)
        json_object_set_new(json, "looked_to", weir_view_time(end->place.time));
    return json;
}

static json_t *find(struct page *page)
{
    struct weir_found_choice choice = {.most = page->most};
    struct weir_found_end end;
    const char *uid = weir_api_argument(page->question->request, "uid");
    struct weir_prefix prefix;
    char servers[SERVERS_TEXT];
    int rc;

    if (uid && uid[0])
        return by_uid(page, uid);
    if (!read_place(page->question, &choice.after) ||
        !read_choice(page, &choice, &prefix, servers))
        return NULL;
    if (choice.after.by_number && choice.rule == 0) /* kept, while the rule was taken out */
        return weir_api_refuse(page->question, 400, "after is not a cursor of the page before");
    page->rows = json_array();
    rc = weir_database_found(page->question->database, &choice, add_row, page, &end);
    if (rc >= 0)
        return page_of(page, &end);
    json_decref(page->rows);
    return weir_api_trouble(page->question, rc);
}

json_t *weir_api_messages(struct weir_api_question *question)
{
    struct page page = {.question = question};
    json_t *json = NULL;
    int rc;

    if (!weir_api_most(question, &page.most))
        return NULL;
    rc = weir_api_names_read(question->database, &page.names);
    json = rc < 0 ? weir_api_trouble(question, rc) : find(&page);
    weir_api_names_free(&page.names);
    return json;
}

/* one ------------------------------------------------------------------------------------ */

struct one {
    struct page page;
    int64_t number;
    json_t *row, *rules, *explanation;
};

static int add_hit(void *context, uint32_t rule, double points)
{
    return json_array_append_new(context, json_pack("{s:I, s:o}", "id", (json_int_t)rule, "points",
                                                    weir_view_points((float)points))) < 0
               ? WEIR_ENOMEM : 0;
}

static int find_text(void *context, const struct weir_database_text *text)
{
    (void)context, (void)text;
    return 1;
}

/* Only what people report comes with its text.  0 or an error. */
static int add_text(const struct one *one, uint64_t uid)
{
    int kept = weir_database_text(one->page.question->database, uid, find_text, NULL);

    json_object_set_new(one->row, "text", json_pack(
        "{s:b, s:s}", "kept", kept > 0, "words",
        kept > 0 ? "people reported it: its report has its text"
                 : "not kept: only mail that people report comes with its text"));
    return kept < 0 ? kept : 0;
}

static int take_row(void *context, const struct weir_found_message *message)
{
    struct one *one = context;
    json_t *rule;
    size_t i;
    int rc;

    one->number = message->number;
    one->row = row_of(&one->page, message);
    if (!one->row)
        return WEIR_ENOMEM;
    json_object_set_new(one->row, "decided", weir_view_decided(message));
    json_object_set_new(one->row, "limits", weir_view_limits(message));
    json_object_set_new(one->row, "reputation", weir_view_reputation_then(message));
    json_object_set_new(one->row, "lacking", weir_view_lacking(message));
    rc = weir_database_found_hits(one->page.question->database, one->number, add_hit, one->rules);
    json_array_foreach(one->rules, i, rule)
        json_object_set_new(rule, "why", weir_view_point_why((uint32_t)json_integer_value(
            json_object_get(rule, "id")), message));
    return rc < 0 ? rc : 0;
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

/* What a rule is by now, and what it says of itself.  0 or an error. */
static int explain_rule(struct weir_database *database, uint32_t id, json_t *rule)
{
    struct now now = {.json = NULL};
    int rc = weir_database_rule(database, NULL, id, take_now, &now);

    json_object_set_new(rule, "now", now.json ? now.json : json_null());
    json_object_set_new(rule, "why", now.why[0] ? weir_view_text(now.why)
                                     : json_string(now.json ? "the rule says nothing of itself"
                                                            : "it is not in the rulebook"));
    return rc < 0 ? rc : 0;
}

/* Names, sources and words of all points; rules keeps those of rules alone.  0 or an error. */
static int explain(struct one *one)
{
    struct weir_database *database = one->page.question->database;
    char name[WEIR_VIEW_RULE_NAME];
    json_t *rules = json_array(), *rule;
    int rc = 0;
    size_t i;

    json_array_foreach(one->rules, i, rule) {
        uint32_t id = (uint32_t)json_integer_value(json_object_get(rule, "id"));
        bool own = weir_view_is_own_point(id);

        weir_view_rule_name(database, id, name);
        json_object_set_new(rule, "name", name[0] ? json_string(name)
                                                  : json_sprintf("rule %u", (unsigned)id));
        if (!own) {
            rc = rc < 0 ? rc : explain_rule(database, id, rule);
            json_array_append(rules, rule);
        }
        json_array_append_new(one->explanation, json_pack(
            "{s:O, s:s, s:O, s:O}", "what", json_object_get(rule, "name"), "source",
            weir_view_point_source(id), "points", json_object_get(rule, "points"), "why",
            json_object_get(rule, "why")));
    }
    json_object_set_new(one->row, "rules", rules);
    return rc;
}

static json_t *whole(struct one *one, uint64_t uid)
{
    struct weir_database *database = one->page.question->database;
    struct weir_report_votes votes = {.all = 0};
    int rc = weir_database_report_votes(database, uid, &votes);

    rc = rc < 0 ? rc : explain(one);
    rc = rc < 0 ? rc : add_text(one, uid);
    if (rc < 0)
        return weir_api_trouble(one->page.question, rc);
    json_object_set(one->row, "explanation", one->explanation);
    json_object_set_new(one->row, "report", votes.all == 0 ? json_null()
                                                           : json_pack("{s:i, s:i}", "spam",
                                                                       votes.spam, "ham",
                                                                       votes.ham));
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
    one.explanation = json_array();
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
    json_decref(one.explanation);
    weir_api_names_free(&one.page.names);
    return json;
}
