/*
 * One set at a time is on its way.  The thread makes the file of a patch, or writes the file and
 * makes the image; while it works the job is its, afterwards ours.  A file that makes no image is
 * taken away again, also one that was here when the agent began: so the rule files here can still
 * be loaded with the one before, and it is fetched and tried again.
 */
#include "monitor/agent/sets_io.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/engine/parcels_io.h"
#include "core/engine/rule_set_io.h"
#include "core/evidence/parcel_patch.h"

#define RETRY_LEAST (5 * WEIR_SECOND)
#define RETRY_MOST (10 * WEIR_MINUTE)

struct job {
    const struct weir_config *config;
    uint32_t serial;
    void *octets;                /* NULL: the file is there, only the image is to be made */
    size_t len;
    bool patch;                  /* octets are one to the file of this serial, and then that file
                                  * is made of them */
    uint32_t unusable;           /* a file that goes when this one is written; 0: none */
    pthread_t thread;
    bool running;
    atomic_bool over;
    int done;
    struct weir_rule_set_made made;
    char why[WEIR_RULES_WHY_MAX + 1];
};

struct weir_sets {
    const struct weir_config *config;
    const char *folder;
    const struct weir_log *log;
    bool has_key;
    uint8_t open[WEIR_PARCEL_PUBLIC];
    struct weir_news news;       /* what was heard last */
    uint32_t have;               /* the newest file that holds; 0: none */
    uint32_t floor;              /* nothing older is taken */
    uint32_t unusable;           /* the newest file, when it does not hold */
    uint32_t at_work;            /* the image's serial */
    weir_time next, rest;        /* steady: not fetched before; after a refusal */
    weir_time look;              /* steady: when to look at the file again */
    uint32_t refused;            /* the last one, when it was */
    unsigned refusals;
    bool whole;                  /* a patch was no good: the file is asked for */
    uint64_t patches, fetched;
    char why[WEIR_RULES_WHY_MAX + 1];
    struct job job;
};

/* The key. ------------------------------------------------------------------------------ */

static void use_key(struct weir_sets *sets, const uint8_t *open)
{
    memcpy(sets->open, open, sizeof sets->open);
    sets->has_key = true;
}

static void keep_key(struct weir_sets *sets, const uint8_t *open, const char *from)
{
    char id[WEIR_PARCEL_KEY_ID];

    if (weir_parcels_keep_key(sets->folder, open) < 0) {
        weir_log(sets->log, WEIR_LOG_ERROR, "%s/%s cannot be written: %s", sets->folder,
                 WEIR_PARCELS_KEY, weir_error_reason(WEIR_EIO));
        return;
    }
    use_key(sets, open);
    weir_log(sets->log, WEIR_LOG_INFO, "rule sets are to be signed with key %s, %s",
             weir_parcel_key_id(open, id), from);
}

static void open_key(struct weir_sets *sets, const uint8_t *open)
{
    uint8_t kept[WEIR_PARCEL_PUBLIC];
    int done = weir_parcels_key(sets->folder, kept);

    if (open && (done != 1 || memcmp(kept, open, sizeof kept) != 0))
        keep_key(sets, open, "as the identity says");
    else if (done == 1)
        use_key(sets, kept);
    else if (done < 0)
        weir_log(sets->log, WEIR_LOG_ERROR, "%s/%s: %s", sets->folder, WEIR_PARCELS_KEY,
                 weir_error_reason(done));
}

/* Refusing. ------------------------------------------------------------------------------ */

static void refuse(struct weir_sets *sets, uint32_t serial, const char *why, weir_time steady)
{
    sets->rest = sets->rest == 0               ? RETRY_LEAST
                 : sets->rest < RETRY_MOST / 2 ? 2 * sets->rest
                                               : RETRY_MOST;
    sets->next = steady + sets->rest;
    sets->refused = serial;
    sets->refusals++;
    snprintf(sets->why, sizeof sets->why, "%s", why);
    weir_log(sets->log, WEIR_LOG_ERROR, "rule set %u of the monitor is refused, the one at work "
             "stays: %s", (unsigned)serial, why);
}

static void forgive(struct weir_sets *sets)
{
    sets->refused = 0;
    sets->whole = false;
    sets->rest = 0;
    sets->why[0] = '\0';
}

/* The thread. ---------------------------------------------------------------------------- */

/* Keeps the first thing that is wrong. */
static void note(void *context, const char *file, unsigned line, const char *why)
{
    struct job *job = context;
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;

    if (strstr(why, "left out") || job->why[0])
        return;
    if (line > 0)
        snprintf(job->why, sizeof job->why, "%s:%u: %s", name, line, why);
    else
        snprintf(job->why, sizeof job->why, "%s: %s", name, why);
}

/* In the patch's place the file that it makes. */
static void apply(struct job *job, const char *folder)
{
    const struct weir_slice patch = {job->octets, job->len};
    char path[WEIR_PATH_MAX];
    void *before = NULL, *file = NULL;
    size_t before_len = 0;
    const char *why;

    if (job->serial > 0) /* what is not there is no set before: the patch says so */
        (void)weir_parcels_load(weir_parcels_path(folder, job->serial, path), &before,
                                &before_len);
    job->done = weir_parcel_patch_apply((struct weir_slice){before, before_len}, patch, &file,
                                        &job->len, &why);
    if (job->done < 0)
        snprintf(job->why, sizeof job->why, "%s", why);
    free(before);
    free(job->octets);
    job->octets = file;
}

static void put_to_work(struct job *job, const char *folder)
{
    job->done = job->octets ? weir_parcels_write(folder, job->serial, job->octets, job->len) : 0;
    if (job->done == 0 && job->unusable > 0 && job->unusable != job->serial)
        weir_parcels_remove(folder, job->unusable);
    if (job->done == 0)
        job->done = weir_rule_set_make(job->config, true, note, job, &job->made);
    if (job->done < 0 && !job->why[0])
        snprintf(job->why, sizeof job->why, "%s", weir_error_reason(job->done));
    if (job->done < 0)
        weir_parcels_remove(folder, job->serial);
    if (job->done == 0)
        weir_parcels_forget(folder);
}

static void *run(void *context)
{
    struct job *job = context;

    if (job->patch)
        apply(job, job->config->state_directory);
    else
        put_to_work(job, job->config->state_directory);
    atomic_store(&job->over, true);
    return NULL;
}

/* Octets are the job's then. */
static void begin(struct weir_sets *sets, const struct job *what, weir_time steady)
{
    struct job *job = &sets->job;

    *job = *what;
    job->config = sets->config;
    job->unusable = sets->unusable;
    atomic_init(&job->over, false);
    job->running = pthread_create(&job->thread, NULL, run, job) == 0;
    if (job->running)
        return;
    free(job->octets);
    job->octets = NULL;
    refuse(sets, job->patch ? sets->news.serial : job->serial, "memory is short", steady);
}

/* Opening. ------------------------------------------------------------------------------- */

/* Looks which files are here and hold.  What does not hold is fetched anew. */
static void look_at_files(struct weir_sets *sets)
{
    uint32_t newest = weir_parcels_newest(sets->folder);
    struct weir_rule_parcel parcel;
    const char *why = "";
    void *octets = NULL;
    int done = newest > 0 ? weir_parcels_read(sets->folder, newest, &octets, &parcel, &why) : 0;

    if (done == 1)
        free(octets);
    if (done < 0 && newest != sets->unusable)
        weir_log(sets->log, WEIR_LOG_ERROR, "%s/rules-%u.db is of no use and fetched anew; the "
                 "rules at work stay: %s", sets->folder, (unsigned)newest, why);
    sets->have = done == 1 ? newest : 0;
    sets->unusable = done < 0 ? newest : 0;
    if (sets->have > sets->floor)
        sets->floor = sets->have;
    sets->at_work = weir_rule_set_serial(sets->config);
    if (sets->refused > 0 && sets->at_work == sets->refused)
        forgive(sets); /* somebody has mended the rule files here */
}

int weir_sets_open(const struct weir_config *config, const uint8_t *open,
                   const struct weir_log *log, struct weir_sets **sets_r)
{
    struct weir_sets *sets = calloc(1, sizeof *sets);

    if (!sets)
        return WEIR_ENOMEM;
    sets->config = config;
    sets->folder = config->state_directory;
    sets->log = log;
    open_key(sets, open);
    look_at_files(sets);
    if (sets->unusable > 0)
        sets->floor = sets->at_work < sets->unusable ? sets->at_work : sets->unusable;
    if (sets->have > 0 && sets->have != sets->at_work) /* killed between the two */
        begin(sets, &(struct job){.serial = sets->have}, 0);
    sets->news.serial = sets->have;
    *sets_r = sets;
    return 0;
}

void weir_sets_free(struct weir_sets **sets)
{
    if (!sets || !*sets)
        return;
    if ((*sets)->job.running)
        pthread_join((*sets)->job.thread, NULL);
    free((*sets)->job.octets);
    free(*sets);
    *sets = NULL;
}

/* What comes. ---------------------------------------------------------------------------- */

void weir_sets_hear(struct weir_sets *sets, const struct weir_news *news, weir_time steady)
{
    bool other = news->serial != sets->news.serial;

    if (!sets->has_key && news->serial > 0)
        keep_key(sets, news->open, "as the monitor said first");
    sets->news = *news;
    if (!other)
        return;
    sets->rest = 0;
    sets->next = steady + (weir_time)randombytes_uniform((uint32_t)(news->within / 1000 + 1)) *
                              1000;
    if (news->serial > 0 && news->serial < sets->floor)
        refuse(sets, news->serial, "it is older than the one that is here", steady);
}

uint32_t weir_sets_heard(const struct weir_sets *sets)
{
    return sets->news.serial;
}

bool weir_sets_due(const struct weir_sets *sets, weir_time steady)
{
    return sets->has_key && !sets->job.running && sets->news.serial > sets->have &&
           sets->news.serial >= sets->floor && steady >= sets->next;
}

const char *weir_sets_place(const struct weir_sets *sets, char place_r[static WEIR_SETS_PLACE])
{
    char path[WEIR_PATH_MAX];
    void *file = NULL;
    size_t len = 0;

    snprintf(place_r, WEIR_SETS_PLACE, "/agent/v1/rules");
    if (sets->whole)
        return place_r;
    if (sets->have > 0)
        (void)weir_parcels_load(weir_parcels_path(sets->folder, sets->have, path), &file, &len);
    snprintf(place_r, WEIR_SETS_PLACE, "/agent/v1/rules?have=%" PRIu32 "&is=%016" PRIx64,
             file ? sets->have : 0, weir_parcel_id((struct weir_slice){file, len}));
    free(file);
    return place_r;
}

/* A file that the monitor signed; its octets are the job's, or freed. */
static void take_file(struct weir_sets *sets, uint32_t serial, void *octets, size_t len,
                      weir_time steady)
{
    if (serial >= sets->floor && serial > sets->have) {
        begin(sets, &(struct job){.serial = serial, .octets = octets, .len = len}, steady);
        return;
    }
    refuse(sets, serial, "it is older than the one that is here", steady);
    free(octets);
}

void weir_sets_take(struct weir_sets *sets, struct weir_slice octets, uint64_t came,
                    weir_time steady)
{
    struct weir_rule_parcel parcel;
    const char *why = "memory is short";
    bool patch = weir_parcel_is_patch(octets);
    void *copy;

    sets->fetched += came;
    if (sets->job.running || !sets->has_key)
        return;
    copy = malloc(octets.len + 1);
    if (copy)
        memcpy(copy, octets.at, octets.len);
    if (copy && patch) {
        begin(sets, &(struct job){.serial = sets->have, .octets = copy, .len = octets.len,
                                  .patch = true}, steady);
    } else if (copy && weir_rule_parcel_read(copy, octets.len, sets->open, &parcel, &why) == 0) {
        take_file(sets, parcel.serial, copy, octets.len, steady);
    } else {
        free(copy);
        refuse(sets, sets->news.serial, why, steady);
    }
}

/* A patch was applied: what it made is looked at as if it had come whole.  One that was no good is
 * not asked for again before a set is taken; where the whole file was asked for, and a patch came
 * nevertheless, that is refused. */
static void end_patch(struct weir_sets *sets, weir_time steady)
{
    struct job *job = &sets->job;
    struct weir_rule_parcel parcel;
    const char *why = job->why;
    void *octets = job->octets;
    bool good = job->done == 0 &&
                weir_rule_parcel_read(octets, job->len, sets->open, &parcel, &why) == 0;

    job->octets = NULL;
    if (good) {
        sets->patches++;
        take_file(sets, parcel.serial, octets, job->len, steady);
        return;
    }
    free(octets);
    if (sets->whole) {
        refuse(sets, sets->news.serial, why, steady);
        return;
    }
    sets->whole = true;
    weir_log(sets->log, WEIR_LOG_WARNING, "the monitor's patch to rule set %u is of no use, all of "
             "set %u is fetched: %s", (unsigned)job->serial, (unsigned)sets->news.serial, why);
}

/* What became of the job. */
static void end_job(struct weir_sets *sets, weir_time steady)
{
    struct job *job = &sets->job;

    pthread_join(job->thread, NULL);
    job->running = false;
    if (job->patch) {
        end_patch(sets, steady);
        return;
    }
    free(job->octets);
    job->octets = NULL;
    look_at_files(sets);
    if (job->done < 0) {
        refuse(sets, job->serial, job->why, steady);
        return;
    }
    forgive(sets);
    weir_log(sets->log, WEIR_LOG_INFO, "rule set %u of the monitor is at work: %zu rules, with "
             "those of %s", (unsigned)job->serial, job->made.rules, sets->config->rules_folder);
}

bool weir_sets_turn(struct weir_sets *sets, weir_time steady)
{
    if (sets->job.running && atomic_load(&sets->job.over)) {
        end_job(sets, steady);
        return true;
    }
    if (!sets->job.running && steady >= sets->look) {
        sets->look = steady + sets->config->agent_whole;
        look_at_files(sets);
    }
    return false;
}

/* Telling. ------------------------------------------------------------------------------- */

/* Since when a set is here: its file's time. */
static weir_time since(const struct weir_sets *sets, uint32_t serial)
{
    char path[WEIR_PATH_MAX];
    struct stat there;

    return serial > 0 && stat(weir_parcels_path(sets->folder, serial, path), &there) == 0
               ? there.st_mtim.tv_sec * WEIR_SECOND
               : 0;
}

json_t *weir_sets_health(const struct weir_sets *sets)
{
    uint32_t serial = sets->have > 0 || sets->unusable > 0 ? sets->at_work : 0;
    size_t len = strlen(sets->why);
    char why[WEIR_RULES_WHY_MAX + 1];

    for (size_t i = 0; i <= len; i++) /* JSON has no room for what is no UTF-8 */
        why[i] = i == len || (sets->why[i] >= ' ' && sets->why[i] <= '~') ? sets->why[i] : '?';
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I}", "serial", (json_int_t)serial,
                     "newest", (json_int_t)sets->floor, "since",
                     (json_int_t)(since(sets, serial) / WEIR_SECOND), "refused",
                     (json_int_t)sets->refused, "refusals", (json_int_t)sets->refusals, "why",
                     why, "patches", (json_int_t)sets->patches, "fetched",
                     (json_int_t)sets->fetched);
}
