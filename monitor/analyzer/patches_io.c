/*
 * One lock, held for moments: the thread puts a patch into its slot when it is made, unless another
 * set is the newest by then.
 */
#include "monitor/analyzer/patches_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/parcel_patch.h"
#include "monitor/analyzer/publish_io.h"
#include "monitor/database/database_sets_io.h"

enum state { FREE, WANTED, NONE, MADE };

/* The patch from one set, or (the first slot) from none. */
struct slot {
    enum state state;
    uint32_t from;
    uint64_t id;                 /* MADE: of the file it is for */
    struct weir_shared_text *patch;
};

struct weir_patches {
    struct weir_patches_options options;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    pthread_t thread;
    bool threaded, stop;
    uint32_t serial;             /* the newest set: 0, there is none */
    struct weir_shared_text *file;
    size_t octets;
    struct slot slot[WEIR_PATCHES_MAX + 1];
    size_t kept;                 /* octets in slots */
    struct weir_patches_counts counts;
};

/* Making. ---------------------------------------------------------------------------------- */

struct task {
    size_t slot;
    uint32_t serial, from;       /* to the one, from the other */
    struct weir_shared_text *file;
    size_t octets;
    void *before, *deflated, *next, *patch; /* malloc'ed */
    size_t before_len, deflated_len, patch_len;
};

static int copy(void *context, const struct weir_kept_set *set)
{
    struct task *task = context;

    task->deflated = malloc(set->file.len + 1);
    if (!task->deflated)
        return WEIR_ENOMEM;
    memcpy(task->deflated, set->file.at, set->file.len);
    task->deflated_len = set->file.len;
    task->before_len = set->octets;
    return 0;
}

/* The set it is to be made from: whether it is still there, and whole. */
static bool read_before(struct weir_patches *patches, struct task *task)
{
    int rc;

    if (task->from == 0)
        return true;
    pthread_mutex_lock(patches->options.lock);
    rc = weir_database_set(patches->options.database, task->from, copy, task);
    pthread_mutex_unlock(patches->options.lock);
    if (rc == 1)
        task->before = weir_publish_inflate(
            (struct weir_slice){task->deflated, task->deflated_len}, task->before_len);
    return task->before != NULL;
}

/* Whether it makes the very file. */
static bool holds(const struct task *task, struct weir_slice before)
{
    void *made = NULL;
    size_t len;
    const char *why;
    bool same = weir_parcel_patch_apply(before,
                                        (struct weir_slice){task->patch, task->patch_len}, &made,
                                        &len, &why) == 0 &&
                len == task->octets && memcmp(made, task->next, len) == 0;

    free(made);
    return same;
}

/* Whether it pays: from none it only has to be less than what is given out otherwise. */
static bool is_small(const struct task *task)
{
    return task->patch_len < (task->from > 0 ? task->file->len / 2 : task->file->len);
}

static bool make(struct weir_patches *patches, struct task *task, uint64_t *id_r)
{
    const struct weir_slice file = {task->file->text, task->file->len};
    struct weir_slice before;

    if (!read_before(patches, task)) /* first: what is not there costs next to nothing */
        return false;
    task->next = weir_publish_inflate(file, task->octets);
    if (!task->next)
        return false;
    before = (struct weir_slice){task->before, task->before_len};
    *id_r = weir_parcel_id(before);
    return weir_parcel_patch_make(before, (struct weir_slice){task->next, task->octets},
                                  &task->patch, &task->patch_len) == 0 &&
           is_small(task) && holds(task, before);
}

/* Takes the patch as the slot's, or says that there is none. */
static void put(struct weir_patches *patches, struct task *task, bool good, uint64_t id)
{
    struct slot *slot = &patches->slot[task->slot];

    if (patches->serial != task->serial)
        return; /* it was for the set before: what waits asks anew */
    good = good && task->patch_len <= WEIR_PATCHES_OCTETS_MAX - patches->kept;
    if (good)
        slot->patch = weir_shared_text_octets(task->patch, task->patch_len);
    if (good)
        task->patch = NULL; /* it is the text's, or freed */
    slot->state = slot->patch ? MADE : NONE;
    slot->id = id;
    patches->kept += slot->patch ? slot->patch->len : 0;
    patches->counts.made += slot->patch != NULL;
    patches->counts.none += slot->patch == NULL;
}

/* With the lock: the next thing to do; false at the end. */
static bool next_task(struct weir_patches *patches, struct task *task_r)
{
    while (!patches->stop) {
        for (size_t i = 0; i <= WEIR_PATCHES_MAX; i++)
            if (patches->slot[i].state == WANTED) {
                *task_r = (struct task){.slot = i, .serial = patches->serial,
                                        .from = patches->slot[i].from,
                                        .file = weir_shared_text_hold(patches->file),
                                        .octets = patches->octets};
                return true;
            }
        (void)pthread_cond_wait(&patches->wanted, &patches->lock);
    }
    return false;
}

static void *run(void *context)
{
    struct weir_patches *patches = context;
    struct task task;

    pthread_mutex_lock(&patches->lock);
    while (next_task(patches, &task)) {
        uint64_t id = 0;
        bool good;

        pthread_mutex_unlock(&patches->lock);
        good = make(patches, &task, &id);
        pthread_mutex_lock(&patches->lock);
        put(patches, &task, good, id);
        pthread_mutex_unlock(&patches->lock);
        free(task.before);
        free(task.deflated);
        free(task.next);
        free(task.patch);
        weir_shared_text_free(&task.file);
        if (patches->options.made)
            patches->options.made(patches->options.context);
        pthread_mutex_lock(&patches->lock);
    }
    pthread_mutex_unlock(&patches->lock);
    return NULL;
}

/* Opening. --------------------------------------------------------------------------------- */

int weir_patches_open(const struct weir_patches_options *options, struct weir_patches **patches_r)
{
    struct weir_patches *patches = calloc(1, sizeof *patches);

    if (!patches)
        return WEIR_ENOMEM;
    patches->options = *options;
    pthread_mutex_init(&patches->lock, NULL);
    pthread_cond_init(&patches->wanted, NULL);
    errno = pthread_create(&patches->thread, NULL, run, patches);
    patches->threaded = errno == 0;
    if (!patches->threaded)
        weir_patches_free(&patches);
    *patches_r = patches;
    return patches ? 0 : WEIR_EIO;
}

void weir_patches_stop(struct weir_patches *patches)
{
    if (!patches || !patches->threaded)
        return;
    pthread_mutex_lock(&patches->lock);
    patches->stop = true;
    pthread_cond_signal(&patches->wanted);
    pthread_mutex_unlock(&patches->lock);
    pthread_join(patches->thread, NULL);
    patches->threaded = false;
}

static void forget(struct weir_patches *patches)
{
    for (size_t i = 0; i <= WEIR_PATCHES_MAX; i++) {
        weir_shared_text_free(&patches->slot[i].patch);
        patches->slot[i] = (struct slot){.state = FREE};
    }
    patches->kept = 0;
}

void weir_patches_free(struct weir_patches **patches)
{
    if (!patches || !*patches)
        return;
    weir_patches_stop(*patches);
    forget(*patches);
    weir_shared_text_free(&(*patches)->file);
    pthread_cond_destroy(&(*patches)->wanted);
    pthread_mutex_destroy(&(*patches)->lock);
    free(*patches);
    *patches = NULL;
}

/* Asking. ---------------------------------------------------------------------------------- */

/* A set that is not there has a slot no longer than no other asks for one: who invents serials
 * takes none away. */
static bool is_of_nothing(const struct slot *slot)
{
    return slot->state == NONE && slot->id == 0;
}

/* With the lock: the slot of a set, which is wanted now if it was not; NULL: all are taken. */
static struct slot *slot_of(struct weir_patches *patches, uint32_t from)
{
    size_t i = from > 0;

    while (i <= WEIR_PATCHES_MAX && from > 0 && patches->slot[i].state != FREE &&
           patches->slot[i].from != from)
        i++;
    for (size_t j = 1; i > WEIR_PATCHES_MAX && j <= WEIR_PATCHES_MAX; j++)
        if (is_of_nothing(&patches->slot[j])) {
            patches->slot[j] = (struct slot){.state = FREE};
            i = j;
        }
    if (i > WEIR_PATCHES_MAX)
        return NULL;
    if (patches->slot[i].state == FREE) {
        patches->slot[i] = (struct slot){.state = WANTED, .from = from};
        pthread_cond_signal(&patches->wanted);
    }
    return &patches->slot[i];
}

void weir_patches_newest(struct weir_patches *patches, uint32_t serial,
                         struct weir_shared_text *file, size_t octets, uint32_t before)
{
    struct weir_shared_text *old;

    pthread_mutex_lock(&patches->lock);
    forget(patches);
    old = patches->file;
    patches->file = file;
    patches->serial = serial;
    patches->octets = octets;
    if (before > 0)
        (void)slot_of(patches, before);
    pthread_mutex_unlock(&patches->lock);
    weir_shared_text_free(&old);
}

/* With the lock. */
static int get(struct weir_patches *patches, uint32_t serial, uint64_t id,
               struct weir_shared_text **patch_r)
{
    struct slot *slot = slot_of(patches, serial);

    if (slot && slot->state == WANTED)
        return WEIR_EBUSY;
    if (!slot || slot->state != MADE || slot->id != id)
        return 0;
    *patch_r = weir_shared_text_hold(slot->patch);
    patches->counts.given++;
    patches->counts.octets += slot->patch->len;
    return 1;
}

int weir_patches_get(struct weir_patches *patches, uint32_t serial, uint64_t id,
                     struct weir_shared_text **patch_r)
{
    int rc = 0;

    pthread_mutex_lock(&patches->lock);
    if (patches->serial > 0 && serial > 0 && serial != patches->serial)
        rc = get(patches, serial, id, patch_r);
    if (rc == 0 && patches->serial > 0)
        rc = get(patches, 0, 0, patch_r);
    pthread_mutex_unlock(&patches->lock);
    return rc;
}

struct weir_patches_counts weir_patches_count(struct weir_patches *patches)
{
    struct weir_patches_counts counts;

    pthread_mutex_lock(&patches->lock);
    counts = patches->counts;
    pthread_mutex_unlock(&patches->lock);
    return counts;
}
