/*
 * A page of votes into JSON.  Votes are few, and each agent asks for each once: nothing is kept.
 */
#include "monitor/intake/ballots_io.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/agent/vote_text.h"
#include "monitor/database/database_counters_io.h"

#define LINE_EVERY WEIR_MINUTE

struct weir_ballots {
    const struct weir_log *log;
    pthread_mutex_t lock;        /* of what follows */
    struct weir_database *database;
    struct weir_log_gate gate;
    int64_t newest; /* as it was last read: a database may be busy */
};

int weir_ballots_open(const char *database_path, const struct weir_log *log,
                      struct weir_ballots **ballots_r)
{
    const struct weir_database_options options = {.path = database_path, .reading = true};
    struct weir_ballots *ballots = calloc(1, sizeof *ballots);
    char why[WEIR_DATABASE_WHY];
    int done;

    if (!ballots)
        return WEIR_ENOMEM;
    ballots->log = log;
    pthread_mutex_init(&ballots->lock, NULL);
    done = weir_database_open(&options, why, &ballots->database);
    if (done < 0) {
        weir_log(log, WEIR_LOG_ERROR, "%s", why);
        weir_ballots_free(&ballots);
        return done;
    }
    *ballots_r = ballots;
    return 0;
}

void weir_ballots_free(struct weir_ballots **ballots)
{
    if (!*ballots)
        return;
    weir_database_free(&(*ballots)->database);
    pthread_mutex_destroy(&(*ballots)->lock);
    free(*ballots);
    *ballots = NULL;
}

/* With the lock. */
static void tell(struct weir_ballots *ballots)
{
    const struct weir_clock steady = weir_clock_steady();
    unsigned held;

    if (weir_log_gate_open(&ballots->gate, weir_clock_now(&steady), LINE_EVERY, &held))
        weir_log(ballots->log, WEIR_LOG_ERROR, "votes cannot be read: %s (%u more)",
                 weir_database_why(ballots->database), held);
}

int64_t weir_ballots_newest(struct weir_ballots *ballots)
{
    int64_t number;

    pthread_mutex_lock(&ballots->lock);
    if (weir_database_vote_newest(ballots->database, &number) == 0)
        ballots->newest = number;
    else
        tell(ballots);
    number = ballots->newest;
    pthread_mutex_unlock(&ballots->lock);
    return number;
}

static int add(void *context, const struct weir_database_vote *vote)
{
    struct weir_vote_text text = {
        .number = vote->number,
        .uid = vote->info.uid,
        .judged_by = vote->info.server,
        .told_by = vote->told_by,
        .at = vote->info.at,
        .address = vote->info.boundary,
        .counted = vote->info.counted,
        .was = vote->was,
        .is = vote->is,
    };
    char normal[WEIR_DOMAIN_TEXT];
    json_t *json;

    /* A database may be older than the check of what is signed. */
    if (weir_domain_normal(vote->info.domain, strlen(vote->info.domain), normal) == 1 &&
        strcmp(normal, vote->info.domain) == 0)
        memcpy(text.domain, normal, sizeof normal);
    json = weir_vote_text_json(&text);
    return json && json_array_append_new(context, json) == 0 ? 0 : WEIR_ENOMEM;
}

struct weir_shared_text *weir_ballots_behind(struct weir_ballots *ballots, uint32_t server,
                                             int64_t number)
{
    json_t *array = json_array(), *json;
    int64_t newest = 0;
    char *text = NULL;
    int done;

    pthread_mutex_lock(&ballots->lock);
    done = weir_database_vote_newest(ballots->database, &newest);
    if (done == 0)
        done = weir_database_votes(ballots->database, number, WEIR_VOTES_PAGE, add, array);
    if (done < 0)
        tell(ballots);
    pthread_mutex_unlock(&ballots->lock);
    json = json_pack("{s:I, s:I, s:o}", "you", (json_int_t)server, "newest", (json_int_t)newest,
                     "votes", array);
    if (done >= 0 && json)
        text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text ? weir_shared_text_new(text) : NULL;
}
