/*
 * numbers_metrics - the numbers of this machine's programs (core/engine/numbers.h) as Prometheus
 * reads them: label program says whose they are.
 *
 *     weir_program_up{program="weir-milter"} 1
 *     weir_program_messages_total{program="weir-milter",verdict="spam"} 17
 *     weir_program_message_seconds_bucket{program="weir-milter",le="0.01"} 16
 *
 * A level (what goes up and down) of a program that does not run is left out, for it is over.  Of
 * numbers that cannot be read that is told, and nothing else.
 *
 * Owner:    the caller.  Threads: pure.  Errors: the metrics'.
 */
#ifndef WEIR_PROGRAM_NUMBERS_METRICS_H
#define WEIR_PROGRAM_NUMBERS_METRICS_H

#include "core/engine/numbers_io.h"
#include "core/program/metrics_text.h"

/* The name of a rule, in text_r where it is not static; NULL: it has none any more, and its number
 * stands for it. */
#define WEIR_NUMBERS_NAME 72
typedef const char *weir_numbers_rule_name(void *context, uint32_t id,
                                           char text_r[static WEIR_NUMBERS_NAME]);

/* copy: by program; one without an area was never there, or has an error. */
void weir_numbers_metrics(struct weir_metrics *metrics,
                          const struct weir_numbers_copy copy[static WEIR_NUMBERS_PROGRAMS],
                          weir_numbers_rule_name *name, void *context);

#endif
