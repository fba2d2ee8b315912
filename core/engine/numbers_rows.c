/*
 * numbers_rows - the table: who has which number, its name, and what it is.
 */
#include <string.h>

#include "core/base/keyed_hash.h"
#include "core/engine/numbers_table.h"
#include "core/engine/verdict.h"

#define OF(program) (1u << WEIR_NUMBERS_##program)
#define DECIDES (OF(POLICYD) | OF(MILTER) | OF(EXIM))
#define DAEMONS (OF(POLICYD) | OF(MILTER) | OF(SNIFFER) | OF(AGENT))
#define COUNT WEIR_NUMBER_COUNT
#define LEVEL WEIR_NUMBER_LEVEL
#define TIMES WEIR_NUMBER_TIMES
#define ONE NULL, NULL, 1

const char *weir_numbers_program_name(enum weir_numbers_program program)
{
    static const char *const names[WEIR_NUMBERS_PROGRAMS] = {
        "weir-policyd", "weir-milter", "weir-exim", "weir-sniffer", "weir-agent"};

    return (unsigned)program < WEIR_NUMBERS_PROGRAMS ? names[program] : "";
}

/* values of labels ------------------------------------------------------------------------ */

static const char *verdict(unsigned at)
{
    return weir_verdict_name((enum weir_verdict)at);
}

static const char *action(unsigned at)
{
    return weir_action_name((enum weir_action)at);
}

static const char *lacking(unsigned at)
{
    static const char *const names[WEIR_WITHOUTS] = {"counters", "lists", "rules", "time"};
    return names[at];
}

static const char *answered(unsigned at)
{
    return at ? "yes" : "no";
}

static const char *counters(unsigned at)
{
    static const char *const names[] = {"read", "missing", "near", "written", "lost"};
    return names[at];
}

static const char *operation(unsigned at)
{
    return at == WEIR_OPERATION_READ ? "read" : "write";
}

static const char *errand(unsigned at)
{
    static const char *const names[] = {"ship", "commands", "health", "rules", "votes"};
    return names[at];
}

/* the table ------------------------------------------------------------------------------- */

const struct weir_number_row weir_number_rows[WEIR_NUMBERS] = {
    [WEIR_NUMBER_START] = {DAEMONS, LEVEL, "weir_program_start_time_seconds",
     "When it was started, in seconds since 1970.", ONE},
    [WEIR_NUMBER_REQUESTS] = {OF(POLICYD) | OF(EXIM), COUNT, "weir_program_requests_total",
     "Questions about connections and recipients decided, by verdict.", "verdict", verdict,
     WEIR_BLOCKED + 1},
    [WEIR_NUMBER_REQUEST_ACTIONS] = {OF(POLICYD) | OF(EXIM), COUNT,
     "weir_program_request_actions_total", "What was answered to them.", "action", action,
     WEIR_REJECT + 1},
    [WEIR_NUMBER_REQUEST_TIME] = {OF(POLICYD) | OF(EXIM), TIMES, "weir_program_request_seconds",
     "From when such a question was read until its answer was handed over, also where it was "
     "answered as before.", ONE},
    [WEIR_NUMBER_MESSAGES] = {DECIDES, COUNT, "weir_program_messages_total",
     "Whole messages decided, by verdict.", "verdict", verdict, WEIR_BLOCKED + 1},
    [WEIR_NUMBER_MESSAGE_ACTIONS] = {DECIDES, COUNT, "weir_program_message_actions_total",
     "What was to be done with them.", "action", action, WEIR_QUARANTINE + 1},
    [WEIR_NUMBER_MESSAGE_TIME] = {DECIDES, TIMES, "weir_program_message_seconds",
     "How long it took to decide a whole message that was there.", ONE},
    [WEIR_NUMBER_UNJUDGED] = {DECIDES, COUNT, "weir_program_unjudged_total",
     "Messages that could not be judged.", ONE},
    [WEIR_NUMBER_LACKING] = {DECIDES, COUNT, "weir_program_lacking_total",
     "Decisions made without all that should be known, by what was lacking; time: rules were "
     "given up, for the message made too much work.", "lacking", lacking, WEIR_WITHOUTS},
    [WEIR_NUMBER_RULES_LEFT_OUT] = {DECIDES, COUNT, "weir_program_rule_hits_left_out_total",
     "Hits of rules beyond the 1,024 that are counted one by one.", ONE},
    [WEIR_NUMBER_ASKED] = {OF(EXIM), COUNT, "weir_program_daemon_asked_total",
     "Messages that weir-policyd was asked about, by whether it answered.", "answered", answered,
     2},
    [WEIR_NUMBER_AT_WORK] = {OF(MILTER), LEVEL, "weir_program_messages_at_work",
     "Messages that are being received or decided.", ONE},
    [WEIR_NUMBER_LOG_LOST] = {OF(MILTER) | OF(SNIFFER) | OF(AGENT), COUNT,
     "weir_program_log_lines_lost_total", "Lines of its log that could not be written.", ONE},
    [WEIR_NUMBER_COUNTERS] = {DECIDES, COUNT, "weir_program_counters_total",
     "Counters: read, of these not answered (missing) and known from a moment before (near); "
     "events written, and lost.", "what", counters, 5},
    [WEIR_NUMBER_STORE_TIME] = {DECIDES, TIMES, "weir_program_store_seconds",
     "How long the store of counters took, for all counters of one question together.",
     "operation", operation, WEIR_OPERATIONS},
    [WEIR_NUMBER_SPOOL_DROPPED] = {DECIDES | OF(SNIFFER), COUNT,
     "weir_program_spool_lines_dropped_total", "Lines that found no room in the spool.", ONE},

    [WEIR_NUMBER_PACKETS] = {OF(SNIFFER), COUNT, "weir_sniffer_packets_total", "Packets heard.",
     ONE},
    [WEIR_NUMBER_KERNEL_DROPPED] = {OF(SNIFFER), COUNT, "weir_sniffer_kernel_dropped_total",
     "Packets that the kernel dropped, for the sniffer was too slow.", ONE},
    [WEIR_NUMBER_GAPS] = {OF(SNIFFER), COUNT, "weir_sniffer_gaps_total",
     "Holes in what was heard of connections.", ONE},
    [WEIR_NUMBER_FLOWS] = {OF(SNIFFER), LEVEL, "weir_sniffer_flows", "Connections followed now.",
     ONE},
    [WEIR_NUMBER_ADDRESSES] = {OF(SNIFFER), LEVEL, "weir_sniffer_addresses",
     "Addresses that did something in the last second.", ONE},
    [WEIR_NUMBER_OVERFLOW] = {OF(SNIFFER), COUNT, "weir_sniffer_charges_left_out_total",
     "Charges that are nobody's, since too many addresses did something in one second.", ONE},
    [WEIR_NUMBER_ODD] = {OF(SNIFFER), COUNT, "weir_sniffer_odd_total",
     "Replies that cannot be to what clients seemed to say.", ONE},
    [WEIR_NUMBER_FORGED] = {OF(SNIFFER), COUNT, "weir_sniffer_forged_total",
     "Segments that contradict others, or came in from outside in this machine's name.", ONE},
    [WEIR_NUMBER_UNPROVEN] = {OF(SNIFFER), COUNT, "weir_sniffer_unproven_total",
     "Connections of which only one side was heard.", ONE},
    [WEIR_NUMBER_WITNESSED] = {OF(SNIFFER), COUNT, "weir_sniffer_witnessed_total",
     "Messages of plug-ins that were found in the traffic.", ONE},
    [WEIR_NUMBER_CALIBRATED] = {OF(SNIFFER), LEVEL, "weir_sniffer_calibrated_servers",
     "Servers whose traffic inside TLS is estimated by what plug-ins told.", ONE},

    [WEIR_NUMBER_SERIAL] = {OF(AGENT), LEVEL, "weir_agent_rules_serial",
     "The published rule set at work, or 0.", ONE},
    [WEIR_NUMBER_REFUSED] = {OF(AGENT), LEVEL, "weir_agent_rules_refused",
     "The rule set that is refused, or 0.", ONE},
    [WEIR_NUMBER_GENERATION] = {OF(AGENT), LEVEL, "weir_agent_generation",
     "Up to where decisions of the monitor are applied.", ONE},
    [WEIR_NUMBER_ENTRIES] = {OF(AGENT), LEVEL, "weir_agent_entries",
     "Entries of the monitor in the lists.", ONE},
    [WEIR_NUMBER_WITHHELD] = {OF(AGENT), LEVEL, "weir_agent_entries_withheld",
     "Entries of the monitor that are not in force here.", ONE},
    [WEIR_NUMBER_WAITING_FILES] = {OF(AGENT), LEVEL, "weir_agent_spool_files",
     "Files of the spool that wait to be shipped.", ONE},
    [WEIR_NUMBER_WAITING_OCTETS] = {OF(AGENT), LEVEL, "weir_agent_spool_octets",
     "Octets that wait to be shipped.", ONE},
    [WEIR_NUMBER_SKIPPED] = {OF(AGENT), COUNT, "weir_agent_spool_skipped_octets_total",
     "Octets of lines of the spool that were too long or torn, and not shipped.", ONE},
    [WEIR_NUMBER_UNREAD] = {OF(AGENT), LEVEL, "weir_agent_spool_unread_seconds",
     "For how long the spool cannot be read; 0: it can.", ONE},
    [WEIR_NUMBER_UNSET] = {OF(AGENT), LEVEL, "weir_agent_lists_unset_seconds",
     "For how long the lists cannot be changed; 0: they can.", ONE},
    [WEIR_NUMBER_SILENT] = {OF(AGENT), LEVEL, "weir_agent_sniffer_silent_seconds",
     "For how long nothing came of the sniffer; 0: it is heard, or there is none.", ONE},
    [WEIR_NUMBER_AHEAD] = {OF(AGENT), LEVEL, "weir_agent_clock_ahead_seconds",
     "How far this machine's clock is ahead of the monitor's.", ONE},
    [WEIR_NUMBER_ERRANDS] = {OF(AGENT), COUNT, "weir_agent_errands_total",
     "Requests to the monitor that came to an end, by what for.", "errand", errand, 5},
    [WEIR_NUMBER_ERRAND_FAILURES] = {OF(AGENT), COUNT, "weir_agent_errand_failures_total",
     "Of these, those without an answer that is of use.", "errand", errand, 5},
    [WEIR_NUMBER_REST] = {OF(AGENT), LEVEL, "weir_agent_errand_rest_seconds",
     "How long it waits now before it tries again, since it failed; 0: it does not.", "errand",
     errand, 5},
    [WEIR_NUMBER_SHIP_TIME] = {OF(AGENT), TIMES, "weir_agent_ship_seconds",
     "How long the monitor took for a piece of the spool.", ONE},
};

unsigned weir_numbers_each(const struct weir_number_row *row)
{
    return row->kind == TIMES ? WEIR_HISTOGRAM_BUCKETS + 1 : 1;
}

unsigned weir_numbers_slots(const struct weir_number_row *row)
{
    return row->values * weir_numbers_each(row);
}

unsigned weir_numbers_places(uint16_t first[static WEIR_NUMBERS])
{
    unsigned slot = 0;

    for (unsigned i = 0; i < WEIR_NUMBERS; i++) {
        first[i] = (uint16_t)slot;
        slot += weir_numbers_slots(&weir_number_rows[i]);
    }
    return slot;
}

static uint64_t mixed(uint64_t hash, const void *octets, size_t len)
{
    struct weir_hash_key key = {.octet = {0}};

    memcpy(key.octet, &hash, sizeof hash);
    return weir_hash64(&key, octets, len);
}

/* Also what a bucket and a value of a label mean, and whose a row is: another one's is damage. */
uint64_t weir_numbers_layout_of(const struct weir_number_row table[static WEIR_NUMBERS])
{
    uint64_t hash = sizeof(struct weir_numbers_area);

    hash = mixed(hash, weir_histogram_bound, sizeof weir_histogram_bound);
    for (unsigned i = 0; i < WEIR_NUMBERS; i++) {
        const struct weir_number_row *row = &table[i];
        const unsigned shape[] = {row->kind, row->values, row->programs};

        hash = mixed(mixed(hash, shape, sizeof shape), row->name, strlen(row->name));
        for (unsigned at = 0; row->value && at < row->values; at++)
            hash = mixed(hash, row->value(at), strlen(row->value(at)));
    }
    return hash;
}

uint64_t weir_numbers_layout(void)
{
    return weir_numbers_layout_of(weir_number_rows);
}
