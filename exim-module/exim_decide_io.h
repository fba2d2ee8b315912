/*
 * exim_decide - one message, decided by the daemon that the configuration names, or else here.
 *
 * The daemon works with the same core, lists, counters and rules, so the verdict is the same.
 * When it gives none within its share of the time there is left, the core in this process
 * decides, and the log says so.
 *
 *     begin -> outcome ... end
 *
 * Owner:    the caller owns the value; outcome and all its texts live until end.
 * Errors:   0; WEIR_ENOMEM: nothing was decided.
 */
#ifndef WEIR_EXIM_MODULE_EXIM_DECIDE_IO_H
#define WEIR_EXIM_MODULE_EXIM_DECIDE_IO_H

#include "exim-module/exim_process_io.h"

struct weir_exim_decision {
    struct weir_exim_process *process;
    struct weir_arena *arena;          /* the caller's; for the daemon's answer */
    weir_time left;                    /* all the time there is for this message */
    const struct weir_outcome *outcome;
    struct weir_outcome answered;      /* by the daemon */
    struct weir_judge *judge;          /* or decided by this one */
};

/* Decides; *decision is filled in but for outcome, answered and judge. */
int weir_exim_decide(struct weir_exim_decision *decision, const struct weir_mail *mail);

/* Gives back what the outcome needed. */
void weir_exim_decided(struct weir_exim_decision *decision);

#endif
