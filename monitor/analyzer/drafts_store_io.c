/*
 * What a run over reported messages decided goes into the rulebook: first what is taken back, which
 * is not to hang on anything new; then drafts, each under a number of its own.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/analyzer/drafts_impl.h"
#include "monitor/database/database_audit_io.h"

#define IDS_TRIED 16
#define DESCRIPTION 160

/* Under the number its name makes, or the next that is free. */
static int put_rule(const struct weir_drafts *drafts, struct weir_database *writing,
                    const struct weir_draft *draft, uint32_t *id_r)
{
    char text[WEIR_CANDIDATE_RULE + DESCRIPTION];
    const struct weir_rule_change change = {.who = drafts->options.who, .why = draft->why,
                                            .time = drafts->options.now};
    struct weir_kept_rule rule = {
        .id = weir_rule_id(weir_slice_of(draft->name)), .name = draft->name,
        .kind = draft->candidate.link ? WEIR_RULE_URI : WEIR_RULE_BODY, .text = text,
        .state = WEIR_RULE_DRAFT, .score = WEIR_DRAFT_SCORE, .base = WEIR_DRAFT_SCORE,
        .author = WEIR_DRAFTS_AUTHOR};
    int rc = WEIR_EINVAL;

    snprintf(text, sizeof text, "%s\ndescribe %s %s that people reported as missed\n%s%s%s",
             draft->rule, draft->name,
             draft->candidate.link ? "Links as in spam" : "Says what spam says",
             draft->candidate.link ? "" : "tflags ", draft->candidate.link ? "" : draft->name,
             draft->candidate.link ? "" : " nosubject\n");
    for (int i = 0; i < IDS_TRIED && rc == WEIR_EINVAL; i++, rule.id++) {
        rc = weir_database_rule_put(writing, &rule, &change);
        *id_r = rule.id;
    }
    return rc;
}

/* A draft that the rulebook has no place for makes a note. */
static void pass_over(struct weir_drafting *drafting, size_t number, int why)
{
    struct weir_draft *draft = &drafting->draft[number];

    if (drafting->notes < WEIR_DRAFTING_NOTES)
        drafting->note[drafting->notes++] = (struct weir_draft_note){
            .reports = draft->reports, .messages = draft->messages, .uid = draft->uid[0],
            .why = why == WEIR_ELIMIT ? "the rulebook is full"
                                      : "other rules have its name or the numbers it could have"};
    drafting->drafts--;
    memmove(draft, draft + 1, (drafting->drafts - number) * sizeof *draft);
}

static int store_one(struct weir_drafts *drafts, struct weir_database *writing, size_t number)
{
    const struct weir_draft *draft = &drafts->drafting.draft[number];
    struct weir_drafts_row row = {.time = drafts->options.now, .name = draft->name,
                                  .link = draft->candidate.link, .servers = draft->servers,
                                  .uid = draft->uid, .uids = draft->uids};
    const struct weir_audit audit = {.time = drafts->options.now, .who = drafts->options.who,
                                     .what = "rules draft", .detail = draft->name};
    char text[WEIR_CANDIDATE_RULE];
    int rc = put_rule(drafts, writing, draft, &row.rule);

    if (rc == WEIR_ELIMIT || rc == WEIR_EINVAL) {
        pass_over(&drafts->drafting, number, rc);
        return 0;
    }
    if (rc <= 0)
        return rc;
    snprintf(text, sizeof text, "%.*s", (int)draft->candidate.text.len, draft->candidate.text.at);
    row.text = text;
    rc = weir_database_draft_add(writing, &row);
    return rc < 0 ? rc : weir_database_audit_add(writing, &audit);
}

/* Unless a person has decided something else of it meanwhile. */
static int withdraw_one(void *context, struct weir_kept_rule *rule)
{
    (void)context;
    if (rule->state != WEIR_RULE_ACTIVE && (rule->state != WEIR_RULE_TEST || !rule->approved))
        return 1;
    rule->state = WEIR_RULE_TEST;
    rule->approved = false;
    return 0;
}

static int withdraw(const struct weir_drafts *drafts, struct weir_database *writing)
{
    const struct weir_rule_change change = {
        .who = drafts->options.who, .time = drafts->options.now,
        .why = "a message that is known to be good has what it looks for"};
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < drafts->lives; i++)
        if (drafts->live[i].withdrawn)
            rc = weir_database_rule_edit(writing, drafts->live[i].rule, withdraw_one, NULL,
                                         &change);
    return rc;
}

static int store_all(struct weir_drafts *drafts, struct weir_database *writing)
{
    const struct weir_drafting *drafting = &drafts->drafting;
    int rc = 0;

    for (size_t i = 0, left; rc >= 0 && i < drafting->drafts; i += drafting->drafts == left) {
        left = drafting->drafts;
        rc = store_one(drafts, writing, i);
    }
    return rc;
}

int weir_drafts_store(struct weir_drafts *drafts, struct weir_database *writing)
{
    int rc = weir_database_begin(writing);

    if (rc < 0)
        return rc;
    rc = withdraw(drafts, writing);
    rc = rc < 0 ? rc : weir_revive_store(drafts, writing);
    rc = rc < 0 ? rc : store_all(drafts, writing);
    rc = rc < 0 ? rc : weir_database_drafts_expire(writing, drafts->options.now -
                                                            WEIR_DRAFTS_KEPT * WEIR_DAY);
    if (rc >= 0)
        return weir_database_commit(writing);
    weir_database_abandon(writing);
    return rc;
}
