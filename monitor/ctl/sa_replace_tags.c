/*
 * What ReplaceTags.pm does, pass by pass, since its results are what rule authors tested:
 * the expression is cut at <...>, each piece gets its pre, post and inter texts and then its
 * first tag replaced; that is done again, at most six times, when a replacement had tags in it.
 * All texts are built in two bounded buffers, so that tags within tags cannot grow without end.
 */
#include "monitor/ctl/sa_replace_tags.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/line.h"

#define PASSES_MAX 6

struct sa_tags sa_tags(struct weir_arena *arena)
{
    struct sa_tags tags = {.start = weir_slice_of("<"), .end = weir_slice_of(">")};
    for (int kind = 0; kind < SA_TAG_KINDS; kind++)
        tags.kind[kind] = sa_names(arena);
    return tags;
}

int sa_tags_line(struct sa_tags *tags, struct weir_slice key, struct weir_slice value)
{
    static const char *const word[] = {"replace_tag", "replace_pre", "replace_post",
                                       "replace_inter"};
    if (weir_slice_equals(key, "replace_start") || weir_slice_equals(key, "replace_end")) {
        *(weir_slice_equals(key, "replace_start") ? &tags->start : &tags->end) = value;
        return value.len > 0 ? 1 : WEIR_EINVAL;
    }
    for (int kind = 0; kind < SA_TAG_KINDS; kind++) {
        if (!weir_slice_equals(key, word[kind]))
            continue;
        struct weir_slice name = weir_slice_word(&value);
        if (value.len == 0)
            return WEIR_EINVAL;
        struct weir_slice *text = weir_arena_zero(tags->kind[kind].arena, 1, sizeof(*text));
        struct sa_name *entry = sa_names_add(&tags->kind[kind], name);
        if (!text || !entry)
            return WEIR_ENOMEM;
        *text = value;
        entry->value = text;
        return 1;
    }
    return 0;
}

static bool tag_text(const struct sa_tags *tags, enum sa_tag_kind kind, struct weir_slice name,
                     struct weir_slice *text_r)
{
    const struct sa_name *entry = sa_names_find(&tags->kind[kind], name);
    *text_r = entry ? *(const struct weir_slice *)entry->value : (struct weir_slice){"", 0};
    return text_r->len > 0 && !weir_slice_equals(*text_r, "0"); /* "0" is false in Perl */
}

/* A place in a text, or its length when it is not there. */
static size_t find(struct weir_slice text, size_t from, struct weir_slice what)
{
    const char *at = from >= text.len ? NULL
                     : what.len == 1 ? memchr(text.at + from, *what.at, text.len - from)
                     : memmem(text.at + from, text.len - from, what.at, what.len);
    return at ? (size_t)(at - text.at) : text.len;
}

struct found { size_t from, to; struct weir_slice name; }; /* of "<" + before + name + ">" */

/* The first start + before + at least one octet + end, at or behind from. */
static bool find_tag(const struct sa_tags *tags, struct weir_slice text, const char *before,
                     size_t from, struct found *found_r)
{
    size_t skip = tags->start.len + strlen(before);
    for (from = find(text, from, tags->start); from < text.len;
         from = find(text, from + 1, tags->start)) {
        if (text.len - from <= skip ||
            memcmp(text.at + from + tags->start.len, before, strlen(before)) != 0)
            continue;
        size_t end = find(text, from + skip + 1, tags->end);
        if (end == text.len)
            return false; /* nothing further on ends either */
        *found_r = (struct found){from, end + tags->end.len,
                                  {text.at + from + skip, end - from - skip}};
        return true;
    }
    return false;
}

struct pass {
    const struct sa_tags *tags;
    struct weir_slice extra[SA_TAG_KINDS]; /* the texts that <pre ...> and so on ask for */
    char *piece_room;
    struct weir_line out;
    bool cut, again;
};

static void put(struct weir_line *line, struct weir_slice text)
{
    weir_line_octets(line, text.at, text.len);
}

static struct weir_slice written(const struct weir_line *line)
{
    return (struct weir_slice){line->start, (size_t)(line->at - line->start)};
}

/* Whether "<", something but ">", and ">" stand in a text, as the plugin asks it. */
static bool has_tag(struct weir_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '<')
            continue;
        size_t end = find(text, i + 1, weir_slice_of(">"));
        if (end == text.len)
            return false;
        if (end > i + 1)
            return true;
    }
    return false;
}

/* Replaces all tags that are like the first one in a piece. */
static void replace_first(struct pass *p, struct weir_slice piece)
{
    struct found found;
    struct weir_slice text;
    if (!find_tag(p->tags, piece, "", 0, &found) ||
        !tag_text(p->tags, SA_TAG, found.name, &text)) {
        put(&p->out, piece);
        return;
    }
    struct weir_slice tag = {piece.at + found.from, found.to - found.from};
    for (size_t from = 0; from < piece.len && !p->out.cut;) {
        size_t at = find(piece, from, tag);
        put(&p->out, (struct weir_slice){piece.at + from, at - from});
        if (at < piece.len)
            put(&p->out, text);
        from = at + tag.len;
    }
    p->again |= has_tag(text);
}

/* A piece gets what goes before its first tag and behind all of them. */
static void decorate(struct pass *p, struct weir_slice piece)
{
    struct weir_line line = weir_line(p->piece_room, WEIR_RULE_PATTERN_MAX + 1);
    struct found found;
    size_t from = 0;
    if (piece.len == 0)
        put(&line, p->extra[SA_TAG_INTER]);
    while (from < piece.len && find_tag(p->tags, piece, "", from, &found)) {
        put(&line, (struct weir_slice){piece.at + from, found.from - from});
        if (from == 0)
            put(&line, p->extra[SA_TAG_PRE]);
        put(&line, (struct weir_slice){piece.at + found.from, found.to - found.from});
        put(&line, p->extra[SA_TAG_POST]);
        from = found.to;
    }
    put(&line, (struct weir_slice){piece.at + from, piece.len - from});
    p->cut |= line.cut;
    replace_first(p, written(&line));
}

/* The next <...> without "<" and ">" in it, at or behind from. */
static bool next_piece(struct weir_slice text, size_t from, struct found *found_r)
{
    for (size_t i = from, start = text.len; i < text.len; i++) {
        if (text.at[i] == '<') {
            start = i;
        } else if (text.at[i] == '>') {
            if (start < i && i > start + 1) {
                *found_r = (struct found){start, i + 1, {NULL, 0}};
                return true;
            }
            start = text.len;
        }
    }
    return false;
}

/* SpamAssassin has "(?aa)" before every expression: nothing is between that and a first tag,
 * but they do not touch. */
static void replace_pieces(struct pass *p, struct weir_slice text)
{
    struct found found;
    size_t from = 0;
    while (!p->out.cut && next_piece(text, from, &found)) {
        if (found.from > 0)
            decorate(p, (struct weir_slice){text.at + from, found.from - from});
        decorate(p, (struct weir_slice){text.at + found.from, found.to - found.from});
        from = found.to;
    }
    if (from < text.len)
        decorate(p, (struct weir_slice){text.at + from, text.len - from});
}

/* Takes <pre N>, <post N> and <inter N> out of a text, each once. */
static void take_modifiers(struct pass *p, char *text, size_t *len)
{
    static const char *const word[] = {NULL, "pre ", "post ", "inter "};
    for (int kind = SA_TAG_PRE; kind < SA_TAG_KINDS; kind++) {
        struct found found;
        p->extra[kind] = (struct weir_slice){"", 0};
        if (!find_tag(p->tags, (struct weir_slice){text, *len}, word[kind], 0, &found))
            continue;
        if (!tag_text(p->tags, (enum sa_tag_kind)kind, found.name, &p->extra[kind]))
            p->extra[kind] = (struct weir_slice){"", 0};
        memmove(text + found.from, text + found.to, *len - found.to);
        *len -= found.to - found.from;
    }
}

static bool take_room(struct sa_tags *tags)
{
    for (int i = 0; i < 3; i++)
        if (!tags->room[i])
            tags->room[i] = weir_arena_take(tags->kind[SA_TAG].arena, WEIR_RULE_PATTERN_MAX + 1);
    return tags->room[0] && tags->room[1] && tags->room[2];
}

int sa_tags_replace(struct sa_tags *tags, struct weir_slice pattern, struct weir_slice *pattern_r)
{
    size_t len = pattern.len;
    if (len > WEIR_RULE_PATTERN_MAX)
        return WEIR_ELIMIT;
    if (!take_room(tags))
        return WEIR_ENOMEM;
    char *text = tags->room[0], *next = tags->room[1];
    struct pass p = {.tags = tags, .piece_room = tags->room[2], .again = true};
    memcpy(text, pattern.at, len);
    for (int passes = 0; passes < PASSES_MAX && p.again; passes++) {
        char *before = text;
        take_modifiers(&p, text, &len);
        p.again = false;
        p.out = weir_line(next, WEIR_RULE_PATTERN_MAX + 1);
        replace_pieces(&p, (struct weir_slice){text, len});
        tags->work += len + (size_t)(p.out.at - next);
        if (p.out.cut || p.cut || tags->work > SA_TAGS_WORK_MAX)
            return WEIR_ELIMIT;
        len = (size_t)(p.out.at - next);
        text = next;
        next = before;
    }
    const char *copy = weir_arena_copy(tags->kind[SA_TAG].arena, text, len);
    *pattern_r = (struct weir_slice){copy, len};
    return copy ? 0 : WEIR_ENOMEM;
}
