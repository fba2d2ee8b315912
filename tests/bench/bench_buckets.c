/*
 * bench_buckets - token buckets of millions of live addresses against a walk through memory.
 *
 *     bench_buckets [ADDRESSES [UPDATES]]
 *
 * All in one run and thread: (1) the walk: one addition at a random row of an array as large as
 * the table, brought near some steps ahead: what the memory gives at best; (2) buckets alone,
 * each address live; (3) the same under a flood of addresses that never come again; (4) the whole
 * watch, IPv4 with its /24.  Prints one JSON line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "monitor/threshold/bucket.h"
#include "monitor/threshold/watch.h"

#define AHEAD 32

static const struct weir_hash_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const struct weir_limits limits = {
    {{1 / 60.0, 200}, {1 / 60.0, 200}, {1 / 30.0, 400}}};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix, Steele and others 2014 */
    uint64_t x = *state;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* One of so many addresses, eight in each of their networks. */
static struct weir_address address(uint32_t number)
{
    struct weir_address a = {{[10] = 0xff, [11] = 0xff}};
    uint32_t network = (number >> 3) * UINT32_C(2654435761) & 0xffffff;
    for (int i = 0; i < 3; i++)
        a.octet[12 + i] = (uint8_t)(network >> (16 - 8 * i));
    a.octet[15] = (uint8_t)((number & 7) * 31);
    return a;
}

static double walk(size_t octets, size_t updates)
{
    size_t rows = octets / 64;
    uint64_t (*row)[8] = aligned_alloc(64, rows * 64);
    uint64_t seed = 1, ahead[AHEAD] = {0};
    if (!row)
        exit(1);
    memset(row, 1, rows * 64);
    double start = cpu_seconds();
    for (size_t i = 0; i < updates; i++) {
        uint64_t next = random_next(&seed) % rows;
        __builtin_prefetch(row[next], 1);
        row[ahead[i % AHEAD]][0]++;
        ahead[i % AHEAD] = next;
    }
    double rate = (double)updates / (cpu_seconds() - start);
    free(row);
    return rate;
}

/* Charges some addresses, first..first+addresses, in random order or one after the other. */
static double charge_buckets(struct weir_buckets *buckets, uint32_t first, size_t addresses,
                             size_t updates, weir_time *now)
{
    static struct weir_spot spot[3 * AHEAD];
    struct weir_cost cost = {.quantity = {1, 1, 1}};
    struct weir_levels levels;
    uint64_t seed = first + updates;
    double start = cpu_seconds();
    for (size_t i = 0; i < updates + 2 * AHEAD; i++) {
        if (i >= 2 * AHEAD) {
            cost.time = *now += 1;
            weir_buckets_charge(buckets, &spot[(i - 2 * AHEAD) % (3 * AHEAD)], &cost, &levels);
        }
        if (i >= AHEAD && i < updates + AHEAD)
            weir_buckets_near(buckets, &spot[(i - AHEAD) % (3 * AHEAD)]);
        if (i >= updates)
            continue;
        size_t pick = updates == addresses ? i : random_next(&seed) % addresses;
        struct weir_address a = address(first + (uint32_t)pick);
        struct weir_prefix prefix = weir_address_prefix(&a, 32, 64);
        spot[i % (3 * AHEAD)] = weir_buckets_spot(buckets, &prefix);
    }
    return (double)updates / (cpu_seconds() - start);
}

static void bench_table(size_t addresses, size_t updates)
{
    struct weir_buckets *buckets = NULL;
    weir_time now = 1790000000 * WEIR_SECOND;
    if (weir_buckets_new(addresses, &key, &buckets) != 0 ||
        weir_buckets_limit(buckets, 0, &limits) != 0)
        exit(1);
    const struct weir_buckets_counts *counts = weir_buckets_counts(buckets);
    size_t octets = weir_buckets_octets(buckets);
    double fill = charge_buckets(buckets, 0, addresses, addresses, &now);
    uint64_t evicted = counts->evicted;
    double rate = charge_buckets(buckets, 0, addresses, updates, &now);
    size_t used = counts->used;
    double nothing = walk(octets, updates);
    double flood = charge_buckets(buckets, (uint32_t)addresses, addresses, addresses, &now);
    printf("\"octets\": %.2f, \"walk\": %.0f, \"fill\": %.0f, \"buckets\": %.0f, "
           "\"evicted\": %llu, \"used\": %zu, \"flood\": %.0f",
           (double)octets / (double)addresses, nothing, fill, rate, (unsigned long long)evicted,
           used, flood);
    weir_buckets_free(&buckets);
}

static bool ignore(void *context, const struct weir_watch_event *event)
{
    (void)context;
    (void)event;
    return true;
}

/* Batches as they come from the servers; the second round finds every address again. */
static void bench_watch(size_t addresses, size_t updates)
{
    static struct weir_charge charge[256];
    struct weir_watch_class everybody = {.name = "default", .limits = limits};
    struct weir_watch_options options = {.classes = &everybody, .class_count = 1, .wider = 8,
                                         .children = 3, .addresses = addresses, .key = key};
    struct weir_watch *watch = NULL;
    weir_time now = 1790000000 * WEIR_SECOND;
    uint64_t seed = 5;
    double start = 0;
    if (weir_watch_new(&options, ignore, NULL, &watch) != 0)
        exit(1);
    for (size_t i = 0; i < addresses + updates; i++) {
        size_t pick = i < addresses ? i : random_next(&seed) % addresses;
        if (i == addresses)
            start = cpu_seconds();
        charge[i % 256] = (struct weir_charge){now += 1, address((uint32_t)pick), {0, 1, 1}, 1};
        if (i % 256 == 255)
            weir_watch_charge_all(watch, charge, 256);
    }
    printf(", \"watch\": %.0f, \"watch_octets\": %.2f",
           (double)updates / (cpu_seconds() - start),
           (double)weir_watch_octets(watch) / (double)addresses);
    weir_watch_free(&watch);
}

int main(int argc, char **argv)
{
    size_t addresses = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    size_t updates = argc > 2 ? strtoull(argv[2], NULL, 10) : 2 * addresses + 1;
    printf("{");
    bench_table(addresses, updates);
    bench_watch(addresses, updates);
    printf("}\n");
    return 0;
}
