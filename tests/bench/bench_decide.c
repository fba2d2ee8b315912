/*
 * bench_decide CONF ROUNDS <list of files - what deciding about whole messages costs.
 *
 * All messages are read first; then each is judged as weir-milter would (message taken apart,
 * boundary, lists and reputation in a local store, rules, spam-info string), ROUNDS times, and the
 * time of each is taken.  Prints one line of key=value: microseconds a message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/error.h"
#include "core/engine/judges_io.h"
#include "tests/bench/bench_rig.h"

#define FILES_MOST 20000

struct mails {
    char *octets[FILES_MOST];
    size_t len[FILES_MOST];
    size_t count, total;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void read_file(struct mails *mails, const char *path)
{
    size_t *len = &mails->len[mails->count];

    mails->octets[mails->count++] = bench_read_file(path, len);
    mails->total += *len;
}

static void read_all(struct mails *mails)
{
    char path[4096];

    while (mails->count < FILES_MOST && fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        read_file(mails, path);
    }
}

static int by_size(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

static void judge_one(struct weir_judge *judge, const struct mails *mails, size_t i,
                      weir_time spent[static WEIR_WORKS], size_t *spam)
{
    static const struct weir_slice recipient = {"user@test.example", 17};
    struct weir_mail mail = {.recipient = &recipient, .recipients = 1};
    const struct weir_judgement *judgement;
    char client[32];

    snprintf(client, sizeof client, "198.51.%zu.%zu", i / 250 % 250, i % 250 + 1);
    mail.envelope = (struct weir_envelope){.stage = WEIR_STAGE_END, .has_client = true,
                                           .sender = {"a@sender.example", 16},
                                           .recipient = recipient};
    (void)weir_address_parse(client, strlen(client), &mail.envelope.client);
    mail.message = (struct weir_slice){mails->octets[i], mails->len[i]};
    if (weir_judge_mail(judge, 1795341600 * WEIR_SECOND, &mail, &judgement) < 0)
        bench_die("memory is short");
    for (size_t w = 0; w < WEIR_WORKS; w++)
        spent[w] += judgement->spent[w];
    *spam += judgement->decision.verdict >= WEIR_SPAM;
}

static void print(const struct mails *mails, uint64_t *took, size_t n, const weir_time *spent,
                  size_t spam)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)took[i];
    qsort(took, n, sizeof *took, by_size);
    printf("messages=%zu octets=%zu spam=%zu mean=%.1f median=%.1f p99=%.1f worst=%.1f",
           mails->count, mails->total, spam, sum / (double)n / 1e3, (double)took[n / 2] / 1e3,
           (double)took[n * 99 / 100] / 1e3, (double)took[n - 1] / 1e3);
    for (size_t w = 0; w < WEIR_WORKS; w++)
        printf(" %s=%.1f", weir_work_name((enum weir_stage_of_work)w),
               (double)spent[w] / (double)n);
    putchar('\n');
}

static void run(struct weir_judges *judges, const struct mails *mails, int rounds)
{
    struct weir_judge *judge = weir_judges_take(judges);
    size_t n = mails->count * (size_t)rounds, at = 0, spam = 0;
    uint64_t *took = calloc(n ? n : 1, sizeof *took);
    weir_time spent[WEIR_WORKS] = {0};

    if (!judge || !took)
        bench_die("memory is short");
    for (size_t i = 0; i < mails->count; i++) /* expressions are compiled when first asked for */
        judge_one(judge, mails, i, spent, &spam);
    memset(spent, 0, sizeof spent);
    spam = 0;
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < mails->count; i++) {
            uint64_t since = now_ns();

            judge_one(judge, mails, i, spent, &spam);
            took[at++] = now_ns() - since;
        }
    print(mails, took, n, spent, rounds ? spam / (size_t)rounds : 0);
    weir_judges_give(judges, &judge);
    free(took);
}

int main(int argc, char **argv)
{
    static struct mails mails;
    static struct weir_config config;
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_judges_options options = {.program = "bench", .timed = true};
    struct weir_arena *arena = weir_arena_new(65536);
    struct weir_stores stores;
    struct weir_judges *judges;

    if (argc != 3 || !arena || weir_config_load(argv[1], arena, &report, &config) < 0)
        bench_die("usage: bench_decide CONF ROUNDS <files");
    read_all(&mails);
    (void)weir_stores_open(&config, WEIR_STORES_WRITE_COUNTERS | WEIR_STORES_WRITE_LISTS, NULL,
                           &stores);
    if (weir_judges_open(&config, &stores, &options, NULL, &judges) < 0)
        bench_die("memory is short");
    run(judges, &mails, atoi(argv[2]));
    weir_judges_free(&judges);
    weir_stores_close(&stores);
    weir_arena_free(&arena);
    return 0;
}
