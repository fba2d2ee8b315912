/*
 * Questions for commands, and those who are held.  One that finds nothing new is suspended and
 * stands in the chain of those, until it is woken or its time is over; then libmicrohttpd calls
 * once more.
 *
 * What is new is asked for without the lock, for that may take long and many ask; the number of
 * wakes tells whether something came between asking and holding.
 */
#include <stdlib.h>
#include <string.h>

#include "monitor/intake/intake_impl.h"

bool weir_intake_hold(struct request *request, uint64_t wakes)
{
    struct weir_intake *intake = request->intake;

    pthread_mutex_lock(&intake->lock);
    if (!intake->closing && wakes == intake->wakes) {
        weir_chain_join(&intake->held, &request->held, request);
        MHD_suspend_connection(request->connection);
        pthread_mutex_unlock(&intake->lock);
        return true;
    }
    pthread_mutex_unlock(&intake->lock);
    return false;
}

/* With the lock. */
static void let_go(struct request *request)
{
    weir_chain_leave(&request->intake->held, &request->held);
    MHD_resume_connection(request->connection);
}

/* Whether the agent has heard of the newest rule set; one that says nothing of it is of an older
 * version and not told. */
static bool has_heard(struct request *request, const struct weir_news *news)
{
    uint64_t heard;

    return !weir_intake_number(request, "rules", &heard) || heard == news->serial;
}

static enum MHD_Result answer(struct request *request, struct weir_shared_text *text,
                              const struct weir_news *news)
{
    char field[WEIR_NEWS_TEXT];

    if (!text)
        text = weir_shared_text_new(strdup(""));
    return text ? weir_intake_share(request->connection, text, WEIR_NEWS_FIELD,
                                    weir_news_write(news, field))
                : MHD_NO;
}

enum MHD_Result weir_intake_commands(struct request *request)
{
    struct weir_intake *intake = request->intake;
    const struct weir_intake_handler *handler = &intake->handler;
    bool all = weir_intake_argument(request, "all") != NULL;
    weir_time now = weir_clock_now(&intake->steady);
    uint64_t generation, wait, wakes;
    struct weir_shared_text *text;
    struct weir_news news;
    bool over, held;
    int done;

    if (!weir_intake_number(request, "generation", &generation) ||
        !weir_intake_number(request, "wait", &wait))
        return weir_intake_refuse(intake, request->connection, MHD_HTTP_BAD_REQUEST, "request");
    if (request->until == 0)
        request->until = now + (wait < WEIR_INTAKE_WAIT_MAX ? (weir_time)wait
                                                             : WEIR_INTAKE_WAIT_MAX) * WEIR_SECOND;
    do {
        wakes = atomic_load(&intake->wakes);
        done = handler->commands(handler->context, request->server, (int64_t)generation, all,
                                 &text);
        if (done < 0) /* not "nothing new": the agent is to rest before it asks again */
            return weir_intake_refuse(intake, request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                      "later");
        handler->news(handler->context, &news);
        over = text || request->until <= now || !has_heard(request, &news);
        held = !over && weir_intake_hold(request, wakes);
    } while (!over && !held && !atomic_load(&intake->closing));
    return held ? MHD_YES : answer(request, text, &news);
}

void weir_intake_wake(struct weir_intake *intake)
{
    struct request *first;

    pthread_mutex_lock(&intake->lock);
    intake->wakes++;
    while ((first = weir_chain_first(&intake->held)))
        let_go(first);
    pthread_mutex_unlock(&intake->lock);
}

void weir_intake_wake_rules(struct weir_intake *intake)
{
    struct request *next;

    pthread_mutex_lock(&intake->lock);
    intake->wakes++;
    for (struct request *at = weir_chain_first(&intake->held); at; at = next) {
        next = weir_chain_behind(&at->held);
        if (at->route == ROUTE_RULES)
            let_go(at);
    }
    pthread_mutex_unlock(&intake->lock);
}

void weir_intake_tick(struct weir_intake *intake, weir_time steady)
{
    struct request *next;

    pthread_mutex_lock(&intake->lock);
    for (struct request *at = weir_chain_first(&intake->held); at; at = next) {
        next = weir_chain_behind(&at->held);
        if (at->until <= steady)
            let_go(at);
    }
    pthread_mutex_unlock(&intake->lock);
    weir_intake_hang_up(intake, steady);
}
