/*
 * counters - numbers that fade with time, shared by many servers.
 *
 * A counter belongs to an entity (an address, a domain, a pair ...; a keyed
 * hash of 128 bits) and has a variable and a half-life.  Every event adds its
 * weight; what was added halves with each half-life.  This is forward decay
 * (Cormode et al., ICDE 2009): the weight is fixed when the event arrives, so an event
 * is one integer addition that any store can do atomically, and nothing has to
 * be rewritten as time goes by (claim C22).
 *
 *     epoch e = floor(t / E), E = 16 half-lives, the same on all servers
 *     event:   C_e += round(weight * 2^12 * 2^((t - e*E) / H))
 *     value:   (C_e * 2^-((t - e*E)/H) + C_(e-1) * 2^-((t - (e-1)*E)/H)) / 2^12
 *
 * Two stores behind this one interface, with the same keys and the same
 * numbers: a memcached cluster (many servers share), and a local file (many
 * processes share).  A half-life of 0 means no decay: events count in full for
 * 180 to 360 days.
 *
 * Owner:    the caller owns the handle; the handle owns connections or file.
 * Threads:  one handle, one thread.  Never use one across fork().
 * Errors:   reading never fails a decision: what a store does not give is
 *           0 and marked missing (toward the prior: the safe side).
 * Limits:   weight 1/8 .. WEIR_WEIGHT_MAX; counters saturate at
 *           WEIR_COUNTER_MAX (local) or stay below it for 1.7e10 events an
 *           epoch (memcached); relative error of a value below 0.1 %.
 */
#ifndef WEIR_STORE_COUNTERS_H
#define WEIR_STORE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/histogram.h"
#include "core/base/limits.h"
#include "core/base/log.h"

#define WEIR_WEIGHT_MIN 0.125
#define WEIR_WEIGHT_MAX 1048576.0

struct weir_entity {
    uint8_t id[16];
};

/* What is counted.  The order is part of the stored form: append only. */
enum weir_variable {
    WEIR_SPAM_USER,     /* su: people said spam */
    WEIR_GOOD_USER,     /* gu: people said good */
    WEIR_SPAM_COMPUTER, /* sc: programs said spam */
    WEIR_GOOD_COMPUTER, /* gc: programs said good */
    WEIR_INDETERMINATE, /* in: programs could not tell */
    WEIR_SPAM_EVENTS,   /* sr: spam by anybody, for rates */
    WEIR_GROUP_GOOD,    /* ug: good mails of a (network, domain) group */
    WEIR_GROUP_NEW,     /* nw: first good mails of groups not seen before */
    WEIR_VARIABLES
};

struct weir_counter {
    struct weir_entity entity;
    enum weir_variable variable;
    uint32_t half_life; /* seconds; 0 = does not decay */
};

struct weir_reading {
    struct weir_counter counter;
    double value; /* decayed to the time of reading, in weights */
    bool missing; /* the store did not answer for it */
};

struct weir_counters;

/* Reads n counters (at most WEIR_READINGS_MAX, else WEIR_ELIMIT and nothing is
 * read) in one go.  Readings of one entity stand together: a store finds them
 * in one step.  1 when all were answered, 0 when some are missing. */
int weir_counters_read(struct weir_counters *counters, weir_time now, struct weir_reading *reading,
                       size_t n);

/* Notes an event of this weight at this time, or takes one back exactly: the
 * original time must be given, and what is taken back never goes below zero.
 * Buffered: nothing is stored, nor read, before weir_counters_flush() or until
 * the buffer (WEIR_EVENTS_MAX) is full; then it is flushed first and the result
 * is flush's, but this event has been noted.  0, or WEIR_EINVAL (weight, variable,
 * time before 1970). */
int weir_counters_add(struct weir_counters *counters, weir_time when,
                      const struct weir_counter *counter, double weight);
int weir_counters_take_back(struct weir_counters *counters, weir_time when,
                            const struct weir_counter *counter, double weight);

/* Stores what was noted.  0; WEIR_EDOWN, WEIR_EFULL or WEIR_EIO when some could
 * not be stored: then *lost_r (may be NULL) is how many, they are gone from the
 * buffer and counted in the status. */
int weir_counters_flush(struct weir_counters *counters, size_t *lost_r);

/* What another store has of a counter: its number of one epoch, as it is stored. */
struct weir_counter_number {
    struct weir_counter counter;
    uint32_t epoch;
    uint64_t number;
};

struct weir_counters_raised {
    size_t raised;     /* numbers that were less, or not there */
    size_t kept;       /* as much or more already */
    size_t faded;      /* nobody asks for them any more */
    size_t unanswered; /* not read, or not stored */
};

/* Makes numbers (at most WEIR_EVENTS_MAX, those of an entity together) at least what is given; one
 * that is larger stays.  What others add meanwhile is added to it.  Without `really` it only looks.
 * 0, or an error that left some unanswered; WEIR_ELIMIT; WEIR_EINVAL: the store is only read. */
int weir_counters_raise(struct weir_counters *counters, weir_time now,
                        const struct weir_counter_number *number, size_t n, bool really,
                        struct weir_counters_raised *raised_r);

/* Measures from now on, by this clock, how long the store takes to read, and to store what was
 * noted; what the near cache answers is not measured.  Histograms must outlive the handle.  False
 * when it was so before. */
bool weir_counters_measure(struct weir_counters *counters, const struct weir_clock *steady,
                           struct weir_histogram *reads, struct weir_histogram *writes);

/* Upkeep that must not wait: probes of servers that were down, expired records.
 * To be called about four times a second by daemons; others need not. */
void weir_counters_tick(struct weir_counters *counters, weir_time now);

/* Flushes, closes, frees *counters and sets it to NULL; NULL is accepted. */
void weir_counters_free(struct weir_counters **counters);

/* How the store is. ------------------------------------------------------ */

struct weir_counters_node {
    char name[128];     /* host:port or path */
    bool up;            /* false while its circuit breaker is open */
    uint64_t failures;  /* times it failed since the handle was opened */
    double seconds;     /* the last answer took so long */
};

struct weir_counters_status {
    const char *store;       /* "memcached", "local": static text */
    size_t nodes;            /* how many of node[] are filled */
    struct weir_counters_node node[WEIR_NODES_MAX];
    uint64_t read;           /* counters asked for */
    uint64_t missing;        /* of these not answered */
    uint64_t near;           /* of these answered from the near cache */
    uint64_t written, lost;  /* events stored, events lost */
    uint64_t entities;       /* records in a local store, else 0 */
    uint64_t bytes_used, bytes_most; /* of a local store, else 0 */
};

void weir_counters_status(struct weir_counters *counters, struct weir_counters_status *status_r);

/* The stores. ------------------------------------------------------------ */

struct weir_counters_local_options {
    const char *path;     /* the file; path-lock lies beside it */
    uint64_t bytes_most;  /* the file never grows beyond */
    bool read_only;       /* add and flush give WEIR_EINVAL */
    bool scratch;         /* nothing must survive a crash: no waiting for the disk */
    unsigned mode;        /* of a new file, e.g. 0660 */
};

/* Opens or makes a local store (LMDB).  0; WEIR_EINVAL (bytes_most below 4 MB);
 * WEIR_EIO with errno; WEIR_ECORRUPT when the file is damaged, not one of ours, or
 * of a newer version; WEIR_ENOMEM; WEIR_ELIMIT (path).  *why_r (static text)
 * says more.  A reader of a file that is not there finds nothing until it is made.
 *
 * Several processes may have it open and write; a change is seen by the next
 * read of any of them (a reader that may not write path-lock reads a copy, renewed
 * by tick).  What was flushed survives the death of the process; a power failure may
 * take the last flush, never the file.  A file that becomes full drops what is
 * worth least, and refuses new entities (WEIR_EFULL) when that is not enough.
 *
 * Bugs:  a process must not open one file twice: LMDB's locks belong to the
 * process, and closing one handle would release the other's.  A process that
 * is stopped (not killed) in the middle of a flush makes other writers wait; readers
 * never wait.  A page that is damaged after opening can crash the process. */
int weir_counters_open_local(const struct weir_counters_local_options *options,
                             const struct weir_log *log, struct weir_counters **counters_r,
                             const char **why_r);

struct weir_counters_memcached_options {
    const char *const *server; /* "host", "host:port", "[v6]:port", "/socket", each with
                                  an optional "*weight" behind it, weight 1..100 */
    size_t servers;            /* 1..WEIR_NODES_MAX */
    weir_time wait;            /* a whole read waits no longer, e.g. 50 ms */
    weir_time near;            /* values may be this old; 0 = no near cache */
    size_t near_entities;      /* room of the near cache */
    weir_time retry_least, retry_most; /* between probes of a dead server */
    struct weir_clock steady;  /* for waits */
};

/* Makes a handle on a cluster (binary protocol; libmemcached writes).  An entity's counters
 * all live on one server, chosen by rendezvous hashing over the list, so that
 * adding or losing a server moves only its share.  Names are resolved here, once; a name
 * that does not resolve is a node that is down, not an error.  0, WEIR_EINVAL
 * (and *why_r), WEIR_ENOMEM.  No server needs to be up. */
int weir_counters_open_memcached(const struct weir_counters_memcached_options *options,
                                 const struct weir_log *log, struct weir_counters **counters_r,
                                 const char **why_r);

#endif
