/*
 * config_impl - what a setting's text is looked at with; for config.c's rows alone.
 *
 * Each takes an item and gives 0, or WEIR_EINVAL and a reason.  Threads: pure.
 */
#ifndef WEIR_ENGINE_CONFIG_IMPL_H
#define WEIR_ENGINE_CONFIG_IMPL_H

#include "core/engine/config.h"

/* An address, or a prefix. */
int weir_config_check_prefix(const char *item, const char **why_r);
/* inet:host:port or unix:/path. */
int weir_config_check_endpoint(const char *item, const char **why_r);
/* inet:host:port only. */
int weir_config_check_listen(const char *item, const char **why_r);
/* One of the two, or nothing. */
int weir_config_check_endpoint_or_none(const char *item, const char **why_r);
/* A Unix socket of this machine, or nothing: whole messages go through it. */
int weir_config_check_socket_or_none(const char *item, const char **why_r);
/* Relative to what would depend on where each program was started. */
int weir_config_check_absolute(const char *item, const char **why_r);
/* A server of memcached. */
int weir_config_check_server(const char *item, const char **why_r);
/* A number from 1 to 65535. */
int weir_config_check_port(const char *item, const char **why_r);
/* A host's name, as it stands in a Host field before the port. */
int weir_config_check_name(const char *item, const char **why_r);

#endif
