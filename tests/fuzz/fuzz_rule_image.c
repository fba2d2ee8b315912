/*
 * An image of a rule set with octets changed: the input is pairs of place and octet. It is
 * attached without its checksum, as a short-lived process does, and matched.  It is not trusted:
 * PCRE2 would believe the compiled expressions in it, and must never be shown any.
 */
#include <stdlib.h>
#include <string.h>

#include "core/evidence/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char text[] =
    "body A /won(der|ful)/i\ntflags A multiple\nheader B Subject !~ /x/\nmeta C A && !D\n"
    "ip D 192.0.2.0/24 192.0.2.7\nheader E exists:To\nmeta F !C\nbody __G /a[bc]+d/\n"
    "uri U /evil\\.example/\nrawbody R /<p>/\nfull L /^From/\nenvelope H helo =~ /^h/\n"
    "header S ALL =~ /To: y/\nmeta M F + 2 * A > 1\nbody W /wonder/\n";

static const char mail[] =
    "From: a@example.com\nTo: you@example.org\nSubject: wonder\nContent-Type: text/html\n\n"
    "<p>wonder abcd wonderful <a href=\"http://evil.example/x\">x</a>\n";

static int build(struct weir_arena *arena, void **octets_r, size_t *len_r)
{
    const struct weir_rules_options options = {.serial = 1};
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources;
    if (weir_rule_reader_new(arena, NULL, NULL, &reader) < 0 ||
        weir_rule_reader_add(reader, "f", (struct weir_slice){text, sizeof(text) - 1}) < 0 ||
        weir_rule_reader_end(reader, &sources) < 0)
        return -1;
    return weir_rules_build(&sources, &options, NULL, NULL, octets_r, len_r);
}

static void match(struct weir_arena *arena, const struct weir_rules *rules)
{
    struct weir_matcher *matcher = NULL;
    struct weir_message message;
    struct weir_content content;
    struct weir_rule_result result;
    struct weir_rule rule;
    struct weir_address boundary;
    const struct weir_envelope envelope = {.helo = {"helo", 4}};
    if (weir_matcher_new(rules, &matcher) == 0 &&
        weir_address_parse("192.0.2.7", 9, &boundary) == 0 &&
        weir_message_parse(mail, sizeof(mail) - 1, arena, &message) == 0 &&
        weir_content_read(&message, NULL, arena, &content) == 0) {
        const struct weir_rule_input input = {.message = &message, .content = &content,
                                              .envelope = &envelope, .boundary = &boundary};
        (void)weir_rules_match(matcher, &input, WEIR_MATCH_HIDDEN, arena, &result);
    }
    for (size_t i = 0; i < weir_rules_count(rules); i++)
        if (weir_rules_get(rules, i, &rule) && weir_rules_find(rules, rule.id, &rule))
            (void)weir_rules_named(rules, rule.name, &rule);
    weir_matcher_free(&matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct weir_arena *arena = weir_arena_new(1 << 16);
    struct weir_rules *rules = NULL;
    void *octets = NULL;
    size_t image;
    if (arena && build(arena, &octets, &image) == 0) {
        for (size_t i = 0; i + 4 <= len; i += 4) {
            size_t place = ((size_t)bytes[i] << 16 | (size_t)bytes[i + 1] << 8 | bytes[i + 2]);
            ((uint8_t *)octets)[place % image] = bytes[i + 3];
        }
        if (weir_rules_attach(octets, image, false, &rules) == 0)
            match(arena, rules);
    }
    weir_rules_free(&rules);
    free(octets);
    weir_arena_free(&arena);
    return 0;
}
