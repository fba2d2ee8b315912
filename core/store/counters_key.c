/*
 * The mark is read and made like any other counter, so that each kind of store has it.  Made twice
 * at a time it is as good.
 */
#include "core/store/counters_key.h"

#include <string.h>

#define LEAST (UINT32_C(1) << 26) /* seconds: two years, and twice that at most */
#define THERE 0.5

uint32_t weir_counters_fingerprint(const struct weir_hash_key *key)
{
    static const char text[] = "fingerprint of the key of counters";

    return LEAST + (uint32_t)(weir_hash64(key, text, sizeof text) & (LEAST - 1));
}

const char *weir_counters_key_name(enum weir_counters_key state)
{
    static const char *const name[] = {"ours", "none", "other", "unknown"};

    return name[state];
}

static void fill(const struct weir_hash_key *key, struct weir_reading reading[static 2])
{
    static const char id[] = "counters.key is:";
    struct weir_counter counter = {.variable = WEIR_GROUP_GOOD};

    memcpy(counter.entity.id, id, sizeof counter.entity.id);
    reading[0] = (struct weir_reading){.counter = counter};
    counter.half_life = weir_counters_fingerprint(key);
    reading[1] = (struct weir_reading){.counter = counter};
}

enum weir_counters_key weir_counters_key_look(struct weir_counters *counters,
                                              const struct weir_hash_key *key, weir_time now)
{
    struct weir_reading reading[2];

    fill(key, reading);
    if (weir_counters_read(counters, now, reading, 2) != 1)
        return WEIR_COUNTERS_KEY_UNKNOWN;
    if (reading[1].value > 0)
        return WEIR_COUNTERS_KEY_OURS;
    return reading[0].value > THERE ? WEIR_COUNTERS_KEY_OTHER : WEIR_COUNTERS_KEY_NONE;
}

enum weir_counters_key weir_counters_key_mark(struct weir_counters *counters,
                                              const struct weir_hash_key *key, weir_time now)
{
    enum weir_counters_key state = weir_counters_key_look(counters, key, now);
    struct weir_reading reading[2];

    if (state != WEIR_COUNTERS_KEY_NONE)
        return state;
    fill(key, reading);
    for (size_t i = 0; i < 2; i++)
        (void)weir_counters_add(counters, now, &reading[i].counter, 1);
    (void)weir_counters_flush(counters, NULL);
    return state;
}
