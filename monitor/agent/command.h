/*
 * command - what the monitor tells a mail server to list, as JSON: written by the monitor, read by
 * the agent.
 *
 *     {"generation": 12, "full": false,
 *      "set": [{"list": "blacklist", "prefix": "192.0.2.7", "ends": 1795341600, "defer": false,
 *               "points": 0, "reason": "...", "origin": "monitor"}],
 *      "remove": [{"list": "score", "prefix": "192.0.2.7"}]}
 *
 * generation grows with each change; full says that `set` is all there is, so that what else has
 * the origin "monitor" is to go.
 *
 * Owner:    the caller frees what was read.  Threads: pure functions.
 * Errors:   WEIR_EINVAL for text that is not this, with *why_r (static); WEIR_ENOMEM; WEIR_ELIMIT.
 * Limits:   WEIR_COMMAND_MAX octets, WEIR_COMMAND_ENTRIES_MAX entries.  Prefixes wider than /8 and
 *           /16 (IPv6) are refused: no monitor says that.
 */
#ifndef WEIR_AGENT_COMMAND_H
#define WEIR_AGENT_COMMAND_H

#include <jansson.h>

#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "core/store/lists_io.h"

#define WEIR_COMMAND_ORIGIN "monitor"

struct weir_command_entry {
    enum weir_list list;
    struct weir_list_entry entry;
};

struct weir_command {
    int64_t generation;
    bool full;
    struct weir_command_entry *set;
    size_t sets;
    struct weir_command_entry *removed; /* only list and prefix */
    size_t removes;
};

/* The list of this name, of those that are kept; false: none. */
bool weir_command_list(const char *name, enum weir_list *list_r);

/* Reads what a monitor sent.  An end in the past is no error. */
int weir_command_read(struct weir_slice text, struct weir_command *command_r, const char **why_r);
void weir_command_free(struct weir_command *command);

/* One entry for `set` (removed: for `remove`); NULL when memory is short. */
json_t *weir_command_entry_json(enum weir_list list, const struct weir_list_entry *entry,
                                bool removed);

#endif
