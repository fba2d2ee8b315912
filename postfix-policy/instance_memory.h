/*
 * instance_memory - one message, one decision.
 *
 * Postfix asks about a message once for each recipient and each restriction list,
 * always with the same `instance`.  What was decided the first time is kept
 * here and said again, with the same reference:
 *
 *     RCPT user@      -> decided: reject, ref abc      kept
 *     RCPT other@     -> reject, ref abc               from here
 *     RCPT postmaster -> passes, whatever is kept      only this is noted
 *     DATA            -> passes: who was refused is not among the recipients left
 *
 * The key is a keyed hash over instance, client address and sender, so that two mail
 * servers that ask one daemon do not meet in one entry and nobody can aim at one.
 *
 * Owner:    the caller owns the memory; the memory owns the messages in it.
 * Threads:  one at a time.
 * Limits:   `most` messages; when there are more, the oldest gives way and is
 *           decided anew.  Times come from a steady clock.
 */
#ifndef WEIR_POLICY_INSTANCE_MEMORY_H
#define WEIR_POLICY_INSTANCE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/clock.h"
#include "core/base/keyed_hash.h"
#include "core/engine/verdict.h"

struct weir_instances;

struct weir_instance {
    bool decided;            /* what follows down to id holds */
    enum weir_action action;
    const char *reply;       /* of a refusal, else NULL; the memory's */
    char id[WEIR_ID_TEXT];
    bool role_passed;        /* mail to a role recipient was let through: the caller's to set */
};

/* Room for most messages (at least 1), each kept for so long; key is copied.  0,
 * WEIR_EINVAL, WEIR_ENOMEM. */
int weir_instances_new(const struct weir_hash_key *key, size_t most, weir_time keep,
                       struct weir_instances **instances_r);
void weir_instances_free(struct weir_instances **instances);

/* From now on messages are kept for so long; 0 = not at all. */
void weir_instances_keep(struct weir_instances *instances, weir_time keep);

/* The message an envelope belongs to; a new one, nothing decided, when it is not known.
 * It stays where it is until `most` further ones have come.  NULL when the envelope tells no
 * message from another: nothing is remembered of it. */
struct weir_instance *weir_instances_of(struct weir_instances *instances, weir_time now,
                                        const struct weir_envelope *envelope);

/* Keeps a decision; reply (copied) is for refusals, else NULL.  0, or WEIR_ENOMEM: then it
 * will be decided anew. */
int weir_instance_decided(struct weir_instance *instance, const struct weir_decision *decision,
                          const char *reply);

/* Messages that are in memory, also those whose time is over. */
size_t weir_instances_count(const struct weir_instances *instances);

#endif
