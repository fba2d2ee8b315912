/*
 * agent_numbers - what Prometheus may ask of an agent: the same as its monitor hears, and how the
 * way to the monitor is, for a monitor that hears nothing cannot tell.
 */
#include "monitor/agent/agent_impl.h"

_Static_assert(WEIR_ERRANDS == 5, "the labels of errands in core/engine/numbers_rows.c");

static int64_t lasting(weir_time since, weir_time steady)
{
    return since != 0 ? (steady - since) / WEIR_SECOND + 1 : 0;
}

static void count_errands(struct weir_agent *agent)
{
    for (unsigned i = 0; i < WEIR_ERRANDS; i++) {
        struct weir_link_counts counts = weir_link_counts(agent->link, (enum weir_errand)i);

        weir_numbers_raise(agent->numbers, WEIR_NUMBER_ERRANDS, i, counts.ended);
        weir_numbers_raise(agent->numbers, WEIR_NUMBER_ERRAND_FAILURES, i, counts.failed);
        weir_numbers_set(agent->numbers, WEIR_NUMBER_REST, i,
                         (counts.rest + WEIR_SECOND - 1) / WEIR_SECOND);
    }
}

static void count_rules(struct weir_agent *agent)
{
    json_t *rules = weir_sets_health(agent->sets);

    weir_numbers_set(agent->numbers, WEIR_NUMBER_SERIAL, 0,
                     json_integer_value(json_object_get(rules, "serial")));
    weir_numbers_set(agent->numbers, WEIR_NUMBER_REFUSED, 0,
                     json_integer_value(json_object_get(rules, "refused")));
    json_decref(rules);
}

static void count_lists(struct weir_agent *agent, weir_time steady)
{
    weir_numbers_set(agent->numbers, WEIR_NUMBER_GENERATION, 0, agent->generation);
    weir_numbers_set(agent->numbers, WEIR_NUMBER_ENTRIES, 0, (int64_t)agent->applied.entries);
    weir_numbers_set(agent->numbers, WEIR_NUMBER_WITHHELD, 0, (int64_t)agent->applied.withheld);
    weir_numbers_set(agent->numbers, WEIR_NUMBER_UNSET, 0, lasting(agent->unset, steady));
    weir_numbers_set(agent->numbers, WEIR_NUMBER_AHEAD, 0, agent->skew.ahead / WEIR_SECOND);
}

static void count_spool(struct weir_agent *agent, weir_time steady)
{
    const struct weir_tail_counts *tail = weir_tail_counts(agent->tail);

    weir_numbers_set(agent->numbers, WEIR_NUMBER_WAITING_FILES, 0, (int64_t)tail->files);
    weir_numbers_set(agent->numbers, WEIR_NUMBER_WAITING_OCTETS, 0, (int64_t)tail->octets);
    weir_numbers_raise(agent->numbers, WEIR_NUMBER_SKIPPED, 0, tail->skipped);
    weir_numbers_set(agent->numbers, WEIR_NUMBER_UNREAD, 0, lasting(agent->unread, steady));
    weir_numbers_set(agent->numbers, WEIR_NUMBER_SILENT, 0,
                     weir_silence_now(&agent->silence) / WEIR_SECOND);
}

void weir_agent_count(struct weir_agent *agent, weir_time steady)
{
    if (steady < agent->count)
        return;
    agent->count = steady + WEIR_SECOND;
    count_errands(agent);
    count_rules(agent);
    count_lists(agent, steady);
    count_spool(agent, steady);
    weir_numbers_raise(agent->numbers, WEIR_NUMBER_LOG_LOST, 0, agent->log.lost);
    (void)weir_numbers_give(agent->numbers);
}
