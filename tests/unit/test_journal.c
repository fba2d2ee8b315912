/*
 * journal - what was appended is replayed, whole and in order, whatever happened to the
 * process, the disk or the octets (journal_io.c, journal_files_io.c,
 * journal_walk.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "tests/unit/journal_rig.h"
#include "tests/unit/seeded.h"

#define HEADS 40 /* octets of a file's and of a batch's head */
#define STREAM 25 /* octets of the name of an even batch's stream, 24 of an odd one's */

static void put(struct journal_rig *rig, uint64_t offset, size_t len)
{
    int rc = journal_put(rig, offset, len);

    if (rc != 0)
        fail_msg("append of %zu octets: %d, %s", len, rc, strerror(errno));
}

static void must_open(struct journal_rig *rig)
{
    int rc = journal_open(rig);

    if (rc != 0)
        fail_msg("open: %d, %s", rc, strerror(errno));
}

static size_t size_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

/* Reads a file whole, or writes it anew. */
static char *slurp(const char *path, size_t *len_r)
{
    size_t len = size_of(path);
    char *octets = malloc(len + 1);
    FILE *file = fopen(path, "r");

    assert_int_equal(fread(octets, 1, len, file), len);
    fclose(file);
    *len_r = len;
    return octets;
}

static void spit(const char *path, const char *octets, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_int_equal(fwrite(octets, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Appending and replay. ---------------------------------------------------------------- */

static void what_was_appended_is_replayed_in_order(void **state)
{
    struct journal_rig *rig = *state;

    must_open(rig);
    for (uint64_t i = 0; i < 100; i++)
        put(rig, i, i * 10);
    for (int again = 0; again < 2; again++) {
        struct journal_seen *seen = journal_replay(rig, 0);

        assert_int_equal(seen->batches, 100);
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(seen->offset[i], i);
        assert_true(seen->next == weir_journal_position(rig->journal));
        assert_int_equal(rig->found.octets, 49500);
        must_open(rig);
        assert_int_equal(rig->found.torn, 0);
    }
}

static void a_replay_begins_at_any_batch(void **state)
{
    struct journal_rig *rig = *state;
    uint64_t position[31];

    rig->options.file_most = 500;
    must_open(rig);
    for (uint64_t i = 0; i < 30; i++) {
        position[i] = weir_journal_position(rig->journal);
        put(rig, i, 100);
    }
    position[30] = weir_journal_position(rig->journal);
    for (uint64_t i = 0; i <= 30; i++) {
        struct journal_seen *seen = journal_replay(rig, position[i]);

        assert_int_equal(seen->batches, 30 - i);
        assert_true(i == 30 || seen->offset[0] == i);
        assert_int_equal(rig->found.damages, 0);
    }
}

static int stop_at_third(void *context, const struct weir_journal_batch *batch)
{
    int *calls = context;

    (void)batch;
    return ++*calls == 3 ? -77 : 0;
}

static void a_replay_stops_when_it_is_told_to(void **state)
{
    struct journal_rig *rig = *state;
    int calls = 0;

    must_open(rig);
    for (uint64_t i = 0; i < 5; i++)
        put(rig, i, 10);
    assert_int_equal(weir_journal_replay(rig->journal, 0, stop_at_third, &calls, &rig->found),
                     -77);
    assert_int_equal(calls, 3);
}

static void files_are_as_long_as_they_may_be_and_no_longer(void **state)
{
    struct journal_rig *rig = *state;
    char path[600];

    rig->options.file_most = HEADS + 2 * (HEADS + STREAM) + 200;
    must_open(rig);
    put(rig, 0, 100);
    put(rig, 2, 100);
    assert_int_equal(journal_files(rig, path), 1);
    assert_int_equal(size_of(path), rig->options.file_most);
    put(rig, 4, 100);
    assert_int_equal(journal_files(rig, path), 2);
    put(rig, 6, 101);
    assert_int_equal(journal_files(rig, path), 3);
    put(rig, 8, 1000); /* longer than a file may be: has one of its own */
    put(rig, 10, 1);
    assert_int_equal(journal_files(rig, path), 5);
    assert_int_equal(journal_replay(rig, 0)->batches, 6);
}

static void batches_and_names_have_limits(void **state)
{
    struct journal_rig *rig = *state;
    char name[WEIR_STREAM_MAX + 1], *octets = calloc(1, WEIR_BATCH_MAX + 1);
    struct weir_slice most = {octets, WEIR_BATCH_MAX}, more = {octets, WEIR_BATCH_MAX + 1};
    struct weir_slice longest = {name, WEIR_STREAM_MAX}, longer = {name, WEIR_STREAM_MAX + 1};
    uint64_t position;

    memset(name, 'n', sizeof name);
    must_open(rig);
    assert_int_equal(weir_journal_append(rig->journal, 1, longest, 0, most, &position), 0);
    assert_int_equal(weir_journal_append(rig->journal, 1, longer, 0, most, &position),
                     WEIR_ELIMIT);
    assert_int_equal(weir_journal_append(rig->journal, 1, longest, 0, more, &position),
                     WEIR_ELIMIT);
    assert_int_equal(weir_journal_append(rig->journal, 1, (struct weir_slice){name, 0}, 0, most,
                                         &position), WEIR_ELIMIT);
    must_open(rig);
    assert_int_equal(rig->found.torn, 0);
    assert_true(weir_journal_position(rig->journal) == position);
    free(octets);
}

static void files_below_a_position_are_removed(void **state)
{
    struct journal_rig *rig = *state;
    uint64_t third;
    char path[600];

    rig->options.file_most = 1; /* one batch a file */
    must_open(rig);
    put(rig, 0, 10);
    put(rig, 1, 10);
    third = weir_journal_position(rig->journal);
    put(rig, 2, 10);
    put(rig, 3, 10);
    assert_int_equal(weir_journal_remove_below(rig->journal, third - 1), 1);
    assert_int_equal(weir_journal_remove_below(rig->journal, third), 1);
    assert_int_equal(weir_journal_remove_below(rig->journal, third), 0);
    assert_int_equal(journal_replay(rig, third)->batches, 2);
    assert_int_equal(rig->found.missing, 0);
    assert_int_equal(journal_replay(rig, third - 5)->batches, 2);
    assert_int_equal(rig->found.missing, 5);
    assert_int_equal(weir_journal_remove_below(rig->journal, UINT64_MAX), 1);
    assert_int_equal(journal_files(rig, path), 1);
    assert_int_equal(weir_journal_octets(rig->journal), size_of(path));
}

static void it_goes_on_where_the_database_is_when_that_is_further(void **state)
{
    struct journal_rig *rig = *state;

    must_open(rig);
    put(rig, 0, 10);
    rig->options.from = 5000;
    must_open(rig);
    assert_int_equal(weir_journal_position(rig->journal), 5000 + HEADS);
    put(rig, 1, 10);
    must_open(rig);
    assert_int_equal(journal_replay(rig, 5000)->batches, 1);
    journal_empty(rig); /* somebody lost the folder's contents */
    rig->options.from = 9000;
    must_open(rig);
    assert_int_equal(weir_journal_position(rig->journal), 9000 + HEADS);
    assert_int_equal(journal_replay(rig, 9000)->batches, 0);
    assert_int_equal(rig->found.missing, 0);
}

static void one_process_has_it(void **state)
{
    struct journal_rig *rig = *state;
    struct weir_journal *other = NULL;
    struct weir_journal_found found;
    struct weir_journal_sync sync;

    must_open(rig);
    errno = 0;
    assert_int_equal(weir_journal_open(&rig->options, &found, &other), WEIR_EIO);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_null(other);
    put(rig, 0, 10);
    assert_int_equal(weir_journal_sync_begin(rig->journal, &sync), 0);
    weir_journal_free(&rig->journal);
    assert_int_equal(weir_journal_sync_end(&sync), 0);
    assert_int_equal(weir_journal_open(&rig->options, &found, &other), 0);
    weir_journal_free(&other);
}

/* How many descriptors the process has. */
static unsigned descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_sync_takes_the_file_before_too(void **state)
{
    struct journal_rig *rig = *state;
    struct weir_journal_sync sync;
    unsigned before;

    rig->options.file_most = 1; /* one batch a file */
    must_open(rig);
    before = descriptors();
    for (uint64_t i = 0; i < 4; i++) {
        put(rig, 2 * i, 10);
        put(rig, 2 * i + 1, 10);
        assert_int_equal(weir_journal_sync_begin(rig->journal, &sync), 0);
        assert_true(sync.written >= 0 && sync.before >= 0 && sync.folder >= 0);
        assert_int_equal(weir_journal_sync_end(&sync), 0);
        assert_int_equal(weir_journal_sync_begin(rig->journal, &sync), 0);
        assert_true(sync.written >= 0 && sync.before < 0 && sync.folder < 0); /* nothing is new */
        assert_int_equal(weir_journal_sync_end(&sync), 0);
        assert_int_equal(descriptors(), before);
    }
    put(rig, 8, 10);
    must_open(rig); /* a file that was not synced is closed, too */
    assert_int_equal(descriptors(), before);
}

static void foreign_files_in_the_folder_are_left_alone(void **state)
{
    struct journal_rig *rig = *state;
    static const char *const name[] = {"journal-1.log", "journal-00000000000000000001.log.old",
                                       "notes", "journal-99999999999999999999999.log"};
    char path[600];

    must_open(rig);
    put(rig, 0, 10);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", rig->folder, name[i]);
        spit(path, "mine", 4);
    }
    must_open(rig);
    assert_int_equal(journal_replay(rig, 0)->batches, 1);
    weir_journal_remove_below(rig->journal, UINT64_MAX);
    assert_int_equal(journal_files(rig, path), 5);
}

/* Damage. ------------------------------------------------------------------------------ */

static void a_torn_batch_is_cut_off_and_told_wherever_it_was_torn(void **state)
{
    struct journal_rig *rig = *state;
    size_t len, whole;
    char path[600], *octets;

    must_open(rig);
    put(rig, 0, 50);
    whole = (size_t)weir_journal_position(rig->journal);
    put(rig, 1, 60);
    journal_files(rig, path);
    octets = slurp(path, &len);
    for (size_t cut = 0; cut < len; cut++) {
        size_t kept = cut < HEADS ? 0 : cut < whole ? HEADS : whole;

        weir_journal_free(&rig->journal);
        spit(path, octets, cut);
        must_open(rig);
        assert_int_equal(rig->found.torn, cut - kept);
        assert_int_equal(journal_replay(rig, 0)->batches, kept == whole);
        assert_int_equal(rig->found.damages, 0);
        put(rig, 2, 5);
        must_open(rig);
        assert_int_equal(rig->found.torn, 0);
        assert_int_equal(journal_replay(rig, 0)->batches, 1 + (kept == whole));
    }
    free(octets);
}

static void damage_costs_the_batch_it_is_in_and_no_other(void **state)
{
    struct journal_rig *rig = *state;
    size_t len, begin, end;
    char path[600], *octets;

    must_open(rig);
    put(rig, 0, 50);
    begin = (size_t)weir_journal_position(rig->journal);
    put(rig, 1, 60);
    end = (size_t)weir_journal_position(rig->journal);
    put(rig, 2, 70);
    journal_files(rig, path);
    octets = slurp(path, &len);
    for (size_t at = begin; at < end; at++) {
        struct journal_seen *seen;

        weir_journal_free(&rig->journal);
        octets[at] ^= 0x20;
        spit(path, octets, len);
        octets[at] ^= 0x20;
        must_open(rig);
        assert_int_equal(rig->found.torn, 0);
        seen = journal_replay(rig, 0);
        assert_int_equal(seen->batches, 2);
        assert_true(seen->offset[0] == 0 && seen->offset[1] == 2);
        assert_int_equal(rig->found.damages, 1);
        assert_int_equal(rig->found.damaged, end - begin);
        assert_int_equal(journal_replay(rig, begin)->batches, 1);
    }
    free(octets);
}

static void a_file_with_a_damaged_head_is_passed_over(void **state)
{
    struct journal_rig *rig = *state;
    char path[600], *octets;
    size_t len;

    for (size_t at = 0; at < HEADS; at++) {
        must_open(rig);
        put(rig, 0, 50);
        journal_files(rig, path);
        octets = slurp(path, &len);
        octets[at] ^= 1;
        weir_journal_free(&rig->journal);
        spit(path, octets, len);
        free(octets);
        must_open(rig);
        put(rig, 1, 50);
        assert_int_equal(journal_replay(rig, 0)->batches, 1);
        assert_int_equal(rig->found.damages, 1);
        assert_int_equal(rig->found.damaged, len);
        weir_journal_free(&rig->journal);
        journal_empty(rig);
    }
}

/* Somebody sends a piece of a journal, as if it had been read from the disk. */
static void what_a_server_sent_does_not_pass_for_a_batch(void **state)
{
    struct journal_rig *rig = *state;
    struct weir_slice stream = {"s", 1};
    char path[600], *octets;
    uint64_t position;
    size_t len;

    must_open(rig);
    put(rig, 0, 50);
    journal_files(rig, path);
    octets = slurp(path, &len);
    assert_int_equal(weir_journal_append(rig->journal, 1, stream, 0,
                                         (struct weir_slice){octets, len}, &position), 0);
    free(octets);
    octets = slurp(path, &len);
    octets[len / 2 + 10] ^= 1; /* in the head of the second batch */
    weir_journal_free(&rig->journal);
    spit(path, octets, len);
    free(octets);
    must_open(rig);
    assert_int_equal(journal_replay(rig, 0)->batches, 1);
}

static void random_damage_never_changes_a_batch(void **state)
{
    struct journal_rig *rig = *state;
    struct seeded seed = seeded_new("journal");
    char path[600], *octets;
    size_t len;

    must_open(rig);
    for (uint64_t i = 0; i < 40; i++)
        put(rig, i, seeded_below(&seed, 300));
    journal_files(rig, path);
    octets = slurp(path, &len);
    for (int round = 0; round < 300; round++) {
        char *bad = malloc(len);
        size_t from = seeded_below(&seed, (unsigned)len), run = seeded_below(&seed, 2000);

        memcpy(bad, octets, len);
        seeded_fill(&seed, bad + from, run < len - from ? run : len - from);
        weir_journal_free(&rig->journal);
        journal_empty(rig);
        spit(path, bad, len);
        free(bad);
        must_open(rig);
        assert_true(journal_replay(rig, 0)->batches < 40 || run == 0);
    }
    free(octets);
}

/* No room, and kill -9. ------------------------------------------------------------------ */

static void a_full_disk_costs_whole_batches_and_ends(void **state)
{
    struct journal_rig *rig = *state;
    struct rlimit before, small;
    int result[4];
    char path[600];

    signal(SIGXFSZ, SIG_IGN);
    must_open(rig);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = HEADS + 2 * (HEADS + STREAM) + 200 + 70,
                            .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    for (uint64_t i = 0; i < 4; i++) /* 70 octets of the third would fit */
        result[i] = journal_put(rig, 2 * i, 100);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(result[0] == 0 && result[1] == 0);
    assert_true(result[2] == WEIR_EFULL && result[3] == WEIR_EFULL);
    journal_files(rig, path);
    assert_int_equal(size_of(path), HEADS + 2 * (HEADS + STREAM) + 200);
    put(rig, 8, 100);
    must_open(rig);
    assert_int_equal(rig->found.torn, 0);
    assert_int_equal(journal_replay(rig, 0)->batches, 3);
}

static void all_files_together_have_a_limit(void **state)
{
    struct journal_rig *rig = *state;

    rig->options.file_most = 1;
    rig->options.bytes_most = 3 * HEADS + 2 * STREAM + 20;
    must_open(rig);
    put(rig, 0, 10);
    assert_int_equal(journal_put(rig, 2, 11), WEIR_EFULL);
    put(rig, 2, 10);
    assert_int_equal(journal_put(rig, 4, 0), WEIR_EFULL);
    weir_journal_remove_below(rig->journal, UINT64_MAX);
    put(rig, 4, 0);
}

/* A disk too small for a whole file: what is done with makes room, what is not stays. */
static void a_full_disk_has_room_again_when_all_is_done_with(void **state)
{
    struct journal_rig *rig = *state;
    uint64_t second;
    char path[600];

    rig->options.bytes_most = 3 * HEADS + 2 * STREAM + 20;
    must_open(rig);
    put(rig, 0, 10);
    second = weir_journal_position(rig->journal);
    put(rig, 2, 10);
    assert_int_equal(journal_put(rig, 4, 10), WEIR_EFULL);
    weir_journal_remove_below(rig->journal, weir_journal_position(rig->journal) - 1);
    assert_int_equal(journal_put(rig, 4, 10), WEIR_EFULL);
    assert_int_equal(journal_replay(rig, second)->batches, 1);
    weir_journal_remove_below(rig->journal, weir_journal_position(rig->journal));
    rig->options.from = weir_journal_position(rig->journal);
    put(rig, 4, 10);
    put(rig, 6, 10);
    assert_int_equal(journal_put(rig, 8, 10), WEIR_EFULL);
    assert_int_equal(journal_files(rig, path), 1);
    assert_int_equal(size_of(path), weir_journal_octets(rig->journal));
    must_open(rig);
    assert_int_equal(rig->found.torn, 0);
    assert_int_equal(journal_replay(rig, rig->options.from)->batches, 2);
    assert_int_equal(rig->found.missing, 0);
}

/* Appends until it is killed, telling each batch that is safe. */
static void append_until_killed(struct journal_rig *rig, int told)
{
    must_open(rig);
    for (uint64_t i = 0;; i++) {
        if (journal_put(rig, i, (size_t)(i * 7919 % 30000)) != 0 ||
            write(told, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

static void nothing_acknowledged_is_lost_when_the_process_is_killed(void **state)
{
    struct journal_rig *rig = *state;
    struct seeded seed = seeded_new("journal killed");

    rig->options.file_most = 1 << 20;
    for (int round = 0; round < 20; round++) {
        uint64_t number, safe = 0;
        int told[2], status;
        struct journal_seen *seen;

        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0)
            append_until_killed(rig, told[1]);
        close(told[1]);
        usleep(1000 + seeded_below(&seed, 30000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(told[0], &number, sizeof number) == sizeof number)
            assert_int_equal(number, safe++);
        close(told[0]);
        must_open(rig);
        seen = journal_replay(rig, 0);
        assert_true(seen->batches == safe || seen->batches == safe + 1);
        for (uint64_t i = 0; i < seen->batches; i++)
            assert_int_equal(seen->offset[i], i);
        assert_int_equal(rig->found.damages, 0);
        weir_journal_free(&rig->journal);
        journal_empty(rig);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_setup, journal_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_appended_is_replayed_in_order),
        TEST(a_replay_begins_at_any_batch),
        TEST(a_replay_stops_when_it_is_told_to),
        TEST(files_are_as_long_as_they_may_be_and_no_longer),
        TEST(batches_and_names_have_limits),
        TEST(files_below_a_position_are_removed),
        TEST(it_goes_on_where_the_database_is_when_that_is_further),
        TEST(one_process_has_it),
        TEST(a_sync_takes_the_file_before_too),
        TEST(foreign_files_in_the_folder_are_left_alone),
        TEST(a_torn_batch_is_cut_off_and_told_wherever_it_was_torn),
        TEST(damage_costs_the_batch_it_is_in_and_no_other),
        TEST(a_file_with_a_damaged_head_is_passed_over),
        TEST(what_a_server_sent_does_not_pass_for_a_batch),
        TEST(random_damage_never_changes_a_batch),
        TEST(a_full_disk_costs_whole_batches_and_ends),
        TEST(all_files_together_have_a_limit),
        TEST(a_full_disk_has_room_again_when_all_is_done_with),
        TEST(nothing_acknowledged_is_lost_when_the_process_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
