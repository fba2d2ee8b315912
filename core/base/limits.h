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

/* replay --------------------------------------------------------------- */
#define WEIR_REPLAY_LINE_MAX 4096  /* octets of one line of a replayed log */

/* weirctl -------------------------------------------------------------- */
#define WEIR_CTL_LINE_MAX 1024     /* octets of a line of a list: a domain, blanks, a reason */
#define WEIR_CTL_ENTRIES_MAX 1000000 /* entries of one command; more than published lists have */
#define WEIR_CTL_COUNT_MAX 1000000 /* votes entered at once */
#define WEIR_CTL_STATUS_MAX 65536  /* octets of a daemon's answer about itself */

#endif
