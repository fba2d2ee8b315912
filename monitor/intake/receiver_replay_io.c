/*
 * What the journal has and the database has not, taken in again at the start.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_traffic_io.h"
#include "monitor/intake/receiver_impl.h"

/* What was replayed up to a position; what was there partly is whole then. */
static int store_replayed(struct weir_receiver *receiver, uint64_t position)
{
    int done = weir_receiver_turn(receiver, receiver->partly > 0 && position > receiver->partly
                                  ? receiver->partly
                                  : position);

    if (position >= receiver->partly)
        receiver->partly = 0;
    if (done == 0)
        do
            done = weir_receiver_store_turned(receiver, 0);
        while (done > 0);
    return done;
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
    struct weir_receiver_read read;
    int done;

    memcpy(name, batch->stream.at, batch->stream.len);
    stream = weir_receiver_stream(receiver, batch->server, name);
    if (!stream ||
        weir_receiver_read(receiver, batch->server, batch->octets, since, now, &read) < 0)
        return WEIR_ENOMEM;
    done = 0;
    if (weir_minutes_room(receiver->minutes[0]) < read.lines.count ||
        !weir_receiver_counts(receiver, &read) ||
        (receiver->partly > 0 && batch->position >= receiver->partly))
        done = store_replayed(receiver, batch->position);
    if (done == 0) {
        stream->last = weir_clock_now(&wall);
        weir_receiver_book(receiver, batch->server, &read, batch->next, stream->last);
        receiver->server[batch->server % WEIR_RECEIVER_SERVERS].heard = 0; /* it is not yet */
        stream->offset = batch->offset + batch->octets.len;
        stream->changed = true;
    }
    weir_receiver_forget_read(&read);
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

int weir_receiver_open_journal(struct weir_receiver *receiver)
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
