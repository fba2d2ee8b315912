/*
 * dialogue_queue - a ring of runs.
 *
 * Owns nothing; a full ring refuses, and its dialogue must find its way anew.
 */
#include "sniffer/dialogue_queue.h"

_Static_assert(WEIR_DIALOGUE_QUEUE_MAX <= 255, "places are counted in one octet");

static bool is_run(uint8_t kind)
{
    return kind == WEIR_COMMAND_RCPT || kind == WEIR_COMMAND_OTHER;
}

struct weir_waiting *weir_queue_at(struct weir_queue *queue, size_t i)
{
    return i < queue->len ? &queue->place[(queue->first + i) % WEIR_DIALOGUE_QUEUE_MAX] : NULL;
}

bool weir_queue_push(struct weir_queue *queue, struct weir_waiting waiting)
{
    struct weir_waiting *last = queue->len ? weir_queue_at(queue, queue->len - 1u) : NULL;

    if (last && is_run(waiting.kind) && last->kind == waiting.kind &&
        last->tentative == waiting.tentative && last->named == waiting.named &&
        last->count < UINT32_MAX) {
        last->count++;
        return true;
    }
    if (queue->len == WEIR_DIALOGUE_QUEUE_MAX)
        return false;
    if (is_run(waiting.kind))
        waiting.count = 1;
    queue->len++;
    *weir_queue_at(queue, queue->len - 1u) = waiting;
    return true;
}

bool weir_queue_pop(struct weir_queue *queue, struct weir_waiting *waiting_r)
{
    struct weir_waiting *first = weir_queue_at(queue, 0);

    if (!first)
        return false;
    *waiting_r = *first;
    if (is_run(first->kind) && --first->count > 0)
        return true;
    weir_queue_drop(queue);
    return true;
}

void weir_queue_drop(struct weir_queue *queue)
{
    if (queue->len == 0)
        return;
    queue->first = (uint8_t)((queue->first + 1) % WEIR_DIALOGUE_QUEUE_MAX);
    queue->len--;
}

void weir_queue_clear(struct weir_queue *queue)
{
    queue->first = queue->len = 0;
}

size_t weir_queue_find(struct weir_queue *queue, enum weir_command_kind kind)
{
    size_t i = 0;

    while (i < queue->len && weir_queue_at(queue, i)->kind != kind)
        i++;
    return i;
}
