/*
 * dialogue_rig - SMTP dialogues as tests write them: turns of text, and what was heard of them
 * as lines.
 *
 *     accepted 250 <a@x> to <b@x> <c@x> 2+1 17     two recipients accepted, one refused, 17 octets
 *     unfinished 0 ? to 0+0 0 gap                  sender not known
 *     accepted 0 ? to 1+0 3120 estimate
 */
#ifndef WEIR_TESTS_DIALOGUE_RIG_H
#define WEIR_TESTS_DIALOGUE_RIG_H

#include "sniffer/dialogue.h"
#include "tests/unit/seeded.h"

/* One side's turn, 'C' or 'S'; 'F': as many octets of the client contradict others.  A turn
 * without side ends them. */
struct turn {
    char side;
    const char *text;
};

/* Turns that most dialogues have. */
#define GREETING {'S', "220 mx.example ESMTP\r\n"}, {'C', "EHLO c.example\r\n"}, \
                 {'S', "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n"}
#define ENVELOPE {'C', "MAIL FROM:<a@x>\r\n"}, {'S', "250 2.1.0 Ok\r\n"}, \
                 {'C', "RCPT TO:<b@y>\r\n"}, {'S', "250 2.1.5 Ok\r\n"}
#define GO_AHEAD {'C', "DATA\r\n"}, {'S', "354 go ahead\r\n"}
#define BYE {'C', "QUIT\r\n"}, {'S', "221 bye\r\n"}
/* The one that this envelope begins, with the octets of its body behind it. */
#define ACCEPTED "accepted 250 <a@x> to <b@y> 1+0 "

enum { DIALOGUE_WHOLE, DIALOGUE_OCTETS, DIALOGUE_PIECES };

struct dialogue_rig {
    struct weir_dialogue *dialogue;
    char told[8192];
    size_t len;
    weir_time now;
};

/* A dialogue whose messages are written to rig->told. */
void dialogue_rig_open(struct dialogue_rig *rig, struct weir_dialogue_options options);
void dialogue_rig_close(struct dialogue_rig *rig);

/* Feeds a turn, cut as told; seeded is used for pieces only. */
void dialogue_rig_turn(struct dialogue_rig *rig, const struct turn *turn, int cut,
                       struct seeded *seeded);

/* Feeds turns whole. */
void dialogue_rig_turns(struct dialogue_rig *rig, const struct turn *turns);

/* Octets that are no text, and octets that are missing. */
void dialogue_rig_octets(struct dialogue_rig *rig, char side, const void *octets, size_t len);
void dialogue_rig_gap(struct dialogue_rig *rig, char side, uint64_t len);

/* The ordinary options: names are kept. */
struct weir_dialogue_options dialogue_options(void);

/* Hears all turns and the end in one go; returns the sums, rig->told the messages. */
struct weir_heard dialogue_hear(struct dialogue_rig *rig, struct weir_dialogue_options options,
                                const struct turn *turns, int cut, struct seeded *seeded);

#endif
