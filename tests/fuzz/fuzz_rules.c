/*
 * A rule file: read, written and read again the same, built, attached, and matched
 * against one message with a bit of everything.
 */
#include <stdlib.h>
#include <string.h>

#include "core/evidence/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char mail[] =
    "From: \"Win\" <win@example.com>\nTo: you@example.org\nSubject: =?utf-8?Q?money_now?=\n"
    "Content-Type: text/html\n\n<p>Dear <b>friend</b>, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
    "<a href=\"http://evil.example/x\">http://bank.example</a> abc 123 \x80\xff $1,000,000\n";

static void require(bool holds)
{
    if (!holds)
        abort();
}

static int read_text(struct weir_arena *arena, struct weir_slice text,
                     struct weir_rule_sources *sources)
{
    struct weir_rule_reader *reader;
    if (weir_rule_reader_new(arena, NULL, NULL, &reader) < 0 ||
        weir_rule_reader_add(reader, "f", text) < 0)
        return -1;
    return weir_rule_reader_end(reader, sources);
}

static void write_and_read(struct weir_arena *arena, const struct weir_rule_source *rule)
{
    struct weir_rule_sources again;
    char *text = weir_arena_take(arena, 300000);
    if (!text)
        return;
    struct weir_line line = weir_line(text, 300000);
    weir_rule_write(rule, &line);
    if (line.cut || read_text(arena, (struct weir_slice){text, (size_t)(line.at - text)},
                              &again) < 0)
        return;
    require(again.errors == 0 && again.rules == 1);
    require(again.rule->pattern.len == rule->pattern.len &&
            memcmp(again.rule->pattern.at, rule->pattern.at, rule->pattern.len) == 0);
    require(again.rule->flags == rule->flags && again.rule->id == rule->id);
    require(again.rule->base == rule->base && again.rule->low == rule->low &&
            again.rule->high == rule->high && again.rule->approved == rule->approved);
}

static void match(struct weir_arena *arena, const void *octets, size_t len)
{
    struct weir_rules *rules = NULL;
    struct weir_matcher *matcher = NULL;
    struct weir_message message;
    struct weir_content content;
    struct weir_rule_result result;
    const struct weir_envelope envelope = {.helo = {"helo", 4}};
    require(weir_rules_attach(octets, len, true, &rules) == 0);
    if (weir_matcher_new(rules, &matcher) == 0 &&
        weir_message_parse(mail, sizeof(mail) - 1, arena, &message) == 0 &&
        weir_content_read(&message, NULL, arena, &content) == 0) {
        const struct weir_rule_input input = {.message = &message, .content = &content,
                                              .envelope = &envelope};
        (void)weir_rules_match(matcher, &input, WEIR_MATCH_HIDDEN, arena, &result);
    }
    weir_matcher_free(&matcher);
    weir_rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct weir_rules_options options = {.serial = 1};
    struct weir_arena *arena = weir_arena_new(1 << 16);
    struct weir_rule_sources sources;
    void *octets;
    size_t image;
    if (!arena)
        return 0;
    if (read_text(arena, (struct weir_slice){(const char *)bytes, len}, &sources) == 0) {
        for (size_t i = 0; sources.errors == 0 && i < sources.rules && i < 20; i++)
            write_and_read(arena, &sources.rule[i]);
        if (weir_rules_build(&sources, &options, NULL, NULL, &octets, &image) == 0) {
            require(weir_rules_check(&sources, NULL, NULL) == 0);
            match(arena, octets, image);
            free(octets);
        }
    }
    weir_arena_free(&arena);
    return 0;
}
