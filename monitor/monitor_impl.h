/*
 * monitor_impl - the monitor's parts, shared by monitor_io.c (opening, the loop),
 * monitor_check_io.c (what is refused before that) and monitor_door_io.c (what agents and weirctl
 * ask).
 */
#ifndef WEIR_MONITOR_MONITOR_IMPL_H
#define WEIR_MONITOR_MONITOR_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/engine/stores_io.h"
#include "core/program/daemon_log_io.h"
#include "core/program/sd_notify_io.h"
#include "monitor/analyzer/counting_io.h"
#include "monitor/analyzer/publish_io.h"
#include "monitor/analyzer/texts_io.h"
#include "monitor/intake/admit_io.h"
#include "monitor/intake/ballots_io.h"
#include "monitor/intake/intake_io.h"
#include "monitor/intake/orders_io.h"
#include "monitor/intake/receiver_io.h"
#include "monitor/monitor_io.h"
#include "monitor/settled.h"
#include "monitor/sound.h"
#include "monitor/threshold/alert_io.h"
#include "monitor/threshold/alert_link.h"
#include "monitor/threshold/alert_silence.h"
#include "monitor/threshold/escalation_io.h"
#include "monitor/threshold/policy.h"
#include "monitor/threshold/responder_io.h"
#include "monitor/threshold/spared.h"
#include "monitor/threshold/template.h"

struct weir_admin;
struct weir_console;
struct weir_passwords;
struct weir_held_sessions;
struct weir_rulebook;

/* What the loop does again and again until it is done. */
enum weir_monitor_task {
    WEIR_TASK_EVENTS,
    WEIR_TASK_MINUTES,
    WEIR_TASK_SERVERS,
    WEIR_TASK_FORGET,
    WEIR_TASK_SYNC,
    WEIR_TASK_ANALYZE,
    WEIR_TASK_PUBLISH,
    WEIR_TASK_ALERTS,
    WEIR_TASKS
};

#define WEIR_TROUBLE 160

struct weir_monitor {
    struct weir_monitor_options options;
    struct weir_arena *arena;        /* of the configuration at the start */
    struct weir_arena *reloaded;     /* of the last one since, or NULL */
    struct weir_config config;
    struct weir_daemon_log log;
    pthread_mutex_t log_lock;
    struct weir_log shared_log;      /* for threads, and always the same: locks the daemon's */
    struct weir_clock wall, steady;
    struct weir_clock sound;         /* of both: dates what is counted and said (sound.h) */
    struct weir_notify notify;
    int signals, wake;
    int alone;                       /* holds the lock of the database's only monitor */
    struct weir_hash_key key;

    pthread_mutex_t lock;            /* of the database, responder, policy and trouble */
    char trouble[WEIR_TASKS][WEIR_TROUBLE]; /* with what was tried last; "": none */
    struct weir_database *database;
    struct weir_policy policy;
    struct weir_lists *lists;        /* of this machine, or NULL */
    struct weir_spared *spared;      /* under the receiver's lock */
    bool trying;                     /* a threshold is tried (monitor_trial_io.c); with the lock */
    struct weir_watch *watch;        /* the same */
    struct weir_texts *texts;
    struct weir_training *training;
    struct weir_counting *counting;
    struct weir_recent *recent;      /* what the console asks for first */
    struct weir_receiver *receiver;
    uint64_t booking;                /* the same; see receiver_io.h */
    struct weir_responder *responder;
    struct weir_alerts *alerts;
    struct weir_monitor_templates {
        struct weir_template *mail, *webhook, *escalation; /* NULL: our own words */
    } templates;
    struct weir_alerts *again;       /* of what nobody acknowledged; NULL while it is opened */
    weir_time told, escalated;       /* steady: last turn of what is owed, and look for that */
    weir_time swept;                 /* steady: when who sees what silences hold was looked at */
    int64_t sweeping;                /* how far that came; 0: it is not under way */
    struct weir_alert_silences silences; /* that stand; with the database's lock */
    struct weir_orders *orders;
    struct weir_ballots *ballots;
    struct weir_patches *patches;
    struct weir_publisher *publisher;
    atomic_int_fast64_t news_within; /* agents come for a new rule set within that */
    struct weir_admit *admit;
    struct weir_certificate certificate;
    struct weir_intake *intake;
    atomic_bool hears;               /* intake is there, for threads that were before it */
    struct weir_rulebook *rulebook;
    pthread_mutex_t adding;          /* rule files, the whole time: one set of them at a time */
    struct weir_admin *admin;
    struct weir_passwords *passwords;
    struct weir_held_sessions *held_sessions;
    struct weir_console *console;
    weir_time stored, retained; /* steady: last time */
    struct weir_settled settled;
    _Atomic uint32_t silent;     /* servers nothing comes from any more, by number modulo 32 */
    struct weir_log_gate early_gate; /* of the line that history is cut short */
    bool untimely;               /* the clock cannot say what is old */
    struct weir_monitor_clocks {
        struct weir_step step;   /* of the wall clock */
        weir_time trusted;       /* how far ahead of the steady one it was, before it stepped within
                                  * the hour */
        weir_time stepped;       /* steady: last; 0: never */
        weir_time forward;       /* steady: the wall clock was put forward last; 0: never */
    } clocks;
    struct weir_sound sounds;        /* of the sound clock */
    pthread_mutex_t sounding;
    weir_time counted;               /* sound: at the last look; 0: what the database has was not
                                      * looked at for what is dated later */
    bool storing;                /* there is more to be stored at once */
    unsigned held;                   /* the receiver's lock, by whoever has the database's */
    bool stop;
};

#define WEIR_MONITOR_MEMORY WEIR_DAY /* of the ladder */

/* The log as the configuration says it. */
void weir_monitor_use_log(struct weir_monitor *monitor);

/* Logs an error: the system's for WEIR_EIO, else the database's. */
void weir_monitor_trouble(struct weir_monitor *monitor, const char *what, int error);

/* Notes what came of a task; with the lock.  An error is logged. */
void weir_monitor_note(struct weir_monitor *monitor, enum weir_monitor_task task, int done);

/* Reads a configuration as a monitor can use it: what it cannot use is told with its line. */
int weir_monitor_load(const char *path, struct weir_arena *arena,
                      const struct weir_settings_report *report, struct weir_config *config_r);

/* Whether an address is one to hear agents at, as a check of settings. */
int weir_monitor_fit_listen(const char *text, const char **why_r);

/* Looks at what the configuration names: all that is wrong is logged.  0 or the first error. */
int weir_monitor_check(struct weir_monitor *monitor);

/* The same of the program alerts are mailed with, alone: they wait until it is there. */
int weir_monitor_check_sendmail(struct weir_monitor *monitor);

/* Reads the templates a configuration names: what is wrong is logged.  0; or an error, and *read_r
 * is empty. */
int weir_monitor_read_templates(struct weir_monitor *monitor, const struct weir_config *config,
                                struct weir_arena *arena, struct weir_monitor_templates *read_r);
void weir_monitor_free_templates(struct weir_monitor_templates *templates);

/* Where the configuration was read. */
const char *weir_monitor_path(const struct weir_monitor *monitor);

/* The steps to a watch and a responder that go on where the last ones were. */
int weir_monitor_open_policy(struct weir_monitor *monitor);
int weir_monitor_open_alerts(struct weir_monitor *monitor);
int weir_monitor_open_watch(struct weir_monitor *monitor);

/* The step that opens the ways to others, who are told of alerts that nobody acknowledged. */
int weir_monitor_open_escalation(struct weir_monitor *monitor);

/* The loop's turn: what is owed goes to the ways that tell it. */
void weir_monitor_tell(struct weir_monitor *monitor, weir_time now, weir_time steady);

/* Ends those of an old configuration; and all, when the monitor ends, which tells what is owed once
 * more.  Both may take WEIR_ALERT_CLOSING, and are called without the database's lock. */
void weir_monitor_end_alerts(struct weir_monitor *monitor, struct weir_alerts **alerts);
void weir_monitor_close_alerts(struct weir_monitor *monitor);

/* Silences as the database has them; with its lock. */
int weir_monitor_read_silences(struct weir_monitor *monitor);

/* For the responder: who is to be told of an alert, and that it is written.  The context is the
 * monitor. */
int weir_monitor_owe(void *context, struct weir_alert *alert);
void weir_monitor_alert(void *context, const struct weir_alert *alert);

/* For the ladder: what the watch has raised about a prefix.  The context is the monitor; with the
 * database's lock. */
struct weir_watch_standing weir_monitor_standing(void *context, const struct weir_prefix *prefix);

/* The names of the servers an event is about, with ", " between. */
void weir_monitor_event_servers(struct weir_monitor *monitor, const struct weir_event *event,
                                char names_r[static WEIR_ALERT_NAMES_MAX + 1]);

/* Fills a new watch's buckets from what the database has of the last hour; before the receiver
 * takes what the journal has beyond that. */
int weir_monitor_restore(struct weir_monitor *monitor);

/* What the database has of the last hour, in memory; the same. */
int weir_monitor_open_recent(struct weir_monitor *monitor);

/* Reads what analysts accepted anew; with the database's lock. */
int weir_monitor_spare(struct weir_monitor *monitor);

/* Takes the thresholds of configuration and database into use, in the place of those before; with
 * the database's lock.  Events that stand are taken up.  0; or an error, and all stays as it
 * was. */
int weir_monitor_reread(struct weir_monitor *monitor);

/* Reads the configuration anew: SIGHUP.  What is wrong is logged, and all stays as it was. */
void weir_monitor_reload(struct weir_monitor *monitor);

/* The loop looks at both clocks: a wall clock that was put back makes what lies in the future of
 * now.  By how much it was set, or 0. */
weir_time weir_monitor_look_at_clock(struct weir_monitor *monitor, weir_time now,
                                     weir_time steady);

/* Makes the sound clock, and ends it. */
void weir_monitor_sound_open(struct weir_monitor *monitor);
void weir_monitor_sound_close(struct weir_monitor *monitor);

/* The loop: at the start, and when the sound clock went back, what is counted and said is not dated
 * later than it.  Only once the clock is timely, for there is no way back. */
void weir_monitor_rebase_counts(struct weir_monitor *monitor, bool timely);

/* Opens the doors for agents. */
int weir_monitor_open_door(struct weir_monitor *monitor);

#endif
