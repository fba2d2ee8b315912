/*
 * One value of each kind: from text into its field, and back.
 *
 * A table of kinds carries what differs between them.  Values are read into a
 * union first and copied to the caller's field only when they are good; texts
 * and lists belong to the arena.  Refuses what is out of the row's bounds.
 */
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/settings_impl.h"

union value {
    const char *text;
    int choice;
    bool yes;
    int64_t whole;
    double fraction;
    struct weir_strings list;
};

struct kind {
    const char *form; /* "... is not " this */
    size_t size;      /* of the field */
    int (*read)(const struct weir_setting *row, const char *text, struct weir_arena *arena,
                union value *value_r);
    /* in the arena, or static; NULL when memory is short */
    const char *(*show)(const struct weir_setting *row, const union value *value,
                        struct weir_arena *arena);
};

static int read_text(const struct weir_setting *row, const char *text, struct weir_arena *arena,
                     union value *value_r)
{
    (void)row;
    value_r->text = weir_arena_copy(arena, text, strlen(text));
    return value_r->text ? 0 : WEIR_ENOMEM;
}

static const char *show_text(const struct weir_setting *row, const union value *value,
                             struct weir_arena *arena)
{
    (void)row, (void)arena;
    return value->text ? value->text : "";
}

/* The index-th of the words in "a|b|c", or NULL. */
static const char *choice_at(const char *choices, int index, size_t *len_r)
{
    while (choices && index-- > 0) {
        choices = strchr(choices, '|');
        if (choices)
            choices++;
    }
    *len_r = choices ? strcspn(choices, "|") : 0;
    return choices;
}

static int read_choice(const struct weir_setting *row, const char *text,
                       struct weir_arena *arena, union value *value_r)
{
    (void)arena;
    size_t len;
    const char *word;
    for (int i = 0; (word = choice_at(row->choices, i, &len)) != NULL; i++) {
        if (strlen(text) == len && memcmp(text, word, len) == 0) {
            value_r->choice = i;
            return 0;
        }
    }
    return WEIR_EINVAL;
}

static const char *show_choice(const struct weir_setting *row, const union value *value,
                               struct weir_arena *arena)
{
    size_t len;
    const char *word = value->choice < 0 ? NULL : choice_at(row->choices, value->choice, &len);
    return word ? weir_arena_copy(arena, word, len) : "?";
}

static int read_yesno(const struct weir_setting *row, const char *text, struct weir_arena *arena,
                      union value *value_r)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    (void)row, (void)arena;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            value_r->yes = i % 2 != 0;
            return 0;
        }
    }
    return WEIR_EINVAL;
}

static const char *show_yesno(const struct weir_setting *row, const union value *value,
                              struct weir_arena *arena)
{
    (void)row, (void)arena;
    return value->yes ? "yes" : "no";
}

static int read_whole(const struct weir_setting *row, const char *text, struct weir_arena *arena,
                      union value *value_r)
{
    (void)arena;
    return weir_setting_read_whole(row->kind, text, &value_r->whole);
}

static const char *show_whole(const struct weir_setting *row, const union value *value,
                              struct weir_arena *arena)
{
    char buffer[WEIR_SETTING_NUMBER];
    weir_setting_show_whole(row->kind, value->whole, buffer);
    return weir_arena_copy(arena, buffer, strlen(buffer));
}

static int read_fraction(const struct weir_setting *row, const char *text,
                         struct weir_arena *arena, union value *value_r)
{
    (void)arena;
    return weir_setting_read_fraction(row->kind, text, &value_r->fraction);
}

static const char *show_fraction(const struct weir_setting *row, const union value *value,
                                 struct weir_arena *arena)
{
    char buffer[WEIR_SETTING_NUMBER];
    weir_setting_show_fraction(row->kind, value->fraction, buffer);
    return weir_arena_copy(arena, buffer, strlen(buffer));
}

static const char list_gaps[] = " \t,";

/* Finds the next item in text; false when there is none. */
static bool next_item(const char **text, size_t *len_r)
{
    *text += strspn(*text, list_gaps);
    *len_r = strcspn(*text, list_gaps);
    return *len_r > 0;
}

static int read_list(const struct weir_setting *row, const char *text, struct weir_arena *arena,
                     union value *value_r)
{
    (void)row;
    size_t count = 0, len;
    for (const char *at = text; next_item(&at, &len); at += len)
        count++;
    if (count > WEIR_LIST_ITEMS_MAX)
        return WEIR_ELIMIT;
    const char **item = weir_arena_zero(arena, count, sizeof(*item));
    if (!item)
        return WEIR_ENOMEM;
    for (size_t i = 0; next_item(&text, &len); i++, text += len) {
        item[i] = weir_arena_copy(arena, text, len);
        if (!item[i])
            return WEIR_ENOMEM;
    }
    value_r->list = (struct weir_strings){.item = item, .count = count};
    return 0;
}

static const char *show_list(const struct weir_setting *row, const union value *value,
                             struct weir_arena *arena)
{
    (void)row;
    size_t room = 1;
    for (size_t i = 0; i < value->list.count; i++)
        room += strlen(value->list.item[i]) + 1;
    char *text = weir_arena_zero(arena, 1, room);
    if (!text)
        return NULL;
    char *at = text;
    for (size_t i = 0; i < value->list.count; i++)
        at = stpcpy(stpcpy(at, i > 0 ? " " : ""), value->list.item[i]);
    return text;
}

static const struct kind kinds[] = {
    [WEIR_TEXT] = {"a text", sizeof(const char *), read_text, show_text},
    [WEIR_CHOICE] = {"one of the choices", sizeof(int), read_choice, show_choice},
    [WEIR_YESNO] = {"yes or no", sizeof(bool), read_yesno, show_yesno},
    [WEIR_COUNT] = {"a whole number such as 250, 10k, 2M", sizeof(int64_t), read_whole,
                    show_whole},
    [WEIR_SIZE] = {"a size such as 4096, 64k, 16M, 1G", sizeof(int64_t), read_whole, show_whole},
    [WEIR_NUMBER] = {"a number such as 3, 0.25, 12 %", sizeof(double), read_fraction,
                     show_fraction},
    [WEIR_PERIOD] = {"a period such as 10s, 15m, 4h, 30d", sizeof(int64_t), read_whole,
                     show_whole},
    [WEIR_RATE] = {"a rate such as 5/s, 10/min, 500/h, 1000/d", sizeof(double), read_fraction,
                   show_fraction},
    [WEIR_BITS] = {"a prefix length such as /24 or /56", sizeof(int64_t), read_whole, show_whole},
    [WEIR_LIST] = {"a list", sizeof(struct weir_strings), read_list, show_list},
};

static bool is_fraction(const struct weir_setting *row)
{
    return row->kind == WEIR_NUMBER || row->kind == WEIR_RATE;
}

bool weir_setting_bounded(const struct weir_setting *row)
{
    bool number = is_fraction(row) || kinds[row->kind].read == read_whole;
    return number && (row->least != 0 || row->most != 0);
}

const char *weir_setting_bound(const struct weir_setting *row, double bound,
                               char buffer[static WEIR_SETTING_NUMBER])
{
    if (is_fraction(row))
        weir_setting_show_fraction(row->kind, bound, buffer);
    else
        weir_setting_show_whole(row->kind, (int64_t)bound, buffer);
    return buffer;
}

/* long double holds every int64_t, so that one past a large bound is seen. */
static bool in_bounds(const struct weir_setting *row, const union value *value)
{
    if (!weir_setting_bounded(row))
        return true;
    long double number = is_fraction(row) ? (long double)value->fraction : value->whole;
    return number >= row->least && number <= row->most;
}

/* Says which limit text passes; NULL when memory is short. */
static const char *why_beyond(const struct weir_setting *row, const char *shown,
                              struct weir_arena *arena)
{
    if (row->kind == WEIR_LIST)
        return weir_arena_printf(arena, "more than %d items", WEIR_LIST_ITEMS_MAX);
    if (!weir_setting_bounded(row))
        return weir_arena_printf(arena, "\"%s\" is too large a number", shown);
    char least[WEIR_SETTING_NUMBER], most[WEIR_SETTING_NUMBER];
    return weir_arena_printf(arena, "\"%s\" is out of bounds, which are %s to %s", shown,
                             weir_setting_bound(row, row->least, least),
                             weir_setting_bound(row, row->most, most));
}

/* Says in the arena what is wrong with text; NULL when memory is short. */
static const char *why_wrong(const struct weir_setting *row, const char *text, int error,
                             struct weir_arena *arena)
{
    enum { SHOWN = 60 };
    bool cut = strlen(text) > SHOWN;
    const char *shown = weir_arena_printf(arena, "%.*s%s", SHOWN, text, cut ? "..." : "");
    if (!shown)
        return NULL;
    if (error == WEIR_ELIMIT)
        return why_beyond(row, shown, arena);
    if (row->kind == WEIR_CHOICE)
        return weir_arena_printf(arena, "\"%s\" is not one of %s", shown,
                                 row->choices ? row->choices : "none");
    return weir_arena_printf(arena, "\"%s\" is not %s", shown, kinds[row->kind].form);
}

/* What the row itself has against a text or an item; NULL: nothing.  *ok_r is
 * false also when memory is short. */
static const char *objection(const struct weir_setting *row, const union value *value,
                             struct weir_arena *arena, bool *ok_r)
{
    const struct weir_strings one = {.item = &value->text, .count = 1};
    const struct weir_strings *items = row->kind == WEIR_LIST ? &value->list : &one;
    const char *why = NULL;
    *ok_r = true;
    if (!row->check || (row->kind != WEIR_LIST && row->kind != WEIR_TEXT))
        return NULL;
    for (size_t i = 0; i < items->count && *ok_r; i++) {
        *ok_r = row->check(items->item[i], &why) == 0;
        if (!*ok_r)
            return weir_arena_printf(arena, "\"%.60s\": %s", items->item[i], why);
    }
    return NULL;
}

int weir_setting_parse(const struct weir_setting *row, const char *text,
                       struct weir_arena *arena, void *values, const char **why_r)
{
    const struct kind *kind = &kinds[row->kind];
    union value value;
    int rc = kind->read(row, text, arena, &value);
    if (rc == 0 && !in_bounds(row, &value))
        rc = WEIR_ELIMIT;
    bool ok = true;
    if (rc == 0)
        *why_r = objection(row, &value, arena, &ok);
    if (rc == 0 && ok)
        memcpy((char *)values + row->offset, &value, kind->size);
    if ((rc == 0 && ok) || rc == WEIR_ENOMEM)
        return rc;
    if (rc != 0)
        *why_r = why_wrong(row, text, rc, arena);
    return *why_r ? WEIR_EINVAL : WEIR_ENOMEM;
}

size_t weir_setting_value_span(const char *text)
{
    size_t len = 0;
    bool gap = true;
    for (; text[len] && !(gap && text[len] == ';'); len++)
        gap = text[len] == ' ' || text[len] == '\t';
    while (len > 0 && strchr(" \t", text[len - 1]))
        len--;
    return len;
}

size_t weir_setting_name_span(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    size_t gap = strspn(text + len, " \t");
    return gap > 0 && text[len + gap] == '=' ? len : 0;
}

/* No comment, and nothing like another setting, may begin an indented line. */
static bool may_begin_line(const char *text)
{
    return !strchr(" \t#;", *text) && weir_setting_name_span(text) == 0;
}

/* Lines are joined by one blank; so only at one may a value be broken. */
static bool may_break(const char *text, size_t at)
{
    bool single = at > 0 && text[at] == ' ' && text[at - 1] != ' ' && text[at - 1] != '\t';
    return single && may_begin_line(text + at + 1);
}

static size_t unbroken_span(const char *text, size_t from)
{
    size_t at = from;
    while (text[at] && !may_break(text, at))
        at++;
    return at - from;
}

/* Breaks a long value into indented lines.  The indentation shrinks before a
 * word that would not fit into a line of the file otherwise. */
static const char *wrap(const char *text, struct weir_arena *arena)
{
    enum { SHORT = 100, WIDE = 72, LONG_WORD = WEIR_CONFIG_LINE_MAX - 4, INDENT = 5 };
    size_t len = strlen(text), column = 0, span = unbroken_span(text, 0);
    if (len <= SHORT)
        return text;
    char *wrapped = weir_arena_take(arena, INDENT * (len + 1) + 1);
    if (!wrapped)
        return NULL;
    char *to = wrapped;
    if (span > WIDE && may_begin_line(text))
        to = stpcpy(to, span > LONG_WORD ? "\n " : "\n    ");
    for (size_t i = 0; i < len; i++) {
        bool breakable = may_break(text, i);
        if (breakable)
            span = unbroken_span(text, i + 1);
        if (breakable && column + 1 + span > WIDE) {
            to = stpcpy(to, span > LONG_WORD ? "\n " : "\n    ");
            column = 0;
        } else {
            *to++ = text[i];
            column++;
        }
    }
    *to = '\0';
    return wrapped;
}

const char *weir_setting_show(const struct weir_setting *row, const void *values,
                              struct weir_arena *arena)
{
    union value value;
    memcpy(&value, (const char *)values + row->offset, kinds[row->kind].size);
    const char *text = kinds[row->kind].show(row, &value, arena);
    return text ? wrap(text, arena) : NULL;
}
