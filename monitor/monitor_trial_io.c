/*
 * What a threshold would have caught in recorded traffic, for who edits it.
 *
 * The run has a handle of its own to the database, and asks the lock only who is acceptable.  It is
 * bounded: in time, in addresses at once, and only one runs at a time; what was not looked at when
 * the time was up is told.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/monitor_verbs_impl.h"
#include "monitor/threshold/trial_io.h"
#include "monitor/view/view_trial.h"

#define TIME (4 * WEIR_SECOND)
#define ADDRESSES 200000
#define ROWS 500
#define HOURS 24
#define HOURS_MAX 168
#define BUSY 409u      /* as HTTP has them */
#define TROUBLE 500u

struct trying {
    struct weir_question *question;
    struct weir_policy policy;
    struct weir_trial_options options;
    weir_time until;                  /* steady */
};

static bool is_spared(void *context, const struct weir_address *address)
{
    const struct trying *trying = context;
    struct weir_monitor *monitor = trying->question->monitor;
    bool spared;

    weir_receiver_lock(monitor->receiver);
    spared = weir_spared_address(monitor->spared, trying->question->now, address);
    weir_receiver_unlock(monitor->receiver);
    return spared;
}

static bool step(void *context, uint64_t done, uint64_t all)
{
    const struct trying *trying = context;

    (void)done, (void)all;
    return weir_clock_now(&trying->question->monitor->steady) < trying->until;
}

static bool read_hours(struct weir_question *question, int64_t *hours_r)
{
    const json_t *hours = json_object_get(question->json, "hours");

    *hours_r = hours ? json_integer_value(hours) : HOURS;
    if (*hours_r >= 1 && *hours_r <= HOURS_MAX)
        return true;
    (void)weir_verb_refuse(question, "hours is no number from 1 to 168");
    return false;
}

/* With the lock: what is in force now. */
static bool prepare(struct trying *trying)
{
    struct weir_question *question = trying->question;
    struct weir_monitor *monitor = question->monitor;
    struct weir_threshold threshold;
    const char *why = "";
    int64_t hours;

    if (!read_hours(question, &hours) || !weir_verb_threshold(question, &threshold))
        return false;
    if (weir_trial_policy(&monitor->config, monitor->database, &threshold, &trying->policy,
                          &why) < 0) {
        (void)weir_verb_trouble(question);
        return false;
    }
    if (monitor->trying) {
        (void)weir_verb_refuse(question, "another one is being tried: try it again in a moment");
        question->code = BUSY;
        return false;
    }
    trying->options = (struct weir_trial_options){
        .policy = &trying->policy,
        .name = threshold.name,
        .wider = monitor->config.threshold_wider,
        .children = (unsigned)monitor->config.threshold_children,
        .addresses = monitor->config.monitor_addresses < ADDRESSES
                         ? (size_t)monitor->config.monitor_addresses : ADDRESSES,
        .from = (question->now - hours * WEIR_HOUR) / WEIR_MINUTE,
        .to = question->now / WEIR_MINUTE,
        .spared = is_spared,
        .step = step,
        .context = trying,
    };
    monitor->trying = true;
    return true;
}

static json_t *trouble(struct weir_question *question, const char *why)
{
    (void)weir_verb_refuse(question, why);
    question->code = TROUBLE;
    return NULL;
}

static json_t *run(struct trying *trying)
{
    struct weir_question *question = trying->question;
    const struct weir_database_options reading = {
        .path = weir_database_path(question->monitor->database), .reading = true};
    struct weir_trial trial = {.cut = false};
    json_t *json = NULL;
    char why[WEIR_DATABASE_WHY];
    int rc = weir_database_open(&reading, why, &trying->options.database);

    if (rc < 0) {
        (void)trouble(question, why);
    } else {
        trying->until = weir_clock_now(&question->monitor->steady) + TIME;
        rc = weir_trial_run(&trying->options, &trial);
        if (rc == 0)
            json = weir_view_trial(&trial, trying->options.name, ROWS);
        else if (rc == WEIR_EINVAL || rc == WEIR_ELIMIT)
            (void)weir_verb_refuse(question, rc == WEIR_EINVAL
                                                 ? "these thresholds cannot be used together"
                                                 : "it would have caught too many: try higher "
                                                   "limits or fewer hours");
        else
            (void)trouble(question, rc == WEIR_ENOMEM
                                        ? "memory is short"
                                        : weir_database_why(trying->options.database));
    }
    weir_trial_free(&trial);
    weir_database_free(&trying->options.database);
    return json;
}

json_t *weir_monitor_try(struct weir_question *question)
{
    struct weir_monitor *monitor = question->monitor;
    struct trying trying = {.question = question};
    json_t *json = NULL;
    bool ready;

    pthread_mutex_lock(&monitor->lock);
    ready = prepare(&trying);
    pthread_mutex_unlock(&monitor->lock);
    if (ready) {
        json = run(&trying);
        pthread_mutex_lock(&monitor->lock);
        monitor->trying = false;
        pthread_mutex_unlock(&monitor->lock);
    }
    weir_policy_free(&trying.policy);
    return json;
}
