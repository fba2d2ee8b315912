/*
 * console_door - who asks: a session by its cookie, or a program by its token.
 *
 * Both are looked up by their hash, in the database, at each question: an account that is disabled,
 * a role that was changed, a session that was ended hold at once.  That one was used is noted every
 * few minutes only.
 */
#include <stdio.h>
#include <string.h>

#include "monitor/console/console_impl.h"
#include "monitor/database/database_accounts_io.h"
#include "monitor/monitor_accounts_io.h"

#define NOTE_EVERY (5 * WEIR_MINUTE)

static int refuse(struct weir_api_question *question, int status, const char *why)
{
    (void)weir_api_refuse(question, (unsigned)status, why);
    return status;
}

static int trouble(struct weir_api_question *question, int error)
{
    (void)weir_api_trouble(question, error);
    return (int)question->code;
}

static int by_token(struct weir_console *console, struct weir_asked *asked,
                    struct weir_api_question *question)
{
    struct weir_token token;
    int found;

    asked->who.token = true;
    weir_token_hash(asked->token, asked->who.hash);
    found = weir_database_token(question->database, asked->who.hash, question->now, &token);
    if (found < 0)
        return trouble(question, found);
    if (found == 0)
        return refuse(question, 401, "there is no such token, or it has ended");
    question->token = true;
    question->account.role = token.role;
    memcpy(question->account.name, token.name, sizeof token.name);
    if (question->now - token.used > NOTE_EVERY)
        (void)weir_accounts_used(console->monitor, NULL, token.number, question->now);
    return 0;
}

static int by_session(struct weir_console *console, struct weir_asked *asked,
                      struct weir_api_question *question)
{
    bool listens = !question->route->run;
    struct weir_session session;
    int found;

    weir_token_hash(asked->session, asked->who.hash);
    found = weir_accounts_session(console->monitor, question->database, asked->who.hash,
                                  question->now, !listens, &session);
    if (found < 0)
        return trouble(question, found);
    if (found == 0)
        return refuse(question, 401, "the session is over: log in again");
    question->account = session.account;
    question->started = session.started;
    memcpy(question->session, asked->session, WEIR_TOKEN_TEXT);
    if (!listens && question->now - session.used > NOTE_EVERY)
        (void)weir_accounts_used(console->monitor, asked->session, 0, question->now);
    return 0;
}

bool weir_console_knows(struct weir_worker *feed, const struct weir_feed_who *who)
{
    weir_time now = weir_clock_now(&feed->console->wall);
    struct weir_session session;
    struct weir_token token;
    int found;

    if (who->token) {
        found = weir_database_token(feed->database, who->hash, now, &token);
        return found < 0 || (found > 0 && token.role == who->role);
    }
    found = weir_accounts_session(feed->console->monitor, feed->database, who->hash, now,
                                  false, &session);
    return found < 0 || (found > 0 && session.account.role == who->role);
}

/* Whether what changes something comes from a page of ours. */
static bool is_ours(const struct weir_asked *asked, const char *session)
{
    char csrf[WEIR_TOKEN_TEXT];

    weir_token_csrf(session, csrf);
    return strcmp(asked->request.method, "GET") == 0 || weir_token_same(csrf, asked->csrf);
}

int weir_console_identify(struct weir_console *console, struct weir_asked *asked,
                          struct weir_api_question *question)
{
    enum weir_role least = question->route->least;
    int status;

    if (least == WEIR_NOBODY)
        return 0;
    if (asked->near && !asked->bears) {
        question->account.role = WEIR_VIEWER;
        memcpy(question->session, asked->session, WEIR_TOKEN_TEXT); /* it stays as it is */
        return 0;
    }
    if (asked->bears) {
        if (!asked->token[0])
            return refuse(question, 401, "that is no token: Authorization: Bearer TOKEN");
        status = by_token(console, asked, question);
    } else if (asked->session[0]) {
        status = by_session(console, asked, question);
    } else {
        return refuse(question, 401, "log in first");
    }
    if (status != 0)
        return status;
    if (!question->token && !is_ours(asked, asked->session))
        return refuse(question, 403, "the field Weir-Csrf is missing, or another session's");
    asked->who.role = question->account.role;
    if (question->account.role < least) {
        snprintf(question->why, sizeof question->why, "this needs the role %s",
                 weir_role_name(least));
        question->code = 403;
        return 403;
    }
    return 0;
}
