/*
 * The table of published rule sets, and the last serial given, which outlives the sets themselves.
 */
#include "monitor/database/database_sets_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define LAST "rule_set_serial"

/* Writing. ------------------------------------------------------------------------ */

int weir_database_set_last(struct weir_database *database, uint32_t *serial_r)
{
    uint64_t last = 0;
    int rc = weir_state_get(database, LAST, &last);

    *serial_r = last < WEIR_RULE_SERIAL_MAX ? (uint32_t)last : WEIR_RULE_SERIAL_MAX;
    return rc;
}

int weir_database_set_next(struct weir_database *database, uint32_t *serial_r)
{
    uint32_t last = 0;
    int rc = weir_database_set_last(database, &last);

    if (rc == 0 && last == WEIR_RULE_SERIAL_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "there are no more serials");
    if (rc == 0)
        *serial_r = last + 1;
    return rc;
}

int weir_database_set_given(struct weir_database *database, uint32_t serial)
{
    uint32_t last = 0;
    int rc = weir_database_set_last(database, &last);

    if (rc < 0 || serial <= last)
        return rc;
    if (serial > WEIR_RULE_SERIAL_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "a serial that cannot be");
    rc = weir_state_put(database, LAST, serial);
    return rc < 0 ? rc : 1;
}

static int check(struct weir_database *database, const struct weir_kept_set *set)
{
    uint32_t next = 0;
    int rc = weir_database_set_next(database, &next);

    if (rc == 0 && set->serial != next)
        return weir_database_fail(database, WEIR_EINVAL, "not the serial that comes next");
    if (rc == 0 && (strlen(set->who) > WEIR_DATABASE_TEXT_MAX ||
                    strlen(set->what) > WEIR_DATABASE_TEXT_MAX ||
                    strlen(set->why) > WEIR_DATABASE_TEXT_MAX))
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text of a rule set");
    return rc;
}

static int insert(struct weir_database *database, const struct weir_kept_set *set)
{
    struct weir_query q = weir_query(database, "INSERT INTO rule_sets (serial, made, who, what, "
                                     "why, rules, octets, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

    weir_bind_number(&q, set->serial);
    weir_bind_number(&q, set->made);
    weir_bind_text(&q, set->who);
    weir_bind_text(&q, set->what);
    weir_bind_text(&q, set->why);
    weir_bind_number(&q, (int64_t)set->rules);
    weir_bind_number(&q, (int64_t)set->octets);
    weir_bind_octets(&q, set->file.at, set->file.len);
    return weir_query_run(&q);
}

static int forget(struct weir_database *database)
{
    struct weir_query q = weir_query(database, "DELETE FROM rule_sets WHERE serial IN "
        "(SELECT serial FROM (SELECT serial, row_number() OVER newer AS number, "
        "sum(length(file)) OVER newer AS octets FROM rule_sets WINDOW newer AS "
        "(ORDER BY serial DESC)) WHERE number > ? OR (number > 2 AND octets > ?))");

    weir_bind_number(&q, WEIR_RULE_SETS_KEPT);
    weir_bind_number(&q, WEIR_RULE_SETS_OCTETS_MAX);
    return weir_query_run(&q);
}

int weir_database_set_add(struct weir_database *database, const struct weir_kept_set *set)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    rc = check(database, set);
    rc = rc < 0 ? rc : insert(database, set);
    rc = rc < 0 ? rc : weir_state_put(database, LAST, set->serial);
    rc = rc < 0 ? rc : forget(database);
    return weir_change_end(database, own, rc);
}

/* Reading. ------------------------------------------------------------------------ */

static int walk(struct weir_query *q, int (*row)(void *context, const struct weir_kept_set *set),
                void *context)
{
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(q) == 1) {
        struct weir_kept_set set = {.serial = (uint32_t)weir_column_number(q)};

        set.made = weir_column_number(q);
        set.who = weir_column_text(q);
        set.what = weir_column_text(q);
        set.why = weir_column_text(q);
        set.rules = (size_t)weir_column_number(q);
        set.octets = (size_t)weir_column_number(q);
        set.file = weir_column_slice(q);
        stop = row(context, &set);
        calls++;
    }
    return weir_query_told(q, stop, calls);
}

int weir_database_set(struct weir_database *database, uint32_t serial,
                      int (*row)(void *context, const struct weir_kept_set *set), void *context)
{
    struct weir_query q = weir_query(database, "SELECT serial, made, who, what, why, rules, octets,"
        " file FROM rule_sets WHERE ?1 = 0 OR serial = ?1 ORDER BY serial DESC LIMIT 1");

    weir_bind_number(&q, serial);
    return walk(&q, row, context);
}

int weir_database_sets(struct weir_database *database,
                       int (*row)(void *context, const struct weir_kept_set *set), void *context)
{
    struct weir_query q = weir_query(database, "SELECT serial, made, who, what, why, rules, octets,"
                                     " '' FROM rule_sets ORDER BY serial DESC");

    return walk(&q, row, context);
}
