/*
 * Questions for the newest rule set.  An agent that says which one it has gets a patch to that, or
 * to none; while that is made the question is held.  It goes whole where there is no patch, or none
 * in time, and to agents that say nothing, which are of older versions or were ill served by one.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/intake/intake_impl.h"

#define HELD (20 * WEIR_SECOND) /* at most, for what takes a second */

/* 16 hexadecimal digits. */
static bool id_of(const char *text, uint64_t *id_r)
{
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    *id_r = strtoull(text, NULL, 16);
    return true;
}

static enum MHD_Result whole(struct request *request)
{
    const struct weir_intake_handler *handler = &request->intake->handler;
    struct weir_shared_text *file = handler->rules(handler->context);

    if (file)
        return weir_intake_share(request->connection, file, MHD_HTTP_HEADER_CONTENT_ENCODING,
                                 "deflate");
    return weir_intake_refuse(request->intake, request->connection, MHD_HTTP_NOT_FOUND, "none");
}

enum MHD_Result weir_intake_rules(struct request *request)
{
    struct weir_intake *intake = request->intake;
    const struct weir_intake_handler *handler = &intake->handler;
    weir_time now = weir_clock_now(&intake->steady);
    struct weir_shared_text *patch = NULL;
    uint64_t serial, id, wakes;
    bool held;
    int done;

    if (!weir_intake_number(request, "have", &serial) || serial > UINT32_MAX ||
        !id_of(weir_intake_argument(request, "is"), &id))
        return whole(request);
    if (request->until == 0)
        request->until = now + HELD;
    do {
        wakes = atomic_load(&intake->wakes);
        done = handler->patch(handler->context, (uint32_t)serial, id, &patch);
        if (done == 1)
            return weir_intake_share(request->connection, patch, MHD_HTTP_HEADER_CACHE_CONTROL,
                                     "no-store");
        if (done == 0 || request->until <= now)
            return whole(request);
        held = weir_intake_hold(request, wakes);
    } while (!held && !atomic_load(&intake->closing));
    return held ? MHD_YES : whole(request);
}
