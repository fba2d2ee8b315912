/*
 * silence - whether this server's sniffer writes, and how long it did not.
 *
 * A sniffer writes a line each second, whatever it sees.  One that writes nothing for
 * WEIR_SILENCE_LEAST is dead, and what comes meanwhile is counted by nobody; or it hangs, and may
 * count it yet.  Time in which nobody looked is not held against it: of what lies between two
 * looks at most a second counts.  A server that never had a sniffer is not silent;
 * silence_io.h remembers whether it had one.
 *
 * Owner:    the caller; all zero is right to begin with.  Threads: one.  Errors: none.
 */
#ifndef WEIR_AGENT_SILENCE_H
#define WEIR_AGENT_SILENCE_H

#include <stdbool.h>

#include "core/base/clock.h"

#define WEIR_SILENCE_LEAST (3 * WEIR_SECOND)

struct weir_silence {
    weir_time looked;            /* steady; 0: never */
    weir_time quiet;             /* for so long nothing was written */
    weir_time past;              /* all silences that ended, together */
    uint64_t times;              /* they began */
    bool ever;                   /* something was written */
};

enum weir_silence_news { WEIR_SILENCE_AS_IT_WAS, WEIR_SILENCE_BEGAN, WEIR_SILENCE_ENDED };

/* One look: whether it wrote since the last one.  ENDED: *lasted_r is how long it was. */
enum weir_silence_news weir_silence_look(struct weir_silence *silence, bool wrote,
                                         weir_time steady, weir_time *lasted_r);

/* How long it lasts by now; 0 when there is none. */
weir_time weir_silence_now(const struct weir_silence *silence);

#endif
