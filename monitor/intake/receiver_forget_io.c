/*
 * Streams whose files are gone: first from the database, then from memory.  Killed between the two,
 * nothing is lost: what the database forgot it is not told of again.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_traffic_io.h"
#include "monitor/intake/receiver_impl.h"

#define FORGET_MOST 1000 /* at a time */

void weir_receiver_gone(struct weir_receiver *receiver, uint32_t server, const char *name,
                        weir_time now)
{
    struct stream *stream;

    if (strlen(name) > WEIR_STREAM_MAX)
        return;
    pthread_mutex_lock(&receiver->lock);
    stream = receiver->stream[weir_receiver_place(receiver, server, name)];
    if (stream && stream->gone == 0)
        stream->gone = now;
    pthread_mutex_unlock(&receiver->lock);
}

/* What waits to be stored is not forgotten: the database would get it back. */
static bool is_forgotten(const struct weir_receiver *receiver, const struct stream *stream,
                         weir_time now)
{
    return stream->gone > 0 && now - stream->gone >= WEIR_RECEIVER_LINGER && !stream->changed &&
           !receiver->storing;
}

/* With the lock: names of streams to be forgotten, copied; how many. */
static size_t list_forgotten(struct weir_receiver *receiver, weir_time now, struct stream *copy_r)
{
    size_t count = 0;

    for (size_t i = 0; i < receiver->places && count < FORGET_MOST; i++)
        if (receiver->stream[i] && is_forgotten(receiver, receiver->stream[i], now))
            copy_r[count++] = *receiver->stream[i];
    return count;
}

/* With the lock: takes one out.  Those behind it move up, so that they are found. */
static void take_out(struct weir_receiver *receiver, size_t at)
{
    size_t mask = receiver->places - 1;

    receiver->server[receiver->stream[at]->server % WEIR_RECEIVER_SERVERS].streams--;
    free(receiver->stream[at]);
    receiver->stream[at] = NULL;
    receiver->streams--;
    for (size_t next = (at + 1) & mask; receiver->stream[next]; next = (next + 1) & mask) {
        struct stream *stream = receiver->stream[next];

        receiver->stream[next] = NULL;
        receiver->stream[weir_receiver_place(receiver, stream->server, stream->name)] = stream;
    }
}

int weir_receiver_forget(struct weir_receiver *receiver, weir_time now)
{
    struct stream *copy = malloc(FORGET_MOST * sizeof *copy);
    size_t count, at;
    int done = 0;

    if (!copy)
        return WEIR_ENOMEM;
    pthread_mutex_lock(&receiver->lock);
    count = list_forgotten(receiver, now, copy);
    pthread_mutex_unlock(&receiver->lock);
    for (size_t i = 0; i < count && done >= 0; i++)
        done = weir_database_stream_forget(receiver->options.database, copy[i].server,
                                           copy[i].name);
    pthread_mutex_lock(&receiver->lock);
    for (size_t i = 0; i < count && done >= 0; i++) {
        at = weir_receiver_place(receiver, copy[i].server, copy[i].name);
        if (receiver->stream[at] && is_forgotten(receiver, receiver->stream[at], now))
            take_out(receiver, at);
        else if (receiver->stream[at]) /* something came of it after all */
            receiver->stream[at]->changed = true;
    }
    pthread_mutex_unlock(&receiver->lock);
    free(copy);
    return done < 0 ? done : (int)count;
}
