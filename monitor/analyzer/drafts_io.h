/*
 * drafts - a run over reported messages: what of missed spam no rule catches by now, in clusters,
 * becomes drafts of rules (drafting.h; claim B32).
 *
 *     weir_drafts_new()     reads, on a handle of its own: texts, votes, the rulebook, what is
 *                           known to be good; decides
 *     weir_drafts_store()   writes, one transaction: rules in state draft with their history, what
 *                           they were made of, a line of the audit
 *
 * Each missed message is matched with the rulebook as it is: when rules would make it spam by now,
 * or a rule that was drafted before hits it, it only counts.  A rulebook that makes no rule set
 * tells nothing of any message: nothing is drafted then, and weir_drafts_trouble() says so.
 *
 * A draft may hit nothing that is known to be good: messages that people reported as ham, by their
 * text, and those that the Bayesian classifier has learned as ham, by their tokens (ham_sample.h).
 * So many people must have reported what it hits, or what was learned for their word alone: one
 * may be who sent the spam; what he says is told with the draft.
 * Both together have to be so many (drafting.h).  Nor may it name a domain that the people who
 * report are in.  What a long message has no tokens for is not seen; neither is mail that no rule
 * and nobody said is good.
 *
 * A rule that was drafted, approved, and then is in a message that is known to be good goes to the
 * test and needs a person's approval again, unless he decided something else of it meanwhile.  This
 * does not hang on new drafts: one that the rulebook has no place for is a note.
 *
 * A rule that the analyzer retired, whose draft nobody rejected, and which would hit what people
 * reported within WEIR_REVIVE_WITHIN and was missed, goes back to the test: by so many reports of
 * so many people as make a draft.  Not one that a formula at work names; and none that came back
 * within the idle time, unless mail hit it since.
 *
 * Owner:    the caller.  Threads: one at a time.
 * Errors:   those of the database; WEIR_ENOMEM.
 * Limits:   WEIR_DRAFTS_TEXTS_MAX, WEIR_DRAFTS_OCTETS_MAX; WEIR_REVIVE_RULES_MAX retired rules,
 *           those retired last.  A message takes about a millisecond.
 */
#ifndef WEIR_ANALYZER_DRAFTS_IO_H
#define WEIR_ANALYZER_DRAFTS_IO_H

#include "monitor/analyzer/drafting.h"
#include "monitor/database/database_io.h"

#define WEIR_REVIVE_WITHIN (7 * WEIR_DAY)
#define WEIR_REVIVE_RULES_MAX 10000
#define WEIR_REVIVE_WHY 160

struct weir_drafts;

struct weir_drafts_options {
    struct weir_drafting_settings settings; /* left and left_server: of a day */
    struct weir_hash_key token_key; /* of the tokens of good mail */
    const char *suffixes;      /* of domain.h, or "" */
    unsigned people;           /* whose word makes mail good */
    double spam_score;
    weir_time now, idle;       /* idle: of [analyzer] */
    const char *who;           /* "analyzer", "uid 0" */
};

struct weir_drafts_counts {
    size_t missed, caught, covered; /* reported as spam; judged or caught by now; by a draft */
    size_t clusters, enough;
    uint64_t ham;              /* good messages they were tried on */
    bool too_little_ham;
};

/* Decides, and stores nothing.  0 or an error. */
int weir_drafts_new(struct weir_database *reading, const struct weir_drafts_options *options,
                    struct weir_drafts **drafts_r);
void weir_drafts_free(struct weir_drafts **drafts);

/* Stores what was decided; drafts that there is no place for become notes.  0, or an error, and
 * nothing was stored. */
int weir_drafts_store(struct weir_drafts *drafts, struct weir_database *writing);

/* By number 0..; NULL behind the last. */
const struct weir_draft *weir_drafts_get(const struct weir_drafts *drafts, size_t number);
const struct weir_draft_note *weir_drafts_note(const struct weir_drafts *drafts, size_t number);
/* The name of a rule whose approval is taken back. */
const char *weir_drafts_withdrawn(const struct weir_drafts *drafts, size_t number);
/* The name of a rule that goes back to the test, and why. */
const char *weir_drafts_revived(const struct weir_drafts *drafts, size_t number,
                                const char **why_r);
struct weir_drafts_counts weir_drafts_counts(const struct weir_drafts *drafts);
/* Why there are no drafts; "": nothing is in the way. */
const char *weir_drafts_trouble(const struct weir_drafts *drafts);

#endif
