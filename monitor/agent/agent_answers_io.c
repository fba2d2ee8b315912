/*
 * What the monitor's answers do to an agent.  One that is no answer of a monitor changes nothing,
 * and its errand rests.
 */
#include "monitor/agent/agent_impl.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

#define HEALTH_LEAST (WEIR_SECOND / 5)

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
        agent->shipped = true; /* there may be more */
    } else if (status == 409) {
        refused(agent, WEIR_ERRAND_SHIP);
    } else {
        weir_link_rest(agent->link, WEIR_ERRAND_SHIP);
    }
}

void weir_agent_tell_at_once(struct weir_agent *agent)
{
    agent->health = 0;
    agent->news = true;
}

/* Told when it begins and when it is over; the monitor is told as long as it lasts. */
static void note_lists(struct weir_agent *agent, int done)
{
    if (done < 0 && agent->unset == 0)
        weir_log(&agent->log.log, WEIR_LOG_ERROR, "the lists cannot be changed: %s",
                 weir_error_reason(done));
    else if (done >= 0 && agent->unset != 0)
        weir_log(&agent->log.log, WEIR_LOG_INFO, "the lists can be changed again");
    if (done >= 0)
        agent->unset = 0;
    else if (agent->unset == 0)
        agent->unset = weir_clock_now(&agent->steady);
}

static void applied(struct weir_agent *agent, const struct weir_command *command, int done)
{
    agent->block = 0;
    weir_agent_tell_at_once(agent); /* whoever asked waits to hear where it is not in force */
    note_lists(agent, done);
    if (done < 0) {
        weir_link_rest(agent->link, WEIR_ERRAND_COMMANDS);
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
    else if (status == 204 && agent->asked_all) /* it cannot read them: it is asked again later */
        weir_link_rest(agent->link, WEIR_ERRAND_COMMANDS);
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
    agent->health_every = WEIR_HEALTH_EVERY;
    if (json && json_unpack(json, "{s:I}", "every", &every) == 0 &&
        every < WEIR_HEALTH_EVERY / 1000)
        agent->health_every = every > HEALTH_LEAST / 1000 ? every * 1000 : HEALTH_LEAST;
    if (json_is_integer(newest))
        weir_votes_hear(agent->votes, json_integer_value(newest));
    if (!agent->news)
        agent->health = weir_clock_now(&agent->steady) + agent->health_every;
    json_decref(json);
}

/* Where it changed, what is listed here ends at wrong times, and is asked for anew. */
static void compare_clocks(struct weir_agent *agent, enum weir_errand errand)
{
    struct weir_link_said said = weir_link_said(agent->link, errand);
    weir_time now = weir_clock_now(&agent->wall), ahead;

    if (!weir_skew_note(&agent->skew, now - said.took, now, said.date))
        return;
    agent->whole = 0;
    weir_agent_tell_at_once(agent);
    ahead = agent->skew.ahead / WEIR_SECOND;
    if (ahead == 0)
        weir_log(&agent->log.log, WEIR_LOG_INFO, "this server's clock is right again, by the "
                 "monitor's");
    else
        weir_log(&agent->log.log, WEIR_LOG_WARNING, "this server's clock is %" PRId64 " s %s the "
                 "monitor's", ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead of");
}

static void fetched(struct weir_agent *agent, int status, struct weir_slice answer)
{
    if (status == 200)
        weir_sets_take(agent->sets, answer, weir_link_came(agent->link, WEIR_ERRAND_RULES),
                       weir_clock_now(&agent->steady));
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

void weir_agent_ended(void *context, enum weir_errand errand, int status,
                      struct weir_slice answer)
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
    if (errand == WEIR_ERRAND_SHIP) {
        if (status == 200)
            weir_histogram_add(weir_numbers_times(agent->numbers, WEIR_NUMBER_SHIP_TIME, 0),
                               weir_clock_now(&agent->steady) - agent->shipped_at, 1);
        shipped(agent, status, answer);
    }
    if (errand == WEIR_ERRAND_COMMANDS)
        commanded(agent, status, answer);
}
