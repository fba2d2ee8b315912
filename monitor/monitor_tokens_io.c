/*
 * tokens - verbs: programs are let in, and no more.
 *
 * A token that is made with a token belongs to whom that one does, and ends when it does: somebody
 * who had a token for a while has nothing left of it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"
#include "monitor/database/database_accounts_io.h"
#include "monitor/monitor_accounts_io.h"
#include "monitor/monitor_verbs_impl.h"

#define DETAIL 160
#define PROGRAM "token " /* and a name: who asks is a program */

static bool read_token(struct weir_question *question, struct weir_token *token)
{
    const json_t *ends = json_object_get(question->json, "ends");
    json_int_t seconds = json_integer_value(ends);
    bool fits = seconds >= 0 && seconds <= INT64_MAX / WEIR_SECOND;

    token->role = weir_verb_role(question);
    token->added = question->now;
    token->who = question->who;
    token->ends = fits ? (weir_time)seconds * WEIR_SECOND : 0;
    if (!weir_account_name_fit(weir_slice_of(weir_verb_text(question, "name"))))
        (void)weir_verb_refuse(question, "that is no name: letters, digits, '-', '_', '.', '@', "
                               "32 at most");
    else if (token->role == WEIR_NOBODY)
        (void)weir_verb_refuse(question, "role is not one of viewer, analyst, administrator");
    else if (ends && (!json_is_integer(ends) || (seconds != 0 && token->ends <= question->now)))
        (void)weir_verb_refuse(question, "ends is no time in the future");
    else
        snprintf(token->name, sizeof token->name, "%s", weir_verb_text(question, "name"));
    return token->name[0] != '\0';
}

/* A token that makes another one. */
struct maker {
    const char *name;
    char who[WEIR_TOKEN_WHO];    /* of what it makes */
    weir_time ends;
};

static int note_maker(void *context, const struct weir_token *token)
{
    struct maker *maker = context;

    if (strcmp(token->name, maker->name) != 0)
        return 0;
    maker->ends = token->ends;
    snprintf(maker->who, sizeof maker->who, "%s" WEIR_TOKEN_BY "%s", token->owner, token->name);
    return 1;
}

/* What a program makes is its owner's, and lasts no longer than what it asks with.  False:
 * refused. */
static bool inherit(struct weir_question *question, struct maker *maker, struct weir_token *token)
{
    if (strncmp(question->who, PROGRAM, sizeof PROGRAM - 1) != 0)
        return true;
    maker->name = question->who + sizeof PROGRAM - 1;
    if (weir_database_tokens(question->monitor->database, note_maker, maker) < 0)
        (void)weir_verb_trouble(question);
    else if (!maker->who[0])
        (void)weir_verb_refuse(question, "the token that asks is no more");
    else if (maker->ends != 0 && (token->ends == 0 || token->ends > maker->ends))
        (void)weir_verb_refuse(question, "ends is later than the end of the token that asks");
    else
        token->who = maker->who;
    return token->who == maker->who;
}

json_t *weir_verb_token_add(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    char text[WEIR_TOKEN_TEXT], detail[DETAIL];
    struct weir_token token = {.number = 0};
    struct maker maker = {.ends = 0};
    uint8_t hash[WEIR_TOKEN_HASH];
    int done;

    if (!read_token(question, &token) || !inherit(question, &maker, &token))
        return NULL;
    weir_token_new(text);
    weir_token_hash(text, hash);
    snprintf(detail, sizeof detail, "%s: %s", token.name, weir_role_name(token.role));
    done = weir_database_begin(database);
    if (done == 0)
        done = weir_database_token_add(database, &token, hash);
    done = weir_verb_end(question, done, true, "token add", detail);
    if (done == WEIR_EINVAL)
        return weir_verb_refuse(question, "there is a token of this name already");
    return done < 0 ? weir_verb_trouble(question)
                    : json_pack("{s:s, s:s, s:s}", "name", token.name, "role",
                                weir_role_name(token.role), "token", text);
}

struct removing {
    const char *asked;           /* names are alike whatever their case */
    char name[WEIR_ACCOUNT_NAME_MAX + 1], was[DETAIL];
    json_t *others;              /* names of those it made */
};

static int note_removed(void *context, const struct weir_token *token)
{
    struct removing *removing = context;

    if (strcasecmp(token->name, removing->asked) != 0)
        return json_array_append_new(removing->others, json_string(token->name)) < 0 ? WEIR_ENOMEM
                                                                                      : 0;
    snprintf(removing->name, sizeof removing->name, "%s", token->name);
    snprintf(removing->was, sizeof removing->was, "was %s, made by %s",
             weir_role_name(token->role), token->who);
    return 0;
}

static void describe(const struct removing *removing,
                     char detail[static WEIR_DATABASE_TEXT_MAX + 1])
{
    struct weir_line line = weir_line(detail, WEIR_DATABASE_TEXT_MAX + 1);
    const json_t *name;
    size_t i;

    weir_line_text(&line, removing->name);
    weir_line_text(&line, ": ");
    weir_line_text(&line, removing->was);
    json_array_foreach(removing->others, i, name) {
        weir_line_text(&line, i == 0 ? "; its tokens end: " : ", ");
        weir_line_text(&line, json_string_value(name));
    }
    (void)weir_line_end(&line);
}

json_t *weir_verb_token_remove(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    struct removing removing = {.asked = weir_verb_text(question, "name"),
                                .others = json_array()};
    char detail[WEIR_DATABASE_TEXT_MAX + 1];
    int done = weir_database_begin(database);

    if (done == 0)
        done = weir_database_token_remove(database, removing.asked, note_removed, &removing);
    describe(&removing, detail);
    done = weir_verb_end(question, done, done > 0, "token remove", detail);
    if (done > 0)
        return json_pack("{s:s, s:b, s:o}", "name", removing.name, "removed", 1, "tokens",
                         removing.others);
    json_decref(removing.others);
    return done < 0 ? weir_verb_trouble(question)
                    : weir_verb_unknown(question, "there is no such token");
}

static int tell_unowned(void *context, const struct weir_token *token)
{
    struct weir_monitor *monitor = context;

    if (strncmp(token->owner, PROGRAM, strlen(PROGRAM)) == 0)
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "token %s was made by %s, which is no "
                 "more: it is nobody's, and ends with no account (weirctl token remove)",
                 token->name, token->who);
    return 0;
}

int weir_accounts_tell_unowned(struct weir_monitor *monitor)
{
    int done = weir_database_tokens(monitor->database, tell_unowned, monitor);

    return done < 0 ? done : 0;
}
