/*
 * bench_engines IMAGE <list of files - a rule set's hits by both engines of its prefilter.
 *
 * Each message is matched with the built-in engine and with Hyperscan, one after the other, after
 * a first round in which expressions are compiled.  Prints one line of key=value: milliseconds to
 * make the databases, microseconds a message of each, hits, and in how many messages the hits
 * (rule, times, what matched) differ, which must be none.  Says so and ends well when Hyperscan
 * was not built in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rules.h"
#include "tests/bench/bench_rig.h"

enum { BUILTIN, HYPERSCAN, ENGINES };

struct bench {
    void *octets;
    struct weir_rules *rules[ENGINES];
    struct weir_matcher *matcher[ENGINES];
    struct weir_charsets *charsets;
    struct weir_arena *arena;
    double spent[ENGINES];
    size_t messages, hits, hidden, differing;
};

static double open_rules(struct bench *b, const char *path)
{
    size_t len;
    b->octets = bench_read_file(path, &len);
    for (int i = 0; i < ENGINES; i++)
        if (weir_rules_attach(b->octets, len, true, &b->rules[i]) < 0)
            bench_die("no rule set");
    double began = bench_spent();
    int rc = weir_rules_use_hyperscan(b->rules[HYPERSCAN]);
    double took = bench_spent() - began;
    if (rc == WEIR_EDOWN) {
        puts("skipped: Hyperscan is not in this program, or not for this processor");
        exit(0);
    }
    for (int i = 0; i < ENGINES; i++)
        if (rc < 0 || weir_matcher_new(b->rules[i], &b->matcher[i]) < 0)
            bench_die("memory is short");
    return took;
}

static bool same(const struct weir_rule_result *a, const struct weir_rule_result *b)
{
    if (a->hits != b->hits || a->faileds != b->faileds || a->cut != b->cut)
        return false;
    for (size_t i = 0; i < a->hits; i++) {
        const struct weir_rule_hit *x = &a->hit[i], *y = &b->hit[i];
        if (x->number != y->number || x->times != y->times || x->area != y->area ||
            x->evidence.len != y->evidence.len ||
            memcmp(x->evidence.at, y->evidence.at, x->evidence.len) != 0)
            return false;
    }
    return true;
}

/* One message by both; the one that begins changes, for what is in the caches. */
static void match(struct bench *b, const char *mail, size_t len, unsigned want, bool timed)
{
    struct weir_message message;
    struct weir_content content;
    struct weir_rule_result result[ENGINES];
    float fact[WEIR_FACTS] = {0};
    struct weir_rule_input input = {.message = &message, .content = &content,
                                    .charsets = b->charsets, .fact = fact};
    if (weir_message_parse(mail, len, b->arena, &message) < 0 ||
        weir_content_read(&message, b->charsets, b->arena, &content) < 0)
        bench_die("memory is short");
    weir_facts_of_message(&message, &content, fact);
    for (size_t k = 0; k < ENGINES; k++) {
        size_t i = (k + b->messages) % ENGINES;
        double began = bench_spent();
        if (weir_rules_match(b->matcher[i], &input, want, b->arena, &result[i]) < 0)
            bench_die("memory is short");
        if (timed)
            b->spent[i] += bench_spent() - began;
    }
    if (timed)
        b->hits += result[BUILTIN].hits;
    else
        b->hidden += result[BUILTIN].hits;
    if (!same(&result[BUILTIN], &result[HYPERSCAN]))
        b->differing++;
}

static void match_file(struct bench *b, const char *path)
{
    size_t len;
    char *mail = bench_read_file(path, &len);
    match(b, mail, len, WEIR_MATCH_HIDDEN, false);
    weir_arena_reset(b->arena, 1 << 22);
    match(b, mail, len, 0, true);
    weir_arena_reset(b->arena, 1 << 22);
    b->messages++;
    free(mail);
}

int main(int argc, char **argv)
{
    static struct bench b;
    char path[4096];
    if (argc != 2)
        bench_die("usage: bench_engines IMAGE <files");
    double compiling = open_rules(&b, argv[1]);
    b.arena = weir_arena_new(1 << 20);
    if (!b.arena || weir_charsets_new(&b.charsets) < 0)
        bench_die("memory is short");
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        match_file(&b, path);
    }
    double n = b.messages ? (double)b.messages : 1;
    printf("messages=%zu compile_ms=%.1f builtin_us=%.1f hyperscan_us=%.1f hits=%zu "
           "with_hidden=%zu differing=%zu\n", b.messages, compiling / 1e3, b.spent[BUILTIN] / n,
           b.spent[HYPERSCAN] / n, b.hits, b.hidden, b.differing);
    for (int i = 0; i < ENGINES; i++) {
        weir_matcher_free(&b.matcher[i]);
        weir_rules_free(&b.rules[i]);
    }
    weir_charsets_free(&b.charsets);
    weir_arena_free(&b.arena);
    free(b.octets);
    return b.differing > 0;
}
