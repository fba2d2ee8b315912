/*
 * The tables of lessons.  Numbers of messages are 64 bits, as SQLite has them, signed.
 */
#include "monitor/database/database_lessons_io.h"

#include <string.h>

#include "monitor/database/database_impl.h"

const char *weir_lesson_source_name(enum weir_lesson_source source)
{
    static const char *const name[WEIR_LESSON_SOURCES] = {"verdict", "report", "corpus"};

    return (unsigned)source < WEIR_LESSON_SOURCES ? name[source] : "?";
}

static enum weir_lesson_source source_of(const char *name)
{
    enum weir_lesson_source source = WEIR_LESSON_VERDICT;

    while (source + 1 < WEIR_LESSON_SOURCES && strcmp(name, weir_lesson_source_name(source)) != 0)
        source++;
    return source;
}

/* Lessons. ------------------------------------------------------------------ */

int weir_database_lesson_add(struct weir_database *database,
                             const struct weir_kept_lesson *lesson)
{
    struct weir_query q = weir_query(database, "INSERT OR IGNORE INTO lessons (uid, time, server, "
        "source, label, verdict, said, learned, weight, learned_at, tokens) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    weir_bind_number(&q, (int64_t)lesson->uid);
    weir_bind_number(&q, lesson->time);
    weir_bind_number(&q, lesson->server);
    weir_bind_text(&q, weir_lesson_source_name(lesson->source));
    weir_bind_text(&q, weir_reported_name(lesson->label));
    weir_bind_text(&q, weir_reported_name(lesson->verdict));
    weir_bind_text(&q, weir_reported_name(lesson->said));
    weir_bind_text(&q, weir_reported_name(lesson->learned));
    weir_bind_number(&q, lesson->weight);
    weir_bind_number(&q, lesson->learned_at);
    weir_bind_octets(&q, lesson->tokens.at, lesson->tokens.len);
    return weir_query_change(&q);
}

int weir_database_lesson_put(struct weir_database *database,
                             const struct weir_kept_lesson *lesson)
{
    struct weir_query q = weir_query(database, "UPDATE lessons SET source = ?, label = ?, "
        "verdict = ?, said = ?, learned = ?, weight = ?, learned_at = ? WHERE uid = ?");

    weir_bind_text(&q, weir_lesson_source_name(lesson->source));
    weir_bind_text(&q, weir_reported_name(lesson->label));
    weir_bind_text(&q, weir_reported_name(lesson->verdict));
    weir_bind_text(&q, weir_reported_name(lesson->said));
    weir_bind_text(&q, weir_reported_name(lesson->learned));
    weir_bind_number(&q, lesson->weight);
    weir_bind_number(&q, lesson->learned_at);
    weir_bind_number(&q, (int64_t)lesson->uid);
    return weir_query_run(&q);
}

int weir_database_lesson(struct weir_database *database, uint64_t uid,
                         int (*row)(void *context, const struct weir_kept_lesson *lesson),
                         void *context)
{
    struct weir_query q = weir_query(database, "SELECT time, server, source, label, verdict, said, "
        "learned, weight, learned_at, tokens FROM lessons WHERE uid = ?");
    struct weir_kept_lesson lesson = {.uid = uid};
    int calls = 0, stop = 0;

    weir_bind_number(&q, (int64_t)uid);
    if (weir_query_row(&q) == 1) {
        lesson.time = weir_column_number(&q);
        lesson.server = (uint32_t)weir_column_number(&q);
        lesson.source = source_of(weir_column_text(&q));
        lesson.label = weir_reported_of(weir_column_text(&q));
        lesson.verdict = weir_reported_of(weir_column_text(&q));
        lesson.said = weir_reported_of(weir_column_text(&q));
        lesson.learned = weir_reported_of(weir_column_text(&q));
        lesson.weight = (unsigned)weir_column_number(&q);
        lesson.learned_at = weir_column_number(&q);
        lesson.tokens = weir_column_slice(&q);
        stop = row(context, &lesson);
        calls = 1;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_lessons_learned(struct weir_database *database,
                                  int (*row)(void *context, enum weir_reported learned,
                                             struct weir_slice tokens),
                                  void *context)
{
    struct weir_query q = weir_query(database, "SELECT learned, tokens FROM lessons "
                                     "WHERE learned <> '' ORDER BY number DESC");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        enum weir_reported learned = weir_reported_of(weir_column_text(&q));

        stop = row(context, learned, weir_column_slice(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_lessons_forget(struct weir_database *database, uint32_t most, weir_time before)
{
    struct weir_query q = weir_query(database, "DELETE FROM lessons WHERE number <= "
        "(SELECT max(number) FROM lessons) - ?1 OR (time < ?2 AND number <= "
        "(SELECT min(number) FROM lessons) + ?1 / 8)");

    weir_bind_number(&q, most);
    weir_bind_number(&q, before);
    return weir_query_change(&q);
}

static int clear(struct weir_database *database)
{
    struct weir_query changes = weir_query(database, "DELETE FROM lesson_changes");
    struct weir_query lessons = weir_query(database, "DELETE FROM lessons");
    int rc = weir_query_run(&changes);

    return rc < 0 ? rc : weir_query_change(&lessons);
}

int weir_database_lessons_clear(struct weir_database *database)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    return rc < 0 ? rc : weir_change_end(database, own, clear(database));
}

int weir_database_lessons_count(struct weir_database *database,
                                struct weir_lesson_counts *counts_r)
{
    struct weir_query q = weir_query(database, "SELECT source, learned, count(*) FROM lessons "
                                     "GROUP BY source, learned");
    struct weir_lesson_counts counts = {.kept = 0};

    while (weir_query_row(&q) == 1) {
        enum weir_lesson_source source = source_of(weir_column_text(&q));
        enum weir_reported learned = weir_reported_of(weir_column_text(&q));
        uint64_t count = (uint64_t)weir_column_number(&q);

        counts.kept += count;
        if (learned != WEIR_REPORTED_NOTHING)
            (learned == WEIR_REPORTED_SPAM ? counts.spam : counts.ham)[source] += count;
    }
    *counts_r = counts;
    return weir_query_end(&q);
}

/* Changes. ------------------------------------------------------------------ */

int weir_database_lesson_change(struct weir_database *database,
                                const struct weir_lesson_change *change)
{
    struct weir_query q = weir_query(database, "INSERT INTO lesson_changes (uid, back, spam, "
                                     "weight, learned_at) VALUES (?, ?, ?, ?, ?)");

    weir_bind_number(&q, (int64_t)change->uid);
    weir_bind_number(&q, change->back);
    weir_bind_number(&q, change->spam);
    weir_bind_number(&q, change->weight);
    weir_bind_number(&q, change->learned_at);
    return weir_query_run(&q);
}

int weir_database_lesson_changes(struct weir_database *database,
                                 int (*row)(void *context,
                                            const struct weir_lesson_change *change),
                                 void *context)
{
    struct weir_query q = weir_query(database, "SELECT c.uid, c.back, c.spam, c.weight, "
        "c.learned_at, l.tokens FROM lesson_changes AS c JOIN lessons AS l ON l.uid = c.uid "
        "ORDER BY c.number");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_lesson_change change = {.uid = (uint64_t)weir_column_number(&q)};

        change.back = weir_column_number(&q) != 0;
        change.spam = weir_column_number(&q) != 0;
        change.weight = (unsigned)weir_column_number(&q);
        change.learned_at = weir_column_number(&q);
        change.tokens = weir_column_slice(&q);
        stop = row(context, &change);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

/* Counts. ------------------------------------------------------------------- */

static int put(struct weir_database *database, struct weir_slice counts, weir_time now)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO bayes_counts "
                                     "(one, at, counts) VALUES (1, ?, ?)");
    struct weir_query changes;
    int rc;

    weir_bind_number(&q, now);
    weir_bind_octets(&q, counts.at, counts.len);
    rc = weir_query_run(&q);
    if (rc < 0)
        return rc;
    changes = weir_query(database, "DELETE FROM lesson_changes");
    return weir_query_run(&changes);
}

int weir_database_bayes_put(struct weir_database *database, struct weir_slice counts,
                            weir_time now)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    return rc < 0 ? rc : weir_change_end(database, own, put(database, counts, now));
}

int weir_database_bayes(struct weir_database *database,
                        int (*row)(void *context, struct weir_slice counts, weir_time at),
                        void *context)
{
    struct weir_query q = weir_query(database, "SELECT at, counts FROM bayes_counts");
    int calls = 0, stop = 0;

    if (weir_query_row(&q) == 1) {
        weir_time at = weir_column_number(&q);

        stop = row(context, weir_column_slice(&q), at);
        calls = 1;
    }
    return weir_query_told(&q, stop, calls);
}
