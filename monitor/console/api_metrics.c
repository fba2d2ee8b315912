/*
 * api_metrics - the monitor in numbers: its status, its servers as they told of themselves, and
 * what rules hit, from what is there already.
 *
 * The status takes the monitor's lock for as long as `weirctl status` does; all else is read with
 * this question's own handle.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/analyzer/record.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/console_impl.h"
#include "monitor/database/database_desk_io.h"
#include "monitor/intake/intake_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/view/view_metrics.h"
#include "monitor/view/view_servers.h"

#define RULES 1000u /* those that hit most */
#define COUNTS WEIR_COUNTER_METRIC
#define IS WEIR_GAUGE_METRIC
#define SIZE(table) (sizeof(table) / sizeof(table)[0])

/* Since the monitor's start, unless their help says otherwise. */
static const struct weir_view_metric of_monitor[] = {
    {"messages.verdicts", "verdict", COUNTS, "weir_messages_total",
     "Messages that servers decided about, by verdict."},
    {"believed", "state", COUNTS, "weir_decisions_total",
     "Decisions that servers told of, by how far they were believed."},
    {"messages.repeated", NULL, COUNTS, "weir_decisions_repeated_total",
     "Decisions that had been counted before."},
    {"messages.lost", NULL, COUNTS, "weir_decisions_lost_total",
     "Decisions not counted, for memory was short."},
    {"messages.not_kept", NULL, COUNTS, "weir_messages_not_kept_total",
     "Messages counted, and not kept among recent ones."},
    {"reports", "came", COUNTS, "weir_reports_total",
     "Reports of people, by what came of them."},
    {"requests", NULL, COUNTS, "weir_monitor_requests_total", "Requests of agents."},
    {"unknown", NULL, COUNTS, "weir_monitor_unknown_total",
     "Requests of somebody who is not let in."},
    {"held", NULL, IS, "weir_monitor_held", "Requests that wait for something new."},
    {"connections", NULL, IS, "weir_monitor_connections", "Connections of agents."},
    {"turned_away", NULL, COUNTS, "weir_monitor_turned_away_total",
     "Connections turned away: there were too many."},
    {"hung_up", NULL, COUNTS, "weir_monitor_hung_up_total",
     "Connections ended, for they did not go on."},
    {"octets", NULL, COUNTS, "weir_monitor_received_octets_total", "Octets of spools taken."},
    {"again", NULL, COUNTS, "weir_monitor_again_octets_total",
     "Octets of spools that had been taken before."},
    {"lines", NULL, COUNTS, "weir_monitor_lines_total", "Lines of spools taken."},
    {"wrong", "why", COUNTS, "weir_monitor_wrong_lines_total",
     "Lines not taken: bad, too far ahead, or too old."},
    {"later", NULL, COUNTS, "weir_monitor_later_total", "Pieces of spools to be sent later."},
    {"over_share", NULL, COUNTS, "weir_monitor_over_share_total",
     "Of these, those of a server over its share."},
    {"streams", NULL, IS, "weir_monitor_streams", "Files of spools that are known."},
    {"charges", NULL, COUNTS, "weir_watch_charges_total", "Charges of buckets."},
    {"accepted", NULL, COUNTS, "weir_watch_accepted_total",
     "Charges left out, for the address is acceptable."},
    {"evicted", NULL, COUNTS, "weir_watch_evicted_total", "Buckets forgotten for want of room."},
    {"alarms", NULL, COUNTS, "weir_watch_alarms_total", "Limits that were passed."},
    {"events", NULL, COUNTS, "weir_events_total", "Events noted."},
    {"decisions", NULL, COUNTS, "weir_responses_total", "Addresses blocked or scored."},
    {"events_lost", NULL, COUNTS, "weir_events_lost_total", "Events lost: too many waited."},
    {"events_left_out", NULL, COUNTS, "weir_events_left_out_total",
     "Events left out: one server alone told of too many."},
    {"blocks_withheld", NULL, COUNTS, "weir_blocks_withheld_total",
     "Blocks withheld: too many in an hour."},
    {"scores_withheld", NULL, COUNTS, "weir_scores_withheld_total",
     "Points withheld: too many in an hour."},
    {"alerts", NULL, COUNTS, "weir_alerts_total", "Alerts."},
    {"alerts_silenced", NULL, COUNTS, "weir_alerts_silenced_total",
     "Alerts of which nobody was told, for they are silenced."},
    {"alerts_again", NULL, COUNTS, "weir_alerts_again_total",
     "Alerts told again, for nobody acknowledged them."},
    {"alert_messages", NULL, COUNTS, "weir_alert_messages_total", "Messages of alerts sent."},
    {"alert_failures", NULL, COUNTS, "weir_alert_failures_total", "Messages not sent when tried."},
    {"alerts_waiting", NULL, IS, "weir_alerts_waiting", "Alerts not sent yet."},
    {"behind", NULL, IS, "weir_monitor_behind_octets",
     "Octets of the journal that the database has not yet."},
    {"journal_octets", NULL, IS, "weir_journal_octets", "Octets of the journal."},
    {"database_octets", NULL, IS, "weir_database_octets", "Octets in use in the database."},
    {"forgotten_early", NULL, COUNTS, "weir_database_forgotten_early_total",
     "Rows forgotten since the database was made, for it was too large."},
    {"parts.waiting", NULL, IS, "weir_parts_waiting", "Things that come in parts, not yet whole."},
    {"parts.octets", NULL, IS, "weir_parts_waiting_octets", "Octets of these."},
    {"parts.lost", NULL, COUNTS, "weir_parts_lost_total", "Parts lost for want of room."},
    {"patches.made", NULL, COUNTS, "weir_patches_made_total", "Patches of rule sets made."},
    {"patches.given", NULL, COUNTS, "weir_patches_given_total", "Patches given to agents."},
    {"patches.octets", NULL, COUNTS, "weir_patches_given_octets_total", "Octets of these."},
    {"counters.records", NULL, IS, "weir_counters_records", "Counters of reputation kept."},
    {"counters.waiting", NULL, IS, "weir_counters_waiting",
     "Events not yet folded into the counters."},
    {"counters.kept", NULL, IS, "weir_counters_kept", "Whether counters are kept: 1, or 0."},
    {"counters.untallied", NULL, COUNTS, "weir_counters_untallied_total",
     "Decisions not counted in the reputation, for memory was short."},
    {"servers", NULL, IS, "weir_servers_heard", "Servers that are heard of."},
    {"blind", NULL, IS, "weir_servers_blind", "Servers nothing is heard of any more."},
    {"trouble", "of", IS, "weir_monitor_trouble",
     "Whether it cannot be written, or, of rules, wait for a person: 1, or 0."},
    {"console.sessions", NULL, IS, "weir_console_sessions", "Sessions of the console."},
    {"console.live", NULL, IS, "weir_console_live_pages", "Pages that are told what is new."},
};

/* As their agents told last. */
static const struct weir_view_metric of_server[] = {
    {"up", NULL, IS, "weir_server_up", "Whether the server is heard of: 1, or 0."},
    {"age", NULL, IS, "weir_server_last_seen_age_seconds",
     "How long ago something was heard of it."},
    {"health.rules.serial", NULL, IS, "weir_server_rules_serial", "The rule set at work there."},
    {"health.rules.refused", NULL, IS, "weir_server_rules_refused",
     "The rule set it refuses, or 0."},
    {"health.spool_octets", NULL, IS, "weir_server_spool_octets",
     "Octets of its spool not shipped yet."},
    {"health.spool_files", NULL, IS, "weir_server_spool_files", "Files of its spool."},
    {"health.generation", NULL, IS, "weir_server_generation",
     "Up to where it has applied decisions."},
    {"health.entries", NULL, IS, "weir_server_entries", "Entries of its lists that are ours."},
    {"health.sniffer_silent", NULL, IS, "weir_server_sniffer_silent_seconds",
     "For how long nothing came of its sniffer."},
    {"health.clock_ahead", NULL, IS, "weir_server_clock_ahead_seconds",
     "How far its clock is ahead of ours."},
    {"sniffer", "what", IS, "weir_server_sniffer_recent",
     "Packets its sniffer heard and lost in this hour and the one before, and what else it met."},
    {"health.decisions", "state", IS, "weir_server_decisions_recent",
     "Its decisions of the last hour, by how far they were believed, where any was not."},
};

/* the monitor ------------------------------------------------------------------------------- */

static void move(json_t *from, const char *name, json_t *to, const char *as)
{
    json_object_set(to, as, json_object_get(from, name));
}

static json_t *believed(const json_t *messages)
{
    json_t *json = json_object();

    for (enum weir_record_state state = 0; state < WEIR_RECORD_STATES; state++) {
        const char *name = weir_record_state_name(state);

        json_object_set(json, name, json_object_get(messages, name));
    }
    return json;
}

/* 0 for all of them, so that an alert's rule sees that one ended. */
static json_t *troubles(const json_t *status)
{
    json_t *json = json_pack("{s:i, s:i, s:i}", "journal", 0, "database", 0, "rules", 0), *one;
    size_t i;

    json_array_foreach(json_object_get(status, "troubles"), i, one)
        json_object_set_new(json, json_string_value(json_object_get(one, "of")), json_integer(1));
    return json;
}

/* What the tables have by names that the status has otherwise. */
static int add_status(struct weir_api_question *question, struct weir_metrics *metrics)
{
    json_t *status = weir_api_do(question, json_pack("{s:s}", "do", "status")), *wrong, *all;
    const char *kept;
    uint64_t sessions = 0;
    int done;

    if (!status)
        return WEIR_EINVAL;
    kept = json_string_value(json_object_get(json_object_get(status, "counters"), "state"));
    json_object_set_new(json_object_get(status, "counters"), "kept",
                        json_integer(kept && strcmp(kept, "kept") == 0));
    json_object_set_new(status, "believed", believed(json_object_get(status, "messages")));
    wrong = json_object();
    move(status, "bad", wrong, "bad");
    move(status, "ahead", wrong, "ahead");
    move(status, "old", wrong, "old");
    json_object_set_new(status, "wrong", wrong);
    json_object_set_new(status, "trouble", troubles(status));
    done = weir_database_sessions(question->database, &sessions);
    json_object_set_new(status, "console", json_pack(
        "{s:I, s:I}", "sessions", (json_int_t)sessions, "live",
        (json_int_t)weir_feed_listeners(question->console->live)));
    all = json_pack("[o]", status);
    weir_view_metrics(metrics, of_monitor, SIZE(of_monitor), NULL, all);
    json_decref(all);
    return done;
}

/* How long requests took; in libmicrohttpd's hands and ours, not on their way. */
static void add_times(struct weir_api_question *question, struct weir_metrics *metrics)
{
    static const char *const kinds[WEIR_ASKED_KINDS] = {"page", "read", "change", "metrics"};
    struct weir_histogram_reading reading;

    weir_metrics_family(metrics, WEIR_HISTOGRAM_METRIC, "weir_monitor_request_seconds",
                        "How long agents' requests took, by what for, but for those that were held "
                        "until there was something new.");
    for (unsigned i = 0; i < WEIR_INTAKE_ROUTES; i++) {
        const struct weir_metrics_label label = {"request", weir_intake_route_name(i)};

        weir_monitor_intake_times(question->monitor, i, &reading);
        weir_metrics_histogram(metrics, &label, 1, &reading);
    }
    weir_metrics_family(metrics, WEIR_HISTOGRAM_METRIC, "weir_console_request_seconds",
                        "How long requests of the console took: pages, questions to its API "
                        "(read), changes, and /metrics.");
    for (unsigned i = 0; i < WEIR_ASKED_KINDS; i++) {
        const struct weir_metrics_label label = {"request", kinds[i]};

        weir_histogram_read(&question->console->times[i], &reading);
        weir_metrics_histogram(metrics, &label, 1, &reading);
    }
}

/* servers and rules ------------------------------------------------------------------------- */

struct listing {
    struct weir_monitor *monitor;
    weir_time now, silence;
    json_t *servers;
};

static int add_server(void *context, const struct weir_server *server)
{
    struct listing *listing = context;
    enum weir_view_server_state state =
        weir_view_server_state(server, listing->now, listing->silence);
    json_t *one;

    if (state == WEIR_VIEW_SERVER_REVOKED)
        return 0;
    one = json_pack("{s:s, s:b, s:o*, s:o*}", "server", server->name, "up",
                    state == WEIR_VIEW_SERVER_SEEN, "health", weir_view_server_health(server),
                    "sniffer", weir_monitor_hearing(listing->monitor, server->number,
                                                    listing->now));
    if (one && server->last_seen > 0)
        json_object_set_new(one, "age", json_real((double)(listing->now - server->last_seen) /
                                                  (double)WEIR_SECOND));
    return json_array_append_new(listing->servers, one) < 0 ? WEIR_ENOMEM : 0;
}

static int add_servers(struct weir_api_question *question, struct weir_metrics *metrics)
{
    struct listing listing = {.monitor = question->monitor, .now = question->now};
    struct weir_look look;
    int done;

    weir_monitor_look(question->monitor, &look);
    listing.silence = look.silence;
    listing.servers = json_array();
    done = weir_database_servers(question->database, add_server, &listing);
    weir_view_metrics(metrics, of_server, SIZE(of_server), "server", listing.servers);
    json_decref(listing.servers);
    return done;
}

static int add_rule(void *context, const struct weir_desk_rule *rule)
{
    json_t *rules = context;

    return json_array_append_new(rules, json_pack("{s:s, s:I, s:I}", "rule", rule->name, "hits",
                                                  (json_int_t)rule->hits, "blamed",
                                                  (json_int_t)rule->false_positives)) < 0
               ? WEIR_ENOMEM : 0;
}

static int add_rules(struct weir_api_question *question, struct weir_metrics *metrics)
{
    static const struct weir_view_metric of_rule[] = {
        {"hits", NULL, COUNTS, "weir_rule_hits_total",
         "Messages that a rule hit, ever; of the 1,000 rules that hit most."},
        {"blamed", NULL, IS, "weir_rule_false_positives",
         "Of these, good messages that it took for spam, as people reported."},
    };
    json_t *rules = json_array();
    int done = weir_database_rules_most_hit(question->database, RULES, add_rule, rules);

    weir_view_metrics(metrics, of_rule, SIZE(of_rule), "rule", rules);
    json_decref(rules);
    return done;
}

json_t *weir_api_metrics(struct weir_api_question *question)
{
    struct weir_metrics *metrics = weir_metrics_new();
    json_t *json = NULL;
    const char *text;
    int done = metrics ? add_status(question, metrics) : WEIR_ENOMEM;

    if (done >= 0)
        add_times(question, metrics);
    done = done < 0 ? done : add_servers(question, metrics);
    done = done < 0 ? done : add_rules(question, metrics);
    if (done >= 0 && weir_metrics_text(metrics, &text) == 0)
        json = json_string(text);
    weir_metrics_free(&metrics);
    return json || done >= 0 || question->code != 0 ? json : weir_api_trouble(question, done);
}
