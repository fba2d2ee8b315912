/*
 * From rule files to the set at work (core/engine/rule_set_io.c): when it is made anew, and that
 * wrong rules change nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/parcels_io.h"
#include "core/engine/rule_set_io.h"
#include "tests/unit/judge_rig.h"

#define GOOD "body A /a/\nscore A 1\nbody B /b/\nscore B 2\n"

static const char *place(const struct judge_rig *rig, const char *name)
{
    const char *path = weir_arena_printf(rig->arena, "%s/%s", rig->folder, name);

    assert_non_null(path);
    return path;
}

/* What the monitor published, as the agent puts it there; the key that is known here is its. */
static void put_published(const struct judge_rig *rig, uint32_t serial, const char *rules)
{
    const struct weir_rule_parcel parcel = {.serial = serial, .rules = 1,
                                            .section = {{rules, strlen(rules)}}};
    struct weir_parcel_keys keys;
    void *octets;
    size_t len;

    assert_true(weir_parcel_keys_read(
        (struct weir_slice){"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", 43}, &keys));
    assert_int_equal(weir_rule_parcel_make(&parcel, &keys, &octets, &len), 0);
    assert_int_equal(weir_parcels_keep_key(rig->folder, keys.open), 0);
    assert_int_equal(weir_parcels_write(rig->folder, serial, octets, len), 0);
    free(octets);
}

/* Times are set, so that nothing depends on how fine the clock of the file system is. */
static void date(const char *path, time_t seconds)
{
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void put(const struct judge_rig *rig, const char *name, const char *text)
{
    FILE *file = fopen(place(rig, name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Everything is older than the image. */
static void settle(const struct judge_rig *rig, const char *name)
{
    date(place(rig, name), 1000);
    date(rig->rules, 1000);
    date(place(rig, "rules.image"), 2000);
}

static char told[4096];

static void tell(void *context, const char *file, unsigned line, const char *why)
{
    const char *slash = strrchr(file, '/');
    size_t used = strlen(told);

    (void)context;
    snprintf(told + used, sizeof told - used, "%s:%u: %s\n", slash ? slash : file, line, why);
}

static int make(const struct judge_rig *rig, bool write, struct weir_rule_set_made *made)
{
    told[0] = '\0';
    return weir_rule_set_make(&rig->config, write, tell, NULL, made);
}

static size_t image(const struct judge_rig *rig, char **octets_r)
{
    FILE *file = fopen(place(rig, "rules.image"), "r");
    size_t len;

    assert_non_null(file);
    *octets_r = malloc(1 << 20);
    assert_non_null(*octets_r);
    len = fread(*octets_r, 1, 1 << 20, file);
    fclose(file);
    assert_true(len > 0 && len < 1 << 20);
    return len;
}

static void the_serial_counts_up_with_each_set(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", GOOD);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(make(rig, true, &made), 0);
        assert_int_equal(made.serial, i);
        assert_int_equal(made.rules, 2);
        assert_true(made.octets > 0);
    }
}

static void a_set_that_is_not_to_be_written_is_only_tried(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;
    struct stat there;

    put(rig, "rules/10.rules", GOOD);
    assert_int_equal(make(rig, false, &made), 0);
    assert_int_equal(made.serial, 1);
    assert_int_equal(made.rules, 2);
    assert_int_equal(stat(place(rig, "rules.image"), &there), -1);
    put(rig, "rules/10.rules", "body A /(/\n");
    assert_int_equal(make(rig, false, &made), WEIR_EINVAL);
}

static void drafts_and_retired_rules_are_not_counted(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", GOOD "state A draft\nbody C /c/\nstate C retired\n"
                               "body D /d/\nstate D test\n");
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(made.rules, 2);
}

static void wrong_rules_are_told_by_file_and_line_and_change_nothing(void **state)
{
    static const struct { const char *text, *want; } cases[] = {
        {"body X /x/\nscore X much\n", "/20.rules:2: "},
        {"\nbody X /(/\n", "/20.rules:2: "},
        {"nonsense\n", "/20.rules:1: "},
        {"body X /x/\nid X 7\nbody Y /y/\nid Y 7\n", "/20.rules:"},
    };
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;
    char *before, *after;
    size_t len;

    put(rig, "rules/10.rules", GOOD);
    assert_int_equal(make(rig, true, &made), 0);
    len = image(rig, &before);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(rig, "rules/20.rules", cases[i].text);
        assert_int_equal(make(rig, true, &made), WEIR_EINVAL);
        if (strncmp(told, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("%s was told as: %s", cases[i].text, told);
        assert_int_equal(image(rig, &after), len);
        assert_memory_equal(after, before, len);
        free(after);
    }
    free(before);
}

static void a_folder_that_is_not_there_is_told_with_the_reason(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    rig->config.rules_folder = place(rig, "nowhere");
    assert_int_equal(make(rig, true, &made), WEIR_EIO);
    assert_int_equal(errno, ENOENT);
    assert_false(weir_rule_set_stale(&rig->config));
}

static void a_damaged_image_counts_as_none(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", GOOD);
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(made.serial, 2);
    put(rig, "rules.image", "junk");
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(made.serial, 1);
}

static void a_set_is_stale_when_a_rule_file_is_new_changed_or_gone(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    assert_false(weir_rule_set_stale(&rig->config));
    put(rig, "rules/10.rules", GOOD);
    put(rig, "rules/20.rules", "body C /c/\n");
    assert_true(weir_rule_set_stale(&rig->config));
    assert_int_equal(make(rig, true, &made), 0);
    date(place(rig, "rules/20.rules"), 1000);
    settle(rig, "rules/10.rules");
    assert_false(weir_rule_set_stale(&rig->config));
    date(place(rig, "rules/10.rules"), 3000);
    assert_true(weir_rule_set_stale(&rig->config));
    settle(rig, "rules/10.rules");
    assert_false(weir_rule_set_stale(&rig->config));
    assert_int_equal(unlink(place(rig, "rules/20.rules")), 0);
    assert_true(weir_rule_set_stale(&rig->config));
}

/* As a tool that keeps times does it: the new file is older than the image. */
static void a_file_put_there_with_an_old_date_is_noticed(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", GOOD);
    assert_int_equal(make(rig, true, &made), 0);
    settle(rig, "rules/10.rules");
    put(rig, "old", "body A /other/\n");
    date(place(rig, "old"), 500);
    assert_int_equal(rename(place(rig, "old"), place(rig, "rules/10.rules")), 0);
    assert_true(weir_rule_set_stale(&rig->config));
}

static void files_that_are_no_rules_make_nothing_stale(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", GOOD);
    put(rig, "rules/10.rules~", "x");
    put(rig, "rules/.20.rules", "x");
    put(rig, "rules/notes.txt", "x");
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(made.rules, 2);
    settle(rig, "rules/10.rules");
    date(place(rig, "rules/10.rules~"), 3000);
    date(place(rig, "rules/.20.rules"), 3000);
    date(place(rig, "rules/notes.txt"), 3000);
    assert_false(weir_rule_set_stale(&rig->config));
}

static void when_all_rule_files_are_gone_the_set_at_work_stays(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;
    struct stat there;

    put(rig, "rules/10.rules", GOOD);
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(unlink(place(rig, "rules/10.rules")), 0);
    assert_false(weir_rule_set_stale(&rig->config));
    weir_rule_set_refresh(&rig->config, &rig->log);
    assert_int_equal(stat(place(rig, "rules.image"), &there), 0);
    assert_string_equal(rig->logged, "");
}

static void refresh_makes_a_stale_or_damaged_set_anew_and_says_so(void **state)
{
    struct judge_rig *rig = *state;

    put(rig, "rules/10.rules", GOOD);
    weir_rule_set_refresh(&rig->config, &rig->log);
    assert_non_null(strstr(rig->logged, "rule set 1 made of"));
    settle(rig, "rules/10.rules");
    rig->logged[0] = '\0';
    weir_rule_set_refresh(&rig->config, &rig->log);
    assert_string_equal(rig->logged, "");
    put(rig, "rules.image", "junk");
    settle(rig, "rules/10.rules");
    weir_rule_set_refresh(&rig->config, &rig->log);
    assert_non_null(strstr(rig->logged, "rule set 1 made of"));
}

static void refresh_of_wrong_rules_keeps_the_old_set_and_logs_the_line(void **state)
{
    struct judge_rig *rig = *state;
    char *before, *after;
    size_t len;

    put(rig, "rules/10.rules", GOOD);
    weir_rule_set_refresh(&rig->config, NULL); /* without a log, too */
    len = image(rig, &before);
    put(rig, "rules/20.rules", "body X /x/\nscore X much\n");
    date(place(rig, "rules.image"), 1000);
    weir_rule_set_refresh(&rig->config, &rig->log);
    assert_non_null(strstr(rig->logged, "20.rules:2: "));
    assert_non_null(strstr(rig->logged, "stays"));
    assert_int_equal(image(rig, &after), len);
    assert_memory_equal(after, before, len);
    free(before);
    free(after);
}

#define WITH_RIG(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

/* What the rule of this name scores in the image; -100: there is none. */
static double score_of(const struct judge_rig *rig, const char *name)
{
    const struct weir_rule_file_options options = {.full = true};
    struct weir_rule_file *file;
    struct weir_matcher *matcher;
    struct weir_rule rule = {.score = -100};
    const char *why;

    assert_int_equal(weir_rule_file_open(place(rig, "rules.image"), &options, NULL, &file, &why),
                     0);
    matcher = weir_rule_file_take(file, 0);
    assert_non_null(matcher);
    if (!weir_rules_named(weir_matcher_rules(matcher), (struct weir_slice){name, strlen(name)},
                          &rule))
        rule.score = -100;
    weir_rule_file_give(file, &matcher);
    weir_rule_file_free(&file);
    return (double)rule.score;
}

static void B31_published_rules_are_in_the_set_with_their_serial(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", GOOD);
    assert_int_equal(make(rig, true, &made), 0);
    put_published(rig, 12, "body P /p/\nscore P 3\nid P 7\n");
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(made.serial, 12);
    assert_int_equal(made.rules, 3);
    assert_true(score_of(rig, "P") == 3 && score_of(rig, "A") == 1);
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(made.serial, 12);
    put_published(rig, 9, "body OLD /p/\nid OLD 8\n"); /* never instead of a newer one */
    assert_int_equal(make(rig, true, &made), 0);
    assert_true(score_of(rig, "P") == 3 && score_of(rig, "OLD") == -100);
}

static void local_lines_win_over_published_ones(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put_published(rig, 12, "body P /p/\nscore P 3\nid P 7\nbody Q /q/\nscore Q 2\nid Q 8\n");
    put(rig, "rules/10.rules", "score P 0.5\nstate Q retired\n");
    assert_int_equal(make(rig, true, &made), 0);
    assert_true(score_of(rig, "P") == 0.5 && score_of(rig, "Q") == -100);
}

static void a_local_line_about_a_rule_that_is_not_published_any_more_is_told_and_left_out(
    void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", "body L /l/\nscore GONE 0.5\n");
    assert_int_equal(make(rig, true, &made), WEIR_EINVAL);
    put_published(rig, 13, "body P /p/\nscore P 3\nid P 7\n");
    assert_int_equal(make(rig, true, &made), 0);
    assert_int_equal(made.rules, 2);
    assert_non_null(strstr(told, "/10.rules:2: rule GONE has no test: it is left out"));
}

static void a_local_rule_with_the_id_of_a_published_one_is_told_and_the_old_set_stays(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put(rig, "rules/10.rules", "body L /l/\nid L 7\n");
    assert_int_equal(make(rig, true, &made), 0);
    put_published(rig, 13, "body P /p/\nscore P 3\nid P 7\n");
    assert_int_equal(make(rig, true, &made), WEIR_EINVAL);
    assert_non_null(strstr(told, "rules P and L have the same id 7"));
    assert_true(score_of(rig, "P") == -100);
}

static void published_rules_need_no_folder_of_local_ones(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    rig->config.rules_folder = place(rig, "nowhere");
    put_published(rig, 12, "body P /p/\nscore P 3\nid P 7\n");
    assert_true(weir_rule_set_stale(&rig->config));
    assert_int_equal(make(rig, true, &made), 0);
    assert_true(score_of(rig, "P") == 3);
    assert_false(weir_rule_set_stale(&rig->config));
}

static void B12_a_changed_or_foreign_published_file_changes_nothing(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;
    FILE *file;

    put(rig, "rules/10.rules", GOOD);
    put_published(rig, 12, "body P /p/\nscore P 3\nid P 7\n");
    assert_int_equal(make(rig, true, &made), 0);
    put_published(rig, 13, "body P /p/\nscore P 4\nid P 7\n");
    file = fopen(place(rig, "rules-13.db"), "r+");
    assert_true(file && fseek(file, -3, SEEK_END) == 0 && fputc('8', file) && !fclose(file));
    assert_int_equal(make(rig, true, &made), WEIR_EINVAL);
    assert_non_null(strstr(told, "/rules-13.db:0: it was changed"));
    put_published(rig, 13, "body P /p/\nscore P 4\nid P 7\n");
    put(rig, "rules.pub", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
    assert_int_equal(make(rig, true, &made), WEIR_EINVAL);
    assert_non_null(strstr(told, "not the monitor's"));
    assert_true(score_of(rig, "P") == 3);
}

static void a_name_that_says_another_serial_is_refused(void **state)
{
    struct judge_rig *rig = *state;
    struct weir_rule_set_made made;

    put_published(rig, 12, "body P /p/\nscore P 3\nid P 7\n");
    assert_int_equal(rename(place(rig, "rules-12.db"), place(rig, "rules-99.db")), 0);
    assert_int_equal(make(rig, true, &made), WEIR_EINVAL);
    assert_non_null(strstr(told, "another serial"));
}

static void the_two_newest_published_files_are_kept(void **state)
{
    static const uint32_t serials[] = {3, 12, 7, 100, 1};
    struct judge_rig *rig = *state;
    struct stat there;

    assert_int_equal(weir_parcels_newest(rig->folder), 0);
    for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++)
        put_published(rig, serials[i], "body P /p/\nid P 7\n");
    weir_parcels_forget(rig->folder);
    assert_int_equal(weir_parcels_newest(rig->folder), 100);
    assert_int_equal(stat(place(rig, "rules-12.db"), &there), 0);
    assert_int_equal(stat(place(rig, "rules-7.db"), &there), -1);
    assert_int_equal(stat(place(rig, "rules-3.db"), &there), -1);
    assert_int_equal(stat(place(rig, "rules-1.db"), &there), -1);
    weir_parcels_forget(rig->folder);
    weir_parcels_remove(rig->folder, 100);
    assert_int_equal(weir_parcels_newest(rig->folder), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(the_serial_counts_up_with_each_set),
        WITH_RIG(a_set_that_is_not_to_be_written_is_only_tried),
        WITH_RIG(drafts_and_retired_rules_are_not_counted),
        WITH_RIG(wrong_rules_are_told_by_file_and_line_and_change_nothing),
        WITH_RIG(a_folder_that_is_not_there_is_told_with_the_reason),
        WITH_RIG(a_damaged_image_counts_as_none),
        WITH_RIG(a_set_is_stale_when_a_rule_file_is_new_changed_or_gone),
        WITH_RIG(a_file_put_there_with_an_old_date_is_noticed),
        WITH_RIG(files_that_are_no_rules_make_nothing_stale),
        WITH_RIG(when_all_rule_files_are_gone_the_set_at_work_stays),
        WITH_RIG(refresh_makes_a_stale_or_damaged_set_anew_and_says_so),
        WITH_RIG(refresh_of_wrong_rules_keeps_the_old_set_and_logs_the_line),
        WITH_RIG(B31_published_rules_are_in_the_set_with_their_serial),
        WITH_RIG(local_lines_win_over_published_ones),
        WITH_RIG(a_local_line_about_a_rule_that_is_not_published_any_more_is_told_and_left_out),
        WITH_RIG(a_local_rule_with_the_id_of_a_published_one_is_told_and_the_old_set_stays),
        WITH_RIG(published_rules_need_no_folder_of_local_ones),
        WITH_RIG(B12_a_changed_or_foreign_published_file_changes_nothing),
        WITH_RIG(a_name_that_says_another_serial_is_refused),
        WITH_RIG(the_two_newest_published_files_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
