/*
 * instance_memory - a ring of entries in order of their arrival, found through
 * buckets.
 *
 *     bucket[hash] -> entry -> entry          ring: oldest ... newest
 *
 * All entries live equally long, so the oldest is also the first to end: the
 * ring's next place is always the one to give away, and nothing ever has to be
 * swept.  The memory owns the replies.
 */
#include "postfix-policy/instance_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"

#define NOWHERE UINT32_MAX
#define BUCKETS_EACH 2 /* buckets for an entry: most look-ups of new messages end at an empty one */

struct entry {
    struct weir_instance known;
    uint8_t key[16];
    weir_time since;
    uint32_t next; /* in its bucket */
    bool used;
};

struct weir_instances {
    struct weir_hash_key key;
    weir_time keep;
    uint32_t most, turn; /* turn: the ring's next place */
    uint32_t count;
    uint32_t *bucket;
    struct entry entry[];
};

int weir_instances_new(const struct weir_hash_key *key, size_t most, weir_time keep,
                       struct weir_instances **instances_r)
{
    const size_t buckets = BUCKETS_EACH * most;
    struct weir_instances *instances;

    if (most < 1 || most >= NOWHERE / BUCKETS_EACH)
        return WEIR_EINVAL;
    instances = calloc(1, sizeof *instances + most * sizeof instances->entry[0]);
    if (!instances)
        return WEIR_ENOMEM;
    instances->bucket = malloc(buckets * sizeof instances->bucket[0]);
    if (!instances->bucket) {
        free(instances);
        return WEIR_ENOMEM;
    }
    for (size_t i = 0; i < buckets; i++)
        instances->bucket[i] = NOWHERE;
    instances->key = *key;
    instances->most = (uint32_t)most;
    instances->keep = keep;
    *instances_r = instances;
    return 0;
}

static void forget_reply(struct weir_instance *instance)
{
    free((char *)(uintptr_t)instance->reply);
    instance->reply = NULL;
}

void weir_instances_free(struct weir_instances **instances)
{
    if (!*instances)
        return;
    for (size_t i = 0; i < (*instances)->most; i++)
        forget_reply(&(*instances)->entry[i].known);
    free((*instances)->bucket);
    free(*instances);
    *instances = NULL;
}

void weir_instances_keep(struct weir_instances *instances, weir_time keep)
{
    instances->keep = keep;
}

/* Slices of one request: together they are shorter than it is. */
#define KEYED_MAX (sizeof(struct weir_address) + sizeof(uint16_t) + WEIR_POLICY_REQUEST_MAX)

static bool make_key(const struct weir_instances *instances, const struct weir_envelope *envelope,
                     uint8_t key_r[static 16])
{
    struct weir_slice instance = envelope->instance, sender = envelope->sender;
    uint8_t keyed[KEYED_MAX];
    struct weir_writer writer = weir_writer(keyed, sizeof keyed);

    if (instances->keep == 0 || instance.len == 0 || !envelope->has_client ||
        envelope->stage < WEIR_STAGE_RCPT)
        return false;
    weir_write_bytes(&writer, envelope->client.octet, sizeof envelope->client.octet);
    weir_write_u16(&writer, (uint16_t)instance.len); /* where the sender begins */
    weir_write_bytes(&writer, instance.at, instance.len);
    if (sender.len > 0)
        weir_write_bytes(&writer, sender.at, sender.len);
    if (weir_writer_len(&writer) == 0)
        return false;
    weir_hash128(&instances->key, keyed, weir_writer_len(&writer), key_r);
    return true;
}

static uint32_t *bucket_of(struct weir_instances *instances, const uint8_t key[static 16])
{
    uint32_t hash;

    memcpy(&hash, key, sizeof hash);
    return &instances->bucket[hash % (BUCKETS_EACH * instances->most)];
}

static void forget(struct weir_instances *instances, uint32_t which)
{
    struct entry *entry = &instances->entry[which];
    uint32_t *link = bucket_of(instances, entry->key);

    while (*link != which)
        link = &instances->entry[*link].next;
    *link = entry->next;
    forget_reply(&entry->known);
    instances->count--;
}

/* A new entry in the place of the oldest one. */
static struct entry *make(struct weir_instances *instances, weir_time now,
                          const uint8_t key[static 16])
{
    uint32_t place = instances->turn, *bucket = bucket_of(instances, key);
    struct entry *entry = &instances->entry[place];

    if (entry->used)
        forget(instances, place);
    *entry = (struct entry){.since = now, .next = *bucket, .used = true};
    memcpy(entry->key, key, sizeof entry->key);
    *bucket = place;
    instances->count++;
    instances->turn = (place + 1) % instances->most;
    return entry;
}

struct weir_instance *weir_instances_of(struct weir_instances *instances, weir_time now,
                                        const struct weir_envelope *envelope)
{
    uint8_t key[16];

    if (!make_key(instances, envelope, key))
        return NULL;
    for (uint32_t at = *bucket_of(instances, key); at != NOWHERE; at = instances->entry[at].next) {
        struct entry *entry = &instances->entry[at];

        if (memcmp(entry->key, key, sizeof key) == 0 && now - entry->since < instances->keep)
            return &entry->known;
    }
    return &make(instances, now, key)->known;
}

int weir_instance_decided(struct weir_instance *instance, const struct weir_decision *decision,
                          const char *reply)
{
    char *copy = reply ? strdup(reply) : NULL;

    if (reply && !copy)
        return WEIR_ENOMEM;
    forget_reply(instance);
    instance->reply = copy;
    instance->decided = true;
    instance->action = decision->action;
    memcpy(instance->id, decision->id, sizeof instance->id);
    return 0;
}

size_t weir_instances_count(const struct weir_instances *instances)
{
    return instances->count;
}
