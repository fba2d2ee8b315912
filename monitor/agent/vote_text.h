/*
 * vote_text - votes as JSON, from the monitor to a mail server's agent.
 *
 *     {"you": 3, "newest": 12, "votes": [{"number": 12, "uid": "00f1...", "judged_by": 3,
 *      "told_by": 4, "at": 1795341600, "address": "192.0.2.7", "domain": "d.example",
 *      "computer": "spam", "stranger": false, "new_group": false, "was": "", "is": "ham"}]}
 *
 * Owner:    texts that are made are the caller's.  Threads: pure functions.
 * Errors:   WEIR_EINVAL for text that is not this; a vote that cannot be read is not good, and no
 *           error; WEIR_ENOMEM.
 * Limits:   WEIR_VOTES_PAGE votes.
 */
#ifndef WEIR_AGENT_VOTE_TEXT_H
#define WEIR_AGENT_VOTE_TEXT_H

#include <jansson.h>

#include "core/base/address.h"
#include "core/base/cursor.h"
#include "core/base/clock.h"
#include "core/evidence/reputation.h"
#include "core/mail/domain.h"

#define WEIR_VOTES_PAGE 256

struct weir_vote_text {
    int64_t number;
    bool good;                   /* read: else nothing but the number is told */
    uint64_t uid;
    uint64_t judged_by, told_by; /* numbers of servers */
    weir_time at;                /* of the message, whole seconds */
    struct weir_address address;
    char domain[WEIR_DOMAIN_TEXT];
    struct weir_counted counted;
    enum weir_said was, is;      /* what people said of it; UNSURE: they did, but it
                                  * adds nothing */
};

struct weir_votes_text {
    uint64_t you;                /* the number of the server that asked */
    int64_t newest;
    size_t votes;
    struct weir_vote_text vote[WEIR_VOTES_PAGE]; /* numbers grow */
};

/* Reads what a monitor answered. */
int weir_votes_text_read(struct weir_slice text, struct weir_votes_text *votes_r);

/* One vote; NULL when memory is short. */
json_t *weir_vote_text_json(const struct weir_vote_text *vote);

#endif
