/*
 * silence - adds up the time between looks at which nothing was new.
 */
#include "monitor/agent/silence.h"

static weir_time since_last(struct weir_silence *silence, weir_time steady)
{
    weir_time elapsed = silence->looked != 0 ? steady - silence->looked : 0;

    silence->looked = steady;
    return elapsed < 0 ? 0 : elapsed > WEIR_SECOND ? WEIR_SECOND : elapsed;
}

enum weir_silence_news weir_silence_look(struct weir_silence *silence, bool wrote,
                                         weir_time steady, weir_time *lasted_r)
{
    weir_time elapsed = since_last(silence, steady);
    weir_time before = weir_silence_now(silence);

    if (wrote) {
        silence->ever = true;
        silence->quiet = 0;
        silence->past += before;
        *lasted_r = before;
        return before > 0 ? WEIR_SILENCE_ENDED : WEIR_SILENCE_AS_IT_WAS;
    }
    if (silence->ever)
        silence->quiet += elapsed;
    if (before > 0 || weir_silence_now(silence) == 0)
        return WEIR_SILENCE_AS_IT_WAS;
    silence->times++;
    return WEIR_SILENCE_BEGAN;
}

weir_time weir_silence_now(const struct weir_silence *silence)
{
    return silence->quiet >= WEIR_SILENCE_LEAST ? silence->quiet : 0;
}
