/*
 * skew - an interval for each answer, and the nearest end of it when what was known lies far
 * outside.  Refuses times that run backwards, as when the clock was set meanwhile.
 */
#include "monitor/agent/skew.h"

bool weir_skew_note(struct weir_skew *skew, weir_time sent, weir_time came, weir_time said)
{
    weir_time least = sent - said - WEIR_SECOND, most = came - said;
    weir_time before = skew->ahead;

    if (came < sent || said <= 0)
        return false;
    if (skew->ahead < least - WEIR_SKEW_MOST)
        skew->ahead = least;
    else if (skew->ahead > most + WEIR_SKEW_MOST)
        skew->ahead = most;
    if (skew->ahead > -WEIR_SKEW_MOST && skew->ahead < WEIR_SKEW_MOST)
        skew->ahead = 0;
    return skew->ahead != before;
}

void weir_skew_convert(const struct weir_skew *skew, struct weir_command *command)
{
    for (size_t i = 0; i < command->sets; i++) {
        weir_time *ends = &command->set[i].entry.ends;
        weir_time whole = skew->ahead / WEIR_SECOND * WEIR_SECOND;

        if (*ends != 0 && *ends < INT64_MAX / 2)
            *ends = *ends + whole > WEIR_SECOND ? *ends + whole : WEIR_SECOND;
    }
}
