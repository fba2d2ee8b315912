/*
 * Listening for a server's sniffer: the log is told, and from one start of the agent to the next it
 * is remembered that there is one.  So one that does not come up with its machine is missed, too.
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

/* One look (silence.h), with what is to be logged of it, and the file written at the sniffer's
 * first word.  Whether it fell silent, or is not any more. */
bool weir_silence_listen(struct weir_silence *silence, bool wrote, weir_time steady,
                         const char *path, const struct weir_log *log);

#endif
