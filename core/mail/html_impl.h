/*
 * html_impl - what the files of the HTML reader share.
 *
 *     html.c          the tokenizer: octets to text, tags and comments
 *     html_tag.c      a tag: its element and the attributes that matter
 *     html_tree.c     the open elements, and so how text looks where we are
 *     html_style.c    style attributes   html_colour.c  colours
 *     html_sheet.c    style sheets
 *     html_text.c     text to lines      html_entity.c  character references
 *     html_link.c     targets, <base>, link texts
 *     links.c         links in plain text      link_host.c  the host of a link
 */
#ifndef WEIR_MAIL_HTML_IMPL_H
#define WEIR_MAIL_HTML_IMPL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/mail/html.h"

/* character references ---------------------------------------------------- */

struct weir_html_name {
    char name[23];
    bool bare; /* browsers know it without a semicolon too */
    uint32_t code;
};

extern const struct weir_html_name weir_html_names[];
extern const size_t weir_html_names_count;

/* The reference at the '&' at `at`: octets it takes, or 0 when it is none (then the '&' is
 * text).  In an attribute a name without semicolon before a letter, digit or '=' is none. */
size_t weir_html_reference(const char *at, const char *end, bool attribute, uint32_t *code_r);

/* A character in UTF-8; its octets, at most 4. */
size_t weir_html_utf8(uint32_t code, char out[static 4]);

/* Text with its references undone, as much as fits. */
void weir_html_undo(struct weir_slice text, bool attribute, struct weir_line *out);

/* how text looks ---------------------------------------------------------- */

#define WEIR_COLOUR_UNKNOWN UINT32_C(0xff000000) /* a picture, or no colour at all */
#define WEIR_COLOUR_CLEAR UINT32_C(0xfe000000)   /* transparent */

enum weir_html_sets { /* what a style says something about */
    WEIR_SETS_INK = 1,
    WEIR_SETS_PAPER = 2,
    WEIR_SETS_SIZE = 4,      /* in hundredths of a pixel */
    WEIR_SETS_SCALE = 8,     /* in hundredths of a percent of the parent's */
    WEIR_SETS_SEEN = 16,     /* visibility: visible */
    WEIR_SETS_UNSEEN = 32,   /* visibility: hidden */
    WEIR_SETS_GONE = 64,     /* display: none, and no room taken */
    WEIR_SETS_CLEAR = 128,   /* opacity: 0 */
    WEIR_SETS_SHOWN = 256,   /* any other display */
    WEIR_SETS_OPAQUE = 512,  /* any other opacity */
};

struct weir_html_style {
    unsigned sets;
    uint32_t ink, paper, size;
};

enum weir_html_hidden {
    WEIR_HIDDEN_GONE = 1,   /* takes no room */
    WEIR_HIDDEN_UNSEEN = 2,
    WEIR_HIDDEN_CLEAR = 4,
    WEIR_HIDDEN_TINY = 8,
    WEIR_HIDDEN_COLOUR = 16,
};

struct weir_html_look {
    uint32_t ink, paper, size;
    uint8_t hidden; /* enum weir_html_hidden */
    bool small;     /* legible only with a lens, and yet not hidden */
};

/* Adds what a style attribute says (references undone here); what is "!important" goes to
 * *important. */
void weir_html_style_read(struct weir_slice text, struct weir_html_style *style,
                          struct weir_html_style *important);

/* The same for the declarations of a style sheet, which have no references. */
void weir_html_style_rule(struct weir_slice text, struct weir_html_style *style,
                          struct weir_html_style *important);

/* Takes comments and escapes out of text, in place; its new length. */
size_t weir_html_style_plain(char *text, size_t len);

/* What a stronger style says replaces what the weaker one says about the same. */
void weir_html_style_over(struct weir_html_style *style, const struct weir_html_style *stronger);

enum { WEIR_HTML_GROUPS = 6 }; /* what styles say something about: one of each replaces another */

/* What several rules say together.  Each thing is as strong as the rule that said it. */
struct weir_html_layer {
    struct weir_html_style style;
    uint32_t order[WEIR_HTML_GROUPS];
};

/* Adds a rule's style, and another layer: of the same thing the higher order holds. */
void weir_html_layer_add(struct weir_html_layer *layer, const struct weir_html_style *style,
                         uint32_t order);
void weir_html_layer_merge(struct weir_html_layer *layer, const struct weir_html_layer *other);

/* How a child with this style looks in a parent with that look. */
struct weir_html_look weir_html_look(const struct weir_html_look *parent,
                                     const struct weir_html_style *style);

/* A colour as CSS has it, or WEIR_COLOUR_UNKNOWN; as HTML's own attributes have it, which
 * makes a colour of anything. */
uint32_t weir_html_colour(struct weir_slice text);
uint32_t weir_html_colour_attribute(struct weir_slice text);

/* Whether a reader cannot tell two colours apart. */
bool weir_html_colour_same(uint32_t a, uint32_t b);

/* tags -------------------------------------------------------------------- */

enum weir_html_break { WEIR_BREAK_NONE, WEIR_BREAK_BLANK, WEIR_BREAK_LINE, WEIR_BREAK_PARAGRAPH };

enum weir_html_kind { /* of an element, bits */
    WEIR_KIND_VOID = 1,         /* has no content */
    WEIR_KIND_BLOCK = 2,        /* "special" in the standard: what is wrongly nested stops here */
    WEIR_KIND_FORMAT = 4,       /* goes on behind the end of a block that it was opened in */
    WEIR_KIND_SCOPE = 8,        /* end tags do not reach through it */
    WEIR_KIND_ENDS_P = 16,
    WEIR_KIND_RAW = 32,         /* content is text up to its end tag */
    WEIR_KIND_REFERENCES = 64,  /* ... with references */
    WEIR_KIND_NO_TEXT = 128,    /* content is no text at all */
    WEIR_KIND_UNSHOWN = 256,    /* content is not shown */
    WEIR_KIND_ONLY_ONE = 512,   /* another one ends the one that is open */
};

enum weir_html_role { /* of an element that the reader does something about */
    WEIR_ROLE_NONE, WEIR_ROLE_ANCHOR, WEIR_ROLE_IMAGE, WEIR_ROLE_FORM, WEIR_ROLE_SCRIPT,
    WEIR_ROLE_FRAME, WEIR_ROLE_EMBED, WEIR_ROLE_META, WEIR_ROLE_BASE, WEIR_ROLE_LINK,
    WEIR_ROLE_TITLE, WEIR_ROLE_CELL, WEIR_ROLE_ROW, WEIR_ROLE_TABLE, WEIR_ROLE_BUTTON,
    WEIR_ROLE_FONT, WEIR_ROLE_PARAGRAPH, WEIR_ROLE_WBR, WEIR_ROLE_GROUP, WEIR_ROLE_ITEM,
    WEIR_ROLE_TERM, WEIR_ROLE_BODY, WEIR_ROLE_STYLE,
};

struct weir_html_element {
    char name[16];
    uint16_t kind;
    uint8_t at_tag; /* enum weir_html_break, before its start and its end */
    uint8_t role;
};

extern const struct weir_html_element weir_html_elements[];

enum { WEIR_ELEMENT_UNKNOWN = 0, WEIR_ELEMENTS_MOST = 128 };

/* Index of an element, WEIR_ELEMENT_UNKNOWN when HTML has no such one. */
unsigned weir_html_element(struct weir_slice name);

enum weir_html_attribute {
    WEIR_ATTR_HREF, WEIR_ATTR_SRC, WEIR_ATTR_STYLE, WEIR_ATTR_COLOR, WEIR_ATTR_BGCOLOR,
    WEIR_ATTR_TEXT, WEIR_ATTR_BACKGROUND, WEIR_ATTR_HIDDEN, WEIR_ATTR_ACTION,
    WEIR_ATTR_HTTP_EQUIV, WEIR_ATTR_CONTENT, WEIR_ATTR_DATA, WEIR_ATTR_FORMACTION,
    WEIR_ATTR_REDIRECT, WEIR_ATTR_CLASS, WEIR_ATTR_ID, WEIR_ATTR_MEDIA, WEIR_ATTRS
};

struct weir_html_tag {
    struct weir_slice name;
    unsigned element;
    bool end;            /* </name> */
    bool event;          /* has an onclick= or the like */
    unsigned has;        /* bits 1 << enum weir_html_attribute */
    struct weir_slice value[WEIR_ATTRS];
};

/* Whether a tag has an attribute; only then its value is set. */
static inline bool weir_html_has(const struct weir_html_tag *tag, enum weir_html_attribute which)
{
    return tag->has >> which & 1;
}

/* Reads the tag whose name begins at `at` (behind "<" or "</"): where it ends (behind
 * ">"), or NULL when it never does. */
const char *weir_html_tag_read(const char *at, const char *end, struct weir_html_tag *tag_r);

/* style sheets ------------------------------------------------------------ */

struct weir_html_rule {
    uint64_t name;          /* hash of its selector */
    struct weir_html_layer plain, important; /* their order: how specific, and how late */
};

struct weir_html_sheet {
    size_t rules;
    bool begun;             /* false: nothing below is set */
    size_t octets;          /* read so far */
    uint32_t order;         /* of the next rule */
    unsigned unsure;        /* what rules set that were not understood */
    struct weir_hash_key key;
    uint64_t tags[WEIR_ELEMENTS_MOST / 64];     /* bits of elements that have rules of their own */
    uint64_t parts_of[WEIR_ELEMENTS_MOST / 64]; /* ... or that are in a rule with a class or id */
    uint16_t slot[2 * WEIR_HTML_RULES_MAX];     /* 0, or one more than the index of a rule */
    struct weir_html_rule rule[WEIR_HTML_RULES_MAX];
};

/* No rules.  The rest of it, some 50 kB, is not touched before there are. */
void weir_html_sheet_init(struct weir_html_sheet *sheet);

/* Adds the rules of the content of a <style>.  True when text may look other than before, and
 * so may what is hidden. */
bool weir_html_sheet_read(struct weir_html_sheet *sheet, struct weir_slice text);
/* The same for a sheet that may hold or not: of it only what it sets is noted. */
bool weir_html_sheet_pass(struct weir_html_sheet *sheet, struct weir_slice text);

/* What the sheets say about an element; what is "!important" in *important. */
void weir_html_sheet_style(const struct weir_html_sheet *sheet, const struct weir_html_tag *tag,
                           struct weir_html_style *style, struct weir_html_style *important);

/* the open elements ------------------------------------------------------- */

struct weir_html_open {
    struct weir_html_look look;
    struct weir_html_style style;
    uint32_t name;       /* hash, for elements HTML does not know */
    int16_t same;        /* next lower one of the same element, -1: none */
    int16_t block, scope, plain; /* topmost of that kind at or below this one */
    uint8_t element;
    bool dead;           /* ended, but not yet taken off */
};

struct weir_html_tree {
    struct weir_html_open open[WEIR_HTML_DEPTH_MAX];
    int16_t top[WEIR_ELEMENTS_MOST]; /* topmost of each element */
    int depth, dead;
    /* past the limit elements are only counted */
    unsigned over, over_hidden; /* how many; at which one hiding began, 0: it did not */
    struct weir_html_look over_look;
    unsigned over_of[WEIR_ELEMENTS_MOST];
    struct weir_html_look root;
    struct { /* elements with rules of their own */
        uint8_t p, table, tbody, tr, td, th, li, ul, ol, dl, dd, dt;
    } known;
};

/* Nothing is open: black on white, 16 px. */
void weir_html_tree_init(struct weir_html_tree *tree);
/* A start tag with the style that its attributes give. */
void weir_html_tree_start(struct weir_html_tree *tree, const struct weir_html_tag *tag,
                          const struct weir_html_style *style);
/* An end tag, which may end more, less or nothing. */
void weir_html_tree_end(struct weir_html_tree *tree, const struct weir_html_tag *tag);

/* How text looks here. */
const struct weir_html_look *weir_html_tree_look(const struct weir_html_tree *tree);

/* text -------------------------------------------------------------------- */

struct weir_html_writer {
    struct weir_line *line; /* NULL: not wanted */
    unsigned ends;          /* line ends waiting, at most 2 */
    bool blank, begun;
};

struct weir_html_text {
    struct weir_html_writer visible, all;
    struct weir_line *again; /* NULL: not wanted */
    char *paragraph;        /* of visible, where it begins */
    bool touched, touched_next; /* something hidden stands in it; or before the next one */
    size_t invisible;
    size_t shown, hidden;   /* letters and digits */
    bool in_word;           /* the last thing shown was a letter */
    bool cut_here;          /* ... and markup that does nothing came behind it */
};

/* A break waits until more text comes; of breaks in a row the strongest is made. */
void weir_html_text_break(struct weir_html_text *text, enum weir_html_break at, bool shown);

/* No more text comes. */
void weir_html_text_end(struct weir_html_text *text);

/* Text as it stands in the HTML; references undone when told.  Facts go to *facts. */
void weir_html_text_add(struct weir_html_text *text, struct weir_slice octets, bool references,
                        const struct weir_html_look *look, unsigned *facts);

/* links ------------------------------------------------------------------- */

struct weir_html_links {
    struct weir_html *html;
    struct weir_slice base;   /* in the targets line; "" when there is none */
    size_t anchor;            /* link + 1 whose text is being read; 0: none */
    char *anchor_text;        /* where it begins in the visible line */
};

/* Adds the links of a start tag, with their facts. */
void weir_html_links_of(struct weir_html_links *links, const struct weir_html_tag *tag);

/* The open anchor ends here. */
void weir_html_anchor_end(struct weir_html_links *links);

/* The next link in plain text at or behind *from, which moves behind it. */
bool weir_link_next(struct weir_slice text, size_t *from, struct weir_slice *link_r);

/* Adds a fact. */
static inline void weir_html_note(struct weir_html *html, enum weir_html_fact fact)
{
    html->facts |= 1u << fact;
}

/* octets ------------------------------------------------------------------ */

static inline bool weir_html_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

static inline char weir_html_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline bool weir_html_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether text begins with a lower-case word, in any case. */
static inline bool weir_html_begins(struct weir_slice text, const char *word)
{
    for (size_t i = 0; word[i]; i++)
        if (i >= text.len || weir_html_lower(text.at[i]) != word[i])
            return false;
    return true;
}

static inline bool weir_html_equals(struct weir_slice text, const char *word)
{
    return text.len == strlen(word) && weir_html_begins(text, word);
}

/* Without blanks at its ends. */
static inline struct weir_slice weir_html_trim(struct weir_slice text)
{
    while (text.len > 0 && (unsigned char)text.at[0] <= ' ') {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (unsigned char)text.at[text.len - 1] <= ' ')
        text.len--;
    return text;
}

#endif
