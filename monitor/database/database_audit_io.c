/*
 * The table of who did what.  Numbers are never given twice, so that a line that is gone leaves a
 * gap that can be seen.
 */
#include "monitor/database/database_audit_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

int weir_database_audit_add(struct weir_database *database, const struct weir_audit *audit)
{
    struct weir_query q = weir_query(database, "INSERT INTO audit (time, who, what, detail) "
                                     "VALUES (?, ?, ?, ?)");

    if (strlen(audit->who) > WEIR_DATABASE_TEXT_MAX ||
        strlen(audit->what) > WEIR_DATABASE_TEXT_MAX ||
        strlen(audit->detail) > WEIR_DATABASE_TEXT_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text for the audit");
    weir_bind_number(&q, audit->time);
    weir_bind_text(&q, audit->who);
    weir_bind_text(&q, audit->what);
    weir_bind_text(&q, audit->detail);
    return weir_query_run(&q);
}

/* A text for each index, whose lines are in the order of their numbers. */
static struct weir_query chosen(struct weir_database *database, const char *who, const char *what)
{
    static const char *const texts[] = {
        "SELECT number, time, who, what, detail FROM audit "
        "WHERE number < ?1 AND ?2 = '' AND ?3 = '' ORDER BY number DESC LIMIT ?4",
        "SELECT number, time, who, what, detail FROM audit INDEXED BY audit_who "
        "WHERE who = ?2 AND ?3 = '' AND number < ?1 ORDER BY number DESC LIMIT ?4",
        "SELECT number, time, who, what, detail FROM audit INDEXED BY audit_what "
        "WHERE what = ?3 AND ?2 = '' AND number < ?1 ORDER BY number DESC LIMIT ?4",
        "SELECT number, time, who, what, detail FROM audit INDEXED BY audit_who_what "
        "WHERE who = ?2 AND what = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?4"};

    return weir_query(database, texts[(who[0] != '\0') + 2 * (what[0] != '\0')]);
}

int weir_database_audits(struct weir_database *database, const struct weir_audit_choice *choice,
                         int (*row)(void *context, const struct weir_audit *audit),
                         void *context)
{
    const char *who = choice->who ? choice->who : "", *what = choice->what ? choice->what : "";
    struct weir_query q = chosen(database, who, what);
    int calls = 0, stop = 0;

    weir_bind_number(&q, choice->before > 0 ? choice->before : INT64_MAX);
    weir_bind_text(&q, who);
    weir_bind_text(&q, what);
    weir_bind_number(&q, choice->most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_audit audit = {.number = weir_column_number(&q)};

        audit.time = weir_column_number(&q);
        audit.who = weir_column_text(&q);
        audit.what = weir_column_text(&q);
        audit.detail = weir_column_text(&q);
        stop = row(context, &audit);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
