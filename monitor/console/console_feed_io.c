/*
 * console_feed - once a second: what live pages show is asked as a page would, and told where it is
 * another than it was.  While nobody listens nothing is asked.  The same rounds cut connections
 * that are late (visitors.h), and write into the audit which logins failed (login_failures.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/error.h"
#include "monitor/console/api_live.h"
#include "monitor/console/console_impl.h"
#include "monitor/console/login_failures.h"
#include "monitor/monitor_accounts_io.h"

#define BEAT 15 /* rounds of a second */
#define ASK 2   /* the same: who listens may be somebody no more */
#define PAUSE 60 /* the same: the audit could not be written */
#define ROWS "20" /* of each list: what is behind them is asked for */

/* Until a second is over, or the console closes: false. */
static bool sleep_a_second(struct weir_console *console)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&console->lock);
    while (!console->closing &&
           pthread_cond_timedwait(&console->ends, &console->lock, &until) != ETIMEDOUT)
        continue;
    goes_on = !console->closing;
    pthread_mutex_unlock(&console->lock);
    return goes_on;
}

/* Tells one of them when it has changed; *last is what was told, without the time. */
static void tell(struct weir_worker *feed, const struct weir_api_live *live, char **last)
{
    struct weir_console *console = feed->console;
    struct weir_api_request request = {.method = "GET", .argument = {{"most", ROWS}},
                                       .arguments = 1};
    struct weir_api_question question = {
        .console = console, .monitor = console->monitor, .database = feed->database,
        .request = &request, .account = {.role = WEIR_VIEWER},
        .now = weir_clock_now(&console->wall)};
    json_t *json = live->run(&question), *now = json_incref(json_object_get(json, "now"));
    char *is, *text;

    json_object_del(json, "now");
    is = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    if (is && (!*last || strcmp(is, *last) != 0)) {
        if (now)
            json_object_set(json, "now", now);
        text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
        /* Of one too long pages hear that it is new, and ask. */
        if (text && weir_feed_tell(console->live, live->name, text) == WEIR_ELIMIT)
            (void)weir_feed_tell(console->live, live->name, "{}");
        free(text);
        free(*last);
        *last = is;
        is = NULL;
    }
    free(is);
    json_decref(now);
    json_decref(json);
}

bool weir_console_tell_failures(struct weir_console *console, bool all)
{
    weir_time now = weir_clock_now(&console->steady), wall = weir_clock_now(&console->wall);
    char text[WEIR_LOGIN_BURST_TEXT];
    struct weir_login_burst due;
    bool told = true, is_due;

    do {
        pthread_mutex_lock(&console->lock);
        is_due = weir_login_failures_due(console->failures, now, all, &due);
        pthread_mutex_unlock(&console->lock);
        if (!is_due)
            break;
        told = weir_accounts_login_failed(console->monitor, weir_login_burst_text(&due, text),
                                          wall) >= 0;
        pthread_mutex_lock(&console->lock);
        if (told)
            weir_login_failures_told(console->failures, &due, now, wall);
        pthread_mutex_unlock(&console->lock);
    } while (told);
    return told;
}

static bool may_hear(void *context, const struct weir_feed_who *who)
{
    return weir_console_knows(context, who);
}

void *weir_console_feed(void *context)
{
    struct weir_worker *feed = context;
    struct weir_console *console = feed->console;
    char *last[WEIR_API_LIVE] = {NULL};
    unsigned tells = 0;          /* the round from which on failures are told */

    for (unsigned round = 0; sleep_a_second(console); round++) {
        weir_http_peers_cut(&console->peers);
        if (round >= tells && !weir_console_tell_failures(console, false))
            tells = round + PAUSE;
        if (weir_feed_listeners(console->live) == 0)
            continue;
        if (round % ASK == 0)
            (void)weir_feed_ask(console->live, may_hear, feed);
        for (size_t i = 0; i < WEIR_API_LIVE; i++)
            if (round % weir_api_live[i].every == 0)
                tell(feed, &weir_api_live[i], &last[i]);
        if (round % BEAT == 0)
            (void)weir_feed_beat(console->live);
    }
    for (size_t i = 0; i < WEIR_API_LIVE; i++)
        free(last[i]);
    return NULL;
}
