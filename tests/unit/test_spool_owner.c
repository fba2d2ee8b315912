/*
 * Who may write where in a spool (core/store/spool_io.c, spool_folder_io.c): a producer of which
 * there is to be one only, and files of before the machine's last start.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/spool_io.h"
#include "tests/unit/scratch.h"

static void pass_over(void *context, enum weir_log_level level, const char *line)
{
    (void)context, (void)level, (void)line;
}

static const struct weir_log quiet = {.write = pass_over};

static int setup(void **state)
{
    *state = scratch_new();
    return 0;
}

static int teardown(void **state)
{
    scratch_free(*state);
    return 0;
}

static int open_spool(const char *folder, const char *name, bool alone,
                      struct weir_spool **spool_r)
{
    struct weir_spool_options options = {.folder = folder, .name = name, .bytes_most = 1 << 20,
                                         .turn = WEIR_MINUTE, .alone = alone};
    return weir_spool_open(&options, &quiet, spool_r);
}

static void A13_a_second_one_of_a_name_is_refused_until_the_first_is_gone(void **state)
{
    const char *folder = ((struct scratch *)*state)->directory;
    struct weir_spool *first, *second = NULL, *other;

    assert_int_equal(open_spool(folder, "sniffer", true, &first), 0);
    assert_int_equal(open_spool(folder, "sniffer", true, &second), WEIR_EBUSY);
    assert_null(second);
    assert_int_equal(open_spool(folder, "other", true, &other), 0); /* of another name */
    assert_int_equal(open_spool(folder, "sniffer", false, &second), 0); /* who need not be alone */
    weir_spool_free(&second);
    weir_spool_free(&other);
    weir_spool_free(&first);
    assert_int_equal(open_spool(folder, "sniffer", true, &second), 0);
    weir_spool_free(&second);
}

static void one_that_was_killed_is_followed_at_once(void **state)
{
    const char *folder = ((struct scratch *)*state)->directory;
    struct weir_spool *spool;
    int told[2], status;
    char octet;

    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        octet = (char)open_spool(folder, "sniffer", true, &spool);
        _exit(write(told[1], &octet, 1) == 1 ? pause() : 1);
    }
    assert_int_equal(read(told[0], &octet, 1), 1);
    assert_int_equal(octet, 0);
    assert_int_equal(open_spool(folder, "sniffer", true, &spool), WEIR_EBUSY);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(open_spool(folder, "sniffer", true, &spool), 0);
    assert_int_equal(weir_spool_write(spool, 1700000000 * WEIR_SECOND, "at=1"), 0);
    weir_spool_free(&spool);
    close(told[0]);
    close(told[1]);
}

static void where_nothing_can_be_written_nobody_is_in_the_way(void **state)
{
    const char *path = scratch_path(*state, "missing/spool");
    struct weir_spool *spool;

    assert_int_equal(open_spool(path, "sniffer", true, &spool), 0);
    assert_int_equal(weir_spool_write(spool, 1700000000 * WEIR_SECOND, "at=1"), WEIR_EIO);
    assert_int_equal(weir_spool_dropped(spool), 1);
    weir_spool_free(&spool);
}

/* Writes a line, after this start of the machine, and leaves the file to whoever comes next. */
static void write_at(const char *folder, const char *boot, const char *line)
{
    struct weir_spool_options options = {.folder = folder, .name = "sniffer", .boot = boot,
                                         .bytes_most = 1 << 20, .turn = WEIR_MINUTE,
                                         .leave = true};
    struct weir_spool *spool;

    assert_int_equal(weir_spool_open(&options, &quiet, &spool), 0);
    assert_int_equal(weir_spool_write(spool, 1700000000 * WEIR_SECOND, line), 0);
    weir_spool_free(&spool);
}

/* "name:octets", sorted, blanks between them. */
static const char *listing(const char *folder, char text_r[static 512])
{
    struct dirent **entry;
    struct stat status;
    char path[512];
    size_t len = 0;
    int count = scandir(folder, &entry, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.' && stat(path, &status) == 0)
            len += (size_t)snprintf(text_r + len, 512 - len, "%s%s:%ld", len ? " " : "",
                                    strchr(entry[i]->d_name, '.'), (long)status.st_size);
        free(entry[i]);
    }
    free(entry);
    return text_r;
}

static void a_file_of_before_the_last_start_is_not_gone_on_with(void **state)
{
    const char *folder = ((struct scratch *)*state)->directory;
    char text[512];

    write_at(folder, "aaaa", "one");
    write_at(folder, "aaaa", "two");
    assert_string_equal(listing(folder, text), ".aaaa.log.part:8");
    write_at(folder, "bbbb", "three");
    assert_string_equal(listing(folder, text), ".aaaa.log:8 .bbbb.log.part:6");
    write_at(folder, NULL, "four");
    write_at(folder, NULL, "five"); /* the kernel says the same both times */
    assert_non_null(strstr(listing(folder, text), ".log.part:10"));
    assert_non_null(strstr(text, ".bbbb.log:6"));
    assert_int_equal(weir_spool_sweep(folder, 1700000000 * WEIR_SECOND, WEIR_MINUTE), 0);
    assert_non_null(strstr(listing(folder, text), ".log.part:10"));
}

static void a_sweep_names_files_of_before_the_last_start_at_once(void **state)
{
    const char *folder = ((struct scratch *)*state)->directory;
    char text[512];

    write_at(folder, "aaaa", "one");
    assert_int_equal(weir_spool_sweep(folder, 1700000000 * WEIR_SECOND, WEIR_MINUTE), 0);
    assert_string_equal(listing(folder, text), ".aaaa.log:4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            A13_a_second_one_of_a_name_is_refused_until_the_first_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_was_killed_is_followed_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_of_before_the_last_start_is_not_gone_on_with,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_sweep_names_files_of_before_the_last_start_at_once,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(where_nothing_can_be_written_nobody_is_in_the_way, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
