/*
 * api_people - accounts, tokens, and the audit.
 */
#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/view/view_accounts.h"

/* What the body says, as a question for the monitor about somebody. */
static json_t *asked(const struct weir_api_question *question, const char *verb, const char *name)
{
    json_t *json = question->request->body ? json_copy(question->request->body) : json_object();

    json_object_set_new(json, "do", json_string(verb));
    if (name)
        json_object_set_new(json, "name", json_string(name));
    return json;
}

static int add_account(void *context, const struct weir_account *account)
{
    return json_array_append_new(context, weir_view_account(account)) < 0 ? WEIR_ENOMEM : 0;
}

static int add_token(void *context, const struct weir_token *token)
{
    return json_array_append_new(context, weir_view_token(token)) < 0 ? WEIR_ENOMEM : 0;
}

json_t *weir_api_users(struct weir_api_question *question)
{
    json_t *rows = json_array();
    int done = weir_database_accounts(question->database, add_account, rows);

    if (done >= 0)
        return weir_api_rows(question, rows, NULL);
    json_decref(rows);
    return weir_api_trouble(question, done);
}

json_t *weir_api_tokens(struct weir_api_question *question)
{
    json_t *rows = json_array();
    int done = weir_database_tokens(question->database, add_token, rows);

    if (done >= 0)
        return weir_api_rows(question, rows, NULL);
    json_decref(rows);
    return weir_api_trouble(question, done);
}

json_t *weir_api_user_add(struct weir_api_question *question)
{
    return weir_api_do(question, asked(question, "user add", NULL));
}

json_t *weir_api_user_put(struct weir_api_question *question)
{
    const json_t *password = json_object_get(question->request->body, "password");
    const char *name = weir_api_word(question, "name");
    json_t *json;

    if (password && !json_is_boolean(password))
        return weir_api_refuse(question, 400, "password is neither true nor false: it is made "
                               "here, and told once");
    json = asked(question, "user set", name);
    json_object_del(json, "password");
    json = weir_api_do(question, json);
    if (!json || !json_is_true(password))
        return json;
    json_decref(json);
    return weir_api_do(question, json_pack("{s:s, s:s}", "do", "user password", "name", name));
}

json_t *weir_api_user_remove(struct weir_api_question *question)
{
    return weir_api_do(question, asked(question, "user remove", weir_api_word(question, "name")));
}

json_t *weir_api_token_add(struct weir_api_question *question)
{
    return weir_api_do(question, asked(question, "token add", NULL));
}

json_t *weir_api_token_remove(struct weir_api_question *question)
{
    return weir_api_do(question, asked(question, "token remove",
                                       weir_api_word(question, "name")));
}

/* audit ------------------------------------------------------------------------------------ */

struct lines {
    unsigned most;
    int64_t last;                /* of those told; behind them there is more */
    bool more;
    json_t *rows;
};

static int add_line(void *context, const struct weir_audit *line)
{
    struct lines *lines = context;

    lines->more = json_array_size(lines->rows) == lines->most;
    if (lines->more)
        return 1;
    lines->last = line->number;
    return json_array_append_new(lines->rows, weir_view_audit(line)) < 0 ? WEIR_ENOMEM : 0;
}

json_t *weir_api_audit(struct weir_api_question *question)
{
    struct weir_audit_choice choice = {.who = weir_api_argument(question->request, "who"),
                                       .what = weir_api_argument(question->request, "what")};
    struct lines lines = {.last = 0};
    int done;

    if (!weir_api_most(question, &lines.most) || !weir_api_after(question, 0, &choice.before))
        return NULL;
    choice.most = lines.most + 1;
    lines.rows = json_array();
    done = weir_database_audits(question->database, &choice, add_line, &lines);
    if (done >= 0)
        return weir_api_rows(question, lines.rows,
                             lines.more ? json_sprintf("%lld", (long long)lines.last) : NULL);
    json_decref(lines.rows);
    return weir_api_trouble(question, done);
}
