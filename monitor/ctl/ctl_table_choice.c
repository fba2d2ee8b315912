/*
 * ctl_table_choice - --sort and --where of a table.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monitor/ctl/ctl_table.h"

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
    struct weir_ctl *ctl;
    const struct weir_ctl_table *table;
    struct condition condition[WEIR_CTL_CONDITIONS_MAX];
    size_t conditions;
    size_t by;
    bool down;
};

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
static size_t find(const struct weir_ctl_table *table, const char *text, size_t len)
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
    return weir_ctl_error(choice->ctl, EX_USAGE, "--%s %s: not of %s", option, text, names);
}

static double yes_or_no(const char *text)
{
    return strcasecmp(text, "yes") == 0 ? 1 : strcasecmp(text, "no") == 0 ? 0 : (double)NAN;
}

/* What a column's cell is compared with: none when it is no such thing. */
static double read_number(enum weir_ctl_cells cells, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    weir_time time;

    if (cells == WEIR_CTL_YES_OR_NO)
        return yes_or_no(text);
    if (cells == WEIR_CTL_TIMES)
        return weir_ctl_time_parse(text, &time) == 0 ? (double)time : (double)NAN;
    if (end == text)
        return (double)NAN;
    if (*end != '\0')
        return cells == WEIR_CTL_AGES && weir_ctl_period_parse(text, &time) == 0
                   ? (double)time / WEIR_DAY : (double)NAN;
    return number;
}

static bool fits(enum weir_ctl_cells cells, const struct condition *condition)
{
    if (cells == WEIR_CTL_TEXTS)
        return condition->sign >= SAME;
    return condition->sign != HOLDS && !isnan(condition->number);
}

static int add_condition(struct choice *choice, const char *text)
{
    struct condition *condition = &choice->condition[choice->conditions];
    size_t len = strcspn(text, "<>=!~"), sign = 0;
    enum weir_ctl_cells cells;

    condition->column = find(choice->table, text, len);
    if (condition->column == choice->table->columns)
        return unknown(choice, "where", text);
    while (sign < SIGNS && strncmp(text + len, signs[sign].text, strlen(signs[sign].text)) != 0)
        sign++;
    if (sign == SIGNS)
        return weir_ctl_error(choice->ctl, EX_USAGE, "--where %s: not as hits>100 or state=active",
                              text);
    cells = choice->table->column[condition->column].cells;
    condition->sign = signs[sign].sign;
    condition->text = text + len + strlen(signs[sign].text);
    condition->number = cells == WEIR_CTL_TEXTS ? 0 : read_number(cells, condition->text);
    if (!fits(cells, condition))
        return weir_ctl_error(choice->ctl, EX_USAGE, "--where %s: %s cannot be compared so", text,
                              choice->table->column[condition->column].name);
    choice->conditions++;
    return 0;
}

static int read_conditions(struct choice *choice)
{
    struct weir_ctl *ctl = choice->ctl;
    const char *given = ctl->option[WEIR_CTL_WHERE];
    char *copy = given ? weir_arena_copy(ctl->arena, given, strlen(given)) : NULL;
    char *rest = NULL, *word = copy ? strtok_r(copy, ",", &rest) : NULL;
    int code = 0;

    for (; code == 0 && word; word = strtok_r(NULL, ",", &rest))
        code = choice->conditions == WEIR_CTL_CONDITIONS_MAX
                   ? weir_ctl_error(ctl, EX_USAGE, "--where: more than %d conditions",
                                    WEIR_CTL_CONDITIONS_MAX)
                   : add_condition(choice, word);
    return code;
}

static int read_sort(struct choice *choice)
{
    const char *given = choice->ctl->option[WEIR_CTL_SORT];

    if (!given)
        return 0;
    choice->down = given[0] == '-';
    given += choice->down;
    choice->by = find(choice->table, given, strlen(given));
    return choice->by < choice->table->columns ? 0 : unknown(choice, "sort", given);
}

static int read_choice(struct choice *choice)
{
    unsigned most = 0;
    int code = weir_ctl_option_count(choice->ctl, WEIR_CTL_MOST, WEIR_RULES_MAX, &most);

    if (code == 0 && choice->ctl->option[WEIR_CTL_CSV] && choice->ctl->option[WEIR_CTL_JSON])
        code = weir_ctl_error(choice->ctl, EX_USAGE, "--csv or --json");
    code = code != 0 ? code : read_sort(choice);
    return code != 0 ? code : read_conditions(choice);
}

int weir_ctl_table_check(struct weir_ctl *ctl, const struct weir_ctl_table *table)
{
    struct choice choice = {.ctl = ctl, .table = table};

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
    const struct weir_ctl_table *table = choice->table;

    for (size_t i = 0; i < choice->conditions; i++) {
        const struct condition *condition = &choice->condition[i];
        const struct weir_ctl_cell cell = table->cell(table->context, row, condition->column);
        bool is = table->column[condition->column].cells == WEIR_CTL_TEXTS
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
    const struct weir_ctl_table *table = choice->table;
    const size_t *one = a, *other = b;
    const struct weir_ctl_cell x = table->cell(table->context, *one, choice->by),
                               y = table->cell(table->context, *other, choice->by);
    int order;

    if (table->column[choice->by].cells == WEIR_CTL_TEXTS)
        order = compare_text(x.text, y.text);
    else if (isnan(x.number) || isnan(y.number))
        return isnan(x.number) - isnan(y.number);
    else
        order = (x.number > y.number) - (x.number < y.number);
    if (order == 0)
        return (*one > *other) - (*one < *other);
    return choice->down ? -order : order;
}

int weir_ctl_table_choose(struct weir_ctl *ctl, struct weir_ctl_table *table)
{
    struct choice choice = {.ctl = ctl, .table = table};
    int code = read_choice(&choice);

    if (code != 0)
        return code;
    table->count = 0;
    table->chosen = weir_arena_zero(ctl->arena, table->rows + 1, sizeof *table->chosen);
    if (!table->chosen)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    for (size_t row = 0; row < table->rows; row++)
        if (is_chosen(&choice, row))
            table->chosen[table->count++] = row;
    qsort_r(table->chosen, table->count, sizeof *table->chosen, compare, &choice);
    return 0;
}
