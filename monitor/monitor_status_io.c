/*
 * Numbers of all parts, each asked with its own lock; those of one part fit together, those of two
 * may be a moment apart.
 */
#include "monitor/monitor_status_io.h"

#include "monitor/database/database_retention_io.h"
#include "monitor/monitor_counters_io.h"
#include "monitor/view/view_silences.h"

/* Since the start; all of them are in the database. */
static json_t *reports(struct weir_monitor *monitor)
{
    struct weir_reports_counts counts = weir_counting_counts(monitor->counting).reports;
    json_t *json = json_pack("{s:I}", "lost", (json_int_t)counts.lost);

    for (enum weir_report_came came = 0; json && came < WEIR_REPORT_CAMES; came++)
        json_object_set_new(json, weir_report_came_name(came),
                            json_integer((json_int_t)counts.came[came]));
    return json;
}

static json_t *messages(struct weir_monitor *monitor)
{
    struct weir_counting_counts counts = weir_counting_counts(monitor->counting);
    json_t *verdicts = json_object();
    json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:O?}", "repeated", (json_int_t)counts.repeated,
                             "lost", (json_int_t)counts.lost, "not_kept",
                             (json_int_t)counts.left_out, "rules", (json_int_t)counts.rules,
                             "verdicts", verdicts);

    for (enum weir_verdict verdict = WEIR_HAM; verdict <= WEIR_BLOCKED; verdict++)
        json_object_set_new(verdicts, weir_verdict_name(verdict),
                            json_integer((json_int_t)counts.verdict[verdict]));
    json_decref(verdicts);
    for (enum weir_record_state state = 0; json && state < WEIR_RECORD_STATES; state++)
        json_object_set_new(json, weir_record_state_name(state),
                            json_integer((json_int_t)counts.state[state]));
    return json;
}

/* What comes in parts: reported messages, lessons. */
static json_t *parts(struct weir_monitor *monitor)
{
    struct weir_gather_counts counts = weir_counting_counts(monitor->counting).gather;

    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "taken", (json_int_t)counts.taken,
                     "again", (json_int_t)counts.again, "wrong", (json_int_t)counts.wrong,
                     "unknown", (json_int_t)counts.unknown, "lost", (json_int_t)counts.lost, "late",
                     (json_int_t)counts.late, "waiting", (json_int_t)counts.waiting, "octets",
                     (json_int_t)counts.octets);
}

/* Of rule sets, since the start. */
static json_t *patches(struct weir_monitor *monitor)
{
    struct weir_patches_counts counts = weir_patches_count(monitor->patches);

    return json_pack("{s:I, s:I, s:I, s:I}", "made", (json_int_t)counts.made, "none",
                     (json_int_t)counts.none, "given", (json_int_t)counts.given, "octets",
                     (json_int_t)counts.octets);
}

static void add_trouble(json_t *troubles, const char *of, const char *why)
{
    if (why[0])
        json_array_append_new(troubles, json_pack("{s:s, s:s}", "of", of, "why", why));
}

/* What it is that cannot be done: "rules" wait for a person, the others for room on a disk. */
static const char *of_task(unsigned task)
{
    return task == WEIR_TASK_SYNC      ? "journal"
           : task == WEIR_TASK_PUBLISH ? "rules"
                                       : "database";
}

/* What cannot be written now, as on a full disk. */
static json_t *troubles(const struct weir_monitor *monitor, const char *refused)
{
    json_t *troubles = json_array();

    add_trouble(troubles, "journal", refused);
    for (unsigned task = 0; task < WEIR_TASKS; task++)
        add_trouble(troubles, of_task(task), monitor->trouble[task]);
    return troubles;
}

/* Of those who are told first, and of those who are told again. */
static void count_alerts(struct weir_monitor *monitor, struct weir_alerts_counts *counts_r,
                         struct weir_alerts_counts *again_r)
{
    weir_alerts_count(monitor->alerts, counts_r);
    *again_r = (struct weir_alerts_counts){.alerts = 0};
    if (monitor->again)
        weir_alerts_count(monitor->again, again_r);
}

/* What both have still to be told of; null when the database does not say: 0 were good news. */
static json_t *alerts_waiting(struct weir_monitor *monitor)
{
    uint64_t owed[WEIR_OWED_WAYS], waiting = 0;

    if (weir_database_owed_count(monitor->database, owed) < 0)
        return json_null();
    for (unsigned i = 0; i < WEIR_OWED_WAYS; i++)
        waiting += owed[i];
    return json_integer((json_int_t)waiting);
}

/* What nobody is told of now. */
static json_t *silences(struct weir_monitor *monitor, weir_time now)
{
    const struct weir_alert_silences *all = &monitor->silences;
    uint64_t alerts = 0;
    int done = 0;

    if (all->count > 0)
        done = weir_database_silenced_count(monitor->database, now, &alerts);
    return weir_view_standing(all->silence, all->count, now, done < 0 ? NULL : &alerts);
}

json_t *weir_monitor_status(struct weir_monitor *monitor, weir_time now)
{
    struct weir_receiver_counts taken;
    struct weir_responder_counts done;
    struct weir_intake_counts door;
    struct weir_alerts_counts alerts, again;
    struct weir_watch_counts watch;
    char blind_names[WEIR_ALERT_NAMES_MAX + 1], left_out_names[WEIR_ALERT_NAMES_MAX + 1];
    char silent_names[WEIR_ALERT_NAMES_MAX + 1];
    uint64_t forgotten = 0, octets = 0;
    size_t seen, blind;

    (void)weir_database_forgotten_early(monitor->database, &forgotten);
    (void)weir_database_octets(monitor->database, &octets);
    weir_receiver_count(monitor->receiver, &taken);
    weir_responder_count(monitor->responder, &done);
    count_alerts(monitor, &alerts, &again);
    weir_intake_count(monitor->intake, &door);
    weir_admit_count(monitor->admit, now, &seen, &blind);
    weir_receiver_lock(monitor->receiver);
    watch = *weir_watch_counts(monitor->watch);
    weir_receiver_unlock(monitor->receiver);
    const struct {
        const char *name;
        uint64_t number;
    } counts[] = {
        {"servers", seen}, {"blind", blind}, {"requests", door.requests},
        {"unknown", door.unknown}, {"held", door.held}, {"connections", door.connections},
        {"turned_away", door.turned_away}, {"hung_up", door.hung_up}, {"octets", taken.octets},
        {"again", taken.again}, {"lines", taken.lines}, {"bad", taken.bad}, {"ahead", taken.ahead},
        {"old", taken.old}, {"streams", taken.streams}, {"streams_gone", taken.gone},
        {"later", taken.later}, {"over_share", taken.over_share}, {"charges", watch.charges},
        {"accepted", watch.accepted}, {"evicted", watch.evicted}, {"alarms", watch.alarms},
        {"events", done.events}, {"decisions", done.decisions}, {"events_lost", done.lost},
        {"events_left_out", done.left_out}, {"forgotten", done.forgotten},
        {"blocks_withheld", done.blocks_capped}, {"scores_withheld", done.scores_capped},
        {"alerts", alerts.alerts}, {"alerts_silenced", alerts.silenced},
        {"alerts_again", again.alerts}, {"alert_messages", alerts.messages + again.messages},
        {"alert_failures", alerts.failures + again.failures},
        {"behind", taken.behind}, {"journal_octets", taken.journal}, {"database_octets", octets},
        {"forgotten_early", forgotten},
    };
    json_t *json = json_pack(
        "{s:s, s:s, s:s}", "blind_names",
        weir_admit_blind(monitor->admit, now, blind_names, sizeof blind_names), "left_out_names",
        weir_admit_names(monitor->admit, done.left_out_servers, left_out_names,
                         sizeof left_out_names), "silent_names",
        weir_admit_names(monitor->admit, atomic_load(&monitor->silent), silent_names,
                         sizeof silent_names));

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(json, counts[i].name, json_integer((json_int_t)counts[i].number));
    json_object_set_new(json, "alerts_waiting", alerts_waiting(monitor));
    json_object_set_new(json, "messages", messages(monitor));
    json_object_set_new(json, "reports", reports(monitor));
    json_object_set_new(json, "parts", parts(monitor));
    json_object_set_new(json, "patches", patches(monitor));
    json_object_set_new(json, "counters", weir_monitor_counters_status(monitor));
    json_object_set_new(json, "silences", silences(monitor, now));
    json_object_set_new(json, "troubles", troubles(monitor, taken.refused));
    return json;
}
