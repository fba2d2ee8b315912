/*
 * receiver - one lock around streams, journal, minutes and watch; lines are read outside of it.
 *
 * Minutes are two tables: one is filled while the other's rows are written, so that agents do not
 * wait for the disk.  Streams are a hash table by (server, name).
 */
#include "monitor/intake/receiver_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_traffic_io.h"
#include "monitor/intake/receiver_impl.h"

#define STREAMS_FIRST 1024
#define CHARGES 128              /* at once */

/* streams ------------------------------------------------------------------------ */

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

static int grow(struct weir_receiver *receiver)
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

/* The stream, made when it is new; NULL when memory is short. */
static struct stream *stream_of(struct weir_receiver *receiver, uint32_t server, const char *name)
{
    size_t place;

    if (2 * receiver->streams >= receiver->places && grow(receiver) < 0)
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

/* lines -------------------------------------------------------------------------- */

static void charge(struct weir_receiver *receiver, uint32_t server, const struct weir_lines *lines)
{
    struct weir_charge charge[CHARGES];
    size_t count = 0;

    for (size_t i = 0; i < lines->count; i++) {
        const struct weir_traffic *traffic = &lines->traffic[i];

        if (traffic->connections || traffic->messages || traffic->recipients)
            charge[count++] = (struct weir_charge){.time = traffic->time,
                                                   .address = traffic->address,
                                                   .quantity = {traffic->connections,
                                                                traffic->messages,
                                                                traffic->recipients},
                                                   .server = server};
        if (count == CHARGES || i + 1 == lines->count) {
            weir_watch_charge_all(receiver->options.watch, charge, count);
            count = 0;
        }
    }
}

/* What the journal has up to a position: into minutes and watch.  There must be room. */
static void book(struct weir_receiver *receiver, uint32_t server, struct weir_lines *lines,
                 uint64_t position, weir_time now)
{
    struct server *told = &receiver->server[server % WEIR_RECEIVER_SERVERS];

    if (receiver->options.booking)
        *receiver->options.booking = position;
    weir_lines_lump(lines, &receiver->bare);
    (void)weir_minutes_add_all(receiver->minutes[0], server, lines->traffic, lines->count);
    charge(receiver, server, lines);
    if (lines->last > told->told) { /* lines of plug-ins do not say that its sniffer lives */
        told->told = lines->last;
        told->heard = now;
    }
    receiver->counts.lines += lines->lines;
    receiver->counts.traffic += lines->count;
    receiver->counts.bad += lines->bad;
    receiver->counts.ahead += lines->ahead;
    receiver->counts.old += lines->old;
}

/* taking ------------------------------------------------------------------------- */

static enum weir_taken later(struct weir_receiver *receiver, weir_time now, const char *why)
{
    unsigned held;

    receiver->counts.later++;
    if (weir_log_gate_open(&receiver->gate, now, WEIR_MINUTE, &held))
        weir_log(receiver->log, WEIR_LOG_ERROR, "agents are told to try again later: %s (%u more)",
                 why, held);
    return WEIR_TAKEN_LATER;
}

/* A server that tells of more addresses than the database takes, by fault or by malice, is the only
 * one to wait for it. */
static enum weir_taken over_share(struct weir_receiver *receiver, uint32_t server, weir_time now)
{
    unsigned held;

    receiver->counts.later++;
    receiver->counts.over_share++;
    if (weir_log_gate_open(&receiver->share_gate, now, WEIR_MINUTE, &held))
        weir_log(receiver->log, WEIR_LOG_ERROR, "server number %u tells of more addresses than its "
                 "share of what is not stored yet: it is told to try again later (%u more)",
                 (unsigned)server, held);
    return WEIR_TAKEN_LATER;
}

/* With the lock: takes what is read, if the stream is still where it was. */
static enum weir_taken take_lines(struct weir_receiver *receiver, struct stream *stream,
                                  uint64_t offset, struct weir_slice octets,
                                  struct weir_lines *lines, weir_time now, uint64_t *offset_r)
{
    uint64_t position;
    int done;

    *offset_r = stream->offset;
    if (stream->offset != offset)
        return WEIR_TAKEN_ELSEWHERE;
    if (weir_minutes_room(receiver->minutes[0]) < lines->count)
        return later(receiver, now, "the database does not follow");
    if (weir_minutes_share(receiver->minutes[0], stream->server) < lines->count)
        return over_share(receiver, stream->server, now);
    done = weir_journal_append(receiver->journal, stream->server,
                               (struct weir_slice){stream->name, strlen(stream->name)}, offset,
                               octets, &position);
    if (done < 0)
        return later(receiver, now, weir_error_reason(done));
    book(receiver, stream->server, lines, position, now);
    stream->offset += octets.len;
    stream->last = now;
    stream->changed = true;
    receiver->counts.octets += octets.len;
    *offset_r = stream->offset;
    return WEIR_TAKEN;
}

/* With the lock: whether a stream is not known, and may not be: no stream begins in its middle, and
 * a server that makes up names must not fill the memory with them. */
static bool is_made_up(const struct weir_receiver *receiver, uint32_t server, const char *name,
                       uint64_t offset)
{
    return !receiver->stream[weir_receiver_place(receiver, server, name)] &&
           (offset > 0 || receiver->server[server % WEIR_RECEIVER_SERVERS].streams >=
                              WEIR_STREAMS_MAX);
}

enum weir_taken weir_receiver_take(struct weir_receiver *receiver, uint32_t server,
                                   const char *name, uint64_t offset, struct weir_slice octets,
                                   weir_time now, uint64_t *offset_r)
{
    enum weir_taken taken = WEIR_TAKEN_LATER;
    struct stream *stream;
    struct weir_lines lines;
    uint64_t there;

    pthread_mutex_lock(&receiver->lock);
    stream = is_made_up(receiver, server, name, offset) ? NULL
                                                        : stream_of(receiver, server, name);
    there = stream ? stream->offset : 0;
    if (stream)
        stream->gone = 0;
    else if (offset == 0)
        (void)later(receiver, now, "a server has too many streams, or memory is short");
    if (stream && there >= offset)
        receiver->counts.again += there - offset < octets.len ? there - offset : octets.len;
    pthread_mutex_unlock(&receiver->lock);
    *offset_r = there;
    if (!stream)
        return offset > 0 ? WEIR_TAKEN_ELSEWHERE : WEIR_TAKEN_LATER;
    if (there < offset)
        return WEIR_TAKEN_ELSEWHERE;
    if (there - offset >= octets.len)
        return WEIR_TAKEN;
    octets.at += there - offset;
    octets.len -= there - offset;
    if (weir_lines_read(octets, now - WEIR_LINES_BEHIND, now, &lines) < 0)
        return WEIR_TAKEN_LATER;
    pthread_mutex_lock(&receiver->lock);
    stream = stream_of(receiver, server, name); /* it may have been forgotten meanwhile */
    if (stream)
        taken = take_lines(receiver, stream, there, octets, &lines, now, offset_r);
    pthread_mutex_unlock(&receiver->lock);
    weir_lines_clear(&lines);
    return taken;
}

/* storing ------------------------------------------------------------------------ */

/* What streams changed since they were stored: kept until they are. */
static int note_streams(struct weir_receiver *receiver)
{
    struct weir_stream *room =
        realloc(receiver->stored, (receiver->streams + 1) * sizeof *receiver->stored);

    if (!room)
        return WEIR_ENOMEM;
    receiver->stored = room;
    receiver->stored_count = 0;
    for (size_t i = 0; i < receiver->places; i++) {
        struct stream *stream = receiver->stream[i];

        if (!stream || !stream->changed)
            continue;
        room[receiver->stored_count++] = (struct weir_stream){.server = stream->server,
                                                              .name = stream->name,
                                                              .offset = stream->offset,
                                                              .last = stream->last};
        stream->changed = false;
    }
    return 0;
}

/* With the lock: exchanges the tables.  Everything up to a position of the journal is then in the
 * one that is stored, with the streams as they were at that moment. */
static int turn(struct weir_receiver *receiver, uint64_t position)
{
    struct weir_minutes *full = receiver->minutes[0];
    int done = note_streams(receiver);

    if (done < 0)
        return done;
    receiver->minutes[0] = receiver->minutes[1];
    receiver->minutes[1] = full;
    receiver->position = position;
    receiver->storing = true;
    return 0;
}

/* Writes a piece of the table that was turned: 1 when there is more, 0, or an error. */
static int store_turned(struct weir_receiver *receiver, size_t most)
{
    const struct weir_database_batch batch = {.stream = receiver->stored,
                                              .streams = receiver->stored_count,
                                              .position = receiver->position};
    int done = 0;

    if (receiver->options.settle)
        done = receiver->options.settle(receiver->options.context, receiver->position);
    if (done == 0)
        done = weir_storing_piece(&receiver->pieces, receiver->options.database,
                                  receiver->minutes[1], &batch, most);
    if (done != 0)
        return done;
    weir_minutes_clear(receiver->minutes[1]);
    pthread_mutex_lock(&receiver->lock);
    receiver->storing = false;
    receiver->stored_position = receiver->position;
    done = weir_journal_remove_below(receiver->journal, receiver->position);
    pthread_mutex_unlock(&receiver->lock);
    return done < 0 ? done : 0;
}

static int store(struct weir_receiver *receiver, size_t most)
{
    uint64_t position;
    int done = 0;

    pthread_mutex_lock(&receiver->lock);
    position = weir_journal_position(receiver->journal);
    if (!receiver->storing && position != receiver->position)
        done = turn(receiver, position);
    pthread_mutex_unlock(&receiver->lock);
    return done < 0 || !receiver->storing ? done : store_turned(receiver, most);
}

int weir_receiver_store(struct weir_receiver *receiver)
{
    return store(receiver, 0);
}

int weir_receiver_store_piece(struct weir_receiver *receiver)
{
    const struct weir_receiver_options *options = &receiver->options;
    size_t rows;
    bool due;

    pthread_mutex_lock(&receiver->lock);
    rows = options->rows - weir_minutes_room(receiver->minutes[0]);
    due = receiver->storing || weir_storing_due(&receiver->pieces, rows, options->rows) ||
          (options->journal_most > 0 &&
           weir_journal_octets(receiver->journal) > options->journal_most / 2);
    pthread_mutex_unlock(&receiver->lock);
    return due ? store(receiver, WEIR_STORING_FEW) : 0;
}

uint64_t weir_receiver_booked(struct weir_receiver *receiver)
{
    uint64_t position;

    pthread_mutex_lock(&receiver->lock);
    position = weir_journal_position(receiver->journal);
    pthread_mutex_unlock(&receiver->lock);
    return position;
}

int weir_receiver_sync(struct weir_receiver *receiver)
{
    int token, done;

    pthread_mutex_lock(&receiver->lock);
    done = weir_journal_sync_begin(receiver->journal, &token);
    pthread_mutex_unlock(&receiver->lock);
    return done < 0 ? done : weir_journal_sync_end(token);
}

void weir_receiver_lock(struct weir_receiver *receiver)
{
    pthread_mutex_lock(&receiver->lock);
}

void weir_receiver_unlock(struct weir_receiver *receiver)
{
    pthread_mutex_unlock(&receiver->lock);
}

void weir_receiver_use(struct weir_receiver *receiver, struct weir_watch *watch)
{
    receiver->options.watch = watch;
}

void weir_receiver_count(struct weir_receiver *receiver, struct weir_receiver_counts *counts_r)
{
    pthread_mutex_lock(&receiver->lock);
    *counts_r = receiver->counts;
    counts_r->streams = receiver->streams;
    counts_r->behind = weir_journal_position(receiver->journal) - receiver->stored_position;
    for (size_t i = 0; i < receiver->places; i++)
        counts_r->gone += receiver->stream[i] && receiver->stream[i]->gone > 0;
    counts_r->waiting = receiver->options.rows - weir_minutes_room(receiver->minutes[0]);
    pthread_mutex_unlock(&receiver->lock);
}

/* opening ------------------------------------------------------------------------ */

static int known_stream(void *context, const struct weir_stream *known)
{
    struct weir_receiver *receiver = context;
    struct stream *stream = stream_of(receiver, known->server, known->name);

    if (!stream)
        return WEIR_ENOMEM;
    stream->offset = known->offset;
    stream->last = known->last;
    return 0;
}

/* What was replayed up to a position; what was there partly is whole then. */
static int store_replayed(struct weir_receiver *receiver, uint64_t position)
{
    int done = turn(receiver, receiver->partly > 0 && position > receiver->partly
                                  ? receiver->partly
                                  : position);

    if (position >= receiver->partly)
        receiver->partly = 0;
    return done < 0 ? done : store_turned(receiver, 0);
}

/* A batch that the database has not: as if it came in now, without the journal.  Its stream was
 * heard of now, too: one that seems old is forgotten, and would be taken from its start again. */
static int replay_batch(void *context, const struct weir_journal_batch *batch)
{
    const struct weir_clock wall = weir_clock_system();
    struct weir_receiver *receiver = context;
    bool known = receiver->options.now > 0;
    weir_time now = known ? receiver->options.now : INT64_MAX - WEIR_LINES_AHEAD;
    weir_time since = known ? now - WEIR_LINES_BEHIND : 0;
    char name[WEIR_STREAM_MAX + 1] = "";
    struct stream *stream;
    struct weir_lines lines;
    int done;

    memcpy(name, batch->stream.at, batch->stream.len);
    stream = stream_of(receiver, batch->server, name);
    if (!stream || (done = weir_lines_read(batch->octets, since, now, &lines)) < 0)
        return WEIR_ENOMEM;
    done = 0;
    if (weir_minutes_room(receiver->minutes[0]) < lines.count ||
        (receiver->partly > 0 && batch->position >= receiver->partly))
        done = store_replayed(receiver, batch->position);
    if (done == 0) {
        stream->last = weir_clock_now(&wall);
        book(receiver, batch->server, &lines, batch->next, stream->last);
        receiver->server[batch->server % WEIR_RECEIVER_SERVERS].heard = 0; /* it is not yet */
        stream->offset = batch->offset + batch->octets.len;
        stream->changed = true;
    }
    weir_lines_clear(&lines);
    return done;
}

static void tell_replayed(struct weir_receiver *receiver, const struct weir_journal_found *found)
{
    if (found->batches > 0)
        weir_log(receiver->log, WEIR_LOG_INFO, "%llu batches of the journal were not yet in the "
                 "database", (unsigned long long)found->batches);
    if (found->torn > 0 || found->damages > 0 || found->missing > 0)
        weir_log(receiver->log, WEIR_LOG_ERROR, "journal %s: %llu octets torn at its end (never "
                 "acknowledged), %llu damaged, %llu missing", receiver->options.journal,
                 (unsigned long long)found->torn, (unsigned long long)found->damaged,
                 (unsigned long long)found->missing);
}

static int open_journal(struct weir_receiver *receiver)
{
    struct weir_journal_options options = {.folder = receiver->options.journal,
                                           .bytes_most = receiver->options.journal_most};
    struct weir_journal_found found, replayed;
    struct weir_database_progress progress;
    int done = weir_database_position(receiver->options.database, &options.from);

    if (done == 0)
        done = weir_database_progress(receiver->options.database, &progress);
    if (done == 0)
        done = weir_journal_open(&options, &found, &receiver->journal);
    if (done == 0) {
        receiver->position = receiver->stored_position = options.from;
        receiver->partly = progress.position;
        if (receiver->options.booking)
            *receiver->options.booking = options.from;
        done = weir_journal_replay(receiver->journal, options.from, replay_batch, receiver,
                                   &replayed);
    }
    if (done == 0 && receiver->partly > 0) /* and the journal's end may be lost */
        done = store_replayed(receiver, weir_journal_position(receiver->journal));
    if (done == 0 && receiver->partly > 0) /* it is: what comes in its place was never stored */
        done = weir_database_progress_end(receiver->options.database);
    receiver->partly = 0;
    receiver->pieces.passed = true;
    if (done < 0) {
        weir_log(receiver->log, WEIR_LOG_ERROR, "journal %s: %s", receiver->options.journal,
                 weir_error_reason(done));
        return done;
    }
    replayed.torn = found.torn;
    tell_replayed(receiver, &replayed);
    return 0;
}

static int open_parts(struct weir_receiver *receiver)
{
    const struct weir_receiver_options *options = &receiver->options;
    int done = grow(receiver);

    receiver->server = calloc(WEIR_RECEIVER_SERVERS, sizeof *receiver->server);
    if (done < 0 || !receiver->server)
        return WEIR_ENOMEM;
    for (int i = 0; i < 2 && done == 0; i++)
        done = weir_minutes_new(options->rows, &options->key, &receiver->minutes[i]);
    if (done == 0)
        done = weir_database_streams(options->database, known_stream, receiver);
    return done < 0 ? done : open_journal(receiver);
}

int weir_receiver_open(const struct weir_receiver_options *options, const struct weir_log *log,
                       struct weir_receiver **receiver_r)
{
    struct weir_receiver *receiver = calloc(1, sizeof *receiver);
    int done;

    if (!receiver)
        return WEIR_ENOMEM;
    receiver->options = *options;
    receiver->log = log;
    pthread_mutex_init(&receiver->lock, NULL);
    done = open_parts(receiver);
    if (done < 0)
        weir_receiver_free(&receiver);
    else
        *receiver_r = receiver;
    return done;
}

void weir_receiver_free(struct weir_receiver **receiver)
{
    struct weir_receiver *old = receiver ? *receiver : NULL;

    if (!old)
        return;
    weir_journal_free(&old->journal);
    weir_minutes_free(&old->minutes[0]);
    weir_minutes_free(&old->minutes[1]);
    for (size_t i = 0; i < old->places; i++)
        free(old->stream[i]);
    free(old->stream);
    free(old->stored);
    free(old->server);
    pthread_mutex_destroy(&old->lock);
    free(old);
    *receiver = NULL;
}
