/*
 * ctl_pending - a small hash table of additions, by their counter.
 *
 * Entities are keyed hashes, so two octets of one are as good as a hash.  Fixed
 * memory; owns nothing.
 */
#include "monitor/ctl/ctl_pending.h"

#include <math.h>
#include <string.h>

static size_t head_of(const struct weir_counter *counter)
{
    const uint8_t *id = counter->entity.id;
    size_t variable = 37 * (size_t)counter->variable + counter->half_life;
    return ((size_t)(id[0] | id[1] << 8) + variable) % WEIR_CTL_PENDING_HEADS;
}

static bool same(const struct weir_counter *a, const struct weir_counter *b)
{
    return a->variable == b->variable && a->half_life == b->half_life &&
           memcmp(&a->entity, &b->entity, sizeof a->entity) == 0;
}

/* The index + 1 of what is pending for a counter, 0 for nothing. */
static uint16_t find(const struct weir_ctl_pending *pending, const struct weir_counter *counter)
{
    uint16_t at = pending->head[head_of(counter)];
    while (at != 0 && !same(&pending->addition[at - 1].counter, counter))
        at = pending->addition[at - 1].next;
    return at;
}

static double faded(const struct weir_ctl_addition *addition, weir_time now)
{
    if (addition->counter.half_life == 0 || now == addition->when)
        return addition->weight;
    double half_lives = (double)(now - addition->when) / (double)WEIR_SECOND /
                        (double)addition->counter.half_life;
    return addition->weight * exp2(-half_lives);
}

bool weir_ctl_pending_note(struct weir_ctl_pending *pending, const struct weir_counter *counter,
                           weir_time when, double weight)
{
    uint16_t at = find(pending, counter);
    if (pending->noted == WEIR_CTL_PENDING_MAX)
        return false;
    pending->noted++;
    if (at != 0) {
        struct weir_ctl_addition *addition = &pending->addition[at - 1];
        addition->weight = faded(addition, when) + weight;
        addition->when = when;
        return true;
    }
    uint16_t *head = &pending->head[head_of(counter)];
    pending->addition[pending->n++] = (struct weir_ctl_addition){
        .counter = *counter, .when = when, .weight = weight, .next = *head};
    *head = (uint16_t)pending->n;
    return true;
}

void weir_ctl_pending_complete(const struct weir_ctl_pending *pending, weir_time now,
                               struct weir_reading *reading, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t at = find(pending, &reading[i].counter);
        if (at != 0)
            reading[i].value += faded(&pending->addition[at - 1], now);
    }
}

void weir_ctl_pending_clear(struct weir_ctl_pending *pending)
{
    pending->n = pending->noted = 0;
    memset(pending->head, 0, sizeof pending->head);
}
