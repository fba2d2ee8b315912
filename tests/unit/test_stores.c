/* stores - what a program opens, and what it does without. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/stores_io.h"

struct place {
    char folder[64], path[96];
    struct weir_arena *arena;
    struct weir_config config;
    char said[2048];
};

static void hear(void *context, enum weir_log_level level, const char *line)
{
    struct place *place = context;

    (void)level;
    strncat(place->said, line, sizeof place->said - strlen(place->said) - 1);
}

static struct weir_log ear(struct place *place)
{
    return (struct weir_log){hear, place, WEIR_LOG_DEBUG};
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    strcpy(place->folder, "/tmp/weir-stores-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->arena = weir_arena_new(4096);
    assert_int_equal(weir_settings_default(weir_config_settings(), place->arena, &place->config),
                     0);
    place->config.state_directory = place->folder;
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", place->folder);
    assert_int_equal(system(command), 0);
    weir_arena_free(&place->arena);
    free(place);
    return 0;
}

static const char *file(struct place *place, const char *name)
{
    snprintf(place->path, sizeof place->path, "%s/%s", place->folder, name);
    return place->path;
}

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void a_key_is_made_once_and_read_ever_after(void **state)
{
    struct place *place = *state;
    struct weir_hash_key one, two;
    struct stat status;

    assert_int_equal(weir_key_file(file(place, "k"), &one), 0);
    assert_int_equal(weir_key_file(file(place, "k"), &two), 0);
    assert_memory_equal(&one, &two, sizeof one);
    assert_int_equal(stat(file(place, "k"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(status.st_size, 33);
}

static void a_file_that_holds_no_key_is_refused_and_kept(void **state)
{
    static const char *const table[] = {
        "", "00112233445566778899aabbccddee", "00112233445566778899aabbccddeeffaa\n",
        "00112233445566778899aabbccddeexx\n", "hello, this is certainly no key at all\n"};
    struct place *place = *state;
    struct weir_hash_key key;
    char kept[64] = "";

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        put(file(place, "k"), table[i]);
        assert_int_equal(weir_key_file(place->path, &key), WEIR_EINVAL);
    }
    FILE *in = fopen(place->path, "r");
    assert_non_null(fgets(kept, sizeof kept, in));
    fclose(in);
    assert_string_equal(kept, table[4]);
}

static void programs_that_start_at_once_agree_on_one_key(void **state)
{
    struct place *place = *state;
    struct weir_hash_key mine, theirs;
    int pipes[2], status;

    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            (void)weir_key_file(file(place, "k"), &mine);
            (void)!write(pipes[1], &mine, sizeof mine);
            _exit(0);
        }
    }
    assert_int_equal(weir_key_file(file(place, "k"), &mine), 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(read(pipes[0], &theirs, sizeof theirs), sizeof theirs);
        assert_memory_equal(&mine, &theirs, sizeof mine);
        wait(&status);
    }
    close(pipes[0]);
    close(pipes[1]);
}

static void a_fresh_folder_opens_for_a_writer(void **state)
{
    struct place *place = *state;
    struct weir_log log = ear(place);
    struct weir_stores stores;

    assert_int_equal(weir_stores_open(&place->config,
                                      WEIR_STORES_WRITE_LISTS | WEIR_STORES_WRITE_COUNTERS, &log,
                                      &stores), 0);
    assert_non_null(stores.lists);
    assert_non_null(stores.counters);
    assert_non_null(stores.domains);
    assert_string_equal(place->said, "");
    weir_stores_close(&stores);
    assert_null(stores.lists);
}

static void damaged_files_are_named_and_the_rest_is_opened(void **state)
{
    struct place *place = *state;
    struct weir_log log = ear(place);
    struct weir_stores stores;

    put(file(place, "lists.db"), "this is not a database at all, but long enough to be looked at");
    assert_true(weir_stores_open(&place->config, WEIR_STORES_WRITE_COUNTERS, &log, &stores) < 0);
    assert_null(stores.lists);
    assert_non_null(stores.counters);
    assert_non_null(strstr(place->said, "/lists.db: "));
    weir_stores_close(&stores);
}

static void without_a_folder_nothing_opens_and_the_path_is_said(void **state)
{
    struct place *place = *state;
    struct weir_log log = ear(place);
    struct weir_stores stores;

    place->config.state_directory = "/nonexistent/weir";
    assert_true(weir_stores_open(&place->config, WEIR_STORES_WRITE_LISTS, &log, &stores) < 0);
    assert_non_null(strstr(place->said, "/nonexistent/weir/"));
    assert_non_null(stores.domains);
    weir_stores_close(&stores);
}

static void a_cluster_needs_nobody_up_to_be_opened(void **state)
{
    struct place *place = *state;
    struct weir_log log = ear(place);
    struct weir_stores stores;
    static const char *const nobody[] = {"127.0.0.1:1"};

    place->config.counters = WEIR_COUNTERS_MEMCACHED;
    place->config.servers = (struct weir_strings){nobody, 1};
    assert_int_equal(weir_stores_open(&place->config, WEIR_STORES_WRITE_LISTS, &log, &stores), 0);
    assert_non_null(stores.counters);
    weir_stores_close(&stores);
}

static void hear_problem(void *context, const char *name, unsigned line, const char *reason)
{
    struct place *place = context;
    char text[128];

    (void)name;
    snprintf(text, sizeof text, "%u: %s\n", line, reason);
    strncat(place->said, text, sizeof place->said - strlen(place->said) - 1);
}

static int fit_no_x(const char *text, const char **why_r)
{
    *why_r = "it has an x";
    return strchr(text, 'x') ? WEIR_EINVAL : 0;
}

static void a_program_refuses_texts_that_the_table_lets_through(void **state)
{
    static const struct weir_config_check checks[] = {{"threshold", "ladder", fit_no_x},
                                                      {"monitor", "alert_mail", fit_no_x}};
    struct place *place = *state;
    const struct weir_settings_report report = {hear_problem, place};
    const char *path = file(place, "weir.conf");
    struct weir_config config;

    put(path, "[threshold]\nladder = x\n[monitor]\nalert_webhook = x\n\nalert_mail = axb\n");
    assert_int_equal(weir_config_load(path, place->arena, &report, &config), 0);
    assert_string_equal(place->said, "");
    assert_int_equal(weir_config_load_checked(path, place->arena, &report, checks, 2, &config),
                     WEIR_EINVAL);
    assert_string_equal(place->said, "2: ladder: \"x\": it has an x\n"
                                     "6: alert_mail: \"axb\": it has an x\n");
    put(path, "[threshold]\nladder = y\n");
    assert_int_equal(weir_config_load_checked(path, place->arena, &report, checks, 2, &config), 0);
    assert_string_equal(config.threshold_ladder, "y");
}

static void a_state_directory_has_to_be_a_folder(void **state)
{
    struct place *place = *state;
    struct weir_log log = ear(place);

    assert_int_equal(weir_config_check_state(&place->config, &log), 0);
    assert_string_equal(place->said, "");
    put(file(place, "plain"), "");
    place->config.state_directory = place->path;
    assert_int_equal(weir_config_check_state(&place->config, &log), WEIR_EIO);
    assert_non_null(strstr(place->said, "plain: it is no folder"));
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(weir_config_check_state(&place->config, &log), WEIR_EIO);
    assert_non_null(strstr(place->said, "plain: No such file"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_made_once_and_read_ever_after),
        TEST(a_file_that_holds_no_key_is_refused_and_kept),
        TEST(programs_that_start_at_once_agree_on_one_key),
        TEST(a_fresh_folder_opens_for_a_writer),
        TEST(damaged_files_are_named_and_the_rest_is_opened),
        TEST(without_a_folder_nothing_opens_and_the_path_is_said),
        TEST(a_cluster_needs_nobody_up_to_be_opened),
        TEST(a_program_refuses_texts_that_the_table_lets_through),
        TEST(a_state_directory_has_to_be_a_folder),
    };
    return cmocka_run_group_tests_name("stores", tests, NULL, NULL);
}
