/*
 * ctl_table - rows of named columns: chosen and sorted by any of them, and shown as a table that
 * fits the terminal, as JSON or as CSV.
 *
 *     --sort hits | --sort -hits           upwards, downwards
 *     --where "spam>100,state=active"      <, <=, >, >=, =, !=; of texts =, != and ~ (holds it);
 *                                          times as 2026-11-21, ages as 20d
 *     --most N   --csv   --json
 *
 * A column is known by its name, which JSON and CSV have, too; '-' may stand for '_' in it.
 *
 * Owner:    the caller owns rows; texts of cells live as long as they do.
 * Errors:   exit codes, after what is wrong was told.
 * Limits:   WEIR_CTL_CONDITIONS_MAX conditions, WEIR_CTL_COLUMNS_MAX columns.
 */
#ifndef WEIR_CTL_TABLE_H
#define WEIR_CTL_TABLE_H

#include <jansson.h>

#include "core/base/cursor.h"
#include "monitor/ctl/ctl.h"

#define WEIR_CTL_COLUMNS_MAX 32
#define WEIR_CTL_CONDITIONS_MAX 16

enum weir_ctl_cells {
    WEIR_CTL_TEXTS,
    WEIR_CTL_COUNTS,
    WEIR_CTL_SCORES,           /* "+1.50" */
    WEIR_CTL_NUMBERS,          /* one decimal */
    WEIR_CTL_AGES,             /* days */
    WEIR_CTL_TIMES,            /* a weir_time; 0: none */
    WEIR_CTL_YES_OR_NO,
};

struct weir_ctl_column {
    const char *name, *also;   /* also: another name for options, or NULL */
    const char *head;          /* in the table; NULL: it is not there */
    enum weir_ctl_cells cells;
    unsigned rank;             /* where it is narrow the highest goes first; 0: never */
};

struct weir_ctl_cell {
    double number;             /* none: there is nothing */
    struct weir_slice text;    /* of a text: anybody's */
};

struct weir_ctl_table {
    const struct weir_ctl_column *column;
    size_t columns, rows;
    struct weir_ctl_cell (*cell)(const void *context, size_t row, size_t column);
    const void *context;
    size_t *chosen;            /* numbers of rows in their order; in the arena */
    size_t count;
};

/* Chooses and sorts as the options say; by the first column when they do not.  0, EX_USAGE,
 * EX_OSERR. */
int weir_ctl_table_choose(struct weir_ctl *ctl, struct weir_ctl_table *table);

/* The options alone, after the configuration was read, so that what is wrong with them is told
 * before anything else is read. */
int weir_ctl_table_check(struct weir_ctl *ctl, const struct weir_ctl_table *table);

/* Shows what was chosen, --most of it.  0 or EX_OSERR. */
int weir_ctl_table_show(struct weir_ctl *ctl, const struct weir_ctl_table *table);

/* A row as a JSON object; a cell as a table shows it. */
json_t *weir_ctl_table_json(const struct weir_ctl_table *table, size_t row);
#define WEIR_CTL_CELL_TEXT 4200
const char *weir_ctl_cell_text(const struct weir_ctl_table *table, size_t row, size_t column,
                               char buffer[static WEIR_CTL_CELL_TEXT]);

/* The terminal on the standard output (ctl_terminal_io.c): its characters a line, 0 when it is
 * none; and whether it, or what reads from us, takes UTF-8, by the locale. */
size_t weir_ctl_terminal_width(void);
bool weir_ctl_terminal_utf8(void);

#endif
