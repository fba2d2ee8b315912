/*
 * certificate_io - key and certificate are made together, and what a start that was broken off left
 * is made whole.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "core/base/error.h"
#include "monitor/intake/certificate_io.h"
#include "tests/unit/scratch.h"

struct rig {
    struct scratch *scratch;
    struct weir_log log;
    char key[256], chain[256], pin[WEIR_PIN_TEXT];
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    rig->scratch = scratch_new();
    strcpy(rig->key, scratch_path(rig->scratch, "key"));
    strcpy(rig->chain, scratch_path(rig->scratch, "crt"));
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    scratch_free(rig->scratch);
    free(rig);
    return 0;
}

/* Opens them; the pin is the rig's then. */
static int open_both(struct rig *rig)
{
    struct weir_certificate certificate;
    int done = weir_certificate_open(rig->key, rig->chain, "monitor.example.org", &rig->log,
                                     &certificate);

    if (done == 0) {
        memcpy(rig->pin, certificate.pin, sizeof rig->pin);
        weir_certificate_free(&certificate);
    }
    return done;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void both_are_made_once(void **state)
{
    struct rig *rig = *state;
    char pin[WEIR_PIN_TEXT];
    struct stat about;

    assert_int_equal(open_both(rig), 0);
    memcpy(pin, rig->pin, sizeof pin);
    assert_memory_equal(pin, "sha256//", 8);
    assert_int_equal(stat(rig->key, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(stat(rig->chain, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0644);
    assert_int_equal(open_both(rig), 0);
    assert_string_equal(rig->pin, pin);
}

static void a_key_without_a_certificate_gets_one_and_stays_the_same(void **state)
{
    struct rig *rig = *state;
    char pin[WEIR_PIN_TEXT];

    assert_int_equal(open_both(rig), 0);
    memcpy(pin, rig->pin, sizeof pin);
    assert_int_equal(unlink(rig->chain), 0);
    assert_int_equal(open_both(rig), 0);
    assert_true(is_there(rig->chain));
    assert_string_equal(rig->pin, pin);
}

static void a_certificate_without_a_key_is_left_as_it_is(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(open_both(rig), 0);
    assert_int_equal(unlink(rig->key), 0);
    assert_int_equal(open_both(rig), WEIR_EIO);
    assert_false(is_there(rig->key));
    assert_true(is_there(rig->chain));
}

static void what_is_no_key_is_refused_and_nothing_is_made_for_it(void **state)
{
    struct rig *rig = *state;

    write_file(rig->key, "-----BEGIN EC PRIVATE KEY-----\nMHcC\n");
    assert_int_equal(open_both(rig), WEIR_EINVAL);
    assert_false(is_there(rig->chain));
}

static void a_certificate_of_another_key_is_refused(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(open_both(rig), 0);
    assert_int_equal(unlink(rig->key), 0);
    assert_int_equal(rename(rig->chain, scratch_path(rig->scratch, "other")), 0);
    assert_int_equal(open_both(rig), 0);
    assert_int_equal(rename(scratch_path(rig->scratch, "other"), rig->chain), 0);
    assert_int_equal(open_both(rig), WEIR_EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_are_made_once),
        TEST(a_key_without_a_certificate_gets_one_and_stays_the_same),
        TEST(a_certificate_without_a_key_is_left_as_it_is),
        TEST(what_is_no_key_is_refused_and_nothing_is_made_for_it),
        TEST(a_certificate_of_another_key_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
