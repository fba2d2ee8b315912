/*
 * api_rules_test - lines of a rule file, tried on messages that people reported, before they are
 * added.
 *
 * The lines are a set of their own: a formula may name what stands beside it.  Texts are those that
 * are proven and about which votes are one way.  Matching has its own bounds; after a second no
 * more texts are looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/evidence/rules.h"
#include "core/mail/content.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/console_impl.h"
#include "monitor/database/database_drafts_io.h"

#define ARENA_FIRST (1u << 16)
#define ARENA_KEPT (1u << 20)
#define TEXTS 1000
#define TIME WEIR_SECOND
#define RULES 64

struct trial {
    struct weir_api_question *question;
    struct weir_arena *arena;      /* of the lines */
    struct weir_arena *texts;      /* of one text */
    struct weir_charsets *charsets;
    void *image;
    struct weir_rules *rules;
    struct weir_matcher *matcher;
    weir_time until;               /* steady */
    unsigned most;
    json_int_t spam, ham;          /* messages */
    struct tried {
        json_int_t spam, ham;
    } *tried;                      /* by rule, as numbered in the set */
    size_t count;
    json_t *hits;
    char why[256];                 /* the first that is wrong */
};

/* the set -------------------------------------------------------------------------------- */

static void note_wrong(void *context, const char *file, unsigned line, const char *why)
{
    struct trial *trial = context;

    (void)file;
    if (!trial->why[0])
        snprintf(trial->why, sizeof trial->why, "line %u: %.200s", line, why);
}

static int compile(struct trial *trial, const char *text)
{
    const struct weir_rules_options options = {.serial = 0};
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources;
    size_t len;
    int rc = weir_rule_reader_new(trial->arena, note_wrong, trial, &reader);

    rc = rc < 0 ? rc : weir_rule_reader_add(reader, "rule", weir_slice_of(text));
    rc = rc < 0 ? rc : weir_rule_reader_end(reader, &sources);
    if (rc == 0 && (sources.errors > 0 || sources.rules > RULES))
        rc = WEIR_EINVAL;
    rc = rc < 0 ? rc : weir_rules_build(&sources, &options, note_wrong, trial, &trial->image,
                                        &len);
    rc = rc < 0 ? rc : weir_rules_attach(trial->image, len, false, &trial->rules);
    rc = rc < 0 ? rc : weir_matcher_new(trial->rules, &trial->matcher);
    trial->count = rc < 0 ? 0 : sources.rules;
    trial->tried = calloc(trial->count + 1, sizeof *trial->tried);
    return trial->tried || rc < 0 ? rc : WEIR_ENOMEM;
}

/* texts ---------------------------------------------------------------------------------- */

static void note_hit(struct trial *trial, const struct weir_drafts_text *text, uint32_t number)
{
    if (number >= trial->count)
        return;
    *(text->spam ? &trial->tried[number].spam : &trial->tried[number].ham) += 1;
}

static int match(struct trial *trial, const struct weir_drafts_text *text,
                 struct weir_message *message, const struct weir_content *content)
{
    float fact[WEIR_FACTS] = {0};
    const struct weir_rule_input input = {.message = message, .content = content,
                                          .charsets = trial->charsets, .fact = fact};
    struct weir_rule_result result;
    int rc;

    weir_facts_of_message(message, content, fact);
    rc = weir_rules_match(trial->matcher, &input, 0, trial->texts, &result);
    if (rc < 0)
        return rc;
    *(text->spam ? &trial->spam : &trial->ham) += 1;
    for (size_t i = 0; i < result.hits; i++)
        note_hit(trial, text, result.hit[i].number);
    if (result.hits > 0 && json_array_size(trial->hits) < trial->most)
        json_array_append_new(trial->hits, json_pack("{s:o, s:s}", "message",
                                                     weir_view_uid(text->uid), "said",
                                                     text->spam ? "spam" : "ham"));
    return 0;
}

static int take_text(void *context, const struct weir_drafts_text *text)
{
    struct trial *trial = context;
    struct weir_reported_text told;
    struct weir_message message;
    struct weir_content content;
    char *buffer;
    int rc;

    if (weir_clock_now(&trial->question->console->steady) > trial->until)
        return 1;
    weir_arena_reset(trial->texts, ARENA_KEPT);
    if (weir_reported_text_read(text->octets, &told) != 1)
        return 0;
    buffer = weir_arena_take(trial->texts, told.len + 1);
    if (!buffer)
        return WEIR_ENOMEM;
    if (weir_reported_text_unpack(&told, buffer) < 0)
        return 0;
    rc = weir_message_parse(buffer, told.len, trial->texts, &message);
    rc = rc < 0 ? rc : weir_content_read(&message, trial->charsets, trial->texts, &content);
    return rc < 0 ? rc : match(trial, text, &message, &content);
}

/* the answer ------------------------------------------------------------------------------ */

static json_t *tell(const struct trial *trial)
{
    json_t *rules = json_array();
    struct weir_rule rule;

    for (size_t i = 0; i < trial->count; i++)
        if (weir_rules_get(trial->rules, (uint32_t)i, &rule) == 1)
            json_array_append_new(rules, json_pack(
                "{s:o, s:I, s:I}", "name", weir_view_octets(rule.name.at, rule.name.len),
                "spam", trial->tried[i].spam, "ham", trial->tried[i].ham));
    return json_pack("{s:{s:I, s:I}, s:o, s:O}", "messages", "spam", trial->spam, "ham",
                     trial->ham, "rules", rules, "hits", trial->hits);
}

static json_t *run(struct trial *trial, const char *text)
{
    int rc = trial->arena && trial->texts && trial->hits ? weir_charsets_new(&trial->charsets)
                                                         : WEIR_ENOMEM;

    rc = rc < 0 ? rc : compile(trial, text);
    if (rc < 0 && rc != WEIR_ENOMEM)
        return weir_api_refuse(trial->question, 400, trial->why[0] ? trial->why
                                                                   : "that is no rule");
    rc = rc < 0 ? rc : weir_database_drafts_texts(trial->question->database, TEXTS, take_text,
                                                  trial);
    return rc < 0 ? weir_api_trouble(trial->question, rc) : tell(trial);
}

json_t *weir_api_rules_test(struct weir_api_question *question)
{
    struct trial trial = {.question = question, .most = WEIR_API_MOST};
    const json_t *most = json_object_get(question->request->body, "most");
    const char *text;
    json_t *json;

    if (!weir_api_text(question, "text", &text))
        return NULL;
    if (most && (!json_is_integer(most) || json_integer_value(most) < 1 ||
                 json_integer_value(most) > WEIR_API_MOST_MAX))
        return weir_api_refuse(question, 400, "most is no number from 1 to 500");
    trial.most = most ? (unsigned)json_integer_value(most) : WEIR_API_MOST;
    trial.arena = weir_arena_new(ARENA_FIRST);
    trial.texts = weir_arena_new(ARENA_FIRST);
    trial.hits = json_array();
    trial.until = weir_clock_now(&question->console->steady) + TIME;
    json = run(&trial, text);
    weir_matcher_free(&trial.matcher);
    weir_rules_free(&trial.rules);
    free(trial.image);
    free(trial.tried);
    weir_charsets_free(&trial.charsets);
    weir_arena_free(&trial.texts);
    weir_arena_free(&trial.arena);
    json_decref(trial.hits);
    return json;
}
