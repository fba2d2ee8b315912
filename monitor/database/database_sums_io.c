/*
 * Sums of messages: two spans, and of each the verdict's and the score's.
 */
#include "monitor/database/database_sums_io.h"

#include <math.h>
#include <string.h>

#include "monitor/database/database_impl.h"

static int which(const char *verdict)
{
    static const char *const names[] = {"ham", "unsure", "spam", "blocked"};

    for (int i = 0; i < 4; i++)
        if (strcmp(names[i], verdict) == 0)
            return i;
    return WEIR_SUMS_UNSURE;
}

static int add(struct weir_database *database, weir_time span, weir_time time, int what)
{
    struct weir_query q = weir_query(database, "INSERT INTO message_sums (span, begins, what, "
        "count) VALUES (?, ?, ?, 1) ON CONFLICT (span, begins, what) DO UPDATE SET "
        "count = count + 1");

    weir_bind_number(&q, span);
    weir_bind_number(&q, time / span * span);
    weir_bind_number(&q, what);
    return weir_query_run(&q);
}

int weir_database_sums_add(struct weir_database *database, weir_time time, const char *verdict,
                           double score)
{
    double point = floor(score);
    int of[2] = {which(verdict), WEIR_SUMS_SCORE}, rc = 0;

    point = point < -WEIR_SUMS_SCORES ? -WEIR_SUMS_SCORES : point;
    of[1] += point > WEIR_SUMS_SCORES - 1 ? WEIR_SUMS_SCORES - 1 : (int)point;
    for (size_t i = 0; i < 2; i++) {
        rc = rc < 0 ? rc : add(database, WEIR_SUMS_FINE, time, of[i]);
        rc = rc < 0 ? rc : add(database, WEIR_SUMS_COARSE, time, of[i]);
    }
    return rc;
}

int weir_database_sums(struct weir_database *database, weir_time span, weir_time since,
                       int (*row)(void *context, weir_time begins, int what, uint64_t count),
                       void *context)
{
    struct weir_query q = weir_query(database, "SELECT begins, what, count FROM message_sums "
                                     "WHERE span = ? AND begins >= ? ORDER BY begins, what");
    int calls = 0, stop = 0;

    weir_bind_number(&q, span);
    weir_bind_number(&q, since / span * span);
    while (stop == 0 && weir_query_row(&q) == 1) {
        weir_time begins = weir_column_number(&q);
        int what = (int)weir_column_number(&q);

        stop = row(context, begins, what, (uint64_t)weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
