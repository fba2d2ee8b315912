/*
 * Patches as the monitor makes them (monitor/analyzer/patches_io.c): each once, for those that have
 * the very set; few, whatever is asked for; and none that does not pay.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/parcel_patch.h"
#include "monitor/analyzer/patches_io.h"
#include "monitor/analyzer/publish_impl.h"
#include "monitor/database/database_sets_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/patch_rig.h"

enum { SETS = WEIR_PATCHES_MAX + 4, RULES = 100, WORDS = 1000 };

struct rig {
    struct database_rig *base;
    pthread_mutex_t lock, told;
    pthread_cond_t tells;
    unsigned made;               /* how often it was told so */
    struct weir_patches *patches;
    struct weir_slice file[SETS + 1];
};

static void made(void *context)
{
    struct rig *rig = context;

    pthread_mutex_lock(&rig->told);
    rig->made++;
    pthread_cond_signal(&rig->tells);
    pthread_mutex_unlock(&rig->told);
}

static void wait_until_made(struct rig *rig, unsigned times)
{
    pthread_mutex_lock(&rig->told);
    while (rig->made < times)
        pthread_cond_wait(&rig->tells, &rig->told);
    pthread_mutex_unlock(&rig->told);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct weir_patches_options options = {.lock = &rig->lock, .made = made, .context = rig};
    void *base;

    assert_int_equal(database_setup(&base), 0);
    rig->base = base;
    pthread_mutex_init(&rig->lock, NULL);
    pthread_mutex_init(&rig->told, NULL);
    pthread_cond_init(&rig->tells, NULL);
    options.database = rig->base->database;
    assert_int_equal(weir_patches_open(&options, &rig->patches), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    void *base = rig->base;

    weir_patches_free(&rig->patches);
    for (size_t i = 0; i <= SETS; i++)
        patch_free(&rig->file[i]);
    pthread_cond_destroy(&rig->tells);
    pthread_mutex_destroy(&rig->told);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
    return database_teardown(&base);
}

/* Keeps the next set, and gives it out. */
static void publish(struct rig *rig, uint32_t serial, struct weir_slice file, uint32_t before)
{
    struct weir_kept_set set = {.serial = serial, .made = DATABASE_NOW, .who = "uid 0",
                                .what = "published", .why = "", .octets = file.len};
    void *deflated;
    size_t len;

    rig->file[serial] = file;
    assert_int_equal(weir_publish_deflate(file, file.len, &deflated, &len), 0);
    set.file = (struct weir_slice){deflated, len};
    pthread_mutex_lock(&rig->lock);
    database_must(rig->base, weir_database_set_add(rig->base->database, &set), 0);
    pthread_mutex_unlock(&rig->lock);
    weir_patches_newest(rig->patches, serial, weir_shared_text_octets(deflated, len), file.len,
                        before);
}

static void publish_some(struct rig *rig, uint32_t sets)
{
    for (uint32_t serial = 1; serial <= sets; serial++)
        publish(rig, serial, patch_file(serial, RULES, serial, patch_list(WORDS, serial, true)),
                0);
}

/* What a server with a set is given: the octets of it, or an answer. */
static int get(struct rig *rig, uint32_t serial, struct weir_slice has)
{
    uint32_t newest = 0;
    struct weir_shared_text *patch;
    size_t len, octets;
    const char *why;
    void *file;
    int rc = weir_patches_get(rig->patches, serial, weir_parcel_id(has), &patch);

    if (rc != 1)
        return rc;
    while (newest < SETS && rig->file[newest + 1].at)
        newest++;
    octets = patch->len;
    assert_int_equal(weir_parcel_patch_apply(has, (struct weir_slice){patch->text, patch->len},
                                             &file, &len, &why), 0);
    assert_true(weir_slice_same((struct weir_slice){file, len}, rig->file[newest]));
    free(file);
    weir_shared_text_free(&patch);
    return (int)octets;
}

/* The same, once it is made. */
static int get_in_time(struct rig *rig, uint32_t serial, struct weir_slice has)
{
    for (;;) {
        unsigned before;
        int got;

        pthread_mutex_lock(&rig->told);
        before = rig->made;
        pthread_mutex_unlock(&rig->told);
        got = get(rig, serial, has);
        if (got != WEIR_EBUSY)
            return got;
        wait_until_made(rig, before + 1);
    }
}

static const struct weir_slice none = {"", 0};

static void the_one_from_the_set_before_is_made_at_once(void **state)
{
    struct rig *rig = *state;
    int whole, patch;

    assert_int_equal(get(rig, 0, none), 0); /* nothing was published */
    publish_some(rig, 1);
    whole = get_in_time(rig, 0, none);
    assert_in_range(whole, 1000, (int)rig->file[1].len);
    publish(rig, 2, patch_file(2, RULES, 2, patch_list(WORDS, 2, true)), 1);
    wait_until_made(rig, 2);
    patch = get(rig, 1, rig->file[1]);
    assert_in_range(patch, 1, whole / 4);
    assert_int_equal(weir_patches_count(rig->patches).given, 2);
    assert_int_equal(weir_patches_count(rig->patches).octets, whole + patch);
    for (int i = 0; i < 10; i++)
        assert_int_equal(get(rig, 1, rig->file[1]), patch);
    assert_int_equal(weir_patches_count(rig->patches).made, 2);
}

static void who_has_another_file_or_none_gets_what_needs_none(void **state)
{
    struct rig *rig = *state;
    int whole;

    publish_some(rig, 3);
    whole = get_in_time(rig, 0, none);
    assert_in_range(get_in_time(rig, 1, rig->file[1]), 1, whole / 4);
    assert_int_equal(get_in_time(rig, 1, rig->file[2]), whole); /* it is not that of the serial */
    assert_int_equal(get_in_time(rig, 9, rig->file[1]), whole); /* this was never published */
    assert_int_equal(get_in_time(rig, 3, rig->file[3]), whole); /* it has it, and wants it anew */
    database_must(rig->base, weir_database_run(rig->base->database,
                                               "DELETE FROM rule_sets WHERE serial = 2"), 0);
    assert_int_equal(get_in_time(rig, 2, rig->file[2]), whole);
    assert_int_equal(weir_patches_count(rig->patches).made, 2);
    assert_int_equal(weir_patches_count(rig->patches).none, 2);
}

static void a_new_set_has_patches_of_its_own(void **state)
{
    struct rig *rig = *state;

    publish_some(rig, 2);
    assert_true(get_in_time(rig, 1, rig->file[1]) > 0);
    publish(rig, 3, patch_file(3, RULES, 3, patch_list(WORDS, 3, true)), 2);
    assert_true(get_in_time(rig, 1, rig->file[1]) > 0); /* get() looks what it makes */
    assert_true(get_in_time(rig, 2, rig->file[2]) > 0);
}

static void no_more_are_made_than_there_is_room_for(void **state)
{
    struct rig *rig = *state;
    int whole;

    publish_some(rig, SETS);
    for (uint32_t serial = 1; serial <= WEIR_PATCHES_MAX; serial++)
        assert_in_range(get_in_time(rig, serial, rig->file[serial]), 1,
                        (int)rig->file[serial].len / 5);
    whole = get_in_time(rig, 0, none);
    for (uint32_t serial = WEIR_PATCHES_MAX + 1; serial < SETS; serial++)
        assert_int_equal(get_in_time(rig, serial, rig->file[serial]), whole);
    for (uint32_t serial = 1; serial <= WEIR_PATCHES_MAX; serial++)
        assert_in_range(get(rig, serial, rig->file[serial]), 1, (int)rig->file[serial].len / 5);
    assert_int_equal(weir_patches_count(rig->patches).made, WEIR_PATCHES_MAX + 1);
}

static void who_invents_serials_takes_nobodys_patch_away(void **state)
{
    struct rig *rig = *state;
    int whole;

    publish_some(rig, 3);
    whole = get_in_time(rig, 0, none);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t serial = 1000; serial < 1000 + 2 * WEIR_PATCHES_MAX; serial++)
            assert_int_equal(get_in_time(rig, serial + 100 * round, rig->file[1]), whole);
        for (uint32_t serial = 1; serial <= 2; serial++)
            assert_in_range(get_in_time(rig, serial, rig->file[serial]), 1,
                            (int)rig->file[serial].len / 5);
    }
    assert_int_equal(weir_patches_count(rig->patches).made, 3); /* each once */
}

static void what_is_no_less_than_half_does_not_pay(void **state)
{
    struct rig *rig = *state;
    int whole;

    publish(rig, 1, patch_file(1, RULES, 1, patch_list(WORDS, 1, true)), 0);
    publish(rig, 2, patch_file(2, RULES, 1, patch_list(10 * WORDS, 1, true)), 1); /* much is new */
    whole = get_in_time(rig, 0, none);
    assert_int_equal(get_in_time(rig, 1, rig->file[1]), whole);
    publish(rig, 3, patch_file(3, 0, 1, none), 2); /* next to nothing but a signature */
    assert_int_equal(get_in_time(rig, 2, rig->file[2]), 0);
    assert_int_equal(get_in_time(rig, 0, none), 0);
}

static void a_set_that_is_damaged_has_none(void **state)
{
    struct rig *rig = *state;
    int whole;

    publish_some(rig, 2);
    database_must(rig->base, weir_database_run(rig->base->database,
                  "UPDATE rule_sets SET file = x'789c00' WHERE serial = 1"), 0);
    whole = get_in_time(rig, 0, none);
    assert_int_equal(get_in_time(rig, 1, rig->file[1]), whole);
}

static void stopped_it_answers_and_makes_nothing(void **state)
{
    struct rig *rig = *state;

    publish_some(rig, 2);
    weir_patches_stop(rig->patches);
    assert_int_equal(get(rig, 1, rig->file[1]), WEIR_EBUSY);
    weir_patches_stop(rig->patches);
    assert_int_equal(rig->made, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_one_from_the_set_before_is_made_at_once),
        TEST(who_has_another_file_or_none_gets_what_needs_none),
        TEST(a_new_set_has_patches_of_its_own),
        TEST(no_more_are_made_than_there_is_room_for),
        TEST(who_invents_serials_takes_nobodys_patch_away),
        TEST(what_is_no_less_than_half_does_not_pay),
        TEST(a_set_that_is_damaged_has_none),
        TEST(stopped_it_answers_and_makes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
