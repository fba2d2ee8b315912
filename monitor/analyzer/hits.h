/*
 * hits - what rules hit, counted from the spam-info strings of all servers (claims B4, B23).
 *
 *     strings of the logs -> weir_hits_take() -> counts of each rule -> score.h, life.h
 *
 * Messages are counted by their verdict: spam when the score reaches the spam score, ham when it is
 * below the unsure score, and neither in between.  What a rule has proven goes by the verdict its
 * message would have had without it, and is the decayed counts'.  A rule that decides alone,
 * between spam and ham, proves nothing by it, neither for itself nor against: such a message counts
 * as neither there.  A report moves both:
 * "this was good" from spam to ham (and is a false positive of those that scored for spam), "this
 * was spam" from ham to spam; it can be taken back.
 *
 * Decayed counts lose half their weight in each half-life, by the message's own time, in whatever
 * order messages come (forward decay: Cormode and others, Forward Decay, ICDE 2009).
 *
 * The same by day of the message, for the last WEIR_HIT_DAYS days, as additions that are to be kept
 * (hit_days.h).
 *
 * Decayed counts are also kept by who told them (hit_servers.h): the server in whose log a decision
 * stood, or that told of a report that came before it.  A report moves the account of the server
 * that decided, where it has one, else that of the server that told of the report: nobody opens an
 * account in another's name.
 *
 * A decision is counted once: its number (uid) is remembered until at least as many more have come
 * as the settings say (seen.h).
 *
 * Owner:    the caller owns the hits, the hits its counts.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM: nothing was changed.  WEIR_EINVAL: settings out of range.
 * Limits:   WEIR_RULES_MAX rules, more are counted together as id 0; WEIR_HITS_SEEN_MAX numbers.
 */
#ifndef WEIR_ANALYZER_HITS_H
#define WEIR_ANALYZER_HITS_H

#include "core/base/keyed_hash.h"
#include "core/engine/info.h"
#include "monitor/analyzer/hit_days.h"
#include "monitor/analyzer/hit_servers.h"
#include "monitor/analyzer/score.h"

struct weir_hits;

struct weir_hits_settings {
    weir_time half_life;       /* of decayed counts: 30 days */
    double spam_score, unsure_score;
    uint64_t seen_most;        /* decisions remembered; 0: WEIR_HITS_SEEN_MAX */
    struct weir_hash_key key;  /* for numbers that others choose */
};

struct weir_hits_rule {
    uint32_t id;
    weir_time first_hit, last_hit;
    uint64_t hits, spam, ham;  /* messages: all; those that were spam, or ham */
    uint64_t false_positives;  /* of these, reported as good though it scored for spam */
    struct weir_score_counts decayed; /* without it; at the time asked for */
    bool changed;              /* since weir_hits_kept() */
};

enum weir_hits_taken {
    WEIR_HITS_COUNTED,
    WEIR_HITS_REPEATED,       /* it was counted before */
};

/* A half-life of 30 days. */
struct weir_hits_settings weir_hits_defaults(double spam_score, double unsure_score);

/* Counts that were decayed up to a time, as of now: with the half-life of the defaults. */
void weir_hits_decay(struct weir_score_counts *counts, weir_time at, weir_time now);

/* 0, WEIR_EINVAL, WEIR_ENOMEM. */
int weir_hits_new(const struct weir_hits_settings *settings, struct weir_hits **hits_r);
void weir_hits_free(struct weir_hits **hits);

/* Counts a decision that a server told, which was read and verified; one from the future is one of
 * now.  enum weir_hits_taken, or WEIR_ENOMEM. */
int weir_hits_take(struct weir_hits *hits, uint32_t server, const struct weir_info *info,
                   weir_time now);

/* Moves the hits of a decision that was counted by what a person says of it, as a server told, or
 * moves them back.  That it is reported once only is the caller's to know.  0 or WEIR_ENOMEM. */
int weir_hits_report(struct weir_hits *hits, uint32_t server, const struct weir_info *info,
                     bool spam, bool take_back, weir_time now);

/* Takes up what was counted before, decayed up to a time: after a restart.  0, WEIR_ENOMEM. */
int weir_hits_load(struct weir_hits *hits, const struct weir_hits_rule *rule, weir_time at);
int weir_hits_load_all(struct weir_hits *hits, const struct weir_score_counts *all,
                        weir_time at);
int weir_hits_load_told(struct weir_hits *hits, const struct weir_hit_server *told, weir_time at);

/* All messages, decayed up to a time. */
struct weir_score_counts weir_hits_all(const struct weir_hits *hits, weir_time at);

/* What a server told of a rule, or of WEIR_HIT_SERVERS_ALL, decayed up to a time, by number 0.. in
 * no order: 1, or 0 behind the last. */
int weir_hits_told(const struct weir_hits *hits, size_t number, weir_time at,
                   struct weir_hit_server *told_r);

/* What came to rules, and to WEIR_HIT_DAYS_ALL, by day since weir_hits_kept(). */
const struct weir_hit_days *weir_hits_days(const struct weir_hits *hits);

/* A person changed what a rule says, or put it back to work: what it has proven is forgotten, and
 * how often it hit is not. */
void weir_hits_renew(struct weir_hits *hits, uint32_t id);

/* The time of the latest message that is counted, or up to which what was loaded was decayed:
 * counts as of an earlier one would be more than there were messages. */
weir_time weir_hits_latest(const struct weir_hits *hits);

/* The clock was put back to a time: no hit is later, and what counts were worth at the latest time
 * they are worth now.  All of it is changed then; false: nothing was later.  Days are the
 * database's to move: to be done when they are kept. */
bool weir_hits_rebase(struct weir_hits *hits, weir_time now);

/* The numbers of decisions that were counted since then, in their order. */
const uint64_t *weir_hits_news(const struct weir_hits *hits, size_t *count_r);

/* Those that were counted before a restart: they are known.  0, WEIR_ENOMEM. */
int weir_hits_load_seen(struct weir_hits *hits, const uint64_t *number, size_t count);

/* All changes so far are kept somewhere. */
void weir_hits_kept(struct weir_hits *hits);

size_t weir_hits_rules(const struct weir_hits *hits);

/* By number 0..rules-1 in no order, or by id, decayed up to a time.  1, or 0 and zeros. */
int weir_hits_get(const struct weir_hits *hits, size_t number, weir_time at,
                   struct weir_hits_rule *rule_r);
int weir_hits_find(const struct weir_hits *hits, uint32_t id, weir_time at,
                    struct weir_hits_rule *rule_r);

#endif
