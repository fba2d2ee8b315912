/*
 * Streams, by server and name: a hash table with open addressing, which only grows.  Names come
 * from servers, so that the hash is keyed.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/intake/receiver_impl.h"

#define STREAMS_FIRST 1024

size_t weir_receiver_place(const struct weir_receiver *receiver, uint32_t server,
                           const char *name)
{
    char key[4 + WEIR_STREAM_MAX + 1];
    size_t len = strlen(name);
    uint64_t hash;

    memcpy(key, &server, 4);
    memcpy(key + 4, name, len);
    hash = weir_hash64(&receiver->options.key, key, 4 + len);
    for (size_t at = hash & (receiver->places - 1);; at = (at + 1) & (receiver->places - 1)) {
        const struct stream *stream = receiver->stream[at];

        if (!stream || (stream->server == server && strcmp(stream->name, name) == 0))
            return at;
    }
}

int weir_receiver_grow(struct weir_receiver *receiver)
{
    struct stream **old = receiver->stream;
    size_t places = receiver->places;

    receiver->places = places ? 2 * places : STREAMS_FIRST;
    receiver->stream = calloc(receiver->places, sizeof(struct stream *));
    if (!receiver->stream) {
        receiver->stream = old;
        receiver->places = places;
        return WEIR_ENOMEM;
    }
    for (size_t i = 0; i < places; i++)
        if (old[i])
            receiver->stream[weir_receiver_place(receiver, old[i]->server, old[i]->name)] = old[i];
    free(old);
    return 0;
}

struct stream *weir_receiver_stream(struct weir_receiver *receiver, uint32_t server,
                                    const char *name)
{
    size_t place;

    if (2 * receiver->streams >= receiver->places && weir_receiver_grow(receiver) < 0)
        return NULL;
    place = weir_receiver_place(receiver, server, name);
    if (!receiver->stream[place]) {
        struct stream *stream = calloc(1, sizeof *stream);

        if (!stream)
            return NULL;
        stream->server = server;
        memcpy(stream->name, name, strlen(name) + 1);
        receiver->stream[place] = stream;
        receiver->streams++;
        receiver->server[server % WEIR_RECEIVER_SERVERS].streams++;
    }
    return receiver->stream[place];
}
