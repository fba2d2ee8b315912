/*
 * numbers_metrics - a family at a time, over all programs that have it, as the format wants it.
 * Names of servers come out of a file that others write: they end where their room does.
 */
#include "core/program/numbers_metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/engine/numbers_table.h"

struct writing {
    struct weir_metrics *metrics;
    const struct weir_numbers_copy *copy;
    uint16_t first[WEIR_NUMBERS];
    weir_numbers_rule_name *name;
    void *context;
};

static bool is_there(const struct writing *writing, const struct weir_number_row *row, unsigned i)
{
    const struct weir_numbers_copy *copy = &writing->copy[i];

    return copy->area && (row->programs & 1u << i) &&
           (row->kind != WEIR_NUMBER_LEVEL || copy->up);
}

static void write_times(const struct writing *writing, unsigned program, unsigned slot,
                        const struct weir_metrics_label *label, size_t labels)
{
    struct weir_histogram_reading reading;

    weir_histogram_read(weir_numbers_histogram(writing->copy[program].area, slot), &reading);
    weir_metrics_histogram(writing->metrics, label, labels, &reading);
}

static void write_values(const struct writing *writing, enum weir_number which, unsigned program)
{
    const struct weir_number_row *row = &weir_number_rows[which];
    struct weir_numbers_area *area = writing->copy[program].area;
    unsigned slot = writing->first[which];

    for (unsigned at = 0; at < row->values; at++) {
        const struct weir_metrics_label label[] = {
            {"program", weir_numbers_program_name((enum weir_numbers_program)program)},
            {row->label, row->label ? row->value(at) : ""}};
        size_t labels = row->label ? 2 : 1;

        if (row->kind == WEIR_NUMBER_TIMES) {
            write_times(writing, program, slot, label, labels);
            slot += WEIR_HISTOGRAM_BUCKETS + 1;
            continue;
        }
        weir_metrics_sample(writing->metrics, label, labels,
                            row->kind == WEIR_NUMBER_LEVEL ? (double)(int64_t)area->slot[slot]
                                                           : (double)area->slot[slot]);
        slot++;
    }
}

/* Exim's processes hold no lock: nobody can say whether they run. */
static void write_up(const struct writing *writing)
{
    weir_metrics_family(writing->metrics, WEIR_GAUGE_METRIC, "weir_program_up",
                        "Whether a daemon that ran here runs now: 1, or 0.");
    for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++) {
        const struct weir_metrics_label label = {
            "program", weir_numbers_program_name((enum weir_numbers_program)i)};

        if (writing->copy[i].area && i != WEIR_NUMBERS_EXIM)
            weir_metrics_sample(writing->metrics, &label, 1, writing->copy[i].up);
    }
}

/* Of a file that is there. */
static void write_readable(const struct writing *writing)
{
    weir_metrics_family(writing->metrics, WEIR_GAUGE_METRIC, "weir_program_numbers_readable",
                        "Whether a program's numbers can be read: 1, or 0: its file is damaged, of "
                        "another version, or no file, and they are left out.");
    for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++) {
        const struct weir_metrics_label label = {
            "program", weir_numbers_program_name((enum weir_numbers_program)i)};

        if (writing->copy[i].area || writing->copy[i].error != 0)
            weir_metrics_sample(writing->metrics, &label, 1, writing->copy[i].error == 0);
    }
}

/* servers of counters ------------------------------------------------------------------------ */

static void write_servers(const struct writing *writing, enum weir_metrics_type type,
                          const char *family, const char *help,
                          double (*value)(const struct weir_numbers_server *server))
{
    weir_metrics_family(writing->metrics, type, family, help);
    for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++) {
        const struct weir_numbers_area *area = writing->copy[i].area;

        for (unsigned at = 0; area && writing->copy[i].up && at < WEIR_NODES_MAX; at++) {
            const struct weir_numbers_server *server = &area->server[at];
            char name[sizeof server->name + 1] = "";
            const struct weir_metrics_label label[] = {
                {"program", weir_numbers_program_name((enum weir_numbers_program)i)},
                {"node", name}};

            memcpy(name, server->name, sizeof server->name);
            if (server->up > 0 && name[0])
                weir_metrics_sample(writing->metrics, label, 2, value(server));
        }
    }
}

static double up_of(const struct weir_numbers_server *server)
{
    return server->up == 2;
}

static double failures_of(const struct weir_numbers_server *server)
{
    return (double)server->failures;
}

static double took_of(const struct weir_numbers_server *server)
{
    return (double)server->took / WEIR_SECOND;
}

static void write_all_servers(const struct writing *writing)
{
    write_servers(writing, WEIR_GAUGE_METRIC, "weir_program_store_node_up",
                  "Whether a server of counters is asked: 1, or 0: it failed, its breaker is open, "
                  "and it is let rest.", up_of);
    write_servers(writing, WEIR_COUNTER_METRIC, "weir_program_store_node_failures_total",
                  "Its failures.", failures_of);
    write_servers(writing, WEIR_GAUGE_METRIC, "weir_program_store_node_answer_seconds",
                  "How long its answers take, on the average of late.", took_of);
}

/* rules ---------------------------------------------------------------------------------------- */

static void write_rule(const struct writing *writing, unsigned program,
                       const struct weir_numbers_rule *rule)
{
    char room[WEIR_NUMBERS_NAME], number[24];
    const uint32_t id = (uint32_t)rule->id; /* which a sound one is */
    const char *name = writing->name(writing->context, id, room);
    const struct weir_metrics_label label[] = {
        {"program", weir_numbers_program_name((enum weir_numbers_program)program)},
        {"rule", name ? name : number}};

    snprintf(number, sizeof number, "%" PRIu32, id);
    weir_metrics_sample(writing->metrics, label, 2, (double)rule->hits);
}

static void write_rules(const struct writing *writing)
{
    weir_metrics_family(writing->metrics, WEIR_COUNTER_METRIC, "weir_program_rule_hits_total",
                        "Messages that a rule hit, as decided on this machine; of 1,024 rules, "
                        "first come.");
    for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++)
        for (unsigned at = 0; writing->copy[i].area && at < WEIR_NUMBERS_RULES; at++)
            if (writing->copy[i].area->rule[at].id != 0)
                write_rule(writing, i, &writing->copy[i].area->rule[at]);
}

void weir_numbers_metrics(struct weir_metrics *metrics,
                          const struct weir_numbers_copy copy[static WEIR_NUMBERS_PROGRAMS],
                          weir_numbers_rule_name *name, void *context)
{
    static const enum weir_metrics_type types[] = {
        [WEIR_NUMBER_COUNT] = WEIR_COUNTER_METRIC, [WEIR_NUMBER_LEVEL] = WEIR_GAUGE_METRIC,
        [WEIR_NUMBER_TIMES] = WEIR_HISTOGRAM_METRIC};
    struct writing writing = {
        .metrics = metrics, .copy = copy, .name = name, .context = context};

    (void)weir_numbers_places(writing.first);
    write_up(&writing);
    write_readable(&writing);
    for (unsigned which = 0; which < WEIR_NUMBERS; which++) {
        const struct weir_number_row *row = &weir_number_rows[which];

        weir_metrics_family(metrics, types[row->kind], row->name, row->help);
        for (unsigned i = 0; i < WEIR_NUMBERS_PROGRAMS; i++)
            if (is_there(&writing, row, i))
                write_values(&writing, (enum weir_number)which, i);
    }
    write_all_servers(&writing);
    write_rules(&writing);
}
