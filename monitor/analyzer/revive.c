/*
 * The part of a run over reported messages that looks back: rules that the analyzer retired, and
 * what of missed spam they would hit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "monitor/analyzer/drafts_impl.h"
#include "monitor/analyzer/named.h"

/* Reading. ------------------------------------------------------------------ */

static int take_retired(void *context, const struct weir_drafts_retired *rule)
{
    struct weir_drafts *drafts = context;
    struct retired *more = weir_grown(drafts->retired, drafts->retireds, &drafts->retired_room,
                                      sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    drafts->retired = more;
    more += drafts->retireds++;
    *more = (struct retired){.id = rule->rule, .updated = rule->updated};
    snprintf(more->name, sizeof more->name, "%s", rule->name);
    return 0;
}

static int take_formula(void *context, const struct weir_kept_rule *rule)
{
    bool works = rule->state == WEIR_RULE_ACTIVE || rule->state == WEIR_RULE_LOCKED ||
                 rule->state == WEIR_RULE_TEST;

    return works && rule->kind == WEIR_RULE_META
               ? weir_named_add(context, weir_slice_of(rule->text)) : 0;
}

/* A formula at work would say another thing if what it names were evaluated again. */
static int leave_out_named(struct weir_drafts *drafts)
{
    struct weir_named *named = NULL;
    size_t left = 0;
    int rc = weir_named_new(&named);

    rc = rc < 0 ? rc : weir_database_rules(drafts->reading, 0, take_formula, named);
    for (size_t i = 0; rc >= 0 && i < drafts->retireds; i++)
        if (!weir_named_has(named, drafts->retired[i].name))
            drafts->retired[left++] = drafts->retired[i];
    drafts->retireds = left;
    weir_named_free(&named);
    return rc < 0 ? rc : 0;
}

static int by_id(const void *a, const void *b)
{
    const struct retired *one = a, *other = b;

    return (one->id > other->id) - (one->id < other->id);
}

int weir_revive_read(struct weir_drafts *drafts, const uint32_t **id_r, size_t *ids_r)
{
    weir_time now = drafts->options.now;
    uint32_t *id;
    int rc = weir_database_drafts_retired(drafts->reading, now - drafts->options.idle,
                                          WEIR_REVIVE_RULES_MAX, take_retired, drafts);

    if (rc > 0)
        rc = leave_out_named(drafts);
    if (rc < 0)
        return rc;
    id = weir_arena_take(drafts->arena, (drafts->retireds + 1) * sizeof *id);
    if (!id)
        return WEIR_ENOMEM;
    if (drafts->retireds > 0)
        qsort(drafts->retired, drafts->retireds, sizeof *drafts->retired, by_id);
    for (size_t i = 0; i < drafts->retireds; i++)
        id[i] = drafts->retired[i].id;
    *id_r = id;
    *ids_r = drafts->retireds;
    return 0;
}

/* Deciding. ----------------------------------------------------------------- */

static struct retired *rule_of(struct weir_drafts *drafts, uint32_t id)
{
    const struct retired key = {.id = id};

    return drafts->retireds == 0 ? NULL : bsearch(&key, drafts->retired, drafts->retireds,
                                                  sizeof key, by_id);
}

/* Those who reported a message that it hits; of people, as many as are enough. */
static int note_votes(struct weir_drafts *drafts, struct retired *rule)
{
    size_t most = drafts->drafting.settings.users;

    if (!rule->user)
        rule->user = weir_arena_take(drafts->arena, (most + 1) * sizeof *rule->user);
    if (!rule->user)
        return WEIR_ENOMEM;
    rule->messages++;
    rule->reports += drafts->votes;
    for (size_t i = 0; i < drafts->votes && rule->users < most; i++) {
        size_t at = 0;

        while (at < rule->users && rule->user[at] != drafts->vote[i].user)
            at++;
        if (at == rule->users)
            rule->user[rule->users++] = drafts->vote[i].user;
    }
    return 0;
}

int weir_revive_take(struct weir_drafts *drafts, const struct weir_drafts_text *text)
{
    struct retired *rule;
    uint32_t id;
    int rc = 0;

    if (text->judged || text->time <= drafts->options.now - WEIR_REVIVE_WITHIN)
        return 0;
    for (size_t i = 0; rc == 0 && (id = weir_rescan_retired(drafts->rescan, i)) != 0; i++)
        if ((rule = rule_of(drafts, id)) != NULL)
            rc = note_votes(drafts, rule);
    return rc;
}

void weir_revive_decide(struct weir_drafts *drafts)
{
    const struct weir_drafting_settings *settings = &drafts->drafting.settings;
    size_t revived = 0;

    for (size_t i = 0; i < drafts->retireds; i++) {
        struct retired *rule = &drafts->retired[i];

        if (rule->reports == 0 || rule->reports < settings->reports ||
            rule->users < settings->users)
            continue;
        snprintf(rule->why, sizeof rule->why, "it hits %zu messages that were missed, of which %zu "
                 "reports by %zu people or more came within 7 days", rule->messages, rule->reports,
                 rule->users);
        drafts->retired[revived++] = *rule;
    }
    drafts->retireds = revived;
}

/* Storing and telling. ------------------------------------------------------ */

/* Unless somebody was faster. */
static int revive_one(void *context, struct weir_kept_rule *rule)
{
    const struct retired *retired = context;

    if (rule->updated != retired->updated || rule->state != WEIR_RULE_RETIRED)
        return 1;
    rule->state = WEIR_RULE_TEST;
    return 0;
}

int weir_revive_store(const struct weir_drafts *drafts, struct weir_database *writing)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < drafts->retireds; i++) {
        struct retired *rule = &drafts->retired[i];
        const struct weir_rule_change change = {
            .who = drafts->options.who, .time = drafts->options.now, .why = rule->why};

        rc = weir_database_rule_edit(writing, rule->id, revive_one, rule, &change);
    }
    return rc < 0 ? rc : 0;
}

const char *weir_drafts_revived(const struct weir_drafts *drafts, size_t number,
                                const char **why_r)
{
    if (number >= drafts->retireds)
        return NULL;
    *why_r = drafts->retired[number].why;
    return drafts->retired[number].name;
}
