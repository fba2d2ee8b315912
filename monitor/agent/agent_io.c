/*
 * agent - one loop over three errands.  What is where is the monitor's to know: the agent keeps no
 * offsets of its own, so that neither side's crash can lose or double a record.  The only thing
 * it remembers is the instance it was, to be let in again at once (claim A13).
 */
#include "monitor/agent/agent_io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/replace_io.h"
#include "core/base/slice.h"
#include "core/engine/secret_io.h"
#include "core/engine/stores_io.h"
#include "core/program/daemon_log_io.h"
#include "core/program/sd_notify_io.h"
#include "core/program/signals_io.h"
#include "core/store/spool_io.h"
#include "monitor/agent/apply_io.h"
#include "monitor/agent/firewall_io.h"
#include "monitor/agent/health.h"
#include "monitor/agent/identity_io.h"
#include "monitor/agent/instances_io.h"
#include "monitor/agent/link_io.h"
#include "monitor/agent/sets_io.h"
#include "monitor/agent/silence_io.h"
#include "monitor/agent/skew.h"
#include "monitor/agent/tail_io.h"
#include "monitor/agent/votes_io.h"

#define ARENA_FIRST 8192
#define SHIP_TIMEOUT (30 * WEIR_SECOND)
#define HELD 25                        /* s the monitor may hold a question for commands */
#define COMMANDS_TIMEOUT ((HELD + 15) * WEIR_SECOND)
#define HEALTH_EVERY (5 * WEIR_SECOND) /* unless the monitor wants it more often */
#define HEALTH_LEAST (WEIR_SECOND / 5)
#define RULES_TIMEOUT (120 * WEIR_SECOND)
#define HEALTH_NUMBERS 1200            /* octets of a report without names */
#define BLOCK_EVERY (10 * WEIR_SECOND)  /* at least: the operator may have changed the lists */
#define REST_LEAST (WEIR_SECOND / 2)
#define REST_MOST (30 * WEIR_SECOND)

struct weir_agent {
    struct weir_agent_options options;
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_daemon_log log;
    struct weir_clock wall, steady;
    struct weir_notify notify;
    int signals;

    struct weir_identity identity;
    struct weir_instances instances;

    struct weir_lists *lists;
    const char *spool;
    struct weir_tail *tail;
    struct weir_link *link;
    struct weir_sets *sets;
    struct weir_votes *votes;
    struct weir_firewall *firewall;    /* NULL: none is wanted */

    char shipping[WEIR_STREAM_TEXT];   /* the stream that travels */
    int64_t generation;                /* applied */
    weir_time look, sweep, whole, health, block; /* steady: when next */
    weir_time block_rest;              /* steady: not before, whatever changed */
    struct weir_silence silence;       /* of this server's sniffer */
    const char *sniffer;               /* file that says there is one */
    uint64_t sniffed;                  /* octets it had written at the last look */
    weir_time health_every;
    size_t telling;                    /* streams that are gone, in the report that travels */
    bool news;                         /* since that report left: it is to be told at once */
    struct weir_applied applied;
    struct weir_skew skew;
    bool refused;                      /* another agent speaks for this server: told */
    bool stop;
};

/* opening ---------------------------------------------------------------------- */

static int read_identity(struct weir_agent *agent)
{
    return weir_identity_file(agent->config.agent_identity, &agent->log.log, &agent->identity);
}

static int check_state(struct weir_agent *agent)
{
    return weir_config_check_state(&agent->config, &agent->log.log);
}

static void ended(void *context, enum weir_errand errand, int status, struct weir_slice answer);

static int open_link(struct weir_agent *agent)
{
    const char *authorities = agent->config.agent_authorities;
    struct weir_link_options options = {
        .identity = &agent->identity,
        .instance = agent->instances.now,
        .previous = agent->instances.before,
        .authorities = authorities[0] ? authorities : NULL,
        .rest_least = REST_LEAST,
        .rest_most = REST_MOST,
        .ended = ended,
        .context = agent,
    };

    return weir_link_new(&options, &agent->log.log, &agent->link);
}

static int open_sets(struct weir_agent *agent)
{
    uint8_t open[WEIR_PARCEL_PUBLIC];
    bool has_key = weir_parcel_public_read(weir_slice_of(agent->identity.rules), open);

    return weir_sets_open(&agent->config, has_key ? open : NULL, &agent->log.log, &agent->sets);
}

static int open_firewall(struct weir_agent *agent)
{
    struct weir_firewall_options options = {
        .reject = agent->config.agent_nftables == WEIR_NFTABLES_REJECT,
        .observe = agent->config.mode != WEIR_ENFORCE,
        .whole = agent->config.agent_whole,
    };

    if (agent->config.agent_nftables == WEIR_NFTABLES_NO)
        return 0;
    return weir_firewall_open(&options, &agent->log.log, &agent->firewall);
}

static int open_parts(struct weir_agent *agent)
{
    const struct weir_config *config = &agent->config;
    const struct weir_log *log = &agent->log.log;
    const char *instances = weir_config_path(config, config->agent_instance, agent->arena);
    int done;

    agent->spool = weir_config_path(config, config->spool_folder, agent->arena);
    agent->sniffer = weir_config_path(config, "agent.sniffer", agent->arena);
    if (!agent->spool || !agent->sniffer || !instances)
        return WEIR_ENOMEM;
    agent->silence = weir_silence_begin(agent->sniffer);
    weir_instances_begin(&agent->instances, instances, log);
    if ((done = weir_stores_open_lists(config, WEIR_STORES_WRITE_LISTS, log, &agent->lists)) < 0 ||
        (done = weir_tail_open(agent->spool, log, &agent->tail)) < 0 ||
        (done = open_link(agent)) < 0 || (done = open_sets(agent)) < 0 ||
        (done = weir_votes_open(config, log, &agent->votes)) < 0)
        return done;
    agent->signals = weir_signals_open();
    return agent->signals < 0 ? agent->signals : 0;
}

/* A file of authorities that is there, or none. */
static int fit_authorities(const char *path, const char **why_r)
{
    if (!path[0] || access(path, R_OK) == 0)
        return 0;
    *why_r = "the file cannot be read";
    return WEIR_EINVAL;
}

static int load(struct weir_agent *agent)
{
    static const struct weir_config_check checks[] = {
        {"agent", "authorities", fit_authorities}};
    struct weir_settings_report report = weir_settings_report_stderr();
    const struct weir_agent_options *options = &agent->options;
    int done;

    agent->arena = weir_arena_new(ARENA_FIRST);
    if (!agent->arena || sodium_init() < 0)
        return WEIR_ENOMEM;
    done = weir_config_load_checked(options->config_path, agent->arena, &report, checks,
                                    sizeof checks / sizeof checks[0], &agent->config);
    if (done < 0)
        return done;
    if (options->debug || options->test)
        agent->config.log = WEIR_LOG_STDERR;
    if (options->debug)
        agent->config.log_level = WEIR_LOG_DEBUG;
    weir_daemon_log_use(&agent->log, options->program, &agent->config);
    return 0;
}

/* Reads the configuration and what it names: all that is wrong is told. */
static int begin(const struct weir_agent_options *options, struct weir_agent **agent_r)
{
    struct weir_agent *agent = calloc(1, sizeof *agent);
    int (*const checks[])(struct weir_agent *agent) = {check_state, read_identity, open_firewall};
    int done;

    if (!agent)
        return WEIR_ENOMEM;
    *agent_r = agent;
    agent->options = *options;
    agent->signals = -1;
    agent->wall = weir_clock_system();
    agent->steady = weir_clock_steady();
    agent->notify.fd = -1;
    agent->health_every = HEALTH_EVERY;
    done = load(agent);
    if (done < 0)
        return done;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        int one = checks[i](agent);
        done = done < 0 ? done : one;
    }
    return done;
}

int weir_agent_test(const struct weir_agent_options *options)
{
    struct weir_agent *agent = NULL;
    int done = begin(options, &agent);

    weir_agent_close(&agent);
    return done;
}

int weir_agent_open(const struct weir_agent_options *options, struct weir_agent **agent_r)
{
    struct weir_agent *agent = NULL;
    int done = begin(options, &agent);

    if (done == 0) {
        done = open_parts(agent);
        weir_daemon_log_flush(&agent->log);
    }
    if (done < 0)
        weir_agent_close(&agent);
    else
        *agent_r = agent;
    return done;
}

void weir_agent_close(struct weir_agent **agent)
{
    if (!agent || !*agent)
        return;
    weir_link_free(&(*agent)->link);
    weir_sets_free(&(*agent)->sets);
    weir_votes_free(&(*agent)->votes);
    weir_firewall_free(&(*agent)->firewall);
    weir_tail_free(&(*agent)->tail);
    weir_lists_free(&(*agent)->lists);
    weir_identity_forget(&(*agent)->identity);
    if ((*agent)->signals >= 0)
        close((*agent)->signals);
    weir_notify_close(&(*agent)->notify);
    if ((*agent)->log.program)
        weir_daemon_log_end(&(*agent)->log);
    weir_arena_free(&(*agent)->arena);
    free(*agent);
    *agent = NULL;
}

/* what comes back ---------------------------------------------------------------- */

/* {"offset": N} */
static bool read_offset(struct weir_slice answer, uint64_t *offset_r)
{
    json_t *json = json_loadb(answer.at, answer.len, 0, NULL);
    json_int_t offset;
    bool good = json && json_unpack(json, "{s:I}", "offset", &offset) == 0 && offset >= 0;

    if (good)
        *offset_r = (uint64_t)offset;
    json_decref(json);
    return good;
}

static void refused(struct weir_agent *agent, enum weir_errand errand)
{
    weir_link_rest(agent->link, errand);
    if (!agent->refused)
        weir_log(&agent->log.log, WEIR_LOG_ERROR,
                 "the monitor already hears another agent speak for %s; each server needs an "
                 "identity of its own (weirctl server add)", agent->identity.server);
    agent->refused = true;
}

static void shipped(struct weir_agent *agent, int status, struct weir_slice answer)
{
    uint64_t offset;

    if ((status == 200 || status == 409) && read_offset(answer, &offset)) {
        weir_tail_done(agent->tail, agent->shipping, offset);
        agent->refused = false;
        agent->look = 0; /* there may be more */
    } else if (status == 409) {
        refused(agent, WEIR_ERRAND_SHIP);
    } else {
        weir_link_rest(agent->link, WEIR_ERRAND_SHIP);
    }
}

/* The next report goes as soon as it can, also when one is on its way. */
static void tell_at_once(struct weir_agent *agent)
{
    agent->health = 0;
    agent->news = true;
}

static void applied(struct weir_agent *agent, const struct weir_command *command, int done)
{
    agent->block = 0;
    tell_at_once(agent); /* whoever asked for it waits to hear where it is not in force */
    if (done < 0) {
        weir_link_rest(agent->link, WEIR_ERRAND_COMMANDS);
        weir_log(&agent->log.log, WEIR_LOG_ERROR, "the lists cannot be changed: %s",
                 weir_error_reason(done));
        return;
    }
    agent->generation = command->generation;
    if (command->full)
        agent->whole = weir_clock_now(&agent->steady) + agent->config.agent_whole;
    weir_log(&agent->log.log, WEIR_LOG_INFO, "generation %" PRId64 ": %zu set, %zu removed%s",
             command->generation, agent->applied.set, agent->applied.removed,
             command->full ? " (all)" : "");
}

static void commanded(struct weir_agent *agent, int status, struct weir_slice answer)
{
    struct weir_command command;
    const char *why = NULL;
    weir_time now = weir_clock_now(&agent->wall);
    int done;

    if (status == 409)
        refused(agent, WEIR_ERRAND_COMMANDS);
    if (status != 200)
        return;
    done = weir_command_read(answer, &command, &why);
    if (done < 0) {
        weir_link_rest(agent->link, WEIR_ERRAND_COMMANDS);
        weir_log(&agent->log.log, WEIR_LOG_ERROR, "a command of the monitor is left out: %s", why);
        return;
    }
    weir_skew_convert(&agent->skew, &command);
    applied(agent, &command, weir_apply(agent->lists, &command, now, &agent->log.log,
                                        &agent->applied));
    weir_command_free(&command);
}

/* {"every": milliseconds, "votes": newest} */
static void reported(struct weir_agent *agent, struct weir_slice answer)
{
    json_t *json = json_loadb(answer.at, answer.len, 0, NULL);
    json_int_t every;
    const json_t *newest = json_object_get(json, "votes");

    weir_tail_told(agent->tail, agent->telling);
    agent->health_every = HEALTH_EVERY;
    if (json && json_unpack(json, "{s:I}", "every", &every) == 0 && every < HEALTH_EVERY / 1000)
        agent->health_every = every > HEALTH_LEAST / 1000 ? every * 1000 : HEALTH_LEAST;
    if (json_is_integer(newest))
        weir_votes_hear(agent->votes, json_integer_value(newest));
    if (!agent->news)
        agent->health = weir_clock_now(&agent->steady) + agent->health_every;
    json_decref(json);
}

static void compare_clocks(struct weir_agent *agent, enum weir_errand errand)
{
    struct weir_link_said said = weir_link_said(agent->link, errand);
    weir_time now = weir_clock_now(&agent->wall);

    if (!weir_skew_note(&agent->skew, now - said.took, now, said.date))
        return;
    tell_at_once(agent);
    weir_log(&agent->log.log, WEIR_LOG_WARNING, "this server's clock is %" PRId64 " s ahead of the "
             "monitor's", agent->skew.ahead / WEIR_SECOND);
}

static void fetched(struct weir_agent *agent, int status, struct weir_slice answer)
{
    if (status == 200)
        weir_sets_take(agent->sets, answer, weir_clock_now(&agent->steady));
    else
        weir_link_rest(agent->link, WEIR_ERRAND_RULES);
    agent->health = 0;
}

static void voted(struct weir_agent *agent, int status, struct weir_slice answer)
{
    if (status == 200)
        weir_votes_take(agent->votes, answer, weir_clock_now(&agent->steady));
    else
        weir_link_rest(agent->link, WEIR_ERRAND_VOTES);
}

static void ended(void *context, enum weir_errand errand, int status, struct weir_slice answer)
{
    struct weir_agent *agent = context;
    struct weir_news news;

    if (status == 200 || status == 204) {
        weir_instances_let_in(&agent->instances, &agent->log.log);
        compare_clocks(agent, errand);
    }
    if (errand == WEIR_ERRAND_COMMANDS && (status == 200 || status == 204) &&
        weir_news_read(weir_link_field(agent->link, errand, WEIR_NEWS_FIELD), &news))
        weir_sets_hear(agent->sets, &news, weir_clock_now(&agent->steady));
    if (errand == WEIR_ERRAND_RULES)
        fetched(agent, status, answer);
    if (errand == WEIR_ERRAND_VOTES)
        voted(agent, status, answer);
    if (errand == WEIR_ERRAND_HEALTH && status == 200)
        reported(agent, answer);
    if (errand == WEIR_ERRAND_SHIP)
        shipped(agent, status, answer);
    else if (errand == WEIR_ERRAND_COMMANDS)
        commanded(agent, status, answer);
}

/* what goes out ------------------------------------------------------------------ */

/* What was silent, or is not any more, the monitor is told at once. */
static void listen_for_sniffer(struct weir_agent *agent, weir_time steady)
{
    uint64_t sniffed = weir_tail_counts(agent->tail)->sniffer;

    if (weir_silence_listen(&agent->silence, sniffed != agent->sniffed, steady, agent->sniffer,
                            &agent->log.log))
        tell_at_once(agent);
    agent->sniffed = sniffed;
}

/* Files whose writers are gone get their names, or they would stay until another writer comes. */
static void sweep(struct weir_agent *agent, weir_time steady)
{
    if (steady < agent->sweep)
        return;
    agent->sweep = steady + agent->config.spool_turn;
    (void)weir_spool_sweep(agent->spool, weir_clock_now(&agent->wall), agent->config.spool_turn);
}

/* Also while nothing can be shipped: the sniffer is listened for. */
static void look(struct weir_agent *agent, weir_time steady)
{
    if (steady < agent->look)
        return;
    agent->look = steady + agent->config.agent_look;
    sweep(agent, steady);
    if (weir_tail_look(agent->tail) == 0)
        listen_for_sniffer(agent, steady);
}

static void ship(struct weir_agent *agent, weir_time steady)
{
    struct weir_tail_piece piece;
    char place[WEIR_STREAM_TEXT + 80];

    if (!weir_link_free_for(agent->link, WEIR_ERRAND_SHIP, steady) ||
        weir_tail_next(agent->tail, &piece) == 0)
        return;
    snprintf(agent->shipping, sizeof agent->shipping, "%s", piece.stream);
    snprintf(place, sizeof place, "/agent/v1/spool?stream=%s&offset=%" PRIu64, piece.stream,
             piece.offset);
    (void)weir_link_send(agent->link, WEIR_ERRAND_SHIP, place, piece.octets,
                         agent->config.agent_compress, SHIP_TIMEOUT);
}

/* How long the monitor may hold the next question, in seconds: not beyond the time at which all of
 * it is to be asked for. */
static int held(const struct weir_agent *agent, weir_time steady)
{
    weir_time left = (agent->whole - steady + WEIR_SECOND - 1) / WEIR_SECOND;

    return left < 0 ? 0 : left < HELD ? (int)left : HELD;
}

static void ask_for_commands(struct weir_agent *agent, weir_time steady)
{
    char place[128];

    if (!weir_link_free_for(agent->link, WEIR_ERRAND_COMMANDS, steady))
        return;
    snprintf(place, sizeof place, "/agent/v1/commands?generation=%" PRId64 "&rules=%" PRIu32
             "&wait=%d%s", agent->generation, weir_sets_heard(agent->sets), held(agent, steady),
             steady >= agent->whole ? "&all=1" : "");
    (void)weir_link_send(agent->link, WEIR_ERRAND_COMMANDS, place, (struct weir_slice){0}, false,
                         COMMANDS_TIMEOUT);
}

static void fetch_rules(struct weir_agent *agent, weir_time steady)
{
    if (weir_sets_turn(agent->sets, steady))
        agent->health = 0; /* what came of it is told at once */
    if (weir_sets_due(agent->sets, steady) &&
        weir_link_free_for(agent->link, WEIR_ERRAND_RULES, steady))
        (void)weir_link_send(agent->link, WEIR_ERRAND_RULES, "/agent/v1/rules",
                             (struct weir_slice){0}, false, RULES_TIMEOUT);
}

static void fetch_votes(struct weir_agent *agent, weir_time steady)
{
    char place[64];
    int64_t behind;

    weir_votes_turn(agent->votes, weir_clock_now(&agent->wall));
    if (!weir_votes_due(agent->votes, steady, &behind) ||
        !weir_link_free_for(agent->link, WEIR_ERRAND_VOTES, steady))
        return;
    snprintf(place, sizeof place, "/agent/v1/votes?behind=%" PRId64, behind);
    (void)weir_link_send(agent->link, WEIR_ERRAND_VOTES, place, (struct weir_slice){0}, false,
                         SHIP_TIMEOUT);
}

static char *health_text(struct weir_agent *agent)
{
    size_t len = HEALTH_NUMBERS;
    json_t *lines = weir_health_overruled(&agent->applied, &len);
    const struct weir_tail_counts *tail = weir_tail_counts(agent->tail);
    const struct weir_silence *silence = &agent->silence;
    weir_time silent = weir_silence_now(silence);
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:o}",
        "version", WEIR_VERSION, "spool_files", (json_int_t)tail->files, "spool_octets",
        (json_int_t)tail->octets, "skipped", (json_int_t)tail->skipped, "generation",
        (json_int_t)agent->generation, "entries", (json_int_t)agent->applied.entries, "withheld",
        (json_int_t)agent->applied.withheld, "sniffer_silent", (json_int_t)(silent / WEIR_SECOND),
        "sniffer_silences", (json_int_t)silence->times, "sniffer_silence",
        (json_int_t)((silence->past + silent) / WEIR_SECOND), "clock_ahead",
        (json_int_t)(agent->skew.ahead / WEIR_SECOND), "rules", weir_sets_health(agent->sets),
        "votes", (json_int_t)weir_votes_done(agent->votes), "counters_key",
        (json_int_t)weir_votes_key(agent->votes), "overruled", lines, "gone",
        weir_health_gone(agent->tail, len, &agent->telling));
    char *text = json ? json_dumps(json, 0) : NULL;

    json_decref(json);
    return text;
}

/* A name that was told stays noted until the report has been answered, so that one that is lost is
 * told again; told twice it changes nothing. */
static void tell_health(struct weir_agent *agent, weir_time steady)
{
    char *text;

    if (steady < agent->health || !weir_link_free_for(agent->link, WEIR_ERRAND_HEALTH, steady))
        return;
    agent->health = steady + agent->health_every;
    agent->news = false;
    text = health_text(agent);
    if (text)
        (void)weir_link_send(agent->link, WEIR_ERRAND_HEALTH, "/agent/v1/health",
                             weir_slice_of(text), false, SHIP_TIMEOUT);
    free(text);
}

/* Whatever goes wrong is logged, and tried again. */
static void block(struct weir_agent *agent, weir_time steady)
{
    if (!agent->firewall || steady < agent->block || steady < agent->block_rest)
        return;
    agent->block = steady + (agent->config.agent_whole < BLOCK_EVERY ? agent->config.agent_whole
                                                                      : BLOCK_EVERY);
    (void)weir_firewall_assert(agent->firewall, agent->lists, weir_clock_now(&agent->wall), steady);
    /* a large table costs most of a second: never more than a tenth of the time */
    agent->block_rest = steady + 10 * (weir_clock_now(&agent->steady) - steady);
}

int weir_agent_run(struct weir_agent *agent)
{
    struct pollfd files[] = {{.fd = agent->signals, .events = POLLIN}};
    bool reload = false;

    agent->notify = weir_notify_open();
    weir_log(&agent->log.log, WEIR_LOG_INFO, "speaking for %s to %s", agent->identity.server,
             agent->identity.monitor);
    weir_notify_ready(&agent->notify);
    while (!agent->stop) {
        weir_time steady = weir_clock_now(&agent->steady);

        look(agent, steady);
        ship(agent, steady);
        ask_for_commands(agent, steady);
        fetch_rules(agent, steady);
        fetch_votes(agent, steady);
        tell_health(agent, steady);
        block(agent, steady);
        weir_link_turn(agent->link, steady, agent->config.agent_look, files, 1);
        weir_signals_read(agent->signals, &reload, &agent->stop);
        weir_notify_alive(&agent->notify, steady);
        weir_daemon_log_flush(&agent->log);
    }
    weir_notify_stopping(&agent->notify);
    weir_log(&agent->log.log, WEIR_LOG_INFO, "stopping");
    return 0;
}
