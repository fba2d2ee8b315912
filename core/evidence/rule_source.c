/*
 * The reader of rule files: takes text apart into lines, keeps rules by name, and
 * checks at the end what only all lines together can tell.  rule_line.c reads a
 * line, rule_test.c the test in it, rule_ids.c gives ids, rule_write.c writes rules again.
 *
 * Drafts lie in chunks of the caller's arena and do not move; the table finds them by
 * name under a key of its own.  Refuses nothing by itself: errors are told and
 * counted, and reading goes on.
 */
#include "core/evidence/rule_source.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_source_impl.h"

enum { WHY_MAX = 300, SLOTS_FIRST = 512 };

/* Names. ------------------------------------------------------------------ */

const char *weir_rule_kind_name(enum weir_rule_kind kind)
{
    static const char *const name[WEIR_RULE_KINDS] = {
        [WEIR_RULE_HEADER] = "header", [WEIR_RULE_BODY] = "body", [WEIR_RULE_RAW] = "rawbody",
        [WEIR_RULE_HTML] = "html", [WEIR_RULE_URI] = "uri", [WEIR_RULE_FULL] = "full",
        [WEIR_RULE_ENVELOPE] = "envelope", [WEIR_RULE_IP] = "ip", [WEIR_RULE_META] = "meta",
    };
    return (unsigned)kind < WEIR_RULE_KINDS && name[kind] ? name[kind] : "unknown";
}

const char *weir_rule_state_name(enum weir_rule_state state)
{
    static const char *const name[] = {"active", "test", "draft", "retired", "locked"};
    return (unsigned)state < sizeof(name) / sizeof(name[0]) ? name[state] : "unknown";
}

/* Errors. ------------------------------------------------------------------ */

static void tell(struct weir_rule_reader *reader, const char *file, unsigned line, const char *why)
{
    reader->errors++;
    if (reader->report)
        reader->report(reader->context, file, line, why);
}

int weir_rule_wrong(struct weir_rule_reader *reader, const char *format, ...)
{
    char why[WHY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    tell(reader, reader->file, reader->line, why);
    return 0;
}

/* The table of names. ------------------------------------------------------ */

int weir_rule_reader_new(struct weir_arena *arena, weir_rule_report *report, void *context,
                         struct weir_rule_reader **reader_r)
{
    struct weir_rule_reader *reader = weir_arena_zero(arena, 1, sizeof(*reader));
    if (!reader)
        return WEIR_ENOMEM;
    reader->arena = arena;
    reader->report = report;
    reader->context = context;
    reader->key = weir_hash_key_random();
    reader->slots = SLOTS_FIRST;
    reader->slot = weir_arena_zero(arena, reader->slots, sizeof(reader->slot[0]));
    if (!reader->slot)
        return WEIR_ENOMEM;
    *reader_r = reader;
    return 0;
}

/* Where the name is, or the free slot where it would be. */
static struct weir_rule_draft **slot_of(struct weir_rule_reader *reader, struct weir_slice name)
{
    size_t mask = reader->slots - 1;
    size_t at = weir_hash64(&reader->key, name.at, name.len) & mask;
    while (reader->slot[at] && !weir_slice_same(reader->slot[at]->source.name, name))
        at = (at + 1) & mask;
    return &reader->slot[at];
}

static int grow_slots(struct weir_rule_reader *reader)
{
    if (reader->rules * 2 < reader->slots)
        return 0;
    struct weir_rule_draft **slot =
        weir_arena_zero(reader->arena, reader->slots * 4, sizeof(*slot));
    if (!slot)
        return WEIR_ENOMEM;
    reader->slot = slot;
    reader->slots *= 4;
    for (struct weir_rule_chunk *chunk = reader->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->drafts; i++)
            *slot_of(reader, chunk->draft[i].source.name) = &chunk->draft[i];
    return 0;
}

static struct weir_rule_draft *draft_new(struct weir_rule_reader *reader)
{
    struct weir_rule_chunk *chunk = reader->last;
    if (!chunk || chunk->drafts == RULES_A_CHUNK) {
        chunk = weir_arena_take(reader->arena, sizeof(*chunk));
        if (!chunk)
            return NULL;
        chunk->next = NULL;
        chunk->drafts = 0;
        *(reader->last ? &reader->last->next : &reader->first) = chunk;
        reader->last = chunk;
    }
    struct weir_rule_draft *draft = &chunk->draft[chunk->drafts++];
    memset(draft, 0, sizeof(*draft));
    return draft;
}

static bool name_ok(struct weir_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

int weir_rule_draft(struct weir_rule_reader *reader, struct weir_slice name,
                    struct weir_rule_draft **draft_r)
{
    if (name.len > WEIR_RULE_NAME_MAX)
        return weir_rule_wrong(reader, "a name may have %d octets", WEIR_RULE_NAME_MAX);
    if (!name_ok(name))
        return weir_rule_wrong(reader, "a name is letters, digits and '_', no digit first");
    if (weir_rule_is_own(name))
        return weir_rule_wrong(reader, "%.*s is the name of points of Weir's own: no rule can "
                               "have it", (int)name.len, name.at);
    struct weir_rule_draft **slot = slot_of(reader, name);
    if (!*slot && reader->rules >= WEIR_RULES_MAX) {
        if (!reader->full)
            weir_rule_wrong(reader, "more than %d rules", WEIR_RULES_MAX);
        reader->full = true;
        return 0;
    }
    if (!*slot) {
        if (grow_slots(reader) < 0)
            return WEIR_ENOMEM;
        struct weir_rule_draft *draft = draft_new(reader);
        if (!draft)
            return WEIR_ENOMEM;
        draft->source.name = name;
        draft->source.file = reader->file;
        draft->source.line = reader->line;
        *slot_of(reader, name) = draft;
        reader->rules++;
        slot = slot_of(reader, name);
    }
    *draft_r = *slot;
    return 1;
}

/* Lines. -------------------------------------------------------------------- */

int weir_rule_without_comment(struct weir_arena *arena, struct weir_slice line,
                              struct weir_slice *line_r)
{
    char *copy = weir_arena_take(arena, line.len + 1);
    if (!copy)
        return WEIR_ENOMEM;
    size_t len = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (line.at[i] == '#') {
            if (len == 0 || line.at[i - 1] != '\\')
                break;
            len--;
        }
        copy[len++] = line.at[i];
    }
    *line_r = weir_slice_trim((struct weir_slice){copy, len});
    return 0;
}

static bool is_blank_or_comment(struct weir_slice line)
{
    line = weir_slice_trim(line);
    return line.len == 0 || line.at[0] == '#';
}

static int line_add(struct weir_rule_reader *reader, struct weir_slice line)
{
    struct weir_slice plain;
    if (is_blank_or_comment(line))
        return 0;
    if (line.len > WEIR_RULE_LINE_MAX)
        return weir_rule_wrong(reader, "the line is longer than %d octets", WEIR_RULE_LINE_MAX);
    if (memchr(line.at, '\0', line.len))
        return weir_rule_wrong(reader, "there is a NUL in the line");
    int rc = weir_rule_without_comment(reader->arena, line, &plain);
    return rc < 0 ? rc : weir_rule_line_read(reader, plain);
}

int weir_rule_reader_add(struct weir_rule_reader *reader, const char *file, struct weir_slice text)
{
    reader->line = 0;
    reader->file = weir_arena_copy(reader->arena, file, strlen(file));
    if (!reader->file)
        return WEIR_ENOMEM;
    if (text.len > WEIR_RULE_FILE_MAX)
        return weir_rule_wrong(reader, "the file is longer than %u octets", WEIR_RULE_FILE_MAX);
    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;
        reader->line++;
        int rc = line_add(reader, (struct weir_slice){text.at, len});
        if (rc < 0)
            return rc;
        len += end != NULL;
        text.at += len;
        text.len -= len;
    }
    return 0;
}

/* The end. ------------------------------------------------------------------ */

void weir_rule_reader_forgive(struct weir_rule_reader *reader)
{
    reader->forgives = true;
}

void weir_rule_reader_known(struct weir_rule_reader *reader)
{
    for (struct weir_rule_chunk *chunk = reader->first; chunk; chunk = chunk->next) {
        for (size_t i = 0; i < chunk->drafts; i++) {
            chunk->draft[i].known = true;
            chunk->draft[i].source.said = 0;
        }
    }
}

static void tell_untested(struct weir_rule_reader *reader, const struct weir_rule_source *rule)
{
    char why[WHY_MAX];
    snprintf(why, sizeof(why), "rule %.*s has no test%s", (int)rule->name.len, rule->name.at,
             reader->forgives ? ": it is left out" : "");
    tell(reader, rule->file, rule->line, why);
    reader->errors -= reader->forgives;
}

/* Whether it is a rule of the set. */
static bool finish(struct weir_rule_reader *reader, struct weir_rule_draft *draft)
{
    struct weir_rule_source *rule = &draft->source;
    if (!draft->has_test)
        tell_untested(reader, rule);
    if (!draft->has_score) {
        bool on_trial = rule->name.len > 2 && memcmp(rule->name.at, "T_", 2) == 0;
        rule->score = on_trial ? 0.01f : 1.0f;
        if (rule->flags & WEIR_RULE_NICE)
            rule->score = -rule->score;
    }
    return draft->has_test || !reader->forgives;
}

void weir_rule_tell_doubled(struct weir_rule_reader *reader, const struct weir_rule_source *first,
                            const struct weir_rule_source *rule)
{
    char why[WHY_MAX];
    snprintf(why, sizeof(why), "rules %.*s and %.*s have the same id %u", (int)first->name.len,
             first->name.at, (int)rule->name.len, rule->name.at, (unsigned)rule->id);
    tell(reader, rule->file, rule->line, why);
}

void weir_rule_reader_refuse(struct weir_rule_reader *reader, const char *file, const char *why)
{
    reader->file = file;
    reader->line = 0;
    weir_rule_wrong(reader, "%s", why);
}

int weir_rule_reader_end(struct weir_rule_reader *reader, struct weir_rule_sources *sources_r)
{
    struct weir_rule_sources sources = {.rules = 0};
    sources.rule = weir_arena_zero(reader->arena, reader->rules + 1, sizeof(*sources.rule));
    if (!sources.rule || weir_rule_ids_give(reader) < 0)
        return WEIR_ENOMEM;
    for (struct weir_rule_chunk *chunk = reader->first; chunk; chunk = chunk->next) {
        for (size_t i = 0; i < chunk->drafts; i++)
            if (finish(reader, &chunk->draft[i]))
                sources.rule[sources.rules++] = chunk->draft[i].source;
    }
    sources.errors = reader->errors;
    *sources_r = sources;
    return 0;
}

double weir_rule_points(double points)
{
    return round(points * 100) / 100 + 0.0;
}
