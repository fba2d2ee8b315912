/*
 * judge_rig - judges on real stores in a folder of the test's own: lists.db, counters.db, a rule
 * folder, keys and a spool.  Time is handed in.
 */
#ifndef WEIR_TESTS_JUDGE_RIG_H
#define WEIR_TESTS_JUDGE_RIG_H

#include "core/engine/judges_io.h"
#include "core/engine/rule_set_io.h"

#define RIG_NOW (1795341600 * WEIR_SECOND)

struct judge_rig {
    char folder[64], rules[96];
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_stores stores;
    struct weir_log log;
    char logged[4096];             /* the last lines of the log */
    struct weir_judges *judges;
    struct weir_judge *judge;
    struct weir_mail mail;         /* what rig_judge() judges; begins as a plain one */
    weir_time now;
};

int rig_set_up(void **state);
int rig_tear_down(void **state);

/* Opens judges with the configuration as it is now; again after a change of it. */
void rig_open(struct judge_rig *rig);

/* Writes a rule file and makes the set; 0 or what weir_rule_set_make says. */
int rig_rules(struct judge_rig *rig, const char *text);

/* Judges octets from client, sent by sender. */
const struct weir_judgement *rig_judge(struct judge_rig *rig, const char *client,
                                       const char *sender, const char *octets);

/* A short message from an author. */
const char *rig_message(struct judge_rig *rig, const char *from, const char *body);

/* Votes of people about mail of this address for this domain. */
void rig_vote(struct judge_rig *rig, const char *client, const char *domain,
              enum weir_vote_verdict verdict, int times);

void rig_list(struct judge_rig *rig, enum weir_list list, const char *what);

/* The same with points (list score), or deferred (blacklist). */
void rig_list_more(struct judge_rig *rig, enum weir_list list, const char *what, double points,
                   bool defer);

/* The points a rule gave, or NAN when it is not among them. */
double rig_points(const struct weir_judgement *judgement, const char *name);

#endif
