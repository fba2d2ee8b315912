/*
 * What was taken, on its way into the database: the tables of minutes are exchanged with the lock,
 * and written without it; then the journal is let go as far.
 */
#include <stdlib.h>

#include "core/base/error.h"
#include "monitor/intake/receiver_impl.h"

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

int weir_receiver_turn(struct weir_receiver *receiver, uint64_t position)
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

int weir_receiver_store_turned(struct weir_receiver *receiver, size_t most)
{
    const struct weir_database_batch batch = {.stream = receiver->stored,
                                              .streams = receiver->stored_count,
                                              .position = receiver->position};
    int done = 0;

    if (receiver->options.settle)
        done = receiver->options.settle(receiver->options.context, receiver->position);
    if (done != 0) /* not yet: nothing was stored, and the piece before was told */
        return done;
    done = weir_storing_piece(&receiver->pieces, receiver->options.database, receiver->minutes[1],
                              &batch, most);
    if (done >= 0 && receiver->options.recent)
        weir_recent_add(receiver->options.recent,
                        receiver->pieces.row + receiver->pieces.at - receiver->pieces.piece,
                        receiver->pieces.piece);
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
        done = weir_receiver_turn(receiver, position);
    pthread_mutex_unlock(&receiver->lock);
    return done < 0 || !receiver->storing ? done : weir_receiver_store_turned(receiver, most);
}

int weir_receiver_store(struct weir_receiver *receiver)
{
    int done;

    while ((done = store(receiver, 0)) > 0)
        continue;
    return done;
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
    struct weir_journal_sync sync;
    int begun, done;

    pthread_mutex_lock(&receiver->lock);
    begun = weir_journal_sync_begin(receiver->journal, &sync);
    pthread_mutex_unlock(&receiver->lock);
    done = weir_journal_sync_end(&sync);
    return begun < 0 ? begun : done;
}
