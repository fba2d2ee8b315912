/*
 * alert_io - two channels, each a thread over a group that waits and a pace, and lines of the log.
 *
 * A channel holds its lock only to move groups about, never while a message is handed over.
 * Refuses recipients that sendmail could take for options, and URLs that are not http or https.
 */
#include "monitor/threshold/alert_io.h"

#include <ctype.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/threshold/alert_impl.h"

#define RETRY_MOST WEIR_MINUTE

enum { MAIL, WEBHOOK, CHANNELS };

struct weir_alerts {
    struct weir_alerts_options options; /* of its texts, own copies */
    const struct weir_log *log;
    struct alert_channel channel[CHANNELS];
    atomic_uint_fast64_t added, silenced;
    struct weir_clock steady;
    pthread_mutex_t lines_lock;
    struct weir_alert_lines lines; /* of the log */
    bool stopped;                /* no channel runs any more */
};

weir_time weir_alert_deadline(struct alert_channel *channel)
{
    weir_time own = weir_clock_now(&channel->steady) + channel->options->timeout;
    weir_time closing = (weir_time)atomic_load(&channel->deadline);

    return own < closing ? own : closing;
}

/* the thread ---------------------------------------------------------------------- */

static void sleep_until(struct alert_channel *channel, weir_time steady)
{
    const struct timespec until = {.tv_sec = steady / WEIR_SECOND,
                                   .tv_nsec = steady % WEIR_SECOND * 1000};

    pthread_cond_timedwait(&channel->wake, &channel->lock, &until);
}

/* Told once when trouble begins, and once when it is over. */
static void note_end(struct alert_channel *channel, bool good, const char *why)
{
    if (!good && !channel->troubled)
        weir_log(channel->log, WEIR_LOG_ERROR,
                 "alerts by %s cannot be told, and wait: %s", channel->name, why);
    if (good && channel->troubled)
        weir_log(channel->log, WEIR_LOG_WARNING, "alerts by %s are told again", channel->name);
    channel->troubled = !good;
    if (good)
        channel->messages++;
    else
        channel->failures++;
}

/* With the lock, which is let go meanwhile. */
static bool hand_over(struct alert_channel *channel)
{
    char why[WEIR_ALERT_WHY] = "";
    bool good;

    channel->sending = channel->waiting;
    channel->under_way = channel->waiting.count;
    channel->waiting = (struct weir_alert_group){.count = 0};
    pthread_mutex_unlock(&channel->lock);
    good = channel->hand_over(channel, why);
    pthread_mutex_lock(&channel->lock);
    channel->under_way = 0;
    note_end(channel, good, why);
    if (good) {
        weir_alert_pace_note(&channel->pace, weir_clock_now(&channel->steady));
    } else {
        weir_alert_group_merge(&channel->sending, &channel->waiting);
        channel->waiting = channel->sending;
    }
    return good;
}

static weir_time retry_after(const struct alert_channel *channel)
{
    weir_time window = channel->options->window;

    return window < RETRY_MOST ? (window > WEIR_SECOND ? window : WEIR_SECOND) : RETRY_MOST;
}

static void *run(void *context)
{
    struct alert_channel *channel = context;
    weir_time due = INT64_MIN;
    bool good = true;

    pthread_mutex_lock(&channel->lock);
    while (!channel->stopping) {
        if (channel->waiting.count == 0) {
            pthread_cond_wait(&channel->wake, &channel->lock);
        } else if (weir_clock_now(&channel->steady) < due) {
            sleep_until(channel, due);
        } else {
            good = hand_over(channel);
            due = good ? weir_alert_pace_due(&channel->pace)
                       : weir_clock_now(&channel->steady) + retry_after(channel);
        }
    }
    if (channel->waiting.count > 0)
        (void)hand_over(channel);
    if (channel->waiting.count > 0)
        weir_log(channel->log, WEIR_LOG_ERROR,
                 "%" PRIu64 " alerts were not told by %s: they are in this log only",
                 channel->waiting.count, channel->name);
    pthread_mutex_unlock(&channel->lock);
    return NULL;
}

/* opening ------------------------------------------------------------------------- */

static void name_host(char host[static WEIR_ALERT_HOST])
{
    if (gethostname(host, WEIR_ALERT_HOST - 1) < 0 || !host[0])
        snprintf(host, WEIR_ALERT_HOST, "localhost");
    for (char *at = host; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '.' && *at != '-')
            *at = '-';
}

static int open_channel(struct weir_alerts *alerts, struct alert_channel *channel)
{
    pthread_condattr_t steady;

    channel->options = &alerts->options;
    channel->log = alerts->log;
    channel->steady = weir_clock_steady();
    channel->wall = weir_clock_system();
    channel->pace = (struct weir_alert_pace){.window = alerts->options.window,
                                             .hour_most = alerts->options.hour_most};
    atomic_init(&channel->deadline, INT64_MAX);
    name_host(channel->host);
    pthread_mutex_init(&channel->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&channel->wake, &steady);
    pthread_condattr_destroy(&steady);
    channel->runs = pthread_create(&channel->thread, NULL, run, channel) == 0;
    if (channel->runs)
        return 0;
    pthread_cond_destroy(&channel->wake);
    pthread_mutex_destroy(&channel->lock);
    return WEIR_EIO;
}

int weir_alerts_check_mail(const char *mail, const char **why_r)
{
    const char *at = mail;
    size_t count = 0;

    while (*at) {
        struct weir_slice word = {at, strcspn(at, ", ")};

        at += word.len;
        at += strspn(at, ", ");
        if (word.len == 0)
            continue;
        if (!weir_alert_recipient_fit(word) || ++count > WEIR_ALERT_RECIPIENTS_MAX) {
            *why_r = "not addresses with commas between, or too many";
            return WEIR_EINVAL;
        }
    }
    return 0;
}

int weir_alerts_check_webhook(const char *url, const char **why_r)
{
    CURLU *parsed;
    CURLUcode code;

    if (!url[0])
        return 0;
    *why_r = "not http:// or https://";
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        return WEIR_EINVAL;
    parsed = curl_url();
    code = parsed ? curl_url_set(parsed, CURLUPART_URL, url, 0) : CURLUE_OUT_OF_MEMORY;
    curl_url_cleanup(parsed);
    *why_r = code == CURLUE_OK ? "" : curl_url_strerror(code);
    return code == CURLUE_OK ? 0 : WEIR_EINVAL;
}

const char *weir_alerts_check_program(const char *sendmail)
{
    struct stat there;

    if (stat(sendmail, &there) < 0)
        return "there is no such program";
    return S_ISREG(there.st_mode) && access(sendmail, X_OK) == 0 ? NULL
                                                                : "it cannot be executed";
}

/* What cannot be used at all; a program that is not there may come. */
static int check(const struct weir_alerts *alerts)
{
    const struct weir_alerts_options *options = &alerts->options;
    const char *why = "";

    if (weir_alerts_check_mail(options->mail, &why) < 0)
        weir_log(alerts->log, WEIR_LOG_ERROR, "[monitor] alert_mail = %s: %s", options->mail, why);
    else if (options->mail[0] && options->sendmail[0] != '/')
        weir_log(alerts->log, WEIR_LOG_ERROR, "[monitor] sendmail = %s: not the whole path of a "
                 "program", options->sendmail);
    else if (weir_alerts_check_webhook(options->webhook, &why) < 0)
        weir_log(alerts->log, WEIR_LOG_ERROR, "[monitor] alert_webhook = %s: %s", options->webhook,
                 why);
    else
        return 0;
    return WEIR_EINVAL;
}

int weir_alerts_open(const struct weir_alerts_options *options, const struct weir_log *log,
                     struct weir_alerts **alerts_r)
{
    struct weir_alerts *alerts = calloc(1, sizeof *alerts);
    int done = 0;

    if (!alerts)
        return WEIR_ENOMEM;
    alerts->options = *options;
    alerts->options.mail = strdup(options->mail);
    alerts->options.sendmail = strdup(options->sendmail);
    alerts->options.webhook = strdup(options->webhook);
    alerts->options.console = strdup(options->console);
    alerts->options.mail_template = weir_template_copy(options->mail_template);
    alerts->options.webhook_template = weir_template_copy(options->webhook_template);
    if (!alerts->options.mail || !alerts->options.sendmail || !alerts->options.webhook ||
        !alerts->options.console ||
        !weir_template_same(options->mail_template, alerts->options.mail_template) ||
        !weir_template_same(options->webhook_template, alerts->options.webhook_template))
        done = WEIR_ENOMEM;
    if (options->timeout == 0)
        alerts->options.timeout = WEIR_ALERT_TIMEOUT;
    alerts->log = log;
    alerts->steady = weir_clock_steady();
    alerts->lines.window = options->window;
    pthread_mutex_init(&alerts->lines_lock, NULL);
    alerts->channel[MAIL].name = "mail";
    alerts->channel[MAIL].hand_over = weir_alert_hand_to_sendmail;
    alerts->channel[WEBHOOK].name = "webhook";
    alerts->channel[WEBHOOK].hand_over = weir_alert_hand_to_webhook;
    if (done == 0)
        done = check(alerts);
    if (done == 0 && options->mail[0])
        done = open_channel(alerts, &alerts->channel[MAIL]);
    if (done == 0 && options->webhook[0])
        done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
                   ? open_channel(alerts, &alerts->channel[WEBHOOK])
                   : WEIR_EIO;
    if (done < 0)
        weir_alerts_close(&alerts);
    else
        *alerts_r = alerts;
    return done;
}

static void free_options(const struct weir_alerts_options *options)
{
    struct weir_template *mail = (struct weir_template *)(uintptr_t)options->mail_template;
    struct weir_template *webhook = (struct weir_template *)(uintptr_t)options->webhook_template;

    free((void *)(uintptr_t)options->mail);
    free((void *)(uintptr_t)options->sendmail);
    free((void *)(uintptr_t)options->webhook);
    free((void *)(uintptr_t)options->console);
    weir_template_free(&mail);
    weir_template_free(&webhook);
}

/* With the lock of the lines. */
static void end_lines(struct weir_alerts *alerts, weir_time now, bool ends)
{
    struct weir_alert_group more;
    char line[WEIR_ALERT_LINE_ROOM];

    if (weir_alert_lines_end(&alerts->lines, now, ends, &more))
        weir_log(alerts->log, WEIR_LOG_WARNING, "alerts gathered: %s",
                 weir_alert_summary(&more, line));
}

static void stop(struct alert_channel *channel)
{
    atomic_store(&channel->deadline, weir_clock_now(&channel->steady) + WEIR_ALERT_CLOSING);
    pthread_mutex_lock(&channel->lock);
    channel->stopping = true;
    pthread_cond_signal(&channel->wake);
    pthread_mutex_unlock(&channel->lock);
}

/* Both at once, so that they take the time of one. */
void weir_alerts_stop(struct weir_alerts *alerts)
{
    if (alerts->stopped)
        return;
    for (unsigned i = 0; i < CHANNELS; i++)
        if (alerts->channel[i].runs)
            stop(&alerts->channel[i]);
    for (unsigned i = 0; i < CHANNELS; i++)
        if (alerts->channel[i].runs)
            pthread_join(alerts->channel[i].thread, NULL);
    alerts->stopped = true;
}

void weir_alerts_close(struct weir_alerts **alerts)
{
    if (!alerts || !*alerts)
        return;
    weir_alerts_stop(*alerts);
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct alert_channel *channel = &(*alerts)->channel[i];

        if (!channel->runs)
            continue;
        pthread_cond_destroy(&channel->wake);
        pthread_mutex_destroy(&channel->lock);
    }
    end_lines(*alerts, 0, true);
    pthread_mutex_destroy(&(*alerts)->lines_lock);
    free_options(&(*alerts)->options);
    free(*alerts);
    *alerts = NULL;
}

/* use ------------------------------------------------------------------------------ */

void weir_alerts_tick(struct weir_alerts *alerts)
{
    pthread_mutex_lock(&alerts->lines_lock);
    end_lines(alerts, weir_clock_now(&alerts->steady), false);
    pthread_mutex_unlock(&alerts->lines_lock);
}

static void log_alert(struct weir_alerts *alerts, const struct weir_alert *alert)
{
    weir_time now = weir_clock_now(&alerts->steady);
    char line[WEIR_ALERT_LINE_ROOM];

    pthread_mutex_lock(&alerts->lines_lock);
    end_lines(alerts, now, false);
    if (weir_alert_lines_add(&alerts->lines, alert, now))
        weir_log(alerts->log, WEIR_LOG_WARNING, "alert%s: %s",
                 alert->silence > 0 ? " (nobody is told: a silence stands)" : "",
                 weir_alert_sentence(alert, alerts->options.console, line));
    pthread_mutex_unlock(&alerts->lines_lock);
}

void weir_alerts_add(struct weir_alerts *alerts, const struct weir_alert *alert)
{
    log_alert(alerts, alert);
    atomic_fetch_add(&alerts->added, 1);
    if (alert->silence > 0) {
        atomic_fetch_add(&alerts->silenced, 1);
        return;
    }
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct alert_channel *channel = &alerts->channel[i];

        if (!channel->runs)
            continue;
        pthread_mutex_lock(&channel->lock);
        weir_alert_group_add(&channel->waiting, alert);
        pthread_cond_signal(&channel->wake);
        pthread_mutex_unlock(&channel->lock);
    }
}

void weir_alerts_count(struct weir_alerts *alerts, struct weir_alerts_counts *counts_r)
{
    *counts_r = (struct weir_alerts_counts){.alerts = atomic_load(&alerts->added),
                                            .silenced = atomic_load(&alerts->silenced)};
    const unsigned first = alerts->channel[MAIL].runs ? MAIL : WEBHOOK;
    uint64_t waiting;

    for (unsigned i = 0; i < CHANNELS; i++) {
        struct alert_channel *channel = &alerts->channel[i];

        if (!channel->runs)
            continue;
        pthread_mutex_lock(&channel->lock);
        counts_r->messages += channel->messages;
        counts_r->failures += channel->failures;
        waiting = channel->waiting.count + channel->under_way;
        pthread_mutex_unlock(&channel->lock);
        counts_r->waiting += waiting;
        counts_r->least = i == first || waiting < counts_r->least ? waiting : counts_r->least;
    }
}
