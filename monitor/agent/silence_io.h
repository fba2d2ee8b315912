/*
 * What is remembered of a server's sniffer from one start of the agent to the next: that there was
 * one.  So one that does not come up with its machine is missed, too.
 *
 * Owner:    nothing is kept.  Errors: a file that cannot be written is logged; then silence is
 *           noticed only behind the sniffer's next word.
 */
#ifndef WEIR_AGENT_SILENCE_IO_H
#define WEIR_AGENT_SILENCE_IO_H

#include "core/base/log.h"
#include "monitor/agent/silence.h"

/* A silence at the agent's start; path is the file that says there was a sniffer. */
struct weir_silence weir_silence_begin(const char *path);

/* Writes the file: there is one. */
void weir_silence_remember(const char *path, const struct weir_log *log);

#endif
