/*
 * live_numbers - sums of the sniffer's since its start are raised, levels set.
 */
#include "sniffer/live_numbers.h"

#include "core/engine/numbers_io.h"

void weir_live_count(struct weir_numbers *numbers, const struct weir_health *health,
                     uint64_t overflow, uint64_t lost)
{
    const struct {
        enum weir_number which;
        uint64_t sum;
    } sums[] = {
        {WEIR_NUMBER_PACKETS, health->packets},
        {WEIR_NUMBER_KERNEL_DROPPED, health->kernel_dropped},
        {WEIR_NUMBER_GAPS, health->gaps},
        {WEIR_NUMBER_OVERFLOW, overflow},
        {WEIR_NUMBER_ODD, health->odd},
        {WEIR_NUMBER_FORGED, health->forged},
        {WEIR_NUMBER_UNPROVEN, health->unproven},
        {WEIR_NUMBER_WITNESSED, health->witnessed},
        {WEIR_NUMBER_SPOOL_DROPPED, health->spool_dropped},
        {WEIR_NUMBER_LOG_LOST, lost},
    };

    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        weir_numbers_raise(numbers, sums[i].which, 0, sums[i].sum);
    weir_numbers_set(numbers, WEIR_NUMBER_FLOWS, 0, (int64_t)health->flows);
    weir_numbers_set(numbers, WEIR_NUMBER_ADDRESSES, 0, (int64_t)health->addresses);
    weir_numbers_set(numbers, WEIR_NUMBER_CALIBRATED, 0, (int64_t)health->calibrated);
    (void)weir_numbers_give(numbers);
}
