/*
 * Opening an agent: its configuration and identity are read, all that is wrong is told, and then
 * its parts are opened.  Refuses an identity that everybody may read.
 */
#include "monitor/agent/agent_impl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/stores_io.h"
#include "core/program/signals_io.h"
#include "core/store/spool_io.h"
#include "monitor/agent/identity_io.h"

#define ARENA_FIRST 8192
#define REST_LEAST (WEIR_SECOND / 2)
#define REST_MOST (30 * WEIR_SECOND)

static int read_identity(struct weir_agent *agent)
{
    return weir_identity_file(agent->config.agent_identity, &agent->log.log, &agent->identity);
}

static int check_state(struct weir_agent *agent)
{
    return weir_config_check_state(&agent->config, &agent->log.log);
}

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
        .ended = weir_agent_ended,
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

/* Two that ship one spool would have all of it counted twice.  Where it cannot be told, as on a
 * full disk, the lists are kept all the same. */
static int claim_spool(struct weir_agent *agent)
{
    agent->claim = weir_spool_claim(agent->spool, "agent");
    if (agent->claim >= 0)
        return 0;
    if (agent->claim == WEIR_EBUSY)
        weir_log(&agent->log.log, WEIR_LOG_ERROR, "spool %s: another weir-agent ships it; a spool "
                 "has one agent", agent->spool);
    else
        weir_log(&agent->log.log, WEIR_LOG_WARNING, "spool %s: whether another weir-agent ships it "
                 "cannot be told: %s", agent->spool, strerror(errno));
    return agent->claim == WEIR_EBUSY ? WEIR_EBUSY : 0;
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
    done = claim_spool(agent);
    if (done < 0)
        return done;
    if (weir_numbers_open(config, WEIR_NUMBERS_AGENT, true, log, &agent->numbers) < 0)
        return WEIR_ENOMEM;
    agent->silence = weir_silence_begin(agent->sniffer);
    weir_instances_begin(&agent->instances, instances, weir_machine_name("", agent->machine), log);
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
    agent->signals = agent->claim = -1;
    agent->wall = weir_clock_system();
    agent->steady = weir_clock_steady();
    agent->notify.fd = -1;
    agent->health_every = WEIR_HEALTH_EVERY;
    done = load(agent);
    if (done < 0)
        return done;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        int one = checks[i](agent);
        done = done < 0 ? done : one;
    }
    return done;
}

/* Only for who asks: an agent that cannot read its spool still keeps the lists. */
static int try_spool(struct weir_agent *agent)
{
    const struct weir_config *config = &agent->config;
    const char *path = weir_config_path(config, config->spool_folder, agent->arena);
    DIR *folder = path ? opendir(path) : NULL;

    if (!path)
        return WEIR_ENOMEM;
    if (folder) {
        closedir(folder);
        return 0;
    }
    if (errno == ENOENT)
        return 0;
    weir_log(&agent->log.log, WEIR_LOG_ERROR, "[spool] folder: %s cannot be read: %s", path,
             strerror(errno));
    return WEIR_EINVAL;
}

int weir_agent_test(const struct weir_agent_options *options)
{
    struct weir_agent *agent = NULL;
    int done = begin(options, &agent);

    if (done == 0)
        done = try_spool(agent);
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
    weir_numbers_close(&(*agent)->numbers);
    weir_tail_free(&(*agent)->tail);
    weir_lists_free(&(*agent)->lists);
    weir_identity_forget(&(*agent)->identity);
    if ((*agent)->signals >= 0)
        close((*agent)->signals);
    if ((*agent)->claim >= 0)
        close((*agent)->claim);
    weir_notify_close(&(*agent)->notify);
    if ((*agent)->log.program)
        weir_daemon_log_end(&(*agent)->log);
    weir_arena_free(&(*agent)->arena);
    free(*agent);
    *agent = NULL;
}
