/*
 * config - the table of all settings.
 *
 * Nothing but rows: their order is the order of sections and settings in the
 * sample file and in weir.conf(5).  Bounds of periods are in microseconds, as
 * the fields are.
 */
#include "core/engine/config.h"

#include "core/base/limits.h"
#include "core/engine/config_impl.h"

#define AT(field) offsetof(struct weir_config, field)
#define MINUTES 6e7
#define DAYS 8.64e10

static const struct weir_setting rows[] = {
    {"weir", "mode", WEIR_CHOICE, "observe", 0, 0, "observe|enforce", AT(mode),
     "observe decides, logs and tags but never refuses mail; enforce refuses what is blocked or "
     "spam. Start with observe and read the log before you enforce.", NULL},
    {"weir", "counters", WEIR_CHOICE, "local", 0, 0, "local|memcached", AT(counters),
     "Where reputation is counted: local is a file shared by the programs of one machine, "
     "memcached a cluster shared by many mail servers (section [memcached]).", NULL},
    {"weir", "state_directory", WEIR_TEXT, "/var/lib/weir", 0, 0, NULL, AT(state_directory),
     "The folder of the files below, unless they begin with a slash.", weir_config_check_absolute},
    {"weir", "lists_file", WEIR_TEXT, "lists.db", 0, 0, NULL, AT(lists_file),
     "The blacklist and the acceptable list; read in place, changes act at once.", NULL},
    {"weir", "counters_file", WEIR_TEXT, "counters.db", 0, 0, NULL, AT(counters_file),
     "The counters of the local store.", NULL},
    {"weir", "counters_size", WEIR_SIZE, "1G", 4194304, 1099511627776.0, NULL, AT(counters_size),
     "The local store never grows beyond this; then what matters least is forgotten.", NULL},
    {"weir", "key_file", WEIR_TEXT, "counters.key", 0, 0, NULL, AT(key_file),
     "The secret that hides addresses and domains in counters, 32 hex digits; made when missing. "
     "All servers that share a memcached cluster need the same file.", NULL},
    {"weir", "never", WEIR_LIST, "127.0.0.0/8, ::1", 0, 0, NULL, AT(never),
     "Addresses and prefixes that nothing ever blocks: your own networks, gateways, monitors.",
     weir_config_check_prefix},
    {"weir", "help_url", WEIR_TEXT, "", 0, 0, NULL, AT(help_url),
     "A page for refused senders, named in refusals; empty for none.", NULL},
    {"weir", "suffix_list", WEIR_TEXT, "", 0, 0, NULL, AT(suffix_list),
     "A newer copy of the Public Suffix List; empty for the one built into libpsl.", NULL},
    {"weir", "numbers_folder", WEIR_TEXT, "numbers", 0, 0, NULL, AT(numbers_folder),
     "Where programs count what they do, in state_directory, some 30 kB each: `weirctl metrics` "
     "shows it; empty: nowhere. Another one takes a restart.", NULL},
    {"weir", "log", WEIR_CHOICE, "stderr", 0, 0, "stderr|syslog", AT(log),
     "Where daemons log: stderr (the journal under systemd) or syslog, facility mail.", NULL},
    {"weir", "log_level", WEIR_CHOICE, "info", 0, 0, "error|warning|info|debug", AT(log_level),
     "The least important lines to log; info has one line for each decision.", NULL},

    {"memcached", "servers", WEIR_LIST, "127.0.0.1:11211", 0, 0, NULL, AT(servers),
     "The cluster: host, host:port, [IPv6]:port or a socket path, with *2 behind it for double "
     "share. The same list, in any order, on every server.", weir_config_check_server},
    {"memcached", "wait", WEIR_PERIOD, "50ms", 1e3, 1e6, NULL, AT(wait),
     "A decision waits no longer than this for counters and then goes on without them.", NULL},
    {"memcached", "near", WEIR_PERIOD, "2s", 0, 6e7, NULL, AT(near),
     "Counters read from the cluster are used again for so long; 0 asks every time.", NULL},
    {"memcached", "near_entities", WEIR_COUNT, "60000", 64, 4194304, NULL, AT(near_entities),
     "How many addresses, networks, domains and pairs are kept for that.", NULL},
    {"memcached", "retry_least", WEIR_PERIOD, "250ms", 1e4, 6e7, NULL, AT(retry_least),
     "A server that failed is tried again after this time, then after twice as long, and so on.",
     NULL},
    {"memcached", "retry_most", WEIR_PERIOD, "5s", 1e4, 6e8, NULL, AT(retry_most),
     "The longest time between two tries.", NULL},

    {"reputation", "ipv4_network", WEIR_BITS, "/24", 8, 32, NULL, AT(reputation.ipv4_bits),
     "The size of the network an IPv4 address is judged with.", NULL},
    {"reputation", "ipv6_network", WEIR_BITS, "/64", 16, 128, NULL, AT(reputation.ipv6_bits),
     "The size of the network an IPv6 address is judged with.", NULL},
    {"reputation", "learn", WEIR_YESNO, "yes", 0, 0, NULL, AT(learn),
     "Whether the verdict on each message is counted for its address and domain: as the rules have "
     "it, without what reputation or the classifier add.", NULL},
    {"reputation", "weight_user", WEIR_NUMBER, "5", 0, 1000, NULL, AT(reputation.weight_user),
     "How much one person's vote counts.", NULL},
    {"reputation", "weight_computer", WEIR_NUMBER, "1", 0, 1000, NULL,
     AT(reputation.weight_computer), "How much one program's verdict counts.", NULL},
    {"reputation", "weight_indeterminate", WEIR_NUMBER, "0.25", 0, 1000, NULL,
     AT(reputation.weight_indeterminate),
     "How much mail that could not be told apart counts, as good mail.", NULL},
    {"reputation", "strength_pair", WEIR_NUMBER, "0.5", 0.01, 1000, NULL,
     AT(reputation.strength_pair),
     "How many votes the wider levels are worth against the pair's own history.", NULL},
    {"reputation", "strength_address", WEIR_NUMBER, "1", 0.01, 1000, NULL,
     AT(reputation.strength_address), "The same for an address against its network.", NULL},
    {"reputation", "strength_network", WEIR_NUMBER, "2", 0.01, 1000, NULL,
     AT(reputation.strength_network), "The same for a network against all mail.", NULL},
    {"reputation", "strength_domain", WEIR_NUMBER, "2", 0.01, 1000, NULL,
     AT(reputation.strength_domain), "The same for a domain against all mail.", NULL},
    {"reputation", "half_life_pair", WEIR_PERIOD, "30d", MINUTES, 3650 * DAYS, NULL,
     AT(reputation.half_life_pair),
     "After this time a vote counts half, for pairs. Changing a half-life starts new counters.",
     NULL},
    {"reputation", "half_life_address", WEIR_PERIOD, "10d", MINUTES, 3650 * DAYS, NULL,
     AT(reputation.half_life_address), "The same for addresses.", NULL},
    {"reputation", "half_life_network", WEIR_PERIOD, "10d", MINUTES, 3650 * DAYS, NULL,
     AT(reputation.half_life_network), "The same for networks.", NULL},
    {"reputation", "half_life_domain", WEIR_PERIOD, "30d", MINUTES, 3650 * DAYS, NULL,
     AT(reputation.half_life_domain), "The same for domains.", NULL},
    {"reputation", "half_life_rate", WEIR_PERIOD, "60m", 4 * MINUTES, 30 * DAYS, NULL,
     AT(reputation.half_life_rate),
     "The span over which spam rates are measured; a quarter of it serves for the trend.", NULL},
    {"reputation", "prior_least", WEIR_NUMBER, "0.2", 0.01, 0.99, NULL,
     AT(reputation.prior_least), "What is assumed of unknown senders is never below this.", NULL},
    {"reputation", "prior_most", WEIR_NUMBER, "0.8", 0.01, 0.99, NULL, AT(reputation.prior_most),
     "What is assumed of unknown senders is never above this.", NULL},
    {"reputation", "associate_good", WEIR_NUMBER, "149", 1, 1e6, NULL,
     AT(reputation.associate_good),
     "A domain needs this much good mail before a network can be strange for it.", NULL},
    {"reputation", "associate_novelty", WEIR_NUMBER, "0.05", 0, 1, NULL,
     AT(reputation.associate_novelty),
     "A domain whose good mail comes from new networks more often than this roams: no network "
     "is strange for it.", NULL},
    {"reputation", "associate_group", WEIR_NUMBER, "2", 1, 1e6, NULL,
     AT(reputation.associate_group), "So many good mails make a network common for a domain.",
     NULL},
    {"reputation", "shared_domains", WEIR_NUMBER, "50", 1, 1e6, NULL,
     AT(reputation.shared_domains),
     "A good network used by so many good domains is a shared one: never strange.", NULL},

    {"decision", "spam_probability", WEIR_NUMBER, "0.95", 0.5, 1, NULL, AT(spam_probability),
     "From this probability on, mail is spam by reputation.", NULL},
    {"decision", "spam_confidence", WEIR_NUMBER, "0.96", 0, 1, NULL, AT(spam_confidence),
     "... if the confidence of the level that decided is at least this.", NULL},
    {"decision", "unsure_probability", WEIR_NUMBER, "0.7", 0, 1, NULL, AT(unsure_probability),
     "From this probability on, mail is at least unsure.", NULL},
    {"decision", "spam_action", WEIR_CHOICE, "reject", 0, 0, "pass|defer|reject", AT(spam_action),
     "What mode enforce does with mail that is spam by reputation. What is on the blacklist is "
     "rejected whatever this says, or deferred where its entry says so; bounces, mail of your own "
     "users and mail to exempt_recipients pass even from there.", NULL},
    {"decision", "exempt_recipients", WEIR_LIST, "postmaster, abuse", 0, 0, NULL,
     AT(exempt_recipients),
     "Mail to these local parts is always let through. Where recipients are decided about one by "
     "one (weir-policyd, Exim's ACLs) that holds for each by itself; a whole message passes only "
     "when all its recipients are such.", NULL},

    {"message", "unsure_score", WEIR_NUMBER, "3", -100, 1000, NULL, AT(unsure_score),
     "From this score on, a message is unsure.", NULL},
    {"message", "spam_score", WEIR_NUMBER, "5", 0.1, 1000, NULL, AT(spam_score),
     "From this score on, a message is spam.", NULL},
    {"message", "on_spam", WEIR_CHOICE, "tag", 0, 0, "tag|quarantine|reject", AT(on_spam),
     "What mode enforce does with spam: tag delivers it with X-Spam-Flag: YES, quarantine holds it "
     "in the mail server's queue, reject refuses it.", NULL},
    {"message", "reject_score", WEIR_NUMBER, "15", 0.1, 1000, NULL, AT(reject_score),
     "From this score on, mode enforce refuses a message, whatever on_spam says.", NULL},
    {"message", "on_failure", WEIR_CHOICE, "accept", 0, 0, "accept|tempfail", AT(on_failure),
     "What becomes of a message that cannot be judged: accepted as it is, or deferred so that "
     "the sender tries again.", NULL},
    {"message", "domain", WEIR_CHOICE, "stated", 0, 0, "stated|boundary", AT(domain_of),
     "Which domain reputation is about: the one the sender states in From, or that of the host "
     "that handed the message in.", NULL},
    {"message", "reputation_points", WEIR_YESNO, "yes", 0, 0, NULL, AT(reputation_points),
     "Whether the reputation of address and domain adds to the score.", NULL},
    {"message", "tag_ham", WEIR_YESNO, "yes", 0, 0, NULL, AT(tag_ham),
     "Whether good mail gets X-Spam-Status, too.", NULL},
    {"message", "trusted_authserv", WEIR_LIST, "", 0, 0, NULL, AT(trusted_authserv),
     "Names (authserv-id) of your own servers whose Authentication-Results are believed.  Those "
     "servers must remove foreign fields that bear their name.", NULL},

    {"boundary", "mode", WEIR_CHOICE, "connect", 0, 0, "connect|preconfigured|hop|learned|adaptive",
     AT(boundary_mode),
     "How the address is found at which a message came in from outside: connect takes the client "
     "of this server and is right for an MX; preconfigured steps over the gateways below; hop goes "
     "so many hops further; learned and adaptive also step over gateways that were learned.",
     NULL},
    {"boundary", "hops", WEIR_COUNT, "1", 0, 20, NULL, AT(boundary_hops),
     "Mode hop: how many hops behind the last gateway.", NULL},
    {"boundary", "gateways", WEIR_LIST, "", 0, 0, NULL, AT(gateways),
     "Addresses and prefixes of your own gateways, forwarders and filtering services.",
     weir_config_check_prefix},
    {"boundary", "gateway_names", WEIR_LIST, "", 0, 0, NULL, AT(gateway_names),
     "Names these call themselves in the Received fields they write; a domain covers the names "
     "below it.", NULL},
    {"boundary", "mx", WEIR_LIST, "", 0, 0, NULL, AT(mx),
     "Addresses of the MX hosts of your domains: one of them that looks like a gateway is believed "
     "to be one.", weir_config_check_prefix},
    {"boundary", "gateways_file", WEIR_TEXT, "gateways", 0, 0, NULL, AT(gateways_file),
     "What was learned about gateways, in state_directory.", NULL},

    {"rules", "folder", WEIR_TEXT, "/etc/weir/rules", 0, 0, NULL, AT(rules_folder),
     "The folder of rule files, *.rules in the order of their names; `weirctl rules load` makes "
     "the rule set of them.", NULL},
    {"rules", "file", WEIR_TEXT, "rules.image", 0, 0, NULL, AT(rules_file),
     "The rule set made of them, in state_directory; read in place by all programs, which see a "
     "new one within a second.", NULL},
    {"rules", "engine", WEIR_CHOICE, "builtin", 0, 0, "builtin|hyperscan", AT(rules_engine),
     "What looks for the rules' literals in text; hits are the same. hyperscan needs programs that "
     "were built with `make HYPERSCAN=1`: others say so in the log and use the built-in engine, "
     "and the Exim module always does.", NULL},

    {"bayes", "use", WEIR_CHOICE, "observe", 0, 0, "off|observe|on", AT(bayes_use),
     "Whether the Bayesian classifier adds to the score: observe shows what it would add (rule "
     "BAYES with 0 points), on adds it. Its word list comes with the published rules; it is silent "
     "until enough was learned.", NULL},
    {"bayes", "scale", WEIR_NUMBER, "2.5", 0.01, 10, NULL, AT(bayes_scale),
     "Points for each unit of its weight, the natural logarithm of the odds that the message is "
     "spam: 14 is a million to one.", NULL},
    {"bayes", "spam_points", WEIR_NUMBER, "14", 0, 100, NULL, AT(bayes_spam_points),
     "It adds no more than so many points: less than reject_score, so that it refuses nobody "
     "alone. Below spam_score no message is spam by its words alone, and more spam is missed.",
     NULL},
    {"bayes", "ham_points", WEIR_NUMBER, "14", 0, 100, NULL, AT(bayes_ham_points),
     "It takes off no more than so many points.", NULL},
    {"bayes", "least", WEIR_COUNT, "200", 1, 1e9, NULL, AT(bayes_least),
     "It is silent until so much spam and so much good mail was learned.", NULL},
    {"bayes", "verdicts", WEIR_YESNO, "yes", 0, 0, NULL, AT(bayes_verdicts),
     "Whether it learns from verdicts that are sure by rules alone, without what reputation or the "
     "classifier itself say; never from mail of your own users.", NULL},
    {"bayes", "learn_spam", WEIR_NUMBER, "10", -100, 1000, NULL, AT(bayes_learn_spam),
     "From this score on, of rules alone, a message is surely spam.", NULL},
    {"bayes", "learn_ham", WEIR_NUMBER, "-0.5", -100, 1000, NULL, AT(bayes_learn_ham),
     "Down from this score, of rules alone, a message is surely good. Below 0, some rule must have "
     "spoken for it: what no rule knows is not good for that.", NULL},
    {"bayes", "lessons", WEIR_RATE, "2/s", 0, 1e6, NULL, AT(bayes_lessons),
     "A mail server's program tells the monitor of so many such messages, of spam and of good mail "
     "each, when more come.", NULL},
    {"bayes", "server_day", WEIR_COUNT, "2000", 0, 1e7, NULL, AT(bayes_server_day),
     "The monitor learns so many a day, of each kind, by the verdicts of one server ...", NULL},
    {"bayes", "day", WEIR_COUNT, "10000", 0, 1e7, NULL, AT(bayes_day),
     "... and so many by those of all.", NULL},
    {"bayes", "report_weight", WEIR_COUNT, "3", 1, 10, NULL, AT(bayes_report_weight),
     "A message that people report is learned as if it were so many, unless the classifier is "
     "sure of it already, and wins against its verdict.", NULL},
    {"bayes", "tokens", WEIR_COUNT, "500000", 1000, WEIR_BAYES_PUBLISHED_MAX, NULL,
     AT(bayes_tokens), "So many words are published, 20 octets each; twice as many are counted.",
     NULL},

    {"info", "key_file", WEIR_TEXT, "info.key", 0, 0, NULL, AT(info_key_file),
     "The keys that sign spam-info strings, one a line: a number 1 to 255 and 64 hex digits; the "
     "first signs, all verify. Made when missing. The same file on all servers.", NULL},
    {"info", "sealed", WEIR_YESNO, "yes", 0, 0, NULL, AT(info_sealed),
     "Whether spam-info strings are encrypted, so that a spammer with a mailbox here cannot read "
     "which rules he tripped.", NULL},
    {"info", "server", WEIR_COUNT, "0", 0, 1e6, NULL, AT(server_number),
     "The number of this mail server in spam-info strings.", NULL},

    {"spool", "folder", WEIR_TEXT, "spool", 0, 0, NULL, AT(spool_folder),
     "Where decisions wait for the agent, in state_directory; empty writes none.", NULL},
    {"spool", "size", WEIR_SIZE, "64M", 65536, 1099511627776.0, NULL, AT(spool_size),
     "The spool never grows beyond this; then lines are dropped and counted.", NULL},
    {"spool", "turn", WEIR_PERIOD, "60s", 1e6, 3.6e9, NULL, AT(spool_turn),
     "A file of the spool is closed after this time.", NULL},

    {"reports", "user_day", WEIR_COUNT, "100", 0, 1e6, NULL, AT(reports_user_day),
     "So many reports of one person count in a day, at the monitor ...", NULL},
    {"reports", "server_day", WEIR_COUNT, "10000", 0, 1e7, NULL, AT(reports_server_day),
     "... and so many that one server tells of.", NULL},
    {"reports", "reputation", WEIR_CHOICE, "auto", 0, 0, "auto|here|monitor|no",
     AT(reports_reputation),
     "How a vote comes into this server's reputation of the address and the domain: here, at once, "
     "by `weirctl report`; by the monitor, once for a message as the majority of votes has it, "
     "which the agent enters; no, where mailboxes are, but no mail comes in from outside. auto: by "
     "the monitor where the agent has an identity, else here.", NULL},
    {"reports", "text", WEIR_SIZE, "64K", 0, WEIR_REPORTED_TEXT_MAX, NULL, AT(reports_text),
     "So many octets of a reported message, header and text without attachments, go to the "
     "monitor, for its analyst and for drafts of rules; 0: nothing of it leaves this server, nor "
     "hashes of its words for the classifier to learn.", NULL},
    {"reports", "text_kept", WEIR_PERIOD, "30d", 3.6e9, 366 * DAYS, NULL, AT(reports_text_kept),
     "So long the monitor keeps them; `weirctl reports forget` forgets one at once.", NULL},

    {"milter", "listen", WEIR_TEXT, "unix:/run/weir/milter.sock", 0, 0, NULL, AT(milter_listen),
     "Where weir-milter answers; a Unix socket: TCP costs 40 ms a message.",
     weir_config_check_endpoint},
    {"milter", "size", WEIR_SIZE, "16M", 65536, 67108864, NULL, AT(milter_size),
     "Octets of a message that are looked at; what is longer is judged by its beginning.", NULL},

    {"exim", "decide", WEIR_TEXT, "", 0, 0, NULL, AT(decide),
     "Ask the daemon there (see [policyd] decide_listen) instead of deciding inside Exim; the "
     "module still decides itself when nobody answers.", weir_config_check_socket_or_none},
    {"exim", "decide_timeout", WEIR_PERIOD, "5s", 1e4, 6e7, NULL, AT(decide_timeout),
     "The daemon must answer within this time.", NULL},
    {"exim", "trust_owner", WEIR_YESNO, "no", 0, 0, NULL, AT(trust_owner),
     "Whether the module takes ready-made expressions from a rule set that belongs to the owner of "
     "the state directory (the user weir): it saves 1.5 ms of processor time a message, and "
     "whoever takes that user over can then run code in Exim. A rule set of root's or Exim's own "
     "is always taken so.", NULL},

    {"agent", "identity", WEIR_TEXT, "/etc/weir/agent.identity", 0, 0, NULL, AT(agent_identity),
     "Who this server is to the monitor, and where the monitor is: the file that `weirctl server "
     "add` wrote there.", NULL},
    {"agent", "instance", WEIR_TEXT, "agent.instance", 0, 0, NULL, AT(agent_instance),
     "Where the agent remembers that it was there before, in state_directory.", NULL},
    {"agent", "authorities", WEIR_TEXT, "", 0, 0, NULL, AT(agent_authorities),
     "A file of certificate authorities to be believed instead of the system's; not asked when the "
     "identity has a pin.", NULL},
    {"agent", "look", WEIR_PERIOD, "100ms", 1e4, 6e7, NULL, AT(agent_look),
     "How often the spool is looked at.", NULL},
    {"agent", "whole", WEIR_PERIOD, "10m", 1e6, DAYS, NULL, AT(agent_whole),
     "How often all entries of the monitor are asked for anew, and what is missing or too much in "
     "the lists is put right.", NULL},
    {"agent", "compress", WEIR_YESNO, "yes", 0, 0, NULL, AT(agent_compress),
     "Whether records are compressed on their way to the monitor.", NULL},
    {"agent", "nftables", WEIR_CHOICE, "no", 0, 0, "no|drop|reject", AT(agent_nftables),
     "Whether the kernel, too, keeps out whom the monitor has blacklisted, from ports 25, 465 and "
     "587: drop says nothing, reject answers with a reset. See weir-agent(8) for what that needs.",
     NULL},

    {"monitor", "listen", WEIR_TEXT, "inet:0.0.0.0:8425", 0, 0, NULL, AT(monitor_listen),
     "Where the monitor hears agents, over HTTPS: inet:host:port.", weir_config_check_endpoint},
    {"monitor", "url", WEIR_TEXT, "", 0, 0, NULL, AT(monitor_url),
     "How agents reach it, https://host:port: `weirctl server add` writes that into their "
     "identity; empty: this host's name and the port of listen.", NULL},
    {"monitor", "key", WEIR_TEXT, "monitor.key", 0, 0, NULL, AT(monitor_key),
     "The private key of its certificate (PEM), in state_directory; both are made when neither is "
     "there.", NULL},
    {"monitor", "certificate", WEIR_TEXT, "monitor.crt", 0, 0, NULL, AT(monitor_certificate),
     "Its certificate, in state_directory; agents know it by the pin of its key.", NULL},
    {"monitor", "rules_key", WEIR_TEXT, "rules.key", 0, 0, NULL, AT(monitor_rules_key),
     "The key that published rule sets are signed with, in state_directory; made when it is not "
     "there. Servers believe only the one they know: keep a copy.", NULL},
    {"monitor", "admin", WEIR_TEXT, "unix:/run/weir/monitor.sock", 0, 0, NULL, AT(monitor_admin),
     "Where weirctl speaks to it; a Unix socket, open to its owner and group.",
     weir_config_check_socket_or_none},
    {"monitor", "database", WEIR_TEXT, "spam.db", 0, 0, NULL, AT(monitor_database),
     "The spam database (SQLite), in state_directory.", NULL},
    {"monitor", "database_size", WEIR_SIZE, "4G", 1048576, 1099511627776.0, NULL,
     AT(monitor_database_size),
     "Beyond this size what is oldest is forgotten: of traffic first, people's votes last.", NULL},
    {"monitor", "journal", WEIR_TEXT, "journal", 0, 0, NULL, AT(monitor_journal),
     "The folder of what came in and is not in the database yet, in state_directory.", NULL},
    {"monitor", "journal_size", WEIR_SIZE, "1G", 1048576, 1099511627776.0, NULL,
     AT(monitor_journal_size), "Beyond this size agents are told to try again later.", NULL},
    {"monitor", "addresses", WEIR_COUNT, "1000000", 1000, 100000000, NULL, AT(monitor_addresses),
     "So many addresses have a bucket at once; 61 octets each, and for a moment twice that when "
     "thresholds change.", NULL},
    {"monitor", "counters", WEIR_COUNT, "2000000", 1000, 1e9, NULL, AT(monitor_counters),
     "The database keeps the counters of so many addresses, domains and pairs, so that the "
     "servers' can be rebuilt; some 300 octets each, and those that were not changed for longest "
     "go. That needs the servers' key_file and [reputation] here, too.", NULL},
    {"monitor", "messages", WEIR_COUNT, "1000000", 1000, WEIR_MESSAGES_MAX, NULL,
     AT(monitor_messages),
     "So many recent messages are kept to be looked for, with the rules they hit; some 600 octets "
     "each. Scores are tried on the last 200,000.", NULL},
    {"monitor", "silence", WEIR_PERIOD, "30s", 1e6, 3.6e9, NULL, AT(monitor_silence),
     "A server not heard of for so long is blind, and another agent may speak for it.", NULL},
    {"monitor", "keep_minutes", WEIR_PERIOD, "30d", 3.6e9, 10 * 366 * DAYS, NULL,
     AT(monitor_minutes), "How long what each address did in each minute is kept.", NULL},
    {"monitor", "alert_mail", WEIR_TEXT, "", 0, 0, NULL, AT(alert_mail),
     "Who is told by mail when a threshold is exceeded: addresses with commas; or nobody.", NULL},
    {"monitor", "alert_webhook", WEIR_TEXT, "", 0, 0, NULL, AT(alert_webhook),
     "An http or https URL to which alerts are posted as JSON; empty: none.", NULL},
    {"monitor", "alert_window", WEIR_PERIOD, "5m", 1e6, DAYS, NULL, AT(alert_window),
     "The first alert is told at once; what comes within so long after a message is gathered into "
     "the next. The log has 20 lines at once, and then one.", NULL},
    {"monitor", "alert_hour", WEIR_COUNT, "12", 1, WEIR_ALERT_HOUR_MAX, NULL, AT(alert_hour),
     "At most so many messages with alerts an hour, by mail and to the webhook each.", NULL},
    {"monitor", "alert_mail_template", WEIR_TEXT, "", 0, 0, NULL, AT(alert_mail_template),
     "A file with these mails' subject and text: weir-monitor(8), TEMPLATES; empty: ours.", NULL},
    {"monitor", "alert_webhook_template", WEIR_TEXT, "", 0, 0, NULL, AT(alert_webhook_template),
     "The same of the JSON for alert_webhook.", NULL},
    {"monitor", "escalate_after", WEIR_PERIOD, "30m", 1e6, 30 * DAYS, NULL, AT(escalate_after),
     "What nobody acknowledged so long after it was told is told to others, and again then.", NULL},
    {"monitor", "escalate_most", WEIR_COUNT, "3", 1, WEIR_ALERT_AGAIN_MAX, NULL, AT(escalate_most),
     "So often at most they are told of one.", NULL},
    {"monitor", "escalate_mail", WEIR_TEXT, "", 0, 0, NULL, AT(escalate_mail),
     "These others, as alert_mail; empty: nobody.", NULL},
    {"monitor", "escalate_webhook", WEIR_TEXT, "", 0, 0, NULL, AT(escalate_webhook),
     "And theirs, as alert_webhook; empty: none.", NULL},
    {"monitor", "escalate_template", WEIR_TEXT, "", 0, 0, NULL, AT(escalate_template),
     "A file with the JSON for it; empty: ours.", NULL},
    {"monitor", "sendmail", WEIR_TEXT, "/usr/sbin/sendmail", 0, 0, NULL, AT(sendmail),
     "What alerts are mailed with: recipients are its arguments behind -i --.",
     weir_config_check_absolute},

    {"console", "listen", WEIR_TEXT, "inet:127.0.0.1:8426", 0, 0, NULL, AT(console_listen),
     "Where the monitor's web console is: inet:host:port; empty: there is none.",
     weir_config_check_endpoint_or_none},
    {"console", "url", WEIR_TEXT, "", 0, 0, NULL, AT(console_url),
     "How people reach it, http://host:port or https://host:port, as behind a proxy: it answers to "
     "this name, and alerts link to it; empty: to addresses, localhost and this host's name.",
     NULL},
    {"console", "certificate", WEIR_TEXT, "", 0, 0, NULL, AT(console_certificate),
     "Its certificate with chain (PEM), in state_directory; empty, as key: plain HTTP.", NULL},
    {"console", "key", WEIR_TEXT, "", 0, 0, NULL, AT(console_key),
     "The private key of its certificate (PEM), in state_directory.", NULL},

    {"analyzer", "every", WEIR_PERIOD, "4h", 6e7, 30 * DAYS, NULL, AT(analyzer_every),
     "So often the monitor looks at what rules hit, moves their scores, by half a point at most, "
     "and retires, demotes or promotes them; `weirctl analyze` does it at once.", NULL},
    {"analyzer", "idle", WEIR_PERIOD, "30d", 3.6e9, 3660 * DAYS, NULL, AT(analyzer_idle),
     "A rule that hits nothing for longer is retired: kept, and published no more. One that the "
     "formula of a rule at work names is not.", NULL},
    {"analyzer", "trial", WEIR_PERIOD, "1d", 0, 366 * DAYS, NULL, AT(analyzer_trial),
     "So long a rule is in the test, at least, before it goes to work.", NULL},
    {"analyzer", "false_positives", WEIR_COUNT, "3", 0, 1000000, NULL,
     AT(analyzer_false_positives), "So many good messages that people report within 7 days put a "
     "rule that made them spam back to the test; 0: they never do.", NULL},
    {"analyzer", "false_positive_people", WEIR_COUNT, "2", 1, 1000, NULL, AT(analyzer_people),
     "By so many people these reports must be: else whoever has a mailbox and sends spam to it "
     "could take the rules that catch it out of work, and keep drafts away. Say 1 where you are "
     "the only one.", NULL},
    {"analyzer", "server_share", WEIR_NUMBER, "0.5", 0, 1000, NULL, AT(analyzer_server_share),
     "What one mail server tells of a rule counts for at most so many times what all the others "
     "told of it, so that a stolen one does not move everybody's scores; 20 hits, and 1,000 "
     "messages, count of each, and all of one beside which the others are quiet. 0: all counts.",
     NULL},

    {"drafts", "reports", WEIR_COUNT, "3", 1, 1000, NULL, AT(drafts_reports),
     "Spam that was missed and is alike makes the draft of a rule when so many reports of it are "
     "there, ...", NULL},
    {"drafts", "users", WEIR_COUNT, "3", 1, 1000, NULL, AT(drafts_users),
     "... of so many people ...", NULL},
    {"drafts", "domains", WEIR_COUNT, "2", 1, 1000, NULL, AT(drafts_domains),
     "... in so many domains; say 1 where all people are in one.", NULL},
    {"drafts", "ham_least", WEIR_COUNT, "5000", 0, 1e8, NULL, AT(drafts_ham_least),
     "No draft may hit any good message the monitor knows; as long as it knows fewer than this, "
     "there are no drafts.", NULL},
    {"drafts", "day", WEIR_COUNT, "20", 0, 10000, NULL, AT(drafts_day),
     "At most so many drafts in 24 hours, and a quarter of them from what one mail server alone "
     "tells of; 0: none.", NULL},

    {"threshold", "observe", WEIR_YESNO, "yes", 0, 0, NULL, AT(threshold_observe),
     "Whether thresholds are only watched: events are told with what would have been done, and "
     "nothing is listed.", NULL},
    {"threshold", "connections_rate", WEIR_RATE, "1/s", 0, 1e6, NULL, AT(connections_rate),
     "Connections that one address may make in the long run, as 1/s or 30/min ...", NULL},
    {"threshold", "connections_most", WEIR_COUNT, "300", 0, 1e7, NULL, AT(connections_most),
     "... and how many at once: the two are a token bucket. 0: not limited.", NULL},
    {"threshold", "messages_rate", WEIR_RATE, "2/s", 0, 1e6, NULL, AT(messages_rate),
     "The same for messages: how many in the long run ...", NULL},
    {"threshold", "messages_most", WEIR_COUNT, "600", 0, 1e7, NULL, AT(messages_most),
     "... and how many messages at once.", NULL},
    {"threshold", "recipients_rate", WEIR_RATE, "5/s", 0, 1e6, NULL, AT(recipients_rate),
     "The same for accepted recipients ...", NULL},
    {"threshold", "recipients_most", WEIR_COUNT, "2000", 0, 1e7, NULL, AT(recipients_most),
     "... and how many recipients at once.", NULL},
    {"threshold", "ladder", WEIR_TEXT, "alert 10m, score 3 1h, defer 15m, reject 4h", 0, 0, NULL,
     AT(threshold_ladder),
     "What is done about an address over a limit, step by step, and how long each lasts: observe, "
     "alert, score POINTS, defer, reject.", NULL},
    {"threshold", "wider", WEIR_NUMBER, "8", 1, 1e6, NULL, AT(threshold_wider),
     "A network (/24; /56 and /48) has limits so many times as high.", NULL},
    {"threshold", "children", WEIR_COUNT, "3", 1, 256, NULL, AT(threshold_children),
     "So many different addresses of a network must be over their own limits before it can be.",
     NULL},
    {"threshold", "quorum", WEIR_COUNT, "2", 1, 32, NULL, AT(threshold_quorum),
     "So many servers must have seen a network before it is blocked without an analyst.", NULL},
    {"threshold", "blocks_hour", WEIR_COUNT, "200", 0, 1e6, NULL, AT(blocks_hour),
     "At most so many blocks an hour are made by themselves, in all ...", NULL},
    {"threshold", "blocks_server_hour", WEIR_COUNT, "50", 0, 1e6, NULL, AT(blocks_server_hour),
     "... and by the word of one server: a stolen identity cannot block the world.", NULL},
    {"threshold", "scores_hour", WEIR_COUNT, "2000", 0, 1e6, NULL, AT(scores_hour),
     "At most so many addresses an hour are given a score by themselves, in all ...", NULL},
    {"threshold", "scores_server_hour", WEIR_COUNT, "500", 0, 1e6, NULL, AT(scores_server_hour),
     "... and by the word of one server.", NULL},

    {"sniffer", "interface", WEIR_TEXT, "any", 0, 0, NULL, AT(sniffer_interface),
     "The network interface weir-sniffer listens at; any for all of them.", NULL},
    {"sniffer", "ports", WEIR_LIST, "25, 465, 587", 0, 0, NULL, AT(sniffer_ports),
     "The ports at which mail servers answer, 16 at most.", weir_config_check_port},
    {"sniffer", "proxies", WEIR_LIST, "", 0, 0, NULL, AT(sniffer_proxies),
     "Addresses and prefixes of load balancers and other mail servers whose PROXY headers and "
     "XCLIENT commands are believed: what they pass on counts for the client they tell.",
     weir_config_check_prefix},
    {"sniffer", "snaplen", WEIR_SIZE, "0", 0, 262144, NULL, AT(sniffer_snaplen),
     "Octets of each packet that are looked at; 0 for all. 512 costs a third of the time, and "
     "commands sent in one go are then cut.", NULL},
    {"sniffer", "buffer", WEIR_SIZE, "64M", 262144, 1073741824, NULL, AT(sniffer_buffer),
     "The kernel keeps so many octets of packets for a busy sniffer; then it drops some, which "
     "the log and the monitor tell.", NULL},
    {"sniffer", "promiscuous", WEIR_YESNO, "no", 0, 0, NULL, AT(sniffer_promiscuous),
     "Whether packets to other machines are listened to, too: for a mirrored port of a switch.",
     NULL},
    {"sniffer", "count_own", WEIR_YESNO, "no", 0, 0, NULL, AT(sniffer_count_own),
     "Whether what this machine's own addresses do, as clients, is counted: mail that goes out. "
     "If so, put them on the acceptable list.", NULL},
    {"sniffer", "user", WEIR_TEXT, "weir", 0, 0, NULL, AT(sniffer_user),
     "Who weir-sniffer becomes once it listens, when root started it; empty: root without any "
     "capability.", NULL},

    {"metrics", "listen", WEIR_TEXT, "inet:127.0.0.1:8427", 0, 0, NULL, AT(metrics_listen),
     "Where `weirctl metrics --serve` (weir-metrics.service) shows the numbers of all of this "
     "machine's programs to Prometheus: inet:host:port, without TLS or password.",
     weir_config_check_listen},
    {"metrics", "names", WEIR_LIST, "", 0, 0, NULL, AT(metrics_names),
     "Names that Prometheus knows this machine by, without port: questions by other names are "
     "refused, but for addresses, localhost, and what hostname(1) prints.",
     weir_config_check_name},

    {"policyd", "decide_listen", WEIR_TEXT, "", 0, 0, NULL, AT(decide_listen),
     "Where weir-policyd decides about whole messages for the Exim module: unix:/path; empty for "
     "nowhere.", weir_config_check_socket_or_none},
    {"policyd", "listen", WEIR_LIST, "inet:127.0.0.1:10040", 0, 0, NULL, AT(listen),
     "Where weir-policyd answers: inet:host:port or unix:/path.", weir_config_check_endpoint},
    {"policyd", "socket_access", WEIR_CHOICE, "everybody", 0, 0, "everybody|group|owner",
     AT(socket_access), "Who of this machine may connect to Unix sockets.", NULL},
    {"policyd", "connections", WEIR_COUNT, "20000", 1, 1e6, NULL, AT(clients_most),
     "More connections than this wait until others close.", NULL},
    {"policyd", "request_timeout", WEIR_PERIOD, "10s", 1e4, 6e8, NULL, AT(request_timeout),
     "A request must arrive, and its answer be taken, within this time.", NULL},
    {"policyd", "idle_timeout", WEIR_PERIOD, "1h", 1e4, DAYS, NULL, AT(idle_timeout),
     "A connection without requests is closed after this time; Postfix closes after 300 s.", NULL},
    {"policyd", "remember", WEIR_PERIOD, "10m", 0, DAYS, NULL, AT(remember),
     "The decision about a message is remembered for its other recipients for so long.", NULL},
    {"policyd", "prepend", WEIR_CHOICE, "observe", 0, 0, "observe|always|never", AT(prepend),
     "When to add the facts of a decision to the message as header X-Weir-Policy.", NULL},
};

static const struct weir_settings settings = {rows, sizeof rows / sizeof rows[0]};

const struct weir_settings *weir_config_settings(void)
{
    return &settings;
}

const char *weir_config_path(const struct weir_config *config, const char *file,
                             struct weir_arena *arena)
{
    if (file[0] == '/')
        return file;
    return weir_arena_printf(arena, "%s/%s", config->state_directory, file);
}
