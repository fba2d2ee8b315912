/*
 * The prefilter (prefilter.c, prefilter_steppers.c, prefilter_attach.c, prefilter_build.c,
 * automaton.c, automaton_steps.c) against a stupid model: PCRE2 on every line for every rule; and
 * with prefilter_hyperscan.c, where it is built in, all of it once more.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/prefilter.h"
#include "core/evidence/prefilter_hyperscan.h"
#include "tests/unit/expression_model.h"

#define RULES 40
#define LINES 2000

struct rule {
    char text[400];
    struct weir_prefilter_pattern pattern;
    enum weir_prefilter_means means;
    pcre2_code *code;
};

struct world { /* rules, built, and a text */
    struct rule rule[RULES];
    uint32_t rules;
    void *octets;
    size_t len;
    struct weir_prefilter prefilter;
    struct weir_prefilter_scratch *scratch;
    struct weir_hyperscan *hyperscan; /* NULL: not built in */
    struct weir_prefilter by_hyperscan;
    struct weir_prefilter_scratch *hyperscan_scratch;
    uint32_t start[LINES + 1], selector[LINES];
    struct weir_area area;
    unsigned hits, exact;
};

/* Adds a rule if PCRE2 takes it. */
static void add(struct world *w, struct weir_prefilter_builder *builder, enum weir_area_kind area,
                uint32_t selector, const char *text, size_t len, struct weir_need_flags flags)
{
    struct rule *rule = &w->rule[w->rules];
    memcpy(rule->text, text, len);
    rule->code = model_compile(text, len, &flags);
    if (!rule->code)
        return;
    rule->pattern = (struct weir_prefilter_pattern){
        .rule = w->rules, .area = area, .selector = selector, .pattern = {rule->text, len},
        .caseless = flags.caseless, .multiline = flags.multiline, .dotall = flags.dotall,
        .extended = flags.extended};
    assert_int_equal(weir_prefilter_add(builder, &rule->pattern, &rule->means), 0);
    w->rules++;
}

static struct weir_prefilter_builder *begin(struct world *w)
{
    struct weir_prefilter_builder *builder;
    memset(w, 0, sizeof *w);
    assert_int_equal(weir_prefilter_builder_new(&builder), 0);
    return builder;
}

static void finish(struct world *w, struct weir_prefilter_builder *builder)
{
    assert_int_equal(weir_prefilter_build(builder, &w->octets, &w->len), 0);
    weir_prefilter_builder_free(&builder);
    assert_int_equal(weir_prefilter_attach(w->octets, w->len, &w->prefilter), 0);
    assert_int_equal(weir_prefilter_scratch_new(&w->prefilter, &w->scratch), 0);
    int made = weir_hyperscan_new(&w->prefilter, &w->hyperscan);
    assert_int_equal(made, w->hyperscan ? 0 : WEIR_EDOWN);
    w->by_hyperscan = w->prefilter;
    w->by_hyperscan.hyperscan = w->hyperscan;
    assert_int_equal(weir_prefilter_scratch_new(&w->by_hyperscan, &w->hyperscan_scratch), 0);
}

static void end(struct world *w)
{
    for (uint32_t i = 0; i < w->rules; i++)
        pcre2_code_free(w->rule[i].code);
    weir_prefilter_scratch_free(&w->scratch);
    weir_prefilter_scratch_free(&w->hyperscan_scratch);
    weir_hyperscan_free(&w->hyperscan);
    free(w->octets);
}

static void cut_into_lines(struct world *w, const char *text, size_t len)
{
    w->area = (struct weir_area){text, w->start, 0};
    for (size_t i = 0; i < len && w->area.lines < LINES; i++)
        if (text[i] == '\n' || i + 1 == len || i + 2048 == w->start[w->area.lines])
            w->start[++w->area.lines] = (uint32_t)i + 1;
}

static const struct weir_candidate *candidate_of(const struct weir_candidate *candidate, size_t n,
                                                 uint32_t rule, uint32_t line)
{
    for (size_t i = 0; i < n; i++)
        if (candidate[i].rule == rule && candidate[i].line == line)
            return &candidate[i];
    return NULL;
}

static bool is_always(const struct world *w, const struct rule *rule)
{
    const uint32_t *always;
    size_t n = weir_prefilter_always(&w->prefilter, rule->pattern.area, &always);
    for (size_t i = 0; i < n; i++)
        if (always[i] == rule->pattern.rule)
            return true;
    return false;
}

/* PCRE2's word on one rule and line against the candidate there, which may be none. */
static void judge(struct world *w, const struct rule *rule, uint32_t line,
                  const struct weir_candidate *c)
{
    struct weir_slice text = weir_area_line(&w->area, line);
    size_t start = 0, stop = 0, start2 = 0, stop2 = 0;
    bool hit = model_match(rule->code, text.at, text.len, 0, PCRE2_UNSET, &start, &stop);
    bool right = !hit || c || is_always(w, rule);
    if (hit && c && !c->exact) /* the same match within what the candidate allows */
        right = model_match(rule->code, text.at, text.len, c->from, c->until, &start2, &stop2) &&
                start2 == start && stop2 == stop;
    if (c && c->exact)
        right = hit && c->from == start && c->end == stop;
    w->hits += hit;
    w->exact += c && c->exact;
    if (!right)
        fail_msg("/%s/ in line %u \"%.*s\": match %d %zu-%zu, candidate %d %u-%u end %u",
                 rule->text, line, (int)text.len, text.at, hit, start, stop, c != NULL,
                 c ? c->from : 0, c ? c->until : 0, c ? c->end : 0);
}

static void compare_by(struct world *w, const struct weir_prefilter *prefilter,
                       struct weir_prefilter_scratch *scratch, enum weir_area_kind kind)
{
    const struct weir_candidate *candidate;
    bool header = kind == WEIR_AREA_HEADER;
    size_t n = weir_prefilter_scan(prefilter, scratch, kind, &w->area, header ? w->selector : NULL,
                                   &candidate);
    for (size_t i = 1; i < n; i++)
        assert_true(candidate[i - 1].rule < candidate[i].rule ||
                    (candidate[i - 1].rule == candidate[i].rule &&
                     candidate[i - 1].line < candidate[i].line));
    for (uint32_t r = 0; r < w->rules; r++) {
        const struct rule *rule = &w->rule[r];
        for (uint32_t line = 0; line < w->area.lines; line++) {
            const struct weir_candidate *c = candidate_of(candidate, n, r, line);
            bool looks = rule->pattern.area == kind &&
                         (!header || rule->pattern.selector == w->selector[line]);
            if (looks)
                judge(w, rule, line, c);
            else
                assert_null(c);
        }
    }
}

static void compare(struct world *w, enum weir_area_kind kind)
{
    compare_by(w, &w->prefilter, w->scratch, kind);
    if (w->hyperscan)
        compare_by(w, &w->by_hyperscan, w->hyperscan_scratch, kind);
}

static void random_rules_find_what_PCRE2_finds(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    struct world *w = malloc(sizeof *w);
    unsigned hits = 0, exact = 0;
    for (unsigned round = 0; round < 400; round++) {
        struct weir_prefilter_builder *builder = begin(w);
        char pattern[64], text[300];
        for (unsigned i = 0; i < RULES; i++) {
            size_t len = model_expression(&s, pattern, sizeof pattern);
            unsigned bits = seeded_below(&s, 16);
            add(w, builder, i % 3 ? WEIR_AREA_BODY : WEIR_AREA_HEADER, i % 3 ? 0 : i % 2, pattern,
                len, (struct weir_need_flags){bits & 1, bits & 2, bits & 4, bits == 15});
        }
        finish(w, builder);
        for (unsigned i = 0; i < 6; i++) {
            cut_into_lines(w, text, model_text(&s, text, sizeof text));
            for (size_t line = 0; line < w->area.lines; line++)
                w->selector[line] = seeded_below(&s, 3);
            compare(w, WEIR_AREA_BODY);
            compare(w, WEIR_AREA_HEADER);
        }
        hits += w->hits;
        exact += w->exact;
        end(w);
    }
    assert_true(hits > 10000 && exact > 1000); /* the test tests something */
    free(w);
}

/* The kinds of expressions that spam rules have. */
static const char *const spam[] = {
    "\\bfree\\b", "click (?:here|below)", "[0-9]{1,3}(?:,[0-9]{3}){1,3} (?:dollars|usd)",
    "dear \\w+", "\\bun-?subscribe\\b", "https?://\\d+\\.",
    "[v\\xe4][\\W_]{0,3}[i1!|][\\W_]{0,3}[a4@][\\W_]{0,3}g",
    "(?:account|password|e-?mail)(?:.{1,40}(?:verify|confirm|update)){1,2}", "^\\s*>", "!{2,}\\s*$",
    "(?:[a-z]{5,}[\\s.]+){6}", "(?!this)th[aeiou]\\w", "\\b(\\w+) \\1\\b", "=[A-F0-9]{2}", "\\$\\d",
    "(?:(?:c|[\\xc3][\\x87\\xa7]|\\xc4[\\x86-\\x8d]|&#(?:199|231);)\\W?(?:l|[|1!])\\W?i){1}",
    "(?:name|address|phone|city)(?:[ :_]{1,20}(?:name|address|phone|city)){2}", "[^\\x00-\\x7f]{4}",
    "\\A.{0,5}\\Z", "order (?-i:NOW)\\b", "(?<=for )you", "100 ?%",
    "\\bno\\W+(?:\\w+\\W+){0,3}fees?"};

static void rules_like_those_for_spam_find_what_PCRE2_finds_in_real_mail(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof *w);
    struct weir_prefilter_builder *builder = begin(w);
    static char text[200000];
    glob_t files;
    for (size_t i = 0; i < sizeof spam / sizeof *spam; i++)
        add(w, builder, WEIR_AREA_BODY, 0, spam[i], strlen(spam[i]),
            (struct weir_need_flags){.caseless = true});
    finish(w, builder);
    assert_int_equal(w->rules, sizeof spam / sizeof *spam);
    assert_int_equal(glob("tests/data/mail/*.eml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *file = fopen(files.gl_pathv[i], "rb");
        assert_non_null(file);
        cut_into_lines(w, text, fread(text, 1, sizeof text, file));
        fclose(file);
        compare(w, WEIR_AREA_BODY);
    }
    assert_true(w->hits > 100 && w->exact > 20);
    globfree(&files);
    end(w);
    free(w);
}

static void skip_without_hyperscan(struct world *w)
{
    if (w->hyperscan)
        return;
    end(w);
    free(w);
    print_message("Hyperscan is not built in: make test HYPERSCAN=1 tests it\n");
    skip();
}

/* Both engines' candidates, one by one; how many they are. */
static size_t same_by_both(struct world *w)
{
    const struct weir_candidate *a, *b;
    size_t n = weir_prefilter_scan(&w->prefilter, w->scratch, WEIR_AREA_BODY, &w->area, NULL, &a);
    assert_int_equal(weir_prefilter_scan(&w->by_hyperscan, w->hyperscan_scratch, WEIR_AREA_BODY,
                                         &w->area, NULL, &b), n);
    for (size_t i = 0; i < n; i++)
        if (a[i].rule != b[i].rule || a[i].line != b[i].line || a[i].from != b[i].from ||
            a[i].until != b[i].until || a[i].end != b[i].end || a[i].exact != b[i].exact ||
            a[i].rest != b[i].rest)
            fail_msg("candidate %zu: rule %u line %u, rule %u line %u", i, a[i].rule, a[i].line,
                     b[i].rule, b[i].line);
    return n;
}

static void Hyperscan_loses_nothing_between_the_pieces_it_scans(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof *w);
    struct weir_prefilter_builder *builder = begin(w);
    static const char *const words[] = {"unsubscribe", "\\bfree offer\\b", "v[i1]agra",
                                        "no \\w+ spamword", "[a-f]{2}qu[xy]{3}z$"};
    static const char said[] = "unsubscribe free offer viagra no such spamword abquxyxz";
    static char text[2 * WEIR_HYPERSCAN_PIECE + 100];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        add(w, builder, WEIR_AREA_BODY, 0, words[i], strlen(words[i]),
            (struct weir_need_flags){.caseless = i & 1});
    finish(w, builder);
    skip_without_hyperscan(w);
    for (size_t at = WEIR_HYPERSCAN_PIECE - sizeof said - 2; at < WEIR_HYPERSCAN_PIECE + 2; at++) {
        memset(text, '.', sizeof text);
        memcpy(text + at, said, sizeof said - 1);
        memcpy(text + at + WEIR_HYPERSCAN_PIECE, said, sizeof said - 1);
        w->start[1] = (uint32_t)(at + sizeof said - 1);
        w->start[2] = sizeof text;
        w->area = (struct weir_area){text, w->start, at % 2 ? 1 : 2};
        w->start[w->area.lines] = (uint32_t)(at % 2 ? at + WEIR_HYPERSCAN_PIECE + sizeof said
                                                    : sizeof text);
        assert_true(same_by_both(w) >= (at % 2 ? 4 : 9));
    }
    end(w);
    free(w);
}

static void what_stands_everywhere_is_a_candidate_to_the_end(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof *w);
    struct weir_prefilter_builder *builder = begin(w);
    static char text[3 * 40000];
    const struct weir_candidate *c;
    for (unsigned i = 0; i < RULES; i++)
        add(w, builder, WEIR_AREA_BODY, 0, i % 2 ? "aaaa" : "aaab", 4,
            (struct weir_need_flags){0});
    finish(w, builder);
    memset(text, 'a', sizeof text);
    for (uint32_t line = 1; line <= 3; line++)
        text[w->start[line] = line * 40000, line * 40000 - 1] = '\n';
    w->area = (struct weir_area){text, w->start, 3};
    for (int hyperscan = 0; hyperscan <= (w->hyperscan != NULL); hyperscan++) {
        size_t n = weir_prefilter_scan(hyperscan ? &w->by_hyperscan : &w->prefilter,
                                       hyperscan ? w->hyperscan_scratch : w->scratch,
                                       WEIR_AREA_BODY, &w->area, NULL, &c);
        assert_int_equal(n, RULES);
        for (uint32_t i = 0; i < n; i++)
            assert_true(c[i].rule == i && c[i].line == 0 && c[i].rest && !c[i].exact &&
                        c[i].from == 0 && c[i].until == 40000);
    }
    end(w);
    free(w);
}

static void means_tell_how_a_pattern_will_be_found(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        enum weir_prefilter_means means;
    } cases[] = {
        {"\\bviagra\\b", WEIR_PREFILTER_EXACT},    {"free (?:trial|offer)s?", WEIR_PREFILTER_EXACT},
        {"cheap .* watches", WEIR_PREFILTER_LITERALS}, {"x(?=yz)", WEIR_PREFILTER_ALWAYS},
        {"[v\\xe4][\\W_]{0,3}[i1!|][\\W_]{0,3}[a4@][\\W_]{0,3}g", WEIR_PREFILTER_LITERALS},
        {".*", WEIR_PREFILTER_ALWAYS},             {"(*ANY)abcdef", WEIR_PREFILTER_ALWAYS},
        {"\\w+", WEIR_PREFILTER_ALWAYS},
    };
    struct world *w = malloc(sizeof *w);
    struct weir_prefilter_builder *builder = begin(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        add(w, builder, WEIR_AREA_BODY, 0, cases[i].pattern, strlen(cases[i].pattern),
            (struct weir_need_flags){0});
    finish(w, builder);
    for (uint32_t i = 0; i < w->rules; i++) {
        assert_int_equal(w->rule[i].means, cases[i].means);
        assert_int_equal(is_always(w, &w->rule[i]), cases[i].means == WEIR_PREFILTER_ALWAYS);
    }
    end(w);
    free(w);
}

/* n lines with the same word in each of them. */
static void flood(unsigned lines, size_t *n_r, const struct weir_candidate **candidate_r,
                  struct world *w)
{
    static char text[16 * 4096];
    static uint32_t start[4096 + 1];
    struct weir_prefilter_builder *builder = begin(w);
    for (unsigned i = 0; i < 32; i++)
        add(w, builder, WEIR_AREA_BODY, 0, "spamword", 8, (struct weir_need_flags){0});
    finish(w, builder);
    for (unsigned i = 0; i < lines; i++) {
        memcpy(text + 9 * i, "spamword\n", 9);
        start[i + 1] = 9 * (i + 1);
    }
    struct weir_area area = {text, start, lines};
    *n_r = weir_prefilter_scan(&w->prefilter, w->scratch, WEIR_AREA_BODY, &area, NULL, candidate_r);
}

static void candidates_are_told_up_to_PREFILTER_CANDIDATES_MAX(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof *w);
    const struct weir_candidate *c;
    size_t n;
    unsigned most = WEIR_PREFILTER_CANDIDATES_MAX / 32;
    flood(most, &n, &c, w);
    assert_int_equal(n, WEIR_PREFILTER_CANDIDATES_MAX);
    for (size_t i = 0; i < n; i++)
        assert_false(c[i].rest);
    end(w);
    flood(most + 3, &n, &c, w); /* the rest is said once for each rule */
    assert_int_equal(n, WEIR_PREFILTER_CANDIDATES_MAX + 32);
    unsigned rest = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(!c[i].rest || (c[i].line == most && !c[i].exact && c[i].from == 0));
        rest += c[i].rest;
    }
    assert_int_equal(rest, 32);
    end(w);
    free(w);
}

static void damaged_octets_are_refused_or_harmless(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    struct world *w = malloc(sizeof *w);
    struct weir_prefilter_builder *builder = begin(w);
    const char *text = "a free offer: v.i.a.g.r.a, click here\n";
    for (size_t i = 0; i < sizeof spam / sizeof *spam; i++)
        add(w, builder, WEIR_AREA_BODY, 0, spam[i], strlen(spam[i]),
            (struct weir_need_flags){.caseless = true});
    finish(w, builder);
    for (unsigned round = 0; round < 3000; round++) {
        struct weir_prefilter p;
        const struct weir_candidate *c;
        uint8_t *octets = malloc(w->len);
        memcpy(octets, w->octets, w->len);
        for (unsigned i = 0; i < 4; i++)
            octets[seeded_below(&s, i < 2 ? 2048 : (unsigned)w->len)] = (uint8_t)seeded_next(&s);
        size_t len = round % 16 ? w->len : seeded_below(&s, (unsigned)w->len);
        cut_into_lines(w, text, strlen(text));
        if (weir_prefilter_attach(octets, len, &p) == 0 && p.rules == w->prefilter.rules)
            for (size_t n = weir_prefilter_scan(&p, w->scratch, WEIR_AREA_BODY, &w->area, NULL, &c);
                 n > 0; n--)
                assert_true(c[n - 1].rule < p.rules && c[n - 1].line == 0);
        free(octets);
    }
    assert_int_equal(weir_prefilter_attach(w->octets, w->len - 1, &w->prefilter), WEIR_ECORRUPT);
    assert_int_equal(weir_prefilter_attach(w->octets, 0, &w->prefilter), WEIR_ECORRUPT);
    end(w);
    free(w);
}

static void numbers_beyond_RULES_MAX_are_refused(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof *w);
    struct weir_prefilter_builder *builder = begin(w);
    enum weir_prefilter_means means;
    struct weir_prefilter_pattern pattern = {.rule = WEIR_RULES_MAX - 1, .area = WEIR_AREA_BODY,
                                             .pattern = {"abcd", 4}};
    assert_int_equal(weir_prefilter_add(builder, &pattern, &means), 0);
    pattern.rule++;
    assert_int_equal(weir_prefilter_add(builder, &pattern, &means), WEIR_ELIMIT);
    finish(w, builder);
    assert_int_equal(w->prefilter.rules, WEIR_RULES_MAX);
    end(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rules_find_what_PCRE2_finds),
        cmocka_unit_test(rules_like_those_for_spam_find_what_PCRE2_finds_in_real_mail),
        cmocka_unit_test(Hyperscan_loses_nothing_between_the_pieces_it_scans),
        cmocka_unit_test(what_stands_everywhere_is_a_candidate_to_the_end),
        cmocka_unit_test(means_tell_how_a_pattern_will_be_found),
        cmocka_unit_test(candidates_are_told_up_to_PREFILTER_CANDIDATES_MAX),
        cmocka_unit_test(damaged_octets_are_refused_or_harmless),
        cmocka_unit_test(numbers_beyond_RULES_MAX_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
