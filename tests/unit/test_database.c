/*
 * database - opening, migrating, refusing, transactions and a full disk (database_io.c,
 * database_query_io.c, database_schema_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_events_io.h"
#include "tests/unit/database_rig.h"

static void assert_why(const char *why, const char *path, const char *word)
{
    if (strncmp(why, path, strlen(path)) != 0 || !strstr(why, word))
        fail_msg("\"%s\" does not begin with %s and say \"%s\"", why, path, word);
}

static void a_new_database_is_made_and_opened_again(void **state)
{
    struct database_rig *rig = *state;
    struct stat status;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(database_number(rig, "PRAGMA user_version"), WEIR_DATABASE_VERSION);
        assert_int_equal(database_number(rig, "PRAGMA synchronous"), 1);
        assert_int_equal(database_number(rig, "PRAGMA auto_vacuum"), 2);
        assert_int_equal(database_number(rig, "SELECT journal_mode = 'wal' "
                                         "FROM pragma_journal_mode"), 1);
        database_must(rig, database_open(rig), 0);
    }
    assert_int_equal(stat(rig->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

/* What came behind version 5. */
#define NEWER "DROP TABLE hits; DROP TABLE hits_all;" \
    "DROP TABLE rules; DROP TABLE rule_changes; DROP TABLE messages; DROP TABLE message_hits;" \
    "DROP TABLE reports; DROP TABLE reported; DROP TABLE report_counts;" \
    "DROP TABLE rule_sets; DROP TABLE hits_days; DROP TABLE hits_servers;" \
    "DROP TABLE parts; DROP TABLE reported_texts; DROP TABLE drafts; DROP TABLE draft_messages;" \
    "DROP TABLE lessons; DROP TABLE lesson_changes; DROP TABLE bayes_counts;" \
    "DROP TABLE counters; DROP TABLE counter_events; DROP TABLE votes; DROP TABLE seen_decisions;" \
    "DROP TABLE accounts; DROP TABLE sessions; DROP TABLE tokens; DROP TABLE silences;" \
    "DROP TABLE owed;" \
    "DROP TABLE message_sums; DROP TABLE minute_sums;"

/* A file as version 1 left it. */
static void a_database_of_version_1_is_migrated(void **state)
{
    struct database_rig *rig = *state;
    struct weir_audit audit = {.time = 1, .who = "w", .what = "x", .detail = ""};

    assert_int_equal(weir_database_run(rig->database, "DROP TABLE thresholds; DROP TABLE events;"
                     "DROP TABLE decisions; DROP TABLE audit; DROP TABLE ladder;"
                     NEWER
                     "DROP INDEX addresses_last_seen; PRAGMA user_version = 1"), 0);
    assert_int_equal(weir_database_run(rig->database, "INSERT INTO addresses VALUES "
                     "(zeroblob(16), 1, 2, 5, 0, 0, 0, 0, 0);"
                     "INSERT INTO minutes VALUES (7, zeroblob(16), 1, 3, 0, 0, 0, 0, 0), "
                     "(7, zeroblob(16), 2, 2, 0, 0, 0, 0, 0)"), 0);
    database_must(rig, database_open(rig), 0);
    assert_int_equal(database_number(rig, "PRAGMA user_version"), WEIR_DATABASE_VERSION);
    assert_int_equal(database_number(rig, "SELECT connections FROM addresses"), 5);
    assert_int_equal(database_number(rig, "SELECT minute * 100 + connections FROM minute_sums"),
                     705);
    assert_int_equal(weir_database_audit_add(rig->database, &audit), 0);
}

/* A file as version 4 left it. */
static void a_database_of_version_4_is_migrated(void **state)
{
    struct database_rig *rig = *state;

    assert_int_equal(weir_database_run(rig->database, "DROP INDEX decisions_standing;"
                     "DROP INDEX events_about;"
                     "DROP INDEX decisions_undone; DROP INDEX decisions_accepted;"
                     "DROP INDEX events_unheard; DROP INDEX events_silenced;"
                     "ALTER TABLE events DROP COLUMN word;"
                     "ALTER TABLE events DROP COLUMN acknowledged;"
                     "ALTER TABLE events DROP COLUMN acknowledged_by;"
                     "ALTER TABLE events DROP COLUMN note;"
                     "ALTER TABLE events DROP COLUMN told;"
                     "ALTER TABLE events DROP COLUMN told_again;"
                     "ALTER TABLE events DROP COLUMN unheard;"
                     "ALTER TABLE events DROP COLUMN silence;" NEWER
                     "ALTER TABLE ladder DROP COLUMN taken; PRAGMA user_version = 4"), 0);
    database_must(rig, database_open(rig), 0);
    assert_int_equal(database_number(rig, "PRAGMA user_version"), WEIR_DATABASE_VERSION);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM sqlite_schema "
                                     "WHERE name IN ('decisions_standing', 'decisions_undone')"),
                     2);
}

/* A file as version 24 left it. */
static void tokens_of_version_24_become_their_owners(void **state)
{
    struct database_rig *rig = *state;

    assert_int_equal(weir_database_run(rig->database, "DROP TABLE owed;"
        "DROP INDEX events_silenced; DROP INDEX events_unheard;"
        "ALTER TABLE events DROP COLUMN unheard;"
        "INSERT INTO tokens (name, hash, role, added, ends, who)"
        " SELECT column1, CAST(column1 AS BLOB), 'analyst', column2, 0, column3 FROM (VALUES"
        " ('three', 4, 'token two'), ('one', 2, 'user anna'), ('two', 3, 'token one'),"
        " ('root', 2, 'uid 0'), ('four', 2, 'token root'), ('lost', 9, 'token no'),"
        " ('older', 1, 'token one'), ('five', 9, 'token lost'));"
        "PRAGMA user_version = 24"), 0);
    database_must(rig, database_open(rig), 0);
    assert_int_equal(database_number(rig, "SELECT group_concat(name || '=' || who, ';') = "
        "'five=token lost;four=uid 0 by token root;lost=token no;older=token one;one=user anna;"
        "root=uid 0;three=user anna by token two;two=user anna by token one' "
        "FROM (SELECT name, who FROM tokens ORDER BY name)"), 1);
}

static void a_migration_is_done_whole_or_not_at_all(void **state)
{
    struct database_rig *rig = *state;

    /* The last statement of the step cannot be done. */
    assert_int_equal(weir_database_run(rig->database, "DROP TABLE thresholds; DROP TABLE events;"
                     "DROP TABLE decisions; DROP TABLE audit; DROP TABLE ladder;"
                     NEWER
                     "PRAGMA user_version = 1"), 0);
    assert_true(database_open(rig) < 0);
    assert_why(rig->why, rig->path, "addresses_last_seen");
    sqlite3 *raw;
    char *none = NULL;
    assert_int_equal(sqlite3_open(rig->path, &raw), 0);
    assert_int_equal(sqlite3_exec(raw, "CREATE TABLE events (x); DROP TABLE events;"
                                  "DROP INDEX addresses_last_seen", NULL, NULL, &none), 0);
    sqlite3_close(raw);
    database_must(rig, database_open(rig), 0);
}

static void other_files_are_refused_and_left_as_they_are(void **state)
{
    struct database_rig *rig = *state;
    static const struct { const char *sql, *word; int result; } cases[] = {
        {"PRAGMA user_version = 99", "newer version", WEIR_EINVAL},
        {"PRAGMA application_id = 7", "not a database of Weir", WEIR_EINVAL},
    };

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(weir_database_run(rig->database, cases[i].sql), 0);
        assert_int_equal(database_open(rig), cases[i].result);
        assert_null(rig->database);
        assert_why(rig->why, rig->path, cases[i].word);
        unlink(rig->path);
        database_must(rig, database_open(rig), 0);
    }
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct database_rig *rig = *state;
    struct weir_database_options options = {.path = "/nonexistent/spam.db"};
    struct weir_database *other = NULL;

    assert_int_equal(weir_database_open(&options, rig->why, &other), WEIR_EIO);
    assert_why(rig->why, options.path, "No such file");
}

static void a_reader_reads_and_cannot_write(void **state)
{
    struct database_rig *rig = *state;
    struct weir_database_options options = {.path = rig->path, .reading = true};
    struct weir_database *reader = NULL;
    struct weir_minute_row row = database_row(1, 100, 1, 5);
    struct weir_address_row found;
    struct weir_database_batch batch = {.row = &row, .rows = 1};

    database_must(rig, weir_database_open(&options, rig->why, &reader), 0);
    assert_int_equal(database_store(rig, &row, 1, 77), 0);
    assert_int_equal(weir_database_address(reader, &row.address, &found), 1);
    assert_int_equal(found.sum[0], 5);
    assert_true(weir_database_traffic(reader, &batch) < 0);
    weir_database_free(&reader);
    assert_int_equal(weir_database_run(rig->database, "PRAGMA user_version = 1"), 0);
    assert_int_equal(weir_database_open(&options, rig->why, &reader), WEIR_EINVAL);
    assert_why(rig->why, rig->path, "older version");
}

/* What a member of the group sees while no monitor runs. */
static void who_may_only_read_reads_what_was_closed(void **state)
{
    enum { SOMEBODY = 65534 };
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct database_rig *rig = *state;
    struct weir_database_options options = {.path = rig->path, .reading = true};
    struct weir_minute_row row = database_row(1, 100, 1, 5);
    struct weir_address_row found;
    char path[sizeof rig->path + 4];
    pid_t child;
    int status;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(scratch_path(rig->scratch, ""), 0755), 0);
    assert_int_equal(database_store(rig, &row, 1, 77), 0);
    weir_database_free(&rig->database);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", rig->path, endings[i]);
        assert_int_equal(chown(path, 0, SOMEBODY), 0);
    }
    child = fork();
    if (child == 0) {
        bool reads = setgroups(0, NULL) == 0 && setgid(SOMEBODY) == 0 && setuid(SOMEBODY) == 0 &&
                     weir_database_open(&options, rig->why, &rig->database) == 0 &&
                     weir_database_address(rig->database, &row.address, &found) == 1;
        _exit(reads ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Damage. ------------------------------------------------------------------------------ */

static void fill(struct database_rig *rig, unsigned rows)
{
    struct weir_minute_row *row = calloc(rows, sizeof *row);

    for (unsigned i = 0; i < rows; i++)
        row[i] = database_row(i, 100, 1, i);
    database_must(rig, database_store(rig, row, rows, rows), 0);
    free(row);
}

static void scribble(const char *path, long at, size_t len)
{
    FILE *file = fopen(path, "r+");
    char junk[4096];

    memset(junk, 0xa5, sizeof junk);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite(junk, 1, len, file), len);
    fclose(file);
}

static void a_damaged_file_is_refused_with_its_name_and_what_to_do(void **state)
{
    struct database_rig *rig = *state;
    static const struct { long at; size_t len; bool check; } cases[] = {
        {0, 16, false},          /* what SQLite knows it by */
        {100, 100, false},       /* the page with the tables */
        {4096 * 40, 4096, true}, /* a page of some table */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_database_options options = {.path = rig->path, .check = cases[i].check};

        fill(rig, 20000);
        weir_database_free(&rig->database);
        scribble(rig->path, cases[i].at, cases[i].len);
        assert_int_equal(weir_database_open(&options, rig->why, &rig->database), WEIR_ECORRUPT);
        assert_null(rig->database);
        assert_why(rig->why, rig->path, ".recover");
        unlink(rig->path);
        database_must(rig, database_open(rig), 0);
    }
    assert_int_equal(weir_database_check(rig->database), 0);
}

/* Transactions and a full disk. --------------------------------------------------------- */

static void calls_between_begin_and_commit_are_one_change(void **state)
{
    struct database_rig *rig = *state;
    struct weir_audit audit = {.time = 1, .who = "w", .what = "x", .detail = ""};
    struct weir_minute_row row = database_row(1, 100, 1, 5);

    for (int commit = 0; commit < 2; commit++) {
        assert_int_equal(weir_database_begin(rig->database), 0);
        assert_int_equal(database_store(rig, &row, 1, 9), 0);
        assert_int_equal(weir_database_audit_add(rig->database, &audit), 0);
        if (commit)
            assert_int_equal(weir_database_commit(rig->database), 0);
        else
            weir_database_abandon(rig->database);
        database_must(rig, database_open(rig), 0);
        assert_int_equal(database_number(rig, "SELECT count(*) FROM audit"), commit);
        assert_int_equal(database_number(rig, "SELECT count(*) FROM minutes"), commit);
    }
    weir_database_abandon(rig->database); /* nothing was begun */
}

static void a_full_disk_costs_the_change_and_no_more(void **state)
{
    struct database_rig *rig = *state;
    struct weir_minute_row *row = calloc(60000, sizeof *row);
    struct rlimit before, small;
    uint64_t position = 0;
    int rc;

    signal(SIGXFSZ, SIG_IGN);
    fill(rig, 1000);
    for (unsigned i = 0; i < 60000; i++)
        row[i] = database_row(i, 200, 1, 1);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    rc = database_store(rig, row, 60000, 5000);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, WEIR_EFULL);
    assert_int_equal(weir_database_position(rig->database, &position), 0);
    assert_int_equal(position, 1000);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM minutes"), 1000);
    database_must(rig, database_store(rig, row, 60000, 5000), 0);
    database_must(rig, database_open(rig), 0);
    assert_int_equal(weir_database_check(rig->database), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM minutes"), 61000);
    free(row);
}

static void two_writers_do_not_lose_each_others_changes(void **state)
{
    struct database_rig *rig = *state;
    struct weir_database *first = rig->database;
    struct weir_minute_row row = database_row(1, 100, 1, 5);

    rig->database = NULL;
    database_must(rig, database_open(rig), 0);
    for (int i = 0; i < 20; i++) {
        struct weir_database_batch batch = {.row = &row, .rows = 1};

        assert_int_equal(database_store(rig, &row, 1, 1), 0);
        assert_int_equal(weir_database_traffic(first, &batch), 0);
    }
    assert_int_equal(database_number(rig, "SELECT connections FROM minutes"), 200);
    weir_database_free(&first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

static int count_event(void *context, const struct weir_event *event)
{
    *(int64_t *)context += event->number;
    return 0;
}

static void what_is_only_observed_is_not_unheard(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_event event = {.raised = 1, .kind = "blind"};
    int64_t number[2], unheard = 0;

    for (int i = 0; i < 2; i++) {
        database_must(rig, weir_database_event_add(rig->database, &event, &number[i]), 0);
        database_must(rig, weir_database_event_alerted(rig->database, number[i], 5, 0), 0);
    }
    database_must(rig, weir_database_event_observed(rig->database, number[0], true), 0);
    database_must(rig, weir_database_events_unheard(rig->database, 5, 1, 9, count_event, &unheard),
                  1);
    assert_int_equal(unheard, number[1]);
    database_must(rig, weir_database_event_told(rig->database, number[1], 5, 1), 0);
    database_must(rig, weir_database_events_unheard(rig->database, 5, 1, 9, count_event, &unheard),
                  0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_database_is_made_and_opened_again),
        TEST(a_database_of_version_1_is_migrated),
        TEST(what_is_only_observed_is_not_unheard),
        TEST(a_database_of_version_4_is_migrated),
        TEST(tokens_of_version_24_become_their_owners),
        TEST(a_migration_is_done_whole_or_not_at_all),
        TEST(other_files_are_refused_and_left_as_they_are),
        TEST(a_folder_that_is_not_there_is_told),
        TEST(a_reader_reads_and_cannot_write),
        TEST(who_may_only_read_reads_what_was_closed),
        TEST(a_damaged_file_is_refused_with_its_name_and_what_to_do),
        TEST(calls_between_begin_and_commit_are_one_change),
        TEST(a_full_disk_costs_the_change_and_no_more),
        TEST(two_writers_do_not_lose_each_others_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
