/*
 * policy_batch - from requests to answers.
 *
 *     items      0 1 2 3 4 5     in order of arrival: the order of the answers
 *     to decide  0   1   2 3     those that are not remembered, without gaps
 *
 * The batch owns all arrays; envelopes point into the caller's bytes.
 */
#include "postfix-policy/policy_batch.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

#define REMEMBERED SIZE_MAX

struct work {
    struct weir_instance *instance; /* or NULL */
    size_t which; /* of the envelopes and decisions, or REMEMBERED */
};

/* Instances must stay where they are for as long as a batch is worked on. */
_Static_assert(WEIR_INSTANCES_MAX > WEIR_ENGINE_BATCH, "room for the instances of a batch");

struct weir_policy_batch {
    size_t count;
    struct weir_policy_item item[WEIR_ENGINE_BATCH];
    struct work work[WEIR_ENGINE_BATCH];
    struct weir_envelope envelope[WEIR_ENGINE_BATCH];
    struct weir_decision decision[WEIR_ENGINE_BATCH];
    char text[WEIR_ENGINE_BATCH][WEIR_POLICY_ANSWER_MAX];
};

int weir_policy_batch_new(struct weir_policy_batch **batch_r)
{
    *batch_r = calloc(1, sizeof **batch_r);
    return *batch_r ? 0 : WEIR_ENOMEM;
}

void weir_policy_batch_free(struct weir_policy_batch **batch)
{
    free(*batch);
    *batch = NULL;
}

bool weir_policy_batch_empty(const struct weir_policy_batch *batch)
{
    return batch->count == 0;
}

bool weir_policy_batch_full(const struct weir_policy_batch *batch)
{
    return batch->count == WEIR_ENGINE_BATCH;
}

int weir_policy_batch_add(struct weir_policy_batch *batch, void *owner, const char *bytes,
                          size_t len, const char **why_r)
{
    size_t i = batch->count;
    enum weir_policy_kind kind;

    if (weir_policy_batch_full(batch))
        return WEIR_EFULL;
    if (weir_policy_parse(bytes, len, &kind, &batch->envelope[i], why_r) < 0)
        return WEIR_EINVAL;
    batch->item[i] = (struct weir_policy_item){.owner = owner, .kind = kind};
    batch->count++;
    return kind == WEIR_POLICY_DECIDE;
}

void weir_policy_batch_clear(struct weir_policy_batch *batch)
{
    batch->count = 0;
}

static void say(struct weir_policy_batch *batch, size_t i, const char *word, const char *text)
{
    batch->item[i].answer = batch->text[i];
    batch->item[i].len = weir_policy_answer(batch->text[i], word, text);
}

static void say_neutral(struct weir_policy_batch *batch, size_t i)
{
    batch->item[i].answer = WEIR_POLICY_NEUTRAL;
    batch->item[i].len = strlen(WEIR_POLICY_NEUTRAL);
}

/* At DATA nobody is left whom the instance's refusal was said to: what remains is
 * the role recipients that passed. */
static bool only_roles_left(const struct weir_instance *instance,
                            const struct weir_envelope *envelope)
{
    return instance && instance->role_passed && envelope->stage >= WEIR_STAGE_DATA;
}

static void say_as_before(struct weir_policy_batch *batch, size_t i,
                          const struct weir_policy_parts *parts,
                          const struct weir_envelope *envelope)
{
    const struct weir_instance *instance = batch->work[i].instance;

    parts->counts->remembered++;
    if (instance->reply && !only_roles_left(instance, envelope))
        say(batch, i, instance->reply, "");
    else
        say_neutral(batch, i);
    weir_log(parts->log, WEIR_LOG_DEBUG, "as before: action=%s id=%s",
             weir_action_name(instance->action), instance->id);
}

/* Whether what the instance was told before holds for this recipient too. */
static bool holds(const struct weir_policy_parts *parts, const struct weir_instance *instance,
                  const struct weir_envelope *envelope)
{
    const struct weir_strings *exempt = &parts->config->exempt_recipients;

    return instance && instance->decided &&
           !weir_envelope_role_recipient(envelope, exempt->item, exempt->count);
}

/* Answers what is remembered and moves the other envelopes together.  Returns how many
 * of them there are. */
static size_t sort_out(struct weir_policy_batch *batch, const struct weir_policy_parts *parts,
                       weir_time steady)
{
    size_t undecided = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct work *work = &batch->work[i];
        const struct weir_envelope *envelope = &batch->envelope[i];

        work->which = REMEMBERED;
        if (batch->item[i].kind != WEIR_POLICY_DECIDE)
            continue;
        parts->counts->requests++;
        work->instance = weir_instances_of(parts->instances, steady, envelope);
        if (holds(parts, work->instance, envelope)) {
            say_as_before(batch, i, parts, envelope);
            continue;
        }
        work->which = undecided++;
        if (work->which != i)
            batch->envelope[work->which] = *envelope;
    }
    return undecided;
}

/* What is no verdict or action of ours is counted nowhere, as in core/engine/numbers.h. */
static void count(struct weir_policy_counts *counts, const struct weir_decision *decision)
{
    if ((unsigned)decision->verdict < sizeof counts->verdict / sizeof counts->verdict[0])
        counts->verdict[decision->verdict]++;
    if ((unsigned)decision->action < sizeof counts->action / sizeof counts->action[0])
        counts->action[decision->action]++;
    counts->incomplete += decision->store_missing || decision->lists_missing;
}

static void note(const struct weir_policy_parts *parts, const struct weir_decision *decision,
                 const struct weir_envelope *envelope, const char *facts)
{
    char line[WEIR_DECISION_TEXT];

    count(parts->counts, decision);
    weir_numbers_request(parts->numbers, decision);
    /* Straight to the sink: the line is clean and short enough as it is made. */
    if (parts->log && parts->log->most >= WEIR_LOG_INFO)
        parts->log->write(parts->log->context, WEIR_LOG_INFO,
                          weir_decision_log(facts, envelope, line));
}

/* Facts go onto mail of others that was decided about, once for each message: only
 * an instance tells one message from the next. */
static bool facts_wanted(const struct weir_config *config, const struct weir_instance *instance,
                         const struct weir_decision *decision,
                         const struct weir_envelope *envelope)
{
    if (config->prepend == WEIR_PREPEND_NEVER ||
        (config->prepend == WEIR_PREPEND_OBSERVE && config->mode != WEIR_OBSERVE))
        return false;
    if (!instance ||
        (envelope->stage != WEIR_STAGE_RCPT && envelope->stage != WEIR_STAGE_DATA))
        return false;
    return decision->ground != WEIR_GROUND_AUTHENTICATED && decision->ground != WEIR_GROUND_ROLE;
}

static void say_new(struct weir_policy_batch *batch, size_t i,
                    const struct weir_policy_parts *parts, const char *facts)
{
    struct weir_instance *instance = batch->work[i].instance;
    const struct weir_decision *decision = &batch->decision[batch->work[i].which];
    const struct weir_envelope *envelope = &batch->envelope[batch->work[i].which];
    const char *reply = NULL;
    char text[WEIR_DECISION_TEXT];

    if (decision->action != WEIR_PASS) {
        reply = weir_decision_reply(decision, envelope, parts->config->help_url, text);
        say(batch, i, reply, "");
    } else if (facts_wanted(parts->config, instance, decision, envelope)) {
        say(batch, i, "PREPEND X-Weir-Policy:", facts);
    } else {
        say_neutral(batch, i);
    }
    if (instance && decision->ground == WEIR_GROUND_ROLE)
        instance->role_passed = true;
    else if (instance)
        (void)weir_instance_decided(instance, decision, reply);
}

/* Answers one that was decided in this batch, unless the same instance was, earlier in it. */
static void settle(struct weir_policy_batch *batch, size_t i,
                   const struct weir_policy_parts *parts)
{
    const struct weir_instance *instance = batch->work[i].instance;
    struct weir_decision *decision = &batch->decision[batch->work[i].which];
    const struct weir_envelope *envelope = &batch->envelope[batch->work[i].which];
    char facts[WEIR_DECISION_TEXT];

    if (holds(parts, instance, envelope)) {
        say_as_before(batch, i, parts, envelope);
        return;
    }
    if (decision->intended != WEIR_PASS && only_roles_left(instance, envelope)) {
        decision->ground = WEIR_GROUND_ROLE;
        decision->action = decision->intended = WEIR_PASS;
    }
    weir_decision_facts(decision, envelope, NULL, facts);
    note(parts, decision, envelope, facts);
    say_new(batch, i, parts, facts);
}

const struct weir_policy_item *weir_policy_batch_answer(struct weir_policy_batch *batch,
                                                        const struct weir_policy_parts *parts,
                                                        weir_time now, weir_time steady,
                                                        size_t *count_r)
{
    size_t undecided = sort_out(batch, parts, steady);

    if (undecided > 0)
        (void)weir_engine_decide(parts->engine, now, batch->envelope, batch->decision, undecided);
    for (size_t i = 0; i < batch->count; i++)
        if (batch->work[i].which != REMEMBERED)
            settle(batch, i, parts);
    *count_r = batch->count;
    return batch->item;
}
