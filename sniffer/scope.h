/*
 * scope - which ports are listened to, and whose PROXY headers are believed.
 *
 * Read from lists as the configuration and the command line have them: items parted by commas
 * or blanks.
 *
 * Owner:    a plain value; starts with zeroes.  Threads: pure.
 * Errors:   WEIR_EINVAL (no port, no prefix) and WEIR_ELIMIT (too many), with a reason.
 * Limits:   WEIR_SNIFFER_PORTS_MAX, WEIR_SNIFFER_PROXIES_MAX.
 */
#ifndef WEIR_SNIFFER_SCOPE_H
#define WEIR_SNIFFER_SCOPE_H

#include "core/base/limits.h"
#include <stdbool.h>

#include "core/engine/config.h"

struct weir_scope {
    uint16_t port[WEIR_SNIFFER_PORTS_MAX];
    size_t ports;
    struct weir_prefix proxy[WEIR_SNIFFER_PROXIES_MAX];
    size_t proxies;
};

/* Adds what a text lists.  0 or an error. */
int weir_scope_add_ports(struct weir_scope *scope, const char *text, const char **why_r);
int weir_scope_add_proxies(struct weir_scope *scope, const char *text, const char **why_r);

/* That of the configuration; texts that are not NULL stand in for its lists.  0 or an error. */
int weir_scope_read(const struct weir_config *config, const char *ports, const char *proxies,
                    struct weir_scope *scope_r, const char **why_r);

/* Whether ports and proxies are the same, in the same order. */
bool weir_scope_same(const struct weir_scope *a, const struct weir_scope *b);

#endif
