/*
 * Gateways of the configuration and the file of what was learned (core/engine/gateways_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/engine/gateways_io.h"
#include "tests/unit/scratch.h"

#define NOW (20000 * WEIR_DAY)
#define HOST "198.51.100.3"

static const struct weir_hash_key key = {{1, 2, 3}};
static const struct weir_slice anybody = {"", 0};

struct desk {
    struct scratch *scratch;
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_gateways *gateways;
    const char *path;
};

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    desk->scratch = scratch_new();
    desk->arena = weir_arena_new(4096);
    desk->path = weir_arena_printf(desk->arena, "%s/gateways", desk->scratch->directory);
    assert_non_null(desk->path);
    assert_int_equal(weir_settings_default(weir_config_settings(), desk->arena, &desk->config), 0);
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;

    weir_gateways_free(&desk->gateways);
    weir_arena_free(&desk->arena);
    scratch_free(desk->scratch);
    free(desk);
    return 0;
}

static int reopen(struct desk *desk)
{
    weir_gateways_free(&desk->gateways);
    return weir_gateways_open(&desk->config, &key, desk->path, &desk->gateways);
}

static struct weir_address address(const char *text)
{
    struct weir_address parsed;

    assert_int_equal(weir_address_parse(text, strlen(text), &parsed), 0);
    return parsed;
}

static enum weir_gateway_state state_of(const struct desk *desk, const char *text)
{
    struct weir_address which = address(text);
    return weir_gateways_state(desk->gateways, &which, anybody);
}

static void decide(struct desk *desk, const char *text, enum weir_gateway_state state)
{
    struct weir_address which = address(text);
    assert_int_equal(weir_gateways_decide(desk->gateways, &which, state, NOW), 0);
}

/* HOST passes on what many others send, day after day. */
static void see_a_gateway(struct desk *desk)
{
    for (uint32_t i = 0; i < 3000; i++) {
        char text[64];
        struct weir_gateway_sighting seen = {
            .at = NOW + i * (6 * WEIR_DAY / 3000), .listener = {"25", 2}, .address = address(HOST),
            .has_next = true};

        snprintf(text, sizeof text, "%u.%u.1.%u", 20 + i % 100, i % 7, i % 250);
        seen.next = address(text);
        snprintf(text, sizeof text, "u%u@d%u.example", i % 30, i % 40);
        seen.domain = seen.recipient = (struct weir_slice){text, strlen(text)};
        weir_gateways_observe(desk->gateways, &seen);
    }
    weir_gateways_review(desk->gateways, NOW + 6 * WEIR_DAY, NULL, NULL);
}

static int files_in(const char *folder)
{
    int files = 0;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        files += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(dir);
    return files;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void C8_those_of_the_configuration_are_gateways_without_a_file(void **state)
{
    static const char *item[] = {"198.51.100.0/28", "2001:db8::1", "not a prefix"};
    struct desk *desk = *state;

    desk->config.gateways.item = item;
    desk->config.gateways.count = 3;
    assert_int_equal(reopen(desk), 0);
    assert_int_equal(state_of(desk, HOST), WEIR_GATEWAY_CONFIGURED);
    assert_int_equal(state_of(desk, "2001:db8::1"), WEIR_GATEWAY_CONFIGURED);
    assert_int_equal(state_of(desk, "198.51.100.16"), WEIR_GATEWAY_NONE);
    assert_int_equal(state_of(desk, "2001:db8::2"), WEIR_GATEWAY_NONE);
}

static void C10_only_what_the_configuration_corroborates_becomes_active(void **state)
{
    static const char *host[] = {HOST}, *other[] = {"192.0.2.1"};
    static const struct {
        const char *title, **mx, **never;
        enum weir_gateway_state want;
    } cases[] = {
        {"nothing", other, other, WEIR_GATEWAY_PROPOSED},
        {"an MX of ours", host, other, WEIR_GATEWAY_ACTIVE},
        {"on the never-list", other, host, WEIR_GATEWAY_ACTIVE},
    };
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        desk->config.mx.item = cases[i].mx;
        desk->config.never.item = cases[i].never;
        desk->config.mx.count = desk->config.never.count = 1;
        assert_int_equal(reopen(desk), 0);
        see_a_gateway(desk);
        if (state_of(desk, HOST) != cases[i].want)
            fail_msg("%s: %s", cases[i].title, weir_gateway_state_name(state_of(desk, HOST)));
    }
}

static void what_was_learned_and_decided_is_kept(void **state)
{
    struct desk *desk = *state;

    assert_int_equal(reopen(desk), 0);
    see_a_gateway(desk);
    decide(desk, "192.0.2.1", WEIR_GATEWAY_ACTIVE);
    decide(desk, "192.0.2.2", WEIR_GATEWAY_REJECTED);
    assert_int_equal(weir_gateways_keep(desk->gateways, desk->path), 0);
    assert_int_equal(reopen(desk), 0);
    assert_int_equal(state_of(desk, HOST), WEIR_GATEWAY_PROPOSED);
    assert_int_equal(state_of(desk, "192.0.2.1"), WEIR_GATEWAY_ACTIVE);
    assert_int_equal(state_of(desk, "192.0.2.2"), WEIR_GATEWAY_REJECTED);
    assert_int_equal(state_of(desk, "192.0.2.3"), WEIR_GATEWAY_NONE);
    assert_int_equal(files_in(desk->scratch->directory), 1);
}

static void a_damaged_file_is_told_and_the_configuration_holds(void **state)
{
    static const char *host[] = {HOST};
    static const char *const text[] = {"junk\n", "", "\n\n\n"};
    struct desk *desk = *state;

    desk->config.gateways.item = host;
    desk->config.gateways.count = 1;
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        write_file(desk->path, text[i]);
        assert_int_equal(reopen(desk), WEIR_ECORRUPT);
        assert_non_null(desk->gateways);
        assert_int_equal(state_of(desk, HOST), WEIR_GATEWAY_CONFIGURED);
        assert_int_equal(state_of(desk, "192.0.2.1"), WEIR_GATEWAY_NONE);
    }
}

/* A file cut anywhere is damaged or shorter, and never more than it was. */
static void a_file_cut_anywhere_does_no_harm(void **state)
{
    struct desk *desk = *state;
    static char text[65536];
    size_t len;
    FILE *file;

    assert_int_equal(reopen(desk), 0);
    decide(desk, "192.0.2.1", WEIR_GATEWAY_ACTIVE);
    decide(desk, "192.0.2.2", WEIR_GATEWAY_REJECTED);
    assert_int_equal(weir_gateways_keep(desk->gateways, desk->path), 0);
    file = fopen(desk->path, "r");
    assert_non_null(file);
    len = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(len > 0 && len < sizeof text);
    for (; len > 0; len = len > 7 ? len - 7 : 0) {
        int done;

        assert_int_equal(truncate(desk->path, (off_t)len), 0);
        done = reopen(desk);
        assert_true(done == 0 || done == WEIR_ECORRUPT);
        assert_int_not_equal(state_of(desk, "192.0.2.2"), WEIR_GATEWAY_ACTIVE);
        assert_int_equal(state_of(desk, "192.0.2.3"), WEIR_GATEWAY_NONE);
    }
}

static size_t file_size(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

/* Made as long as asked by octets 0 behind what was saved: damaged, if it is read at all. */
static void WEIR_GATEWAYS_FILE_MAX_octets_are_read_and_no_more(void **state)
{
    struct desk *desk = *state;

    assert_int_equal(reopen(desk), 0);
    decide(desk, HOST, WEIR_GATEWAY_ACTIVE);
    assert_int_equal(weir_gateways_keep(desk->gateways, desk->path), 0);
    assert_int_equal(truncate(desk->path, WEIR_GATEWAYS_FILE_MAX), 0);
    assert_int_equal(reopen(desk), WEIR_ECORRUPT);
    assert_int_equal(truncate(desk->path, WEIR_GATEWAYS_FILE_MAX + 1), 0);
    assert_int_equal(reopen(desk), WEIR_ELIMIT);
    assert_int_equal(state_of(desk, HOST), WEIR_GATEWAY_NONE);
    assert_int_equal(file_size(desk->path), WEIR_GATEWAYS_FILE_MAX + 1);
}

static void all_that_can_be_learned_fits_into_a_file(void **state)
{
    struct desk *desk = *state;

    assert_int_equal(reopen(desk), 0);
    for (uint32_t i = 0; i < WEIR_GATEWAY_CANDIDATES_MAX; i++) {
        char text[WEIR_ADDRESS_TEXT];
        struct weir_gateway_sighting seen = {.at = NOW};

        snprintf(text, sizeof text, "2001:db8:1111:2222:3333:4444:5555:%x", i + 0x1000);
        seen.address = address(text);
        for (uint32_t k = 0; k < 8; k++) {
            snprintf(text, sizeof text, "l%u", k % 4);
            seen.listener = (struct weir_slice){text, 2};
            text[2] = (char)('a' + k);
            seen.recipient = (struct weir_slice){text + 2, 1};
            weir_gateways_observe(desk->gateways, &seen);
        }
    }
    assert_int_equal(weir_gateways_keep(desk->gateways, desk->path), 0);
    assert_true(file_size(desk->path) < WEIR_GATEWAYS_FILE_MAX / 2);
    assert_int_equal(reopen(desk), 0);
    assert_int_equal(state_of(desk, "2001:db8:1111:2222:3333:4444:5555:1fff"),
                     WEIR_GATEWAY_CANDIDATE);
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    struct desk *desk = *state;

    desk->path = desk->scratch->directory; /* can be opened, but not read */
    assert_int_equal(reopen(desk), WEIR_EIO);
    assert_int_equal(errno, EISDIR);
    assert_non_null(desk->gateways);
}

/* One kind of prefix filled up to n of them, the last of which is HOST. */
static int open_with(struct desk *desk, struct weir_strings *kind, size_t n)
{
    static char text[WEIR_GATEWAYS_MAX + 1][24];
    static const char *item[WEIR_GATEWAYS_MAX + 1];

    for (size_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], "10.0.%zu.%zu", i / 256, i % 256);
        item[i] = i + 1 < n ? text[i] : HOST;
    }
    *kind = (struct weir_strings){.item = item, .count = n};
    return reopen(desk);
}

static void WEIR_GATEWAYS_MAX_prefixes_are_taken_and_one_too_many_is_told(void **state)
{
    struct desk *desk = *state;
    struct weir_strings *const kind[] = {&desk->config.gateways, &desk->config.mx,
                                         &desk->config.never};

    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        for (size_t k = 0; k < sizeof kind / sizeof kind[0]; k++)
            kind[k]->count = 0;
        assert_int_equal(open_with(desk, kind[i], WEIR_GATEWAYS_MAX), 0);
        if (i == 0)
            assert_int_equal(state_of(desk, HOST), WEIR_GATEWAY_CONFIGURED);
        assert_int_equal(open_with(desk, kind[i], WEIR_GATEWAYS_MAX + 1), WEIR_ELIMIT);
        if (i == 0)
            assert_int_equal(state_of(desk, "10.0.3.255"), WEIR_GATEWAY_CONFIGURED);
        assert_int_equal(state_of(desk, HOST), WEIR_GATEWAY_NONE);
    }
}

static void a_place_that_cannot_be_written_is_told(void **state)
{
    struct desk *desk = *state;
    char longest[5000];

    assert_int_equal(reopen(desk), 0);
    assert_int_equal(weir_gateways_keep(desk->gateways, "/nowhere/at/all/gateways"), WEIR_EIO);
    assert_int_equal(errno, ENOENT);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(weir_gateways_keep(desk->gateways, longest), WEIR_ELIMIT);
}

static void a_full_disk_leaves_the_old_file_and_nothing_beside_it(void **state)
{
    struct desk *desk = *state;
    int status;
    pid_t pid;

    assert_int_equal(reopen(desk), 0);
    decide(desk, "192.0.2.1", WEIR_GATEWAY_ACTIVE);
    assert_int_equal(weir_gateways_keep(desk->gateways, desk->path), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) { /* the limit of a file's size stands for the end of the disk */
        struct rlimit little = {64, 64};

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &little);
        decide(desk, "192.0.2.1", WEIR_GATEWAY_REJECTED);
        _exit(weir_gateways_keep(desk->gateways, desk->path) == WEIR_EIO ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(reopen(desk), 0);
    assert_int_equal(state_of(desk, "192.0.2.1"), WEIR_GATEWAY_ACTIVE);
    assert_int_equal(files_in(desk->scratch->directory), 1);
}

#define WITH_DESK(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DESK(C8_those_of_the_configuration_are_gateways_without_a_file),
        WITH_DESK(C10_only_what_the_configuration_corroborates_becomes_active),
        WITH_DESK(what_was_learned_and_decided_is_kept),
        WITH_DESK(a_damaged_file_is_told_and_the_configuration_holds),
        WITH_DESK(a_file_cut_anywhere_does_no_harm),
        WITH_DESK(WEIR_GATEWAYS_FILE_MAX_octets_are_read_and_no_more),
        WITH_DESK(all_that_can_be_learned_fits_into_a_file),
        WITH_DESK(a_file_that_cannot_be_read_is_told),
        WITH_DESK(WEIR_GATEWAYS_MAX_prefixes_are_taken_and_one_too_many_is_told),
        WITH_DESK(a_place_that_cannot_be_written_is_told),
        WITH_DESK(a_full_disk_leaves_the_old_file_and_nothing_beside_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
