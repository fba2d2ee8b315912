/*
 * sound - where the time before the step would be by now.
 */
#include "monitor/sound.h"

static bool is_back(const struct weir_sound *sound, weir_time ahead)
{
    weir_time off = ahead - sound->ahead;

    return off <= WEIR_STEP_LEAST && off >= -WEIR_STEP_LEAST;
}

weir_time weir_sound_now(struct weir_sound *sound, weir_time wall, weir_time steady)
{
    weir_time by = weir_step_look(&sound->step, wall, steady);
    weir_time ahead = wall - steady;

    if (by != 0) {
        sound->doubt = true;
        sound->since = steady;
    }
    if (!sound->begun || is_back(sound, ahead) || steady - sound->since >= WEIR_SOUND_AFTER)
        sound->doubt = false;
    sound->begun = true;
    if (!sound->doubt)
        sound->ahead = ahead;
    return steady + sound->ahead;
}
