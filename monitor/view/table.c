/*
 * table - chosen, sorted, and as JSON.  What is wrong is told in the words of weirctl's options,
 * which the console's arguments are named after.
 */
#include "monitor/view/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "monitor/view/view_time.h"

enum sign { LESS, LESS_OR_SAME, MORE, MORE_OR_SAME, SAME, OTHER, HOLDS, SIGNS };

/* Longer ones before those they begin with. */
static const struct {
    const char *text;
    enum sign sign;
} signs[SIGNS] = {{"<=", LESS_OR_SAME}, {">=", MORE_OR_SAME}, {"!=", OTHER}, {"<", LESS},
                  {">", MORE}, {"=", SAME}, {"~", HOLDS}};

struct condition {
    size_t column;
    enum sign sign;
    double number;
    const char *text;
};

struct choice {
    const struct weir_table_choice *asked;
    struct weir_arena *arena;
    char *why;                  /* WEIR_TABLE_WHY */
    const struct weir_table *table;
    struct condition condition[WEIR_TABLE_CONDITIONS_MAX];
    size_t conditions;
    size_t by;
    bool down;
};

static int refuse(struct choice *choice, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct choice *choice, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(choice->why, WEIR_TABLE_WHY, format, arguments);
    va_end(arguments);
    return WEIR_EINVAL;
}

/* Reading. ---------------------------------------------------------------------------- */

static bool is_name(const char *name, const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && name[i] != '\0' &&
           (name[i] == text[i] || (name[i] == '_' && text[i] == '-')))
        i++;
    return i == len && name[i] == '\0';
}

/* The column of a name; columns: none has it. */
static size_t find(const struct weir_table *table, const char *text, size_t len)
{
    size_t c = 0;

    while (c < table->columns && !is_name(table->column[c].name, text, len) &&
           !(table->column[c].also && is_name(table->column[c].also, text, len)))
        c++;
    return c;
}

static int unknown(struct choice *choice, const char *option, const char *text)
{
    char names[640] = "";

    for (size_t c = 0; c < choice->table->columns; c++) {
        size_t len = strlen(names);

        snprintf(names + len, sizeof names - len, "%s%s", c > 0 ? ", " : "",
                 choice->table->column[c].name);
    }
    return refuse(choice, "%s %s: not of %s", option, text, names);
}

static double yes_or_no(const char *text)
{
    return strcasecmp(text, "yes") == 0 ? 1 : strcasecmp(text, "no") == 0 ? 0 : (double)NAN;
}

/* What a column's cell is compared with: none when it is no such thing. */
static double read_number(enum weir_table_cells cells, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    weir_time time;

    if (cells == WEIR_TABLE_YES_OR_NO)
        return yes_or_no(text);
    if (cells == WEIR_TABLE_TIMES)
        return weir_view_time_read(text, &time) == 0 ? (double)time : (double)NAN;
    if (end == text)
        return (double)NAN;
    if (*end != '\0')
        return cells == WEIR_TABLE_AGES && weir_view_period_read(text, &time) == 0
                   ? (double)time / WEIR_DAY : (double)NAN;
    return number;
}

static bool fits(enum weir_table_cells cells, const struct condition *condition)
{
    if (cells == WEIR_TABLE_TEXTS)
        return condition->sign >= SAME;
    return condition->sign != HOLDS && !isnan(condition->number);
}

static int add_condition(struct choice *choice, const char *text)
{
    struct condition *condition = &choice->condition[choice->conditions];
    size_t len = strcspn(text, "<>=!~"), sign = 0;
    enum weir_table_cells cells;

    condition->column = find(choice->table, text, len);
    if (condition->column == choice->table->columns)
        return unknown(choice, "where", text);
    while (sign < SIGNS && strncmp(text + len, signs[sign].text, strlen(signs[sign].text)) != 0)
        sign++;
    if (sign == SIGNS)
        return refuse(choice, "where %s: not as hits>100 or state=active", text);
    cells = choice->table->column[condition->column].cells;
    condition->sign = signs[sign].sign;
    condition->text = text + len + strlen(signs[sign].text);
    condition->number = cells == WEIR_TABLE_TEXTS ? 0 : read_number(cells, condition->text);
    if (!fits(cells, condition))
        return refuse(choice, "where %s: %s cannot be compared so", text,
                      choice->table->column[condition->column].name);
    choice->conditions++;
    return 0;
}

static int read_conditions(struct choice *choice)
{
    const char *given = choice->asked->where;
    char *copy = given ? weir_arena_copy(choice->arena, given, strlen(given)) : NULL;
    char *rest = NULL, *word = copy ? strtok_r(copy, ",", &rest) : NULL;
    int code = given && !copy ? WEIR_ENOMEM : 0;

    for (; code == 0 && word; word = strtok_r(NULL, ",", &rest))
        code = choice->conditions == WEIR_TABLE_CONDITIONS_MAX
                   ? refuse(choice, "where: more than %d conditions", WEIR_TABLE_CONDITIONS_MAX)
                   : add_condition(choice, word);
    return code;
}

static int read_sort(struct choice *choice)
{
    const char *given = choice->asked->sort;

    if (!given)
        return 0;
    choice->down = given[0] == '-';
    given += choice->down;
    choice->by = find(choice->table, given, strlen(given));
    return choice->by < choice->table->columns ? 0 : unknown(choice, "sort", given);
}

static int read_choice(struct choice *choice)
{
    int code = read_sort(choice);

    return code != 0 ? code : read_conditions(choice);
}

int weir_table_check(const struct weir_table *table, const struct weir_table_choice *asked,
                     struct weir_arena *arena, char why_r[static WEIR_TABLE_WHY])
{
    struct choice choice = {.asked = asked, .arena = arena, .why = why_r, .table = table};

    return read_choice(&choice);
}

/* Choosing. --------------------------------------------------------------------------- */

static bool holds(struct weir_slice text, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; i + len <= text.len; i++)
        if (strncasecmp(text.at + i, part, len) == 0)
            return true;
    return false;
}

static bool text_is(struct weir_slice text, const struct condition *condition)
{
    size_t len = strlen(condition->text);
    bool same = text.len == len && (len == 0 || memcmp(text.at, condition->text, len) == 0);

    return condition->sign == HOLDS ? holds(text, condition->text)
                                    : same == (condition->sign == SAME);
}

static bool number_is(double number, const struct condition *condition)
{
    double beyond = number - condition->number;
    bool same = fabs(beyond) < 1e-9;

    switch (condition->sign) {
    case LESS:
        return beyond < 0 && !same;
    case LESS_OR_SAME:
        return beyond < 0 || same;
    case MORE:
        return beyond > 0 && !same;
    case MORE_OR_SAME:
        return beyond > 0 || same;
    case SAME:
        return same;
    default:
        return !same;
    }
}

static bool is_chosen(const struct choice *choice, size_t row)
{
    const struct weir_table *table = choice->table;

    for (size_t i = 0; i < choice->conditions; i++) {
        const struct condition *condition = &choice->condition[i];
        const struct weir_table_cell cell = table->cell(table->context, row, condition->column);
        bool is = table->column[condition->column].cells == WEIR_TABLE_TEXTS
                      ? text_is(cell.text, condition) : number_is(cell.number, condition);

        if (!is)
            return false;
    }
    return true;
}

static int compare_text(struct weir_slice a, struct weir_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.at, b.at, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Rows that are the same there stay in their order; what has no number comes last. */
static int compare(const void *a, const void *b, void *context)
{
    const struct choice *choice = context;
    const struct weir_table *table = choice->table;
    const size_t *one = a, *other = b;
    const struct weir_table_cell x = table->cell(table->context, *one, choice->by),
                               y = table->cell(table->context, *other, choice->by);
    int order;

    if (table->column[choice->by].cells == WEIR_TABLE_TEXTS)
        order = compare_text(x.text, y.text);
    else if (isnan(x.number) || isnan(y.number))
        return isnan(x.number) - isnan(y.number);
    else
        order = (x.number > y.number) - (x.number < y.number);
    if (order == 0)
        return (*one > *other) - (*one < *other);
    return choice->down ? -order : order;
}

int weir_table_choose(struct weir_table *table, const struct weir_table_choice *asked,
                      struct weir_arena *arena, char why_r[static WEIR_TABLE_WHY])
{
    struct choice choice = {.asked = asked, .arena = arena, .why = why_r, .table = table};
    int code = read_choice(&choice);

    if (code != 0)
        return code;
    table->count = 0;
    table->chosen = weir_arena_zero(arena, table->rows + 1, sizeof *table->chosen);
    if (!table->chosen)
        return WEIR_ENOMEM;
    for (size_t row = 0; row < table->rows; row++)
        if (is_chosen(&choice, row))
            table->chosen[table->count++] = row;
    qsort_r(table->chosen, table->count, sizeof *table->chosen, compare, &choice);
    return 0;
}

/* JSON. -------------------------------------------------------------------------------- */

static json_t *cell_json(enum weir_table_cells cells, const struct weir_table_cell *cell)
{
    switch (cells) {
    case WEIR_TABLE_TEXTS:
        return weir_view_octets(cell->text.len ? cell->text.at : "", cell->text.len);
    case WEIR_TABLE_COUNTS:
        return isnan(cell->number) ? json_null() : json_integer((json_int_t)cell->number);
    case WEIR_TABLE_SCORES:
        return isnan(cell->number) ? json_null() : weir_view_points((float)cell->number);
    case WEIR_TABLE_TIMES:
        return weir_view_time((weir_time)cell->number);
    case WEIR_TABLE_YES_OR_NO:
        return json_boolean(cell->number > 0);
    default:
        return weir_view_number(cell->number);
    }
}

json_t *weir_table_json(const struct weir_table *table, size_t row)
{
    json_t *json = json_object();

    for (size_t i = 0; i < table->columns; i++) {
        const struct weir_table_cell cell = table->cell(table->context, row, i);

        json_object_set_new(json, table->column[i].name,
                            cell_json(table->column[i].cells, &cell));
    }
    return json;
}
