/*
 * api_reports - what people reported, and the messages that came with it, as text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/mail/charset.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/api_servers.h"
#include "monitor/database/database_drafts_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/view/view_rules.h"
#include "monitor/view/view_told.h"

#define AT_ONCE 100
#define ARENA_FIRST 65536

/* the list ------------------------------------------------------------------------------- */

struct page {
    struct weir_api_question *question;
    struct weir_api_names names;
    bool waiting, more;
    unsigned most, looked;
    weir_time time;              /* of the last that was looked at */
    int64_t number;
    json_t *rows;
};

static int find_text(void *context, const struct weir_database_text *text)
{
    (void)context, (void)text;
    return 1;
}

/* Whether somebody still has to look at it: its text is there, and nobody at the desk has decided,
 * nor said it himself.  Or an error. */
static int waits(struct weir_database *database, const struct weir_database_report *report)
{
    struct weir_report_votes votes = {.all = 0};
    int found = report->server == WEIR_REPORT_DESK
                    ? 0 : weir_database_text(database, report->uid, find_text, NULL);
    int rc = found <= 0 ? found : weir_database_report_votes(database, report->uid, &votes);

    return rc < 0 || found <= 0 ? rc : votes.desk_spam + votes.desk_ham == 0;
}

static int add_report(void *context, const struct weir_database_report *report)
{
    struct page *page = context;
    json_t *row;
    int rc;

    page->more = page->looked++ == WEIR_API_LOOKED;
    if (page->more)
        return 1;
    rc = page->waiting ? waits(page->question->database, report) : 1;
    if (rc < 0)
        return rc;
    if (rc == 0) {
        page->time = report->time;
        page->number = report->number;
        return 0;
    }
    page->more = json_array_size(page->rows) == page->most;
    if (page->more)
        return 1;
    page->time = report->time;
    page->number = report->number;
    row = weir_view_report(report, weir_api_server_name(&page->names, report->server));
    json_object_set_new(row, "kind", json_string(report->spam ? "spam" : "ham"));
    return json_array_append_new(page->rows, row) < 0 ? WEIR_ENOMEM : 0;
}

/* What those at the desk say of a message; null: nobody there has said anything. */
static json_t *said_at_desk(const struct weir_report_votes *votes)
{
    return votes->desk_spam + votes->desk_ham == 0 ? json_null()
           : votes->desk_ham == 0                  ? json_string("spam")
           : votes->desk_spam == 0                 ? json_string("ham")
                                                   : json_string("both");
}

/* How many say what of each message, and what came of it. */
static int add_votes(struct weir_database *database, json_t *row)
{
    struct weir_report_votes votes = {.all = 0};
    enum weir_reported effect = WEIR_REPORTED_NOTHING;
    uint64_t uid;
    int rc = 0;

    if (weir_view_uid_read(json_string_value(json_object_get(row, "uid")), &uid)) {
        rc = weir_database_report_votes(database, uid, &votes);
        rc = rc < 0 ? rc : weir_database_reported(database, uid, &effect);
    }
    json_object_set_new(row, "votes", json_pack("{s:i, s:i}", "spam", votes.spam, "ham",
                                                votes.ham));
    json_object_set_new(row, "desk", said_at_desk(&votes));
    json_object_set_new(row, "effect", json_string(weir_reported_name(effect)));
    return rc;
}

static json_t *list(struct page *page, const struct weir_report_choice *choice)
{
    struct weir_database *database = page->question->database;
    int rc = weir_api_names_read(database, &page->names);
    json_t *row;
    size_t i;

    page->rows = json_array();
    rc = rc < 0 ? rc : weir_database_reports(database, choice, add_report, page);
    json_array_foreach(page->rows, i, row)
        rc = rc < 0 ? rc : add_votes(database, row);
    weir_api_names_free(&page->names);
    if (rc >= 0)
        return weir_api_rows(page->question, page->rows,
                             page->more ? json_sprintf("%lld-%lld", (long long)page->time,
                                                       (long long)page->number) : NULL);
    json_decref(page->rows);
    return weir_api_trouble(page->question, rc);
}

/* "TIME-NUMBER": reports are in the order of their times, which is not that of their numbers. */
static bool read_cursor(const char *text, struct weir_report_choice *choice)
{
    size_t time = text ? strspn(text, "0123456789") : 0, number;

    if (!text)
        return true;
    number = text[time] == '-' ? strspn(text + time + 1, "0123456789") : 0;
    if (time == 0 || time > 18 || number == 0 || number > 18 || text[time + 1 + number] != '\0')
        return false;
    choice->behind = strtoll(text, NULL, 10);
    choice->number = strtoll(text + time + 1, NULL, 10);
    return true;
}

json_t *weir_api_reports(struct weir_api_question *question)
{
    struct page page = {.question = question};
    struct weir_report_choice choice = {.name = weir_api_argument(question->request, "user"),
                                        .state = weir_api_argument(question->request, "state"),
                                        .kind = weir_api_argument(question->request, "kind"),
                                        .most = UINT32_MAX};
    int64_t waiting;

    if (!weir_api_most(question, &page.most))
        return NULL;
    if (!read_cursor(weir_api_argument(question->request, "after"), &choice))
        return weir_api_refuse(question, 400, "after is not a cursor of the page before");
    if (!weir_api_number(question->request, "waiting", 0, 1, 0, &waiting))
        return weir_api_refuse(question, 400, "waiting is neither 0 nor 1");
    if (!weir_api_time(question->request, "since", question->now, 0, &choice.since))
        return weir_api_refuse(question, 400, "since is neither a time nor an age");
    if (choice.kind && strcmp(choice.kind, "spam") != 0 && strcmp(choice.kind, "ham") != 0)
        return weir_api_refuse(question, 400, "kind is neither spam nor ham");
    page.waiting = waiting == 1;
    choice.most = page.waiting ? UINT32_MAX : page.most + 1;
    return list(&page, &choice);
}

/* one ------------------------------------------------------------------------------------ */

struct showing {
    struct weir_api_question *question;
    struct weir_api_names names;
    struct weir_info_keys keys;
    struct weir_charsets *charsets;
    struct weir_arena *arena;
    json_t *json;
};

static int take_now(void *context, const struct weir_kept_rule *rule)
{
    *(json_t **)context = weir_view_rule_now(rule);
    return 0;
}

/* Rules with their points then, and what they are now.  0 or an error. */
static int add_rules(struct weir_database *database, const json_t *info, json_t *json)
{
    json_t *rules = json_array(), *rule;
    int rc = 0;
    size_t i;

    json_array_foreach(json_object_get(info, "rules"), i, rule) {
        json_t *one = json_copy(rule), *now = NULL;
        uint32_t id = (uint32_t)json_integer_value(json_object_get(rule, "id"));

        rc = rc < 0 ? rc : weir_database_rule(database, NULL, id, take_now, &now);
        json_object_set(one, "then", json_object_get(rule, "points"));
        json_object_set_new(one, "now", now ? now : json_null());
        json_array_append_new(rules, one);
    }
    json_object_set_new(json, "rules", rules);
    return rc < 0 ? rc : 0;
}

static int take_text(void *context, const struct weir_database_text *text)
{
    struct showing *showing = context;
    struct weir_database *database = showing->question->database;
    struct weir_view_told told;
    json_t *info;
    int rc = weir_view_told_read(text, &showing->keys, showing->charsets, showing->arena, &told);

    if (rc < 0)
        return rc;
    showing->json = weir_view_told(database, &told,
                                   weir_api_server_name(&showing->names, text->server), false);
    info = json_object_get(showing->json, "info");
    json_object_set_new(showing->json, "message", weir_view_told_message(&told));
    rc = add_rules(database, info, showing->json);
    return rc < 0 ? rc : 1; /* the proven one comes first */
}

static int take_draft(void *context, const struct weir_kept_rule *rule)
{
    *(json_t **)context = json_pack("{s:s, s:s}", "name", rule->name, "state",
                                    weir_rule_state_name(rule->state));
    return 0;
}

/* The rule that was drafted of it and others. */
static int add_draft(struct weir_database *database, uint64_t uid, json_t *json)
{
    json_t *draft = NULL;
    uint32_t rule;
    int rc = weir_database_draft_of(database, uid, &rule);

    if (rc > 0)
        rc = weir_database_rule(database, NULL, rule, take_draft, &draft);
    json_object_set_new(json, "draft", draft ? draft : json_null());
    return rc;
}

static int show(struct showing *showing, uint64_t uid)
{
    struct weir_database *database = showing->question->database;
    int rc = weir_api_names_read(database, &showing->names);

    rc = rc < 0 ? rc : weir_monitor_info_keys(showing->question->monitor, &showing->keys);
    if (rc >= 0 && (!showing->arena || weir_charsets_new(&showing->charsets) < 0))
        rc = WEIR_ENOMEM;
    rc = rc < 0 ? rc : weir_database_text(database, uid, take_text, showing);
    if (rc < 0 || !showing->json)
        return rc;
    rc = add_draft(database, uid, showing->json);
    return rc < 0 ? rc : add_votes(database, showing->json);
}

json_t *weir_api_report(struct weir_api_question *question)
{
    struct showing showing = {.question = question};
    uint64_t uid;
    int rc;

    if (!weir_view_uid_read(weir_api_word(question, "uid"), &uid))
        return weir_api_refuse(question, 400, "that is not 16 hexadecimal digits");
    showing.arena = weir_arena_new(ARENA_FIRST);
    rc = show(&showing, uid);
    explicit_bzero(&showing.keys, sizeof showing.keys);
    weir_charsets_free(&showing.charsets);
    weir_arena_free(&showing.arena);
    weir_api_names_free(&showing.names);
    if (rc >= 0 && showing.json)
        return showing.json;
    json_decref(showing.json);
    return rc == WEIR_ECORRUPT ? weir_api_refuse(question, 500, "its text cannot be read")
           : rc < 0            ? weir_api_trouble(question, rc)
                               : weir_api_refuse(question, 404, "no text of it is kept");
}

/* What a decision about one is based on, without its text. */
json_t *weir_api_report_desk(struct weir_api_question *question)
{
    json_t *json = json_pack("{s:s}", "uid", weir_api_word(question, "uid"));
    int rc = add_votes(question->database, json);

    if (rc >= 0)
        return json;
    json_decref(json);
    return weir_api_trouble(question, rc);
}

/* doing ---------------------------------------------------------------------------------- */

static const char *const deeds[] = {"confirm", "reject", "undo", "forget"};

/* What the body asks for; NULL: refused. */
static const char *asked(struct weir_api_question *question)
{
    const char *what;

    if (!weir_api_text(question, "do", &what))
        return NULL;
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
        if (strcmp(what, deeds[i]) == 0)
            return deeds[i];
    (void)weir_api_refuse(question, 400, "do is not confirm, reject, undo or forget");
    return NULL;
}

static json_t *run(struct weir_api_question *question, const char *what, const char *uid)
{
    return weir_api_do(question, json_pack("{s:o, s:s}", "do", json_sprintf("reports %s", what),
                                           "uid", uid));
}

json_t *weir_api_report_do(struct weir_api_question *question)
{
    const char *uid = weir_api_word(question, "uid"), *what = asked(question);
    uint64_t number;

    if (!what)
        return NULL;
    if (!weir_view_uid_read(uid, &number))
        return weir_api_refuse(question, 400, "that is not 16 hexadecimal digits");
    return run(question, what, uid);
}

/* The body's messages, all of them looked at; NULL: refused. */
static const json_t *asked_uids(struct weir_api_question *question)
{
    const json_t *uids = json_object_get(question->request->body, "uids"), *one;
    uint64_t number;
    size_t i;

    if (!json_is_array(uids) || json_array_size(uids) == 0 || json_array_size(uids) > AT_ONCE) {
        (void)weir_api_refuse(question, 400, "uids is no list of 1 to 100 numbers of messages");
        return NULL;
    }
    json_array_foreach(uids, i, one)
        if (!weir_view_uid_read(json_string_value(one), &number)) {
            (void)weir_api_refuse(question, 400, "one of uids is not 16 hexadecimal digits");
            return NULL;
        }
    return uids;
}

/* What decisions about several are based on: of each uid what the desk says. */
json_t *weir_api_reports_desk(struct weir_api_question *question)
{
    const json_t *uids = asked_uids(question), *one;
    json_t *json = json_object();
    int rc = 0;
    size_t i;

    json_array_foreach(uids, i, one) {
        json_t *row = json_pack("{s:O}", "uid", one);

        rc = rc < 0 ? rc : add_votes(question->database, row);
        json_object_set(json, json_string_value(one), json_object_get(row, "desk"));
        json_decref(row);
    }
    if (uids && rc >= 0)
        return json;
    json_decref(json);
    return uids ? weir_api_trouble(question, rc) : NULL;
}

json_t *weir_api_reports_do(struct weir_api_question *question)
{
    const char *what = asked(question);
    const json_t *uids = what ? asked_uids(question) : NULL, *one;
    json_t *answer;
    int done = 0;
    size_t i;

    if (!uids)
        return NULL;
    json_array_foreach(uids, i, one) {
        answer = run(question, what, json_string_value(one));
        if (!answer && question->code != 404)
            return NULL;
        done += answer != NULL;
        json_decref(answer);
    }
    question->code = 0;
    return json_pack("{s:i}", strcmp(what, "forget") == 0 ? "forgotten" : "done", done);
}
