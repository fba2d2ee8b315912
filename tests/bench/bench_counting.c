/*
 * bench_counting - what the monitor does for a line about a message: the signed string is read and
 * verified, its rules are counted, a sample is kept, and all of it is stored; then a run of the
 * analyzer.
 *
 *     bench_counting FOLDER [RECORDS [SENDERS]]
 *
 * On one core, in batches of 2,000 lines, 200,000 to a second of the clock that is told, with 10
 * rules each of 2,000, of 100,000 pairs (or SENDERS) of 20,000 addresses and 4,000 domains.  Making
 * the lines is not counted.  What each means for the reputation is stored with it, and folded into
 * the counters later, each pair once: how many messages a second of that is told apart ("folded").
 * Prints one JSON line: records a second of processor time, seconds of the run, the most memory.
 */
#include <endian.h>
#include <string.h>
#include <sys/resource.h>

#include "core/engine/stores_io.h"
#include "monitor/analyzer/analyzer_io.h"
#include "monitor/analyzer/counting_io.h"
#include "monitor/database/database_counters_io.h"
#include "monitor/database/database_rules_io.h"
#include "tests/bench/bench_rig.h"

#define RECORDS 1000000
#define BATCH 2000
#define A_SECOND 200000
#define RULES 2000
#define HITS 10
#define SENDERS 100000
#define DOMAINS 4000
#define NOW (1795000000 * WEIR_SECOND)
#define FRONT "at=2026-11-20T10:00:00Z program=weir-milter queue_id=4XYZ12345 listener=25 " \
    "hops=203.0.113.9 name=mx.example.net dkim=- recipients=1 verdict=spam score=7.25 " \
    "action=pass " \
    "boundary=203.0.113.9 hop=0:connect domain=d.example sender=<a@d.example> " \
    "recipient=<u@test.example> info="

static const struct weir_hash_key scatter = {{1}};
static const struct weir_info_keys keys = {.key = {{.id = 7, .octet = {1, 2, 3}}}, .keys = 1};

struct lines {
    char text[BATCH][sizeof FRONT + WEIR_INFO_TEXT_MAX + 8];
    struct weir_slice line[BATCH];
};

/* Each address writes for a domain or five, as most do. */
static void set_sender(struct weir_info *info, uint32_t sender)
{
    const uint32_t address = htobe32(0xc6120000 + sender / 5 * 7);

    info->boundary = (struct weir_address){.octet = {[10] = 0xff, [11] = 0xff}};
    memcpy(info->boundary.octet + 12, &address, sizeof address);
    snprintf(info->domain, sizeof info->domain, "d%u.example", (unsigned)(sender % DOMAINS));
}

static void make(struct lines *lines, uint64_t first, uint64_t senders, weir_time now)
{
    struct weir_info info = {.server = 3, .at = now, .binding = 42, .has_boundary = true,
                             .verdict = 2, .score = 7.25f, .serial = 5, .domain = "d.example"};

    for (size_t i = 0; i < BATCH; i++) {
        struct weir_info_rule rule[HITS];
        char string[WEIR_INFO_TEXT_MAX + 1];

        info.uid = first + i;
        info.verdict = (uint8_t)(i % 2 == 0 ? 2 : 0);
        info.score = i % 2 == 0 ? 7.25f : 1;
        info.counted.computer = i % 2 == 0 ? WEIR_SAID_SPAM : WEIR_SAID_GOOD;
        set_sender(&info, (uint32_t)(weir_hash64(&scatter, &info.uid, sizeof info.uid) % senders));
        for (unsigned n = 0; n < HITS; n++)
            rule[n] = (struct weir_info_rule){2000 + (uint32_t)((info.uid * 7 + n * 211) % RULES),
                                              0.5f};
        if (weir_info_make(&info, rule, HITS, &keys, true, string) < 0)
            bench_die("a string cannot be made");
        memmove(string + 3, string + 4, strlen(string + 4) + 1); /* "v1;..." */
        lines->line[i] = (struct weir_slice){lines->text[i],
            (size_t)snprintf(lines->text[i], sizeof lines->text[i], FRONT "%s", string)};
    }
}

static void add_rules(struct weir_database *database)
{
    const struct weir_rule_change change = {.who = "bench", .why = "", .time = NOW};

    if (weir_database_begin(database) < 0)
        bench_die("the database cannot be written");
    for (uint32_t i = 0; i < RULES; i++) {
        char name[16];
        const struct weir_kept_rule rule = {.id = 2000 + i, .name = name, .kind = WEIR_RULE_BODY,
                                            .text = "", .score = 1, .base = 1, .author = "bench"};

        snprintf(name, sizeof name, "R%u", (unsigned)i);
        if (weir_database_rule_put(database, &rule, &change) < 0)
            bench_die(weir_database_why(database));
    }
    if (weir_database_commit(database) < 0)
        bench_die(weir_database_why(database));
}

/* Microseconds of a batch, and of storing what is a second's. */
static double count(struct weir_counting *counting, const struct lines *lines, uint64_t position,
                    weir_time now)
{
    struct weir_counting_batch *batch;
    double begin = bench_spent();
    int more;

    if (weir_counting_read(counting, 3, lines->line, BATCH, &batch) < 0)
        bench_die("memory is short");
    weir_counting_take(counting, batch, position, now);
    weir_counting_batch_free(&batch);
    if (position % A_SECOND == 0)
        while ((more = weir_counting_store(counting, now)) != 0)
            if (more < 0)
                bench_die("it cannot be stored");
    return bench_spent() - begin;
}

static double count_all(struct weir_counting *counting, uint64_t records, uint64_t senders)
{
    static struct lines lines;
    double spent = 0;

    for (uint64_t i = 0; i < records; i += BATCH) {
        weir_time now = NOW + (weir_time)(i / A_SECOND) * WEIR_SECOND;

        make(&lines, i, senders, now);
        spent += count(counting, &lines, i + BATCH, now);
    }
    if (weir_counting_counts(counting).state[WEIR_RECORD_GOOD] != records)
        bench_die("not all were counted");
    return spent;
}

/* Events a second, of what still waits. */
static double fold_all(struct weir_counting *counting, struct weir_database *database,
                       uint64_t records)
{
    struct weir_database_counters_state state;
    weir_time now = NOW + (weir_time)(records / A_SECOND) * WEIR_SECOND;
    double begin = bench_spent();
    uint64_t waiting;

    if (weir_database_counters_state(database, &state) < 0)
        bench_die(weir_database_why(database));
    waiting = state.waiting;
    while (state.waiting > 0)
        if (weir_counting_fold(counting, now) < 0 ||
            weir_database_counters_state(database, &state) < 0)
            bench_die(weir_database_why(database));
    return (double)waiting / (bench_spent() - begin) * 1e6;
}

/* Seconds of a run. */
static double run(struct weir_database *database)
{
    const struct weir_analysis_options options = {
        .settings = {.life = weir_life_defaults(), .spam_score = 5}, .now = NOW + WEIR_DAY,
        .who = "bench"};
    struct weir_analysis *analysis;
    double begin = bench_spent();

    if (weir_analysis_new(database, &options, &analysis) < 0 ||
        weir_analysis_store(analysis, database) < 0)
        bench_die(weir_database_why(database));
    weir_analysis_free(&analysis);
    return (bench_spent() - begin) / 1e6;
}

int main(int argc, char **argv)
{
    char path[4096], key[4096], why[WEIR_DATABASE_WHY];
    const struct weir_database_options at = {.path = path};
    struct weir_counting_options options = {.keys = keys, .hits = weir_hits_defaults(5, 3)};
    uint64_t records = argc > 2 ? strtoull(argv[2], NULL, 10) / A_SECOND * A_SECOND : RECORDS;
    uint64_t senders = argc > 3 ? strtoull(argv[3], NULL, 10) : SENDERS;
    struct weir_counting *counting;
    struct rusage usage;
    double spent, folded;

    snprintf(path, sizeof path, "%s/counting.db", argc > 1 ? argv[1] : "/tmp");
    if (weir_database_open(&at, why, &options.database) < 0)
        bench_die(why);
    add_rules(options.database);
    options.hits.key = weir_hash_key_random();
    snprintf(key, sizeof key, "%s/counters.key", argc > 1 ? argv[1] : "/tmp");
    if (weir_key_file(key, &options.hits.key) < 0)
        bench_die("the key cannot be made");
    options.counters = (struct weir_counting_counters){
        .reputation = weir_reputation_defaults(), .key_file = key, .most = 2000000};
    if (weir_counting_open(&options, &counting) < 0)
        bench_die("counting cannot begin");
    spent = count_all(counting, records, senders);
    folded = fold_all(counting, options.database, records);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"records\": %.0f, \"folded\": %.0f, \"megabytes\": %.0f, ",
           (double)records / spent * 1e6, folded, (double)usage.ru_maxrss / 1024);
    printf("\"run\": %.2f}\n", run(options.database));
    weir_counting_free(&counting);
    weir_database_free(&options.database);
    return 0;
}
