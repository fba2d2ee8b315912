/*
 * What a block or score must pass, and the words for it.
 * Refuses what ladder.h lists; changes nothing but caps.
 */
#include "core/base/line.h"
#include "monitor/threshold/ladder_impl.h"

void weir_ladder_spend(struct weir_ladder *ladder, enum weir_response response, uint32_t servers,
                       weir_time time)
{
    bool score = response == WEIR_RESPONSE_SCORE;
    struct ladder_caps *caps = score ? &ladder->scores : &ladder->blocks;
    weir_allowance_take(&caps->all, caps->hour, time);
    for (unsigned i = 0; i < LADDER_SERVERS; i++)
        if (servers >> i & 1)
            weir_allowance_take(&caps->server[i], caps->server_hour, time);
}

/* Whether any of the servers that saw it has not yet said too much. */
static bool has_a_word(const struct ladder_caps *caps, uint32_t servers, weir_time now)
{
    for (unsigned i = 0; i < LADDER_SERVERS; i++)
        if (servers >> i & 1 && weir_allowance_left(&caps->server[i], caps->server_hour, now))
            return true;
    return false;
}

static const char *why_capped(struct weir_ladder *ladder, uint32_t servers, bool score)
{
    const struct ladder_caps *caps = score ? &ladder->scores : &ladder->blocks;
    const char *why = NULL;
    if (!weir_allowance_left(&caps->all, caps->hour, ladder->now))
        why = score ? "too many scores within an hour" : "too many blocks within an hour";
    else if (!has_a_word(caps, servers, ladder->now))
        why = score ? "too many scores by the word of its servers within an hour"
                    : "too many blocks by the word of its servers within an hour";
    if (why)
        *(score ? &ladder->counts.scores_capped : &ladder->counts.blocks_capped) += 1;
    return why;
}

static bool is_network(const struct weir_prefix *prefix)
{
    bool ipv4 = prefix->bits >= 96 && weir_address_is_ipv4(&prefix->address);
    return prefix->bits < (ipv4 ? 128 : 64);
}

bool weir_ladder_lacks_servers(const struct weir_ladder *ladder, const struct weir_prefix *prefix,
                               uint32_t servers)
{
    return is_network(prefix) && (unsigned)__builtin_popcount(servers) < ladder->options.quorum;
}

static const char *why_spared(const struct weir_ladder *ladder,
                              const struct weir_watch_event *event, bool score)
{
    const struct weir_ladder_options *options = &ladder->options;
    const char *why = "it is not to be blocked";
    if (weir_address_is_private(&event->prefix.address))
        return "it is a private address";
    if (score || !options->spared)
        return NULL;
    return options->spared(options->context, event->time, &event->prefix, &why) ? why : NULL;
}

const char *weir_ladder_withheld(struct weir_ladder *ladder, const struct weir_watch_event *event,
                                 enum weir_response wanted, bool *by_word_r)
{
    bool score = wanted == WEIR_RESPONSE_SCORE;
    const char *why = why_spared(ladder, event, score);
    *by_word_r = !why;
    if (!why && ladder->wall - event->time > ladder->options.memory)
        why = "it is long over"; /* a spool that was put back, or lay for days */
    if (!why && !score && weir_ladder_lacks_servers(ladder, &event->prefix, event->servers))
        why = "too few servers saw the network: an analyst may block it";
    return why ? why : why_capped(ladder, event->servers, score);
}

/* "messages: 12.3/s of 200 at 0.5/s (default), 2 servers, 3 offenders, step 2, repeated 1" */
void weir_ladder_reason(const struct weir_watch_event *event, unsigned step, unsigned repeated,
                        char reason[static WEIR_REASON_MAX + 1])
{
    struct weir_line line = weir_line(reason, WEIR_REASON_MAX + 1);
    weir_line_text(&line, weir_quantity_name(event->quantity));
    weir_line_text(&line, ": ");
    weir_line_number(&line, event->rate, 2);
    weir_line_text(&line, "/s, allowed ");
    weir_line_number(&line, event->limit.maximum, 0);
    weir_line_text(&line, " at ");
    weir_line_number(&line, event->limit.rate, 3);
    weir_line_text(&line, "/s (");
    weir_line_text(&line, event->class_name);
    weir_line_text(&line, "), servers ");
    weir_line_count(&line, (uint64_t)__builtin_popcount(event->servers));
    if (event->children > 0) {
        weir_line_text(&line, ", offenders ");
        weir_line_count(&line, event->children);
    }
    weir_line_text(&line, ", step ");
    weir_line_count(&line, (uint64_t)step + 1);
    if (repeated > 0) {
        weir_line_text(&line, ", repeated ");
        weir_line_count(&line, repeated);
    }
    weir_line_end(&line);
}
