/*
 * instances - whom an agent can name that it was, over starts, kills and being let in, and on which
 * machine (monitor/agent/machine_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "monitor/agent/instances_io.h"
#include "monitor/agent/machine_io.h"
#include "tests/unit/scratch.h"

#define HERE "0123456789abcdef"
#define ELSEWHERE "fedcba9876543210"

static const struct weir_log quiet;

/* How many it names, the first and the last. */
static size_t named(const struct weir_instances *instances, char first[static WEIR_INSTANCE_TEXT],
                    char last[static WEIR_INSTANCE_TEXT])
{
    struct weir_slice list = weir_slice_of(instances->before);
    size_t count = 0;

    assert_true(weir_instances_fit(list));
    for (first[0] = last[0] = '\0'; weir_instances_next(&list, last); count++)
        if (count == 0)
            strcpy(first, last);
    return count;
}

static void A13_a_successor_names_the_one_let_in_and_the_latest_since(void **state)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_path(scratch, "instance");
    char known[WEIR_INSTANCE_TEXT], latest[WEIR_INSTANCE_TEXT] = "";
    char first[WEIR_INSTANCE_TEXT], last[WEIR_INSTANCE_TEXT];
    struct weir_instances instances;
    (void)state;
    weir_instances_begin(&instances, path, HERE, &quiet);
    assert_string_equal(instances.before, "");
    weir_instances_let_in(&instances, &quiet);
    strcpy(known, instances.now);
    for (size_t killed = 0; killed < 2 * WEIR_INSTANCES_KNOWN; killed++) {
        weir_instances_begin(&instances, path, HERE, &quiet);
        size_t most = WEIR_INSTANCES_KNOWN - 1, want = killed + 1 < most ? killed + 1 : most;
        assert_int_equal(named(&instances, first, last), want);
        assert_string_equal(first, known);
        assert_string_equal(last, killed > 0 ? latest : known);
        strcpy(latest, instances.now);
    }
    weir_instances_let_in(&instances, &quiet);
    strcpy(known, instances.now);
    weir_instances_begin(&instances, path, HERE, &quiet);
    assert_string_equal(instances.before, known);
    assert_string_not_equal(instances.now, known);
    scratch_free(scratch);
}

static void A13_a_copied_machine_names_none_of_the_first_ones(void **state)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_path(scratch, "instance");
    char known[WEIR_INSTANCE_TEXT], text[128];
    struct weir_instances instances;
    FILE *file;
    (void)state;
    for (int let_in = 0; let_in < 2; let_in++) {
        weir_instances_begin(&instances, path, HERE, &quiet);
        if (let_in)
            weir_instances_let_in(&instances, &quiet);
        weir_instances_begin(&instances, path, ELSEWHERE, &quiet);
        assert_string_equal(instances.before, "");
        strcpy(known, instances.now); /* from now on it is the file's own */
        weir_instances_begin(&instances, path, ELSEWHERE, &quiet);
        assert_string_equal(instances.before, known);
    }
    file = fopen(path, "w"); /* as before there was a second line */
    assert_non_null(file);
    fprintf(file, "%s\n", known);
    fclose(file);
    weir_instances_begin(&instances, path, HERE, &quiet);
    assert_string_equal(instances.before, known);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fgets(text, sizeof text, file) && fgets(text, sizeof text, file));
    assert_string_equal(text, "machine " HERE "\n");
    fclose(file);
    scratch_free(scratch);
}

/* A machine with these cards, each with an address of its own: a capital has a device, and what is
 * no letter is a bridge. */
static const char *machine_with(const char *cards, char text_r[static WEIR_MACHINE_TEXT])
{
    struct scratch *scratch = scratch_new();
    const char *root = scratch_path(scratch, "root");
    char text[2048];
    for (; *cards; cards++) {
        bool device = isupper((unsigned char)*cards), bridge = !isalpha((unsigned char)*cards);
        snprintf(text, sizeof text, "c=%s/sys/class/net/e%c; mkdir -p $c %s; echo 1 >$c/type; "
                 "echo 02:00:00:00:00:%02x >$c/address", root, *cards,
                 device ? "$c/device" : bridge ? "$c/bridge" : "", tolower(*cards));
        assert_int_equal(system(text), 0);
    }
    snprintf(text, sizeof text, "mkdir -p %s/etc %s/sys/class/net/lo; echo 772 "
             ">%s/sys/class/net/lo/type; echo 123 >%s/etc/machine-id", root, root, root, root);
    assert_int_equal(system(text), 0);
    weir_machine_name(root, text_r);
    scratch_free(scratch);
    return text_r;
}

static void A13_cards_and_in_a_container_its_own_ends_make_the_name(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {{"AB", "BA", true},  {"AB", "AC", false}, {"A", "Aq", true},
                 {"a", "a", true},    {"a", "b", false},   {"a", "a1", true},
                 {"", "", true},      {"a", "A", true},    {"", "a", false}};
    char one[WEIR_MACHINE_TEXT], other[WEIR_MACHINE_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if ((strcmp(machine_with(cases[i].one, one), machine_with(cases[i].other, other)) == 0) !=
            cases[i].same)
            fail_msg("%s and %s", cases[i].one, cases[i].other);
}

static void a_machine_has_the_same_name_again(void **state)
{
    char one[WEIR_MACHINE_TEXT], other[WEIR_MACHINE_TEXT];
    (void)state;
    assert_string_equal(weir_machine_name("", one), weir_machine_name("", other));
    assert_int_equal(strlen(one), WEIR_MACHINE_TEXT - 1);
    assert_int_equal(strspn(one, "0123456789abcdef"), WEIR_MACHINE_TEXT - 1);
}

static void what_is_no_list_is_passed_over(void **state)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_path(scratch, "instance");
    struct weir_instances instances;
    FILE *file = fopen(path, "w");
    (void)state;
    assert_non_null(file);
    fputs("0123456789abcdef0123456789abcdef,nonsense\n", file);
    fclose(file);
    weir_instances_begin(&instances, path, HERE, &quiet);
    assert_string_equal(instances.before, "0123456789abcdef0123456789abcdef");
    file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("0123456789abcdef0123456789abcdef,", file);
    fclose(file);
    weir_instances_begin(&instances, path, HERE, &quiet);
    assert_string_equal(instances.before, "");
    scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A13_a_successor_names_the_one_let_in_and_the_latest_since),
        cmocka_unit_test(A13_a_copied_machine_names_none_of_the_first_ones),
        cmocka_unit_test(A13_cards_and_in_a_container_its_own_ends_make_the_name),
        cmocka_unit_test(a_machine_has_the_same_name_again),
        cmocka_unit_test(what_is_no_list_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
