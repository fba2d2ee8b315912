/*
 * config - every setting of Weir, one row each.
 *
 * One file, /etc/weir/weir.conf, serves all programs; a row gives the name,
 * kind, default, bounds and one sentence, from which the parser, `weirctl
 * config`, the sample file and weir.conf(5) are made (core/base/settings.h).
 */
#ifndef WEIR_ENGINE_CONFIG_H
#define WEIR_ENGINE_CONFIG_H

#include "core/base/settings.h"
#include "core/evidence/reputation.h"

#define WEIR_CONFIG_PATH "/etc/weir/weir.conf"

enum weir_mode { WEIR_OBSERVE, WEIR_ENFORCE };
enum weir_reports_reputation {
    WEIR_REPORTS_AUTO, WEIR_REPORTS_HERE, WEIR_REPORTS_MONITOR, WEIR_REPORTS_NO
};
enum weir_counters_kind { WEIR_COUNTERS_LOCAL, WEIR_COUNTERS_MEMCACHED };
enum weir_spam_action { WEIR_SPAM_PASS, WEIR_SPAM_DEFER, WEIR_SPAM_REJECT };
enum weir_log_target { WEIR_LOG_STDERR, WEIR_LOG_SYSLOG };
enum weir_socket_access { WEIR_SOCKET_EVERYBODY, WEIR_SOCKET_GROUP, WEIR_SOCKET_OWNER };
enum weir_on_spam { WEIR_ON_SPAM_TAG, WEIR_ON_SPAM_QUARANTINE, WEIR_ON_SPAM_REJECT };
enum weir_on_failure { WEIR_ON_FAILURE_ACCEPT, WEIR_ON_FAILURE_TEMPFAIL };
enum weir_domain_of { WEIR_DOMAIN_STATED, WEIR_DOMAIN_BOUNDARY };
enum weir_rules_engine { WEIR_RULES_BUILTIN, WEIR_RULES_HYPERSCAN };
enum weir_agent_nftables { WEIR_NFTABLES_NO, WEIR_NFTABLES_DROP, WEIR_NFTABLES_REJECT };

/* What becomes of the Bayesian classifier's word. */
enum weir_bayes_use { WEIR_BAYES_OFF, WEIR_BAYES_OBSERVE, WEIR_BAYES_ON };
enum weir_prepend { WEIR_PREPEND_OBSERVE, WEIR_PREPEND_ALWAYS, WEIR_PREPEND_NEVER };

struct weir_config {
    /* [weir] */
    int mode;                       /* enum weir_mode */
    int counters;                   /* enum weir_counters_kind */
    const char *state_directory;
    const char *lists_file, *counters_file, *key_file; /* in state_directory unless absolute */
    int64_t counters_size;
    struct weir_strings never;
    const char *help_url;
    const char *suffix_list;
    const char *numbers_folder;     /* in state_directory unless absolute; "": none */
    int log;                        /* enum weir_log_target */
    int log_level;                  /* enum weir_log_level */

    /* [memcached] */
    struct weir_strings servers;
    weir_time wait, near, retry_least, retry_most;
    int64_t near_entities;

    /* [reputation] */
    struct weir_reputation_settings reputation;
    bool learn;

    /* [decision] */
    double spam_probability, spam_confidence, unsure_probability;
    int spam_action;                /* enum weir_spam_action */
    struct weir_strings exempt_recipients;

    /* [message] */
    double unsure_score, spam_score, reject_score;
    int on_spam;                    /* enum weir_on_spam */
    int on_failure;                 /* enum weir_on_failure */
    int domain_of;                  /* enum weir_domain_of (C14, C15) */
    bool reputation_points;         /* reputation adds to the score (C28) */
    bool tag_ham;                   /* X-Spam-Status on ham, too */
    struct weir_strings trusted_authserv;

    /* [boundary] */
    int boundary_mode;              /* enum weir_boundary_mode */
    int64_t boundary_hops;
    struct weir_strings gateways, gateway_names, mx;
    const char *gateways_file;

    /* [rules] */
    const char *rules_folder, *rules_file;
    int rules_engine;               /* enum weir_rules_engine */

    /* [bayes] */
    int bayes_use;                  /* enum weir_bayes_use */
    double bayes_scale, bayes_spam_points, bayes_ham_points;
    int64_t bayes_least;
    bool bayes_verdicts;            /* sure verdicts teach it */
    double bayes_learn_spam, bayes_learn_ham, bayes_lessons;
    int64_t bayes_server_day, bayes_day, bayes_tokens, bayes_report_weight;

    /* [info] */
    const char *info_key_file;
    bool info_sealed;
    int64_t server_number;

    /* [spool] */
    const char *spool_folder;
    int64_t spool_size;
    weir_time spool_turn;

    /* [reports] */
    int64_t reports_user_day, reports_server_day;
    int reports_reputation;         /* enum weir_reports_reputation */
    int64_t reports_text;           /* octets */
    weir_time reports_text_kept;

    /* [milter] */
    const char *milter_listen;
    int64_t milter_size;            /* octets of a message that are looked at */

    /* [exim] */
    const char *decide;
    weir_time decide_timeout;
    bool trust_owner;

    /* [agent] */
    const char *agent_identity, *agent_instance, *agent_authorities;
    weir_time agent_look, agent_whole;
    bool agent_compress;
    int agent_nftables;             /* enum weir_agent_nftables */

    /* [monitor] */
    const char *monitor_listen, *monitor_url, *monitor_key, *monitor_certificate;
    const char *monitor_admin, *monitor_database, *monitor_journal, *monitor_rules_key;
    int64_t monitor_journal_size, monitor_database_size, monitor_counters, monitor_addresses;
    int64_t monitor_messages;
    weir_time monitor_silence, monitor_minutes;
    const char *alert_mail, *alert_webhook, *sendmail;
    weir_time alert_window;
    int64_t alert_hour;
    const char *escalate_mail, *escalate_webhook;
    const char *alert_mail_template, *alert_webhook_template, *escalate_template;
    weir_time escalate_after;
    int64_t escalate_most;

    /* [console] */
    const char *console_listen, *console_url, *console_certificate, *console_key;

    /* [analyzer] */
    weir_time analyzer_every, analyzer_idle, analyzer_trial;
    int64_t analyzer_false_positives, analyzer_people;
    double analyzer_server_share;

    /* [drafts] */
    int64_t drafts_reports, drafts_users, drafts_domains, drafts_ham_least, drafts_day;

    /* [threshold] */
    bool threshold_observe;
    double connections_rate, messages_rate, recipients_rate;
    int64_t connections_most, messages_most, recipients_most;
    const char *threshold_ladder;
    double threshold_wider;
    int64_t threshold_children, threshold_quorum, blocks_hour, blocks_server_hour;
    int64_t scores_hour, scores_server_hour;

    /* [sniffer] */
    const char *sniffer_interface, *sniffer_user;
    struct weir_strings sniffer_ports, sniffer_proxies;
    int64_t sniffer_snaplen, sniffer_buffer;
    bool sniffer_promiscuous, sniffer_count_own;

    /* [metrics] */
    const char *metrics_listen;
    struct weir_strings metrics_names;

    /* [policyd] */
    const char *decide_listen;
    struct weir_strings listen;
    int socket_access;              /* enum weir_socket_access: of Unix sockets */
    int64_t clients_most;
    weir_time request_timeout, idle_timeout, remember;
    int prepend;                    /* enum weir_prepend */
};

/* The table of rows over struct weir_config. */
const struct weir_settings *weir_config_settings(void);

/* What is wrong between settings each of which is right; NULL: nothing.  Static text. */
const char *weir_config_conflict(const struct weir_config *config);

/* A file named in the configuration: below the state directory unless it begins
 * with '/'.  In the arena; NULL when memory is short. */
const char *weir_config_path(const struct weir_config *config, const char *file,
                             struct weir_arena *arena);

#endif
