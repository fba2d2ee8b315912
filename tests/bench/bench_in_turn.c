/*
 * bench_in_turn IMAGE <list of files - what matching a rule set costs without a prefilter.
 *
 * The rival that whole decisions are measured against on the same machine in the same minute:
 * every expression of the set, compiled by PCRE2 to machine code, is searched for once in the text
 * its rule looks at, as a whole (rules about fields in the whole header).  Nothing is counted,
 * added up or shown, and taking the message apart is not part of the figure.  Prints one line of
 * key=value: expressions, messages, microseconds of processor time a message.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/evidence/rules.h"
#include "core/mail/content.h"
#include "tests/bench/bench_rig.h"

struct expression {
    pcre2_code *code;
    enum weir_area_kind area;
};

struct bench {
    struct expression *expression;
    size_t expressions, messages, found;
    struct weir_charsets *charsets;
    struct weir_arena *arena;
    pcre2_match_data *data;
    double spent;
};

static pcre2_code *compile(const struct weir_rule *rule)
{
    uint32_t options = (rule->flags & WEIR_RULE_CASELESS ? PCRE2_CASELESS : 0) |
                       (rule->flags & WEIR_RULE_MULTILINE ? PCRE2_MULTILINE : 0) |
                       (rule->flags & WEIR_RULE_DOTALL ? PCRE2_DOTALL : 0) |
                       (rule->flags & WEIR_RULE_EXTENDED ? PCRE2_EXTENDED : 0);
    int error;
    size_t at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)rule->pattern.at, rule->pattern.len, options,
                                     &error, &at, NULL);
    if (!code || pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0)
        bench_die("an expression is not compiled");
    return code;
}

static void open_rules(struct bench *b, const char *path)
{
    size_t len;
    char *octets = bench_read_file(path, &len);
    struct weir_rules *rules;
    struct weir_rule rule;
    if (weir_rules_attach(octets, len, true, &rules) < 0)
        bench_die("no rule set");
    b->expression = calloc(weir_rules_count(rules) + 1, sizeof *b->expression);
    for (size_t i = 0; b->expression && weir_rules_get(rules, i, &rule) > 0; i++)
        if (rule.kind <= WEIR_RULE_FULL && !(rule.flags & WEIR_RULE_EXISTS))
            b->expression[b->expressions++] =
                (struct expression){compile(&rule), (enum weir_area_kind)rule.kind};
    b->data = pcre2_match_data_create(20, NULL);
}

/* The whole header. */
static struct weir_slice header_of(const char *mail, size_t len)
{
    const char *end = memmem(mail, len, "\n\n", 2);
    const char *other = memmem(mail, len, "\r\n\r\n", 4);
    if (!end || (other && other < end))
        end = other;
    return (struct weir_slice){mail, end ? (size_t)(end - mail) + 1 : len};
}

static void search(struct bench *b, const pcre2_code *code, struct weir_slice text)
{
    b->found += pcre2_jit_match(code, (PCRE2_SPTR)text.at, text.len, 0, 0, b->data, NULL) > 0;
}

static void match(struct bench *b, const struct weir_content *content, struct weir_slice header)
{
    for (size_t i = 0; i < b->expressions; i++) {
        const struct expression *one = &b->expression[i];
        const struct weir_area *area = &content->area[one->area];
        search(b, one->code, one->area == WEIR_AREA_HEADER
                                 ? header
                                 : (struct weir_slice){area->text, weir_area_len(area)});
    }
}

static void match_file(struct bench *b, const char *path)
{
    size_t len;
    char *mail = bench_read_file(path, &len);
    struct weir_message message;
    struct weir_content content;
    if (weir_message_parse(mail, len, b->arena, &message) < 0 ||
        weir_content_read(&message, b->charsets, b->arena, &content) < 0)
        bench_die("memory is short");
    double began = bench_spent();
    match(b, &content, header_of(mail, len));
    b->spent += bench_spent() - began;
    b->messages++;
    weir_arena_reset(b->arena, 1 << 22);
    free(mail);
}

int main(int argc, char **argv)
{
    static struct bench b;
    char path[4096];
    if (argc != 2)
        bench_die("usage: bench_in_turn IMAGE <files");
    open_rules(&b, argv[1]);
    b.arena = weir_arena_new(1 << 20);
    if (!b.arena || !b.data || weir_charsets_new(&b.charsets) < 0)
        bench_die("memory is short");
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        match_file(&b, path);
    }
    if (b.messages == 0)
        bench_die("no messages");
    printf("expressions=%zu messages=%zu found=%zu us=%.0f\n", b.expressions, b.messages, b.found,
           b.spent / (double)b.messages);
    return 0;
}
