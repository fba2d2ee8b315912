/*
 * Reading: files to lines, lines to words.  Every line is copied once into the arena, its comment
 * taken off and its escaped '#' undone, so that all later slices point there.
 */
#include "monitor/ctl/sa_import.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/ctl/sa_import_impl.h"

const char *weir_sa_reason_name(enum weir_sa_reason reason)
{
    static const char *const name[] = {"eval", "plugin", "condition", "network", "kind", "header",
                                       "expression", "depends", "score", "syntax", "limit",
                                       "nowhere", "changed"};
    return (unsigned)reason < WEIR_SA_REASONS ? name[reason] : "?";
}

struct sa_rule *sa_import_rule(struct sa_importing *in, struct weir_slice name)
{
    struct sa_name *entry = in->no_memory ? NULL : sa_names_add(&in->rules, name);
    if (entry && !entry->value) {
        struct sa_rule *rule = weir_arena_zero(in->arena, 1, sizeof(*rule));
        if (rule)
            rule->name = name;
        entry->value = rule;
    }
    in->no_memory |= !entry || !entry->value;
    return in->no_memory ? NULL : entry->value;
}

void sa_import_miss(struct sa_importing *in, enum weir_sa_reason reason, struct weir_slice name,
                    const char *file, unsigned line, const char *why)
{
    struct weir_sa_missed *missed = in->no_memory ? NULL
        : sa_grow(in->arena, in->missed, in->missing, &in->missed_room, sizeof(*missed));
    const char *text = missed ? weir_arena_copy(in->arena, name.at, name.len) : NULL;
    in->no_memory |= !text;
    if (!text)
        return;
    in->missed = missed;
    missed[in->missing++] = (struct weir_sa_missed){reason, text, file, line, why};
}

void sa_import_miss_rule(struct sa_importing *in, const struct sa_rule *rule,
                         enum weir_sa_reason reason, const char *why)
{
    sa_import_miss(in, reason, rule->name, rule->file, rule->line, why);
}

void sa_import_count(struct sa_importing *in, struct weir_slice word)
{
    struct sa_name *entry = in->no_memory ? NULL : sa_names_add(&in->words, word);
    if (entry && !entry->value)
        entry->value = weir_arena_zero(in->arena, 1, sizeof(size_t));
    in->no_memory |= !entry || !entry->value;
    if (!in->no_memory)
        ++*(size_t *)entry->value;
}

/* The word at the beginning in lower case, with '_' for '-', as SpamAssassin has it. */
static struct weir_slice take_key(struct sa_importing *in, struct weir_slice *line)
{
    struct weir_slice word = weir_slice_word(line);
    char *key = weir_arena_copy(in->arena, word.at, word.len);
    in->no_memory |= !key;
    for (size_t i = 0; key && i < word.len; i++) {
        if (key[i] >= 'A' && key[i] <= 'Z')
            key[i] = (char)(key[i] - 'A' + 'a');
        else if (key[i] == '-')
            key[i] = '_';
    }
    return (struct weir_slice){key, word.len};
}

/* A line that is neither a condition nor about a rule. */
static void other_line(struct sa_importing *in, struct weir_slice key, struct weir_slice value)
{
    int tag = sa_tags_line(&in->tags, key, value);
    in->no_memory |= tag == WEIR_ENOMEM;
    if (tag == WEIR_EINVAL)
        sa_import_miss(in, WEIR_SA_SYNTAX, weir_slice_of(""), in->file, in->line,
                       "a tag without a text");
    else if (tag == 0)
        sa_import_count(in, key);
}

static void read_line(struct sa_importing *in, struct weir_slice line)
{
    const char *why = NULL;
    struct weir_slice key = take_key(in, &line);
    if (in->no_memory)
        return;
    if (weir_slice_equals(key, "lang")) {
        sa_import_count(in, key);
        return;
    }
    switch (sa_conditions_line(&in->conditions, key, line, &why)) {
    case SA_CONDITION_READ:
        return;
    case SA_CONDITION_BAD:
        sa_import_miss(in, WEIR_SA_SYNTAX, weir_slice_of(""), in->file, in->line, why);
        return;
    case SA_CONDITION_NONE:
        break;
    }
    if (sa_conditions_skip(&in->conditions))
        sa_definition_skipped(in, key, line);
    else if (!sa_definition_line(in, key, line))
        other_line(in, key, line);
}

static void read_file(struct sa_importing *in, const struct weir_sa_file *file)
{
    struct weir_slice rest = file->text;
    in->file = weir_arena_copy(in->arena, file->name, strlen(file->name));
    in->no_memory |= !in->file;
    in->line = 0;
    in->conditions = (struct sa_conditions){.depth = 0};
    while (rest.len > 0 && !in->no_memory) {
        const char *end = memchr(rest.at, '\n', rest.len);
        struct weir_slice line = {rest.at, end ? (size_t)(end - rest.at) : rest.len};
        size_t taken = line.len + (end != NULL);
        rest = (struct weir_slice){rest.at + taken, rest.len - taken};
        in->line++;
        if (line.len > WEIR_RULE_LINE_MAX) {
            sa_import_miss(in, WEIR_SA_LIMIT, weir_slice_of(""), in->file, in->line,
                           "the line is too long");
            continue;
        }
        struct weir_slice text = weir_slice_trim(line);
        if (text.len > 0 && text.at[0] != '#')
            in->no_memory |= weir_rule_without_comment(in->arena, line, &text) < 0;
        else
            text.len = 0;
        if (text.len > 0 && !in->no_memory)
            read_line(in, text);
    }
    if (in->conditions.depth > 0)
        sa_import_miss(in, WEIR_SA_SYNTAX, weir_slice_of(""), in->file, in->line,
                       "a block is open at the end of the file");
}

int weir_sa_import(const struct weir_sa_file *file, size_t files, struct weir_arena *arena,
                   struct weir_sa_import *import_r)
{
    struct sa_importing in = {.arena = arena, .rules = sa_names(arena), .words = sa_names(arena),
                              .tags = sa_tags(arena)};
    struct weir_sa_import import = {.rules = 0};

    for (size_t i = 0; i < files && !in.no_memory; i++)
        read_file(&in, &file[i]);
    if (!in.no_memory)
        sa_finish(&in, &import);
    if (in.no_memory)
        return WEIR_ENOMEM;
    *import_r = import;
    return 0;
}
