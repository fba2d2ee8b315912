/*
 * ctl_table - a table (monitor/view/table.h), chosen and sorted as options say, and shown so that
 * it fits the terminal, as JSON or as CSV.
 *
 *     --sort hits | --sort -hits   --where "spam>100,state=active"   --most N   --csv   --json
 *
 * Errors:   exit codes, after what is wrong was told.
 */
#ifndef WEIR_CTL_TABLE_H
#define WEIR_CTL_TABLE_H

#include "monitor/ctl/ctl.h"
#include "monitor/view/table.h"

/* Chooses and sorts as the options say; by the first column when they do not.  0, EX_USAGE,
 * EX_OSERR. */
int weir_ctl_table_choose(struct weir_ctl *ctl, struct weir_table *table);

/* The options alone, after the configuration was read, so that what is wrong with them is told
 * before anything else is read. */
int weir_ctl_table_check(struct weir_ctl *ctl, const struct weir_table *table);

/* Shows what was chosen, --most of it.  0 or EX_OSERR. */
int weir_ctl_table_show(struct weir_ctl *ctl, const struct weir_table *table);

/* A cell as a table shows it. */
#define WEIR_CTL_CELL_TEXT 4200
const char *weir_ctl_cell_text(const struct weir_table *table, size_t row, size_t column,
                               char buffer[static WEIR_CTL_CELL_TEXT]);

/* The terminal on the standard output (ctl_terminal_io.c): its characters a line, 0 when it is
 * none; and whether it, or what reads from us, takes UTF-8, by the locale. */
size_t weir_ctl_terminal_width(void);
bool weir_ctl_terminal_utf8(void);

#endif
