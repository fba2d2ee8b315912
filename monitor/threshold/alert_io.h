/*
 * alert_io - tells analysts: in the log, by mail through sendmail and as JSON to a webhook
 * in messages that gather what came meanwhile (claims A8, A19, A35).
 *
 *     weir_alerts_log() -> log:     the first of a window at once, the rest in one line at its end
 *     alert_owed_io.h   -> mail:    group -> sendmail, a child of its own process group, no shell
 *                       -> webhook: group -> HTTP POST
 *
 * Mail and webhook are channels, each with a thread, so that nobody waits for them, and neither
 * for the other.  A channel keeps nothing that waits: what is owed stands in the database, and a
 * message is composed of it when its channel is idle and its pace lets it.  The first failure of
 * a row of them and its end are logged, all are counted.
 *
 * Owner:    the caller; the options' texts and templates are copied.
 * Threads:  weir_alerts_log(), weir_alerts_tick() and weir_alerts_count() from any.
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
    const char *what;            /* "alerts", in the log; static */
    const char *setting;         /* "alert": what its settings' names begin with; static */
    unsigned way;                /* of its mail, among the ways of database_owed_io.h; its webhook
                                  * is the next */
    const char *mail;            /* recipients with commas between; "" for no mail */
    const char *sendmail;        /* absolute path of a program */
    const char *webhook;         /* http:// or https://; "" for none */
    const char *console;         /* its address, which alerts link to; "" where there is none */
    const struct weir_template *mail_template, *webhook_template; /* template.h; NULL: our words */
    weir_time window;            /* of lines in the log, too */
    unsigned hour_most;          /* messages an hour and channel */
    weir_time timeout;           /* 0: WEIR_ALERT_TIMEOUT */
    int wake;                    /* an eventfd that is written to when a message was handed over, or
                                  * could not be: that is to be noted soon; -1: none */
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

/* It is to be closed: what is being handed over gets WEIR_ALERT_CLOSING from now on.  Then: waits
 * until nothing is.  Neither with a lock that others want. */
void weir_alerts_hurry(struct weir_alerts *alerts);
void weir_alerts_wait(struct weir_alerts *alerts);

/* What is being handed over is given up when it was not hurried before. */
void weir_alerts_close(struct weir_alerts **alerts);

/* Quick: never waits for a channel.  One under a silence is in the log, too. */
void weir_alerts_log(struct weir_alerts *alerts, const struct weir_alert *alert);

/* Lets the log have what a window gathered that has ended: now and then, every second or so. */
void weir_alerts_tick(struct weir_alerts *alerts);

/* Whether any channel tells; whether what came of a message is not noted yet. */
bool weir_alerts_any(const struct weir_alerts *alerts);
bool weir_alerts_ended(struct weir_alerts *alerts);

struct weir_alerts_counts {
    uint64_t alerts;             /* logged */
    uint64_t messages;           /* handed over */
    uint64_t failures;           /* of handing over */
    uint64_t silenced;           /* of those logged */
};

void weir_alerts_count(struct weir_alerts *alerts, struct weir_alerts_counts *counts_r);

#endif
