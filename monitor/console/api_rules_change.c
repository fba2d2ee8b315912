/*
 * api_rules_change - changes of the rulebook, by the verbs of weirctl.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/console/api_impl.h"
#include "monitor/database/database_rules_io.h"

/* Members of the body that have to be numbers, or truths, and are.  False: refused. */
static bool are_typed(struct weir_api_question *question)
{
    static const struct { const char *name; bool number; } members[] = {
        {"score", true}, {"low", true}, {"high", true}, {"serial", true}, {"approved", false},
        {"dry", false}, {"force", false},
    };
    char why[64];

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *value = json_object_get(question->request->body, members[i].name);

        if (!value || (members[i].number ? json_is_number(value) : json_is_boolean(value)))
            continue;
        snprintf(why, sizeof why, "%s is %s", members[i].name,
                 members[i].number ? "no number" : "neither true nor false");
        (void)weir_api_refuse(question, 400, why);
        return false;
    }
    return true;
}

/* The body as a question; NULL: refused. */
static json_t *asked(struct weir_api_question *question, const char *verb, const char *name)
{
    const char *reason, *state;
    json_t *json;

    if (!are_typed(question) || !weir_api_text(question, "reason", &reason) ||
        !weir_api_text(question, "state", &state))
        return NULL;
    if (strlen(reason) > WEIR_DATABASE_TEXT_MAX) {
        (void)weir_api_refuse(question, 400, "reason is too long");
        return NULL;
    }
    json = question->request->body ? json_copy(question->request->body) : json_object();
    json_object_set_new(json, "do", json_string(verb));
    json_object_del(json, "text"); /* goes as a file */
    if (name)
        json_object_set_new(json, "name", json_string(name));
    return json;
}

static json_t *do_it(struct weir_api_question *question, const char *verb, const char *name)
{
    json_t *json = asked(question, verb, name);

    return json ? weir_api_do(question, json) : NULL;
}

/* adding ----------------------------------------------------------------------------------- */

/* What is wrong with lines, in one sentence; the answer is taken. */
static json_t *tell_problems(struct weir_api_question *question, json_t *answer)
{
    const json_t *problems = json_object_get(answer, "problems");
    const json_t *first = json_array_get(problems, 0);
    long long more = (long long)json_array_size(problems) - 1 +
                     (long long)json_integer_value(json_object_get(answer, "more"));
    char why[WEIR_API_WHY], rest[48] = "";

    if (!problems)
        return answer;
    if (more > 0)
        snprintf(rest, sizeof rest, "; and %lld more", more);
    snprintf(why, sizeof why, "line %lld: %.500s%s",
             (long long)json_integer_value(json_object_get(first, "line")),
             json_string_value(json_object_get(first, "why")), rest);
    json_decref(answer);
    return weir_api_refuse(question, 400, why);
}

/* Of a rule that is there the state is set apart: here it would be that of all rules of a file. */
enum adding { NEW, KNOWN, KNOWN_DRY };

static json_t *add(struct weir_api_question *question, const char *text, enum adding adding)
{
    size_t len = strlen(text);
    size_t room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
    json_t *json = asked(question, "rules add", NULL), *answer;
    char *base64 = json ? malloc(room) : NULL;

    if (adding != NEW)
        json_object_del(json, "state");
    if (adding == KNOWN_DRY)
        json_object_set_new(json, "dry", json_true());
    if (base64) {
        sodium_bin2base64(base64, room, (const unsigned char *)text, len,
                          sodium_base64_VARIANT_ORIGINAL);
        json_object_set_new(json, "files", json_pack("[{s:s, s:s}]", "name", "console", "base64",
                                                     base64));
    }
    free(base64);
    answer = json ? weir_api_do(question, json) : NULL;
    return answer ? tell_problems(question, answer) : NULL;
}

json_t *weir_api_rules_add(struct weir_api_question *question)
{
    const char *text;

    if (!weir_api_text(question, "text", &text))
        return NULL;
    if (!text[0])
        return weir_api_refuse(question, 400, "text has no rule");
    return add(question, text, NEW);
}

/* For weir_api_run_based(): null when none of the lines' rules is in the book; or refused. */
json_t *weir_api_rules_there(struct weir_api_question *question)
{
    json_t *dry = json_incref(json_object_get(question->request->body, "dry")), *answer;
    const char *taken;
    char why[128];

    json_object_set_new(question->request->body, "dry", json_true());
    answer = weir_api_rules_add(question);
    json_object_del(question->request->body, "dry");
    if (dry)
        json_object_set_new(question->request->body, "dry", dry);
    if (!answer)
        return NULL;
    taken = json_string_value(json_array_get(
        json_object_get(json_object_get(answer, "names"), "changed"), 0));
    snprintf(why, sizeof why, "a rule %.64s is there already: open it to change it",
             taken ? taken : "");
    json_decref(answer);
    return taken ? weir_api_refuse(question, 409, why) : json_null();
}

/* changing --------------------------------------------------------------------------------- */

static int is_there(void *context, const struct weir_kept_rule *rule)
{
    (void)context, (void)rule;
    return 0;
}

/* Whether a text's lines are about this rule and no other. */
static bool is_about(const char *text, const char *name)
{
    size_t len = strlen(name);

    while (*text) {
        size_t line = strcspn(text, "\n"), word = strcspn(text, " \t\n");
        const char *second = text + word + strspn(text + word, " \t");

        if (line > 0 && text[0] != '#' && (strncmp(second, name, len) != 0 ||
                                           !strchr(" \t\n\r", second[len])))
            return false;
        text += line + (text[line] == '\n');
    }
    return true;
}

/* Gives a rule other lines; what they do not say of it stays.  NULL: refused. */
static json_t *put_text(struct weir_api_question *question, const char *name, const char *text,
                        enum adding adding)
{
    int rc = weir_database_rule(question->database, name, 0, is_there, NULL);

    if (rc <= 0)
        return rc < 0 ? weir_api_trouble(question, rc)
                      : weir_api_refuse(question, 404, "there is no such rule in the rulebook");
    if (!is_about(text, name))
        return weir_api_refuse(question, 400, "a line of the text is not about this rule");
    return add(question, text, adding);
}

/* What is wrong with the lines is said before anything else is changed. */
json_t *weir_api_rule_put(struct weir_api_question *question)
{
    static const char *const others[] = {"score", "low", "high", "state", "approved"};
    const char *name = weir_api_word(question, "name"), *text;
    json_t *answer;
    bool more = false;

    if (!weir_api_text(question, "text", &text))
        return NULL;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        more |= json_object_get(question->request->body, others[i]) != NULL;
    if (!text[0])
        return do_it(question, "rules set", name);
    if (!more)
        return put_text(question, name, text, KNOWN);
    answer = put_text(question, name, text, KNOWN_DRY);
    json_decref(answer);
    answer = answer ? do_it(question, "rules set", name) : NULL;
    json_decref(answer);
    return answer ? put_text(question, name, text, KNOWN) : NULL;
}

json_t *weir_api_rule_reject(struct weir_api_question *question)
{
    return do_it(question, "rules reject", weir_api_word(question, "name"));
}

json_t *weir_api_analyze(struct weir_api_question *question)
{
    return do_it(question, "analyze", NULL);
}

json_t *weir_api_publish(struct weir_api_question *question)
{
    return do_it(question, "publish", NULL);
}

json_t *weir_api_rollback(struct weir_api_question *question)
{
    if (!json_is_integer(json_object_get(question->request->body, "serial")))
        return weir_api_refuse(question, 400, "serial is no number of a set");
    return do_it(question, "rollback", NULL);
}
