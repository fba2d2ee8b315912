/*
 * settings_rig - a table with a row of every kind, read with problems kept.
 */
#ifndef WEIR_TESTS_SETTINGS_RIG_H
#define WEIR_TESTS_SETTINGS_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/settings.h"

struct values {
    const char *text;
    int mode;
    bool yes;
    int64_t count, count_at_large, size, period, period_from_1m, bits, any_bits;
    double number, share, rate, rate_to_10;
    struct weir_strings list;
    int64_t other_count;
};

#define AT(field) offsetof(struct values, field)

/* What was reported, a line each. */
struct told {
    char text[1 << 16];
    unsigned count;
};

struct fixture {
    struct weir_arena *arena;
    struct told told;
    struct weir_settings_report report;
    struct values values;
};

/* The table: sections main and other. */
extern const struct weir_settings every_kind;

/* cmocka's: *state is a struct fixture. */
int settings_set_up(void **state);
int settings_tear_down(void **state);

/* Reads a file over the defaults, what was told before being forgotten. */
int read_settings_bytes(struct fixture *f, const char *bytes, size_t len);
int read_settings(struct fixture *f, const char *text);

/* Reads a file of "[main]" and "name = text". */
int read_setting(struct fixture *f, const char *name, const char *text);

const struct weir_setting *setting_named(const char *name);

#define WITH_SETTINGS(name) \
    cmocka_unit_test_setup_teardown(name, settings_set_up, settings_tear_down)

#endif
