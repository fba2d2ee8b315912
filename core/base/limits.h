/*
 * limits - every bound on hostile or runaway input, by name.
 *
 * None of them can be configured away.  Each has a test at the limit and one
 * past it, named after it.
 */
#ifndef WEIR_BASE_LIMITS_H
#define WEIR_BASE_LIMITS_H

/* names ---------------------------------------------------------------- */
#define WEIR_DOMAIN_MAX 253        /* octets of a domain name, RFC 1035 3.1 less the root */
#define WEIR_LABEL_MAX 63          /* octets of one label, RFC 1035 2.3.4 */

/* log ------------------------------------------------------------------ */
#define WEIR_LOG_LINE_MAX 1024     /* syslog's classic line, RFC 3164 4.1 */
#define WEIR_LOG_BURST 10          /* lines a log gate lets through at once */

/* configuration -------------------------------------------------------- */
#define WEIR_CONFIG_LINE_MAX 199   /* octets of one line of weir.conf: libinih's line buffer */
#define WEIR_CONFIG_FILE_MAX (1 << 20) /* octets of weir.conf */
#define WEIR_CONFIG_VALUE_MAX 16384 /* octets of one value, all its lines together */
#define WEIR_CONFIG_PROBLEMS_MAX 100 /* problems reported before reading stops */
#define WEIR_LIST_ITEMS_MAX 256    /* items of one list setting */

/* arena ---------------------------------------------------------------- */
#define WEIR_ARENA_MAX (64u << 20) /* octets one arena may hand out */

/* lists.db ------------------------------------------------------------- */
#define WEIR_REASON_MAX 255        /* octets of a list entry's reason */
#define WEIR_ORIGIN_MAX 64         /* octets of a list entry's origin */

/* counters ------------------------------------------------------------- */
#define WEIR_COUNTER_MAX (UINT64_C(1) << 62) /* memcached < 1.6.22 rejects values >= 2^63 */
#define WEIR_COUNTER_KEY_MAX 64    /* octets of a memcached key of ours; memcached allows 250 */
#define WEIR_READINGS_MAX 32768    /* counters read in one call */
#define WEIR_COUNTER_ITEMS_MAX 64  /* numbers of one entity in counters.db: a quarter of a page */
#define WEIR_EVENTS_MAX 1024       /* events noted before they are stored: bounds one transaction */
#define WEIR_NODES_MAX 64          /* memcached servers in one cluster */
#define WEIR_NODE_WEIGHT_MAX 100   /* of a memcached server against the others */
#define WEIR_NODE_NAME_MAX 127     /* octets of "host:port" */
#define WEIR_MEMCACHED_BODY_MAX 4096 /* octets of one answer; ours are below 100 */

/* policy protocol ------------------------------------------------------ */
#define WEIR_POLICY_REQUEST_MAX 16384 /* octets of one request, its empty line included */
#define WEIR_POLICY_ATTRIBUTES_MAX 100 /* lines of one request; Postfix 3.7 sends 29 */
#define WEIR_INSTANCES_MAX 65536   /* remembered messages: 100 a second for 10 minutes */
#define WEIR_REPLY_MAX 512         /* octets of the text of an answer, RFC 5321 4.5.3.1.5 */

/* messages -------------------------------------------------------------- */
#define WEIR_MESSAGE_MAX (64u << 20)  /* octets of a message that are looked at */
#define WEIR_FIELDS_MAX 2000       /* header fields of a message, those of its parts included */
#define WEIR_FIELD_NAME_MAX 100    /* octets of a field's name rules can ask for */
#define WEIR_HEAD_MAX (512u << 10) /* octets of one header block that are looked at */
#define WEIR_PARTS_MAX 300         /* MIME parts of a message */
#define WEIR_PART_DEPTH_MAX 30     /* multipart within multipart, message within message */
#define WEIR_BOUNDARY_MAX 998      /* octets of a MIME boundary; RFC 2046 5.1.1 allows 70 */
#define WEIR_HEADER_TEXT_MAX (64u << 10) /* octets of a header's value once decoded */
#define WEIR_PARAMETER_MAX 1024    /* octets of a MIME parameter once decoded */
#define WEIR_PARAMETER_PARTS_MAX 64 /* pieces of one parameter, RFC 2231 3 */
#define WEIR_CHARSET_NAME_MAX 40   /* octets of a charset's name */
#define WEIR_AREA_MAX (512u << 10) /* octets of a text that rules look at: body, html, ... */
#define WEIR_AREA_LINE_MAX 2048    /* octets of one of its lines; longer ones are split */
#define WEIR_AREA_LINES_MAX 16384  /* its lines */
#define WEIR_LINKS_MAX 1000        /* links of a message */
#define WEIR_LINK_MAX 2048         /* octets of a link */
#define WEIR_HTML_DEPTH_MAX 256    /* open elements that are kept track of */
#define WEIR_HTML_ENTITY_MAX 40    /* octets of a character reference */
#define WEIR_HTML_ATTRIBUTES_MAX 60 /* of one tag that are read */
#define WEIR_HTML_STYLE_MAX 4096   /* octets of a style attribute with escapes or comments in it */
#define WEIR_HTML_SHEET_MAX 65536  /* octets of style sheets of one HTML text */
#define WEIR_HTML_RULES_MAX 512    /* their selectors that are kept */
#define WEIR_HTML_COLOUR_RULES_MAX 384 /* ... up to which those with only colours and sizes are */
#define WEIR_HTML_SELECTOR_MAX 128 /* octets of one of them */

/* Received and relatives ------------------------------------------------- */
#define WEIR_HOPS_MAX 50           /* Received fields that are read; RFC 5321 6.3: 100 is a loop */
#define WEIR_RECEIVED_MAX 4096     /* octets of one Received field */
#define WEIR_AUTH_RESULTS_MAX 32   /* results read from Authentication-Results */
#define WEIR_GATEWAYS_MAX 1024     /* gateways known, configured or learned */
#define WEIR_GATEWAY_CANDIDATES_MAX 4096 /* addresses watched as possible gateways */
#define WEIR_GATEWAY_LISTENERS_MAX 64 /* listeners whose mail is counted apart */
#define WEIR_GATEWAYS_FILE_MAX (8u << 20) /* octets of their file; all there can be needs 5 MB */

/* rules ------------------------------------------------------------------- */
#define WEIR_RULES_MAX 100000      /* rules of one set */
#define WEIR_RULE_NAME_MAX 64      /* octets of a rule's name */
#define WEIR_RULE_LINE_MAX 65536   /* octets of one line of a rule file */
#define WEIR_RULE_FILE_MAX (64u << 20) /* octets of one rule file */
#define WEIR_RULE_PATTERN_MAX 32768 /* octets of one expression; SpamAssassin's reach 20,000 */
#define WEIR_RULE_DESCRIPTION_MAX 255 /* octets */
#define WEIR_RULE_META_MAX 512     /* terms of one meta rule */
#define WEIR_RULE_TEXT_MAX (2 * WEIR_RULE_LINE_MAX) /* octets of all lines of one rule */
#define WEIR_RULE_SCORE_MAX 100    /* points of one rule, to either side */
#define WEIR_RULE_ID_MAX ((1u << 28) - 1) /* four octets as a varint */
#define WEIR_RULE_READY_MAX 65536  /* octets of compiled code of one expression in an image */
#define WEIR_RULES_READY_MAX (8u << 20) /* octets of it of all; the rest is compiled when wanted */
#define WEIR_RULE_SERIAL_MAX ((1u << 28) - 1) /* of published sets: four octets in info strings */
#define WEIR_RULE_PARCEL_MAX (32u << 20) /* octets of a published set */
#define WEIR_RULE_PARCEL_SECTIONS_MAX 16 /* its sections */
#define WEIR_RULE_SELECTORS_MAX 512 /* header names that the rules of a set look at */
#define WEIR_RULE_HITS_MAX 1024    /* hits of one message that are reported */
#define WEIR_RULE_REPEATS_MAX 100  /* hits of a rule that counts them */
#define WEIR_RULE_EVIDENCE_MAX 100 /* octets of the text that matched */
#define WEIR_MATCH_STEPS_MAX 200000 /* PCRE2's match limit: about a millisecond */
#define WEIR_MATCH_DEPTH_MAX 10000 /* PCRE2's depth limit */
#define WEIR_MATCH_STACK_MAX (1u << 20) /* octets of the JIT's stack */
#define WEIR_MATCH_WHOLE_MAX 65536 /* octets of a text; of longer ones the ends are tried first: */
#define WEIR_MATCH_HEAD_MAX 16384  /* so many octets at its beginning and ... */
#define WEIR_MATCH_TAIL_MAX 4096   /* ... at its end */
#define WEIR_MATCH_FIELDS_WORK_MAX 8000000 /* units, half a nanosecond each, for the fields, ... */
#define WEIR_MATCH_ENDS_WORK_MAX 40000000 /* ... for those ends and all shorter texts, and ... */
#define WEIR_MATCH_REST_WORK_MAX 45000000 /* ... for what then is left of long texts */
#define WEIR_MATCH_SHARES 4        /* one rule gets at most such a part of it on one text */
#define WEIR_MATCH_NAMES_MAX 5     /* rules that were given up, named in the explanation */
#define WEIR_MATCH_PIECE_MAX (1u << 24) /* places tried times octets of the line, in one call */
#define WEIR_MATCH_REST_TIME_MAX 65 /* milliseconds for one message: last resort, and ... */
#define WEIR_MATCH_TIME_MAX 80     /* ... and with what stands near the ends */
#define WEIR_MATCH_COLD_TIME_MAX 100 /* milliseconds with compiling; no rest of long texts, ... */
#define WEIR_MATCH_COLD_ALL_TIME_MAX 500 /* ... and then nothing any more: last resort */
#define WEIR_MATCH_RULE_TIME_MAX 15 /* milliseconds for one rule in one text: last resort */

#define WEIR_NEED_DEPTH_MAX 250    /* groups within groups; PCRE2's own default limit */
#define WEIR_NEED_RUNS_MAX 512   /* alternatives of what an expression needs */
#define WEIR_NEED_RUN_MAX 48       /* octets of one of them */
#define WEIR_NEED_WORK_MAX 20000  /* runs made while looking for them: memory and time */

#define WEIR_PREFILTER_CANDIDATES_MAX 65536 /* of one text; then rules are candidates to its end */
#define WEIR_PREFILTER_WORK_MAX 4  /* looks for each octet of a text on average, and ... */
#define WEIR_PREFILTER_WORK_FREE (1 << 18) /* ... so many without that: 2 ms */
#define WEIR_PREFILTER_GRAMS_MAX 64 /* spellings of a run's index key */
#define WEIR_HYPERSCAN_LITERAL_MAX 8 /* octets of a run it looks for: what it finds in one step */
#define WEIR_HYPERSCAN_SPELLINGS_MAX 1024 /* of a run's literal */
#define WEIR_HYPERSCAN_PIECE 32768 /* octets scanned at a time, and to the line's end, and ... */
#define WEIR_HYPERSCAN_RUNS_MAX 65536 /* ... runs that may stand there; more are too much work */

/* Bayesian classifier ----------------------------------------------------- */
#define WEIR_BAYES_TOKENS_MAX 8192 /* tokens of a message; a power of two */
#define WEIR_BAYES_WORD_MAX 24     /* octets of a word; longer ones by their beginning */
#define WEIR_BAYES_PREFIX_MAX 40   /* octets in front of it: a header field's name */
#define WEIR_BAYES_HEAD_MAX 65536  /* octets of a long text that are looked at, and ... */
#define WEIR_BAYES_TAIL_MAX 4096   /* ... at its end */
#define WEIR_BAYES_FIELDS_MAX 200  /* header fields of a message or part that are looked at, ... */
#define WEIR_BAYES_VALUE_MAX 2048  /* ... and octets of each */
#define WEIR_BAYES_LINKS_MAX 200   /* links that are looked at */
#define WEIR_BAYES_REPUTATIONS_MAX 4 /* words of reputation with a message's tokens */
#define WEIR_BAYES_TELLING_MAX 1000 /* tokens that a judgement combines at most */
#define WEIR_BAYES_ENTRIES_MAX (1u << 22) /* tokens of a published table: 64 MB */
#define WEIR_BAYES_PUBLISHED_MAX (1u << 20) /* of them, those that a set takes along, and ... */
#define WEIR_BAYES_PUBLISHED_OCTETS_MAX (30u << 20) /* ... octets of a set then */
#define WEIR_LESSON_TOKENS_MAX 4096 /* tokens of a message that a server tells of */
#define WEIR_BAYES_TAUGHT_MAX 1000 /* messages that an operator teaches at once */
#define WEIR_LESSONS_MAX 50000     /* messages whose tokens are kept: 200 MB */
#define WEIR_BAYES_FIT_TOKENS_MAX (1u << 24) /* tokens of messages that weights are fitted to */
#define WEIR_BAYES_FIT_WORDS_MAX (1u << 22)  /* different ones */
#define WEIR_BAYES_LEARNED_MAX (1u << 24) /* tokens counted in memory: 400 MB */

/* reports by people ------------------------------------------------------- */
#define WEIR_REPORT_ORIGINALS_MAX 64 /* messages that one letter reports */
#define WEIR_REPORT_DECODED_MAX (16u << 20) /* octets of those that are encoded */
#define WEIR_REPORT_MACHINE_MAX 65536 /* octets of the part for machines of a feedback report */
#define WEIR_REPORT_STRINGS_MAX 8  /* spam-info strings that are tried in one message */
#define WEIR_REPORT_USER_MAX 254   /* octets of a reporter's name: RFC 5321 4.5.3.1.3 */
#define WEIR_REPORT_VOTERS_MAX 100 /* people whose votes about one message are kept */
#define WEIR_REPORT_RECORD_MAX 200 /* of one person's votes, the last ones, that are looked at */
#define WEIR_REPORTED_TEXT_MAX (192u << 10) /* octets of a reported message that are kept */
#define WEIR_TEXTS_MAX 20000       /* messages kept with their reports, and of what is not proven */
#define WEIR_TEXTS_UNPROVEN_MAX 2000
#define WEIR_TEXTS_OCTETS_MAX (128 << 20) /* of the former, packed, and ... */
#define WEIR_TEXTS_UNPROVEN_OCTETS_MAX (16 << 20) /* ... of the latter */
#define WEIR_TEXTS_SERVER_DAY 2000 /* of a day that one server tells of */
#define WEIR_REPORTS_WAITING_MAX 65536 /* read, and not yet in the database, and ... */
#define WEIR_REPORTS_WAITING_SERVER 16384 /* ... of them those that one server has told of */

/* parts of what is too long for a line of the spool -------------------------- */
#define WEIR_PART_OCTETS 2880      /* of one part: 3840 characters of base64 */
#define WEIR_PART_WHOLE_MAX (256u << 10) /* octets of what comes in parts */
#define WEIR_PART_KIND_MAX 16      /* letters of the word that says what it is */
#define WEIR_GATHER_SERVER_MAX (4u << 20) /* octets of what a server has told of in part, and ... */
#define WEIR_GATHER_MAX (64u << 20) /* ... all servers together, */
#define WEIR_GATHER_WHOLES_MAX 16384 /* in so many pieces */

/* drafts of rules -------------------------------------------------------------- */
#define WEIR_DRAFTS_TEXTS_MAX 5000 /* reported messages that are looked at, the newest, and ... */
#define WEIR_DRAFTS_OCTETS_MAX (48u << 20) /* ... octets of what is kept of them meanwhile */
#define WEIR_HAM_WANTED_MAX 16384  /* what candidates say, looked for in good mail at once */
#define WEIR_DRAFTS_KEPT 366       /* days that it is known what a draft was made of */

/* spam-info string -------------------------------------------------------- */
#define WEIR_INFO_TEXT_MAX 640     /* characters of a spam-info string */
#define WEIR_INFO_RULES_MAX 64     /* rules in it; the rest are summed up */
#define WEIR_INFO_DOMAIN_MAX 63    /* octets of a domain in it; longer ones are hashed */
#define WEIR_INFO_KEYS_MAX 16      /* keys known at once */

/* decide protocol --------------------------------------------------------- */
#define WEIR_REMOTE_HEAD_MAX 65536 /* octets of a question before the message */
#define WEIR_REMOTE_ANSWER_MAX 65536 /* octets of an answer */
#define WEIR_OUTCOME_HEADERS_MAX 16 /* header fields added to a message */
#define WEIR_RECIPIENTS_MAX 1000   /* recipients of a message that are looked at */
#define WEIR_DECIDERS_MAX 256      /* connections that ask about messages at once */
#define WEIR_DECIDE_MEMORY_MAX (256u << 20) /* octets of their messages together */

/* milter ------------------------------------------------------------------ */
#define WEIR_MILTER_MEMORY_MAX (512u << 20) /* octets of all sessions' messages and recipients */
#define WEIR_MILTER_REMOVED_MAX 300 /* fields of one name removed: Postfix fails at some 10,000 */
#define WEIR_MILTER_SHORT_MAX (256u << 10) /* octets of a message when that is nearly used up */

/* spool -------------------------------------------------------------------- */
#define WEIR_SPOOL_LINE_MAX 4096   /* octets of a line of the spool: one write, not torn */
#define WEIR_SPOOL_SURVEY_MAX (256u << 20) /* octets of the spool that weirctl status reads */
#define WEIR_QUEUE_ID_MAX 64       /* octets of a queue id: Postfix and Exim have at most 23 */
#define WEIR_SPOOL_HOPS_MAX 8      /* hops of a message that a line tells */
#define WEIR_TRAFFIC_MAX 100000000 /* of one address in one second: six times 10 Gbit/s of SYNs */
#define WEIR_HEALTH_MAX 9223372036854775807 /* a sniffer's number: what a database can keep */

/* monitor ------------------------------------------------------------------ */
#define WEIR_BATCH_MAX (1u << 20)  /* octets of a spool that an agent sends at once */
#define WEIR_STREAM_MAX 128        /* octets of a stream's name: that of a file of the spool */
#define WEIR_STREAMS_MAX 65536     /* of one server: 16 times as many files as an agent knows */
#define WEIR_SERVER_NAME_MAX 63    /* octets of a mail server's name: a label, RFC 1035 2.3.4 */
#define WEIR_FIREWALL_ENTRIES_MAX 65536 /* entries of the kernel's table, of each kind */
#define WEIR_FIREWALL_DAYS_MAX 30  /* an entry lasts there; it is said again each minute */
#define WEIR_FIREWALL_TRIES_MAX 200 /* looks for entries that the kernel refuses, in one go */
#define WEIR_SERVER_HEALTH_MAX 4096 /* octets of what an agent says of its health */
#define WEIR_DATABASE_TEXT_MAX 4096 /* octets of a text in the database */

/* agent and monitor --------------------------------------------------------- */
#define WEIR_IDENTITY_FILE_MAX 4096 /* octets of the file that says who a server is */
#define WEIR_TAIL_FILES_MAX 4096   /* files of the spool the agent knows at once */
#define WEIR_TAIL_PIECE_MAX WEIR_BATCH_MAX /* octets of the spool in one request */
#define WEIR_TAIL_GONE_MAX 256     /* names of files that went and were not yet told of */
#define WEIR_LINK_ANSWER_MAX (32u << 20) /* octets of an answer of the monitor */
#define WEIR_INTAKE_BODY_MAX WEIR_BATCH_MAX /* octets of a request, also once inflated: a batch */
#define WEIR_ADMIN_BODY_MAX (64u << 20) /* octets of an operator's question: rule files */
#define WEIR_RULES_TOLD_MAX 1000   /* errors of rule files that are told in an answer */
#define WEIR_INTAKE_WAIT_MAX 60    /* seconds a question for commands is held */
#define WEIR_INTAKE_CONNECTIONS_MAX 4096
#define WEIR_INTAKE_WAITING_MAX (WEIR_INTAKE_CONNECTIONS_MAX / 8) /* of an address or /64 that have
                                      not said who they are: idle ones shut nobody else out */
#define WEIR_INTAKE_STRANGERS_MAX (WEIR_INTAKE_CONNECTIONS_MAX / 4) /* of them from addresses no
                                      server speaks from, all together */
#define WEIR_INTAKE_HELLO_MAX 10   /* seconds until a connection has to say who it is */
#define WEIR_INTAKE_SERVER_MAX 64  /* connections of one server: an agent has three */
#define WEIR_COMMAND_MAX (32u << 20) /* octets of what the monitor tells to list */
#define WEIR_COMMAND_ENTRIES_MAX 200000 /* entries of it */
#define WEIR_ORDERS_PAGE 1000      /* decisions in an answer on what changed: some 15 ms */

/* SMTP heard by the sniffer ---------------------------------------------- */
#define WEIR_DIALOGUE_LINE_MAX 512 /* octets of a command that are looked at; RFC 5321 4.5.3.1.4 */
#define WEIR_DIALOGUE_REPLY_KEPT 256 /* octets of a reply's line that are read */
#define WEIR_DIALOGUE_QUEUE_MAX 64 /* runs of commands that wait for replies: RCPTs are one run */
#define WEIR_DIALOGUE_RECIPIENTS_MAX 100 /* recipients of a message that are named */
#define WEIR_DIALOGUE_NAMES_MAX 16384 /* octets of names kept, also of messages still to come */
#define WEIR_DIALOGUE_ODD_MAX 8    /* lines of a server that are no replies; more is no SMTP */
#define WEIR_MAILBOX_MAX 320       /* octets of an address: 64, "@", 255 (RFC 5321 4.5.3.1) */

/* thresholds --------------------------------------------------------------- */
#define WEIR_BUCKET_ADDRESSES_MAX 400000000 /* of one table: 16 GB; 32 bits choose a set */
#define WEIR_BUCKET_CLASSES_MAX 64 /* limits that a table of buckets knows */
#define WEIR_BUCKET_TOKENS_MAX 1e7 /* of a bucket, and a second: floats still count ones */
#define WEIR_WATCH_CLASSES_MAX 64  /* classes of addresses with limits of their own */
#define WEIR_WATCH_PREFIXES_MAX 100000 /* of all of them */
#define WEIR_WATCH_ALARMS_MAX 65536 /* addresses over a limit that are kept track of */
#define WEIR_RESPONDER_QUEUE_MAX 131072 /* events not yet answered: twice all alarms there can be */
#define WEIR_EVENTS_SERVER_HOUR 5000 /* events an hour that one server alone saw */
#define WEIR_LADDER_CLASSES_MAX 64 /* ladders */
#define WEIR_LADDER_STEPS_MAX 8    /* of one ladder */
#define WEIR_LADDER_RECORDS_MAX 65536 /* prefixes whose steps are remembered */
#define WEIR_ALERT_LINES 20        /* alerts of one message; more are counted */
#define WEIR_ALERT_HOUR_MAX 60     /* messages an hour */
#define WEIR_ALERT_NAMES_MAX 255   /* octets of the servers' names in an alert */
#define WEIR_ALERT_RECIPIENTS_MAX 16
#define WEIR_ALERT_CONSOLE_MAX 255 /* octets of the console's address that alerts link to */
#define WEIR_ALERT_AGAIN_MAX 24    /* times an alert is told again that nobody acknowledged */
#define WEIR_ESCALATION_MAX 1000   /* alerts found at one look that nobody acknowledged */
#define WEIR_OWED_MAX 100000       /* alerts that wait until one way has told them */
#define WEIR_OWED_MESSAGE 20000    /* of them in one message: 20 lines and a number */
#define WEIR_OWED_LOOKS 1000       /* of them, under silences, looked at again in one turn */
#define WEIR_TEMPLATE_MAX 16384    /* octets of a template of what is told of alerts */
#define WEIR_TEMPLATE_PARTS_MAX 256 /* fields of it, and pieces of text between them */
#define WEIR_TEMPLATE_SUBJECT_MAX 900 /* octets of a subject: a line of 998, RFC 5322 2.1.1 */
#define WEIR_SILENCES_MAX 200      /* silences of alerts that stand at once */
#define WEIR_SILENCE_LONGEST_DAYS 366 /* that one can last */
#define WEIR_ALERT_RECIPIENT_MAX 254 /* octets: RFC 5321 4.5.3.1.3 without < and > */

/* published rule sets -------------------------------------------------------- */
#define WEIR_RULE_SERIAL_AHEAD 100000 /* that a server may be, with a set this database knows not */
#define WEIR_RULE_SETS_KEPT 100    /* that can be published once more, or compared */
#define WEIR_RULE_SETS_OCTETS_MAX (256u << 20) /* of them; the newest two stay, whatever they are */
#define WEIR_PATCHES_MAX 16        /* patches to the newest set from others, and ... */
#define WEIR_PATCHES_OCTETS_MAX (64u << 20) /* ... octets of them, with that from none */
#define WEIR_RULES_WHY_MAX 200     /* octets of why a server refused one */

/* analyzer ------------------------------------------------------------------ */
#define WEIR_LEDGER_MAX (1u << 22) /* changes of counters that wait for the database, and events */
#define WEIR_COUNTER_EVENTS_MAX (1u << 22) /* not yet in the counters: 160 MB; then at once */
#define WEIR_FOLD_CHANGES (1u << 20) /* of counters, gathered before they are written together */
#define WEIR_HITS_SEEN_MAX (1u << 22) /* decisions that are known when they come again */
#define WEIR_HIT_DAYS 92           /* days back that a rule's hits are kept by day */
#define WEIR_HIT_SERVERS_MAX (1u << 19) /* accounts of a rule and a server: 24 MB, as much stored */
#define WEIR_MESSAGES_MAX 10000000 /* recent messages that are kept to be looked for, at most */
#define WEIR_MESSAGES_AT_ONCE 20000 /* of those beyond, that go at once: a third of a second */
#define WEIR_MESSAGES_TRIED 200000 /* of the kept, those that scores are tried on: 40 MB */
#define WEIR_SAMPLE_BURST 1000     /* messages that are kept at once, and ... */
#define WEIR_SAMPLE_RATE 5         /* ... a second when many come: two days and more of a million */

/* replay --------------------------------------------------------------- */
#define WEIR_REPLAY_LINE_MAX 4096  /* octets of one line of a replayed log */

/* weirctl -------------------------------------------------------------- */
#define WEIR_CTL_LINE_MAX 1024     /* octets of a line of a list: a domain, blanks, a reason */
#define WEIR_CTL_ENTRIES_MAX 1000000 /* entries of one command; more than published lists have */
#define WEIR_CTL_COUNT_MAX 1000000 /* votes entered at once */
#define WEIR_CTL_STATUS_MAX 65536  /* octets of a daemon's answer about itself */

/* sniffer -------------------------------------------------------------- */
#define WEIR_VLAN_TAGS_MAX 4       /* VLAN tags of one frame; QinQ has two */
#define WEIR_IP6_HEADERS_MAX 8     /* extension headers between IPv6 and TCP */
#define WEIR_SNIFFER_PORTS_MAX 16  /* ports of servers that are watched */
#define WEIR_SNIFFER_PROXIES_MAX 256 /* prefixes of trusted proxies */
#define WEIR_SNIFFER_OWN_MAX 4096  /* addresses of this machine that are charged with nothing */
#define WEIR_SNIFFER_CARDS_MAX 256 /* hardware addresses of it that are known as its own */
#define WEIR_FLOWS_MAX 65536       /* connections at once, those just over included */
#define WEIR_FLOWS_UNPROVEN_MAX 4096 /* of them, those of which one side only was heard */
#define WEIR_FLOW_SEGMENTS_MAX 512 /* segments of one connection that wait: they are searched */
#define WEIR_FLOW_KEPT_MAX (1u << 20) /* octets of one connection that wait, and ... */
#define WEIR_FLOWS_KEPT_MAX (64u << 20) /* ... of all */
#define WEIR_FLOW_AHEAD_MAX (1 << 24) /* octets a segment may be ahead: two of Linux' windows */
#define WEIR_FLOW_RUNS 4           /* runs of a client's octets that are remembered, ... */
#define WEIR_FLOW_RUN 248          /* ... octets of each, from its beginning: 1 KiB in all; ... */
#define WEIR_FLOW_LONG 16          /* ... and of the last segment of more than 512 */
#define WEIR_FLOWS_RECENT_MAX 32768 /* connections of which they are: 32 MiB */
#define WEIR_FLOW_RESET_MAX 65536  /* octets a RST may be ahead of what was seen */
#define WEIR_FLOW_SYNS 8192        /* places for handshakes that were seen; a power of two */
#define WEIR_FLOW_SERVED 1024      /* places for servers that were heard; a power of two */
#define WEIR_FLOW_TWINS 16384      /* lists of connections by their first numbers; the same */
#define WEIR_FLOW_EARLY_SETS 128   /* sets of places for what clients say first; a power of two */
#define WEIR_FLOW_EARLY_WAYS 4     /* places of a set */
#define WEIR_FLOW_EARLY_MAX 2048   /* octets of a place: a PROXY header, a hello of TLS */
#define WEIR_TALLY_ADDRESSES_MAX (1 << 22) /* addresses of one tally */
#define WEIR_TALLY_SYNS_MAX (1 << 20) /* places for addresses that sent SYNs */
#define WEIR_CALIBRATION_SERVERS_MAX 64 /* servers whose replies are known by their length */
#define WEIR_WITNESS_TURNS 4096    /* answers to bodies, heard lately, that a plug-in may tell of */
#define WEIR_WITNESS_WAITING 256   /* messages plug-ins told of that wait to be found there */
#define WEIR_WITNESS_FILES_MAX 64  /* files of the spool that are read along at once */
#define WEIR_WITNESS_PIECE 65536   /* octets of one of them in a second, the last ones */

#endif
