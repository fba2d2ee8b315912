/*
 * hearing - differences of sums, in two hours that move on.
 */
#include "monitor/intake/hearing.h"

#include <string.h>

#define CLOCK_PUT_BACK (10 * WEIR_MINUTE) /* more than lines are late */

const char *weir_hearing_name(enum weir_hearing_kind kind)
{
    static const char *const names[WEIR_HEARING_KINDS] = {
        "packets", "kernel_dropped", "gaps", "spool_dropped", "odd", "forged", "unproven"};

    return (unsigned)kind < WEIR_HEARING_KINDS ? names[kind] : "";
}

static void take_sums(const struct weir_health *health, uint64_t sum_r[static WEIR_HEARING_KINDS])
{
    const uint64_t sum[WEIR_HEARING_KINDS] = {
        [WEIR_HEARING_PACKETS] = health->packets,
        [WEIR_HEARING_KERNEL_DROPPED] = health->kernel_dropped,
        [WEIR_HEARING_GAPS] = health->gaps,
        [WEIR_HEARING_SPOOL_DROPPED] = health->spool_dropped,
        [WEIR_HEARING_ODD] = health->odd,
        [WEIR_HEARING_FORGED] = health->forged,
        [WEIR_HEARING_UNPROVEN] = health->unproven,
    };

    memcpy(sum_r, sum, sizeof sum);
}

/* How many hours a time is behind the one of the last line; 2: both are over. */
static unsigned hours_behind(const struct weir_hearing *hearing, weir_time time)
{
    int64_t hours = time / WEIR_HOUR - hearing->told / WEIR_HOUR;

    return hours <= 0 ? 0 : hours == 1 ? 1 : 2;
}

static void move_on(struct weir_hearing *hearing, weir_time time)
{
    unsigned hours = hours_behind(hearing, time);

    if (hours > 0) {
        memcpy(hearing->before, hearing->hour, sizeof hearing->before);
        memset(hearing->hour, 0, sizeof hearing->hour);
    }
    if (hours > 1)
        memset(hearing->before, 0, sizeof hearing->before);
    hearing->told = time;
}

static uint64_t add(uint64_t sum, uint64_t more)
{
    return sum < WEIR_HEALTH_MAX - more ? sum + more : WEIR_HEALTH_MAX;
}

/* Sums only grow while a sniffer runs. */
static bool is_restart(const struct weir_hearing *hearing,
                       const uint64_t sum[static WEIR_HEARING_KINDS])
{
    for (size_t i = 0; i < WEIR_HEARING_KINDS; i++)
        if (sum[i] < hearing->last[i])
            return true;
    return false;
}

void weir_hearing_note(struct weir_hearing *hearing, const struct weir_health *health)
{
    bool first = hearing->told == 0 || health->time < hearing->told - CLOCK_PUT_BACK;
    uint64_t sum[WEIR_HEARING_KINDS];
    bool measured;

    if (!first && health->time < hearing->told)
        return;
    take_sums(health, sum);
    measured = !first && !is_restart(hearing, sum);
    if (first)
        *hearing = (struct weir_hearing){.told = health->time};
    move_on(hearing, health->time);
    for (size_t i = 0; i < WEIR_HEARING_KINDS && measured; i++)
        hearing->hour[i] = add(hearing->hour[i], sum[i] - hearing->last[i]);
    memcpy(hearing->last, sum, sizeof sum);
}

bool weir_hearing_sum(const struct weir_hearing *hearing, weir_time now,
                      uint64_t sum_r[static WEIR_HEARING_KINDS])
{
    unsigned hours = hours_behind(hearing, now);
    uint64_t trouble = 0;

    for (size_t i = 0; i < WEIR_HEARING_KINDS; i++) {
        sum_r[i] = hours > 1   ? 0
                   : hours > 0 ? hearing->hour[i]
                               : add(hearing->hour[i], hearing->before[i]);
        trouble |= i == WEIR_HEARING_PACKETS ? 0 : sum_r[i];
    }
    return trouble > 0;
}
