/*
 * ctl_judgement - a judgement for people and for programs.
 */
#ifndef WEIR_CTL_JUDGEMENT_H
#define WEIR_CTL_JUDGEMENT_H

#include <jansson.h>

#include "core/engine/judge.h"
#include "monitor/ctl/ctl.h"
#include "monitor/view/view.h"

/* Prints it as the command line asks: a JSON object in one line, an explanation, or one line.
 * 0 or EX_OSERR. */
int weir_ctl_judgement_print(struct weir_ctl *ctl, const char *name,
                             const struct weir_judgement *judgement);

/* Points as they were written: a float's 1.2 is 1.2, not 1.2000000476837158. */
static inline json_t *weir_ctl_json_points(float points)
{
    return weir_view_points(points);
}

#endif
