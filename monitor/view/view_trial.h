/*
 * view_trial - whom a threshold would have caught, as JSON (view.h): of weirctl threshold test and
 * of the console.
 */
#ifndef WEIR_VIEW_VIEW_TRIAL_H
#define WEIR_VIEW_VIEW_TRIAL_H

#include "monitor/threshold/trial_io.h"
#include "monitor/view/view.h"

#define WEIR_VIEW_QUANTITIES 64

/* The quantities a row was caught by: "connections,messages".  Returns text. */
const char *weir_view_caught_by(const struct weir_caught_row *row,
                                char text[static WEIR_VIEW_QUANTITIES]);

/* {"threshold", "from", "to", "data_from", "cut", "rows", "certain", "perhaps", "good", "spared",
 * "caught": [...]}, with so many rows of caught at most; NULL: memory is short. */
json_t *weir_view_trial(const struct weir_trial *trial, const char *name, size_t most);

#endif
