/*
 * Alerts that are owed: each row is one that one way has still to tell.  This is the only place
 * where they wait.
 *
 *     added -> due -> handed over by its way -> told: the row goes
 *          \-> held, while a silence holds for it -> looked at again -> due, or held on
 *          \-> held, while somebody acknowledges its event -> due, when he takes that back
 *
 * What is held is about an event that stands, and goes when that is over; of what a silence holds,
 * and of what is told again (database_events_io.h), there is the newest of each event and way.
 *
 * See database_io.h for owner, threads, errors and rows.  Limits: WEIR_DATABASE_TEXT_MAX octets of
 * each text (WEIR_ELIMIT); WEIR_OWED_MAX rows of each way, which weir_database_owed_trim() sees
 * to.
 */
#ifndef WEIR_DATABASE_OWED_IO_H
#define WEIR_DATABASE_OWED_IO_H

#include "core/base/address.h"
#include "monitor/database/database_io.h"

enum weir_owed_way {
    WEIR_OWED_MAIL,           /* of what is new */
    WEIR_OWED_WEBHOOK,
    WEIR_OWED_AGAIN_MAIL,     /* of what nobody acknowledged */
    WEIR_OWED_AGAIN_WEBHOOK,
    WEIR_OWED_WAYS
};

#define WEIR_OWED_KNOWN (-1)  /* in the place of a silence: its event is acknowledged */

struct weir_owed {
    int64_t number;           /* given when it is added */
    unsigned way;             /* enum weir_owed_way */
    int64_t event;            /* 0: of none */
    unsigned again;           /* 0: the first time */
    weir_time time, ends;     /* ends: of what was done, or 0 */
    struct weir_prefix prefix;
    const char *quantity;     /* "connections", ... */
    double rate, limit_rate, limit_maximum;
    const char *class_name;
    uint32_t servers;         /* bits of their numbers modulo 32 */
    const char *response, *wanted, *withheld;
    int64_t held;             /* by the silence of that number, or WEIR_OWED_KNOWN; 0: by none */
    weir_time look;           /* of one under a silence: when to look at it again */
    weir_time late;           /* its silence was over then; 0: it was under none */
};

typedef int weir_database_owed_row(void *context, const struct weir_owed *owed);

/* Adds one.  Held, or again, it takes the place of those like it that its event has for its way;
 * held, it is not added when its event does not stand.  0 or an error. */
int weir_database_owed_add(struct weir_database *database, const struct weir_owed *owed);

/* At most so many that one way is to tell now, oldest first. */
int weir_database_owed_due(struct weir_database *database, unsigned way, unsigned most,
                           weir_database_owed_row *row, void *context);

/* At most so many under a silence that are to be looked at again; those first that wait longest. */
int weir_database_owed_held(struct weir_database *database, weir_time now, unsigned most,
                            weir_database_owed_row *row, void *context);

/* At most so many that silences hold, with numbers beyond `after`, in their order. */
int weir_database_owed_silenced(struct weir_database *database, int64_t after, unsigned most,
                                weir_database_owed_row *row, void *context);

/* Its number is now held so, or not any more: held, look, late and servers are noted; where held,
 * as if it were added; where not, but its event is acknowledged, it is held for that.  0 or an
 * error. */
int weir_database_owed_change(struct weir_database *database, const struct weir_owed *owed);

/* Its way has told it (number, way, event, again): it goes, and what is told again no more often,
 * which took its place while it was under way.  0 or an error. */
int weir_database_owed_told(struct weir_database *database, const struct weir_owed *owed);

/* Nobody tells by this way any more: how many are gone, or an error. */
int weir_database_owed_drop(struct weir_database *database, unsigned way);

/* Leaves one way so many, the newest: how many are gone, or an error. */
int weir_database_owed_trim(struct weir_database *database, unsigned way, uint64_t most);

/* How many each way is to tell; what is held is not counted. */
int weir_database_owed_count(struct weir_database *database,
                             uint64_t count_r[static WEIR_OWED_WAYS]);

/* Its event is over: what is held of it, or told again, is told to nobody. */
int weir_database_owed_over(struct weir_database *database, int64_t event);

/* Somebody knows of its event: what was to be told of it is held, or, again, is gone; or does not
 * after all. */
int weir_database_owed_known(struct weir_database *database, int64_t event);
int weir_database_owed_unknown(struct weir_database *database, int64_t event);

/* What a silence holds is looked at again at once, since somebody ended it (0: what any holds,
 * since a clock was put back). */
int weir_database_owed_look(struct weir_database *database, int64_t silence);

#endif
