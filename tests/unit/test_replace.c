/*
 * replace - a file is replaced as a whole, or not at all.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "tests/unit/scratch.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int set_up(void **state)
{
    *state = scratch_new();
    return 0;
}

static int tear_down(void **state)
{
    scratch_free(*state);
    return 0;
}

static int replace(const char *path, const char *text, bool good)
{
    struct weir_replacement new;
    int done = weir_replace_begin(path, 0640, &new);

    if (done < 0)
        return done;
    (void)fputs(text, new.file);
    return weir_replace_end(&new, good);
}

static void assert_holds(const char *path, const char *want)
{
    char text[256] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, want);
}

static size_t files(const struct scratch *scratch)
{
    DIR *folder = opendir(scratch->directory);
    size_t n = 0;

    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n;
}

static void a_new_file_takes_the_place_of_the_old_one(void **state)
{
    struct scratch *scratch = *state;
    const char *path = scratch_path(scratch, "it");
    struct stat there;
    FILE *old;
    char text[8] = "";

    assert_int_equal(replace(path, "one", true), 0);
    old = fopen(path, "r");
    assert_int_equal(replace(path, "two", true), 0);
    assert_holds(path, "two");
    assert_int_equal(fread(text, 1, 3, old), 3);
    assert_string_equal(text, "one"); /* who has it open keeps it */
    fclose(old);
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0640);
    assert_int_equal(files(scratch), 1);
}

static void what_is_not_good_leaves_the_old_one_and_nothing_beside_it(void **state)
{
    struct scratch *scratch = *state;
    const char *path = scratch_path(scratch, "it");

    assert_int_equal(replace(path, "one", true), 0);
    assert_int_equal(replace(path, "two", false), WEIR_EIO);
    assert_holds(path, "one");
    assert_int_equal(files(scratch), 1);
}

static void a_full_disk_leaves_the_old_one_and_nothing_beside_it(void **state)
{
    struct scratch *scratch = *state;
    const char *path = scratch_path(scratch, "it");
    struct rlimit before, small;

    assert_int_equal(replace(path, "one", true), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 2;
    setrlimit(RLIMIT_FSIZE, &small);
    int done = replace(path, "too much", true);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(done, WEIR_EIO);
    assert_holds(path, "one");
    assert_int_equal(files(scratch), 1);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct scratch *scratch = *state;

    assert_int_equal(replace(scratch_path(scratch, "no/it"), "one", true), WEIR_EIO);
}

static void a_path_at_the_limit_is_tried_and_one_beyond_is_not(void **state)
{
    char path[WEIR_PATH_MAX];
    const size_t beside = strlen(".new-XXXXXX");

    (void)state;
    memset(path, 'x', sizeof path);
    path[WEIR_PATH_MAX - 1 - beside] = '\0';
    assert_int_equal(replace(path, "", true), WEIR_EIO); /* too long a name for the system */
    path[WEIR_PATH_MAX - 1 - beside] = 'x';
    path[WEIR_PATH_MAX - beside] = '\0';
    assert_int_equal(replace(path, "", true), WEIR_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_takes_the_place_of_the_old_one),
        TEST(what_is_not_good_leaves_the_old_one_and_nothing_beside_it),
        TEST(a_full_disk_leaves_the_old_one_and_nothing_beside_it),
        TEST(a_folder_that_is_not_there_is_an_error),
        TEST(a_path_at_the_limit_is_tried_and_one_beyond_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
