/*
 * The analyzer's runs.  What is counted so far is stored first, so that a run sees it; then
 * reading and deciding goes on beside everything else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/error.h"
#include "monitor/analyzer/analyzer_io.h"
#include "monitor/monitor_bayes_io.h"
#include "monitor/monitor_publish_io.h"
#include "monitor/monitor_rulebook_impl.h"

struct weir_rulebook {
    pthread_t thread;
    pthread_mutex_t running;    /* a run, the whole time */
    pthread_mutex_t lock;       /* of stop */
    pthread_cond_t stopped;
    bool stop, threaded;
    weir_time last;             /* when a run was stored, or this began */
};

#define WHO 96

/* A run. --------------------------------------------------------------------- */

struct run {
    struct weir_monitor *monitor;
    struct weir_rulebook_question *question;
    weir_time now;              /* as of when */
    bool given;                 /* a person did */
    bool dry;
    char who[WHO];              /* history tells what programs changed from what people did */
    struct weir_analysis *analysis;
    json_t *drafts;             /* what came of them */
};

/* A person who names a time says that time has gone by. */
static weir_time idle_of(const struct run *run)
{
    return run->given ? run->monitor->config.analyzer_idle
                      : weir_monitor_idle(run->monitor, run->now);
}

static struct weir_analysis_options options_of(struct run *run)
{
    const struct weir_config *config = &run->monitor->config;
    const char *asked = run->question->who ? run->question->who : "";

    snprintf(run->who, sizeof run->who, "%s%.*s", asked[0] ? "analyzer for " : "analyzer",
             WHO - 16, asked);
    return (struct weir_analysis_options){
        .settings = {.life = {.idle = idle_of(run), .trial = config->analyzer_trial,
                              .false_positives = (unsigned)config->analyzer_false_positives,
                              .people = (unsigned)config->analyzer_people},
                     .spam_score = config->spam_score, .share = config->analyzer_server_share},
        .now = run->now, .who = run->who};
}

static int store(struct run *run)
{
    struct weir_monitor *monitor = run->monitor;
    int rc;

    if (run->dry)
        return 0;
    pthread_mutex_lock(&monitor->lock);
    rc = weir_analysis_store(run->analysis, monitor->database);
    if (rc < 0)
        (void)weir_rulebook_trouble(run->question, monitor->database, rc);
    pthread_mutex_unlock(&monitor->lock);
    return rc;
}

/* What is counted so far is stored: a run over less would decide by what was.  0, or an error with
 * question->why. */
static int begin(struct run *run, struct weir_analysis_options *options_r)
{
    struct weir_monitor *monitor = run->monitor;
    int rc;

    pthread_mutex_lock(&monitor->lock);
    rc = weir_counting_store(monitor->counting, run->question->now);
    if (rc < 0)
        (void)weir_rulebook_trouble(run->question, monitor->database, rc);
    *options_r = options_of(run);
    pthread_mutex_unlock(&monitor->lock);
    return rc;
}

/* 0, or an error with question->why. */
static int perform(struct run *run)
{
    struct weir_monitor *monitor = run->monitor;
    struct weir_analysis_options options;
    struct weir_database *reading = NULL;
    int rc = weir_rulebook_read(monitor, run->question, &reading);

    if (rc < 0)
        return rc;
    rc = begin(run, &options);
    if (rc == 0) {
        rc = weir_analysis_new(reading, &options, &run->analysis);
        if (rc < 0)
            (void)weir_rulebook_trouble(run->question, reading, rc);
        else
            rc = store(run);
    }
    if (rc == 0)
        run->drafts = weir_rulebook_drafts(monitor, run->who, run->question->now, reading, run->now,
                                           run->dry);
    weir_database_free(&reading);
    return rc;
}

static int perform_alone(struct run *run)
{
    struct weir_rulebook *rulebook = run->monitor->rulebook;
    int rc;

    pthread_mutex_lock(&rulebook->running);
    rc = perform(run);
    if (rc == 0 && !run->dry)
        rulebook->last = run->question->now;
    pthread_mutex_unlock(&rulebook->running);
    return rc;
}

/* As JSON. ------------------------------------------------------------------- */

static const char *fate_of(const struct weir_analysis_change *change)
{
    return change->fate == WEIR_ANALYSIS_CHANGED   ? "changed"
           : change->fate == WEIR_ANALYSIS_REFUSED ? "refused"
                                                   : "passed over";
}

static json_t *change_json(const struct weir_analysis_change *change)
{
    json_t *json = json_pack("{s:s, s:I, s:s, s:{s:s, s:f}, s:{s:s, s:f}, s:f, s:s}", "name",
                             change->name, "id", (json_int_t)change->id, "what", fate_of(change),
                             "from", "state", weir_rule_state_name(change->state), "score",
                             change->score, "to", "state", weir_rule_state_name(change->to.state),
                             "score", change->to.score, "deserved", change->to.deserved, "why",
                             change->to.why);

    if (json && change->fate == WEIR_ANALYSIS_REFUSED)
        json_object_set_new(json, "message", json_sprintf("%016llx",
                                                          (unsigned long long)change->message));
    return json;
}

static json_t *analysis_json(const struct run *run)
{
    struct weir_analysis_counts counts = weir_analysis_counts(run->analysis);
    const struct weir_analysis_change *change;
    json_t *changes = json_array();

    for (size_t i = 0; (change = weir_analysis_get(run->analysis, i)) != NULL; i++)
        json_array_append_new(changes, change_json(change));
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:b, s:O?}", "changes", changes,
                     "rules", (json_int_t)counts.rules, "changed", (json_int_t)counts.changed,
                     "refused", (json_int_t)counts.refused, "passed", (json_int_t)counts.passed,
                     "messages", (json_int_t)counts.messages, "spam", counts.all.spam, "ham",
                     counts.all.ham, "now", (json_int_t)(run->now / WEIR_SECOND), "stored",
                     !run->dry, "drafts", run->drafts);
}

json_t *weir_rulebook_run(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    const json_t *now = json_object_get(question->json, "now");
    struct run run = {.monitor = monitor, .question = question, .now = question->now,
                      .dry = json_is_true(json_object_get(question->json, "dry"))};
    json_t *json = NULL;

    if (now) {
        json_int_t seconds = json_integer_value(now);

        if (seconds <= 0 || seconds > INT64_MAX / WEIR_SECOND)
            return weir_rulebook_refuse(question, "now is no time");
        run.now = (weir_time)seconds * WEIR_SECOND;
        run.given = true;
    }
    if (perform_alone(&run) == 0)
        json = analysis_json(&run);
    json_decref(run.drafts);
    weir_analysis_free(&run.analysis);
    return json;
}

/* The schedule. -------------------------------------------------------------- */

static bool is_timely(struct weir_monitor *monitor)
{
    bool timely;

    pthread_mutex_lock(&monitor->lock);
    timely = !monitor->untimely;
    pthread_mutex_unlock(&monitor->lock);
    return timely;
}

static void run_by_schedule(struct weir_monitor *monitor, weir_time now)
{
    struct weir_rulebook_question question = {.who = "", .now = now};
    struct run run = {.monitor = monitor, .question = &question, .now = now};
    struct weir_analysis_counts counts;
    int rc = perform_alone(&run);

    pthread_mutex_lock(&monitor->lock);
    snprintf(monitor->trouble[WEIR_TASK_ANALYZE], WEIR_TROUBLE, "%.*s", WEIR_TROUBLE - 1,
             rc < 0 ? question.why : "");
    pthread_mutex_unlock(&monitor->lock);
    if (rc < 0) {
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "rules are not analyzed: %s", question.why);
        return;
    }
    weir_rulebook_log_drafts(monitor, run.drafts);
    json_decref(run.drafts);
    counts = weir_analysis_counts(run.analysis);
    if (counts.changed + counts.refused > 0)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "analyzer: %zu of %zu rules changed, %zu "
                 "refused because good mail would become spam; see weirctl rules history",
                 counts.changed, counts.rules, counts.refused);
    weir_analysis_free(&run.analysis);
    if (is_timely(monitor)) /* what goes by age does not come back */
        weir_monitor_prune(monitor, now);
    weir_monitor_publish_again(monitor, now);
}

static bool is_due(struct weir_monitor *monitor, weir_time now)
{
    weir_time every, last;

    pthread_mutex_lock(&monitor->lock);
    every = monitor->config.analyzer_every;
    pthread_mutex_unlock(&monitor->lock);
    pthread_mutex_lock(&monitor->rulebook->running);
    last = monitor->rulebook->last;
    if (last > now) /* the clock went back */
        last = monitor->rulebook->last = now;
    pthread_mutex_unlock(&monitor->rulebook->running);
    return now - last >= every;
}

/* A second later, or at the end: false. */
static bool goes_on(struct weir_rulebook *rulebook)
{
    struct timespec until;
    bool stop;

    clock_gettime(CLOCK_MONOTONIC, &until); /* whatever is done to the wall clock */
    until.tv_sec++;
    pthread_mutex_lock(&rulebook->lock);
    if (!rulebook->stop)
        (void)pthread_cond_timedwait(&rulebook->stopped, &rulebook->lock, &until);
    stop = rulebook->stop;
    pthread_mutex_unlock(&rulebook->lock);
    return !stop;
}

static void *follow_schedule(void *context)
{
    struct weir_monitor *monitor = context;

    while (goes_on(monitor->rulebook)) {
        weir_time now = weir_clock_now(&monitor->sound);

        if (!is_due(monitor, now))
            continue;
        run_by_schedule(monitor, now);
        pthread_mutex_lock(&monitor->rulebook->running);
        monitor->rulebook->last = now; /* what fails is tried next time */
        pthread_mutex_unlock(&monitor->rulebook->running);
    }
    return NULL;
}

/* A condition that is waited for by the steady clock. */
static void init_steady(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int weir_rulebook_open(struct weir_monitor *monitor)
{
    struct weir_rulebook *rulebook = calloc(1, sizeof *rulebook);
    uint64_t runs;
    int rc;

    if (!rulebook)
        return WEIR_ENOMEM;
    monitor->rulebook = rulebook;
    pthread_mutex_init(&rulebook->running, NULL);
    pthread_mutex_init(&rulebook->lock, NULL);
    init_steady(&rulebook->stopped);
    rc = weir_database_runs(monitor->database, &runs, &rulebook->last);
    if (rc < 0)
        return rc;
    if (rulebook->last == 0)
        rulebook->last = weir_clock_now(&monitor->sound);
    errno = pthread_create(&rulebook->thread, NULL, follow_schedule, monitor);
    rulebook->threaded = errno == 0;
    return rulebook->threaded ? 0 : WEIR_EIO;
}

void weir_rulebook_close(struct weir_monitor *monitor)
{
    struct weir_rulebook *rulebook = monitor->rulebook;

    if (!rulebook)
        return;
    pthread_mutex_lock(&rulebook->lock);
    rulebook->stop = true;
    pthread_cond_signal(&rulebook->stopped);
    pthread_mutex_unlock(&rulebook->lock);
    if (rulebook->threaded)
        pthread_join(rulebook->thread, NULL);
    pthread_cond_destroy(&rulebook->stopped);
    pthread_mutex_destroy(&rulebook->lock);
    pthread_mutex_destroy(&rulebook->running);
    free(rulebook);
    monitor->rulebook = NULL;
}
