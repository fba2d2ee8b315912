/*
 * What is asked of the rulebook, and rules changed one by one.
 */
#include "monitor/monitor_rulebook_io.h"

#include <math.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"
#include "monitor/analyzer/named.h"
#include "monitor/analyzer/score.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/monitor_bayes_io.h"
#include "monitor/monitor_desk_io.h"
#include "monitor/monitor_rulebook_impl.h"

/* Answers that are none. ----------------------------------------------------- */

const char *weir_rulebook_text(const struct weir_rulebook_question *question, const char *name)
{
    const char *value = json_string_value(json_object_get(question->json, name));

    return value ? value : "";
}

static json_t *no(struct weir_rulebook_question *question, unsigned code, const char *why)
{
    snprintf(question->why, sizeof question->why, "%s", why);
    question->code = code;
    return NULL;
}

json_t *weir_rulebook_refuse(struct weir_rulebook_question *question, const char *why)
{
    return no(question, MHD_HTTP_BAD_REQUEST, why);
}

json_t *weir_rulebook_unknown(struct weir_rulebook_question *question, const char *why)
{
    return no(question, MHD_HTTP_NOT_FOUND, why);
}

json_t *weir_rulebook_trouble(struct weir_rulebook_question *question,
                              const struct weir_database *database, int error)
{
    unsigned code = weir_error_passes(error) ? MHD_HTTP_SERVICE_UNAVAILABLE
                    : error == WEIR_EINVAL || error == WEIR_ELIMIT
                        ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_INTERNAL_SERVER_ERROR;

    return no(question, code,
              error == WEIR_ENOMEM ? "memory is short" : weir_database_why(database));
}

int weir_rulebook_read(struct weir_monitor *monitor, struct weir_rulebook_question *question,
                       struct weir_database **database_r)
{
    const struct weir_database_options options = {
        .path = weir_database_path(monitor->database), .reading = true};
    char why[WEIR_DATABASE_WHY];
    int rc = weir_database_open(&options, why, database_r);

    if (rc < 0)
        (void)no(question, MHD_HTTP_INTERNAL_SERVER_ERROR, why);
    return rc;
}

int weir_rulebook_state(const char *name)
{
    for (int state = 0; state <= WEIR_RULE_LOCKED; state++)
        if (strcmp(weir_rule_state_name((enum weir_rule_state)state), name) == 0)
            return state;
    return -1;
}

/* Changing one rule. --------------------------------------------------------- */

void weir_rulebook_renew(struct weir_monitor *monitor, const uint32_t *rule, size_t rules,
                         weir_time now)
{
    if (rules == 0)
        return;
    weir_counting_renew(monitor->counting, rule, rules);
    (void)weir_counting_store(monitor->counting, now); /* what fails comes with the next */
}

bool weir_rulebook_renews(enum weir_rule_state from, enum weir_rule_state to)
{
    bool worked = from == WEIR_RULE_ACTIVE || from == WEIR_RULE_LOCKED;

    return !worked && (to == WEIR_RULE_ACTIVE || to == WEIR_RULE_LOCKED);
}

bool weir_rulebook_is_beyond(const struct weir_monitor *monitor, const struct weir_kept_rule *rule)
{
    struct weir_score_bounds bounds = {rule->low, rule->high};

    if (rule->low == 0 && rule->high == 0)
        bounds = weir_score_bounds(monitor->config.spam_score);
    return rule->state == WEIR_RULE_ACTIVE &&
           (weir_rule_points(rule->score) > weir_rule_points(bounds.high) ||
            weir_rule_points(rule->score) < weir_rule_points(bounds.low));
}

struct setting {
    const struct weir_monitor *monitor;
    struct weir_rulebook_question *question;
    uint32_t id;
    char name[WEIR_RULE_NAME_MAX + 1];
    enum weir_rule_state was;
    int state;                  /* -1: as it is */
    double score, low, high;    /* none: as they are */
    int approved;               /* the same: -1 */
    bool beyond;                /* its bounds, as it is then */
    bool renews;                /* it goes back to work: what it did before is forgiven */
    char detail[WEIR_DATABASE_TEXT_MAX + 1]; /* for the audit: what is another, and was */
};

static double number_of(const struct weir_rulebook_question *question, const char *name)
{
    const json_t *value = json_object_get(question->json, name);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static bool is_out(double number, double low, double high)
{
    return !isnan(number) && !(number >= low && number <= high);
}

/* What is to be changed: false after why not was noted. */
static bool read_setting(struct setting *setting)
{
    struct weir_rulebook_question *question = setting->question;
    const char *state = weir_rulebook_text(question, "state");
    const json_t *approved = json_object_get(question->json, "approved");
    const double most = WEIR_RULE_SCORE_MAX;

    setting->state = weir_rulebook_state(state);
    setting->score = number_of(question, "score");
    setting->low = number_of(question, "low");
    setting->high = number_of(question, "high");
    setting->approved = json_is_boolean(approved) ? json_is_true(approved) : -1;
    if (state[0] && setting->state < 0)
        (void)weir_rulebook_refuse(question, "state is not one of active, test, draft, retired, "
                                   "locked");
    else if (is_out(setting->score, -most, most))
        (void)weir_rulebook_refuse(question, "score is not within -100..100");
    else if (is_out(setting->low, -most, 0))
        (void)weir_rulebook_refuse(question, "low is not within -100..0");
    else if (is_out(setting->high, 0, most))
        (void)weir_rulebook_refuse(question, "high is not within 0..100");
    else if (setting->state < 0 && isnan(setting->score) && isnan(setting->low) &&
             isnan(setting->high) && setting->approved < 0)
        (void)weir_rulebook_refuse(question, "nothing is to be changed");
    return !question->why[0];
}

static int note_rule(void *context, const struct weir_kept_rule *rule)
{
    struct setting *setting = context;

    setting->id = rule->id;
    setting->was = rule->state;
    snprintf(setting->name, sizeof setting->name, "%s", rule->name);
    return 0;
}

/* Whether it can be let go from the test to work; if not why is noted. */
static bool is_approvable(const struct setting *setting)
{
    if (setting->approved <= 0 || setting->state >= 0)
        return true;
    if (setting->was == WEIR_RULE_RETIRED)
        (void)weir_rulebook_refuse(setting->question, "it is retired, and in no test; rules enable "
                                   "lets it work again");
    else if (setting->was == WEIR_RULE_LOCKED)
        (void)weir_rulebook_refuse(setting->question, "it is locked: it is at work, and in no "
                                   "test");
    return !setting->question->why[0];
}

/* Formulas. -------------------------------------------------------------------- */

#define FORMULAS_TOLD 8

/* Rules at work, or in the test, whose formulas name a rule. */
struct formulas {
    const char *of;
    char names[FORMULAS_TOLD * (WEIR_RULE_NAME_MAX + 2) + 32];
    size_t count;
};

static bool is_evaluated(enum weir_rule_state state)
{
    return state == WEIR_RULE_ACTIVE || state == WEIR_RULE_LOCKED || state == WEIR_RULE_TEST;
}

static int take_formula(void *context, const struct weir_kept_rule *rule)
{
    struct formulas *formulas = context;
    size_t len = strlen(formulas->names);
    struct weir_named *named = NULL;
    int rc;

    if (rule->kind != WEIR_RULE_META || !is_evaluated(rule->state) ||
        strcmp(rule->name, formulas->of) == 0)
        return 0;
    rc = weir_named_new(&named);
    rc = rc < 0 ? rc : weir_named_add(named, weir_slice_of(rule->text));
    if (rc == 0 && weir_named_has(named, formulas->of) && formulas->count++ < FORMULAS_TOLD)
        snprintf(formulas->names + len, sizeof formulas->names - len, "%s%s", len > 0 ? ", " : "",
                 rule->name);
    weir_named_free(&named);
    return rc;
}

/* Which formulas say another thing when a rule stops: 0, or an error. */
static int find_formulas(struct weir_database *database, const struct setting *setting,
                         struct formulas *formulas_r)
{
    bool stops = is_evaluated(setting->was) && setting->state >= 0 &&
                 !is_evaluated((enum weir_rule_state)setting->state);
    size_t len;
    int rc;

    *formulas_r = (struct formulas){.of = setting->name};
    rc = stops ? weir_database_rules(database, 0, take_formula, formulas_r) : 0;
    len = strlen(formulas_r->names);
    if (formulas_r->count > FORMULAS_TOLD)
        snprintf(formulas_r->names + len, sizeof formulas_r->names - len, " and %zu more",
                 formulas_r->count - FORMULAS_TOLD);
    return rc < 0 ? rc : 0;
}

/* Unless a person insists. */
static bool may_stop(const struct setting *setting, const struct formulas *formulas)
{
    struct weir_rulebook_question *question = setting->question;

    if (formulas->count == 0 || json_is_true(json_object_get(question->json, "force")))
        return true;
    (void)weir_rulebook_refuse(question, "");
    snprintf(question->why, sizeof question->why, "formulas at work name it, and would say another "
             "thing without it: %.*s; force does it all the same",
             (int)(sizeof question->why - 128), formulas->names);
    return false;
}

static void put_number(struct weir_line *line, const char *what, double is, double was)
{
    if (is == was)
        return;
    weir_line_text(line, what);
    weir_line_number(line, is, 2);
    weir_line_text(line, ", was ");
    weir_line_number(line, was, 2);
}

/* "CHEAP: state retired, was active; score 2.50, was 1.50; why: too many" */
static void write_detail(struct setting *setting, const struct weir_kept_rule *is,
                         const struct weir_kept_rule *was)
{
    const char *why = weir_rulebook_text(setting->question, "reason");
    struct weir_line line = weir_line(setting->detail, sizeof setting->detail);

    weir_line_text(&line, setting->name);
    if (is->state != was->state) {
        weir_line_text(&line, "; state ");
        weir_line_text(&line, weir_rule_state_name(is->state));
        weir_line_text(&line, ", was ");
        weir_line_text(&line, weir_rule_state_name(was->state));
    }
    put_number(&line, "; score ", is->score, was->score);
    put_number(&line, "; base ", is->base, was->base);
    put_number(&line, "; low ", is->low, was->low);
    put_number(&line, "; high ", is->high, was->high);
    if (is->approved != was->approved)
        weir_line_text(&line, is->approved ? "; approved, was not" : "; not approved, was");
    weir_line_text(&line, why[0] ? "; why: " : "");
    weir_line_text(&line, why);
    (void)weir_line_end(&line);
}

/* A person is the author of what he sets. */
static int edit(void *context, struct weir_kept_rule *rule)
{
    struct setting *setting = context;
    const struct weir_kept_rule before = *rule;

    if (!isnan(setting->score))
        rule->score = rule->base = setting->score;
    if (!isnan(setting->low))
        rule->low = setting->low;
    if (!isnan(setting->high))
        rule->high = setting->high;
    if (setting->state >= 0)
        rule->state = (enum weir_rule_state)setting->state;
    if (setting->state == WEIR_RULE_ACTIVE)
        rule->approved = true;
    if (setting->approved >= 0)
        rule->approved = setting->approved > 0;
    if (setting->approved > 0 && rule->state == WEIR_RULE_DRAFT)
        rule->state = WEIR_RULE_TEST;
    setting->renews = weir_rulebook_renews(before.state, rule->state);
    setting->beyond = weir_rulebook_is_beyond(setting->monitor, rule);
    write_detail(setting, rule, &before);
    return 0;
}

static int change(struct weir_database *database, struct setting *setting)
{
    const struct weir_rulebook_question *question = setting->question;
    const char *why = weir_rulebook_text(question, "reason");
    const struct weir_rule_change by = {.who = question->who, .why = why, .time = question->now};
    const struct weir_audit audit = {.time = question->now, .who = question->who,
                                     .what = "rules set", .detail = setting->detail};
    int rc = weir_database_begin(database), done;

    if (rc < 0)
        return rc;
    rc = weir_database_rule_edit(database, setting->id, edit, setting, &by);
    done = rc > 0 ? weir_database_audit_add(database, &audit) : rc;
    done = done < 0 ? done : weir_database_commit(database);
    if (done < 0)
        weir_database_abandon(database);
    return done < 0 ? done : rc;
}

/* With the lock.  How many rules were changed, or an error; what was refused is noted. */
static int set_one(struct weir_monitor *monitor, struct setting *setting,
                   struct formulas *formulas)
{
    int rc = find_formulas(monitor->database, setting, formulas);

    if (rc < 0 || !is_approvable(setting) || !may_stop(setting, formulas))
        return rc;
    rc = change(monitor->database, setting);
    if (rc > 0 && setting->renews)
        weir_rulebook_renew(monitor, &setting->id, 1, setting->question->now);
    return rc;
}

static json_t *set(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    struct setting setting = {.monitor = monitor, .question = question};
    struct formulas formulas = {.count = 0};
    int rc;

    if (!read_setting(&setting))
        return NULL;
    pthread_mutex_lock(&monitor->lock);
    rc = weir_database_rule_called(monitor->database, weir_rulebook_text(question, "name"),
                                   note_rule, &setting);
    if (rc == 0)
        (void)weir_rulebook_unknown(question, "there is no such rule in the rulebook");
    else if (rc > 0)
        rc = set_one(monitor, &setting, &formulas);
    if (rc < 0)
        (void)weir_rulebook_trouble(question, monitor->database, rc);
    pthread_mutex_unlock(&monitor->lock);
    if (question->why[0])
        return NULL;
    return json_pack("{s:s, s:I, s:b, s:s, s:b}", "name", setting.name, "id",
                     (json_int_t)setting.id, "changed", rc > 0, "formulas", formulas.names,
                     "beyond", setting.beyond);
}

/* Asking. -------------------------------------------------------------------- */

static const struct {
    const char *name;
    json_t *(*run)(struct weir_monitor *monitor, struct weir_rulebook_question *question);
} verbs[] = {
    {"rules add", weir_rulebook_add}, {"rules set", set}, {"analyze", weir_rulebook_run},
    {"rules reject", weir_rulebook_reject}, {"reports forget", weir_reports_forget},
    {"reports confirm", weir_reports_decide}, {"reports reject", weir_reports_decide},
    {"reports undo", weir_reports_decide},
    {"bayes status", weir_monitor_bayes_status}, {"bayes key", weir_monitor_bayes_key},
    {"bayes learn", weir_monitor_bayes_learn},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static size_t number_of_verb(const char *verb)
{
    size_t i = 0;

    while (i < VERBS && strcmp(verb, verbs[i].name) != 0)
        i++;
    return i;
}

bool weir_rulebook_is_asked(const char *verb)
{
    return number_of_verb(verb) < VERBS;
}

json_t *weir_rulebook_answer(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    return verbs[number_of_verb(weir_rulebook_text(question, "do"))].run(monitor, question);
}
