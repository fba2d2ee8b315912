/*
 * The table of thresholds: few rows, read at the start and when one was changed.  Numbers that no
 * bucket could work with are refused here, before they are kept.
 */
#include "monitor/database/database_thresholds_io.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define COLUMNS "name, prefixes, connections_rate, connections_maximum, messages_rate, " \
    "messages_maximum, recipients_rate, recipients_maximum, observe, ladder"

static int check(struct weir_database *database, const struct weir_threshold *threshold)
{
    size_t name = strlen(threshold->name);

    if (name == 0 || name > WEIR_THRESHOLD_NAME_MAX ||
        strlen(threshold->prefixes) > WEIR_DATABASE_TEXT_MAX ||
        strlen(threshold->ladder) > WEIR_DATABASE_TEXT_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text of a threshold");
    for (size_t i = 0; i < 3; i++)
        if (!isfinite(threshold->rate[i]) || threshold->rate[i] < 0 ||
            !isfinite(threshold->maximum[i]) || threshold->maximum[i] < 0)
            return weir_database_fail(database, WEIR_EINVAL, "not a limit");
    return 0;
}

int weir_database_threshold_put(struct weir_database *database,
                                const struct weir_threshold *threshold)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO thresholds (" COLUMNS ") "
                                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int rc = check(database, threshold);

    if (rc < 0)
        return rc;
    weir_bind_text(&q, threshold->name);
    weir_bind_text(&q, threshold->prefixes);
    for (size_t i = 0; i < 3; i++) {
        weir_bind_real(&q, threshold->rate[i]);
        weir_bind_real(&q, threshold->maximum[i]);
    }
    weir_bind_number(&q, threshold->observe);
    weir_bind_text(&q, threshold->ladder);
    return weir_query_run(&q);
}

int weir_database_threshold_remove(struct weir_database *database, const char *name)
{
    struct weir_query q = weir_query(database, "DELETE FROM thresholds WHERE name = ?");

    weir_bind_text(&q, name);
    return weir_query_change(&q);
}

int weir_database_thresholds(struct weir_database *database,
                             int (*row)(void *context, const struct weir_threshold *threshold),
                             void *context)
{
    struct weir_query q = weir_query(database, "SELECT " COLUMNS " FROM thresholds ORDER BY name");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_threshold threshold = {.name = weir_column_text(&q)};

        threshold.prefixes = weir_column_text(&q);
        for (size_t i = 0; i < 3; i++) {
            threshold.rate[i] = weir_column_real(&q);
            threshold.maximum[i] = weir_column_real(&q);
        }
        threshold.observe = weir_column_number(&q) != 0;
        threshold.ladder = weir_column_text(&q);
        stop = row(context, &threshold);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
