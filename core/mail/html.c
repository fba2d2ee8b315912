/*
 * The tokenizer: text, tags, comments, raw elements, in one pass over the octets, each of
 * which is looked at a bounded number of times.  What never ends (a quote, a tag, a comment,
 * a <style>) is looked for once; then WEIR_HTML_BAD is noted and
 *
 *   - a tag or its quote: the rest is no text, as in browsers
 *   - a comment: it ends at the first '>' as old readers have it; the rest is hidden text
 *   - <title>, <textarea>: as if the start tag were not there
 *   - <style>, <script>: the rest is theirs
 *
 * A style sheet behind text that it may hide costs a second pass, never a third.
 *
 * Owns nothing; its state of some 70 kB is on the stack, most of it only used for style sheets.
 */
#include "core/mail/html_impl.h"

#include <string.h>

struct reader {
    const char *at, *end;
    struct weir_html *html;
    struct weir_html_text text;
    struct weir_html_links links;
    struct weir_html_tree tree;
    struct weir_html_sheet *sheet;
    bool sheet_known;        /* the text is read once more: with all sheets in it */
    bool sheet_late;         /* one came behind text that it may hide */
    struct weir_html_look buried; /* of what is behind a comment without an end */
    bool endless_comment;
    bool endless_title, endless_field; /* no </title>, no </textarea> ahead */
    unsigned images;
    struct weir_slice empty; /* name of the start tag that ended just here; "" none */
};

static void add_text(struct reader *r, const char *at, const char *end)
{
    const struct weir_html_look *look = weir_html_tree_look(&r->tree);
    if (at == end)
        return;
    r->empty.len = 0;
    weir_html_text_add(&r->text, (struct weir_slice){at, (size_t)(end - at)}, true,
                       r->endless_comment ? &r->buried : look, &r->html->facts);
}

static void break_for(struct reader *r, const struct weir_html_element *element)
{
    bool gone = weir_html_tree_look(&r->tree)->hidden & WEIR_HIDDEN_GONE || r->endless_comment;
    weir_html_text_break(&r->text, element->at_tag, !gone);
}

/* Markup that shows nothing may cut a word in two for those who do not know it. */
static void cut_word(struct reader *r)
{
    r->text.cut_here = r->text.in_word && !r->text.visible.blank && !r->text.visible.ends;
}

/* The end tag of a raw element: where "</" is, or NULL. */
static const char *raw_end(const char *at, const char *end, struct weir_slice name)
{
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        const char *behind = at + 2 + name.len;
        if (behind > end)
            return NULL;
        bool same = at[1] == '/';
        for (size_t i = 0; same && i < name.len; i++)
            same = weir_html_lower(at[2 + i]) == weir_html_lower(name.at[i]);
        if (same && (behind == end || *behind == '>' || *behind == '/' ||
                     weir_html_is_blank(*behind)))
            return at;
        at++;
    }
    return NULL;
}

/* A style sheet; of one for some media only nothing is known to hold. */
static void sheet(struct reader *r, const struct weir_html_tag *tag, struct weir_slice content)
{
    struct weir_slice media = {"", 0};
    if (weir_html_has(tag, WEIR_ATTR_MEDIA))
        media = weir_html_trim(tag->value[WEIR_ATTR_MEDIA]);
    bool always = media.len == 0 || weir_html_equals(media, "all") ||
                  weir_html_equals(media, "screen");
    if (r->sheet_known || r->endless_comment)
        return;
    if (always ? weir_html_sheet_read(r->sheet, content) : weir_html_sheet_pass(r->sheet, content))
        r->sheet_late |= r->text.visible.begun || r->text.hidden > 0;
}

/* The content of an element whose markup is no markup. */
static void raw(struct reader *r, const struct weir_html_tag *tag)
{
    const struct weir_html_element *element = &weir_html_elements[tag->element];
    bool plaintext = weir_html_equals(tag->name, "plaintext");
    bool *endless = element->role == WEIR_ROLE_TITLE ? &r->endless_title : &r->endless_field;
    if (element->kind & WEIR_KIND_REFERENCES && *endless)
        return;
    const char *close = plaintext ? NULL : raw_end(r->at, r->end, tag->name);
    if (!close && !plaintext)
        weir_html_note(r->html, WEIR_HTML_BAD);
    if (!close && element->kind & WEIR_KIND_REFERENCES) {
        *endless = true;
        return;
    }
    struct weir_slice content = {r->at, (size_t)((close ? close : r->end) - r->at)};
    const struct weir_html_look *look =
        r->endless_comment ? &r->buried : weir_html_tree_look(&r->tree);
    if (element->role == WEIR_ROLE_TITLE && r->html->title.len == 0)
        r->html->title = content;
    if (element->role == WEIR_ROLE_STYLE)
        sheet(r, tag, content);
    if (!(element->kind & WEIR_KIND_NO_TEXT))
        weir_html_text_add(&r->text, content, (element->kind & WEIR_KIND_REFERENCES) != 0,
                           element->kind & WEIR_KIND_UNSHOWN ? NULL : look, &r->html->facts);
    r->at = content.at + content.len;
}

static void colour(const struct weir_html_tag *tag, enum weir_html_attribute attribute,
                   unsigned sets, uint32_t *colour, struct weir_html_style *style)
{
    if (!weir_html_has(tag, attribute))
        return;
    uint32_t read = weir_html_colour_attribute(tag->value[attribute]);
    if (read == WEIR_COLOUR_UNKNOWN)
        return;
    *colour = read;
    style->sets |= sets;
}

/* What HTML's own attributes say. */
static void style_of_attributes(const struct weir_html_tag *tag, struct weir_html_style *style)
{
    const struct weir_html_element *element = &weir_html_elements[tag->element];
    if (element->role == WEIR_ROLE_FONT)
        colour(tag, WEIR_ATTR_COLOR, WEIR_SETS_INK, &style->ink, style);
    if (element->role == WEIR_ROLE_BODY)
        colour(tag, WEIR_ATTR_TEXT, WEIR_SETS_INK, &style->ink, style);
    colour(tag, WEIR_ATTR_BGCOLOR, WEIR_SETS_PAPER, &style->paper, style);
    if (weir_html_has(tag, WEIR_ATTR_BACKGROUND)) {
        style->paper = WEIR_COLOUR_UNKNOWN;
        style->sets |= WEIR_SETS_PAPER;
    }
}

/* The later ones are stronger: attributes, style sheets, the style attribute, what style sheets
 * call important, and what the style attribute does. */
static void style_of(const struct reader *r, const struct weir_html_tag *tag,
                     struct weir_html_style *style)
{
    const struct weir_html_element *element = &weir_html_elements[tag->element];
    struct weir_html_style important = {0};
    style->sets = 0;
    if (element->kind & WEIR_KIND_UNSHOWN || weir_html_has(tag, WEIR_ATTR_HIDDEN))
        style->sets = WEIR_SETS_GONE;
    if (tag->has != 0)
        style_of_attributes(tag, style);
    if (r->sheet->rules > 0)
        weir_html_sheet_style(r->sheet, tag, style, &important);
    if (weir_html_has(tag, WEIR_ATTR_STYLE))
        weir_html_style_read(tag->value[WEIR_ATTR_STYLE], style, &important);
    if (important.sets)
        weir_html_style_over(style, &important);
}

static void facts_of(struct reader *r, const struct weir_html_tag *tag)
{
    static const struct {
        uint8_t role, fact;
    } facts[] = {
        {WEIR_ROLE_FORM, WEIR_HTML_FORM},
        {WEIR_ROLE_SCRIPT, WEIR_HTML_SCRIPT},
        {WEIR_ROLE_FRAME, WEIR_HTML_EMBED},
        {WEIR_ROLE_EMBED, WEIR_HTML_EMBED},
    };
    unsigned role = weir_html_elements[tag->element].role;
    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
        if (facts[i].role == role)
            weir_html_note(r->html, facts[i].fact);
    if (tag->event)
        weir_html_note(r->html, WEIR_HTML_SCRIPT);
    r->images += role == WEIR_ROLE_IMAGE && weir_html_has(tag, WEIR_ATTR_SRC);
}

static void start_tag(struct reader *r, const struct weir_html_tag *tag)
{
    const struct weir_html_element *element = &weir_html_elements[tag->element];
    struct weir_html_style style;
    style_of(r, tag, &style);
    facts_of(r, tag);
    if (element->kind & WEIR_KIND_RAW) {
        break_for(r, element);
        weir_html_links_of(&r->links, tag);
        raw(r, tag);
        break_for(r, element);
        return;
    }
    weir_html_tree_start(&r->tree, tag, &style);
    if (!(style.sets & WEIR_SETS_GONE) || !(element->kind & WEIR_KIND_VOID))
        break_for(r, element);
    weir_html_links_of(&r->links, tag);
    r->empty = tag->name;
    if (tag->element == WEIR_ELEMENT_UNKNOWN)
        cut_word(r);
}

static void end_tag(struct reader *r, const struct weir_html_tag *tag)
{
    const struct weir_html_element *element = &weir_html_elements[tag->element];
    if (element->role == WEIR_ROLE_ANCHOR)
        weir_html_anchor_end(&r->links);
    if (element->at_tag == WEIR_BREAK_NONE && r->empty.len > 0 &&
        r->empty.len == tag->name.len && strncasecmp(r->empty.at, tag->name.at, tag->name.len) == 0)
        cut_word(r);
    r->empty.len = 0;
    if (!(element->kind & WEIR_KIND_RAW))
        break_for(r, element);
    weir_html_tree_end(&r->tree, tag);
}

/* The '>' of the next "-->", or NULL. */
static const char *comment_end(const char *at, const char *end)
{
    const char *start = at;
    while ((at = memchr(at, '>', (size_t)(end - at))) != NULL) {
        if (at - start >= 2 && at[-1] == '-' && at[-2] == '-')
            return at;
        at++;
    }
    return NULL;
}

/* Behind "<!": a comment, or like "<?" and "</ " something that ends at the first '>'. */
static void comment(struct reader *r)
{
    const char *at = r->at, *close = NULL;
    size_t left = (size_t)(r->end - at);
    r->empty.len = 0;
    cut_word(r);
    if (at[-1] == '!' && left >= 2 && at[0] == '-' && at[1] == '-' && !r->endless_comment) {
        if (left > 2 && at[2] == '>')
            close = at + 2;
        else if (left > 3 && at[2] == '-' && at[3] == '>')
            close = at + 3;
        else if (!(close = comment_end(at + 2, r->end)))
            r->endless_comment = true;
    }
    if (!close)
        close = memchr(at, '>', left);
    if (!close || r->endless_comment)
        weir_html_note(r->html, WEIR_HTML_BAD);
    r->at = close ? close + 1 : r->end;
}

static void tag(struct reader *r)
{
    struct weir_html_tag tag; /* values that it has not are not set: it is read for each tag */
    tag.end = *r->at == '/';
    const char *behind = weir_html_tag_read(r->at + tag.end, r->end, &tag);
    if (!behind) {
        weir_html_note(r->html, WEIR_HTML_BAD);
        r->at = r->end;
        return;
    }
    r->at = behind;
    if (tag.end)
        end_tag(r, &tag);
    else
        start_tag(r, &tag);
}

/* The next '<' that begins markup, or the end. */
static const char *next_markup(const char *at, const char *end)
{
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        char next = end - at > 1 ? at[1] : '\0';
        if (weir_html_is_letter(next) || next == '!' || next == '?' ||
            (next == '/' && end - at > 2))
            return at;
        at++;
    }
    return end;
}

static void read_all(struct reader *r, struct weir_slice text)
{
    r->at = text.at;
    r->end = text.at + text.len;
    while (r->at < r->end) {
        const char *mark = next_markup(r->at, r->end);
        add_text(r, r->at, mark);
        r->at = mark < r->end ? mark + 1 : r->end;
        if (r->at == r->end)
            break;
        if (weir_html_is_letter(*r->at) || (*r->at == '/' && weir_html_is_letter(r->at[1]))) {
            tag(r);
        } else {
            r->at++;
            comment(r);
        }
    }
    weir_html_anchor_end(&r->links);
    weir_html_text_end(&r->text);
    r->html->invisible += r->text.invisible;
    if (r->images > 0 && r->text.shown < 20)
        weir_html_note(r->html, WEIR_HTML_ONLY_IMAGE);
}

/* True when a style sheet was met too late. */
static bool read_once(struct weir_slice text, struct weir_html *html,
                      struct weir_html_sheet *known, bool again)
{
    struct reader r = {.html = html, .sheet = known, .sheet_known = again};
    r.text.visible.line = html->visible;
    r.text.all.line = html->all;
    r.text.again = html->again;
    r.text.paragraph = html->visible->at;
    r.links.html = html;
    weir_html_tree_init(&r.tree);
    r.buried = r.tree.root;
    r.buried.hidden = WEIR_HIDDEN_GONE;
    read_all(&r, text);
    return r.sheet_late;
}

/* Where a line was. */
static void keep_line(struct weir_line *kept, const struct weir_line *line)
{
    if (line)
        *kept = *line;
}

static void put_line(struct weir_line *line, const struct weir_line *kept)
{
    if (line)
        *line = *kept;
}

/* A style sheet holds for what stands before it, too: then all is read once more, with what
 * the lines and the rest were before. */
void weir_html_read(struct weir_slice text, struct weir_html *html)
{
    struct weir_html_sheet known;
    struct weir_html before = *html;
    struct weir_line visible, all, again, targets;
    weir_html_sheet_init(&known);
    keep_line(&visible, html->visible);
    keep_line(&all, html->all);
    keep_line(&again, html->again);
    keep_line(&targets, html->targets);
    if (!read_once(text, html, &known, false))
        return;
    *html = before;
    put_line(html->visible, &visible);
    put_line(html->all, &all);
    put_line(html->again, &again);
    put_line(html->targets, &targets);
    read_once(text, html, &known, true);
}

const char *weir_html_fact_name(enum weir_html_fact fact)
{
    static const char *const names[WEIR_HTML_FACTS] = {
        "HIDDEN_TEXT", "TINY_FONT", "SAME_COLOUR", "MISMATCH", "FORM",       "SCRIPT",
        "EMBED",       "REFRESH",   "BASE",        "SPLIT_WORD", "BAD",      "ONLY_IMAGE",
    };
    return fact < WEIR_HTML_FACTS ? names[fact] : "";
}
