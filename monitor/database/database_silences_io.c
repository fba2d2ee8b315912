/*
 * The table of silences; one that names no address has octets of no length.
 */
#include "monitor/database/database_silences_io.h"

#include <stdio.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_owed_io.h"

#define ALL "number, made, ends, address, bits, threshold, kind, server, reason, who, ended, " \
    "ended_by"

static int count_standing(struct weir_database *database, weir_time now, int64_t *count_r)
{
    struct weir_query q = weir_query(database, "SELECT count(*) FROM silences "
                                     "WHERE ended = 0 AND ends > ?");

    weir_bind_number(&q, now);
    if (weir_query_row(&q) == 1)
        *count_r = weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_silence_add(struct weir_database *database, const struct weir_silenced *silence,
                              int64_t *number_r)
{
    int64_t standing = 0;
    int rc = count_standing(database, silence->made, &standing);

    if (rc == 0 && standing >= WEIR_SILENCES_MAX)
        rc = weir_database_fail(database, WEIR_ELIMIT, "too many silences stand");
    if (rc < 0)
        return rc;
    struct weir_query q = weir_query(database, "INSERT INTO silences (made, ends, address, bits, "
        "threshold, kind, server, reason, who) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    weir_bind_number(&q, silence->made);
    weir_bind_number(&q, silence->ends);
    weir_bind_octets(&q, silence->prefix.address.octet, silence->has_prefix ? 16 : 0);
    weir_bind_number(&q, silence->has_prefix ? silence->prefix.bits : 0);
    weir_bind_text(&q, silence->threshold);
    weir_bind_text(&q, silence->kind);
    weir_bind_text(&q, silence->server);
    weir_bind_text(&q, silence->reason);
    weir_bind_text(&q, silence->who);
    rc = weir_query_run(&q);
    if (rc == 0)
        *number_r = sqlite3_last_insert_rowid(database->sqlite);
    return rc;
}

int weir_database_silence_end(struct weir_database *database, int64_t number, const char *by,
                              weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE silences SET ended = ?1, ended_by = ?2 "
                                     "WHERE number = ?3 AND ended = 0 AND ends > ?1");
    bool own;
    int rc = weir_change_begin(database, &own), changed = rc;

    weir_bind_number(&q, now);
    weir_bind_text(&q, by);
    weir_bind_number(&q, number);
    if (rc < 0)
        (void)weir_query_end(&q);
    else
        rc = changed = weir_query_change(&q);
    if (changed > 0)
        rc = weir_database_owed_look(database, number);
    rc = weir_change_end(database, own, rc);
    return rc < 0 ? rc : changed;
}

int weir_database_silenced_count(struct weir_database *database, weir_time now, uint64_t *count_r)
{
    struct weir_query q = weir_query(database, "SELECT count(*) FROM events "
                                     "INDEXED BY events_silenced WHERE cleared = 0 AND silence > 0 "
                                     "AND silence IN (SELECT number FROM silences WHERE ended = 0 "
                                     "AND ends > ?)");

    weir_bind_number(&q, now);
    *count_r = weir_query_row(&q) == 1 ? (uint64_t)weir_column_number(&q) : 0;
    return weir_query_end(&q);
}

static void copy(char *text, size_t size, struct weir_query *q)
{
    snprintf(text, size, "%s", weir_column_text(q));
}

static struct weir_silenced column_silence(struct weir_query *q)
{
    struct weir_silenced silence = {.number = weir_column_number(q)};
    struct weir_address address;

    silence.made = weir_column_number(q);
    silence.ends = weir_column_number(q);
    silence.has_prefix = weir_column_octets(q, &address, sizeof address);
    silence.prefix = weir_address_mask(&address, (unsigned)weir_column_number(q));
    copy(silence.threshold, sizeof silence.threshold, q);
    copy(silence.kind, sizeof silence.kind, q);
    copy(silence.server, sizeof silence.server, q);
    copy(silence.reason, sizeof silence.reason, q);
    copy(silence.who, sizeof silence.who, q);
    silence.ended = weir_column_number(q);
    copy(silence.ended_by, sizeof silence.ended_by, q);
    return silence;
}

int weir_database_silences(struct weir_database *database, bool standing, int64_t before,
                           weir_time now, weir_database_silence_row *row, void *context)
{
    struct weir_query q = standing
        ? weir_query(database, "SELECT " ALL " FROM silences WHERE ended = 0 AND ends > ?1 "
                     "AND number < ?2 ORDER BY number DESC")
        : weir_query(database, "SELECT " ALL " FROM silences WHERE (?1 = ?1) AND number < ?2 "
                     "ORDER BY number DESC");
    int calls = 0, stop = 0;

    weir_bind_number(&q, now);
    weir_bind_number(&q, before > 0 ? before : INT64_MAX);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_silenced silence = column_silence(&q);

        stop = row(context, &silence);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
