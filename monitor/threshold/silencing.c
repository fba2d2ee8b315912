/*
 * silencing - a table of kinds, and a rule.
 */
#include "monitor/threshold/silencing.h"

const char *weir_alert_kind(size_t number)
{
    static const char *const kinds[] = {"threshold"};

    return number < sizeof kinds / sizeof kinds[0] ? kinds[number] : NULL;
}

bool weir_silence_wide(const struct weir_silenced *silence)
{
    return !silence->has_prefix || weir_prefix_wide(&silence->prefix) ||
           silence->ends - silence->made > WEIR_SILENCE_NARROW + WEIR_MINUTE;
}
