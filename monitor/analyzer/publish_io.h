/*
 * publish - from the rulebook to the file that all mail servers fetch (claims B11, B12, B31).
 *
 * A set is made in memory of what pick.h picks, looked at as mail servers will (every expression is
 * compiled, every formula looked at), signed (rule_parcel.h), kept in the database and then given
 * out, all of it or nothing.  Serials only grow: taking a set back publishes its contents once more
 * under a new one, and where the database was lost, they go on behind what the file KEY.serial
 * beside the key says, and servers do.
 *
 * After a rollback the rulebook still says what was taken back: who publishes by himself, as the
 * analyzer does, leaves it to a person.
 *
 * Owner:    the caller owns the publisher; the database is handed in, with the lock that guards it.
 * Threads:  any; calls that publish wait for each other.  They are made without the database's
 *           lock, which is held only to read and to write, never while expressions are compiled.
 * Errors:   with why_r; WEIR_EINVAL: rules that make no set, and nothing was changed; or the
 *           database's; WEIR_EBUSY: what it is based on was changed meanwhile.
 */
#ifndef WEIR_ANALYZER_PUBLISH_IO_H
#define WEIR_ANALYZER_PUBLISH_IO_H

#include <pthread.h>

#include "core/base/log.h"
#include "core/evidence/rule_parcel.h"
#include "monitor/analyzer/patches_io.h"
#include "monitor/analyzer/rules_diff.h"
#include "monitor/analyzer/word_list.h"
#include "monitor/database/database_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/intake/shared_text.h"

#define WEIR_PUBLISH_WHY WEIR_DATABASE_WHY

struct weir_publisher;

struct weir_publisher_options {
    struct weir_database *database;
    pthread_mutex_t *lock;       /* of the database */
    const char *key_path;        /* made when it is missing; must live as long */
    /* What the word list is made of; called with the database's lock; NULL: sets have no word
     * list.  0 or an error. */
    int (*bayes)(void *context, struct weir_words *words_r);
    /* A set was published: agents are to be told. */
    void (*published)(void *context, uint32_t serial);
    void *context;
    struct weir_patches *patches; /* is told of each newest set; NULL: none are made */
};

/* Reads the key and the newest set.  0 or an error, logged. */
int weir_publisher_open(const struct weir_publisher_options *options, const struct weir_log *log,
                        struct weir_publisher **publisher_r);
void weir_publisher_free(struct weir_publisher **publisher);

struct weir_publishing {
    const char *who, *why;
    weir_time now;
    weir_time idle;              /* see pick.h */
    bool dry;                    /* nothing is changed */
    bool alone;                  /* no person looks: 0 while the newest set is a rollback; and a set
                                    that has lost more than half of its rules, WEIR_PUBLISH_GONE or
                                    all, is refused: WEIR_EINVAL */
    /* What it is based on: when that is something else by the time it has its turn, nothing is
     * done: WEIR_EBUSY.  A member below 0, and NULL: not asked. */
    const struct weir_rules_newest *based;
    /* Whether a set may follow another, both as rule_source.h has them; called without any lock but
     * those of whoever publishes.  0, or an error with why_r.  NULL: it may. */
    int (*try)(void *context, struct weir_slice before, struct weir_slice next,
               char why_r[static WEIR_PUBLISH_WHY]);
    void *context;
};

#define WEIR_PUBLISH_GONE 10

struct weir_published {
    uint32_t serial;             /* of the set that is the newest now, or would be */
    size_t rules, octets;
    size_t words;                /* in its list */
    bool other_words;            /* which is another one than before */
    bool fresh;                  /* it was published; false: nothing is different, or dry */
    unsigned differences[WEIR_RULE_DIFFERENCES]; /* from the set before */
};

/* Publishes the rulebook as it is.  1; 0: nothing is different from the newest set. */
int weir_publish(struct weir_publisher *publisher, const struct weir_publishing *publishing,
                 struct weir_published *published_r, char why_r[static WEIR_PUBLISH_WHY]);

/* Publishes what an earlier set had.  1; 0: the newest has the same; WEIR_EINVAL: that one is not
 * kept. */
int weir_publish_again(struct weir_publisher *publisher, uint32_t serial,
                       const struct weir_publishing *publishing,
                       struct weir_published *published_r, char why_r[static WEIR_PUBLISH_WHY]);

/* A server says that it has a set of this serial.  1: nobody knew of it, serials go on behind it,
 * and that is logged; 0: it is known; WEIR_ELIMIT: it is too far ahead to be believed; an error of
 * the database. */
int weir_publisher_heard(struct weir_publisher *publisher, const char *who, uint32_t serial,
                         weir_time now);

/* The newest set: 0 is none. */
uint32_t weir_publisher_serial(struct weir_publisher *publisher);

/* Its file as it goes over the wire, deflated; the caller is a holder.  NULL: there is none. */
struct weir_shared_text *weir_publisher_file(struct weir_publisher *publisher);

/* Whether the newest set is a rollback, or servers have newer ones, which are not known here. */
bool weir_publisher_held(struct weir_publisher *publisher);

/* The public half of the key, as text and as it is: WEIR_PARCEL_PUBLIC octets. */
const char *weir_publisher_key(const struct weir_publisher *publisher);
const uint8_t *weir_publisher_public(const struct weir_publisher *publisher);

/* Inflates a kept file: malloc'ed octets, or NULL: it is damaged, or memory is short. */
void *weir_publish_inflate(struct weir_slice file, size_t octets);

#endif
