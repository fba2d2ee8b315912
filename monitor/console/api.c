/*
 * api - the table of routes, and what their functions share.
 */
#include "monitor/console/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/api_live.h"
#include "monitor/monitor_verbs_io.h"

#define MOST "most: rows at most (50, at most 500, of a file 100000); after: the cursor of the " \
    "page before"
#define AS_FILE "format: csv or json, for download: all of it, or 100000 rows, and then the " \
    "field Weir-More is the cursor of what follows"
#define AS_FILES "; " AS_FILE
#define NAME "name: letters, digits, '-', '_', '.', '@'"
#define WHY "reason: why, kept with it"
#define ROLE "role: viewer, analyst or administrator"
#define WAS "was: what was read before, as far as it matters, or null where there was none. When " \
    "it is something else by now, nothing is done, and 409 tells what is there as present"
#define DEED "do: confirm (what people say of it is right), reject (it is wrong), undo (takes " \
    "one's own decision back), forget (deletes its text)"
#define THRESHOLD "prefixes: whom it is for, with blanks; rate: three numbers a second, of " \
    "connections, messages, recipients; maximum: three, how many at once; observe: false: it " \
    "acts; ladder: what is done"
#define ENDS "ends: when it ends, seconds since 1970"

static const struct weir_api_route routes[] = {
    {"POST", "/login", WEIR_NOBODY, "Logs in: the session is a cookie.", NULL,
     "name: of the account; password: its password", weir_api_login, true},
    {"POST", "/logout", WEIR_VIEWER, "Ends the session.", NULL, NULL, weir_api_logout, false},
    {"GET", "/me", WEIR_VIEWER, "Who has logged in, the token for Weir-Csrf, roles, and limits of "
     "what is sent.", NULL, NULL, weir_api_me, false},
    {"POST", "/me/password", WEIR_VIEWER, "Changes one's own password; other sessions end.", NULL,
     "old: the password; new: the new one", weir_api_my_password, true},
    {"GET", "/overview", WEIR_VIEWER, "Mail by verdict, servers, and what needs attention.",
     "hours: so far back (24, at most 720)", NULL, weir_api_overview, false},
    {"GET", "/traffic", WEIR_VIEWER, "Who does most.",
     "minutes: of the last minutes (10, at most 43200); by: connections, syns, messages, accepted "
     "or recipients; level: address or network; most: rows at most (50, at most "
     "500, of a file, too). looked_to: where it looked at the end of that time only" AS_FILES,
     NULL, weir_api_traffic, false},
    {"GET", "/traffic/minutes", WEIR_VIEWER, "What all addresses did, minute by minute.",
     "minutes: so far back (180, at most 1440)" AS_FILES, NULL, weir_api_minutes, false},
    {"GET", "/addresses/{prefix}", WEIR_VIEWER, "All that is known of an address or network.",
     "minutes: of its history (180, at most 43200), of which 2880 are looked at at once, and "
     "looked_to says how far that was; to: its end, a time or an age as 7d (now)", NULL,
     weir_api_address, false},
    {"POST", "/addresses/{prefix}/block", WEIR_ANALYST, "Refuses its mail, or gives it points.",
     NULL, "list: blacklist or score; defer: true: for now only; points: on the list score; " ENDS
     "; " WHY "; " WAS,
     weir_api_block, false},
    {"POST", "/addresses/{prefix}/undo", WEIR_ANALYST, "Takes back what stands about it, and "
     "fills its buckets.", NULL, "accept: true: and accepts it from now on; " ENDS "; " WHY
     "; " WAS,
     weir_api_undo, false},
    {"POST", "/addresses/{prefix}/restore", WEIR_ANALYST, "Puts back what was taken back, as far "
     "as it would still stand.", NULL, "at: when it was taken back, as undo answered; " WHY,
     weir_api_restore, false},
    {"POST", "/addresses/{prefix}/accept", WEIR_ANALYST, "Accepts its mail, whatever it does; "
     "more than a /16 (IPv6: a /32) only an administrator.",
     NULL, ENDS "; " WHY "; " WAS,
     weir_api_accept, false},
    {"POST", "/addresses/{prefix}/unaccept", WEIR_ANALYST, "Takes an acceptance back: what "
     "it took back stands again, as far as it would still stand.", NULL, WHY "; " WAS,
     weir_api_unaccept, false},
    {"GET", "/servers", WEIR_VIEWER, "Mail servers, and how they are.", AS_FILE, NULL,
     weir_api_servers, false},
    {"POST", "/servers", WEIR_ADMINISTRATOR, "Lets a server's agent in: its identity, told once.",
     NULL, "name: of the server", weir_api_server_add, false},
    {"POST", "/servers/{name}/revoke", WEIR_ADMINISTRATOR, "Lets its agent in no more.", NULL,
     NULL, weir_api_server_revoke, false},
    {"GET", "/alerts", WEIR_VIEWER, "Limits that were passed, servers that fell silent, ...",
     "open: 1: only those that stand; kind: only of this kind; number: only this one; since: a "
     "time, or an age as 7d; " MOST AS_FILES, NULL, weir_api_alerts, false},
    {"POST", "/alerts/{number}/acknowledge", WEIR_ANALYST, "Somebody knows of it.", NULL,
     "note: what is to be known about it", weir_api_acknowledge, false},
    {"POST", "/alerts/{number}/unacknowledge", WEIR_ANALYST, "Takes that back.", NULL, NULL,
     weir_api_unacknowledge, false},
    {"GET", "/silences", WEIR_VIEWER, "Alerts that for now nobody is told of.",
     "all: 1: those that are over, too; " MOST AS_FILES, NULL, weir_api_silences, false},
    {"POST", "/silences", WEIR_ANALYST, "For so long nobody is told of alerts about something; "
     "they are recorded, and what is done stays as it is. One that is wide is an administrator's: "
     "without prefix, of more than a /16 (IPv6: a /32), or for more than 30 days.", NULL,
     "prefix: an address or network; threshold: its name; server: its name: what it alone saw; "
     "kind: of alerts, threshold: one of these four at least, and all that are "
     "given; " ENDS "; " WHY,
     weir_api_silence_add, false},
    {"POST", "/silences/{number}/end", WEIR_ANALYST, "Ends one before its time.", NULL, NULL,
     weir_api_silence_end, false},
    {"GET", "/lists", WEIR_VIEWER, "What stands for all servers: refused, scored, accepted.",
     "list: blacklist, score or accept; " MOST AS_FILES, NULL, weir_api_lists, false},
    {"GET", "/thresholds", WEIR_VIEWER, "How much addresses may do.", AS_FILE, NULL,
     weir_api_thresholds, false},
    {"PUT", "/thresholds/{name}", WEIR_ADMINISTRATOR, "Makes or changes one.", NULL,
     THRESHOLD "; " WAS,
     weir_api_threshold_put, false},
    {"POST", "/thresholds/try", WEIR_ANALYST, "Whom one would have caught in recorded traffic.",
     NULL, "name: of the threshold (default); hours: so far back (24, at most 168); " THRESHOLD,
     weir_api_threshold_try, false},
    {"DELETE", "/thresholds/{name}", WEIR_ADMINISTRATOR, "Takes one away.", NULL, WAS,
     weir_api_threshold_remove, false},
    {"GET", "/messages", WEIR_VIEWER, "Recent messages, the newest first.",
     "address: of an address or network; domain: exactly; queue: id of a mail server's queue, "
     "exactly; uid: 16 hexadecimal digits; verdict: ham, unsure, spam or blocked; rule: a name or "
     "number; server: a name, or several with ',' between; from: a time, or an age as 7d; to: the "
     "same; reported: ham or spam; " MOST ". looked_to: where a page ends before it is full, for "
     "few fit" AS_FILES, NULL, weir_api_messages, false},
    {"GET", "/messages/{uid}", WEIR_VIEWER, "One of them, and why it was decided so.", NULL, NULL,
     weir_api_message, false},
    {"GET", "/reports", WEIR_VIEWER, "What people reported, the newest first.",
     "state: of the string, or what came of it; kind: spam or ham; waiting: 1: only messages whose "
     "text is kept and of which nobody at the desk has decided; user: a name; since: a "
     "time, or an age as 7d; " MOST AS_FILES, NULL, weir_api_reports, false},
    {"GET", "/reports/{uid}", WEIR_ANALYST, "A reported message as text, its string read.", NULL,
     NULL, weir_api_report, false},
    {"POST", "/reports/{uid}", WEIR_ANALYST, "Decides about a reported message.", NULL,
     DEED "; " WAS, weir_api_report_do, false},
    {"POST", "/reports", WEIR_ANALYST, "The same for several.", NULL,
     "uids: 16 hexadecimal digits each, 100 at most; " DEED "; " WAS ": of each uid what the desk "
     "said", weir_api_reports_do, false},
    {"GET", "/rules", WEIR_VIEWER, "The rulebook with what its rules hit.",
     "sort: a column, -column downwards; where: conditions, as spam>100,state=active; state: "
     "active, test, draft, retired or locked; q: a part of the name or text; " MOST AS_FILES, NULL,
     weir_api_rules, false},
    {"GET", "/rules/{name}", WEIR_VIEWER, "A rule, what it did, and why it scores what it scores.",
     "most: messages and changes at most (50, at most 500)", NULL, weir_api_rule, false},
    {"GET", "/rules/{name}/history", WEIR_VIEWER, "Who or what changed it, when, and why.",
     MOST AS_FILES, NULL, weir_api_rule_history, false},
    {"POST", "/rules", WEIR_ANALYST, "Puts rules into the rulebook: all that is in the text, or "
     "nothing.", NULL, "text: lines of a rule file; state: of all of them; dry: true: only looks; "
     WHY "; " WAS,
     weir_api_rules_add, false},
    {"POST", "/rules/test", WEIR_ANALYST, "Tries lines of a rule file on what people reported.",
     NULL, "text: lines of a rule file; most: of the messages they hit (50, at most 500)",
     weir_api_rules_test, false},
    {"PUT", "/rules/{name}", WEIR_ANALYST, "Changes a rule.", NULL,
     "score: its points; low: programs take it no lower; high: nor higher; state: active, test, "
     "draft, retired or locked; approved: true: a draft goes to the test; force: true: although "
     "formulas name it; text: its lines; " WHY "; " WAS,
     weir_api_rule_put, false},
    {"POST", "/rules/{name}/reject", WEIR_ANALYST, "A draft is not to be a rule, nor any alike.",
     NULL, WHY "; " WAS,
     weir_api_rule_reject, false},
    {"POST", "/analyze", WEIR_ANALYST, "Moves scores by what rules hit.", NULL,
     "dry: true: only looks", weir_api_analyze, false},
    {"POST", "/publish", WEIR_ANALYST, "Makes the rulebook the rule set of all servers.", NULL,
     "dry: true: only looks; force: true: although it would make spam of good mail; " WHY "; "
     WAS ", as /sets/newest tells it",
     weir_api_publish, false},
    {"POST", "/rollback", WEIR_ANALYST, "Publishes what an earlier set had, once more.", NULL,
     "serial: of that set; dry: true: only looks; " WHY "; " WAS ", as /sets/newest tells it",
     weir_api_rollback, false},
    {"GET", "/sets", WEIR_VIEWER, "Rule sets that were published.", AS_FILE, NULL, weir_api_sets,
     false},
    {"GET", "/sets/newest", WEIR_VIEWER, "The serial of the newest set, and the number of the last "
     "change of a rule: what publishing is based on.", NULL, NULL, weir_api_rules_state, false},
    {"GET", "/sets/diff", WEIR_VIEWER, "What differs between two of them.",
     "from: a serial; to: another" AS_FILES, NULL, weir_api_sets_diff, false},
    {"GET", "/audit", WEIR_VIEWER, "Who did what.",
     "who: only of this one; what: only this; " MOST AS_FILES, NULL, weir_api_audit, false},
    {"GET", "/users", WEIR_ADMINISTRATOR, "Who may use the console.", AS_FILE, NULL,
     weir_api_users, false},
    {"POST", "/users", WEIR_ADMINISTRATOR, "Makes an account: its password, told once.", NULL,
     NAME "; " ROLE, weir_api_user_add, true},
    {"PUT", "/users/{name}", WEIR_ADMINISTRATOR, "Changes one; password: a new one, told once.",
     NULL, ROLE "; disabled: true or false; password: true: a new one; " WAS,
     weir_api_user_put, true},
    {"DELETE", "/users/{name}", WEIR_ADMINISTRATOR, "Removes one.", NULL, WAS,
     weir_api_user_remove, false},
    {"GET", "/tokens", WEIR_ADMINISTRATOR, "Programs that may use this.", AS_FILE, NULL,
     weir_api_tokens, false},
    {"POST", "/tokens", WEIR_ADMINISTRATOR, "Makes a token, told once.", NULL,
     NAME "; " ROLE "; " ENDS ", 0: never", weir_api_token_add, false},
    {"DELETE", "/tokens/{name}", WEIR_ADMINISTRATOR, "Removes one, and those that were made with "
     "it.", NULL, NULL, weir_api_token_remove, false},
    {"GET", "/metrics", WEIR_VIEWER, "The monitor in numbers, as Prometheus reads them: text, not "
     "JSON; /metrics is the same.", NULL, NULL, weir_api_metrics, false},
    {"GET", "/openapi.json", WEIR_VIEWER, "This description.", NULL, NULL, weir_api_openapi,
     false},
    {"GET", "/live", WEIR_VIEWER, "Server-sent events: what is new, as it comes.", NULL, NULL,
     NULL, false},
};

const struct weir_api_live weir_api_live[WEIR_API_LIVE] = {
    {"traffic", 1, weir_api_traffic},
    {"events", 1, weir_api_alerts},
    {"lists", 1, weir_api_lists},
    {"servers", 2, weir_api_servers},
    {"reports", 2, weir_api_reports},
    {"rules", 1, weir_api_rules_state},
    {"overview", 5, weir_api_overview},
};

const struct weir_api_route *weir_api_routes(size_t *count_r)
{
    *count_r = sizeof routes / sizeof routes[0];
    return routes;
}

/* finding ---------------------------------------------------------------------------------- */

/* Whether a request's words are those of a path. */
static bool fits(const struct weir_api_request *request, const char *path)
{
    size_t i = 0;

    while (*path == '/') {
        size_t len = strcspn(++path, "/");

        if (i == request->words)
            return false;
        if (path[0] != '{' && (strlen(request->word[i]) != len ||
                               memcmp(request->word[i], path, len) != 0))
            return false;
        path += len;
        i++;
    }
    return i == request->words;
}

int weir_api_find(const struct weir_api_request *request)
{
    int found = -404;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!fits(request, routes[i].path))
            continue;
        if (strcmp(routes[i].method, request->method) == 0)
            return (int)i;
        found = -405;
    }
    return found;
}

const char *weir_api_word(const struct weir_api_question *question, const char *name)
{
    const char *path = question->route->path;
    size_t len = strlen(name);

    for (size_t i = 0; *path == '/'; i++) {
        size_t word = strcspn(++path, "/");

        if (word == len + 2 && path[0] == '{' && memcmp(path + 1, name, len) == 0)
            return question->request->word[i];
        path += word;
    }
    return "";
}

/* Whether a list of the table ("name: what it is; name: ...") has a name. */
static bool has(const char *list, const char *name)
{
    size_t len = strlen(name);

    while (list && *list) {
        list += strspn(list, "; ");
        if (strncmp(list, name, len) == 0 && list[len] == ':')
            return true;
        list += strcspn(list, ";");
    }
    return false;
}

static bool refuse_unknown(struct weir_api_question *question, const char *what, const char *name)
{
    char why[WEIR_API_WHY];

    snprintf(why, sizeof why, "%.80s is no %s of this", name, what);
    (void)weir_api_refuse(question, 400, why);
    return false;
}

/* What the table does not name is misspelt, or meant for something else: it is not passed over. */
static bool is_known(struct weir_api_question *question)
{
    const struct weir_api_request *request = question->request;
    const char *name;
    json_t *value;

    for (size_t i = 0; i < request->arguments; i++)
        if (!has(question->route->arguments, request->argument[i].name))
            return refuse_unknown(question, "argument", request->argument[i].name);
    json_object_foreach(request->body, name, value)
        if (!has(question->route->body, name))
            return refuse_unknown(question, "member", name);
    return true;
}

json_t *weir_api_run(struct weir_api_question *question)
{
    json_t *json = is_known(question) ? weir_api_run_based(question) : NULL;

    if (!json && question->code == 0)
        return weir_api_refuse(question, 500, "memory is short");
    return json;
}

/* what functions share --------------------------------------------------------------------- */

json_t *weir_api_refuse(struct weir_api_question *question, unsigned code, const char *why)
{
    question->code = code;
    if (question->retry == 0 && code == 503)
        question->retry = WEIR_API_RETRY;
    snprintf(question->why, sizeof question->why, "%s", why);
    return NULL;
}

/* What goes wrong with the database is told without the name of its file. */
static json_t *refuse_trouble(struct weir_api_question *question, unsigned code, const char *why)
{
    const char *path = weir_database_path(question->database);
    size_t len = strlen(path);
    char words[WEIR_API_WHY];

    if (strncmp(why, path, len) == 0 && why[len] == ':')
        why += len + 1 + strspn(why + len + 1, " ");
    snprintf(words, sizeof words, "%s%s",
             code == 503 ? "the database cannot be written now: " : "", why);
    return weir_api_refuse(question, code, words);
}

json_t *weir_api_trouble(struct weir_api_question *question, int error)
{
    return refuse_trouble(question, 500, error == WEIR_ENOMEM
                                             ? "memory is short"
                                             : weir_database_why(question->database));
}

bool weir_api_text(struct weir_api_question *question, const char *name, const char **text_r)
{
    const json_t *value = json_object_get(question->request->body, name);
    char why[96];

    *text_r = value ? json_string_value(value) : "";
    if (*text_r)
        return true;
    snprintf(why, sizeof why, "%s is no text", name);
    (void)weir_api_refuse(question, 400, why);
    return false;
}

json_int_t weir_api_path_number(struct weir_api_question *question, const char *what)
{
    const char *text = weir_api_word(question, "number");
    long long number;
    char *end;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno == 0 && *end == '\0' && number >= 1)
        return number;
    (void)weir_api_refuse(question, 400, what);
    return 0;
}

bool weir_api_most(struct weir_api_question *question, unsigned *most_r)
{
    int64_t most = question->page;

    if (most == 0 && !weir_api_number(question->request, "most", 1, WEIR_API_MOST_MAX,
                                      WEIR_API_MOST, &most)) {
        (void)weir_api_refuse(question, 400, "most is no number from 1 to 500");
        return false;
    }
    *most_r = (unsigned)most;
    return true;
}

bool weir_api_after(struct weir_api_question *question, int64_t none, int64_t *after_r)
{
    if (weir_api_number(question->request, "after", 0, INT64_MAX, none, after_r))
        return true;
    (void)weir_api_refuse(question, 400, "after is not a cursor of the page before");
    return false;
}

json_t *weir_api_rows(struct weir_api_question *question, json_t *rows, json_t *more)
{
    return json_pack("{s:o, s:o, s:o?}", "now", weir_view_time(question->now), "rows", rows,
                     "more", more ? more : json_null());
}

json_t *weir_api_do(struct weir_api_question *question, json_t *json)
{
    char who[WEIR_ACCOUNT_NAME_MAX + 8];
    struct weir_question asked = {.monitor = question->monitor, .json = json, .who = who,
                                  .now = question->now,
                                  .narrow = question->account.role < WEIR_ADMINISTRATOR};
    json_t *answer = NULL;

    snprintf(who, sizeof who, "%s %s", question->token ? "token" : "user",
             question->account.name);
    if (json)
        answer = weir_verb_run(&asked);
    json_decref(json);
    if (!answer)
        return refuse_trouble(question, asked.code ? asked.code : 500,
                              asked.why[0] ? asked.why : "memory is short");
    return answer;
}
