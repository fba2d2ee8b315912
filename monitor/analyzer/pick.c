/*
 * Picking: each rule by itself when it is added, then what metas name, from one to the next until
 * nothing new is found.  Names are found in an array sorted by name: they are the operator's, and
 * no two the same.
 */
#include "monitor/analyzer/pick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/slice.h"

#define LINES_OF_OUR_OWN 64 /* octets of a rule's score, id and state beside its names */

struct picked {
    uint32_t id;
    const char *name, *text;
    enum weir_rule_kind kind;
    enum weir_rule_state state;
    double score;
    bool wanted;
};

struct weir_pick {
    struct weir_arena *arena;
    weir_time idle, now;
    struct picked *rule;         /* as they came */
    size_t rules, room;
    const struct picked **by_name;
    size_t *todo, todos;         /* wanted metas whose names were not looked up yet */
};

int weir_pick_new(struct weir_arena *arena, weir_time idle, weir_time now,
                  struct weir_pick **pick_r)
{
    struct weir_pick *pick = weir_arena_zero(arena, 1, sizeof *pick);

    if (!pick)
        return WEIR_ENOMEM;
    pick->arena = arena;
    pick->idle = idle;
    pick->now = now;
    *pick_r = pick;
    return 0;
}

static bool is_wanted(const struct weir_pick *pick, const struct weir_kept_rule *rule,
                      weir_time last_hit)
{
    weir_time last = rule->since > last_hit ? rule->since : last_hit;

    if (rule->state == WEIR_RULE_LOCKED)
        return true;
    if ((rule->state != WEIR_RULE_ACTIVE && rule->state != WEIR_RULE_TEST) ||
        strncmp(rule->name, "__", 2) == 0)
        return false;
    return rule->kind == WEIR_RULE_IP || pick->idle == 0 || pick->now - last <= pick->idle;
}

static int make_room(struct weir_pick *pick)
{
    size_t room = pick->room ? 2 * pick->room : 256;
    struct picked *more;

    if (pick->rules >= WEIR_RULES_MAX)
        return WEIR_ELIMIT;
    if (pick->rules < pick->room)
        return 0;
    more = weir_arena_zero(pick->arena, room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    if (pick->rules > 0)
        memcpy(more, pick->rule, pick->rules * sizeof *more);
    pick->rule = more;
    pick->room = room;
    return 0;
}

int weir_pick_add(struct weir_pick *pick, const struct weir_kept_rule *rule, weir_time last_hit)
{
    struct picked copy = {.id = rule->id, .kind = rule->kind, .state = rule->state,
                          .score = rule->score};
    int rc = make_room(pick);

    if (rc < 0)
        return rc;
    copy.name = weir_arena_copy(pick->arena, rule->name, strlen(rule->name));
    copy.text = weir_arena_copy(pick->arena, rule->text, strlen(rule->text));
    copy.wanted = is_wanted(pick, rule, last_hit);
    if (!copy.name || !copy.text)
        return WEIR_ENOMEM;
    pick->rule[pick->rules++] = copy;
    return 0;
}

/* What metas name. ------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct picked *const *)a)->name,
                  (*(const struct picked *const *)b)->name);
}

static struct picked *named(struct weir_pick *pick, struct weir_slice name)
{
    char text[WEIR_RULE_NAME_MAX + 1];
    const struct picked wanted = {.name = text}, *key = &wanted, **found;

    if (name.len > WEIR_RULE_NAME_MAX)
        return NULL;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    found = bsearch(&key, pick->by_name, pick->rules, sizeof *pick->by_name, by_name);
    return found ? &pick->rule[*found - pick->rule] : NULL;
}

static bool is_name(char c)
{
    char low = (char)(c | 0x20);

    return (low >= 'a' && low <= 'z') || c == '_' || weir_is_digit(c);
}

/* Wants every rule whose name stands in a formula. */
static void want_named(struct weir_pick *pick, struct weir_slice formula)
{
    while (formula.len > 0) {
        size_t len = 0;
        struct picked *rule;

        while (len < formula.len && is_name(formula.at[len]))
            len++;
        rule = len > 0 ? named(pick, (struct weir_slice){formula.at, len}) : NULL;
        if (rule && !rule->wanted) {
            rule->wanted = true;
            if (rule->kind == WEIR_RULE_META)
                pick->todo[pick->todos++] = (size_t)(rule - pick->rule);
        }
        formula = weir_slice_behind(formula, len > 0 ? len : 1);
    }
}

static void want_all_named(struct weir_pick *pick, const struct picked *meta)
{
    struct weir_slice text = weir_slice_of(meta->text), line;

    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);

        line = (struct weir_slice){text.at, end ? (size_t)(end - text.at) : text.len};
        text = weir_slice_behind(text, line.len + (end != NULL));
        if (line.len > 5 && memcmp(line.at, "meta ", 5) == 0)
            want_named(pick, weir_slice_behind(line, 5));
    }
}

static int pick_named(struct weir_pick *pick)
{
    pick->by_name = weir_arena_zero(pick->arena, pick->rules + 1, sizeof *pick->by_name);
    pick->todo = weir_arena_zero(pick->arena, pick->rules + 1, sizeof *pick->todo);
    if (!pick->by_name || !pick->todo)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < pick->rules; i++) {
        pick->by_name[i] = &pick->rule[i];
        if (pick->rule[i].wanted && pick->rule[i].kind == WEIR_RULE_META)
            pick->todo[pick->todos++] = i;
    }
    qsort(pick->by_name, pick->rules, sizeof *pick->by_name, by_name);
    while (pick->todos > 0)
        want_all_named(pick, &pick->rule[pick->todo[--pick->todos]]);
    return 0;
}

/* Text. -------------------------------------------------------------------------------- */

static void write_rule(const struct picked *rule, struct weir_line *out)
{
    size_t len = strlen(rule->text);
    char number[48];

    weir_line_octets(out, rule->text, len);
    if (len > 0 && rule->text[len - 1] != '\n')
        weir_line_text(out, "\n");
    weir_line_text(out, "score ");
    weir_line_text(out, rule->name);
    snprintf(number, sizeof number, " %.2f\nid ", rule->score);
    weir_line_text(out, number);
    weir_line_text(out, rule->name);
    snprintf(number, sizeof number, " %u\n", (unsigned)rule->id);
    weir_line_text(out, number);
    if (rule->state == WEIR_RULE_ACTIVE)
        return;
    weir_line_text(out, "state ");
    weir_line_text(out, rule->name);
    weir_line_text(out, " ");
    weir_line_text(out, weir_rule_state_name(rule->state));
    weir_line_text(out, "\n");
}

int weir_pick_end(struct weir_pick *pick, struct weir_slice *text_r, size_t *rules_r)
{
    int rc = pick_named(pick);
    struct weir_line out;
    size_t room = 1;
    char *text;

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < pick->rules; i++)
        if (pick->rule[i].wanted)
            room += strlen(pick->rule[i].text) + 3 * strlen(pick->rule[i].name) + LINES_OF_OUR_OWN;
    text = weir_arena_take(pick->arena, room);
    if (!text)
        return WEIR_ENOMEM;
    out = weir_line(text, room);
    *rules_r = 0;
    for (size_t i = 0; i < pick->rules; i++)
        if (pick->rule[i].wanted) {
            write_rule(&pick->rule[i], &out);
            ++*rules_r;
        }
    *text_r = weir_slice_between(text, out.at);
    return out.cut ? WEIR_EBUG : 0;
}
