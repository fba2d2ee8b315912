/*
 * Rule sets for tests: everything that stands between a text and a hit.
 */
#include "tests/unit/rules_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void report(void *context, const char *file, unsigned line, const char *why)
{
    struct rules_rig *rig = context;
    size_t len = strlen(rig->told);
    snprintf(rig->told + len, sizeof(rig->told) - len, "%s:%u: %s\n", file, line, why);
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

struct rules_rig *rules_rig_new(const char *text)
{
    const struct weir_rules_options options = {.serial = 7};
    struct rules_rig *rig = calloc(1, sizeof(*rig));
    struct weir_rule_reader *reader = NULL;
    require(rig != NULL);
    rig->arena = weir_arena_new(1 << 16);
    require(rig->arena && weir_charsets_new(&rig->charsets) == 0);
    require(weir_rule_reader_new(rig->arena, report, rig, &reader) == 0);
    require(weir_rule_reader_add(reader, "test.rules", (struct weir_slice){text, strlen(text)}) ==
            0);
    require(weir_rule_reader_end(reader, &rig->sources) == 0);
    rig->built = weir_rules_build(&rig->sources, &options, report, rig, &rig->octets, &rig->len);
    require(weir_rules_check(&rig->sources, NULL, NULL) == rig->built);
    if (rig->built < 0)
        return rig;
    require(weir_rules_attach(rig->octets, rig->len, true, &rig->rules) == 0);
    require(weir_matcher_new(rig->rules, &rig->matcher) == 0);
    return rig;
}

void rules_rig_free(struct rules_rig *rig)
{
    weir_matcher_free(&rig->matcher);
    weir_rules_free(&rig->rules);
    weir_charsets_free(&rig->charsets);
    weir_arena_free(&rig->arena);
    free(rig->octets);
    free(rig);
}

static void list_hits(struct rules_rig *rig)
{
    size_t len = 0;
    rig->hits[0] = '\0';
    for (size_t i = 0; i < rig->result.hits && len < sizeof(rig->hits); i++) {
        struct weir_rule rule;
        require(weir_rules_get(rig->rules, rig->result.hit[i].number, &rule) == 1);
        len += (size_t)snprintf(rig->hits + len, sizeof(rig->hits) - len, "%s%.*s", i ? " " : "",
                                (int)rule.name.len, rule.name.at);
    }
}

const char *rules_rig_match_octets(struct rules_rig *rig, const char *mail, size_t len,
                                   unsigned want)
{
    struct weir_message message;
    struct weir_content content;
    require(rig->matcher != NULL);
    require(weir_message_parse(mail, len, rig->arena, &message) == 0);
    require(weir_content_read(&message, rig->charsets, rig->arena, &content) == 0);
    weir_facts_of_message(&message, &content, rig->fact);
    rig->input.message = &message;
    rig->input.content = &content;
    rig->input.charsets = rig->charsets;
    rig->input.fact = rig->fact;
    require(weir_rules_match(rig->matcher, &rig->input, want, rig->arena, &rig->result) == 0);
    list_hits(rig);
    return rig->hits;
}

const char *rules_rig_match(struct rules_rig *rig, const char *mail)
{
    return rules_rig_match_octets(rig, mail, strlen(mail), 0);
}

const struct weir_rule_hit *rules_rig_hit(const struct rules_rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->result.hits; i++) {
        struct weir_rule rule;
        require(weir_rules_get(rig->rules, rig->result.hit[i].number, &rule) == 1);
        if (rule.name.len == strlen(name) && memcmp(rule.name.at, name, rule.name.len) == 0)
            return &rig->result.hit[i];
    }
    return NULL;
}
