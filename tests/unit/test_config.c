/* config - the table of all settings is sound, and says what people rely on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/engine/config.h"

struct heard {
    unsigned lines;
    char reason[512];
};

static void hear(void *context, const char *file, unsigned line, const char *reason)
{
    struct heard *heard = context;

    (void)file;
    (void)line;
    heard->lines++;
    strncpy(heard->reason, reason, sizeof heard->reason - 1);
}

static int read_text(const char *text, struct weir_arena *arena, struct weir_config *config,
                     struct heard *heard)
{
    struct weir_settings_report report = {hear, heard};

    *heard = (struct heard){0};
    return weir_settings_read_bytes(weir_config_settings(), "weir.conf", text, strlen(text),
                                    arena, &report, config);
}

static void every_default_parses_and_is_the_safe_one(void **state)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_reputation_settings reputation = weir_reputation_defaults();
    struct weir_config config;

    (void)state;
    assert_int_equal(weir_settings_default(weir_config_settings(), arena, &config), 0);
    assert_int_equal(config.mode, WEIR_OBSERVE);
    assert_int_equal(config.counters, WEIR_COUNTERS_LOCAL);
    assert_int_equal(config.wait, 50000);
    assert_string_equal(config.listen.item[0], "inet:127.0.0.1:10040");
    assert_int_equal(config.exempt_recipients.count, 2);
    /* one truth for the reputation's defaults */
    assert_int_equal(config.reputation.ipv4_bits, reputation.ipv4_bits);
    assert_true(config.reputation.weight_user == reputation.weight_user);
    assert_true(config.reputation.strength_pair == reputation.strength_pair);
    assert_true(config.reputation.strength_address == reputation.strength_address);
    assert_true(config.reputation.strength_network == reputation.strength_network);
    assert_true(config.reputation.strength_domain == reputation.strength_domain);
    assert_int_equal(config.reputation.half_life_pair, reputation.half_life_pair);
    assert_int_equal(config.reputation.half_life_address, reputation.half_life_address);
    assert_int_equal(config.reputation.half_life_rate, reputation.half_life_rate);
    assert_true(config.reputation.associate_good == reputation.associate_good);
    assert_true(config.reputation.associate_novelty == reputation.associate_novelty);
    weir_arena_free(&arena);
}

static void rows_are_complete_and_no_two_have_one_name(void **state)
{
    const struct weir_settings *settings = weir_config_settings();

    (void)state;
    for (size_t i = 0; i < settings->count; i++) {
        const struct weir_setting *row = &settings->row[i];
        assert_true(strlen(row->sentence) > 20);
        assert_int_equal(row->sentence[strlen(row->sentence) - 1], '.');
        assert_true((row->kind == WEIR_CHOICE) == (row->choices != NULL));
        for (size_t k = 0; k < i; k++)
            assert_false(strcmp(row->section, settings->row[k].section) == 0 &&
                         strcmp(row->name, settings->row[k].name) == 0);
    }
}

static void lists_of_addresses_and_sockets_are_checked_where_they_are_written(void **state)
{
    static const struct {
        const char *text, *says;
    } table[] = {
        {"[weir]\nnever = 127.0.0.0/8, banana\n", "banana"},
        {"[weir]\nnever = 192.0.2.7/24\n", "192.0.2.7/24"},
        {"[policyd]\nlisten = 127.0.0.1:10040\n", "inet:"},
        {"[policyd]\nlisten = inet:127.0.0.1:0x\n", "inet:127.0.0.1:0x"},
        {"[policyd]\nlisten = unix:relative\n", "unix:relative"},
        {"[metrics]\nlisten = unix:/run/weir/metrics\n", "it has to be inet:"},
        {"[metrics]\nnames = mx1.example, mx1.example:8427\n", "host's name alone"},
        {"[metrics]\nnames = http://mx1.example\n", "host's name alone"},
        {"[metrics]\nnames = mx1.example.\n", "host's name alone"},
        {"[metrics]\nnames = [::1]\n", "host's name alone"},
        {"[sniffer]\nports = 25, 65536\n", "65536"},
        {"[sniffer]\nports = 0\n", "0"},
        {"[sniffer]\nports = 25x\n", "25x"},
        {"[sniffer]\nproxies = 10.0.0.1/8\n", "10.0.0.1/8"},
    };
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_config config;
    struct heard heard;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_true(read_text(table[i].text, arena, &config, &heard) < 0);
        assert_int_equal(heard.lines, 1);
        assert_non_null(strstr(heard.reason, table[i].says));
    }
    assert_int_equal(read_text("[policyd]\nlisten = inet:[::1]:10040, unix:/run/weir/p\n", arena,
                               &config, &heard), 0);
    assert_int_equal(read_text("[metrics]\nnames = MX1.example, mx_2\n", arena, &config, &heard),
                     0);
    weir_arena_free(&arena);
}

static void settings_that_contradict_each_other_are_told(void **state)
{
    static const struct {
        const char *text, *says;
    } table[] = {
        {"[weir]\ncounters = memcached\n[memcached]\nservers =\n", "servers"},
        {"[memcached]\nretry_least = 1m\nretry_most = 10ms\n", "retry_least"},
        {"[reputation]\nprior_least = 0.9\nprior_most = 0.1\n", "prior_least"},
        {"[reputation]\nweight_user = 0\nweight_computer = 0\n", "weight_user"},
        {"[decision]\nunsure_probability = 0.9\nspam_probability = 0.6\n", "unsure_probability"},
        {"[weir]\nlists_file = a\ncounters_file = a\n", "same file"},
        {"[sniffer]\nports = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "ports"},
    };
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_config config;
    struct heard heard;

    (void)state;
    assert_int_equal(weir_settings_default(weir_config_settings(), arena, &config), 0);
    assert_null(weir_config_conflict(&config));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(read_text(table[i].text, arena, &config, &heard), 0);
        assert_non_null(strstr(weir_config_conflict(&config), table[i].says));
    }
    weir_arena_free(&arena);
}

static void files_lie_in_the_state_directory_unless_absolute(void **state)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_config config;
    struct heard heard;

    (void)state;
    assert_int_equal(read_text("[weir]\nstate_directory = /srv/weir\n", arena, &config, &heard), 0);
    assert_string_equal(weir_config_path(&config, "lists.db", arena), "/srv/weir/lists.db");
    assert_string_equal(weir_config_path(&config, "/x/lists.db", arena), "/x/lists.db");
    assert_true(read_text("[weir]\nstate_directory = srv/weir\n", arena, &config, &heard) < 0);
    assert_non_null(strstr(heard.reason, "begin with a slash"));
    weir_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_parses_and_is_the_safe_one),
        cmocka_unit_test(rows_are_complete_and_no_two_have_one_name),
        cmocka_unit_test(lists_of_addresses_and_sockets_are_checked_where_they_are_written),
        cmocka_unit_test(settings_that_contradict_each_other_are_told),
        cmocka_unit_test(files_lie_in_the_state_directory_unless_absolute),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
