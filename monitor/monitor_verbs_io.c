/*
 * verbs - what operators do, each one function from JSON to JSON.
 *
 * Everything that changes something runs with the database's lock, as the loop's own work does, and
 * leaves a line in the audit with who asked, in the same transaction.  What takes long runs without
 * it.
 */
#include "monitor/monitor_verbs_io.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"
#include "core/base/visible.h"
#include "monitor/agent/command.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/monitor_accounts_io.h"
#include "monitor/monitor_counters_io.h"
#include "monitor/monitor_publish_io.h"
#include "monitor/monitor_rulebook_io.h"
#include "monitor/monitor_status_io.h"
#include "monitor/monitor_verbs_impl.h"
#include "monitor/threshold/trial_io.h"
#include "monitor/view/view_policy.h"

#define BAD 400u       /* as HTTP has them */
#define FORBIDDEN 403u
#define NOT_THERE 404u
#define TROUBLE 500u
#define NOT_NOW 503u

/* what is asked -------------------------------------------------------------------- */

json_t *weir_verb_refuse(struct weir_question *question, const char *why)
{
    snprintf(question->why, sizeof question->why, "%s", why);
    question->code = BAD;
    return NULL;
}

json_t *weir_verb_unknown(struct weir_question *question, const char *why)
{
    (void)weir_verb_refuse(question, why);
    question->code = NOT_THERE;
    return NULL;
}

json_t *weir_verb_forbid(struct weir_question *question, const char *why)
{
    (void)weir_verb_refuse(question, why);
    question->code = FORBIDDEN;
    return NULL;
}

const char *weir_verb_text(const struct weir_question *question, const char *name)
{
    const char *value = json_string_value(json_object_get(question->json, name));

    return value ? value : "";
}

bool weir_verb_fits(struct weir_question *question, const char *name, size_t most)
{
    const char *text = weir_verb_text(question, name);
    char why[96];

    if (strlen(text) <= most && weir_visible(weir_slice_of(text)))
        return true;
    snprintf(why, sizeof why, "%s %s", name,
             strlen(text) > most ? "is too long" : "has characters that cannot be shown");
    (void)weir_verb_refuse(question, why);
    return false;
}

int weir_verb_end(struct weir_question *question, int done, bool changed, const char *what,
                  const char *detail)
{
    struct weir_database *database = question->monitor->database;
    const struct weir_audit line = {
        .time = question->now, .who = question->who, .what = what, .detail = detail};
    int written = done < 0 || !changed ? 0 : weir_database_audit_add(database, &line);

    if (done < 0 || written < 0) {
        weir_database_abandon(database);
        return done < 0 ? done : written;
    }
    written = weir_database_commit(database);
    return written < 0 ? written : done;
}

json_t *weir_verb_trouble(struct weir_question *question)
{
    (void)weir_verb_refuse(question, weir_database_why(question->monitor->database));
    question->code = weir_error_passes(weir_database_trouble(question->monitor->database))
                         ? NOT_NOW : TROUBLE;
    return NULL;
}

json_t *weir_verb_short(struct weir_question *question)
{
    (void)weir_verb_refuse(question, "memory is short");
    question->code = TROUBLE;
    return NULL;
}

json_t *weir_verb_stored_only(struct weir_question *question)
{
    (void)weir_verb_refuse(question, "it is stored, and holds from the next start on; see the log");
    question->code = TROUBLE;
    return NULL;
}

static void url_of(struct weir_monitor *monitor, char url_r[static WEIR_MONITOR_URL_MAX + 1])
{
    char host[128] = "localhost";

    if (monitor->config.monitor_url[0]) {
        snprintf(url_r, WEIR_MONITOR_URL_MAX + 1, "%s", monitor->config.monitor_url);
        return;
    }
    (void)gethostname(host, sizeof host - 1);
    snprintf(url_r, WEIR_MONITOR_URL_MAX + 1, "https://%s:%u", host,
             weir_intake_port(monitor->intake));
}

static json_t *server_add(struct weir_question *question)
{
    struct weir_monitor *monitor = question->monitor;
    struct weir_identity identity = {0};
    char file[WEIR_IDENTITY_TEXT];
    uint8_t hash[WEIR_SECRET_HASH];
    uint32_t number;
    json_t *json;
    int added, done;

    if (!weir_server_name_fit(weir_slice_of(weir_verb_text(question, "name"))))
        return weir_verb_refuse(question, "that is no name for a server: letters, digits, '-', "
                                "'_', '.'");
    snprintf(identity.server, sizeof identity.server, "%s", weir_verb_text(question, "name"));
    snprintf(identity.pin, sizeof identity.pin, "%s", monitor->certificate.pin);
    snprintf(identity.rules, sizeof identity.rules, "%s", weir_publisher_key(monitor->publisher));
    url_of(monitor, identity.monitor);
    weir_secret_new(identity.secret);
    weir_secret_hash(weir_slice_of(identity.secret), hash);
    added = weir_database_begin(monitor->database);
    if (added == 0)
        added = weir_database_server_add(monitor->database, identity.server, hash, question->now,
                                         &number);
    done = weir_verb_end(question, added, true, "server add", identity.server);
    if (added == WEIR_EINVAL)
        return weir_verb_refuse(question, "there is a server of this name already; revoke it "
                                "first");
    if (done < 0)
        return weir_verb_trouble(question);
    (void)weir_admit_refresh(monitor->admit);
    json = json_pack("{s:s, s:I, s:s}", "server", identity.server, "number", (json_int_t)number,
                     "identity", weir_identity_write(&identity, file));
    weir_identity_forget(&identity);
    explicit_bzero(file, sizeof file);
    return json;
}

static json_t *server_revoke(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    const char *name = weir_verb_text(question, "name");
    int done = weir_database_begin(database);

    if (done == 0)
        done = weir_database_server_revoke(database, name, question->now);
    done = weir_verb_end(question, done, done > 0, "server revoke", name);
    if (done == 0)
        return weir_verb_unknown(question, "there is no such server, or it is revoked already");
    if (done < 0)
        return weir_verb_trouble(question);
    if (weir_admit_refresh(question->monitor->admit) < 0)
        return weir_verb_stored_only(question);
    return json_pack("{s:s, s:b}", "server", name, "revoked", 1);
}

static bool numbers(struct weir_question *question, const char *name, double number_r[static 3])
{
    json_t *array = json_object_get(question->json, name);

    for (size_t i = 0; i < 3; i++) {
        json_t *number = json_array_get(array, i);
        if (!json_is_number(number))
            return false;
        number_r[i] = json_number_value(number);
    }
    return json_array_size(array) == 3;
}

/* Whether it goes with the others: 0, or an error with the reason. */
static int try_threshold(struct weir_monitor *monitor, const struct weir_threshold *threshold,
                         const char **why_r)
{
    struct weir_policy policy;
    int done = weir_trial_policy(&monitor->config, monitor->database, threshold, &policy, why_r);

    weir_policy_free(&policy);
    return done;
}

bool weir_verb_threshold(struct weir_question *question, struct weir_threshold *threshold_r)
{
    struct weir_threshold threshold = {
        .name = weir_verb_text(question, "name"),
        .prefixes = weir_verb_text(question, "prefixes"),
        .observe = !json_is_false(json_object_get(question->json, "observe")),
        .ladder = weir_verb_text(question, "ladder"),
    };
    const char *why = "";

    if (!numbers(question, "rate", threshold.rate) ||
        !numbers(question, "maximum", threshold.maximum))
        (void)weir_verb_refuse(question, "rate and maximum are not three numbers each");
    else if (weir_policy_check(&threshold, &why) < 0)
        (void)weir_verb_refuse(question, why);
    else if (try_threshold(question->monitor, &threshold, &why) < 0)
        (void)weir_verb_refuse(question, why[0] ? why : "it cannot be tried beside the others");
    *threshold_r = threshold;
    return !question->why[0];
}

/* A threshold in a line: "partners: connections 1/s:300, ..., observed, alert 10m". */
static void put_threshold(struct weir_line *line, const struct weir_threshold *threshold)
{
    char text[WEIR_VIEW_LIMIT];

    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        weir_line_text(line, weir_quantity_name((enum weir_quantity)q));
        weir_line_text(line, " ");
        weir_line_text(line, weir_view_limit_text(threshold->rate[q], threshold->maximum[q],
                                                  text));
        weir_line_text(line, ", ");
    }
    weir_line_text(line, threshold->observe ? "observed, " : "enforced, ");
    weir_line_text(line, threshold->ladder);
    weir_line_text(line, threshold->prefixes[0] ? ", for " : "");
    weir_line_text(line, threshold->prefixes);
}

struct before {
    const char *name;
    struct weir_line *line;
};

static int put_before(void *context, const struct weir_threshold *threshold)
{
    struct before *before = context;

    if (strcmp(threshold->name, before->name) != 0)
        return 0;
    weir_line_text(before->line, "; was ");
    put_threshold(before->line, threshold);
    return 1;
}

/* What the audit says of it: what it is (NULL: no more), and was. */
static const char *threshold_detail(struct weir_question *question, const char *name,
                                    const struct weir_threshold *is,
                                    char detail[static WEIR_DATABASE_TEXT_MAX + 1])
{
    struct weir_line line = weir_line(detail, WEIR_DATABASE_TEXT_MAX + 1);
    struct before before = {name, &line};

    weir_line_text(&line, name);
    weir_line_text(&line, is ? ": " : "");
    if (is)
        put_threshold(&line, is);
    (void)weir_database_thresholds(question->monitor->database, put_before, &before);
    return weir_line_end(&line);
}

static json_t *threshold_set(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    char detail[WEIR_DATABASE_TEXT_MAX + 1];
    struct weir_threshold threshold;
    int done;

    if (!weir_verb_threshold(question, &threshold))
        return NULL;
    (void)threshold_detail(question, threshold.name, &threshold, detail);
    done = weir_database_begin(database);
    if (done == 0)
        done = weir_database_threshold_put(database, &threshold);
    if (weir_verb_end(question, done, true, "threshold set", detail) < 0)
        return weir_verb_trouble(question);
    if (weir_monitor_reread(question->monitor) < 0)
        return weir_verb_stored_only(question);
    return json_pack("{s:s}", "threshold", threshold.name);
}

static json_t *threshold_remove(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    const char *name = weir_verb_text(question, "name");
    char detail[WEIR_DATABASE_TEXT_MAX + 1];
    int done;

    (void)threshold_detail(question, name, NULL, detail);
    done = weir_database_begin(database);
    if (done == 0)
        done = weir_database_threshold_remove(database, name);
    done = weir_verb_end(question, done, done > 0, "threshold remove", detail);
    if (done == 0)
        return weir_verb_unknown(question, "there is no such threshold");
    if (done < 0)
        return weir_verb_trouble(question);
    if (weir_monitor_reread(question->monitor) < 0)
        return weir_verb_stored_only(question);
    return json_pack("{s:s, s:b}", "threshold", name, "removed", 1);
}

static bool read_prefix(struct weir_question *question, struct weir_prefix *prefix_r)
{
    const char *prefix = weir_verb_text(question, "prefix"), *why = "";

    if (weir_prefix_parse(prefix, strlen(prefix), prefix_r, &why) == 0)
        return true;
    (void)weir_verb_refuse(question, "prefix is no address or prefix");
    return false;
}

/* The same, for what is to be put on lists: agents refuse what is wider. */
static bool read_narrow(struct weir_question *question, struct weir_prefix *prefix_r)
{
    if (!read_prefix(question, prefix_r))
        return false;
    if (!weir_prefix_too_wide(prefix_r))
        return true;
    (void)weir_verb_refuse(question, "prefix is wider than " WEIR_PREFIX_WIDEST);
    return false;
}

/* Reads what an entry of a list says besides its prefix. */
static bool read_entry(struct weir_question *question, struct weir_list_entry *entry)
{
    json_int_t ends = json_integer_value(json_object_get(question->json, "ends"));

    entry->points = json_number_value(json_object_get(question->json, "points"));
    entry->defer = json_is_true(json_object_get(question->json, "defer"));
    snprintf(entry->reason, sizeof entry->reason, "%s", weir_verb_text(question, "reason"));
    if (ends < 0 || ends > INT64_MAX / WEIR_SECOND)
        (void)weir_verb_refuse(question, "ends is no time");
    else if (!(fabs(entry->points) <= WEIR_RULE_SCORE_MAX))
        (void)weir_verb_refuse(question, "points are out of bounds");
    else
        entry->ends = (weir_time)ends * WEIR_SECOND;
    return !question->why[0];
}

static bool is_over(const struct weir_question *question, const struct weir_list_entry *entry)
{
    return entry->ends != 0 && entry->ends <= question->now;
}

/* Buckets are full and events over, and nothing that was raised before waits to be acted on. */
static void reset(struct weir_monitor *monitor, const struct weir_prefix *prefix)
{
    weir_receiver_lock(monitor->receiver);
    weir_watch_reset(monitor->watch, prefix);
    weir_responder_drop(monitor->responder, prefix);
    weir_receiver_unlock(monitor->receiver);
}

/* One action: buckets, lists, ladder, and acceptance where that is asked for. */
static json_t *undo(struct weir_question *question)
{
    struct weir_monitor *monitor = question->monitor;
    struct weir_list_entry entry = {.ends = 0};
    bool accept = json_is_true(json_object_get(question->json, "accept"));
    char text[WEIR_PREFIX_TEXT];
    struct weir_prefix own;
    int undone;

    if (accept ? !read_narrow(question, &entry.prefix) : !read_prefix(question, &entry.prefix))
        return NULL;
    if (!read_entry(question, &entry))
        return NULL;
    if (accept && question->narrow && weir_prefix_wide(&entry.prefix))
        return weir_verb_forbid(question, "accepting more than a " WEIR_PREFIX_WIDE " needs the "
                                "role administrator");
    if (accept && is_over(question, &entry))
        return weir_verb_refuse(question, "an acceptance needs an end in the future, or none");
    own = weir_watch_own(&entry.prefix);
    reset(monitor, &own);
    undone = weir_responder_undo(monitor->responder, &entry.prefix, question->who, entry.reason,
                                 question->now);
    if (undone < 0)
        return weir_verb_trouble(question);
    if (accept && weir_responder_decide(monitor->responder, "accept", &entry, question->who,
                                        question->now) < 0)
        return weir_verb_trouble(question);
    return json_pack("{s:i, s:s, s:b, s:I}", "undone", undone, "prefix",
                     weir_prefix_format(&own, text), "accepted", accept, "at",
                     (json_int_t)question->now);
}

static json_t *unaccept(struct weir_question *question)
{
    struct weir_prefix prefix;
    int undone, restored;

    if (!read_prefix(question, &prefix))
        return NULL;
    undone = weir_responder_unaccept(question->monitor->responder, &prefix, question->who,
                                     weir_verb_text(question, "reason"), question->now,
                                     &restored);
    if (undone == 0)
        return weir_verb_unknown(question, "it is not accepted by itself");
    return undone < 0 ? weir_verb_trouble(question)
                      : json_pack("{s:i, s:i}", "undone", undone, "restored", restored);
}

/* Whether nothing may stand against a prefix, which is refused then. */
static bool is_spared(struct weir_question *question, const struct weir_prefix *prefix)
{
    struct weir_monitor *monitor = question->monitor;
    const char *why = "";
    bool spared;

    weir_receiver_lock(monitor->receiver);
    spared = weir_spared_prefix(monitor->spared, question->now, prefix, &why);
    weir_receiver_unlock(monitor->receiver);
    if (spared)
        (void)weir_verb_refuse(question, why);
    return spared;
}

static json_t *restore(struct weir_question *question)
{
    const json_t *at = json_object_get(question->json, "at");
    struct weir_prefix prefix;
    int restored;

    if (!read_prefix(question, &prefix))
        return NULL;
    if (!json_is_integer(at) || json_integer_value(at) <= 0)
        return weir_verb_refuse(question, "at is not when it was taken back, as undo told it");
    if (is_spared(question, &prefix))
        return NULL;
    restored = weir_responder_restore(question->monitor->responder, &prefix,
                                      json_integer_value(at), question->who,
                                      weir_verb_text(question, "reason"), question->now);
    if (restored == 0)
        return weir_verb_unknown(question, "nothing that was taken back then would still stand, or "
                                 "something else stands in its place");
    return restored < 0 ? weir_verb_trouble(question) : json_pack("{s:i}", "restored", restored);
}

static json_t *block(struct weir_question *question)
{
    struct weir_monitor *monitor = question->monitor;
    const char *list = weir_verb_text(question, "list");
    struct weir_list_entry entry = {.ends = 0};

    if (!read_narrow(question, &entry.prefix) || !read_entry(question, &entry))
        return NULL;
    if (strcmp(list, "blacklist") != 0 && strcmp(list, "score") != 0 && strcmp(list, "accept") != 0)
        return weir_verb_refuse(question, "list is not one of blacklist, score, accept");
    if (is_over(question, &entry) || (entry.ends == 0 && strcmp(list, "accept") != 0))
        return weir_verb_refuse(question, strcmp(list, "accept") == 0
                                              ? "an acceptance needs an end in the future, or none"
                                              : "a block or a score needs an end in the future");
    if (strcmp(list, "accept") != 0 && is_spared(question, &entry.prefix))
        return NULL;
    if (weir_responder_decide(monitor->responder, list, &entry, question->who, question->now) < 0)
        return weir_verb_trouble(question);
    return json_pack("{s:s}", "list", list);
}

static json_t *status(struct weir_question *question)
{
    return weir_monitor_status(question->monitor, question->now);
}

static json_t *forget(struct weir_question *question)
{
    json_t *json = weir_monitor_counters_forget(question->monitor, question->who, question->now);

    return json ? json : weir_verb_trouble(question);
}

static json_t *rebuilt(struct weir_question *question)
{
    json_t *json = weir_monitor_counters_rebuilt(question->monitor,
                                                 weir_verb_text(question, "detail"),
                                                 question->who, question->now);

    return json ? json : weir_verb_trouble(question);
}

/* Without the lock; see monitor_publish_io.h. */
static json_t *publish(struct weir_question *question)
{
    if (strcmp(weir_verb_text(question, "do"), "publish") == 0)
        json_object_del(question->json, "serial");
    else if (!json_is_integer(json_object_get(question->json, "serial")))
        return weir_verb_refuse(question, "serial is no number");
    return weir_monitor_publish(question->monitor, question->json, question->who, question->now,
                                question->why, &question->code);
}

static const struct {
    const char *name;
    json_t *(*run)(struct weir_question *question);
} verbs[] = {
    {"server add", server_add},       {"server revoke", server_revoke},
    {"threshold set", threshold_set}, {"threshold remove", threshold_remove},
    {"undo", undo},                   {"block", block},
    {"unaccept", unaccept},           {"restore", restore},
    {"status", status},
    {"counters forget", forget},      {"counters rebuilt", rebuilt},
    {"events acknowledge", weir_verb_acknowledge},
    {"events unacknowledge", weir_verb_unacknowledge},
    {"silence add", weir_verb_silence_add},
    {"silence end", weir_verb_silence_end},
};

/* What is asked of the rulebook or the classifier: they take locks where they need them. */
static json_t *run_rulebook(struct weir_question *question)
{
    struct weir_rulebook_question asked = {
        .json = question->json, .who = question->who, .now = question->now};
    json_t *json = weir_rulebook_answer(question->monitor, &asked);

    if (!json) {
        (void)weir_verb_refuse(question, asked.why);
        question->code = asked.code;
    }
    return json;
}

json_t *weir_verb_run(struct weir_question *question)
{
    const char *name = weir_verb_text(question, "do");
    bool publishes = strcmp(name, "publish") == 0 || strcmp(name, "rollback") == 0;
    json_t *json = NULL;

    /* Lists, audit and a terminal show them as they are. */
    if (!weir_verb_fits(question, "reason", WEIR_REASON_MAX) ||
        !weir_verb_fits(question, "note", WEIR_REASON_MAX))
        return NULL;
    if (publishes || weir_rulebook_is_asked(name)) {
        question->now = weir_clock_now(&question->monitor->sound); /* sound.h */
        return publishes ? publish(question) : run_rulebook(question);
    }
    if (weir_accounts_is_asked(name))
        return weir_accounts_answer(question);
    if (strcmp(name, "threshold try") == 0)
        return weir_monitor_try(question);

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(name, verbs[i].name) == 0) {
            pthread_mutex_lock(&question->monitor->lock);
            json = verbs[i].run(question);
            pthread_mutex_unlock(&question->monitor->lock);
            return json;
        }
    return weir_verb_refuse(question, "that is nothing it does");
}
