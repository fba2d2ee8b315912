/*
 * Two sets are read, sorted by id, and walked together.  Tests are compared as the text that
 * weir_rule_write() makes of them, so that blanks and the order of lines are no difference.
 */
#include "monitor/analyzer/rules_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/slice.h"

#define ARENA_FIRST (1u << 20)
#define TEXT (4 * WEIR_RULE_LINE_MAX) /* octets of a rule's lines: each may get a backslash */

struct diffing {
    struct weir_rule_sources old, new;
    char *was, *is;              /* TEXT octets each */
    weir_rules_diff_row *row;
    void *context;
    int count;
};

const char *weir_rule_difference_name(enum weir_rule_difference difference)
{
    static const char *const names[WEIR_RULE_DIFFERENCES] = {"added", "gone",  "name", "test",
                                                             "score", "state", "description"};

    return (unsigned)difference < WEIR_RULE_DIFFERENCES ? names[difference] : "";
}

static int tell(struct diffing *diffing, enum weir_rule_difference difference,
                const struct weir_rule_source *old, const struct weir_rule_source *new)
{
    const struct weir_rules_differ differ = {difference, old, new, diffing->was, diffing->is};

    diffing->count++;
    return diffing->row ? diffing->row(diffing->context, &differ) : 0;
}

/* Texts of two values; whether they differ. */
static bool differ(struct diffing *diffing, struct weir_slice was, struct weir_slice is)
{
    snprintf(diffing->was, TEXT, "%.*s", (int)was.len, was.len ? was.at : "");
    snprintf(diffing->is, TEXT, "%.*s", (int)is.len, is.len ? is.at : "");
    return !weir_slice_same(was, is);
}

/* What the rule does, in one line without its name's score, id, state and description. */
static void write_test(const struct weir_rule_source *rule, char text_r[static TEXT])
{
    struct weir_rule_source plain = *rule;
    struct weir_line out = weir_line(text_r, TEXT);
    char *score, *end;

    plain.id = 0;
    plain.score = 0;
    plain.state = WEIR_RULE_ACTIVE;
    plain.description.len = 0;
    plain.said = 0; /* what a rulebook says beside it makes no other test */
    weir_rule_write(&plain, &out);
    weir_line_end(&out);
    score = strstr(text_r, "\nscore "); /* a line of its own, and a test has no line ends */
    end = score ? strchr(score + 1, '\n') : NULL;
    if (end)
        memmove(score, end, strlen(end) + 1);
    score = strrchr(text_r, '\n');
    if (score && score[1] == '\0')
        *score = '\0';
}

static int compare_tests(struct diffing *diffing, const struct weir_rule_source *old,
                         const struct weir_rule_source *new)
{
    struct weir_rule_source renamed = *old;

    renamed.name = new->name; /* that it has another is told by itself */
    write_test(&renamed, diffing->was);
    write_test(new, diffing->is);
    return strcmp(diffing->was, diffing->is) != 0
               ? tell(diffing, WEIR_RULE_TESTED, old, new)
               : 0;
}

static int compare_words(struct diffing *diffing, const struct weir_rule_source *old,
                         const struct weir_rule_source *new)
{
    char was[32], is[32];
    int rc = 0;

    snprintf(was, sizeof was, "%.2f", (double)old->score);
    snprintf(is, sizeof is, "%.2f", (double)new->score);
    if (differ(diffing, weir_slice_of(was), weir_slice_of(is)))
        rc = tell(diffing, WEIR_RULE_SCORED, old, new);
    if (rc == 0 && differ(diffing, weir_slice_of(weir_rule_state_name(old->state)),
                          weir_slice_of(weir_rule_state_name(new->state))))
        rc = tell(diffing, WEIR_RULE_STATED, old, new);
    if (rc == 0 && differ(diffing, old->description, new->description))
        rc = tell(diffing, WEIR_RULE_DESCRIBED, old, new);
    return rc;
}

static int compare(struct diffing *diffing, const struct weir_rule_source *old,
                   const struct weir_rule_source *new)
{
    int rc = 0;

    if (differ(diffing, old->name, new->name))
        rc = tell(diffing, WEIR_RULE_RENAMED, old, new);
    rc = rc != 0 ? rc : compare_tests(diffing, old, new);
    return rc != 0 ? rc : compare_words(diffing, old, new);
}

static int only_one(struct diffing *diffing, const struct weir_rule_source *old,
                    const struct weir_rule_source *new)
{
    diffing->was[0] = diffing->is[0] = '\0';
    write_test(old ? old : new, old ? diffing->was : diffing->is);
    return tell(diffing, old ? WEIR_RULE_GONE : WEIR_RULE_ADDED, old, new);
}

static int walk(struct diffing *diffing)
{
    const struct weir_rule_source *old = diffing->old.rule, *new = diffing->new.rule;
    const struct weir_rule_source *old_end = old + diffing->old.rules;
    const struct weir_rule_source *new_end = new + diffing->new.rules;
    int rc = 0;

    while (rc == 0 && (old < old_end || new < new_end)) {
        bool gone = old < old_end && (new == new_end || old->id < new->id);
        bool came = !gone && (old == old_end || new->id < old->id);

        if (gone)
            rc = only_one(diffing, old, NULL);
        else if (came)
            rc = only_one(diffing, NULL, new);
        else
            rc = compare(diffing, old, new);
        old += !came;
        new += !gone;
    }
    return rc;
}

static int by_id(const void *a, const void *b)
{
    uint32_t one = ((const struct weir_rule_source *)a)->id;
    uint32_t other = ((const struct weir_rule_source *)b)->id;

    return (one > other) - (one < other);
}

static int read_set(struct weir_arena *arena, struct weir_slice text,
                    struct weir_rule_sources *set_r)
{
    struct weir_rule_reader *reader;

    if (weir_rule_reader_new(arena, NULL, NULL, &reader) < 0 ||
        weir_rule_reader_add(reader, "", text) < 0 || weir_rule_reader_end(reader, set_r) < 0)
        return WEIR_ENOMEM;
    if (set_r->errors > 0)
        return WEIR_EINVAL;
    qsort(set_r->rule, set_r->rules, sizeof *set_r->rule, by_id);
    return 0;
}

int weir_rules_diff(struct weir_slice old, struct weir_slice new, weir_rules_diff_row *row,
                    void *context)
{
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    struct diffing diffing = {.row = row, .context = context};
    int rc = WEIR_ENOMEM;

    if (arena) {
        diffing.was = weir_arena_take(arena, TEXT);
        diffing.is = weir_arena_take(arena, TEXT);
    }
    if (diffing.was && diffing.is)
        rc = read_set(arena, old, &diffing.old);
    rc = rc < 0 ? rc : read_set(arena, new, &diffing.new);
    rc = rc < 0 ? rc : walk(&diffing);
    weir_arena_free(&arena);
    return rc != 0 ? rc : diffing.count;
}
