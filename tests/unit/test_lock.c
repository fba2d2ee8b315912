/* lock_io: one has it, others are told or wait, and it ends with whoever had it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/lock_io.h"

struct place {
    char folder[64], path[80];
};

static void place_make(struct place *place)
{
    snprintf(place->folder, sizeof place->folder, "/tmp/weir-lock-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/it.lock", place->folder);
}

static void place_remove(const struct place *place)
{
    unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0);
}

static void one_has_it_until_it_is_given_back(void **state)
{
    struct place place;
    struct stat made;
    int one, other;

    (void)state;
    place_make(&place);
    one = weir_lock_take(place.path, 0640, false);
    assert_true(one >= 0);
    assert_int_equal(stat(place.path, &made), 0);
    assert_int_equal(made.st_mode & 0777 & ~0640u, 0);
    assert_int_equal(weir_lock_take(place.path, 0640, false), WEIR_EBUSY);
    close(one);
    other = weir_lock_take(place.path, 0640, false);
    assert_true(other >= 0);
    close(other);
    place_remove(&place);
}

static void it_ends_with_its_process_and_whoever_waits_has_it_then(void **state)
{
    struct place place;
    int told[2], lock;
    char word;
    pid_t child;

    (void)state;
    place_make(&place);
    assert_int_equal(pipe(told), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (weir_lock_take(place.path, 0640, false) >= 0 && write(told[1], "x", 1) == 1)
            (void)sleep(600); /* until it is killed */
        _exit(1);
    }
    assert_int_equal(read(told[0], &word, 1), 1);
    assert_int_equal(weir_lock_take(place.path, 0640, false), WEIR_EBUSY);
    assert_int_equal(kill(child, SIGKILL), 0);
    lock = weir_lock_take(place.path, 0640, true);
    assert_true(lock >= 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(lock);
    close(told[0]);
    close(told[1]);
    place_remove(&place);
}

static void what_cannot_be_made_says_why(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(symlink("elsewhere", place.path), 0);
    assert_int_equal(weir_lock_take(place.path, 0640, false), WEIR_EIO);
    assert_int_equal(errno, ELOOP);
    place_remove(&place);
    assert_int_equal(weir_lock_take(place.path, 0640, true), WEIR_EIO);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_has_it_until_it_is_given_back),
        cmocka_unit_test(it_ends_with_its_process_and_whoever_waits_has_it_then),
        cmocka_unit_test(what_cannot_be_made_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
