/*
 * A table is as wide as what is in it.  Where the terminal is narrower, columns go that say least,
 * which is told below it, and then the first one is cut.  What goes anywhere else than to a
 * terminal is never cut.
 */
#include "monitor/ctl/ctl_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/line.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_output.h"

#define FIRST_LEAST 12 /* characters of a first column that is cut */
#define GAP 2

/* Cells. ---------------------------------------------------------------------------- */

static const char *time_text(double number, bool whole, char *buffer, size_t size)
{
    char time[WEIR_TIME_TEXT];

    if (!(number > 0))
        return whole ? "" : "-";
    weir_time_format((weir_time)number, time);
    if (whole)
        return memcpy(buffer, time, sizeof time);
    snprintf(buffer, size, "%.10s %.5s", time, time + 11);
    return buffer;
}

static const char *text_of(enum weir_table_cells cells, const struct weir_table_cell *cell,
                           bool whole, char buffer[static WEIR_CTL_CELL_TEXT])
{
    const char *format = cells == WEIR_TABLE_COUNTS ? "%.0f" : cells == WEIR_TABLE_NUMBERS ? "%.1f"
                         : cells == WEIR_TABLE_AGES ? (whole ? "%.3f" : "%.0fd")
                                                  : (whole ? "%.2f" : "%+.2f");

    if (cells == WEIR_TABLE_TEXTS)
        return weir_ctl_visible(cell->text, buffer, WEIR_CTL_CELL_TEXT);
    if (cells == WEIR_TABLE_TIMES)
        return time_text(cell->number, whole, buffer, WEIR_CTL_CELL_TEXT);
    if (isnan(cell->number))
        return whole ? "" : "-";
    if (cells == WEIR_TABLE_YES_OR_NO)
        return cell->number > 0 ? "yes" : "no";
    snprintf(buffer, WEIR_CTL_CELL_TEXT, format, cell->number);
    return buffer;
}

const char *weir_ctl_cell_text(const struct weir_table *table, size_t row, size_t column,
                               char buffer[static WEIR_CTL_CELL_TEXT])
{
    const struct weir_table_cell cell = table->cell(table->context, row, column);

    return text_of(table->column[column].cells, &cell, false, buffer);
}

/* A table for people. ----------------------------------------------------------------- */

struct layout {
    const struct weir_table *table;
    size_t count;              /* of rows */
    size_t width[WEIR_TABLE_COLUMNS_MAX]; /* 0: left out */
    size_t last;               /* column */
    char *text;                /* WEIR_CTL_CELL_TEXT */
};

/* Characters of UTF-8. */
static size_t length(const char *text)
{
    size_t characters = 0;

    for (; *text != '\0'; text++)
        characters += ((unsigned char)*text & 0xc0) != 0x80;
    return characters;
}

static void measure(struct layout *layout)
{
    const struct weir_table *table = layout->table;

    for (size_t c = 0; c < table->columns; c++) {
        size_t *width = &layout->width[c];

        *width = table->column[c].head ? length(table->column[c].head) : 0;
        for (size_t r = 0; *width > 0 && r < layout->count; r++) {
            size_t len = length(weir_ctl_cell_text(table, table->chosen[r], c, layout->text));

            *width = len > *width ? len : *width;
        }
    }
}

static size_t total(const struct layout *layout)
{
    size_t sum = 0;

    for (size_t c = 0; c < layout->table->columns; c++)
        sum += layout->width[c] > 0 ? layout->width[c] + GAP : 0;
    return sum > GAP ? sum - GAP : 0;
}

/* The column that says least of those that are there; columns: none may go. */
static size_t least(const struct layout *layout)
{
    const struct weir_table *table = layout->table;
    size_t found = table->columns;

    for (size_t c = 0; c < table->columns; c++)
        if (layout->width[c] > 0 && table->column[c].rank > 0 &&
            (found == table->columns || table->column[c].rank > table->column[found].rank))
            found = c;
    return found;
}

/* Makes it fit; names columns that went (*more: there are some). */
static void fit(struct layout *layout, size_t room, struct weir_line *left_out, bool *more)
{
    const struct weir_table *table = layout->table;
    size_t goes, over;

    while (room > 0 && total(layout) > room && (goes = least(layout)) < table->columns) {
        weir_line_text(left_out, *more ? ", " : "too narrow for: ");
        weir_line_text(left_out, table->column[goes].head);
        *more = true;
        layout->width[goes] = 0;
    }
    over = room > 0 && total(layout) > room ? total(layout) - room : 0;
    for (size_t c = 0; c < table->columns; c++)
        if (layout->width[c] > 0)
            layout->last = c;
    if (over > 0 && table->column[layout->last].cells == WEIR_TABLE_TEXTS &&
        layout->width[layout->last] > over + FIRST_LEAST)
        layout->width[layout->last] -= over;
    else if (over > 0 && layout->width[0] > FIRST_LEAST)
        layout->width[0] = layout->width[0] > over + FIRST_LEAST ? layout->width[0] - over
                                                                 : FIRST_LEAST;
}

/* So many characters of it, texts to the left. */
static void print_cell(const struct layout *layout, size_t column, const char *text)
{
    size_t width = layout->width[column], len = length(text), octets = strlen(text);
    bool left = layout->table->column[column].cells == WEIR_TABLE_TEXTS ||
                layout->table->column[column].cells == WEIR_TABLE_TIMES;

    for (; len > width; len--)
        while (octets > 0 && ((unsigned char)text[--octets] & 0xc0) == 0x80)
            ;
    if (!left)
        printf("%*s", (int)(width - len), "");
    printf("%.*s", (int)octets, text);
    if (left && column != layout->last)
        printf("%*s", (int)(width - len), "");
    fputs(column == layout->last ? "\n" : "  ", stdout);
}

static void print_table(const struct layout *layout)
{
    const struct weir_table *table = layout->table;

    for (size_t c = 0; c < table->columns; c++)
        if (layout->width[c] > 0)
            print_cell(layout, c, table->column[c].head);
    for (size_t r = 0; r < layout->count; r++)
        for (size_t c = 0; c < table->columns; c++)
            if (layout->width[c] > 0)
                print_cell(layout, c,
                           weir_ctl_cell_text(table, table->chosen[r], c, layout->text));
}

static int show_table(struct weir_ctl *ctl, const struct weir_table *table, size_t count)
{
    struct layout layout = {.table = table, .count = count,
                            .text = weir_arena_take(ctl->arena, WEIR_CTL_CELL_TEXT)};
    char names[256];
    bool narrow = false;
    struct weir_line left_out = weir_line(names, sizeof names);

    if (!layout.text)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    measure(&layout);
    fit(&layout, weir_ctl_terminal_width(), &left_out, &narrow);
    print_table(&layout);
    if (count < table->count)
        printf("and %zu more: --most %zu\n", table->count - count, table->count);
    if (narrow)
        puts(weir_line_end(&left_out));
    return 0;
}

/* CSV (RFC 4180). ----------------------------------------------------------------------- */

static void print_quoted(struct weir_slice text, bool last)
{
    bool quote = false;

    for (size_t i = 0; i < text.len; i++)
        quote |= strchr("\",\r\n", text.at[i]) != NULL;
    if (quote)
        putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"')
            putchar('"');
        putchar(text.at[i]);
    }
    if (quote)
        putchar('"');
    fputs(last ? "\r\n" : ",", stdout);
}

/* Texts as they stand, for programs. */
static void print_value(const struct weir_table *table, size_t row, size_t column, char *room)
{
    const struct weir_table_cell cell = table->cell(table->context, row, column);
    enum weir_table_cells cells = table->column[column].cells;
    struct weir_slice text = cell.text;

    if (cells != WEIR_TABLE_TEXTS) {
        text.at = text_of(cells, &cell, true, room);
        text.len = strlen(text.at);
    }
    print_quoted(text, column + 1 == table->columns);
}

static int show_csv(struct weir_ctl *ctl, const struct weir_table *table, size_t count)
{
    char *text = weir_arena_take(ctl->arena, WEIR_CTL_CELL_TEXT);

    if (!text)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    for (size_t c = 0; c < table->columns; c++)
        print_quoted((struct weir_slice){table->column[c].name, strlen(table->column[c].name)},
                     c + 1 == table->columns);
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < table->columns; c++)
            print_value(table, table->chosen[r], c, text);
    return 0;
}

/* ------------------------------------------------------------------------------------------ */

int weir_ctl_table_show(struct weir_ctl *ctl, const struct weir_table *table)
{
    unsigned most = UINT32_MAX;
    int code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, WEIR_RULES_MAX, &most);
    size_t count = table->count < most ? table->count : most;
    json_t *rows;

    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_CSV])
        return show_csv(ctl, table, count);
    if (!ctl->option[WEIR_CTL_JSON])
        return show_table(ctl, table, count);
    rows = json_array();
    for (size_t r = 0; r < count; r++)
        json_array_append_new(rows, weir_table_json(table, table->chosen[r]));
    return weir_ctl_json(ctl, rows);
}
