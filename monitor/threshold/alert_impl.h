/*
 * alert_impl - the channels of alert_io.c, what they are given to hand over (alert_owed_io.c), and
 * how they do: alert_mail_io.c, alert_webhook_io.c.
 */
#ifndef WEIR_THRESHOLD_ALERT_IMPL_H
#define WEIR_THRESHOLD_ALERT_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "monitor/threshold/alert_io.h"
#include "monitor/threshold/alert_text.h"

#define WEIR_ALERT_WHY 256
#define WEIR_ALERT_HOST 128

enum alert_state { ALERT_IDLE, ALERT_UNDER_WAY, ALERT_TOLD, ALERT_FAILED };

/* A row of what is owed that is in the message. */
struct alert_row {
    int64_t number, event;
    unsigned again;
};

struct alert_channel {
    const char *name;            /* "mail", "webhook" */
    unsigned way;                /* database_owed_io.h */
    const struct weir_alerts_options *options;
    const struct weir_log *log;
    bool (*hand_over)(struct alert_channel *channel, char why[static WEIR_ALERT_WHY]);
    struct weir_clock steady, wall;
    char host[WEIR_ALERT_HOST];
    pthread_t thread;
    bool runs;
    uint64_t dropped, dropped_told; /* of what it owed, the oldest: of all, and in the log */
    weir_time dropped_at;        /* steady: last line about it; 0: none */
    atomic_int_fast64_t deadline; /* steady: nothing lasts beyond it; INT64_MAX until closing */

    /* Whose message it is: the thread's while it is under way, else the caller's. */
    struct weir_alert_group sending;
    struct alert_row *row;       /* the caller's: all that is in it */
    size_t rows, room;

    pthread_mutex_t lock;        /* of all below */
    pthread_cond_t wake, ended;
    enum alert_state state;
    struct weir_alert_pace pace;
    weir_time due;               /* steady: not before that */
    uint64_t messages, failures;
    bool stopping, troubled;
};

enum { ALERT_MAIL, ALERT_WEBHOOK, ALERT_CHANNELS };

struct weir_alerts {
    struct weir_alerts_options options; /* of its texts, own copies */
    const struct weir_log *log;
    struct alert_channel channel[ALERT_CHANNELS];
    atomic_uint_fast64_t added, silenced;
    struct weir_clock steady;
    pthread_mutex_t lines_lock;
    struct weir_alert_lines lines; /* of the log */

    /* Of alert_owed_io.c: with the database's lock. */
    bool settled;                /* what ways are owed that tell no more is gone */
    bool grown;                  /* rows were added since it was looked whether they are too many */
};

/* What came of the message that was sent last, until weir_alert_settled(): from then on it is the
 * caller's again. */
enum alert_state weir_alert_result(struct alert_channel *channel);
void weir_alert_settled(struct alert_channel *channel);

/* Whether a message may be sent now: it is idle, and its pace lets it, or it is closing. */
bool weir_alert_ready(struct alert_channel *channel, bool closing);

/* channel->sending is handed over by the thread. */
void weir_alert_send(struct alert_channel *channel);

/* When a message that begins now has to be done. */
weir_time weir_alert_deadline(struct alert_channel *channel);

/* Hand channel->sending over: true, or false with a reason. */
bool weir_alert_hand_to_sendmail(struct alert_channel *channel, char why[static WEIR_ALERT_WHY]);
bool weir_alert_hand_to_webhook(struct alert_channel *channel, char why[static WEIR_ALERT_WHY]);

#endif
