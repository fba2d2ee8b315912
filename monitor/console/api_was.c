/*
 * api_was - changes that carry what they are based on.
 *
 * The body's member `was` is what was read before of the thing that is to be changed, as far as it
 * matters, as the API told it: a rule, a threshold, an account, what stands about an address, the
 * newest set and the last change of a rule, what the desk says of a report.  When
 * one of its members is something else by now, nothing is changed: 409, a sentence, and what is
 * there as "present".  null: there was none.  Without it, all is as before.
 *
 * What is there is what the API's own reading says.  Of the console's changes one is made at a
 * time, so that nothing comes in between; what the monitor itself and weirctl change may, within
 * that moment.  Publishing takes long, and other changes do not wait for it: it is handed `was`,
 * and looks itself, in its turn.
 */
#include <math.h>
#include <string.h>

#include "core/base/line.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/console_impl.h"

static const struct based {
    weir_api_function *change, *read;
    const char *member;          /* of what is read; NULL: all of it; "rows": that of {name} */
    bool looks;                  /* itself, at what it is handed as `was` */
} based[] = {
    {weir_api_rule_put, weir_api_rule, NULL, false},
    {weir_api_rules_add, weir_api_rules_there, NULL, false},
    {weir_api_rule_reject, weir_api_rule, NULL, false},
    {weir_api_threshold_put, weir_api_thresholds, "rows", false},
    {weir_api_threshold_remove, weir_api_thresholds, "rows", false},
    {weir_api_user_put, weir_api_users, "rows", false},
    {weir_api_user_remove, weir_api_users, "rows", false},
    {weir_api_block, weir_api_standing, "standing", false},
    {weir_api_undo, weir_api_standing, "standing", false},
    {weir_api_accept, weir_api_standing, "standing", false},
    {weir_api_unaccept, weir_api_standing, "standing", false},
    {weir_api_publish, weir_api_rules_state, NULL, true},
    {weir_api_rollback, weir_api_rules_state, NULL, true},
    {weir_api_report_do, weir_api_report_desk, NULL, false},
    {weir_api_reports_do, weir_api_reports_desk, NULL, false},
};

static const struct based *find(const struct weir_api_question *question)
{
    for (size_t i = 0; i < sizeof based / sizeof based[0]; i++)
        if (based[i].change == question->route->run)
            return &based[i];
    return NULL;
}

/* what is there ----------------------------------------------------------------------------- */

static json_t *named(json_t *rows, const char *name)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            return json_incref(row);
    return json_null();
}

/* An object, or null; NULL: refused. */
static json_t *present_of(struct weir_api_question *question, const struct based *of)
{
    json_t *all = of->read(question), *one;

    if (!all && question->code == 404) {
        question->code = 0;
        return json_null();
    }
    if (!all || !of->member)
        return all;
    one = strcmp(of->member, "rows") == 0
              ? named(json_object_get(all, "rows"), weir_api_word(question, "name"))
              : json_incref(json_object_get(all, of->member));
    json_decref(all);
    return one;
}

/* Numbers by their value: a page has no other 2 than 2.0. */
static bool is_same(const json_t *a, const json_t *b)
{
    const json_t *value;
    const char *name;

    if (json_is_number(a) && json_is_number(b))
        return fabs(json_number_value(a) - json_number_value(b)) <= 1e-9;
    if (!json_is_object(a) || !json_is_object(b))
        return json_equal(a, b);
    json_object_foreach((json_t *)(uintptr_t)a, name, value)
        if (!json_object_get(b, name) || !is_same(value, json_object_get(b, name)))
            return false;
    return json_object_size(a) == json_object_size(b);
}

/* words ---------------------------------------------------------------------------------------- */

/* Of what may be long, the beginning, in whole characters. */
static void say_text(struct weir_line *line, const char *text)
{
    size_t len = strlen(text), most = 160;

    while (len > most && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    weir_line_octets(line, text, len > most ? most : len);
    weir_line_text(line, len > most ? " ..." : "");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void say_decision(struct weir_line *line, const json_t *decision)
{
    const char *list = text_of(decision, "list"), *ends = text_of(decision, "ends");
    bool defer = json_is_true(json_object_get(decision, "defer"));

    weir_line_text(line, strcmp(list, "accept") == 0  ? "accepted"
                         : strcmp(list, "score") == 0 ? "given points"
                         : defer                      ? "deferred"
                                                      : "refused");
    weir_line_text(line, ends[0] ? " until " : " for ever");
    say_text(line, ends);
    weir_line_text(line, " by ");
    say_text(line, text_of(decision, "by"));
    weir_line_text(line, ": ");
    say_text(line, text_of(decision, "reason"));
}

static void say(struct weir_line *line, const json_t *value)
{
    const char *text = json_string_value(json_is_object(value) ? json_object_get(value, "text")
                                                               : value);
    char number[32];

    if (json_is_number(value)) {
        snprintf(number, sizeof number, "%.12g", json_number_value(value));
        weir_line_text(line, number);
    } else if (json_is_boolean(value)) {
        weir_line_text(line, json_is_true(value) ? "yes" : "no");
    } else if (text || json_object_get(value, "list")) {
        weir_line_text(line, "“");
        if (text)
            say_text(line, text);
        else
            say_decision(line, value);
        weir_line_text(line, "”");
    } else {
        weir_line_text(line, json_is_null(value) ? "nothing" : "something else");
    }
}

static void conflict(struct weir_api_question *question, const char *name, const json_t *is,
                     const json_t *was)
{
    char why[WEIR_API_WHY];
    struct weir_line line = weir_line(why, sizeof why);

    weir_line_text(&line, "it was changed meanwhile: ");
    weir_line_text(&line, name);
    weir_line_text(&line, " is now ");
    say(&line, is);
    weir_line_text(&line, ", and was ");
    say(&line, was);
    (void)weir_api_refuse(question, 409, weir_line_end(&line));
}

/* Whether it still is what it was; else refused. */
static bool is_still(struct weir_api_question *question, const json_t *present, const json_t *was)
{
    const json_t *value, *is;
    const char *name;
    char why[96];

    if (json_is_null(present) != json_is_null(was))
        (void)weir_api_refuse(question, 409, json_is_null(was)
                                                 ? "it was changed meanwhile: there is one already"
                                                 : "it was changed meanwhile: there is none any "
                                                   "more");
    json_object_foreach((json_t *)(uintptr_t)was, name, value) {
        if (question->code != 0)
            break;
        is = json_object_get(present, name);
        snprintf(why, sizeof why, "was: there is no %.64s", name);
        if (!is)
            (void)weir_api_refuse(question, 400, why);
        else if (!is_same(is, value))
            conflict(question, name, is, value);
    }
    return question->code == 0;
}

/* running -------------------------------------------------------------------------------------- */

/* The members of what is there that somebody names: as they are kept. */
static json_t *part_of(const json_t *present, const json_t *was)
{
    json_t *part = json_object(), *value;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)was, name, value)
        json_object_set(part, name, json_object_get(present, name));
    return part;
}

/* False: refused, with what is there when it is something else. */
static bool look(struct weir_api_question *question, const struct based *of, const json_t *was)
{
    json_t *present;
    bool still;

    if (!json_is_object(was) && !json_is_null(was)) {
        (void)weir_api_refuse(question, 400, "was is neither an object nor null");
        return false;
    }
    present = present_of(question, of);
    still = present && is_still(question, present, was);
    if (still && of->looks)
        json_object_set_new(question->request->body, "was", part_of(present, was));
    if (!still && question->code == 409)
        question->present = json_incref(present);
    json_decref(present);
    return still;
}

static json_t *run_based(struct weir_api_question *question, const struct based *of,
                         const json_t *was)
{
    json_t *answer;

    if (was && !look(question, of, was))
        return NULL;
    answer = question->route->run(question);
    if (!answer && was && of->looks && question->code == 409) {
        question->code = 0;
        if (look(question, of, was)) /* else it says what it is by now */
            return weir_api_refuse(question, 409, "it was changed meanwhile");
    }
    return answer;
}

json_t *weir_api_run_based(struct weir_api_question *question)
{
    const struct based *of = find(question);
    json_t *body = question->request->body, *was, *answer;

    if (!of)
        return question->route->run(question);
    was = json_incref(json_object_get(body, "was"));
    json_object_del(body, "was");
    if (!of->looks)
        pthread_mutex_lock(&question->console->changes);
    answer = run_based(question, of, was);
    if (!of->looks)
        pthread_mutex_unlock(&question->console->changes);
    json_decref(was);
    return answer;
}
