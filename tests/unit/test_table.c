/* table - rows are chosen by conditions and sorted, and what is none is refused in one sentence. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/view/table.h"

static const struct weir_table_column columns[] = {
    {"name", NULL, "name", WEIR_TABLE_TEXTS, 0},
    {"hits", "all_hits", "hits", WEIR_TABLE_COUNTS, 0},
    {"works", NULL, NULL, WEIR_TABLE_YES_OR_NO, 0},
    {"last_hit", NULL, NULL, WEIR_TABLE_TIMES, 0},
    {"age", NULL, NULL, WEIR_TABLE_AGES, 0},
};

static const struct { const char *name; double hits, works, last, age; } rules[] = {
    {"CHEAP", 7, 1, 1e15, 20}, {"ALPHA", 0, 0, 0, 1}, {"beta", 7, 1, 2e15, 3},
    {"NONE", (double)NAN, 0, 0, 40},
};

static struct weir_table_cell cell(const void *context, size_t row, size_t column)
{
    const double numbers[] = {0, rules[row].hits, rules[row].works, rules[row].last,
                              rules[row].age};

    (void)context;
    return (struct weir_table_cell){.number = numbers[column],
                                    .text = weir_slice_of(rules[row].name)};
}

/* The first letters of what is chosen; "?": it is refused. */
static const char *chosen(const char *sort, const char *where)
{
    static char text[8], why[WEIR_TABLE_WHY];
    struct weir_table table = {columns, 5, 4, cell, NULL, NULL, 0};
    const struct weir_table_choice choice = {sort, where};
    struct weir_arena *arena = weir_arena_new(4096);
    int rc = weir_table_choose(&table, &choice, arena, why);

    memset(text, 0, sizeof text);
    assert_int_equal(weir_table_check(&table, &choice, arena, why), rc);
    if (rc == WEIR_EINVAL) {
        assert_true(why[0] && why[0] != '-' && !strchr(why, '\n'));
        text[0] = '?';
    }
    for (size_t i = 0; rc == 0 && i < table.count; i++)
        text[i] = rules[table.chosen[i]].name[0];
    weir_arena_free(&arena);
    return text;
}

static void conditions_choose_and_columns_sort(void **state)
{
    static const struct { const char *sort, *where, *want; } cases[] = {
        {NULL, NULL, "ACNb"}, {"-name", NULL, "bNCA"}, {"hits", NULL, "ACbN"},
        {"-hits", NULL, "CbAN"}, {"all-hits", NULL, "ACbN"}, {"last-hit", NULL, "ANCb"},
        {NULL, "hits>0", "Cb"}, {NULL, "hits>=7", "Cb"}, {NULL, "hits<7", "A"},
        {NULL, "hits<=0", "A"}, {NULL, "hits=7,name!=beta", "C"}, {NULL, "name=beta", "b"},
        {NULL, "name~BET", "b"}, {NULL, "works=yes", "Cb"}, {NULL, "age<20d", "Ab"},
        {NULL, "age>3w", "N"}, {NULL, "last_hit>2002-01-01", "b"}, {NULL, "hits=8", ""},
        {"colour", NULL, "?"}, {"--hits", NULL, "?"}, {NULL, "hits", "?"}, {NULL, "hits>x", "?"},
        {NULL, "hits~7", "?"}, {NULL, "name>b", "?"}, {NULL, "colour=1", "?"},
        {NULL, "last_hit>never", "?"}, {NULL, "=1", "?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(chosen(cases[i].sort, cases[i].where), cases[i].want);
}

static void there_are_so_many_conditions_and_no_more(void **state)
{
    char where[16 * (WEIR_TABLE_CONDITIONS_MAX + 1)] = "";
    (void)state;
    for (int i = 0; i < WEIR_TABLE_CONDITIONS_MAX; i++)
        strcat(where, i == 0 ? "hits>0" : ",hits>0");
    assert_string_equal(chosen(NULL, where), "Cb");
    strcat(where, ",hits>0");
    assert_string_equal(chosen(NULL, where), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_choose_and_columns_sort),
        cmocka_unit_test(there_are_so_many_conditions_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
