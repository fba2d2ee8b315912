/*
 * receiver - one lock around streams, journal, minutes and watch; lines are read outside of it.
 *
 * Minutes are two tables: one is filled while the other's rows are written, so that agents do not
 * wait for the disk.  Streams are a hash table by (server, name).
 */
#include "monitor/intake/receiver_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_traffic_io.h"
#include "monitor/intake/receiver_impl.h"

#define CHARGES 128              /* at once */

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

void weir_receiver_forget_read(struct weir_receiver_read *read)
{
    weir_lines_clear(&read->lines);
    weir_counting_batch_free(&read->decisions);
}

int weir_receiver_read(const struct weir_receiver *receiver, uint32_t server,
                       struct weir_slice octets, weir_time since, weir_time now,
                       struct weir_receiver_read *read_r)
{
    int done;

    *read_r = (struct weir_receiver_read){.decisions = NULL};
    done = weir_lines_read(octets, since, now, &read_r->lines);
    if (done == 0 && receiver->options.counting)
        done = weir_counting_read(receiver->options.counting, server, read_r->lines.decision,
                                  read_r->lines.decisions, &read_r->decisions);
    if (done < 0)
        weir_receiver_forget_read(read_r);
    return done;
}

bool weir_receiver_counts(const struct weir_receiver *receiver,
                          const struct weir_receiver_read *read)
{
    return !receiver->options.counting ||
           weir_counting_fits(receiver->options.counting, read->decisions);
}

void weir_receiver_book(struct weir_receiver *receiver, uint32_t server,
                        struct weir_receiver_read *read, uint64_t position, weir_time now)
{
    struct weir_lines *lines = &read->lines;
    struct server *told = &receiver->server[server % WEIR_RECEIVER_SERVERS];

    if (receiver->options.booking)
        *receiver->options.booking = position;
    weir_lines_lump(lines, &receiver->bare);
    (void)weir_minutes_add_all(receiver->minutes[0], server, lines->traffic, lines->count);
    charge(receiver, server, lines);
    if (receiver->options.counting)
        weir_counting_take(receiver->options.counting, read->decisions, position,
                           receiver->options.sound.now
                               ? weir_clock_now(&receiver->options.sound) : now);
    for (size_t i = 0; i < lines->healths; i++)
        weir_hearing_note(&receiver->hearing[server % WEIR_RECEIVER_SERVERS], &lines->health[i]);
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
                                  struct weir_receiver_read *read, weir_time now,
                                  uint64_t *offset_r)
{
    uint64_t position;
    int done;

    *offset_r = stream->offset;
    if (stream->offset != offset)
        return WEIR_TAKEN_ELSEWHERE;
    if (weir_minutes_room(receiver->minutes[0]) < read->lines.count ||
        !weir_receiver_counts(receiver, read))
        return later(receiver, now, "the database does not follow");
    if (weir_minutes_share(receiver->minutes[0], stream->server) < read->lines.count)
        return over_share(receiver, stream->server, now);
    done = weir_journal_append(receiver->journal, stream->server,
                               (struct weir_slice){stream->name, strlen(stream->name)}, offset,
                               octets, &position);
    snprintf(receiver->counts.refused, sizeof receiver->counts.refused, "%s",
             done < 0 ? weir_error_reason(done) : "");
    if (done < 0)
        return later(receiver, now, receiver->counts.refused);
    weir_receiver_book(receiver, stream->server, read, position, now);
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
    struct weir_receiver_read read;
    uint64_t there;

    pthread_mutex_lock(&receiver->lock);
    stream = is_made_up(receiver, server, name, offset)
                 ? NULL
                 : weir_receiver_stream(receiver, server, name);
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
    if (weir_receiver_read(receiver, server, octets, now - WEIR_LINES_BEHIND, now, &read) < 0)
        return WEIR_TAKEN_LATER;
    pthread_mutex_lock(&receiver->lock);
    stream = weir_receiver_stream(receiver, server, name); /* it may be forgotten meanwhile */
    if (stream)
        taken = take_lines(receiver, stream, there, octets, &read, now, offset_r);
    pthread_mutex_unlock(&receiver->lock);
    weir_receiver_forget_read(&read);
    return taken;
}

/* beside it --------------------------------------------------------------------- */

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
    counts_r->journal = weir_journal_octets(receiver->journal);
    for (size_t i = 0; i < receiver->places; i++)
        counts_r->gone += receiver->stream[i] && receiver->stream[i]->gone > 0;
    counts_r->waiting = receiver->options.rows - weir_minutes_room(receiver->minutes[0]);
    pthread_mutex_unlock(&receiver->lock);
}

bool weir_receiver_hearing(struct weir_receiver *receiver, uint32_t server, weir_time now,
                           uint64_t sum_r[static WEIR_HEARING_KINDS])
{
    bool trouble;

    pthread_mutex_lock(&receiver->lock);
    trouble = weir_hearing_sum(&receiver->hearing[server % WEIR_RECEIVER_SERVERS], now, sum_r);
    pthread_mutex_unlock(&receiver->lock);
    return trouble;
}

/* opening ------------------------------------------------------------------------ */

static int known_stream(void *context, const struct weir_stream *known)
{
    struct weir_receiver *receiver = context;
    struct stream *stream = weir_receiver_stream(receiver, known->server, known->name);

    if (!stream)
        return WEIR_ENOMEM;
    stream->offset = known->offset;
    stream->last = known->last;
    return 0;
}

static int open_parts(struct weir_receiver *receiver)
{
    const struct weir_receiver_options *options = &receiver->options;
    int done = weir_receiver_grow(receiver);

    receiver->server = calloc(WEIR_RECEIVER_SERVERS, sizeof *receiver->server);
    receiver->hearing = calloc(WEIR_RECEIVER_SERVERS, sizeof *receiver->hearing);
    if (done < 0 || !receiver->server || !receiver->hearing)
        return WEIR_ENOMEM;
    for (int i = 0; i < 2 && done == 0; i++)
        done = weir_minutes_new(options->rows, &options->key, &receiver->minutes[i]);
    if (done == 0)
        done = weir_database_streams(options->database, known_stream, receiver);
    return done < 0 ? done : weir_receiver_open_journal(receiver);
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
    free(old->hearing);
    pthread_mutex_destroy(&old->lock);
    free(old);
    *receiver = NULL;
}
