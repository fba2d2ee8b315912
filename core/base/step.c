/*
 * step - one difference, and what it was before.
 */
#include "core/base/step.h"

weir_time weir_step_look(struct weir_step *step, weir_time wall, weir_time steady)
{
    weir_time by = step->looked ? wall - steady - step->ahead : 0;

    step->ahead = wall - steady;
    step->looked = true;
    return by > WEIR_STEP_LEAST || by < -WEIR_STEP_LEAST ? by : 0;
}
