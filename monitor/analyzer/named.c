/*
 * Names are kept as they come, and sorted when somebody asks.
 */
#include "monitor/analyzer/named.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/limits.h"
#include "core/base/slice.h"

struct name {
    char text[WEIR_RULE_NAME_MAX + 1];
};

struct weir_named {
    struct name *name;
    size_t count, room;
    bool sorted;
};

int weir_named_new(struct weir_named **named_r)
{
    *named_r = calloc(1, sizeof **named_r);
    return *named_r ? 0 : WEIR_ENOMEM;
}

void weir_named_free(struct weir_named **named)
{
    if (!*named)
        return;
    free((*named)->name);
    free(*named);
    *named = NULL;
}

static bool is_of_name(char c)
{
    return weir_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static int add_name(struct weir_named *named, struct weir_slice word)
{
    struct name *more;

    if (word.len > WEIR_RULE_NAME_MAX || weir_is_digit(word.at[0]))
        return 0;
    more = weir_grown(named->name, named->count, &named->room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    named->name = more;
    more += named->count++;
    memcpy(more->text, word.at, word.len);
    more->text[word.len] = '\0';
    named->sorted = false;
    return 0;
}

static int add_line(struct weir_named *named, struct weir_slice line)
{
    int rc = 0;

    for (size_t from = 0, to; rc == 0 && from < line.len; from = to + 1) {
        to = from;
        while (to < line.len && is_of_name(line.at[to]))
            to++;
        if (to > from)
            rc = add_name(named, (struct weir_slice){line.at + from, to - from});
    }
    return rc;
}

/* What stands behind "meta NAME" of a line; nothing when it is another line. */
static struct weir_slice formula_of(struct weir_slice line)
{
    size_t at = strlen("meta");

    if (!weir_slice_begins(line, "meta") || line.len == at ||
        (line.at[at] != ' ' && line.at[at] != '\t'))
        return (struct weir_slice){line.at, 0};
    while (at < line.len && !is_of_name(line.at[at]))
        at++;
    while (at < line.len && is_of_name(line.at[at]))
        at++;
    return weir_slice_behind(line, at);
}

int weir_named_add(struct weir_named *named, struct weir_slice lines)
{
    int rc = 0;

    while (rc == 0 && lines.len > 0) {
        const char *feed = memchr(lines.at, '\n', lines.len);
        size_t len = feed ? (size_t)(feed - lines.at) : lines.len;

        rc = add_line(named, formula_of((struct weir_slice){lines.at, len}));
        lines = weir_slice_behind(lines, len + (feed != NULL));
    }
    return rc;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

bool weir_named_has(struct weir_named *named, const char *name)
{
    if (named->count == 0)
        return false;
    if (!named->sorted)
        qsort(named->name, named->count, sizeof *named->name, by_text);
    named->sorted = true;
    return bsearch(name, named->name, named->count, sizeof *named->name, by_text) != NULL;
}
