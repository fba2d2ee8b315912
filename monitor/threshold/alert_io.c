/*
 * alert_io - two channels, each a thread that hands over one message at a time, and lines of the
 * log.
 *
 * A channel's lock is never held while a message is handed over.
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

weir_time weir_alert_deadline(struct alert_channel *channel)
{
    weir_time own = weir_clock_now(&channel->steady) + channel->options->timeout;
    weir_time closing = (weir_time)atomic_load(&channel->deadline);

    return own < closing ? own : closing;
}

/* the thread ---------------------------------------------------------------------- */

/* Told once when trouble begins, and once when it is over. */
static void note_end(struct alert_channel *channel, bool good, const char *why)
{
    if (!good && !channel->troubled)
        weir_log(channel->log, WEIR_LOG_ERROR,
                 "%s by %s cannot be told, and wait: %s", channel->options->what, channel->name,
                 why);
    if (good && channel->troubled)
        weir_log(channel->log, WEIR_LOG_WARNING, "%s by %s are told again",
                 channel->options->what, channel->name);
    channel->troubled = !good;
    if (good)
        channel->messages++;
    else
        channel->failures++;
}

static weir_time retry_after(const struct alert_channel *channel)
{
    weir_time window = channel->options->window;

    return window < RETRY_MOST ? (window > WEIR_SECOND ? window : WEIR_SECOND) : RETRY_MOST;
}

static void wake(const struct alert_channel *channel)
{
    const uint64_t one = 1;

    if (channel->options->wake >= 0 && write(channel->options->wake, &one, sizeof one) < 0)
        return; /* it is full of wakes already */
}

/* With the lock, which is let go meanwhile. */
static void hand_over(struct alert_channel *channel)
{
    char why[WEIR_ALERT_WHY] = "";
    weir_time now;
    bool good;

    pthread_mutex_unlock(&channel->lock);
    good = channel->hand_over(channel, why);
    now = weir_clock_now(&channel->steady);
    pthread_mutex_lock(&channel->lock);
    note_end(channel, good, why);
    if (good)
        weir_alert_pace_note(&channel->pace, now);
    channel->due = good ? weir_alert_pace_due(&channel->pace) : now + retry_after(channel);
    channel->state = good ? ALERT_TOLD : ALERT_FAILED;
    pthread_cond_broadcast(&channel->ended);
    wake(channel);
}

static void *run(void *context)
{
    struct alert_channel *channel = context;

    pthread_mutex_lock(&channel->lock);
    while (channel->state == ALERT_UNDER_WAY || !channel->stopping) {
        if (channel->state == ALERT_UNDER_WAY)
            hand_over(channel);
        else
            pthread_cond_wait(&channel->wake, &channel->lock);
    }
    pthread_mutex_unlock(&channel->lock);
    return NULL;
}

/* messages ------------------------------------------------------------------------ */

enum alert_state weir_alert_result(struct alert_channel *channel)
{
    enum alert_state state;

    pthread_mutex_lock(&channel->lock);
    state = channel->state;
    pthread_mutex_unlock(&channel->lock);
    return state;
}

void weir_alert_settled(struct alert_channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    channel->state = ALERT_IDLE;
    pthread_mutex_unlock(&channel->lock);
}

bool weir_alert_ready(struct alert_channel *channel, bool closing)
{
    weir_time now = weir_clock_now(&channel->steady);
    bool ready;

    pthread_mutex_lock(&channel->lock);
    ready = channel->state == ALERT_IDLE && (closing || now >= channel->due) &&
            now < (weir_time)atomic_load(&channel->deadline);
    pthread_mutex_unlock(&channel->lock);
    return ready;
}

void weir_alert_send(struct alert_channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    channel->state = ALERT_UNDER_WAY;
    pthread_cond_signal(&channel->wake);
    pthread_mutex_unlock(&channel->lock);
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
    channel->options = &alerts->options;
    channel->log = alerts->log;
    channel->steady = weir_clock_steady();
    channel->wall = weir_clock_system();
    channel->pace = (struct weir_alert_pace){.window = alerts->options.window,
                                             .hour_most = alerts->options.hour_most};
    channel->due = INT64_MIN;
    atomic_init(&channel->deadline, INT64_MAX);
    name_host(channel->host);
    pthread_mutex_init(&channel->lock, NULL);
    pthread_cond_init(&channel->wake, NULL);
    pthread_cond_init(&channel->ended, NULL);
    channel->runs = pthread_create(&channel->thread, NULL, run, channel) == 0;
    if (channel->runs)
        return 0;
    pthread_cond_destroy(&channel->ended);
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
        weir_log(alerts->log, WEIR_LOG_ERROR, "[monitor] %s_mail = %s: %s", options->setting,
                 options->mail, why);
    else if (options->mail[0] && options->sendmail[0] != '/')
        weir_log(alerts->log, WEIR_LOG_ERROR, "[monitor] sendmail = %s: not the whole path of a "
                 "program", options->sendmail);
    else if (weir_alerts_check_webhook(options->webhook, &why) < 0)
        weir_log(alerts->log, WEIR_LOG_ERROR, "[monitor] %s_webhook = %s: %s", options->setting,
                 options->webhook, why);
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
    alerts->channel[ALERT_MAIL].name = "mail";
    alerts->channel[ALERT_MAIL].way = options->way;
    alerts->channel[ALERT_MAIL].hand_over = weir_alert_hand_to_sendmail;
    alerts->channel[ALERT_WEBHOOK].name = "webhook";
    alerts->channel[ALERT_WEBHOOK].way = options->way + 1;
    alerts->channel[ALERT_WEBHOOK].hand_over = weir_alert_hand_to_webhook;
    if (done == 0)
        done = check(alerts);
    if (done == 0 && options->mail[0])
        done = open_channel(alerts, &alerts->channel[ALERT_MAIL]);
    if (done == 0 && options->webhook[0])
        done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
                   ? open_channel(alerts, &alerts->channel[ALERT_WEBHOOK])
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

void weir_alerts_hurry(struct weir_alerts *alerts)
{
    const weir_time end = weir_clock_now(&alerts->steady) + WEIR_ALERT_CLOSING;

    for (unsigned i = 0; i < ALERT_CHANNELS; i++)
        if (alerts->channel[i].runs)
            atomic_store(&alerts->channel[i].deadline, end);
}

void weir_alerts_wait(struct weir_alerts *alerts)
{
    for (unsigned i = 0; i < ALERT_CHANNELS; i++) {
        struct alert_channel *channel = &alerts->channel[i];

        if (!channel->runs)
            continue;
        pthread_mutex_lock(&channel->lock);
        while (channel->state == ALERT_UNDER_WAY)
            pthread_cond_wait(&channel->ended, &channel->lock);
        pthread_mutex_unlock(&channel->lock);
    }
}

static void close_channel(struct alert_channel *channel)
{
    if (!channel->runs)
        return;
    pthread_mutex_lock(&channel->lock);
    channel->stopping = true;
    pthread_cond_signal(&channel->wake);
    pthread_mutex_unlock(&channel->lock);
    pthread_join(channel->thread, NULL);
    pthread_cond_destroy(&channel->ended);
    pthread_cond_destroy(&channel->wake);
    pthread_mutex_destroy(&channel->lock);
    free(channel->row);
}

void weir_alerts_close(struct weir_alerts **alerts)
{
    if (!alerts || !*alerts)
        return;
    for (unsigned i = 0; i < ALERT_CHANNELS; i++) {
        struct alert_channel *channel = &(*alerts)->channel[i];

        if (channel->runs && atomic_load(&channel->deadline) == INT64_MAX)
            atomic_store(&channel->deadline, 0);
        close_channel(channel);
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

void weir_alerts_log(struct weir_alerts *alerts, const struct weir_alert *alert)
{
    log_alert(alerts, alert);
    atomic_fetch_add(&alerts->added, 1);
    if (alert->silence > 0)
        atomic_fetch_add(&alerts->silenced, 1);
}

bool weir_alerts_any(const struct weir_alerts *alerts)
{
    return alerts->channel[ALERT_MAIL].runs || alerts->channel[ALERT_WEBHOOK].runs;
}

bool weir_alerts_ended(struct weir_alerts *alerts)
{
    for (unsigned i = 0; i < ALERT_CHANNELS; i++) {
        struct alert_channel *channel = &alerts->channel[i];
        enum alert_state state = channel->runs ? weir_alert_result(channel) : ALERT_IDLE;

        if (state == ALERT_TOLD || state == ALERT_FAILED)
            return true;
    }
    return false;
}

void weir_alerts_count(struct weir_alerts *alerts, struct weir_alerts_counts *counts_r)
{
    *counts_r = (struct weir_alerts_counts){.alerts = atomic_load(&alerts->added),
                                            .silenced = atomic_load(&alerts->silenced)};

    for (unsigned i = 0; i < ALERT_CHANNELS; i++) {
        struct alert_channel *channel = &alerts->channel[i];

        if (!channel->runs)
            continue;
        pthread_mutex_lock(&channel->lock);
        counts_r->messages += channel->messages;
        counts_r->failures += channel->failures;
        pthread_mutex_unlock(&channel->lock);
    }
}
