/*
 * numbers_impl - a handle from inside: numbers.c adds to its area, numbers_io.c takes that to the
 * file.
 */
#ifndef WEIR_ENGINE_NUMBERS_IMPL_H
#define WEIR_ENGINE_NUMBERS_IMPL_H

#include "core/engine/numbers_table.h"

struct weir_numbers {
    enum weir_numbers_program program;
    struct weir_numbers_area *area;  /* what was counted by this handle alone */
    struct weir_numbers_file *file;  /* NULL: there is none */
    uint16_t first[WEIR_NUMBERS]; /* slots of rows */
    uint64_t before[WEIR_NUMBERS_SLOTS], failures_before[WEIR_NODES_MAX]; /* raised from */
    struct weir_counters_status status;
    struct weir_clock steady;
};

#endif
