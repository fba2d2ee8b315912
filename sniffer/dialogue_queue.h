/*
 * dialogue_queue - commands that wait for their replies, in order.
 *
 * Commands of a kind that many may follow each other (RCPT, and what is not understood) are kept
 * as a run with its length, so that a pipelined mail to a thousand takes one place.
 *
 * A command is tentative when it stands behind a DATA that was not answered yet: should DATA be
 * granted, it was a line of the body.
 *
 * Owner:    a plain value in its dialogue.
 * Limits:   WEIR_DIALOGUE_QUEUE_MAX runs.
 */
#ifndef WEIR_SNIFFER_DIALOGUE_QUEUE_H
#define WEIR_SNIFFER_DIALOGUE_QUEUE_H

#include "core/base/limits.h"
#include "sniffer/dialogue_command.h"

struct weir_waiting {
    uint8_t kind;    /* enum weir_command_kind */
    bool tentative;
    bool named;      /* the names of its commands were kept */
    bool sure;       /* was in step with the replies */
    uint32_t count;  /* of a run; of BDAT and the dot: octets of the chunk or body */
};

struct weir_queue {
    struct weir_waiting place[WEIR_DIALOGUE_QUEUE_MAX];
    uint8_t first, len;
};

/* False when there is no room. */
bool weir_queue_push(struct weir_queue *queue, struct weir_waiting waiting);

/* The i-th from the front, or NULL. */
struct weir_waiting *weir_queue_at(struct weir_queue *queue, size_t i);

/* Takes one command, of a run only one; false when none waits. */
bool weir_queue_pop(struct weir_queue *queue, struct weir_waiting *waiting_r);

/* Forgets the first run, or all. */
void weir_queue_drop(struct weir_queue *queue);
void weir_queue_clear(struct weir_queue *queue);

/* The place of the first command of a kind; queue->len when there is none. */
size_t weir_queue_find(struct weir_queue *queue, enum weir_command_kind kind);

#endif
