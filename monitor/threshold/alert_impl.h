/*
 * alert_impl - a channel of alert_io.c and how it hands a message over: alert_mail_io.c,
 * alert_webhook_io.c.
 */
#ifndef WEIR_THRESHOLD_ALERT_IMPL_H
#define WEIR_THRESHOLD_ALERT_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "monitor/threshold/alert_io.h"
#include "monitor/threshold/alert_text.h"

#define WEIR_ALERT_WHY 256
#define WEIR_ALERT_HOST 128

struct alert_channel {
    const char *name;            /* "mail", "webhook" */
    const struct weir_alerts_options *options;
    const struct weir_log *log;
    bool (*hand_over)(struct alert_channel *channel, char why[static WEIR_ALERT_WHY]);
    struct weir_clock steady, wall;
    char host[WEIR_ALERT_HOST];
    pthread_t thread;
    bool runs;
    atomic_int_fast64_t deadline; /* steady: nothing lasts beyond it; INT64_MAX until closing */

    struct weir_alert_group sending; /* the thread's own */
    struct weir_alert_pace pace;

    pthread_mutex_t lock;        /* of all below */
    pthread_cond_t wake;
    struct weir_alert_group waiting;
    uint64_t messages, failures, under_way;
    bool stopping, troubled;
};

/* When a message that begins now has to be done. */
weir_time weir_alert_deadline(struct alert_channel *channel);

/* Hand channel->sending over: true, or false with a reason. */
bool weir_alert_hand_to_sendmail(struct alert_channel *channel, char why[static WEIR_ALERT_WHY]);
bool weir_alert_hand_to_webhook(struct alert_channel *channel, char why[static WEIR_ALERT_WHY]);

#endif
