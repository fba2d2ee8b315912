/*
 * bench_bayes - the Bayesian classifier on labelled mail in the order of its lines.
 *
 *     bench_bayes LEARN EVERY    reads lines "spam PATH" or "ham PATH"; learns the first LEARN
 *                                messages, then judges each by all before it, and learns it.
 *                                Time is measured with a whole table, published anew after every
 *                                EVERY messages
 *
 * One line a judged message: "spam" or "ham" as it was said, weight, probability.  The last line
 * is figures: tokens a message, microseconds a message for making tokens and for judging,
 * entries, octets and milliseconds of publishing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/evidence/bayes.h"
#include "monitor/analyzer/bayes_weigh.h"

enum { LINE_ROOM = 4096, MAIL_ROOM = 8 << 20, ARENA_FIRST = 1 << 20, TOKENS = 1 << 23 };

struct bench {
    struct weir_hash_key key;
    struct weir_arena *arena;
    struct weir_charsets *charsets;
    struct weir_bayes_learner *learner;
    struct weir_bayes_table table;
    void *octets;
    size_t len, judged, tokens, published;
    double tokens_us, judge_us, publish_us;
};

static void must(int true_, const char *what)
{
    if (!true_) {
        perror(what);
        exit(1);
    }
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void publish(struct bench *bench)
{
    struct weir_bayes_counts counts;
    double start = now_us();
    free(bench->octets);
    must(weir_bayes_learner_counts(bench->learner, &counts) == 0 &&
         weir_bayes_table_build(&counts, 0, &bench->octets, &bench->len) == 0 &&
         weir_bayes_table_attach(bench->octets, bench->len, true, &bench->table) == 0, "publish");
    free((void *)(uintptr_t)counts.count);
    bench->publish_us += now_us() - start;
    bench->published++;
}

static void tokens_of(struct bench *bench, const char *path, struct weir_bayes_tokens *tokens_r)
{
    static char octets[MAIL_ROOM];
    struct weir_message message;
    struct weir_content content;
    struct weir_bayes_source source = {.message = &message, .content = &content,
                                       .charsets = bench->charsets};
    FILE *file = fopen(path, "rb");
    must(file != NULL, path);
    size_t len = fread(octets, 1, sizeof(octets), file);
    fclose(file);
    weir_arena_reset(bench->arena, SIZE_MAX);
    must(weir_message_parse(octets, len, bench->arena, &message) == 0 &&
         weir_content_read(&message, bench->charsets, bench->arena, &content) == 0, path);
    double start = now_us();
    must(weir_bayes_tokens_read(&bench->key, &source, bench->arena, tokens_r) == 0, path);
    bench->tokens_us += now_us() - start;
    bench->tokens += tokens_r->tokens;
}

static void judge(struct bench *bench, const struct weir_bayes_tokens *tokens, bool spam)
{
    struct weir_bayes_settings settings = weir_bayes_defaults();
    struct weir_bayes_result result;
    struct weir_bayes_table table;
    void *octets;
    double start = now_us();
    must(weir_bayes_judge(&bench->table, &settings, tokens, bench->arena, &result) == 0, "judge");
    bench->judge_us += now_us() - start;
    bench->judged++;
    /* of these tokens alone: they have the counts that a whole one would have now */
    must(weir_bayes_learner_table(bench->learner, NULL, tokens, &octets, &table) == 0, "table");
    must(weir_bayes_judge(&table, &settings, tokens, bench->arena, &result) == 0, "judge");
    free(octets);
    printf("%s %.17g %.17g\n", spam ? "spam" : "ham", result.weight, result.probability);
}

static void figures(const struct bench *bench, size_t messages)
{
    printf("tokens=%.0f tokens_us=%.1f judge_us=%.1f entries=%zu octets=%zu publish_ms=%.1f\n",
           (double)bench->tokens / (double)messages, bench->tokens_us / (double)messages,
           bench->judge_us / (double)(bench->judged + !bench->judged), bench->table.entries,
           bench->len, bench->publish_us / 1e3 / (double)bench->published);
}

int main(int argc, char **argv)
{
    struct bench bench = {.key = {{'b', 'e', 'n', 'c', 'h'}},
                          .arena = weir_arena_new(ARENA_FIRST)};
    char line[LINE_ROOM];
    size_t messages = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: bench_bayes LEARN EVERY <LIST\n");
        return 64;
    }
    size_t learn = strtoul(argv[1], NULL, 10), every = strtoul(argv[2], NULL, 10);
    must(bench.arena && every > 0 && weir_charsets_new(&bench.charsets) == 0 &&
         weir_bayes_learner_new(&bench.key, TOKENS, &bench.learner) == 0, "bench_bayes");
    for (; fgets(line, sizeof(line), stdin); messages++) {
        struct weir_bayes_tokens tokens;
        bool spam = line[0] == 's';
        line[strcspn(line, "\n")] = '\0';
        if (messages >= learn && (messages - learn) % every == 0)
            publish(&bench);
        tokens_of(&bench, strchr(line, ' ') ? strchr(line, ' ') + 1 : line, &tokens);
        if (messages >= learn)
            judge(&bench, &tokens, spam);
        must(weir_bayes_learn(bench.learner, &tokens, spam, (weir_time)messages * WEIR_SECOND) == 0,
             "learn");
    }
    publish(&bench);
    figures(&bench, messages);
    free(bench.octets);
    weir_bayes_learner_free(&bench.learner);
    weir_charsets_free(&bench.charsets);
    weir_arena_free(&bench.arena);
    return 0;
}
