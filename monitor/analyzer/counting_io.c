/*
 * The lock is held while the hits that changed are written: a few rules a second, a hundred
 * thousand at the most.
 */
#include "monitor/analyzer/counting_io.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_hits_io.h"

struct weir_counting {
    struct weir_counting_options options;
    struct weir_tally *tally;
    uint64_t before;       /* position: everything up to there was counted before the start */
    uint64_t position;     /* behind the last line that was counted */
    struct weir_counting_counts counts;
    pthread_mutex_t lock;
};

int weir_counting_open(const struct weir_counting_options *options,
                       struct weir_counting **counting_r)
{
    struct weir_counting *counting = calloc(1, sizeof(*counting));
    int rc;

    if (!counting)
        return WEIR_ENOMEM;
    counting->options = *options;
    pthread_mutex_init(&counting->lock, NULL);
    rc = weir_tally_new(&options->tally, &counting->tally);
    if (rc == 0)
        rc = weir_database_hits_load(options->database, counting->tally, &counting->before);
    counting->position = counting->before;
    if (rc < 0)
        weir_counting_free(&counting);
    else
        *counting_r = counting;
    return rc;
}

void weir_counting_free(struct weir_counting **counting)
{
    if (!*counting)
        return;
    weir_tally_free(&(*counting)->tally);
    pthread_mutex_destroy(&(*counting)->lock);
    explicit_bzero(&(*counting)->options.keys, sizeof((*counting)->options.keys));
    free(*counting);
    *counting = NULL;
}

static void count(struct weir_counting *counting, enum weir_record_state state,
                  const struct weir_info *info, weir_time now)
{
    counting->counts.state[state]++;
    if (state != WEIR_RECORD_GOOD)
        return;
    switch (weir_tally_take(counting->tally, info, now)) {
    case WEIR_TALLY_COUNTED:
        break;
    case WEIR_TALLY_REPEATED:
        counting->counts.repeated++;
        break;
    default:
        counting->counts.lost++;
    }
}

void weir_counting_line(struct weir_counting *counting, uint32_t server, struct weir_slice line,
                        uint64_t position, weir_time now)
{
    struct weir_info info;
    enum weir_record_state state;

    if (position <= counting->before)
        return;
    state = weir_record_read(line, server, &counting->options.keys, &info);
    pthread_mutex_lock(&counting->lock);
    count(counting, state, &info, now);
    counting->position = position > counting->position ? position : counting->position;
    pthread_mutex_unlock(&counting->lock);
}

int weir_counting_store(struct weir_counting *counting, weir_time now)
{
    int rc;

    pthread_mutex_lock(&counting->lock);
    rc = weir_database_hits_put(counting->options.database, counting->tally, now,
                                counting->position);
    pthread_mutex_unlock(&counting->lock);
    return rc < 0 ? rc : 0;
}

struct weir_counting_counts weir_counting_counts(struct weir_counting *counting)
{
    struct weir_counting_counts counts;

    pthread_mutex_lock(&counting->lock);
    counts = counting->counts;
    counts.rules = weir_tally_rules(counting->tally);
    pthread_mutex_unlock(&counting->lock);
    return counts;
}
