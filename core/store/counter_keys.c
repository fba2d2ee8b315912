/*
 * The parts of keys, remembered.  What is not remembered is made by
 * weir_counter_key(), so that the form of a key is known in one place only.
 */
#include "core/store/counter_keys.h"

#include <string.h>

static bool same(const struct weir_entity *a, const struct weir_entity *b)
{
    return memcmp(a->id, b->id, sizeof a->id) == 0;
}

/* Makes the whole key once and keeps both parts. */
static void learn(struct weir_counter_keys *keys, const struct weir_counter *counter,
                  uint32_t epoch, size_t at)
{
    char key[WEIR_COUNTER_KEY_MAX];
    size_t len = weir_counter_key(counter, epoch, key) - WEIR_ENTITY_TEXT;
    keys->head[at].variable = (uint32_t)counter->variable;
    keys->head[at].half_life = counter->half_life;
    keys->head[at].epoch = epoch;
    keys->head[at].len = len;
    memcpy(keys->head[at].text, key, len);
    keys->has_entity = true;
    keys->entity = counter->entity;
    memcpy(keys->entity_text, key + len, WEIR_ENTITY_TEXT);
}

size_t weir_counter_keys_write(struct weir_counter_keys *keys, const struct weir_counter *counter,
                               uint32_t epoch, char key[static WEIR_COUNTER_KEY_MAX])
{
    uint32_t variable = (uint32_t)counter->variable;
    size_t at = (2 * variable + epoch + counter->half_life / 64) % WEIR_COUNTER_HEADS;
    bool known = keys->head[at].len > 0 && keys->head[at].variable == variable &&
                 keys->head[at].half_life == counter->half_life && keys->head[at].epoch == epoch;
    if (!known || !keys->has_entity || !same(&keys->entity, &counter->entity))
        learn(keys, counter, epoch, at);
    size_t len = keys->head[at].len;
    memcpy(key, keys->head[at].text, len);
    memcpy(key + len, keys->entity_text, WEIR_ENTITY_TEXT);
    return len + WEIR_ENTITY_TEXT;
}
