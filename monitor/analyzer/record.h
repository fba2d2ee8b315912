/*
 * record - a decision as a server's log tells it, believed only as far as it is signed.
 *
 * What is counted is what the spam-info string says, never the words beside it; and a server speaks
 * for itself alone: a string that another one made is foreign in its log, whoever put it there.
 * Strings of servers without a number, 0, are anybody's.  Some of the words beside it are kept for
 * people to read, as the server's word.
 *
 * Threads:  pure.
 * Limits:   those of spool_line.h and info.h.
 * See also: claims B15, B20.
 */
#ifndef WEIR_ANALYZER_RECORD_H
#define WEIR_ANALYZER_RECORD_H

#include "core/engine/info.h"

enum weir_record_state {
    WEIR_RECORD_GOOD,
    WEIR_RECORD_OTHER,       /* the line tells of no decision about a message */
    WEIR_RECORD_FOREIGN,     /* another server's */
    WEIR_RECORD_UNKNOWN_KEY, /* signed with a key we have not */
    WEIR_RECORD_BAD,         /* forged or damaged */
    WEIR_RECORD_STATES
};

/* What the line says beside the string: unsigned, told to people, never counted. */
struct weir_record_beside {
    char queue_id[WEIR_QUEUE_ID_MAX + 1]; /* "": not told, as the next ones */
    const char *action, *ground, *basis;  /* static text; never NULL where a line was read */
    double confidence;                    /* of the reputation; less than 0: not told */
    bool has_limits;
    double unsure, spam, reject;          /* limits of the score, where has_limits */
};

struct weir_record {
    struct weir_info info;
    struct weir_record_beside beside;
    bool again;              /* counted before: no news but what is beside it, if that */
};

/* Of a decision that is known by a report alone. */
struct weir_record_beside weir_record_beside_nothing(void);

/* "good", "other", "foreign", "unknown-key", "bad".  Static text. */
const char *weir_record_state_name(enum weir_record_state state);

/* Reads a line of the log of the server with a number; record_r is filled in when it is good. */
enum weir_record_state weir_record_read(struct weir_slice line, uint64_t server,
                                        const struct weir_info_keys *keys,
                                        struct weir_record *record_r);

#endif
