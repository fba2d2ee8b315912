/*
 * watch - what addresses do, held against the limits of their class (claims A1, A10-A12, A26).
 *
 *     charge -> acceptable? -> class -> buckets of the address -> its networks -> events
 *
 * An acceptable address ends the way at once: no bucket is made for it (A26).  Else its class says
 * the limits for connections, messages and recipients, each a token bucket (bucket.h).  The
 * networks above it - /24 for IPv4; /56 and /48 for IPv6, whose own address is its /64 - have
 * limits `wider` times as high and raise an event only when `children` different addresses
 * (or networks) of them are over their own limits now, so that one bad neighbour does not
 * condemn a network.  A class for a part of a network is an exception from it: what its members do
 * is not charged to the network.
 *
 * A raised event stays until its bucket is back at half of its maximum (hysteresis).  Nothing but
 * charges and the time of charges clears it, and nothing at all while one of the servers that saw
 * it is blind (weir_watch_blind()): what that does not tell may be more of the same.  The caller
 * says how far time has come for certain on the others (weir_watch_advance()).  A charge is
 * believed its time: whoever takes it from a server holds it against a clock (lines.h), and a
 * server that was cut off tells of hours in one batch.
 *
 * The handler may leave out an event that is raised: it stands all the same, so that it is not
 * raised again and again, but its end is not told either.
 *
 * Owner:    the caller owns it; classes are copied, the handler's and asker's contexts must live
 *           as long.  Neither of the two may call the watch.  Threads: one.
 * Errors:   weir_watch_new(): WEIR_ENOMEM; WEIR_ELIMIT: too many classes or prefixes; WEIR_EINVAL:
 *           not exactly one class without prefixes, a prefix in two classes, a limit or size out of
 *           range.
 * Limits:   WEIR_WATCH_CLASSES_MAX classes, WEIR_WATCH_PREFIXES_MAX prefixes of them,
 *           WEIR_WATCH_ALARMS_MAX addresses (and at most `addresses`) with events raised at once,
 *           of those that only one server saw no more than leave as much room for others
 *           (alarms.h); further ones are told once each, as untracked: they do not count among
 *           the children of a network, and their end is not told.
 */
#ifndef WEIR_THRESHOLD_WATCH_H
#define WEIR_THRESHOLD_WATCH_H

#include "monitor/threshold/bucket.h"

struct weir_watch_class {
    char name[32];
    const struct weir_prefix *prefixes; /* whose members it is for; none: everybody else */
    size_t prefix_count;
    struct weir_limits limits;
    bool observe;                       /* events are told as "observed" */
};

struct weir_watch_options {
    const struct weir_watch_class *classes; /* the longest prefix wins; the one without prefixes is
                                               the default */
    size_t class_count;
    double wider;                /* limits of a network against an address, 1 or more: 8 */
    unsigned children;           /* different offenders below a network, 1 or more: 3 */
    size_t addresses;            /* at once; networks have room for a quarter of it each level */
    struct weir_hash_key key;
    /* Whether an address is acceptable or never to be blocked; asked before anything else.  May
     * be NULL. */
    bool (*accepted)(void *context, weir_time time, const struct weir_address *address);
    void *context;
};

struct weir_charge {
    weir_time time;              /* of the event, at its server */
    struct weir_address address;
    uint32_t quantity[WEIR_QUANTITIES];
    uint32_t server;             /* number of the mail server */
};

struct weir_watch_event {
    bool raised;                 /* else cleared */
    bool observed;               /* its class only observes */
    bool untracked;              /* there was no room: its end will not be told */
    weir_time time;              /* of the charge, or of the advance that cleared */
    struct weir_prefix prefix;   /* the address, or a network above it */
    enum weir_quantity quantity;
    struct weir_limit limit;     /* as applied */
    double tokens;
    double rate;                 /* measured: tokens a second since half; 0 when cleared */
    unsigned children;           /* offenders below, for a network */
    const char *class_name;
    uint32_t servers;            /* bits of the numbers, modulo 32, of the servers by whose word it
                                    is: see bucket.h */
    uint32_t seen;               /* the same of all that charged since half: what people are told */
};

struct weir_watch_counts {
    uint64_t charges, accepted, events, cleared, untracked, evicted;
    uint64_t late;               /* charges older than the newest by more than a minute */
    size_t alarms;               /* prefixes with an event raised now */
};

struct weir_watch;

/* A watch that tells events to a handler, whose charges have not begun.  The handler says whether
 * it takes one that is raised; what it says of one that is cleared does not matter. */
int weir_watch_new(const struct weir_watch_options *options,
                   bool (*event)(void *context, const struct weir_watch_event *event),
                   void *context, struct weir_watch **watch_r);
void weir_watch_free(struct weir_watch **watch);

/* A batch, charged in the order given; faster than one by one. */
void weir_watch_charge_all(struct weir_watch *watch, const struct weir_charge *charge, size_t n);
void weir_watch_charge(struct weir_watch *watch, const struct weir_charge *charge);

/* From now on these servers, bits of their numbers modulo 32, tell nothing though they should. */
void weir_watch_blind(struct weir_watch *watch, uint32_t servers);

/* Time has come so far on every server that is not blind: clears what is at half by now. */
void weir_watch_advance(struct weir_watch *watch, weir_time time);

/* The clock was put back to a time: nothing is later, and events are looked at anew.  Looks at
 * all buckets. */
void weir_watch_rebase(struct weir_watch *watch, weir_time now);

/* What is watched in the place of a prefix: of an IPv6 address its /64; else the prefix itself. */
struct weir_prefix weir_watch_own(const struct weir_prefix *prefix);

/* One action of an analyst: fills all buckets of a prefix and those below it that raised an
 * event, and ends these events, which is told. */
void weir_watch_reset(struct weir_watch *watch, const struct weir_prefix *prefix);

/* What is raised about exactly this prefix now.  The watch alone owns what is raised: whoever acts
 * on an event it told some time ago asks again. */
struct weir_watch_standing {
    unsigned raised;             /* a bit for each quantity; 0: nothing is */
    uint64_t beyond;             /* a number that is higher after each charge beyond its limit */
    uint32_t servers;            /* by whose word it is now; 0: nothing is counted any more */
    uint32_t seen;               /* that saw it since it was raised */
};
struct weir_watch_standing weir_watch_standing(const struct weir_watch *watch,
                                               const struct weir_prefix *prefix);

/* Takes up an event that another watch raised and did not clear, so that this one clears it: its
 * bucket is as if it had just passed its limit at a time.  NULL, and class, limit and children of
 * the event are this watch's; or why not, static text.  To be used before the first charge. */
const char *weir_watch_resume(struct weir_watch *watch, struct weir_watch_event *event,
                              weir_time time);

/* Goes on with the buckets of another watch, which has the same key and stays as it is: to be used
 * first of all, where thresholds are replaced while it runs.  weir_watch_resume() then finds what
 * stands in them, and exhausts none; what keeps the new limits is not taken up. */
void weir_watch_take_over(struct weir_watch *watch, const struct weir_watch *from);

/* Charges what a watch before had been charged, and was stored: oldest first, after what it raised
 * was taken up, and before the first charge.  Raises nothing. */
void weir_watch_restore(struct weir_watch *watch, const struct weir_charge *charge);

/* How long what was charged has any effect, at most: until the slowest bucket is full again. */
weir_time weir_watch_span(const struct weir_watch *watch);

/* The bucket of an address or network as it is now, and its limit; of a prefix that has none, a
 * full one without a limit. */
struct weir_level weir_watch_look(const struct weir_watch *watch, weir_time time,
                                  const struct weir_prefix *prefix, enum weir_quantity quantity,
                                  struct weir_limit *limit_r);

const struct weir_watch_counts *weir_watch_counts(struct weir_watch *watch);

/* Octets all of it takes. */
size_t weir_watch_octets(const struct weir_watch *watch);

#endif
