/*
 * Votes are added one after the other, each with its mark in one flush.  Before that all of its
 * counters are read: where one does not answer nothing is added, and it is tried again.
 *
 * Which vote was the last one is kept in a file; a file that is lost costs only time, for marks
 * tell what was added.
 */
#include "monitor/agent/votes_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "core/engine/secret_io.h"
#include "core/engine/stores_io.h"
#include "core/store/counters_key.h"
#include "monitor/agent/vote_mark.h"
#include "monitor/agent/vote_text.h"

#define ARENA 1024
#define NUMBER_TEXT 32
#define REST (5 * WEIR_SECOND)
#define SETTLED (3 * WEIR_SECOND)
#define NUMBERS_MOST (2 * WEIR_REPUTATION_ADDITIONS + 1)

struct weir_votes {
    const struct weir_config *config;
    const struct weir_log *log;
    struct weir_arena *arena;
    const char *file, *key_file;
    struct weir_counters *counters;  /* NULL: not yet needed */
    struct weir_hash_key key;
    int64_t newest, done;
    weir_time rest;                  /* steady: not before */
    struct weir_votes_text page;
};

/* What one vote changes, with its mark first. */
struct change {
    size_t n;
    struct weir_reading reading[NUMBERS_MOST];
    bool back[NUMBERS_MOST];
};

/* The number. ---------------------------------------------------------------- */

static int64_t read_number(const char *file)
{
    char text[NUMBER_TEXT];
    int64_t number = 0;
    size_t len;

    if (weir_secret_read(file, text, sizeof text, &len) < 0 || len >= sizeof text)
        return 0;
    text[len] = '\0';
    return sscanf(text, "%" SCNd64, &number) == 1 && number > 0 ? number : 0;
}

static void keep_number(const struct weir_votes *votes)
{
    struct weir_replacement new;

    if (weir_replace_begin(votes->file, 0640, &new) < 0 ||
        weir_replace_end(&new, fprintf(new.file, "%" PRId64 "\n", votes->done) > 0) < 0)
        weir_log(votes->log, WEIR_LOG_WARNING, "%s: cannot be written", votes->file);
}

/* One vote. ------------------------------------------------------------------ */

static bool is_shared(const struct weir_votes *votes)
{
    return votes->config->counters == WEIR_COUNTERS_MEMCACHED;
}

/* As the message is counted in this server's counters; false when it is not for it to do. */
static bool is_ours(const struct weir_votes *votes, const struct weir_vote_text *vote,
                    struct weir_counted *counted_r)
{
    uint64_t you = votes->page.you;

    *counted_r = vote->counted;
    if (is_shared(votes))
        return vote->told_by == you;
    if (vote->judged_by != you && (vote->judged_by != 0 || vote->told_by != you))
        *counted_r = (struct weir_counted){.computer = WEIR_SAID_NOTHING};
    return true;
}

static bool has(const struct weir_addition *addition, size_t n, const struct weir_counter *counter)
{
    for (size_t i = 0; i < n; i++)
        if (addition[i].counter.variable == counter->variable &&
            addition[i].counter.half_life == counter->half_life &&
            memcmp(&addition[i].counter.entity, &counter->entity, sizeof counter->entity) == 0)
            return true;
    return false;
}

static void put(struct change *change, const struct weir_counter *counter, bool back)
{
    change->back[change->n] = back;
    change->reading[change->n++] = (struct weir_reading){.counter = *counter};
}

/* From what people said to what they say: only what differs. */
static void plan(const struct weir_votes *votes, const struct weir_vote_text *vote,
                 const struct weir_counted *counted, struct change *change)
{
    const struct weir_reputation_query query = {.address = vote->address, .domain = vote->domain};
    const struct weir_reputation_settings *settings = &votes->config->reputation;
    struct weir_addition was[WEIR_REPUTATION_ADDITIONS], is[WEIR_REPUTATION_ADDITIONS];
    size_t wases = weir_reputation_message(settings, &votes->key, &query, counted, vote->was, was);
    size_t ises = weir_reputation_message(settings, &votes->key, &query, counted, vote->is, is);
    const struct weir_counter mark = weir_vote_mark(&votes->key, vote->uid, vote->number);

    change->n = 0;
    put(change, &mark, false);
    for (size_t i = 0; i < wases; i++)
        if (!has(is, ises, &was[i].counter))
            put(change, &was[i].counter, true);
    for (size_t i = 0; i < ises; i++)
        if (!has(was, wases, &is[i].counter))
            put(change, &is[i].counter, false);
}

static int by_entity(const void *a, const void *b)
{
    const struct weir_reading *left = a, *right = b;

    return memcmp(&left->counter.entity, &right->counter.entity, sizeof left->counter.entity);
}

/* Whether all its counters answer, and the mark is not there: 1, 0 when it is, or an error. */
static int look(struct weir_votes *votes, const struct change *change, weir_time now)
{
    struct weir_reading reading[NUMBERS_MOST];

    memcpy(reading, change->reading, change->n * sizeof *reading);
    qsort(reading, change->n, sizeof *reading, by_entity);
    if (weir_counters_read(votes->counters, now, reading, change->n) != 1)
        return WEIR_EDOWN;
    for (size_t i = 0; i < change->n; i++)
        if (by_entity(&reading[i], &change->reading[0]) == 0)
            return reading[i].value < WEIR_VOTE_MARKED;
    return WEIR_EBUG;
}

static int add(struct weir_votes *votes, const struct weir_vote_text *vote,
               const struct weir_counted *counted)
{
    const struct weir_clock wall = weir_clock_system();
    weir_time now = weir_clock_now(&wall), at = vote->at < now ? vote->at : now;
    struct change change;
    size_t lost = 0;
    int rc, stored;

    plan(votes, vote, counted, &change);
    rc = look(votes, &change, now);
    if (rc <= 0)
        return rc;
    rc = weir_counters_add(votes->counters, now, &change.reading[0].counter, 1);
    for (size_t i = 1; i < change.n && rc == 0; i++)
        rc = (change.back[i] ? weir_counters_take_back : weir_counters_add)(
            votes->counters, at, &change.reading[i].counter, 1);
    stored = weir_counters_flush(votes->counters, &lost);
    if (stored < 0 && lost == change.n)
        return stored;
    if (lost > 0)
        weir_log(votes->log, WEIR_LOG_ERROR, "vote %" PRId64 ": %zu of %zu counters were not "
                 "stored", vote->number, lost, change.n);
    return rc;
}

/* Pages. --------------------------------------------------------------------- */

/* A machine without mail has no key, and makes none. */
static int open_counters(struct weir_votes *votes)
{
    const struct weir_clock wall = weir_clock_system();
    int rc;

    if (votes->counters)
        return 0;
    rc = weir_stores_open_counters(votes->config, WEIR_STORES_WRITE_COUNTERS, votes->log,
                                   &votes->key, &votes->counters);
    if (rc == 0 && weir_counters_key_mark(votes->counters, &votes->key, weir_clock_now(&wall)) ==
                       WEIR_COUNTERS_KEY_OTHER)
        weir_log(votes->log, WEIR_LOG_ERROR, "%s: the counters were made with another key",
                 votes->key_file);
    return rc;
}

/* What a server judged it counts within a second or two.  Nothing is taken back before that: it is
 * not there, and would be counted behind it.  How long it still takes; a time far ahead is not
 * waited for. */
static weir_time unsettled(const struct weir_vote_text *vote)
{
    const struct weir_clock wall = weir_clock_system();
    weir_time age = weir_clock_now(&wall) - vote->at;

    return age > -SETTLED && age < SETTLED ? SETTLED - age : 0;
}

/* *wait_r is how long the next vote is not to be taken yet. */
static int take_all(struct weir_votes *votes, weir_time *wait_r)
{
    int64_t before = votes->done;
    int rc = 0;

    for (size_t i = 0; i < votes->page.votes && rc >= 0; i++) {
        const struct weir_vote_text *vote = &votes->page.vote[i];
        struct weir_counted counted;

        if (vote->number <= votes->done)
            continue;
        if (!vote->good)
            weir_log(votes->log, WEIR_LOG_ERROR, "vote %" PRId64 " is none as this program knows "
                     "them: passed over", vote->number);
        else if (is_ours(votes, vote, &counted)) {
            *wait_r = unsettled(vote);
            if (*wait_r > 0)
                break;
            rc = open_counters(votes);
            rc = rc < 0 ? rc : add(votes, vote, &counted);
        }
        if (rc >= 0)
            votes->done = vote->number;
    }
    if (votes->done != before)
        keep_number(votes);
    return rc;
}

void weir_votes_take(struct weir_votes *votes, struct weir_slice answer, weir_time steady)
{
    weir_time wait = 0;
    int rc = weir_votes_text_read(answer, &votes->page);

    if (rc == 0) {
        rc = take_all(votes, &wait);
        votes->newest = votes->page.newest;
    }
    if (rc == 0 && votes->page.votes == 0)
        votes->done = votes->newest;
    votes->rest = steady + wait;
    if (rc >= 0)
        return;
    votes->rest = steady + REST;
    weir_log(votes->log, WEIR_LOG_WARNING, "votes wait: %s",
             rc == WEIR_EINVAL ? "the monitor's answer is none" : weir_error_reason(rc));
}

/* Numbers that begin anew are of another database; what was added has marks.  One that has no vote
 * yet, or a monitor that cannot tell, is no reason to begin anew. */
void weir_votes_hear(struct weir_votes *votes, int64_t newest)
{
    votes->newest = newest;
    if (newest > 0 && newest < votes->done)
        votes->done = 0;
}

bool weir_votes_due(const struct weir_votes *votes, weir_time steady, int64_t *behind_r)
{
    *behind_r = votes->done;
    return votes->newest > votes->done && steady >= votes->rest &&
           (votes->config->reports_reputation == WEIR_REPORTS_AUTO ||
            votes->config->reports_reputation == WEIR_REPORTS_MONITOR);
}

void weir_votes_turn(struct weir_votes *votes, weir_time now)
{
    if (votes->counters)
        weir_counters_tick(votes->counters, now);
}

uint32_t weir_votes_key(struct weir_votes *votes)
{
    struct weir_hash_key key;
    uint32_t print;

    if (access(votes->key_file, R_OK) != 0 || weir_key_file(votes->key_file, &key) < 0)
        return 0;
    print = weir_counters_fingerprint(&key);
    explicit_bzero(&key, sizeof key);
    return print;
}

int64_t weir_votes_done(const struct weir_votes *votes)
{
    return votes->done;
}

/* Opening. ------------------------------------------------------------------- */

int weir_votes_open(const struct weir_config *config, const struct weir_log *log,
                    struct weir_votes **votes_r)
{
    struct weir_votes *votes = calloc(1, sizeof *votes);

    if (!votes)
        return WEIR_ENOMEM;
    votes->config = config;
    votes->log = log;
    votes->arena = weir_arena_new(ARENA);
    if (votes->arena) {
        votes->file = weir_config_path(config, "agent.votes", votes->arena);
        votes->key_file = weir_config_path(config, config->key_file, votes->arena);
    }
    if (!votes->file || !votes->key_file) {
        weir_votes_free(&votes);
        return WEIR_ENOMEM;
    }
    votes->done = read_number(votes->file);
    *votes_r = votes;
    return 0;
}

void weir_votes_free(struct weir_votes **votes)
{
    if (!*votes)
        return;
    weir_counters_free(&(*votes)->counters);
    weir_arena_free(&(*votes)->arena);
    explicit_bzero(&(*votes)->key, sizeof (*votes)->key);
    free(*votes);
    *votes = NULL;
}
