/*
 * dialogue_impl - what the files of a dialogue share.
 *
 *     dialogue.c          the outside: octets, gaps, TLS, whose turn it is
 *     dialogue_client.c   lines, bodies and chunks of the client
 *     dialogue_server.c   replies, and what each means for the command it answers
 *     dialogue_doubt.c    replies that cannot be to what the client seems to have said
 *     dialogue_message.c  the message at hand: begun, ended, told
 */
#ifndef WEIR_SNIFFER_DIALOGUE_IMPL_H
#define WEIR_SNIFFER_DIALOGUE_IMPL_H

#include "core/base/limits.h"
#include "sniffer/dialogue.h"
#include "sniffer/dialogue_command.h"
#include "sniffer/dialogue_names.h"
#include "sniffer/dialogue_queue.h"
#include "sniffer/dialogue_word.h"
#include "sniffer/proxy_header.h"
#include "sniffer/tls_estimate.h"

enum weir_client_state {
    WEIR_CLIENT_PREAMBLE, /* a PROXY header may come */
    WEIR_CLIENT_LINES,
    WEIR_CLIENT_BODY,     /* of DATA, granted; its final reply is due */
    WEIR_CLIENT_CHUNK,    /* of BDAT */
    WEIR_CLIENT_RECORDS,  /* looks like TLS, which the server has to confirm */
};

/* Whether the queue is in step with the replies. */
enum weir_step {
    WEIR_STEP_SURE,
    WEIR_STEP_LOST,   /* octets are missing: what is behind them is not put into the queue */
    WEIR_STEP_TRYING, /* since the server's turn ended; sure when one turn comes out even */
};

struct weir_client {
    enum weir_client_state state;
    uint32_t len;        /* octets of the line at hand */
    uint8_t last;        /* the octet before the next one */
    bool after_crlf;     /* the line began behind CR LF */
    bool cut;            /* its beginning may be missing */
    bool answer;         /* it answers a 334, and is no command */
    bool blind;          /* behind a DATA that waits: perhaps in the body already */
    bool lone_dot;       /* a dot ended by less than CR LF was seen in this body ... */
    bool at_lone_dot;    /* ... just now */
    bool gap;            /* octets of this body are missing ... */
    bool deaf;           /* ... or of the server, meanwhile */
    uint64_t body;       /* octets since DATA, blind or not */
    uint64_t chunk_left;
    char text[WEIR_PROXY_MAX];
};

struct weir_server {
    uint32_t len;        /* of the line */
    uint32_t reply_len;  /* of the reply, all its lines */
    bool cut;            /* the line's beginning may be missing */
    bool more;           /* within a reply of several lines */
    uint8_t odd;         /* lines that were no replies */
    unsigned recipients; /* that it said it accepts, since the last message or its MAIL */
    unsigned each;       /* replies to come, one for each recipient and the last (PRDR); 0: none */
};

struct weir_message {
    bool open;
    bool gap;
    weir_time begun;
    unsigned recipients_accepted, recipients_rejected;
    unsigned refusal;    /* of DATA or BDAT; the message may still come */
    uint64_t bytes;
};

struct weir_dialogue {
    struct weir_dialogue_options options;
    struct weir_dialogue_handler handler;
    struct weir_heard heard;
    weir_time now;
    enum weir_side spoke;
    enum weir_step step;
    bool replied;        /* since the step was lost */
    bool secure;         /* TLS */
    bool spoken;         /* the client said anything at all */
    bool doubt;          /* the server's words count by themselves */
    struct weir_client client;
    struct weir_server server;
    struct weir_queue queue;
    struct weir_names names;
    struct weir_message message;
    struct weir_tls_estimate estimate;
    bool estimate_gap;   /* since the last estimated message */
    bool told_client;    /* by an XCLIENT that waits for its reply, ... */
    bool told_unknown;   /* ... which says that there is none to tell */
    struct weir_address told_address;
    uint16_t told_port;
    unsigned queued, queued_least, queued_most;
    char server_text[WEIR_DIALOGUE_REPLY_KEPT]; /* of a line that came in pieces */
};

_Static_assert(sizeof(struct weir_dialogue) <= 2048, "below 2 KiB without names");
_Static_assert(WEIR_DIALOGUE_LINE_MAX <= WEIR_PROXY_MAX, "the room for a line is that of a header");

/* Octets of one side in the clear, at least one: how many of them were taken. */
size_t weir_client_take(struct weir_dialogue *dialogue, struct weir_slice octets);
size_t weir_server_take(struct weir_dialogue *dialogue, struct weir_slice octets);
void weir_client_gap(struct weir_dialogue *dialogue, uint64_t len);
void weir_server_gap(struct weir_dialogue *dialogue);

/* DATA was granted: what follows, or followed, is a body. */
void weir_client_grant(struct weir_dialogue *dialogue);
/* The body is over by the server's word. */
void weir_client_stop_body(struct weir_dialogue *dialogue);
/* A chunk that the server takes for commands. */
void weir_client_drop_chunk(struct weir_dialogue *dialogue);

/* There is no chunk: what comes next are lines. */
void weir_client_leave_chunk(struct weir_dialogue *dialogue);

/* Notes what a reply, but 354, says by itself, of whose last line the beginning is given, and
 * whether it can be to the command in front.  True: nothing more is to be done about it. */
bool weir_doubt_reply(struct weir_dialogue *dialogue, unsigned code, struct weir_slice line);
/* 354 came, and the first DATA waits at this place of the queue. */
void weir_doubt_grant(struct weir_dialogue *dialogue, size_t at);
/* A body was answered before its end was heard. */
void weir_doubt_body(struct weir_dialogue *dialogue, unsigned code);
/* What the client says is not what the server hears. */
void weir_doubt(struct weir_dialogue *dialogue);

/* A command in front that no reply is to. */
void weir_server_pass_over(struct weir_dialogue *dialogue);
/* The reply to a body: it was taken, or refused. */
void weir_server_final(struct weir_dialogue *dialogue, unsigned code);

/* The queue is no longer in step with the replies. */
void weir_dialogue_lose_step(struct weir_dialogue *dialogue);
/* From now on all is TLS. */
void weir_dialogue_secure(struct weir_dialogue *dialogue);
/* The server speaks in the clear all the same. */
void weir_dialogue_unsecure(struct weir_dialogue *dialogue);
/* Hears nothing more. */
void weir_dialogue_lose(struct weir_dialogue *dialogue);

void weir_message_begin(struct weir_dialogue *dialogue);
/* Ends the message at hand, if there is one; reply 0: not seen. */
void weir_message_end(struct weir_dialogue *dialogue, enum weir_heard_result result,
                      unsigned reply);
/* It is for as many recipients as the server said by itself, and for so many at least. */
void weir_message_believe_server(struct weir_dialogue *dialogue, unsigned least);
/* Ends it without a final reply: rejected when its body was refused, else unfinished. */
void weir_message_abandon(struct weir_dialogue *dialogue);
void weir_message_estimated(struct weir_dialogue *dialogue, unsigned count);

#endif
