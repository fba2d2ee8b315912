/*
 * told - what there is to score rules by, read from the database: what they hit and what they are
 * blamed for, as far as it counts, whoever told it (shares.h; claims B1, B4, B33).
 *
 * Owner:    what a row gets lives as long as the call.  Threads: the database's.
 * Errors:   those of the database; WEIR_ENOMEM; what a row returns.
 * Limits:   WEIR_HIT_SERVERS_MAX accounts: some 24 MB meanwhile.
 */
#ifndef WEIR_ANALYZER_TOLD_IO_H
#define WEIR_ANALYZER_TOLD_IO_H

#include "monitor/analyzer/hits.h"
#include "monitor/analyzer/shares.h"
#include "monitor/database/database_io.h"

struct weir_told {
    struct weir_hits_rule hits;  /* decayed up to now, as it was counted */
    struct weir_weighed weighed; /* what is to score it */
    const char *server;          /* the name of weighed.server; "": no server's word was bounded */
};

/* What rules hit, in the order of their ids, where one server tells at most so many times what all
 * others told (0: not bounded); *all_r: all messages, decayed up to now, as they were counted. */
int weir_told_hits(struct weir_database *reading, weir_time now, double most,
                   int (*row)(void *context, const struct weir_told *told), void *context,
                   struct weir_score_counts *all_r);

struct weir_told_blame {
    uint32_t rule;
    unsigned messages, people;   /* false positives that people reported, and who did */
    unsigned counted;            /* of the messages */
};

/* What rules are blamed for since a time, in the order of their ids, when so many messages demote
 * them. */
int weir_told_blame(struct weir_database *reading, weir_time since, unsigned demote, double most,
                    int (*row)(void *context, const struct weir_told_blame *blame),
                    void *context);

#endif
