/*
 * bench_counters - how far decayed counters are from exact arithmetic.
 *
 * Random events over several epochs of every half-life in use go through the
 * local store; now and then a counter is read and compared with the sum of all its
 * events, each decayed exactly in long double.  Prints one JSON line.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/store/counters.h"

#define EVENTS 20000
#define EPOCHS 5

struct event {
    weir_time at;
    double weight;
};

static double uniform(void)
{
    return (double)random() / 2147483648.0;
}

/* Events older than two epochs count in the exact sum too: that they are
 * dropped by the store is part of its error. */
static long double exact(const struct event *event, size_t n, weir_time now, uint32_t half_life)
{
    long double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (long double)event[i].weight *
               exp2l(-(long double)(now - event[i].at) / WEIR_SECOND / half_life);
    return sum;
}

static double worst_of(struct weir_counters *counters, uint32_t half_life, size_t *readings)
{
    static struct event event[EVENTS];
    struct weir_reading reading = {.counter = {.variable = WEIR_SPAM_USER, .half_life = half_life}};
    weir_time step = (weir_time)half_life * 16 * EPOCHS * WEIR_SECOND / EVENTS;
    weir_time now = 1790000000 * WEIR_SECOND;
    double worst = 0, error;

    reading.counter.entity.id[0] = (uint8_t)(half_life & 255);
    for (size_t i = 0; i < EVENTS; i++) {
        now += (weir_time)(2 * uniform() * (double)step);
        event[i] = (struct event){now, 0.25 + 5 * uniform()};
        if (weir_counters_add(counters, now, &reading.counter, event[i].weight) < 0)
            exit(1);
        if (random() % 20)
            continue;
        weir_counters_flush(counters, NULL);
        weir_counters_read(counters, now, &reading, 1);
        error = fabs(reading.value / (double)exact(event, i + 1, now, half_life) - 1);
        worst = error > worst ? error : worst;
        ++*readings;
    }
    return worst;
}

int main(void)
{
    static const uint32_t half_life[] = {900, 3600, 864000, 2592000};
    char folder[] = "/tmp/weir-bench-XXXXXX", path[64], lock[80];
    struct weir_counters_local_options options = {
        .path = path, .bytes_most = 16 << 20, .scratch = true, .mode = 0600};
    struct weir_counters *counters = NULL;
    const char *why = NULL;
    double worst = 0;
    size_t readings = 0;

    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/c.db", folder);
    snprintf(lock, sizeof lock, "%s-lock", path);
    if (weir_counters_open_local(&options, NULL, &counters, &why) < 0) {
        fprintf(stderr, "bench_counters: %s\n", why);
        return 1;
    }
    srandom(7);
    for (size_t i = 0; i < sizeof half_life / sizeof half_life[0]; i++)
        worst = fmax(worst, worst_of(counters, half_life[i], &readings));
    weir_counters_free(&counters);
    unlink(path);
    unlink(lock);
    rmdir(folder);
    printf("{\"worst\": %.3e, \"readings\": %zu, \"epochs\": %d}\n", worst, readings, EPOCHS);
    return 0;
}
