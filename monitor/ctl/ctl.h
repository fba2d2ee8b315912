/*
 * ctl - what the verbs of weirctl share.
 *
 * A verb is one row of the table in weirctl.c: its words, its function, the
 * options it takes and its help.  Its function gets a struct weir_ctl with the
 * command line taken apart, opens what it needs, does its work and returns an
 * exit code of sysexits.h, or 1 for "not there" and "not well".
 *
 * Owner:    main owns the struct; what is opened through it is closed by
 *           weir_ctl_close().
 * Errors:   a function that returns an exit code has already said why, on
 *           standard error.
 */
#ifndef WEIR_CTL_H
#define WEIR_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

#include "core/engine/config.h"
#include "core/engine/engine.h"
#include "core/engine/stores_io.h"
#include "monitor/view/view_time.h"

#define WEIR_CTL_NOT_THERE 1 /* exit code: what was asked for is not there, or not well */

/* Options by letter; those in lower case at the top have it as short form, the others are long
 * only. */
enum weir_ctl_option {
    WEIR_CTL_CONFIG = 'c',
    WEIR_CTL_HELP = 'h',
    WEIR_CTL_TEST = 't',
    WEIR_CTL_VERSION = 'V',
    WEIR_CTL_JSON = 'j',
    WEIR_CTL_REASON = 'r',
    WEIR_CTL_ORIGIN = 'o',
    WEIR_CTL_FOR = 'f',
    WEIR_CTL_UNTIL = 'u',
    WEIR_CTL_FOREVER = 'E',
    WEIR_CTL_FILE = 'F',
    WEIR_CTL_FORCE = 'x',
    WEIR_CTL_EXPIRED = 'e',
    WEIR_CTL_VERDICT = 'v',
    WEIR_CTL_BY = 'b',
    WEIR_CTL_AT = 'a',
    WEIR_CTL_AUTHENTICATED = 'A',
    WEIR_CTL_COUNT = 'n',
    WEIR_CTL_SUMMARY = 's',
    WEIR_CTL_DEFAULTS = 'd',
    WEIR_CTL_CHANGED = 'C',
    WEIR_CTL_SAMPLE = 'S',
    WEIR_CTL_MAN = 'm',
    WEIR_CTL_CLIENT_ADDRESS = 'I',
    WEIR_CTL_CLIENT_NAME = 'L',
    WEIR_CTL_HELO = 'H',
    WEIR_CTL_SENDER = 'M',
    WEIR_CTL_RECIPIENT = 'R',
    WEIR_CTL_EXPLAIN = 'X',
    WEIR_CTL_PROFILE = 'P',
    WEIR_CTL_OUTPUT = 'O',
    WEIR_CTL_DRY = 'D',
    WEIR_CTL_HIDDEN = 'q',
    WEIR_CTL_POINTS = 'p',
    WEIR_CTL_DEFER = 'T',
    WEIR_CTL_PREFIX = 'N',
    WEIR_CTL_CONNECTIONS = 'K',
    WEIR_CTL_MESSAGES = 'g',
    WEIR_CTL_RECIPIENTS = 'z',
    WEIR_CTL_OBSERVE = 'B',
    WEIR_CTL_ENFORCE = 'W',
    WEIR_CTL_LADDER = 'l',
    WEIR_CTL_SINCE = 'i',
    WEIR_CTL_MOST = 'k',
    WEIR_CTL_WATCH = 'w',
    WEIR_CTL_OPEN = 'y',
    WEIR_CTL_ACCEPT = 'Y',
    WEIR_CTL_BOOK = '1',
    WEIR_CTL_STATE = '2',
    WEIR_CTL_WHERE = '3',
    WEIR_CTL_NOW = '4',
    WEIR_CTL_USER = 'U',
    WEIR_CTL_TAKE_BACK = 'G',
    WEIR_CTL_WHAT = 'Q',
    WEIR_CTL_SORT = '5',
    WEIR_CTL_IDLE = '6',
    WEIR_CTL_CSV = '7',
    WEIR_CTL_HAM = '8',
    WEIR_CTL_SPAM = '9',
    WEIR_CTL_RECENT = '0',
    WEIR_CTL_SAYS = 'J',
    WEIR_CTL_THRESHOLD = '@',
    WEIR_CTL_SERVER = '%',
    WEIR_CTL_KIND = '=',
    WEIR_CTL_SERVE = 'Z',
    WEIR_CTL_PAST = '!',
};

struct weir_ctl;

struct weir_ctl_verb {
    const char *noun;
    const char *name;     /* NULL: the noun alone */
    int (*run)(struct weir_ctl *ctl);
    enum weir_list list;  /* for the nouns that are lists */
    const char *options;  /* letters it takes besides --config, --json, --help */
    int least, most;      /* arguments behind the words; most -1: any number */
    const char *synopsis; /* of what stands behind the words */
    const char *sentence;
    const char *example;
};

#define WEIR_CTL_CLOCKS_DIFFER (5 * WEIR_MINUTE) /* so far ahead a vote may be */
#define WEIR_CTL_NOTES 8
#define WEIR_CTL_NOTE 512

struct weir_ctl {
    const struct weir_ctl_verb *verb;
    const char *option[128]; /* by letter: its value, "" for one without, NULL when not given */
    char **argument;         /* behind the words */
    int arguments;
    bool bar;                /* a progress bar stands on the terminal's line */
    char *aside;             /* WEIR_CTL_NOTE octets for errors that are not to be told; or NULL */
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_stores stores;
    struct weir_engine *engine;
    struct weir_log log;
    int janitor, janitor_end; /* of a scratch store: its process, our end of the pipe */
    char note[WEIR_CTL_NOTES][WEIR_CTL_NOTE]; /* what went wrong while opening */
    size_t notes;
};

/* The command line (ctl_command.c). ------------------------------------- */

/* Takes the command line apart.  0 with ctl->verb set, or NULL there when --version,
 * --help or -t is all that is asked for; else an exit code. */
int weir_ctl_command(struct weir_ctl *ctl, const struct weir_ctl_verb *verb, size_t verbs,
                     int argc, char **argv);

/* Prints the help of ctl->verb, or of all verbs when it is NULL. */
void weir_ctl_help(const struct weir_ctl *ctl, const struct weir_ctl_verb *verb, size_t verbs,
                   FILE *out);

/* "weirctl: ..." on standard error, one line.  Returns code, so that one can
 * write `return weir_ctl_error(ctl, EX_USAGE, ...)`. */
int weir_ctl_error(struct weir_ctl *ctl, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The long name of an option. */
const char *weir_ctl_option_name(enum weir_ctl_option letter);

/* Values of options (ctl_option.c).  What was not given is left as it is; 0, or EX_USAGE after
 * what is wrong was told. */
int weir_ctl_option_text(struct weir_ctl *ctl, enum weir_ctl_option letter, char *text,
                         size_t most);
int weir_ctl_option_period(struct weir_ctl *ctl, enum weir_ctl_option letter,
                           weir_time *period);
int weir_ctl_option_count(struct weir_ctl *ctl, enum weir_ctl_option letter, unsigned most,
                          unsigned *count);
/* One of words, which end with NULL: its number. */
int weir_ctl_option_word(struct weir_ctl *ctl, enum weir_ctl_option letter,
                         const char *const *words, unsigned *number);
/* The first argument as an address or prefix, and as one that is not too wide for a list. */
int weir_ctl_argument_prefix(struct weir_ctl *ctl, struct weir_prefix *prefix_r);
int weir_ctl_argument_narrow(struct weir_ctl *ctl, struct weir_prefix *prefix_r);
/* Whether one of two prefixes lies in the other: what is about an address is about its networks. */
bool weir_ctl_touches(const struct weir_prefix *a, const struct weir_prefix *b);

/* The number that the first argument is, from 1 on: "an event", as weirctl "events" shows it. */
int weir_ctl_argument_number(struct weir_ctl *ctl, const char *what, const char *shown,
                             long long *number_r);

/* Times and spans as people write them (monitor/view/view_time.h).  0 or WEIR_EINVAL. */
static inline int weir_ctl_time_parse(const char *text, weir_time *time_r)
{
    return weir_view_time_read(text, time_r);
}

static inline int weir_ctl_period_parse(const char *text, weir_time *period_r)
{
    return weir_view_period_read(text, period_r);
}

/* What is opened (ctl_open_io.c). ------------------------------------------- */

/* ctl->arena.  0 or EX_OSERR. */
int weir_ctl_make_arena(struct weir_ctl *ctl);

/* Reads the configuration.  0 or EX_CONFIG, EX_OSERR. */
int weir_ctl_configure(struct weir_ctl *ctl);

/* Reads the configuration and opens lists and counters for this use (enum
 * weir_stores_use).  One that cannot be opened is NULL in ctl->stores, and the
 * reason is in ctl->note.  0 or an exit code. */
int weir_ctl_open(struct weir_ctl *ctl, unsigned use);

/* The same for a verb that cannot do without lists, or counters. */
int weir_ctl_open_lists(struct weir_ctl *ctl, unsigned use);
int weir_ctl_open_counters(struct weir_ctl *ctl, unsigned use);

/* The same with a counter store of its own instead of the live one, empty and gone
 * with this process, and without lists (ctl_scratch_io.c). */
int weir_ctl_open_scratch(struct weir_ctl *ctl);
void weir_ctl_close_scratch(struct weir_ctl *ctl);

/* Makes ctl->engine from what is open.  0 or EX_OSERR. */
int weir_ctl_make_engine(struct weir_ctl *ctl);

void weir_ctl_close(struct weir_ctl *ctl);

/* The same for votes: what cannot be stored now is to be tried again, EX_TEMPFAIL. */
int weir_ctl_open_votes(struct weir_ctl *ctl);

/* Whether this machine has an agent: its identity is there, or hidden from us. */
bool weir_ctl_has_agent(const struct weir_ctl *ctl);

/* The system's time. */
weir_time weir_ctl_now(void);

/* --at, or the whole second that it is now.  0 or EX_USAGE. */
int weir_ctl_as_of(struct weir_ctl *ctl, weir_time *time_r);

/* Enters all votes of a file in the form of replay_line.h. */
int weir_ctl_vote_file(struct weir_ctl *ctl, const char *path);

/* The verbs. --------------------------------------------------------------- */

int weir_ctl_list_add(struct weir_ctl *ctl);
int weir_ctl_list_remove(struct weir_ctl *ctl);
int weir_ctl_list_list(struct weir_ctl *ctl);
int weir_ctl_list_show(struct weir_ctl *ctl);
int weir_ctl_reputation_show(struct weir_ctl *ctl);
int weir_ctl_reputation_add(struct weir_ctl *ctl);
int weir_ctl_reputation_undo(struct weir_ctl *ctl);
int weir_ctl_replay(struct weir_ctl *ctl);
int weir_ctl_status(struct weir_ctl *ctl);
int weir_ctl_metrics(struct weir_ctl *ctl);
int weir_ctl_show_config(struct weir_ctl *ctl);
int weir_ctl_check(struct weir_ctl *ctl);
int weir_ctl_info_decode(struct weir_ctl *ctl);
int weir_ctl_gateways_learn(struct weir_ctl *ctl);
int weir_ctl_gateways_list(struct weir_ctl *ctl);
int weir_ctl_gateways_approve(struct weir_ctl *ctl);
int weir_ctl_gateways_reject(struct weir_ctl *ctl);
int weir_ctl_gateways_forget(struct weir_ctl *ctl);
int weir_ctl_rules_load(struct weir_ctl *ctl);
int weir_ctl_rules_list(struct weir_ctl *ctl);
int weir_ctl_rules_stats(struct weir_ctl *ctl);
int weir_ctl_rules_show(struct weir_ctl *ctl);
int weir_ctl_rules_import(struct weir_ctl *ctl);
int weir_ctl_rules_sets(struct weir_ctl *ctl);
int weir_ctl_rules_diff(struct weir_ctl *ctl);
int weir_ctl_publish(struct weir_ctl *ctl);
int weir_ctl_rollback(struct weir_ctl *ctl);
int weir_ctl_rules_add(struct weir_ctl *ctl);
int weir_ctl_rules_test(struct weir_ctl *ctl);
int weir_ctl_rules_set(struct weir_ctl *ctl);
int weir_ctl_rules_state(struct weir_ctl *ctl);
int weir_ctl_rules_approve(struct weir_ctl *ctl);
int weir_ctl_rules_reject(struct weir_ctl *ctl);
int weir_ctl_rules_history(struct weir_ctl *ctl);
int weir_ctl_rules_export(struct weir_ctl *ctl);
int weir_ctl_analyze(struct weir_ctl *ctl);
int weir_ctl_server_add(struct weir_ctl *ctl);
int weir_ctl_server_revoke(struct weir_ctl *ctl);
int weir_ctl_server_list(struct weir_ctl *ctl);
int weir_ctl_user_add(struct weir_ctl *ctl);
int weir_ctl_user_list(struct weir_ctl *ctl);
int weir_ctl_user_password(struct weir_ctl *ctl);
int weir_ctl_user_role(struct weir_ctl *ctl);
int weir_ctl_user_able(struct weir_ctl *ctl);
int weir_ctl_user_remove(struct weir_ctl *ctl);
int weir_ctl_token_add(struct weir_ctl *ctl);
int weir_ctl_token_list(struct weir_ctl *ctl);
int weir_ctl_token_remove(struct weir_ctl *ctl);
int weir_ctl_threshold_show(struct weir_ctl *ctl);
int weir_ctl_threshold_set(struct weir_ctl *ctl);
int weir_ctl_threshold_remove(struct weir_ctl *ctl);
int weir_ctl_threshold_test(struct weir_ctl *ctl);
int weir_ctl_top(struct weir_ctl *ctl);
int weir_ctl_events(struct weir_ctl *ctl);
int weir_ctl_block(struct weir_ctl *ctl);
int weir_ctl_unblock(struct weir_ctl *ctl);
int weir_ctl_unaccept(struct weir_ctl *ctl);
int weir_ctl_restore(struct weir_ctl *ctl);
int weir_ctl_decisions(struct weir_ctl *ctl);
int weir_ctl_report(struct weir_ctl *ctl);
int weir_ctl_reports(struct weir_ctl *ctl);
int weir_ctl_reports_show(struct weir_ctl *ctl);
int weir_ctl_reports_unproven(struct weir_ctl *ctl);
int weir_ctl_reports_forget(struct weir_ctl *ctl);
int weir_ctl_reports_decide(struct weir_ctl *ctl);
int weir_ctl_events_acknowledge(struct weir_ctl *ctl);
int weir_ctl_events_unacknowledge(struct weir_ctl *ctl);
int weir_ctl_silence_add(struct weir_ctl *ctl);
int weir_ctl_silence_end(struct weir_ctl *ctl);
int weir_ctl_silence_list(struct weir_ctl *ctl);
int weir_ctl_bayes_status(struct weir_ctl *ctl);
int weir_ctl_bayes_learn(struct weir_ctl *ctl);
int weir_ctl_bayes_unlearn(struct weir_ctl *ctl);
int weir_ctl_counters_rebuild(struct weir_ctl *ctl);
int weir_ctl_counters_forget(struct weir_ctl *ctl);

#endif
