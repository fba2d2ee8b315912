/*
 * A spool of more files than an agent knows at once (monitor/agent/tail_io.c), and whether its
 * sniffer is heard whatever becomes of the files.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "tests/unit/tail_rig.h"

#define BEYOND 50 /* files more than are known at once */

/* The youngest first, in an order of its own in the folder. */
static void crowd(struct rig *rig)
{
    char name[64];

    for (int i = WEIR_TAIL_FILES_MAX + BEYOND; i-- > 0;) {
        snprintf(name, sizeof name, "exim-%d-1.log", 1000 + i);
        append(rig, name, "one\n");
    }
}

static void of_more_files_than_are_known_at_once_the_oldest_come_first(void **state)
{
    struct rig *rig = *state;
    int taken = 0;

    crowd(rig);
    assert_int_equal(weir_tail_look(rig->tail), 0);
    assert_int_equal(weir_tail_counts(rig->tail)->files, WEIR_TAIL_FILES_MAX + BEYOND);
    assert_int_equal(weir_tail_counts(rig->tail)->octets, 4 * (WEIR_TAIL_FILES_MAX + BEYOND));
    while (weir_tail_next(rig->tail, &rig->piece) == 1 || next(rig)) {
        assert_int_equal(atoi(rig->piece.stream + strlen("exim-")), 1000 + taken);
        taken++;
        done(rig);
        if (taken % 500 == 0)
            assert_int_equal(weir_tail_look(rig->tail), 0);
        assert_int_equal(weir_tail_counts(rig->tail)->octets,
                         4 * (WEIR_TAIL_FILES_MAX + BEYOND - taken));
        assert_int_equal(weir_tail_counts(rig->tail)->files,
                         WEIR_TAIL_FILES_MAX + BEYOND - taken);
    }
    assert_int_equal(taken, WEIR_TAIL_FILES_MAX + BEYOND);
}

static void a_sniffer_is_heard_although_its_file_is_beyond_what_is_known(void **state)
{
    struct rig *rig = *state;
    uint64_t heard;

    crowd(rig);
    for (int i = 0; i < 3; i++) {
        heard = weir_tail_counts(rig->tail)->sniffer;
        append(rig, "sniffer-900000-2.log.part", "one\n");
        assert_int_equal(weir_tail_look(rig->tail), 0);
        assert_int_equal(weir_tail_counts(rig->tail)->sniffer, heard + 4);
        assert_int_equal(weir_tail_look(rig->tail), 0); /* it wrote nothing */
        assert_int_equal(weir_tail_counts(rig->tail)->sniffer, heard + 4);
    }
}

static void a_sniffer_that_wrote_nothing_is_not_heard_when_its_files_go(void **state)
{
    struct rig *rig = *state;

    append(rig, "sniffer-100-1.log", "one\n");
    append(rig, "sniffer-160-1.log.part", "two\n");
    append(rig, "sniffer-160-1.log.part", "three\n");
    must_be(rig, "one\n", 0);
    assert_int_equal(weir_tail_counts(rig->tail)->sniffer, 14);
    done(rig);
    must_be(rig, "two\nthree\n", 0);
    assert_int_equal(weir_tail_counts(rig->tail)->sniffer, 14);
    done(rig);
    move(rig, "sniffer-160-1.log.part", "sniffer-160-1.log");
    assert_false(next(rig));
    assert_false(is_there(rig, "sniffer-160-1.log"));
    assert_false(next(rig));
    assert_int_equal(weir_tail_counts(rig->tail)->sniffer, 14);
    append(rig, "sniffer-220-1.log.part", "four\n");
    assert_true(next(rig));
    assert_int_equal(weir_tail_counts(rig->tail)->sniffer, 19);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_more_files_than_are_known_at_once_the_oldest_come_first),
        TEST(a_sniffer_is_heard_although_its_file_is_beyond_what_is_known),
        TEST(a_sniffer_that_wrote_nothing_is_not_heard_when_its_files_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
