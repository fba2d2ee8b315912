/*
 * bench_rig - what benchmarks over files share: time, files, and a way to give up.
 */
#ifndef WEIR_TESTS_BENCH_RIG_H
#define WEIR_TESTS_BENCH_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Microseconds of processor time of this process. */
static inline double bench_spent(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline void bench_die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(70);
}

/* A whole file; the caller frees. */
static inline char *bench_read_file(const char *path, size_t *len_r)
{
    FILE *file = fopen(path, "rb");
    long len = 0;
    if (!file || fseek(file, 0, SEEK_END) < 0 || (len = ftell(file)) < 0)
        bench_die(path);
    rewind(file);
    char *octets = malloc((size_t)len + 1);
    *len_r = octets ? fread(octets, 1, (size_t)len, file) : 0;
    fclose(file);
    return octets;
}

#endif
