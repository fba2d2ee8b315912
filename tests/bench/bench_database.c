/*
 * bench_database - what the monitor's intake does for a line, apart: reading it, summing it up by
 * the minute, appending batches to the journal, storing sums in the database.
 *
 * On one core, in a folder named on the command line (or under /tmp).  Prints one JSON line, all
 * in units a second of processor time; rows_elapsed is by the clock, so that the disk and
 * other processes count, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "monitor/database/database_traffic_io.h"
#include "monitor/intake/journal_io.h"
#include "monitor/intake/minutes.h"

#define LINES 1000000
#define ADDRESSES 1000000
#define BATCHES 1000
#define BATCH 60000 /* octets: some 500 lines */
#define ROWS 50000  /* of one transaction */
#define NOW (1795000000 * WEIR_SECOND)

static double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct weir_traffic traffic_of(unsigned address, weir_time time)
{
    struct weir_traffic traffic = {.time = time, .connections = 1, .messages = 2, .recipients = 3};
    uint32_t spread = address * 2654435761u;

    traffic.address.octet[10] = traffic.address.octet[11] = 0xff;
    memcpy(traffic.address.octet + 12, &spread, sizeof spread);
    return traffic;
}

/* Lines read a second. */
static double read_lines(void)
{
    static char line[4096][WEIR_TRAFFIC_LINE_ROOM];
    struct weir_traffic traffic;
    double begin;
    long read = 0;

    for (unsigned i = 0; i < 4096; i++) {
        traffic = traffic_of(i, NOW + i);
        weir_traffic_line_write(&traffic, line[i]);
    }
    begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < LINES; i++) {
        const char *text = line[i % 4096];
        read += weir_traffic_line_read((struct weir_slice){text, strlen(text)}, &traffic);
    }
    return (double)read / (seconds(CLOCK_PROCESS_CPUTIME_ID) - begin);
}

/* Lines summed up a second: those of a second's flush, from so many addresses. */
static double sum_up(struct weir_minutes *minutes, unsigned addresses)
{
    struct weir_traffic *traffic = malloc(LINES * sizeof *traffic);
    double begin, took;

    if (!traffic)
        return 0;
    for (unsigned i = 0; i < LINES; i++)
        traffic[i] = traffic_of((unsigned)random() % addresses, NOW + i);
    begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < LINES; i++)
        if (weir_minutes_add(minutes, i % 10, &traffic[i]) != 0)
            break;
    took = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    weir_minutes_clear(minutes);
    free(traffic);
    return LINES / took;
}

/* Octets appended a second. */
static double append(const char *folder)
{
    struct weir_journal_options options = {.folder = folder};
    struct weir_slice stream = {"sniffer-1795000000-77.log", 25};
    struct weir_journal_found found;
    struct weir_journal *journal = NULL;
    static char batch[BATCH];
    uint64_t position = 0;
    double begin;

    if (weir_journal_open(&options, &found, &journal) != 0)
        return 0;
    begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < BATCHES; i++)
        if (weir_journal_append(journal, 1, stream, i * BATCH,
                                (struct weir_slice){batch, BATCH}, &position) != 0)
            break;
    begin = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    weir_journal_free(&journal);
    return (double)position / begin;
}

/* Rows stored a second, each a minute's and an address's upsert, in a table of a million. */
static double store(const char *path, struct weir_minutes *minutes, double *elapsed_r)
{
    struct weir_database_options options = {.path = path};
    struct weir_database *database = NULL;
    char why[WEIR_DATABASE_WHY];
    double begin, clock, took = 0, elapsed = 0, rows = 0;

    if (weir_database_open(&options, why, &database) != 0) {
        fprintf(stderr, "bench_database: %s\n", why);
        return 0;
    }
    for (unsigned round = 0; round < 20; round++) {
        struct weir_database_batch batch = {.position = round};

        for (unsigned i = 0; i < ROWS; i++) {
            struct weir_traffic traffic = traffic_of((unsigned)random() % ADDRESSES,
                                                     NOW + round * 10 * WEIR_SECOND);
            weir_minutes_add(minutes, i % 10, &traffic);
        }
        begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
        clock = seconds(CLOCK_MONOTONIC);
        batch.row = weir_minutes_rows(minutes, &batch.rows);
        if (weir_database_traffic(database, &batch) != 0)
            fprintf(stderr, "bench_database: %s\n", weir_database_why(database));
        took += seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
        elapsed += seconds(CLOCK_MONOTONIC) - clock;
        rows += (double)batch.rows;
        weir_minutes_clear(minutes);
    }
    weir_database_free(&database);
    *elapsed_r = rows / elapsed;
    return rows / took;
}

static void take_away(const char *folder)
{
    char command[300];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        perror(folder);
}

int main(int argc, char **argv)
{
    const struct weir_hash_key key = {{1}};
    struct weir_minutes *minutes = NULL;
    char folder[200], journal[220], database[220];
    double few, many, octets, rows, elapsed = 0;

    snprintf(folder, sizeof folder, "%s/weir-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    if (!mkdtemp(folder) || weir_minutes_new(LINES, &key, &minutes) != 0)
        return 1;
    snprintf(journal, sizeof journal, "%s/journal", folder);
    snprintf(database, sizeof database, "%s/spam.db", folder);
    srandom(7);
    sum_up(minutes, ADDRESSES); /* its memory is touched for the first time */
    few = sum_up(minutes, 10000);
    many = sum_up(minutes, ADDRESSES);
    octets = append(journal);
    rows = store(database, minutes, &elapsed);
    printf("{\"lines\": %.0f, \"sums\": %.0f, \"sums_many\": %.0f, \"journal_octets\": %.0f, "
           "\"rows\": %.0f, \"rows_elapsed\": %.0f}\n", read_lines(), few, many, octets, rows,
           elapsed);
    weir_minutes_free(&minutes);
    take_away(folder);
    return 0;
}
