/*
 * command - checks and unpacks JSON from the monitor, packs it for the agent.
 *
 * The agent believes its monitor, but not more than it must: what does not look like an order a
 * monitor gives is refused whole, and nothing of it is applied.
 */
#include "monitor/agent/command.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"

bool weir_command_list(const char *name, enum weir_list *list_r)
{
    for (enum weir_list list = WEIR_LIST_ACCEPT; list < WEIR_LISTS; list++)
        if (strcmp(name, weir_list_name(list)) == 0) {
            *list_r = list;
            return true;
        }
    return false;
}

static const char *read_prefix(const char *text, struct weir_prefix *prefix_r)
{
    const char *why = NULL;

    if (weir_prefix_parse(text, strlen(text), prefix_r, &why) < 0)
        return "a prefix is none";
    return weir_prefix_too_wide(prefix_r) ? "a prefix is wider than any monitor lists" : NULL;
}

static void copy_text(char *room, size_t size, const char *text)
{
    snprintf(room, size, "%s", text);
}

static const char *read_set(json_t *json, struct weir_command_entry *entry)
{
    const char *list, *prefix, *reason, *origin;
    json_int_t ends;
    int defer = 0;
    double points = 0;

    if (json_unpack(json, "{s:s, s:s, s:I, s?b, s?F, s:s, s:s}", "list", &list, "prefix", &prefix,
                    "ends", &ends, "defer", &defer, "points", &points, "reason", &reason, "origin",
                    &origin) < 0)
        return "an entry has not what an entry has";
    if (!weir_command_list(list, &entry->list))
        return "an entry names no list";
    if (ends < 0 || ends > INT64_MAX / WEIR_SECOND)
        return "an end is no time";
    if (ends == 0 && entry->list != WEIR_LIST_ACCEPT)
        return "a block or a score has no end";
    if (!(fabs(points) <= WEIR_RULE_SCORE_MAX))
        return "points are out of bounds";
    entry->entry.ends = (weir_time)ends * WEIR_SECOND;
    entry->entry.defer = defer;
    entry->entry.points = points;
    copy_text(entry->entry.reason, sizeof entry->entry.reason, reason);
    copy_text(entry->entry.origin, sizeof entry->entry.origin, origin);
    return read_prefix(prefix, &entry->entry.prefix);
}

static const char *read_remove(json_t *json, struct weir_command_entry *entry)
{
    const char *list, *prefix;

    if (json_unpack(json, "{s:s, s:s}", "list", &list, "prefix", &prefix) < 0)
        return "what is to be removed has no list or no prefix";
    if (!weir_command_list(list, &entry->list))
        return "an entry names no list";
    return read_prefix(prefix, &entry->entry.prefix);
}

static int read_array(json_t *array, const char *(*read)(json_t *, struct weir_command_entry *),
                      struct weir_command_entry **entry_r, size_t *count_r, const char **why_r)
{
    size_t n = json_array_size(array);

    if (n > WEIR_COMMAND_ENTRIES_MAX) {
        *why_r = "it has too many entries";
        return WEIR_ELIMIT;
    }
    *entry_r = calloc(n ? n : 1, sizeof **entry_r);
    *why_r = "memory is short";
    if (!*entry_r)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if ((*why_r = read(json_array_get(array, i), &(*entry_r)[i])) != NULL)
            return WEIR_EINVAL;
    *count_r = n;
    return 0;
}

int weir_command_read(struct weir_slice text, struct weir_command *command_r, const char **why_r)
{
    struct weir_command command = {0};
    json_int_t generation;
    json_t *set, *removed, *json;
    int full, done = WEIR_EINVAL;

    if (text.len > WEIR_COMMAND_MAX) {
        *why_r = "it is too long";
        return WEIR_ELIMIT;
    }
    json = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
    *why_r = "it is not the JSON of a command";
    if (json && json_unpack(json, "{s:I, s:b, s:o, s:o}", "generation", &generation, "full", &full,
                            "set", &set, "remove", &removed) == 0 &&
        generation >= 0 && json_is_array(set) && json_is_array(removed)) {
        command.generation = generation;
        command.full = full;
        done = read_array(set, read_set, &command.set, &command.sets, why_r);
        if (done == 0)
            done = read_array(removed, read_remove, &command.removed, &command.removes, why_r);
    }
    json_decref(json);
    if (done < 0)
        weir_command_free(&command);
    else
        *command_r = command;
    return done;
}

void weir_command_free(struct weir_command *command)
{
    free(command->set);
    free(command->removed);
    *command = (struct weir_command){0};
}

/* As the lists will have it: JSON cannot hold what is no UTF-8, as a text that was cut may be. */
static const char *printable(const char *text, char text_r[static WEIR_REASON_MAX + 1])
{
    struct weir_line line = weir_line(text_r, WEIR_REASON_MAX + 1);

    weir_line_foreign(&line, (struct weir_slice){text, strnlen(text, WEIR_REASON_MAX)}, true);
    return weir_line_end(&line);
}

json_t *weir_command_entry_json(enum weir_list list, const struct weir_list_entry *entry,
                                bool removed)
{
    char prefix[WEIR_PREFIX_TEXT], reason[WEIR_REASON_MAX + 1];

    printable(entry->reason, reason);
    weir_prefix_format(&entry->prefix, prefix);
    if (removed)
        return json_pack("{s:s, s:s}", "list", weir_list_name(list), "prefix", prefix);
    return json_pack("{s:s, s:s, s:I, s:b, s:f, s:s, s:s}", "list", weir_list_name(list), "prefix",
                     prefix, "ends", (json_int_t)(entry->ends / WEIR_SECOND), "defer",
                     entry->defer, "points", entry->points, "reason", reason, "origin",
                     WEIR_COMMAND_ORIGIN);
}
