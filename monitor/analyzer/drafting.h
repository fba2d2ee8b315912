/*
 * drafting - from missed spam to drafts of rules: which clusters are big enough, what a rule about
 * them would say, and whether it may (claim B32).
 *
 *     messages of a cluster that nothing catches yet
 *       -> enough reports, people, domains? -> candidates.h, the best first
 *       -> do the messages it covers have enough of them, too?
 *       -> does it hit no good message?     -> a draft
 *
 * Who wants a rule against good mail has to be several people, in several domains, and to find a
 * text that no good message has; then a person looks at it, and then it is tried for a day.  What
 * one server alone tells of makes a quarter of a day's drafts at most.  A cluster that a person
 * rejected a draft of makes no other.
 *
 * Owner:    results in the caller's arena.  Threads: pure, but for what it is handed.
 * Errors:   WEIR_ENOMEM, and what weir_drafting.hits_ham returns.
 * Limits:   WEIR_DRAFTING_NOTES clusters that come to nothing are told.
 */
#ifndef WEIR_ANALYZER_DRAFTING_H
#define WEIR_ANALYZER_DRAFTING_H

#include "core/base/clock.h"
#include "monitor/analyzer/candidates.h"

#define WEIR_DRAFTING_NOTES 100
#define WEIR_DRAFT_NAME 32
#define WEIR_DRAFT_WHY 480
#define WEIR_DRAFT_SCORE 2.0

struct weir_draft_vote {       /* that stands and weighs: this message is spam */
    uint64_t user;
    uint64_t domain;           /* of the user: a hash */
    uint32_t server;
};

struct weir_draft_message {
    uint64_t uid;
    const struct weir_features *features;
    const struct weir_draft_vote *vote;
    size_t votes;
    bool caught;               /* judged spam then, or it would be by now */
    bool covered;              /* by a rule that was drafted before */
    bool rejected;             /* a draft that was made of it was */
};

struct weir_drafting_settings {
    size_t reports, users, domains; /* a cluster, and what a rule covers of it, needs so many */
    uint64_t ham_least;
    size_t left, left_server;  /* drafts that may be made now; of one server's messages */
};

struct weir_draft {
    char name[WEIR_DRAFT_NAME];
    struct weir_candidate candidate;
    char rule[WEIR_CANDIDATE_RULE];
    char why[WEIR_DRAFT_WHY];
    size_t reports, users, domains, servers, messages; /* of what it covers */
    const uint64_t *uid;       /* all messages of the cluster */
    size_t uids;
};

/* A cluster that is big enough and comes to nothing. */
struct weir_draft_note {
    size_t reports, messages;
    uint64_t uid;              /* of its first message */
    const char *why;           /* static text */
};

struct weir_drafting {
    /* By the caller. */
    struct weir_drafting_settings settings;
    struct weir_hash_key key;
    struct weir_arena *arena;
    const struct weir_draft_message *message;
    size_t messages;
    uint64_t ham;              /* how many good messages are known */
    /* 1: a good message has it, or there may be no rule of this name; 0; or an error. */
    int (*hits_ham)(void *context, const struct weir_candidate *candidate, const char *name);
    void *context;
    /* What comes of it. */
    struct weir_draft *draft;
    size_t drafts, draft_room;
    struct weir_draft_note note[WEIR_DRAFTING_NOTES];
    size_t notes;
    size_t clusters, enough;   /* all; those with enough reports, caught or not */
    bool too_little_ham;       /* ham is less than settings.ham_least: there are no drafts */
};

/* Fills in what comes of it.  0 or an error; weir_drafting_free() in both cases. */
int weir_drafting_run(struct weir_drafting *drafting);
void weir_drafting_free(struct weir_drafting *drafting);

#endif
