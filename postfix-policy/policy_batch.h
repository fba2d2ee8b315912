/*
 * policy_batch - requests that are ready together are decided together.
 *
 * The server adds requests as they arrive, asks for all answers at once, sends
 * them, and clears the batch.  What an instance was told before is said again;
 * everything else goes to the engine in one call, so that all counters come from one
 * multi-get; each new decision is remembered, counted and logged in one line.
 *
 * Owner:    the caller owns the batch, and keeps the bytes of added requests until
 *           the batch is cleared; answers belong to the batch and live as long.
 * Threads:  one at a time.
 * Errors:   answering cannot fail: what is missing leads to a neutral answer.
 * Limits:   WEIR_ENGINE_BATCH requests.
 */
#ifndef WEIR_POLICY_BATCH_H
#define WEIR_POLICY_BATCH_H

#include "core/engine/engine.h"
#include "core/engine/numbers.h"
#include "postfix-policy/instance_memory.h"
#include "postfix-policy/policy_protocol.h"

struct weir_policy_counts {
    uint64_t requests;       /* for a decision */
    uint64_t remembered;     /* of these answered as before */
    uint64_t verdict[WEIR_BLOCKED + 1], action[WEIR_REJECT + 1]; /* of new decisions */
    uint64_t incomplete;     /* new decisions that lacked a store */
};

/* What answering needs; may be another one for each batch. */
struct weir_policy_parts {
    const struct weir_config *config;
    struct weir_engine *engine;
    struct weir_instances *instances;
    struct weir_policy_counts *counts;
    struct weir_numbers *numbers; /* or NULL */
    const struct weir_log *log;
};

struct weir_policy_item {
    void *owner;             /* as it was added */
    enum weir_policy_kind kind;
    const char *answer;      /* NULL for a status request: the server's own business */
    size_t len;
};

struct weir_policy_batch;

/* 0 or WEIR_ENOMEM. */
int weir_policy_batch_new(struct weir_policy_batch **batch_r);
void weir_policy_batch_free(struct weir_policy_batch **batch);

/* Adds a request of len octets, its empty line included.  1 when it asks for a decision,
 * 0 when it asks for the status, WEIR_EINVAL and *why_r (static text) when it is
 * malformed, WEIR_EFULL when there is no room. */
int weir_policy_batch_add(struct weir_policy_batch *batch, void *owner, const char *bytes,
                          size_t len, const char **why_r);

bool weir_policy_batch_empty(const struct weir_policy_batch *batch);
bool weir_policy_batch_full(const struct weir_policy_batch *batch);

/* Answers everything that was added.  now is wall time, steady goes on evenly.
 * Returns the items in the order in which they were added; their number is *count_r. */
const struct weir_policy_item *weir_policy_batch_answer(struct weir_policy_batch *batch,
                                                        const struct weir_policy_parts *parts,
                                                        weir_time now, weir_time steady,
                                                        size_t *count_r);

void weir_policy_batch_clear(struct weir_policy_batch *batch);

#endif
