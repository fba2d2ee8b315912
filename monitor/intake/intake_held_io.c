/*
 * Questions for commands.  One that finds nothing new is suspended and stands in the list of those
 * who are held, until weir_intake_wake() or its time is over; then libmicrohttpd calls once more.
 */
#include <stdlib.h>

#include "monitor/intake/intake_impl.h"

static void hold(struct request *request)
{
    struct weir_intake *intake = request->intake;

    request->before = NULL;
    request->after = intake->first;
    if (intake->first)
        intake->first->before = request;
    intake->first = request;
    request->held = true;
    intake->held++;
    MHD_suspend_connection(request->connection);
}

/* With the lock. */
static void let_go(struct request *request)
{
    struct weir_intake *intake = request->intake;

    if (request->before)
        request->before->after = request->after;
    else
        intake->first = request->after;
    if (request->after)
        request->after->before = request->before;
    request->held = false;
    intake->held--;
    MHD_resume_connection(request->connection);
}

enum MHD_Result weir_intake_commands(struct request *request)
{
    struct weir_intake *intake = request->intake;
    const struct weir_intake_handler *handler = &intake->handler;
    weir_time now = weir_clock_now(&intake->steady);
    uint64_t generation, wait;
    enum MHD_Result done;
    char *text;
    bool over;

    if (!weir_intake_number(request, "generation", &generation) ||
        !weir_intake_number(request, "wait", &wait))
        return weir_intake_refuse(intake, request->connection, MHD_HTTP_BAD_REQUEST, "request");
    if (request->until == 0)
        request->until = now + (wait < WEIR_INTAKE_WAIT_MAX ? (weir_time)wait
                                                             : WEIR_INTAKE_WAIT_MAX) * WEIR_SECOND;
    pthread_mutex_lock(&intake->lock); /* so that no wake is missed between asking and holding */
    text = handler->commands(handler->context, request->server, (int64_t)generation,
                             MHD_lookup_connection_value(request->connection,
                                                         MHD_GET_ARGUMENT_KIND, "all") != NULL);
    over = text || request->until <= now || intake->closing;
    if (!over)
        hold(request);
    pthread_mutex_unlock(&intake->lock);
    if (!over)
        return MHD_YES;
    done = text ? weir_intake_answer(request->connection, MHD_HTTP_OK, text)
                : weir_intake_answer(request->connection, MHD_HTTP_NO_CONTENT, "");
    free(text);
    return done;
}

void weir_intake_wake(struct weir_intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    while (intake->first)
        let_go(intake->first);
    pthread_mutex_unlock(&intake->lock);
}

void weir_intake_tick(struct weir_intake *intake, weir_time steady)
{
    struct request *next;

    pthread_mutex_lock(&intake->lock);
    for (struct request *at = intake->first; at; at = next) {
        next = at->after;
        if (at->until <= steady)
            let_go(at);
    }
    pthread_mutex_unlock(&intake->lock);
    weir_intake_hang_up(intake, steady);
}
