/* Any bytes as a ladder: what is read keeps its limits. */
#include <stdlib.h>

#include "monitor/threshold/ladder_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_ladder_class ladder = {.steps = 0};
    const char *why = NULL;

    if (weir_ladder_text_read((struct weir_slice){(const char *)data, size}, &ladder, &why) < 0) {
        must(why && ladder.steps == 0);
        return 0;
    }
    must(ladder.steps >= 1 && ladder.steps <= WEIR_LADDER_STEPS_MAX);
    for (size_t i = 0; i < ladder.steps; i++) {
        const struct weir_ladder_step *step = &ladder.step[i];

        must(step->response < WEIR_RESPONSES && step->points <= WEIR_RULE_SCORE_MAX);
        must((step->points > 0) == (step->response == WEIR_RESPONSE_SCORE));
        must(step->lasts >= WEIR_SECOND && step->lasts <= 365 * WEIR_DAY);
    }
    return 0;
}
