/*
 * drafts_impl - what the parts of drafts share: drafts_io.c (reading, deciding), drafts_store_io.c.
 */
#ifndef WEIR_ANALYZER_DRAFTS_IMPL_H
#define WEIR_ANALYZER_DRAFTS_IMPL_H

#include "monitor/analyzer/drafts_io.h"
#include "monitor/analyzer/ham_sample.h"
#include "monitor/analyzer/rescan.h"
#include "monitor/database/database_drafts_io.h"
#include "monitor/database/database_rules_io.h"

/* A rule that was drafted before, and works or is to work. */
struct live {
    uint32_t rule;
    char name[WEIR_DRAFT_NAME];
    struct weir_candidate says;
    bool withdrawn;
};

/* A message that is good by people's votes, and whose these are. */
struct ham {
    const struct weir_features *features;
    const uint64_t *person;
    size_t persons;
};

struct wanted {
    char name[WEIR_DRAFT_NAME];
    int number;                /* in the sample; less than 0: it is as if it were in good mail */
};

/* A rule that the analyzer retired: what of missed spam it would hit. */
struct retired {
    uint32_t id;
    char name[WEIR_RULE_NAME_MAX + 1];
    weir_time updated;
    size_t messages, reports, users;
    uint64_t *user;            /* those that are counted; NULL: none yet */
    char why[WEIR_REVIVE_WHY];
};

struct weir_drafts {
    struct weir_drafts_options options;
    struct weir_database *reading;
    struct weir_drafting drafting;
    struct weir_arena *arena, *scratch;
    struct weir_domains *domains;
    struct weir_charsets *charsets;
    struct weir_rescan *rescan;
    struct weir_draft_message *message;
    size_t messages, message_room;
    struct ham *ham;
    size_t hams, ham_room;
    uint64_t *person;          /* who say that a candidate is in good mail: options.people */
    const char **own;          /* domains people who report are in */
    size_t owns, own_room;
    struct weir_draft_vote *vote; /* of the message that is read */
    size_t votes, vote_room;
    struct weir_ham_sample *sample;
    struct wanted *wanted;     /* of the sample: its texts by their rules' names */
    size_t wanteds, wanted_room;
    struct live *live;
    size_t lives, live_room;
    struct retired *retired;   /* by id; in the end those that are revived */
    size_t retireds, retired_room;
    bool collecting;           /* candidates are collected only */
    uint64_t lessons;          /* good messages known by their tokens */
    struct weir_drafts_counts counts;
};

/* revive.c: reads which rules may come back, whose ids last as long as the run; takes a message
 * that was read and matched, and its votes; decides when all are read; stores, in the caller's
 * transaction.  0 or an error. */
int weir_revive_read(struct weir_drafts *drafts, const uint32_t **id_r, size_t *ids_r);
int weir_revive_take(struct weir_drafts *drafts, const struct weir_drafts_text *text);
void weir_revive_decide(struct weir_drafts *drafts);
int weir_revive_store(const struct weir_drafts *drafts, struct weir_database *writing);

#endif
