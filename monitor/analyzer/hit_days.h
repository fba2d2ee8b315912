/*
 * hit_days - what rules hit by day, as far as it is not yet kept: additions to a table of days
 * (claims B3, B22).
 *
 *     hits.h counts a message -> weir_hit_days_of() += 1 -> the table of days -> _clear()
 *
 * Days are those of the messages, in UTC, since 1970.  Room is made before a message is counted, so
 * that counting itself cannot fail.  Whoever counts remembers for each rule where its day was found
 * last (hint): then it is not looked for.
 *
 * Owner:    the caller owns the days.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM: nothing was changed.
 * Limits:   as many as rules and days come before the next _clear().
 */
#ifndef WEIR_ANALYZER_HIT_DAYS_H
#define WEIR_ANALYZER_HIT_DAYS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/keyed_hash.h"

#define WEIR_HIT_DAYS_ALL UINT32_MAX /* in the place of a rule: all messages */

struct weir_hit_day {
    uint32_t rule;
    int32_t day;
    int32_t hits, spam, ham;  /* as in hits.h; a report that is entered may take some away */
    int32_t false_positives;
};

struct weir_hit_days;

/* The key is for rules' numbers, which others choose.  0 or WEIR_ENOMEM. */
int weir_hit_days_new(const struct weir_hash_key *key, struct weir_hit_days **days_r);
void weir_hit_days_free(struct weir_hit_days **days);

/* Makes room for so many more.  0 or WEIR_ENOMEM. */
int weir_hit_days_room(struct weir_hit_days *days, size_t more);

/* A rule's day, made when it is new; for which there has to be room.  It stays where it is until
 * room is made or all is cleared. */
struct weir_hit_day *weir_hit_days_of(struct weir_hit_days *days, uint32_t rule, int32_t day,
                                      uint32_t *hint);

/* By number 0.. in no order; NULL behind the last. */
const struct weir_hit_day *weir_hit_days_get(const struct weir_hit_days *days, size_t number);

/* Forgets them: they are kept somewhere. */
void weir_hit_days_clear(struct weir_hit_days *days);

/* The day of a time. */
static inline int32_t weir_hit_day(weir_time time)
{
    return (int32_t)(time / WEIR_DAY);
}

#endif
