/*
 * Files with a secret in them (core/engine/secret_io.c): made once, read by all.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/secret_io.h"
#include "tests/unit/scratch.h"

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

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int names_in(const char *directory)
{
    DIR *open = opendir(directory);
    int names = 0;

    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;)
        names += entry->d_name[0] != '.';
    closedir(open);
    return names;
}

static void one_that_is_missing_is_made_and_read(void **state)
{
    struct scratch *scratch = *state;
    const char *path = scratch_path(scratch, "key");
    struct stat there;
    char text[64];
    size_t len = 0;

    assert_int_equal(weir_secret_file(path, "made for you\n", text, sizeof text, &len), 0);
    assert_string_equal(text, "made for you\n");
    assert_int_equal(len, 13);
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0640);
    assert_int_equal(names_in(scratch->directory), 1);
}

static void one_that_is_there_is_read_and_kept(void **state)
{
    const char *path = scratch_path(*state, "key");
    char text[64];
    size_t len = 0;

    write_file(path, "old");
    assert_int_equal(weir_secret_file(path, "new", text, sizeof text, &len), 0);
    assert_string_equal(text, "old");
    assert_int_equal(len, 3);
    write_file(path, "");
    assert_int_equal(weir_secret_file(path, "new", text, sizeof text, &len), 0);
    assert_string_equal(text, "");
    assert_int_equal(len, 0);
}

static void a_file_fills_the_room_to_the_last_octet_and_no_further(void **state)
{
    const char *path = scratch_path(*state, "key");
    char text[8];
    size_t len = 0;

    write_file(path, "1234567");
    assert_int_equal(weir_secret_file(path, "new", text, sizeof text, &len), 0);
    assert_string_equal(text, "1234567");
    assert_int_equal(len, 7);
    write_file(path, "12345678");
    assert_int_equal(weir_secret_file(path, "new", text, sizeof text, &len), WEIR_ELIMIT);
}

static void a_place_that_cannot_be_used_is_told_with_the_reason(void **state)
{
    struct scratch *scratch = *state;
    char path[256], text[64];
    size_t len;

    snprintf(path, sizeof path, "%s/nowhere/key", scratch->directory);
    assert_int_equal(weir_secret_file(path, "new", text, sizeof text, &len), WEIR_EIO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(weir_secret_file(scratch->directory, "new", text, sizeof text, &len),
                     WEIR_EIO);
    assert_int_equal(errno, EISDIR);
}

/* A path that can be opened, but has no room behind it for the name beside its place. */
static void a_path_that_is_too_long_is_refused(void **state)
{
    struct scratch *scratch = *state;
    char path[4096], text[64];
    size_t len, at = strlen(scratch->directory);

    memcpy(path, scratch->directory, at);
    for (; at < sizeof path - 6; at += 2)
        memcpy(path + at, "/.", 2);
    strcpy(path + at, "/k");
    assert_int_equal(weir_secret_file(path, "new", text, sizeof text, &len), WEIR_ELIMIT);
    assert_int_equal(names_in(scratch->directory), 0);
}

#define AT_ONCE 8

/* Each child offers a text of its own and tells through the pipe which one it read. */
static void child(const char *path, int number, int start, int out)
{
    char fresh[32], text[64] = "", go;
    size_t len;

    snprintf(fresh, sizeof fresh, "secret %d", number);
    if (read(start, &go, 1) == 0 &&
        weir_secret_file(path, fresh, text, sizeof text, &len) == 0 && len == 8)
        (void)!write(out, text, 8);
    _exit(0);
}

static void of_programs_that_start_at_once_all_read_what_one_made(void **state)
{
    struct scratch *scratch = *state;
    const char *path = scratch_path(scratch, "key");
    int start[2], out[2];
    char first[9] = "", next[9] = "";

    assert_int_equal(pipe(start), 0);
    assert_int_equal(pipe(out), 0);
    for (int i = 0; i < AT_ONCE; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            close(start[1]);
            child(path, i, start[0], out[1]);
        }
    }
    close(start[1]); /* now */
    assert_int_equal(read(out[0], first, 8), 8);
    for (int i = 1; i < AT_ONCE; i++) {
        assert_int_equal(read(out[0], next, 8), 8);
        assert_string_equal(next, first);
    }
    while (wait(NULL) > 0) {
    }
    close(start[0]);
    close(out[0]);
    close(out[1]);
    assert_int_equal(names_in(scratch->directory), 1);
}

static void what_root_makes_belongs_to_the_owner_of_the_folder(void **state)
{
    struct scratch *scratch = *state;
    const char *path = scratch_path(scratch, "key");
    struct stat there;
    char text[64];
    size_t len;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(scratch->directory, 12345, 23456), 0);
    assert_int_equal(weir_secret_file(path, "new", text, sizeof text, &len), 0);
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_uid, 12345);
    assert_int_equal(there.st_gid, 23456);
}

#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(one_that_is_missing_is_made_and_read),
        WITH_FOLDER(one_that_is_there_is_read_and_kept),
        WITH_FOLDER(a_file_fills_the_room_to_the_last_octet_and_no_further),
        WITH_FOLDER(a_place_that_cannot_be_used_is_told_with_the_reason),
        WITH_FOLDER(a_path_that_is_too_long_is_refused),
        WITH_FOLDER(of_programs_that_start_at_once_all_read_what_one_made),
        WITH_FOLDER(what_root_makes_belongs_to_the_owner_of_the_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
