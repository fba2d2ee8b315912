/*
 * policy_status - how the daemon is, in one line of JSON.
 *
 *     {"program": "weir-policyd", "version": "...", "pid": 77, "mode": "observe",
 *      "config": "/etc/weir/weir.conf", "now": "...", "started": "...", "loaded": "...",
 *      "connections": {"open": 1, "most": 20000, "accepted": 9, "idle_closed": 0},
 *      "requests": 12, "remembered": 3, "incomplete": 0, "messages_remembered": 2,
 *      "verdicts": {"ham": 9, ...}, "actions": {"pass": 9, ...},
 *      "closed": {"malformed": 0, "oversized": 0, "half": 0, "slow": 0, "unread": 0},
 *      "counters": {"store": "local", "read": 1, "missing": 0, "near": 0, "written": 0,
 *                   "lost": 0, "entities": 0, "bytes_used": 0, "bytes_most": 0,
 *                   "nodes": [{"name": "...", "up": true, "failures": 0, "seconds": 0.0}]},
 *      "lists": {"blacklist": 3, "accept": 1},
 *      "decide": {"open": 0, "accepted": 4, "decided": 4, "busy": 0, "verdicts": {...},
 *                 "actions": {...}, "closed": {...}},
 *      "log_lines_lost": 0}
 *
 * "counters" and "lists" are null when they could not be opened, "decide" when nobody may ask
 * about whole messages.
 */
#ifndef WEIR_POLICY_STATUS_H
#define WEIR_POLICY_STATUS_H

#include "core/engine/stores_io.h"
#include "postfix-policy/clients_io.h"
#include "postfix-policy/decide_clients_io.h"

struct weir_policy_status {
    const char *config_path;
    const struct weir_config *config;
    struct weir_stores *stores;
    const struct weir_policy_counts *counts;
    const struct weir_clients_counts *clients;
    size_t connections, connections_most, messages;
    const struct weir_decide_counts *decide; /* of whole messages; NULL: nobody may ask */
    size_t deciders;
    weir_time now, started, loaded; /* wall */
    long pid;
    uint64_t log_lines_lost;
};

/* The whole answer "status={...}" with its empty line; to be freed by the caller.  NULL when
 * memory is short. */
char *weir_policy_status(const struct weir_policy_status *status);

#endif
