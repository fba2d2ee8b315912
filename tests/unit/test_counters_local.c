/*
 * The local store's file: what it refuses to open, what it makes of damage, and
 * what happens when it is full.  Several processes: test_counters_local_processes.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/store/counters.h"
#include "tests/unit/counter_stores.h"

static const weir_time now = INT64_C(1795286015) * WEIR_SECOND;

/* The last line logged, and how many there were. */
struct lines {
    unsigned n;
    char last[WEIR_LOG_LINE_MAX + 1];
};

static void keep_line(void *context, enum weir_log_level level, const char *line)
{
    struct lines *lines = context;
    (void)level;
    lines->n++;
    snprintf(lines->last, sizeof lines->last, "%s", line);
}

struct file {
    char path[LOCAL_PATH];
    struct lines lines;
    struct weir_log log;
    const char *why;
};

static int make_file(void **state)
{
    struct file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    local_path_make(file->path);
    file->log = (struct weir_log){keep_line, &file->lines, WEIR_LOG_DEBUG};
    *state = file;
    return 0;
}

static int remove_file(void **state)
{
    struct file *file = *state;
    local_path_remove(file->path);
    free(file);
    return 0;
}

/* Opens the file; the result goes to *result_r. */
static struct weir_counters *try_open(struct file *file, bool read_only, int *result_r)
{
    struct weir_counters *counters = NULL;
    struct weir_counters_local_options options = {.path = file->path,
                                                  .bytes_most = 4 << 20,
                                                  .read_only = read_only,
                                                  .scratch = true,
                                                  .mode = 0640};
    file->why = NULL;
    *result_r = weir_counters_open_local(&options, &file->log, &counters, &file->why);
    assert_non_null(file->why);
    return counters;
}

static struct weir_counters *open_file(struct file *file)
{
    int result;
    struct weir_counters *counters = try_open(file, false, &result);
    if (result != 0)
        fail_msg("open gave %d: %s", result, file->why);
    return counters;
}

static void assert_refused(struct file *file, int want, const char *word)
{
    for (int read_only = 0; read_only <= 1; read_only++) {
        int result;
        struct weir_counters *counters = try_open(file, read_only, &result);
        assert_null(counters);
        assert_int_equal(result, want);
        if (!strstr(file->why, word))
            fail_msg("\"%s\" does not say \"%s\"", file->why, word);
    }
}

static struct weir_counter some_counter(void)
{
    return (struct weir_counter){random_entity(), WEIR_SPAM_USER, 3600};
}

/* A sound file with 500 entities, each of 3 events. */
static void fill_file(struct file *file, struct weir_counter counter[static 500])
{
    struct weir_counters *counters = open_file(file);
    for (size_t i = 0; i < 500; i++) {
        counter[i] = some_counter();
        assert_int_equal(weir_counters_add(counters, now, &counter[i], 3), 0);
    }
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    weir_counters_free(&counters);
}

static void write_file(const struct file *file, const void *bytes, size_t len)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* What may be opened. ----------------------------------------------------- */

static void what_was_stored_is_there_after_reopening(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    struct stat st;
    fill_file(file, counter);
    for (int read_only = 0; read_only <= 1; read_only++) {
        int result;
        struct weir_counters *counters = try_open(file, read_only, &result);
        struct weir_counters_status status;
        assert_int_equal(result, 0);
        for (size_t i = 0; i < 500; i++)
            assert_true(fabs(counter_value(counters, now, &counter[i]) - 3) < 0.001);
        weir_counters_status(counters, &status);
        assert_string_equal(status.store, "local");
        assert_int_equal(status.entities, 500);
        assert_int_equal(status.nodes, 1);
        assert_string_equal(status.node[0].name, file->path);
        assert_true(status.node[0].up);
        assert_true(status.bytes_used >= 500 * 38 && status.bytes_used <= 4 << 20);
        weir_counters_free(&counters);
    }
    assert_int_equal(file->lines.n, 0);
    assert_int_equal(stat(file->path, &st), 0);
    assert_int_equal(st.st_mode & 0137, 0);
}

static void a_durable_store_keeps_what_was_flushed(void **state)
{
    struct file *file = *state;
    struct weir_counters *counters = NULL;
    struct weir_counters_local_options options = {
        .path = file->path, .bytes_most = 8 << 20, .mode = 0600};
    struct weir_counter counter = some_counter();
    assert_int_equal(weir_counters_open_local(&options, NULL, &counters, &file->why), 0);
    counter_add(counters, now, &counter, 2);
    weir_counters_free(&counters);
    counters = open_file(file);
    assert_true(fabs(counter_value(counters, now, &counter) - 2) < 0.001);
    weir_counters_free(&counters);
}

static void an_empty_file_is_a_new_one(void **state)
{
    struct file *file = *state;
    struct weir_counter counter = some_counter();
    write_file(file, "", 0);
    struct weir_counters *counters = open_file(file);
    counter_add(counters, now, &counter, 1);
    weir_counters_free(&counters);
}

static void a_largest_size_below_4_MB_is_refused(void **state)
{
    struct file *file = *state;
    struct weir_counters *counters = NULL;
    struct weir_counters_local_options options = {
        .path = file->path, .bytes_most = (4 << 20) - 1, .mode = 0600};
    int result = weir_counters_open_local(&options, NULL, &counters, &file->why);
    assert_int_equal(result, WEIR_EINVAL);
    assert_non_null(strstr(file->why, "4 MB"));
    assert_int_equal(access(file->path, F_OK), -1);
}

static void a_missing_folder_is_told(void **state)
{
    struct file *file = *state;
    char path[LOCAL_PATH];
    int result;
    memcpy(path, file->path, sizeof path);
    snprintf(file->path, sizeof file->path, "%s", "/nowhere/at/all/counters.db");
    errno = 0;
    assert_null(try_open(file, false, &result));
    assert_int_equal(result, WEIR_EIO);
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(file->why, "cannot be made"));
    memcpy(file->path, path, sizeof path);
}

static void a_reader_of_no_file_finds_nothing_until_it_is_made(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    struct weir_counters_status status;
    int result;
    struct weir_counters *reader = try_open(file, true, &result);
    assert_int_equal(result, 0);
    assert_int_equal(access(file->path, F_OK), -1);
    counter[0] = some_counter();
    assert_true(counter_value(reader, now, &counter[0]) == 0);
    weir_counters_status(reader, &status);
    assert_int_equal(status.entities, 0);
    fill_file(file, counter);
    assert_true(fabs(counter_value(reader, now, &counter[0]) - 3) < 0.001);
    weir_counters_free(&reader);
}

static void a_removed_file_is_made_anew(void **state)
{
    struct file *file = *state;
    struct weir_counters *counters = open_file(file);
    struct weir_counter counter = some_counter();
    counter_add(counters, now, &counter, 5);
    assert_int_equal(unlink(file->path), 0);
    weir_counters_tick(counters, now);
    assert_true(counter_value(counters, now, &counter) == 0);
    counter_add(counters, now, &counter, 2);
    assert_true(fabs(counter_value(counters, now, &counter) - 2) < 0.001);
    assert_int_equal(access(file->path, F_OK), 0);
    weir_counters_free(&counters);
}

static void a_reader_takes_no_events(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    int result;
    fill_file(file, counter);
    struct weir_counters *counters = try_open(file, true, &result);
    assert_int_equal(result, 0);
    assert_int_equal(weir_counters_add(counters, now, &counter[0], 1), WEIR_EINVAL);
    assert_int_equal(weir_counters_flush(counters, NULL), WEIR_EINVAL);
    weir_counters_tick(counters, now + 1000 * WEIR_DAY);
    assert_true(fabs(counter_value(counters, now, &counter[0]) - 3) < 0.001);
    weir_counters_free(&counters);
}

/* What is refused. -------------------------------------------------------- */

static void a_text_file_is_refused(void **state)
{
    static const char text[] = "# not a database\n";
    struct file *file = *state;
    char big[9000];
    write_file(file, text, sizeof text);
    assert_refused(file, WEIR_ECORRUPT, "damaged");
    memset(big, 'x', sizeof big);
    write_file(file, big, sizeof big);
    assert_refused(file, WEIR_ECORRUPT, "damaged");
    assert_true(file->lines.n >= 2);
    assert_non_null(strstr(file->lines.last, file->path));
}

static void a_truncated_file_is_refused(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    struct stat st;
    fill_file(file, counter);
    assert_int_equal(stat(file->path, &st), 0);
    /* The last pages may be free ones, whose loss is none; not a quarter of them. */
    for (off_t len = st.st_size / 4096 * 3 / 4 * 4096; len > 0; len -= 4096 * 3) {
        assert_int_equal(truncate(file->path, len), 0);
        assert_refused(file, WEIR_ECORRUPT, "damaged");
    }
}

/* Writes one key into an LMDB file of its own. */
static void make_lmdb(const struct file *file, unsigned flags, const char *name, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    char word[32];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    snprintf(word, sizeof word, "%s", name);
    MDB_val key = {strlen(word), word};
    MDB_val data = {sizeof bytes, bytes};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, file->path, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, flags, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &data, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_foreign_database_is_refused(void **state)
{
    struct file *file = *state;
    make_lmdb(file, 0, "somebody else's", 1);
    assert_refused(file, WEIR_ECORRUPT, "some other program");
}

static void a_database_of_another_kind_is_refused(void **state)
{
    struct file *file = *state;
    make_lmdb(file, MDB_DUPSORT, "weir counters", 1);
    assert_refused(file, WEIR_ECORRUPT, "");
}

static void a_newer_file_is_refused(void **state)
{
    struct file *file = *state;
    make_lmdb(file, 0, "weir counters", 2);
    assert_refused(file, WEIR_ECORRUPT, "newer");
}

static void a_damaged_version_is_refused(void **state)
{
    struct file *file = *state;
    make_lmdb(file, 0, "weir counters", 0);
    assert_refused(file, WEIR_ECORRUPT, "version");
}

/* Flips bits in every copy of the entity's record, behind its key. */
static void damage(const struct file *file, const struct weir_entity *entity)
{
    static uint8_t bytes[4 << 20];
    int fd = open(file->path, O_RDWR);
    assert_true(fd >= 0);
    ssize_t len = read(fd, bytes, sizeof bytes);
    assert_true(len > 0);
    unsigned found = 0;
    for (ssize_t i = 0; i + 40 < len; i++) {
        bool is_record = bytes[i + 16] == 1 && bytes[i + 22] == 0 && bytes[i + 23] == 0;
        if (memcmp(bytes + i, entity->id, sizeof entity->id) != 0 || !is_record)
            continue; /* the id may stand in a branch page too */
        uint8_t flipped = bytes[i + 30] ^ 0x10;
        assert_int_equal(pwrite(fd, &flipped, 1, i + 30), 1);
        found++;
    }
    assert_true(found > 0);
    close(fd);
}

static void a_damaged_record_is_as_if_absent_and_logged_once(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    fill_file(file, counter);
    damage(file, &counter[77].entity);
    struct weir_counters *counters = open_file(file);
    for (size_t i = 0; i < 500; i++) {
        double want = i == 77 ? 0 : 3;
        assert_true(fabs(counter_value(counters, now, &counter[i]) - want) < 0.001);
    }
    for (int i = 0; i < 100; i++)
        assert_true(counter_value(counters, now, &counter[77]) == 0);
    assert_in_range(file->lines.n, 1, 10);
    assert_non_null(strstr(file->lines.last, "damaged record"));
    counter_add(counters, now, &counter[77], 2);
    assert_true(fabs(counter_value(counters, now, &counter[77]) - 2) < 0.001);
    weir_counters_free(&counters);
}

static void ticks_sweep_out_a_damaged_record(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    struct weir_counters_status status;
    fill_file(file, counter);
    damage(file, &counter[3].entity);
    struct weir_counters *counters = open_file(file);
    weir_counters_tick(counters, now);
    weir_counters_status(counters, &status);
    assert_int_equal(status.entities, 499);
    weir_counters_free(&counters);
}

/* Upkeep. ----------------------------------------------------------------- */

static void ticks_sweep_out_what_has_expired(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    struct weir_counters_status status;
    fill_file(file, counter);
    struct weir_counters *counters = open_file(file);
    struct weir_counter lasting = {random_entity(), WEIR_SPAM_USER, 2592000};
    counter_add(counters, now, &lasting, 1);
    weir_time later = now + 40 * WEIR_HOUR; /* beyond two epochs and a half-life */
    for (int i = 0; i < 20; i++)
        weir_counters_tick(counters, now + i * WEIR_MINUTE);
    weir_counters_status(counters, &status);
    assert_int_equal(status.entities, 501);
    for (int i = 0; i < 20; i++)
        weir_counters_tick(counters, later + i * WEIR_MINUTE);
    weir_counters_status(counters, &status);
    assert_int_equal(status.entities, 1);
    assert_true(counter_value(counters, later, &lasting) > 0.9);
    weir_counters_free(&counters);
}

static void a_sweep_is_short_and_rare(void **state)
{
    struct file *file = *state;
    struct weir_counter counter[500];
    struct weir_counters_status status;
    fill_file(file, counter);
    struct weir_counters *counters = open_file(file);
    weir_time later = now + 40 * WEIR_HOUR;
    for (int i = 0; i < 8; i++)
        weir_counters_tick(counters, later + i * WEIR_SECOND / 4);
    weir_counters_status(counters, &status);
    assert_true(status.entities > 0 && status.entities < 500);
    weir_counters_free(&counters);
}

static void expired_items_go_when_a_record_is_rewritten(void **state)
{
    struct file *file = *state;
    struct weir_counters *counters = open_file(file);
    struct weir_counters_status before, after;
    struct weir_counter counter = some_counter();
    for (uint32_t i = 0; i < 40; i++) {
        struct weir_counter other = counter;
        other.half_life = 60 + i;
        counter_add(counters, now, &other, 1);
    }
    weir_counters_status(counters, &before);
    for (int day = 2; day < 300; day++)
        counter_add(counters, now + day * WEIR_DAY, &counter, 1);
    assert_true(counter_value(counters, now + 299 * WEIR_DAY, &counter) > 0.99);
    weir_counters_status(counters, &after);
    assert_int_equal(after.entities, 1);
    assert_true(after.bytes_used <= before.bytes_used);
    weir_counters_free(&counters);
}

/* A full file. ------------------------------------------------------------ */

static void add_strangers(struct weir_counters *counters, weir_time when, int n, size_t *lost)
{
    for (int i = 0; i < n; i++) {
        struct weir_counter stranger = some_counter();
        assert_int_equal(weir_counters_add(counters, when, &stranger, 1), 0);
        if (i % 200 != 199)
            continue;
        size_t some = 0;
        int result = weir_counters_flush(counters, &some);
        assert_int_equal(result, some > 0 ? WEIR_EFULL : 0);
        *lost += some;
    }
}

static void in_a_full_file_strangers_give_way_to_the_known(void **state)
{
    struct file *file = *state;
    struct weir_counter known[500];
    struct weir_counters_status status;
    struct stat st;
    size_t lost = 0;
    fill_file(file, known);
    struct weir_counters *counters = open_file(file);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(weir_counters_add(counters, now, &known[i], 100), 0);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    add_strangers(counters, now, 200000, &lost);
    for (size_t i = 0; i < 500; i++)
        assert_true(fabs(counter_value(counters, now, &known[i]) - 103) < 0.01);
    assert_int_equal(stat(file->path, &st), 0);
    assert_true(st.st_size <= 4 << 20);
    weir_counters_status(counters, &status);
    assert_int_equal(status.lost, lost);
    assert_int_equal(status.written + status.lost, 200500);
    assert_true(status.bytes_used > 2 << 20 && status.bytes_used <= 4 << 20);
    assert_true(status.node[0].up); /* full is not down */
    assert_in_range(file->lines.n, lost > 0, 11);
    weir_counters_free(&counters);
}

static void a_file_full_of_the_known_loses_strangers_and_counts_them(void **state)
{
    struct file *file = *state;
    struct weir_counters *counters = open_file(file);
    struct weir_counter known = some_counter();
    size_t lost = 0;
    for (int i = 0; i < 60000; i++) {
        struct weir_counter busy = some_counter();
        weir_counters_add(counters, now, &busy, 50);
    }
    weir_counters_flush(counters, NULL);
    add_strangers(counters, now, 2000, &lost);
    assert_int_equal(lost, 2000);
    assert_in_range(file->lines.n, 1, 10); /* and not one for each */
    assert_non_null(strstr(file->lines.last, "storing events"));
    /* a day later all has expired and there is room again */
    lost = 0;
    for (int i = 0; i < 200; i++)
        weir_counters_tick(counters, now + 2 * WEIR_DAY + i * WEIR_MINUTE);
    add_strangers(counters, now + 2 * WEIR_DAY, 2000, &lost);
    assert_int_equal(lost, 0);
    counter_add(counters, now + 2 * WEIR_DAY, &known, 1);
    weir_counters_free(&counters);
}

static void strangers_who_come_again_stay_in_a_full_file(void **state)
{
    struct file *file = *state;
    struct weir_counters *counters = open_file(file);
    struct weir_counter regular = some_counter();
    size_t lost = 0;
    add_strangers(counters, now, 60000, &lost);
    for (int i = 0; i < 300; i++) {
        weir_time t = now + i * WEIR_MINUTE;
        weir_counters_add(counters, t, &regular, 1);
        add_strangers(counters, t, 200, &lost);
    }
    double value = counter_value(counters, now + 299 * WEIR_MINUTE, &regular);
    assert_true(value > 60); /* 84 if nothing was ever dropped */
    weir_counters_free(&counters);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(what_was_stored_is_there_after_reopening),
        WITH_FILE(a_durable_store_keeps_what_was_flushed),
        WITH_FILE(an_empty_file_is_a_new_one),
        WITH_FILE(a_largest_size_below_4_MB_is_refused),
        WITH_FILE(a_missing_folder_is_told),
        WITH_FILE(a_reader_of_no_file_finds_nothing_until_it_is_made),
        WITH_FILE(a_removed_file_is_made_anew),
        WITH_FILE(a_reader_takes_no_events),
        WITH_FILE(a_text_file_is_refused),
        WITH_FILE(a_truncated_file_is_refused),
        WITH_FILE(a_foreign_database_is_refused),
        WITH_FILE(a_database_of_another_kind_is_refused),
        WITH_FILE(a_newer_file_is_refused),
        WITH_FILE(a_damaged_version_is_refused),
        WITH_FILE(a_damaged_record_is_as_if_absent_and_logged_once),
        WITH_FILE(ticks_sweep_out_a_damaged_record),
        WITH_FILE(ticks_sweep_out_what_has_expired),
        WITH_FILE(a_sweep_is_short_and_rare),
        WITH_FILE(expired_items_go_when_a_record_is_rewritten),
        WITH_FILE(in_a_full_file_strangers_give_way_to_the_known),
        WITH_FILE(a_file_full_of_the_known_loses_strangers_and_counts_them),
        WITH_FILE(strangers_who_come_again_stay_in_a_full_file),
    };
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
