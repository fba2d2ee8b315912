/*
 * numbers - relaxed additions to slots; a rule's place is found by its id and taken once.
 */
#include "core/engine/numbers_impl.h"

#include <string.h>

#include "core/engine/judge.h"

#define ADD(slot, amount) atomic_fetch_add_explicit(&(slot), (amount), memory_order_relaxed)
#define PUT(slot, value) atomic_store_explicit(&(slot), (value), memory_order_relaxed)

/* A value that the row has not would be the next row's, and a row that the program has not is a
 * damage to who reads it. */
static bool has(const struct weir_numbers *numbers, enum weir_number which, unsigned at)
{
    return at < weir_number_rows[which].values &&
           (weir_number_rows[which].programs & 1u << numbers->program);
}

static unsigned slot_of(const struct weir_numbers *numbers, enum weir_number which, unsigned at)
{
    return numbers->first[which] + at * weir_numbers_each(&weir_number_rows[which]);
}

void weir_numbers_add(struct weir_numbers *numbers, enum weir_number which, unsigned at,
                      uint64_t amount)
{
    if (numbers && amount > 0 && has(numbers, which, at))
        ADD(numbers->area->slot[slot_of(numbers, which, at)], amount);
}

void weir_numbers_set(struct weir_numbers *numbers, enum weir_number which, unsigned at,
                      int64_t value)
{
    if (numbers && has(numbers, which, at))
        PUT(numbers->area->slot[slot_of(numbers, which, at)], (uint64_t)value);
}

static uint64_t growth(uint64_t *before, uint64_t sum)
{
    uint64_t grown = sum >= *before ? sum - *before : sum;

    *before = sum;
    return grown;
}

void weir_numbers_raise(struct weir_numbers *numbers, enum weir_number which, unsigned at,
                        uint64_t sum)
{
    if (numbers && has(numbers, which, at))
        weir_numbers_add(numbers, which, at,
                         growth(&numbers->before[slot_of(numbers, which, at)], sum));
}

struct weir_histogram *weir_numbers_times(struct weir_numbers *numbers, enum weir_number which,
                                          unsigned at)
{
    return numbers && has(numbers, which, at)
               ? weir_numbers_histogram(numbers->area, slot_of(numbers, which, at)) : NULL;
}

/* decisions --------------------------------------------------------------------------------- */

static void count_rule(struct weir_numbers *numbers, uint64_t id)
{
    struct weir_numbers_rule *rule = id != 0 ? weir_numbers_rule_of(numbers->area, id) : NULL;

    if (rule)
        ADD(rule->hits, 1);
    else
        weir_numbers_add(numbers, WEIR_NUMBER_RULES_LEFT_OUT, 0, 1);
}

static void count_lacking(struct weir_numbers *numbers, const struct weir_decision *decision)
{
    weir_numbers_add(numbers, WEIR_NUMBER_LACKING, WEIR_WITHOUT_COUNTERS, decision->store_missing);
    weir_numbers_add(numbers, WEIR_NUMBER_LACKING, WEIR_WITHOUT_LISTS, decision->lists_missing);
}

void weir_numbers_request(struct weir_numbers *numbers, const struct weir_decision *decision)
{
    if (!numbers)
        return;
    weir_numbers_add(numbers, WEIR_NUMBER_REQUESTS, decision->verdict, 1);
    weir_numbers_add(numbers, WEIR_NUMBER_REQUEST_ACTIONS, decision->action, 1);
    count_lacking(numbers, decision);
}

void weir_numbers_message(struct weir_numbers *numbers, const struct weir_judgement *judgement,
                          weir_time took)
{
    if (!numbers)
        return;
    weir_numbers_add(numbers, WEIR_NUMBER_MESSAGES, judgement->outcome.verdict, 1);
    weir_numbers_add(numbers, WEIR_NUMBER_MESSAGE_ACTIONS, judgement->outcome.action, 1);
    weir_histogram_add(weir_numbers_times(numbers, WEIR_NUMBER_MESSAGE_TIME, 0), took, 1);
    count_lacking(numbers, &judgement->decision);
    weir_numbers_add(numbers, WEIR_NUMBER_LACKING, WEIR_WITHOUT_RULES, judgement->rules_missing);
    weir_numbers_add(numbers, WEIR_NUMBER_LACKING, WEIR_WITHOUT_TIME, judgement->rules_cut);
    for (size_t i = 0; i < judgement->points; i++)
        count_rule(numbers, judgement->point[i].id);
    weir_numbers_add(numbers, WEIR_NUMBER_RULES_LEFT_OUT, 0, judgement->hits_left_out);
}

/* the store of counters ---------------------------------------------------------------------- */

void weir_numbers_measure(struct weir_numbers *numbers, struct weir_counters *counters)
{
    struct weir_histogram *reads =
        weir_numbers_times(numbers, WEIR_NUMBER_STORE_TIME, WEIR_OPERATION_READ);
    struct weir_histogram *writes =
        weir_numbers_times(numbers, WEIR_NUMBER_STORE_TIME, WEIR_OPERATION_WRITE);

    if (!numbers || !counters ||
        !weir_counters_measure(counters, &numbers->steady, reads, writes))
        return;
    for (unsigned i = 0; i < 5; i++)
        numbers->before[slot_of(numbers, WEIR_NUMBER_COUNTERS, i)] = 0; /* it counts from 0 */
    memset(numbers->failures_before, 0, sizeof numbers->failures_before);
}

/* A server that is another one than before begins anew. */
static void note_server(struct weir_numbers *numbers, unsigned at,
                        const struct weir_counters_node *node)
{
    struct weir_numbers_server *server = &numbers->area->server[at];

    if (strncmp(server->name, node->name, sizeof server->name) != 0) {
        memcpy(server->name, node->name, sizeof server->name);
        PUT(server->failures, 0);
    }
    ADD(server->failures, growth(&numbers->failures_before[at], node->failures));
    PUT(server->took, (uint64_t)(node->seconds * 1e6));
    PUT(server->up, node->up ? 2 : 1);
}

void weir_numbers_counters(struct weir_numbers *numbers, struct weir_counters *counters,
                           bool servers)
{
    struct weir_counters_status *status = numbers ? &numbers->status : NULL;

    if (!numbers || !counters)
        return;
    weir_counters_status(counters, status);
    weir_numbers_raise(numbers, WEIR_NUMBER_COUNTERS, 0, status->read);
    weir_numbers_raise(numbers, WEIR_NUMBER_COUNTERS, 1, status->missing);
    weir_numbers_raise(numbers, WEIR_NUMBER_COUNTERS, 2, status->near);
    weir_numbers_raise(numbers, WEIR_NUMBER_COUNTERS, 3, status->written);
    weir_numbers_raise(numbers, WEIR_NUMBER_COUNTERS, 4, status->lost);
    for (unsigned i = 0; servers && i < WEIR_NODES_MAX; i++) {
        if (i < status->nodes)
            note_server(numbers, i, &status->node[i]);
        else
            PUT(numbers->area->server[i].up, 0);
    }
}
