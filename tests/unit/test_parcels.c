/*
 * Published sets as files on a mail server (core/engine/parcels_io.c): which is the newest, whose
 * signature counts, and that what cannot be read is told apart from what is not there.  How they
 * become the set at work is in test_rule_set.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/parcels_io.h"
#include "tests/unit/scratch.h"

#define SEED "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"

struct rig {
    struct scratch *scratch;
    const char *folder;
    struct weir_parcel_keys keys;
};

static int setup(void **state)
{
    static struct rig rig;

    rig.scratch = scratch_new();
    rig.folder = rig.scratch->directory;
    assert_true(weir_parcel_keys_read(weir_slice_of(SEED), &rig.keys));
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    scratch_free(((struct rig *)*state)->scratch);
    return 0;
}

static void write_file(const struct rig *rig, uint32_t serial, uint32_t name)
{
    const struct weir_rule_parcel parcel = {.serial = serial,
                                            .section = {weir_slice_of("body A /a/\n")}};
    void *octets;
    size_t len;

    assert_int_equal(weir_rule_parcel_make(&parcel, &rig->keys, &octets, &len), 0);
    assert_int_equal(weir_parcels_write(rig->folder, name, octets, len), 0);
    free(octets);
}

static int read_file(const struct rig *rig, uint32_t serial, const char **why_r)
{
    struct weir_rule_parcel parcel;
    void *octets = NULL;
    int done = weir_parcels_read(rig->folder, serial, &octets, &parcel, why_r);

    if (done == 1)
        assert_int_equal(parcel.serial, serial);
    else
        assert_null(octets);
    free(octets);
    return done;
}

static void a_key_is_kept_and_read_again(void **state)
{
    struct rig *rig = *state;
    uint8_t open[WEIR_PARCEL_PUBLIC];
    FILE *file;

    assert_int_equal(weir_parcels_key(rig->folder, open), 0);
    assert_int_equal(weir_parcels_keep_key(rig->folder, rig->keys.open), 0);
    assert_int_equal(weir_parcels_key(rig->folder, open), 1);
    assert_memory_equal(open, rig->keys.open, sizeof open);
    file = fopen(scratch_path(rig->scratch, WEIR_PARCELS_KEY), "w");
    assert_true(fputs("no key\n", file) >= 0 && fclose(file) == 0);
    assert_int_equal(weir_parcels_key(rig->folder, open), WEIR_ECORRUPT);
}

static void without_a_key_no_file_is_believed(void **state)
{
    struct rig *rig = *state;
    const char *why;

    write_file(rig, 3, 3);
    assert_int_equal(read_file(rig, 3, &why), 0);
    assert_int_equal(weir_parcels_keep_key(rig->folder, rig->keys.open), 0);
    assert_int_equal(read_file(rig, 3, &why), 1);
    assert_int_equal(read_file(rig, 4, &why), 0);
}

static void a_file_of_another_serial_than_its_name_says_is_refused(void **state)
{
    struct rig *rig = *state;
    const char *why;

    assert_int_equal(weir_parcels_keep_key(rig->folder, rig->keys.open), 0);
    write_file(rig, 3, 9);
    assert_int_equal(read_file(rig, 9, &why), WEIR_ECORRUPT);
    assert_non_null(strstr(why, "serial"));
}

static void what_is_no_regular_file_is_refused(void **state)
{
    struct rig *rig = *state;
    const char *why;

    assert_int_equal(weir_parcels_keep_key(rig->folder, rig->keys.open), 0);
    assert_int_equal(mkdir(scratch_path(rig->scratch, "rules-5.db"), 0700), 0);
    assert_int_equal(read_file(rig, 5, &why), WEIR_ECORRUPT);
    assert_int_equal(mkfifo(scratch_path(rig->scratch, "rules-6.db"), 0600), 0);
    assert_int_equal(read_file(rig, 6, &why), WEIR_ECORRUPT); /* and nobody waits for a writer */
}

static void a_file_that_is_too_long_is_not_read(void **state)
{
    struct rig *rig = *state;
    const char *why;

    assert_int_equal(weir_parcels_keep_key(rig->folder, rig->keys.open), 0);
    write_file(rig, 3, 3);
    assert_int_equal(truncate(scratch_path(rig->scratch, "rules-3.db"), WEIR_RULE_PARCEL_MAX), 0);
    assert_int_equal(read_file(rig, 3, &why), WEIR_ECORRUPT);
    assert_int_equal(truncate(rig->scratch->path, WEIR_RULE_PARCEL_MAX + 1), 0);
    assert_int_equal(read_file(rig, 3, &why), WEIR_ELIMIT);
}

static void names_of_other_things_are_passed_over(void **state)
{
    static const char *const names[] = {"rules-7.db.new-AbCdEf", "rules-x.db", "rules.image",
                                        "rules-0.db", "rules-9999999999.db"};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(fclose(fopen(scratch_path(rig->scratch, names[i]), "w")), 0);
    assert_int_equal(weir_parcels_newest(rig->folder), 0);
    write_file(rig, 3, 3);
    write_file(rig, 2, 2);
    write_file(rig, 1, 1);
    assert_int_equal(weir_parcels_newest(rig->folder), 3);
    weir_parcels_forget(rig->folder);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(access(scratch_path(rig->scratch, names[i]), F_OK), 0);
    assert_int_equal(access(scratch_path(rig->scratch, "rules-1.db"), F_OK), -1);
    assert_int_equal(weir_parcels_newest("/nowhere"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_kept_and_read_again),
        TEST(without_a_key_no_file_is_believed),
        TEST(a_file_of_another_serial_than_its_name_says_is_refused),
        TEST(what_is_no_regular_file_is_refused),
        TEST(a_file_that_is_too_long_is_not_read),
        TEST(names_of_other_things_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
