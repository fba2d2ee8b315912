/*
 * bench_publish - what it takes to publish a rule set: 10,000 rules of all sorts, alone and with
 * the table of 500,000 words.
 *
 *     bench_publish FOLDER
 *
 * The publisher itself, on a database of its own: rules are read, picked, compiled as servers will,
 * compared, signed, deflated and kept.  Each time all scores are other ones.  Prints one JSON line:
 * seconds of processor time, the median of five, and octets.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "monitor/analyzer/publish_io.h"
#include "monitor/database/database_rules_io.h"
#include "tests/bench/bench_rig.h"

#define RULES 10000
#define WORDS 500000
#define ROUNDS 5
#define NOW (1795000000 * WEIR_SECOND)

struct bench {
    struct weir_database *database;
    pthread_mutex_t lock;
    bool words;
    unsigned round;
};

/* As a keyed hash: nothing to be seen in it. */
static uint64_t scatter(uint64_t n)
{
    n = (n + 1) * 0x9e3779b97f4a7c15;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
    n = (n ^ n >> 27) * 0x94d049bb133111eb;
    return n ^ n >> 31;
}

/* As many different counts as words of a year have: few of many, many of few. */
static int count_words(void *context, struct weir_words *words_r)
{
    struct bench *bench = context;
    struct weir_bayes_count *count = calloc(WORDS, sizeof *count);
    uint64_t words = bench->words ? WORDS : 0;

    if (!count)
        return WEIR_ENOMEM;
    for (uint64_t i = 0; i < words; i++)
        count[i] = (struct weir_bayes_count){
            .hash = scatter(i),
            .spam = (uint32_t)(1 + (i * 31 + bench->round) % (i % 100 == 0 ? 9000 : 9)),
            .ham = (uint32_t)((i * 17) % (i % 77 == 0 ? 9000 : 7))};
    *words_r = (struct weir_words){.counts = {.spam = 20000, .ham = 20000, .count = count,
                                              .counts = words},
                                   .most = WORDS};
    return 0;
}

static void put_rule(struct weir_database *database, unsigned number, unsigned round)
{
    static const char *const word[] = {"cheap", "loan", "winner", "urgent", "account", "verify",
                                       "bonus", "casino", "pills", "offer", "click", "prize"};
    const struct weir_rule_change change = {.who = "bench", .why = "", .time = NOW};
    const char *one = word[number % 12], *two = word[number / 12 % 12];
    char name[16], text[200];
    struct weir_kept_rule rule = {.id = 2000 + number, .name = name, .text = text,
                                  .state = WEIR_RULE_ACTIVE, .author = "bench"};

    snprintf(name, sizeof name, "R%u", number);
    rule.score = rule.base = (double)((number + round) % 50) / 10 + 0.1;
    rule.kind = number % 4 == 0   ? WEIR_RULE_HEADER
                : number % 4 == 1 ? WEIR_RULE_URI
                : number % 4 == 2 ? WEIR_RULE_BODY
                                  : WEIR_RULE_META;
    if (number % 4 == 0)
        snprintf(text, sizeof text, "header %s Subject =~ /%s %s %u/i\n", name, one, two, number);
    else if (number % 4 == 1)
        snprintf(text, sizeof text, "uri %s /shop%u\\.example\\//\n", name, number);
    else if (number % 4 == 2)
        snprintf(text, sizeof text, "body %s /\\b%s[ -]%s %u\\b/i\n", name, one, two, number);
    else
        snprintf(text, sizeof text, "meta %s R%u && !R%u\n", name, number - 1, number - 2);
    if (weir_database_rule_put(database, &rule, &change) < 0)
        bench_die(weir_database_why(database));
}

static void put_rules(struct bench *bench)
{
    if (weir_database_begin(bench->database) < 0)
        bench_die(weir_database_why(bench->database));
    for (unsigned i = 0; i < RULES; i++)
        put_rule(bench->database, i, bench->round);
    if (weir_database_commit(bench->database) < 0)
        bench_die(weir_database_why(bench->database));
}

static int by_size(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;

    return (one > other) - (one < other);
}

/* The median of some rounds, in seconds. */
static double publish(struct bench *bench, struct weir_publisher *publisher, size_t *octets_r)
{
    const struct weir_publishing by = {.who = "bench", .why = "", .now = NOW,
                                       .idle = 30 * WEIR_DAY};
    struct weir_published published;
    char why[WEIR_PUBLISH_WHY];
    double took[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        double begin;

        bench->round++;
        put_rules(bench);
        begin = bench_spent();
        if (weir_publish(publisher, &by, &published, why) != 1 || published.rules != RULES)
            bench_die(why);
        took[i] = (bench_spent() - begin) / 1e6;
    }
    qsort(took, ROUNDS, sizeof *took, by_size);
    *octets_r = published.octets;
    return took[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    char path[4096], key[4096], why[WEIR_DATABASE_WHY];
    const struct weir_database_options at = {.path = path};
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct weir_publisher_options options = {.lock = &bench.lock, .key_path = key,
                                                   .bayes = count_words, .context = &bench};
    struct weir_publisher_options with = options;
    struct weir_publisher *publisher;
    double rules, both;
    size_t octets, more;

    snprintf(path, sizeof path, "%s/publish.db", argc > 1 ? argv[1] : "/tmp");
    snprintf(key, sizeof key, "%s/publish.key", argc > 1 ? argv[1] : "/tmp");
    if (sodium_init() < 0 || weir_database_open(&at, why, &bench.database) < 0)
        bench_die("the database cannot be opened");
    with.database = bench.database;
    if (weir_publisher_open(&with, NULL, &publisher) < 0)
        bench_die("the publisher cannot be opened");
    rules = publish(&bench, publisher, &octets);
    bench.words = true;
    both = publish(&bench, publisher, &more);
    printf("{\"rules\": %.2f, \"octets\": %zu, \"with_words\": %.2f, \"with_octets\": %zu}\n",
           rules, octets, both, more);
    weir_publisher_free(&publisher);
    weir_database_free(&bench.database);
    return 0;
}
