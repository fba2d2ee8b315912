/*
 * feed - events in a ring, each counted by who still sends it; listeners sleep in libmicrohttpd's
 * hands until there is one they have not had.
 *
 * Order of locks: ours, then libmicrohttpd's.
 */
#include "monitor/console/feed_io.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/console_impl.h"

#define BLOCK 16384
#define NAME 16
#define GREETING ": weir\nretry: 2000\n\n"
#define AGAIN "event: again\ndata: {}\n\n"

struct event {
    uint64_t number;
    unsigned users;             /* the ring, the newest, and who sends it now */
    size_t len;
    char octets[];
};

struct listener {
    struct weir_feed *live;
    struct MHD_Connection *connection;
    weir_time began;            /* steady */
    struct listener *next, **place;
    uint64_t number;            /* of the next event */
    struct event *event;        /* that is sent now, from `at` on */
    size_t at;
    const char *words;          /* before that */
    unsigned newest;            /* a bit for each of the newest that comes first */
    bool sleeps, over;          /* over: he may hear no more */
    uint64_t serial;            /* of listeners: who came later has more */
    struct weir_feed_who who;
};

struct weir_feed {
    pthread_mutex_t lock;
    struct weir_clock steady;
    weir_time started;
    size_t most, count;
    uint64_t serials;
    uint64_t number;            /* of the next event */
    struct event *ring[WEIR_FEED_KEPT];
    struct { char name[NAME]; struct event *event; } newest[WEIR_FEED_NAMES];
    struct listener *first;
    bool closing;
};

int weir_feed_new(weir_time started, size_t most, struct weir_feed **feed_r)
{
    *feed_r = calloc(1, sizeof **feed_r);
    if (!*feed_r)
        return WEIR_ENOMEM;
    pthread_mutex_init(&(*feed_r)->lock, NULL);
    (*feed_r)->started = started / WEIR_SECOND;
    (*feed_r)->most = most;
    (*feed_r)->steady = weir_clock_steady();
    (*feed_r)->number = 1;
    return 0;
}

static void let_go(struct event *event)
{
    if (event && --event->users == 0)
        free(event);
}

void weir_feed_free(struct weir_feed **live)
{
    if (!live || !*live)
        return;
    for (size_t i = 0; i < WEIR_FEED_KEPT; i++)
        let_go((*live)->ring[i]);
    for (size_t i = 0; i < WEIR_FEED_NAMES; i++)
        let_go((*live)->newest[i].event);
    pthread_mutex_destroy(&(*live)->lock);
    free(*live);
    *live = NULL;
}

/* With the lock. */
static void wake_all(struct weir_feed *live)
{
    for (struct listener *one = live->first; one; one = one->next)
        if (one->sleeps) {
            one->sleeps = false;
            MHD_resume_connection(one->connection);
        }
}

void weir_feed_close(struct weir_feed *live)
{
    pthread_mutex_lock(&live->lock);
    live->closing = true;
    wake_all(live);
    pthread_mutex_unlock(&live->lock);
}

size_t weir_feed_listeners(struct weir_feed *live)
{
    size_t count;

    pthread_mutex_lock(&live->lock);
    count = live->count;
    pthread_mutex_unlock(&live->lock);
    return count;
}

/* telling ---------------------------------------------------------------------------------- */

/* With the lock.  What is too old leaves the ring. */
static void put(struct weir_feed *live, struct event *event)
{
    struct event **place = &live->ring[live->number % WEIR_FEED_KEPT];

    let_go(*place);
    event->users = 1;
    event->number = live->number++;
    *place = event;
    wake_all(live);
}

/* With the lock: the newest of its name, for who comes now. */
static void note_newest(struct weir_feed *live, const char *name, struct event *event)
{
    for (size_t i = 0; i < WEIR_FEED_NAMES; i++) {
        if (live->newest[i].event && strcmp(live->newest[i].name, name) != 0)
            continue;
        snprintf(live->newest[i].name, NAME, "%s", name);
        let_go(live->newest[i].event);
        live->newest[i].event = event;
        event->users++;
        return;
    }
}

int weir_feed_tell(struct weir_feed *live, const char *name, const char *data)
{
    size_t room = strlen(data) + strlen(name) + 96;
    struct event *event = room <= WEIR_FEED_EVENT_MAX ? malloc(sizeof *event + room) : NULL;

    if (!event)
        return room <= WEIR_FEED_EVENT_MAX ? WEIR_ENOMEM : WEIR_ELIMIT;
    pthread_mutex_lock(&live->lock);
    event->len = (size_t)snprintf(event->octets, room, "id: %lld-%llu\nevent: %s\ndata: %s\n\n",
                                  (long long)live->started, (unsigned long long)live->number,
                                  name, data);
    put(live, event);
    note_newest(live, name, event);
    pthread_mutex_unlock(&live->lock);
    return 0;
}

int weir_feed_beat(struct weir_feed *live)
{
    static const char beat[] = ": still there\n\n";
    struct event *event = malloc(sizeof *event + sizeof beat);

    if (!event)
        return WEIR_ENOMEM;
    memcpy(event->octets, beat, sizeof beat);
    event->len = sizeof beat - 1;
    pthread_mutex_lock(&live->lock);
    put(live, event);
    pthread_mutex_unlock(&live->lock);
    return 0;
}

/* listening -------------------------------------------------------------------------------- */

/* What a listener sends next; false: there is nothing.  With the lock. */
static bool find_next(struct listener *listener)
{
    struct weir_feed *live = listener->live;

    if (listener->words || listener->event)
        return true;
    for (size_t i = 0; i < WEIR_FEED_NAMES && listener->newest != 0; i++) {
        if (!(listener->newest & 1u << i))
            continue;
        listener->newest &= ~(1u << i);
        listener->event = live->newest[i].event;
        listener->event->users++;
        listener->at = 0;
        return true;
    }
    if (listener->number >= live->number)
        return false;
    if (live->number - listener->number > WEIR_FEED_KEPT) { /* it did not read */
        listener->number = live->number;
        listener->words = AGAIN;
        listener->at = 0;
        return true;
    }
    listener->event = live->ring[listener->number++ % WEIR_FEED_KEPT];
    listener->event->users++;
    listener->at = 0;
    return true;
}

static size_t copy(struct listener *listener, char *buffer, size_t most)
{
    const char *octets = listener->words ? listener->words : listener->event->octets;
    size_t len = listener->words ? strlen(octets) : listener->event->len;
    size_t n = len - listener->at < most ? len - listener->at : most;

    memcpy(buffer, octets + listener->at, n);
    listener->at += n;
    if (listener->at < len)
        return n;
    if (listener->words) {
        listener->words = NULL;
    } else {
        let_go(listener->event);
        listener->event = NULL;
    }
    listener->at = 0;
    return n;
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t most)
{
    struct listener *listener = context;
    struct weir_feed *live = listener->live;
    size_t n = 0;
    bool end;

    (void)position;
    pthread_mutex_lock(&live->lock);
    end = live->closing || listener->over ||
          (!listener->event && weir_clock_now(&live->steady) - listener->began > WEIR_FEED_SPAN);
    while (!end && n < most && find_next(listener))
        n += copy(listener, buffer + n, most - n);
    if (!end && n == 0) {
        listener->sleeps = true;
        MHD_suspend_connection(listener->connection);
    }
    pthread_mutex_unlock(&live->lock);
    return end ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void forget(void *context)
{
    struct listener *listener = context;
    struct weir_feed *live = listener->live;

    pthread_mutex_lock(&live->lock);
    *listener->place = listener->next;
    if (listener->next)
        listener->next->place = listener->place;
    let_go(listener->event);
    live->count--;
    pthread_mutex_unlock(&live->lock);
    free(listener);
}

/* Where one begins who has had what `last` says; with the lock. */
static void begin_at(struct listener *listener, const char *last)
{
    const struct weir_feed *live = listener->live;
    unsigned long long number = 0;
    long long started = 0;
    bool again = last && (sscanf(last, "%lld-%llu", &started, &number) != 2 ||
                          started != live->started || number >= live->number ||
                          live->number - (number + 1) > WEIR_FEED_KEPT);

    listener->words = again ? GREETING AGAIN : GREETING;
    listener->number = last && !again ? number + 1 : live->number;
    for (size_t i = 0; i < WEIR_FEED_NAMES && !last; i++)
        listener->newest |= live->newest[i].event ? 1u << i : 0;
}

static struct listener *add_listener(struct weir_feed *live, struct MHD_Connection *connection,
                                     const struct weir_feed_who *who, const char *last)
{
    struct listener *listener = calloc(1, sizeof *listener);

    if (!listener)
        return NULL;
    pthread_mutex_lock(&live->lock);
    if (live->count >= live->most || live->closing) {
        pthread_mutex_unlock(&live->lock);
        free(listener);
        return NULL;
    }
    listener->live = live;
    listener->connection = connection;
    listener->who = *who;
    listener->serial = ++live->serials;
    listener->began = weir_clock_now(&live->steady);
    begin_at(listener, last);
    listener->next = live->first;
    listener->place = &live->first;
    if (live->first)
        live->first->place = &listener->next;
    live->first = listener;
    live->count++;
    pthread_mutex_unlock(&live->lock);
    return listener;
}

enum MHD_Result weir_feed_answer(struct weir_feed *live, struct MHD_Connection *connection,
                                 const struct weir_feed_who *who, const char *last)
{
    struct listener *listener = add_listener(live, connection, who, last);
    struct MHD_Response *response =
        listener ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream,
                                                     listener, forget)
                 : weir_console_busy("too many live pages are open");
    enum MHD_Result done;

    if (!response) {
        if (listener)
            forget(listener);
        return MHD_NO;
    }
    if (listener) {
        weir_console_headers(response);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    }
    done = MHD_queue_response(connection, listener ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                              response);
    MHD_destroy_response(response);
    return done;
}

/* who may still listen --------------------------------------------------------------------- */

struct asked_about {
    uint64_t serial;
    struct weir_feed_who who;
    bool over;
};

/* Who listens, the last to come first.  Their number. */
static size_t note_all(struct weir_feed *live, struct asked_about *all, size_t room)
{
    size_t count = 0;

    pthread_mutex_lock(&live->lock);
    for (struct listener *one = live->first; one && count < room; one = one->next)
        all[count++] = (struct asked_about){.serial = one->serial, .who = one->who};
    pthread_mutex_unlock(&live->lock);
    return count;
}

/* Those who came or went meanwhile are passed over: both are in the same order. */
static void end_some(struct weir_feed *live, const struct asked_about *all, size_t count)
{
    size_t i = 0;

    pthread_mutex_lock(&live->lock);
    for (struct listener *one = live->first; one; one = one->next) {
        while (i < count && all[i].serial > one->serial)
            i++;
        if (i == count || all[i].serial != one->serial || !all[i].over)
            continue;
        one->over = true;
        if (one->sleeps)
            MHD_resume_connection(one->connection);
        one->sleeps = false;
    }
    pthread_mutex_unlock(&live->lock);
}

int weir_feed_ask(struct weir_feed *live,
                  bool (*may)(void *context, const struct weir_feed_who *who), void *context)
{
    size_t room = weir_feed_listeners(live), over = 0;
    struct asked_about *all = room > 0 ? calloc(room, sizeof *all) : NULL;

    if (!all)
        return room > 0 ? WEIR_ENOMEM : 0;
    room = note_all(live, all, room);
    for (size_t i = 0; i < room; i++) {
        all[i].over = !may(context, &all[i].who);
        over += all[i].over;
    }
    if (over > 0)
        end_some(live, all, room);
    explicit_bzero(all, room * sizeof *all);
    free(all);
    return 0;
}
