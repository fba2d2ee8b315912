/*
 * api - everything that can be asked of the console: one table of routes, from which requests are
 * answered, the description (OpenAPI) is written, and roles are looked at.
 *
 *     {"GET", "/addresses/{prefix}", WEIR_VIEWER, "An address or network: ...", address_get}
 *
 * A path in the table is words; "{name}" stands for any one word, which the function finds under
 * that name.  Reading needs a viewer, changing an analyst, servers, accounts and thresholds an
 * administrator; the table says it for each.
 *
 * Arguments and members of a body that the table does not name are refused (400): misspelt, they
 * would change nothing, and say that they had.  What a request of several changes has done before
 * one is refused stays done.
 *
 * What changes something goes through the same verbs as weirctl's (monitor_verbs_io.h), so that
 * both do the same, with the same line in the audit: `who` is "user NAME" or "token NAME".
 *
 * Answers are JSON objects; lists come as {"rows": [...], "more": cursor or null, "now": ...} and,
 * with format=csv or format=json, as a file for download (api_file.h).  What each looks like is in
 * api_shapes.h.
 *
 * Owner:    the answer is the caller's.  Threads: any, several at once; what reads has a handle of
 *           the database of its own (console's pool).
 * Errors:   NULL, question->code (a status of HTTP) and question->why, one sentence for people.
 */
#ifndef WEIR_CONSOLE_API_H
#define WEIR_CONSOLE_API_H

#include "core/base/address.h"
#include "monitor/console/accounts.h"
#include "monitor/console/api_request.h"
#include "monitor/database/database_io.h"

#define WEIR_API_WHY 640
#define WEIR_API_RETRY 5 /* seconds: what is locked or full may be so no more */

struct weir_console;
struct weir_monitor;
struct weir_api_route;

struct weir_api_question {
    struct weir_console *console;
    struct weir_monitor *monitor;
    struct weir_database *database;              /* for reading; this question's own */
    const struct weir_api_request *request;
    const struct weir_api_route *route;
    struct weir_account account;                 /* who asks; nobody: he has not logged in */
    bool token;                                  /* a program's token, not a session */
    char session[WEIR_TOKEN_TEXT];               /* his; one that begins is set, "" ends it */
    char device[WEIR_TOKEN_TEXT];                /* its mark, or ""; one that is new is set */
    weir_time started;                           /* the session */
    struct weir_address from;                    /* where he is */
    weir_time now;
    unsigned page;                               /* of a file: rows that are read at once; else 0 */
    unsigned code;
    unsigned retry;                              /* with 429 and 503: seconds; 0: not told */
    char why[WEIR_API_WHY];
    json_t *present;                             /* with 409: what is there; taken by the answer */
};

typedef json_t *weir_api_function(struct weir_api_question *question);

struct weir_api_route {
    const char *method, *path;                   /* behind /api/v1 */
    enum weir_role least;
    const char *summary;
    const char *arguments;                       /* "name: what it is; name: ..." */
    const char *body;                            /* the same for the members of its body */
    weir_api_function *run;
    bool hashes;                                 /* passwords: two of them at once */
};

/* The route of a request: its number in the table; -404, or -405 when the path has others. */
int weir_api_find(const struct weir_api_request *request);

/* What comes of a question whose route was found, or NULL. */
json_t *weir_api_run(struct weir_api_question *question);
const struct weir_api_route *weir_api_routes(size_t *count_r);

/* The word of the path that stands for {name} of the route that was found. */
const char *weir_api_word(const struct weir_api_question *question, const char *name);

/* The word that stands for {number} as a number from 1 on; 0: it is none, refused with `what`. */
json_int_t weir_api_path_number(struct weir_api_question *question, const char *what);

/* Refuse, with a status and a sentence; always NULL.  503: and when to try again. */
json_t *weir_api_refuse(struct weir_api_question *question, unsigned code, const char *why);

/* The same for what the database says. */
json_t *weir_api_trouble(struct weir_api_question *question, int error);

/* A member of the body as text, "" when there is none; false: it is no text, refused. */
bool weir_api_text(struct weir_api_question *question, const char *name, const char **text_r);

/* How many rows are asked for: most=50, at most 500.  False: refused. */
#define WEIR_API_MOST 50
#define WEIR_API_MOST_MAX 500
/* Rows that are looked at for a page, whether they fit or not: it may end before it is full, with
 * a cursor to go on. */
#define WEIR_API_LOOKED 20000
bool weir_api_most(struct weir_api_question *question, unsigned *most_r);

/* The cursor after=, a number, or none.  False: refused. */
bool weir_api_after(struct weir_api_question *question, int64_t none, int64_t *after_r);

/* A list: rows and the cursor are taken (NULL: memory is short; there is nothing behind it). */
json_t *weir_api_rows(struct weir_api_question *question, json_t *rows, json_t *more);

/* What is done by a verb of weirctl's (monitor_verbs_io.h) with the members of `json`, which is
 * forgotten. */
json_t *weir_api_do(struct weir_api_question *question, json_t *json);

/* Runs a route's function; what is changed must still be what it was when the body says so
 * (api_was.c). */
json_t *weir_api_run_based(struct weir_api_question *question);

/* The whole table as OpenAPI 3.1; NULL when memory is short. */
json_t *weir_api_description(void);

#endif
