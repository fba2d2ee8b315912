/*
 * journal and database on a disk that is really full, a file system in memory: refused, told as
 * full, nothing of what was there harmed, and gone on with when there is room.  Needs the right to
 * mount; where that lacks, RLIMIT_FSIZE in their own tests has to do.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/journal_rig.h"

#define CANNOT 77

/* Takes all room there is but for some octets. */
static void fill_up(const char *path, size_t but)
{
    FILE *file = fopen(path, "w");
    char block[4096] = "";
    long len = 0;

    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, 1, sizeof block, file) == sizeof block)
        len += (long)sizeof block;
    fclose(file);
    if (truncate(path, len > (long)but ? len - (long)but : 0) < 0)
        _exit(2);
}

static void journal_is_full(struct journal_rig *rig, const char *filler)
{
    uint64_t whole = 0, number = 0;

    assert_int_equal(journal_open(rig), 0);
    for (; number < 10; number++)
        assert_int_equal(journal_put(rig, number, 3000), 0);
    fill_up(filler, 8192);
    for (; journal_put(rig, number, 3000) == 0; number++)
        continue;
    whole = number;
    assert_int_equal(journal_put(rig, number, 3000), WEIR_EFULL);
    assert_int_equal(journal_open(rig), 0);
    assert_int_equal(rig->found.torn, 0);
    assert_int_equal(journal_replay(rig, 0)->batches, whole);
    assert_int_equal(rig->found.damages, 0);
    unlink(filler);
    assert_int_equal(journal_put(rig, number, 3000), 0);
    assert_int_equal(journal_replay(rig, 0)->batches, whole + 1);
}

static void database_is_full(struct database_rig *rig, const char *filler)
{
    static struct weir_minute_row row[20000];
    uint64_t position = 0;

    for (unsigned i = 0; i < 20000; i++)
        row[i] = database_row(i, 100, 1, 1);
    database_must(rig, database_open(rig), 0);
    database_must(rig, database_store(rig, row, 100, 1), 0);
    fill_up(filler, 65536);
    database_must(rig, database_store(rig, row, 20000, 2), WEIR_EFULL);
    assert_int_equal(weir_database_position(rig->database, &position), 0);
    assert_int_equal(position, 1);
    database_must(rig, database_open(rig), 0);
    database_must(rig, weir_database_check(rig->database), 0);
    assert_int_equal(database_number(rig, "SELECT sum(connections) FROM minutes"), 100);
    unlink(filler);
    database_must(rig, database_store(rig, row, 20000, 2), 0);
    assert_int_equal(database_number(rig, "SELECT sum(connections) FROM minutes"), 20100);
}

/* In a process of its own, whose mounts nobody else sees. */
static void in_a_small_disk(struct database_rig *rig)
{
    struct journal_rig journal = {.journal = NULL};
    char filler[300];

    weir_database_free(&rig->database);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("weir", rig->scratch->directory, "tmpfs", 0, "size=12m,mode=700") < 0)
        _exit(CANNOT);
    snprintf(filler, sizeof filler, "%s/filler", rig->scratch->directory);
    snprintf(journal.folder, sizeof journal.folder, "%s/journal", rig->scratch->directory);
    journal.options.folder = journal.folder;
    journal_is_full(&journal, filler);
    weir_journal_free(&journal.journal);
    database_is_full(rig, filler);
    weir_database_free(&rig->database);
    _exit(0);
}

static void a_full_disk_is_told_and_harms_nothing(void **state)
{
    struct database_rig *rig = *state;
    int status;
    pid_t child = fork();

    if (child == 0)
        in_a_small_disk(rig);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CANNOT) {
        print_message("SKIPPED: may not mount a file system here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_harms_nothing, database_setup,
                                        database_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
