/*
 * Drafts of rules from missed spam, made behind a run of the analyzer; what a person rejects of
 * them; and reported messages that are to be forgotten.
 *
 * Trouble with drafts is told in their part of the answer: the run before them is stored already.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/store/line_words.h"
#include "monitor/analyzer/drafts_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_drafts_io.h"
#include "monitor/database/database_texts_io.h"
#include "monitor/monitor_rulebook_impl.h"

/* Making. ------------------------------------------------------------------- */

static struct weir_drafts_options options_of(const struct weir_monitor *monitor, const char *who,
                                             weir_time now)
{
    const struct weir_config *config = &monitor->config;

    return (struct weir_drafts_options){
        .settings = {.reports = (size_t)config->drafts_reports,
                     .users = (size_t)config->drafts_users,
                     .domains = (size_t)config->drafts_domains,
                     .ham_least = (uint64_t)config->drafts_ham_least,
                     .left = (size_t)config->drafts_day,
                     .left_server = ((size_t)config->drafts_day + 3) / 4},
        .people = (unsigned)config->analyzer_people,
        .spam_score = config->spam_score, .now = now, .idle = config->analyzer_idle,
        .who = who,
        .token_key = *weir_training_key(monitor->training)};
}

static json_t *hex(uint64_t uid)
{
    return json_sprintf("%016llx", (unsigned long long)uid);
}

static json_t *as_json(const struct weir_drafts *drafts)
{
    struct weir_drafts_counts counts = weir_drafts_counts(drafts);
    json_t *made = json_array(), *left_out = json_array(), *withdrawn = json_array();
    json_t *revived = json_array();
    const char *name, *because, *why = weir_drafts_trouble(drafts);
    const struct weir_draft_note *note;
    const struct weir_draft *draft;

    for (size_t i = 0; (draft = weir_drafts_get(drafts, i)) != NULL; i++)
        json_array_append_new(made, json_pack(
            "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "name", draft->name, "rule", draft->rule,
            "why", draft->why, "reports", (json_int_t)draft->reports, "users",
            (json_int_t)draft->users, "domains", (json_int_t)draft->domains, "servers",
            (json_int_t)draft->servers, "messages", (json_int_t)draft->messages));
    for (size_t i = 0; (note = weir_drafts_note(drafts, i)) != NULL; i++)
        json_array_append_new(left_out, json_pack(
            "{s:I, s:I, s:o, s:s}", "reports", (json_int_t)note->reports, "messages",
            (json_int_t)note->messages, "message", hex(note->uid), "why", note->why));
    for (size_t i = 0; (name = weir_drafts_withdrawn(drafts, i)) != NULL; i++)
        json_array_append_new(withdrawn, json_string(name));
    for (size_t i = 0; (name = weir_drafts_revived(drafts, i, &because)) != NULL; i++)
        json_array_append_new(revived, json_pack("{s:s, s:s}", "name", name, "why", because));
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s*}", "made", made,
                     "left_out", left_out, "withdrawn", withdrawn, "revived", revived, "missed",
                     (json_int_t)counts.missed, "caught", (json_int_t)counts.caught, "covered",
                     (json_int_t)counts.covered, "clusters", (json_int_t)counts.clusters, "enough",
                     (json_int_t)counts.enough, "ham", (json_int_t)counts.ham, "too_little_ham",
                     counts.too_little_ham, "trouble", why[0] ? why : NULL);
}

static json_t *trouble(const struct weir_database *database, int error)
{
    return json_pack("{s:[], s:[], s:[], s:[], s:s}", "made", "left_out", "withdrawn", "revived",
                     "trouble",
                     error == WEIR_ENOMEM ? "memory is short" : weir_database_why(database));
}

json_t *weir_rulebook_drafts(struct weir_monitor *monitor, const char *who, weir_time clock,
                             struct weir_database *reading, weir_time now, bool dry)
{
    char suffixes[PATH_MAX];
    struct weir_drafts_options options;
    struct weir_drafts *drafts = NULL;
    json_t *json = NULL;
    int rc;

    pthread_mutex_lock(&monitor->lock);
    (void)weir_texts_retain(monitor->texts, clock);
    options = options_of(monitor, who, now);
    snprintf(suffixes, sizeof suffixes, "%s", monitor->config.suffix_list);
    options.suffixes = suffixes;
    pthread_mutex_unlock(&monitor->lock);
    rc = weir_drafts_new(reading, &options, &drafts);
    if (rc < 0)
        return trouble(reading, rc);
    if (!dry) {
        pthread_mutex_lock(&monitor->lock);
        rc = weir_drafts_store(drafts, monitor->database);
        json = rc < 0 ? trouble(monitor->database, rc) : NULL;
        pthread_mutex_unlock(&monitor->lock);
    }
    if (rc == 0)
        json = as_json(drafts);
    weir_drafts_free(&drafts);
    return json;
}

void weir_rulebook_log_drafts(struct weir_monitor *monitor, const json_t *drafts)
{
    const char *why = json_string_value(json_object_get(drafts, "trouble"));
    const json_t *made = json_object_get(drafts, "made"), *draft;
    size_t i;

    if (why)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "missed spam makes no drafts of rules: %s",
                 why);
    json_array_foreach(made, i, draft)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "analyzer: draft of a rule: %s: %s; see "
                 "weirctl rules approve", json_string_value(json_object_get(draft, "name")),
                 json_string_value(json_object_get(draft, "why")));
    json_array_foreach(json_object_get(drafts, "revived"), i, draft)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "analyzer: %s: retired -> test: %s",
                 json_string_value(json_object_get(draft, "name")),
                 json_string_value(json_object_get(draft, "why")));
}

/* Rejecting. ------------------------------------------------------------------ */

struct rejecting {
    uint32_t id;
    char name[WEIR_RULE_NAME_MAX + 1];
    enum weir_rule_state state;
};

static int note_rule(void *context, const struct weir_kept_rule *rule)
{
    struct rejecting *rejecting = context;

    rejecting->id = rule->id;
    rejecting->state = rule->state;
    snprintf(rejecting->name, sizeof rejecting->name, "%s", rule->name);
    return 0;
}

static int retire(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    rule->state = WEIR_RULE_RETIRED;
    rule->approved = false;
    return 0;
}

/* All of it or nothing. */
static int reject(struct weir_database *database, const struct weir_rulebook_question *question,
                  const struct rejecting *rejecting)
{
    char why[WEIR_DATABASE_TEXT_MAX];
    const struct weir_rule_change by = {.who = question->who, .why = why, .time = question->now};
    const struct weir_audit audit = {.time = question->now, .who = question->who,
                                     .what = "rules reject", .detail = rejecting->name};
    const char *reason = weir_rulebook_text(question, "reason");
    int rc = weir_database_begin(database);

    if (rc < 0)
        return rc;
    snprintf(why, sizeof why, "rejected%s%s", reason[0] ? ": " : "", reason);
    rc = weir_database_rule_edit(database, rejecting->id, retire, NULL, &by);
    rc = rc < 0 ? rc : weir_database_draft_reject(database, rejecting->id);
    rc = rc < 0 ? rc : weir_database_audit_add(database, &audit);
    if (rc >= 0)
        return weir_database_commit(database);
    weir_database_abandon(database);
    return rc;
}

json_t *weir_rulebook_reject(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    struct rejecting rejecting = {.id = 0};
    int rc;

    pthread_mutex_lock(&monitor->lock);
    rc = weir_database_rule_called(monitor->database, weir_rulebook_text(question, "name"),
                                   note_rule, &rejecting);
    if (rc == 0)
        (void)weir_rulebook_unknown(question, "there is no such rule in the rulebook");
    else if (rc > 0 && rejecting.state != WEIR_RULE_DRAFT && rejecting.state != WEIR_RULE_TEST)
        (void)weir_rulebook_refuse(question, "it is no draft, nor in the test; rules retire is for "
                                   "rules that work");
    else if (rc > 0)
        rc = reject(monitor->database, question, &rejecting);
    if (rc < 0)
        (void)weir_rulebook_trouble(question, monitor->database, rc);
    pthread_mutex_unlock(&monitor->lock);
    if (question->why[0])
        return NULL;
    return json_pack("{s:s, s:I, s:b}", "name", rejecting.name, "id", (json_int_t)rejecting.id,
                     "changed", 1);
}

/* Forgetting. ----------------------------------------------------------------- */

/* Forgotten and told, or neither: how many, or an error. */
static int forget(struct weir_database *database, uint64_t uid, const struct weir_audit *audit)
{
    int rc = weir_database_begin(database), done;

    if (rc < 0)
        return rc;
    rc = weir_database_text_forget(database, uid);
    done = rc > 0 ? weir_database_audit_add(database, audit) : rc;
    done = done < 0 ? done : weir_database_commit(database);
    if (done < 0)
        weir_database_abandon(database);
    return done < 0 ? done : rc;
}

json_t *weir_reports_forget(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    const char *text = weir_rulebook_text(question, "uid");
    const struct weir_audit audit = {.time = question->now, .who = question->who,
                                     .what = "reports forget", .detail = text};
    struct weir_slice rest = weir_slice_of(text);
    uint64_t uid;
    int rc;

    if (!weir_word_take_hex(&rest, "", &uid) || rest.len > 0)
        return weir_rulebook_refuse(question, "uid is not 16 hex digits");
    pthread_mutex_lock(&monitor->lock);
    rc = forget(monitor->database, uid, &audit);
    if (rc < 0)
        (void)weir_rulebook_trouble(question, monitor->database, rc);
    else if (rc == 0)
        (void)weir_rulebook_unknown(question, "no message of that number is kept");
    pthread_mutex_unlock(&monitor->lock);
    return rc <= 0 ? NULL : json_pack("{s:s, s:i}", "uid", text, "forgotten", rc);
}
