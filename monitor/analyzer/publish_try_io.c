/*
 * Rules that differ become rules of the guard, and what it refuses is told.  Texts are unpacked one
 * by one into an arena that is used again.
 */
#include "monitor/analyzer/publish_try_io.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "monitor/analyzer/guard.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/analyzer/rescan.h"
#include "monitor/analyzer/rules_diff.h"
#include "monitor/analyzer/told_io.h"
#include "monitor/database/database_drafts_io.h"
#include "monitor/database/database_messages_io.h"

#define ARENA_FIRST (1u << 20)
#define TEXTS_MOST 1000

struct bad {                    /* a good message that the rulebook would make spam by its text */
    uint64_t uid;
};

struct trial {
    struct weir_publish_trial is;
    struct weir_guard_rule *rule;
    char (*name)[WEIR_RULE_NAME_MAX + 1]; /* as the rules were found */
    uint32_t *id;
    size_t rules, rule_room, name_room, id_room;
    size_t at;                  /* where the list of hits has come to */
    bool rises, fresh;          /* something scores more; something says what is new */
    struct weir_rescan *rescan;
    struct weir_charsets *charsets;
    struct weir_arena *arena;
    struct bad *bad;
    size_t bads, bad_room;
    uint64_t first;             /* of the bad ones that were none; 0: there is none */
};

/* What differs. ------------------------------------------------------------- */

static double points_of(const struct weir_rule_source *rule)
{
    bool works = rule && (rule->state == WEIR_RULE_ACTIVE || rule->state == WEIR_RULE_LOCKED);

    return works ? (double)rule->score : 0;
}

static int note_rule(struct trial *trial, const struct weir_rule_source *rule, double now,
                     double next)
{
    struct weir_guard_rule *more = weir_grown(trial->rule, trial->rules, &trial->rule_room,
                                              sizeof *more);
    char(*name)[WEIR_RULE_NAME_MAX + 1];
    uint32_t *id;

    if (!more)
        return WEIR_ENOMEM;
    trial->rule = more;
    name = weir_grown(trial->name, trial->rules, &trial->name_room, sizeof *name);
    if (!name)
        return WEIR_ENOMEM;
    trial->name = name;
    id = weir_grown(trial->id, trial->rules, &trial->id_room, sizeof *id);
    if (!id)
        return WEIR_ENOMEM;
    trial->id = id;
    snprintf(name[trial->rules], sizeof *name, "%.*s", (int)rule->name.len, rule->name.at);
    id[trial->rules] = rule->id;
    more[trial->rules++] = (struct weir_guard_rule){
        .id = rule->id, .now = now, .next = next, .spam = now == 0 ? HUGE_VAL : 0};
    return 0;
}

/* A rule comes with each of its differences. */
static int take_difference(void *context, const struct weir_rules_differ *differ)
{
    struct trial *trial = context;
    double now = points_of(differ->old), next = points_of(differ->new);
    const struct weir_rule_source *rule = differ->new ? differ->new : differ->old;

    if (differ->difference == WEIR_RULE_ADDED || differ->difference == WEIR_RULE_TESTED)
        trial->fresh = trial->fresh || next > 0;
    if (now == next || (trial->rules > 0 && trial->id[trial->rules - 1] == rule->id))
        return 0;
    trial->rises = trial->rises || next > now;
    return note_rule(trial, rule, now, next);
}

/* Rules come by id, and hits, too. */
static int take_hits(void *context, const struct weir_told *told)
{
    struct trial *trial = context;

    while (trial->at < trial->rules && trial->rule[trial->at].id < told->hits.id)
        trial->at++;
    if (trial->at == trial->rules || trial->rule[trial->at].id != told->hits.id)
        return 0;
    if (trial->rule[trial->at].now != 0)
        trial->rule[trial->at].spam = told->weighed.hits.spam;
    return 0;
}

/* Texts. -------------------------------------------------------------------- */

static int points_of_text(struct trial *trial, struct weir_slice octets, double *points_r)
{
    struct weir_message message;
    struct weir_content content;
    struct weir_reported_text told;
    char *buffer;
    bool drafted;
    int rc;

    *points_r = 0;
    weir_arena_reset(trial->arena, ARENA_FIRST);
    if (weir_reported_text_read(octets, &told) != 1)
        return 0;
    buffer = weir_arena_take(trial->arena, told.len + 1);
    if (!buffer)
        return WEIR_ENOMEM;
    if (weir_reported_text_unpack(&told, buffer) < 0)
        return 0;
    rc = weir_message_parse(buffer, told.len, trial->arena, &message);
    rc = rc < 0 ? rc : weir_content_read(&message, trial->charsets, trial->arena, &content);
    rc = rc < 0 ? rc : weir_rescan_message(trial->rescan, &message, &content, trial->charsets,
                                           trial->arena, points_r, &drafted);
    return rc == WEIR_EINVAL ? 0 : rc; /* what makes no set is told by whoever makes it */
}

static int take_text(void *context, const struct weir_drafts_text *text)
{
    struct trial *trial = context;
    struct bad *more;
    double points;
    int rc = text->spam ? 0 : points_of_text(trial, text->octets, &points);

    if (rc < 0 || text->spam || points < trial->is.spam_score)
        return rc;
    more = weir_grown(trial->bad, trial->bads, &trial->bad_room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    trial->bad = more;
    trial->bad[trial->bads++] = (struct bad){text->uid};
    return 0;
}

static int read_texts(struct trial *trial, struct weir_database *reading)
{
    int rc = weir_rescan_new(reading, NULL, 0, &trial->rescan);

    trial->arena = weir_arena_new(ARENA_FIRST);
    if (!trial->arena)
        return WEIR_ENOMEM;
    rc = rc < 0 ? rc : weir_charsets_new(&trial->charsets);
    return rc < 0 ? rc : weir_database_drafts_texts(reading, TEXTS_MOST, take_text, trial);
}

/* Messages. ----------------------------------------------------------------- */

static int take_message(void *context, const struct weir_guard_message *message)
{
    struct trial *trial = context;

    (void)weir_guard_take(trial->rule, trial->rules, trial->is.spam_score, message);
    for (size_t i = 0; trial->first == 0 && i < trial->bads; i++)
        if (trial->bad[i].uid == message->uid &&
            weir_guard_score(trial->rule, trial->rules, message) < trial->is.spam_score)
            trial->first = message->uid;
    return 0;
}

static const char *name_of(const struct trial *trial, uint32_t id)
{
    size_t i = 0;

    while (i + 1 < trial->rules && trial->id[i] != id)
        i++;
    return trial->name[i];
}

static int tell(const struct trial *trial, char why_r[static WEIR_DATABASE_WHY])
{
    const struct weir_guard_rule *first = NULL;
    unsigned more = 0;

    for (size_t i = 0; i < trial->rules; i++) {
        more += trial->rule[i].refused && first;
        if (trial->rule[i].refused && !first)
            first = &trial->rule[i];
    }
    if (first)
        snprintf(why_r, WEIR_DATABASE_WHY, "with %.2f points %.64s would make message %016" PRIx64
                 " spam, and nobody said it is%s; --force publishes it", first->wanted,
                 name_of(trial, first->id), first->message,
                 more > 0 ? ", and others would, too" : "");
    else if (trial->first != 0)
        snprintf(why_r, WEIR_DATABASE_WHY, "by its text message %016" PRIx64 " would be spam, and "
                 "people say that it is good; --force publishes it", trial->first);
    return first || trial->first != 0 ? WEIR_EINVAL : 0;
}

/* All. ---------------------------------------------------------------------- */

static int try(struct trial *trial, struct weir_database *reading,
               char why_r[static WEIR_DATABASE_WHY])
{
    struct weir_score_counts all;
    int rc = weir_rules_diff(trial->is.before, trial->is.next, take_difference, trial);

    if (rc < 0 || (!trial->rises && !trial->fresh))
        return rc == WEIR_EINVAL ? 0 : rc;
    weir_guard_sort(trial->rule, trial->rules);
    rc = weir_told_hits(reading, trial->is.now, trial->is.share, take_hits, trial, &all);
    if (rc >= 0 && trial->fresh)
        rc = read_texts(trial, reading);
    if (rc >= 0 && (trial->rises || trial->bads > 0))
        rc = weir_database_messages_good(reading, take_message, trial);
    return rc < 0 ? rc : tell(trial, why_r);
}

int weir_publish_try(struct weir_database *reading, const struct weir_publish_trial *is,
                     char why_r[static WEIR_DATABASE_WHY])
{
    struct trial trial = {.is = *is};
    int rc = try(&trial, reading, why_r);

    weir_rescan_free(&trial.rescan);
    weir_charsets_free(&trial.charsets);
    weir_arena_free(&trial.arena);
    free(trial.rule);
    free(trial.name);
    free(trial.id);
    free(trial.bad);
    return rc < 0 ? rc : 0;
}
