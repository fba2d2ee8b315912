/*
 * view_policy - thresholds as JSON (view.h), and limits as people write them.
 */
#ifndef WEIR_VIEW_VIEW_POLICY_H
#define WEIR_VIEW_VIEW_POLICY_H

#include <stdbool.h>

#include "monitor/database/database_thresholds_io.h"
#include "monitor/view/view.h"

#define WEIR_VIEW_LIMIT 64

/* "1/s:300", in the first unit in which the rate is a whole number; "none".  Returns text. */
const char *weir_view_limit_text(double rate, double maximum, char text[static WEIR_VIEW_LIMIT]);

/* The same, read.  False: it is none. */
bool weir_view_limit_read(const char *text, double *rate_r, double *maximum_r);

/* stored: in the database, else of the configuration. */
json_t *weir_view_threshold(const struct weir_threshold *threshold, bool stored);

#endif
