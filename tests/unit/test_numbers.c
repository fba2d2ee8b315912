/* numbers - handles that share a file, a file of others, the table, and its text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/judge.h"
#include "core/engine/numbers_impl.h"
#include "core/engine/numbers_io.h"
#include "core/program/numbers_metrics.h"

#define IS "weir-milter"
#define CROWD 8

struct rig {
    char folder[64], path[160];
    struct weir_config config;
    unsigned warnings;
    struct weir_log log;
};

static void count_line(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    (void)line;
    rig->warnings += level <= WEIR_LOG_WARNING;
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    strcpy(rig->folder, "/tmp/weir-numbers-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof rig->path, "%s/numbers/" IS, rig->folder);
    rig->config = (struct weir_config){.state_directory = rig->folder, .numbers_folder = "numbers"};
    rig->log = (struct weir_log){.write = count_line, .context = rig, .most = WEIR_LOG_DEBUG};
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    char command[256];

    snprintf(command, sizeof command, "rm -rf '%s'", rig->folder);
    assert_int_equal(system(command), 0);
    free(rig);
    return 0;
}

static struct weir_numbers *opened(struct rig *rig, bool lives)
{
    struct weir_numbers *numbers = NULL;

    assert_int_equal(weir_numbers_open(&rig->config, WEIR_NUMBERS_MILTER, lives, &rig->log,
                                       &numbers), 0);
    assert_non_null(numbers);
    return numbers;
}

static uint64_t slot_of(const struct weir_numbers_copy *copy, enum weir_number which, unsigned at)
{
    uint16_t first[WEIR_NUMBERS];

    (void)weir_numbers_places(first);
    return copy->area->slot[first[which] + at];
}

/* What a reader finds. */
static uint64_t found(struct rig *rig, enum weir_number which, unsigned at, bool up)
{
    struct weir_numbers_copy copy;
    uint64_t value;

    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 1);
    assert_int_equal(copy.up, up);
    value = slot_of(&copy, which, at);
    weir_numbers_forget(&copy);
    assert_null(copy.area);
    return value;
}

/* the table ----------------------------------------------------------------------------------- */

static void the_table_has_room_and_sound_rows(void **state)
{
    uint16_t first[WEIR_NUMBERS];

    (void)state;
    assert_true(weir_numbers_places(first) <= WEIR_NUMBERS_SLOTS);
    for (unsigned i = 0; i < WEIR_NUMBERS; i++) {
        const struct weir_number_row *row = &weir_number_rows[i];

        assert_true(row->programs != 0 && row->programs < 1u << WEIR_NUMBERS_PROGRAMS);
        assert_true(row->name && row->help && row->values > 0);
        assert_true(!row->label == !row->value);
        assert_true(row->label || row->values == 1);
        for (unsigned at = 0; row->label && at < row->values; at++)
            assert_true(row->value(at) && row->value(at)[0]);
    }
}

static void nothing_counts_nothing(void **state)
{
    struct weir_numbers *none = NULL;

    (void)state;
    weir_numbers_add(NULL, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_set(NULL, WEIR_NUMBER_AT_WORK, 0, 1);
    weir_numbers_raise(NULL, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_request(NULL, NULL);
    weir_numbers_message(NULL, NULL, 1);
    weir_numbers_measure(NULL, NULL);
    weir_numbers_counters(NULL, NULL, true);
    assert_null(weir_numbers_times(NULL, WEIR_NUMBER_MESSAGE_TIME, 0));
    weir_numbers_close(&none);
}

/* files --------------------------------------------------------------------------------------- */

static void handles_and_restarts_go_on_with_one_file(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers_copy copy;
    struct weir_numbers *one, *other;
    struct stat file;

    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 0);
    assert_null(copy.area);
    one = opened(rig, true);
    other = opened(rig, false);
    assert_int_equal(stat(rig->path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0660);
    weir_numbers_add(one, WEIR_NUMBER_UNJUDGED, 0, 2);
    weir_numbers_add(other, WEIR_NUMBER_UNJUDGED, 0, 3);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 5);
    weir_numbers_close(&one);
    assert_null(one);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 5);
    weir_numbers_close(&other);
    one = opened(rig, true);
    weir_numbers_add(one, WEIR_NUMBER_UNJUDGED, 0, 1);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 6);
    weir_numbers_close(&one);
    assert_int_equal(rig->warnings, 0);
}

static void one_that_is_killed_is_not_up(void **state)
{
    struct rig *rig = *state;
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        weir_numbers_add(opened(rig, true), WEIR_NUMBER_UNJUDGED, 0, 7);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 7);
}

/* All begin at once, and the file is made by one of them. */
static void processes_that_begin_together_count_in_one_file(void **state)
{
    struct rig *rig = *state;
    int gate[2], status;
    pid_t child[CROWD];

    for (unsigned round = 0; round < 20; round++) {
        assert_int_equal(pipe(gate), 0);
        for (unsigned i = 0; i < CROWD; i++) {
            child[i] = fork();
            assert_true(child[i] >= 0);
            if (child[i] == 0) {
                close(gate[1]);
                (void)!read(gate[0], &status, 1); /* until it is closed */
                weir_numbers_add(opened(rig, false), WEIR_NUMBER_UNJUDGED, 0, 1);
                _exit(0);
            }
        }
        close(gate[0]);
        close(gate[1]);
        for (unsigned i = 0; i < CROWD; i++)
            assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), CROWD);
        assert_int_equal(unlink(rig->path), 0);
    }
}

/* Octets at a place of the file. */
static void write_at(const struct rig *rig, long place, const char *octets, size_t len)
{
    FILE *file = fopen(rig->path, "r+");

    assert_non_null(file);
    assert_int_equal(fseek(file, place, SEEK_SET), 0);
    assert_int_equal(fwrite(octets, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void a_file_of_another_version_is_replaced_not_misread(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *old = opened(rig, true), *new;
    struct weir_numbers_copy copy;
    const long layout = offsetof(struct weir_numbers_area, layout);

    weir_numbers_add(old, WEIR_NUMBER_UNJUDGED, 0, 7);
    for (unsigned i = 0; i < 3; i++) {
        if (i == 0)
            write_at(rig, 0, "x", 1);
        else if (i == 1)
            write_at(rig, layout, "\xff\xff\xff\xff", 4);
        else
            assert_int_equal(truncate(rig->path, sizeof(struct weir_numbers_area) - 1), 0);
        assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy),
                         WEIR_ECORRUPT);
        new = opened(rig, true);
        if (i < 2) /* who has the old one goes on, and is not heard any more */
            weir_numbers_add(old, WEIR_NUMBER_UNJUDGED, 0, 1);
        assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 0);
        weir_numbers_close(&new);
    }
    weir_numbers_close(&old);
}

static void a_process_of_one_message_takes_no_daemon_its_file(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *old = opened(rig, true), *new;
    struct weir_numbers_copy copy;
    struct stat before, after;

    write_at(rig, offsetof(struct weir_numbers_area, layout), "\xff\xff\xff\xff", 4);
    assert_int_equal(stat(rig->path, &before), 0);
    new = opened(rig, false);
    weir_numbers_add(new, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&new);
    assert_int_equal(stat(rig->path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(rig->warnings, 0);
    weir_numbers_close(&old);
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), WEIR_ECORRUPT);
    new = opened(rig, false);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 0);
    weir_numbers_close(&new);
}

static void what_cannot_be_opened_stays(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct stat there;

    weir_numbers_close(&numbers);
    assert_int_equal(unlink(rig->path), 0);
    assert_int_equal(mkdir(rig->path, 0700), 0); /* EISDIR, as EACCES for who is not root */
    numbers = opened(rig, true);
    assert_int_equal(rig->warnings, 1);
    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&numbers);
    assert_int_equal(stat(rig->path, &there), 0);
    assert_true(S_ISDIR(there.st_mode));
}

static void a_value_that_a_row_has_not_is_counted_nowhere(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);

    weir_numbers_add(numbers, WEIR_NUMBER_MESSAGE_ACTIONS, WEIR_QUARANTINE, 1);
    weir_numbers_add(numbers, WEIR_NUMBER_REQUEST_ACTIONS, WEIR_REJECT + 1, 1);
    weir_numbers_set(numbers, WEIR_NUMBER_AT_WORK, 1, 5);
    assert_int_equal(found(rig, WEIR_NUMBER_MESSAGE_ACTIONS, WEIR_QUARANTINE, true), 1);
    assert_int_equal(found(rig, WEIR_NUMBER_REQUEST_ACTIONS, WEIR_REJECT + 1, true), 0);
    assert_int_equal(found(rig, WEIR_NUMBER_LOG_LOST, 0, true), 0);
    assert_null(weir_numbers_times(numbers, WEIR_NUMBER_MESSAGE_TIME, 1));
    weir_numbers_close(&numbers);
}

static void no_folder_no_trouble(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers_copy copy;
    struct weir_numbers *numbers;

    rig->config.numbers_folder = "";
    numbers = opened(rig, true);
    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&numbers);
    assert_int_equal(rig->warnings, 0);
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 0);
    rig->config.numbers_folder = "/dev/null/numbers";
    numbers = opened(rig, true);
    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&numbers);
    assert_int_equal(rig->warnings, 1);
}

/* counting ------------------------------------------------------------------------------------ */

static void sums_are_raised_by_what_they_grew(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);

    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 5);
    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 5);
    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 9);
    assert_int_equal(found(rig, WEIR_NUMBER_SPOOL_DROPPED, 0, true), 9);
    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 2); /* begun anew */
    assert_int_equal(found(rig, WEIR_NUMBER_SPOOL_DROPPED, 0, true), 11);
    weir_numbers_set(numbers, WEIR_NUMBER_AT_WORK, 0, -3);
    assert_int_equal((int64_t)found(rig, WEIR_NUMBER_AT_WORK, 0, true), -3);
    weir_numbers_close(&numbers);
}

/* Judges a message that such rules hit, from id on. */
static void judged(struct weir_numbers *numbers, uint32_t id, size_t rules)
{
    struct weir_point *point = calloc(rules, sizeof *point);
    struct weir_judgement judgement = {.point = point, .points = rules, .hits_left_out = 1};

    assert_non_null(point);
    judgement.outcome.verdict = WEIR_SPAM;
    judgement.outcome.action = WEIR_QUARANTINE;
    judgement.decision.store_missing = true;
    for (size_t i = 0; i < rules; i++)
        point[i].id = id + (uint32_t)i;
    weir_numbers_message(numbers, &judgement, 11);
    free(point);
}

static void a_message_is_counted_by_all_that_it_is(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct weir_histogram_reading reading;

    judged(numbers, 77, 2);
    judged(numbers, 78, 1);
    assert_int_equal(found(rig, WEIR_NUMBER_MESSAGES, WEIR_SPAM, true), 2);
    assert_int_equal(found(rig, WEIR_NUMBER_MESSAGE_ACTIONS, WEIR_QUARANTINE, true), 2);
    assert_int_equal(found(rig, WEIR_NUMBER_LACKING, WEIR_WITHOUT_COUNTERS, true), 2);
    assert_int_equal(found(rig, WEIR_NUMBER_LACKING, WEIR_WITHOUT_RULES, true), 0);
    assert_int_equal(found(rig, WEIR_NUMBER_RULES_LEFT_OUT, 0, true), 2);
    weir_histogram_read(weir_numbers_times(numbers, WEIR_NUMBER_MESSAGE_TIME, 0), &reading);
    assert_int_equal(reading.bucket[1], 2);
    assert_int_equal(reading.sum, 22);
    weir_numbers_close(&numbers);
}

static void so_many_rules_one_by_one_and_no_hit_lost(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct weir_numbers_copy copy;
    uint64_t hits = 0, rules = 0;

    judged(numbers, 1, WEIR_NUMBERS_RULES);
    judged(numbers, 1, WEIR_NUMBERS_RULES);
    judged(numbers, 100000, 10); /* there is no room left */
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 1);
    for (unsigned i = 0; i < WEIR_NUMBERS_RULES; i++) {
        rules += copy.area->rule[i].id != 0;
        hits += copy.area->rule[i].hits;
    }
    assert_true(rules <= WEIR_NUMBERS_RULES);
    assert_true(rules > WEIR_NUMBERS_RULES * 9 / 10);
    assert_int_equal(hits + slot_of(&copy, WEIR_NUMBER_RULES_LEFT_OUT, 0),
                     2 * WEIR_NUMBERS_RULES + 10 + 3); /* 3: hits_left_out */
    weir_numbers_forget(&copy);
    weir_numbers_close(&numbers);
}

/* text ---------------------------------------------------------------------------------------- */

static const char *name_of(void *context, uint32_t id, char text_r[static WEIR_NUMBERS_NAME])
{
    assert_string_equal(context, "here");
    if (id == 77)
        return "SEVEN";
    snprintf(text_r, WEIR_NUMBERS_NAME, "RULE_%u", (unsigned)id);
    return id == 78 ? text_r : NULL;
}

static void has(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("no %s in\n%s", line, text);
}

static void the_text_has_all_of_a_program(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct weir_numbers_copy copy[WEIR_NUMBERS_PROGRAMS] = {{0}};
    struct weir_metrics *metrics = weir_metrics_new();
    const char *text;

    judged(numbers, 77, 3);
    strcpy(numbers->area->server[0].name, "a\"b:1");
    numbers->area->server[0].up = 1;
    memset(numbers->area->server[1].name, 'x', sizeof numbers->area->server[1].name);
    numbers->area->server[1].up = 2;
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER,
                                       &copy[WEIR_NUMBERS_MILTER]), 1);
    weir_numbers_metrics(metrics, copy, name_of, (void *)(uintptr_t)"here");
    assert_int_equal(weir_metrics_text(metrics, &text), 0);
    has(text, "\nweir_program_up{program=\"weir-milter\"} 1\n");
    has(text, "\nweir_program_messages_total{program=\"weir-milter\",verdict=\"spam\"} 1\n");
    has(text, "\nweir_program_messages_at_work{program=\"weir-milter\"} 0\n");
    has(text, "\nweir_program_rule_hits_total{program=\"weir-milter\",rule=\"SEVEN\"} 1\n");
    has(text, "\nweir_program_rule_hits_total{program=\"weir-milter\",rule=\"RULE_78\"} 1\n");
    has(text, "\nweir_program_rule_hits_total{program=\"weir-milter\",rule=\"79\"} 1\n");
    has(text, "\nweir_program_store_node_up{program=\"weir-milter\",node=\"a\\\"b:1\"} 0\n");
    has(text, "xxx\"} 1\n");
    has(text, "\nweir_program_message_seconds_bucket{program=\"weir-milter\",le=\"1e-05\"} 0\n"
              "weir_program_message_seconds_bucket{program=\"weir-milter\",le=\"2.5e-05\"} 1\n");
    has(text, "le=\"10\"} 1\n"
              "weir_program_message_seconds_bucket{program=\"weir-milter\",le=\"+Inf\"} 1\n"
              "weir_program_message_seconds_sum{program=\"weir-milter\"} 1.1e-05\n"
              "weir_program_message_seconds_count{program=\"weir-milter\"} 1\n");
    assert_null(strstr(text, "weir_program_requests_total"));
    assert_null(strstr(text, "weir_sniffer"));
    weir_metrics_free(&metrics);
    weir_numbers_forget(&copy[WEIR_NUMBERS_MILTER]);
    weir_numbers_close(&numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_room_and_sound_rows),
        cmocka_unit_test(nothing_counts_nothing),
        cmocka_unit_test_setup_teardown(handles_and_restarts_go_on_with_one_file, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_killed_is_not_up, setup, teardown),
        cmocka_unit_test_setup_teardown(processes_that_begin_together_count_in_one_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_of_another_version_is_replaced_not_misread, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_process_of_one_message_takes_no_daemon_its_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_that_a_row_has_not_is_counted_nowhere, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_folder_no_trouble, setup, teardown),
        cmocka_unit_test_setup_teardown(sums_are_raised_by_what_they_grew, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_is_counted_by_all_that_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(so_many_rules_one_by_one_and_no_hit_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(the_text_has_all_of_a_program, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
