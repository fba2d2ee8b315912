/*
 * The rulebook's text is what publishing would make of it (pick.h), but with the analyzer's drafts,
 * as if they were in the test.  It becomes an image when the first message comes: where nothing was
 * reported a run does not compile a whole rulebook for nothing.  Ids of the analyzer's rules are
 * kept sorted, as they come.
 */
#include "monitor/analyzer/rescan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "core/evidence/rules.h"
#include "monitor/analyzer/pick.h"
#include "monitor/database/database_rules_io.h"

#define ARENA_FIRST (1u << 20)
#define TROUBLE 256

struct weir_rescan {
    struct weir_arena *arena;  /* of the text; NULL once it was made an image, or could not be */
    struct weir_pick *pick;
    struct weir_slice text;    /* the rulebook */
    uint32_t *own;             /* ids of the analyzer's rules, sorted */
    size_t owns, own_room;
    const uint32_t *retired;   /* ids of those that are tried, sorted */
    size_t retireds;
    uint32_t hit[WEIR_RULE_HITS_MAX]; /* of them, by the last message */
    size_t hits;
    char (*name)[WEIR_RULE_NAME_MAX + 1];
    size_t names, name_room;
    void *image;
    struct weir_rules *rules;
    struct weir_matcher *matcher; /* NULL: there are no rules, or no image yet, or trouble */
    char trouble[TROUBLE];
};

/* Reading. ------------------------------------------------------------------ */

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

static int by_id(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

static bool has_id(const uint32_t *id, size_t ids, uint32_t which)
{
    return ids > 0 && bsearch(&which, id, ids, sizeof which, by_id) != NULL;
}

static int take_rule(void *context, const struct weir_kept_rule *rule)
{
    struct weir_rescan *rescan = context;
    struct weir_kept_rule as = *rule;
    bool tried = has_id(rescan->retired, rescan->retireds, rule->id);
    bool own = strcmp(rule->author, WEIR_DRAFTS_AUTHOR) == 0;
    int rc = note_name(rescan, rule->name);

    if ((own && rule->state == WEIR_RULE_DRAFT) || (tried && rule->state == WEIR_RULE_RETIRED))
        as.state = WEIR_RULE_TEST;
    if (own && rule->state != WEIR_RULE_RETIRED)
        rc = rc < 0 ? rc : note_own(rescan, rule->id);
    return rc < 0 ? rc : weir_pick_add(rescan->pick, &as, 0);
}

static int read_book(struct weir_rescan *rescan, struct weir_database *reading)
{
    size_t rules;
    int rc = WEIR_ENOMEM;

    rescan->arena = weir_arena_new(ARENA_FIRST);
    if (rescan->arena)
        rc = weir_pick_new(rescan->arena, 0, 0, &rescan->pick);
    rc = rc < 0 ? rc : weir_database_rules(reading, 0, take_rule, rescan);
    return rc < 0 ? rc : weir_pick_end(rescan->pick, &rescan->text, &rules);
}

int weir_rescan_new(struct weir_database *reading, const uint32_t *retired, size_t retireds,
                    struct weir_rescan **rescan_r)
{
    struct weir_rescan *rescan = calloc(1, sizeof *rescan);
    int rc;

    if (!rescan)
        return WEIR_ENOMEM;
    rescan->retired = retired;
    rescan->retireds = retireds;
    rc = read_book(rescan, reading);
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
    weir_arena_free(&(*rescan)->arena);
    free((*rescan)->image);
    free((*rescan)->own);
    free((*rescan)->name);
    free(*rescan);
    *rescan = NULL;
}

/* Building. ----------------------------------------------------------------- */

/* The first that is told is kept. */
static void note_trouble(void *context, const char *file, unsigned line, const char *why)
{
    struct weir_rescan *rescan = context;

    (void)file, (void)line; /* of a text that nobody sees */
    if (!rescan->trouble[0])
        snprintf(rescan->trouble, sizeof rescan->trouble, "the rulebook makes no rule set: %s",
                 why);
}

static int compile(struct weir_rescan *rescan)
{
    const struct weir_rules_options options = {.serial = 0};
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources;
    size_t len;
    int rc = weir_rule_reader_new(rescan->arena, note_trouble, rescan, &reader);

    rc = rc < 0 ? rc : weir_rule_reader_add(reader, "rulebook", rescan->text);
    rc = rc < 0 ? rc : weir_rule_reader_end(reader, &sources);
    if (rc == 0 && sources.errors > 0)
        rc = WEIR_EINVAL;
    rc = rc < 0 ? rc : weir_rules_build(&sources, &options, note_trouble, rescan, &rescan->image,
                                        &len);
    rc = rc < 0 ? rc : weir_rules_attach(rescan->image, len, false, &rescan->rules);
    return rc < 0 ? rc : weir_matcher_new(rescan->rules, &rescan->matcher);
}

/* Once: 0, WEIR_ENOMEM, or WEIR_EINVAL with trouble. */
static int build(struct weir_rescan *rescan)
{
    int rc = 0;

    if (rescan->arena && rescan->text.len > 0)
        rc = compile(rescan);
    weir_arena_free(&rescan->arena);
    if (rc < 0 && rc != WEIR_ENOMEM)
        note_trouble(rescan, "", 0, weir_error_text(rc));
    return rc == WEIR_ENOMEM ? rc : rescan->trouble[0] && !rescan->matcher ? WEIR_EINVAL : 0;
}

/* Asking. ------------------------------------------------------------------- */

bool weir_rescan_knows(const struct weir_rescan *rescan, const char *name)
{
    for (size_t i = 0; i < rescan->names; i++)
        if (strcmp(rescan->name[i], name) == 0)
            return true;
    return false;
}

/* A rule that was hit: whether it is the analyzer's; and a retired one is noted. */
static bool note_hit(struct weir_rescan *rescan, uint32_t number)
{
    struct weir_rule rule;

    if (weir_rules_get(rescan->rules, number, &rule) != 1)
        return false;
    if (has_id(rescan->retired, rescan->retireds, rule.id) && rescan->hits < WEIR_RULE_HITS_MAX)
        rescan->hit[rescan->hits++] = rule.id;
    return has_id(rescan->own, rescan->owns, rule.id);
}

uint32_t weir_rescan_retired(const struct weir_rescan *rescan, size_t number)
{
    return number < rescan->hits ? rescan->hit[number] : 0;
}

int weir_rescan_message(struct weir_rescan *rescan, struct weir_message *message,
                        const struct weir_content *content, struct weir_charsets *charsets,
                        struct weir_arena *arena, double *points_r, bool *drafted_r)
{
    float fact[WEIR_FACTS] = {0};
    const struct weir_rule_input input = {.message = message, .content = content,
                                          .charsets = charsets, .fact = fact};
    struct weir_rule_result result;
    int rc = build(rescan);

    *points_r = 0;
    *drafted_r = false;
    rescan->hits = 0;
    if (rc < 0 || !rescan->matcher)
        return rc;
    weir_facts_of_message(message, content, fact);
    rc = weir_rules_match(rescan->matcher, &input, 0, arena, &result);
    if (rc < 0)
        return rc;
    *points_r = result.score;
    for (size_t i = 0; i < result.hits; i++)
        *drafted_r |= note_hit(rescan, result.hit[i].number);
    return 0;
}

const char *weir_rescan_trouble(const struct weir_rescan *rescan)
{
    return rescan->trouble;
}
