/*
 * The lock is held while reports are entered and the hits that changed are written: a few a second,
 * a hundred thousand rules at the most.
 */
#include "monitor/analyzer/counting_io.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/analyzer/counting_impl.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_parts_io.h"

struct decision {
    enum weir_record_state state;
    struct weir_record record;  /* of a good one */
};

struct weir_counting_batch {
    struct weir_report_items reports;
    struct weir_gather_parts parts;
    uint32_t server;
    size_t decisions;
    struct decision of[];
};

static int load_part(void *context, uint32_t server, const struct weir_part_line *part,
                     weir_time at)
{
    weir_gather_load(context, server, part, at);
    return 0;
}

static int take_lesson(void *context, const struct weir_gathered *whole)
{
    return weir_training_take(context, whole->server, whole->octets, whole->at);
}

static int hear_said(void *context, const struct weir_info *info, enum weir_reported is,
                     weir_time now)
{
    return weir_training_said(context, info->uid, is, now);
}

/* Training hears of lessons and of what people say. */
static int open_training(struct weir_counting *counting)
{
    struct weir_counting_options *options = &counting->options;

    if (!options->training)
        return 0;
    if (options->takers == WEIR_GATHER_TAKERS_MAX)
        return WEIR_ELIMIT;
    options->taker[options->takers++] =
        (struct weir_gather_taker){WEIR_LESSON_KIND, take_lesson, options->training};
    weir_reports_tell(counting->reports,
                      (struct weir_reports_hearer){hear_said, options->training});
    return 0;
}

static int open_gather(struct weir_counting *counting)
{
    const struct weir_counting_options *options = &counting->options;
    int rc = weir_gather_new(&options->hits.key, options->taker, options->takers,
                             &counting->gather);

    rc = rc < 0 ? rc : weir_database_parts(options->database, load_part, counting->gather);
    return rc < 0 ? rc : 0;
}

int weir_counting_open(const struct weir_counting_options *options,
                       struct weir_counting **counting_r)
{
    struct weir_counting *counting = calloc(1, sizeof(*counting));
    int rc;

    if (!counting)
        return WEIR_ENOMEM;
    counting->options = *options;
    if (counting->options.counters.events == 0)
        counting->options.counters.events = WEIR_COUNTER_EVENTS_MAX;
    if (counting->options.messages == 0)
        counting->options.messages = WEIR_MESSAGES_TRIED;
    weir_info_keys_ready(&counting->options.keys);
    pthread_mutex_init(&counting->lock, NULL);
    counting->disbelief = calloc(WEIR_COUNTING_SERVERS, sizeof(*counting->disbelief));
    rc = counting->disbelief ? weir_hits_new(&options->hits, &counting->hits) : WEIR_ENOMEM;
    if (rc == 0)
        rc = weir_reports_new(&options->reports, &options->keys, options->database,
                              &counting->reports);
    if (rc == 0)
        rc = weir_sample_new(&options->hits.key, &counting->sample);
    if (rc == 0)
        rc = open_training(counting);
    if (rc == 0)
        rc = open_gather(counting);
    if (rc == 0)
        rc = weir_database_hits_load(options->database, counting->hits, &counting->before);
    counting->position = counting->kept = counting->before;
    rc = rc < 0 ? rc : weir_counting_ledger_open(counting);
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
    free((*counting)->disbelief);
    weir_hits_free(&(*counting)->hits);
    weir_reports_free(&(*counting)->reports);
    weir_gather_free(&(*counting)->gather);
    weir_sample_free(&(*counting)->sample);
    weir_counting_ledger_close(*counting);
    pthread_mutex_destroy(&(*counting)->lock);
    explicit_bzero(&(*counting)->options.keys, sizeof((*counting)->options.keys));
    free(*counting);
    *counting = NULL;
}

void weir_counting_use(struct weir_counting *counting,
                       const struct weir_reports_settings *reports)
{
    pthread_mutex_lock(&counting->lock);
    weir_reports_use(counting->reports, reports);
    pthread_mutex_unlock(&counting->lock);
}

void weir_counting_renew(struct weir_counting *counting, const uint32_t *rule, size_t rules)
{
    pthread_mutex_lock(&counting->lock);
    for (size_t i = 0; i < rules; i++)
        weir_hits_renew(counting->hits, rule[i]);
    counting->renewed = counting->renewed || rules > 0;
    pthread_mutex_unlock(&counting->lock);
}

int weir_counting_say(struct weir_counting *counting, struct weir_slice line, weir_time now)
{
    struct weir_report_items items = {.count = 0};
    int rc;

    pthread_mutex_lock(&counting->lock);
    rc = weir_reports_read(counting->reports, line, WEIR_REPORT_DESK, &items);
    weir_reports_wait(counting->reports, &items, now);
    counting->renewed = counting->renewed || rc == 1;
    pthread_mutex_unlock(&counting->lock);
    if (rc < 0)
        return rc;
    rc = rc == 1 ? weir_counting_store(counting, now) : WEIR_EINVAL;
    if (rc > 0)
        rc = weir_counting_store(counting, now); /* there was no room until it was folded */
    return rc < 0 ? rc : 0;
}

bool weir_counting_rebase(struct weir_counting *counting, weir_time now)
{
    bool later;

    pthread_mutex_lock(&counting->lock);
    later = weir_hits_rebase(counting->hits, now);
    counting->renewed = counting->renewed || later;
    pthread_mutex_unlock(&counting->lock);
    return later;
}

/* Reading. ------------------------------------------------------------------ */

/* 0 or WEIR_ENOMEM. */
static int read_line(const struct weir_counting *counting, struct weir_slice line,
                     struct weir_counting_batch *batch)
{
    struct decision *decision = &batch->of[batch->decisions];
    int rc = weir_reports_read(counting->reports, line, batch->server, &batch->reports);

    rc = rc == 0 ? weir_gather_read(line, &batch->parts) : rc;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    decision->state = weir_record_read(line, batch->server, &counting->options.keys,
                                       &decision->record);
    batch->decisions++;
    return 0;
}

int weir_counting_read(const struct weir_counting *counting, uint32_t server,
                       const struct weir_slice *line, size_t lines,
                       struct weir_counting_batch **batch_r)
{
    struct weir_counting_batch *batch;
    int rc = 0;

    *batch_r = NULL;
    if (lines == 0)
        return 0;
    batch = malloc(sizeof(*batch) + lines * sizeof(batch->of[0]));
    if (!batch)
        return WEIR_ENOMEM;
    *batch = (struct weir_counting_batch){.server = server};
    for (size_t i = 0; i < lines && rc == 0; i++)
        rc = read_line(counting, line[i], batch);
    if (rc < 0) {
        weir_counting_batch_free(&batch);
        return rc;
    }
    *batch_r = batch;
    return 0;
}

void weir_counting_batch_free(struct weir_counting_batch **batch)
{
    if (!*batch)
        return;
    weir_report_items_free(&(*batch)->reports);
    weir_gather_parts_free(&(*batch)->parts);
    free(*batch);
    *batch = NULL;
}

/* Counting. ----------------------------------------------------------------- */

/* One that was not counted before. */
static void note(struct weir_counting *counting, const struct weir_record *record, weir_time now)
{
    const struct weir_info *info = &record->info;

    if (info->verdict <= WEIR_BLOCKED)
        counting->counts.verdict[info->verdict]++;
    weir_sample_take(counting->sample, record, now);
    weir_counting_ledger_take(counting, info, now);
}

/* One that was: perhaps by a report, which does not tell what is beside the string. */
static void note_again(struct weir_counting *counting, const struct weir_record *record,
                       weir_time now)
{
    struct weir_record again = *record;

    counting->counts.repeated++;
    again.again = true;
    if (again.beside.ground[0])
        weir_sample_take_if_room(counting->sample, &again, now);
}

static void count(struct weir_counting *counting, uint32_t server,
                  const struct decision *decision, weir_time now)
{
    counting->counts.state[decision->state]++;
    weir_disbelief_note(&counting->disbelief[server % WEIR_COUNTING_SERVERS], decision->state, now);
    if (decision->state != WEIR_RECORD_GOOD)
        return;
    switch (weir_hits_take(counting->hits, server, &decision->record.info, now)) {
    case WEIR_HITS_COUNTED:
        note(counting, &decision->record, now);
        break;
    case WEIR_HITS_REPEATED:
        note_again(counting, &decision->record, now);
        break;
    default:
        counting->counts.lost++;
    }
}

void weir_counting_take(struct weir_counting *counting, struct weir_counting_batch *batch,
                        uint64_t position, weir_time now)
{
    if (!batch || position <= counting->before)
        return;
    pthread_mutex_lock(&counting->lock);
    for (size_t i = 0; i < batch->decisions; i++)
        count(counting, batch->server, &batch->of[i], now);
    weir_reports_wait(counting->reports, &batch->reports, now);
    weir_gather_take(counting->gather, batch->server, &batch->parts, now);
    if (position > counting->position)
        counting->position = position;
    pthread_mutex_unlock(&counting->lock);
}

bool weir_counting_fits(struct weir_counting *counting, const struct weir_counting_batch *batch)
{
    bool fits = true;

    if (!batch)
        return true;
    pthread_mutex_lock(&counting->lock);
    if (counting->ledger && counting->verdicts.events > 0)
        fits = counting->verdicts.events + batch->decisions <= counting->options.counters.events;
    pthread_mutex_unlock(&counting->lock);
    return fits;
}

/* A decision that is known by a report of it. */
struct ahead {
    struct weir_counting *counting;
    weir_time now;
};

static void count_ahead(void *context, uint32_t server, const struct weir_info *info)
{
    const struct ahead *ahead = context;
    struct weir_counting *counting = ahead->counting;
    const struct weir_record record = {*info, weir_record_beside_nothing(), false};

    if (ahead->now - info->at > WEIR_COUNTING_AHEAD ||
        weir_hits_take(counting->hits, server, info, ahead->now) != WEIR_HITS_COUNTED)
        return;
    note(counting, &record, ahead->now);
}

/* Votes, wholes, hits and position together or not at all. */
static int keep(struct weir_counting *counting, weir_time now)
{
    struct weir_database *database = counting->options.database;
    const struct weir_reports_into into = {counting->hits,
                                           weir_counting_ledger_votes(counting)};
    struct ahead ahead = {counting, now};
    int rc;

    weir_reports_proven(counting->reports, count_ahead, &ahead);
    rc = weir_database_begin(database);
    if (rc < 0)
        return rc;
    rc = weir_reports_enter(counting->reports, &into);
    rc = rc < 0 ? rc : weir_counting_ledger_put(counting);
    if (rc == 0)
        rc = weir_gather_enter(counting->gather, database, now);
    if (rc == 0)
        rc = weir_database_hits_put(database, counting->hits, now, counting->position);
    if (rc < 0)
        weir_database_abandon(database);
    else
        rc = weir_database_commit(database);
    weir_reports_entered(counting->reports, counting->hits, rc >= 0);
    weir_counting_ledger_kept(counting, rc >= 0);
    weir_gather_entered(counting->gather, rc >= 0);
    if (counting->options.training)
        weir_training_settle(counting->options.training, rc >= 0);
    if (rc >= 0)
        weir_hits_kept(counting->hits);
    return rc;
}

/* A transaction of its own: they are a sample, and known when they come again. */
static int store_messages(struct weir_counting *counting, weir_time now)
{
    size_t kept;
    const struct weir_record *record = weir_sample_kept(counting->sample, &kept);
    int rc = kept == 0 ? 0
                       : weir_database_messages_put(counting->options.database, record, kept,
                                                    counting->options.messages, now);

    if (rc >= 0)
        weir_sample_clear(counting->sample);
    return rc;
}

int weir_counting_store(struct weir_counting *counting, weir_time now)
{
    bool later;
    int rc = 0;

    pthread_mutex_lock(&counting->lock);
    weir_counting_ledger_look(counting, now);
    if (counting->position != counting->kept || counting->renewed)
        rc = weir_counting_fold_room(counting, now);
    later = rc > 0;
    if (rc == 0 && (counting->position != counting->kept || counting->renewed))
        rc = keep(counting, now);
    if (rc >= 0 && !later) {
        counting->renewed = false;
        counting->kept = counting->position;
        rc = store_messages(counting, now);
        if (rc >= 0 && counting->options.training)
            rc = weir_training_keep(counting->options.training, now, false);
    }
    pthread_mutex_unlock(&counting->lock);
    return rc < 0 ? rc : later;
}

bool weir_counting_disbelief(struct weir_counting *counting, uint32_t server, weir_time now,
                             uint64_t sum_r[static WEIR_RECORD_STATES], bool *news_r)
{
    struct weir_disbelief *disbelief = &counting->disbelief[server % WEIR_COUNTING_SERVERS];
    bool there;

    pthread_mutex_lock(&counting->lock);
    there = weir_disbelief_sum(disbelief, now, sum_r);
    *news_r = weir_disbelief_news(disbelief, now);
    pthread_mutex_unlock(&counting->lock);
    return there;
}

struct weir_counting_counts weir_counting_counts(struct weir_counting *counting)
{
    struct weir_counting_counts counts;

    pthread_mutex_lock(&counting->lock);
    counts = counting->counts;
    counts.rules = weir_hits_rules(counting->hits);
    counts.reports = weir_reports_counts(counting->reports);
    counts.gather = weir_gather_counts(counting->gather);
    counts.left_out = weir_sample_left_out(counting->sample);
    weir_counting_ledger_count(counting, &counts);
    pthread_mutex_unlock(&counting->lock);
    return counts;
}
