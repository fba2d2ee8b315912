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

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/program/signals_io.h"
#include "core/store/spool_io.h"
#include "monitor/agent/agent_impl.h"
#include "monitor/agent/health.h"

#define SHIP_TIMEOUT (30 * WEIR_SECOND)
#define HELD 25                        /* s the monitor may hold a question for commands */
#define COMMANDS_TIMEOUT ((HELD + 15) * WEIR_SECOND)
#define RULES_TIMEOUT (120 * WEIR_SECOND)
#define HEALTH_NUMBERS 1344            /* octets of a report without names */
#define BLOCK_EVERY (10 * WEIR_SECOND)  /* at least: the operator may have changed the lists */

/* What was silent, or is not any more, the monitor is told at once. */
static void listen_for_sniffer(struct weir_agent *agent, weir_time steady)
{
    uint64_t sniffed = weir_tail_counts(agent->tail)->sniffer;

    if (weir_silence_listen(&agent->silence, sniffed != agent->sniffed, steady, agent->sniffer,
                            &agent->log.log))
        weir_agent_tell_at_once(agent);
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

/* Told when it begins and when it is over: meanwhile the monitor hears of nobody who comes here. */
static void note_spool(struct weir_agent *agent, int error, weir_time steady)
{
    if ((error != 0) == (agent->unread != 0))
        return;
    agent->unread = error != 0 ? steady : 0;
    weir_agent_tell_at_once(agent);
    if (error != 0)
        weir_log(&agent->log.log, WEIR_LOG_ERROR, "%s cannot be read: %s; what is written there is "
                 "counted late, or never", agent->spool, strerror(error));
    else
        weir_log(&agent->log.log, WEIR_LOG_INFO, "%s can be read again", agent->spool);
}

/* Also while nothing can be shipped: the sniffer is listened for.  Looking takes a tenth of the
 * time at most, however many files there are. */
static void look(struct weir_agent *agent, weir_time steady)
{
    weir_time began = weir_clock_now(&agent->steady);
    int done;

    if (steady < agent->look || steady < agent->look_rest)
        return;
    agent->look = steady + agent->config.agent_look;
    agent->shipped = false;
    sweep(agent, steady);
    done = weir_tail_look(agent->tail);
    note_spool(agent, done < 0 ? errno : 0, steady);
    if (done == 0)
        listen_for_sniffer(agent, steady);
    agent->look_rest = steady + 10 * (weir_clock_now(&agent->steady) - began);
}

/* The folder is looked at when nothing is left of what was seen there: for each piece of many files
 * that would take longer than to ship it. */
static bool next_piece(struct weir_agent *agent, weir_time steady, struct weir_tail_piece *piece_r)
{
    if (weir_tail_next(agent->tail, piece_r) > 0)
        return true;
    if (!agent->shipped)
        return false;
    agent->look = 0;
    look(agent, steady);
    return weir_tail_next(agent->tail, piece_r) > 0;
}

static void ship(struct weir_agent *agent, weir_time steady)
{
    struct weir_tail_piece piece;
    char place[WEIR_STREAM_TEXT + 80];

    if (!weir_link_free_for(agent->link, WEIR_ERRAND_SHIP, steady) ||
        !next_piece(agent, steady, &piece))
        return;
    snprintf(agent->shipping, sizeof agent->shipping, "%s", piece.stream);
    agent->shipped_at = steady;
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

/* Entries end by this server's clock: set anew, it would end them at once or hours late.  Whether
 * it was wrong before or is now the monitor's time tells, which comes with the answer; a machine
 * that was asleep is right, and what ended meanwhile has ended. */
static void watch_clock(struct weir_agent *agent, weir_time steady)
{
    if (weir_step_look(&agent->step, weir_clock_now(&agent->wall), steady) != 0)
        agent->whole = 0;
}

/* A question that is held for news does not keep one for all of it waiting. */
static void ask_for_commands(struct weir_agent *agent, weir_time steady)
{
    char place[128];

    if (agent->whole == 0 && !agent->asked_all)
        weir_link_drop(agent->link, WEIR_ERRAND_COMMANDS);
    if (!weir_link_free_for(agent->link, WEIR_ERRAND_COMMANDS, steady))
        return;
    agent->asked_all = steady >= agent->whole;
    snprintf(place, sizeof place, "/agent/v1/commands?generation=%" PRId64 "&rules=%" PRIu32
             "&wait=%d%s", agent->generation, weir_sets_heard(agent->sets), held(agent, steady),
             agent->asked_all ? "&all=1" : "");
    (void)weir_link_send(agent->link, WEIR_ERRAND_COMMANDS, place, (struct weir_slice){0}, false,
                         COMMANDS_TIMEOUT);
}

static void fetch_rules(struct weir_agent *agent, weir_time steady)
{
    char place[WEIR_SETS_PLACE];

    if (weir_sets_turn(agent->sets, steady))
        agent->health = 0; /* what came of it is told at once */
    if (weir_sets_due(agent->sets, steady) &&
        weir_link_free_for(agent->link, WEIR_ERRAND_RULES, steady))
        (void)weir_link_send(agent->link, WEIR_ERRAND_RULES, weir_sets_place(agent->sets, place),
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

/* So many seconds something lasts that began at a time; 0: it does not. */
static json_int_t lasting(weir_time since, weir_time steady)
{
    return since != 0 ? (json_int_t)((steady - since) / WEIR_SECOND) + 1 : 0;
}

/* A spool that cannot be read is a sniffer that is not heard: this server is blind. */
static char *health_text(struct weir_agent *agent, weir_time steady)
{
    size_t len = HEALTH_NUMBERS;
    json_t *lines = weir_health_overruled(&agent->applied, &len);
    const struct weir_tail_counts *tail = weir_tail_counts(agent->tail);
    const struct weir_silence *silence = &agent->silence;
    weir_time silent = weir_silence_now(silence);
    json_int_t unread = lasting(agent->unread, steady), unheard = silent / WEIR_SECOND;
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o,"
        " s:o, s:b}",
        "version", WEIR_VERSION, "spool_files", (json_int_t)tail->files, "spool_octets",
        (json_int_t)tail->octets, "spool_unread", unread, "skipped", (json_int_t)tail->skipped,
        "generation", (json_int_t)agent->generation, "lists_unset", lasting(agent->unset, steady),
        "entries", (json_int_t)agent->applied.entries, "withheld",
        (json_int_t)agent->applied.withheld, "sniffer_silent", unheard > unread ? unheard : unread,
        "sniffer_silences", (json_int_t)silence->times, "sniffer_silence",
        (json_int_t)((silence->past + silent) / WEIR_SECOND), "clock_ahead",
        (json_int_t)(agent->skew.ahead / WEIR_SECOND), "rules", weir_sets_health(agent->sets),
        "votes", (json_int_t)weir_votes_done(agent->votes), "counters_key",
        (json_int_t)weir_votes_key(agent->votes), "overruled", lines, "gone",
        weir_health_gone(agent->tail, len, &agent->telling), "observes",
        agent->config.mode != WEIR_ENFORCE);
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
    text = health_text(agent, steady);
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
        watch_clock(agent, steady);
        ask_for_commands(agent, steady);
        fetch_rules(agent, steady);
        fetch_votes(agent, steady);
        tell_health(agent, steady);
        block(agent, steady);
        weir_agent_count(agent, steady);
        weir_link_turn(agent->link, steady, agent->config.agent_look, files, 1);
        weir_signals_read(agent->signals, &reload, &agent->stop);
        weir_notify_alive(&agent->notify, steady);
        weir_daemon_log_flush(&agent->log);
    }
    weir_notify_stopping(&agent->notify);
    weir_log(&agent->log.log, WEIR_LOG_INFO, "stopping");
    return 0;
}
