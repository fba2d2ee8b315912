/*
 * ladder_impl - the ladder from inside: steps (ladder.c) and what a block or score must pass
 * (ladder_caps.c).
 */
#ifndef WEIR_THRESHOLD_LADDER_IMPL_H
#define WEIR_THRESHOLD_LADDER_IMPL_H

#include "monitor/threshold/allowance.h"
#include "monitor/threshold/ladder.h"

#define WEIR_LADDER_LONGEST (3660 * WEIR_DAY)

enum { LADDER_SERVERS = 32, LADDER_NOBODY = LADDER_SERVERS }; /* as the watch tells them apart */

/* What a prefix has come to. */
struct ladder_record {
    struct weir_watch_event event; /* the one that was answered last */
    char class_name[32];           /* its class */
    weir_time last, ends;          /* the last event; the step's end */
    weir_time grace;               /* no next step before that */
    weir_time taken;               /* when the step was, by the wall clock; 0: long ago */
    uint64_t beyond;               /* the watch's number when the step was taken */
    uint32_t next;                 /* in its chain, or among the spare ones */
    uint32_t step, repeated;
    uint8_t raised;                /* a bit for each quantity */
    uint8_t owner;                 /* the one server by whose word it was made, or LADDER_NOBODY */
    bool used, withheld;           /* withheld: the block or score of its step */
    bool by_word;                  /* with more servers it might not have been withheld */
    bool observed;                 /* its step was only told */
};

/* How many blocks, or scores, may be decided. */
struct ladder_caps {
    unsigned hour, server_hour;
    struct weir_allowance all, server[LADDER_SERVERS];
};

struct weir_ladder {
    struct weir_ladder_options options;
    struct weir_ladder_class class[WEIR_LADDER_CLASSES_MAX];
    struct ladder_record *record;
    uint32_t *chain;
    uint32_t spare;
    uint32_t owned[LADDER_SERVERS + 1]; /* records */
    struct ladder_caps blocks, scores;
    weir_time now;                 /* of clock and events, never going back */
    weir_time wall;                /* as the caller said it last */
    void (*decided)(void *context, const struct weir_ladder_decision *decision);
    void *context;
    struct weir_ladder_counts counts;
};

/* Whether it is a network for which fewer servers than the quorum account. */
bool weir_ladder_lacks_servers(const struct weir_ladder *ladder, const struct weir_prefix *prefix,
                               uint32_t servers);

/* Why there must be no block or score for an event now, or NULL; counts what caps withhold.
 * *by_word_r: by the word of more servers it might be another. */
const char *weir_ladder_withheld(struct weir_ladder *ladder, const struct weir_watch_event *event,
                                 enum weir_response wanted, bool *by_word_r);

/* Counts a block or score against the caps of all and of the servers that saw it. */
void weir_ladder_spend(struct weir_ladder *ladder, enum weir_response response, uint32_t servers,
                       weir_time time);

/* The text for an entry of a list, or for an analyst. */
void weir_ladder_reason(const struct weir_watch_event *event, unsigned step, unsigned repeated,
                        char reason[static WEIR_REASON_MAX + 1]);

#endif
