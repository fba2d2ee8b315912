/*
 * milter_service - configuration, stores and judges under one lock, and a log that threads share.
 *
 * Built on service_io.c, which the policy daemon uses, too: it reads, opens and replaces what
 * the configuration names.  The judges are made anew with each of them.
 */
#include "postfix-policy/milter_service_io.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "postfix-policy/daemon_log_io.h"
#include "postfix-policy/service_io.h"

struct weir_milter_service {
    struct weir_milter_options options;
    pthread_rwlock_t lock;         /* around service and judges */
    struct weir_service *service;
    struct weir_judges *judges;    /* NULL: memory was short */
    struct weir_clock wall;
    pthread_mutex_t log_lock;
    struct weir_daemon_log lines;
    struct weir_log log;           /* gathers lines under log_lock */
};

static void write_line(void *context, enum weir_log_level level, const char *line)
{
    struct weir_milter_service *service = context;

    pthread_mutex_lock(&service->log_lock);
    service->lines.log.write(service->lines.log.context, level, line);
    weir_daemon_log_flush(&service->lines);
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
    service->log = (struct weir_log){
        .write = write_line, .context = service, .most = service->lines.log.most};
}

static int open_judges(struct weir_milter_service *service)
{
    struct weir_judges_options options = {.program = service->options.program, .spool = true,
                                           .refresh = true};

    return weir_judges_open(&service->service->config, &service->service->stores, &options,
                            &service->log, &service->judges);
}

int weir_milter_service_open(const struct weir_milter_options *options,
                             struct weir_milter_service **service_r)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_milter_service *service = calloc(1, sizeof *service);
    int done;

    if (!service)
        return WEIR_ENOMEM;
    service->options = *options;
    service->wall = weir_clock_system();
    pthread_rwlock_init(&service->lock, NULL);
    pthread_mutex_init(&service->log_lock, NULL);
    done = weir_service_read(options->config_path, &report, &service->service);
    if (done == 0) {
        use_log(service, &service->service->config);
        done = weir_service_open(service->service, &service->log);
    }
    if (done == 0)
        done = open_judges(service);
    if (done < 0) {
        weir_milter_service_end(&service);
        return done;
    }
    *service_r = service;
    return 0;
}

void weir_milter_service_end(struct weir_milter_service **service)
{
    struct weir_milter_service *it = *service;

    if (!it)
        return;
    pthread_rwlock_wrlock(&it->lock);
    weir_judges_free(&it->judges);
    weir_service_free(&it->service);
    pthread_mutex_lock(&it->log_lock);
    weir_daemon_log_end(&it->lines);
    pthread_mutex_unlock(&it->log_lock);
    *service = NULL;
}

static void log_problem(void *context, const char *file, unsigned line, const char *reason)
{
    if (line > 0)
        weir_log(context, WEIR_LOG_ERROR, "%s:%u: %s", file, line, reason);
    else
        weir_log(context, WEIR_LOG_ERROR, "%s: %s", file, reason);
}

/* Nobody judges while this runs. */
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
    struct weir_settings_report report = {log_problem, &service->log};
    struct weir_service *next;
    int done = weir_service_read(service->options.config_path, &report, &next);

    if (done == 0) {
        pthread_rwlock_wrlock(&service->lock);
        done = replace(service, next);
        pthread_rwlock_unlock(&service->lock);
    }
    if (done == 0)
        weir_log(&service->log, WEIR_LOG_INFO, "reloaded");
    else
        weir_log(&service->log, WEIR_LOG_ERROR, "not reloaded (%s): the configuration it has "
                 "stays", weir_error_reason(done));
}

void weir_milter_service_tick(struct weir_milter_service *service)
{
    weir_time now = weir_clock_now(&service->wall);

    pthread_rwlock_rdlock(&service->lock);
    if (service->judges)
        weir_judges_tick(service->judges, now);
    pthread_rwlock_unlock(&service->lock);
    pthread_mutex_lock(&service->log_lock);
    weir_daemon_log_flush(&service->lines);
    pthread_mutex_unlock(&service->log_lock);
}

const struct weir_log *weir_milter_service_log(const struct weir_milter_service *service)
{
    return &service->log;
}

const char *weir_milter_service_listen(const struct weir_milter_service *service)
{
    return service->options.listen ? service->options.listen
                                   : service->service->config.milter_listen;
}

size_t weir_milter_service_size(struct weir_milter_service *service)
{
    size_t size;

    pthread_rwlock_rdlock(&service->lock);
    size = (size_t)service->service->config.milter_size;
    pthread_rwlock_unlock(&service->lock);
    return size;
}

int weir_milter_service_access(struct weir_milter_service *service)
{
    return service->service->config.socket_access;
}

int weir_milter_service_judge(struct weir_milter_service *service, const struct weir_mail *mail,
                              int (*carry)(void *context, const struct weir_outcome *outcome,
                                           bool tempfail),
                              void *context)
{
    const struct weir_judgement *judgement = NULL;
    struct weir_judge *judge;
    bool tempfail;
    int done;

    pthread_rwlock_rdlock(&service->lock);
    tempfail = service->service->config.on_failure == WEIR_ON_FAILURE_TEMPFAIL;
    judge = service->judges ? weir_judges_take(service->judges) : NULL;
    if (judge &&
        weir_judge_mail(judge, weir_clock_now(&service->wall), mail, &judgement) < 0)
        judgement = NULL;
    if (judgement)
        weir_log(&service->log, WEIR_LOG_INFO, "%s", judgement->outcome.log);
    else
        weir_log(&service->log, WEIR_LOG_ERROR, "memory is short: a message is %s unjudged",
                 tempfail ? "deferred" : "accepted");
    done = carry(context, judgement ? &judgement->outcome : NULL, tempfail);
    if (judge)
        weir_judges_give(service->judges, &judge);
    pthread_rwlock_unlock(&service->lock);
    return done;
}
