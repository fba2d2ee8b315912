/*
 * alert_io - tells analysts: in the log, by mail through sendmail and as JSON to a webhook
 * in messages that gather what came meanwhile (claims A8, A19, A35).
 *
 *     weir_alerts_add() -> log:     the first of a window at once, the rest in one line at its end
 *                       -> mail:    group -> sendmail, a child of its own process group, no shell
 *                       -> webhook: group -> HTTP POST
 *
 * Mail and webhook are channels, each with a thread, so that nobody waits for them, and neither
 * for the other.  A message that could not be handed over is merged with what comes later and
 * tried again; the first failure of a row and its end are logged, all are counted.  What is still
 * waiting when it is closed is handed over at once, or logged as not told; what waits when
 * the monitor is killed is in its database only.
 *
 * Owner:    the caller; the options' texts and templates are copied.
 * Threads:  weir_alerts_add(), weir_alerts_tick() and weir_alerts_count() from any.
 * Errors:   weir_alerts_open(): WEIR_EINVAL (recipient or URL, logged), WEIR_ENOMEM, WEIR_EIO.
 * Limits:   a message takes at most WEIR_ALERT_TIMEOUT until it is given up and its process
 *           group killed; closing at most WEIR_ALERT_CLOSING.  Certificates of a webhook are
 *           checked against the system's authorities; redirections are not followed.
 */
#ifndef WEIR_THRESHOLD_ALERT_IO_H
#define WEIR_THRESHOLD_ALERT_IO_H

#include "core/base/log.h"
#include "monitor/threshold/alert.h"
#include "monitor/threshold/template.h"

#define WEIR_ALERT_TIMEOUT (20 * WEIR_SECOND)
#define WEIR_ALERT_CLOSING (5 * WEIR_SECOND)

struct weir_alerts;

struct weir_alerts_options {
    const char *mail;            /* recipients with commas between; "" for no mail */
    const char *sendmail;        /* absolute path of a program */
    const char *webhook;         /* http:// or https://; "" for none */
    const char *console;         /* its address, which alerts link to; "" where there is none */
    const struct weir_template *mail_template, *webhook_template; /* template.h; NULL: our words */
    weir_time window;            /* of lines in the log, too */
    unsigned hour_most;          /* messages an hour and channel */
    weir_time timeout;           /* 0: WEIR_ALERT_TIMEOUT */
};

/* What is wrong with recipients or a URL: 0, or WEIR_EINVAL and a reason (static text).  "" is
 * right: none. */
int weir_alerts_check_mail(const char *mail, const char **why_r);
int weir_alerts_check_webhook(const char *url, const char **why_r);

/* Why mail cannot be handed to a program now; NULL when it can.  It may come later: no reason not
 * to open. */
const char *weir_alerts_check_program(const char *sendmail);

/* Opens the channels that are asked for; 0 or an error. */
int weir_alerts_open(const struct weir_alerts_options *options, const struct weir_log *log,
                     struct weir_alerts **alerts_r);

/* Hands over what waits, and nothing any more; the numbers can still be asked for. */
void weir_alerts_stop(struct weir_alerts *alerts);
void weir_alerts_close(struct weir_alerts **alerts);

/* Quick: never waits for a channel.  One under a silence is in the log and nowhere else. */
void weir_alerts_add(struct weir_alerts *alerts, const struct weir_alert *alert);

/* Lets the log have what a window gathered that has ended: now and then, every second or so. */
void weir_alerts_tick(struct weir_alerts *alerts);

struct weir_alerts_counts {
    uint64_t alerts;             /* added */
    uint64_t messages;           /* handed over */
    uint64_t failures;           /* of handing over */
    uint64_t silenced;           /* of those added */
    uint64_t waiting;            /* alerts that some channel has not told yet */
    uint64_t least;              /* of these, by the channel that has fewest */
};

void weir_alerts_count(struct weir_alerts *alerts, struct weir_alerts_counts *counts_r);

#endif
