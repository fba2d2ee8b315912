/*
 * table - rows of named columns: chosen and sorted by any of them, and as JSON.
 *
 *     sort "hits", "-hits"                 upwards, downwards
 *     where "spam>100,state=active"        <, <=, >, >=, =, !=; of texts =, != and ~ (holds it);
 *                                          times as 2026-11-21, ages as 20d
 *
 * A column is known by its name, which JSON has, too; '-' may stand for '_' in it.
 *
 * Owner:    the caller owns rows; texts of cells live as long as they do.  Threads: pure.
 * Errors:   WEIR_EINVAL with why_r, one sentence; WEIR_ENOMEM.
 * Limits:   WEIR_TABLE_CONDITIONS_MAX conditions; WEIR_TABLE_COLUMNS_MAX columns, which who prints
 *           them relies on; no text of a condition has a ','.
 */
#ifndef WEIR_VIEW_TABLE_H
#define WEIR_VIEW_TABLE_H

#include "core/base/arena.h"
#include "core/base/cursor.h"
#include "monitor/view/view.h"

#define WEIR_TABLE_COLUMNS_MAX 32
#define WEIR_TABLE_CONDITIONS_MAX 16

enum weir_table_cells {
    WEIR_TABLE_TEXTS,
    WEIR_TABLE_COUNTS,
    WEIR_TABLE_SCORES,           /* "+1.50" */
    WEIR_TABLE_NUMBERS,          /* one decimal */
    WEIR_TABLE_AGES,             /* days */
    WEIR_TABLE_TIMES,            /* a weir_time; 0: none */
    WEIR_TABLE_YES_OR_NO,
};

struct weir_table_column {
    const char *name, *also;   /* also: another name for options, or NULL */
    const char *head;          /* in the table; NULL: it is not there */
    enum weir_table_cells cells;
    unsigned rank;             /* where it is narrow the highest goes first; 0: never */
};

struct weir_table_cell {
    double number;             /* none: there is nothing */
    struct weir_slice text;    /* of a text: anybody's */
};

struct weir_table {
    const struct weir_table_column *column;
    size_t columns, rows;
    struct weir_table_cell (*cell)(const void *context, size_t row, size_t column);
    const void *context;
    size_t *chosen;            /* numbers of rows in their order; in the arena */
    size_t count;
};

#define WEIR_TABLE_WHY 1024

/* How a table is to be chosen from and sorted; NULL: all of it, by the first column. */
struct weir_table_choice {
    const char *sort, *where;
};

/* Chooses and sorts; chosen is in the arena. */
int weir_table_choose(struct weir_table *table, const struct weir_table_choice *choice,
                      struct weir_arena *arena, char why_r[static WEIR_TABLE_WHY]);

/* Whether that can be done, before there are rows. */
int weir_table_check(const struct weir_table *table, const struct weir_table_choice *choice,
                     struct weir_arena *arena, char why_r[static WEIR_TABLE_WHY]);

/* A row as a JSON object. */
json_t *weir_table_json(const struct weir_table *table, size_t row);

#endif
