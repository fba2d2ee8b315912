/*
 * held_sessions - a few rows, and a lock.
 */
#include "monitor/console/held_sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct weir_held_sessions {
    pthread_mutex_t lock;
    struct held {
        uint8_t hash[WEIR_TOKEN_HASH];
        char name[WEIR_ACCOUNT_NAME_MAX + 1];
        int64_t number;              /* 0: nobody's */
        weir_time started, used;
    } one[WEIR_HELD_SESSIONS];
};

struct weir_held_sessions *weir_held_sessions_new(void)
{
    struct weir_held_sessions *held = calloc(1, sizeof *held);

    if (held)
        pthread_mutex_init(&held->lock, NULL);
    return held;
}

void weir_held_sessions_free(struct weir_held_sessions **held)
{
    if (!*held)
        return;
    pthread_mutex_destroy(&(*held)->lock);
    free(*held);
    *held = NULL;
}

void weir_held_sessions_add(struct weir_held_sessions *held,
                            const uint8_t hash[static WEIR_TOKEN_HASH],
                            const struct weir_account *account, weir_time now)
{
    struct held *oldest = &held->one[0];

    pthread_mutex_lock(&held->lock);
    for (size_t i = 1; i < WEIR_HELD_SESSIONS && oldest->number != 0; i++)
        if (held->one[i].number == 0 || held->one[i].used < oldest->used)
            oldest = &held->one[i];
    *oldest = (struct held){.number = account->number, .started = now, .used = now};
    memcpy(oldest->hash, hash, sizeof oldest->hash);
    memcpy(oldest->name, account->name, sizeof oldest->name);
    pthread_mutex_unlock(&held->lock);
}

static struct held *find(struct weir_held_sessions *held,
                         const uint8_t hash[static WEIR_TOKEN_HASH])
{
    for (size_t i = 0; i < WEIR_HELD_SESSIONS; i++)
        if (held->one[i].number != 0 &&
            memcmp(held->one[i].hash, hash, sizeof held->one[i].hash) == 0)
            return &held->one[i];
    return NULL;
}

bool weir_held_sessions_find(struct weir_held_sessions *held,
                             const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now, bool uses,
                             struct weir_account *account_r, weir_time *started_r)
{
    struct held *found;

    pthread_mutex_lock(&held->lock);
    found = find(held, hash);
    if (found && (now - found->started >= WEIR_SESSION_WHOLE ||
                  now - found->used >= WEIR_SESSION_IDLE))
        found = NULL;
    if (found) {
        found->used = uses ? now : found->used;
        *started_r = found->started;
        account_r->number = found->number;
        memcpy(account_r->name, found->name, sizeof account_r->name);
    }
    pthread_mutex_unlock(&held->lock);
    return found != NULL;
}

bool weir_held_sessions_end(struct weir_held_sessions *held,
                            const uint8_t hash[static WEIR_TOKEN_HASH])
{
    struct held *found;

    pthread_mutex_lock(&held->lock);
    found = find(held, hash);
    if (found)
        *found = (struct held){.number = 0};
    pthread_mutex_unlock(&held->lock);
    return found != NULL;
}
