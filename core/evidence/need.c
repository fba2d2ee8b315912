/*
 * The reader of expressions: text to tree.  A tree describes at least what
 * the expression matches: constructs that are not looked into become NEED_LOOSE (they take no
 * octets) or NEED_ANYTHING; reading ends (unknown) where even the borders of a construct are
 * in doubt.  Everything lives in the caller's arena.
 */
#include "core/evidence/need.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/need_impl.h"

static struct weir_need_node *read_alternatives(struct need_reader *r);

static struct weir_need_node *node(struct need_reader *r, enum need_kind kind)
{
    struct weir_need_node *n = weir_arena_zero(r->arena, 1, sizeof *n);
    if (!n) {
        r->no_memory = r->unknown = true;
        return &r->nothing; /* reading has ended */
    }
    n->kind = kind;
    return n;
}

static struct weir_need_node *set_node(struct need_reader *r, struct weir_octet_set set)
{
    struct weir_need_node *n = node(r, NEED_SET);
    if (!r->no_memory)
        n->set = set;
    return n;
}

static struct weir_need_node *octet_node(struct need_reader *r, unsigned octet)
{
    struct weir_octet_set set = {{0}};
    octet_set_add(&set, octet);
    if (r->flags.caseless)
        need_set_fold(&set);
    return set_node(r, set);
}

static struct weir_need_node *any_octet(struct need_reader *r, bool new_line_too)
{
    struct weir_octet_set set = octet_set_not((struct weir_octet_set){{0}});
    if (!new_line_too)
        set.word[0] &= ~(UINT64_C(1) << '\n');
    return set_node(r, set);
}

static struct weir_need_node *edge_node(struct need_reader *r, unsigned edges)
{
    struct weir_need_node *n = node(r, NEED_EDGE);
    if (!r->no_memory)
        n->edges = edges;
    return n;
}

static bool at_text(const struct need_reader *r, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(r->end - r->at) >= len && memcmp(r->at, text, len) == 0;
}

static bool take_text(struct need_reader *r, const char *text)
{
    bool there = at_text(r, text);
    if (there)
        r->at += strlen(text);
    return there;
}

/* Up to and with the next close; unknown when there is none. */
static void skip_past(struct need_reader *r, char close)
{
    const char *there = memchr(r->at, close, (size_t)(r->end - r->at));
    if (there)
        r->at = there + 1;
    else
        r->unknown = true;
}

/* Reference or call: \g{..} \g<..> \k{..} \k'..'.  They match anything. */
static struct weir_need_node *read_reference(struct need_reader *r)
{
    static const char open[] = "{<'", close[] = "}>'";
    const char *which = r->at < r->end && *r->at ? strchr(open, *r->at) : NULL;
    if (which) {
        r->at++;
        skip_past(r, close[which - open]);
    } else if (r->at < r->end && (*r->at == '+' || *r->at == '-')) {
        r->at++;
    }
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && !which)
        r->at++;
    return node(r, NEED_ANYTHING);
}

/* \p{..}, \P, \X, \R, \C, \N: one octet or more. */
static struct weir_need_node *read_odd_escape(struct need_reader *r, char letter)
{
    switch (letter) {
    case 'N':
        r->unknown = r->unknown || at_text(r, "{");
        return any_octet(r, false);
    case 'C':
        return any_octet(r, true);
    case 'p':
    case 'P':
        if (take_text(r, "{"))
            skip_past(r, '}');
        else
            r->at += r->at < r->end;
        return node(r, NEED_ANYTHING);
    case 'X':
    case 'R':
        return node(r, NEED_ANYTHING);
    default:
        r->unknown = true;
        return node(r, NEED_ANYTHING);
    }
}

static struct weir_need_node *read_escape(struct need_reader *r)
{
    struct weir_octet_set set;
    int octet = need_escaped_octet(r);
    if (octet >= 0 || r->unknown)
        return octet_node(r, (unsigned)octet & 255);
    char letter = *r->at++;
    if (letter >= '1' && letter <= '9') { /* a reference, or an octet in octal */
        while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
            r->at++;
        return node(r, NEED_ANYTHING);
    }
    switch (letter) {
    case 'b':
        return edge_node(r, WEIR_NEED_BORDER);
    case 'B':
        return edge_node(r, WEIR_NEED_NO_BORDER);
    case 'A':
        return edge_node(r, WEIR_NEED_BEGIN);
    case 'Z':
        return edge_node(r, WEIR_NEED_END);
    case 'G': /* where matching began, which a candidate moves */
        r->unknown = true;
        return node(r, NEED_LOOSE);
    case 'z':
    case 'K':
        return node(r, NEED_LOOSE);
    case 'g':
    case 'k':
        return read_reference(r);
    default:
        return need_letter_set(letter, &set) ? set_node(r, set) : read_odd_escape(r, letter);
    }
}

/* After "(?": flags, up to ")" or ":".  A letter that is not known here is left to be
 * stumbled on by the caller. */
static void read_flags(struct need_reader *r)
{
    bool on = true;
    if (take_text(r, "^"))
        r->flags = (struct weir_need_flags){0};
    for (; r->at < r->end; r->at++) {
        switch (*r->at) {
        case '-': on = false; break;
        case 'i': r->flags.caseless = on; break;
        case 'm': r->flags.multiline = on; break;
        case 's': r->flags.dotall = on; break;
        case 'x':
            r->unknown = r->unknown || (on && r->at + 1 < r->end && r->at[1] == 'x');
            r->flags.extended = on;
            break;
        case 'n':
        case 'J':
            break;
        default:
            return;
        }
    }
}

/* The inside of a group and its ")". */
static struct weir_need_node *read_inside(struct need_reader *r)
{
    struct weir_need_node *inside = read_alternatives(r);
    if (!take_text(r, ")"))
        r->unknown = true;
    return inside;
}

/* A group that is read only to find its end. */
static struct weir_need_node *read_unseen(struct need_reader *r, enum need_kind kind)
{
    read_inside(r);
    return node(r, kind);
}

/* A group whose inside is taken, though it may match less than it would alone. */
static struct weir_need_node *read_atomic(struct need_reader *r)
{
    struct weir_need_node *cat = node(r, NEED_CAT), *inside = read_inside(r);
    if (!r->unknown) {
        cat->child = node(r, NEED_LOOSE);
        cat->child->next = inside;
    }
    return cat;
}

/* (?(condition)yes|no) */
static struct weir_need_node *read_condition(struct need_reader *r)
{
    if (at_text(r, "?")) { /* the condition is an assertion */
        r->at--;
        r->unknown = true;
        return node(r, NEED_ANYTHING);
    }
    skip_past(r, ')');
    return read_unseen(r, NEED_ANYTHING);
}

static struct weir_need_node *read_flag_group(struct need_reader *r)
{
    read_flags(r);
    if (take_text(r, ")"))
        return NULL; /* for the rest of the group around */
    if (take_text(r, ":"))
        return read_inside(r);
    r->unknown = true;
    return NULL;
}

/* After "(?<" or "(?P<" or "(?'": the name and the group. */
static struct weir_need_node *read_named(struct need_reader *r, char close)
{
    skip_past(r, close);
    return read_inside(r);
}

static bool call_follows(const struct need_reader *r)
{
    const char *p = r->at;
    if (p < r->end && (*p == '+' || *p == '-'))
        p++;
    return p < r->end && ((*p >= '0' && *p <= '9') || *p == 'R' || *p == '&');
}

/* After "(?". */
static struct weir_need_node *read_special(struct need_reader *r)
{
    if (take_text(r, "C")) {
        skip_past(r, ')');
        r->unknown = true; /* a callout may do what it likes */
        return NULL;
    }
    if (take_text(r, "=") || take_text(r, "!") || take_text(r, "<=") || take_text(r, "<!"))
        return read_unseen(r, NEED_LOOSE);
    if (take_text(r, ">"))
        return read_atomic(r);
    if (take_text(r, ":") || take_text(r, "|"))
        return read_inside(r);
    if (take_text(r, "P<") || take_text(r, "<"))
        return read_named(r, '>');
    if (take_text(r, "'"))
        return read_named(r, '\'');
    if (take_text(r, "("))
        return read_condition(r);
    if (take_text(r, "P=") || take_text(r, "P>") || call_follows(r)) {
        skip_past(r, ')');
        return node(r, NEED_ANYTHING);
    }
    return read_flag_group(r);
}

/* After "(".  NULL when it is nothing: a change of flags. */
static struct weir_need_node *read_group(struct need_reader *r)
{
    struct weir_need_flags around = r->flags;
    struct weir_need_node *n = NULL;
    if (r->depth++ >= WEIR_NEED_DEPTH_MAX || at_text(r, "*"))
        r->unknown = true; /* verbs (*...) change what everything means */
    else if (take_text(r, "?"))
        n = read_special(r);
    else
        n = read_inside(r);
    if (n) /* a bare (?i) holds on */
        r->flags = around;
    r->depth--;
    return n;
}

static const char *digits(const char *at, const char *end, uint32_t *value_r)
{
    uint32_t value = 0;
    const char *p = at;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        value = value > 65535 ? value : value * 10 + (uint32_t)(*p - '0');
    *value_r = value;
    return p;
}

/* {2} {2,} {2,5}: true when it is one.  What other versions of PCRE2 take for one is unknown. */
static bool braces(struct need_reader *r, uint32_t *min_r, uint32_t *max_r)
{
    uint32_t min, max;
    const char *p = digits(r->at + 1, r->end, &min), *q = p;
    max = min;
    if (p < r->end && *p == ',') {
        q = digits(p + 1, r->end, &max);
        if (q == p + 1)
            max = WEIR_NEED_ENDLESS;
    }
    if (p > r->at + 1 && q < r->end && *q == '}') {
        r->at = q + 1;
        *min_r = min;
        *max_r = max;
        r->unknown = r->unknown || min > max;
        return true;
    }
    for (q = r->at + 1; q < r->end && strchr("0123456789, \t", *q) && *q; q++)
        ;
    r->unknown = r->unknown || (q < r->end && *q == '}' && q > r->at + 1);
    return false;
}

static bool quantifier(struct need_reader *r, uint32_t *min_r, uint32_t *max_r)
{
    if (r->at == r->end)
        return false;
    switch (*r->at) {
    case '{':
        return braces(r, min_r, max_r);
    case '*':
    case '+':
    case '?':
        *min_r = *r->at == '+';
        *max_r = *r->at == '?' ? 1 : WEIR_NEED_ENDLESS;
        r->at++;
        return true;
    default:
        return false;
    }
}

static struct weir_need_node *read_atom(struct need_reader *r)
{
    uint32_t min, max;
    char c = *r->at++;
    switch (c) {
    case '\\':
        return read_escape(r);
    case '[':
        return set_node(r, need_class(r));
    case '(':
        return read_group(r);
    case '.':
        return any_octet(r, r->flags.dotall);
    case '^':
        return edge_node(r, r->flags.multiline ? WEIR_NEED_NEW_LINE : WEIR_NEED_BEGIN);
    case '$':
        return edge_node(r, r->flags.multiline ? WEIR_NEED_LINE_END : WEIR_NEED_END);
    case '*':
    case '+':
    case '?':
    case '{':
        r->at--; /* only "{" may be something else than a quantifier of nothing */
        if (quantifier(r, &min, &max))
            r->unknown = true;
        else
            r->at++;
        return octet_node(r, '{');
    default:
        return octet_node(r, (unsigned char)c);
    }
}

/* What is ignored between items: \Q, \E, (?#...), blanks and comments in extended syntax. */
static void skip_nothings(struct need_reader *r)
{
    while (r->at < r->end && !r->unknown) {
        if (r->quote ? take_text(r, "\\E") : take_text(r, "\\Q")) {
            r->quote = !r->quote;
        } else if (r->quote) {
            return;
        } else if (take_text(r, "(?#")) {
            skip_past(r, ')');
        } else if (r->flags.extended && *r->at == '#') {
            const char *there = memchr(r->at, '\n', (size_t)(r->end - r->at));
            r->at = there ? there + 1 : r->end;
        } else if (!(r->flags.extended && strchr(" \t\n\v\f\r", *r->at) && *r->at) &&
                   !at_text(r, "\\E")) {
            return;
        } else {
            r->at += *r->at == '\\' ? 2 : 1;
        }
    }
}

static struct weir_need_node *read_repeats(struct need_reader *r, struct weir_need_node *n)
{
    uint32_t min, max;
    skip_nothings(r);
    while (!r->quote && !r->unknown && quantifier(r, &min, &max)) {
        struct weir_need_node *repeat = node(r, NEED_REPEAT);
        if (r->no_memory)
            break;
        repeat->child = n;
        repeat->min = min;
        repeat->max = max;
        repeat->lazy = take_text(r, "?");
        repeat->tight = !repeat->lazy && take_text(r, "+");
        n = repeat;
        const char *behind = r->at;
        skip_nothings(r);
        /* Versions differ in whether "a{2}\E?" is one quantifier or two. */
        r->unknown = r->unknown || (r->at != behind && r->at < r->end && strchr("*+?{", *r->at));
    }
    return n;
}

static struct weir_need_node *read_sequence(struct need_reader *r)
{
    struct weir_need_node *cat = node(r, NEED_CAT), **end = &cat->child;
    for (skip_nothings(r); r->at < r->end && !r->unknown; skip_nothings(r)) {
        struct weir_need_node *n;
        if (r->quote)
            n = octet_node(r, (unsigned char)*r->at++);
        else if (*r->at == '|' || *r->at == ')')
            break;
        else
            n = read_atom(r);
        if (!n) /* nothing; what repeats nothing is in doubt, and stumbled on */
            continue;
        n = read_repeats(r, n);
        if (r->unknown)
            break;
        *end = n;
        end = &n->next;
    }
    return cat;
}

static struct weir_need_node *read_alternatives(struct need_reader *r)
{
    struct weir_need_node *first = read_sequence(r), *alt, **end;
    if (r->unknown || r->at == r->end || *r->at != '|')
        return first;
    alt = node(r, NEED_ALT);
    if (r->unknown)
        return alt;
    alt->child = first;
    end = &first->next;
    while (!r->unknown && take_text(r, "|")) {
        *end = read_sequence(r);
        if (!r->unknown)
            end = &(*end)->next;
    }
    return alt;
}

/* How long the matches of a tree are. */
static void measure(struct weir_need_node *n)
{
    uint64_t min = n->kind == NEED_ALT ? UINT64_MAX : 0, max = 0;
    for (struct weir_need_node *c = n->child; c; c = c->next) {
        measure(c);
        if (n->kind == NEED_ALT) {
            min = c->shortest < min ? c->shortest : min;
            max = c->longest > max ? c->longest : max;
        } else {
            min += c->shortest;
            max += c->longest;
        }
    }
    if (n->kind == NEED_SET)
        min = max = 1;
    if (n->kind == NEED_ANYTHING)
        max = WEIR_NEED_ENDLESS;
    if (n->kind == NEED_REPEAT) {
        min *= n->min;
        max *= n->max;
    }
    n->shortest = min > WEIR_NEED_ENDLESS / 2 ? WEIR_NEED_ENDLESS / 2 : (uint32_t)min;
    n->longest = max > WEIR_NEED_ENDLESS / 2 ? WEIR_NEED_ENDLESS : (uint32_t)max;
}

int weir_need_read(struct weir_arena *arena, struct weir_slice pattern,
                   const struct weir_need_flags *flags, const struct weir_need_node **tree_r)
{
    struct need_reader r = {.arena = arena, .at = pattern.at, .end = pattern.at + pattern.len,
                            .flags = *flags};
    struct weir_need_node *tree = read_alternatives(&r);
    if (r.no_memory)
        return WEIR_ENOMEM;
    if (r.unknown || r.at < r.end) /* an unmatched ")" */
        return 0;
    measure(tree);
    *tree_r = tree;
    return 1;
}
