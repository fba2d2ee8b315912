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

struct decision {
    enum weir_record_state state;
    struct weir_info info;  /* of a good one */
};

struct weir_counting_batch {
    struct weir_report_items reports;
    size_t decisions;
    struct decision of[];
};

int weir_counting_open(const struct weir_counting_options *options,
                       struct weir_counting **counting_r)
{
    struct weir_counting *counting = calloc(1, sizeof(*counting));
    int rc;

    if (!counting)
        return WEIR_ENOMEM;
    counting->options = *options;
    weir_info_keys_ready(&counting->options.keys);
    pthread_mutex_init(&counting->lock, NULL);
    rc = weir_hits_new(&options->hits, &counting->hits);
    if (rc == 0)
        rc = weir_reports_new(&options->reports, &options->keys, options->database,
                              &counting->reports);
    if (rc == 0)
        rc = weir_sample_new(&options->hits.key, &counting->sample);
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
    weir_hits_free(&(*counting)->hits);
    weir_reports_free(&(*counting)->reports);
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

/* Reading. ------------------------------------------------------------------ */

int weir_counting_read(const struct weir_counting *counting, uint32_t server,
                       const struct weir_slice *line, size_t lines,
                       struct weir_counting_batch **batch_r)
{
    struct weir_counting_batch *batch;

    *batch_r = NULL;
    if (lines == 0)
        return 0;
    batch = malloc(sizeof(*batch) + lines * sizeof(batch->of[0]));
    if (!batch)
        return WEIR_ENOMEM;
    batch->decisions = 0;
    batch->reports = (struct weir_report_items){.count = 0};
    for (size_t i = 0; i < lines; i++) {
        int report = weir_reports_read(counting->reports, line[i], server, &batch->reports);
        struct decision *decision = &batch->of[batch->decisions];

        if (report < 0) {
            weir_counting_batch_free(&batch);
            return report;
        }
        if (report == 1)
            continue;
        decision->state = weir_record_read(line[i], server, &counting->options.keys,
                                           &decision->info);
        batch->decisions++;
    }
    *batch_r = batch;
    return 0;
}

void weir_counting_batch_free(struct weir_counting_batch **batch)
{
    if (*batch)
        weir_report_items_free(&(*batch)->reports);
    free(*batch);
    *batch = NULL;
}

/* Counting. ----------------------------------------------------------------- */

static void count(struct weir_counting *counting, const struct decision *decision, weir_time now)
{
    counting->counts.state[decision->state]++;
    if (decision->state != WEIR_RECORD_GOOD)
        return;
    switch (weir_hits_take(counting->hits, &decision->info, now)) {
    case WEIR_HITS_COUNTED:
        weir_sample_take(counting->sample, &decision->info, now);
        weir_counting_ledger_take(counting, &decision->info, now);
        break;
    case WEIR_HITS_REPEATED:
        counting->counts.repeated++;
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
        count(counting, &batch->of[i], now);
    weir_reports_wait(counting->reports, &batch->reports, now);
    if (position > counting->position)
        counting->position = position;
    pthread_mutex_unlock(&counting->lock);
}

/* Votes, hits and position together or not at all. */
static int keep(struct weir_counting *counting, weir_time now)
{
    struct weir_database *database = counting->options.database;
    const struct weir_reports_into into = {counting->hits,
                                           weir_counting_ledger_votes(counting)};
    int rc = weir_database_begin(database);

    if (rc < 0)
        return rc;
    rc = weir_reports_enter(counting->reports, &into);
    rc = rc < 0 ? rc : weir_counting_ledger_put(counting);
    if (rc == 0)
        rc = weir_database_hits_put(database, counting->hits, now, counting->position);
    if (rc < 0)
        weir_database_abandon(database);
    else
        rc = weir_database_commit(database);
    weir_reports_entered(counting->reports, counting->hits, rc >= 0);
    weir_counting_ledger_kept(counting, rc >= 0);
    if (rc >= 0)
        weir_hits_kept(counting->hits);
    return rc;
}

/* A transaction of its own: they are a sample, and known when they come again. */
static int store_messages(struct weir_counting *counting)
{
    size_t kept;
    const struct weir_info *info = weir_sample_kept(counting->sample, &kept);
    int rc = kept == 0 ? 0 : weir_database_messages_put(counting->options.database, info, kept);

    if (rc >= 0)
        weir_sample_clear(counting->sample);
    return rc;
}

int weir_counting_store(struct weir_counting *counting, weir_time now)
{
    int rc = 0;

    pthread_mutex_lock(&counting->lock);
    weir_counting_ledger_look(counting, now);
    if (counting->position != counting->kept)
        rc = keep(counting, now);
    if (rc >= 0) {
        counting->kept = counting->position;
        rc = store_messages(counting);
    }
    pthread_mutex_unlock(&counting->lock);
    return rc < 0 ? rc : 0;
}

struct weir_counting_counts weir_counting_counts(struct weir_counting *counting)
{
    struct weir_counting_counts counts;

    pthread_mutex_lock(&counting->lock);
    counts = counting->counts;
    counts.rules = weir_hits_rules(counting->hits);
    counts.reports = weir_reports_counts(counting->reports);
    counts.left_out = weir_sample_left_out(counting->sample);
    weir_counting_ledger_count(counting, &counts);
    pthread_mutex_unlock(&counting->lock);
    return counts;
}
