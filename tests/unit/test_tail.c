/*
 * The spool read from behind its writers: every whole line once, in order, and nothing is left
 * lying that is done.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/store/spool_io.h"
#include "monitor/agent/tail_io.h"
#include "tests/unit/tail_rig.h"

#define NOW (1795000000 * WEIR_SECOND)

static void files_come_oldest_first_and_go_when_they_are_done(void **state)
{
    struct rig *rig = *state;

    append(rig, "milter-200-9.log", "second\n");
    append(rig, "sniffer-1000-1.log", "third\n");
    append(rig, "sniffer-30-2.log", "first\n");
    must_be(rig, "first\n", 0);
    assert_int_equal(weir_tail_counts(rig->tail)->files, 3);
    assert_int_equal(weir_tail_counts(rig->tail)->octets, 19);
    must_be(rig, "first\n", 0);
    done(rig);
    assert_false(is_there(rig, "sniffer-30-2.log"));
    must_be(rig, "second\n", 0);
    done(rig);
    must_be(rig, "third\n", 0);
    done(rig);
    assert_false(next(rig));
    assert_int_equal(weir_tail_counts(rig->tail)->removed, 3);
    assert_int_equal(weir_tail_counts(rig->tail)->octets, 0);
    assert_int_equal(weir_tail_counts(rig->tail)->files, 0);
}

static void only_whole_lines_of_a_file_that_is_written_are_taken(void **state)
{
    struct rig *rig = *state;
    char stream[WEIR_STREAM_TEXT];

    append(rig, "exim-100-1.log.part", "on");
    assert_false(next(rig));
    append(rig, "exim-100-1.log.part", "e\ntw");
    must_be(rig, "one\n", 0);
    strcpy(stream, rig->piece.stream);
    assert_true(strncmp(stream, "exim-100-1.log~", 15) == 0 && strlen(stream) == 23);
    done(rig);
    assert_false(next(rig));
    append(rig, "exim-100-1.log.part", "o\nthree\n");
    move(rig, "exim-100-1.log.part", "exim-100-1.log");
    must_be(rig, "two\nthree\n", 4);
    assert_string_equal(rig->piece.stream, stream);
    done(rig);
    assert_false(is_there(rig, "exim-100-1.log"));
}

static void a_file_that_was_done_before_it_was_finished_goes(void **state)
{
    struct rig *rig = *state;

    append(rig, "exim-100-1.log.part", "one\n");
    must_be(rig, "one\n", 0);
    done(rig);
    assert_true(is_there(rig, "exim-100-1.log.part"));
    assert_false(next(rig));
    move(rig, "exim-100-1.log.part", "exim-100-1.log");
    assert_false(next(rig));
    assert_false(is_there(rig, "exim-100-1.log"));
    assert_int_equal(weir_tail_counts(rig->tail)->removed, 1);
}

static void a_finished_file_without_a_line_goes_and_one_that_is_written_stays(void **state)
{
    struct rig *rig = *state;

    append(rig, "exim-100-1.log", "");
    append(rig, "exim-100-2.log", "torn");
    append(rig, "exim-100-3.log", "whole\ntorn");
    append(rig, "exim-100-4.log.part", "");
    append(rig, "exim-100-5.log.part", "torn");
    must_be(rig, "whole\n", 0);
    done(rig);
    assert_false(next(rig));
    assert_false(next(rig));
    assert_false(is_there(rig, "exim-100-1.log") || is_there(rig, "exim-100-2.log") ||
                 is_there(rig, "exim-100-3.log"));
    assert_true(is_there(rig, "exim-100-4.log.part") && is_there(rig, "exim-100-5.log.part"));
    assert_int_equal(weir_tail_counts(rig->tail)->skipped, 8);
}

static void what_was_written_between_look_and_done_is_not_lost(void **state)
{
    struct rig *rig = *state;

    append(rig, "exim-100-1.log", "one\n");
    must_be(rig, "one\n", 0);
    append(rig, "exim-100-1.log", "two\n");
    done(rig);
    assert_true(is_there(rig, "exim-100-1.log"));
    must_be(rig, "two\n", 4);
}

static void a_file_renamed_between_look_and_reading_is_found(void **state)
{
    struct rig *rig = *state;

    append(rig, "exim-100-1.log.part", "one\n");
    assert_int_equal(weir_tail_look(rig->tail), 0);
    move(rig, "exim-100-1.log.part", "exim-100-1.log");
    assert_int_equal(weir_tail_next(rig->tail, &rig->piece), 1);
    assert_int_equal(rig->piece.octets.len, 4);
}

static void the_other_side_says_where_to_go_on(void **state)
{
    static const struct {
        uint64_t says;
        const char *then;
    } cases[] = {{4, "two\nthree\n"}, {0, "one\ntwo\nthree\n"}, {8, "three\n"},
                 {4, "two\nthree\n"}};
    struct rig *rig = *state;
    char stream[WEIR_STREAM_TEXT];

    append(rig, "exim-100-1.log.part", "one\ntwo\nthree\n");
    must_be(rig, "one\ntwo\nthree\n", 0);
    strcpy(stream, rig->piece.stream);
    weir_tail_done(rig->tail, "exim-100-1.log~00000000", 14); /* nobody's */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_tail_done(rig->tail, stream, cases[i].says);
        must_be(rig, cases[i].then, cases[i].says);
    }
    weir_tail_done(rig->tail, stream, 1000); /* more than there is: it is not waited for */
    append(rig, "exim-100-1.log.part", "four\n");
    must_be(rig, "four\n", 0);
    assert_string_not_equal(rig->piece.stream, stream);
}

static void a_name_that_comes_back_is_another_stream(void **state)
{
    struct rig *rig = *state;
    char stream[WEIR_STREAM_TEXT];

    append(rig, "exim-100-1.log", "one\ntwo\n");
    must_be(rig, "one\ntwo\n", 0);
    strcpy(stream, rig->piece.stream);
    done(rig);
    append(rig, "exim-100-1.log", "sixteen\nseventeen\n");
    must_be(rig, "sixteen\nseventeen\n", 0);
    assert_string_not_equal(rig->piece.stream, stream);
    assert_memory_equal(rig->piece.stream, stream, strlen("exim-100-1.log~"));
}

static void after_a_start_a_stream_has_the_same_name(void **state)
{
    struct rig *rig = *state;
    char stream[WEIR_STREAM_TEXT];

    append(rig, "exim-100-1.log.part", "one\n");
    must_be(rig, "one\n", 0);
    strcpy(stream, rig->piece.stream);
    append(rig, "exim-100-1.log.part", "two\n");
    move(rig, "exim-100-1.log.part", "exim-100-1.log");
    open_tail(rig);
    must_be(rig, "one\ntwo\n", 0);
    assert_string_equal(rig->piece.stream, stream);
}

static void what_is_no_file_of_the_spool_is_left_alone(void **state)
{
    static const char *const names[] = {".exim-1-1.log", "exim-1-1.lo", "exim-1-1.log.part2",
                                        "dropped", "ex im-1-1.log", "ex&m-1-1.log",
                                        "ex\nim-1-1.log", "ex~m-1-1.log", "caf\xc3\xa9-1-1.log"};
    struct rig *rig = *state;
    char path[256];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        append(rig, names[i], "one\n");
    strcpy(path, scratch_path(rig->scratch, "dropped"));
    assert_int_equal(symlink(path, scratch_path(rig->scratch, "link-1-1.log")), 0);
    assert_int_equal(mkdir(scratch_path(rig->scratch, "folder-1-1.log"), 0700), 0);
    assert_int_equal(mkfifo(scratch_path(rig->scratch, "pipe-1-1.log"), 0600), 0);
    assert_false(next(rig));
    assert_int_equal(weir_tail_counts(rig->tail)->files, 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(is_there(rig, names[i]));
}

static void a_name_may_be_so_long_and_not_longer(void **state)
{
    struct rig *rig = *state;
    char name[WEIR_STREAM_TEXT] = "";

    for (size_t more = 0; more < 2; more++) {
        size_t len = WEIR_STREAM_MAX - 10 + more - strlen("-1-1.log");

        memset(name, 'a', len);
        strcpy(name + len, "-1-1.log");
        append(rig, name, "one\n");
        assert_int_equal(weir_tail_look(rig->tail), 0);
        assert_int_equal(weir_tail_counts(rig->tail)->files, 1);
    }
    assert_int_equal(weir_tail_next(rig->tail, &rig->piece), 1);
    assert_true(strlen(rig->piece.stream) <= WEIR_STREAM_MAX);
}

static char *octets(size_t len, char last)
{
    char *text = malloc(len + 1);

    memset(text, 'x', len);
    text[len - 1] = last;
    text[len] = '\0';
    return text;
}

/* What goes in the place of so much of a line that is too long. */
static void must_be_blank(struct rig *rig, size_t len, uint64_t offset)
{
    assert_true(next(rig));
    assert_int_equal(rig->piece.offset, offset);
    assert_int_equal(rig->piece.octets.len, len);
    for (size_t i = 0; i + 1 < len; i++)
        if (rig->piece.octets.at[i] != ' ')
            fail_msg("octet %zu is no blank", i);
    assert_int_equal(rig->piece.octets.at[len - 1], '\n');
}

static void of_a_line_that_is_too_long_blanks_are_handed_out_to_its_end(void **state)
{
    struct rig *rig = *state;
    char *fits = octets(WEIR_TAIL_PIECE_MAX, '\n'), *more = octets(WEIR_TAIL_PIECE_MAX + 1, '\n');

    append(rig, "exim-100-1.log.part", "one\n");
    append(rig, "exim-100-1.log.part", fits);
    append(rig, "exim-100-1.log.part", more);
    append(rig, "exim-100-1.log.part", "last\n");
    must_be(rig, "one\n", 0);
    done(rig);
    must_be(rig, fits, 4);
    done(rig);
    must_be_blank(rig, WEIR_TAIL_PIECE_MAX, 4 + WEIR_TAIL_PIECE_MAX);
    must_be_blank(rig, WEIR_TAIL_PIECE_MAX, 4 + WEIR_TAIL_PIECE_MAX); /* it is counted once */
    done(rig);
    open_tail(rig); /* which knows no more than the file and what the monitor says */
    must_be(rig, "one\n", 0);
    weir_tail_done(rig->tail, rig->piece.stream, 4 + 2 * WEIR_TAIL_PIECE_MAX);
    must_be_blank(rig, 1, 4 + 2 * WEIR_TAIL_PIECE_MAX);
    done(rig);
    must_be(rig, "last\n", 4 + 2 * WEIR_TAIL_PIECE_MAX + 1);
    done(rig);
    append(rig, "exim-100-3.log", more);
    append(rig, "exim-100-3.log", "last\n");
    must_be_blank(rig, WEIR_TAIL_PIECE_MAX, 0);
    must_be_blank(rig, WEIR_TAIL_PIECE_MAX, 0);
    done(rig);
    must_be_blank(rig, 1, WEIR_TAIL_PIECE_MAX);
    done(rig);
    must_be(rig, "last\n", WEIR_TAIL_PIECE_MAX + 1);
    assert_int_equal(weir_tail_counts(rig->tail)->skipped, WEIR_TAIL_PIECE_MAX + 2);
    free(fits);
    free(more);
}

static void a_file_that_cannot_be_read_is_told_of_once_and_the_rest_goes_on(void **state)
{
    struct rig *rig = *state;

    if (geteuid() == 0)
        skip(); /* everything can be read */
    append(rig, "exim-100-1.log", "one\n");
    append(rig, "exim-100-2.log", "two\n");
    chmod(scratch_path(rig->scratch, "exim-100-1.log"), 0);
    must_be(rig, "two\n", 0);
    must_be(rig, "two\n", 0);
    assert_int_equal(rig->logged, 1);
    chmod(scratch_path(rig->scratch, "exim-100-1.log"), 0600);
    must_be(rig, "one\n", 0);
}

static void one_that_is_renamed_while_the_folder_is_read_is_one(void **state)
{
    static const char *const names[] = {"exim-1-1.log", "exim-1-1.log.part", "exim-2-1.log.part",
                                        "exim-3-1.log.part", "exim-3-1.log"};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        append(rig, names[i], "one\n");
    for (int looks = 0; looks < 3; looks++) {
        assert_int_equal(weir_tail_look(rig->tail), 0);
        assert_int_equal(weir_tail_counts(rig->tail)->files, 3);
        assert_int_equal(weir_tail_counts(rig->tail)->octets, 12);
    }
}

static void what_a_spool_writes_is_read(void **state)
{
    struct rig *rig = *state;
    const struct weir_spool_options options = {.folder = rig->scratch->directory, .name = "test",
                                               .bytes_most = 1 << 20, .turn = WEIR_MINUTE};
    struct weir_spool *spool;

    assert_int_equal(weir_spool_open(&options, &rig->log, &spool), 0);
    assert_int_equal(weir_spool_write(spool, NOW, "one"), 0);
    must_be(rig, "one\n", 0);
    done(rig);
    assert_int_equal(weir_spool_write(spool, NOW + WEIR_MINUTE + 1, "two"), 0);
    must_be(rig, "two\n", 0);
    done(rig);
    weir_spool_free(&spool);
    assert_false(next(rig));
    assert_int_equal(weir_tail_counts(rig->tail)->removed, 2);
}

static void a_folder_that_is_not_there_is_empty_and_one_that_is_none_is_an_error(void **state)
{
    struct rig *rig = *state;
    char path[600];

    weir_tail_free(&rig->tail);
    assert_int_equal(weir_tail_open(scratch_path(rig->scratch, "none"), &rig->log, &rig->tail), 0);
    assert_false(next(rig));
    append(rig, "none", "");
    assert_int_equal(weir_tail_look(rig->tail), WEIR_EIO);
    weir_tail_free(&rig->tail);
    memset(path, 'a', sizeof path);
    path[511] = '\0';
    assert_int_equal(weir_tail_open(path, &rig->log, &rig->tail), 0);
    weir_tail_free(&rig->tail);
    path[511] = 'a', path[512] = '\0';
    assert_int_equal(weir_tail_open(path, &rig->log, &rig->tail), WEIR_ELIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void what_was_removed_is_told_until_it_has_been_heard(void **state)
{
    struct rig *rig = *state;
    char name[64], first[WEIR_STREAM_TEXT], last[WEIR_STREAM_TEXT];

    assert_null(weir_tail_gone(rig->tail, 0));
    for (int i = 0; i < WEIR_TAIL_GONE_MAX + 1; i++) { /* one more than are kept */
        sprintf(name, "sniffer-%d-1.log", 1000 + i);
        append(rig, name, "one\n");
        must_be(rig, "one\n", 0);
        strcpy(last, rig->piece.stream);
        if (i == 1)
            strcpy(first, last);
        done(rig);
    }
    assert_string_equal(weir_tail_gone(rig->tail, 0), first);
    assert_string_equal(weir_tail_gone(rig->tail, WEIR_TAIL_GONE_MAX - 1), last);
    assert_null(weir_tail_gone(rig->tail, WEIR_TAIL_GONE_MAX));
    weir_tail_told(rig->tail, WEIR_TAIL_GONE_MAX - 1);
    assert_string_equal(weir_tail_gone(rig->tail, 0), last);
    weir_tail_told(rig->tail, 7);
    assert_null(weir_tail_gone(rig->tail, 0));
    append(rig, "sniffer-5000-1.log.part", "one\n"); /* it is still being written */
    must_be(rig, "one\n", 0);
    done(rig);
    assert_null(weir_tail_gone(rig->tail, 0));
    move(rig, "sniffer-5000-1.log.part", "sniffer-5000-1.log");
    append(rig, "sniffer-5001-1.log", ""); /* nobody was told of it */
    assert_false(next(rig));
    assert_non_null(weir_tail_gone(rig->tail, 0));
    assert_null(weir_tail_gone(rig->tail, 1));
}

static void what_a_file_gets_that_came_back_shorter_is_a_stream_of_its_own(void **state)
{
    struct rig *rig = *state;
    char stream[WEIR_STREAM_TEXT];

    append(rig, "sniffer-100-1.log.part", "one\ntwo\n");
    must_be(rig, "one\ntwo\n", 0);
    strcpy(stream, rig->piece.stream);
    weir_tail_done(rig->tail, stream, 16); /* it had two lines more before the power went */
    assert_int_equal(rig->logged, 1);
    assert_false(next(rig));
    append(rig, "sniffer-100-1.log.part", "five\n");
    must_be(rig, "five\n", 0);
    assert_string_not_equal(rig->piece.stream, stream);
    strcpy(stream, rig->piece.stream);
    done(rig);
    append(rig, "sniffer-100-1.log.part", "six\n");
    must_be(rig, "six\n", 5);
    assert_string_equal(rig->piece.stream, stream);
    append(rig, "sniffer-100-1.log.part", "seven\n");
    weir_tail_done(rig->tail, stream, 15); /* what was read may be more than the look saw */
    assert_false(next(rig));
    assert_int_equal(rig->logged, 1);
    move(rig, "sniffer-100-1.log.part", "sniffer-100-1.log");
    assert_false(next(rig));
    assert_false(is_there(rig, "sniffer-100-1.log"));
    assert_string_equal(weir_tail_gone(rig->tail, 0), stream);
}

static void a_finished_file_that_came_back_shorter_is_done(void **state)
{
    struct rig *rig = *state;

    append(rig, "sniffer-100-1.log", "one\n");
    must_be(rig, "one\n", 0);
    weir_tail_done(rig->tail, rig->piece.stream, 12);
    assert_int_equal(rig->logged, 1);
    assert_false(is_there(rig, "sniffer-100-1.log"));
    assert_int_equal(weir_tail_counts(rig->tail)->files, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_removed_is_told_until_it_has_been_heard),
        TEST(what_a_file_gets_that_came_back_shorter_is_a_stream_of_its_own),
        TEST(a_finished_file_that_came_back_shorter_is_done),
        TEST(files_come_oldest_first_and_go_when_they_are_done),
        TEST(only_whole_lines_of_a_file_that_is_written_are_taken),
        TEST(a_file_that_was_done_before_it_was_finished_goes),
        TEST(a_finished_file_without_a_line_goes_and_one_that_is_written_stays),
        TEST(what_was_written_between_look_and_done_is_not_lost),
        TEST(a_file_renamed_between_look_and_reading_is_found),
        TEST(the_other_side_says_where_to_go_on),
        TEST(a_name_that_comes_back_is_another_stream),
        TEST(after_a_start_a_stream_has_the_same_name),
        TEST(what_is_no_file_of_the_spool_is_left_alone),
        TEST(a_name_may_be_so_long_and_not_longer),
        TEST(of_a_line_that_is_too_long_blanks_are_handed_out_to_its_end),
        TEST(a_file_that_cannot_be_read_is_told_of_once_and_the_rest_goes_on),
        TEST(one_that_is_renamed_while_the_folder_is_read_is_one),
        TEST(what_a_spool_writes_is_read),
        TEST(a_folder_that_is_not_there_is_empty_and_one_that_is_none_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
