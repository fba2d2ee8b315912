/*
 * The word list at work (core/engine/bayes_file_io.c): that of the set the rules were made of, read
 * in place; what was changed, cut or is foreign is refused, and the one before stays.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/slice.h"
#include "core/engine/bayes_file_io.h"
#include "core/engine/parcels_io.h"
#include "tests/unit/scratch.h"

#define NOW (1795341600 * WEIR_SECOND)
#define SEED "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"

struct rig {
    struct scratch *scratch;
    const char *folder;
    struct weir_parcel_keys keys;
    struct weir_bayes_file *file;
    struct weir_log log;
    char logged[2000];
    size_t lines;
};

static void keep_line(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    (void)level;
    snprintf(rig->logged, sizeof rig->logged, "%s", line);
    rig->lines++;
}

static void reopen(struct rig *rig, bool full)
{
    weir_bayes_file_free(&rig->file);
    assert_int_equal(weir_bayes_file_new(rig->folder, full, &rig->log, &rig->file), 0);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    rig->scratch = scratch_new();
    rig->folder = rig->scratch->directory;
    rig->log = (struct weir_log){keep_line, rig, WEIR_LOG_DEBUG};
    assert_true(weir_parcel_keys_read(weir_slice_of(SEED), &rig->keys));
    assert_int_equal(weir_parcels_keep_key(rig->folder, rig->keys.open), 0);
    reopen(rig, true);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_bayes_file_free(&rig->file);
    scratch_free(rig->scratch);
    free(rig);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A set whose word list says that so much spam was learned; 0: without a list. */
static void publish(struct rig *rig, uint32_t serial, uint64_t spam)
{
    const struct weir_bayes_count count = {.hash = 42, .spam = 3, .ham = 1};
    const struct weir_bayes_counts counts = {.spam = spam, .ham = 9, .count = &count, .counts = 1};
    struct weir_rule_parcel parcel = {.serial = serial,
                                      .section = {weir_slice_of("body A /a/\n")}};
    void *table = NULL, *octets;
    size_t len;

    if (spam > 0) {
        assert_int_equal(weir_bayes_table_build(&counts, 0, &table, &len), 0);
        parcel.section[WEIR_PARCEL_BAYES] = (struct weir_slice){table, len};
    }
    assert_int_equal(weir_rule_parcel_make(&parcel, &rig->keys, &octets, &len), 0);
    assert_int_equal(weir_parcels_write(rig->folder, serial, octets, len), 0);
    free(octets);
    free(table);
}

/* How much spam the list for a serial says; 0: there is none. */
static uint64_t spam_of(struct rig *rig, uint32_t serial, weir_time now)
{
    const struct weir_bayes_list *list = weir_bayes_file_take(rig->file, serial, now);
    struct weir_bayes_count count;
    uint64_t spam = list ? list->table.spam : 0;

    if (list)
        assert_int_equal(weir_bayes_table_find(&list->table, 42, &count), 1);
    weir_bayes_file_give(rig->file, &list);
    assert_null(list);
    return spam;
}

static void flip(const struct rig *rig, uint32_t serial, long from_end)
{
    char path[WEIR_PATH_MAX];
    FILE *file = fopen(weir_parcels_path(rig->folder, serial, path), "r+b");
    int octet;

    assert_non_null(file);
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    octet = fgetc(file);
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    fputc(octet ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

static void B12_the_list_goes_with_the_rules_at_work(void **state)
{
    struct rig *rig = *state;

    publish(rig, 7, 100);
    publish(rig, 8, 200);
    assert_int_equal(spam_of(rig, 7, NOW), 100);
    assert_int_equal(spam_of(rig, 8, NOW), 200);
    assert_int_equal(spam_of(rig, 7, NOW), 100);
    publish(rig, 9, 0);
    assert_int_equal(spam_of(rig, 9, NOW), 0);
    assert_int_equal(rig->lines, 0);
}

static void a_list_lives_until_it_is_given_back(void **state)
{
    struct rig *rig = *state;
    const struct weir_bayes_list *old;
    struct weir_bayes_count count;

    publish(rig, 7, 100);
    publish(rig, 8, 200);
    old = weir_bayes_file_take(rig->file, 7, NOW);
    assert_int_equal(spam_of(rig, 8, NOW), 200);
    assert_int_equal(old->table.spam, 100);
    assert_int_equal(weir_bayes_table_find(&old->table, 42, &count), 1);
    weir_bayes_file_give(rig->file, &old);
}

static void where_nothing_was_published_there_is_none_and_nothing_is_told(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(spam_of(rig, 0, NOW), 0);
    assert_int_equal(spam_of(rig, 3, NOW), 0);
    assert_int_equal(unlink(scratch_path(rig->scratch, WEIR_PARCELS_KEY)), 0);
    assert_int_equal(spam_of(rig, 4, NOW), 0);
    assert_int_equal(rig->lines, 0);
}

static void B12_a_changed_list_is_refused_told_once_and_the_one_before_stays(void **state)
{
    struct rig *rig = *state;

    publish(rig, 7, 100);
    publish(rig, 8, 200);
    flip(rig, 8, 3);
    assert_int_equal(spam_of(rig, 7, NOW), 100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spam_of(rig, 8, NOW + i * WEIR_MINUTE), 100);
    assert_int_equal(rig->lines, 1);
    assert_non_null(strstr(rig->logged, "rules-8.db: its word list is not used"));
    flip(rig, 8, 3);
    assert_int_equal(spam_of(rig, 8, NOW + WEIR_HOUR), 200);
}

static void B12_a_foreign_or_renamed_set_is_refused(void **state)
{
    struct rig *rig = *state;
    char from[WEIR_PATH_MAX], to[WEIR_PATH_MAX];

    publish(rig, 7, 100);
    assert_int_equal(rename(weir_parcels_path(rig->folder, 7, from),
                            weir_parcels_path(rig->folder, 8, to)), 0);
    assert_int_equal(spam_of(rig, 8, NOW), 0);
    publish(rig, 9, 100);
    rig->keys.open[0] ^= 1;
    assert_int_equal(weir_parcels_keep_key(rig->folder, rig->keys.open), 0);
    assert_int_equal(spam_of(rig, 9, NOW), 0);
    assert_int_equal(rig->lines, 2);
}

static void a_file_that_is_cut_is_refused(void **state)
{
    struct rig *rig = *state;
    char path[WEIR_PATH_MAX];

    for (int full = 0; full <= 1; full++) {
        reopen(rig, full);
        publish(rig, 7, 100);
        assert_int_equal(truncate(weir_parcels_path(rig->folder, 7, path), 300), 0);
        assert_int_equal(spam_of(rig, 7, NOW), 0);
        assert_int_equal(truncate(path, 0), 0);
        assert_int_equal(spam_of(rig, 7, NOW + WEIR_HOUR), 0);
    }
}

static void a_process_of_one_message_leaves_the_signature_to_who_made_the_rules(void **state)
{
    struct rig *rig = *state;

    publish(rig, 7, 100);
    assert_int_equal(unlink(scratch_path(rig->scratch, WEIR_PARCELS_KEY)), 0);
    reopen(rig, false);
    assert_int_equal(spam_of(rig, 7, NOW), 100);
    assert_int_equal(spam_of(rig, 8, NOW), 100); /* not there: the one before stays */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B12_the_list_goes_with_the_rules_at_work),
        TEST(a_list_lives_until_it_is_given_back),
        TEST(where_nothing_was_published_there_is_none_and_nothing_is_told),
        TEST(B12_a_changed_list_is_refused_told_once_and_the_one_before_stays),
        TEST(B12_a_foreign_or_renamed_set_is_refused),
        TEST(a_file_that_is_cut_is_refused),
        TEST(a_process_of_one_message_leaves_the_signature_to_who_made_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
