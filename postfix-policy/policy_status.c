/*
 * policy_status - packs numbers into JSON (libjansson).  Text from the configuration
 * is escaped by it, so that the answer stays one line.
 */
#include "postfix-policy/policy_status.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(number) json_integer((json_int_t)(number))

static json_t *time_of(weir_time time)
{
    char text[WEIR_TIME_TEXT];

    return json_string(weir_time_format(time, text));
}

static json_t *verdicts(const uint64_t count[static WEIR_BLOCKED + 1])
{
    json_t *object = json_object();

    for (int verdict = WEIR_HAM; verdict <= WEIR_BLOCKED; verdict++)
        json_object_set_new(object, weir_verdict_name((enum weir_verdict)verdict),
                            COUNT(count[verdict]));
    return object;
}

static json_t *actions(const uint64_t *count, int most)
{
    json_t *object = json_object();

    for (int action = WEIR_PASS; action <= most; action++)
        json_object_set_new(object, weir_action_name((enum weir_action)action),
                            COUNT(count[action]));
    return object;
}

static json_t *closed(const uint64_t count[static WEIR_TROUBLES])
{
    json_t *object = json_object();

    for (int trouble = 0; trouble < WEIR_TROUBLES; trouble++)
        json_object_set_new(object, weir_trouble_name((enum weir_trouble)trouble),
                            COUNT(count[trouble]));
    return object;
}

static json_t *nodes(const struct weir_counters_status *counters)
{
    json_t *array = json_array();

    for (size_t i = 0; i < counters->nodes; i++) {
        const struct weir_counters_node *node = &counters->node[i];

        json_array_append_new(array, json_pack("{s:s%, s:b, s:o, s:f}", "name", node->name,
                                               strnlen(node->name, sizeof node->name), "up",
                                               node->up, "failures", COUNT(node->failures),
                                               "seconds", node->seconds));
    }
    return array;
}

static json_t *counters_of(struct weir_counters *counters)
{
    struct weir_counters_status status = {0};

    if (!counters)
        return json_null();
    weir_counters_status(counters, &status);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "store", status.store,
                     "read", COUNT(status.read), "missing", COUNT(status.missing), "near",
                     COUNT(status.near), "written", COUNT(status.written), "lost",
                     COUNT(status.lost), "entities", COUNT(status.entities), "bytes_used",
                     COUNT(status.bytes_used), "bytes_most", COUNT(status.bytes_most), "nodes",
                     nodes(&status));
}

static json_t *lists_of(struct weir_lists *lists)
{
    size_t black = 0, accept = 0;

    if (!lists || weir_lists_count(lists, WEIR_LIST_BLACK, &black) < 0 ||
        weir_lists_count(lists, WEIR_LIST_ACCEPT, &accept) < 0)
        return json_null();
    return json_pack("{s:o, s:o}", "blacklist", COUNT(black), "accept", COUNT(accept));
}

static json_t *connections_of(const struct weir_policy_status *status)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "open", COUNT(status->connections), "most",
                     COUNT(status->connections_most), "accepted", COUNT(status->clients->accepted),
                     "idle_closed", COUNT(status->clients->idle));
}

static json_t *decide_of(const struct weir_policy_status *status)
{
    const struct weir_decide_counts *counts = status->decide;

    if (!counts)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "open", COUNT(status->deciders),
                     "accepted", COUNT(counts->accepted), "decided", COUNT(counts->decided),
                     "busy", COUNT(counts->busy), "verdicts", verdicts(counts->verdict),
                     "actions", actions(counts->action, WEIR_QUARANTINE), "closed",
                     closed(counts->trouble));
}

static json_t *all(const struct weir_policy_status *status)
{
    const struct weir_policy_counts *counts = status->counts;

    return json_pack(
        "{s:s, s:s, s:o, s:s, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o}",
        "program", "weir-policyd", "version", WEIR_VERSION, "pid", COUNT(status->pid), "mode",
        status->config->mode == WEIR_ENFORCE ? "enforce" : "observe", "config",
        status->config_path, "now", time_of(status->now), "started", time_of(status->started),
        "loaded", time_of(status->loaded), "connections", connections_of(status), "requests",
        COUNT(counts->requests), "remembered", COUNT(counts->remembered), "incomplete",
        COUNT(counts->incomplete), "messages_remembered", COUNT(status->messages), "verdicts",
        verdicts(counts->verdict), "actions", actions(counts->action, WEIR_REJECT), "closed",
        closed(status->clients->trouble),
        "counters", counters_of(status->stores->counters), "lists",
        lists_of(status->stores->lists), "decide", decide_of(status), "log_lines_lost",
        COUNT(status->log_lines_lost));
}

char *weir_policy_status(const struct weir_policy_status *status)
{
    json_t *json = all(status);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *answer = NULL;

    if (text && asprintf(&answer, "status=%s\n\n", text) < 0)
        answer = NULL;
    free(text);
    json_decref(json);
    return answer;
}
