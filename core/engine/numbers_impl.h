/*
 * numbers_impl - a handle from inside: numbers.c adds, numbers_io.c opens and closes.
 */
#ifndef WEIR_ENGINE_NUMBERS_IMPL_H
#define WEIR_ENGINE_NUMBERS_IMPL_H

#include "core/engine/numbers_table.h"

struct weir_numbers {
    struct weir_numbers_area *area;
    bool mapped;                 /* else it is memory of this process only */
    int fd;                      /* -1: none; a lock on it says that we live */
    uint16_t first[WEIR_NUMBERS]; /* slots of rows */
    uint64_t before[WEIR_NUMBERS_SLOTS], failures_before[WEIR_NODES_MAX]; /* raised from */
    struct weir_counters_status status;
    struct weir_clock steady;
};

#endif
