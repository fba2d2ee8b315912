/*
 * The rulebook's text becomes an image as publishing makes one, but with the analyzer's drafts, as
 * if they were in the test.  Ids of the analyzer's rules are kept sorted, as they come.
 */
#include "monitor/analyzer/rescan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "core/evidence/rules.h"
#include "monitor/database/database_rules_io.h"

#define ARENA_FIRST (1u << 20)
#define TAIL 256               /* octets of the lines for id, state and score */

struct weir_rescan {
    char *text;                /* the rulebook */
    size_t len, room;
    uint32_t *own;             /* ids of the analyzer's rules, sorted */
    size_t owns, own_room;
    char (*name)[WEIR_RULE_NAME_MAX + 1];
    size_t names, name_room;
    void *image;
    struct weir_rules *rules;  /* NULL: there are none */
    struct weir_matcher *matcher;
};

/* Reading. ------------------------------------------------------------------ */

static int put_text(struct weir_rescan *rescan, const char *text, size_t len)
{
    while (rescan->room < rescan->len + len) {
        char *more = weir_grown(rescan->text, rescan->room, &rescan->room, 1);

        if (!more)
            return WEIR_ENOMEM;
        rescan->text = more;
    }
    memcpy(rescan->text + rescan->len, text, len);
    rescan->len += len;
    return 0;
}

static int note_name(struct weir_rescan *rescan, const char *name)
{
    char(*more)[WEIR_RULE_NAME_MAX + 1] =
        weir_grown(rescan->name, rescan->names, &rescan->name_room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    rescan->name = more;
    snprintf(rescan->name[rescan->names++], sizeof *more, "%s", name);
    return 0;
}

static int note_own(struct weir_rescan *rescan, uint32_t id)
{
    uint32_t *more = weir_grown(rescan->own, rescan->owns, &rescan->own_room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    rescan->own = more;
    rescan->own[rescan->owns++] = id;
    return 0;
}

static int take_rule(void *context, const struct weir_kept_rule *rule)
{
    struct weir_rescan *rescan = context;
    bool own = strcmp(rule->author, WEIR_DRAFTS_AUTHOR) == 0;
    enum weir_rule_state state =
        own && rule->state == WEIR_RULE_DRAFT ? WEIR_RULE_TEST : rule->state;
    char tail[TAIL];
    int len = snprintf(tail, sizeof tail, "id %s %u\nstate %s %s\n", rule->name, rule->id,
                       rule->name, weir_rule_state_name(state));
    int rc = note_name(rescan, rule->name);

    rc = rc == 0 && own ? note_own(rescan, rule->id) : rc;
    if (rc < 0 || state == WEIR_RULE_DRAFT || state == WEIR_RULE_RETIRED)
        return rc;
    rc = put_text(rescan, rule->text, strlen(rule->text));
    if (rc == 0 && strncmp(rule->name, "__", 2) != 0)
        len += snprintf(tail + len, sizeof tail - (size_t)len, "score %s %.2f\n", rule->name,
                        rule->score);
    return rc < 0 ? rc : put_text(rescan, tail, (size_t)len);
}

static void pass_over(void *context, const char *file, unsigned line, const char *why)
{
    (void)context, (void)file, (void)line, (void)why;
}

/* 0, also when there are none, or none that can be used. */
static int build(struct weir_rescan *rescan, struct weir_arena *arena)
{
    const struct weir_rules_options options = {.serial = 0};
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources;
    size_t len;
    int rc = weir_rule_reader_new(arena, pass_over, NULL, &reader);

    if (rc == 0)
        rc = weir_rule_reader_add(reader, "rulebook",
                                  (struct weir_slice){rescan->text, rescan->len});
    rc = rc < 0 ? rc : weir_rule_reader_end(reader, &sources);
    if (rc < 0 || sources.errors > 0)
        return rc;
    rc = weir_rules_build(&sources, &options, pass_over, NULL, &rescan->image, &len);
    rc = rc < 0 ? rc : weir_rules_attach(rescan->image, len, false, &rescan->rules);
    rc = rc < 0 ? rc : weir_matcher_new(rescan->rules, &rescan->matcher);
    return rc == WEIR_ENOMEM ? rc : 0;
}

int weir_rescan_new(struct weir_database *reading, struct weir_rescan **rescan_r)
{
    struct weir_rescan *rescan = calloc(1, sizeof *rescan);
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    int rc = rescan && arena ? 0 : WEIR_ENOMEM;

    rc = rc < 0 ? rc : weir_database_rules(reading, 0, take_rule, rescan);
    rc = rc < 0 || rescan->len == 0 ? rc : build(rescan, arena);
    weir_arena_free(&arena);
    if (rc < 0)
        weir_rescan_free(&rescan);
    else
        *rescan_r = rescan;
    return rc < 0 ? rc : 0;
}

void weir_rescan_free(struct weir_rescan **rescan)
{
    if (!*rescan)
        return;
    weir_matcher_free(&(*rescan)->matcher);
    weir_rules_free(&(*rescan)->rules);
    free((*rescan)->image);
    free((*rescan)->text);
    free((*rescan)->own);
    free((*rescan)->name);
    free(*rescan);
    *rescan = NULL;
}

/* Asking. ------------------------------------------------------------------- */

bool weir_rescan_knows(const struct weir_rescan *rescan, const char *name)
{
    for (size_t i = 0; i < rescan->names; i++)
        if (strcmp(rescan->name[i], name) == 0)
            return true;
    return false;
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

static bool is_own(const struct weir_rescan *rescan, uint32_t number)
{
    struct weir_rule rule;

    return rescan->owns > 0 && weir_rules_get(rescan->rules, number, &rule) == 1 &&
           bsearch(&rule.id, rescan->own, rescan->owns, sizeof rule.id, by_id) != NULL;
}

int weir_rescan_message(struct weir_rescan *rescan, struct weir_message *message,
                        const struct weir_content *content, struct weir_charsets *charsets,
                        struct weir_arena *arena, double *points_r, bool *drafted_r)
{
    float fact[WEIR_FACTS] = {0};
    const struct weir_rule_input input = {.message = message, .content = content,
                                          .charsets = charsets, .fact = fact};
    struct weir_rule_result result;
    int rc;

    *points_r = 0;
    *drafted_r = false;
    if (!rescan->matcher)
        return 0;
    weir_facts_of_message(message, content, fact);
    rc = weir_rules_match(rescan->matcher, &input, 0, arena, &result);
    if (rc < 0)
        return rc;
    *points_r = result.score;
    for (size_t i = 0; i < result.hits; i++)
        *drafted_r = *drafted_r || is_own(rescan, result.hit[i].number);
    return 0;
}
