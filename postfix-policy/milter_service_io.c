/*
 * milter_service - configuration, stores and judges behind a gate, and a log that threads share.
 *
 * The gate counts who is judging.  While it is shut nobody enters; when the count is 0, the
 * one that shut it may change everything.  A lock for readers and writers would not do: glibc's
 * lets readers pass a writer that waits, so that under load no reload would ever come.
 *
 * Built on service_io.c, which the policy daemon uses, too: it reads, opens and replaces what
 * the configuration names.  The judges are made anew with each of them.
 */
#include "postfix-policy/milter_service_io.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/numbers_io.h"
#include "core/engine/rule_set_io.h"
#include "core/program/daemon_log_io.h"
#include "core/program/service_io.h"

struct weir_milter_service {
    struct weir_milter_options options;
    char *listen;                  /* where it listens, whatever a reload brings */
    pthread_mutex_t lock;          /* of the gate: around what follows up to wishes */
    pthread_cond_t changed;
    bool shut;
    unsigned judging;
    unsigned long generation;      /* of judges */
    size_t size;
    struct weir_milter_wishes wishes;
    struct weir_service *service;  /* these two: of those inside the gate */
    struct weir_judges *judges;    /* NULL: memory was short */
    struct weir_numbers *numbers;  /* of the first configuration's folder */
    struct weir_clock wall;
    pthread_mutex_t log_lock;
    struct weir_daemon_log lines;
    struct weir_log log;           /* gathers lines under log_lock; never changes */
};

/* the gate -------------------------------------------------------------------------- */

static void enter(struct weir_milter_service *service, struct weir_milter_wishes *wishes_r,
                  unsigned long *generation_r)
{
    pthread_mutex_lock(&service->lock);
    while (service->shut)
        pthread_cond_wait(&service->changed, &service->lock);
    service->judging++;
    *wishes_r = service->wishes;
    *generation_r = service->generation;
    pthread_mutex_unlock(&service->lock);
}

static void leave(struct weir_milter_service *service)
{
    pthread_mutex_lock(&service->lock);
    if (--service->judging == 0)
        pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

/* Afterwards nobody is inside, and nobody comes in. */
static void shut_gate(struct weir_milter_service *service)
{
    pthread_mutex_lock(&service->lock);
    service->shut = true;
    while (service->judging > 0)
        pthread_cond_wait(&service->changed, &service->lock);
    pthread_mutex_unlock(&service->lock);
}

static void open_gate(struct weir_milter_service *service)
{
    const struct weir_config *config = &service->service->config;

    pthread_mutex_lock(&service->lock);
    service->generation++;
    service->size = (size_t)config->milter_size;
    service->wishes = (struct weir_milter_wishes){
        .tempfail = config->on_failure == WEIR_ON_FAILURE_TEMPFAIL,
        .policy_field = config->prepend == WEIR_PREPEND_ALWAYS ||
                        (config->prepend == WEIR_PREPEND_OBSERVE && config->mode == WEIR_OBSERVE),
    };
    service->shut = false;
    pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

/* To the others of its kind, or, when there was a reload meanwhile, away. */
static void give_judge(struct weir_milter_service *service, unsigned long generation,
                       struct weir_judge *judge)
{
    if (!judge)
        return;
    pthread_mutex_lock(&service->lock);
    if (!service->shut && generation == service->generation)
        weir_judges_give(service->judges, &judge);
    pthread_mutex_unlock(&service->lock);
    weir_judge_free(&judge);
}

/* the log ------------------------------------------------------------------------------ */

static void write_line(void *context, enum weir_log_level level, const char *line)
{
    struct weir_milter_service *service = context;

    pthread_mutex_lock(&service->log_lock);
    if (level <= service->lines.log.most) {
        service->lines.log.write(service->lines.log.context, level, line);
        weir_daemon_log_flush(&service->lines);
    }
    pthread_mutex_unlock(&service->log_lock);
}

static void use_log(struct weir_milter_service *service, struct weir_config *config)
{
    if (service->options.debug) {
        config->log = WEIR_LOG_STDERR;
        config->log_level = WEIR_LOG_DEBUG;
    }
    pthread_mutex_lock(&service->log_lock);
    weir_daemon_log_use(&service->lines, service->options.program, config);
    pthread_mutex_unlock(&service->log_lock);
}

/* opening and closing -------------------------------------------------------------------- */

static int open_judges(struct weir_milter_service *service)
{
    struct weir_judges_options options = {.program = service->options.program, .spool = true,
                                           .numbers = service->numbers};

    return weir_judges_open(&service->service->config, &service->service->stores, &options,
                            &service->log, &service->judges);
}

static int open_all(struct weir_milter_service *service)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    int done = weir_service_read(service->options.config_path, &report, &service->service);
    struct weir_config *config = done == 0 ? &service->service->config : NULL;

    if (done < 0)
        return done;
    use_log(service, config);
    service->listen = strdup(service->options.listen ? service->options.listen
                                                     : config->milter_listen);
    if (!service->listen)
        return WEIR_ENOMEM;
    if ((done = weir_numbers_open(config, WEIR_NUMBERS_MILTER, true, &service->log,
                                  &service->numbers)) < 0 ||
        (done = weir_service_open(service->service, &service->log)) < 0)
        return done;
    weir_rule_set_refresh(config, &service->log);
    return open_judges(service);
}

int weir_milter_service_open(const struct weir_milter_options *options,
                             struct weir_milter_service **service_r)
{
    struct weir_milter_service *service = calloc(1, sizeof *service);
    int done;

    if (!service)
        return WEIR_ENOMEM;
    service->options = *options;
    service->wall = weir_clock_system();
    service->log = (struct weir_log){
        .write = write_line, .context = service, .most = WEIR_LOG_DEBUG};
    pthread_mutex_init(&service->lock, NULL);
    pthread_cond_init(&service->changed, NULL);
    pthread_mutex_init(&service->log_lock, NULL);
    done = open_all(service);
    if (done < 0) {
        *service_r = service;
        weir_milter_service_end(service_r);
        free(service);
        return done;
    }
    open_gate(service);
    *service_r = service;
    return 0;
}

void weir_milter_service_end(struct weir_milter_service **service)
{
    struct weir_milter_service *it = *service;

    if (!it)
        return;
    shut_gate(it);
    weir_judges_free(&it->judges);
    weir_service_free(&it->service);
    weir_numbers_close(&it->numbers);
    pthread_mutex_lock(&it->log_lock);
    weir_daemon_log_end(&it->lines);
    pthread_mutex_unlock(&it->log_lock);
    free(it->listen);
    it->listen = NULL;
    *service = NULL;
}

/* a reload ----------------------------------------------------------------------------------- */

/* Behind the shut gate. */
static int replace(struct weir_milter_service *service, struct weir_service *next)
{
    int done;

    weir_judges_free(&service->judges);
    done = weir_service_replace(&service->service, &next, &service->log);
    if (done == 0)
        use_log(service, &service->service->config);
    if (service->service->engine && open_judges(service) < 0)
        done = WEIR_ENOMEM;
    return done;
}

void weir_milter_service_reload(struct weir_milter_service *service)
{
    struct weir_settings_report report = {weir_log_problem, &service->log};
    struct weir_service *next;
    int done = weir_service_read(service->options.config_path, &report, &next);

    if (done == 0) {
        weir_rule_set_refresh(&next->config, &service->log);
        shut_gate(service);
        done = replace(service, next);
        open_gate(service);
    }
    if (done == 0)
        weir_log(&service->log, WEIR_LOG_INFO, "reloaded");
    else
        weir_log(&service->log, WEIR_LOG_ERROR, "not reloaded (%s): the configuration it has "
                 "stays", weir_error_reason(done));
}

void weir_milter_service_tick(struct weir_milter_service *service, unsigned at_work)
{
    weir_numbers_set(service->numbers, WEIR_NUMBER_AT_WORK, 0, at_work);
    if (service->judges)
        weir_judges_tick(service->judges, weir_clock_now(&service->wall));
    pthread_mutex_lock(&service->log_lock);
    weir_daemon_log_flush(&service->lines);
    weir_numbers_raise(service->numbers, WEIR_NUMBER_LOG_LOST, 0, service->lines.lost);
    pthread_mutex_unlock(&service->log_lock);
    (void)weir_numbers_give(service->numbers);
}

const struct weir_log *weir_milter_service_log(const struct weir_milter_service *service)
{
    return &service->log;
}

const char *weir_milter_service_listen(const struct weir_milter_service *service)
{
    return service->listen;
}

size_t weir_milter_service_size(struct weir_milter_service *service)
{
    size_t size;

    pthread_mutex_lock(&service->lock);
    size = service->size;
    pthread_mutex_unlock(&service->lock);
    return size;
}

int weir_milter_service_access(struct weir_milter_service *service)
{
    return service->service->config.socket_access;
}

/* judging ------------------------------------------------------------------------------------ */

int weir_milter_service_judge(struct weir_milter_service *service, const struct weir_mail *mail,
                              weir_milter_carry *carry, void *context)
{
    const struct weir_judgement *judgement = NULL;
    struct weir_milter_wishes wishes;
    unsigned long generation;
    struct weir_judge *judge;
    int done;

    enter(service, &wishes, &generation);
    judge = service->judges ? weir_judges_take(service->judges) : NULL;
    if (judge && weir_judges_decide(service->judges, judge, weir_clock_now(&service->wall), 0, mail,
                                    &judgement) < 0)
        judgement = NULL;
    else if (!judge)
        weir_numbers_add(service->numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    leave(service);
    if (judgement)
        weir_log(&service->log, WEIR_LOG_INFO, "%s", judgement->outcome.log);
    else
        weir_log(&service->log, WEIR_LOG_ERROR, "memory is short: a message is %s unjudged",
                 wishes.tempfail ? "deferred" : "accepted");
    done = carry(context, judgement ? &judgement->outcome : NULL, &wishes);
    give_judge(service, generation, judge);
    return done;
}
