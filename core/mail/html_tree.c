/*
 * The open elements: a stack, and what end tags do to it.  Wrongly nested markup is taken
 * as browsers take it, because text is hidden or shown by it:
 *
 *   - <div hidden><span></div>: the end of a block ends what is in it ...
 *   - <p><b></p>x</b>: ... but formatting (b, font, a) goes on behind it
 *   - <span><div></span>: what is inline does not end around a block: ignored
 *   - <b><div></b>: formatting does, and leaves the block open
 *   - no end tag reaches out of a table cell
 *
 * So an element may end in the middle of the stack; it is dead then and taken off when
 * those above it are gone, or when there are DEAD_MOST of them.  Each open element
 * knows the next lower one of its name and of each kind, so that no end tag searches.
 * Past WEIR_HTML_DEPTH_MAX live elements, further ones are only counted, by name, and hide
 * until as many have ended as were open when the hiding one came.
 */
#include "core/mail/html_impl.h"

#include <string.h>

enum { DEAD_MOST = 16 };

static const struct weir_html_element *element_of(const struct weir_html_open *open)
{
    return &weir_html_elements[open->element];
}

static const struct weir_html_look *look_below(const struct weir_html_tree *tree, int index)
{
    while (index > 0 && tree->open[index - 1].dead)
        index--;
    return index > 0 ? &tree->open[index - 1].look : &tree->root;
}

static uint8_t named(const char *name)
{
    return (uint8_t)weir_html_element((struct weir_slice){name, strlen(name)});
}

void weir_html_tree_init(struct weir_html_tree *tree)
{
    tree->known.p = named("p");
    tree->known.table = named("table");
    tree->known.tbody = named("tbody");
    tree->known.tr = named("tr");
    tree->known.td = named("td");
    tree->known.th = named("th");
    tree->known.li = named("li");
    tree->known.ul = named("ul");
    tree->known.ol = named("ol");
    tree->known.dl = named("dl");
    tree->known.dd = named("dd");
    tree->known.dt = named("dt");
    tree->depth = tree->dead = 0;
    tree->over = tree->over_hidden = 0;
    tree->root = (struct weir_html_look){.ink = 0, .paper = 0xffffff, .size = 1600};
    memset(tree->top, 0xff, sizeof(tree->top));
    memset(tree->over_of, 0, sizeof(tree->over_of));
}

const struct weir_html_look *weir_html_tree_look(const struct weir_html_tree *tree)
{
    if (tree->over_hidden)
        return &tree->over_look;
    return look_below(tree, tree->depth);
}

/* Marks of the new top of the stack, from those of the one below it. */
static void link_up(struct weir_html_tree *tree, int index)
{
    struct weir_html_open *open = &tree->open[index];
    const struct weir_html_open *below = index > 0 ? open - 1 : NULL;
    unsigned kind = element_of(open)->kind;
    int16_t here = (int16_t)index;
    open->block = kind & WEIR_KIND_BLOCK ? here : (int16_t)(below ? below->block : -1);
    open->scope = kind & WEIR_KIND_SCOPE ? here : (int16_t)(below ? below->scope : -1);
    bool plain = !(kind & (WEIR_KIND_BLOCK | WEIR_KIND_FORMAT));
    open->plain = plain ? here : (int16_t)(below ? below->plain : -1);
    open->same = tree->top[open->element];
    tree->top[open->element] = here;
}

/* Takes what is dead off the top. */
static void settle(struct weir_html_tree *tree)
{
    while (tree->depth > 0 && tree->open[tree->depth - 1].dead) {
        const struct weir_html_open *open = &tree->open[--tree->depth];
        if (tree->top[open->element] == tree->depth)
            tree->top[open->element] = open->same;
        tree->dead--;
    }
}

/* Takes all dead ones out. */
static void compact(struct weir_html_tree *tree)
{
    int depth = tree->depth;
    memset(tree->top, 0xff, sizeof(tree->top));
    tree->depth = tree->dead = 0;
    for (int i = 0; i < depth; i++) {
        if (tree->open[i].dead)
            continue;
        tree->open[tree->depth] = tree->open[i];
        link_up(tree, tree->depth++);
    }
}

static void look_again(struct weir_html_tree *tree, int from)
{
    const struct weir_html_look *below = look_below(tree, from);
    for (int i = from; i < tree->depth; i++) {
        if (tree->open[i].dead)
            continue;
        tree->open[i].look = weir_html_look(below, &tree->open[i].style);
        below = &tree->open[i].look;
    }
}

/* The topmost live one of an element at or below index, mending the chain on the way. */
static int16_t live(struct weir_html_tree *tree, int16_t index)
{
    while (index >= 0 && tree->open[index].dead)
        index = tree->open[index].same;
    return index;
}

static int16_t top_of(struct weir_html_tree *tree, unsigned element)
{
    return tree->top[element] = live(tree, tree->top[element]);
}

static void drop(struct weir_html_tree *tree, int index)
{
    tree->open[index].dead = true;
    tree->dead++;
}

/* Ends one element; what is above it stays open when it is formatting, or when `only`. */
static void end_at(struct weir_html_tree *tree, int index, bool only)
{
    bool marker = (element_of(&tree->open[index])->kind & WEIR_KIND_SCOPE) != 0;
    bool styled = tree->open[index].style.sets != 0;
    for (int i = tree->depth - 1; i > index && !only; i--) {
        if (tree->open[i].dead)
            continue;
        if (!marker && element_of(&tree->open[i])->kind & WEIR_KIND_FORMAT)
            continue;
        styled |= tree->open[i].style.sets != 0;
        drop(tree, i);
    }
    drop(tree, index);
    settle(tree);
    if (styled && index < tree->depth)
        look_again(tree, index);
    if (tree->dead >= DEAD_MOST)
        compact(tree);
}

static int16_t live_mark(const struct weir_html_tree *tree, enum weir_html_kind kind)
{
    int i = tree->depth - 1;
    while (i >= 0) {
        const struct weir_html_open *open = &tree->open[i];
        int16_t mark = kind == WEIR_KIND_BLOCK   ? open->block
                       : kind == WEIR_KIND_SCOPE ? open->scope
                                                 : open->plain;
        if (mark < 0 || !tree->open[mark].dead)
            return mark;
        i = mark - 1;
    }
    return -1;
}

static uint32_t name_hash(struct weir_slice name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)weir_html_lower(name.at[i])) * 16777619u;
    return hash;
}

static bool is_scope_of_table(const struct weir_html_element *element)
{
    return element->role == WEIR_ROLE_CELL || element->role == WEIR_ROLE_ROW ||
           element->role == WEIR_ROLE_GROUP || element->role == WEIR_ROLE_TABLE;
}

/* Ends an element when its end tag would be heard here; false: it would not. */
static bool end_element(struct weir_html_tree *tree, unsigned element)
{
    const struct weir_html_element *of = &weir_html_elements[element];
    int16_t index = top_of(tree, element);
    if (index < 0)
        return false;
    int16_t table = is_scope_of_table(of) ? top_of(tree, tree->known.table) : -1;
    int16_t scope = is_scope_of_table(of) ? table : live_mark(tree, WEIR_KIND_SCOPE);
    if (scope > index)
        return false;
    int16_t block = live_mark(tree, WEIR_KIND_BLOCK);
    if (of->kind & WEIR_KIND_BLOCK) {
        end_at(tree, index, false);
    } else if (of->kind & WEIR_KIND_FORMAT) {
        end_at(tree, index, block > index || live_mark(tree, 0) < index);
    } else if (block > index) {
        return false;
    } else {
        end_at(tree, index, false);
    }
    return true;
}

/* One that HTML does not know ends like <span>; its name must be the same. */
static void end_unknown(struct weir_html_tree *tree, uint32_t name)
{
    enum { LOOKED_AT = 8 };
    int16_t index = top_of(tree, WEIR_ELEMENT_UNKNOWN);
    for (int i = 0; i < LOOKED_AT && index >= 0 && tree->open[index].name != name; i++)
        index = live(tree, tree->open[index].same);
    if (index >= 0 && tree->open[index].name == name &&
        live_mark(tree, WEIR_KIND_BLOCK) < index)
        end_at(tree, index, false);
}

/* Start tags that end what is open. */
static void end_before(struct weir_html_tree *tree, const struct weir_html_element *element)
{
    if (element->kind & WEIR_KIND_ENDS_P && tree->top[tree->known.p] >= 0)
        end_element(tree, tree->known.p);
    if (element->kind & WEIR_KIND_ONLY_ONE)
        end_element(tree, (unsigned)(element - weir_html_elements));
    if (is_scope_of_table(element) && element->role != WEIR_ROLE_TABLE) {
        end_element(tree, tree->known.td);
        end_element(tree, tree->known.th);
        if (element->role != WEIR_ROLE_CELL)
            end_element(tree, tree->known.tr);
        if (element->role == WEIR_ROLE_GROUP)
            end_element(tree, tree->known.tbody);
    }
    int16_t lists = top_of(tree, tree->known.ul);
    int16_t other = top_of(tree, tree->known.ol);
    if (element->role == WEIR_ROLE_ITEM && top_of(tree, tree->known.li) > lists &&
        top_of(tree, tree->known.li) > other)
        end_element(tree, tree->known.li);
    if (element->role == WEIR_ROLE_TERM && top_of(tree, tree->known.dl) >= 0) {
        end_element(tree, tree->known.dd);
        end_element(tree, tree->known.dt);
    }
}

static void start_over(struct weir_html_tree *tree, unsigned element,
                       const struct weir_html_look *look)
{
    tree->over++;
    tree->over_of[element]++;
    if (!tree->over_hidden && look->hidden) {
        tree->over_hidden = tree->over;
        tree->over_look = *look;
    }
}

static bool end_over(struct weir_html_tree *tree, unsigned element)
{
    if (tree->over == 0 || tree->over_of[element] == 0)
        return false;
    tree->over_of[element]--;
    if (--tree->over < tree->over_hidden)
        tree->over_hidden = 0;
    return true;
}

void weir_html_tree_start(struct weir_html_tree *tree, const struct weir_html_tag *tag,
                          const struct weir_html_style *style)
{
    const struct weir_html_element *element = &weir_html_elements[tag->element];
    if (element->role == WEIR_ROLE_BODY) {
        tree->root = weir_html_look(&tree->root, style);
        return;
    }
    if (tree->over == 0)
        end_before(tree, element);
    if (element->kind & WEIR_KIND_VOID)
        return;
    struct weir_html_look look = weir_html_look(weir_html_tree_look(tree), style);
    if (tree->over > 0 || tree->depth == WEIR_HTML_DEPTH_MAX) {
        start_over(tree, tag->element, &look);
        return;
    }
    struct weir_html_open *open = &tree->open[tree->depth];
    open->look = look;
    open->style = *style;
    open->name = tag->element == WEIR_ELEMENT_UNKNOWN ? name_hash(tag->name) : 0;
    open->element = (uint8_t)tag->element;
    open->dead = false;
    link_up(tree, tree->depth++);
}

void weir_html_tree_end(struct weir_html_tree *tree, const struct weir_html_tag *tag)
{
    if (end_over(tree, tag->element))
        return;
    if (tag->element == WEIR_ELEMENT_UNKNOWN)
        end_unknown(tree, name_hash(tag->name));
    else if (end_element(tree, tag->element) && tree->over > 0 &&
             weir_html_elements[tag->element].kind & WEIR_KIND_BLOCK) {
        /* what is past the limit was inside of it */
        tree->over = tree->over_hidden = 0;
        memset(tree->over_of, 0, sizeof(tree->over_of));
    }
}
