/*
 * policy - the thresholds of the database and the configuration, made ready for watch and ladder.
 *
 * The class without prefixes is the configuration's, unless the database has one called "default";
 * all others are the database's.
 *
 * A prefix of IPv6 longer than /64 is refused: a /64 has one row of buckets, and one class.
 *
 * Owner:    the caller; it owns the prefixes its classes point to.  Threads: any.
 * Errors:   WEIR_ENOMEM, WEIR_ELIMIT (too many), WEIR_EINVAL with *why_r (static text).
 */
#ifndef WEIR_THRESHOLD_POLICY_H
#define WEIR_THRESHOLD_POLICY_H

#include "core/base/cursor.h"
#include "core/engine/config.h"
#include "monitor/database/database_thresholds_io.h"
#include "monitor/threshold/ladder.h"
#include "monitor/threshold/watch.h"

#define WEIR_POLICY_DEFAULT "default" /* the class of everybody else */

struct weir_policy {
    struct weir_watch_class watch[WEIR_WATCH_CLASSES_MAX];
    struct weir_ladder_class ladder[WEIR_WATCH_CLASSES_MAX];
    size_t classes;
    struct weir_prefix *prefix;  /* of all of them */
    size_t prefixes;
};

/* The threshold that is in force for all others: the configuration's, whose texts it points to. */
struct weir_threshold weir_policy_default(const struct weir_config *config);

/* Begins with the configuration's default class. */
int weir_policy_begin(const struct weir_config *config, struct weir_policy *policy_r,
                      const char **why_r);

/* Adds a threshold, or puts it in the default's place. */
int weir_policy_add(struct weir_policy *policy, const struct weir_threshold *threshold,
                    const char **why_r);

/* Whether a text can be a threshold's name: 1..WEIR_THRESHOLD_NAME_MAX letters, digits, '-', '_'
 * and '.'; what is printed between others, or given to a shell, has to be told apart. */
#define WEIR_THRESHOLD_NAME "1..31 octets: letters, digits, '-', '_' and '.'"
bool weir_threshold_name_fit(struct weir_slice name);

/* Whether a threshold is one, for who is about to store it.  (One that was stored under another
 * name before stays in force.) */
int weir_policy_check(const struct weir_threshold *threshold, const char **why_r);

void weir_policy_free(struct weir_policy *policy);

#endif
