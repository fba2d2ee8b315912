/*
 * Publishing as the operator asks for it, and what the doors need to know of it.  Both verbs run
 * without the database's lock, which the publisher takes where it needs it: expressions are
 * compiled meanwhile, and the loop must not wait for that.
 */
#include "monitor/monitor_publish_io.h"

#include <microhttpd.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/analyzer/publish_try_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/monitor_bayes_io.h"
#include "monitor/monitor_rulebook_impl.h"

#define WITHIN (WEIR_SECOND / 50) /* for each server, to come for a new set */

/* So that a thousand servers come one after the other. */
static void spread_out(struct weir_monitor *monitor)
{
    size_t seen, blind;

    weir_admit_count(monitor->admit, weir_clock_now(&monitor->wall), &seen, &blind);
    atomic_store(&monitor->news_within, (weir_time)(seen + blind) * WITHIN);
}

static void published(void *context, uint32_t serial)
{
    struct weir_monitor *monitor = context;

    (void)serial;
    spread_out(monitor);
    weir_intake_wake(monitor->intake);
}

static void patched(void *context)
{
    struct weir_monitor *monitor = context;

    if (atomic_load(&monitor->hears)) /* else the door is being opened, and wakes them itself */
        weir_intake_wake_rules(monitor->intake);
}

/* The publisher tells it what is the newest. */
static int open_patches(struct weir_monitor *monitor)
{
    const struct weir_patches_options options = {.database = monitor->database,
                                                 .lock = &monitor->lock,
                                                 .made = patched,
                                                 .context = monitor};
    int done = weir_patches_open(&options, &monitor->patches);

    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "patches of rule sets: %s",
                 weir_error_reason(done));
    return done;
}

int weir_monitor_open_publisher(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    struct weir_publisher_options options = {
        .database = monitor->database,
        .lock = &monitor->lock,
        .key_path = weir_config_path(config, config->monitor_rules_key, monitor->arena),
        .bayes = weir_monitor_words,
        .published = published,
        .context = monitor,
    };

    int done = options.key_path ? open_patches(monitor) : WEIR_ENOMEM;

    if (done < 0)
        return done;
    spread_out(monitor);
    options.patches = monitor->patches;
    return weir_publisher_open(&options, &monitor->shared_log, &monitor->publisher);
}

void weir_monitor_news(struct weir_monitor *monitor, struct weir_news *news_r)
{
    news_r->serial = weir_publisher_serial(monitor->publisher);
    news_r->within = atomic_load(&monitor->news_within);
    memcpy(news_r->open, weir_publisher_public(monitor->publisher), sizeof news_r->open);
}

static void audit(struct weir_monitor *monitor, const struct weir_publishing *by,
                  const char *what, uint32_t serial)
{
    char detail[32];
    const struct weir_audit line = {
        .time = by->now, .who = by->who, .what = what, .detail = detail};

    snprintf(detail, sizeof detail, "rule set %u", (unsigned)serial);
    pthread_mutex_lock(&monitor->lock);
    (void)weir_database_audit_add(monitor->database, &line);
    pthread_mutex_unlock(&monitor->lock);
}

static json_t *tell(const struct weir_published *published_, bool different)
{
    json_t *differences = json_object();

    for (enum weir_rule_difference i = 0; i < WEIR_RULE_DIFFERENCES; i++)
        if (published_->differences[i] > 0)
            json_object_set_new(differences, weir_rule_difference_name(i),
                                json_integer((json_int_t)published_->differences[i]));
    if (published_->other_words)
        json_object_set_new(differences, "words",
                            json_integer((json_int_t)published_->words));
    return json_pack("{s:I, s:I, s:I, s:b, s:b, s:o}", "serial", (json_int_t)published_->serial,
                     "rules", (json_int_t)published_->rules, "octets",
                     (json_int_t)published_->octets, "different", different, "published",
                     published_->fresh, "differences", differences);
}

weir_time weir_monitor_idle(struct weir_monitor *monitor, weir_time now)
{
    weir_time idle;
    int rc = weir_database_hits_idle(monitor->database, now, monitor->config.analyzer_idle, &idle);

    return rc < 0 ? INT64_MAX : idle;
}

static weir_time idle_of(struct weir_monitor *monitor, weir_time now)
{
    weir_time idle;

    pthread_mutex_lock(&monitor->lock);
    idle = weir_monitor_idle(monitor, now);
    pthread_mutex_unlock(&monitor->lock);
    return idle;
}

/* On recent mail.  What cannot be read says nothing against a set. */
static int try_set(void *context, struct weir_slice before, struct weir_slice next,
                   char why_r[static WEIR_PUBLISH_WHY])
{
    struct weir_monitor *monitor = context;
    struct weir_publish_trial trial = {.before = before, .next = next,
                                       .now = weir_clock_now(&monitor->sound)};
    struct weir_rulebook_question question = {.who = ""};
    struct weir_database *reading = NULL;
    int rc = weir_rulebook_read(monitor, &question, &reading);

    pthread_mutex_lock(&monitor->lock);
    trial.spam_score = monitor->config.spam_score;
    trial.share = monitor->config.analyzer_server_share;
    pthread_mutex_unlock(&monitor->lock);
    if (rc == 0 && (rc = weir_publish_try(reading, &trial, why_r)) < 0 && rc != WEIR_EINVAL)
        snprintf(why_r, WEIR_PUBLISH_WHY, "%s", weir_database_why(reading));
    else if (rc < 0 && rc != WEIR_EINVAL)
        snprintf(why_r, WEIR_PUBLISH_WHY, "%s", question.why);
    weir_database_free(&reading);
    return rc;
}

void weir_monitor_publish_again(struct weir_monitor *monitor, weir_time now)
{
    struct weir_publishing by = {.who = "analyzer", .why = "by schedule", .now = now,
                                 .alone = true, .try = try_set, .context = monitor};
    char why[WEIR_PUBLISH_WHY]; /* is logged, too */
    struct weir_published done;
    int rc;

    if (weir_publisher_serial(monitor->publisher) == 0 ||
        weir_publisher_held(monitor->publisher))
        return;
    by.idle = idle_of(monitor, now);
    rc = weir_publish(monitor->publisher, &by, &done, why);
    pthread_mutex_lock(&monitor->lock);
    snprintf(monitor->trouble[WEIR_TASK_PUBLISH], WEIR_TROUBLE, "%s%.120s",
             rc < 0 ? "no rule set is published: " : "", rc < 0 ? why : "");
    pthread_mutex_unlock(&monitor->lock);
}

/* What is not asked for is below 0. */
static int64_t member_of(const json_t *was, const char *name)
{
    const json_t *value = json_object_get(was, name);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static unsigned status_of(int rc)
{
    return rc == WEIR_EBUSY                         ? MHD_HTTP_CONFLICT
           : weir_error_passes(rc)                  ? MHD_HTTP_SERVICE_UNAVAILABLE
           : rc == WEIR_EINVAL || rc == WEIR_ELIMIT ? MHD_HTTP_BAD_REQUEST
                                                    : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

json_t *weir_monitor_publish(struct weir_monitor *monitor, const json_t *json, const char *who,
                             weir_time now, char why_r[static WEIR_PUBLISH_WHY], unsigned *code_r)
{
    const json_t *serial = json_object_get(json, "serial"), *was = json_object_get(json, "was");
    const struct weir_rules_newest based = {member_of(was, "serial"), member_of(was, "change")};
    const char *reason = json_string_value(json_object_get(json, "reason"));
    struct weir_publishing by = {.who = who,
                                 .why = reason ? reason : "",
                                 .now = now,
                                 .dry = json_is_true(json_object_get(json, "dry")),
                                 .based = &based,
                                 .context = monitor};
    json_int_t wanted = json_integer_value(serial);
    struct weir_published done;
    int rc;

    by.idle = idle_of(monitor, now);
    if (!serial && !json_is_true(json_object_get(json, "force")))
        by.try = try_set; /* what is brought back was at work */
    if (serial)
        rc = weir_publish_again(monitor->publisher, wanted > 0 && wanted <= WEIR_RULE_SERIAL_MAX
                                                        ? (uint32_t)wanted : 0,
                                &by, &done, why_r);
    else
        rc = weir_publish(monitor->publisher, &by, &done, why_r);
    *code_r = status_of(rc);
    if (rc < 0)
        return NULL;
    if (done.fresh)
        audit(monitor, &by, serial ? "rollback" : "publish", done.serial);
    return tell(&done, rc == 1);
}
