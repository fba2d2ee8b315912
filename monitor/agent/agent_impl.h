/*
 * Private to the agent: its struct, which agent_open_io.c makes, agent_io.c keeps going and
 * agent_answers_io.c changes as answers come.
 */
#ifndef WEIR_AGENT_AGENT_IMPL_H
#define WEIR_AGENT_AGENT_IMPL_H

#include "core/base/step.h"
#include "core/engine/numbers_io.h"
#include "core/program/daemon_log_io.h"
#include "core/program/sd_notify_io.h"
#include "monitor/agent/agent_io.h"
#include "monitor/agent/apply_io.h"
#include "monitor/agent/firewall_io.h"
#include "monitor/agent/instances_io.h"
#include "monitor/agent/link_io.h"
#include "monitor/agent/machine_io.h"
#include "monitor/agent/sets_io.h"
#include "monitor/agent/silence_io.h"
#include "monitor/agent/skew.h"
#include "monitor/agent/tail_io.h"
#include "monitor/agent/votes_io.h"


struct weir_agent {
    struct weir_agent_options options;
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_daemon_log log;
    struct weir_clock wall, steady;
    struct weir_notify notify;
    int signals, claim;          /* claim: on the spool */

    struct weir_identity identity;
    struct weir_instances instances;
    char machine[WEIR_MACHINE_TEXT];

    struct weir_lists *lists;
    const char *spool;
    struct weir_tail *tail;
    struct weir_link *link;
    struct weir_sets *sets;
    struct weir_votes *votes;
    struct weir_firewall *firewall;    /* NULL: none is wanted */
    struct weir_numbers *numbers;

    char shipping[WEIR_STREAM_TEXT];   /* the stream that travels */
    int64_t generation;                /* applied */
    bool asked_all;                    /* the question for commands that travels is for all */
    weir_time look, sweep, health, block, count; /* steady: when next */
    weir_time shipped_at;              /* steady: the piece that travels */
    weir_time whole;                   /* the same, for all that is listed; 0: at once */
    weir_time block_rest, look_rest;   /* steady: not before, whatever changed */
    struct weir_silence silence;       /* of this server's sniffer */
    const char *sniffer;               /* file that says there is one */
    uint64_t sniffed;                  /* octets it had written at the last look */
    weir_time health_every;
    size_t telling;                    /* streams that are gone, in the report that travels */
    bool news;                         /* since that report left: it is to be told at once */
    struct weir_applied applied;
    struct weir_skew skew;
    struct weir_step step;             /* of this server's clock */
    bool refused;                      /* another agent speaks for this server: told */
    weir_time unread, unset;           /* steady: since then the spool cannot be read, or the lists
                                        * cannot be changed; 0: they can */
    bool shipped;                      /* since the last look */
    bool stop;
};

/* What became of an errand: link_io.h. */
void weir_agent_ended(void *context, enum weir_errand errand, int status,
                      struct weir_slice answer);

/* Keeps numbers up, once a second. */
void weir_agent_count(struct weir_agent *agent, weir_time steady);

/* The next report goes as soon as it can, also when one is on its way. */
void weir_agent_tell_at_once(struct weir_agent *agent);

#endif
